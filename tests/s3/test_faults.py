#!/usr/bin/python3
"""s3: what goes wrong on the way. Whatever it is, nothing half-written has the file's name, and
what was there stays as it was.
"""

import hashlib
import os
import resource
import shutil
import subprocess
import unittest

from faulty import Fault, error_xml
from s3_case import MIB, S3Test, body_of
import host
import swift

LARGE = 40 * MIB
OLD = b"as it was\n"
MEMORY_MAX_KIB = 96 * 1024


class Faults(S3Test):
    def setUp(self):
        super().setUp()
        self.put("f", OLD)
        self.item = {"from": self.url("f"), "to": "/f"}

    def fault(self, *words, **what):
        fault = Fault(*words, **what)
        self.proxy.faults.append(fault)
        return fault

    def assert_as_it_was(self):
        self.assertEqual(self.files(), {"f": OLD})
        for at, _, names in os.walk(self.root):
            self.assertEqual([name for name in names if name.startswith(".bootlace-")], [], at)

    def test_service_is_busy(self):
        self.put_object("f", b"new")
        for status, code in ((503, "SlowDown"), (500, "InternalError")):
            with self.subTest(code):
                self.put("f", OLD)
                fault = self.fault("^GET .*/f", times=2, status=status, body=error_xml(code))
                self.copy("changed", self.item)
                self.assertEqual((fault.hits, self.bytes("f")), (2, b"new"))

    def test_service_is_busy_for_good(self):
        self.put_object("f", b"new")
        self.fault("/f", times=None, status=503, body=error_xml("SlowDown", "Please reduce"),
                   headers={"Retry-After": "0"})
        self.refuse("at the last of 6 attempts: it answered 503", self.item)
        self.assert_as_it_was()

    def test_cut_connections(self):
        body = body_of(LARGE)
        self.put_object("f", body)
        cuts = [self.fault("^GET .*/f", times=1, after=after, cut=cut)
                for after, cut in ((0, 0), (1, 1000), (1, 3 * MIB), (0, 8 * MIB - 1))]
        self.copy("changed", self.item)
        self.assertEqual([cut.hits for cut in cuts], [1] * 4)
        self.assertTrue(self.bytes("f") == body)
        self.assert_no_leftovers()

    def test_a_broken_transfer_goes_on_where_it_was(self):
        body = body_of(LARGE)
        self.put_object("f", body)
        dead = self.fault("^GET .*/f", times=None, after=3, cut=100)
        self.refuse("f to /f: ", self.item)
        self.assertEqual(self.bytes("f"), OLD)
        self.proxy.faults.remove(dead)
        self.proxy.forget()
        self.copy("changed", self.item)
        self.assertTrue(self.bytes("f") == body)
        asked = [dict(headers)["Range"] for words, headers in self.proxy.requests
                 if words.startswith("GET")]
        self.assertLess(len(asked), LARGE // (8 * MIB))
        self.assert_no_leftovers()

    @unittest.skipUnless(os.environ.get("BOOTLACE_TEST_ALL"), "it takes long: tests/run --all")
    def test_another_object_since_it_broke(self):
        self.put_object("f", body_of(LARGE))
        dead = self.fault("^GET .*/f", times=None, after=3, cut=100)
        self.refuse("f to /f: ", self.item)
        self.proxy.faults.remove(dead)
        other = body_of(LARGE, seed=2)
        self.put_object("f", other)
        self.copy("changed", self.item)
        self.assertTrue(self.bytes("f") == other)
        self.assert_no_leftovers()

    def test_an_object_that_changes_meanwhile(self):
        other = body_of(LARGE, seed=2)
        self.put_object("f", body_of(LARGE))
        self.fault("^GET .*/f", after=2, before=lambda _: self.put_object("f", other))
        self.copy("changed", self.item)
        self.assertTrue(self.bytes("f") == other)
        self.assert_no_leftovers()

    def test_an_object_that_changes_again_and_again(self):
        seeds = iter(range(2, 1000))
        self.put_object("f", body_of(17 * MIB))
        self.fault("^GET .*/f", times=None, after=1,
                   before=lambda _: self.put_object("f", body_of(17 * MIB, seed=next(seeds))))
        self.refuse("it was changed again and again while it was copied", self.item)
        self.assert_as_it_was()

    def test_bytes_that_are_not_the_objects(self):
        for size in (1000, 20 * MIB):
            with self.subTest(size):
                self.put_object("f", body_of(size))
                flip = self.fault("^GET .*/f", times=None,
                                  change=lambda body: body[:-1] + bytes([body[-1] ^ 1]))
                self.refuse("its MD5 is .*, but should be .* by the service's word; nothing was "
                            "written", self.item)
                self.assert_as_it_was()
                self.proxy.faults.remove(flip)

    def test_a_checksum_of_the_settings(self):
        self.put_object("f", b"new")
        right = hashlib.sha256(b"new").hexdigest()
        self.refuse("its SHA-256 is .*which is the checksum in the settings; nothing was written",
                    {**self.item, "checksum": f"sha256:{right[::-1]}"})
        self.assert_as_it_was()
        self.copy("changed", {**self.item, "checksum": f"sha256:{right}"})

    def test_credentials_that_are_refused(self):
        self.put_object("f", b"new")
        for variables, message in (
                ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "SignatureDoesNotMatch"),
                ({"AWS_ACCESS_KEY_ID": "nobody"}, "InvalidAccessKeyId|SignatureDoesNotMatch")):
            self.refuse(message, self.item, variables=variables)
        self.assert_as_it_was()

    def test_a_token_that_has_ended(self):
        self.put_object("f", b"new")
        ended = self.fault("/f", times=None, status=400,
                           body=error_xml("ExpiredToken", "The provided token has expired."))
        self.refuse("ExpiredToken.*The provided token has expired", self.item)
        self.assert_as_it_was()
        self.proxy.faults.remove(ended)
        self.copy("changed", self.item)

    def test_a_bucket_that_is_elsewhere(self):
        self.put_object("f", b"new")
        self.fault("/f", status=400, headers={"x-amz-bucket-region": swift.REGION},
                   body=error_xml("AuthorizationHeaderMalformed", "the region is wrong"))
        self.copy("changed", self.item, variables={"AWS_REGION": "eu-north-1"})
        self.assertEqual(self.bytes("f"), b"new")

    def test_no_server(self):
        self.refuse("f to /f: ", {**self.item, "endpoint": "http://127.0.0.1:9"})
        self.assert_as_it_was()

    def test_a_listing_that_breaks(self):
        for name in ("a", "b"):
            self.put_object(f"t/{name}", name)
        self.fault("list-type", times=1, cut=40)
        self.copy("changed", {"from": self.url("t/"), "to": "/srv"})
        self.assertEqual(self.files("srv"), {"a": b"a", "b": b"b"})
        self.fault("list-type", times=None, status=200, body="<ListBucketResult><Contents>")
        self.refuse("t/ to /srv: ", {"from": self.url("t/"), "to": "/srv"})


class Room(S3Test):
    """A disk of a few MiB: a tmpfs that the test mounts for itself."""

    def setUp(self):
        super().setUp()
        host.run(["mount", "-t", "tmpfs", "-o", "size=24m", "bootlace-test", self.root])
        self.addCleanup(host.run, ["umount", self.root])

    def test_a_full_disk(self):
        self.put("f", OLD)
        self.put_object("f", body_of(LARGE))
        self.refuse("the disk is full", {"from": self.url("f"), "to": "/f"})
        self.assertEqual(self.files(), {"f": OLD})
        self.assertLess(shutil.disk_usage(self.root).used, 2 * MIB)

    def test_a_tree_that_has_no_room(self):
        for i in range(6):
            self.put_object(f"t/{i}", body_of(6 * MIB, seed=i))
        self.refuse("the disk is full", {"from": self.url("t/"), "to": "/srv"})
        for name, content in self.files("srv").items():
            self.assertTrue(content == body_of(6 * MIB, seed=int(name)), name)
        for at, _, names in os.walk(self.root):
            self.assertEqual([name for name in names if name.startswith(".bootlace-")], [], at)


class Memory(S3Test):
    def test_it_stays_small(self):
        """However large the object: a GiB where all is tested, else 160 MiB."""
        size = (1024 if os.environ.get("BOOTLACE_TEST_ALL") else 160) * MIB
        path = os.path.join(self.work, "large")
        block = body_of(16 * MIB)
        with open(path, "wb") as out:
            for _ in range(size // len(block)):
                out.write(block)
        with open(path, "rb") as body:
            self.client.put_object(Bucket=self.bucket, Key="large", Body=body)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        log = os.path.join(self.work, "memory")
        self.copy("changed", {"from": self.url("large"), "to": "/large"},
                  wrapper=["/usr/bin/time", "-o", log, "-f", "%M"])
        with open(log, encoding="ascii") as said:
            peak = int(said.read().split()[-1])
        limit = MEMORY_MAX_KIB * (4 if "sanitized" in os.environ.get("BOOTLACE_BUILD", "") else 1)
        self.assertLess(peak, limit, before)
        done = subprocess.run(["cmp", path, self.path("large")], check=False)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
