#!/usr/bin/python3
"""Generated cases to both, bootlace and cloud-init: what generate.py makes is read alike.

BOOTLACE_TEST_SEED is another seed, BOOTLACE_TEST_COUNT another number of cases. A case that differs
is shown as it went in, in base64.
"""

import base64
import contextlib
import os
import tempfile
import unittest

import generate
import oracle
import roots
from agent import needs_program, needs_root

SEED = os.environ.get("BOOTLACE_TEST_SEED") or "20261126"
COUNT = int(os.environ.get("BOOTLACE_TEST_COUNT") or 1000)


@needs_root
@needs_program("mmdebstrap", "unshare")
class GeneratedTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as stack:
            copy = stack.enter_context(roots.Copy(oracle.PACKAGES))
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            cls.results = oracle.compare_all(copy, list(generate.cases(SEED, COUNT)), folder,
                                             schema=False)

    def test_both_read_them_alike(self):
        wrong = [oracle.tell(*result) + "\n" + base64.b64encode(result[0].user_data).decode()
                 for result in self.results if result[1]]
        self.assertFalse(wrong, "\n".join(wrong[:20]))

    def test_they_say_something(self):
        """Most are without a mistake, and those run something or set something."""
        well = [theirs for _, _, theirs, _ in self.results if not theirs.complaints]
        self.assertGreater(len(well), COUNT * 0.7)
        self.assertGreater(sum(1 for theirs in well if theirs.runs), COUNT * 0.4)
        self.assertGreater(sum(1 for theirs in well if theirs.config), COUNT * 0.4)


if __name__ == "__main__":
    unittest.main()
