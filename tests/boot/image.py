"""The root file system that machines boot from, in two read-only layers.

The lower layer is a small Debian made by mmdebstrap. It takes half a minute and is cached by the
hash of what went into it. The upper layer, the image, is bootlace as `cmake --install` installs it,
with its units enabled as an image builder would, and the few files that turn a plain Debian into
something like an EC2 image: DHCP on eth0, an empty resolv.conf, and a unit that provides
/sys/hypervisor/uuid, which is how a machine here proves that it is on EC2.
"""

import contextlib
import shutil
import textwrap
from pathlib import Path

import host
import roots

PACKAGES = ["systemd", "systemd-sysv", "dbus", "udev", "iproute2", "openssh-server",
            "libcurl4", "libexpat1", "libjansson4", "libldns3", "libyaml-0-2", "libarchive13",
            "procps"]
UNITS = ["bootlace-early.service", "bootlace.service", "bootlace-shutdown.service"]

# What the plain Debian is told once: to bring its network up, and to keep apt's timers from taking
# apt's lock in the middle of a test.
SETTINGS = [["enable", "systemd-networkd.service"],
            ["mask", "apt-daily.timer", "apt-daily-upgrade.timer"]]

# The folder, inside the machine, by which the rig tells the platform unit what to pretend.
PLATFORM_FOLDER = "/etc/test-platform"

# nspawn gives a machine with a network of its own a /sys without /sys/hypervisor, and the host's
# kernel command line. This unit puts both right before anything of the agent can look.
PLATFORM_UNIT = """\
    [Unit]
    Description=Evidence of EC2 and a kernel command line, for tests
    DefaultDependencies=no
    After=systemd-remount-fs.service
    Before=sysinit.target bootlace-early.service bootlace.service

    [Service]
    Type=oneshot
    RemainAfterExit=yes
    ExecStart=/usr/local/sbin/test-platform

    [Install]
    WantedBy=sysinit.target
    """

PLATFORM_PROGRAM = f"""\
    #!/bin/sh
    set -e
    cd {PLATFORM_FOLDER}
    if [ -e hypervisor-uuid ]; then
        mount -o remount,rw /sys
        mkdir -p /sys/hypervisor
        cp hypervisor-uuid /sys/hypervisor/uuid
        mount -o remount,ro /sys
    fi
    if [ -e cmdline ]; then
        mount --bind cmdline /proc/cmdline
    fi
    """

NETWORK = """\
    [Match]
    Name=eth0

    [Network]
    DHCP=ipv4
    IPv6AcceptRA=no
    """

FILES = {
    "/etc/hostname": ("machine\n", 0o644),
    "/etc/resolv.conf": ("", 0o644),
    "/etc/systemd/network/10-eth0.network": (NETWORK, 0o644),
    "/etc/systemd/system/test-platform.service": (PLATFORM_UNIT, 0o644),
    "/usr/local/sbin/test-platform": (PLATFORM_PROGRAM, 0o755),
}


def cached_root(refresh=False):
    """The folder of the small Debian; made first when it isn't there, or when asked to."""
    return roots.cached(PACKAGES, SETTINGS, refresh)


class Image:
    """A folder holding what lies over the Debian root, and the build that it was installed from."""

    def __init__(self, folder, build, prefix):
        self.folder = folder
        self.layers = f"{folder}:{cached_root()}"
        self.build = build
        self.program = f"{prefix}/bin/bootlace"
        # Where the library folder is depends on the prefix: /usr/lib has one an architecture.
        [modules] = (folder / prefix.lstrip("/")).glob("lib*/**/bootlace/modules")
        self.modules = "/" + str(modules.relative_to(folder))


@contextlib.contextmanager
def made_image(build):
    """Makes the image of a build folder in a temporary folder, for the length of the block."""
    build = Path(build).resolve()
    for abandoned in host.abandoned_folders(host.cache_folder(), "image."):
        shutil.rmtree(abandoned)
    owned = host.OwnedFolder(host.cache_folder(), "image.")
    folder = owned.path
    try:
        folder.chmod(0o755)
        prefix = _install(build, folder)
        write_files(folder)
        for unit in [*UNITS, "test-platform.service"]:
            host.run(["systemctl", f"--root={folder}", "enable", unit])
        yield Image(folder, build, prefix)
    finally:
        shutil.rmtree(folder)
        owned.close()


def _install(build, folder):
    """Installs the build below `folder` and returns its prefix."""
    cache = build / "CMakeCache.txt"
    if not cache.exists():
        raise host.RigError(f"{build} is not a build folder: run `cmake -S . -B build && "
                            "cmake --build build`, or name one by BOOTLACE_BUILD")
    host.run(["cmake", "--install", build], env=host.environment(DESTDIR=str(folder)))
    for line in cache.read_text(encoding="utf-8").splitlines():
        if line.startswith("CMAKE_INSTALL_PREFIX:"):
            return line.partition("=")[2]
    raise host.RigError(f"{cache} names no CMAKE_INSTALL_PREFIX")


def write_files(folder):
    """What turns a plain Debian into something like an EC2 image."""
    for name, (text, mode) in FILES.items():
        path = folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        path.chmod(mode)
    # A journal that outlives its boot, so that a failed boot can be read afterwards.
    (folder / "var/log/journal").mkdir(parents=True)
    (folder / PLATFORM_FOLDER.lstrip("/")).mkdir(parents=True)
