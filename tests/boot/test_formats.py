#!/usr/bin/python3
"""What people put into user-data, all at once: a MIME message, gzipped, does all of it in order."""

import gzip
import unittest
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from boottest import BootTest

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
SECOND = "#!/bin/sh\necho second >>/root/order\n"


def message(*parts):
    whole = MIMEMultipart()
    for text, kind in parts:
        whole.attach(MIMEText(text, kind))
    return gzip.compress(whole.as_bytes())


class Formats(BootTest):
    def test_a_message_of_everything_in_its_order(self):
        one = self.machine(None)
        one.set_metadata(instance_id="i-0a1b2c3d4e5f60718",
                         user_data=message((FIRST, "x-shellscript"), (CONFIG, "jinja2"),
                                           (BOOTHOOK, "cloud-boothook"), (SECOND, "plain")))
        self.boot(one)
        status = self.assert_ends(one, "done")
        self.assert_lines(one, "/root/order",
                          ["boothook", "bootcmd", "first", "second",
                           "I am i-0a1b2c3d4e5f60718 in eu-central-1a", "last"])
        self.assertEqual(one.run(["stat", "-c", "%a", "/root/written"]).stdout.strip(), "600")
        [runcmd] = [step for step in status["steps"] if step["name"] == "runcmd"]
        self.assertEqual([item["exit_code"] for item in runcmd["items"]], [0, 0, 0], runcmd)

        with self.subTest("a reboot repeats what belongs to every boot, and nothing else"):
            one.reboot()
            self.assert_ends(one, "done")
            self.assert_lines(one, "/root/order",
                              ["boothook", "bootcmd", "first", "second",
                               "I am i-0a1b2c3d4e5f60718 in eu-central-1a", "last",
                               "boothook", "bootcmd"])


if __name__ == "__main__":
    unittest.main()
