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


def members(schema, definitions, within=()):
    """All names of members that a schema knows, at any depth."""
    if not isinstance(schema, dict):
        return set()
    found = set(schema.get("properties", {}))
    name = schema.get("$ref", "").rpartition("/")[2]
    if name and name not in within:
        found |= members(definitions.get(name, {}), definitions, (*within, name))
    below = [*schema.get("properties", {}).values(), *schema.get("patternProperties", {}).values(),
             schema.get("items"), schema.get("additionalProperties")]
    for word in ("oneOf", "anyOf", "allOf"):
        below += schema.get(word, [])
    for one in below:
        found |= members(one, definitions, within)
    return found


def published_keys():
    """The top-level keys of the schema, which are those of the definitions that it is all of; with
    the names of all that is below each."""
    schema = json.loads((roots.cached(PACKAGES) / SCHEMA).read_text(encoding="utf-8"))
    found = {}
    for part in schema["allOf"]:
        definition = schema["$defs"][part["$ref"].rpartition("/")[2]]
        for key, what in definition.get("properties", {}).items():
            found[key] = members(what, schema["$defs"])
    return found


def own_keys():
    """Each key of the modules' schemas: the module, what differs, or None, and the names of all
    that is below it."""
    found = {}
    for path in sorted(TOP.glob("modules/*/*.schema.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        for key, what in schema["properties"].items():
            found[key] = (path.parent.name, what.get("x-differs") if isinstance(what, dict)
                          else None, members(what, schema.get("$defs", {})))
    return found


def not_told():
    """Names below a key that cloud-init's schema has and ours lacks, and what differs does not
    say."""
    own = own_keys()
    return {key: missing for key, theirs in published_keys().items() if key in own
            for missing in [{name for name in theirs - own[key][2]
                             if name not in (own[key][1] or "")}] if missing}


def table():
    theirs, own = published_keys(), own_keys()
    works, differs = {}, []
    for key in sorted(set(theirs) & set(own)):
        module, words, _ = own[key]
        if words:
            differs.append(f"| `{key}` | {module} | differs: {words} |\n")
        else:
            works.setdefault(module, []).append(f"`{key}`")
    lines = [f"| {', '.join(keys)} | {module} | works |\n"
             for module, keys in sorted(works.items())]
    missing = ", ".join(f"`{key}`" for key in sorted(set(theirs) - set(own)))
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
