#!/usr/bin/python3
"""The key `output`: files that the steps' output goes to as well.

BOOTLACE_BUILD names the build folder.
"""

import itertools
import os
import unittest

from agent import AgentTest, EXIT_INPUT


class Output(AgentTest):
    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.work, "output.log")
        self.instances = itertools.count(1)
        self.other = os.path.join(self.work, "other.log")

    def give(self, output):
        self.machine.seed(f"#cloud-config\noutput: {output}\nbootcmd: [echo boot]\n"
                          f"runcmd: [echo run, echo error >&2]\n",
                          instance_id=f"i-{next(self.instances)}")

    def read(self, path):
        try:
            with open(path, encoding="utf-8") as text:
                return text.read()
        except FileNotFoundError:
            return None

    def assert_output(self, output, expected, other=None):
        for path in (self.file, self.other):
            with open(path, "w", encoding="utf-8") as out:
                out.write("old\n")
        self.give(output.replace("FILE", self.file).replace("OTHER", self.other))
        self.assert_run()
        self.assertEqual((self.read(self.file), self.read(self.other)),
                         (expected, other or "old\n"))

    def test_every_form(self):
        whole = "boot\nrun\nerror\n"
        for output, expected in (
                ("{all: '| tee -a FILE'}", "old\n" + whole), ("{all: '|tee --append FILE '}",
                                                              "old\n" + whole),
                ("{all: '| tee FILE'}", whole), ("{all: '>> FILE'}", "old\n" + whole),
                ("{all: '>FILE'}", whole), ("{all: FILE}", "old\n" + whole),
                ("{all: ['> FILE', '&1']}", whole), ("{all: {output: '> FILE', error: '> FILE'}}",
                                                     whole),
                ("{final: '> FILE'}", "run\nerror\n"), ("{init: '> FILE'}", "boot\n"),
                ("{config: '> FILE'}", "")):
            with self.subTest(output):
                self.assert_output(output, expected)
                self.assertEqual(self.machine.status()["warnings"], [])
        self.assert_output("{all: '> FILE', init: '> OTHER'}", "run\nerror\n", "boot\n")

    def test_a_new_file_is_not_for_everybody(self):
        self.give(f"{{all: '>> {self.file}'}}")
        self.assert_run()
        self.assertEqual(self.machine.mode(self.file), 0o640)
        self.assertIn("runcmd: run", self.machine.output_lines())

    def test_no_shell_is_asked(self):
        for way in (f"| tee -a {self.file}; touch {self.other}", f">> {self.file} 2>&1",
                    f"| logger -t x >{self.file}", f"> $(touch {self.other})", "> relative",
                    f"| tee -a {self.file} {self.other}", f"| tee -i {self.file}", "|", ">"):
            with self.subTest(way):
                self.give(f'{{all: "{way}"}}')
                self.assert_run()
                self.assertEqual((self.read(self.file), self.read(self.other)), (None, None))
                [warning] = self.machine.status()["warnings"]
                self.assertIn("output.all: this way of output is not known", warning["message"])
                self.assertEqual(warning["line"], 2)

    def test_errors_to_elsewhere(self):
        self.give(f"{{all: ['> {self.file}', '> {self.other}']}}")
        self.assert_run()
        self.assertEqual(self.read(self.file), "boot\nrun\nerror\n")
        self.assertIn("goes where its other output goes",
                      self.machine.status()["warnings"][0]["message"])

    def test_a_file_that_cannot_be_written(self):
        os.symlink("/etc/passwd", self.file)
        self.give(f"{{all: '>> {self.file}'}}")
        self.assert_run()
        self.assertIn("cannot be written", self.machine.text("var/log/bootlace.log"))

    def test_values_that_are_wrong(self):
        for output in ("yes", "{all: 7}", "{all: [a, b, c]}", "{all: {output: 1}}"):
            path = self.machine.put("given", f"#cloud-config\noutput: {output}\n")
            self.assert_code(self.machine.agent("validate", path), EXIT_INPUT)

    def test_a_dry_run_writes_nothing(self):
        self.give(f"{{all: '> {self.file}'}}")
        self.assert_run(0, "--dry-run")
        self.assertIsNone(self.read(self.file))


if __name__ == "__main__":
    unittest.main()
