#!/usr/bin/python3
"""A golden image in real machines: a builder is baked and sealed, two instances of it are launched
with different ids and user-data, and do only the difference.

BOOTLACE_BUILD names the build folder.
"""

import json
import unittest

from golden import GoldenTest, content
import imds_tree
import repositories

COMMON = f"""\
#cloud-config
users: [default, {{name: alice, ssh_authorized_keys: ["{imds_tree.login_key("alice").strip()}"]}}]
packages: [good]
package_upgrade: true
write_files:
- {{path: /etc/common, content: "common\\n"}}
services:
- name: app
  unit: "[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n"
  enabled: true
  state: started
runcmd: ["echo common >>/root/ran"]
"""

MORE = """\
#cloud-config
packages: [good, provider]
write_files:
- {path: /etc/more, content: "more\\n"}
runcmd: ["echo more >>/root/ran"]
"""

SECRETS = ("/etc/ssh/ssh_host_*_key", "/etc/machine-id", "/var/lib/systemd/random-seed",
           "/root/.ssh/authorized_keys")


class Golden(GoldenTest):
    def command(self, one, *arguments, code=0, **how):
        done = one.run([one.image.program, *arguments], check=False, limit=90, **how)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def actions(self, one):
        plan = json.loads(self.command(one, "plan", "--format", "json"))
        return {step["name"]: step["action"] for step in plan["steps"]
                if step["name"] in ("packages", "write-files", "services", "runcmd")}

    def items(self, status, name):
        [step] = [step for step in status["steps"] if step["name"] == name]
        return {item["item"]: item["status"] for item in step.get("items", [])}

    @staticmethod
    def keys(one, home):
        """The names of the keys that log in as the user of a home."""
        text = one.read_file(f"{home}/.ssh/authorized_keys")
        return [line.split()[-1] for line in text.splitlines()]

    def bake(self):
        """A builder that was baked and sealed, and is off."""
        builder = self.machine(instance_id="i-0b")
        builder.use_repository(repositories.made() / "apt")
        builder.set_metadata(instance_id="i-0b", key_name="builder")
        builder.boot()
        self.assert_ends(builder, "done")
        builder.write_file("/root/common.yaml", COMMON)
        said = json.loads(self.command(builder, "bake", "--user-data", "/root/common.yaml",
                                       "--format", "json"))
        self.assertEqual({step["name"]: step.get("left", step["status"])
                          for step in said["steps"]
                          if step["name"] != "write-files-deferred"},
                         {"packages": "done", "write-files": "done",
                          "users": "the metadata's keys, for each instance",
                          "services": "the state of services, where they run",
                          "runcmd": "skipped"})
        self.assertEqual(self.items(said, "packages")["good"], "changed")
        self.assertEqual(self.items(said, "write-files"), {"/etc/common": "changed"})
        # Nothing was started on the builder, though its unit is enabled.
        self.assertFalse(builder.is_active("app.service"))
        # What somebody changes after the bake stays so.
        builder.write_file("/etc/common", "changed by hand\n")
        self.command(builder, "seal", "--poweroff")
        self.power_off_by_itself(builder)
        return builder

    def start(self, builder, name, instance_id, user_data):
        one = self.launch(builder)
        one.use_repository(repositories.made() / "apt")
        one.set_metadata(instance_id=instance_id, key_name=name, hostname=f"{name}.example.org",
                         user_data=user_data and user_data.encode())
        one.boot()
        return one, self.assert_ends(one, "done")

    def test_two_instances_do_the_difference(self):
        builder = self.bake()
        plain, of_plain = self.start(builder, "plain", "i-01", None)
        more, of_more = self.start(builder, "more", "i-02", MORE)

        with self.subTest("without user-data, what was left is done"):
            self.assertEqual(self.actions(plain), {"packages": "baked", "write-files": "baked",
                                                   "services": "skip", "runcmd": "skip"})
            self.assertEqual([self.items(of_plain, name) for name in ("packages", "write-files")],
                             [{}, {}])
            self.assert_lines(plain, "/root/ran", ["common"])
            self.assertTrue(plain.is_active("app.service"))

        with self.subTest("with more of it, only that beside it"):
            self.assertEqual(self.items(of_more, "packages"), {"package lists": "changed",
                                                               "provider": "changed"})
            self.assertEqual(self.items(of_more, "write-files"), {"/etc/more": "changed"})
            self.assert_lines(more, "/root/ran", ["common", "more"])
            self.assertTrue(more.is_active("app.service"))

        with self.subTest("accounts are there, with their own keys and those of the instance"):
            for one, name in ((plain, "plain"), (more, "more")):
                self.assertEqual(self.keys(one, "/home/alice"), ["alice"])
                self.assertEqual(self.keys(one, "/home/admin"), [name])

        with self.subTest("what was changed after the bake is as it was left"):
            for one in (plain, more):
                self.assert_lines(one, "/etc/common", ["changed by hand"])

        with self.subTest("a second boot does nothing more"):
            plain.reboot()
            self.assert_ends(plain, "done")
            self.assert_lines(plain, "/root/ran", ["common"])
            self.assertEqual(self.actions(plain)["packages"], "baked")

        with self.subTest("they share nothing"):
            for one in (plain, more):
                one.power_off()
            self.assertEqual(set(content(plain, *SECRETS).values()) &
                             set(content(more, *SECRETS).values()), set())


if __name__ == "__main__":
    unittest.main()
