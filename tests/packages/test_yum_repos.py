#!/usr/bin/python3
"""yum-repos: files of repositories, and real dnf installing from one of them.

BOOTLACE_BUILD names the build folder.
"""

import unittest

from package_test import AgentTest, ModuleTest, Page, PackagesTest, needs_root


@needs_root
class Files(ModuleTest):
    module = "yum-repos"

    def setUp(self):
        super().setUp()
        self.put("etc/dnf/dnf.conf", "[main]\n")

    def test_kinds_of_values(self):
        settings = {"yum_repos": {"a-b": {
            "baseurl": ["http://x/1", "http://x/2"], "gpgcheck": True, "enabled": False, "cost": 5,
            "metadata_expire": None, "gpgkey": "http://x/key", "timeout": 2.5}}}
        called = self.assert_called("changed", settings)
        self.assertEqual(self.text("etc/yum.repos.d/a-b.repo"),
                         "[a-b]\nname=a-b\nbaseurl=http://x/1\n    http://x/2\ngpgcheck=1\n"
                         "enabled=0\ncost=5\ngpgkey=http://x/key\ntimeout=2.5\n")
        self.assertEqual(called.message, "1 of 1 repositories changed")
        before = self.tree()
        self.assert_called("unchanged", settings)
        self.assertEqual(self.tree(), before)

    def test_secrets(self):
        self.assert_called("changed", {"yum_repos": {
            "a": {"baseurl": "http://x", "password": "hidden"}, "b": {"metalink": "http://x"}}})
        self.assertEqual(self.mode("etc/yum.repos.d/a.repo"), 0o600)
        self.assertEqual(self.mode("etc/yum.repos.d/b.repo"), 0o644)

    def test_another_folder(self):
        self.assert_called("changed", {"yum_repos": {"a": {"mirrorlist": "http://x"}},
                                       "yum_repo_dir": "/etc/else"})
        self.assertTrue(self.exists("etc/else/a.repo"))
        self.assert_fails("yum_repo_dir is no path", {"yum_repo_dir": "else"})

    def test_what_is_refused(self):
        for repository, why in (
                ({"name": "x"}, "a: it has none of baseurl"), ("http://x", "a: it is no mapping"),
                ({"baseurl": "http://x\nexclude=*"}, "a: baseurl is neither a line"),
                ({"baseurl": [["http://x"]]}, "a: baseurl is neither a line"),
                ({"baseurl": "http://x", "a=b": 1}, "a: one of its keys is no name")):
            with self.subTest(repository):
                called = self.assert_fails(why, {"yum_repos": {"a": repository,
                                                               "b": {"baseurl": "http://x"}}})
                self.assertRegex(called.message, "^1 of 2 repositories failed")
        self.assertFalse(self.exists("etc/yum.repos.d/a.repo"))
        self.assertTrue(self.exists("etc/yum.repos.d/b.repo"))
        self.assert_fails("its name has other characters",
                          {"yum_repos": {"../a": {"baseurl": "http://x"}}})

    def test_dry_run(self):
        before = self.tree()
        called = self.assert_called("changed", {"yum_repos": {"a": {"baseurl": "http://x"}}},
                                    dry_run=True)
        self.assertIn("would write /etc/yum.repos.d/a.repo", called.log)
        self.assertEqual(self.tree(), before)


@needs_root
class Elsewhere(ModuleTest):
    module = "yum-repos"

    def test_where_there_is_no_dnf(self):
        called = self.assert_called("unchanged", {"yum_repos": {"a": {"baseurl": "http://x"}}})
        self.assertEqual(called.message, "neither dnf nor yum is here")


@needs_root
class Installing(PackagesTest):
    manager = "dnf"

    def sources(self, url):
        self.url_of_rpm = url

    def test_a_package_of_it(self):
        self.assert_fails("good: ", {"packages": ["good"]})
        settings = {"yum_repos": {"mine": {"baseurl": self.url_of_rpm, "gpgcheck": False}}}
        self.assert_called("changed", settings, module="yum-repos")
        self.assert_called("changed", {"packages": ["good"], **settings})
        self.assertEqual(self.version("good"), "2.0")


class Examples(AgentTest):
    def test_they_are_valid(self):
        for _comment, text in Page("bootlace-yum-repos.7").blocks("EXAMPLES"):
            outcome = self.machine.agent("validate", "--strict", "-",
                                         given=b"#cloud-config\n" + text.encode())
            self.assertEqual(outcome.code, 0, outcome)


@needs_root
class ExamplesRun(ModuleTest):
    module = "yum-repos"

    def test_they_run(self):
        self.put("etc/dnf/dnf.conf", "[main]\n")
        for _comment, text in Page("bootlace-yum-repos.7").blocks("EXAMPLES"):
            self.assert_called("changed", text)
        self.assertIn("\ngpgcheck=1\n", self.text("etc/yum.repos.d/epel.repo"))


if __name__ == "__main__":
    unittest.main()
