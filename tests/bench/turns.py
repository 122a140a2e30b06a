"""Contestants that take turns: what the benchmarks share.

Each run has a folder of its own, is measured by `measure` and must have done its work. The
programs of this folder and the tests' servers come from a build, or are compiled here.
"""

import contextlib
import math
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SERVERS = os.path.join(TOP, "tests", "servers")
RUN_LIMIT_S = 120

# What is compiled where no build is at hand: folder, beginning of the files' names, flags.
SOURCES = {
    "floor": (HERE, "floor", []),
    "empty": (HERE, "empty", []),
    "measure": (HERE, "measure", []),
    "deeds": (HERE, "deeds", []),
    "events": (HERE, "events", ["-lyaml"]),
    "stamp": (HERE, "stamp", ["-static"]),
    "imds": (SERVERS, "imds", []),
}
COMPILE = ["cc", "-std=gnu17", "-O2", "-w"]

# The whole environment of every contestant: proxies and the like must not reach them.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/root",
}


class Failed(Exception):
    """A contestant did not do its work; the text says how that showed."""


def say(text):
    print(f"{os.path.basename(sys.argv[0])}: {text}", file=sys.stderr)


class Contestant:
    """One of those that are compared; `command` gives its arguments and its own environment."""

    name = ""
    every = 1  # takes part in each n-th round

    def command(self, bench, run, **how):
        raise NotImplementedError

    def wrap(self, bench, run, measure, command):
        del bench, run
        return measure + command


class Command(Contestant):
    """A contestant that is a command, always the same one."""

    def __init__(self, name, command, environment=None):
        self.name = name
        self.argv = command
        self.added = environment or {}

    def command(self, bench, run, **how):
        return self.argv, self.added


class Agent(Contestant):
    """bootlace, with a run's folder for its root."""

    name = "bootlace"

    def __init__(self, binary):
        self.binary = binary

    def environment(self, bench, prefix):
        libraries = os.path.join(os.path.dirname(self.binary), "lib", "bootlace")
        added = {"BOOTLACE_PREFIX": prefix}
        if os.path.isdir(libraries):  # a build tree; an installed one finds its own
            added["BOOTLACE_LIBDIR"] = libraries
        return added

    def make_root(self, bench, prefix):
        """As on any system, /run is in memory, and /var/lib and /var/log are there."""
        os.symlink(bench.memory_folder(), os.path.join(prefix, "run"))
        for folder in ("lib", "log"):
            os.makedirs(os.path.join(prefix, "var", folder))


class Bench:
    """The place where the contestants run: the work folder and the programs.

    The folders of the runs go at the end, all together: ext4 spends a fifth of a millisecond on
    every new file for as long as others were deleted within the last half minute.
    """

    def __init__(self, options):
        self.options = options
        self.work = tempfile.mkdtemp(prefix="bootlace-bench-", dir=options.work)
        self.memory = tempfile.mkdtemp(prefix="bootlace-bench-", dir="/dev/shm")
        self.programs = {}
        self.runs = 0
        self.last_folder = None

    def close(self):
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.rmtree(self.memory, ignore_errors=True)

    def memory_folder(self):
        return tempfile.mkdtemp(dir=self.memory)

    def program(self, name):
        """A built program, from the build or compiled here, in the work folder: chroots see it."""
        if name not in self.programs:
            target = os.path.join(self.work, name)
            built = os.path.join(self.options.bin or "", name)
            if self.options.bin and os.path.exists(built):
                shutil.copy(built, target)
            else:
                folder, stem, flags = SOURCES[name]
                files = [os.path.join(folder, file) for file in sorted(os.listdir(folder))
                         if file.endswith(".c") and (file == stem + ".c" or
                                                     file.startswith(stem + "_"))]
                say(f"compiling {name}")
                subprocess.run([*COMPILE, "-o", target, *files, *flags], check=True)
            self.programs[name] = target
        return self.programs[name]

    def folder(self, name):
        self.runs += 1
        path = os.path.join(self.work, f"run-{self.runs}-{name.replace(' ', '-')}")
        os.mkdir(path)
        self.last_folder = path
        return path

    def command(self, contestant, run, **how):
        """The whole command of a run, which leaves its cost there, and its environment."""
        cost = os.path.join(run, "cost")
        measure = [self.program("measure"), "--timeout", str(RUN_LIMIT_S), cost]
        command, added = contestant.command(self, run, **how)
        return contestant.wrap(self, run, measure, command), {**ENVIRONMENT, **added}


@contextlib.contextmanager
def started(command, environment, run):
    """Starts a contestant; at the end it has ended: by itself, or with us, but not left behind."""
    with open(os.path.join(run, "output"), "wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=run, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
        process.wait(RUN_LIMIT_S + 10)  # measure's own limit is earlier
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def last_words(run):
    with open(os.path.join(run, "output"), "rb") as output:
        lines = output.read().decode(errors="replace").strip().split("\n")
    return lines[-1][:200] or "it said nothing"


def read_cost(run):
    """What measure wrote, as figures of the tables, and the exit code."""
    cost = os.path.join(run, "cost")
    if not os.path.exists(cost):
        raise Failed(f"could not be started: {last_words(run)}")
    with open(cost, encoding="ascii") as source:
        wall, user, system, rss, status, _ = (int(field) for field in source.read().split())
    return {"wall_ms": wall / 1000, "cpu_ms": (user + system) / 1000, "rss_mib": rss / 1024}, status


def run_whole(bench, contestant, **how):
    """A run to its end, which must be a good one: its figures."""
    run = bench.folder(contestant.name)
    command, environment = bench.command(contestant, run, **how)
    with started(command, environment, run):
        pass
    cost, status = read_cost(run)
    if status != 0:
        raise Failed(f"exit code {status}: {last_words(run)}")
    return cost


def take_turns(contestants, runs, warm_ups, once):
    """Runs the contestants in turn; the figures of each, or why there are none."""
    figures = {contestant.name: [] for contestant in contestants}
    failed = {}
    for number in range(-warm_ups, runs):
        for contestant in contestants:
            # A slow one is not warmed up: its first run is as good as its last.
            if contestant.name in failed or number % contestant.every != 0 or (
                    number < 0 and contestant.every > 1):
                continue
            try:
                figure = once(contestant, number + warm_ups)
            except Failed as error:
                failed[contestant.name] = str(error)
                say(f"{contestant.name}: {error}")
                continue
            if number >= 0:
                figures[contestant.name].append(figure)
    return {name: runs for name, runs in figures.items() if name not in failed}, failed


def slow(runs, wanted):
    """Of how many rounds a slow contestant takes one, to have as many runs as wanted."""
    return max(1, math.ceil(runs / max(1, wanted)))
