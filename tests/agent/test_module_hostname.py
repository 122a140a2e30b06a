#!/usr/bin/python3
"""hostname: the machine's names and /etc/hosts, on a tree of the test's own.

BOOTLACE_BUILD names the build folder. The running host name is changed in a namespace only.
"""

import json
import os
import shutil
import socket
import subprocess
import unittest

from agent import needs_root
from module_call import ModuleTest
from test_manual import Page

DEBIAN = "ID=debian\n"
FEDORA = 'ID="almalinux"\nID_LIKE="rhel centos fedora"\n'


class HostnameTest(ModuleTest):
    module = "hostname"

    def setUp(self):
        super().setUp()
        self.put("etc/os-release", DEBIAN)

    def assert_name(self, expected, settings, **how):
        """The name that a new tree gets."""
        for name in ("etc/hostname", "var/lib/bootlace/modules/hostname.json"):
            if self.exists(name):
                os.remove(self.path(name))
        called = self.assert_called("changed" if expected else "unchanged", settings, **how)
        if expected:
            self.assertEqual(self.text("etc/hostname"), expected + "\n", called)
        else:
            self.assertFalse(self.exists("etc/hostname"))
        return called


@needs_root
class Names(HostnameTest):
    CLOUD = {"local-hostname": "ip-10-0-0-5.ec2.internal"}

    def test_where_they_come_from(self):
        for expected, settings in (
                ("web1", {"hostname": "web1"}),
                ("web1", {"hostname": "web1.example.org"}),
                ("db", {"fqdn": "db.example.org"}),
                ("web1", {"hostname": "web1", "fqdn": "db.example.org"}),
                ("db.example.org", {"fqdn": "db.example.org", "prefer_fqdn_over_hostname": True}),
                ("web1.a.b", {"hostname": "web1.a.b", "prefer_fqdn_over_hostname": "yes"}),
                ("ip-10-0-0-5", {"preserve_hostname": False}),
                ("ip-10-0-0-5", {"hostname": ""}),
                ("ip-10-0-0-5.ec2.internal", {"prefer_fqdn_over_hostname": True}),
                ("web1.ec2.internal", {"hostname": "web1", "prefer_fqdn_over_hostname": True})):
            with self.subTest(settings):
                self.assert_name(expected, settings, metadata=self.CLOUD)

    def test_without_metadata(self):
        self.assert_name("web1", {"hostname": "web1", "prefer_fqdn_over_hostname": True})
        called = self.assert_name(None, {"preserve_hostname": False})
        self.assertIn("no host name in the settings or the metadata", called.log)

    def test_metadata_of_other_kinds(self):
        for expected, items in (("from-hostname", {"hostname": "from-hostname.x"}),
                                ("ip-10-1-2-3", {"local-hostname": "10.1.2.3"}),
                                ("first", {"local-hostname": "first.a second.a"}),
                                ("other", {"local-hostname": "no-name!", "hostname": "other"})):
            with self.subTest(items):
                self.assert_name(expected, {"preserve_hostname": False}, metadata=items)

    def test_red_hat_prefers_the_long_one(self):
        self.put("etc/os-release", FEDORA)
        self.assert_name("db.example.org", {"fqdn": "db.example.org"})
        self.assert_name("db", {"fqdn": "db.example.org", "prefer_fqdn_over_hostname": False})

    def test_names_that_are_none(self):
        for name in ("a b", "-a", "a-", "a..b", ".a", "a.", "a/b", "ä", "x" * 64, "a\n", "$(id)",
                     ".".join(["x" * 60] * 5)):
            for key in ("hostname", "fqdn"):
                with self.subTest(name):
                    self.assert_fails(f"^{key} is no host name", {key: name})
        self.assertFalse(self.exists("etc/hostname"))

    def test_wrong_settings(self):
        for settings, message in (({"hostname": 5}, "hostname is no text"),
                                  ({"fqdn": ["a"]}, "fqdn is no text"),
                                  ({"preserve_hostname": "maybe"}, "preserve_hostname is neither"),
                                  ({"manage_etc_hosts": "maybe"}, "manage_etc_hosts is none of"),
                                  ({"manage_etc_hosts": []}, "manage_etc_hosts is none of")):
            with self.subTest(settings):
                self.assert_fails(message, settings)


@needs_root
class Keeping(HostnameTest):
    def test_a_second_run_changes_nothing(self):
        settings = {"hostname": "web1", "manage_etc_hosts": True}
        self.assert_called("changed", settings)
        before = self.tree()
        self.assert_called("unchanged", settings)
        self.assertEqual(self.tree(), before)

    def test_preserve(self):
        self.put("etc/hostname", "mine\n")
        self.assert_called("unchanged", {"hostname": "web1", "preserve_hostname": True})
        self.assertEqual(self.text("etc/hostname"), "mine\n")

    def test_a_name_that_somebody_gave_stays(self):
        self.put("etc/hostname", "image\n")
        self.assert_called("changed", {"hostname": "web1"})
        self.put("etc/hostname", "mine\n")
        called = self.assert_called("unchanged", {"hostname": "web1"})
        self.assertIn("the host name mine was set by somebody else, and stays", called.log)
        self.assertEqual(self.text("etc/hostname"), "mine\n")

    def test_a_new_instance_gets_its_name(self):
        self.assert_called("changed", {"hostname": "web1"})
        self.put("etc/hostname", "mine\n")
        self.assert_called("changed", {"hostname": "web1"}, metadata={"instance-id": "i-2"})
        self.assertEqual(self.text("etc/hostname"), "web1\n")

    def test_another_name_in_the_settings(self):
        self.assert_called("changed", {"hostname": "web1"})
        self.assert_called("changed", {"hostname": "web2"})
        self.assertEqual(self.text("etc/hostname"), "web2\n")

    def test_the_metadatas_name_is_asked_for_once(self):
        """Of an instance whose metadata said it before: it is not asked again."""
        self.assert_called("changed", metadata={"local-hostname": "first.a"})
        self.assert_called("unchanged", stage="early")
        self.assert_called("unchanged")
        self.assert_called("changed", {"prefer_fqdn_over_hostname": True})
        self.assertEqual(self.text("etc/hostname"), "first.a\n")
        self.assert_called("unchanged", metadata={"instance-id": "i-2"})

    def test_a_file_with_comments(self):
        self.put("etc/hostname", "# the name\n\nweb1\n")
        self.assert_called("unchanged", {"hostname": "web1"})
        self.assertTrue(self.text("etc/hostname").startswith("# the name"))

    def test_no_file_is_made(self):
        self.assert_called("unchanged", {"hostname": "web1", "create_hostname_file": False})
        self.assertFalse(self.exists("etc/hostname"))
        self.put("etc/hostname", "")
        self.assert_called("changed", {"hostname": "web1", "create_hostname_file": False})
        self.assertEqual(self.text("etc/hostname"), "web1\n")

    def test_dry_run(self):
        before = self.tree()
        called = self.assert_called("changed", {"hostname": "web1", "manage_etc_hosts": True},
                                    dry_run=True)
        self.assertEqual(self.tree(), before)
        self.assertRegex(called.log, "would write /etc/hostname .*\nwould write /etc/hosts ")

    def test_the_machines_own_name_is_left_alone(self):
        before = socket.gethostname()
        self.assert_called("changed", {"hostname": "never-" + before[:20].strip(".-")})
        self.assertEqual(socket.gethostname(), before)


@needs_root
class Early(HostnameTest):
    """Before the network: the name that was given last, and nothing new."""

    def early(self, status, **how):
        return self.assert_called(status, stage="early", **how)

    def test_the_name_of_the_last_run(self):
        self.assert_called("changed", {"hostname": "web1"})
        self.early("unchanged")
        os.remove(self.path("etc/hostname"))
        self.early("changed", metadata={"local-hostname": "other"})
        self.assertEqual(self.text("etc/hostname"), "web1\n")

    def test_nothing_is_known(self):
        self.early("unchanged", metadata={"local-hostname": "ip-10-0-0-5"})
        self.assert_called("changed", {"hostname": "web1"})
        os.remove(self.path("etc/hostname"))
        self.early("unchanged", metadata={"instance-id": "i-2"})
        self.early("unchanged", metadata={"instance-id": None})
        self.early("unchanged", settings={"preserve_hostname": True})
        self.assertFalse(self.exists("etc/hostname"))

    def test_a_name_that_somebody_gave_stays(self):
        self.assert_called("changed", {"hostname": "web1", "manage_etc_hosts": True})
        os.remove(self.path("etc/hosts"))
        self.put("etc/hostname", "mine\n")
        self.early("unchanged", settings={"manage_etc_hosts": True})
        self.assertEqual(self.text("etc/hostname"), "mine\n")
        self.assertFalse(self.exists("etc/hosts"))


@needs_root
class Hosts(HostnameTest):
    def test_from_a_template(self):
        for value in (True, "true", "template"):
            self.put("etc/hosts", "old\n")
            self.assert_called("changed", {"fqdn": "web1.example.org", "manage_etc_hosts": value})
            text = self.text("etc/hosts")
            self.assertIn("\n127.0.1.1 web1.example.org web1\n127.0.0.1 localhost\n", text)
            self.assertIn("\n::1 localhost ", text)
            self.assertNotIn("old", text)

    def test_from_red_hats(self):
        self.put("etc/os-release", FEDORA)
        self.assert_called("changed", {"fqdn": "web1.example.org", "manage_etc_hosts": True})
        self.assertIn("\n127.0.0.1 web1.example.org web1\n", self.text("etc/hosts"))

    def test_from_a_template_of_ones_own(self):
        self.put("etc/bootlace/templates/hosts", "1.2.3.4 {{fqdn}} {{ hostname }} {{other}} {{\n")
        self.assert_called("changed", {"fqdn": "a.b", "manage_etc_hosts": True})
        self.assertEqual(self.text("etc/hosts"), "1.2.3.4 a.b a {{other}} {{\n")

    def test_localhost(self):
        settings = {"fqdn": "web1.example.org", "manage_etc_hosts": "localhost"}
        for before, after in (
                ("127.0.0.1 localhost", "127.0.0.1 localhost\n127.0.1.1 web1.example.org web1\n"),
                ("127.0.1.1\tweb1.example.org x web1 # c\n", None),
                ("127.0.1.1 web1 web1.example.org\n",
                 "127.0.1.1 web1 web1.example.org\n127.0.1.1 web1.example.org web1\n"),
                ("127.0.1.1 web1.example.org # web1\n",
                 "127.0.1.1 web1.example.org # web1\n127.0.1.1 web1.example.org web1\n"),
                ("", "127.0.1.1 web1.example.org web1\n")):
            with self.subTest(before):
                self.put("etc/hosts", before, mode=0o664)
                self.call(settings)
                self.assertEqual(self.text("etc/hosts"), after or before)
                self.assertEqual(self.mode("etc/hosts"), 0o664)
        before = self.tree()
        self.assert_called("unchanged", settings)
        self.assertEqual(self.tree(), before)

    def test_localhost_of_others(self):
        self.put("etc/os-release", FEDORA)
        self.assert_called("changed", {"hostname": "web1", "manage_etc_hosts": "localhost"})
        self.assertEqual(self.text("etc/hosts"), "127.0.0.1 web1\n")

    def test_not_managed(self):
        for value in (False, "false", None):
            self.call({"hostname": "web1", "manage_etc_hosts": value})
        self.assertFalse(self.exists("etc/hosts"))

    def test_with_the_name_that_the_file_has(self):
        self.put("etc/hostname", "mine\n")
        self.assert_called("changed", {"manage_etc_hosts": "localhost", "preserve_hostname": True})
        self.assertEqual(self.text("etc/hosts"), "127.0.1.1 mine\n")

    def test_no_name_at_all(self):
        self.assert_fails("no host name is known", {"manage_etc_hosts": True})


@needs_root
class Running(HostnameTest):
    """The tree is /: in namespaces of its own, where /etc and /var/lib are the test's."""

    def in_namespace(self, settings, **how):
        for name in ("etc", "var/lib"):
            os.makedirs(self.path(name), exist_ok=True)
        after = os.path.join(self.work, "after")
        script = (f"set -e; mount --bind {self.path('etc')} /etc; "
                  f"mount --bind {self.path('var/lib')} /var/lib; hostname before; "
                  f"\"$@\"; hostname >{after}")
        called = self.call(settings, root="/", **how,
                           wrapper=["unshare", "--mount", "--uts", "sh", "-c", script, "sh"])
        with open(after, encoding="utf-8") as name:
            return called, name.read().strip()

    def setUp(self):
        super().setUp()
        probe = subprocess.run(["unshare", "--mount", "--uts", "true"], check=False,
                               stderr=subprocess.DEVNULL)
        if probe.returncode or not shutil.which("hostname"):
            self.skipTest("no namespaces here")

    def test_it_is_set(self):
        before = socket.gethostname()
        called, name = self.in_namespace({"hostname": "web1"})
        self.assertEqual((called.status, name), ("changed", "web1"))
        self.assertEqual(called.message, "the host name is web1 now")
        self.assertEqual(self.text("etc/hostname"), "web1\n")
        called, name = self.in_namespace({"hostname": "web1"})
        self.assertEqual((called.status, name), ("changed", "web1"))
        self.assertEqual(socket.gethostname(), before)

    def test_dry_run(self):
        called, name = self.in_namespace({"hostname": "web1"}, dry_run=True)
        self.assertEqual((called.status, name), ("changed", "before"))
        self.assertIn("would set the running host name to web1", called.log)

    def test_hosts_by_the_running_name(self):
        self.in_namespace({"manage_etc_hosts": "localhost", "preserve_hostname": True})
        self.assertEqual(self.text("etc/hosts"), "127.0.1.1 before\n")

    def test_too_long_for_the_kernel(self):
        fqdn = ".".join(["label"] * 11) + ".org"
        self.assertGreater(len(fqdn), 64)
        os.makedirs(self.path("var/lib"))
        script = ("mount --bind {0}/etc /etc; mount --bind {0}/var/lib /var/lib; "
                  "\"$@\"").format(self.root)
        called = self.call({"fqdn": fqdn, "prefer_fqdn_over_hostname": True}, root="/",
                           wrapper=["unshare", "--mount", "--uts", "sh", "-c", script, "sh"])
        self.assertRegex(called.message, "^the running host name cannot be set to label")
        self.assertFalse(self.exists("etc/hostname"))


@needs_root
class Forget(HostnameTest):
    """Before an image is made of the machine."""

    def test_the_name_of_this_instance_is_forgotten(self):
        self.assert_called("unchanged", phase="forget")
        self.assert_called("changed", {"hostname": "web1"})
        self.assert_called("changed", phase="forget", dry_run=True)
        self.assertEqual(self.text("etc/hostname"), "web1\n")
        called = self.assert_called("changed", phase="forget")
        self.assertEqual(called.item("/etc/hostname")["status"], "changed")
        self.assertFalse(self.exists("etc/hostname"))
        self.assert_called("unchanged", phase="forget")

    def test_a_name_that_somebody_gave_stays(self):
        self.assert_called("changed", {"hostname": "web1"})
        self.put("etc/hostname", "theirs\n")
        self.assert_called("unchanged", phase="forget")
        self.assertEqual(self.text("etc/hostname"), "theirs\n")


@needs_root
class Manual(HostnameTest):
    def test_examples_of_the_page(self):
        blocks = Page("bootlace-hostname.7").blocks("EXAMPLES")
        self.assertTrue(blocks)
        for _, block in blocks:
            self.assert_called("changed", block, metadata={"local-hostname": "a.b"})
        self.assertEqual(self.text("etc/hostname"), "web1\n")
        self.assertIn("web1.example.org web1", self.text("etc/hosts"))
        self.assertEqual(json.loads(self.text("var/lib/bootlace/modules/hostname.json")),
                         {"hostname": "web1", "instance": "i-1"})


if __name__ == "__main__":
    unittest.main()
