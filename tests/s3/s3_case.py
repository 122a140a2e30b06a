"""What the tests of the s3 module share: one server of a kind for all of them, Swift for most, a
proxy that does harm before it, a bucket for each test, and the module called on a tree of the
test's own.

With root alone: servers run in throw-away roots, and files get owners.
"""

import atexit
import hashlib
import itertools
import os
import unittest

import botocore.config
import botocore.session
import faulty
import host
import swift
from module_call import ModuleTest

STATE = "var/lib/bootlace/modules/s3"
MIB = 1 << 20

# Names that an object can have and that are easily spoiled on the way.
AWKWARD = ["space in it", "plus+plus", "percent%41%2F", "it's (here)", "a//b", "üñí/✓",
           "semi;co:lon", "star*?[x]", "quote\"<>&",
           "~tilde-_.", "equal=and&more", "back\\slash", ".hidden",
           "@at,comma!$", "tr ailing "]

_shared = {}
_numbers = itertools.count(1)


def server(kind):
    """The server of that kind for this run of the tests, started by the first that asks."""
    if kind not in _shared:
        made = kind()
        made.__enter__()
        atexit.register(made.__exit__)
        _shared[kind] = made
    return _shared[kind]


def client(endpoint, key, secret, token=None):
    """An independent client, botocore's, for putting objects there and looking at them."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "CURL_", "SSL_"))]:
        del os.environ[name]
    config = botocore.config.Config(s3={"addressing_style": "path"}, proxies={})
    return botocore.session.get_session().create_client(
        "s3", region_name=swift.REGION, endpoint_url=endpoint, aws_access_key_id=key,
        aws_secret_access_key=secret, aws_session_token=token, config=config)


def body_of(size, seed=1):
    """So many bytes that no two places of them look alike."""
    block = b"".join(hashlib.sha256(b"%d %d" % (seed, i)).digest() for i in range(2048))
    repeats = size // (len(block) + 8) + 1
    return b"".join(b"%08d" % i + block for i in range(repeats))[:size]


@unittest.skipIf(host.missing(), "the rig lacks: " + "; ".join(host.missing()))
class S3Test(ModuleTest):
    """A test with a bucket of its own, and a proxy before the server."""

    module = "s3"
    kind = swift.Swift

    def setUp(self):
        super().setUp()
        self.server = server(self.kind)
        self.proxy = faulty.Proxy(self.server.port)
        self.proxy.__enter__()
        self.addCleanup(self.proxy.__exit__)
        self.client = client(self.server.endpoint, self.server.key, self.server.secret)
        self.addCleanup(self.client.close)
        self.bucket = f"test-{os.getpid()}-{next(_numbers)}"
        self.client.create_bucket(Bucket=self.bucket)

    # ---- the bucket ----

    def put_object(self, key, body=b"content"):
        self.client.put_object(Bucket=self.bucket, Key=key,
                               Body=body if isinstance(body, bytes) else body.encode())

    def object(self, key):
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def keys(self):
        listed = self.client.list_objects_v2(Bucket=self.bucket)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def url(self, key=""):
        return f"s3://{self.bucket}/{key}"

    # ---- the module ----

    def copy(self, status, *items, variables=None, **how):
        """Calls the module with these items; what it said."""
        variables = {"AWS_ACCESS_KEY_ID": self.server.key,
                     "AWS_SECRET_ACCESS_KEY": self.server.secret,
                     "AWS_REGION": self.server.region,
                     "AWS_ENDPOINT_URL_S3": self.proxy.endpoint, **(variables or {})}
        return self.assert_called(status, {"s3": list(items)}, variables=variables, **how)

    def refuse(self, message, *items, **how):
        """It fails, and says so in these words."""
        called = self.copy("failed", *items, **how)
        self.assertRegex(called.message, message)
        return called

    def files(self, folder=""):
        """The files below a folder, by their paths, with their content; nothing of the module's
        own state."""
        found = {}
        for at, _, names in os.walk(self.path(folder)):
            for name in names:
                full = os.path.join(at, name)
                path = os.path.relpath(full, self.path(folder))
                if not os.path.relpath(full, self.root).startswith("var/lib/bootlace/"):
                    with open(full, "rb") as content:
                        found[path] = content.read()
        return found

    def assert_no_leftovers(self):
        """Nothing temporary is left, neither beside files nor in the module's state."""
        for at, folders, names in os.walk(self.root):
            for name in folders + names:
                self.assertFalse(name.startswith(".bootlace-"), os.path.join(at, name))
                self.assertFalse(name.endswith(".partial"), os.path.join(at, name))
        self.assertFalse(self.exists(f"{STATE}/ahead"))
