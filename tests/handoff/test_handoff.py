#!/usr/bin/python3
"""handoff: programs given their parameters in every form; a real puppet apply and ansible-pull.

BOOTLACE_BUILD names the build folder.
"""

import hashlib
import json
import os
import unittest
from pathlib import Path

from inside import InsideTest
import host  # found by the line above
from agent import AgentTest, EXIT_INPUT, EXIT_STEP, build_folder, needs_root
from module_call import ModuleTest
from test_manual import Page  # noqa: E402
from web import Web  # noqa: E402

# Tells what it was given: its arguments, input, file and variables.
TELLER = """\
exec >{out}
for word in "$@"; do echo "arg <$word>"; done
sed 's/^/input /'
[ -z "${{BOOTLACE_PARAMETERS-}}" ] || {{ stat -c 'mode %a' "$BOOTLACE_PARAMETERS"
    sed 's/^/file /' "$BOOTLACE_PARAMETERS"; }}
env | grep -E '^(role|list|T_)' | sort | sed 's/^/env /'
pwd | sed 's/^/folder /'
exit "${{CODE:-0}}"
"""


@needs_root
class Forms(ModuleTest):
    module = "handoff"

    def setUp(self):
        super().setUp()
        self.out = os.path.join(self.work, "told")
        self.program("teller", TELLER.format(out=self.out))

    def told(self, status="changed", variables=None, dry_run=False, **item):
        called = self.assert_called(status, {"handoff": [{"program": "teller", **item}]},
                                    root="/", variables=variables, dry_run=dry_run)
        lines = Path(self.out).read_text().splitlines() if os.path.exists(self.out) else None
        return called, lines

    PARAMETERS = {"role": "web", "count": 3, "list": ["a", "b c"], "on": True, "off": False,
                  "none": None, "deep": {"x": [1, {}]}}

    def test_arguments(self):
        _, lines = self.told(args=["apply", 7], parameters=self.PARAMETERS, **{"pass": "arguments"})
        self.assertEqual(lines[:-1], ["arg <apply>", "arg <7>", "arg <--role=web>",
                                      "arg <--count=3>", "arg <--list=a>", "arg <--list=b c>",
                                      "arg <--on>", 'arg <--deep={"x":[1,{}]}>'])

    def test_environment(self):
        _, lines = self.told(parameters={"role": "web $(x)", "list": ["a"]},
                             environment={"T_MORE": 1}, **{"pass": "environment"})
        self.assertEqual(lines, ["env T_MORE=1", 'env list=["a"]', "env role=web $(x)",
                                 "folder /"])

    def test_standard_input(self):
        _, lines = self.told(parameters=self.PARAMETERS, folder="/tmp", **{"pass": "stdin"})
        text = "\n".join(line[len("input "):] for line in lines if line.startswith("input "))
        self.assertEqual(json.loads(text), self.PARAMETERS)
        self.assertEqual(lines[-1], "folder /tmp")

    def file_of(self, lines):
        return "".join(line[len("file "):] + "\n" for line in lines if line.startswith("file "))

    def test_json_file(self):
        _, lines = self.told(args=["--with", "@{file}"], parameters=self.PARAMETERS)
        self.assertEqual(json.loads(self.file_of(lines)), self.PARAMETERS)
        self.assertIn("mode 600", lines)
        self.assertRegex(lines[1], r"^arg <@/tmp/bootlace-parameters-\d+\.json>$")
        self.assertFalse(os.path.exists(lines[1][len("arg <@"):-1]), "it is gone afterwards")

    def test_yaml_file(self):
        parameters = {**self.PARAMETERS, "text": "no", "lines": "a\n- b: 'c' \"d\" ü\t\\",
                      "n: x": "012", "empty": {}, "lists": [[], [[1], {"a": {"b": []}}]]}
        _, lines = self.told(parameters=parameters, **{"pass": "yaml-file"})
        path = os.path.join(self.work, "file.yaml")
        Path(path).write_text("#cloud-config\nhandoff: []\nx:\n" + "".join(
            "  " + line + "\n" for line in self.file_of(lines).splitlines()))
        # The agent's own reader of YAML is another hand than the module's writer.
        read = host.run([f"{build_folder()}/bootlace", "inspect", "--format", "json", path],
                        env=host.environment(BOOTLACE_PREFIX=self.work,
                                             BOOTLACE_LIBDIR=f"{build_folder()}/lib/bootlace"))
        self.assertEqual(json.loads(read.stdout)["config"]["x"], parameters)

    def test_a_file_that_stays(self):
        path = os.path.join(self.work, "facts.json")
        self.told(parameters={"role": "web"}, file=path)
        self.assertEqual(json.loads(Path(path).read_text()), {"role": "web"})
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_exit_codes(self):
        called, _ = self.told("failed", variables={"CODE": "6"}, name="setup")
        self.assertEqual((called.item("setup")["exit_code"], called.result["exit_code"]), (6, 6))
        self.assertRegex(called.message, r"setup: exit code 6 after \d+\.\d s")
        called, _ = self.told(variables={"CODE": "2"}, success=[0, 2])
        self.assertEqual(called.item("teller")["exit_code"], 2)
        self.assertRegex(called.item("teller")["message"], r"exit code 2 after")

    def test_each_has_its_turn(self):
        self.program("fails", "exit 3\n")
        called = self.assert_called("failed", {"handoff": [
            {"program": "fails"}, {"program": "/no/such"}, {"program": "teller"}]}, root="/")
        self.assertEqual([item["status"] for item in called.items],
                         ["failed", "failed", "changed"])
        self.assertIn("/no/such is not installed", called.message)

    def test_a_limit(self):
        self.program("sleeps", "sleep 30\n")
        self.assert_fails("took longer than 1 s", {"handoff": [{"program": "sleeps",
                                                                "time_limit": 1}]}, root="/")

    def test_dry_run(self):
        called, lines = self.told(parameters={"role": "web"}, dry_run=True,
                                  file=f"{self.work}/never")
        self.assertIn("would run: teller", called.log)
        self.assertIsNone(lines)
        self.assertFalse(os.path.exists(f"{self.work}/never"))

    def test_secrets_are_in_no_message(self):
        called, _ = self.told("failed", variables={"CODE": "1"}, parameters={"password": "hunter2"},
                              **{"pass": "stdin"})
        self.assertNotIn("hunter2", repr(called))

    def test_fetched_with_a_checksum(self):
        body = b"#!/bin/sh\necho fetched >" + self.out.encode() + b"\n"
        path = os.path.join(self.work, "fetched")
        digest = hashlib.sha256(body).hexdigest()
        with Web({"/setup": body}) as web:
            item = {"program": path, "source": {"uri": web.url("/setup"),
                                                "checksum": f"sha256:{digest}"}}
            self.told(**item)
            self.assertEqual(Path(self.out).read_text(), "fetched\n")
            self.assertEqual(os.stat(path).st_mode & 0o7777, 0o755)
            self.told(**item)
            self.assertEqual(len(web.requests), 1, "what is there is not fetched again")
            os.remove(path)
            item["source"]["checksum"] = "sha256:" + "0" * 64
            self.assert_fails("not what its checksum says", {"handoff": [item]}, root="/")
            item["source"]["uri"] = web.url("/none")
            self.assert_fails("cannot be fetched", {"handoff": [item]}, root="/")
        self.assertFalse(os.path.exists(path))


class Real(InsideTest):
    """In a copy of a small Debian, with its own puppet and ansible."""

    module = "handoff"

    def run_inside(self, item):
        return self.call_inside({"handoff": [item]})

    def test_puppet_apply(self):
        self.copy.put("/etc/puppet/site.pp",
                      'file { "/etc/motd": content => "role ${facts[\'role\']}\\n" }\n')
        item = {"program": "puppet", "args": ["apply", "--detailed-exitcodes",
                                              "/etc/puppet/site.pp"],
                "parameters": {"role": "web in eu-central-1a"},
                "file": "/etc/facter/facts.d/role.json", "success": [0, 2]}
        called = self.run_inside(item)
        self.assertEqual(called.item("puppet")["exit_code"], 2)
        self.assertEqual(self.copy.path("/etc/motd").read_text(), "role web in eu-central-1a\n")
        self.assertEqual(self.run_inside(item).item("puppet")["exit_code"], 0)

    def test_ansible_pull(self):
        self.make_repository("/srv/play", local_yml="""\
- hosts: all
  connection: local
  gather_facts: false
  tasks:
  - copy: {content: "role {{ role }}\\n", dest: /etc/role, mode: "0644"}
""")
        called = self.run_inside({"program": "ansible-pull",
                                  "args": ["--url", "file:///srv/play", "--inventory",
                                           "localhost,", "--extra-vars", "@{file}"],
                                  "parameters": {"role": "web"}, "pass": "yaml-file"})
        self.assertEqual(called.item("ansible-pull")["exit_code"], 0)
        self.assertEqual(self.copy.path("/etc/role").read_text(), "role web\n")


class Whole(AgentTest):
    def test_parameters_from_metadata(self):
        """As the agent calls it: templates are rendered, secrets redacted, and it is done once."""
        told = os.path.join(self.work, "told")
        program = self.machine.put("opt/setup", f'#!/bin/sh\necho "$*" >>{told}\nexit 0\n', 0o755)
        self.machine.seed("#cloud-config\nhandoff:\n- program: " + program + "\n"
                          "  args: ['{{ v1.region }}']\n"
                          "  parameters: {zone: '{{ placement.availability_zone }}', list: ['{{ "
                          "instance_id }}']}\n  pass: arguments\n",
                          placement={"region": "eu-central-1",
                                     "availability-zone": "eu-central-1a"})
        self.assert_run()
        self.assert_run()
        self.assertEqual(Path(told).read_text(), "eu-central-1 --zone=eu-central-1a --list=i-1\n")
        shown = self.machine.agent("inspect", "--format", "json").json()
        self.assertEqual(shown["config"]["handoff"][0]["parameters"], "(redacted)")
        self.assert_step("handoff", status="done", exit_code=None)

    def test_a_failure_is_kept(self):
        self.machine.seed("#cloud-config\nhandoff: [{program: /bin/sh, args: [-c, exit 4]}]\n")
        self.assert_run(EXIT_STEP)
        self.assert_step("handoff", status="failed", exit_code=4)
        self.assert_run(EXIT_STEP)
        self.assertEqual(self.machine.step("handoff")["this_run"], False, "not tried again")

    def test_values_that_are_wrong(self):
        for item in ("{}", "{program: x, pass: file}", "{program: x, success: 256}",
                     "{program: x, source: {uri: 'http://a/b'}}", "{program: x, folder: tmp}",
                     "{program: x, args: [[a]]}"):
            path = self.machine.put("given", f"#cloud-config\nhandoff: [{item}]\n")
            self.assert_code(self.machine.agent("validate", path), EXIT_INPUT)

    def test_the_page(self):
        for _, text in Page("bootlace-handoff.7").blocks("EXAMPLES"):
            path = self.machine.put("given", "#cloud-config\n" + text)
            self.assert_code(self.machine.agent("validate", path), 0)


if __name__ == "__main__":
    unittest.main()
