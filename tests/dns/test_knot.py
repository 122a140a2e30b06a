#!/usr/bin/python3
"""The dns module with Knot DNS, a second server; and one whose clock is another, by libfaketime.

BOOTLACE_BUILD names the build folder.
"""

import unittest

from dns_case import ServerTest, needs_servers
from knot import Knot
from name_servers import FORBIDDEN, KEYS


@needs_servers
class KnotTest(ServerTest):
    server_class = Knot

    def test_forward_and_reverse(self):
        items = [self.item("web.example.com", reverse=True, ttl=60, deregister_on_shutdown=True),
                 self.item("web.example.com", type="AAAA", reverse=True,
                           deregister_on_shutdown=True),
                 self.item("alias.example.com", value="web.example.com",
                           deregister_on_shutdown=True)]
        called = self.assert_registered("changed", *items)
        self.assertEqual(called.message, "5 of 5 records changed")
        self.assertEqual(self.server.records("web.example.com", "A"),
                         [("web.example.com.", "60", "IN", "A", "192.0.2.80")])
        self.assert_dig("web.example.com", "AAAA", "2001:db8::80")
        self.assert_dig("alias.example.com", "CNAME", "web.example.com.")
        self.assert_dig("80.2.0.192.in-addr.arpa", "PTR", "web.example.com.")
        self.assert_dig("0.8." + "0." * 22 + "8.b.d.0.1.0.0.2.ip6.arpa", "PTR", "web.example.com.")
        serial = self.server.serial()
        self.assert_registered("unchanged", *items)
        self.assertEqual(self.server.serial(), serial)
        self.assert_stopped("changed", *items)
        for name, kind in (("web.example.com", "A"), ("web.example.com", "AAAA"),
                           ("alias.example.com", "CNAME"), ("80.2.0.192.in-addr.arpa", "PTR")):
            self.assert_dig(name, kind)
        self.assert_stopped("unchanged", *items)

    def test_replaced_by_somebody_else(self):
        item = self.item("theirs.example.com", deregister_on_shutdown=True)
        self.assert_registered("changed", item)
        self.server.nsupdate("update delete theirs.example.com A",
                             "update add theirs.example.com 60 A 192.0.2.200")
        self.assert_stopped("unchanged", item)
        self.assert_dig("theirs.example.com", "A", "192.0.2.200")

    def test_every_algorithm(self):
        for key, algorithm in KEYS.items():
            if key != FORBIDDEN:
                with self.subTest(algorithm):
                    self.assert_registered("changed", self.item(f"{algorithm}.example.com",
                                                                key=key))
                    self.assert_dig(f"{algorithm}.example.com", "A", "192.0.2.80")

    def test_refusals(self):
        """Knot tells a key that may nothing as one that it does not know."""
        secret = self.server.secrets["long.example.com"]
        stranger = {"tsig": {"name": "nobody.example.com", "secret": secret}}
        other = {"tsig": {"name": "upd.example.com", "secret": secret}}
        for message, item in (
                ("BADKEY: ", self.item("no.example.com", key=FORBIDDEN)),
                ("BADKEY: ", self.item("no.example.com", server=stranger)),
                ("BADSIG: ", self.item("no.example.com", server=other)),
                ("NOTAUTH: ", self.item("no.other.example", server={"zone": "other.example"}))):
            with self.subTest(message, name=item["name"]):
                self.assert_refused(message, item)


@needs_servers
class Clock(ServerTest):
    server_class = Knot
    how = {"clock": "+90m"}

    def test_allowed_for(self):
        item = self.item("clock.example.com")
        called = self.assert_registered("changed", item)
        self.assertRegex(called.log, "the clock of this machine is (5399|540[0-9]) s behind that "
                                     "of 127.0.0.1 port [0-9]+: allowed for")
        self.assert_dig("clock.example.com", "A", "192.0.2.80")


@needs_servers
class ClockTooFar(ServerTest):
    server_class = Knot
    how = {"clock": "+3d"}

    def test_refused(self):
        self.assert_refused("BADTIME: the server's clock says .*: set it",
                            self.item("clock.example.com"))


if __name__ == "__main__":
    unittest.main()
