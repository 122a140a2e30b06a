"""Ceph's object gateway on loopback, in a throw-away root: one monitor, one OSD that keeps all in
its memory, and radosgw with S3 and STS.

Beside what every S3 service checks, it gives temporary credentials of a role and holds their
session tokens to what they are: whose, allowed what, and for how long. Its account: the access key
KEY with the secret SECRET. Its role may do what bootlace-s3(7) says that the module needs.
"""

import json
import tempfile
import uuid
from collections import namedtuple
from pathlib import Path

import botocore.config
import botocore.session
import host
import roots
from swift import free_ports, is_open

PACKAGES = ["ceph-common", "ceph-mon", "ceph-osd", "radosgw"]
KEY = "RADOSGWTESTKEY"
SECRET = "radosgw/test+secret"
REGION = "us-east-1"
USER = "tester"
ROLE = "instance"
ACTIONS = ["GetObject", "ListBucket", "PutObject", "AbortMultipartUpload"]
START_LIMIT_S = 40

DATA = "/srv/ceph"

# Nobody but the test reaches it, so its parts trust each other. Tokens may be of any length, where
# AWS gives none for less than 15 minutes: so a test sees one end.
CONFIGURATION = """
[global]
fsid = {cluster}
mon host = [v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]
public addr = 127.0.0.1
run dir = /run
admin socket =
log to file = false
log to stderr = true
mon cluster log to file = false
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
[mon]
mon data = {data}/mon
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
[osd]
osd data = {data}/osd
osd objectstore = memstore
memstore device bytes = 4294967296
[client.rgw]
keyring = /dev/null
rgw data = {data}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw s3 auth use sts = true
rgw sts key = sixteen of bytes
rgw sts min session duration = 1
"""

Session = namedtuple("Session", "key secret token ends")


def policy(effect, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, **more}]})


class Radosgw:
    """`with Radosgw() as radosgw:` it answers at radosgw.endpoint."""

    key, secret, region = KEY, SECRET, REGION

    def __init__(self):
        self._copy = roots.Copy(PACKAGES)
        self._logs = tempfile.TemporaryDirectory(prefix="bootlace-radosgw-")

    def __enter__(self):
        self._copy.__enter__()
        try:
            self._configure()
            self._start()
            self._administer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._copy.__exit__()
        self._logs.cleanup()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def assume(self, seconds=900):
        """Temporary credentials of the role, which end after so many seconds."""
        # botocore knows AWS's least time, and would not ask for less.
        config = botocore.config.Config(proxies={}, parameter_validation=False)
        client = botocore.session.get_session().create_client(
            "sts", region_name=REGION, endpoint_url=self.endpoint, aws_access_key_id=KEY,
            aws_secret_access_key=SECRET, config=config)
        given = client.assume_role(RoleArn=f"arn:aws:iam:::role/{ROLE}", RoleSessionName="i-0123",
                                   DurationSeconds=seconds)["Credentials"]
        client.close()
        return Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"],
                       given["Expiration"])

    def log(self):
        """The last words of its servers, for a test that fails."""
        return "\n".join(f"{path.name}:\n{path.read_text(errors='replace')[-2000:]}"
                         for path in sorted(Path(self._logs.name).iterdir()))

    def _configure(self):
        self._v2, self._v1, self.port = free_ports(3)
        self._cluster = str(uuid.uuid4())
        self._copy.put("/etc/ceph/ceph.conf", CONFIGURATION.format(
            cluster=self._cluster, v2=self._v2, v1=self._v1, port=self.port, data=DATA))
        for name in ("mon", "osd", "rgw"):
            self._copy.path(f"{DATA}/{name}").mkdir(parents=True)

    def _start(self):
        disk = str(uuid.uuid4())
        self._copy.run(["monmaptool", "--create", "--fsid", self._cluster, "--addv", "a",
                        f"[v2:127.0.0.1:{self._v2},v1:127.0.0.1:{self._v1}]", f"{DATA}/map"])
        self._copy.run(["ceph-mon", "-i", "a", "--mkfs", "--monmap", f"{DATA}/map"])
        self._server("ceph-mon", "-i", "a")
        self._copy.run(["ceph", "--connect-timeout", START_LIMIT_S, "osd", "new", disk])
        self._copy.run(["ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk])
        self._server("ceph-osd", "-i", "0")
        self._server("radosgw", "-n", "client.rgw")
        try:
            host.wait_until("radosgw", lambda: is_open(self.port), limit=START_LIMIT_S)
        except host.RigError as late:
            raise host.RigError(f"{late}\n{self.log()}") from late

    def _server(self, program, *names):
        self._copy.start([program, *names, "-f"], Path(self._logs.name) / program)

    def _administer(self):
        self._admin("user", "create", f"--uid={USER}", f"--display-name={USER}",
                    f"--access-key={KEY}", f"--secret={SECRET}")
        self._admin("role", "create", f"--role-name={ROLE}", "--assume-role-policy-doc=" + policy(
            "Allow", Principal={"AWS": [f"arn:aws:iam:::user/{USER}"]}, Action=["sts:AssumeRole"]))
        self._admin("role-policy", "put", f"--role-name={ROLE}", "--policy-name=objects",
                    "--policy-doc=" + policy("Allow", Action=[f"s3:{name}" for name in ACTIONS],
                                             Resource=["arn:aws:s3:::*"]))

    def _admin(self, *words):
        self._copy.run(["radosgw-admin", "-n", "client.rgw", *words])
