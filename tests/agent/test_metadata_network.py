#!/usr/bin/python3
"""The metadata source where the network is missing, late or forbidding: in namespaces of its own.

A test has two network namespaces joined by a cable (veth): the machine, whose agent asks the
service's true addresses, and the other end with the service. Needs root and ip(8).
"""

import itertools
import os
import shutil
import subprocess
import sys
import time
import unittest

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from metadata_rig import SOON_S, TOKEN, MetadataTest, settings  # noqa: E402

ADDRESS = "169.254.169.254"
ADDRESS_IPV6 = "fd00:ec2::254"
EVIDENCE = ("sys/class/dmi/id/sys_vendor", "Amazon EC2\n")
WAKE_LIMIT_MS = 100
NUMBERS = itertools.count()


def missing():
    """What these tests lack here, or None."""
    if os.geteuid() != 0:
        return "not root: no network namespaces"
    if shutil.which("ip") is None:
        return "no ip(8), of the package iproute2"
    name = f"bootlace-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], stderr=subprocess.DEVNULL,
                      check=False).returncode != 0:
        return "network namespaces cannot be made here"
    subprocess.run(["ip", "netns", "delete", name], check=True)
    return None


LACKING = missing()


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def voluntary_switches(pid):
    """How often a process has gone to sleep so far (proc(5))."""
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines
                    if line.startswith("voluntary_ctxt_switches"))


@unittest.skipIf(LACKING, LACKING)
class NetworkTest(MetadataTest):
    def setUp(self):
        super().setUp()
        number = next(NUMBERS)
        self.netns = f"bootlace-machine-{os.getpid()}-{number}"
        self.other = f"bootlace-service-{os.getpid()}-{number}"
        for name in (self.netns, self.other):
            ip("netns", "add", name)
            self.addCleanup(ip, "netns", "delete", name)
        ip("-n", self.netns, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0",
           "netns", self.other)
        for name in (self.netns, self.other):
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", self.other, "link", "set", "eth0", "up")
        ip("-n", self.other, "address", "add", "192.0.2.1/24", "dev", "eth0")
        ip("-n", self.other, "address", "add", f"{ADDRESS}/32", "dev", "lo")
        ip("-n", self.other, "address", "add", "2001:db8::1/64", "dev", "eth0", "nodad")
        ip("-n", self.other, "address", "add", f"{ADDRESS_IPV6}/128", "dev", "lo", "nodad")

    def new_machine(self):
        """The same network, and the agent's files as on the first day."""
        own = self.netns
        MetadataTest.setUp(self)
        self.netns = own

    def serve_other(self, **options):
        """The service in the other namespace, at its true addresses' port 80."""
        own, self.netns = self.netns, self.other
        try:
            return self.serve(**{"listen": "0.0.0.0:80", **options})
        finally:
            self.netns = own

    def plug_in(self):
        """The machine's network comes up: a link, an address, a default route."""
        ip("-n", self.netns, "link", "set", "eth0", "up")
        ip("-n", self.netns, "address", "add", "192.0.2.2/24", "dev", "eth0")
        ip("-n", self.netns, "route", "add", "default", "via", "192.0.2.1")

    def plug_in_ipv6(self):
        ip("-n", self.netns, "link", "set", "eth0", "up")
        ip("-n", self.netns, "address", "add", "2001:db8::2/64", "dev", "eth0", "nodad")
        ip("-n", self.netns, "route", "add", "default", "via", "2001:db8::1")

    # ---- whether the address is asked at all ----

    def test_without_evidence_nothing_is_asked(self):
        """CVE-2024-6174: whoever answers at the link-local address is not simply believed."""
        self.plug_in()
        service = self.serve_other()
        self.assert_refused(self.run_agent(None), "no sign of EC2", within=SOON_S)
        self.assertEqual(service.requests(), [])

    def test_evidence_and_explicit_settings(self):
        self.plug_in()
        ways = {
            "evidence": lambda: self.put(*EVIDENCE),
            "list of sources": lambda: self.put("etc/bootlace/config.d/50.yaml",
                                                "bootlace: {sources: [ec2]}\n"),
            "endpoint": lambda: self.put("etc/bootlace/config.d/50.yaml", settings(
                endpoint=f"http://{ADDRESS}")),
        }
        for name, way in ways.items():
            with self.subTest(name):
                self.new_machine()
                service = self.serve_other()
                way()
                self.assert_ran(self.run_agent(None))
                service.stop()

    # ---- no way there ----

    def test_no_route(self):
        self.put(*EVIDENCE)
        outcome = self.run_agent(None, limits=settings(wait=1))
        self.assert_refused(outcome, f"no route to {ADDRESS}", "waited 1.", within=SOON_S)
        self.assertGreater(outcome.seconds, 0.9)

    def test_no_ipv6_route(self):
        self.plug_in()
        self.put(*EVIDENCE)
        outcome = self.run_agent(None, limits=settings(wait=1, endpoint_mode="ipv6"))
        self.assert_refused(outcome, f"no route to {ADDRESS_IPV6}", within=SOON_S)

    def test_unreachable_route(self):
        self.plug_in()
        for kind in ("unreachable", "blackhole"):
            with self.subTest(kind):
                ip("-n", self.netns, "route", "add", kind, ADDRESS)
                self.put(*EVIDENCE)
                outcome = self.run_agent(None, limits=settings(wait=1))
                self.assert_refused(outcome, f"no route to {ADDRESS}", within=SOON_S)
                ip("-n", self.netns, "route", "delete", kind, ADDRESS)

    def test_prohibited_route(self):
        self.plug_in()
        service = self.serve_other()
        ip("-n", self.netns, "route", "add", "prohibit", ADDRESS)
        self.put(*EVIDENCE)
        outcome = self.run_agent(None, limits=settings(wait=1))
        self.assert_refused(outcome, f"prohibits traffic to {ADDRESS}",
                            "systemd.imds.network=locked", within=SOON_S)
        self.assertEqual(service.requests(), [])

    def test_prohibited_ipv6_route(self):
        self.plug_in_ipv6()
        ip("-n", self.netns, "route", "add", "prohibit", ADDRESS_IPV6)
        self.put(*EVIDENCE)
        outcome = self.run_agent(None, limits=settings(wait=1, endpoint_mode="ipv6"))
        self.assert_refused(outcome, f"prohibits traffic to {ADDRESS_IPV6}", within=SOON_S)

    def test_route_to_nobody(self):
        """A route, but nobody at its end: no answer to a connection's beginning."""
        ip("-n", self.netns, "link", "set", "eth0", "up")
        ip("-n", self.netns, "address", "add", "169.254.1.1/16", "dev", "eth0")
        ip("-n", self.other, "address", "delete", f"{ADDRESS}/32", "dev", "lo")
        self.put(*EVIDENCE)
        outcome = self.run_agent(None, limits=settings(wait=2))
        self.assert_refused(outcome, f"no answer from {ADDRESS}, not even to a connection",
                            within=SOON_S)

    # ---- a way that appears ----

    def wake(self, plug_in, service, **limits):
        """Plugs the network in while the agent waits for it; the outcome."""
        self.put(*EVIDENCE)
        self.put("etc/bootlace/config.yaml", settings(wait=20, **limits))
        began = time.monotonic()
        process = self.start("run")
        time.sleep(0.5)
        asleep = voluntary_switches(process.pid)
        time.sleep(1)
        # It waits for the kernel's word, and does not wake up to look.
        self.assertLessEqual(voluntary_switches(process.pid) - asleep, 1)
        plug_in()
        plugged_ms = time.monotonic() * 1000
        outcome = self.finish(process, began)
        self.assert_ran(outcome)
        first = service.requests()[0]
        self.assertEqual(first.path, TOKEN)
        self.assertLess(first.ms - plugged_ms, WAKE_LIMIT_MS)
        self.assertEqual(len(service.requests()), 5)

    def test_route_that_appears(self):
        self.wake(self.plug_in, self.serve_other())

    def test_ipv6_route_that_appears(self):
        self.wake(self.plug_in_ipv6, self.serve_other(listen="[::]:80", ipv6=True),
                  endpoint_mode="ipv6")

    def test_prohibited_route_that_goes_away(self):
        self.plug_in()
        ip("-n", self.netns, "route", "add", "prohibit", ADDRESS)
        self.wake(lambda: ip("-n", self.netns, "route", "delete", "prohibit", ADDRESS),
                  self.serve_other())

    def test_ipv6_mode_from_the_environment(self):
        self.plug_in_ipv6()
        self.serve_other(listen="[::]:80", ipv6=True)
        self.put(*EVIDENCE)
        self.assert_ran(self.run_agent(None, environment={
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}))


if __name__ == "__main__":
    unittest.main()
