#!/usr/bin/python3
"""packages with dnf, zypper and pacman: versions, scripts that fail, locks, busy servers.

BOOTLACE_BUILD names the build folder.
"""

import os
import subprocess
import threading
import unittest

from package_test import Answer, PackagesTest, Web, needs_root

RPM_LOCK = "/var/lib/rpm/.rpm.lock"


class Common:
    busy = 503
    busy_times = 2

    def test_an_upgrade(self):
        self.assert_called("changed", {"packages": [["good", "1.0"], "other"]})
        self.assertEqual(self.version("good"), "1.0")
        called = self.assert_called("changed", {"package_upgrade": True})
        self.assertEqual(called.message, "1 upgraded, 0 added, 0 removed")
        self.assertEqual(self.version("good"), "2.0")
        called = self.assert_called("unchanged", {"package_upgrade": True})
        self.assertEqual(called.message, "0 upgraded, 0 added, 0 removed")

    def test_a_version(self):
        settings = {"packages": [["good", "1.0"]]}
        self.assert_called("changed", settings)
        called = self.assert_called("unchanged", settings)
        self.assert_item(called, "good 1.0", "unchanged", "^1.0-1 was installed already$")
        called = self.assert_called("changed", {"packages": [["good", "2.0-1"]]})
        self.assert_item(called, "good 2.0-1", "changed", "^2.0-1, before 1.0-1$")
        self.assert_called("changed", settings)
        self.assertEqual(self.version("good"), "1.0")

    def test_a_version_that_there_is_not(self):
        called = self.assert_fails("good 9: no package source has", {"packages": [
            ["good", "9"], "other"]})
        self.assert_item(called, "other", "changed")

    def test_a_script_that_fails(self):
        called = self.assert_fails("broken: its script failed: exit status 3",
                                   {"packages": ["shell", "good", "broken", "other"]})
        for name in ("good", "other"):
            self.assert_item(called, name, "changed")
        self.assertIn("its database cannot be made", called.item("broken")["message"])

    def test_a_script_that_fails_afterwards(self):
        called = self.assert_called("changed", {"packages": ["shell", "remarked"]})
        self.assert_item(called, "remarked", "changed", "^1.0-1, but its script failed")
        self.assertIn("remarked: its script failed", called.log)

    def test_stop(self):
        called = self.assert_fails("nosuch: no package source has it", {
            "packages": ["good", "nosuch"], "package_on_error": "stop"})
        self.assert_item(called, "good", "failed", "^not installed: package_on_error is stop\n")
        self.assertIsNone(self.version("good"))

    def test_a_server_that_is_busy(self):
        answers = self.web()
        path = next(path for path in answers
                    if path.startswith(self.url("")) and "good-2.0" in path)
        answers[path] = Answer(self.busy, times=self.busy_times, then=answers[path])
        with Web(answers) as web:
            self.sources(web.url(self.url("")))
            called = self.assert_called("changed", {"packages": ["good"]})
            self.assertEqual(web.paths().count(path), self.busy_times + 1)
        self.assertIn(f"{self.busy}", called.log)
        self.assertRegex(called.log, "attempt 2 of 6")

    def test_a_server_that_is_away(self):
        with Web({}) as web:
            url = web.url(self.url(""))
        self.sources(url)
        called = self.assert_fails("good: ", {"packages": ["good"], "package_retries": 1})
        self.assertIn("attempt 2 of 2", called.log)


class Rpm(Common):
    """What dnf and zypper have in common."""

    def test_what_rpm_knows(self):
        self.assert_called("changed", {"packages": ["good", "shell"]})
        for item in ("good.noarch", "good-2.0", "good-2.0-1", "/bin/sh", "/usr/share/good/version",
                     ["good", "2.*"], ["good", "2.0-1"]):
            with self.subTest(item):
                called = self.assert_called("unchanged", {"packages": [item]})
                self.assertEqual(called.log, "")

    def test_rpm_at_work(self):
        """rpm's lock, held by another process, which goes after a while; and which does not."""
        self.assert_called("changed", {"packages": ["other"]})
        for wait, path in ((600, RPM_LOCK), (1, RPM_LOCK)):
            holder = subprocess.Popen(
                ["/usr/bin/python3", "-c",
                 "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX);"
                 "print('held', flush=True); sys.stdin.read()", self.path(path)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.assertEqual(holder.stdout.readline(), b"held\n")
            timer = threading.Timer(1 if wait > 1 else 60, holder.stdin.close)
            timer.start()
            settings = {"packages": ["provider" if wait > 1 else "nodeps"],
                        "package_lock_wait": wait}
            if wait > 1:
                called = self.assert_called("changed", settings)
                self.assertRegex(called.log, rf"waiting for python3 \(pid {holder.pid}")
            else:
                self.assert_fails(rf"{path} is held by python3 \(pid {holder.pid}", settings)
            timer.cancel()
            holder.stdin.close()
            holder.wait(10)
            holder.stdout.close()


@needs_root
class Dnf(Rpm, PackagesTest):
    manager = "dnf"
    busy_times = 5  # it tries four times by itself

    def test_update(self):
        called = self.assert_called("unchanged", {"package_update": True})
        self.assertIn("Metadata cache created.", called.log)

    def test_an_unknown_group(self):
        called = self.assert_fails("@No Group: ", {"packages": ["@No Group", "good"]})
        self.assert_item(called, "good", "changed")

    def test_a_file(self):
        path = "/repositories/rpm/noarch/good-1.0-1.noarch.rpm"
        called = self.assert_called("changed", {"packages": [path]})
        self.assertEqual(self.version("good"), "1.0")
        called = self.assert_called("unchanged", {"packages": [path]})
        self.assert_item(called, path, "unchanged")


@needs_root
class Zypper(Rpm, PackagesTest):
    manager = "zypper"
    busy = 500  # at 503 it waits twice by itself, for half a minute each

    def test_zypper_at_work(self):
        self.put("run/zypp.pid", f"{os.getpid()}\n")
        self.assert_fails(rf"/run/zypp.pid is held by python3 \(pid {os.getpid()}",
                          {"packages": ["good"], "package_lock_wait": 0})
        self.put("run/zypp.pid", "999999999\n")
        self.assert_called("changed", {"packages": ["good"], "package_lock_wait": 0})


@needs_root
class Pacman(Common, PackagesTest):
    manager = "pacman"
    LOCK = "var/lib/pacman/db.lck"

    # Its repository has one version of each, and its scripts run when a package is there.
    test_an_upgrade = test_a_script_that_fails = None

    def test_a_script_that_fails_afterwards(self):
        called = self.assert_called("changed", {"packages": ["remarked", "good"]})
        self.assert_item(called, "remarked", "changed", "^1.0-1, but its script failed")
        self.assert_item(called, "good", "changed", "^2.0-1$")

    def test_a_version(self):
        self.assert_called("changed", {"packages": [["good", "2.0"]]})
        self.assert_called("unchanged", {"packages": [["good", "2.0"], ["good", "2.0-1"]]})

    def test_pacman_at_work(self):
        self.put(self.LOCK)
        with open(self.path(self.LOCK), encoding="utf-8"):
            self.assert_fails(rf"/{self.LOCK} is held by python3 \(pid {os.getpid()}",
                              {"packages": ["good"], "package_lock_wait": 0})
        self.assert_fails(f"/{self.LOCK} is held by a program that cannot be told",
                          {"packages": ["good"], "package_lock_wait": 0})

    def test_a_lock_from_before_this_boot(self):
        self.put(self.LOCK)
        os.utime(self.path(self.LOCK), (1, 1))
        called = self.assert_called("changed", {"packages": ["good"], "package_lock_wait": 0})
        self.assertIn("was left by a program that is gone", called.log)


del Common, Rpm

if __name__ == "__main__":
    unittest.main()
