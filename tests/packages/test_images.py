#!/usr/bin/python3
"""packages in trees that don't run: by the tree's own manager, or by the machine's from outside.

BOOTLACE_BUILD names the build folder.
"""

import os
import unittest

from module_call import ModuleTest
from package_test import OS_RELEASE, REPOSITORY, PackagesTest, needs_root


@needs_root
class Inside(PackagesTest):
    """The copy of Debian is the tree, and the machine of the tests the one that works on it."""

    def call(self, settings=None, *, root=None, **how):
        return ModuleTest.call(self, settings, root=root or self.root, **how)

    def test_installs(self):
        settings = {"packages": ["good", "other"], "package_reboot_if_required": True}
        self.put("lib/modules/999/modules.dep")
        called = self.assert_called("changed", settings)
        self.assertEqual(self.version("good"), "2.0")
        self.assertFalse(called.result.get("reboot"), called)
        self.assert_called("unchanged", settings)

    def test_no_service_is_started(self):
        called = self.assert_called("changed", {"packages": ["daemon"]})
        self.assertFalse(self.exists("var/tmp/daemon-was-told"), called)
        self.assertTrue(any(name.endswith("daemon") for name in os.listdir(self.path("etc/rc2.d"))))

    def test_nothing_of_it_is_left(self):
        before = self.tree_of("usr/sbin"), self.tree_of("etc/apt"), self.tree_of("run")
        self.assert_called("changed", {"packages": ["good"]})
        self.assertEqual((self.tree_of("usr/sbin"), self.tree_of("etc/apt"), self.tree_of("run")),
                         before)

    def tree_of(self, name):
        return sorted(os.path.join(at, one) for at, folders, files in os.walk(self.path(name))
                      for one in folders + files)

    def test_an_unknown_one(self):
        self.assert_fails("^1 of 2 packages failed: nosuch: no package source has it$",
                          {"packages": ["nosuch", "good"]})
        self.assertEqual(self.version("good"), "2.0")

    def test_snaps(self):
        self.put("usr/bin/snap", "#!/bin/sh\n", 0o755)
        self.assert_fails("certbot: snaps can be installed on a running machine only",
                          {"packages": [{"snap": ["certbot"]}]})


class Outside:
    """The tree is a folder of the machine, with no manager in it."""

    IMAGE = "/image"

    def setUp(self):
        super().setUp()
        self.put(f"{self.IMAGE}/etc/os-release", OS_RELEASE[self.manager])
        # The machine is another one, and has other packages.
        self.put("etc/os-release", OS_RELEASE["apt"])

    def call(self, settings=None, *, root=None, **how):
        return super().call(settings, root=root or self.IMAGE, **how)

    def version(self, name):
        return super().version(f"../..{self.IMAGE}/usr/share/{name}")

    def test_installs(self):
        settings = {"packages": ["good", "other", ["provider", "1.0"]], "package_update": True,
                    "package_reboot_if_required": True}
        self.assert_called("changed", settings)
        self.assertEqual(self.version("good"), "2.0")
        self.assertFalse(self.exists("usr/share/good"))
        called = self.assert_called("unchanged", {"packages": ["good", "virtual-thing",
                                                               ["provider", "1.0"]]})
        self.assert_item(called, "good", "unchanged", "^2.0-1 was installed already$")

    def test_an_unknown_one(self):
        self.assert_fails("^1 of 2 packages failed: nosuch: no package source has it$",
                          {"packages": ["nosuch", "good"]})
        self.assertEqual(self.version("good"), "2.0")

    def test_an_upgrade(self):
        self.assert_called("changed", {"packages": ["good"]})
        called = self.assert_called("unchanged", {"package_upgrade": True})
        self.assertEqual(called.message, "0 upgraded, 0 added, 0 removed")


@needs_root
class Dnf(Outside, PackagesTest):
    manager = "dnf"

    def sources(self, url):
        self.put(f"{self.IMAGE}/etc/yum.repos.d/test.repo", REPOSITORY.format(url))

    def test_a_tree_that_says_nothing(self):
        """It becomes what the machine is."""
        self.remove(f"{self.IMAGE}/etc/os-release")
        self.remove("usr/bin/apt-get")
        self.assert_fails("there is no package manager here", {"packages": ["good"]})
        self.put("etc/os-release", OS_RELEASE["dnf"])
        self.assert_called("changed", {"packages": ["good"]})
        self.assertEqual(self.version("good"), "2.0")


@needs_root
class Zypper(Outside, PackagesTest):
    manager = "zypper"

    def sources(self, url):
        self.put(f"{self.IMAGE}/etc/zypp/repos.d/test.repo", REPOSITORY.format(url))


@needs_root
class Pacman(Outside, PackagesTest):
    manager = "pacman"

    def sources(self, url):
        self.put(f"{self.IMAGE}/etc/pacman.conf",
                 f"[options]\nSigLevel = Never\nArchitecture = auto\n[test]\nServer = {url}\n")
        os.makedirs(self.path(f"{self.IMAGE}/var/lib/pacman"), exist_ok=True)


del Outside

if __name__ == "__main__":
    unittest.main()
