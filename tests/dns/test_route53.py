#!/usr/bin/python3
"""The dns module with Route 53, whose requests are judged by botocore's model of it.

BOOTLACE_BUILD names the build folder. The zones are kept here, in the shapes that boto3 shows.
"""

import datetime
import time
import unittest

from aws_judge import AwsJudge, Fault
from dns_case import DnsTest
from manual import Page

WHEN = datetime.datetime(2026, 11, 26, tzinfo=datetime.timezone.utc)


class Zones:
    """Hosted zones and their records, as far as the module asks for them."""

    def __init__(self, judge):
        self.judge = judge
        self.zones = {"Z1EXAMPLE": ("example.com.", False), "Z2REVERSE": ("2.0.192.in-addr.arpa.",
                                                                          True)}
        self.sets = {}
        self.pending = 0  # how often a change is not done yet
        for operation, answer in (("ListHostedZonesByName", self.list_zones),
                                  ("ListResourceRecordSets", self.list_sets),
                                  ("ChangeResourceRecordSets", self.change),
                                  ("GetChange", self.get_change)):
            judge.answer(operation, answer)

    def list_zones(self, parameters):
        """All zones from this name on, in the order of their labels from the right."""
        def order(name):
            return name.strip(".").split(".")[::-1]

        first = parameters["DNSName"]
        found = sorted((order(name), key) for key, (name, _) in self.zones.items()
                       if order(name) >= order(first))
        return {"HostedZones": [{"Id": f"/hostedzone/{key}", "Name": self.zones[key][0],
                                 "CallerReference": "x", "Config": {
                                     "PrivateZone": self.zones[key][1]}} for _, key in found],
                "DNSName": first, "IsTruncated": False, "MaxItems": parameters["MaxItems"]}

    def list_sets(self, parameters):
        """At most as many as asked for, from this name and type on."""
        first = (parameters["StartRecordName"].rstrip(".") + ".", parameters["StartRecordType"])
        found = [self.sets[key] for key in sorted(self.sets)
                 if key[0] == parameters["HostedZoneId"] and key[1:] >= first]
        return {"ResourceRecordSets": found[:int(parameters["MaxItems"])], "IsTruncated": False,
                "MaxItems": parameters["MaxItems"]}

    def change(self, parameters):
        for change in parameters["ChangeBatch"]["Changes"]:
            wanted = change["ResourceRecordSet"]
            wanted["Name"] = wanted["Name"].replace("*", "\\052").rstrip(".") + "."
            key = (parameters["HostedZoneId"], wanted["Name"], wanted["Type"])
            if change["Action"] == "DELETE":
                assert self.sets.pop(key) == wanted
            else:
                self.sets[key] = wanted
        return {"ChangeInfo": {"Id": "/change/C1", "Status": "PENDING", "SubmittedAt": WHEN}}

    def get_change(self, parameters):
        assert parameters["Id"] == "C1"
        self.pending -= 1
        status = "PENDING" if self.pending >= 0 else "INSYNC"
        return {"ChangeInfo": {"Id": "/change/C1", "Status": status, "SubmittedAt": WHEN}}


def record_set(name, kind, value, ttl=300):
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value}]}


class Route53Test(DnsTest):
    def setUp(self):
        super().setUp()
        self.judge = self.enterContext(AwsJudge())
        self.zones = Zones(self.judge)

    def register(self, *items, **how):
        return super().register(*items, variables=self.judge.environment("route53"), **how)

    def item(self, name="api.example.com", value="public-ipv4", zone_id="Z1EXAMPLE", route53=None,
             **more):
        return {"name": name, "value": value, **more,
                "route53": {**({"zone_id": zone_id} if zone_id else {}), **(route53 or {})}}

    def operations(self):
        return [call.operation for call in self.judge.all]

    def assert_sets(self, *expected):
        """What the zones have, and that no request was wrong."""
        self.assertEqual(sorted(self.zones.sets.values(), key=str), sorted(expected, key=str))
        self.judge.assert_well()


class Registered(Route53Test):
    def test_address(self):
        called = self.assert_registered("changed", self.item(ttl=60))
        self.assertEqual(called.item("api.example.com A")["message"],
                         "203.0.113.9, at Route 53, zone Z1EXAMPLE")
        self.assert_sets(record_set("api.example.com.", "A", "203.0.113.9", 60))
        self.assertEqual(self.operations(), ["ListResourceRecordSets", "ChangeResourceRecordSets"])
        self.assertEqual({call.region for call in self.judge.all}, {"us-east-1"})
        change, = self.judge.calls("ChangeResourceRecordSets")
        self.assertEqual(change.parameters["ChangeBatch"]["Changes"][0]["Action"], "UPSERT")

    def test_every_type(self):
        items = [self.item("a.example.com"), self.item("b.example.com", "ipv6"),
                 self.item("c.example.com", "public-hostname"), self.item("*.d.example.com")]
        self.assert_registered("changed", *items)
        self.assert_sets(record_set("a.example.com.", "A", "203.0.113.9"),
                         record_set("b.example.com.", "AAAA", "2001:db8::80"),
                         record_set("c.example.com.", "CNAME",
                                    "ec2-203-0-113-9.compute-1.amazonaws.com"),
                         record_set("\\052.d.example.com.", "A", "203.0.113.9"))
        before = len(self.judge.all)
        called = self.assert_registered("unchanged", *items)
        self.assertEqual(called.message, "0 of 4 records changed")
        self.assertEqual(self.operations()[before:], ["ListResourceRecordSets"] * 4)

    def test_what_is_not_so(self):
        for other in (record_set("api.example.com.", "A", "203.0.113.8"),
                      record_set("api.example.com.", "A", "203.0.113.9", 60),
                      {**record_set("api.example.com.", "A", "203.0.113.9"),
                       "ResourceRecords": [{"Value": "203.0.113.9"}, {"Value": "203.0.113.8"}]},
                      {**record_set("api.example.com.", "A", "203.0.113.9"),
                       "SetIdentifier": "blue", "Weight": 1},
                      {"Name": "api.example.com.", "Type": "A", "AliasTarget": {
                          "HostedZoneId": "Z3", "DNSName": "x.", "EvaluateTargetHealth": False}}):
            with self.subTest(other):
                self.zones.sets = {("Z1EXAMPLE", "api.example.com.", "A"): other}
                self.assert_registered("changed", self.item())
                self.assert_sets(record_set("api.example.com.", "A", "203.0.113.9"))

    def test_values_that_are_written_otherwise(self):
        self.zones.sets = {("Z1EXAMPLE", "c.example.com.", "CNAME"): record_set(
            "c.example.com.", "CNAME", "WWW.example.org.")}
        self.assert_registered("unchanged", self.item("c.example.com", "www.example.org"))

    def test_reverse(self):
        item = self.item("web.example.com", "local-ipv4", zone_id=None, reverse=True)
        self.assert_registered("changed", item)
        self.assert_sets(record_set("web.example.com.", "A", "192.0.2.80"),
                         record_set("80.2.0.192.in-addr.arpa.", "PTR", "web.example.com"))
        self.assert_registered("unchanged", item)
        self.assert_registered("changed", item, metadata={"local-ipv4": "192.0.2.81"})
        self.assertEqual(self.judge.calls("ChangeResourceRecordSets")[-1].parameters["ChangeBatch"]
                         ["Changes"][0]["Action"], "DELETE")
        self.assert_sets(record_set("web.example.com.", "A", "192.0.2.81"),
                         record_set("81.2.0.192.in-addr.arpa.", "PTR", "web.example.com"))

    def test_dry_run(self):
        called = self.assert_registered("changed", self.item(), dry_run=True)
        self.assertIn("would register api.example.com 300 A 203.0.113.9 at Route 53, zone "
                      "Z1EXAMPLE", called.log)
        self.assertEqual(self.operations(), ["ListResourceRecordSets"])
        self.assert_sets()

    def test_example_of_the_page(self):
        self.zones.zones["Z0123456789"] = ("example.com.", False)
        block = Page("bootlace-dns.7").block("example: route53")
        called = self.call(block, metadata={"public-ipv4": "203.0.113.9"},
                           variables=self.judge.environment())
        self.assertEqual(called.status, "changed", called)
        self.assert_sets(record_set("api.example.com.", "A", "203.0.113.9"))
        self.assertEqual(self.operations()[-1], "GetChange")


class Found(Route53Test):
    """The zone, where its ID is not given."""

    def test_by_the_name(self):
        self.assert_registered("changed", self.item("a.b.example.com", zone_id=None))
        self.assert_sets(record_set("a.b.example.com.", "A", "203.0.113.9"))
        asked = [call.parameters["DNSName"] for call in self.judge.calls("ListHostedZonesByName")]
        self.assertEqual(asked, ["a.b.example.com", "b.example.com", "example.com"])

    def test_nearest(self):
        self.zones.zones["Z4NEAR"] = ("b.example.com.", False)
        self.assert_registered("changed", self.item("a.b.example.com", zone_id=None))
        self.assertEqual(list(self.zones.sets), [("Z4NEAR", "a.b.example.com.", "A")])

    def test_of_the_name_itself(self):
        self.assert_registered("changed", self.item("example.com", zone_id=None))
        self.assertEqual(list(self.zones.sets), [("Z1EXAMPLE", "example.com.", "A")])

    def test_public_and_private(self):
        self.zones.zones["Z5PRIVATE"] = ("example.com.", True)
        self.assert_refused("2 hosted zones are called example.com \\(Z1EXAMPLE, Z5PRIVATE\\): "
                            "give the one in route53.zone_id, or say route53.private",
                            self.item(zone_id=None))
        for private, zone in ((True, "Z5PRIVATE"), (False, "Z1EXAMPLE")):
            self.assert_registered("changed", self.item(zone_id=None,
                                                        route53={"private": private}))
            self.assertEqual(list(self.zones.sets), [(zone, "api.example.com.", "A")])
        self.judge.assert_well()  # and what was in the other zone is taken out of it

    def test_nowhere(self):
        self.assert_refused("Route 53 has no hosted zone for api.example.org that these "
                            "credentials see", self.item("api.example.org", zone_id=None))

    def test_id_with_its_path(self):
        self.assert_registered("changed", self.item(zone_id="/hostedzone/Z1EXAMPLE"))
        self.assertEqual(list(self.zones.sets), [("Z1EXAMPLE", "api.example.com.", "A")])


class Awaited(Route53Test):
    def test_until_insync(self):
        self.zones.pending = 1
        self.assert_registered("changed", self.item(route53={"wait": True}))
        self.assertEqual(self.operations()[-2:], ["GetChange", "GetChange"])
        self.judge.assert_well()

    def test_limit(self):
        self.zones.pending = 1000
        began = time.monotonic()
        self.assert_refused("Route 53 took the change, but not all of its servers know it after "
                            "2 s: give route53.timeout more seconds",
                            self.item(route53={"wait": True, "timeout": 2}))
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(len(self.zones.sets), 1)

    def test_not_where_nothing_changed(self):
        item = self.item(route53={"wait": True})
        self.assert_registered("changed", item)
        self.assert_registered("unchanged", item)
        self.assertEqual(len(self.judge.calls("GetChange")), 1)

    def test_earlier_change(self):
        self.judge.refuse("ChangeResourceRecordSets", "PriorRequestNotComplete",
                          "The request was rejected because Route 53 was still processing a prior "
                          "request.", times=2)
        self.assert_registered("changed", self.item())
        self.assertEqual(len(self.judge.calls("ChangeResourceRecordSets")), 3)
        self.assert_sets(record_set("api.example.com.", "A", "203.0.113.9"))


class Refused(Route53Test):
    def test_conflict(self):
        self.judge.refuse("ChangeResourceRecordSets", "InvalidChangeBatch",
                          "[RRSet of type A with DNS name api.example.com. is not permitted "
                          "because a conflicting RRSet of type CNAME exists]")
        self.assert_refused("a conflicting RRSet of type CNAME", self.item())
        self.assertEqual(self.state()["records"], [])

    def test_not_allowed(self):
        self.judge.refuse("ListResourceRecordSets", "AccessDenied", "User is not authorized to "
                          "perform: route53:ListResourceRecordSets", status=403)
        self.assert_refused("api.example.com A: .*AccessDenied.*the role or user may not do this",
                            self.item())

    def test_no_such_zone(self):
        self.judge.refuse("ListResourceRecordSets", "NoSuchHostedZone", "No hosted zone found",
                          status=404)
        self.assert_refused("NoSuchHostedZone.*there is no hosted zone of this id", self.item())

    def test_answer_that_is_none(self):
        self.judge.fault("ListResourceRecordSets", Fault(status=200, body=b"<a><b></a>"))
        self.assert_refused("Route 53's answer to ListResourceRecordSets cannot be read: ",
                            self.item())

    def test_no_credentials(self):
        called = DnsTest.register(self, self.item(), variables={
            "AWS_ENDPOINT_URL": self.judge.url, "AWS_EC2_METADATA_DISABLED": "true"})
        self.assertEqual(called.status, "failed")
        self.assertRegex(called.message, "api.example.com A: .*credentials")


class TakenOut(Route53Test):
    def wanted(self, **more):
        return self.item(deregister_on_shutdown=True, **more)

    def test_what_was_registered(self):
        item = self.wanted(ttl=60)
        self.assert_registered("changed", item)
        before = len(self.judge.all)
        called = self.assert_stopped("changed", item)
        self.assertEqual(called.item("api.example.com A")["message"],
                         "203.0.113.9 is taken out of Route 53, zone Z1EXAMPLE")
        self.assertEqual(self.operations()[before:], ["ChangeResourceRecordSets"])
        self.assert_sets()
        self.assert_stopped("unchanged", item)

    def test_zone_is_not_looked_for_again(self):
        item = self.wanted(zone_id=None)
        self.assert_registered("changed", item)
        before = len(self.judge.all)
        self.assert_stopped("changed", item)
        self.assertEqual(self.operations()[before:], ["ChangeResourceRecordSets"])

    def test_replaced_by_somebody_else(self):
        item = self.wanted()
        self.assert_registered("changed", item)
        self.judge.refuse("ChangeResourceRecordSets", "InvalidChangeBatch",
                          "[Tried to delete resource record set [name='api.example.com.', "
                          "type='A'] but the values provided do not match the current values]")
        called = self.assert_stopped("unchanged", item)
        self.assertRegex(called.item("api.example.com A")["message"], "and stays as it is$")
        self.assert_sets(record_set("api.example.com.", "A", "203.0.113.9"))
        self.assertEqual(self.state()["records"], [])

    def test_refused(self):
        item = self.wanted()
        self.assert_registered("changed", item)
        self.judge.refuse("ChangeResourceRecordSets", "AccessDenied", status=403)
        self.assert_stopped("failed", item)
        self.assertEqual(len(self.state()["records"]), 1)


if __name__ == "__main__":
    unittest.main()
