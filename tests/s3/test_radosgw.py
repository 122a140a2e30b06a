#!/usr/bin/python3
"""s3 with temporary credentials, and what else Swift cannot show: Ceph's radosgw holds session
tokens to whose they are and to their end, and keeps versions of objects.
"""

import hashlib
import json
import os
import threading
import time
import unittest

import imds_run
import imds_tree
import radosgw
from agent import LOG, Machine, wait_until
from s3_case import AWKWARD, MIB, S3Test, body_of, client

OLD = b"as it was\n"
LARGE = 256 * MIB
PART = 32 * MIB
ROLE_ITEM = f"meta-data/iam/security-credentials/{imds_tree.ROLE}"
RUN_LIMIT_S = 150


def variables(session, **other):
    """How somebody who runs the agent by hand gives credentials."""
    return {"AWS_ACCESS_KEY_ID": session.key, "AWS_SECRET_ACCESS_KEY": session.secret,
            "AWS_SESSION_TOKEN": session.token, **other}


def token_of(headers):
    return {name.lower(): value for name, value in headers.items()}.get("x-amz-security-token")


@unittest.skipUnless(os.environ.get("BOOTLACE_TEST_ALL") == "1", "one of the long ones: --all")
class RadosgwTest(S3Test):
    kind = radosgw.Radosgw

    def tokens(self, pattern=""):
        """The session tokens of the requests that the pattern is found in."""
        return [token_of(headers) for words, headers in list(self.proxy.requests)
                if pattern in words]

    def upload_parts(self, key, body):
        """An object of several parts, put there by another client; its ETag."""
        names = {"Bucket": self.bucket, "Key": key}
        names["UploadId"] = self.client.create_multipart_upload(**names)["UploadId"]
        parts = [{"PartNumber": number, "ETag": self.client.upload_part(
            **names, PartNumber=number, Body=body[at:at + PART])["ETag"]}
                 for number, at in enumerate(range(0, len(body), PART), 1)]
        self.client.complete_multipart_upload(**names, MultipartUpload={"Parts": parts})
        return self.etag(key)

    def etag(self, key):
        return self.client.head_object(Bucket=self.bucket, Key=key)["ETag"].strip('"')


class Tokens(RadosgwTest):
    def setUp(self):
        super().setUp()
        self.session = self.server.assume()
        self.put("f", OLD)
        self.item = {"from": self.url("f"), "to": "/f"}
        self.put_object("f", b"new")

    def test_an_object_a_tree_and_a_file_up(self):
        large = body_of(20 * MIB)
        for name, body in (("a", b"a"), ("b/c d", b"c"), ("large", large)):
            self.put_object(f"t/{name}", body)
        self.put("var/log/first", b"log\n")
        self.put("var/log/large", large)
        self.copy("changed", self.item, {"from": self.url("t/"), "to": "/srv"},
                  {"from": "/var/log/", "to": self.url("logs/")},
                  variables=variables(self.session))
        self.assertEqual(self.bytes("f"), b"new")
        self.assertTrue(self.files("srv") == {"a": b"a", "b/c d": b"c", "large": large})
        self.assertEqual(self.object("logs/first"), b"log\n")
        self.assertTrue(self.object("logs/large") == large)
        self.assertEqual(set(self.tokens()), {self.session.token})
        self.assert_no_leftovers()

    def test_those_that_are_not_the_keys(self):
        """Each is refused at once, by name, and nothing of it is shown."""
        token = self.session.token
        turned = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
        for what, given, code in (("none", "", "AccessDenied"),
                                  ("of other keys", self.server.assume().token, "AccessDenied"),
                                  ("tampered with", turned, "AccessDenied|InvalidArgument"),
                                  ("invented", "bm90IGEgdG9rZW4=", "AccessDenied|InvalidArgument")):
            with self.subTest(what):
                self.proxy.forget()
                called = self.refuse(rf"S3 refused .*: ({code})", self.item,
                                     variables=variables(self.session, AWS_SESSION_TOKEN=given))
                self.assertLessEqual(len(self.proxy.requests), 2)
                self.assertEqual(self.files(), {"f": OLD})
                for secret in (self.session.secret, token[:40], given):
                    self.assertFalse(secret and secret in repr(called))

    def test_one_that_has_ended(self):
        brief = self.server.assume(seconds=3)
        self.copy("changed", self.item, variables=variables(brief))
        self.put_object("f", b"newer")
        time.sleep(3.5)
        self.proxy.forget()
        self.refuse("S3 refused .*AccessDenied.*AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN",
                    self.item, variables=variables(brief))
        self.assertLessEqual(len(self.proxy.requests), 2)
        self.assertEqual(self.files(), {"f": b"new"})

    def test_what_the_role_may_not_do(self):
        """The role's policy is what the manual page asks for: it has no s3:DeleteObject."""
        role = client(self.server.endpoint, *self.session[:3])
        self.addCleanup(role.close)
        with self.assertRaisesRegex(role.exceptions.ClientError, "AccessDenied"):
            role.delete_object(Bucket=self.bucket, Key="f")
        self.assertEqual(self.object("f"), b"new")


class Agent(RadosgwTest):
    """The whole agent: credentials by hand, and those of the instance's role, which the metadata
    service gives."""

    def setUp(self):
        super().setUp()
        self.instance = os.path.join(self.work, "instance")
        self.machine = Machine(os.path.join(self.work, "machine"))

    def run_agent(self, items, *sessions, **by_hand):
        """Runs the agent for these items. The role's credentials are those of the first session,
        and of a second as soon as they were asked for; without any, the instance has no role."""
        given = b"#cloud-config\n" + json.dumps({"s3": items}).encode()
        imds_tree.make_tree(self.instance, user_data=given,
                            role=imds_tree.ROLE if sessions else None)
        for session in sessions[:1]:
            self.give(session)
        with imds_run.Service(self.instance, self.work) as service:
            for session in sessions[1:]:
                threading.Thread(target=self.give_later, args=(service, session)).start()
            # What modules remember is in /var/lib of the tree that they work on: the machine's.
            done = self.machine.run(
                wrapper=["unshare", "--mount", "sh", "-ec",
                         'mount -t tmpfs bootlace-test /var/lib; exec "$@"', "sh"],
                variables={"AWS_EC2_METADATA_SERVICE_ENDPOINT": service.endpoint,
                           "AWS_ENDPOINT_URL_S3": self.proxy.endpoint,
                           "AWS_REGION": self.server.region, **by_hand},
                limit_s=RUN_LIMIT_S)
        self.assertEqual(done.code, 0, (done, self.machine.text(LOG)))

    def give(self, session):
        imds_tree.put_item(self.instance, ROLE_ITEM, json.dumps({
            "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": session.key,
            "SecretAccessKey": session.secret, "Token": session.token,
            "Expiration": imds_tree.timestamp(session.ends)}))

    def give_later(self, service, session):
        if wait_until(lambda: any(request.path.endswith(ROLE_ITEM)
                                  for request in service.requests())):
            self.give(session)

    def slow_down(self, pattern, seconds):
        """Each answer to such a request takes so long."""
        self.proxy.fault(pattern, times=None, change=lambda body: time.sleep(seconds) or body)

    def assert_it_copies(self, session, *of_role, **by_hand):
        self.put_object("f", b"new")
        for name in ("a", "b/c"):
            self.put_object(f"t/{name}", name)
        self.put("log", b"log\n")
        self.run_agent([{"from": self.url("f"), "to": self.path("to/f")},
                        {"from": self.url("t/"), "to": self.path("to/t")},
                        {"from": self.path("log"), "to": self.url("log")}], *of_role, **by_hand)
        self.assertEqual(self.files("to"), {"f": b"new", "t/a": b"a", "t/b/c": b"b/c"})
        self.assertEqual(self.object("log"), b"log\n")
        self.assertEqual(set(self.tokens()), {session.token})
        for name, (_, _, _, _, digest) in self.machine.tree().items():
            if digest:
                self.assertNotIn(session.token.encode(), self.machine.bytes(name), name)

    def test_by_hand(self):
        session = self.server.assume()
        self.assert_it_copies(session, **variables(session))

    def test_by_the_role(self):
        session = self.server.assume()
        self.assert_it_copies(session, session)

    def test_they_are_renewed_before_they_end(self):
        """The first ones end for good during the transfer, and no request is refused: each object
        is asked for once. They are renewed a minute after they were got, at the earliest."""
        delays = {"t/1": 25, "t/2": 25, "t/3": 12, "t/4": 6, "t/5": 0}
        for key, seconds in delays.items():
            self.put_object(key, key)
            self.slow_down(f"^GET .*/{key}", seconds)
        first, second = self.server.assume(seconds=66), self.server.assume()
        self.run_agent([{"from": self.url("t/"), "to": self.path("to"), "connections": 1}],
                       first, second)
        self.assertEqual(self.files("to"), {key[2:]: key.encode() for key in delays})
        self.assertGreater(time.time(), first.ends.timestamp())
        self.assertEqual([len(self.proxy.asked(f"^GET .*/{key}")) for key in delays], [1] * 5)
        tokens = self.tokens("/t/")
        self.assertEqual([tokens[0], tokens[-1]], [first.token, second.token])
        self.assertEqual(tokens, sorted(tokens, key=[first.token, second.token].index))

    def test_they_end_before_their_time(self):
        """Too early to be renewed: those that the service refuses are asked for again at once."""
        for name in ("1", "2", "3"):
            self.put(f"up/{name}", name)
        self.slow_down("^PUT", 2)
        first, second = self.server.assume(seconds=3), self.server.assume()
        self.run_agent([{"from": self.path("up/"), "to": self.url("up/"), "connections": 1}],
                       first, second)
        self.assertEqual(self.keys(), ["up/1", "up/2", "up/3"])
        self.assertEqual(set(self.tokens()), {first.token, second.token})


class Objects(RadosgwTest):
    def test_awkward_keys(self):
        """Up by the module, seen by another client, and down again: in a tree, and each alone."""
        names = [name for name in AWKWARD if "//" not in name]
        for name in names:
            self.put(f"up/{name}", name)
        self.copy("changed", {"from": "/up/", "to": self.url("a b+c/")})
        self.copy("unchanged", {"from": "/up/", "to": self.url("a b+c/")})
        self.assertEqual(sorted(self.keys()), sorted(f"a b+c/{name}" for name in names))
        self.copy("changed", {"from": self.url("a b+c/"), "to": "/down"})
        self.assertEqual(self.files("down"), {name: name.encode() for name in names})
        self.copy("unchanged", {"from": self.url("a b+c/"), "to": "/down"})
        self.copy("changed", *({"from": self.url(f"a b+c/{name}"), "to": f"/one/{number}"}
                               for number, name in enumerate(names)))
        self.assertEqual(self.files("one"), {str(number): name.encode()
                                             for number, name in enumerate(names)})

    def test_keys_that_are_no_paths(self):
        keys = ["t/a//b", "t//c", "t/x/../y", "t/./z", "t/..", "t/../../u"]
        for key in keys:
            self.put("up", key)
            self.copy("changed", {"from": "/up", "to": self.url(key)})
        self.assertEqual(sorted(self.keys()), sorted(keys))
        for key in keys:
            with self.subTest(key):
                self.copy("changed", {"from": self.url(key), "to": "/one"})
                self.assertEqual(self.text("one"), key)
        self.refuse("4 of 6 objects failed", {"from": self.url("t/"), "to": "/srv"})
        self.assertEqual(self.files("srv"), {"a/b": b"t/a//b", "c": b"t//c"})

    def test_one_of_many_parts(self):
        """Its ETag is no MD5, and radosgw keeps no other check: what the settings say is one."""
        body = body_of(LARGE)
        etag = self.upload_parts("large", body)
        self.assertRegex(etag, "^[0-9a-f]{32}-8$")
        item = {"from": self.url("large"), "to": "/large",
                "checksum": "sha256:" + hashlib.sha256(body).hexdigest()}
        self.copy("changed", item)
        self.assertTrue(self.bytes("large") == body)
        self.assertEqual(len(self.proxy.asked("^GET .*/large")), LARGE // (8 * MIB))
        self.copy("unchanged", item)

        with self.subTest("a byte that was spoiled on the way"):
            os.remove(self.path("large"))
            self.proxy.fault("^GET .*/large", after=9,
                             change=lambda body: body[:-1] + bytes([body[-1] ^ 1]))
            self.refuse("its SHA-256 is .*; nothing was written", item)
            self.assertEqual(self.files(), {})
            self.assert_no_leftovers()

    def test_up_in_parts(self):
        body = body_of(40 * MIB)
        self.put("large", body)
        item = {"from": "/large", "to": self.url("large")}
        self.copy("changed", item)
        self.assertRegex(self.etag("large"), "^[0-9a-f]{32}-[2-9]$")
        self.assertTrue(self.object("large") == body)
        self.copy("unchanged", item)
        self.copy("changed", {"from": self.url("large"), "to": "/again"})
        self.assertTrue(self.bytes("again") == body)


class Versions(RadosgwTest):
    """A bucket that keeps versions: what is asked for is the newest, and one of them alone."""

    def setUp(self):
        super().setUp()
        self.client.put_bucket_versioning(Bucket=self.bucket,
                                          VersioningConfiguration={"Status": "Enabled"})
        self.put("f", OLD)
        self.item = {"from": self.url("f"), "to": "/f"}
        self.upload_parts("f", body_of(3 * PART))

    def test_a_new_version_meanwhile(self):
        other = body_of(3 * PART, seed=2)
        self.proxy.fault("^GET .*/f", after=2, before=lambda _: self.upload_parts("f", other))
        called = self.copy("changed", self.item)
        self.assertIn("f: was changed while it was copied", called.log)
        self.assertTrue(self.bytes("f") == other)
        self.assert_no_leftovers()

    def test_it_is_deleted_meanwhile(self):
        self.proxy.fault("^GET .*/f", after=2, before=lambda _: self.client.delete_object(
            Bucket=self.bucket, Key="f"))
        self.refuse("NoSuchKey", self.item)
        self.assertEqual(self.files(), {"f": OLD})
        self.assert_no_leftovers()


if __name__ == "__main__":
    unittest.main()
