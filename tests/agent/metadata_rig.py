"""What the tests of the metadata source share: a machine of paper, the service, and the agent.

BOOTLACE_BUILD names the build folder. The agent runs with a folder of the test's own as its root
of files (BOOTLACE_PREFIX) and an environment that says nothing else; the service is the tests' own
(tests/servers), on loopback or in a network namespace of the test's own.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))

import imds_run  # noqa: E402
import imds_tree  # noqa: E402

RUN_LIMIT_S = 30
MARK = "ran"
DOCUMENT = "/latest/dynamic/instance-identity/document"
TOKEN = "/latest/api/token"
USER_DATA = "/latest/user-data"

# What waits for nothing, or for a limit of a second or two, is over by then on a busy machine, too;
# what waits for the usual limit is not.
SOON_S = 6
USUAL_WAIT_S = 12

EXIT_USAGE = 2
EXIT_INPUT = 3
EXIT_SOURCE = 4
EXIT_INTERNAL = 70


def build_folder():
    return os.environ["BOOTLACE_BUILD"]


def imds_program():
    return os.environ.get("BOOTLACE_IMDS") or os.path.join(build_folder(), "tests", "imds")


def settings(endpoint=None, wait=USUAL_WAIT_S, timeout=0.4, attempts=0, **more):
    """A configuration file's text; JSON is YAML."""
    metadata = {"wait": wait, "timeout": timeout, "attempts": attempts, **more}
    if endpoint:
        metadata["endpoint"] = endpoint
    return json.dumps({"bootlace": {"metadata": metadata}})


class Outcome:
    """What a run of the agent came to."""

    def __init__(self, process, seconds):
        self.code = process.returncode
        self.out = process.stdout
        self.chatter = process.stderr.decode("utf-8", "replace")
        self.seconds = seconds

    def __repr__(self):
        return f"exit code {self.code} after {self.seconds:.2f} s: {self.out!r}\n{self.chatter}"


class MetadataTest(unittest.TestCase):
    """A temporary folder with a tree for the service and a root for the agent."""

    def setUp(self):
        self.work = tempfile.mkdtemp(prefix="bootlace-metadata-")
        self.addCleanup(shutil.rmtree, self.work)
        self.tree = os.path.join(self.work, "tree")
        self.root = os.path.join(self.work, "root")
        self.mark = os.path.join(self.work, MARK)
        self.netns = None
        for folder in ("etc/bootlace", "var/log", "run"):
            os.makedirs(os.path.join(self.root, folder))
        self.give(f"#!/bin/sh\necho \"$BOOTLACE_HOSTNAME\" >>{self.mark}\n".encode())

    # ---- what there is ----

    def give(self, user_data):
        """Makes the instance anew, with this user-data (None: none)."""
        self.user_data = user_data
        self.facts = imds_tree.make_tree(self.tree, user_data=user_data)

    def put(self, path, text):
        """Makes a file below the agent's root."""
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as out:
            out.write(text)

    def serve(self, *faults, work=None, **options):
        """Starts the service; it ends with the test."""
        folder = work or os.path.join(self.work, "service")
        os.makedirs(folder, exist_ok=True)
        service = imds_run.Service(self.tree, folder, faults=faults, binary=imds_program(),
                                   netns=self.netns, **options)
        self.addCleanup(service.stop)
        return service

    # ---- the agent ----

    def start(self, *arguments, endpoint=None, environment=None):
        command = ["ip", "netns", "exec", self.netns] if self.netns else []
        variables = {"PATH": os.environ["PATH"], "BOOTLACE_PREFIX": self.root,
                     "BOOTLACE_LIBDIR": os.path.join(build_folder(), "lib", "bootlace"),
                     **{name: value for name, value in os.environ.items()
                        if name.endswith("SAN_OPTIONS")}}
        if endpoint:
            variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = endpoint
        variables.update(environment or {})
        return subprocess.Popen(
            command + [os.path.join(build_folder(), "bootlace"), *arguments], env=variables,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def finish(self, process, began):
        try:
            out, chatter = process.communicate(timeout=RUN_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        done = subprocess.CompletedProcess(process.args, process.returncode, out, chatter)
        return Outcome(done, time.monotonic() - began)

    def agent(self, *arguments, **options):
        began = time.monotonic()
        return self.finish(self.start(*arguments, **options), began)

    def run_agent(self, service, *, limits=None, **options):
        """`bootlace run` against a service, with short limits unless others are given."""
        self.put("etc/bootlace/config.yaml", limits or settings())
        return self.agent("run", endpoint=service.endpoint if service else None, **options)

    def status(self):
        return json.loads(self.agent("status", "--format", "json").out)

    # ---- what became of it ----

    def runs(self):
        """The lines that the user-data's script has left."""
        if not os.path.exists(self.mark):
            return []
        with open(self.mark, encoding="utf-8") as lines:
            return lines.read().splitlines()

    def kept_user_data(self):
        path = os.path.join(self.root, "var/lib/bootlace/instances", self.facts["instance_id"],
                            "user-data")
        with open(path, "rb") as kept:
            return kept.read()

    def assert_ran(self, outcome):
        self.assertEqual(outcome.code, 0, outcome)
        self.assertEqual(self.runs(), [self.facts["hostname"]], outcome)
        self.assertEqual(self.kept_user_data(), self.user_data)

    def assert_refused(self, outcome, *words, code=EXIT_SOURCE, within=None):
        """Nothing ran, and the reason stands in the chatter and in the status."""
        self.assertEqual(outcome.code, code, outcome)
        self.assertEqual(self.runs(), [], outcome)
        status = self.status()
        self.assertEqual(status["status"], "failed", outcome)
        told = " ".join(error["message"] + " " + error.get("hint", "")
                        for error in status["errors"])
        for word in words:
            self.assertIn(word, outcome.chatter)
            self.assertIn(word, told)
        if within is not None:
            self.assertLess(outcome.seconds, within, outcome)

    def assert_requests(self, service, *expected):
        """The service's log, a request as "METHOD PATH TOKEN OUTCOME"."""
        seen = [f"{one.method} {one.path} {one.token} {one.outcome}"
                for one in service.requests()]
        self.assertEqual(seen, list(expected))

    def assert_no_markup_kept(self):
        """No error's XHTML is anywhere among the agent's files."""
        for folder, _, names in os.walk(self.root):
            for name in names:
                with open(os.path.join(folder, name), "rb") as kept:
                    self.assertNotIn(b"<?xml", kept.read(), os.path.join(folder, name))
