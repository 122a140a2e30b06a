#!/usr/bin/python3
"""timezone: /etc/localtime and /etc/timezone, on a tree of the test's own.

BOOTLACE_BUILD names the build folder.
"""

import os
import unittest

from agent import needs_root
from module_call import ModuleTest
from test_manual import Page


@needs_root
class Timezone(ModuleTest):
    module = "timezone"

    def setUp(self):
        super().setUp()
        for zone in ("Europe/Berlin", "Etc/UTC", "America/Argentina/Ushuaia", "Etc/GMT+5"):
            self.put(f"usr/share/zoneinfo/{zone}", b"TZif2\0\0")
        self.put("usr/share/zoneinfo/tzdata.zi", "# version")
        self.put("etc/localtime", "a file")

    def test_link(self):
        for zone in ("Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+5"):
            called = self.assert_called("changed", {"timezone": zone})
            self.assertEqual(called.message, f"the time zone is {zone} now")
            self.assertEqual(os.readlink(self.path("etc/localtime")),
                             f"../usr/share/zoneinfo/{zone}")
        self.assertEqual(self.bytes("etc/localtime"), b"TZif2\0\0")
        self.assertFalse(self.exists("etc/timezone"))
        self.assertEqual(os.listdir(self.path("etc")), ["localtime"])

    def test_debian(self):
        self.put("etc/debian_version", "12\n")
        self.assert_called("changed", {"timezone": "Etc/UTC"})
        self.assertEqual(self.text("etc/timezone"), "Etc/UTC\n")

    def test_a_timezone_file_that_is_there(self):
        self.put("etc/timezone", "Europe/Berlin\n")
        self.assert_called("changed", {"timezone": "Etc/UTC"})
        self.assertEqual(self.text("etc/timezone"), "Etc/UTC\n")

    def test_a_second_run_changes_nothing(self):
        self.put("etc/debian_version", "12\n")
        self.assert_called("changed", {"timezone": "Etc/UTC"})
        before = self.tree()
        called = self.assert_called("unchanged", {"timezone": "Etc/UTC"})
        self.assertEqual(called.message, "the time zone was Etc/UTC already")
        self.assertEqual(self.tree(), before)

    def test_zones_that_are_none(self):
        before = self.tree()
        for zone, message in (("Europe/Atlantis", "there is no zone Europe/Atlantis"),
                              ("Europe", "there is no zone"), ("tzdata.zi", "there is no zone"),
                              ("../../etc/passwd", "no name of a zone"),
                              ("/usr/share/zoneinfo/Etc/UTC", "no name of a zone"),
                              ("Etc/../Etc/UTC", "no name"), ("Etc//UTC", "no name"),
                              ("Etc/UTC/", "no name"), ("Etc/UTC\n", "no name"),
                              ("x" * 129, "no name"), ("a b", "no name"),
                              (5, "timezone is no text"), (["x"], "timezone is no text")):
            with self.subTest(zone):
                self.assert_fails(message, {"timezone": zone})
        self.assertEqual(self.tree(), before)

    def test_a_zone_that_leads_out(self):
        os.symlink("/usr/share/zoneinfo/Etc/UTC", self.path("usr/share/zoneinfo/link"))
        self.assert_called("changed", {"timezone": "link"})
        os.symlink("/etc/hostname", self.path("usr/share/zoneinfo/out"))
        self.assert_fails("there is no zone out", {"timezone": "out"})

    def test_no_zones_at_all(self):
        os.rename(self.path("usr"), self.path("other"))
        self.assert_fails("tzdata", {"timezone": "Etc/UTC"})

    def test_nothing_to_do(self):
        for value in (None, ""):
            self.assert_called("unchanged", {"timezone": value})

    def test_dry_run(self):
        self.put("etc/debian_version", "12\n")
        before = self.tree()
        called = self.assert_called("changed", {"timezone": "Etc/UTC"}, dry_run=True)
        self.assertIn("would make /etc/localtime a link to ../usr/share/zoneinfo/Etc/UTC\n"
                      "would write /etc/timezone ", called.log)
        self.assertEqual(self.tree(), before)

    def test_a_folder_in_its_place(self):
        os.remove(self.path("etc/localtime"))
        os.mkdir(self.path("etc/localtime"))
        self.assert_fails("/etc/localtime cannot be made a link", {"timezone": "Etc/UTC"})
        self.assertEqual(os.listdir(self.path("etc")), ["localtime"])

    def test_example_of_the_page(self):
        (_, block), = Page("bootlace-timezone.7").blocks("EXAMPLES")
        self.assert_called("changed", block)


if __name__ == "__main__":
    unittest.main()
