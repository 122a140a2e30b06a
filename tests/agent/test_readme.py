#!/usr/bin/python3
"""The README shows what there is: its examples are those that are booted, every module has a row.
"""

import re
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")


class Readme(unittest.TestCase):
    def test_examples_are_the_files(self):
        for name in ("web-server.yaml", "bootstrap.yaml"):
            with self.subTest(name):
                text = (TOP / "packaging" / "examples" / name).read_text(encoding="utf-8")
                self.assertIn(f"(packaging/examples/{name})", README)
                self.assertIn(f"```yaml\n{text}```\n", README)

    def test_every_module_has_a_row(self):
        table = README.partition("| module | its keys")[2].partition("\n\n")[0]
        named = set(re.split(r"[|,]\s*", "|".join(re.findall(r"^\| ([a-z0-9, -]+) \|", table,
                                                             re.MULTILINE))))
        there = {path.name for path in (TOP / "modules").iterdir()
                 if (path / f"bootlace-{path.name}.7").exists() and path.name != "support"}
        self.assertEqual(named, there)


if __name__ == "__main__":
    unittest.main()
