#!/usr/bin/python3
"""s3: files and trees copied to S3; and what is fetched ahead of its turn."""

import hashlib
import os
import re
import unittest

import host
from faulty import Fault, error_xml
from s3_case import MIB, STATE, S3Test, body_of


class Upload(S3Test):
    def test_a_file(self):
        self.put("var/log/first", "log\n")
        item = {"from": "/var/log/first", "to": self.url("logs/i-1 +%.log")}
        called = self.copy("changed", item)
        self.assertEqual(self.object("logs/i-1 +%.log"), b"log\n")
        [sent] = [{name.lower(): value for name, value in headers.items()}
                  for words, headers in self.proxy.requests if words.startswith("PUT")]
        self.assertEqual(sent["x-amz-content-sha256"], hashlib.sha256(b"log\n").hexdigest())
        self.assertEqual(called.items[0]["message"], "4 bytes")

        with self.subTest("a second time it is not sent"):
            self.proxy.forget()
            self.copy("unchanged", item)
            self.assertEqual(self.proxy.asked("^PUT"), [])
            self.put("var/log/first", "more\n")
            self.copy("changed", item)
            self.assertEqual(self.object("logs/i-1 +%.log"), b"more\n")

    def test_under_its_own_name(self):
        self.put("var/log/first", "log\n")
        self.copy("changed", {"from": "/var/log/first", "to": self.url("logs/")})
        self.assertEqual(self.keys(), ["logs/first"])

    def test_a_tree(self):
        for name in ("a", "b/c d", "b/.x", "big.map"):
            self.put(f"srv/{name}", name)
        os.symlink("a", self.path("srv/link"))
        os.mkfifo(self.path("srv/pipe"))
        item = {"from": "/srv/", "to": self.url("t/"), "exclude": "*.map"}
        self.copy("changed", item)
        self.assertEqual(sorted(self.keys()), ["t/a", "t/b/.x", "t/b/c d"])
        self.copy("unchanged", item)

    def test_one_in_parts(self):
        body = body_of(21 * MIB)
        self.put("large", body)
        self.copy("changed", {"from": "/large", "to": self.url("large")})
        self.assertTrue(self.object("large") == body)
        self.assertEqual(len(self.proxy.asked("^PUT .*partNumber=")), 3)

    def test_one_in_parts_whose_etag_is_not_told(self):
        """Ceph's gateway completes an upload with an empty ETag."""
        self.put("large", body_of(21 * MIB))
        item = {"from": "/large", "to": self.url("large")}
        empty = self.proxy.fault("^POST .*uploadId=", change=lambda body: re.sub(
            b"<ETag>.*</ETag>", b"<ETag></ETag>", body))
        self.copy("changed", item)
        self.assertEqual(empty.hits, 1)
        self.copy("unchanged", item)

    def test_parts_that_fail_are_aborted(self):
        self.put("large", body_of(21 * MIB))
        self.proxy.fault("partNumber=2", times=None, status=403, body=error_xml("AccessDenied"))
        self.refuse("AccessDenied", {"from": "/large", "to": self.url("large")})
        self.assertEqual(self.keys(), [])
        self.assertEqual(len(self.proxy.asked("^DELETE .*uploadId=")), 1)

    def test_service_is_busy(self):
        self.put("f", "text")
        self.proxy.fault("^PUT", times=2, status=503, body=error_xml("SlowDown"))
        self.copy("changed", {"from": "/f", "to": self.url("f")})
        self.assertEqual(self.object("f"), b"text")

    def test_what_cannot_be_sent(self):
        os.mkdir(self.path("folder"))
        for item, message in (({"from": "/none", "to": self.url("x")}, "/none to s3://"),
                              ({"from": "/folder", "to": self.url("x")}, "it is a directory"),
                              ({"from": "/f", "to": self.url("x"), "owner": "root"},
                               "owner is for what is copied to the instance"),
                              ({"from": "/f", "to": "/g"}, "one of from and to must begin")):
            self.refuse(message, item)
        self.assertEqual(self.keys(), [])

    def test_nothing_of_another_tree(self):
        with open(os.path.join(self.work, "secret"), "w", encoding="utf-8") as out:
            out.write("secret")
        os.symlink(os.path.join(self.work, "secret"), self.path("link"))
        self.copy("failed", {"from": "/link", "to": self.url("x")})
        self.assertEqual(self.keys(), [])

    def test_dry_run(self):
        self.put("f", "text")
        self.copy("changed", {"from": "/f", "to": self.url("f")}, dry_run=True)
        self.assertEqual(self.keys(), [])


class Ahead(S3Test):
    """`prepare` touches nothing visible; `run` takes what it fetched, if it is still right."""

    def setUp(self):
        super().setUp()
        self.item = {"from": self.url("f"), "to": "/srv/f"}
        self.put_object("f", b"first")

    def fetch_ahead(self):
        self.copy("changed", self.item, phase="prepare")
        self.assertFalse(self.exists("srv"))
        self.assertTrue(self.exists(f"{STATE}/ahead"))
        self.proxy.forget()

    def test_it_is_taken(self):
        self.fetch_ahead()
        self.copy("changed", self.item)
        self.assertEqual(self.text("srv/f"), "first")
        self.assertEqual([words for words in self.proxy.asked("^GET") if "/f" in words], [])
        self.assert_no_leftovers()

    def test_it_is_taken_to_another_file_system(self):
        os.mkdir(self.path("srv"))
        host.run(["mount", "-t", "tmpfs", "bootlace-test", self.path("srv")])
        self.addCleanup(host.run, ["umount", self.path("srv")])
        self.copy("changed", self.item, phase="prepare")
        self.proxy.forget()
        self.copy("changed", self.item)
        self.assertEqual(self.text("srv/f"), "first")
        self.assertEqual([words for words in self.proxy.asked("^GET") if "/f" in words], [])
        self.assert_no_leftovers()

    def test_another_object_since(self):
        self.fetch_ahead()
        self.put_object("f", b"second")
        self.copy("changed", self.item)
        self.assertEqual(self.text("srv/f"), "second")
        self.assert_no_leftovers()

    def test_nobody_but_root_can_change_it(self):
        self.fetch_ahead()
        self.assertEqual(self.mode(f"{STATE}/ahead"), 0o700)

    def test_a_failure_ahead_is_none(self):
        self.proxy.faults.append(Fault("/f", times=None, status=403,
                                       body=error_xml("AccessDenied")))
        self.call({"s3": [self.item]}, phase="prepare",
                  variables={"AWS_ENDPOINT_URL_S3": self.proxy.endpoint})
        self.assertFalse(self.exists("srv"))
        self.proxy.forget()
        self.copy("changed", self.item)


if __name__ == "__main__":
    unittest.main()
