#!/usr/bin/python3
"""cloud-init's own examples, as its package ships them: `bootlace validate` finds no false error.

examples.md names those with an error, and says why it is none of ours. Keys that no module takes
are warnings.
"""

import gzip
import os
import re
import tempfile
import unittest

import oracle
import roots
from agent import AgentTest, EXIT_INPUT, needs_program, needs_root

EXAMPLES = "/usr/share/doc/cloud-init/examples"
MISTAKEN = os.path.join(oracle.HERE, "examples.md")


def mistaken():
    """The rows of examples.md: name -> the errors."""
    with open(MISTAKEN, encoding="utf-8") as text:
        rows = re.findall(r"^\| `([^`]+)` \| `(.*)` \|$", text.read(), re.MULTILINE)
    found = {}
    for name, error in rows:
        found.setdefault(name, []).append(error)
    return found


@needs_root
@needs_program("mmdebstrap")
class ExamplesTest(AgentTest):
    @classmethod
    def setUpClass(cls):
        cls.examples = {}
        with roots.Copy(oracle.PACKAGES) as copy:
            top = str(copy.path(EXAMPLES))
            for folder, _, names in os.walk(top):
                for name in names:
                    path = os.path.join(folder, name)
                    with open(path, "rb") as content:
                        text = content.read()
                    if name.endswith(".gz"):
                        name, text = name[:-3], gzip.decompress(text)
                    cls.examples[os.path.relpath(os.path.join(folder, name), top)] = text

    def errors_of(self, text):
        with tempfile.NamedTemporaryFile() as given:
            given.write(text)
            given.flush()
            outcome = self.machine.agent("validate", "--format", "json", given.name)
        found = [f"{problem['part']}:{problem.get('line', 0)}: {problem['message']}"
                 for problem in outcome.json()["problems"] if problem["severity"] == "error"]
        self.assert_code(outcome, EXIT_INPUT if found else 0)
        return found

    def test_all(self):
        self.assertGreater(len(self.examples), 30)
        found = {name: errors for name, errors in
                 ((name, self.errors_of(text)) for name, text in sorted(self.examples.items()))
                 if errors}
        self.assertEqual(found, mistaken())


if __name__ == "__main__":
    unittest.main()
