#!/usr/bin/python3
"""The dns module with a server that does as it is told: every refusal, signatures that are wrong,
clocks that differ, answers that are none, and silence.

BOOTLACE_BUILD names the build folder.
"""

import re
import socket
import struct
import time
import unittest

import scripted_dns as dns
from dns_case import DnsTest

KEY, SECRET = "upd.example.com", "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiB0aGUgZG5zIG1vZHVsZQ=="
ADDRESS = socket.inet_aton("192.0.2.80")
NAME = "web.example.com."


class ScriptedTest(DnsTest):
    def setUp(self):
        super().setUp()
        self.server = self.enterContext(dns.ScriptedServer(KEY, SECRET))

    def item(self, **more):
        return {"name": NAME, "value": "local-ipv4", "ttl": 60, "server": self.server.settings(),
                **more}

    def answers(self, *args, **how):
        """Updates are answered so."""
        self.server.update = lambda message: self.server.answer(message, *args, **how)

    def record(self, data=ADDRESS, kind=dns.A, ttl=60):
        return dns.Record(NAME, kind, dns.IN, ttl, data)


class Messages(ScriptedTest):
    def test_update_replaces_in_one_message(self):
        self.assert_registered("changed", self.item())
        update, = self.server.updates()
        self.assertEqual(update.questions, [dns.Record("example.com.", dns.SOA, dns.IN, 0, b"")])
        self.assertEqual(update.sections, [[], [
            dns.Record(NAME, dns.A, dns.ANY_CLASS, 0, b""),
            dns.Record(NAME, dns.A, dns.IN, 60, ADDRESS)], []])
        self.assertEqual(update.flags, dns.UPDATE << 11)
        signature = update.signature
        self.assertEqual((signature.key, signature.algorithm, signature.fudge),
                         (KEY + ".", "hmac-sha256.", 300))
        self.assertLess(abs(signature.time - time.time()), 60)
        self.assertEqual(signature.id, update.id)
        self.assertEqual(dns.make_mac(update.unsigned(), SECRET, signature), signature.mac)

    def test_no_update_where_it_is_so(self):
        self.server.records = [self.record()]
        self.assert_registered("unchanged", self.item())
        self.assertEqual(self.server.updates(), [])
        self.assertEqual(len(self.server.messages), 1)

    def test_withdrawal_has_its_condition(self):
        item = self.item(deregister_on_shutdown=True)
        self.assert_registered("changed", item)
        self.assert_stopped("changed", item)
        self.assertEqual(self.server.updates()[-1].sections, [
            [dns.Record(NAME, dns.A, dns.IN, 0, ADDRESS)],
            [dns.Record(NAME, dns.A, dns.NONE_CLASS, 0, ADDRESS)], []])
        self.assertEqual(self.server.records, [])

    def test_questions_are_signed(self):
        self.assert_registered("changed", self.item())
        self.assertEqual([bool(message.signature) for message in self.server.messages],
                         [True, True, True])
        self.assertEqual(len({message.id for message in self.server.messages}), 3)


class Refusals(ScriptedTest):
    CODES = {
        dns.FORMERR: "FORMERR: the server cannot read the message",
        dns.NXDOMAIN: "NXDOMAIN: the server has no such name",
        dns.NOTIMP: "NOTIMP: the server takes no updates: give that of the zone's primary",
        dns.REFUSED: "REFUSED: the server does not let this key",
        dns.YXDOMAIN: "YXDOMAIN: a name is there that must not be",
        dns.YXRRSET: "YXRRSET: a record is there that must not be",
        dns.NXRRSET: "NXRRSET: the record is not as it must be",
        dns.NOTAUTH: "NOTAUTH: the server is not the authority of the zone",
        dns.NOTZONE: "NOTZONE: the name is not within the zone: check server.zone",
        13: "RCODE 13: a refusal that is not known here"}

    def test_every_code(self):
        for code, words in self.CODES.items():
            with self.subTest(words):
                self.answers(code)
                called = self.assert_refused(f"port {self.server.port}, zone example.com: {words}",
                                             self.item())
                self.assertNotIn("records", called.log)

    def test_failure_of_the_server(self):
        """It is asked again, and what it says at last counts."""
        self.answers(dns.SERVFAIL)
        self.assert_refused("SERVFAIL: the server failed at it, and its log says why", self.item())
        self.assertEqual(len(self.server.updates()), 3)

    def test_failure_that_passes(self):
        def update(message):
            if len(self.server.updates()) < 3:
                return self.server.answer(message, dns.SERVFAIL)
            return self.server.answer_update(message)

        self.server.update = update
        self.assert_registered("changed", self.item())
        self.assertEqual(len(self.server.updates()), 3)

    def test_signature_refused(self):
        for error, mac, words in (
                (dns.BADSIG, b"", "BADSIG: the signature is not that of the server's key"),
                (dns.BADKEY, b"", "BADKEY: the server does not know the key"),
                (dns.BADTRUNC, None, "BADTRUNC: the server wants a longer signature"),
                (99, None, "RCODE 99: ")):
            with self.subTest(words):
                self.answers(dns.NOTAUTH, error=error, mac=mac)
                self.assert_refused(words, self.item())

    def test_refusals_may_be_unsigned(self):
        self.server.update = lambda message: struct.pack(
            "!6H", message.id, dns.QR | dns.UPDATE << 11 | dns.REFUSED, 0, 0, 0, 0)
        self.assert_refused("REFUSED: ", self.item())

    def test_questions_refused(self):
        """A server that answers no questions takes updates all the same, and is believed."""
        self.server.query = lambda message: self.server.answer(message, dns.REFUSED)
        self.assert_registered("changed", self.item())
        self.assertEqual(len(self.server.updates()), 1)

    def test_refusal_is_forgotten(self):
        self.answers(dns.REFUSED)
        self.assert_refused("REFUSED", self.item())
        self.assertEqual(self.state()["records"], [])

    def test_unknown_end_is_remembered(self):
        """The update may have been done: what may be there must be found at shutdown."""
        item = self.item(deregister_on_shutdown=True)

        def update(message):
            self.server.answer_update(message)
            return dns.HANG_UP

        self.server.update = update
        self.assert_refused("hung up without an answer", item)
        self.server.update = self.server.answer_update
        self.assert_stopped("changed", item)
        self.assertEqual(self.server.records, [])

    def test_refusals_at_shutdown(self):
        item = self.item(deregister_on_shutdown=True)
        for code, status in ((dns.NXRRSET, "unchanged"), (dns.NXDOMAIN, "unchanged"),
                             (dns.REFUSED, "failed"), (dns.NOTAUTH, "failed")):
            with self.subTest(code):
                self.server.update = self.server.answer_update
                self.assert_registered("changed", item)
                self.answers(code)
                self.assert_stopped(status, item)
                self.assertEqual(len(self.state()["records"]), int(status == "failed"))
                self.server.records = []


class Zones(ScriptedTest):
    """Which zone a name is in, by the answers of all kinds of servers and resolvers."""

    NAME = "a.b.example.com."

    def soa(self, zone):
        data = dns.encode_name("ns." + zone) + dns.encode_name("admin." + zone)
        return dns.Record(zone, dns.SOA, dns.IN, 60, data + struct.pack("!5I", 1, 2, 3, 4, 5))

    def alias(self, name, to):
        return dns.Record(name, dns.CNAME, dns.IN, 60, dns.encode_name(to))

    def item(self, **more):
        server = self.server.settings()
        del server["zone"]
        return {"name": self.NAME, "server": server, **more}

    def assert_zone(self, zone, answers):
        """Answers by the name that is asked for: keywords of answer()."""
        def query(message):
            question = message.questions[0]
            if question.type != dns.SOA:
                return self.server.answer_query(message)
            return self.server.answer(message, **answers.get(question.name, {}))

        self.server.query, self.server.records = query, []
        self.server.messages.clear()
        self.assert_registered("changed", self.item())
        self.assertEqual(self.server.updates()[0].questions[0].name, zone)

    def test_beside_a_denial(self):
        for code in (dns.NOERROR, dns.NXDOMAIN):
            self.assert_zone("example.com.", {self.NAME: {
                "rcode": code, "authority": [self.soa("example.com.")]}})
            self.assertEqual(len(self.server.messages), 4)

    def test_of_the_name_itself(self):
        self.assert_zone(self.NAME, {self.NAME: {"records": [self.soa(self.NAME)]}})

    def test_where_only_the_top_has_it(self):
        for code in (dns.NOERROR, dns.NXDOMAIN, dns.REFUSED):
            self.assert_zone("example.com.", {
                self.NAME: {"rcode": code}, "b.example.com.": {"rcode": code},
                "example.com.": {"records": [self.soa("example.com.")]}})

    def test_of_an_alias(self):
        """The zone of what the alias leads to is none of this name's."""
        self.assert_zone("b.example.com.", {
            self.NAME: {"records": [self.alias(self.NAME, "x.other.test")],
                        "authority": [self.soa("other.test.")]},
            "b.example.com.": {"records": [self.soa("b.example.com.")]}})

    def test_of_others(self):
        for other in (".", "org.", "xb.example.com.", "x.a.b.example.com."):
            with self.subTest(other):
                self.assert_zone("example.com.", {
                    self.NAME: {"authority": [self.soa(other)]},
                    "example.com.": {"records": [self.soa("example.com.")]}})

    def test_nowhere(self):
        self.server.query = lambda message: self.server.answer(message, dns.NXDOMAIN)
        self.assert_refused("knows no zone that a.b.example.com is in: give the zone's own server "
                            "in server.address", self.item())
        self.assertEqual(len(self.server.messages), 4)

    def test_failure(self):
        self.server.query = lambda message: self.server.answer(message, dns.SERVFAIL)
        self.assert_refused("is in \\(it said SERVFAIL\\)", self.item())
        self.assertEqual(len(self.server.messages), 3)


class Signatures(ScriptedTest):
    WRONG = "the signature of its answer is wrong, so it is not believed"

    def test_unsigned(self):
        self.server.update = lambda message: struct.pack(
            "!6H", message.id, dns.QR | dns.UPDATE << 11, 0, 0, 0, 0)
        self.assert_refused("its answer is not signed, so it is not believed", self.item())

    def test_wrong_ones(self):
        for how in ({"mac": bytes(32)}, {"mac": bytes(16)}, {"mac": b""},
                    {"request_mac": bytes(32)}, {"request_mac": b""}):
            with self.subTest(how):
                self.answers(**how)
                self.assert_refused(self.WRONG, self.item())

    def test_changed_on_the_way(self):
        def update(message):
            wire = bytearray(self.server.answer(message))
            wire[3] ^= 0x20  # a reserved bit of the header
            return bytes(wire)

        self.server.update = update
        self.assert_refused(self.WRONG, self.item())

    def test_of_another_key(self):
        def update(message):
            self.server.key = "other.example.com"
            return self.server.answer(message)

        self.server.update = update
        self.assert_refused(self.WRONG, self.item())

    def test_unsigned_word_that_it_is_so(self):
        """Who is on the way could keep a name from being registered by it."""
        self.server.query = lambda message: struct.pack(
            "!6H", message.id, dns.QR | dns.AA, 0, 0, 0, 0)
        self.assert_refused("its answer is not signed", self.item())

    def test_old_one(self):
        self.answers(late=1000)
        self.assert_refused("its answer was signed (999|100[0-9]) s ago, so it is not believed",
                            self.item())
        self.answers(late=-1000)
        self.assert_refused("its answer was signed (999|100[0-9]) s from now", self.item())


class Clocks(ScriptedTest):
    def test_allowed_for(self):
        for seconds, words in ((3600, "behind"), (-40000, "ahead of"), (301, "behind")):
            with self.subTest(seconds):
                self.server.records = []
                self.server.clock = seconds
                called = self.assert_registered("changed", self.item())
                self.assertRegex(called.log, f"the clock of this machine is [0-9]+ s {words} that "
                                             f"of 127.0.0.1 port {self.server.port}: allowed for")
                self.assertEqual(called.log.count("allowed for"), 1)
                self.assertGreaterEqual(self.server.messages[-1].signature.fudge, abs(seconds))
                self.assert_registered("unchanged", self.item())

    def test_too_far(self):
        for seconds in (70000, -10**9, 10**12):
            with self.subTest(seconds):
                self.server.clock = seconds
                called = self.assert_refused(
                    "BADTIME: the server's clock says .*, this machine's .*: set it \\(NTP\\); 18 "
                    "hours could have been allowed for", self.item())
                when = time.gmtime(time.time() + seconds) if seconds < 10**12 else None
                if when:
                    self.assertIn(time.strftime("clock says %Y-%m-%dT%H:", when), called.message)
        self.assertEqual(self.server.updates(), [])

    def test_no_difference_in_truth(self):
        self.server.query = lambda message: self.server.answer(message, dns.NOTAUTH,
                                                               error=dns.BADTIME)
        self.assert_refused("BADTIME: ", self.item())
        self.assertEqual(len(self.server.messages), 1)

    def test_unsigned_word_about_the_time(self):
        """Without a signature, anybody could say so."""
        self.server.query = lambda message: self.server.answer(message, dns.NOTAUTH,
                                                               error=dns.BADTIME, mac=b"")
        self.assert_refused("the signature of its answer is wrong", self.item())

    def test_no_time_at_all(self):
        self.server.query = lambda message: self.server.answer(
            message, dns.NOTAUTH, error=dns.BADTIME, other=b"abc")
        self.assert_refused("BADTIME: the clocks of this machine and of the server differ",
                            self.item())


def raw(*pieces, pause=0.0):
    """Bytes as they are, in pieces, with pauses between them."""
    def send(connection):
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
    return send


def framed(wire):
    return struct.pack("!H", len(wire)) + wire


class Answers(ScriptedTest):
    NONE = "what it answers is no answer of a name server's"

    def each_query(self, make, message, phase=None):
        self.server.query = make
        return self.assert_refused(message, self.item(), phase=phase)

    def test_no_message(self):
        head = struct.pack("!6H", 0, dns.QR, 0, 0, 0, 0)
        for wire in (b"x" * 40, bytes(12), head[:11], head):
            with self.subTest(wire):
                self.each_query(lambda _, wire=wire: raw(framed(wire)), self.NONE)
                self.server.messages.clear()

    def test_of_another_message(self):
        def other_id(message):
            wire = self.server.answer(message)
            return struct.pack("!H", message.id ^ 1) + wire[2:]

        def not_an_answer(message):
            return message.wire

        def other_kind(message):
            return self.server.answer(message, flags=dns.UPDATE << 11)

        def truncated(message):
            return self.server.answer(message, flags=dns.TC)

        for make in (other_id, not_an_answer, other_kind, truncated):
            with self.subTest(make.__name__):
                self.each_query(make, self.NONE)

    def test_records_that_are_none(self):
        """Counts, names and lengths that lead out of the message."""
        def head(message, *counts):
            return struct.pack("!6H", message.id, dns.QR, *counts)

        makers = {
            "records that are not there": lambda m: head(m, 0, 5, 0, 0),
            "65535 of each": lambda m: head(m, 65535, 65535, 65535, 65535),
            "a name that leads to itself": lambda m: head(m, 0, 1, 0, 0) + b"\xc0\x0c" + bytes(10),
            "a name of ever new labels": lambda m: head(m, 0, 1, 0, 0) + b"\x3fa" * 200,
            "a value beyond the end": lambda m: head(m, 0, 1, 0, 0) + b"\0" + struct.pack(
                "!HHIH", dns.A, dns.IN, 60, 400) + ADDRESS,
            "an address of three bytes": lambda m: head(m, 0, 1, 0, 0) + b"\0" + struct.pack(
                "!HHIH", dns.A, dns.IN, 60, 3) + b"abc",
            "a signature cut off": lambda m: head(m, 0, 0, 0, 1) + b"\0" + struct.pack(
                "!HHIH", dns.TSIG, dns.ANY_CLASS, 0, 4) + b"\0abc"}
        for what, make in makers.items():
            with self.subTest(what):
                self.each_query(lambda m, make=make: raw(framed(make(m))),
                                f"({self.NONE}|is not signed|is wrong)")

    def test_cut_off(self):
        self.each_query(lambda m: raw(b"\x01"), "hung up without an answer")
        self.each_query(lambda m: raw(b"\x01\x00abc"), "hung up without an answer")
        self.each_query(lambda m: dns.HANG_UP, "hung up without an answer")

    def test_too_long(self):
        self.each_query(lambda m: raw(framed(bytes(20000))),
                        "its answer is longer than 16384 bytes")

    def test_in_pieces(self):
        def query(message):
            wire = framed(self.server.answer_query(message))
            return raw(*(wire[i:i + 1] for i in range(len(wire))))

        self.server.query = query
        self.assert_registered("changed", self.item())

    def test_hung_up_once(self):
        def update(message):
            return dns.HANG_UP if len(self.server.updates()) == 1 else \
                self.server.answer_update(message)

        self.server.update = update
        self.assert_registered("changed", self.item())
        self.assertEqual(len(self.server.updates()), 2)
        first, second = self.server.updates()
        self.assertNotEqual(first.id, second.id)


class Silence(ScriptedTest):
    def test_at_boot(self):
        """It is asked three times; the items behind it are not made to wait as long again."""
        self.server.query = lambda message: None
        began = time.monotonic()
        called = self.assert_refused(
            "no answer over TCP within 5 s, 3 times: is it up, and may TCP reach it",
            self.item(), self.item(name="b.example.com"))
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual(len(self.server.messages), 3)
        self.assertEqual(len(called.items), 2)

    def test_at_shutdown(self):
        """One that gives a byte now and then is as good as silent."""
        item = self.item(deregister_on_shutdown=True)
        self.assert_registered("changed", item)
        self.server.update = lambda message: raw(*(b"\x10" for _ in range(100)), pause=0.1)
        began = time.monotonic()
        self.assert_refused("no answer over TCP within 2.5 s, 2 times", item, phase="stop")
        self.assertLess(time.monotonic() - began, 12)

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
        item = self.item(server=self.server.settings(port=port))
        self.assert_refused("nothing listens there for TCP", item)

    def test_no_such_server(self):
        """A name that cannot be is asked of nobody."""
        item = self.item(server=self.server.settings(address="no name"))
        self.assert_refused("the name server no name has no address: ", item)


class Settings(ScriptedTest):
    def assert_complaint(self, message, **more):
        self.assert_refused(message, self.item(**more))
        self.assertEqual(self.server.messages, [])

    def test_complaints(self):
        server = self.server.settings
        tsig = server()["tsig"]
        for message, more in (
                ("its name is no domain name: letters, digits", {"name": "-a.example.com"}),
                ("its name is no domain name", {"name": "a b.example.com"}),
                ("its name is no domain name", {"name": "ä.example.com"}),
                ("its name is no domain name", {"name": "a\n.example.com"}),
                ("its name is no domain name", {"name": "x" * 64 + ".example.com"}),
                ("its name is no domain name", {"name": "x." * 126 + "example.com"}),
                ("it is not within server.zone, example.com", {"name": "web.example.org"}),
                ("it is not within server.zone", {"name": "webexample.com"}),
                ("server.zone is no domain name", {"server": server(zone="a..b")}),
                ("server.tsig.name is no domain name",
                 {"server": server(tsig={**tsig, "name": "a b"})}),
                ("server.tsig.secret is no base64", {"server": server(tsig={**tsig,
                                                                           "secret": "a=b!"})}),
                ("it has both server and route53", {"route53": {}}),
                ("reverse goes with an address, and a CNAME has none",
                 {"type": "CNAME", "value": "a.b", "reverse": True}),
                ("reverse goes with an address, and a.b is a name", {"value": "a.b",
                                                                      "reverse": True}),
                ("a CNAME wants a value", {"type": "CNAME", "value": None}),
                ("a CNAME cannot lead to itself", {"value": "web.example.com"}),
                ("its type is AAAA, but its value, 192.0.2.80, makes it A", {"type": "AAAA"}),
                ("its type is A, but its value, 2001:db8::80, makes it AAAA",
                 {"type": "A", "value": "ipv6"}),
                ("its type is CNAME, but its value, 192.0.2.1, makes it A",
                 {"type": "CNAME", "value": "192.0.2.1"}),
                ("neither an address nor a domain name", {"value": "300.1.2.3..4"}),
                ("the instance has no metadata item mac", {"value": "mac"})):
            with self.subTest(message, **more):
                self.assert_complaint(message, **more)

    def test_nothing_to_do(self):
        self.assert_registered("unchanged")
        called = self.call({"dns": None})
        self.assertEqual((called.status, called.message), ("unchanged", "0 of 0 records changed"))

    def test_secret_of_a_refused_item_is_not_shown(self):
        item = self.item(server=self.server.settings(tsig={"name": KEY, "secret": "not base64!"}))
        called = self.assert_refused("no base64", item)
        self.assertFalse(re.search("not base64!", called.log + called.message))


if __name__ == "__main__":
    unittest.main()
