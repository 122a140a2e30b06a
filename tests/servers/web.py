"""A small web server for tests, on a port of its own at 127.0.0.1, with TLS where it is asked to.

    with Web({"/a": b"text", "/b": Answer(503, times=2, then=b"at last")}) as web:
        web.url("/a"), web.requests

Certificates are made anew, by openssl(1); web.authority is the file that vouches for them.
"""

import os
import ssl
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer:
    """An answer other than 200 at once: for the first `times` requests (None: for ever)."""

    def __init__(self, status=200, *, body=b"", headers=None, times=None, then=b"", delay=0,
                 cut=None):
        self.status = status
        self.body = body
        self.headers = headers or {}
        self.times = times
        self.then = then
        self.delay = delay
        self.cut = cut  # so many bytes of the body, and the connection ends


class Web:
    def __init__(self, answers, *, tls=False, host="127.0.0.1"):
        self.answers = answers
        self.requests = []
        self._counts = {}
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="bootlace-web-")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer._answer(self)

            do_POST = do_PUT = do_HEAD = do_GET

            def log_message(self, *_arguments):
                pass

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        self.scheme = "http"
        self.authority = None
        if tls:
            self.scheme = "https"
            self._server.socket = self._tls().wrap_socket(self._server.socket, server_side=True)

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error):
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    @property
    def port(self):
        return self._server.server_address[1]

    def url(self, path="", host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}{path}"

    def paths(self):
        return [request[1] for request in self.requests]

    def _tls(self):
        self.authority = os.path.join(self._folder.name, "certificate.pem")
        key = os.path.join(self._folder.name, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
                        self.authority], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]})
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority, key)
        return context

    def _answer(self, handler):
        path = handler.path.split("?")[0]
        size = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(size)
        with self._lock:
            self.requests.append((handler.command, handler.path, dict(handler.headers), body))
            self._counts[path] = self._counts.get(path, 0) + 1
            count = self._counts[path]
        answer = self.answers.get(path, Answer(404, body=b"<html>not here</html>"))
        if isinstance(answer, bytes):
            answer = Answer(body=answer)
        if answer.times is not None and count > answer.times:
            answer = Answer(body=answer.then)
        time.sleep(answer.delay)
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        if answer.cut is not None:
            handler.wfile.write(answer.body[:answer.cut])
            handler.wfile.flush()
            handler.close_connection = True
            return
        if handler.command != "HEAD":
            handler.wfile.write(answer.body)
