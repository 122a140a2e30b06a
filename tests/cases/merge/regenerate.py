#!/usr/bin/python3
"""Writes every case's expected.json as cloud-init merges its base.yaml and over.yaml.

The cases are folders here: base.yaml is the first part, over.yaml the second, merge-type (where
there is one) the second's Merge-Type header. The expected.json in the tree are from cloud-init
22.4.2, as Debian 12 ships it. Its package need not be installed for that:

    apt-get download cloud-init && dpkg-deb -x cloud-init_*.deb unpacked
    PYTHONPATH=unpacked/usr/lib/python3/dist-packages tests/cases/merge/regenerate.py

What cloud-init refuses by an exception, or takes apart into characters, is no case here: there
bootlace has an error, which tests/unit/test_merge.c shows.
"""
import importlib.util  # 22.4.2 counts on somebody having imported it
import json
import pathlib
import sys

import yaml
from cloudinit import mergers

DEFAULT = mergers.string_extract_mergers("dict(replace)+list()+str()")


def merge(buffer, part, header):
    """As handlers/cloud_config.py of 22.4.2 does it with each part."""
    rules = mergers.dict_extract_mergers(part) + mergers.string_extract_mergers(header)
    return mergers.construct(rules or DEFAULT).merge(buffer, part)


def expected(folder):
    header = folder / "merge-type"
    first = merge({}, yaml.safe_load((folder / "base.yaml").read_text()), "")
    second = yaml.safe_load((folder / "over.yaml").read_text())
    return merge(first, second, header.read_text().strip() if header.exists() else "")


def main():
    for base in sorted(pathlib.Path(__file__).parent.glob("*/base.yaml")):
        text = json.dumps(expected(base.parent), indent=2, sort_keys=True)
        (base.parent / "expected.json").write_text(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
