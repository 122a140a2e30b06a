"""What the tests of the built agent share: a machine of paper, and the program run on it.

BOOTLACE_BUILD names the build folder. A Machine is a temporary folder that the agent takes for the
root of all its own files (BOOTLACE_PREFIX); it has a boot id that a simulated reboot changes, a
seed folder, settings, and modules of its own where a test adds some. The environment that the
agent gets says nothing else, and nothing of the real machine is asked.
"""

import atexit
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import unittest
import uuid

RUN_LIMIT_S = 60
POLL_S = 0.01

EXIT_STEP = 1
EXIT_USAGE = 2
EXIT_INPUT = 3
EXIT_SOURCE = 4
EXIT_BUSY = 5
EXIT_INTERNAL = 70

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STATE = "var/lib/bootlace"
RUN = "run/bootlace"
LOG = "var/log/bootlace.log"
OUTPUT_LOG = "var/log/bootlace-output.log"
BOOT_ID = "proc/sys/kernel/random/boot_id"

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
TEST_MODULES = os.path.join(SOURCE, "tests", "modules")


def build_folder():
    return os.path.abspath(os.environ["BOOTLACE_BUILD"])


def program():
    return os.path.join(build_folder(), "bootlace")


def library():
    return os.path.join(build_folder(), "lib", "bootlace")


def is_sanitized():
    """Whether the build has a sanitizer: it catches signals, and is slower."""
    with open(os.path.join(build_folder(), "CMakeCache.txt"), encoding="utf-8") as cache:
        return any(line.startswith("BOOTLACE_SANITIZE:") and line.strip().split("=", 1)[1]
                   for line in cache)


def needs_root(test):
    return unittest.skipUnless(os.geteuid() == 0, "needs root")(test)


def needs_program(*names):
    missing = [name for name in names if not shutil.which(name)]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


def environment(**more):
    """What the agent may know of where it runs; the sanitizers leave signals as they are."""
    options = os.environ.get("ASAN_OPTIONS", "")
    return {"PATH": STANDARD_PATH, "LANG": "C.UTF-8",
            "ASAN_OPTIONS": f"{options}:handle_segv=0:handle_abort=0",
            "UBSAN_OPTIONS": os.environ.get("UBSAN_OPTIONS", ""), **more}


def wait_until(condition, limit_s=10):
    """The condition's value as soon as it is true; the last one, false, when the time is over."""
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(POLL_S)


def is_alive(pid):
    """Whether a process runs; one that is over and not yet waited for does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as status:
            return status.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def kill_if_alive(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


_installed = []


def installed():
    """The build installed below a temporary folder, once for all tests: its DESTDIR."""
    if not _installed:
        folder = tempfile.mkdtemp(prefix="bootlace-installed-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        subprocess.run(["cmake", "--install", build_folder()], check=True,
                       env={**os.environ, "DESTDIR": folder}, stdout=subprocess.DEVNULL)
        _installed.append(folder)
    return _installed[0]


def install_prefix():
    """The build's CMAKE_INSTALL_PREFIX."""
    with open(os.path.join(build_folder(), "CMakeCache.txt"), encoding="utf-8") as cache:
        for line in cache:
            if line.startswith("CMAKE_INSTALL_PREFIX:"):
                return line.strip().split("=", 1)[1]
    raise AssertionError("the build has no CMAKE_INSTALL_PREFIX")


def header_flags():
    """What pkg-config says of compiling against the installed header."""
    root = installed()
    folder = os.path.join(root + install_prefix(), "share", "pkgconfig")
    if not os.path.isdir(folder):
        folder = next(at for at, _, names in os.walk(root) if "bootlace.pc" in names)
    done = subprocess.run(["pkg-config", "--cflags", "bootlace"], check=True, text=True,
                          stdout=subprocess.PIPE,
                          env={"PATH": STANDARD_PATH, "PKG_CONFIG_LIBDIR": folder,
                               "PKG_CONFIG_SYSROOT_DIR": root})
    return done.stdout.split()


def compile_module(source, out, *flags, header=True):
    """Makes a shared object of a C file of tests/modules, as anybody would outside of the tree."""
    compiler = os.environ.get("CC") or "cc"
    command = [compiler, "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared",
               "-fvisibility=hidden", *flags, *(header_flags() if header else []),
               os.path.join(TEST_MODULES, source), "-o", out]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}")
    os.chmod(out, 0o755)


def shell_module(name, run, prepare=None, /, **description):
    """The text of a module in the shell; it owns the key of its name unless told otherwise."""
    described = {"interface": 1, "name": name, "version": "1", "summary": f"{name} of a test",
                 "keys": [name], "prepare": prepare is not None, **description}
    return "\n".join(["#!/bin/sh", "describe() {", "cat <<'END'", json.dumps(described), "END",
                      "}", "prepare() {", prepare or ":", "}", "run() {", run, "}",
                      'say() { printf \'%s\\n\' "$1" >&3; }', '"$1"', ""])


def said(status, **members):
    """The shell command that says a result."""
    return "say '" + json.dumps({"status": status, **members}) + "'"


SANITIZER_WORDS = (b"ERROR: AddressSanitizer", b"ERROR: LeakSanitizer", b": runtime error: ")


class Outcome:
    """How a command ended; never by the word of a sanitizer."""

    def __init__(self, code, out, err, seconds):
        if any(word in err for word in SANITIZER_WORDS):
            raise AssertionError(err.decode("utf-8", "replace"))
        self.code = code
        self.out = out
        self.err = err.decode("utf-8", "replace")
        self.seconds = seconds

    @property
    def text(self):
        return self.out.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit code {self.code} after {self.seconds:.2f} s: {self.out!r}\n{self.err}"


class Machine:
    """A folder that the agent takes for the root of its own files."""

    def __init__(self, folder):
        self.root = folder
        self.program = program()
        self.library = library()
        self.variables = {}
        for name in ("etc/bootlace", os.path.dirname(BOOT_ID), "run", "var/lib", "var/log"):
            os.makedirs(self.path(name))
        self.put("proc/cmdline", "root=/dev/vda ro\n")
        self.reboot()

    # ---- files ----

    def path(self, name):
        return os.path.join(self.root, name)

    def put(self, name, content, mode=0o644):
        full = self.path(name)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(full, mode)
        return full

    def bytes(self, name):
        try:
            with open(self.path(name), "rb") as content:
                return content.read()
        except FileNotFoundError:
            return b""

    def text(self, name):
        return self.bytes(name).decode("utf-8", "replace")

    def json(self, name):
        return json.loads(self.bytes(name))

    def mode(self, name):
        return stat.S_IMODE(os.lstat(self.path(name)).st_mode)

    def exists(self, name):
        return os.path.lexists(self.path(name))

    def tree(self, *skip):
        """Everything below the root, for comparison: kind, mode, owner, times and content."""
        found = {}
        for folder, folders, files in os.walk(self.root):
            for name in sorted(folders + files):
                full = os.path.join(folder, name)
                info = os.lstat(full)
                digest = None
                if stat.S_ISREG(info.st_mode):
                    with open(full, "rb") as content:
                        digest = hashlib.sha256(content.read()).hexdigest()
                if os.path.relpath(full, self.root) not in skip:
                    found[os.path.relpath(full, self.root)] = (
                        oct(info.st_mode), info.st_uid, info.st_gid, info.st_mtime_ns, digest)
        return found

    # ---- what the machine is ----

    def reboot(self):
        """Another boot id, and nothing of the last boot's /run."""
        shutil.rmtree(self.path("run"))
        os.mkdir(self.path("run"))
        self.put(BOOT_ID, f"{uuid.uuid4()}\n")

    def seed(self, user_data=None, instance_id="i-1", folder=None, **items):
        """The seed folder anew; instance_id None: it has no name."""
        folder = folder or f"{STATE}/seed"
        meta = {**({} if instance_id is None else {"instance-id": instance_id}), **items}
        state = self.path(STATE)
        if folder.startswith(STATE) and not os.path.isdir(state):
            os.mkdir(state, 0o700)
        shutil.rmtree(self.path(folder), ignore_errors=True)
        self.put(f"{folder}/meta-data", json.dumps(meta))
        if user_data is not None:
            self.put(f"{folder}/user-data", user_data)

    def settings(self, **own):
        """config.yaml with these settings of the agent (JSON is YAML)."""
        self.config({"bootlace": own})

    def config(self, document):
        self.put("etc/bootlace/config.yaml", json.dumps(document))

    def module_settings(self, name, **settings):
        self.settings(modules={name: settings})

    # ---- modules ----

    def own_modules(self, *kept):
        """A modules folder of this machine's own, with these of the build."""
        self.library = self.path("lib/bootlace")
        os.makedirs(self.path("lib/bootlace/modules"), exist_ok=True)
        for name in kept:
            for end in (".so", ".json", ".schema.json"):
                file = os.path.join(library(), "modules", name + end)
                if os.path.exists(file):
                    shutil.copy(file, self.path("lib/bootlace/modules"))
        return self.path("lib/bootlace/modules")

    def add_module(self, name, content, mode=0o755):
        """Adds a module's file, from its text or (an absolute path) a copy."""
        folder = self.path("lib/bootlace/modules")
        if not os.path.isdir(folder):
            self.own_modules()
        full = os.path.join(folder, name)
        if os.path.isabs(content):
            shutil.copy(content, full)
        else:
            self.put(f"lib/bootlace/modules/{name}", content)
        os.chmod(full, mode)
        return full

    # ---- the program ----

    def environment(self, **more):
        return environment(BOOTLACE_PREFIX=self.root, BOOTLACE_LIBDIR=self.library,
                           **{**self.variables, **more})

    def start(self, *arguments, wrapper=(), variables=None, **how):
        how.setdefault("stdin", subprocess.DEVNULL)
        how.setdefault("stdout", subprocess.PIPE)
        how.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen([*wrapper, self.program, *arguments],
                                env=self.environment(**(variables or {})), **how)

    def agent(self, *arguments, given=None, limit_s=RUN_LIMIT_S, **how):
        """Runs a command to its end; given is its standard input."""
        began = time.monotonic()
        if given is not None:
            how["stdin"] = subprocess.PIPE
        process = self.start(*arguments, **how)
        try:
            out, err = process.communicate(given, timeout=limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Outcome(process.returncode, out or b"", err or b"", time.monotonic() - began)

    def run(self, *options, **how):
        return self.agent("run", *options, **how)

    # ---- what became of it ----

    def status(self):
        return self.agent("status", "--format", "json").json()

    def step(self, name="user-data"):
        """One step of the status, or None."""
        found = [step for step in self.status()["steps"] if step["name"] == name]
        return found[0] if found else None

    def record(self, instance_id="i-1"):
        return f"{STATE}/instances/{instance_id}"

    def journal(self, instance_id="i-1"):
        lines = self.bytes(f"{self.record(instance_id)}/journal").split(b"\n")
        return [json.loads(line) for line in lines if line.strip(b"\0")]

    def events(self, instance_id="i-1"):
        """The journal's entries about steps, as (event, step, status)."""
        return [(entry["event"], entry["step"], entry["status"])
                for entry in self.journal(instance_id) if "step" in entry]

    def output_lines(self):
        """The output log's lines without their times."""
        return [line.split(" ", 1)[1] for line in self.text(OUTPUT_LOG).splitlines()]


class AgentTest(unittest.TestCase):
    """A test with one machine."""

    maxDiff = None

    @classmethod
    def make_folder(cls, test_class):
        """A temporary folder for all tests of a class."""
        folder = tempfile.mkdtemp(prefix="bootlace-agent-")
        test_class.addClassCleanup(shutil.rmtree, folder)
        return folder

    def setUp(self):
        self.work = tempfile.mkdtemp(prefix="bootlace-agent-")
        self.addCleanup(shutil.rmtree, self.work)
        self.machine = Machine(os.path.join(self.work, "root"))
        self.mark = os.path.join(self.work, "mark")

    def open_to_everybody(self):
        """Another user may run the agent and look at the machine, whatever folder they are in."""
        os.chmod(self.work, 0o755)
        self.machine.program = shutil.copy(program(), self.work)

    def marks(self):
        """The lines that scripts have written to the mark."""
        try:
            with open(self.mark, encoding="utf-8", errors="replace") as lines:
                return lines.read().splitlines()
        except FileNotFoundError:
            return []

    def wait_for_mark(self, count=1):
        self.assertTrue(wait_until(lambda: len(self.marks()) >= count), "the script did not begin")
        return self.marks()

    def start(self, *arguments, **how):
        """Starts the agent; it is gone when the test is."""
        process = self.machine.start(*arguments, **how)

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def assert_code(self, outcome, code):
        self.assertEqual(outcome.code, code, outcome)

    def assert_run(self, code=0, *options, **how):
        """A run that ends with this exit code."""
        outcome = self.machine.run(*options, **how)
        self.assert_code(outcome, code)
        return outcome

    def assert_step(self, name="user-data", **expected):
        """The step's members in the status."""
        step = self.machine.step(name)
        self.assertIsNotNone(step, f"no step {name}: {self.machine.status()}")
        self.assertEqual({key: step.get(key) for key in expected}, expected, step)
        return step
