#!/usr/bin/python3
"""A launched instance becomes what its user-data says: once an instance, whatever the boots."""

import unittest

from boottest import BootTest
import host

NOTE_RUN = '#!/bin/sh\necho "$BOOTLACE_INSTANCE_ID" >>/root/ran\n'

FIRST = "i-0a1b2c3d4e5f60718"
SECOND = "i-00000000000000002"


class FirstBoot(BootTest):
    def test_a_script_runs_once_an_instance(self):
        one = self.machine(NOTE_RUN, instance_id=FIRST)
        self.boot(one)
        status = self.assert_ends(one, "done")
        self.assertEqual(status["instance_id"], FIRST)
        self.assertEqual(status["source"], "ec2")
        self.assertEqual([(step["name"], step["module"], step["status"], step["exit_code"])
                          for step in self.wishes(status)], [("user-data", "script", "done", 0)])
        self.assert_lines(one, "/root/ran", [FIRST])
        # Two of them for the key that lets its holder in.
        self.assertLessEqual(len(one.network.requests()), 7, one.network.requests())

        with self.subTest("a reboot does not run it again"):
            one.network.forget_requests()
            one.reboot()
            self.assert_booted_well(one)
            self.assert_ends(one, "done")
            self.assert_lines(one, "/root/ran", [FIRST])
            self.assertLessEqual(len(one.network.requests()), 2, one.network.requests())

        with self.subTest("nor does a power cut after it"):
            one.cut_power()
            self.boot(one)
            self.assert_ends(one, "done")
            self.assert_lines(one, "/root/ran", [FIRST])

        with self.subTest("a changed instance-id does: an image launched again"):
            one.set_metadata(instance_id=SECOND, user_data=NOTE_RUN.encode())
            one.reboot()
            self.assert_booted_well(one)
            self.assertEqual(self.assert_ends(one, "done")["instance_id"], SECOND)
            self.assert_lines(one, "/root/ran", [FIRST, SECOND])

    def test_persist_runs_at_every_boot(self):
        one = self.machine("<script>\necho again >>/root/ran\n</script>\n"
                           "<persist>true</persist>\n")
        self.boot(one)
        status = self.assert_ends(one, "done")
        self.assertEqual([step["name"] for step in self.wishes(status)], ["script"])
        self.assert_lines(one, "/root/ran", ["again"])
        one.reboot()
        self.assert_booted_well(one)
        self.assert_ends(one, "done")
        self.assert_lines(one, "/root/ran", ["again", "again"])

    def test_no_user_data(self):
        one = self.machine(service_options=["--mode", "v2"])
        self.boot(one)
        status = self.assert_ends(one, "done")
        self.assertEqual((self.wishes(status), status["errors"]), ([], []))
        self.assertTrue(one.is_active("bootlace.service"))

    def test_output_and_its_rights(self):
        one = self.machine("#!/bin/sh\necho hear me\necho me too >&2\n")
        self.boot(one)
        status = self.assert_ends(one, "done")
        self.assertIn("me too", str(self.wishes(status)[0]["output"]))
        log = one.read_file("/var/log/bootlace-output.log")
        self.assertIn("hear me", log)
        self.assertIn("me too", log)
        # These two get there by way of journald, in its own time.
        for name, text in (("console", one.console.text),
                           ("journal", lambda: one.journal("--unit=bootlace.service"))):
            host.wait_until(f"the output is in the {name}", lambda: "hear me" in text(), limit=5)
        modes = one.run(["stat", "--format=%a %U:%G", "/var/log/bootlace-output.log",
                         "/var/lib/bootlace", "/run/bootlace/status.json"]).stdout
        self.assertEqual(modes.splitlines(), ["640 root:adm", "700 root:root", "644 root:root"])


if __name__ == "__main__":
    unittest.main()
