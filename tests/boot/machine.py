"""A machine for tests: systemd as PID 1 from a real root, on a network with a metadata service.

    with machine.Machine(image, user_data=b"#!/bin/sh\\necho hello\\n") as one:
        one.boot()
        one.wait_for_bootlace()
        one.reboot()

The root is a throw-away overlay over an image (image.py), kept in memory: what the machine writes
survives its reboots, and is gone with `destroy()`. The machine runs in systemd-nspawn, in network
namespaces of its own (network.py), with a pseudo-terminal as its console. Every wait has a limit.
Should the rig be killed, its children die with it, and the next machine clears up what remains.
"""

import contextlib
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
import threading
from pathlib import Path

import groups
import host
import image as images
import network as networks

BOOT_LIMIT = 60
SHUTDOWN_LIMIT = 60
DISK_SIZE = "2g"
NAME_PREFIX = "bl-"
REPOSITORY = "/srv/repository"

# How systemd-nspawn ends, with --keep-unit, when the machine inside asked for a reboot.
EXIT_REBOOT = 133

INSIDE_ENVIRONMENT = {"PATH": host.SEARCH_PATH, "HOME": "/root", "LANG": "C.UTF-8",
                      "TERM": "dumb"}


class Console:
    """A pseudo-terminal whose output is kept in a file."""

    def __init__(self, path):
        self.path = Path(path)
        self._reader = None

    def open(self):
        """A new terminal for a new boot; returns the descriptor to give to the machine."""
        master, slave = pty.openpty()
        # Wide enough that systemd shortens no line.
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 250, 0, 0))
        self._reader = threading.Thread(target=self._keep, args=(master,), daemon=True)
        self._reader.start()
        return slave

    def close(self):
        """Waits until all output of the ended boot is in the file."""
        if self._reader is not None:
            self._reader.join(timeout=5)

    def text(self):
        """All that was shown so far, without colours and carriage returns."""
        if not self.path.exists():
            return ""
        shown = self.path.read_text(encoding="utf-8", errors="replace")
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "")
        return re.sub(r"\n\n+", "\n", plain)

    def _keep(self, master):
        with open(self.path, "ab", buffering=0) as kept:
            while True:
                try:
                    shown = os.read(master, 65536)
                except OSError:  # the last writer is gone
                    break
                if not shown:
                    break
                kept.write(shown)
        os.close(master)


class Machine:
    """One machine, from its making to `destroy()`. Use it in a `with` statement."""

    def __init__(self, image, *, user_data=None, instance_id="i-0a1b2c3d4e5f60718",
                 service_options=()):
        sweep()
        self.image = image
        self._owned = host.OwnedFolder(_machines_folder(), NAME_PREFIX)
        self.folder = self._owned.path
        self.name = self.folder.name
        self.root = self.folder / "root"
        self.instance_id = instance_id
        self._nspawn = None
        self._leader = None
        self._binds = []
        self.console = Console(self.folder / "console")
        self.network = networks.Network(self.name, self.folder, service_program(image.build))
        try:
            self._mount_root()
            self.set_metadata(instance_id=instance_id, user_data=user_data)
            self.network.start(service_options)
        except BaseException:
            self.destroy()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.destroy()

    # -- what the machine is given ----------------------------------------------------------------

    def set_metadata(self, **values):
        """Makes the service's answers anew: instance_id, user_data (bytes, None for no user-data)
        and whatever else `imds_tree.make_tree` takes. What is not named is as in a new tree, except
        for the instance id, which stays."""
        self.instance_id = values.setdefault("instance_id", self.instance_id)
        self.network.set_metadata(**values)
        self.set_hypervisor_uuid("ec2" + host.digest(self.instance_id)[:5]
                                 + "-0001-0002-0003-000000000000")

    def set_hypervisor_uuid(self, uuid):
        """What /sys/hypervisor/uuid says from the next boot on; None: there is no such file."""
        self._set_platform("hypervisor-uuid", uuid)

    def set_kernel_command_line(self, words):
        """What /proc/cmdline says from the next boot on."""
        self._set_platform("cmdline", words)

    def bind(self, source, inside):
        """Shows a folder of the host, read-only, inside the machine from the next boot on."""
        self._binds.append(f"--bind-ro={source}:{inside}")

    def use_repository(self, folder):
        """Makes a folder of Debian packages the machine's only source of packages."""
        self.bind(folder.resolve(), REPOSITORY)
        for source in (self.root / "etc/apt/sources.list.d").iterdir():
            source.unlink()
        self.write_file("/etc/apt/sources.list", f"deb [trusted=yes] file:{REPOSITORY} ./\n")

    def write_file(self, path, content, mode=0o644):
        """Writes a file of the machine's root, whether it runs or not (but not what lies in its
        memory, such as /run); folders are made."""
        place = self._outside(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        place.chmod(mode)

    def link(self, path, target):
        """Makes a symbolic link in the machine's root; folders are made."""
        place = self._outside(Path(path).parent)
        place.mkdir(parents=True, exist_ok=True)
        (place / Path(path).name).symlink_to(target)

    def read_file(self, path):
        """The text of a file of the machine's root, whether it runs or not."""
        argv = ["cat", path]
        if self.running():
            return self.run(argv).stdout
        return host.run(["chroot", self.root, *argv]).stdout

    def has_file(self, path):
        """Whether the machine's root has a file (or folder) of that name."""
        if self.running():
            return self.run(["test", "-e", path], check=False).returncode == 0
        return self._outside(path).exists()

    # -- its life ---------------------------------------------------------------------------------

    def running(self):
        """Whether there is a PID 1."""
        return self._nspawn is not None and self._nspawn.poll() is None

    def boot(self, limit=BOOT_LIMIT):
        """Starts the machine, and returns as soon as systemd takes orders."""
        if self.running():
            raise host.RigError(f"{self.name} runs already")
        self.network.plug()
        terminal = self.console.open()
        try:
            self._nspawn = self._start_nspawn(terminal)
        finally:
            os.close(terminal)
        try:
            self._leader = host.wait_until(f"{self.name}: PID 1", self._find_leader, limit=limit)
            orders = Path(f"/proc/{self._leader}/root/run/systemd/private")
            host.wait_until(f"{self.name}: systemd takes orders",
                            lambda: self._alive() and orders.exists(), limit=limit)
        except host.RigError as error:
            raise host.RigError(f"{error}\n{self.console.text()[-4000:]}") from None

    def wait_booted(self, limit=BOOT_LIMIT):
        """Waits until systemd has no job left; returns its state: running, degraded, ..."""
        waited = self.run(["systemctl", "is-system-running", "--wait"], limit=limit, check=False)
        return waited.stdout.strip()

    def wait_for_unit(self, unit, limit=BOOT_LIMIT):
        """Waits until a unit is active."""
        host.wait_until(f"{self.name}: {unit} is active", lambda: self.is_active(unit),
                        limit=limit)

    def is_active(self, unit):
        """Whether a unit is active."""
        return self.run(["systemctl", "is-active", "--quiet", unit], check=False).returncode == 0

    def reboot(self, limit=SHUTDOWN_LIMIT):
        """Reboots by systemctl, as an administrator would, and returns when it boots again."""
        self.run(["systemctl", "reboot"], check=False)
        self.expect_reboot(limit)

    def expect_reboot(self, limit=SHUTDOWN_LIMIT):
        """Waits until the machine goes down by its own will to boot again, and boots it."""
        ended = self._wait_for_end(limit)
        if ended != EXIT_REBOOT:
            raise host.RigError(f"{self.name}: expected a reboot, but nspawn ended with {ended}\n"
                                f"{self.console.text()[-4000:]}")
        self.boot()

    def power_off(self, limit=SHUTDOWN_LIMIT):
        """An orderly shutdown."""
        self.run(["systemctl", "poweroff"], check=False)
        ended = self._wait_for_end(limit)
        if ended != 0:
            raise host.RigError(f"{self.name}: shutdown: nspawn ended with {ended}\n"
                                f"{self.console.text()[-4000:]}")

    def cut_power(self):
        """Stops everything in the machine between two instructions."""
        if self.running():
            # PID 1 first: with it, the kernel kills all that it started.
            if self._leader is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._leader, signal.SIGKILL)
            else:
                self._nspawn.kill()
            self._wait_for_end(10)

    def destroy(self):
        """Ends the machine if it runs, and removes all that there was of it."""
        self.cut_power()
        self.network.stop()
        remove(self.name)
        self._owned.close()

    # -- looking inside ---------------------------------------------------------------------------

    def run(self, argv, *, limit=30, check=True, input=None):
        """Runs a program in the running machine, as root; returns its CompletedProcess."""
        return host.run(self.enter(argv), limit=limit, check=check, input=input)

    def enter(self, argv):
        """The command line that runs `argv` in the running machine."""
        if not self.running():
            raise host.RigError(f"{self.name} does not run")
        variables = [f"{name}={value}" for name, value in INSIDE_ENVIRONMENT.items()]
        return ["nsenter", "-t", str(self._leader), "--all", "--root", "--wd", "--",
                "env", "-i", *variables, *map(str, argv)]

    def ssh(self, argv, *, key, user="root", limit=20, check=True):
        """Runs a program through a real login, over the network."""
        return self.network.run(
            ["ssh", "-F", "/dev/null", "-i", str(key), "-o", "BatchMode=yes",
             "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
             "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
             "-o", f"ConnectTimeout={limit}", f"{user}@{networks.MACHINE_ADDRESS}", *argv],
            limit=limit + 5, check=check)

    def wait_for_bootlace(self, limit=60):
        """Waits until bootlace has finished; returns its status as a dictionary."""
        self.run([self.image.program, "status", "--wait", "--timeout", str(limit)],
                 limit=limit + 5, check=False)
        return self.status()

    def status(self):
        """What `bootlace status` says, as a dictionary."""
        said = self.run([self.image.program, "status", "--format", "json"], check=False)
        try:
            return json.loads(said.stdout)
        except ValueError:
            raise host.RigError(f"bootlace status: exit code {said.returncode}, not JSON:\n"
                                f"{said.stdout}{said.stderr}") from None

    def journal(self, *options):
        """The journal of all boots, or what the options of journalctl select; runs or not."""
        journal = self._outside("/var/log/journal")
        return host.run(["journalctl", "--no-pager", "--quiet", f"--directory={journal}",
                         *options]).stdout

    def evidence(self):
        """All that helps to understand a failure, as one text."""
        parts = [("console", self.console.text()[-8000:]),
                 ("metadata requests", "\n".join(" ".join(map(str, request[2:]))
                                                for request in self.network.requests()[-40:]))]
        with contextlib.suppress(host.RigError):
            parts.append(("journal of bootlace", self.journal("--unit=bootlace*")[-8000:]))
        if self.running():
            for argv in ([self.image.program, "status"], ["systemctl", "--no-pager", "--failed"],
                         ["systemctl", "--no-pager", "list-jobs"]):
                with contextlib.suppress(host.RigError):
                    said = self.run(argv, check=False, limit=10)
                    parts.append((" ".join(argv), said.stdout + said.stderr))
        return "".join(f"--- {self.name}: {title}\n{text.rstrip()}\n" for title, text in parts)

    # -- how it is done ---------------------------------------------------------------------------

    def _mount_root(self):
        disk = self.folder / "disk"
        disk.mkdir()
        self.root.mkdir()
        # In memory: quick, and a layer that an overlay takes whatever the host's file system is.
        host.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE},mode=0755", self.name, disk])
        for part in ("upper", "work"):
            (disk / part).mkdir()
        host.run(["mount", "-t", "overlay", "-o",
                  f"lowerdir={self.image.layers},upperdir={disk}/upper,workdir={disk}/work",
                  self.name, self.root])

    def _outside(self, path):
        """The host's name of a file of the machine's root; refused where a link leads out."""
        place = Path(os.path.realpath(self.root / str(path).lstrip("/")))
        if not place.is_relative_to(os.path.realpath(self.root)):
            raise host.RigError(f"{path} leads out of the machine's root, to {place}")
        return place

    def _set_platform(self, name, text):
        path = f"{images.PLATFORM_FOLDER}/{name}"
        if text is None:
            self._outside(path).unlink(missing_ok=True)
        else:
            self.write_file(path, text + "\n")

    def _start_nspawn(self, terminal):
        argv = ["systemd-nspawn", "--quiet", f"--directory={self.root}", "--boot",
                f"--machine={self.name}", "--register=no", "--private-network",
                f"--network-namespace-path=/run/netns/{self.network.machine_namespace}",
                "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--keep-unit",
                *self._binds]
        # Should the rig be killed, nspawn is told to shut the machine down.
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *groups.enter(self.name, argv)],
            stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
            env=host.environment(SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1", TERM="linux"))

    def _alive(self):
        if not self.running():
            raise host.RigError(f"{self.name}: nspawn ended with {self._nspawn.returncode}")
        return True

    def _find_leader(self):
        """The process that is PID 1 inside. For a moment nspawn has another child, its maker."""
        self._alive()
        nspawn = self._nspawn.pid
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for child in Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text().split():
                for line in Path(f"/proc/{child}/status").read_text().splitlines():
                    if line.startswith("NSpid:") and line.split()[2:] == ["1"]:
                        return int(child)
        return None

    def _wait_for_end(self, limit):
        """Waits until nspawn has ended; returns its exit code."""
        try:
            ended = self._nspawn.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            raise host.RigError(f"{self.name}: not down after {limit} s\n"
                                f"{self.console.text()[-4000:]}") from None
        self.console.close()
        self._leader = None
        groups.remove(self.name)
        self.network.unplug()
        return ended


def service_program(build):
    """The fake metadata service among the test programs of a build folder."""
    program = Path(build) / "tests" / "imds"
    if not program.exists():
        raise host.RigError(f"{program} is not there: configure with -DBOOTLACE_TESTS=ON and build")
    return program


def _machines_folder():
    folder = host.cache_folder() / "machines"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def sweep():
    """Removes machines whose rig was killed before it could."""
    for folder in host.abandoned_folders(_machines_folder(), NAME_PREFIX):
        remove(folder.name)


def remove(name):
    """Removes all that there is of a machine that doesn't run any more."""
    folder = _machines_folder() / name
    groups.remove(name)
    networks.remove_namespaces(name)
    for mount in (folder / "root", folder / "disk"):
        if os.path.ismount(mount):
            host.run(["umount", mount])
    shutil.rmtree(folder, ignore_errors=True)
