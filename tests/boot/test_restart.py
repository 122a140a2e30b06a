#!/usr/bin/python3
"""A step that asks for a restart, and what is undone at shutdown while the network is there."""

import unittest

from boottest import BootTest

# Its step asks for a restart the first time; the steps behind it are done in the next boot.
KERNEL = """\
#!/bin/sh
case $1 in
describe)
    echo '{"interface": 1, "name": "kernel", "version": "1", "summary": "Wants a restart.",
           "keys": ["kernel"], "order": 100}' ;;
run)
    echo kernel >>/root/ran
    echo '{"status": "changed", "reboot": true}' >&3 ;;
esac
"""

# What it does at shutdown needs the network: it asks the service once more.
NAME = """\
#!/bin/bash
case $1 in
describe)
    echo '{"interface": 1, "name": "name", "version": "1", "summary": "Is undone.",
           "keys": ["name"], "order": 50, "frequency": "per-boot", "repeatable": true,
           "stop": true}' ;;
run)
    echo registered >>/root/ran
    echo '{"status": "changed"}' >&3 ;;
stop)
    if exec 4<>/dev/tcp/169.254.169.254/80; then
        echo "undone $(grep -c '"name":{"zone":"blue"}')" >>/root/ran
    fi
    echo '{"status": "changed"}' >&3 ;;
esac
"""

USER_DATA = """\
#cloud-config
name: {zone: blue}
kernel: true
runcmd: ["echo script >>/root/ran"]
"""


class Restart(BootTest):
    def test_the_run_goes_on_behind_a_restart(self):
        one = self.machine(USER_DATA)
        one.write_file(f"{one.image.modules}/kernel", KERNEL, 0o755)
        one.write_file(f"{one.image.modules}/name", NAME, 0o755)
        one.boot()
        one.expect_reboot()
        self.assert_booted_well(one)
        status = self.assert_ends(one, "done")
        self.assertEqual([(step["name"], step["status"]) for step in self.wishes(status)],
                         [("name", "done"), ("kernel", "done"), ("runcmd", "done")])
        expected = ["registered", "kernel", "undone 1", "registered", "script"]
        self.assert_lines(one, "/root/ran", expected)

        with self.subTest("a later reboot runs nothing of it again"):
            one.reboot()
            self.assert_booted_well(one)
            self.assert_ends(one, "done")
            self.assert_lines(one, "/root/ran", [*expected, "undone 1", "registered"])


class Power(BootTest):
    def test_a_machine_that_does_its_work_and_goes(self):
        one = self.machine("#cloud-config\nruncmd: ['echo work >>/root/ran']\n"
                           "power_state: {mode: reboot, message: Done.}\n")
        one.boot()
        one.expect_reboot()
        self.assert_booted_well(one)
        status = self.assert_ends(one, "done")
        self.assertEqual([(step["name"], step["status"]) for step in self.wishes(status)],
                         [("runcmd", "done"), ("power", "done")])
        self.assert_lines(one, "/root/ran", ["work"])


if __name__ == "__main__":
    unittest.main()
