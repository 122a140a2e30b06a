#!/usr/bin/python3
"""boothook: a part that is executed, with the instance's id in its environment.

BOOTLACE_BUILD names the build folder.
"""

import os
import unittest

from module_call import ModuleTest
from test_manual import Page


class Boothook(ModuleTest):
    module = "boothook"
    tree_is_all = False

    def hook(self, text, status="changed", **how):
        part = os.path.join(self.work, "part")
        with open(part, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(part, 0o700)
        return self.assert_called(status, part=part, **how)

    def test_runs(self):
        called = self.hook("#!/bin/sh\necho $INSTANCE_ID in $PWD\n")
        self.assertEqual(called.log, "i-1 in /\n")
        self.assertEqual(called.result["exit_code"], 0)

    def test_without_an_interpreter(self):
        self.assertEqual(self.hook("\necho plain\n").log, "plain\n")

    def test_its_own_interpreter(self):
        self.assertEqual(self.hook("#!/usr/bin/env python3\nprint(6 * 7)\n").log, "42\n")

    def test_fails(self):
        called = self.hook("#!/bin/sh\nexit 5\n", "failed")
        self.assertEqual((called.message, called.result["exit_code"]),
                         ("ended with exit code 5", 5))
        called = self.hook("#!/bin/sh\nkill -15 $$\n", "failed")
        self.assertEqual(called.result["signal"], 15)
        self.assertRegex(called.message, "^ended by signal 15 ")

    def test_cannot_be_started(self):
        self.assertEqual(self.hook("#!/no/such\n", "failed").message,
                         "its interpreter /no/such is not installed")
        self.assertRegex(self.hook("#!\n", "failed").message, "names no interpreter")
        called = self.assert_called("failed", part=os.path.join(self.work, "no part"))
        self.assertRegex(called.message, "^its file cannot be read: No such file")

    def test_dry_run(self):
        called = self.hook("#!/bin/sh\necho run\n", dry_run=True)
        self.assertRegex(called.log, "^would run: .*/part\n$")

    def test_example_of_the_page(self):
        (_, block), = Page("bootlace-boothook.7").blocks("EXAMPLES")
        marker, _, text = block.replace("/run/", self.path("")).partition("\n")
        self.assertEqual(marker, "#cloud-boothook")
        self.assertEqual(self.hook(text).log, "a new instance\n")
        self.assertEqual(self.hook(text).log, "")
        self.assertTrue(self.exists("prepared-for-i-1"))


if __name__ == "__main__":
    unittest.main()
