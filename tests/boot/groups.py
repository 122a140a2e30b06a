"""A control group for each machine, so that two of them never meet in one.

systemd-nspawn (with --keep-unit) makes its groups below the one that it is started in. Where
systemd manages this host, that is a scope of its own; elsewhere a group made by hand, in the
unified hierarchy and, where there is one beside it, in systemd's own hierarchy of version 1.
"""

import contextlib
import os
import signal
from pathlib import Path

import host


def enter(name, argv):
    """Makes a machine's control group; returns the command line that runs `argv` in it."""
    if host.runs_systemd():
        return ["systemd-run", "--quiet", "--scope", "--collect", f"--unit={name}.scope",
                "--property=Delegate=yes", "--", *argv]
    join = ""
    for root in _hierarchies():
        (root / name).mkdir(exist_ok=True)
        join += f"echo $$ >{root / name}/cgroup.procs\n"
    return ["sh", "-ec", f'{join}exec "$@"', "sh", *argv]


def remove(name):
    """Removes a machine's control group, with whatever still runs in it."""
    if host.runs_systemd():
        host.run(["systemctl", "kill", "--signal=KILL", f"{name}.scope"], check=False)
        host.run(["systemctl", "stop", f"{name}.scope"], check=False)
        return
    for root in _hierarchies():
        group = root / name
        if group.exists():
            host.wait_until(f"{group} is empty", lambda group=group: _kill(group), limit=10)
            for folder, _folders, _files in os.walk(group, topdown=False):
                os.rmdir(folder)


def cpu_us(name):
    """What all processes of a machine have used since it was started, in microseconds."""
    for root in _hierarchies():
        for group in (root / name, root / "system.slice" / f"{name}.scope"):
            if (group / "cpu.stat").exists():
                words = (group / "cpu.stat").read_text(encoding="ascii").split()
                return int(words[words.index("usage_usec") + 1])
    raise host.RigError(f"{name}: the kernel does not count its CPU")


def _hierarchies():
    """The mount points of the control group hierarchies that nspawn uses."""
    roots = []
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _device, mount, kind, options = line.split()[:4]
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            roots.append(Path(mount))
    return roots


def _kill(group):
    """Kills what runs in a control group; true once there is nothing."""
    processes = [int(pid) for listing in group.rglob("cgroup.procs")
                 for pid in listing.read_text(encoding="ascii").split()]
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return not processes
