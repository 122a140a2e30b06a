"""What cloud-init makes of user-data: runs inside a Debian root that has the package.

Reads a case a line on standard input, {"name", "input" (base64), "metadata", "index"}, and writes
for each a line:

    {"name": …,
     "types": [MIME type of each part],
     "runs": [{"kind": "boothook" | "script" | "per-boot" | "per-instance" | "per-once",
               "name": …, "content" (base64)}],   in the order of the parts
     "config": the merged cloud-config as JSON,
     "complaints": [warnings, and what its schema says; or the exception that ended it]}

It is cloud-init's own code as its boot calls it: UserDataProcessor, the filter of launch indexes,
the handlers of stages.Init. Of the machine nothing is touched but a folder: boothooks are noted
instead of run, and what waits between two tries to fetch an include does not.
"""

import base64
import datetime
import json
import logging
import os
import shutil
import sys
import tempfile

import cloudinit.mergers  # noqa: F401  22.4.2 counts on others having imported it
from cloudinit import filters, handlers, helpers, stages, subp, url_helper, util
from cloudinit.config import schema
from cloudinit.filters import launch_index
from cloudinit.settings import PER_INSTANCE
from cloudinit.user_data import UserDataProcessor

SCHEMA = schema.get_schema()
FOLDERS = {"scripts": "script", "per-boot": "per-boot", "per-instance": "per-instance",
           "per-once": "per-once"}


class Complaints(logging.Handler):
    """The warnings of one case."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.texts = []

    def emit(self, record):
        text = record.getMessage()
        if record.exc_info:
            text += f": {record.exc_info[1]!r}"
        self.texts.append(text)


class Source:
    """As much of a data source as the handlers ask for."""

    def get_instance_id(self):
        return "i-0123456789abcdef0"


class Machine(stages.Init):
    """cloud-init's own calls of its handlers, without a distribution."""

    def __init__(self, folder):
        super().__init__()
        self.datasource = Source()
        self._paths = helpers.Paths({"cloud_dir": folder, "run_dir": folder + "/run"},
                                    ds=self.datasource)

    def cloudify(self):
        return None


class Runs:
    """What would be run, as the handlers write it."""

    def __init__(self):
        self.found = []
        self.write = util.write_file

    def write_file(self, filename, content, mode=0o644, *arguments, **named):
        self.write(filename, content, mode, *arguments, **named)
        kind = FOLDERS.get(os.path.basename(os.path.dirname(filename)))
        if kind:
            self.add(kind, filename)

    def run(self, argv, **_):
        self.add("boothook", argv[0])

    def add(self, kind, path):
        with open(path, "rb") as written:
            content = written.read()
        # What is written again is run once, as it is in the end.
        self.found = [run for run in self.found if run["path"] != path or kind == "boothook"]
        self.found.append({"path": path, "kind": kind, "name": os.path.basename(path),
                           "content": base64.b64encode(content).decode()})


def plain(value, within=()):
    """The value as JSON; what JSON lacks says so."""
    if id(value) in within:
        return "!itself"
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key) if type(key) is int
                else f"!{type(key).__name__} {key}": plain(item, (*within, id(value)))
                for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, (*within, id(value))) for item in value]
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"!!binary": base64.b64encode(value).decode()}
    if isinstance(value, (set, datetime.date)) or value in (float("inf"), float("-inf")) or (
            value != value):
        return f"!{type(value).__name__} {value}"
    return value


def refuse_handler(*_):
    logging.getLogger("cloudinit").warning("a part handler would be run")


def process(case, folder, runs):
    machine = Machine(folder)
    metadata = case["metadata"]
    runs.write(machine.paths.get_runpath("instance_data_sensitive"), json.dumps(metadata))
    merged = {}
    write = machine.paths.get_ipath("cloud_config")

    message = UserDataProcessor(machine.paths).process(base64.b64decode(case["input"]))
    message = launch_index.Filter(util.safe_int(case["index"])).apply(message)
    types = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    machine._do_handlers(message, machine._default_userdata_handlers(), PER_INSTANCE)
    if os.path.exists(write):
        with open(write, encoding="utf-8") as text:
            merged = util.load_yaml(text.read(), default={})
    return types, merged


def answer(case):
    complaints, runs = Complaints(), Runs()
    folder = tempfile.mkdtemp()
    log = logging.getLogger("cloudinit")
    log.addHandler(complaints)
    util.write_file, subp.subp = runs.write_file, runs.run
    types, merged = [], {}
    try:
        types, merged = process(case, folder, runs)
        if case.get("schema", True):
            schema.validate_cloudconfig_schema(merged, SCHEMA, strict=True)
    except schema.SchemaValidationError as error:
        if error.schema_errors:
            complaints.texts.append(f"schema: {error}")
    except Exception as error:  # pylint: disable=broad-except
        complaints.texts.append(f"exception: {error!r}")
    finally:
        util.write_file = runs.write
        log.removeHandler(complaints)
        shutil.rmtree(folder)
    return {"name": case["name"], "types": types,
            "runs": [{key: run[key] for key in ("kind", "name", "content")} for run in runs.found],
            "config": plain(merged), "complaints": complaints.texts}


def main():
    logging.getLogger("cloudinit").setLevel(logging.WARNING)
    logging.getLogger("cloudinit").propagate = False
    url_helper.time.sleep = lambda _: None
    handlers.walker_handle_handler = refuse_handler
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
