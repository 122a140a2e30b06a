#!/usr/bin/python3
"""seal: what is a machine's alone is gone, everything else is as it was, and nobody is led astray.

BOOTLACE_BUILD names the build folder. The tree has one of everything that machines leave.
"""

import json
import os
import subprocess
import unittest

from agent import (AgentTest, EXIT_BUSY, EXIT_STEP, EXIT_USAGE, STATE, environment, needs_root,
                   said, shell_module)

PASSWD = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
games:x:5:60::/:/bin/sh
admin:x:1000:1000::/home/admin:/bin/bash
moved:x:1001:1001::/srv/people/moved/:/bin/sh
"""

# What is to be gone.
GONE = [
    f"{STATE}/modules.json", f"{STATE}/modules/secretive.json", f"{STATE}/modules/folder/a/b",
    "etc/ssh/ssh_host_rsa_key", "etc/ssh/ssh_host_ed25519_key.pub",
    "etc/ssh/ssh_host_ed25519_key-cert.pub", "etc/dropbear/dropbear_rsa_host_key",
    "var/lib/systemd/random-seed", "boot/efi/loader/random-seed",
    "var/lib/systemd/credential.secret", "var/lib/dhcp/dhclient.eth0.leases",
    "var/lib/NetworkManager/internal-1.lease", "var/lib/NetworkManager/secret_key",
    "var/lib/dhcpcd/duid", "var/lib/cloud/instances/i-1/user-data.txt", "var/lib/cloud/sem/x",
    "var/log/cloud-init-output.log", "root/.bash_history", "home/admin/.bash_history",
    "srv/people/moved/.zsh_history", "home/admin/.local/share/fish/fish_history",
    "var/cache/apt/archives/x_1_all.deb", "var/cache/apt/pkgcache.bin",
    "var/lib/apt/lists/partial/y", "var/cache/dnf/base/x.solv", "var/crash/core.1",
    "var/log/journal/0123/system.journal", "var/log/syslog.1", "var/log/app/deep/old.log.2.gz",
    "var/log/messages-20261127", "tmp/left", "tmp/.X11-unix/X0", "var/tmp/left",
    "etc/udev/rules.d/70-persistent-net.rules", "var/lib/dbus/machine-id",
]

# What is to be empty, and otherwise as it was.
EMPTY = ["etc/machine-id", "var/log/syslog", "var/log/wtmp", "var/log/app/own.log",
         "var/mail/root"]

# What is to stay.
STAYS = [
    "etc/os-release", "etc/passwd", "etc/hostname", "etc/ssh/sshd_config", "etc/ssh/ssh_host.txt",
    "etc/bootlace/config.yaml", f"{STATE}/seed/user-data", f"{STATE}/modules/of-the-tree.json",
    f"{STATE}/modules/of-the-tree/a", "root/.bashrc", "home/admin/.ssh/authorized_keys",
    "var/lib/cloud/seed/nocloud/user-data", "var/lib/cloud/scripts/per-boot/mine",
    "var/lib/dhcp/README", "var/cache/apt/archives/lock.d/x", "usr/share/doc/readme",
    "opt/data/.bash_history",
]


class Seal(AgentTest):
    def setUp(self):
        super().setUp()
        self.machine.own_modules()
        self.machine.put("etc/os-release", "ID=test\n")
        self.machine.config({})
        self.machine.put("etc/passwd", PASSWD)

    def fill(self):
        os.makedirs(self.machine.path(STATE), 0o700)
        for name in GONE + EMPTY + [name for name in STAYS if name != "etc/passwd"]:
            self.machine.put(name, f"content of {name}\n", 0o440)
        self.machine.add_module("of-the-tree", shell_module("of-the-tree", said("changed"),
                                                            tree_state=True))

    def seal(self, code=0, *options, **how):
        done = self.machine.agent("seal", *options, **how)
        self.assert_code(done, code)
        return done

    def test_what_is_the_machines_is_gone_and_nothing_else(self):
        self.fill()
        before = self.machine.tree()
        done = self.seal()
        for name in GONE:
            self.assertFalse(self.machine.exists(name), name)
        for name in EMPTY:
            self.assertEqual(self.machine.bytes(name), b"", name)
            self.assertEqual(self.machine.mode(name), 0o440, name)
        after = self.machine.tree()
        for name in STAYS:
            self.assertEqual(after[name], before[name], name)
        self.assertIn("removed  /etc/ssh/ssh_host_rsa_key (host keys)\n", done.text)
        self.assertIn("emptied  /etc/machine-id (machine id)\n", done.text)

        with self.subTest("folders stay where something is made in them later"):
            for name in ("tmp", "var/tmp", "var/log/journal", "var/lib/apt/lists", "var/log/app"):
                self.assertTrue(os.path.isdir(self.machine.path(name)), name)

        with self.subTest("once more there is nothing to do"):
            self.assertEqual(self.seal().text, "")
            self.assertEqual(self.seal(0, "--dry-run").text, "nothing to do\n")
            self.assertEqual(self.machine.tree(), after)

    def test_a_dry_run_lists_what_a_seal_does(self):
        self.fill()
        before = self.machine.tree()
        listed = self.seal(0, "--dry-run", "--format", "json").json()
        self.assertEqual(self.machine.tree(), before)
        done = self.seal(0, "--format", "json").json()
        self.assertEqual((listed["dry_run"], done["dry_run"]), (True, False))
        self.assertEqual([item["path"] for item in listed["items"]],
                         [item["path"] for item in done["items"]])
        self.assertEqual({(was["action"], now["action"]) for was, now in
                          zip(listed["items"], done["items"])},
                         {("remove", "removed"), ("empty", "emptied")})

    def test_links_lead_nowhere(self):
        for folder in ("home/admin/.local", "root", "var/log", "etc/ssh", "var/lib/cloud", "tmp"):
            os.makedirs(self.machine.path(folder), exist_ok=True)
        outside = os.path.join(self.work, "outside")
        os.makedirs(f"{outside}/share/fish")
        for name in ("share/fish/fish_history", "file", "x.gz"):
            with open(f"{outside}/{name}", "w", encoding="utf-8") as out:
                out.write("mine\n")
        link = lambda target, name: os.symlink(target, self.machine.path(name))  # noqa: E731
        os.rmdir(self.machine.path("home/admin/.local"))
        link(outside, "home/admin/.local")
        link(f"{outside}/file", "root/.bash_history")
        link(f"{outside}/file", "var/log/syslog")
        link(outside, "var/log/app")
        link(f"{outside}/file", "etc/ssh/ssh_host_rsa_key")
        link(outside, "var/lib/cloud/instances")
        link(outside, "tmp/x")
        os.link(f"{outside}/file", self.machine.path("var/log/hard"))
        self.seal()
        for name in ("share/fish/fish_history", "file", "x.gz"):
            with open(f"{outside}/{name}", encoding="utf-8") as content:
                self.assertEqual(content.read(), "mine\n", name)
        for name in ("root/.bash_history", "etc/ssh/ssh_host_rsa_key", "var/lib/cloud/instances",
                     "tmp/x", "var/log/hard"):
            self.assertFalse(self.machine.exists(name), f"the link itself: {name}")

    def test_links_of_the_tree_itself_are_followed_within_it(self):
        self.machine.put("data/log/syslog", "old\n")
        self.machine.put("data/homes/root/.bash_history", "old\n")
        os.rmdir(self.machine.path("var/log"))
        os.symlink("/data/log", self.machine.path("var/log"))
        os.symlink("/data/homes/root", self.machine.path("root"))
        self.seal()
        self.assertEqual(self.machine.bytes("data/log/syslog"), b"")
        self.assertFalse(self.machine.exists("data/homes/root/.bash_history"))

    def test_ids_that_say_that_there_is_none_stay(self):
        os.makedirs(self.machine.path("var/lib/dbus"))
        os.symlink("/etc/machine-id", self.machine.path("var/lib/dbus/machine-id"))
        for content in (b"", b"uninitialized\n"):
            self.machine.put("etc/machine-id", content)
            self.assertEqual(self.seal().text, "")
            self.assertEqual(self.machine.bytes("etc/machine-id"), content)
        self.assertTrue(self.machine.exists("var/lib/dbus/machine-id"), "a link to the other")

    def test_names_give_no_orders_to_a_terminal(self):
        self.machine.put("tmp/a\x1b[2J\nremoved", "x")
        self.assertEqual(self.seal(0, "--dry-run").text,
                         "remove   /tmp/a?[2J?removed (temporary files)\n")

    def test_a_sealed_machine_is_a_new_instance(self):
        self.machine.own_modules("script")
        self.machine.seed(f"#!/bin/sh\necho ran >>{self.mark}\n")
        self.assert_run()
        self.assert_run()
        self.assertEqual(self.marks(), ["ran"])
        self.seal()
        self.machine.reboot()
        self.assert_run(0, "--boot")
        self.assertEqual(self.marks(), ["ran", "ran"], "with the same instance-id")

    def test_what_is_done_once_stays_done_and_says_no_more(self):
        self.machine.own_modules("script")
        self.machine.add_module("first", shell_module(
            "first", f"echo secretive; echo ran >>{self.mark}; " + said("changed"),
            frequency="once"))
        self.machine.config({"first": True})
        self.machine.seed()
        self.assert_run()
        self.assertIn("secretive", self.machine.text(f"{STATE}/once"))
        done = self.seal()
        self.assertIn("reduced  /var/lib/bootlace/once", done.text)
        self.assertNotIn("secretive", self.machine.text(f"{STATE}/once"))
        self.assertNotIn("once", self.seal().text)
        self.machine.seed(instance_id="i-2")
        self.assert_run()
        self.assertEqual(self.marks(), ["ran"])


class Modules(AgentTest):
    def setUp(self):
        super().setUp()
        self.machine.own_modules()
        self.machine.put("etc/os-release", "ID=test\n")
        os.makedirs(self.machine.path(STATE), 0o700)
        self.given = os.path.join(self.work, "given")

    def module(self, *lines):
        text = shell_module("keys", said("changed"), forget=True)
        forget = "\n".join(["forget() {", f"cat >{self.given}", *lines, "}"])
        self.machine.add_module("keys", text.replace("run() {", f"{forget}\nrun() {{"))

    def seal(self, code=0, *options):
        done = self.machine.agent("seal", *options)
        self.assert_code(done, code)
        return done

    def test_they_take_back_what_is_theirs(self):
        # The state is there still when the module is asked.
        state = self.machine.put(f"{STATE}/modules/keys.json", "{}")
        self.module(f"[ -e {state} ] && "
                    "say '{\"item\": \"a key of admin\", \"status\": \"changed\"}'",
                    "say '{\"item\": \"another\", \"status\": \"unchanged\"}'", said("changed"))
        done = self.seal()
        self.assertEqual(done.text.splitlines()[0], "forgot   a key of admin (keys)")
        self.assertNotIn("another", done.text)
        self.assertFalse(os.path.exists(state))
        with open(self.given, encoding="utf-8") as given:
            told = json.load(given)
        self.assertEqual({name: told[name] for name in ("settings", "metadata", "dry_run", "root")},
                         {"settings": {}, "metadata": {}, "dry_run": False,
                          "root": self.machine.root})

    def test_they_are_asked_in_a_dry_run_too(self):
        self.module("say '{\"item\": \"a key\", \"status\": \"changed\"}'", said("changed"))
        self.assertIn("forget   a key (keys)", self.seal(0, "--dry-run").text)
        with open(self.given, encoding="utf-8") as given:
            self.assertTrue(json.load(given)["dry_run"])

    def test_one_that_cannot_is_a_failure_and_the_rest_is_done(self):
        self.machine.put("etc/machine-id", "0123\n")
        self.module(said("failed", message="the disk is full"), "exit 1")
        done = self.seal(EXIT_STEP)
        self.assertIn("the disk is full", done.err)
        self.assertIn("not sealed: 1 could not be removed", done.err)
        self.assertEqual(self.machine.bytes("etc/machine-id"), b"")


class Refusals(AgentTest):
    def refused(self, code, words, *options):
        done = self.machine.agent("seal", *options)
        self.assert_code(done, code)
        self.assertIn(words, done.err)

    def setUp(self):
        super().setUp()
        self.machine.put("etc/machine-id", "0123\n")
        self.machine.seed("#!/bin/sh\n")

    def tearDown(self):
        self.assertEqual(self.machine.bytes("etc/machine-id"), b"0123\n")

    def test_a_folder_that_is_no_system(self):
        self.refused(EXIT_USAGE, "holds no system")
        self.refused(EXIT_USAGE, "holds no system", "--root", self.work)
        self.refused(EXIT_USAGE, "there is no folder", "--root", "/no/such/folder")

    def test_a_tree_does_not_go_down(self):
        self.machine.put("etc/os-release", "ID=test\n")
        for option in ("--poweroff", "--reboot"):
            self.refused(EXIT_USAGE, "for this machine alone", option)

    def test_while_a_run_is_under_way(self):
        self.machine.put("etc/os-release", "ID=test\n")
        self.machine.seed(f"#!/bin/sh\necho begun >>{self.mark}\nexec sleep 60\n")
        self.start("run")
        self.wait_for_mark()
        self.refused(EXIT_BUSY, "another run is under way")

    @needs_root
    def test_without_root(self):
        self.open_to_everybody()
        self.machine.put("etc/os-release", "ID=test\n")
        done = subprocess.run([self.machine.program, "seal", "--root", self.machine.root],
                              env=environment(BOOTLACE_LIBDIR=self.machine.library), text=True,
                              check=False, stderr=subprocess.PIPE, user=65534, group=65534,
                              extra_groups=[])
        self.assertEqual(done.returncode, EXIT_USAGE, done.stderr)
        self.assertIn("wants root", done.stderr)


class Root(AgentTest):
    """--root: the state is the tree's as well."""

    def test_a_tree_that_never_had_any_state_gets_none(self):
        self.machine.put("etc/os-release", "ID=test\n")
        self.machine.put("etc/machine-id", "0123\n")
        self.machine.put("var/tmp/x", "")
        done = self.machine.agent("seal", "--root", self.machine.root)
        self.assert_code(done, 0)
        self.assertEqual(self.machine.bytes("etc/machine-id"), b"")
        self.assertFalse(self.machine.exists("var/tmp/x"))
        self.assertFalse(self.machine.exists(STATE))


if __name__ == "__main__":
    unittest.main()
