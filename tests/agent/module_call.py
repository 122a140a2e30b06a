"""One module called as the agent calls it, on a tree of the test's own; see programs/call_module.c.

BOOTLACE_BUILD names the build folder, BOOTLACE_TEST_BIN that of the test programs. The settings are
YAML, or anything that JSON can hold. Nothing of the machine is changed: the tree is a temporary
folder, and programs that a module runs are the test's own, first in PATH, where it makes some.
"""

import json
import os
import shutil
import stat
import subprocess
import tempfile
import unittest

from agent import SANITIZER_WORDS, STANDARD_PATH, build_folder, environment, library

CALL_LIMIT_S = 60


def caller():
    folder = os.environ.get("BOOTLACE_TEST_BIN") or os.path.join(build_folder(), "tests")
    return os.path.join(folder, "call_module")


class Called:
    """What a module said: its items, its result, and its log."""

    def __init__(self, code, log, lines):
        self.code = code
        self.log = log
        self.result = next((line for line in reversed(lines) if "item" not in line
                            and "status" in line), {})
        self.items = [line for line in lines if "item" in line]
        self.status = self.result.get("status")
        self.message = self.result.get("message", "")

    def item(self, name):
        return next(item for item in self.items if item["item"] == name)

    def __repr__(self):
        return f"{self.code} {self.result} {self.items}\n{self.log}"


class ModuleTest(unittest.TestCase):
    """A test with one tree."""

    maxDiff = None
    module = None
    tree_is_all = True  # False: a module that runs programs, which another tree would have to have

    def setUp(self):
        self.work = tempfile.mkdtemp(prefix="bootlace-module-")
        self.addCleanup(shutil.rmtree, self.work)
        self.root = os.path.join(self.work, "root")
        os.mkdir(self.root)
        self.programs = os.path.join(self.work, "bin")
        os.mkdir(self.programs)

    # ---- the tree ----

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def put(self, name, content="", mode=0o644):
        full = self.path(name)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(full, mode)

    def bytes(self, name):
        with open(self.path(name), "rb") as content:
            return content.read()

    def text(self, name):
        return self.bytes(name).decode()

    def exists(self, name):
        return os.path.lexists(self.path(name))

    def mode(self, name):
        return stat.S_IMODE(os.lstat(self.path(name)).st_mode)

    def tree(self):
        """Everything in the tree, for comparison: kind, mode, owner, time, content."""
        found = {}
        for at, folders, files in os.walk(self.root):
            for name in folders + files:
                full = os.path.join(at, name)
                info = os.lstat(full)
                content = self.bytes(os.path.relpath(full, self.root)) \
                    if stat.S_ISREG(info.st_mode) else None
                found[os.path.relpath(full, self.root)] = (
                    oct(info.st_mode), info.st_uid, info.st_gid, info.st_mtime_ns, content)
        return found

    def program(self, name, text):
        """A program that the module finds instead of the machine's."""
        full = os.path.join(self.programs, name)
        with open(full, "w", encoding="utf-8") as out:
            out.write("#!/bin/sh\n" + text)
        os.chmod(full, 0o755)

    # ---- the call ----

    def call(self, settings=None, *, module=None, dry_run=False, root=None, part=None, wrapper=(),
             metadata=None, variables=None, phase=None, stage="main", machine=None):
        results = os.path.join(self.work, "results")
        given = settings if isinstance(settings, str) else json.dumps(settings or {})
        metadata = {"instance-id": "i-1", **(metadata or {})}
        variables = {**(variables or {}), "CALL_STAGE": stage,
                     **({"CALL_MACHINE": machine} if machine else {})}
        command = [*wrapper, caller(),
                   os.path.join(library(), "modules", f"{module or self.module}.so"),
                   root or (self.root if self.tree_is_all else "/"), results,
                   *([phase] if phase else []),
                   *(["dry-run"] if dry_run else []),
                   json.dumps(metadata), *([part] if part else [])]
        done = subprocess.run(
            command, input=given.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=CALL_LIMIT_S, check=False, cwd="/",
            env=environment(**{"PATH": f"{self.programs}:{STANDARD_PATH}", "INSTANCE_ID": "i-1",
                               **variables}))
        log = done.stdout.decode("utf-8", "replace")
        if any(word in done.stdout for word in SANITIZER_WORDS):
            raise AssertionError(log)
        self.assertIn(done.returncode, (0, 1), log)
        with open(results, encoding="utf-8") as lines:
            said = [json.loads(line) for line in lines]
        called = Called(done.returncode, log, said)
        self.assertEqual(called.code, int(called.status == "failed"), called)
        return called

    def assert_called(self, status, settings=None, **how):
        called = self.call(settings, **how)
        self.assertEqual(called.status, status, called)
        return called

    def assert_fails(self, message, settings=None, **how):
        """It fails, and says so in these words."""
        called = self.assert_called("failed", settings, **how)
        self.assertRegex(called.message, message)
        return called
