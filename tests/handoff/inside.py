"""Modules called in a copy of a small Debian, which has its own puppet, ansible and git.

BOOTLACE_BUILD names the build folder.
"""

import os
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "rig"), str(TESTS / "agent"), str(TESTS / "servers")]
import host  # noqa: E402  (found by the line above)
import roots  # noqa: E402
from agent import build_folder, is_sanitized, needs_root  # noqa: E402
from module_call import ModuleTest  # noqa: E402

PACKAGES = ["puppet-agent", "ansible-core", "git", "python3-pip", "libjansson4", "libyaml-0-2",
            "zlib1g", "libcurl4", "libexpat1", "libssl3"]


@needs_root
@unittest.skipIf(os.environ.get("BOOTLACE_BUILD") and is_sanitized(), "a sanitizer's library is "
                 "not in the machine")
class InsideTest(ModuleTest):
    @classmethod
    def setUpClass(cls):
        cls.copy = roots.Copy(PACKAGES)
        cls.copy.__enter__()
        cls.addClassCleanup(cls.copy.__exit__)
        for folder in ("/tmp", build_folder()):
            inside = cls.copy.path(folder)
            inside.mkdir(parents=True, exist_ok=True)
            host.run(["mount", "--bind", folder, inside])

    def call_inside(self, settings, status="changed", **how):
        variables = {"HOME": "/root", **how.pop("variables", {})}
        return self.assert_called(status, settings, root="/", variables=variables,
                                  wrapper=["chroot", str(self.copy.root)], **how)

    def text_inside(self, path):
        return self.copy.path(path).read_text(encoding="utf-8")

    def make_repository(self, path, **files):
        """A Git repository in the copy; names of files with '_' for '.'."""
        for name, text in files.items():
            self.copy.put(f"{path}/{name.replace('_', '.')}", text)
        for words in (["init", "-q", "."], ["add", "."],
                      ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm",
                       "x"]):
            self.copy.run(["git", "-C", path, *words])
