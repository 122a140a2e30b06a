#!/usr/bin/python3
"""report: a module that writes down what it is given, for the tests.

Its key `report` names the file: one JSON object a line, with the call, the input as it came, the
arguments, the environment, the open descriptors and the working folder. As the owner of a part
type (REPORT_TYPES in its environment) it reads the part's file, too, and takes the place to write
to from REPORT_FILE.
"""

import json
import os
import stat
import sys

DESCRIPTORS_MAX = 256

call = sys.argv[1]
if call == "describe":
    print(json.dumps({"interface": 1, "name": "report", "version": "1", "summary": "reports",
                      "keys": ["report", "report_more"], "metadata": ["placement/region"],
                      "types": os.environ.get("REPORT_TYPES", "").split(),
                      "prepare": True, "unknown_member": {"is": "ignored"}}))
    sys.exit(0)


def is_open(descriptor):
    try:
        os.fstat(descriptor)
        return True
    except OSError:
        return False


descriptors = [number for number in range(DESCRIPTORS_MAX) if is_open(number)]
given = json.load(sys.stdin)
report = {"call": call, "input": given, "arguments": sys.argv, "environment": dict(os.environ),
          "descriptors": descriptors, "folder": os.getcwd(),
          "leads_group": os.getpgrp() == os.getpid()}
if "part" in given:
    with open(given["part"]["file"], "rb") as part:
        report["content"] = part.read().decode()
    report["mode"] = stat.S_IMODE(os.stat(given["part"]["file"]).st_mode)
with open(given.get("settings", {}).get("report") or os.environ["REPORT_FILE"], "a",
          encoding="utf-8") as out:
    out.write(json.dumps(report) + "\n")
with os.fdopen(3, "w") as results:
    results.write(json.dumps({"status": "unchanged", "unknown_member": [1]}) + "\n")
