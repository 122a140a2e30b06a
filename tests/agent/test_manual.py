#!/usr/bin/python3
"""The manual pages against the program: what they list is what there is, and their examples work.

BOOTLACE_BUILD names the build folder. What a page lists (commands, options, settings, limits,
messages, variables, files) is compared with --help, with the source, or with what the program does;
examples are taken out of the pages' own text and run in temporary folders.
"""

import base64
import glob
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import unittest
from math import prod

from agent import (EXIT_INPUT, SOURCE, AgentTest, environment, needs_program, needs_root,
                   program)
from manual import PAGES, ExampleTest, Page, items, plain

def options(lines):
    """The long options that are items."""
    return {option for item in items(lines)
            for option in re.findall(r"(?:Fl|,) -([a-z-]{2,})", item)}


def help_of(*command):
    done = subprocess.run([program(), *command, "--help"], env=environment(), check=True, text=True,
                          stdout=subprocess.PIPE)
    return done.stdout


def help_options(*command):
    """Long options and whether each takes an argument."""
    return {name: bool(argument) for name, argument in
            re.findall(r"^  .{4}--([a-z-]+)( \S+)?", help_of(*command), re.MULTILINE)}


def commands():
    listed = help_of().partition("Commands:\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in listed.splitlines()]


class Lint(unittest.TestCase):
    def test_all_pages_are_there(self):
        modules = {f"bootlace-{os.path.basename(os.path.dirname(path))}.7"
                   for path in glob.glob(os.path.join(SOURCE, "modules", "*", "*.c"))}
        self.assertEqual(set(PAGES), modules | {"bootlace.1", "bootlace-config.5",
                                                "bootlace-user-data.5", "bootlace-module.7",
                                                "bootlace-image.7"})

    @needs_program("mandoc")
    def test_pages_are_clean(self):
        for name, path in PAGES.items():
            with self.subTest(name):
                done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", path], text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                self.assertEqual([line for line in done.stdout.splitlines()
                                  if not self.is_reference(line)], [])

    @staticmethod
    def is_reference(line):
        """mandoc looks for pages among the machine's, where others may be installed."""
        return "referenced manual not found" in line or "outdated mandoc.db" in line

    def test_references_lead_somewhere(self):
        for name in PAGES:
            for line in Page(name).lines:
                if line.startswith(".Xr "):
                    _, page, section = line.split()[:3]
                    if page.startswith("bootlace"):
                        self.assertIn(f"{page}.{section}", PAGES, name)
            self.assertEqual(Page(name).lines[-1].strip(), Page(name).lines[-1])


class Commands(unittest.TestCase):
    """bootlace.1 beside --help."""

    def setUp(self):
        self.page = Page("bootlace.1")

    def test_commands(self):
        self.assertEqual(self.page.subsections("COMMANDS"), commands())

    def common(self):
        return set.intersection(*(set(help_options(command)) for command in commands()))

    def test_options_of_every_command(self):
        for command in commands():
            with self.subTest(command):
                self.assertEqual(options(self.page.section(command, ".Ss")),
                                 set(help_options(command)) - self.common())

    def test_common_options(self):
        text = self.page.section("OPTIONS")
        here = text.index("Without a command:")
        self.assertEqual(options(text[:here]), self.common())
        self.assertEqual(options(text[here:]), set(help_options()))

    def test_arguments_of_options(self):
        for command in commands():
            takes = help_options(command)
            for item in items(self.page.section(command, ".Ss")):
                name = re.match(r"Fl -([a-z-]+)", item)
                if name:
                    self.assertEqual(" Ar " in item or " Cm " in item, takes[name[1]], item)

    def test_synopsis(self):
        found, command = {}, None
        for line in self.page.section("SYNOPSIS"):
            if line.startswith(".Cm "):
                command = line.split()[1]
                found[command] = set()
            elif line.startswith(".Op Fl -help"):
                self.assertEqual({part.strip().lstrip("-").split()[0]
                                  for part in line[7:].split("|")}, set(help_options()))
            elif line.startswith(".Op Fl -"):
                found[command].add(line.split()[2].lstrip("-"))
        self.assertEqual(found, {command: set(help_options(command)) - self.common()
                                 for command in commands()})

    def test_exit_codes(self):
        told = help_of().partition("Exit codes: ")[2].partition(".\n")[0]
        self.assertEqual(items(self.page.section("EXIT STATUS")),
                         re.findall(r"(?:^|,\s)(\d+) ", told))

    def test_states(self):
        run, step = " ".join(self.page.section("STATES")).split("Of a step:")
        with open(os.path.join(SOURCE, "agent/model/step.c"), encoding="utf-8") as source:
            states = re.findall(r'\[STEP_\w+\] = "([a-z ]+)"', source.read())
        self.assertEqual(re.findall(r"\.It ([a-z ]+?) [A-Z]", step), states)
        self.assertEqual(re.findall(r"\.It ([a-z ]+?) [A-Z]", run),
                         ["not started", "running", "done", "failed", "degraded"])


class Examples(AgentTest):
    """The examples of bootlace.1, one after another on one machine."""

    def setUp(self):
        super().setUp()
        self.machine.seed("#!/bin/sh\necho web\n", **{
            "local-hostname": "web-1", "public-keys": ["ssh-ed25519 AAAA key"],
            "placement": {"region": "eu-central-1", "availability-zone": "eu-central-1a"}})
        self.assert_run()
        with open(os.path.join(self.work, "web.sh"), "w", encoding="utf-8") as script:
            script.write("#!/bin/sh\necho by hand\n")
        with open(os.path.join(self.work, "web.yaml"), "w", encoding="utf-8") as config:
            config.write("#cloud-config\nruncmd: [ls]\n")

    def call(self, line):
        # The one absolute path in an example is a file of the agent's own.
        line = line.replace("/var/log/", self.machine.path("var/log/"))
        path = f"{os.path.dirname(program())}:{os.environ['PATH']}"
        return subprocess.run(["bash", "-euo", "pipefail", "-c", line], cwd=self.work, text=True,
                              env=self.machine.environment(PATH=path), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)

    def test_all_of_them(self):
        lines = [line for _, block in Page("bootlace.1").blocks("EXAMPLES")
                 for line in block.splitlines()]
        self.assertGreater(len(lines), 15)
        printed = {}
        for line in lines:
            if "jq " in line and not shutil.which("jq"):
                continue
            with self.subTest(line):
                done = self.call(line)
                self.assertEqual(done.returncode, 0, done.stdout)
                printed[line] = done.stdout
        self.assertIn("user-data: by hand", printed["cat /var/log/bootlace-output.log"])
        self.assertEqual(printed["bootlace query hostname"], "web-1\n")
        self.assertEqual(printed["bootlace query placement/region placement/availability-zone"],
                         "eu-central-1\neu-central-1a\n")
        self.assertIn("begins: asked for by --rerun", printed["bootlace run --rerun user-data"])
        self.assertEqual(printed["bootlace validate --strict web.yaml"], "")
        with open(os.path.join(self.work, "cloud-config.schema.json"), encoding="utf-8") as schema:
            self.assertIn("runcmd", json.load(schema)["properties"])

    def test_files(self):
        """Every file that the agent leaves behind is in FILES."""
        listed = {name for line in Page("bootlace.1").section("FILES")
                  for name in re.split("[ /]", re.sub(r"^\.(It )?Pa ", "", line))
                  if line.startswith((".Pa ", ".It Pa "))}
        self.machine.add_module("always", """#!/bin/sh\necho '{"interface":1,"name":"always"}'\n""")
        self.machine.run()
        for folder in ("run/bootlace", "var/lib/bootlace", "var/log",
                       self.machine.record("i-1")):
            for name in os.listdir(self.machine.path(folder)):
                with self.subTest(f"{folder}/{name}"):
                    self.assertIn(re.sub(r"^part-.*", "part-*", name), listed)


class Verbs(AgentTest):
    """What bootlace.1 says of inspect, validate and schema."""

    SECRET = b"#cloud-config\nwrite_files: [{path: /x, content: hidden, contnt: hidden}]\n"

    def block(self, command):
        lines = Page("bootlace.1").section(command, ".Ss")
        at = lines.index("As JSON:")
        return plain(" ".join(lines[at:lines.index(".Ed", at)]))

    def test_members_of_json(self):
        for command in ("inspect", "validate"):
            outcome = self.machine.agent(command, "--format", "json", "-", given=self.SECRET)
            document = outcome.json()
            found = set(document) | {name for item in document["problems"] for name in item}
            self.assertLessEqual(found, set(re.findall(r'"(\w+)"', self.block(command))))

    @needs_root
    def test_secrets(self):
        call = ("inspect", "--format", "json", "-")
        shown = self.machine.agent(*call, given=self.SECRET)
        self.assertNotIn("hidden", shown.text)
        self.assertIn("(redacted)", shown.text)
        shown = self.machine.agent(*call, "--show-secrets", given=self.SECRET)
        self.assertEqual(shown.json()["config"]["write_files"][0]["content"], "hidden")

    def test_validate(self):
        self.assert_code(self.machine.agent("validate", "-", given=self.SECRET), 0)
        self.assert_code(self.machine.agent("validate", "--strict", "-", given=self.SECRET),
                         EXIT_INPUT)
        self.assert_code(self.machine.agent("validate", "/no/file"), EXIT_INPUT)
        template = b"## template: jinja\n#!/bin/sh\n# {{ v1.region }} {{ ds.meta_data.ami_id }}\n"
        outcome = self.machine.agent("validate", "-", given=template)
        self.assert_code(outcome, 0)
        self.assertEqual(outcome.text, "")

    def test_schema(self):
        printed = [self.machine.agent("schema", *more).text for more in ((), ("--format", "text"))]
        self.assertEqual(printed[0], printed[1])
        self.assertIn("2020-12", json.loads(printed[0])["$schema"])


def settings_known():
    """The settings in agent/config/settings.c's lists, with their dots."""
    with open(os.path.join(SOURCE, "agent/config/settings.c"), encoding="utf-8") as source:
        text = source.read()
    found = set()
    for function, prefix in (("read_own", ""), ("read_metadata", "metadata."),
                             ("read_module", "modules.NAME.")):
        body = re.search(rf"^static int {function}\(.*?^}}", text, re.DOTALL | re.MULTILINE)[0]
        known = re.search(r"known\[\] = \{(.*?)\}", body, re.DOTALL)[1]
        found |= {prefix + name for name in re.findall(r'"(\w+)"', known)}
    return found - {"metadata", "modules"}


class Config(AgentTest):
    """bootlace-config.5."""

    def setUp(self):
        super().setUp()
        self.page = Page("bootlace-config.5")
        self.machine.seed("#!/bin/sh\n")

    def settled(self):
        return self.machine.agent("plan", "-", given=b"#!/bin/sh\n").code

    def test_every_setting_and_none_more(self):
        listed = [item.split()[1] for item in items(self.page.section("SETTINGS"))]
        self.assertEqual(sorted(listed), sorted(settings_known()))

    def test_limits_of_settings(self):
        for setting, good, bad in (
                ("wait", 604800, 604801), ("wait", 0, -1), ("wait", 0.5, "1"),
                ("timeout", 0.5, 0), ("timeout", 604800, 604801),
                ("attempts", 1000, 1001), ("attempts", 0, 0.5),
                ("endpoint", "http://127.0.0.1/" + "x" * 238, "http://127.0.0.1/" + "x" * 239),
                ("endpoint_mode", "ipv6", "ipv5")):
            for value, code in ((good, 0), (bad, EXIT_INPUT)):
                with self.subTest(setting, value=value):
                    self.machine.settings(metadata={setting: value})
                    self.assertEqual(self.settled(), code)
        for own, code in ((["seed"] * 8, 0), (["seed"] * 9, EXIT_INPUT), ([], EXIT_INPUT)):
            self.machine.settings(sources=own)
            self.assertEqual(self.settled(), code)
        for length, code in ((1023, 0), (1024, EXIT_INPUT)):
            self.machine.settings(seed="/" + "x" * (length - 1))
            self.assertEqual(self.settled(), code)

    def test_words_of_settings(self):
        for setting, words in (("on_failure", ("keep", "retry")),
                               ("on_interrupt", ("keep", "rerun"))):
            for word in (*words, "other"):
                self.machine.module_settings("script", **{setting: word})
                self.assertEqual(self.settled(), 0 if word in words else EXIT_INPUT)

    def test_defaults(self):
        for item, constant in (("metadata.wait", "WAIT_DEFAULT_MS"),
                               ("metadata.timeout", "TIMEOUT_DEFAULT_MS")):
            seconds = constants()[constant].pop() // 1000
            self.assertRegex(self.page.text("SETTINGS"),
                             rf"Cm {item} (?:(?!It Cm ).)*The default is {seconds}\.")

    def test_examples(self):
        blocks = [text for _, text in self.page.blocks("EXAMPLES")]
        self.assertEqual(len(blocks), 4)
        for text in blocks[:2]:
            with self.subTest(text):
                self.machine.put("etc/bootlace/config.yaml", text)
                self.assertEqual(self.settled(), 0)
                self.machine.put("etc/bootlace/config.yaml", text.replace("sources", "source"))
                self.assertEqual(self.settled(), EXIT_INPUT)
        self.machine.put("etc/bootlace/config.yaml", "")
        self.machine.put("var/lib/bootlace/seed/meta-data", blocks[2])
        self.assert_run()
        self.assertEqual(self.machine.status()["instance_id"], "web-2026-11")
        self.assertEqual(self.machine.agent("query", "hostname", "placement/region").text,
                         "web\neu-central-1\n")

    def config_of(self, given):
        outcome = self.machine.agent("inspect", "--format", "json", "-", given=given)
        return outcome.json()["config"]

    def test_keys_are_defaults(self):
        self.machine.put("etc/bootlace/config.yaml", self.page.block("example: defaults"))
        self.assertEqual(self.config_of(b"#!/bin/sh\n"),
                         {"timezone": "Europe/Berlin", "locale": "en_GB.UTF-8"})
        self.assertEqual(self.config_of(b"#cloud-config\ntimezone: UTC\n"),
                         {"timezone": "UTC", "locale": "en_GB.UTF-8"})

    def test_how_files_are_merged(self):
        self.machine.config({"runcmd": ["first"], "unknown": {"a": 1, "b": 2}})
        self.machine.put("etc/bootlace/config.d/20.yaml",
                         "unknown: {b: 3, c: 4}\nruncmd: [later]\n")
        self.machine.put("etc/bootlace/config.d/10.yaml", "unknown: {c: 0}\n")
        self.assertEqual(self.config_of(b"#cloud-config\n{}"),
                         {"runcmd": ["later"], "unknown": {"a": 1, "b": 3, "c": 4}})

    def test_how_keys_are_merged(self):
        self.machine.config({"runcmd": ["image"], "unknown": {"a": 1, "b": 2}})
        self.assertEqual(self.config_of(b"#cloud-config\nruncmd: [user]\nunknown: {b: 3}\n"),
                         {"runcmd": ["user"], "unknown": {"a": 1, "b": 3}})
        self.assertEqual(self.config_of(b"#cloud-config\nruncmd:\n")["runcmd"], None)
        outcome = self.machine.agent("plan", "-", given=b"#!/bin/sh\n")
        self.assert_code(outcome, 0)
        self.assertIn(":1:23: unknown is no key that is known here", outcome.text)
        self.machine.config({"runcmd": 5})
        self.assertEqual(self.settled(), EXIT_INPUT)


def number(text):
    """The value of a constant expression: 16 << 20, 7 * 24 * 3600, 120 * MS_PER_S; or None."""
    value, _, shift = text.replace("MS_PER_S", "1000").partition("<<")
    factors = [factor.strip() for factor in value.split("*")]
    if not all(re.fullmatch("[1-9][0-9]*", factor) for factor in factors):
        return None
    return prod(map(int, factors)) << int(shift or 0)


def constants():
    """Constants of enums in the sources: name -> the values that it has there."""
    found = {}
    for pattern in ("agent/*/*.[ch]", "modules/*/*.c"):
        for path in glob.glob(os.path.join(SOURCE, pattern)):
            with open(path, encoding="utf-8") as source:
                text = re.sub(r"/\*.*?\*/", "", source.read(), flags=re.DOTALL)
            for name, value in re.findall(r"\b([A-Z][A-Z0-9_]+) = ([0-9A-Z_ *<]+?)\s*[,}]", text):
                found.setdefault(name, set()).add(number(value))
    return found


class Limits(unittest.TestCase):
    def test_are_those_of_the_source(self):
        known, count = constants(), 0
        for page in PAGES:
            for line in Page(page).lines:
                if line.startswith(".It Dv "):
                    name, number = re.fullmatch(r"\.It Dv ([A-Z0-9_]+) Pq (\d+)", line).groups()
                    self.assertIn(int(number), known.get(name, ()), f"{page}: {name}")
                    count += 1
        self.assertGreater(count, 30)


def archive(name, **more):
    """A tar with one file in it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        for member, value in more.items():
            setattr(entry, member, value)
        tar.addfile(entry)
    return out.getvalue()


def packed(text, times):
    for _ in range(times):
        text = gzip.compress(text)
    return text


def parts(*items):
    return b"#cloud-config-archive\n" + b"".join(b"- " + item + b"\n" for item in items)


def template(text):
    return b"## template: jinja\n#!/bin/sh\n" + text


MULTIPART = b"Content-Type: multipart/mixed"

# What provokes each message that bootlace-user-data.5 lists; "..." stands for anything there.
REFUSALS = {
    "a second <script> block; the first is in line 1": b"<script>a</script>\n<script>b</script>",
    "<script> is not closed": b"<script>a",
    "</script> closes nothing": b"<powershell>a</powershell></script>",
    "<persist> is neither true nor false": b"<script>a</script><persist>yes</persist>",
    "there is neither a <script> nor a <powershell> block": b"<persist>true</persist>",
    "the text looks like UTF-16 but ends in half a character": b"\xff\xfe#\0!",
    "the text looks like UTF-16 but has half a character pair": b"\xff\xfe#\0\x00\xd8\n\0",
    "... is larger than the limit of 16777216 bytes": b"#" * (16777216 + 1),
    "file:///...: there is no such file": b"#include\nfile:///no/such/file\n",
    "... is not what its checksum says (... bytes, sha256 ...)":
        b"#include\nfile:///etc/hostname#sha256=" + b"0" * 64,
    "operation ... of the patch: ...": b'#cloud-config-jsonp\n[{"op": "remove", "path": "/a"}]\n',
    "no module here takes text/x-unknown":
        b"MIME-Version: 1.0\nContent-Type: text/x-unknown\n\nhello\n",
    "a part handler is not supported": b"#part-handler\n",
    "the gzip data is cut off behind ... bytes": b"\x1f\x8b\x08\0\0\0\0\0",
    "the gzip data inflates to more than ... bytes": packed(b"#" * (2 << 20), 1),
    "packed into itself more than 16 times": packed(b"#!/bin/sh\n", 17),
    "the archive has neither bootlace.yaml nor user-data": archive("sub/user-data"),
    "the archive has something that is no plain file":
        archive("user-data", type=tarfile.SYMTYPE, linkname="x"),
    "a multipart MIME message without a boundary": MULTIPART + b"\n\nx\n",
    "the boundary of a MIME message never comes in it": MULTIPART + b"; boundary=M\n\nx\n",
    "unknown Content-Transfer-Encoding":
        MULTIPART + b"; boundary=M\n\n--M\nContent-Transfer-Encoding: x\n\nx\n--M--\n",
    "a cloud-config-archive is a list of parts, and this is none":
        b"#cloud-config-archive\na: b\n",
    "item 1 of the list of parts: its file is not there": parts(b"{file: x}"),
    "Launch-Index is no number": parts(b"{content: x, launch-index: x}"),
    "not valid YAML: ...": b"#cloud-config\na: [\n",
    "not valid JSON: ...": b'{"a": 1',
    "a cloud-config is a mapping of keys": b"#cloud-config\n- a\n",
    "runcmd must be a list or empty, but is a whole number": b"#cloud-config\nruncmd: 5\n",
    'the merge rule "append" is not of the form name(options)':
        b"#cloud-config\nmerge_how: append\n",
    'the variable "v1.nowhere" is not there': template(b"{{ v1.nowhere }}"),
    'the filter "map" is not known here': template(b"{{ [1] | map }}"),
    'the tag "macro" is not known here': template(b"{% macro x() %}{% endmacro %}"),
    "a template came out of a template": b"## template: jinja\n" + template(b""),
}

# What the page's list says of unknown data, and such data.
GUESSES = {
    "base64 text": b"aGVsbG8gdGhlcmUgaGVsbG8g\n",
    "YAML without its first line": b"packages: [x]\n",
    "PowerShell in cloudbase-init's form": b"#ps1\n",
    "a batch file": b"@echo off\n",
    "EC2Launch v2 tasks in YAML": b"version: 1.0\n",
    "a script whose first line has a space instead of": b"# /bin/sh\n",
    "an HTML page": b"<html><script>a</script></html>",
    "XML": b"<?xml version='1.0'?>",
    "JSON": b"[ x ]",
    "a program": b"\x7fELF\x02\x01",
    "a picture": b"\x89PNG\r\n",
}
SAID_AS = {"a program": "a Linux program", "a picture": "a PNG picture"}


def source_of(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as source:
        return source.read()


class UserData(AgentTest):
    """bootlace-user-data.5."""

    def setUp(self):
        super().setUp()
        self.page = Page("bootlace-user-data.5")

    def test_examples(self):
        blocks = self.page.blocks()
        self.assertEqual(len(blocks), 9)
        for _, text in blocks:
            # What an address holds is for nobody to ask in a test.
            commands_that_ask = () if "#include" in text else ("plan",)
            for command in (*commands_that_ask, "validate"):
                outcome = self.machine.agent(command, "-", given=text.encode())
                self.assert_code(outcome, 0)
                if "#include" not in text:
                    self.assertNotIn("warning", outcome.text)
                self.assertTrue(outcome.text.startswith("run ") or command == "validate", outcome)

    def config_of(self, given):
        outcome = self.machine.agent("inspect", "--format", "json", "-", given=given)
        self.assert_code(outcome, 0)
        return outcome.json()["config"]

    def test_merging(self):
        text = next(text for _, text in self.page.blocks() if "merge_how" in text)
        self.assertEqual(self.config_of(text.encode())["runcmd"], ["echo a", "echo b"])
        text = "".join(line for line in text.splitlines(True) if "merge_how" not in line)
        self.assertEqual(self.config_of(text.encode())["runcmd"], ["echo b"])

    def test_template(self):
        text = next(text for _, text in self.page.blocks() if text.startswith("##"))
        self.assertRegex(self.config_of(text.encode())["runcmd"][0], r"^echo \S+ in nowhere$")

    def test_templates_variables(self):
        listed = [name for item in items(self.page.section("Variables", ".Ss"))
                  for name in re.findall(r"v1\.(\w+)", item)]
        known = re.findall(r'^    \{"(\w+)", "', source_of("agent/verbs/variables.c"), re.MULTILINE)
        self.assertEqual(set(listed), set(known) | {"cloud_name"})
        self.machine.seed("## template: jinja\n#!/bin/sh\n#" + "".join(
            f" {{{{ {name} }}}}" for name in ("v1.region", "v1.cloud_name", "v1.public_ssh_keys",
                                              "ds.meta_data.placement.availability_zone",
                                              "local_hostname")),
                          **{"local-hostname": "web-1", "public-keys": ["ssh-ed25519 AAAA"],
                             "placement": {"region": "eu", "availability-zone": "eu-a"}})
        rendered = "#!/bin/sh\n# eu unknown ssh-ed25519 AAAA eu-a web-1"
        part = self.machine.agent("inspect", "--format", "json").json()["parts"][0]
        self.assertEqual(part["size"], len(rendered))

    def test_what_templates_can_call(self):
        calls = {"Filters": (r'^        \{"(\w+)", filter_', ("filters", "lists")),
                 "Tests": (r'\.name = "(\w+)", \.function = test_', ("tests",)),
                 "Methods": (r'\.name = "(\w+)", \.function = method_', ("methods",))}
        for title, (pattern, files) in calls.items():
            with self.subTest(title):
                text = "".join(source_of(f"agent/config/template_{name}.c") for name in files)
                lines = self.page.section(title, ".Ss")
                lines = lines[:lines.index(".Pp")] if ".Pp" in lines else lines
                listed = [word for line in lines for word in re.findall(r"\w+", line[4:])]
                self.assertEqual(listed, sorted(re.findall(pattern, text, re.MULTILINE)))

    def test_keys_that_are_templates(self):
        given = b"#cloud-config\nhostname: a{{ 1 }}\nfqdn: b{{ 2 }}.c\nruncmd: ['{{ 3 }}']\n"
        outcome = self.machine.agent("inspect", "--format", "json", "-", given=given)
        config = outcome.json()["config"]
        self.assertEqual(config, {"hostname": "a1", "fqdn": "b2.c", "runcmd": ["{{ 3 }}"]})

    def test_beginnings(self):
        table = re.search(r"prefixes\[\] = \{(.*?)\n\};", source_of("agent/classify/classify.c"),
                          re.DOTALL)[1]
        listed = [item[3:] for item in items(self.page.section("FORMS")) if item.startswith("Ql #")]
        self.assertEqual(sorted(listed), sorted(re.findall(r'\{"(.*?)", ', table)))

    def test_declared_types(self):
        known = set(re.findall(r'^#define TYPE_\w+ "(.*)"', source_of("agent/decode/types.h"),
                               re.MULTILINE))
        known |= set(re.findall(r'^    \{"(\S+)", TYPE_KIND', source_of("agent/decode/types.c"),
                                re.MULTILINE))
        listed = {word for item in items(self.page.section("MIME messages", ".Ss"))
                  for word in re.findall(r"\w+/[\w-]+", item)}
        self.assertLessEqual(listed, known)
        self.assertEqual([name for name in known - listed if not name.startswith("application/")],
                         [])

    def test_packing(self):
        text = gzip.compress(archive("user-data", size=0))
        self.assert_code(self.machine.agent("inspect", "-", given=text), 0)
        for level, code in ((4, 0), (5, EXIT_INPUT)):
            text = b"#!/bin/sh\n"
            for _ in range(level):
                text = base64.b64encode(text)
            self.assert_code(self.machine.agent("inspect", "-", given=text), code)
        for times, code in ((16, 0), (17, EXIT_INPUT)):
            text = packed(b"#!/bin/sh\n", times)
            self.assert_code(self.machine.agent("inspect", "-", given=text), code)

    def test_order(self):
        """The places that the page gives are those of the modules."""
        text = self.page.text("IN WHAT ORDER IT RUNS")
        for module, words in (("boothook", "boothooks, place"), ("bootcmd", "bootcmd ,"),
                              ("write-files", "write_files ,"), ("runcmd", "runcmd ,"),
                              ("write-files-deferred", "deferred files,"),
                              ("script", "scripts and blocks,"),
                              ("powershell", "scripts and blocks,"),
                              ("final-message", "final_message ,")):
            described = self.machine.agent("modules", module, "--format", "json").json()
            self.assertIn(f"{words} {described['order']}", text)

    def test_refusals(self):
        listed = [item[1:-1] for item in items(self.page.section("WHAT IS REFUSED"))
                  if item.startswith('"')]
        self.assertEqual(sorted(listed), sorted(REFUSALS))
        for message, given in REFUSALS.items():
            with self.subTest(message):
                outcome = self.machine.run("--user-data", "-", given=given)
                self.assert_code(outcome, EXIT_INPUT)
                said = ".*".join(map(re.escape, message.split("...")))
                self.assertRegex(outcome.err, said)

    def test_guesses(self):
        text = self.page.text("WHAT IS REFUSED")
        for looks_like, given in GUESSES.items():
            with self.subTest(looks_like):
                self.assertIn(looks_like.lower(), text.lower().replace(" pq ql #ps1 ,", ""))
                outcome = self.machine.agent("inspect", "-", given=given)
                self.assert_code(outcome, EXIT_INPUT)
                self.assertIn(f"it looks like {SAID_AS.get(looks_like, looks_like)}", outcome.text)

    def test_variables(self):
        listed = [name for item in items(self.page.section("HOW IT RUNS"))
                  for name in re.findall(r"[A-Z][A-Z0-9_]+", item)]
        self.machine.seed(f"#!/bin/sh\nexec env >{self.mark}\n", **{
            "hostname": "web-1", "local-ipv4": "192.0.2.1", "public-ipv4": "198.51.100.1",
            "ami-id": "ami-1", "instance-type": "t3.micro",
            "placement": {"region": "eu-central-1", "availability-zone": "eu-central-1a"}})
        self.assert_run()
        found = dict(line.split("=", 1) for line in self.marks())
        for name in listed:
            self.assertIn(name, found)
        self.assertEqual({name for name in found if re.match("(BOOTLACE_|INSTANCE_ID)", name)}
                         - {"BOOTLACE_PREFIX", "BOOTLACE_LIBDIR"}, set(listed) - {"HOME", "PATH"})


class Module(ExampleTest):
    """bootlace-module.7: its two modules, built and installed as the page says."""

    PAGE = "bootlace-module.7"
    EXAMPLES = ("greeting.c", "clockcheck")

    @needs_root
    @needs_program("cc", "pkg-config")
    def test_greeting(self):
        self.install("greeting.c")
        greeting = os.path.join(self.work, "motd")
        self.machine.config({"greeting": {"path": greeting, "word": "Hello"}})
        self.assert_run(0, "--dry-run")
        self.assertFalse(os.path.exists(greeting))
        self.assert_run()
        with open(greeting, encoding="utf-8") as text:
            self.assertEqual(text.read(), "Hello from web-1\n")
        self.assert_step("greeting", status="done", changed=True)
        self.assert_run(0, "--rerun", "greeting")
        self.assert_step("greeting", status="done", changed=False)
        self.assertEqual(self.machine.output_lines(), [f"greeting: {greeting} is new",
                                                       f"greeting: {greeting} was so already"])
        self.machine.config({"greeting": {"path": greeting}})
        self.assert_run(1, "--rerun", "greeting")
        self.assert_step("greeting", status="failed", message="wants a path and a word")

    @needs_program("cc", "pkg-config")
    def test_manifest(self):
        self.install("greeting.c")
        self.call("commands: manifest", BOOTLACE_PREFIX=self.machine.root)
        with open(os.path.join(self.place, "greeting.json"), encoding="utf-8") as manifest:
            self.assertEqual(json.load(manifest),
                             self.machine.agent("modules", "greeting", "--format", "json").json())

    @needs_program("pkg-config")
    def test_clockcheck(self):
        self.install("clockcheck")
        self.assert_run()
        self.assert_step("clockcheck", status="done", changed=False, frequency="per-boot",
                         message="the clock can be right")
        self.assertRegex(self.machine.output_lines()[0], "^clockcheck: the clock says ")
        false_clock = os.path.join(self.work, "bin")
        os.mkdir(false_clock)
        with open(os.path.join(false_clock, "date"), "w", encoding="utf-8") as date:
            date.write("#!/bin/sh\necho 1970\n")
        os.chmod(date.name, 0o755)
        self.machine.variables["PATH"] = f"{false_clock}:{environment()['PATH']}"
        self.machine.reboot()
        self.assert_run(1)
        self.assert_step("clockcheck", status="failed", exit_code=1,
                         message="the clock is years behind")

    @needs_root
    @needs_program("cc", "pkg-config")
    def test_trying_it(self):
        self.install("greeting.c")
        printed = self.call("commands: trying")
        with open(os.path.join(self.place, "try", "motd"), encoding="utf-8") as text:
            self.assertEqual(text.read(), "Hello from nowhere\n")
        for name in ("clockcheck", "greeting"):
            self.assertRegex(printed, rf"(?m)^  done +{name} ")
        self.assertEqual(sorted(os.listdir(os.path.join(self.place, "try", "root"))),
                         ["etc", "run", "var"])

    def test_schema_keywords(self):
        text = source_of("agent/config/schema_compile.c")
        lines = self.page.section("THE SCHEMA")
        lines = lines[:lines.index(".El")]
        listed = [line.split()[1] for line in lines if line.startswith(".Ql ")]
        self.assertEqual({word for word in listed if word not in ("true", "false")}
                         - {"#/$defs/NAME"},
                         set(re.findall(r'^    \{"(\S+)", read_', text, re.MULTILINE)))

    def test_members_of_a_description(self):
        """The members are those that the agent writes for a module of its own, and none more."""
        listed = [item.split()[1] for item in items(self.page.section("THE DESCRIPTION"))]
        known = set(self.machine.agent("modules", "script", "--format", "json").json())
        self.assertEqual(sorted(listed), sorted(known | {"schema", "reads"}))


if __name__ == "__main__":
    unittest.main()
