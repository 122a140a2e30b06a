#!/usr/bin/python3
"""s3 with temporary credentials, from a service that demands their token: Ceph's radosgw, whose
token service hands them out for a role. With BOOTLACE_TEST_ALL.

And what else another service shows: awkward keys, and an object that was sent in parts, whose ETag
is no MD5.
"""

import atexit
import json
import os
import unittest
from datetime import datetime, timedelta, timezone

import botocore.session
import radosgw
from s3_case import MIB, S3Test, body_of, client
from test_download import AWKWARD

PART = 16 * MIB
PARTS = 8
ROLE = "first-boot"
ANYTHING = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:*", "sts:*"], "Resource": ["*"]}]}
OBJECTS = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}]}
ASSUMED = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam:::user/{radosgw.USER}"]},
     "Action": ["sts:AssumeRole"]}]}

_shared = {}


def policy(document):
    """Without blanks, which the gateway does not read out of a form."""
    return json.dumps(document, separators=(",", ":"))


def call(name, function, **parameters):
    """A call of another service of the gateway's: its answer."""
    service = botocore.session.get_session().create_client(
        name, region_name=radosgw.REGION, endpoint_url=_shared["gateway"].endpoint,
        aws_access_key_id=radosgw.KEY, aws_secret_access_key=radosgw.SECRET)
    try:
        return getattr(service, function)(**parameters)
    finally:
        service.close()


def gateway():
    """The gateway of this run of the tests, with a role, started by the first that asks."""
    if not _shared:
        made = radosgw.Radosgw()
        made.__enter__()
        atexit.register(made.__exit__)
        _shared["gateway"] = made
        call("iam", "put_user_policy", UserName=radosgw.USER, PolicyName="p",
             PolicyDocument=policy(ANYTHING))
        call("iam", "create_role", RoleName=ROLE, AssumeRolePolicyDocument=policy(ASSUMED))
        call("iam", "put_role_policy", RoleName=ROLE, PolicyName="p",
             PolicyDocument=policy(OBJECTS))
        _shared["session"] = call("sts", "assume_role", RoleSessionName="boot",
                                  RoleArn=f"arn:aws:iam:::role/{ROLE}")["Credentials"]
    return _shared["gateway"]


@unittest.skipUnless(os.environ.get("BOOTLACE_TEST_ALL") == "1", "one of the long ones: --all")
class Tokens(S3Test):
    @classmethod
    def start_server(cls):
        return gateway()

    def make_client(self):
        return client(self.server.endpoint, radosgw.KEY, radosgw.SECRET)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.client.close)
        self.session = _shared["session"]

    def by_hand(self, **others):
        """As variables, for a run by hand."""
        return {"AWS_ACCESS_KEY_ID": self.session["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": self.session["SecretAccessKey"],
                "AWS_SESSION_TOKEN": self.session["SessionToken"], **others}

    def of_role(self, ends_in=timedelta(hours=1), **others):
        """As the metadata service tells them, for a boot: the call's metadata."""
        end = datetime.now(timezone.utc) + ends_in
        credentials = {"Code": "Success", "Type": "AWS-HMAC",
                       "AccessKeyId": self.session["AccessKeyId"],
                       "SecretAccessKey": self.session["SecretAccessKey"],
                       "Token": self.session["SessionToken"],
                       "LastUpdated": "2026-01-01T00:00:00Z",
                       "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"), **others}
        return {"iam/security-credentials/": ROLE,
                f"iam/security-credentials/{ROLE}": json.dumps(credentials)}

    def items(self):
        self.put_object("one", b"an object")
        for name in ("a", "b/c"):
            self.put_object(f"tree/{name}", name.encode())
        self.put("var/log/boot.log", "all went well\n")
        return ({"from": self.url("one"), "to": "/srv/one"},
                {"from": self.url("tree/"), "to": "/srv/tree"},
                {"from": "/var/log/boot.log", "to": self.url("logs/boot.log")})

    def assert_copied(self):
        self.assertEqual(self.files("srv"), {"one": b"an object", "tree/a": b"a",
                                             "tree/b/c": b"b/c"})
        self.assertEqual(self.object("logs/boot.log"), b"all went well\n")
        for _, headers in self.proxy.requests:
            tokens = [value for name, value in headers.items()
                      if name.lower() == "x-amz-security-token"]
            self.assertEqual(tokens, [self.session["SessionToken"]])

    def test_by_hand(self):
        self.copy("changed", *self.items(), variables=self.by_hand())
        self.assert_copied()

    def test_of_the_instances_role(self):
        without = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
        self.copy("changed", *self.items(), variables=without, metadata=self.of_role())
        self.assert_copied()

    def test_the_token_is_demanded(self):
        """So the tests above show that it was there, and the right one."""
        self.put_object("one")
        for token in ("", self.session["SessionToken"][:-8] + "AAAAAAA="):
            called = self.refuse("one: .*(InvalidAccessKeyId|AccessDenied|InvalidArgument"
                                 "|SignatureDoesNotMatch|403)",
                                 {"from": self.url("one"), "to": "/one"},
                                 variables=self.by_hand(AWS_SESSION_TOKEN=token))
            self.assertNotIn(self.session["SecretAccessKey"], repr(called))
        self.assertFalse(self.exists("one"))
        self.assert_no_leftovers()

    def test_awkward_keys(self):
        for number, key in enumerate(AWKWARD):
            self.put_object(f"k/{key}", f"{number}".encode())
        self.copy("changed", {"from": self.url("k/"), "to": "/srv"}, variables=self.by_hand())
        self.assertEqual(sorted(int(content) for content in self.files("srv").values()),
                         list(range(len(AWKWARD))))
        for number, key in enumerate(AWKWARD):
            self.put(f"up/{number}", f"{number}")
            self.copy("changed", {"from": f"/up/{number}", "to": self.url(f"up/{key}")},
                      variables=self.by_hand())
            self.assertEqual(self.object(f"up/{key}"), f"{number}".encode())

    def test_one_that_was_sent_in_parts(self):
        whole = body_of(PART * PARTS + 12345)
        upload = self.client.create_multipart_upload(Bucket=self.bucket, Key="big")["UploadId"]
        parts = []
        for number, at in enumerate(range(0, len(whole), PART), 1):
            sent = self.client.upload_part(Bucket=self.bucket, Key="big", UploadId=upload,
                                           PartNumber=number, Body=whole[at:at + PART])
            parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        self.client.complete_multipart_upload(Bucket=self.bucket, Key="big", UploadId=upload,
                                              MultipartUpload={"Parts": parts})
        self.assertIn("-", self.client.head_object(Bucket=self.bucket, Key="big")["ETag"])
        self.copy("changed", {"from": self.url("big"), "to": "/big"}, variables=self.by_hand())
        self.assertEqual(self.bytes("big"), whole)
        self.copy("changed", {"from": "/big", "to": self.url("back")}, variables=self.by_hand())
        self.assertEqual(self.object("back"), whole)


if __name__ == "__main__":
    unittest.main()
