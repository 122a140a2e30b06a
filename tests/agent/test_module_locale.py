#!/usr/bin/python3
"""locale: LANG, and locales that are made, on a tree of the test's own.

BOOTLACE_BUILD names the build folder. `locale` and `locale-gen` are the test's own programs.
"""

import os
import unittest

from agent import needs_root
from module_call import ModuleTest
from test_manual import Page


@needs_root
class Locale(ModuleTest):
    module = "locale"

    def setUp(self):
        super().setUp()
        self.put("etc/os-release", "ID=ubuntu\nID_LIKE=debian\n")
        self.known = os.path.join(self.work, "known")
        self.generated = os.path.join(self.work, "generated")
        self.set_known("C", "POSIX", "de_DE.utf8", "en_US.iso88591", "ca_ES@valencia")
        self.program("locale", f'[ "$*" = -a ] && cat {self.known}')
        listed = self.path("etc/locale.gen")
        self.program("locale-gen", f"echo generating; echo call >>{self.generated}; "
                                   f"sed -n 's/ .*//p' {listed} >>{self.known}")

    def call(self, *settings, **how):
        """The machine is this one, in a mount namespace where the tree's /etc lies over its own."""
        lay = ["/usr/bin/unshare", "--mount", "/bin/sh", "-ec",
               '/usr/bin/mount --bind "$0" /etc; exec "$@"', self.path("etc")]
        return super().call(*settings, root="/", wrapper=lay, **how)

    def set_known(self, *names):
        with open(self.known, "w", encoding="utf-8") as out:
            out.write("".join(name + "\n" for name in names))

    def assert_not_generated(self):
        self.assertFalse(os.path.exists(self.generated))

    def test_one_that_is_there(self):
        for name in ("de_DE.UTF-8", "de_DE.utf8", "C.UTF-8", "C", "en_US.ISO-8859-1",
                     "ca_ES@valencia"):
            called = self.assert_called("changed", {"locale": name})
            self.assertEqual(called.message, f"the locale is {name} now")
            self.assertEqual(self.text("etc/default/locale"), f"LANG={name}\n")
        self.assert_not_generated()
        self.assertFalse(self.exists("etc/locale.gen"))

    def test_names_that_are_nearly_the_same(self):
        for name in ("de_DE", "de_DE.utf", "de_DE.utf88", "de_AT.UTF-8", "DE_de.UTF-8",
                     "de_DE.UTF-8@euro", "de-DE.utf8", "ca_ES@VALENCIA"):
            with self.subTest(name):
                self.assert_fails("^there is no locale .*; install its package", {"locale": name})
        self.assertFalse(self.exists("etc/default/locale"))

    def test_other_lines_stay(self):
        self.put("etc/default/locale", "# mine\nLANG=C\nLC_TIME=en_DK.UTF-8\nLANG=x")
        self.assert_called("changed", {"locale": "de_DE.UTF-8"})
        self.assertEqual(self.text("etc/default/locale"),
                         "# mine\nLANG=de_DE.UTF-8\nLC_TIME=en_DK.UTF-8\n")

    def test_a_second_run_changes_nothing(self):
        self.assert_called("changed", {"locale": "de_DE.UTF-8"})
        before = self.tree()
        called = self.assert_called("unchanged", {"locale": "de_DE.UTF-8"})
        self.assertEqual(called.message, "the locale was de_DE.UTF-8 already")
        self.assertEqual(self.tree(), before)

    def test_others_than_debian(self):
        self.put("etc/os-release", "ID=fedora\n")
        self.assert_called("changed", {"locale": "de_DE.UTF-8"})
        self.assertEqual(self.text("etc/locale.conf"), "LANG=de_DE.UTF-8\n")

    def test_a_file_of_ones_own(self):
        self.assert_called("changed", {"locale": "de_DE.UTF-8", "locale_configfile": "/etc/x/l"})
        self.assertEqual(self.text("etc/x/l"), "LANG=de_DE.UTF-8\n")
        self.assertFalse(self.exists("etc/default/locale"))

    def test_it_is_made(self):
        for name, line in (("fr_FR.UTF-8", "fr_FR.UTF-8 UTF-8"),
                           ("it_IT.utf8", "it_IT.UTF-8 UTF-8"),
                           ("es_ES", "es_ES ISO-8859-1"),
                           ("es_ES.ISO-8859-15@x", "es_ES.ISO-8859-15@x ISO-8859-15"),
                           ("sr_RS.utf8@latin", "sr_RS.UTF-8@latin UTF-8")):
            with self.subTest(name):
                self.put("etc/locale.gen", f"# {line}\nother UTF-8")
                self.assert_called("changed", {"locale": name})
                self.assertEqual(self.text("etc/locale.gen"),
                                 f"# {line}\nother UTF-8\n{line}\n")
                self.assertEqual(self.text("etc/default/locale"), f"LANG={name}\n")

    def test_its_line_is_there(self):
        self.put("etc/locale.gen", "fr_FR.UTF-8 UTF-8  # French\n")
        before = self.tree()["etc/locale.gen"]
        self.assert_called("changed", {"locale": "fr_FR.UTF-8"})
        self.assertEqual(self.tree()["etc/locale.gen"], before)

    def test_it_cannot_be_made(self):
        self.put("etc/locale.gen")
        self.program("locale-gen", "echo no such thing; exit 3")
        called = self.assert_fails("^locale-gen ended with exit code 3$", {"locale": "fr_FR.UTF-8"})
        self.assertEqual(called.result["exit_code"], 3)
        self.program("locale-gen", "true")
        self.assert_fails("^locale-gen made no locale fr_FR.UTF-8", {"locale": "fr_FR.UTF-8"})
        self.assertFalse(self.exists("etc/default/locale"))

    def test_no_program_lists_them(self):
        os.remove(os.path.join(self.programs, "locale"))
        self.assert_called("changed", {"locale": "xx_XX.UTF-8"},
                           variables={"PATH": self.programs})

    def test_left_alone(self):
        for value in (False, "false", "off", "no", "", None):
            self.assert_called("unchanged", {"locale": value})
        self.assert_called("unchanged", {"locale_configfile": "/etc/x"})
        self.assertFalse(self.exists("etc/default"))

    def test_names_that_are_none(self):
        for name in ("a b", "../x", "-a", "x" * 65, "x;y", "a/b", "a\nLC_ALL=x"):
            self.assert_fails("^locale is no name of a locale", {"locale": name})
        for value in (True, 5, ["C"]):
            self.assert_fails("^locale is no text", {"locale": value})

    def test_dry_run(self):
        self.put("etc/locale.gen")
        before = self.tree()
        called = self.assert_called("changed", {"locale": "fr_FR.UTF-8"}, dry_run=True)
        self.assertRegex(called.log, "^would write /etc/locale.gen .*\nwould run: locale-gen\n"
                                     "would write /etc/default/locale ")
        self.assertEqual(self.tree(), before)
        self.assert_not_generated()

    def test_example_of_the_page(self):
        (_, block), = Page("bootlace-locale.7").blocks("EXAMPLES")
        self.assert_called("changed", block)


if __name__ == "__main__":
    unittest.main()
