"""Disks for tests of whole machines: what they are made of, and what is on them afterwards. With
BOOTLACE_TEST_ALL.
"""

import os
import shutil
import tempfile
import unittest
from pathlib import Path

from golden import GoldenTest, host
import qemu

# What boots a tree.
BOOTABLE = ["systemd", "systemd-sysv", "dbus", "udev", "iproute2", "linux-image-cloud-amd64",
            "initramfs-tools", "zstd"]


@unittest.skipUnless(os.environ.get("BOOTLACE_TEST_ALL") == "1", "one of the long ones: --all")
class DiskTest(GoldenTest):
    """A test with a disk, and machines that boot it."""

    def setUp(self):
        super().setUp()
        lacking = qemu.missing()
        if lacking:
            self.skipTest("not here: " + ", ".join(lacking))
        self.work = Path(tempfile.mkdtemp(dir=host.cache_folder(), prefix="disk."))
        self.addCleanup(shutil.rmtree, self.work)
        self.disk = self.work / "disk"

    def take_out(self, copy):
        """Kernel and initial file system of a copy, and what is mounted in it, which is no part of
        a disk."""
        for name in ("vmlinuz", "initrd.img"):
            shutil.copy(copy.path(f"/{name}").resolve(), self.work / name)
        for name in ("proc", "dev"):
            host.run(["umount", "--recursive", copy.path(f"/{name}")])

    def boot(self, name, **how):
        one = qemu.Machine(self.disks(), self.work / "vmlinuz", self.work / "initrd.img",
                           self.work / name, **how)
        self.addCleanup(one.__exit__)
        return one

    def disks(self):
        return [self.disk]

    offset = 0  # of the file system on the disk

    def content(self, *paths):
        """What files of the disk hold, once its machine is off."""
        folder = self.work / "mounted"
        folder.mkdir(exist_ok=True)
        host.run(["mount", "-o", f"loop,ro,offset={self.offset}", self.disk, folder])
        try:
            return {path: place.read_bytes() for path in paths
                    for place in [folder / path.lstrip("/")] if place.exists()}
        finally:
            host.run(["umount", folder])


__all__ = ["BOOTABLE", "DiskTest", "host"]
