"""Runs the tests' metadata service (imds) for a test or a benchmark, and reads its log."""

import os
import subprocess
import time
from collections import namedtuple

START_LIMIT_S = 10
STOP_LIMIT_S = 5
POLL_S = 0.002

Request = namedtuple("Request", "ms connection method path token outcome faults")


def program():
    """The binary: `imds` in the folder that BOOTLACE_TEST_BIN names."""
    return os.path.join(os.environ["BOOTLACE_TEST_BIN"], "imds")


def read_log(path):
    """The log's requests, oldest first. See `imds --help` for what a line says."""
    requests = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            fields = line.split()
            requests.append(Request(float(fields[0]), int(fields[1]), *fields[2:6],
                                    fields[6].split(",") if len(fields) > 6 else []))
    return requests


class Service:
    """One running service; `with Service(tree, work) as service: …` ends it.

    `work` is a folder for its log and port file. With delay_start, it is handed over while it still
    refuses connections; the port is its own by then.
    """

    def __init__(self, tree, work, *, faults=(), mode="both", listen="127.0.0.1:0", ipv6=False,
                 delay_start=0, binary=None, netns=None):
        self.log_file = os.path.join(work, "imds.log")
        self.port_file = os.path.join(work, "imds.port")
        self.ready_file = os.path.join(work, "imds.ready")
        self.host = listen.rpartition(":")[0]
        command = ["ip", "netns", "exec", netns] if netns else []
        command += [binary or program(), "--listen-v6" if ipv6 else "--listen", listen,
                    "--port-file", self.port_file, "--ready-file", self.ready_file,
                    "--log", self.log_file, "--mode", mode, "--delay-start", str(delay_start)]
        for fault in faults:
            command += ["--fault", fault]
        for stale in (self.log_file, self.port_file, self.ready_file):
            if os.path.exists(stale):
                os.remove(stale)
        self.process = subprocess.Popen(command + [tree], stdin=subprocess.DEVNULL)
        try:
            self._await(self.ready_file if delay_start == 0 else self.port_file)
            with open(self.port_file, encoding="ascii") as source:
                self.port = int(source.read())
        except BaseException:
            self.stop()
            raise

    def _await(self, path):
        deadline = time.monotonic() + START_LIMIT_S
        while not os.path.exists(path):
            if self.process.poll() is not None:
                raise RuntimeError(f"imds ended with {self.process.returncode}")
            if time.monotonic() > deadline:
                raise RuntimeError("imds does not start")
            time.sleep(POLL_S)

    @property
    def endpoint(self):
        return f"http://{self.host}:{self.port}"

    def requests(self):
        """The requests so far; each is there before its answer is."""
        return read_log(self.log_file)

    def ready_ms(self):
        """When it began to listen: milliseconds of CLOCK_MONOTONIC."""
        with open(self.ready_file, encoding="ascii") as source:
            return float(source.read())

    def stop(self):
        """Ends it; its exit code, which is 0 unless something is wrong with the service itself."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
