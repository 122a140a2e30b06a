#!/usr/bin/python3
"""mounts: volumes that the instance attaches itself: requests judged by botocore's model of EC2 and
its signatures; what EC2 refuses is seen explained.

BOOTLACE_BUILD names the build folder.
"""

import unittest

from aws_judge import AwsJudge
from device_case import DeviceTest
from agent import AgentTest, EXIT_INPUT
from test_manual import Page

VOLUME = "vol-0123456789abcdef0"
INSTANCE = "i-0a1b2c3d4e5f60718"


class Ec2:
    """EC2 with one volume. What happens at each look at it is the test's."""

    def __init__(self, judge, state="available", attachments=(), then=(), multi=False):
        self.state, self.multi = state, multi
        self.attachments = list(attachments)
        self.then = list(then)
        self.attached = None
        judge.answer("DescribeVolumes", self.describe)
        judge.answer("AttachVolume", self.attach)

    def describe(self, parameters):
        if parameters["VolumeIds"] != [VOLUME]:
            return {"Volumes": []}
        shown = {"Volumes": [{"VolumeId": VOLUME, "State": self.state,
                              "MultiAttachEnabled": self.multi,
                              "Attachments": [dict(one) for one in self.attachments]}]}
        if self.then:
            self.then.pop(0)(self)
        return shown

    def attach(self, parameters):
        self.attached = parameters
        self.state = "in-use"
        self.attachments.append({"InstanceId": parameters["InstanceId"], "State": "attaching",
                                 "Device": parameters["Device"], "VolumeId": VOLUME})
        self.then.append(Ec2.finish)
        return self.attachments[-1]

    def finish(self):
        self.attachments[-1]["State"] = "attached"


class Attach(DeviceTest):
    module = "mounts"

    def setUp(self):
        super().setUp()
        self.judge = AwsJudge()
        self.judge.__enter__()
        self.addCleanup(self.judge.__exit__)
        self.how = {"metadata": {"instance-id": INSTANCE},
                    "variables": {**self.judge.environment(), "HOME": "/nonexistent"}}

    def settings(self, **more):
        return {"volumes": [{"attach": VOLUME, "device": "/dev/sdf", "mount": self.target,
                             "wait": 0, **more}]}

    def test_attached_then_mounted(self):
        device = self.loop()
        self.nvme("nvme1n1", device, serial=VOLUME.replace("-", ""))
        cloud = Ec2(self.judge)
        self.ask("changed", self.settings(), **self.how)
        self.judge.assert_well()
        self.assertEqual(cloud.attached, {"VolumeId": VOLUME, "InstanceId": INSTANCE,
                                          "Device": "/dev/sdf"})
        self.assertEqual(self.mounted(), ("/dev/nvme1n1", "ext4"))

        with self.subTest("a second time nothing is asked for"):
            self.ask("unchanged", self.settings(), **self.how)
            self.assertEqual(len(self.judge.calls("AttachVolume")), 1)

    def test_under_the_devices_name(self):
        device = self.loop()
        self.inside(["ln", "-s", device, "/dev/xvdf"])
        Ec2(self.judge)
        self.ask("changed", self.settings(), **self.how)
        self.assertEqual(self.mounted(), (device, "ext4"))

    def test_one_that_another_instance_gives_up(self):
        self.inside(["ln", "-s", self.loop(), "/dev/xvdf"])

        def gone(cloud):
            cloud.state, cloud.attachments = "available", []

        cloud = Ec2(self.judge, "in-use", [{"InstanceId": "i-0ther", "State": "detaching"}],
                    then=[gone])
        self.ask("changed", self.settings(), **self.how)
        self.assertEqual(cloud.attached["InstanceId"], INSTANCE)

    def test_one_that_several_may_have(self):
        self.inside(["ln", "-s", self.loop(), "/dev/xvdf"])
        cloud = Ec2(self.judge, "in-use", [{"InstanceId": "i-0ther", "State": "attached"}],
                    multi=True)
        self.ask("changed", self.settings(), **self.how)
        self.assertEqual(cloud.attached["InstanceId"], INSTANCE)

    def test_dry_run(self):
        cloud = Ec2(self.judge)
        called = self.ask("changed", self.settings(), dry_run=True, **self.how)
        self.assertIn(f"would attach {VOLUME} as /dev/sdf", called.log)
        self.assertIsNone(cloud.attached)

    def test_another_instance_has_it(self):
        cloud = Ec2(self.judge, "in-use", [{"InstanceId": "i-0ther", "State": "attached"}])
        self.refused(f"{VOLUME} is attached to i-0ther; detach it there first", self.settings(),
                     **self.how)
        self.assertIsNone(cloud.attached)

    def test_no_such_volume(self):
        self.judge.refuse("DescribeVolumes", "InvalidVolume.NotFound",
                          f"The volume '{VOLUME}' does not exist.")
        self.refused(f"InvalidVolume.NotFound.*The volume '{VOLUME}' does not exist.",
                     self.settings(), **self.how)
        self.judge.answer("DescribeVolumes", {"Volumes": []})
        self.refused(f"EC2 knows no volume {VOLUME} in this region", self.settings(), **self.how)

    def test_what_ec2_refuses_is_told(self):
        for code, words in (("UnauthorizedOperation", "You are not authorized"),
                            ("VolumeInUse", "vol is already attached"),
                            ("InvalidParameterValue", "Invalid value '/dev/sdf' for unixDevice"),
                            ("InvalidVolume.ZoneMismatch", "The volume is not in the same zone"),
                            ("AttachmentLimitExceeded", "Too many volumes")):
            with self.subTest(code):
                Ec2(self.judge)
                self.judge.refuse("AttachVolume", code, words,
                                  status=403 if code == "UnauthorizedOperation" else 400)
                self.refused(f"{code}.*{words}", self.settings(), **self.how)
        self.assertIsNone(self.mounted())

    def test_a_throttled_call_is_made_again(self):
        self.inside(["ln", "-s", self.loop(), "/dev/xvdf"])
        Ec2(self.judge)
        self.judge.refuse("DescribeVolumes", "RequestLimitExceeded", "slower", status=503, times=2)
        self.ask("changed", self.settings(), **self.how)


class Settings(AgentTest):
    def test_values_that_are_wrong(self):
        for text in ("volumes: [{attach: 'vol x'}]", "volumes: [{device: sdf, mount: data}]",
                     "volumes: [{device: sdf, mode: '9'}]", "volumes: [{device: sdf, wait: -1}]",
                     "volumes: [{device: sdf, label: -x}]", "mounts: [sdf]", "swap: {size: much}",
                     "fs_setup: [{device: sdf}]", "disk_setup: {sdf: {table_type: sun}}"):
            with self.subTest(text):
                path = self.machine.put("given", f"#cloud-config\n{text}\n")
                self.assert_code(self.machine.agent("validate", path), EXIT_INPUT)

    def test_the_page(self):
        blocks = Page("bootlace-mounts.7").blocks("EXAMPLES")
        self.assertGreater(len(blocks), 2)
        for _comment, text in blocks:
            path = self.machine.put("given", "#cloud-config\n" + text)
            self.assert_code(self.machine.agent("validate", "--strict", path), 0)


if __name__ == "__main__":
    unittest.main()
