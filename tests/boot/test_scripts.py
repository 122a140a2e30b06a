#!/usr/bin/python3
"""What scripts do to a booting machine: they fail, handle services, and reboot it."""

import unittest

from boottest import BootTest
import host

# A unit that can only start once the boot is over, and one that wants to come after bootlace.
SERVICES = """\
#!/bin/bash
set -e
unit() {
    printf '%s\\n' '[Unit]' "$2" '[Service]' Type=oneshot RemainAfterExit=yes \\
        ExecStart=/bin/true '[Install]' WantedBy=multi-user.target \\
        >"/etc/systemd/system/$1.service"
}
unit after-boot 'After=multi-user.target'
unit after-bootlace 'After=bootlace.service'
unit needs-network $'Wants=network-online.target\\nAfter=network-online.target'
systemctl daemon-reload
for name in after-boot after-bootlace needs-network; do
    systemctl start "$name"
    systemctl restart "$name"
done
systemctl enable --now after-boot
systemctl restart ssh
hostnamectl hostname renamed
echo all done >/root/ran
"""

REBOOT = """\
#!/bin/sh
echo ran >>/root/ran
[ "$(wc -l </root/ran)" -lt 2 ] || exit 0
systemctl reboot
sleep 60
echo too late >>/root/ran
"""

RERUN = "bootlace:\n  modules:\n    script:\n      on_interrupt: rerun\n"


class Scripts(BootTest):
    def test_a_failing_script_keeps_nobody_out(self):
        one = self.machine("#!/bin/sh\necho ran >>/root/ran\necho the reason >&2\nexit 7\n")
        key = one.folder / "key"
        host.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
        one.write_file("/root/.ssh/authorized_keys", (one.folder / "key.pub").read_text(), 0o600)
        one.boot()
        one.wait_booted()
        status = self.assert_ends(one, "failed")
        step = self.wishes(status)[0]
        self.assertEqual((step["status"], step["exit_code"]), ("failed", 7))
        self.assertIn("the reason", str(step["output"]))
        self.assertEqual(one.run(["systemctl", "--failed", "--plain", "--no-legend"]).stdout
                         .split()[0], "bootlace.service")
        self.assertEqual(one.ssh(["cat", "/root/ran"], key=key).stdout, "ran\n")

        with self.subTest("it is the user's own script: not tried again at the next boot"):
            one.reboot()
            one.wait_booted()
            self.assert_ends(one, "failed")
            self.assert_lines(one, "/root/ran", ["ran"])

    def test_services_never_deadlock_with_the_boot(self):
        one = self.machine(SERVICES)
        self.boot(one)
        self.assert_ends(one, "done", limit=30)
        self.assert_lines(one, "/root/ran", ["all done"])
        self.assertEqual(one.read_file("/etc/hostname"), "renamed\n")
        one.reboot()
        self.assert_booted_well(one)
        self.assertTrue(one.is_active("after-boot.service"))

    def test_what_a_script_leaves_running_survives_it(self):
        one = self.machine("#!/bin/sh\nsleep 1000 >/dev/null 2>&1 &\n")
        self.boot(one)
        self.assert_ends(one, "done")
        self.assertNotEqual(one.run(["pgrep", "--full", "sleep 1000"], check=False).stdout, "")

    def test_a_script_that_reboots_is_cut_off(self):
        one = self.machine(REBOOT)
        one.boot()
        one.expect_reboot()
        one.wait_booted()
        status = one.wait_for_bootlace()
        self.assertEqual([step["status"] for step in self.wishes(status)], ["cut off"], status)
        self.assert_lines(one, "/root/ran", ["ran"])

    def test_a_script_that_reboots_is_run_again_if_told(self):
        one = self.machine(REBOOT)
        one.write_file("/etc/bootlace/config.d/50-rerun.yaml", RERUN)
        one.boot()
        one.expect_reboot()
        self.assert_booted_well(one)
        self.assert_ends(one, "done")
        self.assert_lines(one, "/root/ran", ["ran", "ran"])

    def test_a_power_cut_in_the_middle_is_a_cut_off(self):
        one = self.machine("#!/bin/sh\necho ran >>/root/ran\nsleep 60\n")
        one.boot()
        host.wait_until("the script runs", lambda: one.has_file("/root/ran"), limit=30)
        one.cut_power()
        one.boot()
        one.wait_booted()
        status = one.wait_for_bootlace()
        self.assertEqual([step["status"] for step in self.wishes(status)], ["cut off"], status)
        self.assert_lines(one, "/root/ran", ["ran"])


if __name__ == "__main__":
    unittest.main()
