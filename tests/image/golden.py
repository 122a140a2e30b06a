"""Golden images for tests: a machine that was sealed and is off becomes the image of others."""

import copy
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "boot"))
import boottest  # noqa: E402  (found by the line above)
from boottest import host  # noqa: E402
from machine import Machine  # noqa: E402


class GoldenTest(boottest.BootTest):
    """A test of builders and of what is launched from their images."""

    def launch(self, builder, **options):
        """A machine whose disk is a copy of a builder's that is off; not booted yet."""
        golden = copy.copy(builder.image)
        golden.layers = f"{builder.folder}/disk/upper:{builder.image.layers}"
        one = Machine(golden, **options)
        self._machines.append(one)
        return one

    def power_off_by_itself(self, one, limit=60):
        """Waits until a machine that was told to power off is off."""
        ended = one._wait_for_end(limit)
        self.assertEqual(ended, 0, one.console.text()[-2000:])


def content(one, *paths):
    """What the files of a machine hold that is off: path -> bytes. Patterns are Python's."""
    found = {}
    for path in paths:
        for place in sorted(one.root.glob(path.lstrip("/"))):
            if place.is_file() and not place.is_symlink():
                found["/" + str(place.relative_to(one.root))] = place.read_bytes()
    return found


__all__ = ["GoldenTest", "content", "host"]
