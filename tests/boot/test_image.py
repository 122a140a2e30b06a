#!/usr/bin/python3
"""What an image brings along: units in the right place, a seed, modules, and reasons to keep
still."""

import unittest

from boottest import BootTest

NOTE_RUN = "#!/bin/sh\necho ran >>/root/ran\n"

# A module in another language; the early unit runs it, because it says so itself.
EARLY_MODULE = """\
#!/bin/sh
case $1 in
describe)
    echo '{"interface": 1, "name": "early-note", "version": "1", "summary": "Notes sshd.",
           "keys": [], "types": [], "frequency": "per-boot", "stage": "early"}' ;;
run)
    systemctl is-active ssh.service ssh.socket systemd-networkd.service | grep -c '^active$' \\
        >>/root/active-at-early
    echo '{"status": "changed"}' >&3 ;;
esac
"""

HANGING_MODULE = EARLY_MODULE.replace("run)\n", "run)\n    sleep 1000\n")

# cloud-init tells its units by a generator that it is active: before any unit has started.
CLOUD_INIT_GENERATOR = "#!/bin/sh\nmkdir -p /run/cloud-init\n: >/run/cloud-init/enabled\n"

# As cloud-init is on Ubuntu: it wants the network before sysinit.target.
NETWORK_BEFORE_SYSINIT = """\
[Unit]
DefaultDependencies=no
Wants=systemd-networkd.service
After=systemd-networkd.service
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
"""


class Units(BootTest):
    def test_units_are_well_formed_and_make_no_cycle(self):
        one = self.machine(NOTE_RUN)
        name = "network-before-sysinit.service"
        one.write_file(f"/etc/systemd/system/{name}", NETWORK_BEFORE_SYSINIT)
        one.link(f"/etc/systemd/system/sysinit.target.wants/{name}", f"../{name}")
        self.boot(one)
        self.assertTrue(one.is_active(name))
        self.assert_ends(one, "done")
        verified = one.run(["systemd-analyze", "verify", "--man=no", "bootlace-early.service",
                            "bootlace.service", "bootlace-shutdown.service",
                            "default.target"], check=False)
        self.assertEqual((verified.returncode, verified.stdout, verified.stderr), (0, "", ""))

    def test_an_early_module_runs_before_sshd_and_the_network(self):
        one = self.machine()
        one.write_file(f"{one.image.modules}/early-note", EARLY_MODULE, 0o755)
        self.boot(one)
        self.assert_ends(one, "done")
        self.assertTrue(one.is_active("ssh.service"))
        self.assert_lines(one, "/root/active-at-early", ["0"])

    def test_a_hanging_early_module_keeps_nobody_out(self):
        one = self.machine(NOTE_RUN)
        one.write_file(f"{one.image.modules}/early-note", HANGING_MODULE, 0o755)
        one.write_file("/etc/systemd/system/bootlace-early.service.d/limit.conf",
                       "[Service]\nTimeoutStartSec=2s\n")
        one.boot()
        one.wait_for_unit("ssh.service", limit=15)
        self.assertEqual(one.wait_booted(), "degraded")
        self.assert_ends(one, "failed")
        self.assert_lines(one, "/root/active-at-early", [])
        self.assert_lines(one, "/root/ran", ["ran"])


class Seed(BootTest):
    def test_a_baked_seed_needs_no_service(self):
        for folder in ("/var/lib/bootlace/seed", "/var/lib/cloud/seed/nocloud"):
            with self.subTest(folder):
                one = self.machine()
                one.network.refuse()
                one.set_hypervisor_uuid(None)
                one.write_file(f"{folder}/user-data", NOTE_RUN)
                one.write_file(f"{folder}/meta-data", "instance-id: seeded-1\n")
                self.boot(one)
                status = self.assert_ends(one, "done", limit=20)
                self.assertEqual((status["instance_id"], status["source"]), ("seeded-1", "seed"))
                self.assert_lines(one, "/root/ran", ["ran"])


class KeepsStill(BootTest):
    def assert_still(self, one, reason):
        """Nothing ran, nothing was asked, and the status says why."""
        self.boot(one)
        status = one.wait_for_bootlace(10)
        self.assertEqual(status["status"], "not started", status)
        self.assertIn(reason, status["message"])
        self.assert_lines(one, "/root/ran", [])
        self.assertEqual(one.network.requests(), [])

    def test_by_the_kernel_command_line(self):
        one = self.machine(NOTE_RUN)
        one.set_kernel_command_line("console=ttyS0 bootlace=off quiet")
        self.assert_still(one, "bootlace=off")

    def test_where_cloud_init_is_active(self):
        one = self.machine(NOTE_RUN)
        one.write_file("/etc/systemd/system-generators/cloud-init", CLOUD_INIT_GENERATOR, 0o755)
        self.assert_still(one, "cloud-init")


if __name__ == "__main__":
    unittest.main()
