#!/usr/bin/python3
"""What people put into user-data, all at once: a MIME message, gzipped, does all of it in order."""

import gzip
import sys
import unittest
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "servers"))
from boottest import BootTest
import network
import relay
import web  # noqa: E402  (found by the line above)

BOOTHOOK = "#cloud-boothook\n#!/bin/sh\necho boothook >>/root/order\n"
CONFIG = """\
## template: jinja
#cloud-config
bootcmd:
  - echo bootcmd >>/root/order
write_files:
  - path: /root/written
    permissions: "0600"
    content: "I am {{ v1.instance_id }} in {{ placement.availability_zone }}\\n"
runcmd:
  - [sh, -c, "cat /root/written >>/root/order"]
  - /bin/true
  - echo last >>/root/order
timezone: Etc/UTC
"""
FIRST = "#!/bin/sh\necho first >>/root/order\n"
INCLUDED = "#!/bin/sh\necho included >>/root/order\n"
WEB_PORT = 8081
INCLUDE = f"#include\nhttp://{network.GATEWAY}:{WEB_PORT}/included\n"
SECOND = "#!/bin/sh\necho second >>/root/order\n"


def message(*parts):
    whole = MIMEMultipart()
    for text, kind in parts:
        whole.attach(MIMEText(text, kind))
    return gzip.compress(whole.as_bytes())


class Formats(BootTest):
    def test_a_message_of_everything_in_its_order(self):
        one = self.machine(None)
        site = web.Web({"/included": INCLUDED.encode()}).__enter__()
        self.addCleanup(site.__exit__)
        door = relay.Relay(one.network.service_namespace, network.GATEWAY, WEB_PORT,
                           site.port).__enter__()
        self.addCleanup(door.__exit__)
        one.set_metadata(instance_id="i-0a1b2c3d4e5f60718",
                         user_data=message((FIRST, "x-shellscript"), (CONFIG, "jinja2"),
                                           (INCLUDE, "x-include-url"),
                                           (BOOTHOOK, "cloud-boothook"), (SECOND, "plain")))
        self.boot(one)
        status = self.assert_ends(one, "done")
        self.assert_lines(one, "/root/order",
                          ["boothook", "bootcmd", "first", "included", "second",
                           "I am i-0a1b2c3d4e5f60718 in eu-central-1a", "last"])
        self.assertEqual(one.run(["stat", "-c", "%a", "/root/written"]).stdout.strip(), "600")
        [runcmd] = [step for step in status["steps"] if step["name"] == "runcmd"]
        self.assertEqual([item["exit_code"] for item in runcmd["items"]], [0, 0, 0], runcmd)

        with self.subTest("a reboot repeats what belongs to every boot, and nothing else"):
            one.reboot()
            self.assert_ends(one, "done")
            self.assert_lines(one, "/root/order",
                              ["boothook", "bootcmd", "first", "included", "second",
                               "I am i-0a1b2c3d4e5f60718 in eu-central-1a", "last",
                               "boothook", "bootcmd"])


if __name__ == "__main__":
    unittest.main()
