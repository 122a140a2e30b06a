#!/usr/bin/python3
"""s3: archives that are unpacked, and those that must not be."""

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import unittest
import zipfile

from s3_case import S3Test

FILES = {"app/bin/run": b"#!/bin/sh\n", "app/etc/conf": b"a = 1\n", "app/empty": b""}


def tar(*entries, format=tarfile.PAX_FORMAT):
    """Entries: (name, content) or (name, type, target or device)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, *what in entries:
            info = tarfile.TarInfo(name)
            if len(what) == 1:
                info.size = len(what[0])
                info.mode = 0o4755 if name.endswith("run") else 0o666
                archive.addfile(info, io.BytesIO(what[0]))
            else:
                info.type, info.linkname = what[0], what[1] or ""
                archive.addfile(info)
    return out.getvalue()


def zipped(*entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


class Archives(S3Test):
    def extract(self, status, body, name="app.tar", message="", **more):
        self.put_object(name, body)
        item = {"from": self.url(name), "to": "/opt/app", "extract": True, **more}
        return self.refuse(message, item) if status == "failed" else self.copy(status, item)

    def test_every_kind(self):
        plain = tar(*FILES.items())
        for name, body in (("a.tar", plain), ("a.tar.gz", gzip.compress(plain)),
                           ("a.tar.bz2", bz2.compress(plain)), ("a.tar.xz", lzma.compress(plain)),
                           ("a.zip", zipped(*FILES.items())),
                           ("gnu", tar(*FILES.items(), format=tarfile.GNU_FORMAT))):
            with self.subTest(name):
                self.extract("changed", body, name=name, strip=1, to=f"/opt/{name}")
                self.assertEqual(self.files(f"opt/{name}"),
                                 {path[4:]: content for path, content in FILES.items()})
        self.assert_no_leftovers()

    def test_a_second_time(self):
        body = tar(*FILES.items())
        self.extract("changed", body)
        before = self.tree()
        self.extract("unchanged", body)
        self.assertEqual({name for name in before}, set(self.tree()))
        self.put("opt/app/mine", "mine\n")
        self.extract("changed", tar(("app/etc/conf", b"a = 2\n")))
        self.assertEqual(self.text("opt/app/app/etc/conf"), "a = 2\n")
        self.assertEqual(self.text("opt/app/mine"), "mine\n")
        self.assertEqual(self.bytes("opt/app/app/bin/run"), FILES["app/bin/run"])

    def test_modes_and_owners(self):
        self.put("etc/passwd", "app:x:4321:99::/:/bin/sh\n")
        self.put("etc/group", "app:x:4321:\n")
        self.extract("changed", tar(*FILES.items()), owner="app:app")
        run = os.stat(self.path("opt/app/app/bin/run"))
        self.assertEqual((run.st_uid, run.st_gid, stat.S_IMODE(run.st_mode)), (4321, 4321, 0o755))
        self.assertEqual(self.mode("opt/app/app/etc/conf"), 0o664)

    def test_links_within(self):
        self.extract("changed", tar(("d/f", b"x"), ("d/l", tarfile.SYMTYPE, "f"),
                                    ("l", tarfile.SYMTYPE, "d/f"), ("h", tarfile.LNKTYPE, "d/f")))
        self.assertEqual(os.readlink(self.path("opt/app/l")), "d/f")
        self.assertEqual(self.bytes("opt/app/h"), b"x")

    def test_what_is_refused_as_a_whole(self):
        for entries, message in (
                ([("../evil", b"x")], "a path with a name .."),
                ([("a/../../evil", b"x")], "a path with a name .."),
                ([("/etc/evil", b"x")], "an absolute path"),
                ([("l", tarfile.SYMTYPE, "/etc"), ("l/evil", b"x")], "a link that leads out of it"),
                ([("l", tarfile.SYMTYPE, "../.."), ("l/evil", b"x")], "a link that leads out"),
                ([("h", tarfile.LNKTYPE, "../../etc/passwd")], "a link|a path with a name .."),
                ([("d", tarfile.CHRTYPE, None)], "a device, a pipe or a socket"),
                ([("p", tarfile.FIFOTYPE, None)], "a device, a pipe or a socket")):
            with self.subTest(entries):
                self.extract("failed", tar(("good", b"x"), *entries), message=message)
                self.assertFalse(self.exists("opt/app"))
                self.assertFalse(self.exists("evil") or self.exists("etc/evil"))

    def test_a_bomb(self):
        bomb = gzip.compress(tar(("zeros", bytes(300 << 20))), 9)
        self.extract("failed", bomb, message="the archive inflates to more than 250 times its size")
        self.assertFalse(self.exists("opt/app"))
        self.assert_no_leftovers()

    def test_one_that_is_broken_or_none(self):
        whole = gzip.compress(tar(*FILES.items(), ("more", os.urandom(100000))))
        for body in (whole[:-50000], b"no archive at all\n" * 100):
            self.extract("failed", body, message="the archive cannot be read")
            self.assertFalse(self.exists("opt/app"))

    def test_what_is_in_the_way_changes_nothing(self):
        os.makedirs(self.path("opt/app/app/etc/conf"))
        self.extract("failed", tar(*FILES.items()), message="is a directory, and the archive has")
        self.assertEqual(self.files("opt/app"), {})

    def test_a_link_that_was_there_is_not_followed(self):
        self.put("etc/secret", "secret\n")
        os.makedirs(self.path("opt/app/app"))
        os.symlink("/etc", self.path("opt/app/app/etc"))
        self.put_object("a", tar(("app/etc/secret", b"evil")))
        self.call({"s3": []})
        self.copy_any({"from": self.url("a"), "to": "/opt/app", "extract": True})
        self.assertEqual(self.text("etc/secret"), "secret\n")

    def copy_any(self, item):
        """Whether it is refused or put in the link's place is not the matter here."""
        try:
            self.copy("changed", item)
        except AssertionError:
            self.copy("failed", item)

    def test_settings_that_contradict(self):
        for item, message in (({"from": self.url("t/"), "extract": True}, "extract is for one"),
                              ({"from": self.url("t"), "strip": 1}, "strip is for archives")):
            self.refuse(message, {"to": "/opt/app", **item})


if __name__ == "__main__":
    unittest.main()
