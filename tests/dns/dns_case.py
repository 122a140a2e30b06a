"""What the tests of the dns module share: it called on a tree of the test's own, and name servers
in a copy of a root, started once for all tests of a class."""

import json
import unittest

import host
import name_servers
import roots
from module_call import ModuleTest

METADATA = {"local-ipv4": "192.0.2.80", "public-ipv4": "203.0.113.9", "ipv6": "2001:db8::80",
            "public-hostname": "ec2-203-0-113-9.compute-1.amazonaws.com",
            "local-hostname": "ip-192-0-2-80.ec2.internal"}
STATE = "var/lib/bootlace/modules/dns.json"


class DnsTest(ModuleTest):
    module = "dns"

    def register(self, *items, metadata=None, **how):
        """The module called with these items. No secret is ever seen in what it says."""
        called = self.call({"dns": list(items)}, metadata={**METADATA, **(metadata or {})}, **how)
        seen = f"{called.log}{called.result}{called.items}"
        for item in items:
            secret = item.get("server", {}).get("tsig", {}).get("secret")
            self.assertNotIn(secret or "a secret that is none", seen)
            if self.exists(STATE):
                self.assertNotIn(secret or "a secret that is none", self.text(STATE))
        return called

    def assert_registered(self, status, *items, **how):
        called = self.register(*items, **how)
        self.assertEqual(called.status, status, called)
        return called

    def assert_refused(self, message, *items, **how):
        """It fails, and says so in these words."""
        called = self.assert_registered("failed", *items, **how)
        self.assertRegex(called.message, message)
        return called

    def assert_stopped(self, status, *items, **how):
        return self.assert_registered(status, *items, phase="stop", **how)

    def state(self):
        return json.loads(self.text(STATE))


def needs_servers(test):
    missing = host.missing()
    return unittest.skipIf(missing, f"name servers want {'; '.join(missing)}")(test)


class ServerTest(DnsTest):
    """A test with one server."""

    server_class = None
    how = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        copy = cls.enterClassContext(roots.Copy(name_servers.PACKAGES))
        cls.server = cls.enterClassContext(cls.server_class(copy, **cls.how))

    def item(self, name, key="upd.example.com", server=None, **more):
        """An item of the key `dns` for the server of the class."""
        return {"name": name, "server": self.server.settings(key, **(server or {})), **more}

    def assert_dig(self, name, kind, *expected):
        self.assertEqual(sorted(self.server.dig(name, kind)), sorted(expected))
