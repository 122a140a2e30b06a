#!/usr/bin/python3
"""The README's table of cloud-init's keys: every top-level key of cloud-init's published schema,
and what becomes of it here. Made of that schema, as Debian's package has it, and of the modules'
own.

    key_table.py            prints the table
    key_table.py --write    puts it into the README
"""

import json
import os
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.append(str(TOP / "tests" / "rig"))
import roots  # noqa: E402  (found by the line above)

PACKAGES = ["cloud-init"]  # the same root as oracle.py's
SCHEMA = "usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json"
BEGIN, END = "<!-- keys: tests/oracle/key_table.py -->\n", "<!-- end of keys -->\n"


def published_keys():
    """The top-level keys of the schema: those of the definitions that it is all of."""
    schema = json.loads((roots.cached(PACKAGES) / SCHEMA).read_text(encoding="utf-8"))
    found = set()
    for part in schema["allOf"]:
        definition = schema["$defs"][part["$ref"].rpartition("/")[2]]
        found |= set(definition.get("properties", {}))
    return found


def own_keys():
    """Each key of the modules' schemas: the module, and what differs, or None."""
    found = {}
    for path in sorted(TOP.glob("modules/*/*.schema.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        for key, what in schema["properties"].items():
            found[key] = (path.parent.name, what.get("x-differs") if isinstance(what, dict)
                          else None)
    return found


def table():
    theirs, own = published_keys(), own_keys()
    works, differs = {}, []
    for key in sorted(theirs & set(own)):
        module, words = own[key]
        if words:
            differs.append(f"| `{key}` | {module} | differs: {words} |\n")
        else:
            works.setdefault(module, []).append(f"`{key}`")
    lines = [f"| {', '.join(keys)} | {module} | works |\n"
             for module, keys in sorted(works.items())]
    missing = ", ".join(f"`{key}`" for key in sorted(theirs - set(own)))
    return ("| keys | module | |\n|---|---|---|\n" + "".join(lines) + "".join(differs)
            + f"| {missing} | | not supported yet: a warning says so |\n")


def readme_with(text, made):
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit("the README has no place for the table")
    return before + BEGIN + made + END + after


def main():
    made = table()
    if sys.argv[1:] == ["--write"]:
        path = TOP / "README.md"
        text = path.read_text(encoding="utf-8")
        new = Path(os.fspath(path) + ".new")
        new.write_text(readme_with(text, made), encoding="utf-8")
        new.rename(path)
    else:
        print(made, end="")


if __name__ == "__main__":
    main()
