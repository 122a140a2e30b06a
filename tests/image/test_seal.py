#!/usr/bin/python3
"""A machine that is sealed while it runs: its image carries nothing of it, and two machines that
are launched from the image share nothing.

BOOTLACE_BUILD names the build folder.
"""

import json
import unittest

from golden import GoldenTest, content
import imds_tree

# What is written when the machine goes down, as a shell, a log daemon and systemd do it.
LATE_WRITER = """\
[Unit]
Description=Writes when the machine goes down
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sh -c 'echo late >/root/.bash_history; echo late >/var/log/late.log; \
    head -c 32 /dev/urandom >/var/lib/systemd/random-seed; echo late >/var/lib/dhcp/x.leases; \
    echo late >/tmp/late'
"""

NOTE_RUN = '#!/bin/sh\necho "$BOOTLACE_INSTANCE_ID" >>/root/ran\n'
IDENTITY = ("/etc/machine-id", "/var/lib/dbus/machine-id", "/etc/ssh/ssh_host_*_key",
            "/var/lib/systemd/random-seed", "/var/lib/systemd/credential.secret",
            "/etc/hostname", "/root/.ssh/authorized_keys")
EXIT_USAGE = 2
OWN_KEY = imds_tree.login_key("admin")
SAME_ID = "i-0a1b2c3d4e5f60718"


class Seal(GoldenTest):
    @staticmethod
    def give(one, name, instance_id):
        one.set_metadata(instance_id=instance_id, user_data=NOTE_RUN.encode(), key_name=name,
                         hostname=f"{name}.example.org")

    def test_a_builder_and_two_launches(self):
        builder = self.machine(instance_id=SAME_ID)
        self.give(builder, "builder", SAME_ID)
        builder.write_file("/etc/systemd/system/late.service", LATE_WRITER)
        builder.write_file("/var/lib/dhcp/keep", "")
        builder.write_file("/root/.ssh/authorized_keys", OWN_KEY, 0o600)
        builder.link("/etc/systemd/system/multi-user.target.wants/late.service",
                     "../late.service")
        builder.boot()
        self.assert_ends(builder, "done")
        builder.wait_for_unit("late.service")
        machine_id = builder.read_file("/etc/machine-id").strip()
        self.assertRegex(machine_id, "^[0-9a-f]{32}$")
        listed = builder.run([builder.image.program, "seal", "--dry-run", "--format", "json"])
        paths = {item["path"] for item in json.loads(listed.stdout)["items"]}
        self.assertLess({"/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key", "/etc/hostname",
                         f"/var/log/journal/{machine_id}",
                         f"/var/lib/bootlace/instances/{SAME_ID}"}, paths)
        with self.subTest("on a terminal it asks"):
            command = f"{builder.image.program} seal"
            asked = builder.run(["script", "-qec", command, "/dev/null"], input="n\n", check=False)
            self.assertIn("Go on? [y/N]", asked.stdout)
            self.assertEqual(asked.returncode, EXIT_USAGE, asked.stdout)
            self.assertTrue(builder.has_file("/etc/ssh/ssh_host_ed25519_key"))
        done = builder.run([builder.image.program, "seal", "--poweroff"])
        self.assertNotIn("warning", done.stderr)
        self.power_off_by_itself(builder)

        self.assertEqual(content(builder, "/root/.bash_history", "/tmp/*",
                                 "/var/lib/systemd/random-seed", "/var/lib/dhcp/*.leases",
                                 "/etc/ssh/ssh_host_*", "/var/log/journal/*/*",
                                 "/var/lib/bootlace/instances/*/*", "/etc/hostname"), {})
        self.assertEqual(content(builder, "/root/.ssh/authorized_keys"),
                         {"/root/.ssh/authorized_keys": OWN_KEY.encode()},
                         "the key that came from metadata is gone, the other one is not")
        logs = content(builder, "/var/log/**/*", "/etc/machine-id")
        self.assertIn("/var/log/late.log", logs)
        self.assertEqual({path for path, text in logs.items() if text}, set())
        self.assertEqual(content(builder, "/root/ran"), {"/root/ran": SAME_ID.encode() + b"\n"})

        with self.subTest("what is launched is new, with the same instance-id, too"):
            first, second = self.launch(builder), self.launch(builder)
            for one, name, instance_id in ((first, "one", SAME_ID), (second, "two", "i-2")):
                self.give(one, name, instance_id)
                self.boot(one)
                self.assert_ends(one, "done")
            self.assert_lines(first, "/root/ran", [SAME_ID, SAME_ID])
            self.assert_lines(second, "/root/ran", [SAME_ID, "i-2"])

        with self.subTest("sealed and restarted, a machine is a new one itself"):
            before = second.read_file("/etc/machine-id")
            second.run([second.image.program, "seal", "--reboot"])
            second.expect_reboot()
            self.assert_booted_well(second)
            self.assert_ends(second, "done")
            self.assert_lines(second, "/root/ran", [SAME_ID, "i-2", "i-2"])
            self.assertNotEqual(second.read_file("/etc/machine-id"), before)

        with self.subTest("and shares nothing"):
            for one in (first, second):
                one.power_off()
            of_first, of_second = content(first, *IDENTITY), content(second, *IDENTITY)
            self.assertIn("/etc/ssh/ssh_host_ed25519_key", of_first)
            self.assertRegex(of_first["/etc/machine-id"].decode(), "^[0-9a-f]{32}\n$")
            self.assertNotIn(machine_id.encode() + b"\n",
                             (of_first["/etc/machine-id"], of_second["/etc/machine-id"]))
            self.assertEqual(set(of_first.values()) & set(of_second.values()), set())
            for name, files in (("one", of_first), ("two", of_second)):
                keys = files["/root/.ssh/authorized_keys"].decode()
                self.assertIn(imds_tree.login_key(name).split()[1], keys)
                self.assertIn(OWN_KEY, keys)
                self.assertNotIn(imds_tree.login_key("builder").split()[1], keys)


if __name__ == "__main__":
    unittest.main()
