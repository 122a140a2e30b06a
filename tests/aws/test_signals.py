#!/usr/bin/python3
"""tags and signals: requests judged by botocore's models and signatures; phone_home.

BOOTLACE_BUILD names the build folder.
"""

import json
import sys
import unittest
import urllib.parse
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "agent"), str(TESTS / "servers")]
from agent import AgentTest, EXIT_INPUT  # noqa: E402  (found by the line above)
from test_load_balancer import INSTANCE, AwsModuleTest  # noqa: E402
from web import Answer, Web  # noqa: E402


class Tags(AwsModuleTest):
    module = "tags"

    def setUp(self):
        super().setUp()
        self.tags = {}
        self.judge.answer("DescribeTags", lambda given: {"Tags": [
            {"Key": key, "Value": value, "ResourceId": INSTANCE, "ResourceType": "instance"}
            for key, value in self.tags.items()]})
        self.judge.answer("CreateTags", self.create)

    def create(self, parameters):
        self.tags.update({tag["Key"]: tag["Value"] for tag in parameters["Tags"]})
        return {}

    def test_what_is_missing_is_set(self):
        self.tags = {"Name": "kept", "Role": "old"}
        called = self.ask("changed", {"tags": {"Role": "web", "Größe": "a & b <c>"}})
        self.assertEqual(self.tags, {"Name": "kept", "Role": "web", "Größe": "a & b <c>"})
        self.assertEqual(called.message, "2 of 2 tags changed")
        [call] = self.judge.calls("CreateTags")
        self.assertEqual(call.parameters["Resources"], [INSTANCE])
        [call] = self.judge.calls("DescribeTags")
        self.assertEqual(call.parameters["Filters"],
                         [{"Name": "resource-id", "Values": [INSTANCE]}])
        self.judge.assert_well()

        with self.subTest("a second time"):
            self.ask("unchanged", {"tags": {"Role": "web"}})
            self.ask("changed", {"tags": {"Role": "web", "More": ""}})
            self.assertEqual(self.judge.calls("CreateTags")[-1].parameters["Tags"],
                             [{"Key": "More", "Value": ""}])

    def test_who_may_not_ask_may_set_all_the_same(self):
        self.judge.refuse("DescribeTags", "UnauthorizedOperation", "no", status=403)
        self.ask("changed", {"tags": {"Role": "web"}})
        self.assertEqual(self.tags, {"Role": "web"})

    def test_refusals_are_explained(self):
        for code in ("UnauthorizedOperation", "InvalidInstanceID.NotFound", "TagLimitExceeded",
                     "InvalidParameterValue"):
            self.judge.refuse("CreateTags", code, "that is so", status=400)
            called = self.ask("failed", {"tags": {"Role": "web"}})
            self.assertIn(code, called.message)
            self.assertIn("that is so", called.message)

    def test_dry_run(self):
        called = self.ask("changed", {"tags": {"Role": "web"}}, dry_run=True)
        self.assertIn("would set the tag Role", called.log)
        self.assertEqual(self.operations(), ["DescribeTags"])

    def test_values_that_are_no_texts(self):
        self.assert_fails("tags.Count is no text", {"tags": {"Count": 3}}, metadata=self.metadata)


class Signals(AwsModuleTest):
    module = "signals"
    SIGNALS = [{"autoscaling": {"group": "web", "hook": "launch"}},
               {"cloudformation": {"stack": "site", "resource": "Fleet"}}]

    def status(self, *states):
        self.put("run/bootlace/status.json", json.dumps({"steps": [
            {"name": f"step-{number}", "status": state} for number, state in enumerate(states)]}))

    def said(self):
        return (self.judge.calls("CompleteLifecycleAction")[-1].parameters,
                self.judge.calls("SignalResource")[-1].parameters)

    def test_all_went_well(self):
        self.status("done", "skipped", "running", "pending")
        called = self.ask("changed", {"signals": self.SIGNALS})
        self.judge.assert_well()
        self.assertEqual(self.said(), (
            {"AutoScalingGroupName": "web", "LifecycleHookName": "launch",
             "LifecycleActionResult": "CONTINUE", "InstanceId": INSTANCE},
            {"StackName": "site", "LogicalResourceId": "Fleet", "UniqueId": INSTANCE,
             "Status": "SUCCESS"}))
        self.assertEqual({item["item"]: item["message"] for item in called.items},
                         {"autoscaling web/launch": "CONTINUE",
                          "cloudformation site/Fleet": "SUCCESS"})

    def test_a_step_failed(self):
        for state in ("failed", "cut off"):
            self.status("done", state, "running")
            called = self.ask("changed", {"signals": self.SIGNALS})
            group, stack = self.said()
            self.assertEqual((group["LifecycleActionResult"], stack["Status"]),
                             ("ABANDON", "FAILURE"))
            self.assertIn("step-1 did not go well", called.log)

    def test_refusals_are_explained_and_the_others_sent(self):
        self.judge.refuse("CompleteLifecycleAction", "ValidationError",
                          "No active Lifecycle Action found", status=400)
        called = self.ask("failed", {"signals": self.SIGNALS})
        self.assertIn("No active Lifecycle Action found", called.message)
        self.assertEqual(len(self.judge.calls("SignalResource")), 1)

    def test_dry_run(self):
        called = self.ask("changed", {"signals": self.SIGNALS}, dry_run=True)
        self.assertIn("would call CompleteLifecycleAction", called.log)
        self.assertEqual(self.operations(), [])

    def test_phone_home(self):
        self.put("etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 AAAA+/= root@web\n")
        with Web({"/here": Answer(503, times=1, then=b"ok")}) as web:
            self.ask("changed", {"phone_home": {"url": web.url("/here"), "post": "all"}})
            self.assertEqual(len(web.requests), 2)
            form = dict(urllib.parse.parse_qsl(web.requests[-1][3].decode()))
            self.assertEqual(set(form), {"pub_key_rsa", "pub_key_ecdsa", "pub_key_ed25519",
                                         "instance_id", "hostname", "fqdn"})
            self.assertEqual((form["instance_id"], form["pub_key_ed25519"], form["pub_key_rsa"]),
                             (INSTANCE, "ssh-ed25519 AAAA+/= root@web\n", "N/A"))
            self.ask("changed", {"phone_home": {"url": web.url("/here"),
                                                "post": ["instance_id"]}})
            self.assertEqual(web.requests[-1][3], f"instance_id={INSTANCE}".encode())
            called = self.ask("failed", {"phone_home": {"url": web.url("/none"), "tries": 2}})
            self.assertIn("404", called.message)


class Whole(AgentTest):
    def test_the_outcome_of_a_real_run(self):
        from aws_judge import AwsJudge
        with AwsJudge() as judge:
            self.machine.variables.update({**judge.environment(), "HOME": "/nonexistent"})
            self.machine.seed("#cloud-config\nruncmd: [exit 1]\nsignals: [{autoscaling: {group: "
                              "'{{ v1.instance_id }}', hook: h}}]\n")
            self.assert_run(1)
            judge.assert_well()
            # The agent's own summary is the machine's, which this one of paper does not have.
            [call] = judge.calls("CompleteLifecycleAction")
            self.assertEqual(call.parameters["AutoScalingGroupName"], "i-1")

    def test_values_that_are_wrong(self):
        for text in ("signals: [{}]", "signals: [{autoscaling: {group: a}}]", "tags: [a]",
                     "tags: {a: 1}", "phone_home: {}", "phone_home: {url: 'ftp://x'}",
                     "phone_home: {url: 'http://x', post: [secret]}"):
            path = self.machine.put("given", f"#cloud-config\n{text}\n")
            self.assert_code(self.machine.agent("validate", path), EXIT_INPUT)


if __name__ == "__main__":
    unittest.main()
