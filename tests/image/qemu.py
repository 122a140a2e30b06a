"""Whole machines for tests: QEMU boots a disk image, with a metadata service at its address.

The machine knows by its firmware (SMBIOS) that it is on EC2. It has no network but QEMU's own,
which knows one address, that of the service; a port of it can be reached from here. Nothing else
gets in or out.
"""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from golden import host
import imds_run
import imds_tree

BOOT_LIMIT_S = 240
ANSWER_S = 5
POLL_S = 0.5
SERVICE_NETWORK = "169.254.169.0/24"
PROGRAM = "qemu-system-x86_64"


def missing():
    """What this host lacks to run such machines."""
    programs = [name for name in (PROGRAM, "mke2fs", "mount") if shutil.which(name) is None]
    return programs or ([] if os.uname().machine == "x86_64" else ["a host of the kind x86_64"])


def make_disk(tree, path, size="2G", offset=0):
    """A file system with all that is in a tree, as a disk's image, from a byte of it on."""
    host.run(["mke2fs", "-q", "-t", "ext4", "-d", tree, "-L", "root", "-E", f"offset={offset}",
              path, size], limit=300)


def free_port():
    """A port of the loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Machine:
    """One boot of a disk, from `with` to its end."""

    def __init__(self, disks, kernel, initrd, work, *, instance_id, user_data=None, words="",
                 forward=80):
        self.work = Path(work)
        self.work.mkdir(parents=True, exist_ok=True)
        tree = self.work / "imds"
        imds_tree.make_tree(str(tree), instance_id=instance_id, user_data=user_data,
                            local_ipv4="169.254.169.15")
        self.service = imds_run.Service(str(tree), str(self.work))
        self.port = free_port()
        self.console = self.work / "console"
        with open(self.work / "qemu", "wb") as said:
            self.process = self._start(disks, kernel, initrd, words, forward, instance_id, said)

    def _start(self, disks, kernel, initrd, words, forward, instance_id, said):
        relay = (f"/bin/bash -c 'exec 3<>/dev/tcp/127.0.0.1/{self.service.port}; "
                 "cat <&3 & cat >&3'")
        uuid = "ec2" + host.digest(instance_id)[:5] + "-0001-4002-8003-000000000000"
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", PROGRAM,
             # Not KVM: what a host emulates of it may lack instructions that kernels use.
             "-accel", "tcg", "-m", "512", "-smp", "1", "-nodefaults", "-no-reboot",
             "-display", "none",
             "-kernel", kernel, "-initrd", initrd,
             "-append", f"root=LABEL=root rw console=ttyS0 net.ifnames=0 {words}",
             *[word for disk in disks
               for word in ("-drive", f"file={disk},format=raw,if=virtio,cache=unsafe")],
             "-smbios", f"type=1,manufacturer=Amazon EC2,product=t3.micro,serial={uuid},"
                        f"uuid={uuid}",
             "-netdev", f"user,id=net,restrict=on,net={SERVICE_NETWORK},host=169.254.169.2,"
                        "dhcpstart=169.254.169.15,"
                        f"hostfwd=tcp:127.0.0.1:{self.port}-:{forward},"
                        f"guestfwd=tcp:169.254.169.254:80-cmd:{relay}",
             "-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci",
             "-serial", f"file:{self.console}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=said, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.service.stop()

    def evidence(self):
        """What the console and QEMU said last."""
        texts = [path.read_text(encoding="utf-8", errors="replace")[-6000:]
                 for path in (self.console, self.work / "qemu") if path.exists()]
        return "\n".join(texts)

    def _fetch(self, path):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self.port}{path}", timeout=ANSWER_S) as page:
                return page.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def wait_off(self, limit=BOOT_LIMIT_S):
        """Waits until the machine is off."""
        try:
            self.process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            raise host.RigError(f"not off after {limit} s\n{self.evidence()}") from None

    def await_page(self, words, path="/", limit=BOOT_LIMIT_S):
        """Waits until a page of the machine's has these words."""
        end = time.monotonic() + limit
        while time.monotonic() < end and self.process.poll() is None:
            if words in self._fetch(path):
                return
            time.sleep(POLL_S)
        raise host.RigError(f"no page with {words!r}\n{self.evidence()}")
