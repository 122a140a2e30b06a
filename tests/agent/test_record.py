#!/usr/bin/python3
"""The record: what is on the disk when, what survives a kill at any moment, and who may read it."""

import json
import os
import re
import shutil
import signal
import stat
import time
import unittest

from agent import (AgentTest, EXIT_BUSY, EXIT_INPUT, EXIT_SOURCE, EXIT_STEP, RUN, STATE, Machine,
                   kill_if_alive, needs_program, needs_root, said, shell_module)

DELAYS_MS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30)
CALLS_MAX = 400
CHANGING_CALLS = "write,openat,mkdirat,unlinkat,renameat,fdatasync,fsync"
ID_MAX = 64
UUID = "4c4c4544-0000-2010-8020-80c04f202020"
UUID_FILE = "sys/class/dmi/id/product_uuid"


def strace(*options):
    """In front of the agent; leaks cannot be looked for beneath a tracer."""
    return ["env", "ASAN_OPTIONS=detect_leaks=0:handle_segv=0", "strace", *options, "--"]


class Journal(AgentTest):
    def setUp(self):
        super().setUp()
        self.machine.own_modules("script")
        self.machine.seed("#!/bin/sh\necho text\nexit 3\n")

    def test_each_step_begins_and_ends(self):
        self.machine.add_module("good", shell_module("good", said("changed"), keys=[]))
        self.assert_run(EXIT_STEP)
        self.assertEqual(self.machine.events(), [
            ("begin", "good", "running"), ("end", "good", "done"),
            ("begin", "user-data", "running"), ("end", "user-data", "failed")])

    def test_entries_say_when_in_which_boot_and_how(self):
        self.assert_run(EXIT_STEP)
        first, *steps = [entry for entry in self.machine.journal()
                         if entry["event"] in ("run", "begin", "end")]
        boot = self.machine.text("proc/sys/kernel/random/boot_id").strip()
        self.assertEqual((first["event"], first["source"]), ("run", "seed"))
        for entry in (first, *steps):
            self.assertEqual(entry["boot_id"], boot)
            self.assertRegex(entry["time"], r"^\d{4}-\d\d-\d\dT[0-9:.]{12}Z$")
        self.assertEqual([(end["exit_code"], end["output"], end["module"]) for end in steps[1:]],
                         [(3, "text\n", "script")])
        self.assertEqual(steps[0]["digest"], steps[1]["digest"])

    def test_it_is_only_appended_to(self):
        self.assert_run(EXIT_STEP)
        path = self.machine.record() + "/journal"
        before = self.machine.bytes(path)
        inode = os.stat(self.machine.path(path)).st_ino
        self.machine.reboot()
        self.assert_run(EXIT_STEP, "--rerun", "all")
        self.assertTrue(self.machine.bytes(path).startswith(before))
        self.assertEqual(os.stat(self.machine.path(path)).st_ino, inode)

    def test_half_a_line_is_passed_over_and_not_continued(self):
        self.assert_run(EXIT_STEP)
        path = self.machine.record() + "/journal"
        runs = 1
        for rubbish in (b'{"event":"begin","step":"user-da', b"\0" * 4096, b"\xff\n[]\n7\n{}\n",
                        b'{"event":"end","step":7,"status":"done"}\n'):
            with self.subTest(rubbish[:10]):
                with open(self.machine.path(path), "ab") as journal:
                    journal.write(rubbish)
                self.machine.reboot()
                self.assert_run(EXIT_STEP)
                self.assert_step(status="failed", this_run=False)
                self.assert_run(EXIT_STEP, "--rerun", "user-data")
                lines = self.machine.bytes(path).splitlines()
                ends = [line for line in lines if line.startswith(b'{"event":"end"')
                        and b'"step":"user-data"' in line]
                self.assertEqual(json.loads(ends[-1])["status"], "failed")
                runs += 2
                self.assertEqual(len([line for line in lines
                                      if line.startswith(b'{"event":"run"')]), runs)

    def test_journal_that_cannot_be_read_is_no_first_boot(self):
        self.assert_run(EXIT_STEP)
        path = self.machine.path(self.machine.record() + "/journal")
        os.unlink(path)
        os.mkdir(path)
        self.assertNotIn(self.machine.run().code, (0, EXIT_STEP))

    def test_status_file_and_result(self):
        self.assert_run(EXIT_STEP)
        whole = self.machine.json(self.machine.record() + "/status.json")
        result = self.machine.json(self.machine.record() + "/result")
        self.assertEqual(whole["steps"][0]["output"], "text\n")
        self.assertEqual((result["status"], result["exit_code"]), ("failed", EXIT_STEP))

    def test_status_file_is_made_again(self):
        self.assert_run(EXIT_STEP)
        for name in ("status.json", "result"):
            self.machine.put(f"{self.machine.record()}/{name}", "{", 0o600)
        self.assertEqual(self.machine.status()["status"], "failed")
        self.assert_run(EXIT_STEP)
        self.assertEqual(self.machine.json(self.machine.record() + "/status.json")["status"],
                         "failed")


@needs_root
@needs_program("strace")
class Order(AgentTest):
    """What is on the disk before what, as the kernel saw it."""

    def calls(self):
        """The traced run's calls as (name, file below the state folder, the line)."""
        trace = os.path.join(self.work, "trace")
        self.machine.run(wrapper=strace("-f", "-y", "-s", "200", "-o", trace, "-e",
                                        f"trace={CHANGING_CALLS},execve"))
        state = self.machine.path(STATE)
        found = []
        with open(trace, encoding="utf-8") as lines:
            for line in lines:
                call = re.match(rf"\d+ +(\w+)\(([^<]*<{re.escape(state)}/?([^>]*)>)?", line)
                if call and (call[3] is not None or call[1] == "execve"):
                    found.append((call[1], call[3], line))
        return found

    def place(self, calls, name, file, text=""):
        places = [place for place, call in enumerate(calls)
                  if call[:2] == (name, file) and text in call[2]]
        self.assertTrue(places, f"no {name} of {file} {text}: " +
                        "".join(call[2] for call in calls))
        return places[0]

    def test_flushed_before_and_after_the_step(self):
        self.machine.seed(f"#!/bin/sh\necho x >>{self.mark}\n")
        calls = self.calls()
        record = "instances/i-1"
        journal = f"{record}/journal"
        begin = self.place(calls, "write", journal, r'{\"event\":\"begin\"')
        end = self.place(calls, "write", journal, r'{\"event\":\"end\"')
        flushes = [place for place, call in enumerate(calls)
                   if call[:2] == ("fdatasync", journal)]
        script = next(place for place, call in enumerate(calls)
                      if call[0] == "execve" and "/instances/i-1/" in call[2])
        self.assertTrue(any(begin < flush < script for flush in flushes), calls)
        self.assertTrue(any(end < flush for flush in flushes), calls)
        self.assertLess(script, end)
        for folder in (record, "instances", ""):
            self.assertLess(self.place(calls, "fsync", folder), script, folder)

    def test_user_data_before_anything_that_was_made_of_it(self):
        self.machine.seed(f"#!/bin/sh\necho x >>{self.mark}\n")
        calls = self.calls()
        saved = self.place(calls, "write", "instances/i-1/user-data")
        others = [place for place, call in enumerate(calls)
                  if call[0] in ("write", "renameat") and "instances/i-1/" in call[2]
                  and call[1] != "instances/i-1/user-data"]
        self.assertLess(saved, min(others))

    def test_once_is_flushed_too(self):
        self.machine.add_module("single", shell_module("single", said("changed"), keys=[],
                                                       frequency="once"))
        self.machine.seed()
        calls = self.calls()
        begin = self.place(calls, "write", "once", "begin")
        flush = self.place(calls, "fdatasync", "once")
        module = next(place for place, call in enumerate(calls)
                      if call[0] == "execve" and 'single", "run"' in call[2])
        self.assertTrue(begin < flush < module)


class Killed(AgentTest):
    """No step that was done is repeated, and none is lost, wherever the agent is killed."""

    def setUp(self):
        super().setUp()
        self.machine.own_modules("script")
        self.machine.add_module("again", shell_module("again", said("changed"), keys=[],
                                                      repeatable=True))

    def kill_and_go_on(self, instance, kill):
        """Kills a first run (which may have ended before), and looks at what the next one does."""
        self.machine.seed(f"#!/bin/sh\necho {instance} >>{self.mark}\n", instance)
        survived = kill()
        before = self.machine.events(instance) if self.machine.exists(
            self.machine.record(instance)) else []
        self.machine.reboot()
        outcome = self.machine.run()
        self.assertIn(outcome.code, (0, EXIT_STEP), outcome)
        self.assert_step("again", status="done")
        step = self.machine.step()
        if step["status"] == "done":
            self.assertEqual(self.marks().count(instance), 1)
            self.assertEqual(outcome.code, 0)
        else:
            self.assertEqual(step["status"], "cut off", (before, outcome))
            self.assertEqual(before[-1:], [("begin", "user-data", "running")], before)
        if ("end", "user-data", "done") in before:
            self.assertEqual((step["status"], step["this_run"]), ("done", False))
        return survived

    def assert_none_twice(self):
        time.sleep(0.1)  # for a script whose agent was killed
        marks = self.marks()
        self.assertEqual(len(marks), len(set(marks)), marks)

    def test_after_some_time(self):
        for delay in DELAYS_MS:
            def kill(delay=delay):
                process = self.start("run")
                time.sleep(delay / 1000)
                process.kill()
                process.wait()

            with self.subTest(milliseconds=delay):
                self.kill_and_go_on(f"i-{delay}", kill)
        self.assert_none_twice()

    @needs_root
    @needs_program("strace")
    def test_at_every_call_that_changes_something(self):
        for number in range(1, CALLS_MAX):
            def kill(number=number):
                return self.machine.run(wrapper=strace(
                    "-o", "/dev/null", "-e", f"trace={CHANGING_CALLS}", "-e",
                    f"inject={CHANGING_CALLS}:signal=KILL:when={number}")).code >= 0

            with self.subTest(call=number):
                if self.kill_and_go_on(f"i-{number}", kill):
                    break
        else:
            self.fail("it never came to its end")
        self.assertGreater(number, 20)
        self.assert_none_twice()

    def test_user_data_that_power_loss_cut_is_asked_for_again(self):
        """The first run ended before its first step; the bytes were not on the disk yet."""
        text = f"#!/bin/sh\n: {'x' * 5000}\necho whole >>{self.mark}\n"
        self.machine.seed(text)
        self.assert_run()
        os.unlink(self.mark)
        journal = self.machine.path(self.machine.record() + "/journal")
        with open(journal, "rb") as lines:
            kept = [line for line in lines if b'"step"' not in line]
        for rest in (b"", b"\0" * len(text), text[:4096].encode()):
            with self.subTest(len(rest)):
                with open(journal, "wb") as out:
                    out.writelines(kept)
                self.machine.put(self.machine.record() + "/user-data", rest, 0o600)
                self.machine.reboot()
                self.assert_run()
                self.assertEqual(self.marks(), ["whole"])
                os.unlink(self.mark)

    def test_status_says_that_the_agent_was_killed(self):
        self.machine.seed(f"#!/bin/sh\necho $$ >>{self.mark}\nexec sleep 30\n")
        process = self.start("run")
        self.addCleanup(kill_if_alive, int(self.wait_for_mark()[0]))
        self.assert_code(self.machine.agent("status"), EXIT_BUSY)
        process.kill()
        process.wait()
        outcome = self.machine.agent("status", "--format", "json")
        status = outcome.json()
        self.assertEqual((outcome.code, status["status"]), (EXIT_STEP, "failed"))
        self.assertIn("the agent ended without finishing the run",
                      [error["message"] for error in status["errors"]])

    def test_kill_leaves_no_lock(self):
        self.machine.seed(f"#!/bin/sh\necho $$ >>{self.mark}\nexec sleep 30\n")
        process = self.start("run")
        self.addCleanup(kill_if_alive, int(self.wait_for_mark()[0]))
        process.kill()
        process.wait()
        self.assert_run(EXIT_STEP)


class Lock(AgentTest):
    def setUp(self):
        super().setUp()
        self.machine.seed(f"#!/bin/sh\necho $$ >>{self.mark}\nexec sleep 30\n")
        self.process = self.start("run")
        self.addCleanup(lambda: kill_if_alive(int(self.marks()[0])))
        self.wait_for_mark()

    def test_second_run_is_refused_and_says_who_runs(self):
        outcome = self.assert_run(EXIT_BUSY)
        self.assertIn(f"another run is under way (process {self.process.pid})", outcome.err)
        self.assertLess(outcome.seconds, 5)

    def test_refusal_leaves_the_status_alone(self):
        before = self.machine.bytes(f"{RUN}/status.json")
        for options in ((), ("--rerun", "all"), ("--rerun", "no-such"), ("--early",), ("--boot",)):
            self.assert_run(EXIT_BUSY, *options)
        self.assertEqual(self.machine.bytes(f"{RUN}/status.json"), before)
        self.assertEqual(len(self.marks()), 1)

    def test_script_does_not_hold_it(self):
        os.kill(int(self.marks()[0]), signal.SIGKILL)
        self.assertEqual(self.process.wait(9), EXIT_STEP)
        self.assert_run(EXIT_STEP)


class Modes(AgentTest):
    def setUp(self):
        super().setUp()
        self.machine.own_modules("script")
        self.machine.add_module("single", shell_module("single", said("changed"), keys=[],
                                                       frequency="once"))
        self.machine.seed("#!/bin/sh\necho x\n", folder="var/lib/cloud/seed/nocloud")

    def assert_modes(self):
        state = self.machine.path(STATE)
        self.assertEqual(self.machine.mode(STATE), 0o700)
        files = 0
        for folder, folders, names in os.walk(state):
            for name in folders + names:
                info = os.lstat(os.path.join(folder, name))
                mode = stat.S_IMODE(info.st_mode)
                self.assertFalse(mode & 0o077, f"{folder}/{name} has {mode:o}")
                self.assertEqual(info.st_uid, os.geteuid())
                files += stat.S_ISREG(info.st_mode)
        self.assertGreaterEqual(files, 5)
        self.assertEqual(self.machine.mode(self.machine.record() + "/user-data"), 0o600)
        self.assertEqual(self.machine.mode(self.machine.record() + "/journal"), 0o600)
        self.assertEqual(self.machine.mode(RUN), 0o755)
        # What came from a seed is root's, as the seed may be.
        for name, mode in (("status.json", 0o644), ("metadata.json", 0o600), ("lock", 0o600)):
            self.assertEqual(self.machine.mode(f"{RUN}/{name}"), mode, name)
        self.assertEqual(sorted(os.listdir(self.machine.path(RUN))),
                         ["lock", "metadata.json", "status.json"])

    def test_with_the_usual_umask(self):
        self.assert_run(umask=0o022)
        self.assert_modes()

    def test_with_no_umask(self):
        self.assert_run(umask=0)
        self.assert_modes()

    def test_with_a_strict_umask(self):
        """A run by hand; everybody may still ask for the status."""
        self.assert_run(umask=0o077)
        self.assert_modes()

    def test_pristine_bytes(self):
        content = b"\xef\xbb\xbf\n\n#!/bin/sh\r\necho x\r\n"
        self.machine.seed(content, folder="var/lib/cloud/seed/nocloud")
        self.assert_run()
        self.assertEqual(self.machine.bytes(self.machine.record() + "/user-data"), content)

    def test_pristine_bytes_of_what_is_wrong(self):
        content = b"\x7fELF what is this\x00"
        self.machine.seed(content, folder="var/lib/cloud/seed/nocloud")
        self.assert_run(EXIT_INPUT)
        self.assertEqual(self.machine.bytes(self.machine.record() + "/user-data"), content)


class Identity(AgentTest):
    def instances(self):
        try:
            return sorted(name for name in os.listdir(self.machine.path(f"{STATE}/instances"))
                          if not name.startswith(":"))
        except FileNotFoundError:
            return []

    def test_ids_that_are_none_are_refused(self):
        for bad in ("../x", "..", ".", "", "x" * (ID_MAX + 1), "a\nb", "a/b", "a b", ".hidden",
                    "ü", "a:b", "$(id)", "a\0b"):
            with self.subTest(bad):
                self.machine.seed(f"#!/bin/sh\necho x >>{self.mark}\n", bad)
                outcome = self.assert_run(EXIT_INPUT)
                self.assertNotEqual(outcome.err, "")
                self.assertEqual((self.instances(), self.marks()), ([], []))
                self.assertEqual(sorted(os.listdir(self.machine.path("var/lib"))), ["bootlace"])

    def test_longest_id(self):
        longest = "i-" + "x" * (ID_MAX - 2)
        self.machine.seed("#!/bin/sh\n:\n", longest)
        self.assert_run()
        self.assertEqual(self.instances(), [longest])

    def test_seed_without_a_name_is_known_by_its_user_data(self):
        for text in ("one", "two", "one"):
            self.machine.seed(f"#!/bin/sh\necho {text} >>{self.mark}\n", None)
            self.assert_run()
        self.assertEqual(self.marks(), ["one", "two"])
        self.assertEqual(len(self.instances()), 2)

    def test_file_by_hand_is_a_record_of_its_own(self):
        self.machine.seed(f"#!/bin/sh\necho seed $INSTANCE_ID >>{self.mark}\n")
        self.assert_run()
        text = f"#!/bin/sh\necho hand $INSTANCE_ID >>{self.mark}\n".encode()
        path = self.machine.put("by-hand", text)
        for _ in range(2):
            self.assert_run(0, "--user-data", path)
        self.assert_run(0, "--user-data", "-", given=text)
        self.assert_run(0, "--user-data", self.machine.put("by-hand", text + b"#\n"))
        self.assertEqual(self.marks(), ["seed i-1", "hand i-1", "hand i-1"])
        self.assert_run()
        self.assertEqual(len(self.marks()), 3)

    def test_silent_source_in_the_same_boot(self):
        self.machine.seed(f"<script>echo $INSTANCE_ID >>{self.mark}</script>")
        self.assert_run()
        shutil.rmtree(self.machine.path(f"{STATE}/seed"))
        self.assert_run()
        status = self.machine.status()
        self.assertEqual((status["status"], status["instance_id"]), ("degraded", "i-1"))
        self.assertEqual(len(status["errors"]), 1)
        self.assertEqual(self.marks(), ["i-1"])

    def test_silent_source_on_the_same_machine(self):
        """By the hypervisor's word: what runs at every boot goes on from the record."""
        self.machine.put(UUID_FILE, f"{UUID}\n")
        self.machine.seed(f"<script>echo $INSTANCE_ID $BOOTLACE_HOSTNAME >>{self.mark}</script>"
                          "<persist>true</persist>", hostname="blue")
        self.assert_run()
        shutil.rmtree(self.machine.path(f"{STATE}/seed"))
        self.machine.put(UUID_FILE, f"{UUID.upper()}\n")
        self.machine.reboot()
        self.assert_run()
        self.assertEqual(self.machine.status()["status"], "degraded")
        self.assertEqual(self.marks(), ["i-1 blue"] * 2)

    def run_silently(self, before, after):
        """A launch, and a later boot, perhaps elsewhere, in which no source answers."""
        machine = Machine(os.path.join(self.work, f"{before}-{after}"))
        if before:
            machine.put(UUID_FILE, before)
        machine.seed(f"<script>echo x >>{self.mark}</script><persist>true</persist>")
        self.assertEqual(machine.run().code, 0)
        self.assertEqual(self.marks(), ["x"])
        os.unlink(self.mark)
        shutil.rmtree(machine.path(f"{STATE}/seed"))
        machine.reboot()
        if before:
            os.unlink(machine.path(UUID_FILE))
        if after:
            machine.put(UUID_FILE, after)
        outcome = machine.run()
        self.assertIn("the record of i-1 ", outcome.err)
        self.assertEqual(self.marks(), [])
        return machine, outcome

    def test_silent_source_on_another_machine(self):
        machine, outcome = self.run_silently(UUID, UUID.replace("4c", "4d"))
        self.assert_code(outcome, EXIT_SOURCE)
        self.assertEqual(machine.agent("status").code, EXIT_SOURCE)

    def test_silent_source_on_what_may_be_another_machine(self):
        for before, after in ((None, None), (UUID, None), (None, UUID)):
            with self.subTest(before=before, after=after):
                machine, outcome = self.run_silently(before, after)
                self.assert_code(outcome, 0)
                status = machine.status()
                self.assertEqual((status["status"], status["steps"]), ("degraded", []))
                self.assertEqual(len(status["errors"]), 1)

    def test_clone_with_a_new_id_is_a_new_instance(self):
        self.machine.put(UUID_FILE, UUID)
        self.machine.seed(f"#!/bin/sh\necho $INSTANCE_ID >>{self.mark}\n")
        self.assert_run()
        clone = Machine(os.path.join(self.work, "clone"))
        shutil.copytree(self.machine.path(STATE), clone.path(STATE))
        clone.seed(f"#!/bin/sh\necho $INSTANCE_ID >>{self.mark}\n", "i-2")
        self.assertEqual(clone.run().code, 0)
        self.assertEqual(self.marks(), ["i-1", "i-2"])


if __name__ == "__main__":
    unittest.main()
