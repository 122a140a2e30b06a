#!/usr/bin/python3
"""The tests' own metadata service, asked through raw sockets: what other tests rely on it for.

BOOTLACE_TEST_BIN names the folder that has `imds`.
"""

import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree
from collections import namedtuple

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import imds_run  # noqa: E402
import imds_tree  # noqa: E402

TIMEOUT_S = 5
QUIET_S = 0.3  # how long "never" is watched for
TOKEN_SIZE = 56
MAX_REQUEST = 16 * 1024
MAX_CONNECTIONS = 256
TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN_HEADER = "X-aws-ec2-metadata-token"
USER_DATA = b"#!/bin/sh\necho \x00\xff tested\r\n"

Answer = namedtuple("Answer", "status headers body")


class Cut(Exception):
    """The connection ended within an answer; `args[0]` is what had come of its body."""


class Client:
    """A connection that says exactly what it is told to."""

    def __init__(self, service):
        family = socket.AF_INET6 if service.host.startswith("[") else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(TIMEOUT_S)
        self.pending = b""
        try:
            self.socket.connect((service.host.strip("[]"), service.port))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, path, method="GET", body=b"", version="1.1", **headers):
        lines = [f"{method} {path} HTTP/{version}", "Host: test"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def more(self):
        data = self.socket.recv(65536)
        self.pending += data
        return len(data) > 0

    def answer(self, head_only=False):
        while b"\r\n\r\n" not in self.pending:
            if not self.more():
                raise Cut(self.pending)
        head, _, self.pending = self.pending.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip()
                   for name, _, value in (line.partition(":") for line in lines)}
        size = 0 if head_only else int(headers.get("content-length", sys.maxsize))
        while len(self.pending) < size:
            if not self.more():
                if "content-length" not in headers:
                    size = len(self.pending)
                    break
                raise Cut(self.pending)
        body, self.pending = self.pending[:size], self.pending[size:]
        return Answer(int(first.split()[1]), headers, body)

    def ask(self, path, method="GET", **headers):
        self.request(path, method, **headers)
        return self.answer(head_only=method == "HEAD")

    def token(self, seconds=60):
        return self.ask("/latest/api/token", "PUT", **{TTL_HEADER: seconds}).body.decode()

    def ended(self):
        """Whether the service closed the connection, with nothing more to say."""
        try:
            return self.pending == b"" and not self.more()
        except ConnectionResetError:
            return True


class ServiceCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="imds-")
        self.addCleanup(self.folder.cleanup)
        self.tree = os.path.join(self.folder.name, "tree")
        self.facts = imds_tree.make_tree(self.tree, user_data=USER_DATA)

    def start(self, *faults, **options):
        service = imds_run.Service(self.tree, self.folder.name, faults=faults, **options)
        # A sanitizer's finding is an exit code, too.
        self.addCleanup(lambda: self.assertEqual(service.stop(), 0))
        return service

    def connect(self, service):
        client = Client(service)
        self.addCleanup(client.socket.close)
        return client

    def client(self, *faults, **options):
        return self.connect(self.start(*faults, **options))

    def assertPage(self, answer, status):
        """An error with an XHTML page that says so."""
        self.assertEqual(answer.status, status)
        self.assertEqual(answer.headers["content-type"], "text/html")
        page = ElementTree.fromstring(answer.body)
        self.assertEqual(page.tag, "{http://www.w3.org/1999/xhtml}html")
        self.assertIn(str(status), "".join(page.itertext()))

    def assertQuiet(self, client):
        client.socket.settimeout(QUIET_S)
        with self.assertRaises(TimeoutError):
            client.more()


class Tokens(ServiceCase):
    def test_put_gives_a_token_that_opens(self):
        client = self.client(mode="v2")
        answer = client.ask("/latest/api/token", "PUT", **{TTL_HEADER: 21600})
        self.assertEqual(answer.status, 200)
        self.assertEqual(len(answer.body), TOKEN_SIZE)
        self.assertEqual(answer.headers[TTL_HEADER.lower()], "21600")
        item = client.ask("/latest/meta-data/instance-id", **{TOKEN_HEADER: answer.body.decode()})
        self.assertEqual(item.body.decode(), imds_tree.INSTANCE_ID)

    def test_tokens_differ_and_all_live(self):
        client = self.client(mode="v2")
        tokens = [client.token() for _ in range(5)]
        self.assertEqual(len(set(tokens)), 5)
        for token in tokens:
            self.assertEqual(client.ask("/latest/user-data", **{TOKEN_HEADER: token}).status, 200)

    def test_life_out_of_range_is_refused(self):
        client = self.client()
        for life in ("0", "21601", "-1", "60s", "", "99999999999999999999"):
            with self.subTest(life=life):
                answer = client.ask("/latest/api/token", "PUT", **{TTL_HEADER: life})
                self.assertPage(answer, 400)
        self.assertPage(client.ask("/latest/api/token", "PUT"), 400)
        self.assertEqual(len(client.token(1)), TOKEN_SIZE)

    def test_versioned_path_and_proxies_are_refused(self):
        client = self.client()
        life = {TTL_HEADER: 60}
        self.assertPage(client.ask("/2021-07-15/api/token", "PUT", **life), 403)
        self.assertPage(client.ask("/latest/api/token", "PUT", X_Forwarded_For="192.0.2.1", **life),
                        403)

    def test_token_path_takes_only_put(self):
        answer = self.client().ask("/latest/api/token")
        self.assertPage(answer, 405)
        self.assertEqual(answer.headers["allow"], "PUT")

    def test_token_expires(self):
        service = self.start(mode="v2")
        client = self.connect(service)
        token = client.token(1)
        self.assertEqual(client.ask("/latest/user-data", **{TOKEN_HEADER: token}).status, 200)
        time.sleep(1.05)
        self.assertPage(client.ask("/latest/user-data", **{TOKEN_HEADER: token}), 401)
        self.assertEqual([request.token for request in service.requests()],
                         ["none", "valid", "expired"])


class Modes(ServiceCase):
    def test_v2_needs_a_token(self):
        client = self.client(mode="v2")
        for path in ("/latest/user-data", "/", "/latest/meta-data/", "/latest/no-such-item"):
            with self.subTest(path=path):
                self.assertPage(client.ask(path), 401)
                self.assertPage(client.ask(path, **{TOKEN_HEADER: "x" * TOKEN_SIZE}), 401)

    def test_both_needs_none_but_refuses_a_bad_one(self):
        client = self.client()
        self.assertEqual(client.ask("/latest/user-data").body, USER_DATA)
        self.assertPage(client.ask("/latest/user-data", **{TOKEN_HEADER: "wrong"}), 401)

    def test_v1_knows_no_tokens(self):
        client = self.client(mode="v1")
        self.assertPage(client.ask("/latest/api/token", "PUT", **{TTL_HEADER: 60}), 404)
        self.assertEqual(client.ask("/latest/user-data", **{TOKEN_HEADER: "wrong"}).status, 200)


class Items(ServiceCase):
    def test_bytes_are_untouched(self):
        data = bytes(range(256)) * 64
        imds_tree.put_item(self.tree, "user-data", data)
        answer = self.client().ask("/latest/user-data")
        self.assertEqual(answer.body, data)
        self.assertEqual(answer.headers["content-type"], "application/octet-stream")

    def test_headers(self):
        moment = 1_600_000_000
        os.utime(imds_tree.item_path(self.tree, "meta-data/mac"), (moment, moment))
        headers = self.client().ask("/latest/meta-data/mac").headers
        self.assertEqual(headers["server"], "EC2ws")
        self.assertEqual(headers["content-type"], "text/plain")
        self.assertEqual(headers["last-modified"], "Sun, 13 Sep 2020 12:26:40 GMT")
        self.assertEqual(headers["content-length"], "17")
        self.assertIn("date", headers)

    def test_listing(self):
        client = self.client()
        placement = client.ask("/latest/meta-data/placement/")
        self.assertEqual(placement.body, b"availability-zone\navailability-zone-id\nregion")
        self.assertEqual(client.ask("/latest/meta-data/placement").body, placement.body)
        names = client.ask("/latest/meta-data/").body.decode().split("\n")
        self.assertEqual(names, sorted(names))
        self.assertIn("network/", names)
        self.assertIn("mac", names)
        self.assertEqual(client.ask("/latest/").body, b"dynamic\nmeta-data\nuser-data")
        self.assertIn(b"\nlatest", client.ask("/").body)

    def test_login_keys(self):
        client = self.client()
        base = "/latest/meta-data/public-keys/"
        self.assertEqual(client.ask(base).body, b"0=my-key")
        self.assertEqual(client.ask(base + "0/").body, b"openssh-key")
        key = client.ask(base + "0/openssh-key").body.decode()
        self.assertEqual(key, imds_tree.login_key("my-key"))
        for missing in ("1/openssh-key", "0=my-key/openssh-key", "0x/openssh-key",
                        "00/openssh-key"):
            with self.subTest(missing=missing):
                self.assertPage(client.ask(base + missing), 404)

    def test_versions(self):
        client = self.client()
        for version in ("latest", "1.0", "2009-04-04", "2021-07-15"):
            with self.subTest(version=version):
                self.assertEqual(client.ask(f"/{version}/user-data").body, USER_DATA)
        for version in ("2021-7-15", "newest", "1.1", "", "latest2"):
            with self.subTest(version=version):
                self.assertPage(client.ask(f"/{version}/user-data"), 404)

    def test_missing(self):
        imds_tree.put_item(self.tree, "meta-data/.hidden", "x")
        with open(os.path.join(self.tree, "outside"), "w", encoding="ascii") as out:
            out.write("x")
        os.mkfifo(imds_tree.item_path(self.tree, "meta-data/fifo"))
        client = self.client()
        for path in ("/latest/no-such-item", "/latest/user-data/", "/latest/user-data/x",
                     "/latest/meta-data/.hidden", "/latest/../outside", "/latest/%2e%2e/outside",
                     "/latest//user-data", "/outside", "/latest/meta-data/fifo",
                     "/latest/" + "x" * 300):
            with self.subTest(path=path):
                self.assertPage(client.ask(path), 404)
        self.assertNotIn(b".hidden", client.ask("/latest/meta-data/").body)

    def test_tree_may_change(self):
        client = self.client()
        imds_tree.put_item(self.tree, "meta-data/instance-id", "i-changed")
        self.assertEqual(client.ask("/latest/meta-data/instance-id").body, b"i-changed")
        imds_tree.remove_item(self.tree, "user-data")
        self.assertPage(client.ask("/latest/user-data"), 404)
        imds_tree.put_item(self.tree, "user-data", b"")
        answer = client.ask("/latest/user-data")
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_escaped_path(self):
        imds_tree.put_item(self.tree, "meta-data/tags/instance/a b", "tagged")
        client = self.client()
        self.assertEqual(client.ask("/latest/meta-data/tags/instance/a%20b").body, b"tagged")
        self.assertPage(client.ask("/latest/meta-data/tags/instance/a%2"), 400)


class Http(ServiceCase):
    def test_head(self):
        client = self.client()
        answer = client.ask("/latest/user-data", "HEAD")
        self.assertEqual(answer.headers["content-length"], str(len(USER_DATA)))
        self.assertEqual(client.ask("/latest/user-data").body, USER_DATA)

    def test_other_methods(self):
        client = self.client()
        for method in ("POST", "DELETE", "OPTIONS", "get"):
            with self.subTest(method=method):
                self.assertPage(client.ask("/latest/user-data", method), 405)
        self.assertPage(client.ask("/latest/user-data", "PUT"), 405)

    def test_keep_alive_and_close(self):
        service = self.start()
        client = self.connect(service)
        for _ in range(3):
            self.assertEqual(client.ask("/latest/user-data").headers["connection"], "keep-alive")
        answer = client.ask("/latest/user-data", Connection="close")
        self.assertEqual(answer.headers["connection"], "close")
        self.assertTrue(client.ended())
        self.assertEqual({request.connection for request in service.requests()}, {1})

    def test_http_1_0(self):
        client = self.client()
        client.send(b"GET /latest/user-data HTTP/1.0\r\n\r\n")
        self.assertEqual(client.answer().body, USER_DATA)
        self.assertTrue(client.ended())

    def test_pipeline_and_pieces(self):
        client = self.client()
        request = b"GET /latest/user-data HTTP/1.1\r\nHost: test\r\n\r\n"
        client.send(request * 20)
        self.assertEqual([client.answer().body for _ in range(20)], [USER_DATA] * 20)
        for byte in request:
            client.send(bytes([byte]))
        self.assertEqual(client.answer().body, USER_DATA)

    def test_body_is_skipped(self):
        client = self.client()
        client.request("/latest/api/token", "PUT", body=b"GET / HTTP/1.1\r\n\r\n",
                       Content_Length=18, **{TTL_HEADER: 60})
        self.assertEqual(len(client.answer().body), TOKEN_SIZE)
        self.assertEqual(client.ask("/latest/user-data").body, USER_DATA)

    def test_unreadable_requests(self):
        service = self.start()
        for status, request in (
                (400, b"GET /latest/user-data HTTP/1.1\r\n\r\n"),  # no Host
                (400, b"GET /latest/user-data\r\nHost: test\r\n\r\n"),
                (400, b"GET  /latest/user-data HTTP/1.1\r\nHost: test\r\n\r\n"),
                (400, b"GET http://test/ HTTP/1.1\r\nHost: test\r\n\r\n"),
                (400, b"GET / HTTP/1.1\r\nHost: test\r\n folded\r\n\r\n"),
                (400, b"GET / HTTP/1.1\r\nHost: test\r\nno colon\r\n\r\n"),
                (400, b"GET / HTTP/1.1\r\nHost: te\0st\r\n\r\n"),
                (400, b"GET / HTTP/1.1\r\nHost: test\r\n\0a: b\r\n\r\n"),
                (400, b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: -1\r\n\r\n"),
                (413, b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 16384\r\n\r\n"),
                (414, b"GET /" + b"x" * 2000 + b" HTTP/1.1\r\nHost: test\r\n\r\n"),
                (431, b"GET / HTTP/1.1\r\nHost: " + b"x" * MAX_REQUEST),
                (501, b"PUT / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"),
                (505, b"GET / HTTP/2.0\r\nHost: test\r\n\r\n")):
            with self.subTest(request=request[:60]), Client(service) as client:
                client.send(request)
                self.assertPage(client.answer(), status)
                self.assertTrue(client.ended())

    def test_noise_does_not_end_it(self):
        service = self.start("/latest/meta-data/*:slow=1", mode="v2")
        noise = random.Random(20)
        good = (b"PUT /latest/api/token HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n"
                + TTL_HEADER.encode() + b": 60\r\n\r\nabcGET /%41/../x HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in range(300):
            data = bytearray(good * noise.randrange(1, 4))
            for _ in range(noise.randrange(1, 12)):
                at = noise.randrange(len(data))
                data[at:at + noise.randrange(3)] = noise.randbytes(noise.randrange(3))
            with Client(service) as client:
                client.send(bytes(data))
        with Client(service) as client:
            self.assertEqual(len(client.token()), TOKEN_SIZE)

    def test_connections_are_bounded(self):
        service = self.start()
        clients = [self.connect(service) for _ in range(MAX_CONNECTIONS)]
        self.assertEqual(clients[-1].ask("/latest/user-data").status, 200)
        self.assertTrue(self.connect(service).ended())
        clients[0].socket.close()
        self.assertEqual(clients[1].ask("/latest/user-data").status, 200)
        self.assertEqual(self.connect(service).ask("/latest/user-data").status, 200)


class Faults(ServiceCase):
    def test_status(self):
        client = self.client("*/user-data:status=503,retry-after=7@1", "*/user-data:status=200@2",
                             "*/user-data:status=429,empty@3")
        answer = client.ask("/latest/user-data")
        self.assertPage(answer, 503)
        self.assertEqual(answer.headers["retry-after"], "7")
        self.assertPage(client.ask("/latest/user-data"), 200)
        answer = client.ask("/latest/user-data")
        self.assertEqual((answer.status, answer.body), (429, b""))
        self.assertNotIn("retry-after", answer.headers)
        self.assertEqual(client.ask("/latest/user-data").body, USER_DATA)

    def test_header_and_redirect(self):
        date = "Sun, 06 Nov 1994 08:49:37 GMT"
        client = self.client("*/mac:status=503", f"*/mac:header=Retry-After: {date}",
                             "*/user-data:redirect=http://user@192.0.2.1:80/@x")
        self.assertEqual(client.ask("/latest/meta-data/mac").headers["retry-after"], date)
        answer = client.ask("/latest/user-data")
        self.assertPage(answer, 302)
        self.assertEqual(answer.headers["location"], "http://user@192.0.2.1:80/@x")

    def test_silence(self):
        service = self.start("/latest/api/token:silence")
        client = self.connect(service)
        client.request("/latest/api/token", "PUT", **{TTL_HEADER: 60})
        self.assertQuiet(client)
        self.assertEqual(self.connect(service).ask("/latest/user-data").status, 200)
        self.assertEqual([(request.path, request.outcome) for request in service.requests()],
                         [("/latest/api/token", "silence"), ("/latest/user-data", "200")])

    def test_reset_and_close(self):
        service = self.start("*/user-data:reset@1", "*/user-data:close@2")
        client = self.connect(service)
        client.request("/latest/user-data")
        with self.assertRaises(ConnectionResetError):
            client.more()
        client = self.connect(service)
        client.request("/latest/user-data")
        self.assertFalse(client.more())
        self.assertEqual([request.outcome for request in service.requests()], ["reset", "close"])

    def test_slow(self):
        service = self.start("GET */user-data:slow=250@1-2", "*/user-data:status=404@2")
        client = self.connect(service)
        for expected in (200, 404):
            begin = time.monotonic()
            self.assertEqual(client.ask("/latest/user-data").status, expected)
            self.assertGreaterEqual(time.monotonic() - begin, 0.25)
        # Another connection is answered meanwhile, and who leaves is noted.
        slow = self.start("*/user-data:slow=60000")
        waiting = self.connect(slow)
        waiting.request("/latest/user-data")
        self.assertEqual(self.connect(slow).ask("/latest/meta-data/mac").status, 200)
        waiting.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        waiting.socket.close()
        deadline = time.monotonic() + TIMEOUT_S
        while len(slow.requests()) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual([request.outcome for request in slow.requests()], ["200", "gone"])

    def test_trickle(self):
        imds_tree.put_item(self.tree, "user-data", b"x" * 40)
        client = self.client("*/user-data:trickle=10/100")
        begin = time.monotonic()
        client.request("/latest/user-data")
        pieces = 0
        while not client.pending.endswith(b"x" * 40):
            self.assertTrue(client.more())
            pieces += 1
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)
        self.assertGreater(pieces, 1)
        self.assertEqual(len(client.answer().body), 40)

    def test_truncate(self):
        client = self.client("*/user-data:truncate=5")
        with self.assertRaises(Cut) as cut:
            client.ask("/latest/user-data")
        self.assertEqual(cut.exception.args[0], USER_DATA[:5])

    def test_wrong_length(self):
        service = self.start("*/user-data:length=+3@1", "*/user-data:length=-3@2")
        client = self.connect(service)
        client.request("/latest/user-data")
        with self.assertRaises(TimeoutError):
            client.socket.settimeout(QUIET_S)
            client.answer()
        self.assertEqual(client.pending, USER_DATA)
        client = self.connect(service)
        self.assertEqual(client.ask("/latest/user-data").body, USER_DATA[:-3])
        while len(client.pending) < 3:
            self.assertTrue(client.more())
        self.assertEqual(client.pending, USER_DATA[-3:])

    def test_huge(self):
        size = 3 * 1024 * 1024 + 1
        service = self.start("*/user-data:huge=3M@1", f"*/user-data:huge={size},unannounced@2")
        client = self.connect(service)
        self.assertEqual(len(client.ask("/latest/user-data").body), 3 * 1024 * 1024)
        answer = client.ask("/latest/user-data")
        self.assertEqual(len(answer.body), size)
        self.assertNotIn("content-length", answer.headers)
        self.assertTrue(client.ended())

    def test_huge_reader_that_leaves(self):
        service = self.start("*/user-data:huge=1G")
        with Client(service) as client:
            client.request("/latest/user-data")
            client.more()
        self.assertEqual(self.connect(service).ask("/latest/meta-data/mac").status, 200)

    def test_expire(self):
        service = self.start("*/mac:expire@2", mode="v2")
        client = self.connect(service)
        token = {TOKEN_HEADER: client.token()}
        statuses = [client.ask("/latest/meta-data/mac", **token).status for _ in range(3)]
        self.assertEqual(statuses, [200, 401, 401])
        token = {TOKEN_HEADER: client.token()}
        self.assertEqual(client.ask("/latest/meta-data/mac", **token).status, 200)
        self.assertEqual([request.token for request in service.requests()],
                         ["none", "valid", "invalid", "invalid", "none", "valid"])

    def test_garbage(self):
        client = self.client("*/user-data:garbage")
        client.request("/latest/user-data")
        while client.more():
            pass
        self.assertGreater(len(client.pending), 0)
        self.assertNotIn(b"HTTP", client.pending)

    def test_closing_after_the_answer(self):
        service = self.start("*/mac:connection-close", "*/user-data:hang-up")
        for path, said in (("/latest/meta-data/mac", "close"), ("/latest/user-data", "keep-alive")):
            with self.subTest(path=path), Client(service) as client:
                answer = client.ask(path)
                self.assertEqual((answer.status, answer.headers["connection"]), (200, said))
                self.assertTrue(client.ended())

    def test_windows_and_patterns(self):
        client = self.client("*/mac:status=501@2-3", "*/ipv6:status=501@2-",
                             "*/hostname:status=501@-1", "PUT *:status=501",
                             "*/macs/*:*/mac:status=501")
        for item, expected in (("mac", [200, 501, 501, 200]), ("ipv6", [200, 501, 501, 501]),
                               ("hostname", [501, 200, 200, 200]), ("ami-id", [200] * 4)):
            with self.subTest(item=item):
                self.assertEqual([client.ask(f"/latest/meta-data/{item}").status for _ in range(4)],
                                 expected)
        self.assertEqual(client.ask("/latest/api/token", "PUT", **{TTL_HEADER: 60}).status, 501)
        path = f"/latest/meta-data/network/interfaces/macs/{imds_tree.MAC}/mac"
        self.assertEqual(client.ask(path).status, 501)

    def test_wrong_specs_are_refused(self):
        for spec in ("", "*", "*:", ":silence", "*:unknown", "*:silence=1", "*:status",
                     "*:status=99", "*:status=abc", "*:status=503,retry-after=x",
                     "*:slow=-1", "*:slow=1x",
                     "*:trickle=10", "*:trickle=0/10", "*:truncate=", "*:length=", "*:huge=0",
                     "*:huge=99999999999G", "*:silence@0", "*:silence@3-2", "*:silence@1-2-3",
                     "*:silence@x", "OVERLONG *:silence", "*:header=", "x" * 300 + ":silence"):
            with self.subTest(spec=spec):
                run = subprocess.run([imds_run.program(), "--fault", spec, self.tree],
                                     timeout=TIMEOUT_S, stderr=subprocess.PIPE, check=False)
                self.assertEqual(run.returncode, 2)
                self.assertIn(b"--fault", run.stderr)


class Running(ServiceCase):
    def test_log(self):
        service = self.start("*/mac:status=503", mode="v2")
        before = time.clock_gettime(time.CLOCK_MONOTONIC) * 1000
        client = self.connect(service)
        token = client.token()
        client.ask("/latest/meta-data/mac?a=b%20c", **{TOKEN_HEADER: token})
        self.connect(service).ask("/latest/user-data")
        after = time.clock_gettime(time.CLOCK_MONOTONIC) * 1000
        requests = service.requests()
        self.assertEqual([request[1:] for request in requests],
                         [(1, "PUT", "/latest/api/token", "none", "200", []),
                          (1, "GET", "/latest/meta-data/mac?a=b%20c", "valid", "503", ["status"]),
                          (2, "GET", "/latest/user-data", "none", "401", [])])
        times = [before] + [request.ms for request in requests] + [after]
        self.assertEqual(times, sorted(times))

    def test_log_keeps_its_fields(self):
        service = self.start()
        with Client(service) as client:
            client.send(b"G\x01T /\x7f\xc3\xa9" + b"y" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            client.answer()
        request = service.requests()[0]
        self.assertEqual((request.method, request.outcome), ("G%01T", "400"))
        self.assertTrue(request.path.startswith("/%7F%C3%A9yyy"))
        self.assertLess(len(request.path), 640)

    def test_delayed_start_refuses(self):
        begin = time.monotonic()
        service = self.start(delay_start=0.6)
        with self.assertRaises(ConnectionRefusedError):
            Client(service)
        self.assertFalse(os.path.exists(service.ready_file))
        while not os.path.exists(service.ready_file):
            self.assertLess(time.monotonic() - begin, TIMEOUT_S)
            time.sleep(0.01)
        self.assertGreaterEqual(service.ready_ms() / 1000, begin + 0.6)
        self.assertEqual(self.connect(service).ask("/latest/user-data").body, USER_DATA)

    def test_ipv6(self):
        client = self.client(listen="[::1]:0", ipv6=True)
        self.assertEqual(client.ask("/latest/user-data").body, USER_DATA)

    def test_ends_on_signals(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                service = self.start("*/mac:slow=60000", "*/user-data:silence")
                for path in ("/latest/meta-data/mac", "/latest/user-data",
                             "/latest/meta-data/ipv6"):
                    self.connect(service).request(path)
                service.process.send_signal(number)
                self.assertEqual(service.process.wait(TIMEOUT_S), 0)
                self.assertFalse(os.path.exists(service.port_file))

    def test_wrong_command_lines(self):
        for code, arguments in ((2, []), (2, ["--mode", "v3", self.tree]),
                                (2, ["--no-such", self.tree]), (2, [self.tree, self.tree]),
                                (2, ["--delay-start", "x", self.tree]),
                                (1, ["--listen", "127.0.0.1", self.tree]),
                                (1, ["--listen", "localhost:0", self.tree]),
                                (1, ["--listen", "127.0.0.1:65536", self.tree]),
                                (1, ["--listen-v6", "[::1:0", self.tree]),
                                (1, [os.path.join(self.tree, "missing")])):
            with self.subTest(arguments=arguments):
                run = subprocess.run([imds_run.program(), *arguments], stderr=subprocess.PIPE,
                                     timeout=TIMEOUT_S, check=False)
                self.assertEqual(run.returncode, code)
                self.assertIn(b"imds: ", run.stderr)

    def test_help_names_every_fault(self):
        text = subprocess.run([imds_run.program(), "--help"], stdout=subprocess.PIPE,
                              check=True).stdout
        for kind in (b"status=", b"silence", b"reset", b"close", b"slow=", b"trickle=",
                     b"truncate=", b"length=", b"redirect=", b"huge=", b"expire", b"garbage"):
            self.assertIn(kind, text)


class Tree(ServiceCase):
    def test_document_agrees_with_items(self):
        client = self.client()
        document = json.loads(client.ask("/latest/dynamic/instance-identity/document").body)
        for key, item in (("instanceId", "instance-id"), ("region", "placement/region"),
                          ("availabilityZone", "placement/availability-zone"),
                          ("privateIp", "local-ipv4"), ("imageId", "ami-id"),
                          ("instanceType", "instance-type")):
            with self.subTest(key=key):
                value = client.ask(f"/latest/meta-data/{item}").body.decode()
                self.assertEqual(value, document[key])

    def test_choices_reach_the_tree(self):
        tree = os.path.join(self.folder.name, "other")
        imds_tree.make_tree(tree, instance_id="i-other", region="us-west-2",
                            hostname="web.example.org", public_key=None, public_ipv4="",
                            role=None, tags={"Stage": "test"}, spot_action="terminate")
        service = imds_run.Service(tree, self.folder.name)
        self.addCleanup(service.stop)
        client = self.connect(service)
        for item, value in (("instance-id", b"i-other"),
                            ("placement/availability-zone", b"us-west-2a"),
                            ("hostname", b"web.example.org"), ("tags/instance/", b"Stage")):
            self.assertEqual(client.ask(f"/latest/meta-data/{item}").body, value)
        self.assertIn(b"terminate", client.ask("/latest/meta-data/spot/instance-action").body)
        for item in ("public-keys/", "public-ipv4", "public-hostname", "iam/", "../user-data"):
            self.assertEqual(client.ask(f"/latest/meta-data/{item}").status, 404)


if __name__ == "__main__":
    unittest.main()
