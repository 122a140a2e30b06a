#!/usr/bin/python3
"""Requests by support/http.h: limits, faults and their words, many at once, TLS, proxies."""

import errno
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from agent import is_sanitized
from support import ask
from web import Answer, Web

BIG = os.urandom(1 << 20)


class HttpTest(unittest.TestCase):
    maxDiff = None

    def serve(self, answers, **how):
        web = Web(answers, **how)
        web.__enter__()
        self.addCleanup(web.__exit__)
        return web

    def call(self, *requests, **variables):
        return ask("http_call", list(requests), variables)

    def get(self, url, **request):
        return self.call({"url": url, **request})[0]

    def assert_failed(self, answer, number, *words):
        self.assertEqual(answer["result"], -number, answer)
        for word in words:
            self.assertIn(word, answer["why"])


class RawServer:
    """Takes connections, reads a request, and does as a function of the socket says."""

    def __init__(self, behave):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.count = 0
        self._behave = behave
        threading.Thread(target=self._run, daemon=True).start()

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def _run(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        with connection:
            connection.settimeout(20)
            request = b""
            while b"\r\n\r\n" not in request:
                got = connection.recv(65536)
                if not got:
                    return
                request += got
            self._behave(connection, request)

    def close(self):
        self._socket.close()


class Requests(HttpTest):
    def test_what_is_sent(self):
        seen = []

        def behave(connection, request):
            seen.append(request)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nX-A: 2\r\n"
                               b"X-Empty:\r\n\r\nhi")

        server = RawServer(behave)
        self.addCleanup(server.close)
        answer = self.get(server.url("/a/../b//%7e?q=%2F"), headers=["X-One: 1", "X-None:"],
                          show=["x-a", "X-EMPTY", "X-Not"])
        self.assertEqual((answer["result"], answer["status"], answer["body"]), (0, 200, "hi"))
        self.assertEqual(answer["headers"], {"x-a": "1", "X-EMPTY": "", "X-Not": None})
        lines = seen[0].decode().split("\r\n")
        self.assertEqual(lines[0], "GET /a/../b//%7e?q=%2F HTTP/1.1")
        self.assertIn("X-One: 1", lines)
        self.assertIn("X-None:", lines)
        self.assertFalse(any(line.lower().startswith(("expect", "accept-encoding"))
                             for line in lines))

    def test_methods_and_bodies(self):
        web = self.serve({"/": b"ok"})
        for request in ({"method": "POST", "body": "x=1"}, {"method": "PUT"},
                        {"method": "PUT", "give": 2500000}, {"method": "HEAD"}):
            answer = self.get(web.url("/"), **request)
            self.assertEqual((answer["result"], answer["status"]), (0, 200), answer)
        self.assertEqual([(one[0], len(one[3])) for one in web.requests],
                         [("POST", 3), ("PUT", 0), ("PUT", 2500000), ("HEAD", 0)])
        alphabet = bytes(ord("a") + i % 26 for i in range(2500000))
        self.assertEqual(web.requests[2][3], alphabet)

    def test_requests_that_are_none(self):
        for url, words in (("", "no URL"), ("file:///etc/passwd", "neither http:// nor https://"),
                           ("ftp://h/", "neither"), ("http://h/a b", "percent-encoded"),
                           ("http://h/\r\nX: y", "percent-encoded"), ("http://", "URL is none"),
                           ("http://h/" + "a" * 20000, "too long")):
            self.assert_failed(self.get(url), errno.EINVAL, words)
        for header in ("X", ": y", "X: a\r\nY: b"):
            self.assert_failed(self.get("http://127.0.0.1:9/", headers=[header]), errno.EINVAL,
                               "header")

    def test_fetch_wants_success(self):
        web = self.serve({"/a": b"x", "/b": Answer(302, headers={"Location": "/a"}),
                          "/c": Answer(403), "/d": Answer(500)})
        for path, number, words in (("/e", errno.ENOENT, "/e answers 404 Not Found"),
                                    ("/b", errno.EIO, "answers 302 Found, which leads elsewhere"),
                                    ("/c", errno.EACCES, "403 Forbidden"),
                                    ("/d", errno.EIO, "500 Internal Server Error")):
            answer = self.get(web.url(path) + "?secret=1", kind="fetch")
            self.assert_failed(answer, number, words)
            self.assertNotIn("secret", answer["why"])
        self.assertEqual(self.get(web.url("/a"), kind="fetch")["result"], 0)

    def test_credentials_in_a_url_are_in_no_words(self):
        answer = self.get("http://user:geheim@127.0.0.1:9/?geheim")
        self.assertNotIn("geheim", answer["why"])


class Redirects(HttpTest):
    def test_followed_where_asked(self):
        web = self.serve({"/a": Answer(302, headers={"Location": "/b"}), "/b": b"there",
                          "/loop": Answer(302, headers={"Location": "/loop"})})
        self.assertEqual(self.get(web.url("/a"))["status"], 302)
        answer = self.get(web.url("/a"), redirects=3, sink=0)
        self.assertEqual((answer["status"], answer["taken"]), (200, 5))
        self.assert_failed(self.get(web.url("/loop"), redirects=3), errno.ELOOP)

    def test_never_to_another_protocol(self):
        web = self.serve({"/a": Answer(302, headers={"Location": "file:///etc/hostname"})})
        self.assertLess(self.get(web.url("/a"), redirects=3)["result"], 0)
        plain = self.serve({"/b": b"x"})
        tls = self.serve({"/a": Answer(302, headers={"Location": plain.url("/b")})}, tls=True)
        answer = self.call({"url": tls.url("/a"), "redirects": 3},
                           SSL_CERT_FILE=tls.authority)[0]
        self.assertLess(answer["result"], 0)
        self.assertEqual(plain.requests, [])

    def test_authorization_does_not_go_along(self):
        other = self.serve({"/b": b"x"})
        web = self.serve({"/a": Answer(302, headers={"Location": other.url("/b")})})
        self.get(web.url("/a"), redirects=1, headers=["Authorization: geheim"])
        self.assertEqual(web.requests[0][2]["Authorization"], "geheim")
        self.assertNotIn("Authorization", other.requests[0][2])


class Limits(HttpTest):
    def raw(self, behave):
        server = RawServer(behave)
        self.addCleanup(server.close)
        return server

    def test_body(self):
        web = self.serve({"/": BIG})
        self.assert_failed(self.get(web.url("/"), body_max=1000), errno.EFBIG,
                           "more than the limit of 1000 bytes")
        self.assertEqual(self.get(web.url("/"), sink=0)["taken"], len(BIG))

    def test_silence(self):
        server = self.raw(lambda connection, _: time.sleep(10))
        start = time.monotonic()
        self.assert_failed(self.get(server.url(), stall_s=1), errno.ETIMEDOUT,
                           f"127.0.0.1 port {server.port} was silent for 1 s")
        self.assert_failed(self.get(server.url(), overall_s=1), errno.ETIMEDOUT,
                           "did not answer whole within 1 s")
        self.assertLess(time.monotonic() - start, 9)

    def test_silence_within_a_body(self):
        def behave(connection, _):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            time.sleep(10)

        self.assert_failed(self.get(self.raw(behave).url(), stall_s=1, sink=0), errno.ETIMEDOUT,
                           "was silent for 1 s")

    def test_headers_without_end(self):
        def behave(connection, _):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            try:
                for number in range(100000):
                    connection.sendall(b"X-%d: %s\r\n" % (number, b"a" * 1000))
            except OSError:
                pass

        answer = self.get(self.raw(behave).url())
        self.assert_failed(answer, errno.EPROTO, "headers")

    def test_a_connection_that_does_not_come(self):
        """A listener whose queue is full: the kernel answers nothing."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
            place = server.getsockname()
            others = [socket.socket() for _ in range(4)]
            for other in others:
                other.setblocking(False)
                other.connect_ex(place)
            answer = self.get(f"http://127.0.0.1:{place[1]}/", connect_s=1)
            for other in others:
                other.close()
        self.assert_failed(answer, errno.ETIMEDOUT, "no connection to 127.0.0.1 port", "within 1 s")


class Faults(HttpTest):
    def raw(self, answer, times=None):
        def behave(connection, _):
            connection.sendall(answer if times is None or server.count <= times else
                               b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        server = RawServer(behave)
        self.addCleanup(server.close)
        return server

    def test_what_is_not_whole(self):
        for answer in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                       b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"):
            self.assert_failed(self.get(self.raw(answer).url()), errno.ECONNRESET,
                               "broke the connection off")

    def test_what_is_no_http(self):
        for answer in (b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x01\x00\x02\x02"):
            self.assert_failed(self.get(self.raw(answer).url()), errno.EPROTO,
                               "did not answer as HTTP is")

    def test_refusal_whose_body_breaks_off(self):
        answer = self.get(self.raw(
            b"HTTP/1.1 503 X\r\nContent-Length: 100\r\nRetry-After: 0\r\n\r\nabc").url())
        self.assertEqual((answer["result"], answer["status"], answer["body"]), (0, 503, "abc"))

    def test_endless_refusal(self):
        server = self.raw(b"HTTP/1.1 404 X\r\n\r\n" + b"x" * (1 << 20))
        answer = self.get(server.url())
        self.assertEqual((answer["result"], answer["status"]), (0, 404))
        self.assertEqual(len(answer["body"]), 64 << 10)

    def test_interim_answers_are_passed_over(self):
        answer = self.get(self.raw(b"HTTP/1.1 103 Early Hints\r\nX-A: early\r\n\r\n"
                                   b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na").url(),
                          show=["X-A"])
        self.assertEqual((answer["status"], answer["headers"]["X-A"]), (200, None))

    def test_nothing_listens(self):
        self.assert_failed(self.get("http://127.0.0.1:9/"), errno.ECONNREFUSED,
                           "cannot connect to 127.0.0.1 port 9: Connection refused")

    def test_name_that_is_not_known(self):
        self.assert_failed(self.get("http://bootlace.invalid/"), errno.EHOSTUNREACH,
                           "no address is known for bootlace.invalid port 80")

    def test_sink_and_source_that_give_up(self):
        web = self.serve({"/": BIG})
        self.assert_failed(self.get(web.url("/"), sink=100000), errno.ENOSPC,
                           "given up here: No space left")
        self.assert_failed(self.get(web.url("/"), method="PUT", give=3000000, give_up=1000000),
                           errno.EIO)

    def test_attempts(self):
        server = self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", times=2)
        answer = self.get(server.url(), attempts=4, sink=0)
        self.assertEqual((answer["result"], answer["attempts"], answer["restarts"]), (0, 3, 2))
        self.assertEqual(answer["taken"], 2)
        web = self.serve({"/": Answer(503, times=1, then=b"ok"), "/never": Answer(503)})
        answer = self.get(web.url("/"), attempts=3)
        self.assertEqual((answer["status"], answer["body"], answer["attempts"]), (200, "ok", 2))
        answer = self.get(web.url("/never"), attempts=2)
        self.assertEqual((answer["result"], answer["status"], answer["attempts"]), (0, 503, 2))
        # What will not be otherwise the next time is not repeated.
        self.assertEqual(self.get(web.url("/not-there"), attempts=5)["attempts"], 1)


class Many(HttpTest):
    def test_at_once_over_few_connections(self):
        served = set()

        class Counted(Web):
            def _answer(self, handler):
                served.add(handler.client_address)
                super()._answer(handler)

        web = Counted({"/": b"x" * 4096})
        web.__enter__()
        self.addCleanup(web.__exit__)
        answer = self.call({"url": web.url("/"), "times": 600, "width": 16})[0]
        self.assertEqual(answer, {"left": 0, "good": 600})
        self.assertLessEqual(len(served), 16)

    def test_memory_is_bounded(self):
        """64 MiB through a sink, in less memory than that by far."""
        web = self.serve({"/": b"\0" * (64 << 20)})
        answer = self.get(web.url("/"), sink=0)
        self.assertEqual(answer["taken"], 64 << 20)
        if not is_sanitized():
            self.assertLess(answer["memory_kb"], 32 << 10)


class Tls(HttpTest):
    def test_authorities(self):
        web = self.serve({"/": b"ok"}, tls=True)
        url = {"url": web.url("/", "localhost")}
        for variable in ("AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            self.assertEqual(self.call(url, **{variable: web.authority})[0]["body"], "ok")
        self.assert_failed(self.call(url)[0], errno.EPROTO, "the certificate of localhost port",
                           "not trusted", "clock")
        self.assert_failed(self.call(url, SSL_CERT_FILE="/nonexistent")[0], errno.EPROTO,
                           "cannot be read")

    def folder_of(self, authority):
        """A folder that holds the authority under its hash."""
        folder = tempfile.mkdtemp(prefix="bootlace-authorities-")
        self.addCleanup(shutil.rmtree, folder)
        shutil.copy(authority, os.path.join(folder, "authority.pem"))
        subprocess.run(["openssl", "rehash", folder], check=True)
        return folder

    def test_authorities_in_a_folder(self):
        web = self.serve({"/": b"ok"}, tls=True)
        answer = self.call({"url": web.url("/", "localhost")},
                           SSL_CERT_DIR=self.folder_of(web.authority))[0]
        self.assertEqual(answer["body"], "ok")

    @unittest.skipIf(os.geteuid(), "needs root for a mount of its own")
    def test_the_system_s_authorities(self):
        """/etc/ssl/certs, where certificates are under their hashes, is enough."""
        web = self.serve({"/": b"ok"}, tls=True)
        mount = f'mount --bind "{self.folder_of(web.authority)}" /etc/ssl/certs && exec "$@"'
        answer = ask("http_call", [{"url": web.url("/", "localhost")}],
                     wrapper=["unshare", "--mount", "sh", "-c", mount, "sh"])[0]
        self.assertEqual(answer["body"], "ok", answer)

    def test_other_name(self):
        web = self.serve({"/": b"ok"}, tls=True)
        answer = self.call({"url": web.url("/", "127.0.0.2")}, SSL_CERT_FILE=web.authority)[0]
        self.assertLess(answer["result"], 0)

    def test_no_tls_there(self):
        web = self.serve({"/": b"ok"})
        self.assert_failed(self.get(web.url("/").replace("http:", "https:")), errno.EPROTO,
                           "no TLS with 127.0.0.1")


class Proxies(HttpTest):
    def test_environment_s(self):
        proxy = self.serve({"http://example.invalid/a": b"by proxy"})
        variables = {"http_proxy": proxy.url()}
        answer = self.call({"url": "http://example.invalid/a"}, **variables)[0]
        self.assertEqual(answer["body"], "by proxy")
        answer = self.call({"url": "http://127.0.0.1:9/"}, **variables, no_proxy="127.0.0.1")[0]
        self.assertEqual(answer["result"], -errno.ECONNREFUSED)

    @unittest.skipIf(os.geteuid(), "needs root for a network namespace of its own")
    def test_none_for_link_local(self):
        """Where loopback is all there is, the proxy refuses, and there is no other way."""
        urls = ["http://192.0.2.1/", "http://169.254.169.254/", "http://[fd00:ec2::254]/",
                "http://[fe80::1]/"]
        results = [answer["result"] for answer in ask(
            "http_call", [{"url": url, "connect_s": 2} for url in urls],
            {"http_proxy": "http://127.0.0.1:9"},
            wrapper=["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"])]
        self.assertEqual(results[0], -errno.ECONNREFUSED)
        self.assertNotIn(-errno.ECONNREFUSED, results[1:])


if __name__ == "__main__":
    unittest.main()
