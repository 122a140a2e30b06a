"""Knot DNS for tests: a second name server, of other people, that takes signed updates."""

from name_servers import CLOSED, FORBIDDEN, FORWARD, KEYS, REVERSE_V4, REVERSE_V6, \
    NameServer, zone_text

CONFIG = """
server:
    rundir: "{folder}"
    listen: {address}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    user: root:root
database:
    storage: "{folder}/db"
log:
  - target: stderr
    any: debug
"""


class Knot(NameServer):
    name = "knotd"

    def prepare(self):
        self.copy.path(f"{self.folder}/db").mkdir()
        text = [CONFIG.format(folder=self.folder, address=self.address, port=self.port), "key:"]
        for name, algorithm in KEYS.items():
            text += [f"  - id: {name}", f"    algorithm: {algorithm}",
                     f"    secret: {self.secrets[name]}"]
        allowed = ", ".join(name for name in KEYS if name != FORBIDDEN)
        text += ["acl:", "  - id: updates", f"    key: [{allowed}]", "    action: update",
                 "  - id: transfers", "    action: transfer",
                 "template:", "  - id: default", f'    storage: "{self.folder}"',
                 '    file: "%s.zone"', "    semantic-checks: off", "zone:"]
        for zone in (FORWARD, REVERSE_V4, REVERSE_V6, CLOSED):
            self.put(f"{zone}.zone", zone_text("ns IN A 127.0.0.1\n" if zone == FORWARD else ""))
            rules = "transfers" if zone == CLOSED else "updates, transfers"
            text += [f"  - domain: {zone}", f"    acl: [{rules}]"]
        self.put("knot.conf", "\n".join(text) + "\n")

    def command(self):
        return ["/usr/sbin/knotd", "-c", f"{self.folder}/knot.conf"]
