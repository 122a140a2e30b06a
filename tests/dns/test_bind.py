#!/usr/bin/python3
"""The dns module with BIND: what it registers, as dig sees it, and what it takes out again.

BOOTLACE_BUILD names the build folder.
"""

import ipaddress
import os
import unittest

from bind import Bind
from dns_case import STATE, ServerTest, needs_servers
from name_servers import FORBIDDEN, KEYS, OPEN, nsupdate_text
from scripted_dns import ScriptedServer


def reverse(address):
    return ipaddress.ip_address(address).reverse_pointer


class BindTest(ServerTest):
    server_class = Bind


@needs_servers
class Registered(BindTest):
    def test_address(self):
        item = self.item("web.example.com", type="A", value="local-ipv4", ttl=60, reverse=True)
        called = self.assert_registered("changed", item)
        self.assertEqual(called.message, "2 of 2 records changed")
        self.assertEqual(called.item("web.example.com A")["message"],
                         "192.0.2.80, at 127.0.0.1, zone example.com")
        self.assertEqual(called.item("80.2.0.192.in-addr.arpa PTR")["status"], "changed")
        self.assertEqual(self.server.records("web.example.com", "A"),
                         [("web.example.com.", "60", "IN", "A", "192.0.2.80")])
        self.assert_dig(reverse("192.0.2.80"), "PTR", "web.example.com.")

    def test_address_of_ipv6(self):
        self.assert_registered("changed", self.item("six.example.com", type="AAAA", reverse=True))
        self.assert_dig("six.example.com", "AAAA", "2001:db8::80")
        self.assert_dig(reverse("2001:db8::80"), "PTR", "six.example.com.")

    def test_type_by_the_value(self):
        for value, kind, found in (
                ("public-ipv4", "A", "203.0.113.9"), ("ipv6", "AAAA", "2001:db8::80"),
                ("192.0.2.7", "A", "192.0.2.7"), ("2001:DB8::0:7", "AAAA", "2001:db8::7"),
                ("www.example.com", "CNAME", "www.example.com."),
                ("NS.Example.com.", "CNAME", "ns.example.com."),
                ("public-hostname", "CNAME", "ec2-203-0-113-9.compute-1.amazonaws.com.")):
            with self.subTest(value):
                name = f"{value.strip('.').replace('.', '-').replace(':', '-')}.example.com"
                self.assert_registered("changed", self.item(name, value=value))
                self.assert_dig(name, kind, found)
                self.assert_registered("unchanged", self.item(name, value=value))

    def test_second_run_sends_nothing(self):
        items = [self.item("again.example.com", reverse=True, value="192.0.2.81"),
                 self.item("again6.example.com", type="AAAA", reverse=True, value="2001:db8::81"),
                 self.item("again-alias.example.com", value="again.example.com")]
        self.assert_registered("changed", *items)
        state, serial, log = self.tree(), self.server.serial(), len(self.server.log())
        called = self.assert_registered("unchanged", *items)
        self.assertEqual(called.message, "0 of 5 records changed")
        self.assertEqual((self.tree(), self.server.serial()), (state, serial))
        self.assertNotIn("updating zone", self.server.log()[log:])

    def test_second_run_without_a_memory(self):
        item = self.item("memory.example.com")
        self.assert_registered("changed", item)
        os.remove(self.path(STATE))
        self.assert_registered("unchanged", item)
        self.assertEqual(self.state()["records"][0]["name"], "memory.example.com")

    def test_dry_run(self):
        item = self.item("dry.example.com", reverse=True, value="192.0.2.82")
        before, serial = self.tree(), self.server.serial()
        called = self.assert_registered("changed", item, dry_run=True)
        self.assertIn("would register dry.example.com 300 A 192.0.2.82 at 127.0.0.1, zone "
                      "example.com\n", called.log)
        self.assertIn("would register 82.2.0.192.in-addr.arpa 300 PTR dry.example.com", called.log)
        self.assertEqual((self.tree(), self.server.serial()), (before, serial))
        self.assert_dig("dry.example.com", "A")

    def test_replaces_all_others(self):
        self.server.nsupdate("update add many.example.com 60 A 192.0.2.1",
                             "update add many.example.com 60 A 192.0.2.2",
                             "update add many.example.com 60 AAAA 2001:db8::1")
        self.assert_registered("changed", self.item("many.example.com"))
        self.assert_dig("many.example.com", "A", "192.0.2.80")
        self.assert_dig("many.example.com", "AAAA", "2001:db8::1")

    def test_one_among_others_is_not_enough(self):
        self.server.nsupdate("update add beside.example.com 300 A 192.0.2.80",
                             "update add beside.example.com 300 A 192.0.2.2")
        self.assert_registered("changed", self.item("beside.example.com"))
        self.assert_dig("beside.example.com", "A", "192.0.2.80")

    def test_another_time_to_live(self):
        self.assert_registered("changed", self.item("ttl.example.com", ttl=60))
        self.assert_registered("changed", self.item("ttl.example.com", ttl=120))
        self.assertEqual(self.server.records("ttl.example.com", "A")[0][1], "120")
        self.assert_registered("changed", self.item("ttl.example.com", ttl=0))
        self.assert_registered("unchanged", self.item("ttl.example.com", ttl=0))

    def test_another_address_at_the_next_boot(self):
        item = self.item("moved.example.com", reverse=True)
        self.assert_registered("changed", item, metadata={"local-ipv4": "192.0.2.90"})
        called = self.assert_registered("changed", item, metadata={"local-ipv4": "192.0.2.91"})
        self.assertIn("90.2.0.192.in-addr.arpa PTR of before: moved.example.com is taken out of ",
                      called.log)
        self.assert_dig("moved.example.com", "A", "192.0.2.91")
        self.assert_dig(reverse("192.0.2.91"), "PTR", "moved.example.com.")
        self.assert_dig(reverse("192.0.2.90"), "PTR")
        self.assertEqual(len(self.state()["records"]), 2)
        self.assert_registered("unchanged", item, metadata={"local-ipv4": "192.0.2.91"})

    def test_another_kind_of_address(self):
        item = self.item("kind.example.com", value="local-ipv4")
        self.assert_registered("changed", item)
        self.assert_registered("changed", item, metadata={"local-ipv4": "2001:db8::9"})
        self.assert_dig("kind.example.com", "A")
        self.assert_dig("kind.example.com", "AAAA", "2001:db8::9")

    def test_address_that_somebody_else_has_by_now(self):
        item = self.item("left.example.com", reverse=True)
        self.assert_registered("changed", item, metadata={"local-ipv4": "192.0.2.92"})
        self.server.nsupdate("update delete 92.2.0.192.in-addr.arpa PTR",
                             "update add 92.2.0.192.in-addr.arpa 60 PTR other.example.com")
        self.assert_registered("changed", item, metadata={"local-ipv4": "192.0.2.93"})
        self.assert_dig(reverse("192.0.2.92"), "PTR", "other.example.com.")

    def test_names(self):
        for name in ("*.wild2.example.com", "a.b.c.d.e.example.com",
                     "Upper.Example.COM", "dot.example.com.", "x" * 63 + ".example.com"):
            with self.subTest(name):
                self.assert_registered("changed", self.item(name))
                self.assert_registered("unchanged", self.item(name))
                self.assert_dig(name, "A", "192.0.2.80")

    def test_top_of_the_zone(self):
        self.assert_registered("changed", self.item("example.com"))
        self.assert_dig("example.com", "A", "192.0.2.80")
        self.assert_dig("example.com", "NS", "ns.example.com.")

    def test_every_algorithm(self):
        for key, algorithm in KEYS.items():
            if key != FORBIDDEN:
                with self.subTest(algorithm):
                    name = f"{algorithm}.example.com"
                    self.assert_registered("changed", self.item(name, key=key))
                    self.assert_dig(name, "A", "192.0.2.80")

    def test_without_a_key(self):
        self.assert_registered("changed", self.item(f"web.{OPEN}", key=None))
        self.assert_dig(f"web.{OPEN}", "A", "192.0.2.80")

    def test_server_by_its_name(self):
        self.assert_registered("changed", self.item("byname.example.com",
                                                    server={"address": "localhost"}))

    def test_what_nsupdate_would_have_made(self):
        zone = self.server.zone()
        self.assert_registered("changed", self.item("oracle.example.com", ttl=77))
        ours = set(self.server.zone()) - set(zone)
        self.server.nsupdate("update delete oracle.example.com A")
        self.assertEqual(self.server.zone(), zone)
        self.server.nsupdate("update delete oracle.example.com A",
                             "update add oracle.example.com 77 A 192.0.2.80")
        self.assertEqual(set(self.server.zone()) - set(zone), ours)

    def test_the_same_record_twice(self):
        called = self.assert_refused(
            "2 of 5 records failed: twice.example.com A: an item before it, twice.example.com, has "
            "this record already, and there can be one: .*; 120.2.0.192.in-addr.arpa PTR: an item "
            "before it, twice.example.com, has",
            self.item("twice.example.com", value="192.0.2.120", reverse=True),
            self.item("twice.example.com", value="192.0.2.121"),
            self.item("other.twice.example.com", value="192.0.2.120", reverse=True))
        self.assertEqual(called.item("other.twice.example.com A")["status"], "changed")
        self.assert_dig("twice.example.com", "A", "192.0.2.120")
        self.assert_dig(reverse("192.0.2.120"), "PTR", "twice.example.com.")

    def test_both_kinds_of_address(self):
        items = [self.item("dual.example.com", reverse=True, value="192.0.2.122"),
                 self.item("dual.example.com", reverse=True, value="2001:db8::122")]
        self.assert_registered("changed", *items)
        self.assert_registered("unchanged", *items)
        self.assert_dig("dual.example.com", "A", "192.0.2.122")
        self.assert_dig("dual.example.com", "AAAA", "2001:db8::122")

    def test_name_that_moved(self):
        """To another zone: with other settings for the same name, the old place is cleared."""
        self.assert_registered("changed", self.item("sub.open.example", key=None))
        self.assert_dig("sub.open.example", "A", "192.0.2.80")
        called = self.assert_registered("changed", self.item("sub.open.example", type="AAAA",
                                                             key=None))
        self.assertIn("sub.open.example A of before: 192.0.2.80 is taken out of ", called.log)
        self.assert_dig("sub.open.example", "A")
        self.assert_dig("sub.open.example", "AAAA", "2001:db8::80")

    def test_name_that_is_wanted_no_more(self):
        self.assert_registered("changed", self.item("former.example.com"))
        called = self.assert_registered("changed", self.item("latter.example.com"))
        self.assertIn("former.example.com A was registered by this instance and is in the settings "
                      "no more; it stays", called.log)
        self.assert_dig("former.example.com", "A", "192.0.2.80")
        self.assertEqual([one["name"] for one in self.state()["records"]], ["latter.example.com"])

    def test_failure_forgets_nothing(self):
        """What is registered is known, though this time not even its value is."""
        item = self.item("kept.example.com", value="local-ipv4", reverse=True)
        self.assert_registered("changed", item, metadata={"local-ipv4": "192.0.2.123"})
        for broken in ({"local-ipv4": ""}, {"local-ipv4": "198.51.100.1"}):
            self.assert_registered("failed", item, metadata=broken)
            self.assertIn("123.2.0.192.in-addr.arpa",
                          [one["name"] for one in self.state()["records"]])
        self.assert_registered("changed", item, metadata={"local-ipv4": "192.0.2.124"})
        self.assert_dig(reverse("192.0.2.123"), "PTR")

    def test_bad_items_keep_no_good_one_from_being_registered(self):
        called = self.register(self.item("good1.example.com"), self.item("bad..example.com"),
                               self.item("absent.example.com", value="no-such-item"),
                               self.item("good2.example.com"))
        self.assertEqual(called.status, "failed")
        self.assertRegex(called.message, "^2 of 4 records failed: bad..example.com: its name is no "
                                         "domain name.*; absent.example.com: the instance has no "
                                         "metadata item no-such-item")
        self.assert_dig("good1.example.com", "A", "192.0.2.80")
        self.assert_dig("good2.example.com", "A", "192.0.2.80")


@needs_servers
class SplitHorizon(BindTest):
    """One name on two servers, each with its own address: inside, and outside."""

    def test_both(self):
        with Bind(self.server.copy) as outside:
            name = "split.example.com"
            inner = self.item(name, value="local-ipv4", deregister_on_shutdown=True)
            outer = {"name": name, "value": "public-ipv4", "server": outside.settings(),
                     "deregister_on_shutdown": True}
            self.assert_registered("changed", inner, outer)
            self.assert_registered("unchanged", inner, outer)
            self.assert_dig(name, "A", "192.0.2.80")
            self.assertEqual(outside.dig(name, "A"), ["203.0.113.9"])
            self.assert_registered("changed", {**inner, "value": "local-ipv4"},
                                   {**outer, "value": "local-ipv4"})
            self.assertEqual(outside.dig(name, "A"), ["192.0.2.80"])
            called = self.assert_stopped("changed", inner, {**outer, "value": "local-ipv4"})
            self.assertEqual(called.message, "2 of 2 records changed")
            self.assert_dig(name, "A")
            self.assertEqual(outside.dig(name, "A"), [])


@needs_servers
class Oracle(BindTest):
    """The messages beside those of nsupdate, which are sent to a server that keeps them."""

    def sections(self, scripted, *lines):
        text = nsupdate_text("127.0.0.1", scripted.port, "upd.example.com", scripted.secret,
                             "zone example.com", *lines)
        self.server.in_copy("nsupdate", "-v", input=text)
        update = scripted.updates()[-1]
        return update.questions, update.sections, update.flags

    def test_messages(self):
        with ScriptedServer("upd.example.com", self.server.secrets["upd.example.com"]) as scripted:
            for value, kind in (("192.0.2.80", "A"), ("2001:db8::80", "AAAA"),
                                ("www.example.com.", "CNAME")):
                with self.subTest(kind):
                    item = {"name": "o.example.com", "value": value, "ttl": 60,
                            "server": scripted.settings(), "deregister_on_shutdown": True}
                    self.assert_registered("changed", item)
                    ours = scripted.updates()[-1]
                    self.assertEqual((ours.questions, ours.sections, ours.flags), self.sections(
                        scripted, f"update delete o.example.com {kind}",
                        f"update add o.example.com 60 {kind} {value}"))
                    self.assert_stopped("changed", item)
                    ours = scripted.updates()[-1]
                    scripted.update = scripted.answer
                    self.assertEqual((ours.questions, ours.sections, ours.flags), self.sections(
                        scripted, f"prereq yxrrset o.example.com {kind} {value}",
                        f"update delete o.example.com {kind} {value}"))
                    scripted.update = scripted.answer_update


@needs_servers
class Refused(BindTest):
    def test_key_that_is_not_allowed(self):
        self.assert_refused("zone example.com: REFUSED: the server does not let this key",
                            self.item("no.example.com", key=FORBIDDEN))
        self.assertEqual(self.state()["records"], [])

    def test_zone_without_updates(self):
        self.assert_refused("zone static.example: REFUSED: ", self.item("no.static.example"))

    def test_without_a_key(self):
        self.assert_refused("REFUSED: the server does not let this key, or an update without one",
                            self.item("no.example.com", key=None))

    def test_another_secret(self):
        item = self.item("no.example.com")
        item["server"]["tsig"]["secret"] = self.server.secrets["long.example.com"]
        self.assert_refused("BADSIG: the signature is not that of the server's key: "
                            "server.tsig.secret is another one", item)

    def test_another_key(self):
        item = self.item("no.example.com")
        item["server"]["tsig"]["name"] = "nobody.example.com"
        self.assert_refused("BADKEY: the server does not know the key: check server.tsig.name",
                            item)

    def test_another_algorithm(self):
        item = self.item("no.example.com")
        item["server"]["tsig"]["algorithm"] = "hmac-sha512"
        self.assert_refused("BADKEY: ", item)

    def test_zone_of_another_server(self):
        self.assert_refused("zone other.example: NOTAUTH: the server is not the authority",
                            self.item("no.other.example", server={"zone": "other.example"}))

    def test_no_zone_to_be_found(self):
        self.assert_refused("knows no zone that no.other.example is in \\(it said REFUSED\\): give "
                            "the zone's own server", self.item("no.other.example"))

    def test_alias_in_the_way(self):
        self.assert_refused("alias.example.com is an alias \\(CNAME\\) of another name",
                            self.item("alias.example.com"))

    def test_alias_where_something_is(self):
        self.assert_refused("took the update, but does not have the record now: an alias",
                            self.item("www.example.com", value="web.example.org"))
        self.assert_dig("www.example.com", "A", "192.0.2.10")

    def test_reverse_alone(self):
        """The name stays registered where its address has no zone here."""
        called = self.assert_refused(
            "1 of 2 records failed: 9.113.0.203.in-addr.arpa PTR: .* knows no zone",
            self.item("half.example.com", value="public-ipv4", reverse=True))
        self.assertEqual(called.item("half.example.com A")["status"], "changed")
        self.assert_dig("half.example.com", "A", "203.0.113.9")


@needs_servers
class TakenOut(BindTest):
    def wanted(self, name, **more):
        return self.item(name, deregister_on_shutdown=True, **more)

    def test_what_was_registered(self):
        item = self.wanted("out.example.com", reverse=True, value="192.0.2.100")
        self.assert_registered("changed", item)
        called = self.assert_stopped("changed", item)
        self.assertEqual(called.message, "2 of 2 records changed")
        self.assertEqual(called.item("out.example.com A")["message"],
                         "192.0.2.100 is taken out of 127.0.0.1, zone example.com")
        self.assert_dig("out.example.com", "A")
        self.assert_dig(reverse("192.0.2.100"), "PTR")
        self.assert_stopped("unchanged", item)
        self.assert_registered("changed", item)
        self.assert_dig("out.example.com", "A", "192.0.2.100")

    def test_only_where_it_is_asked_for(self):
        stays, goes = self.item("stays.example.com"), self.wanted("goes.example.com")
        self.assert_registered("changed", stays, goes)
        self.assert_stopped("changed", stays, goes)
        self.assert_dig("stays.example.com", "A", "192.0.2.80")
        self.assert_dig("goes.example.com", "A")

    def test_dry_run(self):
        item = self.wanted("drystop.example.com")
        self.assert_registered("changed", item)
        before = self.tree()
        called = self.assert_stopped("changed", item, dry_run=True)
        self.assertIn("would take drystop.example.com A 192.0.2.80 out of 127.0.0.1, zone "
                      "example.com", called.log)
        self.assertEqual(self.tree(), before)
        self.assert_dig("drystop.example.com", "A", "192.0.2.80")

    def test_records_beside_it_stay(self):
        self.server.nsupdate("update add both.example.com 60 AAAA 2001:db8::1")
        item = self.wanted("both.example.com")
        self.assert_registered("changed", item)
        self.assert_stopped("changed", item)
        self.assert_dig("both.example.com", "AAAA", "2001:db8::1")

    def test_replaced_by_somebody_else(self):
        item = self.wanted("theirs.example.com")
        self.assert_registered("changed", item)
        self.server.nsupdate("update delete theirs.example.com A",
                             "update add theirs.example.com 60 A 192.0.2.200")
        called = self.assert_stopped("unchanged", item)
        self.assertEqual(called.item("theirs.example.com A")["message"],
                         "it is not 192.0.2.80 any more at 127.0.0.1, zone example.com, and stays "
                         "as it is")
        self.assert_dig("theirs.example.com", "A", "192.0.2.200")

    def test_removed_by_somebody_else(self):
        item = self.wanted("gone.example.com")
        self.assert_registered("changed", item)
        self.server.nsupdate("update delete gone.example.com A")
        self.assert_stopped("unchanged", item)

    def test_alias(self):
        item = self.wanted("outalias.example.com", value="www.example.com")
        self.assert_registered("changed", item)
        self.assert_stopped("changed", item)
        self.assert_dig("outalias.example.com", "CNAME")

    def test_address_of_the_last_run_counts(self):
        item = self.wanted("last.example.com")
        self.assert_registered("changed", item, metadata={"local-ipv4": "192.0.2.110"})
        self.assert_stopped("changed", item, metadata={"local-ipv4": "192.0.2.111"})
        self.assert_dig("last.example.com", "A")

    def test_image_of_another_instance(self):
        """What another instance registered is its own, though the image remembers it."""
        item = self.wanted("image.example.com")
        self.assert_registered("changed", item)
        self.assert_stopped("unchanged", item, metadata={"instance-id": "i-2"})
        self.assert_dig("image.example.com", "A", "192.0.2.80")
        self.assertEqual(len(self.state()["records"]), 1)
        other = self.wanted("image2.example.com")
        self.assert_registered("changed", other, metadata={"instance-id": "i-2"})
        self.assertEqual([one["name"] for one in self.state()["records"]], ["image2.example.com"])

    def test_key_that_is_refused_meanwhile(self):
        item = self.wanted("refused.example.com")
        self.assert_registered("changed", item)
        item["server"]["tsig"] = self.server.settings(FORBIDDEN)["tsig"]
        called = self.assert_stopped("failed", item)
        self.assertRegex(called.message, "refused.example.com A: .* REFUSED: ")
        self.assertEqual(len(self.state()["records"]), 1)

    def test_memory_is_roots_alone(self):
        self.assert_registered("changed", self.wanted("mode.example.com"))
        self.assertEqual(self.mode(STATE), 0o600)


if __name__ == "__main__":
    unittest.main()
