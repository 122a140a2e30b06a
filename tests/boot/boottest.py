"""What the boot tests share: one image for all, and evidence where one fails.

The build folder is named by BOOTLACE_BUILD; without it, build/ of the source tree is taken.
"""

import atexit
import contextlib
import functools
import os
import sys
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "rig"))
import host  # noqa: E402  (found by the line above)
import image as images
import machine as machines

# Steps of every boot, whatever its user-data says.
ESSENTIALS = {"hostname", "host-keys", "login-keys", "grow"}

SOURCE = Path(__file__).resolve().parent.parent.parent

_kept = contextlib.ExitStack()
_image = None


def shared_image():
    """The image of the build, made at its first use and removed when Python ends."""
    global _image
    if _image is None:
        atexit.register(_kept.close)
        host.end_on_termination()
        build = os.environ.get("BOOTLACE_BUILD") or SOURCE / "build"
        images.cached_root()
        _image = _kept.enter_context(images.made_image(build))
    return _image


class BootTest(unittest.TestCase):
    """A test with machines of its own. They are gone after it, and speak up if it fails."""

    maxDiff = None

    def setUp(self):
        reasons = _missing()
        if reasons:
            self.skipTest("no machine can be booted here; missing: " + "; ".join(reasons))

    def run(self, result=None):
        self._machines = []
        before = _count_failures(result)
        try:
            return super().run(result)
        finally:
            for one in self._machines:
                if _count_failures(result) > before:
                    print(f"\n=== {self.id()}\n{one.evidence()}", file=sys.stderr)
                try:
                    one.destroy()
                except host.RigError:
                    if result is None:
                        raise
                    result.addError(self, sys.exc_info())

    def machine(self, script=None, **options):
        """A new machine, not booted yet; `script` is its user-data as text."""
        if script is not None:
            options["user_data"] = script.encode()
        one = machines.Machine(shared_image(), **options)
        self._machines.append(one)
        return one

    def boot(self, one):
        """Boots a machine, and expects everything in it to start well."""
        one.boot()
        self.assert_booted_well(one)

    def assert_booted_well(self, one):
        """All units started, none failed, and none had to be left out because of a cycle."""
        state = one.wait_booted()
        failed = one.run(["systemctl", "--failed", "--plain", "--no-legend"]).stdout
        self.assertEqual((state, failed), ("running", ""))
        self.assert_no_cycle(one)

    def assert_no_cycle(self, one):
        """systemd goes on without a unit where it finds a cycle. It says so before the journal is
        there: on the console."""
        said = one.console.text() + one.journal()
        self.assertEqual([line for line in said.splitlines() if "ordering cycle" in line], [])

    def assert_ends(self, one, state, limit=60):
        """Waits for bootlace, expects this state, and returns its whole status."""
        status = one.wait_for_bootlace(limit)
        self.assertEqual(status["status"], state, status)
        return status

    @staticmethod
    def wishes(status):
        """The steps that somebody asked for: not those that an image owes its people."""
        return [step for step in status["steps"] if step["name"] not in ESSENTIALS]

    def assert_lines(self, one, path, expected):
        """A file of the machine's has exactly these lines."""
        lines = one.read_file(path).splitlines() if one.has_file(path) else []
        self.assertEqual(lines, expected)


@functools.cache
def _missing():
    return host.missing()


def _count_failures(result):
    return 0 if result is None else len(result.failures) + len(result.errors)
