"""bootlace beside cloud-init: the same user-data to both, and what differs.

cloud-init is Debian's, in a root of its own (cloud_init_driver.py runs there, and takes many cases
in one process); bootlace is the build's, whose `inspect` and `plan` read each case from a seed.
Both know the same metadata.
"""

import base64
import hashlib
import json
import os
import re
import subprocess
import threading

import host
from agent import Machine

HERE = os.path.dirname(os.path.abspath(__file__))
DRIVER = os.path.join(HERE, "cloud_init_driver.py")
LIMIT_S = 120
PACKAGES = ["cloud-init"]

# What the metadata service of the instance says.
METADATA = {
    "instance-id": "i-0123456789abcdef0",
    "local-hostname": "ip-10-0-0-7.eu-west-1.compute.internal",
    "local-ipv4": "10.0.0.7",
    "ami-id": "ami-0a1b2c3d",
    "placement": {"region": "eu-west-1", "availability-zone": "eu-west-1b"},
    "tags": {"instance": {"Name": "web-1", "role": "web"}},
}

# The same as cloud-init's instance-data.json has it for EC2.
INSTANCE_DATA = {
    "ds": {"meta_data": METADATA},
    "v1": {
        "instance_id": METADATA["instance-id"],
        "local_hostname": METADATA["local-hostname"],
        "region": METADATA["placement"]["region"],
        "availability_zone": METADATA["placement"]["availability-zone"],
    },
}

KINDS = {"text/x-shellscript": "script", "text/cloud-boothook": "boothook"}
CONFIG = {"text/cloud-config", "text/cloud-config-jsonp"}
TAKEN = {*KINDS, *CONFIG}


class Case:
    """Some user-data, and the launch index of the instance that gets it, where it has one."""

    def __init__(self, name, user_data, index=None):
        self.name = name
        self.user_data = user_data
        self.index = index


class Result:
    """What one of both makes of a case."""

    def __init__(self, runs, config, complaints):
        self.runs = runs  # (kind, name, digest of the bytes), in the order of the parts
        self.config = config
        self.complaints = complaints  # why the whole, or a part of it, is not taken


def cloud_init(copy, cases, schema=True):
    """What cloud-init makes of the cases: a Result each."""
    lines = "".join(json.dumps({"name": case.name, "index": case.index, "schema": schema,
                                "input": base64.b64encode(case.user_data).decode(),
                                "metadata": INSTANCE_DATA}) + "\n" for case in cases)
    with open(DRIVER, encoding="utf-8") as driver:
        copy.put("/driver.py", driver.read())
    done = copy.run(["/usr/bin/python3", "/driver.py"], input=lines, limit=LIMIT_S)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if [answer["name"] for answer in answers] != [case.name for case in cases]:
        raise host.RigError(f"cloud-init did not answer every case\n{done.stderr}")
    return [_of_cloud_init(answer) for answer in answers]


def _of_cloud_init(answer):
    runs = [(run["kind"], run["name"],
             hashlib.sha256(base64.b64decode(run["content"])).hexdigest())
            for run in answer["runs"]]
    return Result(runs, answer["config"], answer["complaints"])


class Bootlace:
    """The build's agent, on a machine of its own with a seed."""

    def __init__(self, folder):
        self.machine = Machine(folder)

    def __call__(self, case):
        items = dict(METADATA)
        if case.index is not None:
            items["ami-launch-index"] = str(case.index)
        self.machine.seed(case.user_data, items.pop("instance-id"), **items)
        inspected = self.ask("inspect", "--show-secrets")
        problems = inspected["problems"]
        # Whether a module takes the parts is the plan's to tell.
        if any(part["type"] not in TAKEN for part in inspected["parts"]):
            problems = self.ask("plan")["problems"]
        complaints = [self.text(problem) for problem in problems if problem["severity"] == "error"]
        return Result([self.run(part) for part in inspected["parts"] if self.is_run(part)],
                      inspected["config"], complaints)

    def ask(self, *arguments):
        outcome = self.machine.agent(*arguments, "--format", "json")
        try:
            return outcome.json()
        except json.JSONDecodeError:
            return {"parts": [], "config": {}, "problems": [
                {"severity": "error", "message": f"exit code {outcome.code}: {outcome.err}"}]}

    @staticmethod
    def text(problem):
        place = ":".join(str(problem[key]) for key in ("part", "line", "column")
                         if problem.get(key))
        return f"{place}: {problem['message']}"

    @staticmethod
    def is_run(part):
        return part["type"] not in CONFIG

    @staticmethod
    def run(part):
        kind = KINDS.get(part["type"], part["type"])
        if kind == "script" and part["frequency"] != "default":
            kind = {"once": "per-once"}.get(part["frequency"], part["frequency"])
        return kind, part["name"], part["sha256"]


def file_name(name):
    """A label as cloud-init makes a file name of it."""
    return re.sub(r"[^a-zA-Z0-9._-]", "", name.replace("/", "_"))


def by_kind(runs):
    """What is run without the names, of each kind in its order."""
    return {kind: [run[2] for run in runs if run[0] == kind] for kind in {run[0] for run in runs}}


def compare(theirs, ours):
    """The kinds of difference between cloud-init's and bootlace's Result; see differences.md."""
    if theirs.complaints or ours.complaints:
        if not theirs.complaints:
            return ["refuses"]
        return [] if ours.complaints else ["accepts"]
    found = []
    if by_kind(theirs.runs) != by_kind(ours.runs):
        found.append("runs")
    elif [run[1] for run in theirs.runs] != [_label(run, ours) for run in ours.runs]:
        found.append("names")
    if theirs.config != ours.config:
        found.append("config")
    if "runs" not in found and _sorted_differs(theirs.runs):
        found.append("order")
    return sorted(found)


def _label(run, ours):
    """A part that came in no container is part-001 there, and has the whole's name here."""
    return "part-001" if run[1] == "user-data" and len(ours.runs) == 1 else file_name(run[1])


def _sorted_differs(runs):
    """Whether cloud-init, which runs scripts by their names, leaves the order of the parts."""
    names = [run[1] for run in runs if run[0] == "script"]
    return names != sorted(names)


def compare_all(copy, cases, folder, schema=True):
    """Every case's (case, kinds of difference, cloud-init's result, bootlace's), in order."""
    theirs = []
    thread = threading.Thread(target=lambda: theirs.extend(cloud_init(copy, cases, schema)))
    thread.start()
    bootlace = Bootlace(folder)
    ours = [bootlace(case) for case in cases]
    thread.join()
    if len(theirs) != len(cases):
        raise host.RigError("cloud-init's side did not end well")
    return [(case, compare(their, our), their, our)
            for case, their, our in zip(cases, theirs, ours)]


def tell(case, kinds, theirs, ours):
    """A difference, for people."""
    lines = [f"{case.name}: {', '.join(kinds) or 'no difference'}"]
    for name, result in (("cloud-init", theirs), ("bootlace", ours)):
        lines.append(f"    {name} runs {[run[:2] for run in result.runs]}, "
                     f"config {json.dumps(result.config)[:400]}")
        lines += [f"        {complaint[:400]}" for complaint in result.complaints]
    return "\n".join(lines)
