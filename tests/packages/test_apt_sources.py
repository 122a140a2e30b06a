#!/usr/bin/python3
"""apt-sources: apt's files on a tree of the test's own; real gpg, apt and debconf in a copy of a
small Debian, with a key server of the test's own.

BOOTLACE_BUILD names the build folder.
"""

import functools
import os
import re
import unittest

from package_test import (AgentTest, Answer, ModuleTest, Page, PackagesTest, Web, host, needs_root,
                          repositories, roots)

DEBIAN = 'ID=debian\nVERSION_CODENAME="bookworm"\n'
UBUNTU = "ID=ubuntu\nVERSION_CODENAME=noble\n"

LIST = """\
# the archive
deb http://deb.debian.org/debian bookworm main contrib
deb-src [trusted=yes arch=amd64] http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
deb http://deb.debian.org/debian bookworm-backports main
deb https://example.org/bookworm bookworm stable
deb https://apt.example.org bookworm-pgdg main
#deb http://deb.debian.org/debian bookworm main
deb
"""

STANZAS = """\
# the archive
Types: deb
URIs: mirror+file:///etc/apt/mirrors/debian.list
Suites: bookworm bookworm-updates
 bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: https://example.org/debian
Suites: bookworm
Components: stable
"""

KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nnot really\n-----END PGP PUBLIC KEY BLOCK-----\n"


class AptTest(ModuleTest):
    module = "apt-sources"

    def setUp(self):
        super().setUp()
        self.put("etc/os-release", DEBIAN)
        os.makedirs(self.path("etc/apt/sources.list.d"))

    def assert_twice(self, apt):
        """It changes something, and the second time nothing."""
        called = self.assert_called("changed", {"apt": apt})
        before = self.tree()
        self.assert_called("unchanged", {"apt": apt})
        self.assertEqual(self.tree(), before)
        return called

    def lines(self, name="etc/apt/sources.list"):
        return self.text(name).splitlines()


@needs_root
class Mirrors(AptTest):
    MIRRORS = {"primary": [{"arches": ["default"], "uri": "http://m/debian"}],
               "security": [{"uri": "http://s/security"}]}

    def test_in_a_list(self):
        self.put("etc/apt/sources.list", LIST)
        self.assert_twice(self.MIRRORS)
        self.assertEqual(
            self.text("etc/apt/sources.list"),
            LIST.replace("deb http://deb.debian.org/debian ", "deb http://m/debian ")
            .replace("amd64] http://deb.debian.org/debian ", "amd64] http://m/debian ")
            .replace("http://deb.debian.org/debian-security", "http://s/security")
            .replace("#deb http://m/debian", "#deb http://deb.debian.org/debian"))

    def test_in_stanzas(self):
        self.put("etc/apt/sources.list.d/debian.sources", STANZAS)
        self.assert_twice(self.MIRRORS)
        self.assertEqual(
            self.text("etc/apt/sources.list.d/debian.sources"),
            STANZAS.replace("mirror+file:///etc/apt/mirrors/debian.list", "http://m/debian")
            .replace("http://deb.debian.org/debian-security", "http://s/security"))
        self.assertFalse(self.exists("etc/apt/sources.list"))

    def test_one_of_them(self):
        self.put("etc/apt/sources.list", LIST)
        self.assert_twice({"security": self.MIRRORS["security"]})
        self.assertIn("deb http://deb.debian.org/debian bookworm main contrib", self.lines())
        self.assertIn("deb http://s/security bookworm-security main", self.lines())

    def test_where_there_is_no_list(self):
        self.assert_twice(self.MIRRORS)
        self.assertEqual(self.lines(), ["deb http://m/debian bookworm main",
                                        "deb http://m/debian bookworm-updates main",
                                        "deb http://s/security bookworm-security main"])

    def test_ubuntu(self):
        self.put("etc/os-release", UBUNTU)
        self.assert_twice({"disable_suites": ["updates"]})
        self.assertEqual(self.lines(), [
            "deb http://archive.ubuntu.com/ubuntu noble main restricted universe multiverse",
            "# disabled: deb http://archive.ubuntu.com/ubuntu noble-updates main restricted "
            "universe multiverse",
            "deb http://security.ubuntu.com/ubuntu noble-security main restricted universe "
            "multiverse"])

    def test_by_architecture(self):
        mirrors = [{"arches": ["riscv99"], "uri": "http://r"}, {"uri": "http://d"}]
        self.assert_twice({"primary": mirrors})
        self.assertIn("deb http://d bookworm main", self.lines())

    def test_the_first_that_can_be_resolved(self):
        self.assert_twice({"primary": [{"search": ["http://nosuch.invalid/a", "http://127.0.0.1/b",
                                                   "http://localhost/c"]}]})
        self.assertIn("deb http://127.0.0.1/b bookworm main", self.lines())
        self.assert_fails("primary: it has no uri", {"apt": {"primary": [
            {"search": ["http://nosuch.invalid/a"]}]}})

    def test_preserved(self):
        self.put("etc/apt/sources.list", LIST)
        self.assert_called("unchanged", {"apt": {"preserve_sources_list": True, **self.MIRRORS}})
        self.assertEqual(self.text("etc/apt/sources.list"), LIST)

    def test_no_release(self):
        self.put("etc/os-release", "ID=debian\n")
        self.assert_fails("os-release has no VERSION_CODENAME", {"apt": self.MIRRORS})

    def test_a_key_of_a_mirror(self):
        self.assert_twice({"primary": [{"uri": "http://m", "key": KEY}]})
        self.assertEqual(self.text("etc/apt/trusted.gpg.d/primary.asc"), KEY)


@needs_root
class Suites(AptTest):
    def test_in_a_list(self):
        self.put("etc/apt/sources.list", LIST)
        self.assert_twice({"disable_suites": ["backports", "security", "$RELEASE-pgdg"]})
        self.assertEqual([line for line in self.lines() if line.startswith("# disabled")], [
            "# disabled: deb http://deb.debian.org/debian-security bookworm-security main",
            "# disabled: deb http://deb.debian.org/debian bookworm-backports main",
            "# disabled: deb https://apt.example.org bookworm-pgdg main"])

    def test_in_stanzas(self):
        self.put("etc/apt/sources.list.d/debian.sources", STANZAS)
        self.assert_twice({"disable_suites": ["bookworm-backports", "security"]})
        text = self.text("etc/apt/sources.list.d/debian.sources")
        self.assertIn("\nSuites: bookworm bookworm-updates\nComponents", text)
        self.assertIn("\nEnabled: no\nSuites: bookworm-security\n", text)
        self.assertEqual(text.count("Enabled"), 1)

    def test_a_list_of_ones_own(self):
        self.put("etc/apt/sources.list.d/debian.sources", STANZAS)
        self.assert_twice({"sources_list": "deb $MIRROR $RELEASE main\n"
                                           "deb $SECURITY $RELEASE-security main # $HOME\n",
                           "primary": [{"uri": "http://m"}], "disable_suites": ["security"]})
        self.assertEqual(self.lines(), [
            "deb http://m bookworm main",
            "# disabled: deb http://deb.debian.org/debian-security bookworm-security main # $HOME"])
        self.assertEqual(self.lines("etc/apt/sources.list.d/debian.sources"),
                         ["# See /etc/apt/sources.list."])

    def test_stanzas_of_ones_own(self):
        self.put("etc/apt/sources.list", LIST)
        self.assert_twice({"sources_list": "Types: deb\nURIs: $PRIMARY\nSuites: $RELEASE\n"
                                           "Components: main\n"})
        self.assertIn("URIs: http://deb.debian.org/debian\nSuites: bookworm\n",
                      self.text("etc/apt/sources.list.d/debian.sources"))
        self.assertEqual(self.lines(), ["# See /etc/apt/sources.list.d/debian.sources."])


@needs_root
class Sources(AptTest):
    def test_lines_and_stanzas(self):
        self.assert_twice({"sources": {
            "one": {"source": "deb $MIRROR $RELEASE main"},
            "two.list": {"source": "deb http://x ./"},
            "three": {"source": "Types: deb\nURIs: http://x\nSuites: ./\n"},
            "a b/../c": {"source": "deb http://x ./"}}})
        self.assertEqual(self.text("etc/apt/sources.list.d/one.list"),
                         "deb http://deb.debian.org/debian bookworm main\n")
        self.assertEqual(sorted(os.listdir(self.path("etc/apt/sources.list.d"))),
                         ["a_b_.._c.list", "one.list", "three.sources", "two.list"])

    def test_one_file_of_several(self):
        self.assert_twice({"sources": {
            "a": {"source": "deb http://x a/", "filename": "both"},
            "b": {"source": "deb http://x b/", "filename": "both.list"},
            "c": {"source": "deb http://x c/",
                  "filename": "/etc/apt/sources.list.d/both.list"}}})
        self.assertEqual(self.lines("etc/apt/sources.list.d/both.list"),
                         ["deb http://x a/", "deb http://x b/", "deb http://x c/"])

    def test_what_is_in_the_file_already(self):
        self.put("etc/apt/sources.list.d/a.list", "deb http://old ./")
        self.assert_twice({"sources": {"a": {"source": "deb http://x ./"}}})
        self.assertEqual(self.lines("etc/apt/sources.list.d/a.list"),
                         ["deb http://old ./", "deb http://x ./"])
        self.assert_twice({"sources": {"a": {"source": "deb http://x ./", "append": False}}})
        self.assertEqual(self.lines("etc/apt/sources.list.d/a.list"), ["deb http://x ./"])

    def test_keys(self):
        self.assert_twice({"sources": {
            "all": {"source": "deb http://x ./", "key": KEY.strip()},
            "own": {"source": "deb [signed-by=$KEY_FILE] http://y ./", "key": KEY},
            "alone": {"key": KEY}}})
        self.assertEqual(self.lines("etc/apt/sources.list.d/own.list"),
                         ["deb [signed-by=/etc/apt/keyrings/own.asc] http://y ./"])
        for path in ("trusted.gpg.d/all.asc", "keyrings/own.asc", "trusted.gpg.d/alone.asc"):
            self.assertEqual(self.text(f"etc/apt/{path}"), KEY)

    def test_what_is_refused(self):
        for source, why in (
                ({"source": "http://x"}, "source is no line of sources.list"),
                ({"source": "cloud-archive:caracal"}, "source is no line of sources.list"),
                ({"source": "deb http://x ./", "filename": "../x"}, "filename is no name"),
                ({"source": "deb http://x ./", "filename": "/etc/x.list"}, "filename is no name"),
                ({"source": "deb http://x ./", "filename": "a/b"}, "filename is no name"),
                ({"source": "deb [signed-by=$KEY_FILE] http://x ./"}, "neither key nor keyid"),
                ({"source": "deb http://x ./", "key": "AABB"}, "key is no ASCII-armored"),
                ({"source": "deb http://x ./", "keyid": "8D81803C"}, "keyid is no fingerprint"),
                ({"source": "deb http://x ./", "keyid": "x" * 40}, "keyid is no fingerprint")):
            with self.subTest(source):
                self.assert_fails(why, {"apt": {"sources": {"a": source}}})
                self.assertEqual(os.listdir(self.path("etc/apt/sources.list.d")), [])

    def test_passwords(self):
        self.assert_twice({"sources": {"a": {"source": "deb http://me:pw@x ./"},
                                       "b": {"source": "deb http://x/a@b ./"}}})
        self.assertEqual(self.mode("etc/apt/sources.list.d/a.list"), 0o600)
        self.assertEqual(self.mode("etc/apt/sources.list.d/b.list"), 0o644)


@needs_root
class Rest(AptTest):
    PROXY, CONF = "etc/apt/apt.conf.d/90bootlace-proxy", "etc/apt/apt.conf.d/94bootlace-conf"

    def test_proxies_and_conf(self):
        self.assert_twice({"proxy": "http://p:3128", "https_proxy": "http://q:3128",
                           "conf": "APT::Install-Recommends \"false\";"})
        self.assertEqual(self.lines(self.PROXY), ['Acquire::http::Proxy "http://p:3128";',
                                                  'Acquire::https::Proxy "http://q:3128";'])
        self.assertEqual(self.lines(self.CONF), ['APT::Install-Recommends "false";'])
        called = self.assert_twice({"http_proxy": "http://me:pw@p"})
        self.assertEqual(self.mode(self.PROXY), 0o600)
        self.assertFalse(self.exists(self.CONF))
        self.assertEqual(called.item(f"/{self.CONF}")["message"], "removed")
        self.assert_twice({"preserve_sources_list": True})
        self.assertFalse(self.exists(self.PROXY))

    def test_a_proxy_that_is_none(self):
        self.assert_fails("http_proxy: it is no URL",
                          {"apt": {"http_proxy": 'x";DPkg::Pre-Invoke "id'}})

    def test_nothing(self):
        self.assertEqual(self.assert_called("unchanged", {"apt": None}).message,
                         "nothing is to be configured")
        os.rmdir(self.path("etc/apt/sources.list.d"))
        os.rmdir(self.path("etc/apt"))
        self.assertEqual(self.assert_called("unchanged", {"apt": {"conf": "x"}}).message,
                         "apt is not here")

    def test_dry_run(self):
        self.put("etc/apt/sources.list", LIST)
        before = self.tree()
        called = self.assert_called("changed", {"apt": {
            "conf": "x", "primary": [{"uri": "http://m"}], "debconf_selections": {"a": "a b c d"},
            "sources": {"a": {"source": "deb http://x ./", "keyid": "A" * 40}}}}, dry_run=True)
        self.assertEqual(self.tree(), before)
        for words in ("would write /etc/apt/sources.list ", "would write /etc/apt/apt.conf.d/94",
                      "would run: debconf-set-selections", "would write /etc/apt/sources.list.d/a"):
            self.assertIn(words, called.log)

    def test_ppa(self):
        """By a program that stands for add-apt-repository, which Debian has no archives for."""
        settings = {"apt": {"sources": {"a": {"source": "ppa:me/tools"}}}}
        self.program("add-apt-repository",
                     f"echo \"$*\" >>{self.work}/calls\n"
                     "test \"$3\" = ppa:me/tools")
        called = self.call(settings, root="/", dry_run=True)
        self.assertIn("would run: add-apt-repository --yes --no-update ppa:me/tools", called.log)


# Two keys: each armored in a file, and both in a third.
KEYS = """set -eu
export GNUPGHOME=/gnupg
mkdir -m 700 $GNUPGHOME
for name in one two; do
    gpg --batch --quiet --passphrase '' --quick-gen-key $name@example.org ed25519 sign 0
    gpg --armor --export $name@example.org >/$name
done
gpg --armor --export >/both
"""

# A repository that is signed with the first of them.
SIGN = KEYS + """cp -r /repositories/apt /signed
gpg --batch --quiet --local-user one@example.org --clearsign --output /signed/InRelease \\
    /signed/Release
"""


@functools.lru_cache(maxsize=None)
def keys():
    """Two keys: their fingerprints and texts; the last text has both."""
    with roots.Copy(repositories.TOOLS) as copy:
        listing = copy.run(["sh", "-c", KEYS + "gpg --with-colons --list-keys"]).stdout
        texts = [copy.path(f"/{name}").read_bytes() for name in ("one", "two", "both")]
    return re.findall(r"^fpr:+([0-9A-F]{40}):", listing, re.MULTILINE), texts


@needs_root
class Real(PackagesTest):
    """apt, gpg and debconf."""

    module = "apt-sources"

    def setUp(self):
        super().setUp()
        self.put("etc/os-release", DEBIAN)

    def source(self, web, keyid):
        return {"apt": {"sources": {"a": {
            "source": f"deb [trusted=yes signed-by=$KEY_FILE] {self.url('file://')} ./",
            "keyid": keyid, "keyserver": web.url()}}}}

    def test_a_key_that_is_fetched(self):
        (one, _two), (text, _, _) = keys()
        with Web({"/pks/lookup": text}) as web:
            settings = self.source(web, f"0x{one}")
            self.assert_called("changed", settings)
            self.assertEqual(self.bytes("etc/apt/keyrings/a.asc"), text)
            self.assert_called("unchanged", settings)
            self.assertEqual([request[1] for request in web.requests],
                             [f"/pks/lookup?op=get&options=mr&search=0x{one}"])
        self.copy.run(["apt-get", "update"])
        with Web({"/pks/lookup": text}) as web:
            self.remove("etc/apt/keyrings/a.asc")
            self.assert_called("changed", self.source(web, one[-16:]))

    def test_a_key_that_is_another_one(self):
        (one, _two), (_, other, both) = keys()
        for answer, why in ((other, "is not just this key"), (both, "is not just this key"),
                            (b"<html>no</html>", "is no key"),
                            (KEY.encode(), "is not just this key"),
                            (Answer(404), "its key cannot be fetched: .*404")):
            with Web({"/pks/lookup": answer}) as web:
                self.assert_fails(why, self.source(web, one))
        self.assertFalse(self.exists("etc/apt/keyrings/a.asc"))
        self.assertFalse(self.exists("etc/apt/sources.list.d/a.list"))

    def test_a_key_server_that_is_busy(self):
        (one, _two), (text, _, _) = keys()
        with Web({"/pks/lookup": Answer(503, times=2, then=text)}) as web:
            self.assert_called("changed", self.source(web, one))

    def test_without_gpg(self):
        (one, _two), (text, _, _) = keys()
        self.remove("usr/bin/gpg")
        with Web({"/pks/lookup": text}) as web:
            self.assert_fails("gpg is needed to check the key", self.source(web, one))

    def test_answers_to_a_package(self):
        settings = {"apt": {"debconf_selections": {
            "question": "question question/name string Ada"}}}
        called = self.assert_called("changed", settings)
        self.assertNotIn("Ada", f"{called}")
        self.assert_called("unchanged", settings)
        self.assert_called("changed", {"packages": ["question"]}, module="packages")
        self.assertEqual(self.text("var/tmp/question-answer"), "Ada\n")

    def test_answers_that_are_none(self):
        self.assert_fails("debconf_selections of a: debconf-set-selections ended with exit code",
                          {"apt": {"debconf_selections": {"a": "no"}}})

    def test_a_package_of_a_source(self):
        self.remove("etc/apt/sources.list")
        settings = {"apt": {"sources": {"mine": {
            "source": f"deb [trusted=yes] {self.url('file://')} ./"}}}}
        self.assert_called("changed", settings)
        self.assert_called("changed", {"packages": ["good"], **settings}, module="packages")
        self.assertEqual(self.version("good"), "2.0")

    def test_the_list_of_a_copy(self):
        """debian.sources, as Debian's images have it."""
        self.put("etc/apt/sources.list.d/debian.sources", STANZAS)
        self.assert_called("changed", {"apt": {"primary": [{"uri": "http://m/debian"}],
                                               "disable_suites": ["security", "backports"]}})
        self.remove("etc/apt/sources.list")
        printed = self.copy.run(["apt-get", "--print-uris", "update"]).stdout
        self.assertCountEqual(re.findall("'(https?://.*)/InRelease'", printed), [
            "http://m/debian/dists/bookworm", "http://m/debian/dists/bookworm-updates",
            "https://example.org/debian/dists/bookworm"])

    def test_a_source_that_is_signed(self):
        """apt believes the key that is given for it, and no other."""
        self.remove("etc/apt/sources.list")
        self.copy.run(["sh", "-c", SIGN])
        settings = {"apt": {"sources": {"mine": {
            "source": "deb [signed-by=$KEY_FILE] file:///signed ./", "key": self.text("two")}}}}
        self.assert_called("changed", settings)
        self.assert_fails("good: ", {"packages": ["good"], **settings}, module="packages")
        settings["apt"]["sources"]["mine"]["key"] = self.text("one")
        self.assert_called("changed", settings)
        self.assert_called("changed", {"packages": ["good"], **settings}, module="packages")
        self.assertEqual(self.version("good"), "2.0")


class Examples(AgentTest):
    def test_they_are_valid(self):
        for _comment, text in Page("bootlace-apt-sources.7").blocks("EXAMPLES"):
            outcome = self.machine.agent("validate", "--strict", "-",
                                         given=b"#cloud-config\n" + text.encode())
            self.assertEqual(outcome.code, 0, outcome)


@needs_root
class ExamplesRun(AptTest):
    def test_they_run(self):
        self.put("etc/apt/sources.list", LIST)
        for _comment, text in Page("bootlace-apt-sources.7").blocks("EXAMPLES"):
            called = self.assert_called("changed", text, dry_run=True)
            self.assertIn("would write /etc/apt/", called.log)


if __name__ == "__main__":
    unittest.main()
