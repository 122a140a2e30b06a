#!/usr/bin/python3
"""A disk of what a recipe made, a tree baked and sealed, booted as a whole machine; with
BOOTLACE_TEST_ALL.

A real kernel, real firmware: so what a container cannot show is seen here, evidence of EC2 in the
firmware and the random seed that systemd saves when it goes down. BOOTLACE_BUILD names the build.
"""

import shutil
import sys
import unittest

from disk import BOOTABLE, DiskTest, host
import boottest
import qemu
import roots

sys.path.append(str(boottest.SOURCE / "tests" / "packaging"))
import packages  # noqa: E402  (found by the line above)

# What the recipe debian-root puts into a tree.
PACKAGES = [*BOOTABLE, "systemd-resolved", "openssh-server", "ca-certificates"]
# What it installs, bootlace's own dependencies among them.
INSTALLED = ["nginx-light", "libcurl4", "libexpat1", "libjansson4", "libyaml-0-2"]

# Where the kernel's command line says so: the machine becomes an image.
SEALER = """\
[Unit]
ConditionKernelCommandLine=test.seal
After=bootlace.service
[Service]
ExecStart=/bin/sh -c 'bootlace status --wait; exec bootlace seal --poweroff'
[Install]
WantedBy=multi-user.target
"""


class Disk(DiskTest):
    def make(self):
        """The disk of a tree that was baked and sealed."""
        with roots.Copy(PACKAGES) as copy:
            shutil.copytree(roots.repository(roots.cached(PACKAGES), INSTALLED),
                            copy.path("/srv/apt"))
            for source in copy.path("/etc/apt/sources.list.d").iterdir():
                source.unlink()
            copy.put("/etc/apt/sources.list", "deb [trusted=yes] file:/srv/apt ./\n")
            copy.put("/etc/systemd/system/sealer.service", SEALER)
            host.run(["systemctl", f"--root={copy.root}", "enable", "sealer.service"])
            self.take_out(copy)
            host.run([boottest.SOURCE / "packaging/recipes/into-tree", copy.root,
                      packages.deb("bootlace")], limit=180)
            qemu.make_disk(copy.root, self.disk)

    def test_a_disk_and_what_becomes_of_it(self):
        self.make()
        first = self.boot("first", instance_id="i-0aaa", words="test.seal")
        first.await_page("Hello from i-0aaa")
        first.wait_off()
        lasting = ("/etc/machine-id", "/var/lib/systemd/random-seed",
                   "/etc/ssh/ssh_host_ed25519_key", "/var/lib/bootlace/instances/i-0aaa/journal")
        self.assertEqual(self.content(*lasting), {"/etc/machine-id": b""})

        with self.subTest("the image of that machine is another one"):
            second = self.boot("second", instance_id="i-0bbb")
            second.await_page("Hello from i-0bbb")


if __name__ == "__main__":
    unittest.main()
