"""What the tests' name servers share: the throw-away root that they and their tools run in, their
keys and zones, and questions about what is in the zones.

The servers listen on 127.0.0.1 and a port of their own, or where they are told in a network
namespace.
"""

import base64
import secrets
import socket
import tempfile
import time

import host
import roots

PACKAGES = ("bind9", "bind9-dnsutils", "faketime", "knot", "knot-dnsutils")
START_LIMIT_S = 20
FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"

FORWARD = "example.com"
REVERSE_V4 = "2.0.192.in-addr.arpa"
REVERSE_V6 = "8.b.d.0.1.0.0.2.ip6.arpa"
CLOSED = "static.example"  # takes no updates
OPEN = "open.example"  # takes them from 127.0.0.1, signed or not

# Key names and what they are made by; the server knows all of them but the last.
KEYS = {"upd.example.com": "hmac-sha256", "long.example.com": "hmac-sha512",
        "short.example.com": "hmac-sha1", "old.example.com": "hmac-md5",
        "stranger.example.com": "hmac-sha256"}
FORBIDDEN = "stranger.example.com"  # known, and allowed nothing


def make_secrets():
    """One for each key."""
    return {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in KEYS}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def zone_text(more=""):
    """A zone with what every zone must have, and more."""
    return ("$TTL 60\n@ IN SOA ns.example.com. admin.example.com. 1 60 60 600 60\n"
            "@ IN NS ns.example.com.\n" + more)


def nsupdate_text(address, port, key, secret, *lines):
    """What nsupdate is told."""
    return "\n".join([f"server {address} {port}", f"key {KEYS[key]}:{key} {secret}", *lines, "send",
                      ""])


class NameServer:
    """A server in a copy of a root: `with Bind(copy) as server:`; subclasses say how."""

    name = None

    def __init__(self, copy, address="127.0.0.1", port=None, netns=None, clock=None, keys=None):
        self.copy = copy
        self.netns = netns
        self.address = address
        self.port = port or free_port()
        self.clock = clock  # what libfaketime makes of the time: "+1h"
        self.secrets = {**make_secrets(), **(keys or {})}  # in base64
        self.folder = f"/srv/{self.name}-{secrets.token_hex(3)}"
        self._log = tempfile.NamedTemporaryFile(prefix=f"bootlace-{self.name}-")

    # ---- to be said by subclasses ----

    def prepare(self):
        """Writes the server's files."""
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    # ---- life ----

    def __enter__(self):
        self.copy.path(self.folder).mkdir(parents=True, mode=0o755)
        self.prepare()
        command = self.command()
        if self.clock:
            command = ["/bin/sh", "-c", f"LD_PRELOAD=$(echo {FAKETIME}) exec \"$@\"", "sh",
                       *command]
        clock = {"FAKETIME": self.clock, "DONT_FAKE_MONOTONIC": "1"} if self.clock else {}
        self._process = self.copy.start(command, self._log.name, netns=self.netns, **clock)
        try:
            host.wait_until(f"{self.name} to answer", self._answers, limit=START_LIMIT_S)
        except BaseException as failure:
            said = self.log()
            self.__exit__()
            raise host.RigError(f"{failure}\n{said}") from failure
        return self

    def __exit__(self, *_):
        roots.end(self._process)
        self._log.close()

    def _answers(self):
        if self._process.poll() is not None:
            raise host.RigError(f"{self.name} ended with {self._process.returncode}")
        return self.dig(FORWARD, "SOA") != []

    def log(self):
        with open(self._log.name, encoding="utf-8", errors="replace") as text:
            return text.read()

    def put(self, name, text):
        self.copy.put(f"{self.folder}/{name}", text)

    # ---- what tests ask ----

    def in_copy(self, *argv, **how):
        """A program of the copy, in the server's network."""
        enter = ["nsenter", f"--net=/run/netns/{self.netns}", "--"] if self.netns else []
        return host.run([*enter, "chroot", self.copy.root, *argv], **how)

    def dig(self, name, kind, key=None):
        """What dig sees of a name: its values."""
        return [fields[4] for fields in self.records(name, kind, key)]

    def records(self, name, kind, key=None):
        """Its records, as (name, time to live, class, type, value)."""
        signed = [f"-y{KEYS[key]}:{key}:{self.secrets[key]}"] if key else []
        done = self.in_copy("dig", f"@{self.address}", "-p", str(self.port), "+noall", "+answer",
                            "+time=2", "+tries=1", "+tcp", *signed, name, kind, check=False)
        return [tuple(line.split(None, 4)) for line in done.stdout.splitlines()
                if line and not line.startswith(";")]

    def serial(self, zone=FORWARD):
        """The zone's serial number: another one after each change."""
        return self.dig(zone, "SOA")[0].split()[2]

    def nsupdate(self, *lines, key="upd.example.com"):
        """An update by the oracle."""
        return self.in_copy("nsupdate", "-v", input=nsupdate_text(
            self.address, self.port, key, self.secrets[key], *lines))

    def settings(self, key="upd.example.com", **more):
        """The module's `server`."""
        tsig = {"tsig": {"name": key, "algorithm": KEYS[key], "secret": self.secrets[key]}} \
            if key else {}
        return {"address": self.address, "port": self.port, **tsig, **more}
