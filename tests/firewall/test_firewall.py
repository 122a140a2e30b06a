#!/usr/bin/python3
"""firewall: real firewalld, ufw and nft rules, that real packets meet.

The machine is a copy of a small Debian in a network namespace of its own, with a web server in it,
and a cable to another namespace, from which packets come. BOOTLACE_BUILD names the build folder.
"""

import os
import subprocess
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "rig"), str(TESTS / "agent")]
import host  # noqa: E402  (found by the line above)
import roots  # noqa: E402
from agent import AgentTest, EXIT_INPUT, build_folder, is_sanitized, needs_root  # noqa: E402
from module_call import ModuleTest  # noqa: E402
from test_manual import Page  # noqa: E402

PACKAGES = ["nftables", "ufw", "firewalld", "dbus", "netbase", "libjansson4", "libyaml-0-2",
            "zlib1g"]
NAME = f"bl-wall-{os.getpid()}"
MACHINE, CLIENT = f"{NAME}-m", f"{NAME}-c"
ADDRESS, ADDRESS_6 = "10.78.0.1", "fd00:78::1"
START_LIMIT = 30

CONNECT = """import socket, sys
sys.exit(socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET).connect_ex(
    (sys.argv[1], int(sys.argv[2]))) if not socket.setdefaulttimeout(0.7) else 1)"""

SERVE = """import socket, sys, select
servers = [socket.create_server(("::", int(port)), family=socket.AF_INET6, dualstack_ipv6=True)
           for port in sys.argv[1:]]
print("ready", flush=True)
while True:
    for server in select.select(servers, [], [])[0]:
        server.accept()[0].close()"""

CLOSED = """\
flush ruleset
table inet filter {
    chain input {
        type filter hook input priority 0; policy drop;
        ct state established,related accept
        meta l4proto icmpv6 accept
    }
    chain forward { type filter hook forward priority 0; policy drop; }
}
table ip more {
    chain first { type filter hook input priority -10; tcp dport 22 accept; tcp dport != 22 drop; }
}
"""


def in_machine(*argv, **how):
    return host.run(["nsenter", f"--net=/run/netns/{MACHINE}", "--", *argv], **how)


@needs_root
@unittest.skipIf(os.environ.get("BOOTLACE_BUILD") and is_sanitized(), "a sanitizer's library is "
                 "not in the machine")
class WallTest(ModuleTest):
    module = "firewall"

    @classmethod
    def setUpClass(cls):
        cls.copy = roots.Copy(PACKAGES)
        cls.copy.__enter__()
        cls.addClassCleanup(cls.copy.__exit__)
        for folder in ("/tmp", build_folder()):
            inside = cls.copy.path(folder)
            inside.mkdir(parents=True, exist_ok=True)
            host.run(["mount", "--bind", folder, inside])
        cls.network()
        cls.serve(80, 443, 8000, 8050, 9000)

    @classmethod
    def network(cls):
        for name in (MACHINE, CLIENT):
            host.run(["ip", "netns", "add", name])
            cls.addClassCleanup(host.run, ["ip", "netns", "delete", name])
            host.run(["ip", "-n", name, "link", "set", "lo", "up"])
        host.run(["ip", "-n", CLIENT, "link", "add", "eth0", "type", "veth", "peer", "name",
                  "eth0", "netns", MACHINE])
        for name, number in ((MACHINE, 1), (CLIENT, 2)):
            host.run(["ip", "-n", name, "address", "add", f"10.78.0.{number}/24", "dev", "eth0"])
            host.run(["ip", "-n", name, "address", "add", f"fd00:78::{number}/64", "nodad", "dev",
                      "eth0"])
            host.run(["ip", "-n", name, "link", "set", "eth0", "up"])

    @classmethod
    def serve(cls, *ports):
        server = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", "nsenter", f"--net=/run/netns/{MACHINE}",
             "--", sys.executable, "-c", SERVE, *map(str, ports)], stdout=subprocess.PIPE,
            start_new_session=True)
        cls.addClassCleanup(server.stdout.close)
        cls.addClassCleanup(roots.end, server)
        assert server.stdout.readline() == b"ready\n"

    def setUp(self):
        super().setUp()
        in_machine("nft", "flush", "ruleset")
        for service in ("nftables", "firewalld"):
            self.enable(service, False)
        self.kept = {name: self.copy.path(name).read_bytes() for name in
                     ("/etc/nftables.conf", "/etc/ufw/ufw.conf", "/etc/ufw/user.rules",
                      "/etc/ufw/user6.rules")}

    def tearDown(self):
        for name, content in self.kept.items():
            self.copy.path(name).write_bytes(content)
        host.run(["rm", "-rf", self.copy.path("/etc/nftables"),
                  self.copy.path("/etc/firewalld/zones")])

    def enable(self, service, enabled=True):
        folder = "sysinit" if service == "nftables" else "multi-user"
        link = self.copy.path(f"/etc/systemd/system/{folder}.target.wants/{service}.service")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        if enabled:
            link.symlink_to(f"/lib/systemd/system/{service}.service")

    def inside(self, *argv, **how):
        return in_machine("chroot", self.copy.root, *argv, **how)

    def open(self, status, *ports, **how):
        return self.assert_called(
            status, {"firewall": {"open": list(ports)}}, root="/",
            wrapper=["nsenter", f"--net=/run/netns/{MACHINE}", "--", "chroot",
                     str(self.copy.root)], **how)

    def reaches(self, port, address=ADDRESS):
        done = host.run(["nsenter", f"--net=/run/netns/{CLIENT}", "--", sys.executable, "-c",
                         CONNECT, address, port], check=False)
        return done.returncode == 0

    def reached(self, *ports):
        return [port for port in ports if self.reaches(port)]


class Nft(WallTest):
    def setUp(self):
        super().setUp()
        self.copy.put("/etc/nftables.conf", CLOSED, 0o755)
        self.inside("nft", "-f", "/etc/nftables.conf")
        self.assertEqual(self.reached(80, 443, 8050), [])

    def test_packets_pass_now_and_after_a_restart(self):
        called = self.open("changed", "80/tcp", "8000-8100/tcp")
        self.assertEqual({item["item"]: item["status"] for item in called.items},
                         {"80/tcp": "changed", "8000-8100/tcp": "changed"})
        self.assertEqual(self.reached(80, 443, 8000, 8050, 9000), [80, 8000, 8050])
        self.assertTrue(self.reaches(80, ADDRESS_6))

        with self.subTest("a second run changes nothing"):
            before = (self.inside("nft", "list", "ruleset").stdout,
                      self.copy.path("/etc/nftables/bootlace.nft").read_text(),
                      self.copy.path("/etc/nftables.conf").read_text())
            self.open("unchanged", "80/tcp", "8000-8100/tcp")
            self.assertEqual((self.inside("nft", "list", "ruleset").stdout,
                              self.copy.path("/etc/nftables/bootlace.nft").read_text(),
                              self.copy.path("/etc/nftables.conf").read_text()), before)

        with self.subTest("what is loaded at the next boot"):
            self.inside("nft", "flush", "ruleset")
            self.inside("nft", "-f", "/etc/nftables.conf")
            self.assertEqual(self.reached(80, 443, 8050), [80, 8050])
            self.open("unchanged", "80/tcp")

        with self.subTest("one more"):
            called = self.open("changed", "80/tcp", "https")
            self.assertEqual(called.message, "1 of 2 ports changed")
            self.inside("nft", "-f", "/etc/nftables.conf")
            self.assertEqual(self.reached(80, 443, 9000), [80, 443])

    def test_the_systems_file_keeps_its_mode_and_content(self):
        self.open("changed", 80)
        conf = self.copy.path("/etc/nftables.conf")
        self.assertEqual(conf.read_text(), CLOSED + 'include "/etc/nftables/bootlace.nft"\n')
        self.assertEqual(conf.stat().st_mode & 0o7777, 0o755)

    def test_dry_run(self):
        before = self.inside("nft", "list", "ruleset").stdout
        called = self.open("changed", 80, dry_run=True)
        self.assertIn("would run: nft -f -", called.log)
        self.assertEqual(self.inside("nft", "list", "ruleset").stdout, before)
        self.assertFalse(self.copy.path("/etc/nftables").exists())

    def test_ports_that_are_none(self):
        called = self.call({"firewall": {"open": ["80/tcp", "no-such-service", "0/tcp",
                                                  "90-80/tcp", "70000", "1-2-3", "80/icmp"]}},
                           root="/", wrapper=["nsenter", f"--net=/run/netns/{MACHINE}", "--",
                                              "chroot", str(self.copy.root)])
        self.assertEqual(called.status, "failed")
        self.assertEqual([item["status"] for item in called.items], ["changed"] + ["failed"] * 6)
        self.assertRegex(called.message, "6 of 7 ports failed: no-such-service: no service of that "
                         "name.*first port is behind the last.*")
        self.assertEqual(self.reached(80), [80], "the good one is open all the same")


class Ufw(WallTest):
    def setUp(self):
        super().setUp()
        conf = self.copy.path("/etc/ufw/ufw.conf")
        conf.write_text(conf.read_text().replace("ENABLED=no", "ENABLED=yes"))
        self.inside("ufw", "--force", "enable")
        self.addCleanup(self.inside, "ufw", "--force", "disable")
        self.assertEqual(self.reached(80, 8050), [])

    def test_packets_pass_now_and_after_a_restart(self):
        self.open("changed", "80/tcp", "8000-8100/tcp")
        self.assertEqual(self.reached(80, 443, 8050), [80, 8050])
        self.open("unchanged", "80/tcp", "8000-8100/tcp")
        self.inside("ufw", "reload")
        self.assertEqual(self.reached(80, 443, 8050), [80, 8050])

    def test_dry_run(self):
        called = self.open("changed", "80/tcp", dry_run=True)
        self.assertIn("would run: ufw allow 80/tcp", called.log)
        self.assertEqual(self.reached(80), [])


class Firewalld(WallTest):
    def start(self):
        """The daemon, with a system bus of the machine's own."""
        self.copy.path("/run/dbus").mkdir(parents=True, exist_ok=True)
        self.copy.path("/run/dbus/pid").unlink(missing_ok=True)
        bus = self.copy.start(["dbus-daemon", "--system", "--nofork", "--nopidfile"],
                              f"{self.work}/bus", netns=MACHINE)
        daemon = self.copy.start(["firewalld", "--nofork", "--nopid"], f"{self.work}/daemon",
                                 netns=MACHINE)
        self.addCleanup(roots.end, bus)
        self.addCleanup(roots.end, daemon)
        host.wait_until("firewalld runs", lambda: self.inside(
            "firewall-cmd", "--state", check=False).returncode == 0, limit=START_LIMIT)
        return daemon

    def test_packets_pass_now_and_after_a_restart(self):
        daemon = self.start()
        self.assertEqual(self.reached(80, 8050), [])
        self.open("changed", "80/tcp", "8000-8100/tcp")
        self.assertEqual(self.reached(80, 443, 8050), [80, 8050])
        self.open("unchanged", "80/tcp", "8000-8100/tcp")
        self.inside("firewall-cmd", "--reload")
        self.assertEqual(self.reached(80, 443, 8050), [80, 8050])
        self.inside("firewall-cmd", "--remove-port=80/tcp")
        self.assertEqual(self.open("changed", "80/tcp").message, "1 of 1 ports changed")
        self.assertEqual(self.reached(80), [80])
        roots.end(daemon)

    def test_before_its_start(self):
        self.enable("firewalld")
        self.open("changed", "80/tcp")
        self.open("unchanged", "80/tcp")
        zone = self.copy.path("/etc/firewalld/zones/public.xml").read_text()
        self.assertIn('<port port="80" protocol="tcp"/>', zone)


class NoWall(WallTest):
    def test_nothing_keeps_packets_out(self):
        called = self.open("unchanged", "80/tcp")
        self.assertEqual(called.message, "no firewall is used here: every port is open")
        self.assertEqual(self.reached(80), [80])


class Settings(AgentTest):
    def test_values_that_are_wrong(self):
        for ports in ("80/tcp", "[80/sip]", "[-1]", "[65536]", "[{port: 80}]", "['80/tcp; reboot']",
                      "['--all']"):
            path = self.machine.put("given", f"#cloud-config\nfirewall: {{open: {ports}}}\n")
            self.assert_code(self.machine.agent("validate", path), EXIT_INPUT)

    def test_the_page(self):
        path = self.machine.put("given", "#cloud-config\n"
                                + Page("bootlace-firewall.7").block("example: web"))
        done = self.machine.agent("validate", "--strict", path)
        self.assert_code(done, 0)


if __name__ == "__main__":
    unittest.main()
