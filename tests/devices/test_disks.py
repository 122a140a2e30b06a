#!/usr/bin/python3
"""mounts: cloud-init's keys: partition tables, file systems, lines of fstab, swap files.

BOOTLACE_BUILD names the build folder.
"""

import json
import os
import unittest
from pathlib import Path

from device_case import MIB, DeviceTest
import host


class DiskTest(DeviceTest):
    module = "mounts"

    def partitions(self, device):
        """Size in MiB and type of each partition."""
        shown = json.loads(host.run(["sfdisk", "--json", device]).stdout)["partitiontable"]
        return shown["label"], [(part["size"] // 2048, part["type"])
                                for part in shown.get("partitions", [])]

    def show_partitions(self, device):
        """There is no udev in the namespace."""
        for part in Path(f"/sys/class/block/{device[5:]}").glob("loop*p*"):
            major, minor = part.joinpath("dev").read_text().strip().split(":")
            self.inside(["sh", "-c", f"test -b /dev/{part.name} || "
                                     f"mknod /dev/{part.name} b {major} {minor}"])


class Disks(DiskTest):
    def test_layouts(self):
        linux, swap = "0FC63DAF-8483-4772-8E79-3D69D8477DE4", "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"
        for item, label, expected in (
                ({"layout": True}, "dos", [(63, "83")]),
                ({"layout": True, "table_type": "gpt"}, "gpt", [(62, linux)]),
                ({"layout": [50, [50, 82]]}, "dos", [(31, "83"), (32, "82")]),
                ({"layout": [25, [25, 82]], "table_type": "gpt"}, "gpt", [(15, linux), (15, swap)]),
                ({"layout": [["50", swap], 50], "table_type": "GPT"}, "gpt",
                 [(31, swap), (31, linux)])):
            with self.subTest(item):
                device = self.loop(64 * MIB)
                settings = {"disk_setup": {device: item}}
                self.ask("changed", settings)
                self.assertEqual(self.partitions(device), (label, expected))
                self.ask("unchanged", settings)

    def test_no_layout_no_partitions(self):
        device = self.loop()
        called = self.ask("unchanged", {"disk_setup": {device: {"layout": False}}})
        self.assertIn("it asks for no partitions", called.log)
        self.assertEqual(self.blkid(device, "PTTYPE"), "")

    def test_what_is_there_stays(self):
        device = self.loop()
        host.run(["mkfs.ext4", "-q", "-L", "old", device])
        before = Path(self.work, "disk").read_bytes()
        called = self.ask("unchanged", {"disk_setup": {device: {"layout": True}}})
        self.assertIn("has ext4 file system (old)", called.log)
        self.assertTrue(before == Path(self.work, "disk").read_bytes())

    def test_overwrite_is_done_once(self):
        device = self.loop()
        host.run(["mkfs.ext4", "-q", device])
        settings = {"disk_setup": {device: {"layout": True, "overwrite": True}}}
        self.ask("changed", settings)
        self.assertEqual(self.partitions(device)[1], [(31, "83")])
        self.ask("unchanged", settings)

    def test_layouts_that_are_none(self):
        device = self.loop()
        for item, message in (({"layout": [60, 60]}, "more than that in all"),
                              ({"layout": [0]}, "no part of a hundred"),
                              ({"layout": [[50, "rm -rf"]]}, "a type that sfdisk does not know"),
                              ({"layout": []}, "neither true nor a list"),
                              ({"layout": True, "table_type": "sun"}, "neither mbr nor gpt")):
            with self.subTest(item):
                self.refused(message, {"disk_setup": {device: item}})
        self.assertEqual(self.blkid(device, "PTTYPE"), "")

    def test_a_partition_gets_its_file_system(self):
        device = self.loop(64 * MIB)
        self.ask("changed", {"disk_setup": {device: {"layout": [50, 50]}}})
        self.show_partitions(device)
        settings = {"fs_setup": [{"device": device, "partition": 2, "filesystem": "ext4",
                                  "label": "second"}],
                    "mounts": [["LABEL=second", self.target]]}
        self.ask("changed", settings)
        self.assertEqual(self.mounted(), (f"{device}p2", "ext4"))
        self.assertEqual(self.blkid(f"{device}p1", "TYPE"), "")
        self.ask("unchanged", settings)

    def test_any_and_auto(self):
        device = self.loop(64 * MIB)
        self.ask("changed", {"disk_setup": {device: {"layout": [50, 50]}}})
        self.show_partitions(device)
        host.run(["mkfs.ext4", "-q", "-L", "data", f"{device}p2"])
        for partition in ("any", "auto"):
            self.ask("unchanged", {"fs_setup": [{"device": device, "partition": partition,
                                                 "filesystem": "ext4", "label": "data"}]})
        self.ask("changed", {"fs_setup": [{"device": device, "partition": "auto",
                                           "filesystem": "ext2", "label": "more"}]})
        self.assertEqual(self.blkid(f"{device}p1", "LABEL"), "more")

    def test_replace_fs(self):
        device = self.loop()
        item = {"device": device, "filesystem": "ext4", "label": "new"}
        host.run(["mkfs.vfat", device], check=False) if os.path.exists("/sbin/mkfs.vfat") else \
            host.run(["mkfs.ext2", "-q", device])
        old = self.blkid(device, "TYPE")
        self.refused("nothing is overwritten", {"fs_setup": [item]})
        self.refused("nothing is overwritten", {"fs_setup": [{**item, "replace_fs": "xfs"}]})
        self.ask("changed", {"fs_setup": [{**item, "replace_fs": old}]})
        self.assertEqual((self.blkid(device, "TYPE"), self.blkid(device, "LABEL")), ("ext4", "new"))

    def test_options_and_a_command_of_ones_own(self):
        device, other = self.loop(), self.loop(name="other")
        self.ask("changed", {"fs_setup": [
            {"device": device, "filesystem": "ext4", "extra_opts": ["-O", "^has_journal"]},
            {"device": other, "filesystem": "ext4", "label": "x; touch /tmp/bootlace-x",
             "cmd": "mkfs.%(filesystem)s -q -L odd %(device)s"}]})
        self.assertNotIn("has_journal", host.run(["dumpe2fs", "-h", device]).stdout)
        self.assertEqual(self.blkid(other, "LABEL"), "odd")
        self.assertFalse(os.path.exists("/tmp/bootlace-x"))


class Lines(DiskTest):
    def test_defaults_and_fields(self):
        device = self.loop()
        host.run(["mkfs.ext4", "-q", device])
        uuid = f"UUID={self.blkid(device, 'UUID')}"
        memory = os.path.join(self.work, "memory")
        settings = {"mounts": [[device, self.target],
                               ["tmpfs", memory, "tmpfs", "size=1m,mode=0700", 0, 0]],
                    "mount_default_fields": [None, None, "auto", "noatime,nofail", "0", "1"]}
        self.ask("changed", settings)
        self.assertEqual(self.fstab(), [
            [uuid, self.target, "ext4", "noatime,nofail,x-bootlace", "0", "1"],
            ["tmpfs", memory, "tmpfs", "size=1m,mode=0700,x-bootlace", "0", "0"]])
        self.assertEqual(self.mounted(memory), ("tmpfs", "tmpfs"))
        self.assertIn("noatime", self.inside(["findmnt", "-no", "OPTIONS", self.target]).stdout)
        self.ask("unchanged", settings)

    def test_a_changed_line_takes_the_place_of_its_own(self):
        self.inside(["sh", "-c", "printf '# mine\\nproc\\t/proc\\tproc\\tdefaults\\t0\\t0' "
                                 ">/etc/fstab"])
        with_space = self.target + " with space"
        self.ask("changed", {"mounts": [["tmpfs", with_space, "tmpfs", "size=1m"]]})
        self.ask("changed", {"mounts": [["tmpfs", with_space, "tmpfs", "size=2m"]]})
        self.assertEqual(self.inside(["cat", "/etc/fstab"]).stdout.split("\n"), [
            "# mine", "proc\t/proc\tproc\tdefaults\t0\t0",
            f"tmpfs\t{self.target}\\040with\\040space\ttmpfs\tsize=2m,x-bootlace\t0\t2", ""])

    def test_noauto_is_only_written(self):
        self.ask("changed", {"mounts": [["host:/export", self.target, "nfs", "noauto,ro"]]})
        self.assertEqual(self.mounted(), None)
        self.assertEqual(self.fstab()[0][0], "host:/export")

    def test_items_without_a_place(self):
        self.ask("unchanged", {"mounts": [["ephemeral0", None], ["sdc"], ["ephemeral0", "/mnt"]]})
        self.assertEqual(self.fstab(), [])

    def test_what_cannot_be_mounted_gets_no_line(self):
        device = self.loop()
        self.refused("has nothing; fs_setup or volumes make a file system",
                     {"mounts": [[device, self.target]]})
        self.refused("cannot be mounted at .*: ",
                     {"mounts": [["tmpfs", self.target, "tmpfs", "no_such_option=1"]]})
        self.refused("no absolute path", {"mounts": [["tmpfs", "data", "tmpfs"]]})
        self.assertEqual(self.fstab(), [])


class Swap(DiskTest):
    """swapon is a program of the test's own: swap is the whole machine's."""

    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.work, "swap")
        self.program("swapon", f'echo "$@" >>{self.work}/swapon\n')

    def test_a_file(self):
        settings = {"swap": {"filename": self.file, "size": "20M"}}
        self.ask("changed", settings)
        self.assertEqual(Path(self.work, "swapon").read_text(), self.file + "\n")
        info = os.stat(self.file)
        self.assertEqual((info.st_size, info.st_mode & 0o7777), (20 * MIB, 0o600))
        self.assertGreaterEqual(info.st_blocks * 512, 20 * MIB)
        self.assertEqual(self.blkid(self.file, "TYPE"), "swap")
        self.assertEqual(self.fstab(), [[self.file, "none", "swap", "sw,x-bootlace", "0", "0"]])
        before = info.st_mtime_ns
        self.ask("changed", settings)  # the test's swapon switches nothing on
        self.assertEqual(os.stat(self.file).st_mtime_ns, before)

    def test_no_swap(self):
        for swap in ({"filename": self.file}, {"filename": self.file, "size": 0}):
            self.ask("unchanged", {"swap": swap})
        self.assertFalse(os.path.exists(self.file))

    def test_auto_has_a_limit(self):
        self.ask("changed", {"swap": {"filename": self.file, "size": "auto", "maxsize": "24M"}})
        self.assertEqual(os.stat(self.file).st_size, 24 * MIB)

    def test_sizes_and_names_that_are_none(self):
        for swap, message in (({"size": "much"}, "swap.size is no size"),
                              ({"size": "auto", "maxsize": "-1"}, "swap.maxsize is no size"),
                              ({"filename": "swap", "size": 1}, "swap.filename is no absolute"),
                              ({"filename": "/", "size": 1}, "swap.filename is no absolute")):
            with self.subTest(swap):
                self.refused(message, {"swap": {"filename": self.file, **swap}})
        self.assertFalse(os.path.exists(self.file))

    def test_a_full_disk(self):
        small = os.path.join(self.work, "small")
        os.mkdir(small)
        self.inside(["mount", "-t", "tmpfs", "-o", "size=4m", "test", small])
        self.refused("swap of 32 MiB cannot be made: No space left",
                     {"swap": {"filename": f"{small}/swap", "size": "32M"}})
        self.assertEqual(self.inside(["ls", small]).stdout, "")

    def test_swap_that_cannot_be_switched_on(self):
        self.program("swapon", "echo no >&2; exit 255\n")
        self.refused("swap cannot be switched on: ", {"swap": {"filename": self.file,
                                                               "size": "16M"}})
        self.assertEqual(self.fstab(), [])


if __name__ == "__main__":
    unittest.main()
