#!/usr/bin/python3
"""Modules outside of the tree: the examples of bootlace-support(7), built against what is installed
by the commands that the page gives, and run by the agent.
"""

import os
import re
import shutil
import subprocess
import unittest

from agent import STANDARD_PATH, STATE, is_sanitized, needs_program, needs_root
from aws_judge import AwsJudge
from manual import ExampleTest
from web import Answer, Web

import imds_run
import imds_tree

LINKED_ALWAYS = {"libc.so.6", "libjansson.so.4", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def needed(path):
    listed = subprocess.run(["readelf", "-W", "-d", path], check=True, text=True,
                            stdout=subprocess.PIPE, env={"PATH": STANDARD_PATH}).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", listed))


@needs_program("cc", "pkg-config")
class Examples(ExampleTest):
    PAGE = "bootlace-support.7"
    EXAMPLES = ("links.c", "page.c", "parameter.c")

    def build(self, name):
        """By the page's commands; page.c, which has none of its own, by those of links.c."""
        if name == "page.c":
            command = self.page.block("commands: links.c").replace("links", "page")
            self.page.lines += ['.\\" commands: page.c', ".Bd -literal", *command.replace(
                "\\", "\\e").splitlines(), ".Ed"]
        self.folder = self.install(name)

    def file(self, name):
        return os.path.join(self.work, name)

    def read(self, name):
        with open(self.file(name), encoding="utf-8") as text:
            return text.read()

    @needs_root
    def test_links(self):
        self.build("links.c")
        self.machine.config({"links": [{"path": self.file("a"), "target": "x"},
                                       {"path": self.file("b"), "target": "y"}]})
        self.assert_run(0, "--dry-run")
        self.assertFalse(os.path.lexists(self.file("a")))
        self.assert_run()
        self.assertEqual(os.readlink(self.file("b")), "y")
        self.assert_step("links", status="done", changed=True, message="2 of 2 links changed")
        self.assert_run(0, "--rerun", "links")
        self.assert_step("links", status="done", changed=False, message="0 of 2 links changed")
        self.machine.config({"links": [{"path": self.file("a")}]})
        self.assertIn("links[0] needs the key target", self.assert_run(3).err)

    @needs_root
    def test_page(self):
        self.build("page.c")
        with Web({"/": Answer(503, times=1, then=b"<p>at last</p>")}) as web:
            self.machine.config({"page": {"url": web.url("/"), "path": self.file("page")}})
            self.assert_run()
            self.assertEqual(self.read("page"), "<p>at last</p>")
            self.machine.config({"page": {"url": web.url("/none"), "path": self.file("page")}})
            self.assert_run(1, "--rerun", "page")
            self.assert_step("page", status="failed",
                             message=f"{web.url('/none')} answers 404 Not Found")

    def answer(self, judge):
        values = {"/web/key": "geheim", "/web/empty": "x"}
        judge.answer("GetParameter", lambda given: {"Parameter": {"Value": values[given["Name"]]}})
        self.machine.config({"parameter": [
            {"name": "/web/key", "path": self.file("key"), "mode": "0640"},
            {"name": "/web/empty", "path": self.file("empty")}]})

    @needs_root
    def test_parameter(self):
        self.build("parameter.c")
        with AwsJudge() as judge:
            self.machine.variables.update(judge.environment("ssm"))
            self.answer(judge)
            judge.refuse("GetParameter", "ThrottlingException")
            self.assert_run()
            self.assertEqual(self.read("key"), "geheim")
            self.assertEqual(os.stat(self.file("key")).st_mode & 0o7777, 0o640)
            self.assert_step("parameter", status="done", changed=True)
            self.assert_run(0, "--rerun", "parameter")
            self.assert_step("parameter", status="done", changed=False)
            judge.assert_well()
            judge.refuse("GetParameter", "ParameterNotFound", "no such", times=2)
            self.assert_run(1, "--rerun", "parameter")
            self.assertIn("Systems Manager refused GetParameter",
                          self.machine.step("parameter")["message"])
            self.assertIn("ParameterNotFound: no such; there is no parameter of this name",
                          self.machine.step("parameter")["message"])

    @needs_root
    def test_parameter_by_the_instance_s_role(self):
        """Credentials and region from a metadata service; they are kept nowhere."""
        self.build("parameter.c")
        tree, work = self.file("tree-of-metadata"), self.file("service")
        os.mkdir(work)
        facts = imds_tree.make_tree(tree)
        role = f"meta-data/iam/security-credentials/{facts['role']}"
        imds_tree.put_item(tree, role, imds_tree.to_json({
            "Code": "Success", "AccessKeyId": "ASIAROLE", "SecretAccessKey": "role-secret",
            "Token": "role-token", "Expiration": "2999-01-01T00:00:00Z"}))
        shutil.rmtree(self.machine.path(f"{STATE}/seed"))
        with AwsJudge() as judge, imds_run.Service(tree, work) as service:
            judge.credentials = ("ASIAROLE", "role-secret", "role-token")
            variables = judge.environment("ssm", credentials=False)
            del variables["AWS_REGION"]
            self.machine.variables.update(
                variables, AWS_EC2_METADATA_SERVICE_ENDPOINT=service.endpoint)
            self.answer(judge)
            self.assert_run()
            judge.assert_well()
            self.assertEqual({call.region for call in judge.calls()}, {facts["region"]})
            asked = [one.path for one in service.requests()].count(f"/latest/{role}")
        self.assertEqual(self.read("key"), "geheim")
        self.assertEqual(asked, 1)
        found = subprocess.run(["grep", "-rlE", "role-secret|role-token|geheim", self.machine.root],
                               stdout=subprocess.PIPE, text=True, check=False)
        self.assertEqual(found.stdout, "")

    @needs_program("readelf")
    def test_they_link_what_they_use(self):
        if is_sanitized():
            self.skipTest("the sanitizers' libraries come on top")
        for name, more in (("links.c", set()), ("page.c", set()),
                           ("parameter.c", {"libcrypto.so.3", "libexpat.so.1"})):
            self.build(name)
            path = os.path.join(self.folder, name.replace(".c", ".so"))
            self.assertEqual(needed(path) - LINKED_ALWAYS, more)
            symbols = subprocess.run(["nm", "-D", "--defined-only", path], check=True, text=True,
                                     stdout=subprocess.PIPE).stdout.split()
            self.assertEqual(symbols[2::3], ["bootlace_module"])


if __name__ == "__main__":
    unittest.main()
