#!/usr/bin/python3
"""host-keys: keys of another machine go, this one's are made by the tree's ssh-keygen.

BOOTLACE_BUILD names the build folder.
"""

import os
import unittest

from test_users import UsersTest
from agent import AgentTest, EXIT_INPUT
from test_manual import Page

MACHINE, OTHER = "ec2e1916-9099-7caf-fd21-012345abcdef", "ec2e1916-9099-7caf-fd21-fedcba543210"
KEY = "etc/ssh/ssh_host_{}_key"
ED25519 = KEY.format("ed25519")


class HostKeys(UsersTest):
    module = "host-keys"

    def setUp(self):
        super().setUp()
        for name in self.there():
            os.unlink(self.path(f"etc/ssh/{name}"))

    def there(self):
        return sorted(name for name in os.listdir(self.path("etc/ssh"))
                      if name.startswith("ssh_host_"))

    def early(self, status, settings=None, machine=MACHINE, **how):
        return self.take(status, settings, stage="early", machine=machine, **how)

    def test_one_at_once_and_only_one(self):
        self.early("changed")
        self.assertEqual(self.there(), ["ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"])
        self.assertEqual((self.mode(ED25519), self.mode(ED25519 + ".pub")), (0o600, 0o644))
        self.copy.run(["ssh-keygen", "-l", "-f", "/" + ED25519])
        before = self.bytes(ED25519)
        self.early("unchanged")
        self.take("unchanged", {"ssh_genkeytypes": ["ed25519"], "no_ssh_fingerprints": True},
                  machine=MACHINE)
        self.early("unchanged")
        self.assertEqual(self.bytes(ED25519), before)

    def test_keys_of_another_machine_go(self):
        self.early("changed", machine=OTHER)
        self.put(KEY.format("rsa"), "old\n", 0o600)
        before = self.bytes(ED25519)
        called = self.early("changed")
        self.assertEqual(called.item("/" + KEY.format("rsa"))["message"], "was another machine's")
        self.assertNotEqual(self.bytes(ED25519), before)
        self.assertFalse(self.exists(KEY.format("rsa")))

    def test_keys_of_an_image_that_was_never_sealed(self):
        self.put(ED25519, "old\n", 0o600)
        self.early("changed")
        self.assertNotEqual(self.bytes(ED25519), b"old\n")

    def test_without_the_early_stage(self):
        self.put(KEY.format("rsa"), "old\n", 0o600)
        settings = {"ssh_genkeytypes": ["ed25519"], "no_ssh_fingerprints": True}
        self.take("changed", settings, metadata={"instance-id": "i-1"})
        self.assertEqual(len(self.there()), 2)
        before = self.bytes(ED25519)
        self.take("unchanged", settings, metadata={"instance-id": "i-1"})
        self.assertEqual(self.bytes(ED25519), before)
        self.take("changed", settings, metadata={"instance-id": "i-2"})
        self.assertNotEqual(self.bytes(ED25519), before)

    def test_they_may_stay(self):
        self.put(ED25519, "old\n", 0o600)
        self.early("unchanged", {"ssh_deletekeys": False})
        self.assertEqual(self.bytes(ED25519), b"old\n")

    def test_a_machine_that_is_not_known_deletes_nothing(self):
        self.put(ED25519, "old\n", 0o600)
        self.early("unchanged", machine=None)
        self.assertEqual(self.bytes(ED25519), b"old\n")

    def test_keys_of_ones_own(self):
        self.early("changed")
        self.copy.run(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", "/tmp/given"])
        private, public = self.text("tmp/given"), self.text("tmp/given.pub")
        settings = {"ssh_keys": {"rsa_private": private.rstrip("\n"), "rsa_public": public,
                                 "rsa_certificate": "ssh-rsa-cert-v01@openssh.com AAAA"},
                    "no_ssh_fingerprints": True}
        called = self.take("changed", settings)
        self.assertNotIn(private.split("\n")[2], repr(called))
        self.assertEqual(self.there(), ["ssh_host_rsa_key", "ssh_host_rsa_key-cert.pub",
                                        "ssh_host_rsa_key.pub"])
        self.assertEqual(self.text(KEY.format("rsa")), private)
        self.assertEqual(self.mode(KEY.format("rsa")), 0o600)
        self.assertEqual(self.text("etc/ssh/sshd_config.d/11-bootlace-certificates.conf"),
                         "HostCertificate /etc/ssh/ssh_host_rsa_key-cert.pub\n")
        self.take("unchanged", settings)

    def test_sshd_never_starts_without_any(self):
        """Where the quick one is not wanted, or cannot be made, another is there at once."""
        self.early("changed", {"ssh_genkeytypes": ["ecdsa"]})
        self.assertEqual(self.there(), ["ssh_host_ecdsa_key", "ssh_host_ecdsa_key.pub"])
        self.early("changed", {"ssh_genkeytypes": ["rsa"]}, machine=OTHER)
        self.assertEqual(self.there(), ["ssh_host_rsa_key", "ssh_host_rsa_key.pub"])
        with self.subTest("as with FIPS"):
            real = self.copy.path("/usr/bin/ssh-keygen")
            real.rename(real.with_name("real-keygen"))
            self.copy.put("/usr/bin/ssh-keygen", "#!/bin/sh\ncase $* in *ed25519*) exit 7 ;; esac\n"
                          'exec /usr/bin/real-keygen "$@"\n', 0o755)
            self.early("failed")
            self.assertEqual(self.there(), ["ssh_host_ecdsa_key", "ssh_host_ecdsa_key.pub"])

    def test_keys_of_ones_own_are_put_once(self):
        self.copy.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", "/tmp/given"])
        private, public = self.text("tmp/given"), self.text("tmp/given.pub")
        settings = {"ssh_keys": {"ed25519_private": private}, "no_ssh_fingerprints": True}
        with self.subTest("an image's, before sshd starts; the public one is made of it"):
            self.early("changed", settings)
            self.assertEqual(self.text(ED25519), private)
            self.assertEqual(self.text(ED25519 + ".pub").split()[:2], public.split()[:2])
        self.take("unchanged", settings, machine=MACHINE)
        with self.subTest("who changes one later has a reason"):
            self.put(ED25519, "mine\n", 0o600)
            self.put(ED25519 + ".pub", "mine\n")
            self.early("unchanged", settings)
            self.take("unchanged", settings, machine=MACHINE)
            self.assertEqual(self.text(ED25519), "mine\n")
        with self.subTest("another instance"):
            self.early("changed", settings, machine=OTHER)
            self.assertEqual(self.text(ED25519), private)
        with self.subTest("one that is none: sshd has another, and nothing is shown of it"):
            called = self.take("failed", {"ssh_keys": {"rsa_private": "bm8ga2V5"}}, machine=OTHER)
            self.assertIn("is no private key", called.message)
            self.assertNotIn("bm8ga2V5", repr(called))
            self.assertEqual(self.there(), ["ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"])

    def test_dry_run(self):
        self.early("changed", dry_run=True)
        self.assertEqual(self.there(), [])


class Settings(AgentTest):
    def test_values_that_are_wrong(self):
        for text in ("ssh_genkeytypes: [x25519]", "ssh_keys: {key: x}", "ssh_keys: {}",
                     "ssh_genkeytypes: rsa"):
            with self.subTest(text):
                path = self.machine.put("given", f"#cloud-config\n{text}\n")
                self.assertIn(self.machine.agent("validate", "--strict", path).code,
                              (EXIT_INPUT, 1), text)

    def test_the_page(self):
        blocks = Page("bootlace-host-keys.7").blocks("EXAMPLES")
        self.assertTrue(blocks)
        for _comment, text in blocks:
            path = self.machine.put("given", "#cloud-config\n" + text)
            self.assert_code(self.machine.agent("validate", "--strict", path), 0)


if __name__ == "__main__":
    unittest.main()
