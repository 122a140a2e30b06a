#!/usr/bin/python3
"""Modules that behave: in the shell, from outside of the tree, old and new ones, and their order.

The interface is include/bootlace/module.h for shared objects, and standard input and descriptor 3
for executables.
"""

import json
import os
import shutil
import unittest

from agent import (AgentTest, EXIT_STEP, EXIT_USAGE, LOG, OUTPUT_LOG, RUN, STATE, TEST_MODULES,
                   compile_module, needs_program, said, shell_module,
                   wait_until)

HELLO = os.path.join(TEST_MODULES, "hello.sh")
REPORT = os.path.join(TEST_MODULES, "report.py")
SECRET = "correct-horse-battery"


class Shell(AgentTest):
    """tests/modules/hello.sh, an executable module in another language."""

    def setUp(self):
        super().setUp()
        self.greeting = os.path.join(self.work, "greeting")
        self.machine.add_module("hello.sh", HELLO)
        self.machine.config({"hello_file": self.greeting, "hello_text": "Welcome"})
        self.machine.seed(hostname="blue")

    def read_greeting(self):
        with open(self.greeting, encoding="utf-8") as text:
            return text.read()

    def test_listed_as_it_describes_itself(self):
        listed = self.machine.agent("modules", "hello", "--format", "json").json()
        self.assertEqual(listed["version"], "1.0")
        self.assertEqual(listed["keys"], ["hello_file", "hello_text"])
        self.assertIn("hello ", self.machine.agent("modules").text)

    def test_runs_with_items_result_and_log(self):
        self.assert_run()
        self.assertEqual(self.read_greeting(), "Welcome, this is blue\n")
        self.assert_step("hello", status="done", changed=True, message="greets", exit_code=0,
                         items=[{"item": self.greeting, "status": "changed"}],
                         output=f"writes {self.greeting}\n")
        self.assertIn(f"hello: writes {self.greeting}", self.machine.output_lines())

    def test_prepares_before_it_runs(self):
        self.assert_run()
        self.assertEqual(self.machine.output_lines(),
                         ["hello: prepares the greeting of blue",
                          f"hello: writes {self.greeting}"])

    def test_second_run_finds_nothing_to_do(self):
        self.assert_run()
        self.assert_run(0, "--rerun", "hello")
        self.assert_step("hello", status="done", changed=False, message="the greeting is there")

    def test_once_done_it_is_skipped(self):
        self.assert_run()
        os.unlink(self.greeting)
        self.assert_run()
        self.assertFalse(os.path.exists(self.greeting))

    def test_repeatable_one_that_failed_is_tried_again(self):
        os.mkdir(self.greeting)
        self.assert_run(1)
        self.assert_step("hello", status="failed")
        os.rmdir(self.greeting)
        self.assert_run()
        self.assertEqual(self.read_greeting(), "Welcome, this is blue\n")

    def test_dry_run_is_told_to_it(self):
        outcome = self.assert_run(0, "--dry-run")
        self.assertIn(f"would write {self.greeting}", outcome.err)
        self.assertFalse(os.path.exists(self.greeting))

    def test_progress_is_seen_while_it_runs(self):
        self.machine.add_module("steps", shell_module("steps", "\n".join([
            """say '{"progress":0.4,"message":"halfway"}'""",
            f"while [ ! -e {self.mark} ]; do sleep 0.02; done", said("changed")])))
        self.machine.config({"steps": True})
        process = self.start("run")

        def progress():
            steps = self.machine.status()["steps"]
            return any(step["message"] == "40 %: halfway" for step in steps)

        self.assertTrue(wait_until(progress), self.machine.status())
        self.assertEqual(self.machine.step("steps")["status"], "running")
        with open(self.mark, "w", encoding="utf-8"):
            pass
        self.assertEqual(process.wait(), 0)


class Given(AgentTest):
    """What an executable module gets: input, arguments, environment, descriptors."""

    def setUp(self):
        super().setUp()
        self.out = os.path.join(self.work, "report")
        self.machine.add_module("report.py", REPORT)
        self.metadata = {"instance-id": "i-1", "placement/region": "eu-north-1",
                         "iam/secret": SECRET}
        self.seed()

    def seed(self, user_data=None):
        self.machine.seed(user_data, placement={"region": "eu-north-1"}, iam={"secret": SECRET})

    def reports(self):
        with open(self.out, encoding="utf-8") as lines:
            return {report["call"]: report for report in map(json.loads, lines)}

    def test_settings_as_json_text(self):
        settings = {"report": self.out, "report_more": {"a": [1, 2.5, None, True, "ü"]}}
        self.machine.config(settings)
        self.assert_run()
        expected = {"settings": settings, "stage": "main", "dry_run": False, "root": "/",
                    "metadata": self.metadata}
        reports = self.reports()
        self.assertEqual(reports["run"]["input"], expected)
        self.assertEqual(reports["prepare"]["input"], {**expected, "before": []})

    def test_settings_in_a_dry_run(self):
        self.machine.config({"report": self.out})
        self.assert_run(0, "--dry-run")
        given = self.reports()["run"]["input"]
        self.assertEqual((given["dry_run"], given["root"]), (True, "/"))

    def test_item_that_is_not_there_is_null(self):
        self.machine.seed()
        self.machine.config({"report": self.out})
        self.assert_run()
        self.assertEqual(self.reports()["run"]["input"]["metadata"],
                         {"instance-id": "i-1", "placement/region": None})

    def test_part_as_a_file(self):
        content = "hello\n"
        self.machine.variables = {"REPORT_TYPES": "text/x-report",
                                  "REPORT_FILE": self.out}
        self.seed("MIME-Version: 1.0\nContent-Type: text/x-report\n\n" + content)
        self.assert_run()
        report = self.reports()["run"]
        part = report["input"].pop("part")
        self.assertEqual(report["input"],
                         {"stage": "main", "dry_run": False, "root": "/",
                          "metadata": self.metadata})
        self.assertEqual(set(part), {"type", "name", "file", "detach"})
        self.assertEqual((part["type"], part["name"], part["detach"]),
                         ("text/x-report", "user-data", False))
        self.assertEqual((report["content"], report["mode"]), (content, 0o700))
        folder = os.path.dirname(part["file"])
        self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)

    def test_only_the_descriptors_0_to_3(self):
        self.machine.config({"report": self.out})
        self.assert_run()
        for call, report in self.reports().items():
            self.assertEqual(report["descriptors"], [0, 1, 2, 3], call)

    def test_arguments_group_and_folder(self):
        self.machine.config({"report": self.out})
        self.assert_run()
        path = os.path.join(self.machine.library, "modules", "report.py")
        report = self.reports()["run"]
        self.assertEqual(report["arguments"], [path, "run"])
        self.assertEqual(report["folder"], "/")
        self.assertTrue(report["leads_group"])

    def test_environment_is_the_agents_with_the_instance(self):
        self.machine.config({"report": self.out})
        self.assert_run(variables={"JOURNAL_STREAM": "8:1", "NOTIFY_SOCKET": "/n",
                                   "INVOCATION_ID": "x", "KEPT": "yes"})
        given = self.reports()["run"]["environment"]
        self.assertEqual(given["KEPT"], "yes")
        self.assertEqual(given["INSTANCE_ID"], "i-1")
        self.assertEqual(given["BOOTLACE_REGION"], "eu-north-1")
        self.assertFalse({"JOURNAL_STREAM", "NOTIFY_SOCKET", "INVOCATION_ID"} & set(given))

    def test_secrets_are_in_no_argument_and_no_variable(self):
        self.machine.config({"report": self.out, "report_more": {"password": SECRET}})
        self.assert_run()
        for call, report in self.reports().items():
            self.assertIn(SECRET, json.dumps(report["input"]), call)
            self.assertNotIn(SECRET, json.dumps([report["arguments"], report["environment"]]))

    def test_secrets_are_in_nothing_that_everybody_may_read(self):
        self.machine.config({"report": self.out, "report_more": {"password": SECRET}})
        self.assert_run()
        for name in (f"{RUN}/status.json", f"{RUN}/metadata.json", LOG, OUTPUT_LOG):
            self.assertTrue(self.machine.exists(name), name)
            self.assertNotIn(SECRET, self.machine.text(name), name)


@needs_program("cc", "cmake", "pkg-config")
class Outside(AgentTest):
    """tests/modules/outside.c, built against the installed header alone."""

    @classmethod
    def setUpClass(cls):
        cls.built = AgentTest.make_folder(cls)
        cls.module = os.path.join(cls.built, "outside.so")
        cls.asked = os.path.join(cls.built, "asked")
        compile_module("outside.c", cls.module)
        compile_module("outside.c", os.path.join(cls.built, "counted.so"),
                       f'-DOUTSIDE_ASKED="{cls.asked}"')

    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.work, "given")
        os.mkdir(self.folder)
        self.machine.seed(placement={"region": "eu-north-1"}, tags={"instance": {"role": "web"}})
        self.machine.config({"outside": self.folder})
        self.addCleanup(lambda: os.path.exists(self.asked) and os.unlink(self.asked))

    def loadings(self):
        return os.path.getsize(self.asked) if os.path.exists(self.asked) else 0

    def test_uses_all_that_the_host_lends(self):
        self.machine.add_module("outside.so", self.module)
        self.machine.config({"outside": self.folder, "outside_slow": True})
        self.assert_run()
        lines = self.machine.output_lines()
        for line in ("prepares", "descriptors: 0 1 2 3 4", "placement/region: eu-north-1",
                     "tags/instance/role: web", "no/such/item: (none)",
                     f"read: 0 variable input {self.folder}", "change: 0", "missing: ENOENT",
                     "slow: timed out 1, signal 15"):
            self.assertIn(f"outside: {line}", lines)
        self.assertTrue(os.path.exists(os.path.join(self.folder, "a file")))
        made = os.path.join(self.folder, "made", "file")
        with open(made, encoding="utf-8") as content:
            self.assertEqual(content.read(), "from outside\n")
        self.assertEqual(os.stat(made).st_mode & 0o7777, 0o640)
        self.assertEqual(os.stat(os.path.dirname(made)).st_mode & 0o7777, 0o755)
        self.assert_step("outside", status="done", changed=True, message="1 of 1 changed",
                         items=[{"item": made, "status": "changed"}])

    def test_file_that_is_so_already_is_no_change(self):
        self.machine.add_module("outside.so", self.module)
        self.assert_run()
        self.assert_run(0, "--rerun", "outside")
        self.assert_step("outside", status="done", changed=False, message="0 of 1 changed")

    def test_dry_run_reads_and_only_shows_changes(self):
        self.machine.add_module("outside.so", self.module)
        outcome = self.assert_run(0, "--dry-run")
        self.assertIn(f"read: 0 variable input {self.folder}", outcome.err)
        self.assertIn("would run: touch 'a file'", outcome.err)
        self.assertIn(f"would write {self.folder}/made/file", outcome.err)
        self.assertEqual(os.listdir(self.folder), [])

    def test_link_out_of_the_way_is_replaced_not_followed(self):
        self.machine.add_module("outside.so", self.module)
        target = os.path.join(self.work, "target")
        os.mkdir(os.path.join(self.folder, "made"))
        os.symlink(target, os.path.join(self.folder, "made", "file"))
        self.assert_run()
        self.assertFalse(os.path.exists(target))
        self.assertFalse(os.path.islink(os.path.join(self.folder, "made", "file")))

    def test_without_a_manifest_it_is_asked_once(self):
        self.machine.add_module("outside.so", os.path.join(self.built, "counted.so"))
        os.makedirs(self.machine.path(STATE), mode=0o700, exist_ok=True)
        self.machine.config({})
        self.assert_run()
        self.assertEqual(self.loadings(), 1)
        self.assert_run()
        self.assertEqual(self.loadings(), 1)

    def test_remembered_from_the_first_run_on(self):
        """Where nothing of the agent's state was there before."""
        self.machine.seed(folder="var/lib/cloud/seed/nocloud")
        shutil.rmtree(self.machine.path(STATE))
        self.machine.add_module("outside.so", os.path.join(self.built, "counted.so"))
        self.machine.config({})
        self.assert_run()
        self.assert_run()
        self.assertEqual(self.loadings(), 1)

    def test_changed_file_is_asked_again(self):
        path = self.machine.add_module("outside.so", os.path.join(self.built, "counted.so"))
        self.machine.config({})
        self.assert_run()
        os.utime(path, (1, 1))
        self.assert_run()
        self.assertEqual(self.loadings(), 2)

    def test_with_a_manifest_it_is_not_loaded_for_listing(self):
        path = self.machine.add_module("outside.so", os.path.join(self.built, "counted.so"))
        described = self.machine.agent("modules", "--describe", path)
        self.assert_code(described, 0)
        self.machine.add_module("outside.json", described.text, mode=0o644)
        before = self.loadings()
        listed = self.machine.agent("modules", "outside", "--format", "json").json()
        self.assertEqual(listed["summary"], "a module from outside of the tree")
        self.assert_code(self.machine.agent("plan"), 0)
        self.assertEqual(self.loadings(), before)
        self.assert_run()
        self.assert_step("outside", status="done")

    def test_a_schema_in_a_file_of_its_own(self):
        path = self.machine.add_module("outside.so", self.module)
        described = self.machine.agent("modules", "--describe", path).json()
        schema = described.pop("schema")
        self.machine.add_module("outside.json", json.dumps({**described, "schema": True}),
                                mode=0o644)
        self.machine.add_module("outside.schema.json", json.dumps(schema), mode=0o644)
        wrong = self.machine.put("wrong", "#cloud-config\noutside: [a]\n")
        refused = self.machine.agent("validate", wrong)
        self.assert_code(refused, 3)
        self.assertIn("wrong: error: user-data:2:10: outside must be a text", refused.text)
        self.assert_run()
        self.assert_step("outside", status="done")

        with self.subTest("which everybody could change"):
            file = self.machine.add_module("outside.schema.json", json.dumps(schema), mode=0o666)
            self.assertIn("module left out: outside: others than its owner can write it",
                          self.machine.agent("validate", wrong).err)
        with self.subTest("which is not there, and not needed"):
            os.remove(file)
            right = self.machine.put("right", "#cloud-config\ntimezone: UTC\n")
            self.assertEqual(self.machine.agent("validate", right).err, "")
            self.assertIn("module left out: outside: its schema is not beside it",
                          self.machine.agent("validate", wrong).err)

    def test_manifest_of_a_module_in_a_package_that_is_not_installed(self):
        described = self.machine.agent("modules", "--describe",
                                       os.path.join(self.built, "counted.so")).json()
        self.machine.add_module("outside.json", json.dumps(
            {**described, "package": "bootlace-outside"}), mode=0o644)
        before = self.loadings()
        self.machine.config({"outside": "x"})
        refused = self.assert_run(3)
        self.assertIn("outside needs the module outside, which is not installed; install the "
                      "package bootlace-outside", refused.err)
        self.assertIn("not installed  a module from outside of the tree (package bootlace-outside)",
                      self.machine.agent("modules").text)
        self.machine.config({})
        self.assert_run()
        self.assertEqual(self.loadings(), before)

    def test_manifest_says_what_the_struct_says(self):
        path = self.machine.add_module("outside.so", self.module)
        described = self.machine.agent("modules", "--describe", path).json()
        self.assertEqual(described, {
            "interface": 1, "name": "outside", "version": "1",
            "summary": "a module from outside of the tree", "keys": ["outside", "outside_slow"],
            "types": [],
            "metadata": ["placement/region"], "frequency": "per-instance", "stage": "main",
            "order": 400, "repeatable": True, "bakeable": False, "no_limit": False,
            "essential": False, "also_early": False, "tree_state": False,
            "by_item": False,
            "time_limit": 0, "prepare": True, "stop": False, "forget": False,
            "schema": {"type": "object", "properties": {"outside": {"type": "string"}}}})

    def test_described_by_a_name_in_its_own_folder(self):
        described = self.machine.agent("modules", "--describe", "outside.so", cwd=self.built)
        self.assert_code(described, 0)
        self.assertEqual(described.json()["name"], "outside")


@needs_program("cc")
class Interface(AgentTest):
    """tests/modules/first.c, with the struct as it was at first, and others beside it."""

    def add(self, name, *flags):
        out = os.path.join(self.work, f"{name}.so")
        compile_module("first.c", out, f'-DFIRST_NAME="{name}"', *flags, header=False)
        self.machine.add_module(f"{name}.so", out)

    def setUp(self):
        super().setUp()
        self.machine.seed()
        self.machine.config({"first": 1, "larger": 1})

    def test_first_struct_and_a_larger_one_are_accepted(self):
        self.add("first")
        self.add("larger", "-DFIRST_LARGER")
        self.assert_run()
        for name in ("first", "larger"):
            self.assert_step(name, status="done", message="ran as interface 1")

    def test_struct_without_run_is_refused(self):
        self.add("first", "-DFIRST_SMALLER")
        self.assertEqual(self.problems(), ["first.so"])

    def test_other_interface_is_refused_and_says_both_numbers(self):
        self.add("first", "-DFIRST_INTERFACE=2")
        self.machine.add_module("larger", shell_module("larger", said("changed"), interface=7))
        problems = self.machine.agent("modules", "--format", "json").json()["problems"]
        messages = {problem["part"]: problem["message"] for problem in problems}
        self.assertRegex(messages["first.so"], "interface 2, this agent speaks 1")
        self.assertRegex(messages["larger"], "interface 7, this agent speaks 1")

    def test_other_interface_behind_a_manifest_that_says_ours(self):
        self.add("first", "-DFIRST_INTERFACE=2")
        self.machine.add_module("first.json", json.dumps(
            {"interface": 1, "name": "first", "keys": ["first"]}), mode=0o644)
        self.assert_run(EXIT_STEP)
        step = self.assert_step("first", status="failed")
        self.assertIn("speaks interface 2, this agent speaks 1", step["message"])

    def problems(self):
        found = self.machine.agent("modules", "--format", "json").json()
        self.assertEqual(found["modules"], [])
        return [problem["part"] for problem in found["problems"]]


class Order(AgentTest):
    """Prepares at once, runs in order."""

    def add(self, name, prepare=None, run=said("changed"), **description):
        stamp = f"echo {{}} $(date +%s.%N) >>{self.mark}"
        full = None
        if prepare is not None:
            full = "\n".join([stamp.format(f"{name}-prepare-begin"), prepare,
                              stamp.format(f"{name}-prepare-end")])
        self.machine.add_module(name, shell_module(
            name, "\n".join([stamp.format(f"{name}-run"), run]), full, keys=[], **description))

    def times(self):
        return {line.split()[0]: float(line.split()[1]) for line in self.marks()}

    def setUp(self):
        super().setUp()
        self.machine.seed()
        self.machine.own_modules()

    def test_prepares_overlap_and_runs_keep_their_order(self):
        for place, name in enumerate(("third", "second", "first")):
            self.add(name, "sleep 0.4", order=30 - place)
        self.assert_run()
        times = self.times()
        begins = [times[f"{name}-prepare-begin"] for name in ("first", "second", "third")]
        ends = [times[f"{name}-prepare-end"] for name in ("first", "second", "third")]
        self.assertLess(max(begins), min(ends))
        self.assertLess(max(ends[0], times["first-run"]), times["second-run"])
        self.assertLess(times["second-run"], times["third-run"])

    def test_run_waits_for_its_own_prepare_alone(self):
        self.add("first", "sleep 0.05", order=1)
        self.add("second", "sleep 0.6", order=2)
        self.assert_run()
        times = self.times()
        self.assertLess(times["first-run"], times["second-prepare-end"])
        self.assertLess(times["second-prepare-end"], times["second-run"])

    def test_a_prepare_knows_what_comes_before(self):
        given = os.path.join(self.work, "given")
        self.add("first", order=1)
        self.add("second", f"cat >{given}", order=2)
        self.add("third", order=3)
        self.assert_run()
        with open(given, encoding="utf-8") as text:
            self.assertEqual(json.load(text)["before"], ["first"])

    def test_more_prepares_than_there_are_places(self):
        names = [f"m{number:02}" for number in range(20)]
        for name in names:
            self.add(name, ":")
        self.assert_run()
        order = [line.split()[0] for line in self.marks()]
        self.assertEqual([mark for mark in order if mark.endswith("-run")],
                         [f"{name}-run" for name in names])
        for name in names:
            self.assertLess(order.index(f"{name}-prepare-end"), order.index(f"{name}-run"))

    def test_prepare_that_fails_is_no_failure(self):
        self.add("first", "exit 3")
        self.add("second", "kill -KILL $$")
        self.assert_run()
        self.assert_step("first", status="done")
        self.assert_step("second", status="done")

    def test_prepare_of_a_step_that_is_done_does_not_run(self):
        self.add("first", ":")
        self.assert_run()
        before = self.marks()
        self.assert_run()
        self.assertEqual(self.marks(), before)

    def test_equal_places_go_by_name(self):
        for name in ("b", "c", "a"):
            self.add(name)
        self.assert_run()
        self.assertEqual([line.split()[0] for line in self.marks()], ["a-run", "b-run", "c-run"])

    def test_parts_stand_where_their_module_does(self):
        self.machine.own_modules("script")
        self.machine.seed(f"#!/bin/sh\necho user-data 0 >>{self.mark}\n")
        self.add("before", order=899)
        self.add("behind", order=901)
        self.assert_run()
        self.assertEqual([line.split()[0] for line in self.marks()],
                         ["before-run", "user-data", "behind-run"])

    def test_failure_of_one_is_its_own(self):
        self.add("a", run=said("failed", message="no luck"))
        self.add("b")
        self.assert_run(1)
        self.assert_step("a", status="failed", message="no luck")
        self.assert_step("b", status="done")

    def test_per_boot_and_once(self):
        self.add("always", frequency="per-boot")
        self.add("single", frequency="once")
        self.add("usual")
        self.assert_run()
        self.machine.reboot()
        self.assert_run()
        self.machine.seed(instance_id="i-2")
        self.machine.reboot()
        self.assert_run()
        ran = sorted(line.split()[0] for line in self.marks())
        self.assertEqual(ran, ["always-run"] * 3 + ["single-run"] + ["usual-run"] * 2)

    def test_plan_for_a_new_instance_knows_what_was_done_once(self):
        self.add("single", frequency="once")
        self.assert_run()
        self.machine.seed(instance_id="i-2")
        plan = self.machine.agent("plan", "--format", "json").json()
        self.assertEqual([step["action"] for step in plan["steps"]], ["skip"])

    def test_early_stage_runs_its_own_modules_alone(self):
        self.add("early", stage="early")
        self.add("usual")
        self.assert_run(0, "--early")
        self.assertEqual([line.split()[0] for line in self.marks()], ["early-run"])
        self.assert_run()
        self.assertEqual([line.split()[0] for line in self.marks()], ["early-run", "usual-run"])
        self.assertEqual([step["name"] for step in self.machine.status()["steps"]],
                         ["early", "usual"])

    def test_early_stage_needs_no_source(self):
        shutil.rmtree(self.machine.path(f"{STATE}/seed"))
        self.add("early", stage="early")
        self.assert_run(0, "--early")
        self.assertEqual(len(self.marks()), 1)

    def test_early_plan_names_the_keys_and_no_values(self):
        """No schema was held against them, so that which are secret is not known."""
        self.machine.config({"early": {"password": "hunter2"}})
        self.machine.add_module("early", shell_module("early", said("changed"), stage="early"))
        for words in (("plan", "--early"), ("run", "--early", "--dry-run")):
            shown = self.machine.agent(*words)
            self.assert_code(shown, 0)
            self.assertRegex(shown.text, "(?m)^run   early .*\n +early$")
            self.assertNotIn("hunter2", shown.text + shown.err)

    def test_early_failure_shows_in_the_status_of_the_whole(self):
        self.add("early", stage="early", run=said("failed", message="no"))
        self.assert_run(1, "--early")
        self.assert_run()
        outcome = self.machine.agent("status", "--format", "json")
        self.assertEqual((outcome.code, outcome.json()["status"]), (1, "failed"))


class Keys(AgentTest):
    """Keys of the image's configuration, and who takes them."""

    def setUp(self):
        super().setUp()
        self.machine.seed()
        self.out = os.path.join(self.work, "report")
        self.machine.add_module("report.py", REPORT)

    def settings_given(self):
        with open(self.out, encoding="utf-8") as lines:
            return [json.loads(line)["input"]["settings"] for line in lines
                    if json.loads(line)["call"] == "run"]

    def test_all_keys_of_a_module_are_one_step(self):
        settings = {"report": self.out, "report_more": [1]}
        self.machine.config(settings)
        self.assert_run()
        self.assertEqual([step["name"] for step in self.machine.status()["steps"]], ["report"])
        self.assertEqual(self.settings_given(), [settings])

    def test_later_file_of_config_d_counts(self):
        self.machine.config({"report": self.out, "report_more": "config.yaml"})
        self.machine.put("etc/bootlace/config.d/20-b.yaml", "report_more: second\n")
        self.machine.put("etc/bootlace/config.d/10-a.yaml", "report_more: first\n")
        self.machine.put("etc/bootlace/config.d/30-c.txt", "report_more: other\n")
        self.assert_run()
        self.assertEqual([given["report_more"] for given in self.settings_given()], ["second"])

    def test_module_whose_keys_are_not_there_makes_no_step(self):
        self.machine.config({})
        self.assert_run()
        self.assertEqual(self.machine.status()["steps"], [])

    def test_unknown_key_is_warned_of_and_the_others_count(self):
        self.machine.config({"report": self.out, "repport_more": 1})
        outcome = self.assert_run()
        self.assertIn('repport_more', outcome.err)
        self.assertIn("repport_more is no key that is known here", self.machine.text(LOG))
        self.assertEqual(self.settings_given(), [{"report": self.out}])

    def test_unknown_key_is_in_the_plan(self):
        self.machine.config({"repport": 1})
        problems = self.machine.agent("plan", "--format", "json").json()["problems"]
        self.assertEqual([(problem["severity"], "repport" in problem["message"])
                          for problem in problems], [("warning", True)])
        self.assertIn("repport", self.machine.agent("plan").text)

    def test_key_has_one_owner(self):
        self.machine.add_module("thief", shell_module("thief", said("changed"), keys=["report"]))
        self.machine.config({"report": self.out})
        self.assert_run()
        self.assertEqual([step["name"] for step in self.machine.status()["steps"]], ["report"])

    def test_module_of_another_name_than_asked_for(self):
        self.assert_code(self.machine.agent("modules", "no-such"), EXIT_USAGE)


if __name__ == "__main__":
    unittest.main()
