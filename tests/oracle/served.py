"""An HTTP service on the loopback of a network namespace of its own, for includes.

The namespace is entered by the whole process, and by all that it starts from then on: so the
addresses that stand in the cases are the same everywhere and belong to nobody else.
"""

import ctypes
import http.server
import os
import subprocess
import threading

PORT = 8099
CLONE_NEWNET = 0x40000000
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "served")


class Answers(http.server.SimpleHTTPRequestHandler):
    """The files of the folder; /redirect leads to one, /error is none."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, directory=FOLDER, **named)

    def do_GET(self):
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/script")
            self.end_headers()
        elif self.path == "/error":
            self.send_error(500)
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


def enter_namespace():
    """A network namespace with nothing but a loopback, for this process and what it starts."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "no network namespace of our own")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def start():
    """Serves until the process ends."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
