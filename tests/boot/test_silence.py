#!/usr/bin/python3
"""The metadata service missing, late or silent: the boot goes on, and nothing runs twice."""

import time
import unittest

from boottest import BootTest

NOTE_RUN = "#!/bin/sh\necho ran >>/root/ran\n"
NOTE_EVERY_RUN = "<script>echo ran >>/root/ran</script><persist>true</persist>"

WAIT = 6
CONFIGURATION = f"bootlace:\n  metadata:\n    wait: {WAIT}\n"


class Silence(BootTest):
    def machine_with_limit(self, user_data):
        """A machine that waits for the service only for WAIT seconds."""
        one = self.machine(user_data)
        one.write_file("/etc/bootlace/config.d/50-wait.yaml", CONFIGURATION)
        return one

    def assert_boot_not_held_up(self, one, state="degraded"):
        """Everything is up and sshd serves while bootlace still waits; then it gives up in time."""
        start = time.monotonic()
        self.assert_booted_well(one)
        self.assertTrue(one.is_active("multi-user.target"))
        self.assertTrue(one.is_active("ssh.service"))
        self.assertEqual(one.status()["status"], "running")
        self.assertLess(time.monotonic() - start, WAIT)
        status = self.assert_ends(one, state, limit=WAIT + 10)
        self.assertLess(time.monotonic() - start, WAIT + 4)
        return status

    def test_silent_at_the_second_boot(self):
        one = self.machine_with_limit(NOTE_RUN)
        self.boot(one)
        self.assert_ends(one, "done")
        one.network.silent()
        one.reboot()
        self.assert_boot_not_held_up(one)
        self.assert_lines(one, "/root/ran", ["ran"])

        with self.subTest("and back at the third: still the same instance"):
            one.network.answer()
            one.reboot()
            self.assert_booted_well(one)
            self.assert_ends(one, "done")
            self.assert_lines(one, "/root/ran", ["ran"])

    def test_the_same_machine_goes_on_from_its_record(self):
        one = self.machine_with_limit(NOTE_EVERY_RUN)
        self.boot(one)
        self.assert_ends(one, "done")
        one.network.silent()
        one.reboot()
        self.assert_boot_not_held_up(one)
        self.assert_lines(one, "/root/ran", ["ran", "ran"])

    def test_another_machine_does_not_go_on_from_the_record(self):
        one = self.machine_with_limit(NOTE_EVERY_RUN)
        self.boot(one)
        self.assert_ends(one, "done")
        one.network.silent()
        one.set_hypervisor_uuid("ec2fffff-0001-0002-0003-000000000000")
        one.reboot()
        status = self.assert_boot_not_held_up(one, "failed")
        self.assertEqual(status["exit_code"], 4, status)
        self.assert_lines(one, "/root/ran", ["ran"])

    def test_silent_at_the_first_boot(self):
        one = self.machine_with_limit(NOTE_RUN)
        one.network.silent()
        one.boot()
        status = self.assert_boot_not_held_up(one, "failed")
        self.assertEqual(status["exit_code"], 4, status)
        self.assert_lines(one, "/root/ran", [])

    def test_answering_only_ten_seconds_after_boot(self):
        one = self.machine("#!/bin/sh\ncat /proc/uptime >/root/uptime\n")
        one.network.silent()
        one.boot()
        start = time.monotonic()
        self.assert_booted_well(one)
        self.assertEqual(one.status()["status"], "running")
        time.sleep(max(0, start + 10 - time.monotonic()))
        answers = float(one.read_file("/proc/uptime").split()[0])
        one.network.answer()
        self.assert_ends(one, "done")
        # One request may be under way for its second, and the next one a pause away.
        self.assertLess(float(one.read_file("/root/uptime").split()[0]) - answers, 4)


if __name__ == "__main__":
    unittest.main()
