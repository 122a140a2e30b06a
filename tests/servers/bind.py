"""BIND's named for tests: zones that take updates signed with TSIG, forward and reverse."""

from name_servers import CLOSED, FORBIDDEN, FORWARD, KEYS, OPEN, REVERSE_V4, REVERSE_V6, \
    NameServer, zone_text

OPTIONS = """
options {{
    directory "{folder}";
    listen-on port {port} {{ {address}; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    managed-keys-directory "{folder}";
    recursion {recursion};
    notify no;
    dnssec-validation no;
    allow-transfer {{ any; }};
}};
controls {{ }};
logging {{ category default {{ default_stderr; }}; category queries {{ default_stderr; }}; }};
"""

# What is in a zone beside what every zone must have.
MORE = {FORWARD: "ns IN A {address}\nwww IN A 192.0.2.10\nalias IN CNAME www\n",
        ".": "ns.example.com. IN A {address}\n"}


class Bind(NameServer):
    name = "named"

    def __init__(self, copy, recursion=False, **how):
        super().__init__(copy, **how)
        # A resolver has a root of its own, with nothing in it.
        self.recursion = recursion

    def prepare(self):
        known = {name: f'key "{name}" {{ algorithm {algorithm}; secret "{self.secrets[name]}"; }};'
                 for name, algorithm in KEYS.items()}
        allowed = [name for name in KEYS if name != FORBIDDEN]
        grants = " ".join(f"grant {name} zonesub A AAAA CNAME;" for name in allowed)
        listed = " ".join(f'key "{name}";' for name in allowed)
        zones = {FORWARD: f"update-policy {{ {grants} }}",
                 REVERSE_V4: f"allow-update {{ {listed} }}",
                 REVERSE_V6: f"allow-update {{ {listed} }}",
                 CLOSED: "allow-update { none; }",
                 OPEN: f"allow-update {{ {self.address}; }}"}
        if self.recursion:
            zones["."] = "allow-update { none; }"
        text = [*known.values(), OPTIONS.format(
            folder=self.folder, address=self.address, port=self.port,
            recursion="yes" if self.recursion else "no")]
        for zone, rule in zones.items():
            file = f"{zone.strip('.') or 'root'}.zone"
            self.put(file, zone_text(MORE.get(zone, "").format(address=self.address)))
            text.append(f'zone "{zone}" {{ type primary; file "{file}"; {rule}; }};')
        self.put("named.conf", "\n".join(text) + "\n")

    def command(self):
        return ["/usr/sbin/named", "-g", "-n", "1", "-c", f"{self.folder}/named.conf"]

    def zone(self, zone=FORWARD):
        """All records of a zone but its SOA, as sorted lines."""
        done = self.in_copy("dig", f"@{self.address}", "-p", str(self.port), "+noall", "+answer",
                            "+time=2", "+tries=1", zone, "AXFR")
        return sorted({" ".join(line.split()) for line in done.stdout.splitlines()
                       if line and not line.startswith(";") and "\tSOA\t" not in line})
