#!/usr/bin/python3
"""packages: real apt, dnf, zypper and pacman, each in a copy of a small Debian of its own.

BOOTLACE_BUILD names the build folder.
"""

import unittest

from package_test import AgentTest, Page, PackagesTest, needs_root


class Common:
    """What holds for each of them."""

    def test_installs(self):
        called = self.assert_called("changed", {"packages": ["good", "other"]})
        self.assertEqual((self.version("good"), self.version("other")), ("2.0", "1.0"), called)
        self.assert_item(called, "good", "changed", "^2.0")
        self.assert_item(called, "other", "changed", "^1.0")

    def test_a_second_run_changes_nothing(self):
        settings = {"packages": ["good", "other"]}
        self.assert_called("changed", settings)
        called = self.assert_called("unchanged", settings)
        self.assert_item(called, "good", "unchanged", "^2.0.* was installed already$")
        self.assertNotRegex(called.log, "apt-get|dnf|zypper|pacman|Reading")

    def test_an_unknown_one_among_good_ones(self):
        called = self.assert_fails(
            "^1 of 3 packages failed: nosuch: no package source has it$",
            {"packages": ["good", "nosuch", "other"], "package_update": False})
        self.assert_item(called, "good", "changed")
        self.assert_item(called, "nosuch", "failed")
        self.assert_item(called, "other", "changed")

    def test_one_that_requires_what_there_is_not(self):
        called = self.assert_fails("nodeps: .*absent-thing", {"packages": ["nodeps", "good"]})
        self.assert_item(called, "good", "changed")
        self.assertIsNone(self.version("nodeps"))

    def test_one_that_asks_does_not_hang(self):
        called = self.assert_called("changed", {"packages": ["asking"]})
        self.assertIn("the answer: ", called.log)

    def test_what_another_one_provides(self):
        called = self.assert_called("changed", {"packages": ["virtual-thing"]})
        self.assertEqual(self.version("provider"), "1.0")
        called = self.assert_called("unchanged", {"packages": ["virtual-thing"]})
        self.assert_item(called, "virtual-thing", "unchanged")

    def test_dry_run(self):
        called = self.assert_called("changed", {"packages": ["good"], "package_upgrade": True},
                                    dry_run=True)
        self.assertRegex(called.log, "would run: .* good\n")
        self.assertIsNone(self.version("good"))
        self.assert_item(called, "good", "changed", "would be installed")


@needs_root
class Apt(Common, PackagesTest):
    pass


@needs_root
class Dnf(Common, PackagesTest):
    manager = "dnf"


@needs_root
class Zypper(Common, PackagesTest):
    manager = "zypper"


@needs_root
class Pacman(Common, PackagesTest):
    manager = "pacman"


class Examples(AgentTest):
    """The manual page's, against the schema; dry, on a machine of apt's."""

    def test_they_are_valid(self):
        for _comment, text in Page("bootlace-packages.7").blocks("EXAMPLES"):
            outcome = self.machine.agent("validate", "--strict", "-",
                                         given=b"#cloud-config\n" + text.encode())
            self.assertEqual(outcome.code, 0, outcome)

    def test_what_is_refused(self):
        for item in ("-o", '""', "a b", "nginx-", "[]", "[a, b, c]", "{apt: nginx}", "{brew: [a]}",
                     "[[a]]", "5"):
            outcome = self.machine.agent("validate", "--strict", "-",
                                         given=f"#cloud-config\npackages: [{item}]\n".encode())
            self.assertEqual(outcome.code, 3, f"{item}: {outcome}")


@needs_root
class ExamplesRun(PackagesTest):
    def test_they_run(self):
        for _comment, text in Page("bootlace-packages.7").blocks("EXAMPLES"):
            called = self.assert_called("changed", text, dry_run=True)
            self.assertIn("would run: apt-get ", called.log)


if __name__ == "__main__":
    unittest.main()
