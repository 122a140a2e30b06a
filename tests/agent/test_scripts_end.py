#!/usr/bin/python3
"""How scripts end before their time, and what is run again: reboots, signals, limits, --rerun.

A reboot is another boot id and an empty /run; see agent.py.
"""

import glob
import os
import signal
import subprocess
import time
import unittest

from agent import (AgentTest, EXIT_INPUT, EXIT_STEP, EXIT_USAGE, RUN, STANDARD_PATH,
                   is_alive, kill_if_alive, said, shell_module, wait_until)

LIMIT_S = 1
GRACE_S = 10
UNIQUE = "a-word-of-test_scripts_end"


class Script(AgentTest):
    def give(self, *lines, **items):
        self.machine.seed("\n".join(["#!/bin/sh", *lines, ""]), **items)

    def reboot_and_run(self, code=0, *options):
        self.machine.reboot()
        return self.assert_run(code, *options)

    def give_waiting(self, *before):
        """A script that marks its process id and waits for its end."""
        self.give(*before, f"echo $$ >>{self.mark}", "while :; do sleep 0.05; done")

    def start_waiting(self, *options):
        """Starts a run, and returns it and the id of the script that it runs, which waits."""
        count = len(self.marks())
        process = self.start("run", *options, stderr=subprocess.DEVNULL)

        def ids():
            return [int(mark) for mark in self.marks()[count:] if mark.isdigit()]

        self.assertTrue(wait_until(ids), "the script did not begin")
        self.addCleanup(kill_if_alive, ids()[0])
        return process, ids()[0]

    def kill_both(self):
        """Power is lost: the agent and everything of the script end at once."""
        process, pid = self.start_waiting()
        group = os.getpgid(pid)
        self.assertNotEqual(group, os.getpgrp())
        process.kill()
        os.killpg(group, signal.SIGKILL)
        process.wait()


class Boots(Script):
    def test_once_for_an_instance(self):
        self.give(f"echo x >>{self.mark}")
        self.assert_run()
        self.assert_run()
        self.reboot_and_run()
        self.assertEqual(len(self.marks()), 1)
        self.assert_step(status="done", this_run=False, exit_code=0,
                         reason="done already for this instance")

    def test_other_instance_runs_it_again(self):
        self.give(f"echo $INSTANCE_ID >>{self.mark}")
        self.assert_run()
        self.give(f"echo $INSTANCE_ID >>{self.mark}", instance_id="i-2")
        self.reboot_and_run()
        self.assertEqual(self.marks(), ["i-1", "i-2"])
        self.assertEqual(self.machine.status()["instance_id"], "i-2")

    def test_first_instance_again_is_known(self):
        self.give(f"echo $INSTANCE_ID >>{self.mark}")
        self.assert_run()
        self.give(f"echo $INSTANCE_ID >>{self.mark}", instance_id="i-2")
        self.reboot_and_run()
        self.give(f"echo $INSTANCE_ID >>{self.mark}")
        self.reboot_and_run()
        self.assertEqual(self.marks(), ["i-1", "i-2"])

    def test_persist_runs_at_every_boot_and_once_in_each(self):
        self.machine.seed(f"<script>echo x >>{self.mark}</script><persist>true</persist>")
        for boot in range(3):
            self.assert_run()
            self.assert_run()
            self.assertEqual(len(self.marks()), boot + 1)
            self.machine.reboot()

    def test_persist_that_failed_runs_at_the_next_boot(self):
        self.machine.seed(f"<script>echo x >>{self.mark}; exit 1</script><persist>true</persist>")
        self.assert_run(EXIT_STEP)
        self.assert_run(EXIT_STEP)
        self.assertEqual(len(self.marks()), 1)
        self.reboot_and_run(EXIT_STEP)
        self.assertEqual(len(self.marks()), 2)

    def test_failed_is_not_tried_again_and_stays_failed(self):
        self.give(f"echo x >>{self.mark}", "echo why", "exit 7")
        self.assert_run(EXIT_STEP)
        self.reboot_and_run(EXIT_STEP)
        self.assertEqual(len(self.marks()), 1)
        self.assert_step(status="failed", exit_code=7, this_run=False, output="why\n",
                         reason="failed before; run again only by --rerun")

    def test_failed_is_tried_again_where_told(self):
        self.machine.module_settings("script", on_failure="retry")
        self.give(f"echo x >>{self.mark}", f"[ $(wc -l <{self.mark}) -ge 3 ]")
        self.assert_run(EXIT_STEP)
        self.reboot_and_run(EXIT_STEP)
        self.assert_run()
        self.assert_step(status="done", reason="failed before; tried again")
        self.reboot_and_run()
        self.assertEqual(len(self.marks()), 3)

    def test_changed_user_data_of_the_same_instance_is_not_run(self):
        self.give(f"echo x >>{self.mark}")
        self.assert_run()
        self.give(f"echo y >>{self.mark}")
        self.reboot_and_run()
        self.assertEqual(self.marks(), ["x"])


class CutOff(Script):
    def test_killed_with_the_agent_it_is_cut_off_and_not_run_again(self):
        self.give_waiting()
        self.kill_both()
        self.reboot_and_run(EXIT_STEP)
        self.assertEqual(len(self.marks()), 1)
        self.assert_step(status="cut off", this_run=False,
                         reason="cut off before; run again only by --rerun")
        self.assertEqual(self.machine.status()["status"], "failed")

    def test_in_the_same_boot_too(self):
        self.give_waiting()
        self.kill_both()
        self.assert_run(EXIT_STEP)
        self.assert_step(status="cut off")
        self.assertEqual(len(self.marks()), 1)

    def test_where_told_it_is_run_again(self):
        self.machine.module_settings("script", on_interrupt="rerun")
        self.give(f"echo $$ >>{self.mark}", f"[ $(wc -l <{self.mark}) = 2 ] && exit",
                  "while :; do sleep 0.05; done")
        self.kill_both()
        self.reboot_and_run()
        self.assert_step(status="done", reason="cut off before; run again")
        self.reboot_and_run()
        self.assertEqual(len(self.marks()), 2)

    def test_on_failure_is_no_on_interrupt(self):
        self.machine.module_settings("script", on_failure="retry")
        self.give_waiting()
        self.kill_both()
        self.reboot_and_run(EXIT_STEP)
        self.assertEqual(len(self.marks()), 1)

    def test_persist_begins_anew(self):
        self.machine.seed(f"<script>echo $$ >>{self.mark}\n[ $(wc -l <{self.mark}) = 2 ] && exit\n"
                          "while :; do sleep 0.05; done</script><persist>true</persist>")
        self.kill_both()
        self.reboot_and_run()
        self.assert_step("script", status="done")

    def test_steps_behind_it_are_done_at_the_next_run(self):
        self.machine.own_modules("script")
        self.machine.add_module("zoe", shell_module("zoe", said("changed"), keys=[], order=950))
        self.give_waiting()
        self.kill_both()
        self.reboot_and_run(EXIT_STEP)
        self.assert_step(status="cut off")
        self.assert_step("zoe", status="done")


class Terminated(Script):
    def terminate(self, how=signal.SIGTERM):
        process, pid = self.start_waiting()
        process.send_signal(how)
        self.assertEqual(process.wait(timeout=9), EXIT_STEP)
        return pid

    def test_cut_off_is_recorded(self):
        self.give_waiting("trap 'echo told; exit 4' TERM")
        pid = self.terminate()
        self.assertFalse(is_alive(pid))
        self.assertIn("told\n", self.assert_step(status="cut off")["output"])
        status = self.machine.status()
        self.assertEqual((status["status"], status["exit_code"]), ("failed", EXIT_STEP))
        self.assertEqual(self.machine.events()[-1], ("end", "user-data", "cut off"))

    def test_not_run_again_at_the_next_boot(self):
        self.give_waiting()
        self.terminate()
        self.reboot_and_run(EXIT_STEP)
        self.assertEqual(len(self.marks()), 1)
        self.assert_step(status="cut off", this_run=False)

    def test_run_again_where_told(self):
        self.machine.module_settings("script", on_interrupt="rerun")
        self.give(f"echo $$ >>{self.mark}", f"[ $(wc -l <{self.mark}) = 2 ] && exit",
                  "while :; do sleep 0.05; done")
        self.terminate()
        self.reboot_and_run()
        self.assert_step(status="done")

    def test_interrupt_of_the_terminal(self):
        self.give_waiting()
        self.terminate(signal.SIGINT)
        self.assert_step(status="cut off")

    def test_what_follows_is_pending_and_done_by_the_next_run(self):
        self.machine.own_modules("script")
        self.machine.add_module("zoe", shell_module("zoe", said("changed"), keys=[], order=950))
        self.give_waiting()
        self.terminate()
        self.assert_step("zoe", status="pending")
        self.assert_run(EXIT_STEP)
        self.assert_step("zoe", status="done")

    def test_script_that_was_done_in_time_is_done(self):
        self.give(f"trap 'echo $$ >>{self.mark}; exit 0' TERM", f"echo $$ >>{self.mark}",
                  "while :; do sleep 0.05; done")
        process, _ = self.start_waiting()
        process.terminate()
        process.wait(timeout=9)
        self.assertEqual(len(self.marks()), 2)
        self.assertIn(self.machine.step()["status"], ("done", "cut off"))
        self.assertEqual(self.machine.events()[-1][0], "end")

    def test_script_that_prints_much_when_told_is_not_stuck(self):
        """More than a pipe holds: somebody has to read it until the end."""
        self.give_waiting("trap 'seq 100000; exit 4' TERM")
        began = time.monotonic()
        self.terminate()
        self.assertLess(time.monotonic() - began, GRACE_S / 2)
        self.assertEqual(self.machine.output_lines()[-1], "user-data: 100000")

    def test_prepares_end_too_and_none_begins(self):
        for number in range(20):
            self.machine.add_module(f"m{number:02}", shell_module(
                f"m{number:02}", said("changed"), f"echo $$ >>{self.work}/prepares\nexec sleep 30",
                keys=[]))
        self.machine.add_module("first", shell_module("first", "\n".join([
            "trap 'sleep 0.5; exit 4' TERM", f"echo $$ >>{self.mark}",
            "while :; do sleep 0.05; done"]), keys=[], order=1))
        self.machine.seed()
        process, _ = self.start_waiting()
        prepares = os.path.join(self.work, "prepares")

        def begun():
            with open(prepares, encoding="utf-8") as lines:
                return [int(line) for line in lines]

        self.assertTrue(wait_until(lambda: os.path.exists(prepares) and len(begun()) == 16))
        process.terminate()
        process.wait(timeout=9)
        self.assertEqual(len(begun()), 16)
        self.assertEqual([pid for pid in begun() if is_alive(pid)], [])


class Limits(Script):
    def test_none_by_default(self):
        plan = self.machine.agent("modules", "script", "--format", "json").json()
        self.assertEqual((plan["no_limit"], plan["time_limit"]), (True, 0))

    def test_limit_ends_the_script_and_what_it_started(self):
        self.machine.module_settings("script", time_limit=LIMIT_S)
        self.give(f"sleep 60 & echo $! >>{self.mark}", f"echo $$ >>{self.mark}", "echo begun",
                  "wait")
        outcome = self.assert_run(EXIT_STEP)
        self.assertLess(outcome.seconds, 9)
        self.assert_step(status="failed", output="begun\n",
                         message="took longer than its limit of 1 s and was ended")
        for pid in self.marks():
            self.assertFalse(is_alive(int(pid)), pid)

    def test_script_within_its_limit(self):
        self.machine.module_settings("script", time_limit=30)
        self.give("true")
        self.assert_run()
        self.assert_step(status="done")

    def test_limit_that_is_none_is_refused(self):
        for limit in ("soon", -1, [1]):
            with self.subTest(limit):
                self.machine.module_settings("script", time_limit=limit)
                self.give("true")
                self.assertIn("bootlace.modules.script.time_limit: is no number of seconds",
                              self.assert_run(EXIT_INPUT).err)


class Rerun(Script):
    def setUp(self):
        super().setUp()
        self.machine.own_modules("script")
        for name, run in (("good", said("changed")), ("bad", said("failed"))):
            self.machine.add_module(name, shell_module(
                name, f"echo {name} >>{self.mark}\n{run}", keys=[]))
        self.all_is_well = os.path.join(self.work, "all-is-well")
        self.give(f"echo user-data >>{self.mark}", f"[ -e {self.all_is_well} ] || exit 3")
        self.assert_run(EXIT_STEP)
        self.assertEqual(self.marks(), ["bad", "good", "user-data"])
        os.unlink(self.mark)

    def test_nothing_without_it(self):
        self.assert_run(EXIT_STEP)
        self.assertEqual(self.marks(), [])

    def test_all(self):
        self.assert_run(EXIT_STEP, "--rerun", "all")
        self.assertEqual(self.marks(), ["bad", "good", "user-data"])
        self.assert_step(reason="--rerun all")

    def test_failed(self):
        self.assert_run(EXIT_STEP, "--rerun", "failed")
        self.assertEqual(self.marks(), ["bad", "user-data"])

    def test_failed_means_cut_off_too(self):
        self.give_waiting()
        self.machine.seed(self.machine.bytes("var/lib/bootlace/seed/user-data"), "i-2")
        self.kill_both()
        os.unlink(self.mark)
        process, pid = self.start_waiting("--rerun", "failed")
        process.terminate()
        process.wait(timeout=9)
        self.assertEqual(self.marks(), ["bad", str(pid)])

    def test_steps_by_name(self):
        self.assert_run(EXIT_STEP, "--rerun", "user-data", "--rerun=good")
        self.assertEqual(self.marks(), ["good", "user-data"])

    def test_failure_that_is_gone_is_gone(self):
        self.machine.add_module("bad", shell_module("bad", said("changed"), keys=[]))
        with open(self.all_is_well, "w", encoding="utf-8"):
            pass
        self.assert_run(0, "--rerun", "failed")
        self.assertEqual(self.machine.status()["status"], "done")

    def test_unknown_step_is_refused_and_the_status_stays(self):
        before = self.machine.bytes(f"{RUN}/status.json")
        status = self.machine.agent("status", "--format", "json").json()
        outcome = self.assert_run(EXIT_USAGE, "--rerun", "no-such", "--rerun", "good")
        self.assertIn('there is no step named "no-such"', outcome.err)
        self.assertEqual(self.marks(), [])
        self.assertEqual(self.machine.bytes(f"{RUN}/status.json"), before)
        self.assertEqual(self.machine.agent("status", "--format", "json").json(), status)

    def test_unknown_step_in_a_boot_without_a_run(self):
        self.machine.reboot()
        self.assert_run(EXIT_USAGE, "--rerun", "no-such")
        self.assertFalse(self.machine.exists(f"{RUN}/status.json"))
        self.assertEqual(self.machine.status()["status"], "not started")

    def test_unknown_step_in_a_plan(self):
        self.assert_code(self.machine.agent("plan", "--rerun", "no-such"), EXIT_USAGE)

    def test_plan_shows_what_it_would_do(self):
        plan = self.machine.agent("plan", "--rerun", "failed", "--format", "json").json()
        self.assertEqual([(step["name"], step["action"]) for step in plan["steps"]],
                         [("bad", "run"), ("good", "skip"), ("user-data", "run")])
        self.assertEqual(self.marks(), [])


class DryRun(Script):
    """--dry-run changes nothing at all."""

    def setUp(self):
        super().setUp()
        self.machine.own_modules("script", "powershell")
        self.machine.add_module("good", shell_module("good", said("changed"), keys=[]))
        stand_in = self.machine.put("bin/pwsh", f"#!/bin/sh\necho pwsh >>{self.mark}\n", 0o755)
        self.machine.variables["PATH"] = f"{os.path.dirname(stand_in)}:{STANDARD_PATH}"

    def assert_nothing_changes(self, code=0):
        """Neither below the root nor as a trial's copy elsewhere."""
        before = self.machine.tree()
        outcome = self.assert_run(code, "--dry-run")
        self.assertEqual(self.machine.tree(), before)
        self.assertEqual(self.marks(), [])
        self.assertEqual(self.copies(), [])
        return outcome

    def copies(self):
        found = []
        for name in glob.glob("/tmp/bootlace*") + glob.glob("/var/tmp/bootlace*"):
            try:
                with open(name, "rb") as content:
                    if UNIQUE.encode() in content.read():
                        self.addCleanup(lambda name=name: os.path.exists(name) and os.unlink(name))
                        found.append(name)
            except OSError:  # a folder, gone, or another user's
                continue
        return found

    def test_before_the_first_run(self):
        self.give(f"echo {UNIQUE} >>{self.mark}")
        outcome = self.assert_nothing_changes()
        self.assertIn("would run: ", outcome.err)
        self.assertEqual(outcome.text, self.machine.agent("plan").text)
        self.assertEqual(self.machine.status()["status"], "not started")

    def test_without_any_state(self):
        self.machine.seed(f"#!/bin/sh\n: {UNIQUE}\n", folder="var/lib/cloud/seed/nocloud")
        self.assert_nothing_changes()

    def test_blocks(self):
        self.machine.seed(f"<script>\necho {UNIQUE} >>{self.mark}\n</script>\n"
                          f"<powershell>\nWrite-Host {UNIQUE}\n</powershell>")
        outcome = self.assert_nothing_changes()
        self.assertRegex(outcome.err, "powershell: would run: pwsh -ExecutionPolicy Unrestricted")

    def test_detached(self):
        self.machine.seed(f"<script>\necho {UNIQUE} >>{self.mark}\n</script><detach>true</detach>")
        self.assert_nothing_changes()

    def test_after_a_run(self):
        self.give(f": {UNIQUE}")
        self.assert_run()
        outcome = self.assert_nothing_changes()
        self.assertRegex(outcome.text, "skip +user-data .*: done already for this instance")

    def test_for_another_instance(self):
        self.give(f": {UNIQUE}")
        self.assert_run()
        self.give(f"echo {UNIQUE} >>{self.mark}", instance_id="i-2")
        self.assert_nothing_changes()

    def test_with_wrong_user_data(self):
        self.machine.seed(f"what is this? {UNIQUE}\n")
        self.assert_nothing_changes(EXIT_INPUT)

    def test_beside_a_run(self):
        self.give_waiting(f": {UNIQUE}")
        process, _ = self.start_waiting()
        status = self.machine.bytes(f"{RUN}/status.json")
        self.machine.run("--dry-run")
        self.assertEqual(self.machine.bytes(f"{RUN}/status.json"), status)
        self.assertIsNone(process.poll())

    def test_plan_and_inspect_change_nothing_either(self):
        self.give(f": {UNIQUE}")
        self.machine.reboot()
        before = self.machine.tree()
        for command in ("plan", "inspect", "modules", "status"):
            self.machine.agent(command)
        self.assertEqual(self.machine.tree(), before)


if __name__ == "__main__":
    unittest.main()
