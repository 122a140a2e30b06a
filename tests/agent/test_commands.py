#!/usr/bin/python3
"""The commands: help, options, exit codes, what they print and to whom."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
import time
import unittest

from agent import (AgentTest, EXIT_BUSY, EXIT_INPUT, EXIT_INTERNAL, EXIT_SOURCE, EXIT_STEP,
                   EXIT_USAGE, LOG, RUN, SOURCE, STATE, kill_if_alive, needs_program, needs_root,
                   said, shell_module)

VERBS = ("run", "plan", "inspect", "validate", "schema", "status", "query", "bake", "seal",
         "modules")
NOBODY = 65534
WAKE_S = 0.5
SETPRIV = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


def option_names(text):
    return set(re.findall(r"--[a-z][a-z-]*", text))


class Usage(AgentTest):
    def assert_refused(self, *arguments, words=""):
        """Exit code 2, the reason on standard error, nothing on standard output, no trace."""
        before = self.machine.tree()
        outcome = self.machine.agent(*arguments)
        self.assert_code(outcome, EXIT_USAGE)
        self.assertEqual(outcome.out, b"")
        self.assertRegex(outcome.err, f"^bootlace: .*{words}")
        self.assertEqual(self.machine.tree(), before)

    def test_help_of_every_command(self):
        for verb in VERBS:
            for option in ("--help", "-h"):
                with self.subTest(verb=verb, option=option):
                    outcome = self.machine.agent(verb, option)
                    self.assert_code(outcome, 0)
                    self.assertTrue(outcome.text.startswith(f"Usage: bootlace {verb} "))
                    self.assertTrue({"--format", "--help", "--verbose"} <=
                                    option_names(outcome.text))
                    self.assertEqual(outcome.err, "")

    def test_help_lines_fit_a_terminal(self):
        for verb in ((), *((verb,) for verb in VERBS)):
            for line in self.machine.agent(*verb, "--help").text.splitlines():
                self.assertLessEqual(len(line), 100, line)

    def test_help_wins_over_operands(self):
        self.assert_code(self.machine.agent("modules", "a", "b", "c", "--help"), 0)

    def test_help_of_the_program_names_every_command(self):
        outcome = self.machine.agent("--help")
        self.assert_code(outcome, 0)
        for verb in VERBS:
            self.assertRegex(outcome.text, f"\n  {verb} +[a-z]")
        for code in (0, 1, 2, 3, 4, 5, 70):
            self.assertRegex(outcome.text, rf"\b{code} [a-z]")

    def test_version(self):
        with open(os.path.join(SOURCE, "CMakeLists.txt"), encoding="utf-8") as text:
            version = re.search(r"project\(bootlace VERSION (\S+)", text.read())[1]
        outcome = self.machine.agent("--version")
        self.assert_code(outcome, 0)
        self.assertEqual(outcome.text, f"bootlace {version}\n")

    def test_version_of_every_command(self):
        expected = self.machine.agent("--version").text
        for verb in VERBS:
            with self.subTest(verb):
                outcome = self.machine.agent(verb, "--version")
                self.assert_code(outcome, 0)
                self.assertEqual(outcome.text, expected)

    def test_unknown_options(self):
        for verb in VERBS:
            with self.subTest(verb):
                self.assert_refused(verb, "--no-such-option", words="unknown option")
                self.assert_refused(verb, "-Z", words="unknown option")
        self.assert_refused("--no-such-option", words="unknown option")

    def test_options_of_another_command(self):
        for words in (("status", "--dry-run"), ("run", "--wait"), ("query", "--rerun", "all"),
                      ("modules", "--source", "seed"), ("--format", "json")):
            self.assert_refused(*words, words="unknown option")

    def test_options_without_their_argument(self):
        for words in (("run", "--user-data"), ("run", "--rerun"), ("status", "--timeout"),
                      ("plan", "--format"), ("--completion",)):
            self.assert_refused(*words, words="wants an argument")

    def test_arguments_that_make_no_sense(self):
        for words in (("status", "--format", "xml"), ("status", "--timeout", "soon"),
                      ("status", "--timeout", "-1"), ("status", "--timeout", ""),
                      ("--completion", "fish")):
            self.assert_refused(*words)

    def test_operands(self):
        for words in (("run", "file"), ("status", "x"), ("plan", "a", "b"), ("inspect", "a", "b"),
                      ("modules", "a", "b")):
            self.assert_refused(*words, words="too many operands")
        self.assert_refused("query", words="path is missing")
        self.assert_refused("modules", "--describe")

    def test_commands_that_are_none(self):
        self.assert_refused(words="a command is missing")
        self.assert_refused("runn", words="there is no command runn")
        self.assert_refused("", words="there is no command")

    def test_sources_that_are_none(self):
        for verb in ("run", "plan", "inspect"):
            outcome = self.machine.agent(verb, "--source", "floppy")
            self.assert_code(outcome, EXIT_USAGE)
            self.assertIn("seed, ec2", outcome.err)
        self.assert_code(self.machine.agent("query", "--source", "floppy", "hostname"), EXIT_USAGE)

    @needs_root
    @needs_program("setpriv")
    def test_run_wants_root(self):
        self.open_to_everybody()
        outcome = self.machine.run(wrapper=[*SETPRIV, "env", "-u", "BOOTLACE_PREFIX"])
        self.assert_code(outcome, EXIT_USAGE)
        self.assertIn("wants root", outcome.err)

    @needs_program("bash")
    def test_completion_is_bash_and_offers_what_help_shows(self):
        script = self.machine.agent("--completion", "bash").text
        path = self.machine.put("completion", script)
        self.assertEqual(subprocess.run(["bash", "-n", path], check=False).returncode, 0)
        for verb in VERBS:
            helped = option_names(self.machine.agent(verb, "--help").text.split("Options:")[1])
            with self.subTest(verb):
                self.assertEqual(set(self.complete(path, "bootlace", verb, "--")), helped)
        self.assertEqual(set(self.complete(path, "bootlace", "")),
                         set(VERBS) | {"--help", "--version"})
        self.assertEqual(self.complete(path, "bootlace", "status", "--wa"), ["--wait"])
        self.assertIn(path, self.complete(path, "bootlace", "plan", path[:-3]))

    def complete(self, path, *words):
        done = subprocess.run(
            ["bash", "-c", 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
             '_bootlace; printf "%s\\n" "${COMPREPLY[@]}"', "bash", path, *words],
            check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.split()

    def test_output_that_cannot_be_written_is_no_success(self):
        with open("/dev/full", "wb") as full:
            for words in (("--help",), ("modules",), ("--version",)):
                with self.subTest(words):
                    process = self.start(*words, stdout=full)
                    self.assertNotEqual(process.wait(), 0)


class Codes(AgentTest):
    """The table of exit codes, each with its cause, in run and in the status afterwards."""

    def assert_both(self, code, *options):
        outcome = self.assert_run(code, *options)
        status = self.machine.agent("status")
        self.assert_code(status, code)
        return outcome

    def test_0_well(self):
        self.machine.seed("#!/bin/sh\n:\n")
        self.assert_both(0)

    def test_0_no_user_data(self):
        self.machine.seed()
        self.assert_both(0)
        status = self.machine.status()
        self.assertEqual((status["status"], status["steps"]), ("done", []))
        self.assertIn("no user-data", status["message"])

    def test_1_a_step_failed(self):
        self.machine.seed("#!/bin/sh\nexit 70\n")
        self.assert_both(EXIT_STEP)

    def test_3_bad_user_data(self):
        for text in ("hello\n", "<script>", "<script>a</script><script>b</script>",
                     b"\xff\xfe#"):
            with self.subTest(text):
                self.machine.seed(text, None)
                self.assert_both(EXIT_INPUT)
                self.assertEqual(self.machine.status()["status"], "failed")
                self.assert_code(self.machine.agent("plan"), EXIT_INPUT)
                self.assert_code(self.machine.agent("inspect"), EXIT_INPUT)

    def test_3_bad_configuration(self):
        self.machine.seed(f"#!/bin/sh\necho x >>{self.mark}\n")
        for text in ("bootlace: [\n", "bootlace: {sorces: [seed]}", "[1]", "a: 1\na: 2\n",
                     "bootlace: {metadata: {wait: soon}}", "bootlace: {sources: [floppy]}",
                     "bootlace: {modules: {script: {on_failure: perhaps}}}"):
            with self.subTest(text):
                self.machine.put("etc/bootlace/config.yaml", text)
                outcome = self.assert_both(EXIT_INPUT)
                self.assertIn("etc/bootlace/config.yaml" if "floppy" not in text else "floppy",
                              outcome.err)
                for verb in ("plan", "inspect"):
                    self.assert_code(self.machine.agent(verb), EXIT_INPUT)
                self.assert_code(self.machine.agent("query", "no-such-item"), EXIT_INPUT)
        self.assertEqual(self.marks(), [])

    def test_3_nothing_runs_when_anything_is_wrong(self):
        self.machine.add_module("good", shell_module("good", f"echo x >>{self.mark}", keys=[]))
        self.machine.seed("<powershell>x</powershell><script>")
        self.assert_both(EXIT_INPUT)
        self.assertEqual(self.marks(), [])

    def test_4_no_source(self):
        outcome = self.assert_both(EXIT_SOURCE)
        self.assertIn("no source of user-data here", outcome.err)
        for words in (("plan",), ("inspect",), ("query", "hostname")):
            self.assert_code(self.machine.agent(*words), EXIT_SOURCE)

    def test_5_not_started(self):
        outcome = self.machine.agent("status", "--format", "json")
        self.assert_code(outcome, EXIT_BUSY)
        status = outcome.json()
        self.assertEqual((status["status"], status["instance_id"], status["source"],
                          status["steps"], status["errors"]), ("not started", "", "", [], []))

    def test_5_not_started_in_this_boot(self):
        self.machine.seed("#!/bin/sh\n:\n")
        self.assert_run()
        self.machine.put("proc/sys/kernel/random/boot_id", "another-boot\n")
        self.assert_code(self.machine.agent("status"), EXIT_BUSY)

    def test_70_without_modules(self):
        self.machine.library = self.machine.path("nowhere")
        self.machine.seed("#!/bin/sh\n:\n")
        outcome = self.assert_both(EXIT_INTERNAL)
        self.assertIn("is the package complete?", outcome.err)


class KeptStill(AgentTest):
    def setUp(self):
        super().setUp()
        self.machine.seed(f"#!/bin/sh\necho x >>{self.mark}\n")

    def assert_still(self, reason):
        self.assert_run(0, "--boot")
        self.assertEqual(self.marks(), [])
        outcome = self.machine.agent("status", "--format", "json")
        self.assert_code(outcome, EXIT_BUSY)
        self.assertEqual(outcome.json()["status"], "not started")
        self.assertIn(reason, outcome.json()["message"])
        waited = self.machine.agent("status", "--wait", "--timeout", "20")
        self.assert_code(waited, EXIT_BUSY)
        self.assertLess(waited.seconds, 5)

    def test_by_the_kernels_command_line(self):
        self.machine.put("proc/cmdline", "quiet bootlace=off ro\n")
        self.assert_still("bootlace=off is on the kernel's command line")

    def test_by_the_last_word_of_the_command_line(self):
        self.machine.put("proc/cmdline", "quiet bootlace=off")
        self.assert_still("bootlace=off")

    def test_by_cloud_init(self):
        self.machine.put("run/cloud-init/enabled", "")
        self.assert_still("cloud-init is active")

    def test_not_by_another_word(self):
        self.machine.put("proc/cmdline", "xbootlace=off bootlace=offline\n")
        self.assert_run(0, "--boot")
        self.assertEqual(self.marks(), ["x"])

    def test_not_by_hand(self):
        self.machine.put("proc/cmdline", "bootlace=off\n")
        self.assert_run()
        self.assertEqual(self.marks(), ["x"])


class Status(AgentTest):
    def setUp(self):
        super().setUp()
        self.machine.seed("#!/bin/sh\necho a-hidden-word\nexit 3\n")

    def test_json(self):
        self.assert_run(EXIT_STEP)
        status = self.machine.status()
        self.assertTrue({"status", "instance_id", "source", "boot_id", "started", "finished",
                         "duration_ms", "message", "steps", "errors"} <= set(status))
        self.assertTrue({"name", "module", "status", "exit_code", "started", "duration_ms",
                         "message", "output"} <= set(status["steps"][0]))
        self.assertEqual((status["instance_id"], status["source"]), ("i-1", "seed"))
        self.assertEqual((status["steps"][0]["name"], status["steps"][0]["module"]),
                         ("user-data", "script"))

    def test_run_prints_it_too(self):
        outcome = self.assert_run(EXIT_STEP, "--format", "json")
        self.assertEqual(outcome.json(), self.machine.status())

    def test_run_prints_nothing_on_standard_output_unless_asked(self):
        self.assertEqual(self.assert_run(EXIT_STEP).out, b"")

    def test_text(self):
        self.assert_run(EXIT_STEP)
        text = self.machine.agent("status").text
        for line in ("instance: i-1 (from seed)", "      | a-hidden-word",
                     "error: user-data: ended with exit code 3"):
            self.assertIn(f"{line}\n", text)
        self.assertRegex(text, r"^status: failed(: .*)?\n")
        self.assertRegex(text, r"\n  failed +user-data +script +[\d.]+ s  exit code 3\n")

    @needs_root
    @needs_program("setpriv")
    def test_another_user_sees_no_output(self):
        self.open_to_everybody()
        self.assert_run(EXIT_STEP)
        for form in ("text", "json"):
            outcome = self.machine.agent("status", "--format", form, wrapper=SETPRIV)
            self.assert_code(outcome, EXIT_STEP)
            self.assertIn("user-data", outcome.text)
            self.assertIn("failed", outcome.text)
            self.assertNotIn("a-hidden-word", outcome.text + outcome.err)
        seen = self.machine.agent("status", "--format", "json", wrapper=SETPRIV).json()
        self.assertEqual(seen["steps"][0]["exit_code"], 3)

    @needs_root
    @needs_program("setpriv")
    def test_another_user_sees_that_it_runs(self):
        self.open_to_everybody()
        self.machine.seed(f"#!/bin/sh\necho $$ >>{self.mark}\nexec sleep 30\n")
        process = self.start("run")
        self.addCleanup(kill_if_alive, int(self.wait_for_mark()[0]))
        outcome = self.machine.agent("status", "--format", "json", wrapper=SETPRIV)
        self.assert_code(outcome, EXIT_BUSY)
        self.assertEqual(outcome.json()["status"], "running")
        self.assertIsNone(process.poll())

    def test_status_changes_nothing(self):
        self.assert_run(EXIT_STEP)
        before = self.machine.tree()
        for words in (("status",), ("status", "--wait"), ("status", "--format", "json")):
            self.machine.agent(*words)
        self.assertEqual(self.machine.tree(), before)

    def test_broken_file_is_no_status(self):
        self.machine.put(f"{RUN}/status.json", "{")
        self.assert_code(self.machine.agent("status"), EXIT_BUSY)

    def test_degraded_is_0(self):
        self.machine.seed("#!/bin/sh\n:\n")
        self.assert_run()
        shutil.rmtree(self.machine.path(f"{STATE}/seed"))
        self.assert_run()
        outcome = self.machine.agent("status")
        self.assert_code(outcome, 0)
        self.assertIn("status: degraded", outcome.text)


class Waiting(AgentTest):
    def setUp(self):
        super().setUp()
        self.machine.seed(f"#!/bin/sh\necho $$ >>{self.mark}\n"
                          f"while [ ! -e {self.work}/go ]; do sleep 0.01; done\nexit 3\n")

    def go(self):
        with open(os.path.join(self.work, "go"), "w", encoding="utf-8"):
            pass

    def wait_in_background(self, *options, **how):
        """A thread that waits for the status, and where it puts what it saw, and when."""
        seen = []

        def wait():
            outcome = self.machine.agent("status", "--wait", "--format", "json", *options, **how)
            seen.append((time.monotonic(), outcome))

        thread = threading.Thread(target=wait)
        thread.start()
        self.addCleanup(thread.join)
        return thread, seen

    def assert_woken(self, seen, ended):
        when, outcome = seen[0]
        self.assertLess(when - ended, WAKE_S)
        self.assert_code(outcome, EXIT_STEP)
        self.assertEqual(outcome.json()["status"], "failed")

    def test_woken_at_the_end_of_the_run(self):
        process = self.start("run")
        self.wait_for_mark()
        thread, seen = self.wait_in_background()
        time.sleep(0.2)
        self.assertEqual(seen, [])
        self.go()
        process.wait()
        ended = time.monotonic()
        thread.join()
        self.assert_woken(seen, ended)

    def test_woken_when_it_waited_before_the_run_began(self):
        thread, seen = self.wait_in_background()
        time.sleep(0.2)
        self.go()
        self.start("run").wait()
        ended = time.monotonic()
        thread.join()
        self.assert_woken(seen, ended)

    @needs_root
    @needs_program("setpriv")
    def test_another_user_who_waited_before_the_run_began(self):
        """The folder that is looked at is not there yet, and that user cannot make it."""
        self.open_to_everybody()
        thread, seen = self.wait_in_background(wrapper=SETPRIV)
        time.sleep(0.2)
        self.go()
        self.start("run").wait()
        ended = time.monotonic()
        thread.join()
        self.assertLess(seen[0][0] - ended, 1 + WAKE_S)
        self.assert_code(seen[0][1], EXIT_STEP)

    def test_over_already(self):
        self.go()
        self.assert_run(EXIT_STEP)
        outcome = self.machine.agent("status", "--wait")
        self.assert_code(outcome, EXIT_STEP)
        self.assertLess(outcome.seconds, WAKE_S)

    def test_timeout_while_it_runs(self):
        process = self.start("run")
        self.addCleanup(kill_if_alive, int(self.wait_for_mark()[0]))
        outcome = self.machine.agent("status", "--wait", "--timeout", "1")
        self.assert_code(outcome, EXIT_BUSY)
        self.assertTrue(1 <= outcome.seconds < 1 + 2 * WAKE_S, outcome)
        self.assertIn("status: running", outcome.text)
        self.assertIsNone(process.poll())

    def test_timeout_before_it_began(self):
        outcome = self.machine.agent("status", "--wait", "--timeout", "1")
        self.assert_code(outcome, EXIT_BUSY)
        self.assertGreaterEqual(outcome.seconds, 1)
        self.assertIn("not started", outcome.text)

    def test_no_time_at_all(self):
        outcome = self.machine.agent("status", "--wait", "--timeout", "0")
        self.assert_code(outcome, EXIT_BUSY)
        self.assertLess(outcome.seconds, WAKE_S)

    def test_death_of_the_agent_ends_it(self):
        process = self.start("run")
        self.addCleanup(kill_if_alive, int(self.wait_for_mark()[0]))
        thread, seen = self.wait_in_background()
        time.sleep(0.2)
        process.kill()
        process.wait()
        ended = time.monotonic()
        thread.join()
        self.assertLess(seen[0][0] - ended, 1 + WAKE_S)
        self.assertEqual(seen[0][1].json()["message"],
                         "the agent ended without finishing the run")


class Plan(AgentTest):
    def test_plan_of_a_file(self):
        path = self.machine.put("given", "#!/bin/sh\nexit 1\n")
        outcome = self.machine.agent("plan", path)
        self.assert_code(outcome, 0)
        self.assertEqual(outcome.text, "run   user-data (script, per-instance): not yet run for "
                         "this instance\n      run the text/x-shellscript part, 17 bytes\n")
        self.assertEqual(self.machine.agent("plan", "--user-data", path).text, outcome.text)

    def test_plan_json(self):
        self.machine.seed("<script>a</script><powershell>b</powershell><persist>true</persist>")
        plan = self.machine.agent("plan", "--format", "json").json()
        self.assertEqual([(step["name"], step["module"], step["frequency"], step["action"])
                          for step in plan["steps"]],
                         [("script", "script", "per-boot", "run"),
                          ("powershell", "powershell", "per-boot", "run")])
        self.assertEqual(plan["problems"], [])

    def test_plan_says_what_run_does(self):
        self.machine.seed("#!/bin/sh\n:\n")
        self.assertEqual(self.actions(), ["run"])
        self.assert_run()
        self.assertEqual(self.actions(), ["skip"])

    def actions(self):
        plan = self.machine.agent("plan", "--format", "json").json()
        return [step["action"] for step in plan["steps"]]

    def test_nothing_to_do(self):
        self.machine.seed()
        self.assertEqual(self.machine.agent("plan").text, "nothing to do\n")

    def test_part_that_no_module_takes(self):
        self.machine.seed("MIME-Version: 1.0\nContent-Type: text/x-unknown\n\nhello\n")
        outcome = self.machine.agent("plan", "--format", "json")
        self.assert_code(outcome, EXIT_INPUT)
        problem = outcome.json()["problems"][0]
        self.assertEqual((problem["severity"], problem["part"], problem["line"]),
                         ("error", "user-data", 4))
        self.assertIn("text/x-unknown", problem["message"])

    def test_inspect_json(self):
        self.machine.seed("\n\n<script>\n#!/bin/sh\n</script>\n<powershell>ü</powershell>"
                          "<powershellArguments>-A b</powershellArguments><detach>true</detach>")
        found = self.machine.agent("inspect", "--format", "json").json()
        self.assertEqual([part.pop("sha256") for part in found["parts"]],
                         [hashlib.sha256(text.encode()).hexdigest() for text in
                          ("#!/bin/sh", "ü")])
        self.assertEqual(found["parts"], [
            {"name": "script", "type": "text/x-windows-script", "size": 9,
             "frequency": "default", "line": 4, "detach": True},
            {"name": "powershell", "type": "text/x-powershell", "size": 2, "frequency": "default",
             "line": 6, "arguments": "-A b", "detach": True}])

    def test_inspect_text(self):
        self.machine.seed("#!/bin/sh\n")
        self.assertRegex(self.machine.agent("inspect").text,
                         r"^user-data +text/x-shellscript +10 bytes +default +line 1\n$")

    def test_inspect_of_nothing(self):
        self.machine.seed()
        self.assertEqual(self.machine.agent("inspect").text, "no user-data\n")

    def test_unknown_data_is_explained_and_not_shown(self):
        self.machine.seed("this-is-my-password\n")
        for verb in ("inspect", "plan", "run"):
            outcome = self.machine.agent(verb)
            self.assert_code(outcome, EXIT_INPUT)
            self.assertNotIn("password", outcome.text + outcome.err)
        self.assertNotIn("password", self.machine.text(LOG) + self.machine.text(
            f"{RUN}/status.json"))
        self.assertIn("20 bytes, ASCII", self.machine.agent("inspect").text)

    def test_file_that_is_not_there(self):
        for verb in ("plan", "inspect"):
            outcome = self.machine.agent(verb, "/no/such/file")
            self.assert_code(outcome, EXIT_INPUT)
            self.assertIn("/no/such/file", outcome.err)


class Query(AgentTest):
    KEY = "ssh-ed25519 AAAA me"

    def setUp(self):
        super().setUp()
        self.items = {"hostname": "blue", "placement": {"availability-zone": "eu-north-1a"},
                      "public-keys": {"mine": self.KEY}, "iam": {"info": "a-credential"}}
        self.user_data = b"#!/bin/sh\nexit\n\x00\xff no line end"
        self.machine.seed(self.user_data, **self.items)

    def query(self, *paths):
        return self.machine.agent("query", *paths)

    def test_items(self):
        for path, value in (("hostname", "blue"), ("instance-id", "i-1"),
                            ("placement/availability-zone", "eu-north-1a"),
                            ("public-keys/0/openssh-key", self.KEY), ("/hostname", "blue")):
            with self.subTest(path):
                outcome = self.query(path)
                self.assert_code(outcome, 0)
                self.assertEqual(outcome.text, f"{value}\n")

    def test_several(self):
        self.assertEqual(self.query("hostname", "instance-id").text, "blue\ni-1\n")

    def test_json(self):
        outcome = self.query("hostname", "instance-id", "--format", "json")
        self.assertEqual(outcome.json(), {"hostname": "blue", "instance-id": "i-1"})

    def test_absent_item(self):
        outcome = self.query("no/such/item")
        self.assert_code(outcome, EXIT_STEP)
        self.assertEqual(outcome.out, b"")
        mixed = self.query("no-such", "hostname")
        self.assertEqual((mixed.code, mixed.text), (EXIT_STEP, "blue\n"))

    def test_listing(self):
        self.assertEqual(self.query("placement/").text, "availability-zone\n")
        self.assertEqual(self.query("public-keys/").text, "0=mine\n")

    def test_user_data_are_the_bytes(self):
        outcome = self.query("user-data")
        self.assert_code(outcome, 0)
        self.assertEqual(outcome.out, self.user_data)

    def test_no_user_data(self):
        self.machine.seed()
        outcome = self.query("user-data")
        self.assertEqual((outcome.code, outcome.out), (EXIT_STEP, b""))

    def test_tree(self):
        tree = self.query("--all", "--format", "json").json()
        self.assertEqual(tree["placement"], {"availability-zone": "eu-north-1a"})
        self.assertEqual(tree["public-keys"], {"0": {"openssh-key": self.KEY}})
        self.assertNotIn("iam", tree)
        text = self.query("--all").text
        self.assertIn("hostname: blue\n", text)
        self.assertIn("placement/\n  availability-zone: eu-north-1a\n", text)

    def test_cache_answers_without_the_source(self):
        self.assert_run()
        shutil.rmtree(self.machine.path(f"{STATE}/seed"))
        for path, value in (("hostname", "blue"), ("placement/availability-zone", "eu-north-1a")):
            outcome = self.query(path)
            self.assertEqual((outcome.code, outcome.text), (0, f"{value}\n"), outcome)

    def test_cache_knows_what_there_is_not(self):
        """The run asked for public-ipv4, and there is none: that needs no second question."""
        self.assert_run()
        shutil.rmtree(self.machine.path(f"{STATE}/seed"))
        outcome = self.query("public-ipv4")
        self.assertEqual((outcome.code, outcome.out), (EXIT_STEP, b""), outcome)

    def test_cache_of_another_boot_is_none(self):
        self.assert_run()
        shutil.rmtree(self.machine.path(f"{STATE}/seed"))
        self.machine.put("proc/sys/kernel/random/boot_id", "another\n")
        self.assert_code(self.query("hostname"), EXIT_SOURCE)

    def test_named_source_is_asked(self):
        self.assert_run()
        self.machine.seed(self.user_data, hostname="green")
        self.assertEqual(self.query("hostname").text, "blue\n")
        self.assertEqual(self.query("hostname", "--source", "seed").text, "green\n")

    def test_cache_has_no_credentials(self):
        self.assert_run()
        self.assertNotIn("a-credential", self.machine.text(f"{RUN}/metadata.json"))
        self.assertIn("eu-north-1a", self.machine.text(f"{RUN}/metadata.json"))

    @needs_root
    @needs_program("setpriv")
    def test_another_user_does_not_see_what_came_from_a_seed(self):
        """An image's own file, which root may have kept to itself."""
        self.open_to_everybody()
        self.assert_run()
        outcome = self.machine.agent("query", "hostname", wrapper=SETPRIV)
        self.assertNotEqual(outcome.code, 0)
        self.assertEqual(outcome.out, b"")

    @needs_root
    @needs_program("strace")
    def test_status_and_cache_load_no_plug_in(self):
        self.assert_run()
        trace = os.path.join(self.work, "trace")
        for words in (("status",), ("status", "--wait"), ("query", "hostname"), ("modules",)):
            outcome = self.machine.agent(*words, wrapper=[
                "env", "ASAN_OPTIONS=detect_leaks=0", "strace", "-f", "-o", trace, "-e",
                "trace=openat,open,execve,socket,clone,clone3,vfork,fork", "--"])
            self.assert_code(outcome, 0)
            with open(trace, encoding="utf-8") as lines:
                text = lines.read()
            self.assertIn("libjansson", text)
            for word in ("curl", "fetch.so", "archive", "script.so", "socket(", "clone(", "fork("):
                self.assertNotIn(word, text, words)
            self.assertEqual(text.count("execve("), 1, words)


class Modules(AgentTest):
    def test_list(self):
        text = self.machine.agent("modules").text
        self.assertRegex(text, r"(?m)^script +per-instance +runs #! scripts")
        self.assertRegex(text, r"(?m)^powershell +per-instance +")

    def test_list_json(self):
        found = self.machine.agent("modules", "--format", "json").json()
        types = {module["name"]: module["types"] for module in found["modules"]}
        self.assertEqual(types["script"], ["text/x-shellscript", "text/x-windows-script"])
        self.assertEqual(types["powershell"], ["text/x-powershell"])
        self.assertEqual(found["problems"], [])

    def test_one(self):
        self.machine.add_module("hello", shell_module("hello", said("changed"), order=7,
                                                      repeatable=True, metadata=["hostname"]))
        text = self.machine.agent("modules", "hello").text
        self.assertIn("hello 1: hello of a test\n", text)
        self.assertIn("  runs per-instance, order 7, repeatable\n", text)
        self.assertIn("  keys: hello\n", text)
        self.assertIn("  metadata: hostname\n", text)
        self.assertIn("/modules/hello\n", text)

    def test_manifests_of_the_build_say_what_the_modules_say(self):
        folder = os.path.join(self.machine.library, "modules")
        for name in os.listdir(folder):
            if name.endswith(".so"):
                described = self.machine.agent("modules", "--describe", os.path.join(folder, name))
                with open(os.path.join(folder, name[:-3] + ".json"), encoding="utf-8") as manifest:
                    said = json.load(manifest)
                # Of a module that may not be there, the build's alone says who has it.
                said.pop("package", None)
                if said.get("schema"):
                    self.assertIs(said["schema"], True)
                    with open(os.path.join(folder, name[:-3] + ".schema.json"),
                              encoding="utf-8") as schema:
                        said["schema"] = json.load(schema)
                self.assertEqual(described.json(), said, name)

    def test_file_that_is_no_module(self):
        for content in ("#!/bin/sh\nexit 1\n", "text"):
            path = self.machine.put("file", content, 0o755)
            outcome = self.machine.agent("modules", "--describe", path)
            self.assertNotEqual(outcome.code, 0)
            self.assertEqual(outcome.out, b"")
            self.assertIn(path, outcome.err)


if __name__ == "__main__":
    unittest.main()
