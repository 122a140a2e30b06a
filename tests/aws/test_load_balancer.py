#!/usr/bin/python3
"""load-balancer: its requests judged by botocore's models and signatures, and what is explained.

BOOTLACE_BUILD names the build folder.
"""

import sys
import time
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "agent"), str(TESTS / "servers")]
from agent import AgentTest, EXIT_INPUT  # noqa: E402  (found by the line above)
from aws_judge import AwsJudge  # noqa: E402
from module_call import ModuleTest  # noqa: E402
from test_manual import Page  # noqa: E402

GROUP = "arn:aws:elasticloadbalancing:eu-central-2:123456789012:targetgroup/web/73e2d6bc24d8a067"
INSTANCE = "i-0a1b2c3d4e5f60718"


class Balancer:
    """A target group that says of its targets what a test wants."""

    def __init__(self, judge, states):
        self.judge = judge
        self.states = list(states)
        self.targets = []
        judge.answer("DescribeTargetHealth", self.describe)
        judge.answer("RegisterTargets", self.register)
        judge.answer("DeregisterTargets", self.deregister)

    def describe(self, parameters):
        target = parameters["Targets"][0]
        if target not in self.targets:
            return self.health(target, ("unused", "Target.NotRegistered"))
        state = self.states[0] if len(self.states) == 1 else self.states.pop(0)
        return self.health(target, state)

    @staticmethod
    def health(target, state):
        name, reason = state if isinstance(state, tuple) else (state, None)
        return {"TargetHealthDescriptions": [{"Target": target, "TargetHealth": {
            "State": name, **({"Reason": reason, "Description": "so it is"} if reason else {})}}]}

    def register(self, parameters):
        self.targets += parameters["Targets"]
        return {}

    def deregister(self, parameters):
        for target in parameters["Targets"]:
            self.targets.remove(target)
        return {}


class AwsModuleTest(ModuleTest):
    metadata = {"instance-id": INSTANCE, "local-ipv4": "10.0.0.7"}

    def setUp(self):
        super().setUp()
        self.judge = AwsJudge()
        self.judge.__enter__()
        self.addCleanup(self.judge.__exit__)

    def ask(self, status, settings, **how):
        return self.assert_called(status, settings, metadata=self.metadata,
                                  variables={**self.judge.environment(), "HOME": "/nonexistent"},
                                  **how)

    def operations(self):
        return [call.operation for call in self.judge.all]


class LoadBalancer(AwsModuleTest):
    module = "load-balancer"

    def register(self, status, states=("healthy",), phase=None, dry_run=False, **item):
        self.balancer = Balancer(self.judge, states)
        if phase == "stop":
            self.balancer.targets = [{"Id": INSTANCE, "Port": 80}]
        called = self.ask(status, {"load_balancer": [{"target_group": GROUP, "port": 80, **item}]},
                          phase=phase, dry_run=dry_run)
        self.judge.assert_well()
        return called

    def test_registered_and_waited_for(self):
        called = self.register("changed", ["initial", "initial", "healthy"], wait=60)
        self.assertEqual(self.balancer.targets, [{"Id": INSTANCE, "Port": 80}])
        self.assertEqual(called.items[0]["item"], "web")
        self.assertEqual(called.items[0]["message"], "registered and healthy")
        [call] = self.judge.calls("RegisterTargets")
        self.assertEqual((call.parameters["TargetGroupArn"], call.region),
                         (GROUP, "eu-central-2"))

    def test_the_region_is_the_groups(self):
        arn = GROUP.replace("eu-central-2", "ap-south-1")
        Balancer(self.judge, ["healthy"])
        self.ask("changed", {"load_balancer": [{"target_group": arn}]})
        self.assertEqual({call.region for call in self.judge.all}, {"ap-south-1"})
        self.assertEqual(self.judge.calls("RegisterTargets")[0].parameters["Targets"],
                         [{"Id": INSTANCE}])

    def test_a_second_time_nothing_is_changed(self):
        self.register("changed")
        self.balancer.states = ["healthy"]
        called = self.ask("unchanged", {"load_balancer": [{"target_group": GROUP, "port": 80,
                                                           "wait": 5}]})
        self.assertEqual(called.items[0]["message"], "registered already and healthy")
        self.assertEqual(len(self.judge.calls("RegisterTargets")), 1)

    def test_one_that_is_draining_is_registered_again(self):
        balancer = Balancer(self.judge, ["draining", "healthy"])
        balancer.targets = [{"Id": INSTANCE, "Port": 80}]
        self.ask("changed", {"load_balancer": [{"target_group": GROUP, "port": 80}]})
        self.assertEqual(len(self.judge.calls("RegisterTargets")), 1)

    def test_by_address(self):
        self.register("changed", target="ip")
        self.assertEqual(self.balancer.targets, [{"Id": "10.0.0.7", "Port": 80}])

    def test_a_group_that_no_listener_uses_fails_at_once(self):
        began = time.monotonic()
        called = self.register("failed", [("unused", "Target.NotInUse")], wait=300)
        self.assertLess(time.monotonic() - began, 20)
        self.assertRegex(called.message, "will not become healthy: unused, Target.NotInUse: so it "
                         "is; no listener of a load balancer forwards to the group")

    def test_never_healthy(self):
        called = self.register("failed", [("unhealthy", "Target.FailedHealthChecks")], wait=2)
        self.assertRegex(called.message, "not healthy after 2 s: unhealthy, "
                         "Target.FailedHealthChecks: so it is; does the service answer")

    def test_refusals_are_explained(self):
        self.balancer = Balancer(self.judge, ["healthy"])
        for code, words in (("TargetGroupNotFound", "TargetGroupNotFound"),
                            ("AccessDenied", "AccessDenied"), ("TooManyTargets", "TooManyTargets"),
                            ("InvalidTarget", "InvalidTarget")):
            self.judge.refuse("RegisterTargets", code, "that is so", status=403)
            called = self.ask("failed", {"load_balancer": [{"target_group": GROUP, "port": 80}]})
            self.assertRegex(called.message, f"{words}.*that is so|that is so.*{words}")

    def test_throttling_passes(self):
        self.judge.refuse("RegisterTargets", "Throttling", "Rate exceeded", times=2)
        self.register("changed")
        self.assertEqual(len(self.judge.calls("RegisterTargets")), 3)

    def test_taken_out_at_shutdown(self):
        called = self.register("changed", phase="stop", deregister_on_shutdown=True)
        self.assertEqual((self.balancer.targets, called.items[0]["message"]), ([], "taken out"))
        self.register("unchanged", phase="stop")
        self.assertEqual(len(self.judge.calls("DeregisterTargets")), 1, "only where asked")

    def test_dry_run(self):
        called = self.register("changed", dry_run=True, wait=10)
        self.assertIn(f"would register {INSTANCE} with web", called.log)
        self.assertEqual(self.operations(), ["DescribeTargetHealth"])

    def test_the_others_have_their_turn(self):
        Balancer(self.judge, ["healthy"])
        called = self.ask("failed", {"load_balancer": [{"target_group": "arn:x"},
                                                       {"target_group": GROUP}]})
        self.assertEqual([item["status"] for item in called.items], ["failed", "changed"])
        self.assertIn("no ARN of a target group", called.message)


class Settings(AgentTest):
    def test_values_that_are_wrong(self):
        for item in ("{}", "{target_group: web}", f"{{target_group: '{GROUP}', port: 0}}",
                     f"{{target_group: '{GROUP}', wait: -1}}"):
            path = self.machine.put("given", f"#cloud-config\nload_balancer: [{item}]\n")
            self.assert_code(self.machine.agent("validate", path), EXIT_INPUT)

    def test_the_pages(self):
        for page in ("load-balancer", "tags", "signals"):
            for _, text in Page(f"bootlace-{page}.7").blocks("EXAMPLES"):
                path = self.machine.put("given", "#cloud-config\n" + text)
                self.assert_code(self.machine.agent("validate", "--strict", path), 0)


if __name__ == "__main__":
    unittest.main()
