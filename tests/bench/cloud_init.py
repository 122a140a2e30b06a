"""Debian's cloud-init as a peer of the benchmarks, in a root of its own.

The root is the tests' (tests/rig/roots.py), made once and kept. Each run gets an overlay over it
(so that each is a first boot), namespaces of its own, and a /dev without devices: cloud-init grows
disks, sets host names and the like.
"""

import os
import shlex
import shutil
import sys

RIG = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rig"))
sys.path.append(RIG)

import host  # noqa: E402
import roots  # noqa: E402

PACKAGES = ("cloud-init",)
TOOLS = ("mmdebstrap", "unshare", "mount", "chroot")

# The boot's four steps, as its systemd units call them: each is taken, whatever became of the last.
STEPS = ("cloud-init init --local", "cloud-init init", "cloud-init modules --mode=config",
         "cloud-init modules --mode=final")

# What ds-identify finds out at a real boot. strict_id: there is no EC2 firmware to know it by here.
# locale: the root has no locales to choose from.
EC2 = """\
datasource_list: [Ec2]
locale: false
datasource:
  Ec2:
    strict_id: false
"""

# Run in mount, host name and process namespaces of its own; $1 = root, $2 = run, $3 = work folder,
# $4 = a folder with user-data and meta-data, or nothing. `measure` follows: what is set up here is
# not in what it measures.
SETUP = """\
set -eu
root=$1 run=$2 work=$3 seed=$4
shift 4
mkdir -p "$run/layers" "$run/root"
mount -t tmpfs layers "$run/layers"
mkdir "$run/layers/upper" "$run/layers/work"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$run/layers/upper,workdir=$run/layers/work" \\
    "$run/root"
mount -t proc proc "$run/root/proc"
mount -t sysfs -o ro sysfs "$run/root/sys"
mount -t tmpfs run "$run/root/run"
mount -t tmpfs dev "$run/root/dev"
for device in null zero full random urandom tty; do
    : >"$run/root/dev/$device"
    mount --bind "/dev/$device" "$run/root/dev/$device"
done
mkdir -p "$run/root$work"
mount --bind "$work" "$run/root$work"
printf '%s' "$CONFIGURATION" >"$run/root/etc/cloud/cloud.cfg.d/99-bench.cfg"
unset CONFIGURATION
if [ -n "$seed" ]; then
    mkdir -p "$run/root/var/lib/cloud/seed"
    cp -r "$seed" "$run/root/var/lib/cloud/seed/nocloud"
fi
exec "$@"
"""


class Unavailable(Exception):
    """cloud-init cannot take part; the text says why."""


def prepare_root(log):
    """The path of the root, made if it is not there yet."""
    if os.geteuid() != 0:
        raise Unavailable("it needs root")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise Unavailable("not installed: " + ", ".join(missing))
    log("a root with cloud-init in it is made once, which takes a minute or two")
    try:
        return str(roots.cached(PACKAGES))
    except host.RigError as error:
        raise Unavailable(str(error).strip().split("\n")[-1]) from error


def command(root, run, work, measure, configuration=EC2, seed=""):
    """The command of one first boot; `measure` is the command that measures what follows it."""
    steps = "; ".join(STEPS)
    return ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "sh", "-c",
            f"CONFIGURATION={shlex.quote(configuration)}\n{SETUP}", "setup", root, run, work, seed,
            *measure, "chroot", os.path.join(run, "root"), "sh", "-c", steps]
