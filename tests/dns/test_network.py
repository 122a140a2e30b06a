#!/usr/bin/python3
"""The dns module in a network of its own: zones and servers found by SOA records, addresses taken
from interfaces, and the examples of its manual page.

BOOTLACE_BUILD names the build folder. The network is a namespace with a name server, 192.0.2.53,
which is its resolver as well, and an interface eth7 with addresses of every kind.
"""

import os
import secrets
import unittest

import host
import roots
from agent import EXIT_INPUT, Machine
from bind import Bind
from dns_case import METADATA, DnsTest, needs_servers
from name_servers import PACKAGES
from manual import Page

SERVER, PORT = "192.0.2.53", 53
ADDRESSES = (["169.254.7.7/16"], ["198.51.100.7/24"], ["198.51.100.8/24"], ["fe80::7/64", "nodad"],
             ["2001:db8:7::d/64", "nodad", "preferred_lft", "0"], ["2001:db8:7::7/64", "nodad"])
PAGE_KEY, PAGE_SECRET = "upd.example.com", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="

# Nothing of the machine's own is changed: what it would look up or remember is the test's.
INSIDE = ("mount --bind {work}/lib /var/lib && mount --bind {work}/resolv.conf /etc/resolv.conf && "
          "exec \"$@\"")


class Namespace:
    """A network namespace, as long as the block."""

    def __enter__(self):
        self.name = f"bootlace-dns-{secrets.token_hex(3)}"
        host.run(["ip", "netns", "add", self.name])
        try:
            for words in (["link", "set", "lo", "up"],
                          ["address", "add", f"{SERVER}/32", "dev", "lo"],
                          ["link", "add", "eth7", "type", "veth", "peer", "name", "eth8"],
                          ["link", "set", "eth7", "up"], ["link", "set", "eth8", "up"],
                          *(["address", "add", *words, "dev", "eth7"] for words in ADDRESSES),
                          ["route", "add", "default", "dev", "eth7", "src", "198.51.100.7"],
                          ["-6", "route", "add", "default", "dev", "eth7"]):
                self.ip(*words)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        host.run(["ip", "netns", "delete", self.name])

    def ip(self, *words):
        host.run(["ip", "-netns", self.name, *words])


@needs_servers
class NetworkTest(DnsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = cls.enterClassContext(Namespace())
        copy = cls.enterClassContext(roots.Copy(PACKAGES))
        cls.server = cls.enterClassContext(
            Bind(copy, address=SERVER, port=PORT, netns=cls.network.name, recursion=True,
                 keys={PAGE_KEY: PAGE_SECRET}))

    def setUp(self):
        super().setUp()
        os.mkdir(os.path.join(self.work, "lib"))
        self.resolvers(SERVER)

    def resolvers(self, *addresses):
        text = "".join(f"nameserver {address}\n" for address in addresses)
        with open(os.path.join(self.work, "resolv.conf"), "w", encoding="utf-8") as out:
            out.write(text)
        self.put("etc/resolv.conf", text)

    def wrapper(self):
        return ["nsenter", f"--net=/run/netns/{self.network.name}", "--", "unshare", "--mount",
                "sh", "-c", INSIDE.format(work=self.work), "sh"]

    def call(self, settings=None, **how):
        return super().call(settings, wrapper=self.wrapper(), **how)

    def assert_dig(self, name, kind, *expected):
        self.assertEqual(sorted(self.server.dig(name, kind)), sorted(expected))


class Found(NetworkTest):
    """Zone and server, where settings have one of them or none."""

    def tsig(self, **more):
        return {"tsig": self.server.settings()["tsig"], **more}

    def test_zone_and_server(self):
        item = {"name": "a.found.example.com", "reverse": True, "server": self.tsig()}
        called = self.assert_registered("changed", item)
        self.assertEqual(called.item("a.found.example.com A")["message"],
                         "192.0.2.80, at ns.example.com, zone example.com")
        self.assert_dig("a.found.example.com", "A", "192.0.2.80")
        self.assert_dig("80.2.0.192.in-addr.arpa", "PTR", "a.found.example.com.")
        self.assert_registered("unchanged", item)

    def test_server_of_a_zone(self):
        self.assert_registered("changed", {"name": "b.found.example.com",
                                           "server": self.tsig(zone="example.com")})
        self.assert_dig("b.found.example.com", "A", "192.0.2.80")

    def test_zone_of_a_server(self):
        self.assert_registered("changed", {"name": "c.found.example.com",
                                           "server": self.tsig(address=SERVER)})
        self.assert_dig("c.found.example.com", "A", "192.0.2.80")

    def test_server_by_its_name(self):
        self.assert_registered("changed", {"name": "d.found.example.com",
                                           "server": self.tsig(address="ns.example.com")})
        self.assert_dig("d.found.example.com", "A", "192.0.2.80")

    def test_nothing_at_all(self):
        self.assert_registered("changed", {"name": "e.open.example"})
        self.assert_dig("e.open.example", "A", "192.0.2.80")

    def test_taken_out_without_looking_again(self):
        item = {"name": "f.found.example.com", "deregister_on_shutdown": True,
                "server": self.tsig()}
        self.assert_registered("changed", item)
        log = len(self.server.log())
        self.assert_stopped("changed", item)
        self.assertNotIn(" IN SOA ", self.server.log()[log:])
        self.assert_dig("f.found.example.com", "A")

    def test_second_resolver(self):
        self.resolvers("192.0.2.99", SERVER)  # the first one refuses connections: it is nobody's
        self.network.ip("route", "add", "unreachable", "192.0.2.99/32")
        self.addCleanup(self.network.ip, "route", "delete", "unreachable", "192.0.2.99/32")
        self.assert_registered("changed", {"name": "g.open.example"})

    def test_no_zone(self):
        self.assert_refused("the resolver of /etc/resolv.conf knows no zone that web.nowhere.test "
                            "is in: give server.address and server.zone",
                            {"name": "web.nowhere.test"})

    def test_no_resolver(self):
        self.resolvers()  # so it is 127.0.0.1, where nobody listens
        self.assert_refused("the resolver of /etc/resolv.conf: nothing listens there for TCP",
                            {"name": "web.open.example"})

    def test_no_resolver_for_the_name_of_a_server(self):
        self.resolvers()
        self.assert_refused("the name server ns.example.com has no address: Temporary failure",
                            {"name": "web.open.example", "server": {"address": "ns.example.com"}})


class Interfaces(NetworkTest):
    def assert_value(self, value, kind, expected, **more):
        item = {"name": f"{secrets.token_hex(4)}.open.example", "value": value, **more}
        self.assert_registered("changed", item)
        self.assert_dig(item["name"], kind, expected)

    def test_addresses(self):
        self.assert_value("interface:eth7", "A", "198.51.100.7")
        self.assert_value("interface:eth7", "A", "198.51.100.7", type="A")
        self.assert_value("interface:eth7", "AAAA", "2001:db8:7::7", type="AAAA")

    def test_way_out(self):
        self.assert_value("interface:default", "A", "198.51.100.7")
        self.assert_value("interface:default", "AAAA", "2001:db8:7::7", type="AAAA")

    def test_address_that_comes_late(self):
        self.network.ip("link", "add", "eth5", "type", "veth", "peer", "name", "eth6")
        self.addCleanup(self.network.ip, "link", "delete", "eth5")
        late = "sleep 2; ip address add 2001:db8:5::5/64 dev eth5 nodad; ip link set eth5 up"
        self.put("late", late)
        wrapper = [*self.wrapper(), "sh", "-c", f"(sh {self.path('late')}) & exec \"$@\"", "sh"]
        called = DnsTest.call(self, {"dns": [{"name": "late.open.example",
                                              "value": "interface:eth5"}]}, wrapper=wrapper)
        self.assertEqual(called.status, "changed", called)
        self.assert_dig("late.open.example", "AAAA", "2001:db8:5::5")

    def test_none(self):
        self.assert_refused("the interface eth4 has no global address for A, and got none in 10 s",
                            {"name": "none.open.example", "type": "A", "value": "interface:eth4"})


class Manual(NetworkTest):
    """The examples of bootlace-dns(7), as they are printed."""

    def run_agent(self, example, *options, **items):
        machine = Machine(os.path.join(self.work, "machine"))
        machine.seed("#cloud-config\n" + Page("bootlace-dns.7").block(f"example: {example}"),
                     instance_id="i-0123456789abcdef0", **METADATA, **items)
        return machine, machine.run(*options, wrapper=self.wrapper())

    def test_server(self):
        machine, outcome = self.run_agent("server")
        self.assertEqual(outcome.code, 0, outcome)
        self.assertEqual(machine.step("dns")["status"], "done")
        self.assertEqual(self.server.records("web.example.com", "A"),
                         [("web.example.com.", "60", "IN", "A", "192.0.2.80")])
        self.assert_dig("80.2.0.192.in-addr.arpa", "PTR", "web.example.com.")
        for name in ("var/log/bootlace.log", "var/log/bootlace-output.log"):
            self.assertNotIn(PAGE_SECRET, machine.text(name))
        machine.reboot()
        self.assertEqual(machine.run(wrapper=self.wrapper()).code, 0)
        self.assertEqual(machine.step("dns")["message"], "0 of 2 records changed")

    def test_template_and_shutdown(self):
        machine, outcome = self.run_agent("template")
        self.assertEqual(outcome.code, 0, outcome)
        self.assert_dig("i-0123456789abcdef0.example.com", "A", "198.51.100.7")
        self.assert_dig("db.example.com", "CNAME", "i-0123456789abcdef0.example.com.")
        outcome = machine.run("--shutdown", wrapper=self.wrapper())
        self.assertEqual(outcome.code, 0, outcome)
        self.assert_dig("i-0123456789abcdef0.example.com", "A")
        self.assert_dig("db.example.com", "CNAME", "i-0123456789abcdef0.example.com.")

    def test_validated(self):
        machine = Machine(os.path.join(self.work, "machine"))
        for comment, text in Page("bootlace-dns.7").blocks("EXAMPLES"):
            if comment.startswith("example: "):
                path = machine.put("user-data", "#cloud-config\n" + text)
                outcome = machine.agent("validate", "--strict", path)
                self.assertEqual(outcome.code, 0, outcome)

    def test_what_is_wrong_is_found_before(self):
        machine = Machine(os.path.join(self.work, "machine"))
        for item, words in (
                ("{name: a.b, server: {}, route53: {}}", "dns[0].route53 must not be there"),
                ("{name: a.b, server: {tsig: {name: k, secret: 'hidden!'}}}",
                 "dns[0].server.tsig.secret does not have the form"),
                ("{name: a.b, server: {tsig: {name: k}}}", "secret"),
                ("{name: a.b, type: MX}", "dns[0].type must be one of: A, AAAA, CNAME"),
                ("{name: a.b, ttl: -1}", "dns[0].ttl must be at least 0"),
                ("{name: a.b, server: {port: 70000}}", "dns[0].server.port must be at most 65535"),
                ("{name: a.b, route53: {zone_id: x/y}}", "dns[0].route53.zone_id"),
                ("{value: 192.0.2.1}", "name"), ("a.b", "dns[0]")):
            with self.subTest(item):
                path = machine.put("user-data", f"#cloud-config\ndns: [{item}]\n")
                outcome = machine.agent("validate", path)
                self.assertEqual(outcome.code, EXIT_INPUT, outcome)
                self.assertIn(words, outcome.text + outcome.err)
                self.assertNotIn("hidden!", outcome.text + outcome.err)


if __name__ == "__main__":
    unittest.main()
