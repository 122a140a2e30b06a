"""What a web site's machine talks to in tests: S3 (Swift) with the site in it, and a name server
(BIND), both at the gateway's address of the machine's network.
"""

import contextlib
import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "servers"))
from boottest import SOURCE, BootTest
import bind  # noqa: E402  (found by the line above)
import botocore.config
import botocore.session
import name_servers
import network
import relay
import roots
import swift

S3_PORT = 8080
KEY = "upd.example.com"
NAME = "web.example.com"
PAGE = "<h1>the page from S3</h1>\n"
# Beside the site there is what must not be copied.
OBJECTS = {"www/index.html": PAGE, "www/css/site.css": "h1 {}\n", "other/secret": "not its own\n"}
ENVIRONMENT_FILE = "/etc/systemd/system/{}.service.d/test.conf"


def user_data(example, secret):
    """An example with the tests' name server and key in the places of its own."""
    text = (SOURCE / "packaging" / "examples" / example).read_text(encoding="utf-8")
    for old, new in (("192.0.2.53", network.GATEWAY), ("c2VjcmV0", secret)):
        assert old in text
        text = text.replace(old, new)
    return text.encode()


class SiteTest(BootTest):
    """Its servers end with the test."""

    def setUp(self):
        super().setUp()
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def lead_to(self, one, port, target_port):
        """What the machine asks at this port of its gateway goes to a port of the test's."""
        self.stack.enter_context(relay.Relay(one.network.service_namespace, network.GATEWAY, port,
                                             target_port))

    def start_store(self, one):
        """Swift with the site in it; the role of the instance may read it. Returns the role's
        credentials: key, secret and token."""
        store = self.stack.enter_context(swift.Swift())
        self.lead_to(one, S3_PORT, store.port)
        client = botocore.session.get_session().create_client(
            "s3", region_name=store.region, endpoint_url=store.endpoint,
            aws_access_key_id=store.key, aws_secret_access_key=store.secret,
            config=botocore.config.Config(s3={"addressing_style": "path"}, proxies={}))
        client.create_bucket(Bucket="site")
        for key, body in OBJECTS.items():
            client.put_object(Bucket="site", Key=key, Body=body.encode())
        [role] = one.network.tree.glob("**/iam/security-credentials/?*")
        given = json.loads(role.read_text())
        role.write_text(json.dumps({**given, "AccessKeyId": store.key,
                                    "SecretAccessKey": store.secret}))
        return store.key, store.secret, given["Token"]

    def start_names(self, one):
        copy = self.stack.enter_context(roots.Copy(name_servers.PACKAGES))
        return self.stack.enter_context(bind.Bind(copy, address=network.GATEWAY, port=53,
                                                  netns=one.network.service_namespace))

    @staticmethod
    def set_endpoints(one, **ports):
        """AWS's own addresses are nowhere here; the SDKs' variables lead to the tests'."""
        for unit in ("bootlace", "bootlace-shutdown"):
            one.write_file(ENVIRONMENT_FILE.format(unit), "[Service]\n" + "".join(
                f"Environment=AWS_ENDPOINT_URL{service and '_' + service}="
                f"http://{network.GATEWAY}:{port}\n" for service, port in ports.items()))
