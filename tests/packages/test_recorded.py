#!/usr/bin/python3
"""packages with yum, microdnf, apk and snap, which are not packaged for Debian: programs of these
names that record how they are called, and say what the real ones say.

BOOTLACE_BUILD names the build folder.
"""

import unittest

from package_test import OS_RELEASE, PackagesTest, needs_root

RECORD = """#!/bin/sh
printf '%s\\n' "$*" >>/var/tmp/calls
env >/var/tmp/environment
"""

APK = RECORD + """case $* in
*info*--verbose*) cat /var/tmp/installed 2>/dev/null ;;
*info*--installed*=*) exit 1 ;;
*info*--installed*) grep -q "^$4-[0-9]" /var/tmp/installed ;;
*add*nosuch*)
    echo 'ERROR: unable to select packages:'
    echo '  nosuch (no such package):'
    echo '    required by: world[nosuch]'
    exit 1 ;;
*add*) echo good-2.0-r1 >>/var/tmp/installed ;;
*update*)
    test -e /var/tmp/up && exit 0
    touch /var/tmp/up
    echo 'ERROR: http://a/b: temporary error (try again later)'
    exit 1 ;;
esac
"""

YUM = RECORD + """case $* in
*nosuch*)
    echo 'No package nosuch available.'
    echo 'Error: Nothing to do'
    exit 1 ;;
*install*) touch /var/tmp/there ;;
esac
"""

RPM = """#!/bin/sh
case $* in
*--all*) test ! -e /var/tmp/there || printf 'good\\tnoarch\\t(none)\\t2.0-1\\n' ;;
*) exit 1 ;;
esac
"""

SNAP = RECORD + """case $* in
list*)
    echo 'Name  Version  Rev  Tracking  Publisher  Notes'
    cat /var/tmp/snaps 2>/dev/null ;;
*nosuch*)
    echo 'error: snap "nosuch" not found' >&2
    exit 1 ;;
install*)
    for name; do :; done # the last of them
    echo "$name  5.15  2  stable  canonical  -" >>/var/tmp/snaps ;;
esac
"""


class Recorded(PackagesTest):
    program_name = text_of = None

    def setUp(self):
        super().setUp()
        for name in ("apt-get", "dnf", "zypper", "pacman"):
            self.remove(f"usr/bin/{name}")
        self.put(f"usr/bin/{self.program_name}", self.text_of, 0o755)

    def sources(self, url):
        """They have none."""

    def calls(self, leave_out="info"):
        return [line for line in self.text("var/tmp/calls").splitlines() if leave_out not in line]


@needs_root
class Apk(Recorded):
    manager = program_name = "apk"
    text_of = APK

    def test_installs(self):
        called = self.assert_called("changed", {"packages": ["good", ["other", "1.2-r0"]],
                                                "package_upgrade": True})
        self.assertEqual(self.calls(), ["--no-progress update"] * 2 + [
            "--no-progress upgrade", "--no-progress add good other=1.2-r0"])
        self.assert_item(called, "good", "changed", "^2.0-r1$")
        self.assertIn("attempt 2 of 6", called.log)

    def test_a_second_run_changes_nothing(self):
        self.put("var/tmp/installed", "good-2.0-r1\nlib-x-9-r0\n")
        called = self.assert_called("unchanged", {"packages": ["good", "lib-x"]})
        self.assert_item(called, "lib-x", "unchanged", "^9-r0 was installed already$")
        self.assertEqual(self.calls(), [])

    def test_an_unknown_one(self):
        called = self.assert_fails("^1 of 2 packages failed: nosuch: no package source has it$",
                                   {"packages": ["good", "nosuch"]})
        self.assert_item(called, "good", "changed")


@needs_root
class Yum(Recorded):
    manager = program_name = "yum"
    text_of = YUM

    def setUp(self):
        super().setUp()
        self.remove("usr/bin/rpm")
        self.put("usr/bin/rpm", RPM, 0o755)

    def test_installs(self):
        called = self.assert_called("changed", {
            "packages": ["good", {"dnf": [["other", "1.2"]]}, {"yum": ["more"]}],
            "package_update": True, "package_upgrade": True})
        self.assertEqual(self.calls(), ["--assumeyes makecache", "--assumeyes upgrade",
                                        "--assumeyes install good other-1.2 more"])
        self.assert_item(called, "good", "changed", "^2.0-1$")

    def test_an_unknown_one(self):
        called = self.assert_fails("^1 of 2 packages failed: nosuch: no package source has it$",
                                   {"packages": ["nosuch", "good"]})
        self.assert_item(called, "good", "changed")
        self.assertEqual(self.calls(), ["--assumeyes install nosuch good",
                                        "--assumeyes install good"])

    def test_it_speaks_plain_english(self):
        self.assert_called("changed", {"packages": ["good"]}, variables={"LC_ALL": "de_DE.UTF-8"})
        self.assertIn("LC_ALL=C\n", self.text("var/tmp/environment"))


@needs_root
class Microdnf(Yum):
    program_name = "microdnf"

    def test_installs(self):
        self.put("etc/os-release", OS_RELEASE["dnf"])
        self.assert_called("changed", {"packages": ["good", {"dnf": ["other"]}],
                                       "package_update": True})
        self.assertEqual(self.calls(), ["--assumeyes --refresh makecache",
                                        "--assumeyes install good other"])


@needs_root
class Snap(PackagesTest):
    def test_beside_apt(self):
        self.put("usr/bin/snap", SNAP, 0o755)
        settings = {"packages": [{"apt": ["good"], "snap": [
            "certbot", ["lxd", "--channel=5.15/stable"], ["juju", "latest/edge"]]}]}
        called = self.assert_called("changed", settings)
        self.assertEqual([line for line in self.text("var/tmp/calls").splitlines()
                          if not line.startswith("list")],
                         ["install certbot", "install --channel=5.15/stable lxd",
                          "install --channel=latest/edge juju"])
        for name in ("good", "certbot", "lxd --channel=5.15/stable"):
            self.assert_item(called, name, "changed")

    def test_an_unknown_one(self):
        self.put("usr/bin/snap", SNAP, 0o755)
        called = self.assert_fails("^1 of 2 packages failed: nosuch: the store has no such snap$",
                                   {"packages": [{"snap": ["nosuch", "certbot"]}]})
        self.assert_item(called, "certbot", "changed")

    def test_without_snap(self):
        self.assert_fails("certbot: snap is not installed", {"packages": [{"snap": ["certbot"]}]})

    def test_options_are_those_of_a_version(self):
        self.assert_fails("packages: item 1 is neither",
                          {"packages": [{"snap": [["lxd", "--dangerous"]]}]})


del Recorded

if __name__ == "__main__":
    unittest.main()
