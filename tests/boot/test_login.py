#!/usr/bin/python3
"""Logins by the instance's key, whatever becomes of the user-data; host keys of each machine's own.
"""

import tempfile
import unittest
from pathlib import Path

from boottest import BootTest
import host
import network as networks

BROKEN = "#cloud-config\nruncmd: [a, b\n"
FAILING = "#cloud-config\nruncmd: [exit 3]\nruncmd_stop_on_error: true\n"


GIVEN = """\
#cloud-config
ssh_keys:
  ed25519_private: |
    {key}
"""


class Login(BootTest):
    seen = set()  # host keys of all machines here

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.key = Path(folder.name) / "key"
        host.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "holder", "-f", self.key])

    def machine_with_key(self, user_data, **options):
        one = self.machine(**options)
        one.set_metadata(user_data=user_data.encode(),
                         public_key=self.key.with_suffix(".pub").read_text())
        # As an image that was sealed: it has no host keys.
        host.run(["sh", "-c", f"rm -f {one.root}/etc/ssh/ssh_host_*"])
        return one

    def ssh(self, one, user, *argv, check=True):
        return one.ssh(argv, key=self.key, user=user, check=check)

    def assert_own_key(self, one):
        """sshd started with an ed25519 key that no other machine here has, nor the image."""
        key = one.read_file("/etc/ssh/ssh_host_ed25519_key.pub").split()[1]
        self.assertNotIn(key, self.seen)
        self.seen.add(key)
        made = one.run(["stat", "-c", "%.Y", "/etc/ssh/ssh_host_ed25519_key"]).stdout
        began = one.run(["date", "+%s.%N", "--date", one.run(
            ["systemctl", "show", "--property=ExecMainStartTimestamp", "--value",
             "--timestamp=us", "ssh.service"]).stdout.strip()]).stdout
        self.assertLess(float(made), float(began))

    def offered(self, one):
        """The types and keys that sshd offers."""
        said = one.network.run(["ssh-keyscan", "-T", "5", "-t", "ed25519,ecdsa,rsa",
                                networks.MACHINE_ADDRESS], limit=20).stdout
        return {tuple(line.split()[1:3]) for line in said.splitlines() if line[0] != "#"}

    def host_keys(self, one):
        return {one.read_file(f"/etc/ssh/ssh_host_{kind}_key.pub").split()[1]
                for kind in ("ed25519", "ecdsa", "rsa")}

    def test_where_a_later_step_fails(self):
        one = self.machine_with_key(FAILING)
        one.boot()
        self.assert_ends(one, "failed")
        self.assert_own_key(one)
        self.assertEqual(self.ssh(one, "admin", "id", "-un").stdout, "admin\n")
        refused = self.ssh(one, "root", "id", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn('login as the user "admin" rather than the user "root"',
                      refused.stdout + refused.stderr)

        with self.subTest("sshd started with the first key, and is told of those that take time"):
            self.assertNotIn("no hostkeys available", one.journal())
            host.wait_until("all host keys", lambda: one.has_file("/etc/ssh/ssh_host_rsa_key.pub"),
                            limit=20)
            mark = "-----END SSH HOST KEY FINGERPRINTS-----"
            host.wait_until("fingerprints", lambda: mark in one.console.text(), limit=10)
            shown = one.console.text().partition("-----BEGIN SSH HOST KEY FINGERPRINTS-----")[2]
            for kind in ("ED25519", "ECDSA", "RSA"):
                self.assertRegex(shown.partition(mark)[0], rf"SHA256:\S+ .*\({kind}\)")

        with self.subTest("a reboot changes none of them"):
            before = self.host_keys(one)
            one.reboot()
            one.wait_for_bootlace(30)
            self.assert_no_cycle(one)
            self.assertEqual(self.host_keys(one), before)
            self.assertEqual(one.console.text().count(mark), 1)
            self.assertEqual(self.ssh(one, "admin", "id", "-un").stdout, "admin\n")

    def test_where_the_user_data_cannot_be_read(self):
        one = self.machine_with_key(BROKEN, instance_id="i-0fedcba9876543210")
        one.boot()
        status = one.wait_for_bootlace(30)
        self.assertEqual(status["status"], "failed")
        self.assertEqual(self.ssh(one, "admin", "id", "-un").stdout, "admin\n")
        self.assert_own_key(one)

    def test_host_keys_that_are_given(self):
        """In an image that was never sealed: sshd, which runs by then, offers these alone."""
        path = self.key.with_name("given")
        host.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path])
        user_data = GIVEN.format(key=path.read_text().strip().replace("\n", "\n    "))
        one = self.machine(user_data=user_data.encode(), instance_id="i-0c0ffee0c0ffee012")
        self.boot(one)
        self.assert_ends(one, "done")
        given = tuple(path.with_suffix(".pub").read_text().split()[:2])
        host.wait_until("the key that was given", lambda: self.offered(one) == {given}, limit=15)
        shown = host.run(["ssh-keygen", "-l", "-f", path]).stdout.split()[1]
        host.wait_until("its fingerprint", lambda: shown in one.console.text(), limit=10)
        for line in path.read_text().splitlines()[1:-1]:
            self.assertNotIn(line, one.console.text() + one.journal())


if __name__ == "__main__":
    unittest.main()
