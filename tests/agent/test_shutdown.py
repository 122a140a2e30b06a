#!/usr/bin/python3
"""A restart that a step asks for, and what is undone at shutdown.

The machine is of paper: its `systemctl` writes down what it is asked, and for a restart sends the
agent the signal that a shutdown sends. BOOTLACE_BUILD names the build folder.
"""

import os
import unittest

from agent import (AgentTest, EXIT_STEP, LOG, OUTPUT_LOG, RUN, STANDARD_PATH, said, shell_module)

SECRET = "correct-horse-battery"

# The agent is blocked in no system call of ours when the signal comes: it waits for it.
SYSTEMCTL = """#!/bin/sh
echo "systemctl $*" >>{mark}
case $* in
is-system-running) echo running ;;
*reboot*) [ -e {broken} ] && {{ echo "no such bus" >&2; exit 1; }}; kill -TERM "$PPID" ;;
esac
"""


class Machines(AgentTest):
    def setUp(self):
        super().setUp()
        self.programs = os.path.join(self.work, "bin")
        self.broken = os.path.join(self.work, "broken")
        os.mkdir(self.programs)
        path = os.path.join(self.programs, "systemctl")
        with open(path, "w", encoding="utf-8") as out:
            out.write(SYSTEMCTL.format(mark=self.mark, broken=self.broken))
        os.chmod(path, 0o755)
        self.machine.variables["PATH"] = f"{self.programs}:{STANDARD_PATH}"
        self.machine.own_modules()
        self.machine.seed()

    def module(self, name, run, *, stop=None, **description):
        text = shell_module(name, f"echo {name} >>{self.mark}; {run}", stop=stop is not None,
                            **description)
        self.machine.add_module(name, text.replace("run() {", f"stop() {{\n{stop or ':'}\n}}\n"
                                                   "run() {"))

    def boot(self, code=0):
        """What the unit runs; the network is there at once."""
        return self.assert_run(code, "--boot")

    def steps_marked(self):
        return [line for line in self.marks() if not line.startswith("systemctl")]


class Reboot(Machines):
    def setUp(self):
        super().setUp()
        self.machine.config({"bootlace": {"network_wait": 0}, "kernel": 1, "later": 1})
        self.module("kernel", said("changed", reboot=True), order=100)
        self.module("later", said("changed"), order=200)

    def asked(self):
        return self.marks().count("systemctl --no-block reboot")

    def test_what_is_left_is_done_behind_it_once(self):
        self.boot()
        self.assertEqual((self.steps_marked(), self.asked()), (["kernel"], 1))
        self.assertEqual(self.machine.journal()[-1]["event"], "reboot")
        for _ in range(2):
            self.machine.reboot()
            self.boot()
            self.assertEqual((self.steps_marked(), self.asked()), (["kernel", "later"], 1))
        self.assertEqual(self.machine.status()["status"], "done")

    def test_the_last_step_may_ask_as_well(self):
        self.module("kernel", said("changed", reboot=True), order=300)
        self.boot()
        self.assertEqual((self.steps_marked(), self.asked()), (["later", "kernel"], 1))

    def test_the_status_until_then(self):
        self.boot()
        status = self.machine.json(f"{RUN}/status.json")
        self.assertEqual(status["status"], "running")
        self.assertIn("kernel asked for a restart", status["message"])
        self.assertEqual([step["status"] for step in status["steps"]], ["done", "pending"])

    def test_one_that_asks_at_every_boot_comes_to_an_end(self):
        self.module("kernel", said("changed", reboot=True), order=100, frequency="per-boot")
        self.machine.config({"bootlace": {"network_wait": 0, "reboot_limit": 2}, "kernel": 1,
                             "later": 1})
        for _ in range(2):
            self.boot()
            self.machine.reboot()
        self.assertEqual((self.steps_marked(), self.asked()), (["kernel"] * 2, 2))
        self.boot()
        self.assertEqual((self.steps_marked(), self.asked()), (["kernel"] * 3 + ["later"], 2))
        status = self.machine.status()
        self.assertEqual(status["status"], "degraded")
        self.assertIn("2 in a row already", str(status["errors"]))
        self.machine.reboot()
        self.boot()
        self.assertEqual(self.asked(), 3, "the row was over")

    def test_no_restart_at_all_where_the_limit_is_none(self):
        self.machine.config({"bootlace": {"network_wait": 0, "reboot_limit": 0}, "kernel": 1})
        self.boot()
        self.assertEqual(self.asked(), 0)

    def test_by_hand_it_is_only_said(self):
        self.assert_run()
        self.assertEqual((self.steps_marked(), self.asked()), (["kernel", "later"], 0))
        status = self.machine.status()
        self.assertEqual(status["status"], "done")
        self.assertIn("restart the machine when it suits: kernel", status["message"])
        self.assertTrue(self.machine.step("kernel")["reboot"])

    def test_one_that_does_not_come(self):
        with open(self.broken, "w", encoding="utf-8"):
            pass
        self.boot(EXIT_STEP)
        status = self.machine.status()
        self.assertEqual(status["status"], "failed")
        self.assertIn("no such bus", str(status["errors"]))

    def test_a_failed_step_asks_in_vain(self):
        self.module("kernel", said("failed", reboot=True) + "; exit 1", order=100)
        self.boot(EXIT_STEP)
        self.assertEqual((self.steps_marked(), self.asked()), (["kernel", "later"], 0))


class Shutdown(Machines):
    def setUp(self):
        super().setUp()
        self.machine.config({"bootlace": {"network_wait": 0}, "name": {"secret": SECRET},
                             "target": 1, "plain": 1})
        undo = f'input=$(cat); echo "undo $input" >>{self.mark}; '
        self.module("name", said("changed"), stop=undo + said("changed"), order=100,
                    frequency="per-boot", metadata=["hostname"])
        self.module("target", said("changed"), stop=undo + said("changed"), order=200,
                    frequency="per-boot")
        self.module("plain", said("changed"), order=300)
        self.machine.seed(hostname="blue")

    def shut_down(self, code=0, *options):
        done = self.machine.run("--shutdown", *options)
        self.assert_code(done, code)
        return done

    def undone(self):
        return [line for line in self.marks() if line.startswith("undo")]

    def test_what_was_done_last_is_undone_first(self):
        self.boot()
        self.shut_down()
        first, second = self.undone()
        self.assertIn('"settings":{"target":1}', first)
        self.assertIn(SECRET, second)
        self.assertIn('"hostname":"blue"', second)
        self.assertIn("target (target): done", self.machine.text(LOG))

    def test_once(self):
        self.boot()
        self.shut_down()
        self.shut_down()
        self.assertEqual(len(self.undone()), 2)

    def test_nothing_was_done(self):
        self.shut_down()
        self.assertEqual(self.undone(), [])

    def test_of_another_boot_nothing_is_left(self):
        self.boot()
        self.machine.reboot()
        self.shut_down()
        self.assertEqual(self.undone(), [])

    def test_settings_are_kept_from_others(self):
        self.boot()
        self.assertEqual(self.machine.mode(f"{RUN}/shutdown.json"), 0o600)
        self.shut_down()
        self.assertFalse(self.machine.exists(f"{RUN}/shutdown.json"))
        self.assertNotIn(SECRET, self.machine.text(LOG) + self.machine.text(OUTPUT_LOG))

    def test_a_failure_is_said_and_the_others_are_undone(self):
        self.module("target", said("changed"), stop=said("failed", message="it is stuck") +
                    "; exit 1", order=200, frequency="per-boot")
        self.boot()
        self.shut_down(EXIT_STEP)
        self.assertEqual(len(self.undone()), 1)
        self.assertIn("it is stuck", self.machine.text(LOG))

    def test_a_failed_step_is_not_undone(self):
        self.module("target", said("failed") + "; exit 1", stop=f"echo undo >>{self.mark}",
                    order=200, frequency="per-boot")
        self.boot(EXIT_STEP)
        self.shut_down()
        self.assertEqual(len(self.undone()), 1)

    def test_dry_run(self):
        self.boot()
        before = self.machine.tree()
        self.shut_down(0, "--dry-run")
        self.assertEqual(self.machine.tree(), before)
        self.assertIn('"dry_run":true', self.undone()[0])

    def test_a_module_that_is_gone(self):
        self.boot()
        os.remove(self.machine.path("lib/bootlace/modules/target"))
        self.shut_down()
        self.assertEqual(len(self.undone()), 1)
        self.assertIn("the module target is gone", self.machine.text(LOG))

    def test_listed(self):
        self.assertIn("undone at shutdown", self.machine.agent("modules", "name").text)


if __name__ == "__main__":
    unittest.main()
