#!/usr/bin/python3
"""The modules of every cloud-config together, under the agent, on a copy-on-write view of this
machine's files in namespaces of its own: their order, their effect, and what the record keeps.

BOOTLACE_BUILD names the build folder. Needs root and overlayfs.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

from agent import build_folder, environment, library, needs_root, program

CONFIG = {
    "bootcmd": ["echo bootcmd of $INSTANCE_ID"],
    "write_files": [{"path": "/etc/demo", "content": "demo\n", "permissions": "0600"},
                    {"path": "/etc/later", "content": "x", "defer": True},
                    {"path": "/etc/waits", "content": "x", "owner": "demo-app"}],
    "hostname": "web1",
    "manage_etc_hosts": True,
    "timezone": "Etc/UTC",
    "locale": "C.UTF-8",
    "runcmd": ["cd /etc", ["cat", "demo", "hostname"], "(exit 3)", "cat hosts"],
    "final_message": "the end, from $DATASOURCE",
}

ORDER = ["login-keys", "bootcmd", "host-keys", "grow", "write-files", "hostname", "locale",
         "timezone", "write-files-deferred", "user-data", "runcmd", "final-message"]

# Everything is mounted in the namespace, which is gone with the shell.
ENTER = """
set -e
mount -t tmpfs tmpfs "$1/over"
mkdir "$1/over/upper" "$1/over/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/over/upper,workdir=$1/over/work" "$1/all"
mount -t proc proc "$1/all/proc"
mount --rbind /dev "$1/all/dev"
mount -t tmpfs tmpfs "$1/all/run"
mkdir -p "$1/all/$2" "$1/all/etc/bootlace"
mount --bind "$2" "$1/all/$2"
rm -rf "$1/all/var/lib/bootlace"
mkdir -m 0700 -p "$1/all/var/lib/bootlace"
cp "$1/config.yaml" "$1/all/etc/bootlace/"
cp -r "$1/seed" "$1/all/var/lib/bootlace/"
cp "$1/inside" "$1/all/run/"
exec chroot "$1/all" sh /run/inside
"""

INSIDE = """
"$BOOTLACE" run >&2
echo "$?"
grep -c '^demo-app:' /etc/passwd
useradd demo-app && "$BOOTLACE" run --rerun write-files-deferred >&2
stat -c '%a %U' /etc/demo /etc/waits /etc/later
readlink /etc/localtime
cat /etc/hostname
grep ^LANG /etc/default/locale
hostname
"$BOOTLACE" status --format json || :
"""


@needs_root
class Together(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.work = tempfile.mkdtemp(prefix="bootlace-together-")
        self.addCleanup(shutil.rmtree, self.work)
        for name in ("over", "all", "seed"):
            os.mkdir(os.path.join(self.work, name))
        for name, text in (("config.yaml", json.dumps(CONFIG)), ("inside", INSIDE),
                           ("seed/meta-data", json.dumps({"instance-id": "i-77"})),
                           ("seed/user-data", "#!/bin/sh\necho the script\n")):
            with open(os.path.join(self.work, name), "w", encoding="utf-8") as out:
                out.write(text)

    def enter(self):
        command = ["unshare", "--mount", "--uts", "sh", "-c", ENTER, "sh", self.work,
                   build_folder()]
        done = subprocess.run(command, check=False, text=True, timeout=100,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment(BOOTLACE=program(), BOOTLACE_LIBDIR=library()))
        if "mount:" in done.stderr:
            self.skipTest(f"no namespaces or overlayfs here: {done.stderr}")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr

    def test_all(self):
        before = socket.gethostname()
        out, err = self.enter()
        lines, _, status = out.partition("{")
        self.assertEqual(lines.splitlines(),
                         ["1", "0", "600 root", "644 demo-app", "644 root",
                          "../usr/share/zoneinfo/Etc/UTC", "web1", "LANG=C.UTF-8", "web1"], err)
        steps = json.loads("{" + status)["steps"]
        self.assertEqual([step["name"] for step in steps], ORDER)
        self.assertEqual([step["name"] for step in steps if step["status"] != "done"], ["runcmd"])
        commands = steps[ORDER.index("runcmd")]
        self.assertEqual([item["exit_code"] for item in commands["items"]], [0, 0, 3, 0])
        self.assertIn("demo\nweb1\n", commands["output"])
        self.assertIn("127.0.1.1 web1 web1\n", commands["output"])
        self.assertEqual(steps[-1]["output"], "the end, from seed\n")
        self.assertIn("bootcmd of i-77", steps[ORDER.index("bootcmd")]["output"])
        self.assertEqual(socket.gethostname(), before)


if __name__ == "__main__":
    unittest.main()
