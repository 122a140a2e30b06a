#!/usr/bin/python3
"""mounts: volumes, on loop devices: what is made, mounted, kept, grown, and never overwritten.

BOOTLACE_BUILD names the build folder.
"""

import os
import threading
import time
import unittest
from pathlib import Path

from device_case import MIB, DeviceTest
import host


class VolumeTest(DeviceTest):
    module = "mounts"

    def volume(self, device, **more):
        return {"volumes": [{"device": device, "mount": self.target, "wait": 0, **more}]}


class Volumes(VolumeTest):
    def test_a_new_volume(self):
        device = self.loop()
        settings = self.volume(device, label="data", owner="daemon:daemon", mode="0750")
        called = self.ask("changed", settings)
        self.assertIn(f"{self.target}: {device}: a new ext4 file system, mounted", called.log)
        self.assertEqual(self.mounted(), (device, "ext4"))
        self.assertEqual(self.blkid(device, "LABEL"), "data")
        self.assertEqual(self.fstab(), [[f"UUID={self.blkid(device, 'UUID')}", self.target, "ext4",
                                         "defaults,nofail,x-bootlace", "0", "2"]])
        self.assertEqual(self.inside(["stat", "-c", "%U:%G %a", self.target]).stdout,
                         "daemon:daemon 750\n")

        with self.subTest("a second run changes nothing"):
            self.inside(["touch", f"{self.target}/kept"])
            self.ask("unchanged", settings)
            self.assertEqual(len(self.fstab()), 1)
            self.inside(["test", "-e", f"{self.target}/kept"])

        with self.subTest("what was unmounted is mounted again, and has its data"):
            self.inside(["umount", self.target])
            self.ask("changed", settings)
            self.inside(["test", "-e", f"{self.target}/kept"])

    def test_dry_run(self):
        device = self.loop()
        called = self.ask("changed", self.volume(device, filesystem="xfs"), dry_run=True)
        self.assertIn(f"would make a file system (xfs) on {device}", called.log)
        self.assertEqual((self.mounted(), self.fstab(), self.blkid(device, "TYPE")),
                         (None, [], ""))

    def test_data_is_never_overwritten(self):
        device = self.loop()
        for make, words in ((["mkfs.ext4", "-q", "-L", "old"],
                             r"ext4 file system \(old\), not xfs"),
                            (["mkswap"], "swap data, not xfs"),
                            (["sh", "-c", "echo secret >$0"], "data of no known kind, not xfs"),
                            (["sh", "-c", "printf 'label: gpt\n,4M\n,\n' | sfdisk -q --no-reread "
                                          "--no-tell-kernel $0"],
                             "a gpt partition table with 2 partitions, not xfs")):
            with self.subTest(words):
                host.run(["wipefs", "--all", "--quiet", device])
                host.run(["dd", "if=/dev/zero", f"of={device}", "bs=1M", "count=2", "status=none",
                          "conv=notrunc"])
                host.run([*make, device])
                before = Path(self.work, "disk").read_bytes()
                self.refused(f"{device} has {words} as asked; nothing is overwritten without "
                             "overwrite: true", self.volume(device, filesystem="xfs"))
                self.assertTrue(before == Path(self.work, "disk").read_bytes())
                self.assertEqual(self.fstab(), [])

    def test_what_is_there_is_taken_where_no_type_is_asked_for(self):
        device = self.loop()
        host.run(["mkfs.ext2", "-q", device])
        self.ask("changed", self.volume(device))
        self.assertEqual(self.mounted(), (device, "ext2"))

    def test_overwrite_is_done_once(self):
        device = self.loop()
        host.run(["mkfs.ext4", "-q", "-L", "old", device])
        settings = self.volume(device, overwrite=True, label="new")
        self.ask("changed", settings)
        self.assertEqual(self.blkid(device, "LABEL"), "new")
        self.inside(["touch", f"{self.target}/kept"])
        self.ask("unchanged", settings)
        self.inside(["umount", self.target])
        self.ask("changed", settings)
        self.inside(["test", "-e", f"{self.target}/kept"])

    def test_overwrite_is_done_once_where_there_is_no_uuid(self):
        device = self.loop()
        settings = {"volumes": [{"device": device, "filesystem": "minix", "overwrite": True,
                                 "wait": 0}]}
        self.ask("changed", settings)
        self.assertEqual((self.blkid(device, "TYPE"), self.blkid(device, "UUID")), ("minix", ""))
        self.ask("unchanged", settings)

    def test_what_is_in_use_is_not_overwritten(self):
        device = self.loop()
        self.ask("changed", self.volume(device))
        other = os.path.join(self.work, "other")
        self.refused("is in use: it is mounted",
                     {"volumes": [{"device": device, "mount": other, "overwrite": True,
                                   "filesystem": "xfs", "wait": 0}]})

    def test_one_partition_is_the_volume(self):
        device = self.loop()
        self.ask("changed", {"disk_setup": {device: {"table_type": "gpt", "layout": True}}})
        self.make_partition_nodes(device)
        self.ask("changed", self.volume(device))
        self.assertEqual(self.mounted(), (f"{device}p1", "ext4"))

    def make_partition_nodes(self, device):
        """There is no udev in the namespace."""
        for part in Path(f"/sys/class/block/{device[5:]}").glob("loop*p*"):
            major, minor = part.joinpath("dev").read_text().strip().split(":")
            self.inside(["sh", "-c", f"test -b /dev/{part.name} || "
                                     f"mknod /dev/{part.name} b {major} {minor}"])

    def test_something_else_is_mounted_there(self):
        device = self.loop()
        os.mkdir(self.target)
        self.inside(["mount", "-t", "tmpfs", "other", self.target])
        self.refused(f"other is mounted at {self.target}", self.volume(device))
        self.assertEqual(self.fstab(), [])

    def test_a_line_of_somebody_elses(self):
        device = self.loop()
        line = f"/dev/sdz {self.target} ext4 defaults 0 0 # mine"
        self.inside(["sh", "-c", f"echo '{line}' >/etc/fstab"])
        self.refused("fstab mounts /dev/sdz there, by a line that is not bootlace's",
                     self.volume(device))
        self.assertEqual(self.inside(["cat", "/etc/fstab"]).stdout, line + "\n")

    def test_xfs_grows_with_its_volume(self):
        device = self.loop(400 * MIB)
        settings = self.volume(device, filesystem="xfs")
        self.ask("changed", settings)
        os.truncate(os.path.join(self.work, "disk"), 600 * MIB)
        host.run(["losetup", "--set-capacity", device])
        before = os.stat(device)
        called = self.ask("unchanged", self.volume(device, filesystem="xfs", grow=False))
        called = self.ask("changed", settings)
        self.assertIn("grown", called.log)
        blocks = self.inside(["stat", "-f", "-c", "%b %S", self.target]).stdout.split()
        self.assertGreater(int(blocks[0]) * int(blocks[1]), 500 * MIB)
        self.ask("unchanged", settings)
        self.assertEqual(before.st_rdev, os.stat(device).st_rdev)

    def test_btrfs_grows_with_its_volume(self):
        device = self.loop(200 * MIB)
        settings = self.volume(device, filesystem="btrfs", label="data")
        self.ask("changed", settings)
        self.assertEqual(self.mounted(), (device, "btrfs"))
        self.ask("unchanged", settings)
        os.truncate(os.path.join(self.work, "disk"), 400 * MIB)
        host.run(["losetup", "--set-capacity", device])
        called = self.ask("changed", settings)
        self.assertIn("grown", called.log)
        blocks = self.inside(["stat", "-f", "-c", "%b %S", self.target]).stdout.split()
        self.assertGreater(int(blocks[0]) * int(blocks[1]), 390 * MIB)

    def test_a_volume_that_comes_late(self):
        device = self.loop()
        late = threading.Timer(1, self.inside, [["ln", "-s", device, "/dev/xvdf"]])
        late.start()
        start = time.monotonic()
        self.ask("changed", self.volume("/dev/sdf", wait=30))
        late.join()
        self.assertEqual(self.mounted(), (device, "ext4"))
        self.assertLess(time.monotonic() - start, 15)

    def test_a_volume_that_is_not_there(self):
        device = self.loop()
        self.nvme("nvme0n1", device, serial="vol0aaa")
        other = os.path.join(self.work, "other")
        called = self.refused(
            r"1 of 2 disks and mounts failed: .*: there is no device vol-0bbb after 1 s; the disks "
            r"here: nvme0n1 \(vol0aaa, 0.0 GiB\)",
            {"volumes": [{"device": "vol-0bbb", "mount": other, "wait": 1},
                         {"device": device, "mount": self.target, "wait": 0}]})
        self.assertEqual(called.item(self.target)["status"], "changed")
        self.assertEqual([line[1] for line in self.fstab()], [self.target])

    def test_swap_has_no_mount_point(self):
        self.program("swapon", f'echo "$@" >>{self.work}/swapon\n')
        device = self.loop()
        self.ask("changed", {"volumes": [{"device": device, "filesystem": "swap", "wait": 0}]})
        self.assertEqual(self.blkid(device, "TYPE"), "swap")
        self.assertEqual(Path(self.work, "swapon").read_text(), device + "\n")
        self.assertEqual(self.fstab(), [[f"UUID={self.blkid(device, 'UUID')}", "none", "swap",
                                         "sw,nofail,x-bootlace", "0", "0"]])

    def test_items_that_are_none(self):
        for item, message in (({"mount": "/x"}, "it has neither device nor attach"),
                              ({"device": "sdf", "mount": "x"}, "mount is no absolute path"),
                              ({"device": "sdf", "mount": "/a/../b"}, "mount is no absolute path"),
                              ({"attach": "vol-1", "mount": "/x"}, "attach needs device"),
                              ({"device": "sdf", "mode": "9", "mount": "/x"}, "mode"),
                              ({"device": "sdf", "wait": -1}, "wait is no number"),
                              ({"device": "sdf", "filesystem": "swap", "mount": "/x"},
                               "swap is mounted nowhere")):
            with self.subTest(item):
                self.refused(message, {"volumes": [item]})


class Names(VolumeTest):
    def test_a_volume_by_its_id(self):
        device = self.loop()
        self.nvme("nvme0n1", self.loop(name="other"), serial="vol0123456789abcdef1")
        self.nvme("nvme1n1", device, serial="vol0123456789abcdef0")
        self.ask("changed", self.volume("vol-0123456789abcdef0"))
        self.assertEqual(self.mounted(), ("/dev/nvme1n1", "ext4"))
        self.assertEqual(self.blkid(device, "TYPE"), "ext4")

    def test_by_label_uuid_alias_and_the_other_letters(self):
        device = self.loop()
        host.run(["mkfs.ext4", "-q", "-L", "web", device])
        self.inside(["ln", "-s", device, "/dev/xvdf"])
        for name, more in (("LABEL=web", {}), (f"UUID={self.blkid(device, 'UUID')}", {}),
                           ("/dev/sdf", {}), ("sdf", {}), ("xvdf", {}),
                           ("mine", {"device_aliases": {"mine": "/dev/sdf"}})):
            with self.subTest(name):
                self.ask("changed", {**self.volume(name), **more})
                self.assertEqual(self.mounted(), (device, "ext4"))
                self.inside(["umount", self.target])

    def test_an_instance_store(self):
        device = self.loop()
        self.nvme("nvme0n1", self.loop(name="other"), model="Amazon Elastic Block Store")
        self.nvme("nvme1n1", device, model="Amazon EC2 NVMe Instance Storage")
        self.ask("changed", self.volume("ephemeral0"))
        self.assertEqual(self.mounted(), ("/dev/nvme1n1", "ext4"))
        self.refused("there is no device ephemeral1", self.volume("ephemeral1"))

    def test_by_the_metadatas_mapping(self):
        device = self.loop()
        self.inside(["ln", "-s", device, "/dev/xvdb"])
        self.ask("changed", self.volume("ebs1"),
                 metadata={"block-device-mapping/ebs1": "sdb"})
        self.assertEqual(self.mounted(), (device, "ext4"))


class Owners(VolumeTest):
    """The second pass, mounts-deferred, gives a volume to an owner who came later."""

    def test_an_owner_that_comes_later(self):
        settings = self.volume(self.loop(), owner="late:late", mode="0700")
        self.ask("changed", settings)
        self.refused("there is no late:late", settings, module="mounts-deferred")
        self.inside(["sh", "-c", "echo late:x:4711: >>/etc/group; "
                                 "echo late:x:4711:4711::/:/bin/sh >>/etc/passwd"])
        self.ask("changed", settings, module="mounts-deferred")
        self.assertEqual(self.inside(["stat", "-c", "%u:%g %a", self.target]).stdout,
                         "4711:4711 700\n")
        self.ask("unchanged", settings, module="mounts-deferred")
        self.ask("unchanged", settings)


if __name__ == "__main__":
    unittest.main()
