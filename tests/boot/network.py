"""The network of one machine: a namespace with a bridge, DHCP and the metadata service.

    machine's namespace            service's namespace
        eth0 10.77.0.10 ---veth---- br0 10.77.0.1, dnsmasq (DHCP)
                                    lo  169.254.169.254/32, the fake service on port 80

Nothing leaves these two namespaces: there is no route out, no forwarding, and no name server. The
machine's namespace is made anew for each boot; the service's lives as long as the machine does.

How the service can be missing, as seen by the machine:
    silent()    its address is gone: packets are dropped, connections run into their time-out
    refuse()    the address is there, nobody listens: connections are refused
    answer()    the service is there
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import host

sys.path.append(str(Path(__file__).resolve().parent.parent / "servers"))
import imds_run  # noqa: E402  (found by the line above)
import imds_tree  # noqa: E402

SERVICE_ADDRESS = "169.254.169.254"
GATEWAY = "10.77.0.1"
MACHINE_ADDRESS = "10.77.0.10"
MACHINE_MAC = "02:00:0a:4d:00:0a"

FETCH = """\
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
sys.stdout.write(opener.open(sys.argv[1], timeout=float(sys.argv[2])).read().decode())
"""


def namespace_names(name):
    """The names of the two network namespaces of the machine `name`."""
    return f"{name}-service", f"{name}-machine"


def remove_namespaces(name):
    """Removes what a machine's network left behind; what is not there is no error."""
    for namespace in namespace_names(name):
        if Path("/run/netns", namespace).exists():
            host.run(["ip", "netns", "delete", namespace])


class Network:
    """The two namespaces, and the two processes in the service's: dnsmasq and the service."""

    def __init__(self, name, folder, service_program):
        self.service_namespace, self.machine_namespace = namespace_names(name)
        self.folder = Path(folder)
        self.tree = self.folder / "metadata"
        self.service_log = self.folder / "service.log"
        self._service_program = service_program
        self._service = None
        self._dhcp = None
        self._has_address = False

    def start(self, service_options=()):
        """Makes the service's namespace, with DHCP and the service in it."""
        inside = ["ip", "-n", self.service_namespace]
        host.run(["ip", "netns", "add", self.service_namespace])
        # Inherited from the host otherwise, and then a missing address is answered with an error.
        self.run(["sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward"])
        host.run([*inside, "link", "set", "lo", "up"])
        host.run([*inside, "link", "add", "br0", "type", "bridge"])
        host.run([*inside, "address", "add", f"{GATEWAY}/24", "dev", "br0"])
        host.run([*inside, "link", "set", "br0", "up"])
        self._start_dhcp()
        self.answer(*service_options)

    def plug(self):
        """Makes the machine's namespace anew, with a cable from its eth0 to the bridge."""
        self.unplug()
        host.run(["ip", "netns", "add", self.machine_namespace])
        host.run(["ip", "-n", self.service_namespace, "link", "add", "machine", "type", "veth",
                  "peer", "name", "eth0", "address", MACHINE_MAC, "netns",
                  self.machine_namespace])
        host.run(["ip", "-n", self.service_namespace, "link", "set", "machine", "master", "br0",
                  "up"])

    def unplug(self):
        """Removes the cable and the machine's namespace."""
        # Not left to the namespace's end: a connection that nobody closed can put that off.
        host.run(["ip", "-n", self.service_namespace, "link", "delete", "machine"], check=False)
        if Path("/run/netns", self.machine_namespace).exists():
            host.run(["ip", "netns", "delete", self.machine_namespace])

    def stop(self):
        """Ends the two processes. `remove_namespaces` does the rest."""
        for process in (self._service, self._dhcp):
            _end(process)
        self._service = self._dhcp = None

    def answer(self, *options):
        """Lets the service answer, with other options of the fake service when any are given."""
        if self._service is None or options:
            self._start_service(options)
        self._set_address(True)

    def silent(self):
        """Takes the service's address away: what is sent there is dropped, without an error."""
        self._set_address(False)

    def refuse(self):
        """Ends the service, but keeps its address: connections are refused."""
        _end(self._service)
        self._service = None
        self._set_address(True)

    def requests(self):
        """The requests in the service's log since it was last cleared."""
        return imds_run.read_log(self.service_log) if self.service_log.exists() else []

    def forget_requests(self):
        """Clears the service's log."""
        if self.service_log.exists():
            os.truncate(self.service_log, 0)

    def set_metadata(self, **values):
        """Makes the service's answers anew; the values are those of `imds_tree.make_tree`."""
        # The service holds the folder itself open.
        shutil.rmtree(self.tree / "latest", ignore_errors=True)
        imds_tree.make_tree(self.tree, local_ipv4=MACHINE_ADDRESS, mac=MACHINE_MAC, **values)

    def run(self, argv, **options):
        """Runs a program in the service's namespace: on the same wire as the machine."""
        return host.run(self._enter(argv), **options)

    def fetch(self, url, limit=10):
        """The body of an HTTP answer, fetched from the service's namespace."""
        argv = [sys.executable, "-I", "-c", FETCH, url, str(limit)]
        return self.run(argv, limit=limit + 5).stdout

    def _enter(self, argv):
        return ["nsenter", f"--net=/run/netns/{self.service_namespace}", "--", *argv]

    def _start_dhcp(self):
        self._dhcp = self._spawn(
            ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
             # With a change of user or group it would survive a rig that is killed.
             "--user=root", "--group=root",
             "--interface=br0", "--bind-interfaces", "--no-ping",
             "--dhcp-authoritative", "--dhcp-ignore-clid",
             f"--dhcp-range={MACHINE_ADDRESS},{MACHINE_ADDRESS},1h",
             f"--dhcp-option=option:router,{GATEWAY}", "--dhcp-option=option:dns-server",
             f"--dhcp-leasefile={self.folder}/leases", f"--pid-file={self.folder}/dnsmasq.pid"],
            "dhcp.log")

    def _start_service(self, options):
        _end(self._service)
        self._set_address(True)
        port_file = self.folder / "service.port"
        port_file.unlink(missing_ok=True)
        self._service = self._spawn(
            [self._service_program, "--listen", f"{SERVICE_ADDRESS}:80", "--port-file", port_file,
             "--log", self.service_log, *options, self.tree], "service.out")
        host.wait_until("the metadata service starts", port_file.exists, limit=10)

    def _spawn(self, argv, output):
        """Starts a process in the service's namespace that dies with the rig, whatever happens."""
        with open(self.folder / output, "ab") as log:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *map(str, self._enter(argv))],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=host.environment(),
                start_new_session=True)

    def _set_address(self, wanted):
        if wanted != self._has_address:
            verb = "add" if wanted else "delete"
            host.run(["ip", "-n", self.service_namespace, "address", verb,
                      f"{SERVICE_ADDRESS}/32", "dev", "lo"])
            self._has_address = wanted


def _end(process):
    """Ends a process of the rig's and waits for it; None is no process."""
    if process is not None and process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
