#!/usr/bin/python3
"""Written cases to both, bootlace and cloud-init: each difference is one of differences.md.

The cases are the files of tests/oracle/cases, the inputs of tests/cases/decode and classify, and
each pair of tests/cases/merge as a message of two parts. A case of launch-index is taken three
times: where the instance's index is not known, is 0, and is 1.
"""

import contextlib
import fnmatch
import glob
import os
import re
import tempfile
import unittest

import oracle
import roots
import served
from agent import SOURCE, needs_program, needs_root

CASES = os.path.join(oracle.HERE, "cases")
SHARED = os.path.join(SOURCE, "tests", "cases")
DIFFERENCES = os.path.join(oracle.HERE, "differences.md")
KINDS = {"accepts", "refuses", "runs", "names", "config", "order"}

MESSAGE = """\
Content-Type: multipart/mixed; boundary="==B=="
MIME-Version: 1.0

--==B==
Content-Type: text/cloud-config

{}
--==B==
Content-Type: text/cloud-config
{}
{}
--==B==--
"""


def read(*path):
    with open(os.path.join(*path), "rb") as content:
        return content.read()


def own_cases():
    for path in sorted(glob.glob(CASES + "/*/*")):
        name = os.path.relpath(path, CASES)
        yield oracle.Case(name, read(path))
        if name.startswith("launch-index/"):
            for index in (0, 1):
                yield oracle.Case(f"{name}@{index}", read(path), index)


def decode_cases():
    """Those without addresses: what theirs answer is in the unit tests alone."""
    for path in sorted(glob.glob(SHARED + "/decode/*") + glob.glob(SHARED + "/classify/*")):
        if "include" not in os.path.basename(path):
            index = os.path.join(path, "launch-index")
            yield oracle.Case(os.path.relpath(path, SHARED), read(path, "input"),
                              int(read(index)) if os.path.exists(index) else None)


def merge_cases():
    for path in sorted(glob.glob(SHARED + "/merge/*/base.yaml")):
        folder = os.path.dirname(path)
        header = os.path.join(folder, "merge-type")
        header = f"Merge-Type: {read(header).decode()}" if os.path.exists(header) else ""
        yield oracle.Case(os.path.relpath(folder, SHARED).replace("merge/", "merge-rules/"),
                          MESSAGE.format(read(path).decode(), header,
                                         read(folder, "over.yaml").decode()).encode())


def intended():
    """The rows of differences.md: (pattern, kinds)."""
    rows = re.findall(r"^\| `([^`]+)` \| ([a-z, ]+) \|", read(DIFFERENCES).decode(), re.MULTILINE)
    return [(pattern, sorted(kinds.split(", "))) for pattern, kinds in rows]


@needs_root
@needs_program("mmdebstrap", "unshare")
class CorpusTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as stack:
            copy = stack.enter_context(roots.Copy(oracle.PACKAGES))
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            cases = [*own_cases(), *decode_cases(), *merge_cases()]
            served.enter_namespace()
            served.start()
            cls.results = oracle.compare_all(copy, cases, folder)
        cls.intended = intended()

    def expected(self, name):
        return [kinds for pattern, kinds in self.intended if fnmatch.fnmatchcase(name, pattern)]

    def test_there_are_many(self):
        self.assertGreater(len(self.results), 1000)

    def test_each_difference_is_intended(self):
        wrong = [oracle.tell(*result) for result in self.results
                 if self.expected(result[0].name) != ([result[1]] if result[1] else [])]
        self.assertFalse(wrong, "\n".join(wrong))

    def test_each_row_has_a_case(self):
        names = [case.name for case, *_ in self.results]
        for pattern, kinds in self.intended:
            self.assertLessEqual(set(kinds), KINDS, pattern)
            self.assertTrue(fnmatch.filter(names, pattern), f"{pattern} is no case")


if __name__ == "__main__":
    unittest.main()
