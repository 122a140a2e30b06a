#!/usr/bin/python3
"""run --root: an image gets what can be done in it, by its own programs, and keeps the record.

BOOTLACE_BUILD names the build folder. The image is a small Debian, a throw-away copy of a cached
one; its programs are its own.
"""

import json
import os
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rig"))
import host  # noqa: E402  (found by the line above)
import roots  # noqa: E402
from agent import (AgentTest, EXIT_STEP, EXIT_USAGE, needs_program, needs_root)  # noqa: E402

PACKAGES = ["locales"]

USER_DATA = """\
#cloud-config
hostname: baked
timezone: Etc/UTC
locale: de_DE.UTF-8
write_files:
- {path: /etc/motd, content: "Welcome\\n", owner: "daemon:daemon", permissions: "0640"}
runcmd: ["echo ran >/root/ran"]
"""


@needs_root
@needs_program("mmdebstrap", "chroot")
class Image(AgentTest):
    @classmethod
    def setUpClass(cls):
        cls.copy = roots.Copy(PACKAGES)
        cls.copy.__enter__()
        cls.addClassCleanup(cls.copy.__exit__)
        cls.image = str(cls.copy.root)

    def setUp(self):
        super().setUp()
        self.given = self.machine.put("given", USER_DATA)
        # The machine's own record and settings are another matter.
        self.machine.seed("#!/bin/sh\nexit 9\n")
        self.before = self.machine.tree()

    def tearDown(self):
        host.run(["rm", "-rf", self.inside("/var/lib/bootlace")])

    def inside(self, path):
        return self.image + path

    def read(self, path):
        with open(self.inside(path), encoding="utf-8") as text:
            return text.read()

    def run_inside(self, code=0, *options):
        done = self.machine.run("--root", self.image, *options, "--format", "json")
        self.assert_code(done, code)
        return {step["name"]: step for step in done.json()["steps"]}

    def test_what_can_be_done_in_an_image_is_done(self):
        steps = self.run_inside(0, "--user-data", self.given)
        self.assertEqual({name: step["status"] for name, step in steps.items()},
                         {"write-files": "done", "hostname": "done", "locale": "done",
                          "timezone": "done", "write-files-deferred": "done",
                          "runcmd": "skipped"})
        self.assertEqual(steps["runcmd"]["reason"],
                         "left for the launch: it wants a running machine")
        self.assertEqual(self.read("/etc/hostname"), "baked\n")
        self.assertEqual(os.readlink(self.inside("/etc/localtime")),
                         "../usr/share/zoneinfo/Etc/UTC")
        motd = os.lstat(self.inside("/etc/motd"))
        self.assertEqual((motd.st_mode & 0o7777, motd.st_uid), (0o640, 1))
        self.assertFalse(os.path.exists(self.inside("/root/ran")))
        # The image's own program made it, in the image.
        listed = self.copy.run(["locale", "-a"]).stdout.split()
        self.assertIn("de_DE.utf8", listed)

        with self.subTest("the record is the image's"):
            self.assertEqual(self.machine.tree(), self.before)
            self.assertFalse(os.path.exists(self.inside("/run/bootlace")))
            self.assertEqual(len(os.listdir(self.inside("/var/lib/bootlace/instances"))), 1)

        with self.subTest("a second run does nothing"):
            again = self.run_inside(0, "--user-data", self.given)
            self.assertEqual({step["reason"] for name, step in again.items() if name != "runcmd"},
                             {"done already for this instance", "done already in this boot"})

    def test_the_plan_of_an_image(self):
        done = self.machine.agent("plan", "--root", self.image, self.given, "--format", "json")
        self.assert_code(done, 0)
        self.assertEqual([(step["name"], step["action"]) for step in done.json()["steps"]],
                         [("write-files", "run"), ("hostname", "run"), ("locale", "run"),
                          ("timezone", "run"), ("write-files-deferred", "run"),
                          ("runcmd", "skip")])

    def test_an_image_has_settings_of_its_own(self):
        self.addCleanup(host.run, ["rm", "-rf", self.inside("/etc/bootlace")])
        self.copy.put("/etc/bootlace/config.yaml", json.dumps({"hostname": "own"}))
        self.assertEqual(set(self.run_inside()), {"hostname"})
        self.assertEqual(self.read("/etc/hostname"), "own\n")

    def test_a_dry_run_changes_nothing(self):
        before = host.run(["find", self.image, "-xdev", "-newer", self.given]).stdout
        done = self.machine.run("--root", self.image, "--user-data", self.given, "--dry-run")
        self.assert_code(done, 0)
        self.assertEqual(host.run(["find", self.image, "-xdev", "-newer", self.given]).stdout,
                         before)

    def test_a_program_inside(self):
        self.machine.add_module("inside.so", self.build_prober())
        self.machine.config({})
        self.given = self.machine.put("given", "#cloud-config\ninside: true\n")
        steps = self.run_inside(0, "--user-data", self.given)
        self.assertEqual({item["item"]: item["message"] for item in steps["inside"]["items"]},
                         {"root": "12", "code": "exit 7", "signal": "signal 9",
                          "daemon": "started", "absent": "No such file or directory",
                          "detached": "Operation not supported", "offline": "1",
                          "outside": "outside", "limit": "timed out"})
        left = host.run(["pgrep", "--full", "sleep 4711"], check=False).stdout
        self.assertEqual(left, "", "what it left behind ended with it")

    def build_prober(self):
        from agent import compile_module
        out = os.path.join(self.work, "inside.so")
        compile_module("inside.c", out)
        return out

    def test_folders_that_are_none(self):
        for folder in ("/no/such/folder", self.given):
            done = self.machine.run("--root", folder)
            self.assert_code(done, EXIT_USAGE)
            self.assertIn("there is no folder", done.err)
        self.assert_code(self.machine.run("--root", self.image, "--boot"), EXIT_USAGE)

    def test_the_machine_itself_by_a_long_name(self):
        self.assert_run(EXIT_STEP, "--root", "/proc/self/root")
        self.assertEqual(self.machine.step()["exit_code"], 9)


if __name__ == "__main__":
    unittest.main()
