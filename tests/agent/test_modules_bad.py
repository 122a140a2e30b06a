#!/usr/bin/python3
"""Modules that crash, hang, lie or cannot be trusted: each costs its own step, and no more."""

import json
import os
import shutil
import signal
import time
import unittest

from agent import (AgentTest, EXIT_STEP, Machine, OUTPUT_LOG, compile_module, is_alive,
                   is_sanitized, kill_if_alive, needs_program, needs_root, said, shell_module,
                   wait_until)


NOBODY = 65534
LIMIT_S = 1
GRACE_S = 10
REAPING_S = 4  # the first process of a test machine may be slow to notice what it inherits
LOG_MAX = 64 << 20


class Lying(AgentTest):
    """Results that contradict themselves; all in one run, so that each is seen to be alone."""

    RUNS = {
        "closed": "exec 3>&-",
        "boast": f"{said('changed')}; exit 3",
        "sulk": f"{said('failed', message='no reason')}; exit 0",
        "mute": said("failed") + "; exit 4",
        "silent": "exit 0",
        "silent-code": "exit 7",
        "perhaps": said("perhaps"),
        "late-change": f"{said('changed')}\n{said('failed', message='after all')}",
        "too-long": "printf '{\"status\":\"changed\",\"message\":\"%0300000d\"}\\n' 0 >&3",
        "killed": "kill -TERM $$",
        "killed-after": f"{said('changed')}; kill -TERM $$",
    }
    HONEST = {
        "twice": f"{said('failed', message='first')}\n{said('unchanged', message='last')}",
        "garbage": "printf '\\000\\377{]\\n[1]\\n\"x\"\\n7\\nnull\\n\\n' >&3; " + said("changed"),
        "half-line": "printf '{\"status\":\"changed\"}' >&3",
        "long-then-short": "printf '%0300000d\\n' 0 >&3; " + said("changed"),
        "stranger": "say '{\"colour\":\"blue\"}'; " + said("changed", colour="blue"),
    }

    @classmethod
    def setUpClass(cls):
        cls.machine = Machine(os.path.join(cls.make_folder(cls), "root"))
        for name, run in {**cls.RUNS, **cls.HONEST}.items():
            cls.machine.add_module(name, shell_module(name, run, keys=[]))
        cls.machine.seed()
        cls.outcome = cls.machine.run()
        cls.steps = {step["name"]: step for step in cls.machine.status()["steps"]}

    def setUp(self):
        pass

    def assert_one(self, name, status, exit_code, message):
        step = self.steps[name]
        self.assertEqual((step["status"], step["exit_code"]), (status, exit_code), step)
        self.assertIn(message, step["message"])

    def test_every_step_had_its_turn_and_the_run_failed(self):
        self.assert_code(self.outcome, EXIT_STEP)
        self.assertEqual(set(self.steps), set(self.RUNS) | set(self.HONEST))
        self.assertEqual({name for name, step in self.steps.items() if step["status"] == "failed"},
                         set(self.RUNS))

    def test_descriptor_closed(self):
        self.assert_one("closed", "failed", 0, "without a result line")

    def test_changed_with_an_exit_code(self):
        self.assert_one("boast", "failed", 3, 'said "changed" but ended with exit code 3')

    def test_failed_without_an_exit_code(self):
        self.assert_one("sulk", "failed", 0, "no reason")

    def test_failed_without_a_reason(self):
        self.assert_one("mute", "failed", 4, "did not say why")

    def test_no_result(self):
        self.assert_one("silent", "failed", 0, "without a result line")
        self.assert_one("silent-code", "failed", 7, "ended with exit code 7 and without a result")

    def test_status_that_is_none(self):
        self.assertEqual(self.steps["perhaps"]["status"], "failed")

    def test_last_result_counts(self):
        self.assert_one("late-change", "failed", 0, "after all")
        self.assert_one("twice", "done", 0, "last")
        self.assertFalse(self.steps["twice"]["changed"])

    def test_line_beyond_the_limit_is_none(self):
        self.assert_one("too-long", "failed", 0, "without a result line")
        self.assert_one("long-then-short", "done", 0, "")

    def test_garbage_is_passed_over(self):
        self.assert_one("garbage", "done", 0, "")
        self.assert_one("stranger", "done", 0, "")

    def test_last_line_needs_no_line_end(self):
        self.assert_one("half-line", "done", 0, "")

    def test_signal(self):
        self.assertEqual(self.steps["killed"]["signal"], signal.SIGTERM)
        self.assert_one("killed", "failed", None, "signal 15")
        self.assert_one("killed-after", "failed", None, "signal 15")


class Many(AgentTest):
    def test_items_have_a_limit(self):
        self.machine.add_module("many", shell_module("many", "\n".join([
            "seq 20000 | sed 's/.*/{\"item\":\"&\",\"status\":\"changed\"}/' >&3",
            said("changed")]), keys=[]))
        self.machine.seed()
        self.assert_run()
        step = self.machine.step("many")
        self.assertEqual(step["status"], "done")
        self.assertEqual(len(step["items"]), 10000)

    def test_items_have_a_limit_in_bytes(self):
        """Or the journal would grow beyond what the next run reads."""
        self.machine.add_module("many", shell_module("many", "\n".join([
            "x=$(head -c 100000 /dev/zero | tr '\\0' x)",
            "for i in $(seq 200); do echo \"{\\\"item\\\":\\\"$x\\\"}\" >&3; done",
            said("changed")]), keys=[]))
        self.machine.seed()
        self.assert_run()
        self.assertEqual(self.machine.step("many")["status"], "done")
        self.assertLess(len(self.machine.bytes(self.machine.record() + "/journal")), 4 << 20)


@needs_program("cc", "cmake", "pkg-config")
class Crashing(AgentTest):
    """tests/modules/crash.c"""

    @classmethod
    def setUpClass(cls):
        built = cls.make_folder(cls)
        cls.module = os.path.join(built, "crash.so")
        cls.at_loading = os.path.join(built, "at-loading.so")
        compile_module("crash.c", cls.module)
        compile_module("crash.c", cls.at_loading, "-DCRASH_AT_LOADING")

    def setUp(self):
        super().setUp()
        self.machine.add_module("zoe", shell_module("zoe", said("changed"), keys=[]))
        self.machine.seed()
        self.machine.config({"crash": "in run"})

    def add(self, module, manifest=True):
        path = self.machine.add_module("crash.so", module)
        if manifest:
            source = self.machine.add_module("describer.so", self.module)
            described = self.machine.agent("modules", "--describe", source)
            self.assert_code(described, 0)
            os.unlink(source)
            self.machine.add_module("crash.json", described.text, mode=0o644)
        return path

    def assert_crashed(self, output):
        self.assert_run(EXIT_STEP)
        step = self.assert_step("crash", status="failed", exit_code=None, signal=signal.SIGSEGV,
                                output=output)
        self.assertIn("signal 11", step["message"])
        self.assert_step("zoe", status="done")

    def test_in_run(self):
        self.add(self.module)
        self.assert_crashed("runs\n")

    def test_in_prepare_it_is_no_failure(self):
        self.machine.config({"crash": "in prepare"})
        self.add(self.module)
        self.assert_run()
        self.assert_step("crash", status="done", output="runs\n")

    def test_at_loading_with_a_manifest(self):
        self.add(self.at_loading)
        self.assert_crashed("")

    def test_at_loading_without_one_it_is_left_out(self):
        self.add(self.at_loading, manifest=False)
        outcome = self.assert_run()
        self.assertIn("module left out: crash.so", outcome.err)
        self.assertEqual([step["name"] for step in self.machine.status()["steps"]], ["zoe"])


class Hanging(AgentTest):
    def setUp(self):
        super().setUp()
        self.machine.seed()
        self.machine.settings(modules={"slow": {"time_limit": LIMIT_S}})

    def add_slow(self, machine, *run):
        machine.add_module("slow", shell_module("slow", "\n".join(run), keys=[]))
        machine.add_module("zoe", shell_module("zoe", said("changed"), keys=[]))

    def test_ended_with_all_that_it_started(self):
        self.add_slow(self.machine, "sleep 60 &", f"echo $! >>{self.mark}",
                      f"echo $$ >>{self.mark}", said("changed"), "wait")
        outcome = self.assert_run(EXIT_STEP)
        self.assertLess(outcome.seconds, LIMIT_S + REAPING_S)
        step = self.assert_step("slow", status="failed",
                                message="took longer than its limit of 1 s and was ended")
        self.assertGreaterEqual(step["duration_ms"], LIMIT_S * 1000)
        for pid in self.marks():
            self.assertFalse(is_alive(int(pid)), pid)
        self.assert_step("zoe", status="done")

    def test_one_that_prints_without_end(self):
        self.add_slow(self.machine, "yes 0123456789012345678901234567890123456789")
        began = time.monotonic()
        with open(os.devnull, "wb") as nowhere:
            process = self.start("run", stderr=nowhere)
            self.assertEqual(process.wait(), EXIT_STEP)
        self.assertLess(time.monotonic() - began,
                        LIMIT_S + REAPING_S * (4 if is_sanitized() else 1))
        self.assertLess(os.path.getsize(self.machine.path(OUTPUT_LOG)), 3 * LOG_MAX)
        step = self.machine.step("slow")
        self.assertLess(len(step["output"]), 8192)
        self.assertEqual(step["status"], "failed")

    def test_ignoring_the_signal_and_describing_without_end(self):
        """Both take their time: at the same time, on two machines."""
        self.add_slow(self.machine, "trap '' TERM", f"echo $$ >>{self.mark}",
                      "while :; do sleep 0.1; done")
        other = Machine(os.path.join(self.work, "other"))
        other.seed()
        self.add_slow(other, said("changed"))
        other.add_module("mute", f"#!/bin/sh\necho $$ >>{self.mark}\nexec sleep 60\n")
        began = time.monotonic()
        stubborn = self.start("run")
        mute = other.start("run")
        self.addCleanup(mute.communicate)
        self.addCleanup(mute.kill)
        mute_text = mute.communicate(timeout=3 * GRACE_S)[1].decode()
        self.assertEqual(stubborn.wait(timeout=3 * GRACE_S), EXIT_STEP)
        seconds = time.monotonic() - began
        self.assertGreater(seconds, LIMIT_S + GRACE_S - 0.1, "no grace")
        self.assertLess(seconds, LIMIT_S + GRACE_S + REAPING_S)
        self.assert_step("slow", status="failed", signal=signal.SIGKILL,
                         message="took longer than its limit of 1 s and was ended")
        self.assert_step("zoe", status="done")
        for pid in self.marks():
            self.assertFalse(is_alive(int(pid)), pid)
        self.assertEqual(mute.returncode, 0)
        self.assertRegex(mute_text, r"module left out: mute: it did not end within \d+ s")
        self.assertEqual([step["status"] for step in other.status()["steps"]], ["done", "done"])

    def test_limit_of_a_part_of_a_second_is_a_limit(self):
        self.machine.settings(modules={"slow": {"time_limit": 0.5}})
        self.add_slow(self.machine, f"echo $$ >>{self.mark}", "exec sleep 5")
        process = self.start("run")
        self.assertTrue(wait_until(lambda: process.poll() is not None, 3), "there was no limit")
        self.assert_step("slow", status="failed")

    def test_what_it_leaves_behind_is_no_hang(self):
        self.add_slow(self.machine, "sleep 30 &", f"echo $! >>{self.mark}", said("changed"))
        outcome = self.assert_run()
        pid = int(self.marks()[0])
        self.addCleanup(kill_if_alive, pid)
        self.assertLess(outcome.seconds, LIMIT_S)
        self.assertTrue(is_alive(pid))


class Untrusted(AgentTest):
    """Files in the modules folder that others could have written, or that make no sense."""

    def setUp(self):
        super().setUp()
        self.machine.seed()
        self.machine.own_modules("script")
        self.add("good")

    def add(self, file, mode=0o755, **description):
        return self.machine.add_module(file, shell_module(
            file, f"echo {file} >>{self.mark}\n{said('changed')}",
            **{"keys": [], **description}), mode)

    def assert_left_out(self, name, reason):
        """The module is not run, it is said why, and the others run."""
        outcome = self.assert_run()
        self.assertRegex(outcome.err, f"module left out: {name}:.*{reason}")
        self.assertEqual(self.marks(), ["good"])
        listed = self.machine.agent("modules", "--format", "json").json()
        self.assertEqual([problem["part"] for problem in listed["problems"]], [name])
        self.assertEqual({module["name"] for module in listed["modules"]}, {"good", "script"})

    def test_writable_by_its_group(self):
        self.add("bad", mode=0o775)
        self.assert_left_out("bad", "others than its owner can write it")

    def test_writable_by_all(self):
        self.add("bad", mode=0o757)
        self.assert_left_out("bad", "others than its owner can write it")

    @needs_root
    def test_owned_by_another(self):
        os.chown(self.add("bad"), NOBODY, NOBODY)
        self.assert_left_out("bad", f"owned by user {NOBODY}")

    def test_shared_object_writable_by_all(self):
        shutil.copy(os.path.join(self.machine.library, "modules", "script.so"),
                    self.machine.path("bad.so"))
        self.machine.add_module("bad.so", self.machine.path("bad.so"), mode=0o666)
        self.assert_left_out("bad.so", "others than its owner can write it")

    def test_manifest_writable_by_all(self):
        """It says what the module owns and when it runs: it is as good as the module."""
        modules = os.path.join(self.machine.library, "modules")
        for end in (".so", ".json"):
            shutil.copy(os.path.join(modules, "script" + end), os.path.join(modules, "bad" + end))
        os.chmod(os.path.join(modules, "bad.json"), 0o666)
        self.assert_left_out("bad.so", "others than its owner can write it")

    def test_folder(self):
        os.mkdir(os.path.join(self.machine.library, "modules", "bad"))
        self.assert_left_out("bad", "no regular file")

    def test_pipe(self):
        os.mkfifo(os.path.join(self.machine.library, "modules", "bad"), 0o755)
        self.assert_left_out("bad", "no regular file")

    def test_description_that_is_no_json(self):
        self.machine.add_module("bad", "#!/bin/sh\necho '{\"name\":'\n")
        self.assert_left_out("bad", "not valid JSON")

    def test_description_that_fails(self):
        self.machine.add_module("bad", "#!/bin/sh\necho 'no python here' >&2\nexit 4\n")
        self.assert_left_out("bad", "exit code 4.*no python here")

    def test_description_that_crashes(self):
        self.machine.add_module("bad", "#!/bin/sh\nkill -SEGV $$\n")
        self.assert_left_out("bad", "139|signal 11")

    def test_description_without_end(self):
        self.machine.add_module("bad", "#!/bin/sh\nexec yes '[1,'\n")
        self.assert_left_out("bad", "printed more than")

    def test_descriptions_that_are_none(self):
        for description, reason in (
                ({"name": "Bad"}, '"name" is not'), ({"name": "../bad"}, '"name" is not'),
                ({"name": "a" * 65}, '"name" is not'), ({"interface": 2}, "it speaks interface 2"),
                ({"keys": "bad"}, '"keys" is not a list'), ({"types": [1]}, '"types" has an item'),
                ({"frequency": "hourly"}, '"frequency" is not one of'),
                ({"stage": "late"}, '"stage" is not one of'), ({"order": 1001}, '"order" is not'),
                ({"time_limit": -1}, '"time_limit" is not'), ({"schema": 1}, '"schema" is no')):
            with self.subTest(**description):
                self.add("bad", **description)
                plan = self.machine.agent("plan")
                self.assert_code(plan, 0)
                self.assertIn(f"module left out: bad: {reason}", plan.err)

    def test_schemas_that_are_none(self):
        """Only the module is left out: settings of others are checked and done."""
        self.machine.seed("#cloud-config\ngood: 1\nbad: 2\n")
        self.add("good", keys=["good"],
                 schema={"type": "object", "properties": {"good": {"type": "integer"}}})
        for schema, reason in (
                ({"properties": {"bad": {"format": "email"}}}, "#/properties/bad: format "),
                ({"properties": {"bad": {"$ref": "#/$defs/x"}}}, "at #: a .ref leads to a name"),
                ({"type": "array"}, "it describes no object"),
                ({"required": ["bad"]}, "required cannot stand at the top"),
                ({"properties": {"bad": True, "good": {"type": "string"}}},
                 "its schema describes good, which is no key of it")):
            with self.subTest(reason):
                self.add("bad", keys=["bad"], schema=schema)
                outcome = self.assert_run()
                self.assertRegex(outcome.err, f"module left out: bad: .*{reason}")
                self.assertEqual(outcome.err.count("module left out"), 1)
                self.assert_step("good", status="done")
                self.assertEqual(len(self.machine.status()["steps"]), 1)
                [left_out, unknown] = self.machine.status()["warnings"]
                self.assertEqual(left_out["where"], "module left out: bad")
                self.assertIn("bad is no key that is known here", unknown["message"])
                listed = self.machine.agent("modules", "--format", "json").json()
                self.assertEqual([problem["part"] for problem in listed["problems"]], ["bad"])
                document = self.machine.agent("schema").json()
                self.assertEqual({"bad", "good"} & set(document["properties"]), {"good"})

    def test_steps_that_were_done_before_stay_who_they_are(self):
        """Schemas are looked at behind the stage "instance"."""
        self.machine.seed("#cloud-config\ngood: 1\n")
        self.add("good", keys=["good"])
        self.add("zoe", stage="instance")
        self.add("bad", keys=["bad"], schema={"properties": {"bad": {"format": "email"}}})
        self.assert_run()
        self.assertEqual(self.marks(), ["zoe", "good"])
        self.assertEqual([(step["name"], step["module"], step["status"])
                          for step in self.machine.status()["steps"]],
                         [("zoe", "zoe", "done"), ("good", "good", "done")])

    def test_a_schema_of_the_core_s_own_key(self):
        self.add("bad", keys=["output"], schema={"properties": {"output": True}})
        self.machine.seed("#cloud-config\noutput: {all: '>> /var/log/more.log'}\n")
        outcome = self.assert_run()
        self.assertIn("output is described by another module, too", outcome.err)

    def test_broken_manifest(self):
        modules = os.path.join(self.machine.library, "modules")
        shutil.copy(os.path.join(modules, "script.so"), os.path.join(modules, "bad.so"))
        with open(os.path.join(modules, "bad.json"), "w", encoding="utf-8") as manifest:
            manifest.write('{"interface":1,\n"name":bad}')
        self.assert_left_out("bad.so", "not valid JSON")

    def test_manifest_that_names_another(self):
        modules = os.path.join(self.machine.library, "modules")
        for end in (".so", ".json"):
            os.rename(os.path.join(modules, "script" + end), os.path.join(modules, "liar" + end))
        with open(os.path.join(modules, "liar.json"), encoding="utf-8") as manifest:
            described = json.load(manifest)
        with open(os.path.join(modules, "liar.json"), "w", encoding="utf-8") as manifest:
            json.dump({**described, "name": "liar"}, manifest)
        self.machine.seed("#!/bin/sh\n:\n")
        self.assert_run(EXIT_STEP)
        step = self.assert_step(status="failed", module="liar")
        self.assertIn("calls itself script, its manifest says liar", step["message"])

    def test_two_of_one_name(self):
        self.add("bad", name="good")
        outcome = self.assert_run()
        self.assertIn("another module is called good, too", outcome.err)
        self.assertEqual(len(self.marks()), 1)

    def test_file_that_is_no_program_is_none(self):
        self.machine.add_module("README", "Modules belong here.\n", mode=0o644)
        outcome = self.assert_run()
        self.assertNotIn("README", outcome.err)

    def test_gone_between_planning_and_running(self):
        self.machine.add_module("a", shell_module(
            "a", f"rm {self.machine.library}/modules/good\n{said('changed')}", keys=[], order=1))
        self.assert_run(EXIT_STEP)
        self.assert_step("a", status="done")
        self.assert_step("good", status="failed")


if __name__ == "__main__":
    unittest.main()
