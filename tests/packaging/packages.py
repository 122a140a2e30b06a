"""The packages of the build that is tested, made once: those of its version, and of an older one.

    made()      the folder with .deb and .rpm, as the target `package` makes it
    made("0.0.9", "RPM")  those of a kind, in another version
"""

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent
sys.path += [str(SOURCE / "tests" / name) for name in ("rig", "agent", "boot", "servers")]
import host  # noqa: E402  (found by the line above)

OLDER = "0.0.9"
PARTS = ("bootlace", "bootlace-archive", "bootlace-dns", "bootlace-dev")
RPM_PARTS = ("bootlace", "bootlace-archive", "bootlace-dns", "bootlace-devel")


def build():
    return Path(os.environ.get("BOOTLACE_BUILD") or SOURCE / "build")


def prefix():
    for line in (build() / "CMakeCache.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("CMAKE_INSTALL_PREFIX:"):
            return line.partition("=")[2]
    raise host.RigError("the build has no CMAKE_INSTALL_PREFIX")


@functools.lru_cache(maxsize=None)
def scratch():
    """A folder that is gone when Python ends."""
    folder = Path(tempfile.mkdtemp(prefix="bootlace-packages-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    return folder


def pack(name, *words, umask=0o022, **environment):
    """Calls cpack, into a new folder below scratch(); returns that."""
    folder = scratch() / name
    host.run(["sh", "-c", f"umask {umask:04o} && exec \"$@\"", "sh", "cpack", "--config",
              build() / "CPackConfig.cmake", "-B", folder, *words], limit=120,
             env=host.environment(**environment))
    shutil.rmtree(folder / "_CPack_Packages")
    return folder


@functools.lru_cache(maxsize=None)
def _of_the_target():
    host.run(["cmake", "--build", build(), "--target", "package"], limit=200)
    return build() / "packages"


@functools.lru_cache(maxsize=None)
def made(version=None, kind="DEB"):
    if version:
        return pack(f"version-{version}", "-G", kind, "-D", f"CPACK_PACKAGE_VERSION={version}",
                    umask=0o077)
    return _of_the_target()


def deb(part, version=None):
    [found] = made(version).glob(f"{part}_*.deb")
    return found


def rpm(part, version=None):
    [found] = made(version, "RPM").glob(f"{part}-[0-9]*.rpm")
    return found


def deb_files(path):
    """name -> (mode, owner/group, size) of what a .deb has; folders end with a slash."""
    files = {}
    for line in host.run(["dpkg-deb", "--contents", path]).stdout.splitlines():
        mode, owner, size, _, _, name = line.split(maxsplit=5)
        files[name.removeprefix(".")] = (mode, owner, int(size))
    return files


def deb_field(path, field):
    return host.run(["dpkg-deb", "--field", path, field]).stdout.strip()


def unpacked(path, to):
    """The tree of a .deb in a folder of this name below scratch()."""
    folder = scratch() / to
    subprocess.run(["dpkg-deb", "--extract", path, folder], check=True)
    return folder
