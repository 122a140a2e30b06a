#!/usr/bin/python3
"""The README's table of cloud-init's keys is what key_table.py makes of both sides' schemas."""

import unittest

import key_table
from agent import needs_program, needs_root


@needs_root
@needs_program("mmdebstrap")
class Keys(unittest.TestCase):
    maxDiff = None

    def test_the_table(self):
        readme = (key_table.TOP / "README.md").read_text(encoding="utf-8")
        self.assertEqual(readme, key_table.readme_with(readme, key_table.table()),
                         "run tests/oracle/key_table.py --write")

    def test_what_is_missing_below_a_key_is_told(self):
        self.assertEqual(key_table.not_told(), {})


if __name__ == "__main__":
    unittest.main()
