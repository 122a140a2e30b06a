"""Debian's cloud-init as a peer of the benchmark, in a root of its own.

The root is made once by mmdebstrap and kept in the tests' cache, under a name that is the hash of
what it is made from. Each run gets an overlay over it (so that each is a first boot), namespaces of
its own, and a /dev without devices: cloud-init grows disks, sets host names and the like.
"""

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess

SUITE = "bookworm"
VARIANT = "minbase"
PACKAGES = ("cloud-init",)
SOURCES = ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")
BUILD_LIMIT_S = 900
TOOLS = ("mmdebstrap", "unshare", "mount", "chroot")

# The boot's four steps, as its systemd units call them: each is taken, whatever became of the last.
STEPS = ("cloud-init init --local", "cloud-init init", "cloud-init modules --mode=config",
         "cloud-init modules --mode=final")

# What ds-identify finds out at a real boot. strict_id: there is no EC2 firmware to know it by here.
# locale: the root has no locales to choose from.
CONFIGURATION = """\
datasource_list: [Ec2]
locale: false
datasource:
  Ec2:
    strict_id: false
"""

# Run in mount, host name and process namespaces of its own; $1 = root, $2 = run, $3 = work folder.
# `measure` follows: what is set up here is not in what it measures.
SETUP = """\
set -eu
root=$1 run=$2 work=$3
shift 3
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
exec "$@"
"""


class Unavailable(Exception):
    """cloud-init cannot take part; the text says why."""


def cache_folder():
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or "/var/cache", "bootlace-tests")


def build_root(target, log):
    """Makes the root beside its place and moves it there when it is whole."""
    unfinished = target + ".new"
    shutil.rmtree(unfinished, ignore_errors=True)
    sources = [path for path in SOURCES if os.path.exists(path)][:1]
    command = ["mmdebstrap", "--mode=root", f"--variant={VARIANT}",
               "--include=" + ",".join(PACKAGES), SUITE, unfinished, *sources]
    try:
        run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=BUILD_LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"mmdebstrap took longer than {BUILD_LIMIT_S} s") from error
    if run.returncode != 0:
        last = run.stdout.decode(errors="replace").strip().split("\n")[-1]
        raise Unavailable(f"mmdebstrap failed: {last}")
    os.rename(unfinished, target)
    log(f"cloud-init's root is at {target}")


def prepare_root(log):
    """The path of the root, made if it is not there yet."""
    if os.geteuid() != 0:
        raise Unavailable("it needs root")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise Unavailable("not installed: " + ", ".join(missing))
    recipe = "\n".join((SUITE, VARIANT, *sorted(PACKAGES)))
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    target = os.path.join(cache_folder(), f"cloud-init-{digest}")
    os.makedirs(cache_folder(), exist_ok=True)
    with open(target + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be making it
        if not os.path.isdir(target):
            log("making a root with cloud-init in it, once; this takes a minute or two")
            build_root(target, log)
    return target


def command(root, run, work, measure):
    """The command of one first boot; `measure` is the command that measures what follows it."""
    steps = "; ".join(STEPS)
    return ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "sh", "-c",
            f"CONFIGURATION={shlex.quote(CONFIGURATION)}\n{SETUP}", "setup", root, run, work,
            *measure, "chroot", os.path.join(run, "root"), "sh", "-c", steps]
