#!/usr/bin/python3
"""write_files: both passes, on a tree of the test's own.

BOOTLACE_BUILD names the build folder. Owners other than who runs the test need root.
"""

import base64
import gzip
import hashlib
import json
import os
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))
from agent import needs_program, needs_root  # noqa: E402
from module_call import ModuleTest  # noqa: E402
from test_manual import Page  # noqa: E402
from web import Answer, Web  # noqa: E402

STATE = "var/lib/bootlace/modules/write-files.json"


def b64(content):
    return base64.b64encode(content).decode()


class FilesTest(ModuleTest):
    module = "write-files"

    def setUp(self):
        super().setUp()
        self.own = f"{os.getuid()}:{os.getgid()}"

    def write(self, status, *files, owner=True, **how):
        files = [{"owner": self.own, **file} if owner else file for file in files]
        return self.assert_called(status, {"write_files": files}, **how)

    def deferred(self, status, *files, **how):
        return self.write(status, *files, module="write-files-deferred", **how)

    def assert_refused(self, message, **file):
        self.assert_fails(message, {"write_files": [{"path": "/x", "owner": self.own, **file}]})
        self.assertFalse(self.exists("x"))


class Content(FilesTest):
    def test_plain(self):
        called = self.write("changed", {"path": "/etc/new/motd", "content": "Hallo Wörld\n"},
                            {"path": "/empty"}, {"path": "/null", "content": None})
        self.assertEqual(self.text("etc/new/motd"), "Hallo Wörld\n")
        self.assertEqual(self.text("empty") + self.text("null"), "")
        self.assertEqual(self.mode("etc/new/motd"), 0o644)
        self.assertEqual(self.mode("etc/new"), 0o755)
        self.assertEqual(called.message, "3 of 3 files changed")
        self.assertEqual(called.item("/etc/new/motd")["status"], "changed")

    def test_a_second_run_changes_nothing(self):
        files = [{"path": "/a", "content": "1"}, {"path": "/b", "content": "2", "append": True},
                 {"path": "/c", "content": b64(b"3"), "encoding": "b64", "permissions": "0600"}]
        self.write("changed", *files)
        before = self.tree()
        called = self.write("unchanged", *files)
        self.assertEqual(self.tree(), before)
        self.assertEqual(called.message, "0 of 3 files changed")
        self.assertEqual({item["status"] for item in called.items}, {"unchanged"})

    def test_encodings(self):
        content = bytes(range(256)) * 50
        zipped = gzip.compress(content)
        ways = {"b64": b64(content), "base64": b64(content), "gz": b64(zipped), "gzip": b64(zipped),
                "gz+b64": b64(zipped), "gz+base64": b64(zipped), "gzip+b64": b64(zipped),
                "gzip+base64": b64(zipped), " GZ+Base64 ": b64(zipped)}
        for name, given in ways.items():
            with self.subTest(name):
                self.write("changed", {"path": f"/{name}", "content": given, "encoding": name})
                self.assertEqual(self.bytes(name), content)
        for name in ("text/plain", "", None):
            with self.subTest(name):
                self.write("changed", {"path": f"/p{name}".replace("/p", "/p-"), "content": "QQ==",
                                       "encoding": name})
        self.assertEqual(self.text("p-"), "QQ==")

    def test_base64_as_it_comes(self):
        wrapped = "\n".join(b64(b"x" * 100)[at:at + 60] for at in range(0, 136, 60)) + "\n"
        for given, expected in ((wrapped, b"x" * 100), ("", b""), ("QQ==", b"A"), ("QUI=", b"AB"),
                                (" Q U I = ", b"AB")):
            self.write("changed", {"path": f"/{len(given)}", "content": given, "encoding": "b64"})
            self.assertEqual(self.bytes(str(len(given))), expected)
        for given in ("Q", "QQ", "QQ=", "QQ==QQ==", "QQ=Q", "====", "Q*==", "QQ-_", "=QQQ"):
            with self.subTest(given):
                self.assert_refused("content is no base64", content=given, encoding="b64")

    def test_bytes(self):
        """What YAML's !!binary is where it is no text."""
        content = bytes(range(256))
        for encoding, given in ((None, content), ("gzip", gzip.compress(content)),
                                ("text/plain", content)):
            self.write("changed", {"path": f"/{encoding}", "encoding": encoding,
                                   "content": {"!!binary": b64(given)}})
            self.assertEqual(self.bytes(str(encoding)), content)
        self.assert_refused("no text", content={"!!binary": "?"})
        self.assert_refused("no text", content={"binary": "QQ=="})

    def test_gzip_as_it_comes(self):
        two = gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0\0"
        self.write("changed", {"path": "/two", "content": b64(two), "encoding": "gz+b64"})
        self.assertEqual(self.text("two"), "one two")
        zipped = gzip.compress(b"some content that is long enough" * 9)
        damaged = bytearray(zipped)
        damaged[-5] ^= 1
        for given, message in ((zipped[:-9], "cut off"), (zipped[:12], "cut off"),
                               (bytes(damaged), "damaged"), (zipped + b"rest", "damaged"),
                               (b"no gzip", "damaged"), (b"", "damaged")):
            with self.subTest(message):
                self.assert_refused(message, content=b64(given), encoding="gz+b64")
        self.assert_refused("is the encoding gz.b64", content="no base64!", encoding="gz")

    def test_a_bomb_is_refused(self):
        bomb = gzip.compress(bytes(65 << 20), 9)
        self.assert_refused("more than 64 MiB", content=b64(bomb), encoding="gz+b64")

    def test_source(self):
        self.put("srv/source", b"\0\1")
        self.write("changed", {"path": "/copy", "source": {"uri": "file:///srv/source"}},
                   {"path": "/copy2", "source": {"uri": "FILE://localhost/srv/source"}})
        self.assertEqual(self.bytes("copy") + self.bytes("copy2"), b"\0\1\0\1")
        for uri, message in (("file:///none", "No such file"), ("file:///srv", "no regular file"),
                             ("ftp://example.org/x", "begins with none of https://"),
                             ("s3://bucket/key", "use the key s3 for it"),
                             ("http://a/b c", "has a blank in it"),
                             ("file://host/srv/source", "another machine"), ("", "no uri")):
            with self.subTest(uri):
                self.assert_refused(message, source={"uri": uri})
        called = self.write("changed", {"path": "/other", "source": {"uri": "file:///none"},
                                        "content": "instead"})
        self.assertEqual(self.text("other"), "instead")
        self.assertEqual(called.item("/other")["message"], "its content is used: source.uri cannot "
                         "be read: No such file or directory")
        self.assertIn("its content is used", called.log)

    def test_source_stays_in_the_tree(self):
        os.symlink("/etc/passwd", self.path("out"))
        self.assert_refused("No such file", source={"uri": "file:///out"})
        self.assert_refused("No such file", source={"uri": "file:///../../../../etc/passwd"})


class Modes(FilesTest):
    def test_permissions(self):
        for given, mode in (("0644", 0o644), ("755", 0o755), ("0o600", 0o600), (0o640, 0o640),
                            (None, 0o644), ("4755", 0o4755), ("0", 0), (0o1777, 0o1777)):
            with self.subTest(given):
                self.write("changed", {"path": f"/{given}", "permissions": given})
                self.assertEqual(self.mode(str(given)), mode)

    def test_permissions_that_are_none(self):
        for given in ("rw-r--r--", "", "0888", "-1", "17777", "0x1ff", True, -1, 0o10000, 1.5, []):
            with self.subTest(given):
                self.assert_refused("permissions", permissions=given)

    def test_decimal_by_mistake(self):
        for given in (644, 755, 600, 777):
            self.assert_refused(f"permissions {given} is a decimal number; write \"0{given}\"",
                                permissions=given)

    def test_an_existing_file_gets_the_mode(self):
        self.put("old", "same", mode=0o666)
        self.write("changed", {"path": "/old", "content": "same", "permissions": "0600"})
        self.assertEqual(self.mode("old"), 0o600)

    @needs_root
    def test_owners(self):
        self.put("etc/passwd", "root:x:0:0::/:/bin/sh\napp:x:4321:99::/:/bin/sh\n")
        self.put("etc/group", "root:x:0:\nweb:x:4322:\n")
        for owner, expected in (("app:web", (4321, 4322)), ("app", (4321, 0)), ("12:13", (12, 13)),
                                (":web", (0, 4322)), ("app:", (4321, 0)), (77, (77, 0)),
                                ("none:web", (0, 4322)), (None, (0, 0)), ("root:root", (0, 0))):
            with self.subTest(owner):
                self.write("changed", {"path": f"/{owner}", "owner": owner})
                info = os.stat(self.path(str(owner)))
                self.assertEqual((info.st_uid, info.st_gid), expected)

    def test_owners_that_are_none(self):
        for given in ("a:b:c", ["root"], True, "4294967295", "99999999999999999999"):
            with self.subTest(given):
                self.assert_refused("owner", owner=given)


@needs_root
class Waiting(FilesTest):
    FILE = {"path": "/srv/conf", "content": "secret", "owner": "app:web", "permissions": "0640"}

    def make_accounts(self):
        self.put("etc/passwd", "app:x:4321:99::/:/bin/sh\n")
        self.put("etc/group", "web:x:4322:\n")

    def test_an_owner_who_comes_later(self):
        called = self.write("changed", {"path": "/first"}, self.FILE)
        self.assertEqual(called.item("/srv/conf")["message"], "waits: its owner app:web is not "
                         "there yet; written after users and packages")
        self.assertEqual(called.message, "1 of 2 files changed, 1 wait for their owner")
        self.assertFalse(self.exists("srv/conf"))
        self.assertNotIn("secret", self.text(STATE))
        self.assertEqual(self.mode(STATE), 0o600)
        self.make_accounts()
        called = self.deferred("changed", {"path": "/first"}, self.FILE)
        self.assertEqual([item["item"] for item in called.items], ["/srv/conf"])
        info = os.stat(self.path("srv/conf"))
        self.assertEqual((info.st_uid, info.st_gid, info.st_mode & 0o7777), (4321, 4322, 0o640))
        self.assertEqual(json.loads(self.text(STATE))["waiting"], [])
        called = self.deferred("unchanged", {"path": "/first"}, self.FILE)
        self.assertEqual(called.items, [])

    def test_an_owner_who_never_comes(self):
        self.write("unchanged", self.FILE)
        called = self.deferred("failed", self.FILE)
        self.assertEqual(called.message, "1 of 1 files failed: /srv/conf: its owner app:web is "
                                         "still not there")
        self.make_accounts()
        self.deferred("changed", self.FILE)

    def test_what_did_not_wait_is_not_written_again(self):
        self.make_accounts()
        self.write("changed", self.FILE)
        self.put("srv/conf", "changed by hand")
        self.deferred("unchanged", self.FILE)
        self.assertEqual(self.text("srv/conf"), "changed by hand")

    def test_only_the_group_is_missing(self):
        self.put("etc/passwd", "app:x:4321:99::/:/bin/sh\n")
        self.write("unchanged", self.FILE)


class Fetched(FilesTest):
    """Sources over http and https, from servers of the test's own."""

    def serve(self, answers, **how):
        web = Web(answers, **how)
        web.__enter__()
        self.addCleanup(web.__exit__)
        return web

    def file(self, uri, **more):
        source = {"uri": uri, **{key: more.pop(key) for key in ("checksum", "headers")
                                 if key in more}}
        return {"path": "/x", "owner": self.own, "source": source, **more}

    def assert_unfetched(self, message, uri, **more):
        called = self.assert_fails(message, {"write_files": [self.file(uri, **more)]})
        self.assertFalse(self.exists("x"))
        return called

    def test_what_a_server_has(self):
        body = bytes(range(256)) * 3000
        web = self.serve({"/a": body, "/empty": b""})
        files = [self.file(web.url("/a"), permissions="0600"),
                 {"path": "/empty", "source": {"uri": web.url("/empty#part")}}]
        called = self.write("changed", *files)
        self.assertEqual((self.bytes("x"), self.bytes("empty")), (body, b""))
        self.assertEqual(self.mode("x"), 0o600)
        self.assertIn(f"fetching {web.url('/a')}\n", called.log)
        self.assertEqual(web.requests[0][2]["User-Agent"].split("/")[0], "bootlace")
        self.assertEqual(web.paths(), ["/a", "/empty"])
        self.write("unchanged", *files)
        web.answers["/a"] = b"new"
        self.write("changed", *files)
        self.assertEqual(self.text("x"), "new")

    def test_what_passes_is_tried_again(self):
        web = self.serve({"/a": Answer(503, times=2, then=b"at last"),
                          "/cut": Answer(200, body=b"half of it", cut=4, times=1, then=b"whole")})
        self.write("changed", self.file(web.url("/a")), self.file(web.url("/cut"), path="/cut"))
        self.assertEqual((self.text("x"), self.text("cut")), ("at last", "whole"))
        self.assertEqual(web.paths(), ["/a"] * 3 + ["/cut"] * 2)

    def test_what_cannot_be_had(self):
        web = self.serve({"/private": Answer(403, body=b"hunter2")})
        secret = web.url("/none?token=hunter2").replace("//", "//user:hunter2@")
        called = self.assert_unfetched("cannot be fetched: .*/none answers 404 Not Found", secret)
        self.assertNotIn("hunter2", repr(called))
        self.assertNotIn("user", repr(called))
        called = self.assert_unfetched("answers 403 Forbidden", web.url("/private"))
        self.assertNotIn("hunter2", repr(called))
        self.assertEqual(len(web.requests), 2)
        called = self.write("changed", self.file(secret, content="instead"))
        self.assertEqual(self.text("x"), "instead")
        self.assertIn("its content is used: cannot be fetched", called.item("/x")["message"])
        self.assertNotIn("hunter2", repr(called))

    def test_more_than_is_taken(self):
        web = self.serve({"/big": bytes((64 << 20) + 1)})
        self.assert_unfetched("has more than 64 MiB", web.url("/big"))

    def test_checksums(self):
        body = b"as it should be"
        digest = hashlib.sha256(body).hexdigest()
        web = self.serve({"/a": body})
        self.put("srv/a", body)
        ways = [{"uri": web.url("/a"), "checksum": f"sha256:{digest}"},
                {"uri": web.url(f"/a#sha256={digest.upper()}")},
                {"uri": web.url(f"/a#SHA256={digest}"), "checksum": f"SHA256:{digest}"},
                {"uri": "file:///srv/a", "checksum": f"sha256:{digest}"}]
        for number, source in enumerate(ways):
            with self.subTest(source):
                self.write("changed", {"path": f"/{number}", "source": source})
                self.assertEqual(self.bytes(str(number)), body)
        asked = len(web.requests)
        for number, source in enumerate(ways):
            self.write("unchanged", {"path": f"/{number}", "source": source})
        self.assertEqual(len(web.requests), asked, "what is there already is not asked for")
        self.write("changed", {"path": "/0", "source": ways[0], "permissions": "0600"})
        self.put("0", b"changed by hand")
        self.write("changed", {"path": "/0", "source": ways[0]})
        self.assertEqual(len(web.requests), asked + 1)

    def test_checksums_that_do_not_hold(self):
        web = self.serve({"/a": b"something else"})
        self.put("srv/a", b"something else")
        other = "0" * 64
        for uri in (web.url("/a"), "file:///srv/a"):
            self.assert_unfetched("not what its checksum says .14 bytes.", uri, content="no",
                                  checksum=f"sha256:{other}")
        asked = len(web.requests)
        for file, words in ((self.file(web.url("/a"), checksum=other), "is no SHA-256"),
                            (self.file(web.url("/a"), checksum="sha256:12"), "is no SHA-256"),
                            (self.file(web.url("/a#sha256=12")), "is no SHA-256"),
                            (self.file(web.url("/a#sha256=" + "1" * 64),
                                       checksum=f"sha256:{other}"), "differ")):
            with self.subTest(words):
                self.assert_fails(words, {"write_files": [file]})
        self.assertEqual(len(web.requests), asked)

    def test_headers(self):
        web = self.serve({"/a": b"private"})
        web.answers["/moved"] = Answer(302, headers={"Location": web.url("/a")})
        headers = {"Authorization": "Bearer hunter2", "X-Empty": ""}
        called = self.write("changed", self.file(web.url("/a"), headers=headers))
        sent = web.requests[0][2]
        self.assertEqual((sent["Authorization"], sent["X-Empty"]), ("Bearer hunter2", ""))
        self.assertNotIn("hunter2", repr(called))
        called = self.assert_called("failed", {"write_files": [
            self.file(web.url("/moved"), headers=headers, path="/moved")]})
        self.assertIn("redirects are not followed", called.message)
        for headers in ({"bad name": "x"}, {"X": "a\nInjected: b"}, {"X": 5}, ["X"]):
            with self.subTest(headers):
                self.assert_fails("source.headers", {"write_files": [
                    self.file(web.url("/a"), headers=headers)]})
        self.assertEqual(web.paths(), ["/a", "/moved"])

    def test_redirects(self):
        web = self.serve({"/target": b"found"})
        web.answers["/a"] = Answer(302, headers={"Location": "/target"})
        web.answers["/round"] = Answer(302, headers={"Location": "/round"})
        # Addresses of that kind where nobody is, should they be asked all the same.
        web.answers["/astray"] = Answer(302, headers={"Location": "http://169.254.7.7/"})
        web.answers["/mapped"] = Answer(302, headers={"Location": "http://[::ffff:169.254.7.7]/"})
        web.answers["/file"] = Answer(302, headers={"Location": "file:///etc/passwd"})
        for path, words in (("/round", "redirects"), ("/astray", "redirects to 169.254.7.7.*link-"),
                            ("/mapped", "redirects to .*link-local"),
                            ("/file", "redirects to what is not followed")):
            with self.subTest(path):
                self.assert_unfetched(words, web.url(path))
        self.write("changed", self.file(web.url("/a")))
        self.assertEqual(self.text("x"), "found")

    @needs_program("openssl")
    def test_https(self):
        plain = self.serve({"/a": b"plain"})
        web = self.serve({"/a": b"tls", "/down": Answer(301, headers={
            "Location": plain.url("/a")})}, tls=True)
        self.assert_unfetched("certificate .* is not trusted", web.url("/a"))
        trust = {"variables": {"SSL_CERT_FILE": web.authority}}
        self.assert_fails("redirects to what is not followed",
                          {"write_files": [self.file(web.url("/down"))]}, **trust)
        self.assertEqual(plain.requests, [])
        self.write("changed", self.file(web.url("/a")), **trust)
        self.assertEqual(self.text("x"), "tls")

    def test_append(self):
        web = self.serve({"/a": b"line\n"})
        self.put("x", "first\n")
        file = self.file(web.url("/a"), append=True)
        self.write("changed", file)
        self.write("unchanged", file)
        self.assertEqual(self.text("x"), "first\nline\n")

    def test_nobody_is_asked_before_it_is_time(self):
        web = self.serve({"/a": b"here"})
        before = self.tree()
        called = self.write("changed", self.file(web.url("/a?token=hunter2")), dry_run=True)
        self.assertEqual(self.tree(), before)
        self.assertIn(f"would write /x (to be fetched from {web.url('/a')})", called.log)
        self.assertNotIn("hunter2", repr(called))
        self.write("unchanged", self.file(web.url("/a"), defer=True),
                   self.file(web.url("/a"), owner="nobody-yet", path="/y"))
        self.assertEqual(web.requests, [])


class Deferred(FilesTest):
    def test_defer(self):
        files = [{"path": "/now"}, {"path": "/later", "defer": True}, {"path": "/l2",
                                                                       "defer": "true"}]
        self.write("changed", *files)
        self.assertTrue(self.exists("now"))
        self.assertFalse(self.exists("later"))
        os.remove(self.path("now"))
        called = self.deferred("changed", *files)
        self.assertEqual([item["item"] for item in called.items], ["/later", "/l2"])
        self.assertFalse(self.exists("now"))

    def test_what_is_wrong_is_told_at_once_and_once(self):
        file = {"path": "/x", "defer": True, "permissions": "rwx"}
        self.write("failed", file)
        self.deferred("unchanged", file)


class Append(FilesTest):
    def test_once(self):
        self.put("etc/fstab", "first")
        line = {"path": "/etc/fstab", "content": "\nsecond\n", "append": True}
        self.write("changed", line)
        self.assertEqual(self.text("etc/fstab"), "first\nsecond\n")
        self.write("unchanged", line)
        self.assertEqual(self.text("etc/fstab"), "first\nsecond\n")
        self.put("etc/fstab", "another file\n")
        self.write("changed", line)
        self.assertEqual(self.text("etc/fstab"), "another file\n\nsecond\n")

    def test_what_was_there_before_does_not_count(self):
        self.put("conf", "a {\n}\n")
        self.write("changed", {"path": "/conf", "content": "}\n", "append": True})
        self.assertEqual(self.text("conf"), "a {\n}\n}\n")
        self.write("unchanged", {"path": "/conf", "content": "}\n", "append": True})

    def test_several_to_one_file(self):
        files = [{"path": "/f", "content": f"{name}\n", "append": True} for name in "abab"]
        self.write("changed", *files)
        self.assertEqual(self.text("f"), "a\nb\na\nb\n")
        self.write("unchanged", *files)
        with open(self.path("f"), "a", encoding="utf-8") as out:
            out.write("by hand\n")
        self.write("unchanged", *files)
        self.write("changed", *files, {"path": "/f", "content": "c\n", "append": True})
        self.assertEqual(self.text("f"), "a\nb\na\nb\nby hand\nc\n")

    def test_a_file_that_is_written_anew(self):
        files = [{"path": "/f", "content": "more\n"},
                 {"path": "/f", "content": "more\n", "append": True}]
        for _ in range(3):
            self.write("changed", *files)
            self.assertEqual(self.text("f"), "more\nmore\n")

    def test_mode_and_owner_stay(self):
        self.put("shadow", "a\n", mode=0o600)
        self.write("changed", {"path": "/shadow", "content": "b\n", "append": True}, owner=False)
        self.assertEqual(self.mode("shadow"), 0o600)
        self.assertEqual(os.stat(self.path("shadow")).st_uid, os.getuid())
        self.write("changed", {"path": "/shadow", "content": "b\n", "append": True,
                               "permissions": "0644"})
        self.assertEqual(self.mode("shadow"), 0o644)


class Trouble(FilesTest):
    def test_one_failure_keeps_nothing_back(self):
        os.mkdir(self.path("folder"))
        self.put("file")
        called = self.write("failed", {"path": "/a"}, {"path": "/folder"}, {"path": "/file/x"},
                            {"path": "/b"}, {"content": "no path"}, {})
        self.assertTrue(self.exists("a") and self.exists("b"))
        self.assertEqual(called.message,
                         "4 of 6 files failed: /folder: there is a directory of this name; "
                         "/file/x: a part of its path is no directory; item 5: has no path; "
                         "item 6: has no path")

    def test_nothing_gets_out_of_the_tree(self):
        outside = os.path.join(self.work, "outside")
        os.mkdir(outside)
        os.symlink(outside, self.path("link"))
        self.write("failed", {"path": "/link/x"}, {"path": "/../../outside/y"})
        self.assertEqual(os.listdir(outside), [])

    def test_no_message_has_the_content(self):
        for file in ({"encoding": "b64"}, {"encoding": "gz"}, {"encoding": "gz+b64"},
                     {"encoding": "hunter2 hunter2"}, {"permissions": "hunter2"}):
            called = self.write("failed", {"path": "/x", "content": "hunter2 is secret", **file})
            self.assertNotIn("hunter2", repr(called))

    def test_dry_run(self):
        files = [{"path": "/new/x", "content": "12345"}, {"path": "/y", "append": True,
                                                          "content": "z"}]
        called = self.write("changed", *files, dry_run=True)
        self.assertEqual(self.tree(), {})
        self.assertIn("would write /new/x (5 bytes)\n", called.log)

    def test_wrong_settings(self):
        for value, message in (("x", "write_files is no list"), ({}, "write_files is no list"),
                               (["x"], "is no mapping with a path"), ([{"path": 5}], "path is no"),
                               ([{"path": "/x", "content": 5}], "content is no text"),
                               ([{"path": "/x/"}], "the path is that of a directory"),
                               ([{"path": "/x", "append": "maybe"}], "append is neither"),
                               ([{"path": "/x", "encoding": "rot13"}], "encoding is none of")):
            with self.subTest(value):
                self.assert_fails(message, {"write_files": value})
        for value in (None, []):
            self.assert_called("unchanged", {"write_files": value})

    def test_a_state_that_cannot_be_understood(self):
        for text in ("", "{", "[]", '{"appended": 5, "waiting": [5, null]}'):
            self.put(STATE, text)
            self.write("changed", {"path": "/f", "content": text + "x", "append": True})


@needs_root
class Manual(ModuleTest):
    def test_examples_of_the_page(self):
        blocks = Page("bootlace-write-files.7").blocks("EXAMPLES")
        self.assertGreater(len(blocks), 2)
        self.put("etc/passwd", "www-data:x:33:33::/:/bin/sh\n")
        self.put("etc/group", "www-data:x:33:\n")
        self.put("etc/crontab", "# jobs\n")
        web = Web({"/tool-1.2": b"#!/bin/sh\necho tool 1.2\n"})
        web.__enter__()
        self.addCleanup(web.__exit__)
        for _, block in blocks:
            block = block.replace("https://files.example.org", web.url())
            self.assert_called("unchanged" if "defer" in block else "changed", block,
                               module="write-files")
            self.assert_called("changed" if "defer" in block else "unchanged", block,
                               module="write-files-deferred")
        self.assertEqual(self.text("etc/motd"), "Welcome.\n")
        self.assertEqual(self.mode("usr/local/bin/hello"), 0o755)
        self.assertTrue(self.text("usr/local/bin/hello").startswith("#!/bin/sh\n"))
        self.assertTrue(self.text("usr/local/bin/tool").endswith("tool 1.2\n"))
        self.assertEqual([(path, sent["Authorization"]) for _, path, sent, _ in web.requests],
                         [("/tool-1.2", "Bearer 0123456789")])
        self.assertTrue(self.text("etc/crontab").startswith("# jobs\n15 "))


if __name__ == "__main__":
    unittest.main()
