"""What the boot rig needs of the machine it runs on: programs run with a limit, waiting with a
limit, one cache folder, and a list of what is missing.

Nothing here knows about bootlace. Every child process gets a clean environment, because variables
such as CURL_CA_BUNDLE or AWS_REGION of the person who runs the tests must not change a result.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# The programs that the rig runs, and the Debian package that holds each.
PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "systemctl": "systemd",
    "dnsmasq": "dnsmasq-base",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
    "cmake": "cmake",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}


class RigError(Exception):
    """The rig, not what it tests, could not go on; the message says what to do or to look at."""


def environment(**more):
    """A clean environment for child processes. Only a proxy for downloads is passed on."""
    kept = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    return {"PATH": SEARCH_PATH, "HOME": "/root", "LANG": "C.UTF-8", **kept, **more}


def run(argv, *, limit=60, check=True, input=None, env=None, cwd=None):
    """Runs a program to its end, at most `limit` seconds; returns its CompletedProcess, as text."""
    argv = [str(word) for word in argv]
    try:
        result = subprocess.run(argv, input=input, capture_output=True, encoding="utf-8",
                                errors="replace", timeout=limit, env=env or environment(),
                                cwd=cwd, check=False)
    except subprocess.TimeoutExpired as expired:
        raise RigError(f"{' '.join(argv)}: not finished after {limit} s") from expired
    except FileNotFoundError as absent:
        raise RigError(f"{argv[0]}: not found") from absent
    if check and result.returncode != 0:
        said = (result.stderr.strip() or result.stdout.strip())[-4000:]
        raise RigError(f"{' '.join(argv)}: exit code {result.returncode}\n{said}")
    return result


def wait_until(what, condition, *, limit, interval=0.05):
    """Returns what `condition` returns as soon as that is true; RigError at the limit."""
    end = time.monotonic() + limit
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= end:
            raise RigError(f"{what}: not within {limit} s")
        time.sleep(interval)


def cache_folder():
    """Where roots and the state of running machines are kept: made when it is not there."""
    folder = Path(os.environ.get("BOOTLACE_TEST_CACHE") or "/var/cache/bootlace-tests")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def locked(path):
    """Holds an exclusive lock on a file for the length of the block; waits for another holder."""
    with open(path, "a", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class OwnedFolder:
    """A new folder whose owner is alive as long as this object is not closed: a lock says so, and
    the kernel releases it whatever happens to the owner."""

    def __init__(self, parent, prefix):
        with locked(parent / "owners.lock"):
            self.path = parent / (prefix + secrets.token_hex(3))
            self.path.mkdir(mode=0o700)
            self._handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(self._handle, fcntl.LOCK_EX)

    def close(self):
        """Gives up the ownership; the folder, if it is still there, counts as abandoned."""
        os.close(self._handle)


def abandoned_folders(parent, prefix):
    """Yields each owned folder whose owner is gone, one after another."""
    with locked(parent / "owners.lock"):
        for folder in parent.glob(prefix + "*"):
            try:
                handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                continue  # its owner has just removed it
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield folder
            except BlockingIOError:
                pass
            finally:
                os.close(handle)


def digest(*texts):
    """A short name for a content, to find it again in the cache."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def architecture():
    """The kernel's name of this machine's architecture, such as x86_64."""
    return platform.machine()


def runs_systemd():
    """Whether systemd manages this machine: then it also manages the machines' cgroups."""
    return os.path.isdir("/run/systemd/system")


def missing_packages():
    """The Debian packages to install before the rig can work."""
    absent = {package for program, package in PROGRAMS.items()
              if not shutil.which(program, path=SEARCH_PATH)}
    return sorted(absent)


def missing():
    """What keeps the rig from working here, a sentence each; an empty list when nothing does."""
    reasons = []
    for program, package in PROGRAMS.items():
        if not shutil.which(program, path=SEARCH_PATH):
            reasons.append(f"the program {program} (Debian package {package})")
    if os.geteuid() != 0:
        reasons.append("root: machines need namespaces, mounts and a network of their own")
    elif shutil.which("unshare", path=SEARCH_PATH):
        probe = run(["unshare", "--mount", "--net", "--pid", "--fork",
                     "mount", "-t", "tmpfs", "none", "/mnt"], check=False)
        if probe.returncode != 0:
            reasons.append("the right to make namespaces and mounts (a container without "
                           f"privileges?): {probe.stderr.strip()}")
    return reasons


def end_on_termination():
    """Lets SIGTERM and SIGHUP end Python as an exception, so that machines are cleaned up."""
    def leave(number, _frame):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


@contextlib.contextmanager
def step(what):
    """Says on stderr what is being done, in one line, with how long it took."""
    start = time.monotonic()
    print(f"  {what} ...", end="", file=sys.stderr, flush=True)
    try:
        yield
    except BaseException:
        print(f" failed after {time.monotonic() - start:.1f} s", file=sys.stderr)
        raise
    print(f" {time.monotonic() - start:.1f} s", file=sys.stderr)
