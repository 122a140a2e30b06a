#!/usr/bin/python3
"""Volumes of a whole machine, through three boots: a root file system in a partition, which grows
while it is mounted, whenever its disk grew; a data volume, a swap file and lines of fstab that hold
at the next boot. With BOOTLACE_TEST_ALL. BOOTLACE_BUILD names the build.
"""

import json
import os
import unittest

from disk import BOOTABLE, DiskTest, host
import image as images
import qemu
import roots

PACKAGES = [*BOOTABLE, "fdisk", "e2fsprogs", "libcurl4", "libexpat1", "libjansson4",
            "libyaml-0-2"]
SECTOR, MIB = 512, 1 << 20

USER_DATA = b"""\
#cloud-config
swap: {filename: /swap.img, size: 64M}
fs_setup: [{device: /dev/vdb, filesystem: ext4, label: data}]
mounts:
- [LABEL=data, /data, ext4]
- [tmpfs, /scratch, tmpfs, size=8M]
runcmd:
- date >>/data/first-boots
"""

NETWORK = """\
[Match]
Name=eth*
[Network]
DHCP=yes
"""

# Says at every boot what there is, and goes.
REPORTER = """\
[Unit]
After=bootlace.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/report
[Install]
WantedBy=multi-user.target
"""
REPORT = """\
#!/bin/sh
bootlace status --wait >/dev/null
{
    echo "code $?"
    echo "root $(df --block-size=1 --output=size / | tail -n 1)"
    echo "swap $(awk 'NR == 2 { print $1 }' /proc/swaps)"
    echo "data $(findmnt --noheadings --output SOURCE,FSTYPE /data)"
    echo "scratch $(findmnt --noheadings --output FSTYPE /scratch)"
    echo "boots $(wc -l </data/first-boots)"
} >/var/report 2>&1
bootlace status --format json >/var/status
systemctl poweroff --no-block
"""


class Volumes(DiskTest):
    offset = MIB

    def disks(self):
        return [self.disk, self.work / "data"]

    def resize(self, path, mib):
        with open(path, "ab"):
            os.truncate(path, mib * MIB)

    def make(self):
        """A disk with a partition that leaves much of it free."""
        self.resize(self.disk, 2600)
        self.resize(self.work / "data", 64)
        host.run(["sfdisk", "--quiet", self.disk],
                 input=f"label: gpt\nstart={MIB // SECTOR}, size={1600 * MIB // SECTOR}, "
                       "type=linux\n")
        with roots.Copy(PACKAGES) as copy:
            self.take_out(copy)
            host.run(["cmake", "--install", os.environ["BOOTLACE_BUILD"], "--strip"],
                     env=host.environment(DESTDIR=str(copy.root)))
            copy.put("/etc/systemd/network/80-dhcp.network", NETWORK)
            copy.put("/etc/systemd/system/reporter.service", REPORTER)
            copy.put("/usr/local/sbin/report", REPORT, mode=0o755)
            for unit in (*images.UNITS, "systemd-networkd.service", "reporter.service"):
                host.run(["systemctl", f"--root={copy.root}", "enable", unit])
            qemu.make_disk(copy.root, self.disk, "1600M", self.offset)

    def report(self, name):
        """What a boot had to say, by its first words, and its steps."""
        one = self.boot(name, instance_id="i-0aaa", user_data=USER_DATA)
        one.wait_off()
        one.__exit__()
        found = self.content("/var/report", "/var/status")
        said = dict(line.partition(" ")[::2]
                    for line in found["/var/report"].decode().splitlines())
        steps = {step["name"]: step for step in json.loads(found["/var/status"])["steps"]}
        return said, steps

    def assert_volumes(self, said):
        self.assertEqual((said.get("code"), said.get("swap"), said.get("data", "").split(),
                          said.get("scratch"), said.get("boots")),
                         ("0", "/swap.img", ["/dev/vdb", "ext4"], "tmpfs", "1"), said)

    def test_three_boots(self):
        self.make()
        said, steps = self.report("first")
        self.assert_volumes(said)
        self.assertGreater(int(said["root"]), 2300 * MIB)
        self.assertTrue(steps["grow"]["changed"], steps["grow"])

        with self.subTest("what fstab says holds, and nothing is done again"):
            before = said["root"]
            said, steps = self.report("second")
            self.assert_volumes(said)
            self.assertEqual(said["root"], before)
            self.assertFalse(steps["grow"]["changed"], steps["grow"])

        with self.subTest("the disk grew once more"):
            self.resize(self.disk, 3600)
            said, steps = self.report("third")
            self.assert_volumes(said)
            self.assertGreater(int(said["root"]), 3200 * MIB)
            self.assertTrue(steps["grow"]["changed"], steps["grow"])


if __name__ == "__main__":
    unittest.main()
