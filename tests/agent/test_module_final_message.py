#!/usr/bin/python3
"""final_message: the last line of the log.

BOOTLACE_BUILD names the build folder.
"""

import email.utils
import json
import time
import unittest

from module_call import ModuleTest
from test_manual import Page

VERSION = r"\d+\.\d+\.\d+"


class FinalMessage(ModuleTest):
    module = "final-message"

    def said(self, text):
        return self.assert_called("unchanged", {"final_message": text}).log

    def test_names(self):
        self.put("run/bootlace/status.json", json.dumps({"source": "seed"}))
        self.assertRegex(self.said("up $UPTIME, v $VERSION from $DATASOURCE."),
                         rf"^up \d+\.\d\d, v {VERSION} from seed\.\n$")
        self.assertRegex(self.said("${uptime}|$version|${DATASOURCE}x"),
                         rf"^\d+\.\d\d\|{VERSION}\|seedx\n$")

    def test_values(self):
        with open("/proc/uptime", encoding="utf-8") as uptime:
            before = float(uptime.read().split()[0])
        said = self.said("$UPTIME $TIMESTAMP")
        seconds, _, stamp = said.partition(" ")
        self.assertLess(abs(float(seconds) - before), 30)
        moment = email.utils.parsedate_to_datetime(stamp.strip())
        self.assertLess(abs(moment.timestamp() - time.time()), 30)
        self.assertEqual(email.utils.format_datetime(moment), stamp.strip())

    def test_what_is_no_name(self):
        for text in ("$OTHER", "5 $ and $5", "$$", "${UPTIME", "${}", "$UPTIMES", "{{ uptime }}",
                     "$", "#{UPTIME}"):
            self.assertEqual(self.said(text), text + "\n")

    def test_template(self):
        for marker in ("## template: jinja", "## template:jinja"):
            said = self.said(marker + "\n{{version}} {{ uptime }} {{x}} $UPTIME")
            self.assertRegex(said, rf"^{VERSION} \d+\.\d\d {{{{x}}}} \$UPTIME\n$")

    def test_lines(self):
        self.assertEqual(self.said("\n one\n\ntwo\n"), "one\n\ntwo\n")

    def test_without_a_text(self):
        for value in ("", " \n", None):
            self.assertRegex(self.said(value), rf"^bootlace {VERSION} finished at .* \+0000\. "
                                               r"Datasource unknown\. Up \d+\.\d\d seconds\n$")

    def test_a_status_that_cannot_be_understood(self):
        for text in ("", "{", "[]", '{"source": 5}'):
            self.put("run/bootlace/status.json", text)
            self.assertEqual(self.said("$DATASOURCE"), "unknown\n")

    def test_wrong_settings(self):
        self.assert_fails("^final_message is no text", {"final_message": ["x"]})

    def test_example_of_the_page(self):
        (_, block), = Page("bootlace-final-message.7").blocks("EXAMPLES")
        self.assertRegex(self.call(block).log, r"^Ready after \d+\.\d\d seconds, at \w{3}, .*\.\n$")


if __name__ == "__main__":
    unittest.main()
