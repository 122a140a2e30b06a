"""Modules that work on devices, called in a mount namespace of the test's own: what is mounted
there, and what stands in its /etc, /dev and /sys/block, the machine never sees. Devices are loop
devices.
"""

import os
import subprocess
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "rig"), str(TESTS / "agent"), str(TESTS / "servers")]
import host  # noqa: E402  (found by the line above)
from module_call import ModuleTest  # noqa: E402

MIB = 1 << 20
LOOP_MAJOR = 7

# Copies in memory in the places of what modules change; and then as long as standard input is open.
ENTER = """\
set -e
mount --make-rprivate /
for place in /etc /dev; do
    mount -t tmpfs -o mode=0755 test "$1"
    if [ $place = /dev ]; then
        cp -a /dev/null /dev/zero /dev/random /dev/urandom /dev/loop* /dev/fd /dev/std* "$1"
        rm -f "$1"/loop*p*
    else
        cp -a $place/. "$1"
    fi
    mount --move "$1" $place
done
: >/etc/fstab
mkdir -p /var/lib/bootlace
mount -t tmpfs test /var/lib/bootlace
echo ready
exec cat
"""


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class DeviceTest(ModuleTest):
    tree_is_all = False

    def setUp(self):
        super().setUp()
        os.chmod(self.work, 0o755)
        self.target = os.path.join(self.work, "data")
        scratch = os.path.join(self.work, "scratch")
        os.mkdir(scratch)
        self._own_disks = False
        self._devices = []
        self._space = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "sh", "-c", ENTER, "sh",
             scratch], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=host.environment())
        self.addCleanup(self._leave)
        self.assertEqual(self._space.stdout.readline(), b"ready\n")

    def _leave(self):
        self._space.stdin.close()
        self._space.stdout.close()
        self._space.wait(timeout=10)
        # Only now is nothing mounted of them any more.
        for device in self._devices:
            host.run(["partx", "--delete", device], check=False)
            host.run(["losetup", "--detach", device])

    def inside(self, argv, **how):
        """Runs a program in the namespace."""
        return host.run([*self.enter(), *argv], **how)

    def enter(self):
        return ["nsenter", "--target", str(self._space.pid), "--mount", "--"]

    def ask(self, status, settings, **how):
        return self.assert_called(status, settings, wrapper=self.enter(), **how)

    def refused(self, message, settings, **how):
        return self.assert_fails(message, settings, wrapper=self.enter(), **how)

    def loop(self, size=32 * MIB, name="disk"):
        """A loop device with nothing on it."""
        path = os.path.join(self.work, name)
        with open(path, "wb") as disk:
            disk.truncate(size)
        device = host.run(["losetup", "--find", "--show", path]).stdout.strip()
        self._devices.append(device)
        self.inside(["sh", "-c", f"test -b {device} || mknod {device} b {LOOP_MAJOR} "
                                 f"{device.removeprefix('/dev/loop')}"])
        return device

    def nvme(self, name, device, **attributes):
        """A loop device as an NVMe device of that name, with attributes in a /sys/block that has
        no others."""
        if not self._own_disks:
            self.inside(["mount", "-t", "tmpfs", "test", "/sys/block"])
            self._own_disks = True
        number = device.removeprefix("/dev/loop")
        self.inside(["sh", "-ec", f"mknod /dev/{name} b {LOOP_MAJOR} {number}; "
                                  f"mkdir -p /sys/block/{name}/device; "
                                  f"echo 65536 >/sys/block/{name}/size"])
        for key, value in attributes.items():
            self.inside(["sh", "-ec", f'printf "%-20s\\n" "$1" >/sys/block/{name}/device/{key}',
                         "sh", value])

    def fstab(self):
        return [line.split("\t") for line in
                self.inside(["cat", "/etc/fstab"]).stdout.splitlines()]

    def mounted(self, target=None):
        """Source and type of what is mounted there, or None."""
        found = self.inside(["findmnt", "--noheadings", "--output", "SOURCE,FSTYPE",
                             target or self.target], check=False).stdout.split()
        return tuple(found) or None

    def blkid(self, device, tag):
        return host.run(["blkid", "--probe", "--match-tag", tag, "--output", "value", device],
                        check=False).stdout.strip()
