"""OpenStack Swift with its S3 interface (s3api) and accounts of its own (tempauth), on loopback:
one node, in a throw-away root, with its objects in that root's memory.

It checks Signature Version 4 and answers with S3's own errors; session tokens it ignores. Its
account: the access key `test:tester` with the secret `testing`.
"""

import json
import socket
import tempfile
from pathlib import Path

import host
import roots

PACKAGES = ["swift-proxy", "swift-account", "swift-container", "swift-object", "memcached"]
KEY = "test:tester"
SECRET = "testing"
REGION = "us-east-1"
START_LIMIT_S = 60

# The configuration's folder is fixed in Swift's code; so is that of nothing else.
ETC = "/etc/swift"
NODE = "/srv/node"

COMMON = """
[swift-hash]
swift_hash_path_suffix = test
[storage-policy:0]
name = only
default = yes
"""

STORAGE = """
[DEFAULT]
devices = {node}
mount_check = false
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = root
log_level = ERROR
fallocate_reserve = 0
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""

FILTERS = {
    "catch_errors": "",
    "gatekeeper": "",
    "healthcheck": "",
    "cache": "memcache_servers = 127.0.0.1:{memcached}",
    "listing_formats": "",
    "bulk": "",
    "s3api": f"location = {REGION}\ns3_acl = false\ndns_compliant_bucket_names = true",
    "tempauth": f"user_{KEY.replace(':', '_')} = {SECRET} .admin",
    "copy": "",
    "slo": "",
    "dlo": "",
    "versioned_writes": "allow_object_versioning = true",
    "symlink": "",
}

PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = root
log_level = ERROR
[pipeline:main]
pipeline = {pipeline} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
"""

# Puts objects straight into the servers' own storage: a hundred times quicker than by requests.
FILL = """
import hashlib, json, sys
from swift.common.ring import Ring
from swift.common.storage_policy import POLICIES
from swift.common.utils import Timestamp, hash_path, storage_directory
from swift.container.backend import ContainerBroker
from swift.obj.diskfile import DiskFileRouter
from swift.common.utils import get_logger

given = json.load(sys.stdin)
account, node = "AUTH_test", given["node"]
bucket = given["bucket"]
rings = {name: Ring(given["etc"], ring_name=name) for name in ("container", "object")}
part = rings["container"].get_part(account, bucket)
name = hash_path(account, bucket)
broker = ContainerBroker("%s/disk/%s/%s.db" % (
    node, storage_directory("containers", part, name), name), account=account, container=bucket)
router = DiskFileRouter({"devices": node, "mount_check": "false"}, get_logger({}))
manager = router[POLICIES[0]]
rows = []
for key, text in given["objects"].items():
    body = text.encode()
    now = Timestamp.now().internal
    etag = hashlib.md5(body).hexdigest()
    file = manager.get_diskfile("disk", rings["object"].get_part(account, bucket, key), account,
                                bucket, key, POLICIES[0])
    with file.create() as writer:
        writer.write(body)
        writer.put({"X-Timestamp": now, "Content-Type": "text/plain", "ETag": etag,
                    "Content-Length": str(len(body))})
        writer.commit(Timestamp(now))
    rows.append({"name": key, "created_at": now, "size": len(body), "content_type": "text/plain",
                 "etag": etag, "deleted": 0, "storage_policy_index": 0})
broker.merge_items(rows)
"""


def free_ports(count):
    """Ports of loopback that nothing listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def is_open(port):
    """Whether something listens on a port of loopback."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class Swift:
    """`with Swift() as swift:` its S3 interface is at swift.endpoint."""

    key, secret, region = KEY, SECRET, REGION

    def __init__(self):
        self._copy = roots.Copy(PACKAGES)
        self._logs = tempfile.TemporaryDirectory(prefix="bootlace-swift-")

    def __enter__(self):
        self._copy.__enter__()
        try:
            self._configure()
            self._start()
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

    def fill(self, bucket, objects):
        """Puts many small objects, texts by their keys, into a bucket that is there."""
        given = {"etc": ETC, "node": NODE, "bucket": bucket, "objects": objects}
        self._copy.run(["python3", "-c", FILL], input=json.dumps(given))

    def log(self):
        """The last words of its servers, for a test that fails."""
        return "\n".join(path.read_text(errors="replace")[-2000:]
                         for path in sorted(Path(self._logs.name).iterdir()))

    def _configure(self):
        self.port, self._memcached, *ports = free_ports(5)
        self._ports = dict(zip(("account", "container", "object"), ports))
        self._copy.put(f"{ETC}/swift.conf", COMMON)
        self._copy.path(f"{NODE}/disk").mkdir(parents=True, exist_ok=True)
        for name, port in self._ports.items():
            self._copy.put(f"{ETC}/{name}-server.conf",
                           STORAGE.format(name=name, node=NODE, port=port))
            ring = f"{ETC}/{name}.builder"
            for words in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/disk", "1"],
                          ["rebalance"]):
                self._copy.run(["swift-ring-builder", ring, *words])
        filters = "".join(
            f"[filter:{name}]\nuse = egg:swift#{'memcache' if name == 'cache' else name}\n"
            f"{more.format(memcached=self._memcached)}\n" for name, more in FILTERS.items())
        self._copy.put(f"{ETC}/proxy-server.conf",
                       filters + PROXY.format(port=self.port, pipeline=" ".join(FILTERS)))

    def _start(self):
        logs = Path(self._logs.name)
        self._copy.start(["memcached", "-u", "root", "-l", "127.0.0.1", "-U", "0", "-p",
                          self._memcached], logs / "memcached")
        for name in (*self._ports, "proxy"):
            self._copy.start([f"swift-{name}-server", f"{ETC}/{name}-server.conf"], logs / name)
        for port in (self._memcached, *self._ports.values(), self.port):
            host.wait_until(f"Swift on port {port}", lambda p=port: is_open(p),
                            limit=START_LIMIT_S)
