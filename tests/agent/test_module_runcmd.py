#!/usr/bin/python3
"""runcmd and bootcmd: lists of commands, each with its exit code.

BOOTLACE_BUILD names the build folder. That a command's effect on the next one is cloud-init's is
compared with what cloud-init makes of a list: one shell script.
"""

import os
import subprocess
import unittest

from module_call import ModuleTest
from test_manual import Page


def shellified(commands):
    """The script that cloud-init makes of a list, by its documentation."""
    lines = ["#!/bin/sh"]
    for command in commands:
        if isinstance(command, list):
            lines.append(" ".join("'" + str(word).replace("'", "'\\''") + "'" for word in command))
        elif command is not None:
            lines.append(command)
    return "\n".join(lines) + "\n"


class Commands(ModuleTest):
    module = "runcmd"
    tree_is_all = False

    def codes(self, called):
        return [item.get("exit_code") for item in called.items]

    def run_list(self, status, commands, **settings):
        key = self.module
        return self.assert_called(status, {key: commands, **{f"{key}_{name}": value
                                                             for name, value in settings.items()}})

    def test_every_exit_code_is_kept(self):
        called = self.run_list("failed", ["true", "exit_with() { return $1; }; exit_with 3",
                                          ["false"], "echo the last"])
        self.assertEqual(self.codes(called), [0, 3, 1, 0])
        self.assertEqual([item["status"] for item in called.items],
                         ["changed", "failed", "failed", "changed"])
        self.assertEqual(called.message,
                         "2 of 4 commands failed: 2: exit code 3; 3 (false): exit code 1")
        self.assertEqual(called.result["exit_code"], 3)
        self.assertIn("the last", called.log)

    def test_all_well(self):
        called = self.run_list("changed", ["true", ["echo", "two words", 5, 1.5]])
        self.assertEqual(called.message, "2 of 2 commands run")
        self.assertEqual(called.result["exit_code"], 0)
        self.assertIn("two words 5 1.5\n", called.log)

    def test_stops_on_error(self):
        called = self.run_list("failed", ["true", "false", "touch " + self.path("never")],
                               stop_on_error=True)
        self.assertEqual(self.codes(called), [0, 1, None])
        self.assertEqual(called.items[2]["message"], "not run")
        self.assertEqual(called.message, "1 of 3 commands failed: 2 (false): exit code 1; "
                                         "the rest was not run")
        self.assertFalse(self.exists("never"))

    def test_set_e_of_the_users(self):
        called = self.run_list("failed", ["set -e", "false || true", "! true", "false && true",
                                          "false", "touch " + self.path("never")])
        self.assertEqual(self.codes(called), [0, 0, 1, 1, 1, None])
        self.assertFalse(self.exists("never"))

    def test_nulls_are_skipped_and_counted(self):
        called = self.run_list("failed", [None, "true", None, "false"])
        self.assertEqual([item["item"] for item in called.items], ["2 (true)", "4 (false)"])

    def test_a_syntax_error_costs_one_command(self):
        called = self.run_list("failed", ["if", "echo 'unfinished", "echo after it"])
        self.assertEqual(self.codes(called)[2], 0)
        self.assertNotEqual(self.codes(called)[0], 0)
        self.assertNotEqual(self.codes(called)[1], 0)
        self.assertIn("after it\n", called.log)

    def test_a_backslash_at_the_end(self):
        called = self.run_list("changed", ["echo one \\", "echo two \\\n"])
        self.assertEqual(called.log, "one\ntwo\n")

    def test_set_u_of_the_users(self):
        called = self.run_list("changed", ["set -u", "true"])
        self.assertEqual(self.codes(called), [0, 0])

    def test_exit_ends_them_all(self):
        called = self.run_list("changed", ["true", "exit", "touch " + self.path("never")])
        self.assertEqual(self.codes(called), [0, 0, None])
        self.assertIn("command 2 (exit) ended the shell; 1 after it not run", called.log)
        called = self.run_list("failed", ["exit 4", "true"])
        self.assertEqual(called.message,
                         "1 of 2 commands failed: 1 (exit): ended the shell with exit code 4")
        self.assertEqual(called.result["exit_code"], 4)
        called = self.run_list("failed", ["true", "kill -9 $$"])
        self.assertEqual(called.result["signal"], 9)
        self.assertFalse(self.exists("never"))

    def test_lists_are_argument_vectors(self):
        words = ["a b", "$HOME", "`id`", "it's", '"', "*", "", "; exit 3", "\\", "a\nb", "ä"]
        called = self.run_list("changed", [["/usr/bin/printf", "<%s>", *words]])
        self.assertIn("".join(f"<{word}>" for word in words), called.log)

    def test_a_program_that_is_not_there(self):
        called = self.run_list("failed", [["no-such-program"], "true"])
        self.assertEqual(self.codes(called), [127, 0])

    def test_input_is_empty_and_nothing_is_inherited(self):
        called = self.run_list("changed", ["cat", "ls /proc/self/fd"])
        self.assertEqual(called.log.split(), ["0", "1", "2", "3"])

    def test_a_command_that_is_large(self):
        called = self.run_list("changed", ["x=" + "y" * 300000 + "; echo ${#x}"])
        self.assertIn("300000\n", called.log)

    def test_a_thousand(self):
        called = self.run_list("failed", [f"(exit {number % 7})" for number in range(1000)])
        self.assertEqual(self.codes(called), [number % 7 for number in range(1000)])
        self.assertIn("; …", called.message)

    def test_as_one_script_would(self):
        """What one command leaves to the next is what cloud-init's one script leaves to it."""
        commands = ["cd /usr/share", "pwd", "A='b c'; export B=d", "echo $A $B", ["printenv", "B"],
                    "f() { echo f $1; }", "f x", "umask 027; umask", "cat <<END\n$A\n  it's\nEND",
                    ["cd", "/tmp"], "pwd", "false", "echo $?", None, "set -- x y", "echo $# $2",
                    "exec 2>&1", "echo error >&2", "for i in 1 2; do\n  echo $i\ndone",
                    "echo one # a comment", "trap 'echo bye' EXIT"]
        expected = subprocess.run(["/bin/sh"], input=shellified(commands), cwd="/", check=False,
                                  stdout=subprocess.PIPE, text=True).stdout
        self.assertGreater(len(expected.splitlines()), 14)
        self.assertEqual(self.call({self.module: commands}).log, expected)

    def test_the_log_shows_no_commands(self):
        secret = "hunter2"
        commands = ["PASSWORD=hunter2 true", "A='x hunter2' true", f"echo {secret} >/dev/null",
                    [f"hunter2 {secret}"], f"'{secret}'"]
        for dry_run in (True, False):
            called = self.call({self.module: commands}, dry_run=dry_run)
            shown = "\n".join([repr(called.items), called.message] +
                              [line for line in called.log.splitlines()
                               if "not found" not in line])
            self.assertNotIn(secret, shown)

    def test_dry_run(self):
        called = self.assert_called("changed", {self.module: ["touch " + self.path("never")]},
                                    dry_run=True)
        self.assertEqual(called.log, "would run command 1 (touch)\n")
        self.assertFalse(self.exists("never"))

    def test_nothing_to_do(self):
        self.run_list("unchanged", [])
        self.run_list("unchanged", [None])
        self.assert_called("unchanged", {self.module: None})

    def test_wrong_settings(self):
        key = self.module
        self.assert_fails(f"{key} is no list of commands", {key: "true"})
        self.assert_fails("command 2 is neither a text nor a list", {key: ["true", {"a": "b"}]})
        self.assert_fails("command 1 has a word that is no text", {key: [["true", True]]})
        self.assert_fails("command 1 has no words", {key: [[]]})
        self.assert_fails("stop_on_error is neither", {key: ["true"], f"{key}_stop_on_error": "x"})

    def test_examples_of_the_page(self):
        blocks = Page(f"bootlace-{self.module}.7").blocks("EXAMPLES")
        self.assertTrue(blocks)
        for comment, block in blocks:
            with self.subTest(comment):
                text = block.replace("/run/", self.path("") + "/")
                called = self.call(text, dry_run="machine" in comment)
                self.assertEqual(called.status, "failed" if "fails" in comment else "changed",
                                 called)


class Bootcmd(Commands):
    module = "bootcmd"

    def test_instance_id_is_in_the_environment(self):
        self.assertIn("i-1\n", self.run_list("changed", ["echo $INSTANCE_ID"]).log)


if __name__ == "__main__":
    unittest.main()
