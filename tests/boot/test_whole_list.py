#!/usr/bin/python3
"""The whole list of a bootstrap in one user-data file, in one real boot: the system brought up to
date and restarted, software installed, a volume attached and mounted, content copied from S3, the
service started, its name registered, port 80 opened, the load balancer told. The page answers
through the firewall, and does so after another restart.

Packages come from a folder of packages, S3 is Swift, the name server is BIND, the firewall is the
machine's own nftables; EC2 and Elastic Load Balancing are botocore's models, whose load balancer
really asks for the page, and whose volume is a loop device.
"""

import shutil
import tempfile
import unittest
from pathlib import Path

from web_site import KEY, NAME, PAGE, S3_PORT, SiteTest, user_data
import aws_judge
import host
import image as images
import network
import roots

AWS_PORT = 8081
PACKAGE = "nginx-light"
KERNEL = "kernel-of-the-tests"

# Everything is kept out but what was asked for, and DHCP's answers.
WANTED = [(name, "done") for name in ("mounts", "packages", "mounts-deferred", "s3", "dns",
                                      "services", "firewall", "load-balancer")]
VOLUME = "vol-0123456789abcdef0"
VOLUME_SIZE = 64 << 20
LOOP_MAJOR = 7

RULES = """\
flush ruleset
table inet filter {
    chain input {
        type filter hook input priority 0; policy drop;
        iif lo accept
        ct state established,related accept
        udp dport 68 accept
    }
}
"""


def add_kernel(folder, version, script):
    """A package in a folder of packages."""
    with tempfile.TemporaryDirectory() as made:
        control = Path(made) / "DEBIAN"
        control.mkdir(mode=0o755)
        (control / "control").write_text(
            f"Package: {KERNEL}\nVersion: {version}\nArchitecture: all\n"
            "Maintainer: Tests <tests@example.org>\nDescription: wants a restart\n")
        (control / "postinst").write_text(f"#!/bin/sh\n{script}\n")
        (control / "postinst").chmod(0o755)
        Path(made).chmod(0o755)
        host.run(["dpkg-deb", "-Znone", "--root-owner-group", "--build", made, folder])
    return folder / f"{KERNEL}_{version}_all.deb"


class LoadBalancer:
    """A target group that finds a target healthy when the page comes from it."""

    def __init__(self, judge, machine):
        self.machine = machine
        self.targets = []
        judge.answer("RegisterTargets", self.register)
        judge.answer("DeregisterTargets", self.deregister)
        judge.answer("DescribeTargetHealth", self.describe)

    def register(self, parameters):
        self.targets += parameters["Targets"]
        return {}

    def deregister(self, parameters):
        for target in parameters["Targets"]:
            self.targets.remove(target)
        return {}

    def describe(self, parameters):
        return {"TargetHealthDescriptions": [
            {"Target": target, "TargetHealth": self.health(target)}
            for target in parameters["Targets"]]}

    def health(self, target):
        if target not in self.targets:
            return {"State": "unused", "Reason": "Target.NotRegistered"}
        try:
            if self.machine.network.fetch(f"http://{network.MACHINE_ADDRESS}/", limit=3) == PAGE:
                return {"State": "healthy"}
        except host.RigError:
            pass
        return {"State": "unhealthy", "Reason": "Target.Timeout"}


class Volume:
    """A volume of EC2's that is a loop device; attached, the machine has it as /dev/xvdf."""

    def __init__(self, judge, machine, device):
        self.machine = machine
        self.number = device.removeprefix("/dev/loop")
        self.attachment = None
        judge.answer("DescribeVolumes", self.describe)
        judge.answer("AttachVolume", self.attach)

    def describe(self, parameters):
        assert parameters == {"VolumeIds": [VOLUME]}, parameters
        return {"Volumes": [{"VolumeId": VOLUME, "State": "in-use" if self.attachment else
                             "available", "Attachments": list(filter(None, [self.attachment]))}]}

    def attach(self, parameters):
        self.attachment = {**parameters, "State": "attached"}
        self.show()
        return self.attachment

    def show(self):
        """What the hypervisor does, at each boot."""
        self.machine.run(["mknod", "/dev/xvdf", "b", LOOP_MAJOR, self.number])


class WholeList(SiteTest):
    def prepare_packages(self, one):
        """The machine has a firewall and the kernel's first version; the repository the second."""
        kept = roots.repository(images.cached_root(), [PACKAGE, "nftables"])
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory())) / "repository"
        shutil.copytree(kept, folder)
        first = add_kernel(folder, "1.0", "exit 0")
        inside = Path(one.root) / "tmp"
        for package in (first, *folder.glob("nftables_*"), *folder.glob("lib*nft*")):
            shutil.copy(package, inside)
        host.run(["chroot", one.root, "sh", "-ec", "dpkg --install /tmp/*.deb; rm /tmp/*.deb"])
        add_kernel(folder, "2.0", "touch /run/reboot-required\n"
                                  f"echo {KERNEL} >>/run/reboot-required.pkgs")
        index = host.run(["dpkg-scanpackages", "--multiversion", "."], cwd=folder).stdout
        (folder / "Packages").write_text(index)
        folder.parent.chmod(0o755)
        one.use_repository(folder)
        one.write_file("/etc/nftables.conf", "#!/usr/sbin/nft -f\n" + RULES)
        host.run(["systemctl", f"--root={one.root}", "enable", "nftables.service"])

    def loop_device(self):
        disk = self.stack.enter_context(tempfile.NamedTemporaryFile())
        disk.truncate(VOLUME_SIZE)
        device = host.run(["losetup", "--find", "--show", disk.name]).stdout.strip()
        self.stack.callback(host.run, ["losetup", "--detach", device])
        return device

    def start_aws(self, one, credentials):
        judge = self.stack.enter_context(aws_judge.AwsJudge())
        judge.credentials = credentials
        self.lead_to(one, AWS_PORT, int(judge.url.rpartition(":")[2]))
        self.set_endpoints(one, S3=S3_PORT, EC2=AWS_PORT, ELASTIC_LOAD_BALANCING_V2=AWS_PORT)
        return judge

    def test_from_nothing_to_a_page_behind_a_load_balancer(self):
        one = self.machine()
        self.prepare_packages(one)
        names = self.start_names(one)
        one.set_metadata(user_data=user_data("bootstrap.yaml", names.secrets[KEY]))
        judge = self.start_aws(one, self.start_store(one))
        balancer = LoadBalancer(judge, one)
        volume = Volume(judge, one, self.loop_device())
        one.boot()
        one.expect_reboot(limit=180)
        self.assertEqual(volume.attachment, {"VolumeId": VOLUME, "InstanceId": one.instance_id,
                                             "Device": "/dev/sdf", "State": "attached"})
        volume.show()
        self.assert_booted_well(one)
        status = self.assert_ends(one, "done", limit=180)
        self.assertEqual([(step["name"], step["status"]) for step in self.wishes(status)], WANTED)
        judge.assert_well()
        self.assertEqual(names.dig(NAME, "A"), [network.MACHINE_ADDRESS])
        self.assertEqual(balancer.targets, [{"Id": one.instance_id, "Port": 80}])
        self.assertEqual(one.network.fetch(f"http://{network.MACHINE_ADDRESS}/"), PAGE)
        self.assertEqual(one.run(["findmnt", "-no", "SOURCE,FSTYPE", "/var/www"]).stdout.split(),
                         ["/dev/xvdf", "ext4"])
        self.assertIn("2.0", one.run(["dpkg-query", "-W", KERNEL]).stdout)

        with self.subTest("the page answers after another restart"):
            one.reboot()
            volume.show()
            self.assert_booted_well(one)
            status = self.assert_ends(one, "done", limit=60)
            self.assertEqual(one.network.fetch(f"http://{network.MACHINE_ADDRESS}/"), PAGE)
            self.assertEqual(balancer.targets, [{"Id": one.instance_id, "Port": 80}])
            self.assertEqual(len(judge.calls("AttachVolume")), 1)
            judge.assert_well()

    def test_a_volume_that_never_comes(self):
        """It costs its item and a limited time; the boot, and what is left of the run, go on."""
        one = self.machine("#cloud-config\nvolumes: [{device: vol-0bad, mount: /data, wait: 2}]\n"
                           "runcmd: [echo ran >>/root/ran]\n")
        one.boot()
        status = self.assert_ends(one, "failed")
        one.wait_booted()
        self.assertTrue(one.is_active("multi-user.target"))
        self.assertEqual([(step["name"], step["status"]) for step in self.wishes(status)],
                         [("mounts", "failed"), ("mounts-deferred", "done"), ("runcmd", "done")])
        self.assertIn("/data: there is no device vol-0bad after 2 s; the disks here: ",
                      self.wishes(status)[0]["message"])
        self.assert_lines(one, "/root/ran", ["ran"])
        self.assertNotIn("/data", one.read_file("/etc/fstab"))


if __name__ == "__main__":
    unittest.main()
