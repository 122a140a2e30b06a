"""Small Debian roots, made by mmdebstrap and cached by what went into them; and throw-away copies
of them in which a test's servers and package managers run.

A cached root is never written to. `Copy` lays an overlay over one; programs are started in it by
chroot, with the machine's own network, so that a server listens on 127.0.0.1 where the test can
reach it. Nothing is ever started on the machine itself, and no package's daemon starts by itself.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import host

SUITE = "bookworm"
COPY_PREFIX = "copy."
START_LIMIT = 20


def cached(packages, settings=(), refresh=False):
    """The folder of a minimal Debian with these packages, made first when it isn't there, or when
    asked to. `settings` are arguments of `systemctl --root=…`, a list for each call."""
    cache = host.cache_folder()
    root = cache / ("root-" + host.digest(SUITE, host.architecture(), *packages,
                                          *(" ".join(words) for words in settings)))
    with host.locked(cache / f"{root.name}.lock"):
        if root.exists() and not refresh:
            return root
        with tempfile.TemporaryDirectory(dir=cache, prefix="root-new.") as unfinished:
            made = Path(unfinished) / "root"
            host.run(["mmdebstrap", "--mode=root", "--variant=minbase",
                      "--include=" + ",".join(packages), SUITE, made, *_sources()], limit=1200)
            for words in settings:
                host.run(["systemctl", f"--root={made}", *words])
            made.chmod(0o755)
            if root.exists():
                root.rename(Path(unfinished) / "old")
            made.rename(root)
    return root


def _sources():
    """The host's own list of Debian's packages, which names a mirror that can be reached from here;
    mmdebstrap's own choice where there is none."""
    places = [*sorted(Path("/etc/apt/sources.list.d").glob("*debian*.sources")),
              Path("/etc/apt/sources.list")]
    for place in places:
        if place.exists() and re.search(r"^(URIs:|deb )", place.read_text(), re.MULTILINE):
            return [place]
    return []


def repository(root, packages):
    """A folder of the packages that a root lacks for these, with an index: what apt calls a flat
    repository. Cached, by the root and the packages."""
    cache = host.cache_folder()
    folder = cache / ("repository-" + host.digest(root.name, *packages))
    with host.locked(cache / f"{folder.name}.lock"):
        if folder.exists():
            return folder
        with tempfile.TemporaryDirectory(dir=cache, prefix="repository-new.") as unfinished:
            made = Path(unfinished) / "repository"
            (made / "partial").mkdir(parents=True)
            host.run(["apt-get", "install", "--yes", "--no-install-recommends", "--download-only",
                      "-o", f"Dir::State::status={root}/var/lib/dpkg/status",
                      "-o", "Dir::State::extended_states=/dev/null",
                      "-o", f"Dir::Cache::archives={made}", "-o", "Dir::Cache::pkgcache=",
                      "-o", "Dir::Cache::srcpkgcache=", "-o", "APT::Sandbox::User=root",
                      *packages], limit=600)
            shutil.rmtree(made / "partial")
            (made / "lock").unlink(missing_ok=True)
            index = host.run(["dpkg-scanpackages", "--multiversion", "."], cwd=made).stdout
            (made / "Packages").write_text(index)
            made.chmod(0o755)
            made.rename(folder)
    return folder


class Copy:
    """A throw-away copy of a cached root: `with Copy(packages) as copy: copy.run([…])`."""

    def __init__(self, packages, settings=()):
        self._base = cached(packages, settings)
        self._owned = None
        self._started = []

    def __enter__(self):
        for abandoned in host.abandoned_folders(host.cache_folder(), COPY_PREFIX):
            _remove(abandoned)
        self._owned = host.OwnedFolder(host.cache_folder(), COPY_PREFIX)
        folder = self._owned.path
        # Not on the owned folder itself: its lock would be hidden below the mount.
        disk = folder / "disk"
        self.root = folder / "root"
        self.changes = disk / "upper"  # what lies over the cached root
        disk.mkdir()
        self.root.mkdir()
        try:
            host.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "bootlace-test", disk])
            for name in ("upper", "work"):
                (disk / name).mkdir(mode=0o755)
            host.run(["mount", "-t", "overlay", "-o",
                      f"lowerdir={self._base},upperdir={disk}/upper,workdir={disk}/work",
                      "bootlace-test", self.root])
            host.run(["mount", "-t", "proc", "proc", self.root / "proc"])
            host.run(["mount", "--rbind", "--make-rslave", "/dev", self.root / "dev"])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self._started):
            end(process)
        _remove(self._owned.path)
        self._owned.close()

    def path(self, name):
        """Where a path of the copy is, seen from outside."""
        return self.root / name.lstrip("/")

    def put(self, name, text, mode=0o644):
        """A file in the copy, with its folders."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def run(self, argv, **options):
        """Runs a program in the copy to its end; as host.run."""
        return host.run(["chroot", self.root, *argv], **options)

    def start(self, argv, log, netns=None, **more):
        """Starts a server in the copy, in a network namespace where one is named; it ends with the
        copy, and dies with the test. What it prints goes to the file `log`. Returns its Popen."""
        enter = ["nsenter", f"--net=/run/netns/{netns}", "--"] if netns else []
        with open(log, "ab") as out:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *enter, "chroot", str(self.root),
                 *map(str, argv)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=host.environment(**more), start_new_session=True)
        self._started.append(process)
        return process


def end(process):
    """Ends a process that was started in a session of its own, with all of its group."""
    for number in (15, 9):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _end_inside(root):
    """Ends what a program in a copy left running: nothing else has that root."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "root") == str(root):
                os.kill(int(process.name), 9)
        except OSError:
            continue


def _remove(folder):
    _end_inside(folder / "root")
    for mount in (folder / "root", folder / "disk"):
        if os.path.ismount(mount):
            # Lazily: what was just killed may hold it for a moment still.
            host.run(["umount", "--recursive", "--lazy", mount], check=False)
    shutil.rmtree(folder, ignore_errors=True)
