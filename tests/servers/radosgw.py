"""Ceph's gateway for S3, radosgw, with a monitor and an object store in memory, on loopback, in a
throw-away root.

Unlike Swift it has a token service: temporary credentials, whose token it demands. Its user has the
access key KEY with the secret SECRET, and may do everything.
"""

import json
import tempfile
import uuid
from pathlib import Path

import host
import roots
from swift import free_ports, is_open

PACKAGES = ["ceph-common", "ceph-mon", "ceph-osd", "radosgw"]
KEY, SECRET = "AKIDTESTTESTTESTTEST", "a-secret-of-the-tests"
REGION = "us-east-1"
USER = "tester"
START_LIMIT_S = 120
FOLDER = "/srv/ceph"

CONFIGURATION = """
[global]
fsid = {cluster}
mon host = [v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
auth supported = none
ms mon client mode = crc
ms mon service mode = crc
ms client mode = crc
ms service mode = crc
ms cluster mode = crc
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
mon warn on pool no redundancy = false
run dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
[mon]
mon data = {folder}/mon
[osd]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
[client.rgw]
keyring = /dev/null
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw s3 auth use sts = true
rgw sts key = abcdefghijklmnop
auth client required = none
"""


class Radosgw:
    """`with Radosgw() as gateway:` S3, IAM and STS are at gateway.endpoint."""

    def __init__(self):
        self._copy = roots.Copy(PACKAGES)
        self._logs = tempfile.TemporaryDirectory(prefix="bootlace-ceph-")

    def __enter__(self):
        self._copy.__enter__()
        try:
            self._configure()
            self._start()
            self._make_user()
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

    def log(self):
        """The last words of its servers, for a test that fails."""
        return "\n".join(path.read_text(errors="replace")[-2000:]
                         for path in sorted(Path(self._logs.name).iterdir()))

    def _ceph(self, program, *words):
        return self._copy.run([program, "-c", f"{FOLDER}/ceph.conf", *words], limit=60).stdout

    def _start_one(self, program, *words):
        self._copy.start([program, "-c", f"{FOLDER}/ceph.conf", *words, "-f"],
                         Path(self._logs.name) / program)

    def _configure(self):
        self.port, self._v1, self._v2 = free_ports(3)
        cluster = str(uuid.uuid4())
        for name in ("mon", "osd", "rgw"):
            self._copy.path(f"{FOLDER}/{name}").mkdir(parents=True)
        self._copy.put(f"{FOLDER}/ceph.conf", CONFIGURATION.format(
            cluster=cluster, folder=FOLDER, port=self.port, v1=self._v1, v2=self._v2))
        self._copy.run(["monmaptool", "--create", "--fsid", cluster, "--addv", "a",
                        f"[v2:127.0.0.1:{self._v2},v1:127.0.0.1:{self._v1}]",
                        f"{FOLDER}/monmap"])

    def _start(self):
        self._ceph("ceph-mon", "-i", "a", "--mkfs", "--monmap", f"{FOLDER}/monmap")
        self._start_one("ceph-mon", "-i", "a")
        identity = str(uuid.uuid4())
        self._ceph("ceph", "osd", "new", identity)
        self._ceph("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identity)
        self._start_one("ceph-osd", "-i", "0")
        self._start_one("radosgw", "-n", "client.rgw")
        host.wait_until("radosgw", lambda: is_open(self.port), limit=START_LIMIT_S)

    def _make_user(self):
        made = self._ceph("radosgw-admin", "user", "create", f"--uid={USER}",
                          f"--display-name={USER}", f"--access-key={KEY}", f"--secret={SECRET}",
                          "--caps=user-policy=*;roles=*")
        assert json.loads(made)["user_id"] == USER
