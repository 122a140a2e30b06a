"""A proxy between a client and an HTTP server on loopback that does harm as it is told: it answers
by itself, cuts answers off, changes them, waits, or does something before a request goes on.

It passes on everything as it is, the Host header too, so signatures stay true.
"""

import http.client
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = 65536
UPSTREAM_LIMIT_S = 60
# Of one connection alone (RFC 9110, 7.6.1), and what the server here writes by itself.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "date", "server"}


def error_xml(code, message="made up by the test"):
    """The body of an S3 error."""
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"


class Fault:
    """What to do with requests whose "METHOD PATH?QUERY" the pattern is found in, `times` times
    after the first `after` of them; for good where times is None.

    status, body, headers   an answer instead of the server's
    cut                     the connection is closed after so many bytes of the server's body
    change                  a function of the server's body (bytes), which returns another one
    add, drop               headers that the server's answer gets, and loses
    before                  a function of the request, called before it goes on
    delay                   seconds to wait before it goes on
    """

    def __init__(self, pattern, *, times=1, after=0, status=None, body="", headers=None, cut=None,
                 change=None, add=None, drop=(), before=None, delay=0):
        self.pattern = re.compile(pattern)
        self.left, self.after = times, after
        self.status, self.body, self.headers = status, body, headers or {}
        self.cut, self.change, self.add, self.drop = cut, change, add or {}, drop
        self.before, self.delay = before, delay
        self.hits = 0

    def takes(self, words):
        """Whether it is this request's turn; called under the proxy's lock."""
        if not self.pattern.search(words) or self.left == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.left is not None:
            self.left -= 1
        self.hits += 1
        return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = UPSTREAM_LIMIT_S

    def log_message(self, *_):
        pass

    def _fault(self):
        with self.server.lock:
            words = f"{self.command} {self.path}"
            self.server.requests.append((words, dict(self.headers)))
            for fault in self.server.faults:
                if fault.takes(words):
                    return fault
        return None

    def _answer(self, fault):
        body = fault.body.encode() if isinstance(fault.body, str) else fault.body
        self.send_response(fault.status)
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _upstream(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream,
                                                timeout=UPSTREAM_LIMIT_S)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "expect"):
                connection.putheader(name, value)
        connection.endheaders(body)
        return connection

    def _pass_on(self, response, fault):
        headers = [(name, value) for name, value in response.getheaders()
                   if name.lower() not in HOP_BY_HOP
                   and not (fault and name.lower() in fault.drop)]
        changed = fault.change(response.read()) if fault and fault.change else None
        if changed is None and response.length is None and self.command != "HEAD":
            changed = response.read()
        # What came in chunks has a length only now.
        if changed is not None and not any(name.lower() == "content-length"
                                           for name, _ in headers):
            headers.append(("Content-Length", ""))
        self.send_response(response.status)
        for name, value in headers + list(fault.add.items() if fault else []):
            if name.lower() == "content-length" and changed is not None:
                value = str(len(changed))
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if changed is not None:
            self.wfile.write(changed)
            return
        self._pass_body(response, fault.cut if fault else None)

    def _pass_body(self, response, cut):
        while cut is None or cut > 0:
            chunk = response.read(CHUNK if cut is None else min(CHUNK, cut))
            if not chunk:
                return
            self.wfile.write(chunk)
            if cut is not None:
                cut -= len(chunk)
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _serve(self):
        fault = self._fault()
        if self.headers.get("Expect"):
            self.send_response_only(100)
            self.end_headers()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault and fault.before:
            fault.before(self)
        if fault and fault.delay:
            time.sleep(fault.delay)
        if fault and fault.status:
            self._answer(fault)
            return
        connection = self._upstream(body)
        try:
            self._pass_on(connection.getresponse(), fault)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            connection.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def handle_expect_100(self):
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # clients that go are part of the tests


class Proxy:
    """`with Proxy(port) as proxy:` it listens at proxy.endpoint, and asks the server at that port
    of loopback. proxy.faults is a list of Fault, proxy.requests what was asked:
    ("METHOD PATH", headers)."""

    def __init__(self, upstream):
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.upstream = upstream
        self._server.lock = threading.Lock()
        self._server.faults = self.faults = []
        self._server.requests = self.requests = []

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fault(self, pattern, **how):
        """Adds a fault and returns it."""
        fault = Fault(pattern, **how)
        self.faults.append(fault)
        return fault

    def forget(self):
        """Neither faults nor requests any more."""
        self.faults.clear()
        self.requests.clear()

    def asked(self, pattern):
        """The requests whose "METHOD PATH" the pattern is found in."""
        return [words for words, _ in self.requests if re.search(pattern, words)]
