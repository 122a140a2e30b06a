#!/usr/bin/python3
"""packages fetched ahead: lists and packages before the step has its turn, into the managers' own
caches, where nothing that comes before could change what they are fetched from.

BOOTLACE_BUILD names the build folder.
"""

import unittest

from package_test import PackagesTest, Web, needs_root


class Ahead:
    """With each manager that can; a server that is gone after `prepare` shows what it brought."""

    lists = False  # the item of the lists says that they were renewed ahead

    def serve(self):
        answers = {**self.web(), **{path.replace("/apt/", "/apt/./"): body
                                    for path, body in self.web().items()}}
        web = Web(answers)
        web.__enter__()
        self.addCleanup(web.__exit__)
        self.put("etc/apt/apt.conf.d/99test", 'Acquire::Retries "0";\n')
        self.sources(web.url(self.url("")))
        return web

    def prepare(self, settings, before=("users", "mounts"), status="unchanged"):
        return self.assert_called(status, settings, phase="prepare",
                                  variables={"CALL_BEFORE": " ".join(before)})

    def lose_packages(self, web):
        for path in list(web.answers):
            if any(end in path for end in (".deb", ".rpm", ".pkg.tar")):
                del web.answers[path]

    def test_packages(self):
        web = self.serve()
        settings = {"packages": ["nosuch", "other"], "package_retries": 0}
        self.prepare(settings)
        self.assertIsNone(self.version("other"), "nothing is installed ahead")
        self.assertEqual(len([path for path in web.paths() if "other" in path]), 1)
        self.lose_packages(web)
        called = self.assert_called("failed", settings)
        self.assert_item(called, "other", "changed")
        self.assert_item(called, "nosuch", "failed")
        self.assertEqual(self.version("good"), "2.0")
        if self.lists:
            self.assert_item(called, "package lists", "changed", "^renewed ahead$")
            self.assertNotIn("renewed ahead", repr(self.call({"package_update": True})),
                             "that was good for once")

    def test_what_could_change_it(self):
        """A command of the user's, a file, package sources: nothing is fetched, nor in vain."""
        web = self.serve()
        self.prepare({"packages": ["good"]}, before=("users", "bootcmd"))
        self.prepare({"packages": ["good"]}, before=("write-files",))
        self.prepare({"packages": ["good"], "apt": {}})
        self.prepare({})
        self.assertEqual(web.paths(), [])

    def test_what_is_there(self):
        self.assert_called("changed", {"packages": ["good"]})
        web = self.serve()
        self.prepare({"packages": ["good"]})
        self.assertEqual(web.paths(), [])

    def test_a_server_that_is_away(self):
        """It is no failure, and not waited for: the step has its own turn."""
        with Web({}) as web:
            url = web.url(self.url(""))
        self.sources(url)
        self.prepare({"packages": ["good"]})


class Upgrade(Ahead):
    """Where the repositories have an older version to begin with."""

    def test_an_upgrade(self):
        self.assert_called("changed", {"packages": [["good", "1.0"]]})
        web = self.serve()
        self.prepare({"package_upgrade": True})
        self.assertEqual(self.version("good"), "1.0")
        self.lose_packages(web)
        self.assert_called("changed", {"package_upgrade": True})
        self.assertEqual(self.version("good"), "2.0")


@needs_root
class Apt(Upgrade, PackagesTest):
    manager = "apt"
    lists = True


@needs_root
class Dnf(Upgrade, PackagesTest):
    manager = "dnf"


@needs_root
class Zypper(Upgrade, PackagesTest):
    manager = "zypper"


@needs_root
class Pacman(Ahead, PackagesTest):
    manager = "pacman"
    lists = True


if __name__ == "__main__":
    unittest.main()
