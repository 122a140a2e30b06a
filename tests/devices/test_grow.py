#!/usr/bin/python3
"""grow: partitions and an xfs that is /, on loop devices that grow.

A root of the test's own is the file system of a partition, with the machine's programs bound into
it. BOOTLACE_BUILD names the build folder.
"""

import json
import os
import unittest

from device_case import MIB, DeviceTest
import host
from agent import AgentTest, EXIT_INPUT
from test_manual import Page

BOUND = ["bin", "sbin", "lib", "lib64", "usr", "etc", "proc", "sys", "dev", "tmp"]


class GrowTest(DeviceTest):
    module = "grow"

    def setUp(self):
        self.chroot = []
        super().setUp()
        self.device = self.loop(400 * MIB)

    def enter(self):
        return [*super().enter(), *self.chroot]

    def partition(self, script, count):
        host.run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", self.device],
                 input=script)
        host.run(["partx", "--add", self.device])
        for number in range(1, count + 1):
            name = f"{self.device[5:]}p{number}"
            with open(f"/sys/class/block/{name}/dev", encoding="ascii") as numbers:
                major, minor = numbers.read().strip().split(":")
            self.inside(["mknod", f"/dev/{name}", "b", major, minor])
        return f"{self.device}p1"

    def enlarge(self, size):
        os.truncate(os.path.join(self.work, "disk"), size)
        host.run(["losetup", "--set-capacity", self.device])

    def partitions(self):
        """Whether the table is whole, its kind, and the sizes in MiB."""
        shown = json.loads(host.run(["sfdisk", "--json", self.device]).stdout)["partitiontable"]
        return shown["label"], [part["size"] // 2048 for part in shown["partitions"]]

    def kernels_size(self, number=1):
        name = f"{self.device[5:]}p{number}"
        with open(f"/sys/class/block/{name}/size", encoding="ascii") as size:
            return int(size.read()) // 2048

    def become_root(self, mount=None):
        """The first partition's xfs is /, as far as what is called in the namespace sees."""
        part = f"{self.device}p1"
        if not mount:
            self.inside(["mkfs.xfs", "-q", part])
        os.mkdir(self.target)
        self.inside(mount or ["mount", part, self.target])
        for name in BOUND:
            if os.path.islink(f"/{name}"):
                self.inside(["ln", "-s", os.readlink(f"/{name}"), f"{self.target}/{name}"])
            elif os.path.isdir(f"/{name}"):
                self.inside(["mkdir", f"{self.target}/{name}"])
                self.inside(["mount", "--rbind", f"/{name}", f"{self.target}/{name}"])
        # The build, wherever it is, and what the test wrote.
        for folder in {os.environ["BOOTLACE_BUILD"], self.work}:
            self.inside(["mkdir", "-p", self.target + folder])
            self.inside(["mount", "--rbind", folder, self.target + folder])
        self.chroot = ["chroot", self.target]

    def root_size(self):
        blocks = self.inside(["stat", "-f", "-c", "%b %S", "/"]).stdout.split()
        return int(blocks[0]) * int(blocks[1]) // MIB


class Grow(GrowTest):
    @staticmethod
    def only(place):
        """Never the machine's own root."""
        return {"growpart": {"devices": [place]}, "resize_rootfs": False}

    def fill(self, label):
        self.partition(f"label: {label}\n,\n", 1)
        self.become_root()
        before = self.root_size()
        self.ask("unchanged", {})
        self.enlarge(700 * MIB)

        called = self.ask("changed", {}, dry_run=True)
        self.assertRegex(called.log, f"{self.device[5:]}p1 grows by (299|300|301) MiB")
        self.assertEqual(self.root_size(), before)

        self.ask("changed", {})
        kind, sizes = self.partitions()
        self.assertEqual(kind, label)
        self.assertGreaterEqual(sizes[0], 697)
        self.assertEqual(self.kernels_size(), sizes[0])
        self.assertGreater(self.root_size(), before + 250)
        host.run(["sfdisk", "--verify", self.device])
        called = self.ask("unchanged", {})
        self.assertNotIn("xfs_growfs", called.log)

    def test_the_root_fills_a_disk_that_grew(self):
        self.fill("gpt")

    def test_the_same_of_the_old_kind(self):
        self.fill("dos")

    def test_neither_where_it_is_not_wanted(self):
        self.partition("label: gpt\n,\n", 1)
        self.become_root()
        before = self.root_size()
        self.enlarge(700 * MIB)
        for settings in ({"growpart": {"mode": "off"}, "resize_rootfs": False},
                         {"growpart": {"mode": False}, "resize_rootfs": False}):
            self.ask("unchanged", settings)
        self.inside(["touch", "/etc/growroot-disabled"])
        self.ask("unchanged", {"resize_rootfs": False})
        self.assertLess(self.kernels_size(), 401)
        self.ask("changed", {"growpart": {"ignore_growroot_disabled": True},
                             "resize_rootfs": False})
        self.assertGreater(self.kernels_size(), 690)
        self.assertEqual(self.root_size(), before)
        self.ask("changed", {})
        self.assertGreater(self.root_size(), before + 250)

    def test_what_another_partition_follows_stays(self):
        part = self.partition("label: gpt\n,100M\n,100M\n", 2)
        self.enlarge(700 * MIB)
        before = self.partitions()
        called = self.ask("unchanged", self.only(part))
        self.assertIn("is followed by another partition", repr(called.items))
        self.assertEqual(self.partitions(), before)
        self.ask("changed", self.only(f"{self.device}p2"))
        self.assertEqual(self.partitions()[1][0], 100)
        self.assertGreater(self.kernels_size(2), 590)

    def test_a_root_without_a_device(self):
        self.become_root(["mount", "-t", "tmpfs", "test", self.target])
        called = self.ask("unchanged", {})
        self.assertEqual({item["status"] for item in called.items}, {"unchanged"})

    def test_places_that_are_none(self):
        for place, message in (("/no/where", "nothing is mounted at /no/where"),
                               ("/dev/null", "/dev/null is on no block device here")):
            self.refused(message, self.only(place))


class Settings(AgentTest):
    def test_values_that_are_wrong(self):
        for text in ("growpart: {mode: sometimes}", "growpart: {devices: [sda]}", "growpart: on"):
            with self.subTest(text):
                path = self.machine.put("given", f"#cloud-config\n{text}\n")
                self.assert_code(self.machine.agent("validate", path), EXIT_INPUT)

    def test_the_page(self):
        blocks = Page("bootlace-grow.7").blocks("EXAMPLES")
        self.assertTrue(blocks)
        for _comment, text in blocks:
            path = self.machine.put("given", "#cloud-config\n" + text)
            self.assert_code(self.machine.agent("validate", "--strict", path), 0)


if __name__ == "__main__":
    unittest.main()
