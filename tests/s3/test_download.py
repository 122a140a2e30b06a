#!/usr/bin/python3
"""s3: objects and trees copied to the instance, from Swift."""

import hashlib
import os
import unittest

from s3_case import AWKWARD, MIB, S3Test, body_of


class Objects(S3Test):
    def test_one(self):
        self.put_object("dir/file.txt", b"hello")
        called = self.copy("changed", {"from": self.url("dir/file.txt"), "to": "/srv/new/name"})
        self.assertEqual(self.files("srv"), {"new/name": b"hello"})
        self.assertEqual(self.mode("srv/new/name"), 0o644)
        self.assertEqual(self.mode("srv/new"), 0o755)
        self.assertEqual(called.message, "1 of 1 copies changed")
        self.assertEqual(called.items[0]["message"], "5 bytes")
        self.assert_no_leftovers()

    def test_into_a_folder(self):
        self.put_object("dir/file.txt", b"hello")
        self.copy("changed", {"from": self.url("dir/file.txt"), "to": "/srv/"})
        self.assertEqual(self.files("srv"), {"file.txt": b"hello"})

    def test_its_time_is_the_objects(self):
        self.put_object("f")
        self.copy("changed", {"from": self.url("f"), "to": "/f"})
        head = self.client.head_object(Bucket=self.bucket, Key="f")
        self.assertEqual(int(os.stat(self.path("f")).st_mtime), head["LastModified"].timestamp())

    def test_an_empty_one(self):
        self.put_object("empty", b"")
        self.copy("changed", {"from": self.url("empty"), "to": "/empty"})
        self.assertEqual(self.bytes("empty"), b"")

    def test_owner_and_mode(self):
        self.put("etc/passwd", "app:x:4321:99::/:/bin/sh\n")
        self.put("etc/group", "web:x:4322:\n")
        self.put_object("t/a/f")
        item = {"from": self.url("t/"), "to": "/srv/t", "owner": "app:web", "mode": "0640"}
        self.copy("changed", item)
        for path, mode in (("srv/t/a/f", 0o640), ("srv/t/a", 0o750), ("srv/t", 0o750)):
            info = os.stat(self.path(path))
            self.assertEqual((info.st_uid, info.st_gid, info.st_mode & 0o7777), (4321, 4322, mode))
        self.assertEqual(os.stat(self.path("srv")).st_uid, 0)
        os.chmod(self.path("srv/t/a/f"), 0o666)
        self.proxy.forget()
        called = self.copy("changed", item)
        self.assertEqual(called.items[0]["message"],
                         "0 of 1 objects copied, 0 bytes; 1 have a new owner or mode")
        self.assertEqual(self.mode("srv/t/a/f"), 0o640)
        self.assertEqual(len(self.proxy.requests), 1)
        self.refuse("its owner nobody-here is not there", {**item, "owner": "nobody-here"})

    def test_a_link_in_its_place_is_replaced(self):
        self.put("etc/secret", "secret")
        os.symlink("etc/secret", self.path("link"))
        self.put_object("f")
        self.copy("changed", {"from": self.url("f"), "to": "/link"})
        self.assertEqual(self.text("etc/secret"), "secret")
        self.assertFalse(os.path.islink(self.path("link")))

    def test_nothing_gets_out_of_the_tree(self):
        os.symlink(self.work, self.path("out"))
        self.put_object("f")
        self.copy("failed", {"from": self.url("f"), "to": "/out/x"})
        self.copy("changed", {"from": self.url("f"), "to": "/../../y"})
        self.assertFalse(os.path.exists(os.path.join(self.work, "x")))
        self.assertTrue(self.exists("y"))

    def test_what_is_in_the_way(self):
        self.put_object("f")
        os.mkdir(self.path("folder"))
        self.put("file")
        self.refuse("there is a directory of this name", {"from": self.url("f"), "to": "/folder"})
        self.refuse("no directory", {"from": self.url("f"), "to": "/file/x"})
        self.assert_no_leftovers()

    def test_dry_run(self):
        self.put_object("f", b"12345")
        called = self.copy("changed", {"from": self.url("f"), "to": "/f"}, dry_run=True)
        self.assertEqual(self.tree(), {})
        self.assertIn(f"would copy {self.url('f')} to /f (5 bytes)\n", called.log)

    def test_one_failure_keeps_nothing_back(self):
        self.put_object("f")
        called = self.refuse("1 of 2 copies failed: s3://.*/none to /none: S3 refused .*NoSuchKey",
                             {"from": self.url("none"), "to": "/none"},
                             {"from": self.url("f"), "to": "/f"})
        self.assertEqual([item["status"] for item in called.items], ["failed", "changed"])
        self.assertTrue(self.exists("f"))
        self.assertFalse(self.exists("none"))


class Again(S3Test):
    """A second run changes nothing, and asks for little."""

    def assert_left_alone(self, item, requests):
        before = self.tree()
        self.proxy.forget()
        called = self.copy("unchanged", item)
        self.assertEqual({name: entry for name, entry in self.tree().items()
                          if "bootlace/modules/s3" not in name},
                         {name: entry for name, entry in before.items()
                          if "bootlace/modules/s3" not in name})
        self.assertEqual(len(self.proxy.requests), requests, self.proxy.requests)
        return called

    def test_an_object(self):
        item = {"from": self.url("f"), "to": "/f"}
        self.put_object("f", b"one")
        self.copy("changed", item)
        called = self.assert_left_alone(item, 1)
        self.assertEqual(called.items[0]["message"], "it was there already")
        self.put_object("f", b"two")
        self.copy("changed", item)
        self.assertEqual(self.bytes("f"), b"two")

    def test_a_tree(self):
        for name in ("a", "b/c", "b-d", "b/e"):
            self.put_object(f"t/{name}", name)
        item = {"from": self.url("t/"), "to": "/srv"}
        self.copy("changed", item)
        self.assert_left_alone(item, 1)
        self.put_object("t/b/c", "other")
        self.put("srv/a", "z")
        os.remove(self.path("srv/b-d"))
        called = self.copy("changed", item)
        self.assertEqual(called.items[0]["message"], "3 of 4 objects copied, 9 bytes")
        self.assertEqual(self.files("srv"),
                         {"a": b"a", "b/c": b"other", "b-d": b"b-d", "b/e": b"b/e"})
        self.assert_left_alone(item, 1)

    def test_files_that_came_otherwise(self):
        """Without a record, the ETag tells, where it is an MD5."""
        self.put_object("t/a", "same")
        self.put_object("t/b", "size")
        self.put("srv/a", "same")
        self.put("srv/b", "else")
        called = self.copy("changed", {"from": self.url("t/"), "to": "/srv"})
        self.assertEqual(called.items[0]["message"], "1 of 2 objects copied, 4 bytes")
        self.assertEqual(self.text("srv/b"), "size")

    def test_if_changed_is_false(self):
        self.put_object("f")
        item = {"from": self.url("f"), "to": "/f", "if_changed": False}
        self.copy("changed", item)
        self.copy("changed", item)

    def test_a_record_that_cannot_be_understood(self):
        self.put_object("t/a", "text")
        item = {"from": self.url("t/"), "to": "/srv"}
        self.copy("changed", item)
        folder = self.path("var/lib/bootlace/modules/s3")
        for text in ("", "[", '["a"]\n', '["a","x",4]\n{}\n5\n', "\0\0\n"):
            with open(os.path.join(folder, os.listdir(folder)[0]), "w", encoding="utf-8") as out:
                out.write(text)
            self.copy("unchanged", item)


class Trees(S3Test):
    def test_awkward_keys(self):
        for name in AWKWARD:
            self.put_object(f"a b+c/{name}", name)
        called = self.copy("changed", {"from": self.url("a b+c/"), "to": "/srv"})
        self.assertEqual(called.items[0]["message"].split(",")[0],
                         f"{len(AWKWARD)} of {len(AWKWARD)} objects copied")
        self.assertEqual(self.files("srv"),
                         {name.replace("//", "/"): name.encode() for name in AWKWARD})
        self.assertEqual(self.copy("unchanged", {"from": self.url("a b+c/"), "to": "/srv"})
                         .items[0]["status"], "unchanged")

    def test_awkward_keys_by_themselves(self):
        for name in AWKWARD:
            with self.subTest(name):
                self.put_object(name, name)
                self.copy("changed", {"from": self.url(name), "to": "/one"})
                self.assertEqual(self.text("one"), name)

    def test_keys_that_lead_out(self):
        good = {"t/good": "good", "t/sub/...": "dots"}
        bad = ["t/../evil", "t/sub/../../evil", "t/..", "t/./x", f"t/{'n' * 256}"]
        for key in [*good, *bad]:
            self.put_object(key, good.get(key, "evil"))
        called = self.refuse(f"{len(bad)} of {len(bad) + 2} objects failed",
                             {"from": self.url("t/"), "to": "/srv/in"})
        for key in bad:
            self.assertIn(f"{key}: its key has a name", called.message)
        self.assertEqual(self.files(), {"srv/in/good": b"good", "srv/in/sub/...": b"dots"})

    def test_keys_with_one_path(self):
        for key in ("t/a//b", "t/a/b", "t/x//y", "t/x///y"):
            self.put_object(key, key)
        called = self.refuse("2 of 4 objects failed", {"from": self.url("t/"), "to": "/srv"})
        self.assertRegex(called.message, "t/a//b: the key t/a/b has the same path")
        self.assertEqual(self.text("srv/a/b"), "t/a/b")
        self.assertIn(self.text("srv/x/y"), ("t/x//y", "t/x///y"))

    def test_a_file_where_a_folder_is_needed(self):
        self.put_object("t/a", "file")
        self.put_object("t/a/b", "below")
        self.refuse("1 of 2 objects failed", {"from": self.url("t/"), "to": "/srv"})
        self.assert_no_leftovers()

    def test_folders_alone(self):
        self.put_object("t/made/", b"")
        self.put_object("t/f", b"x")
        self.copy("changed", {"from": self.url("t/"), "to": "/srv"})
        self.assertTrue(os.path.isdir(self.path("srv/made")))

    def test_a_link_below_leads_within(self):
        for folder in ("srv/real", "else"):
            os.makedirs(self.path(folder))
        os.symlink("real", self.path("srv/link"))
        os.symlink("../else", self.path("srv/out"))
        os.symlink(self.work, self.path("srv/far"))
        for name in ("link/f", "out/f", "far/f"):
            self.put_object(f"t/{name}")
        called = self.refuse("2 of 3 objects failed", {"from": self.url("t/"), "to": "/srv"})
        self.assertIn("leads out of the folder", called.message)
        self.assertTrue(self.exists("srv/real/f"))
        self.assertEqual(os.listdir(self.path("else")), [])
        self.assertFalse(os.path.exists(os.path.join(self.work, "f")))

    def test_patterns(self):
        for name in ("a.css", "b/c.css", "b/c.js", "b/c.map", "fonts/x/y", "z.txt"):
            self.put_object(f"t/{name}")
        self.copy("changed", {"from": self.url("t/"), "to": "/srv", "exclude": "*.map",
                              "include": ["*.css", "b/*", "fonts/"]})
        self.assertEqual(sorted(self.files("srv")), ["a.css", "b/c.css", "b/c.js", "fonts/x/y"])

    def test_a_whole_bucket(self):
        self.put_object("a")
        self.put_object("b/c")
        self.copy("changed", {"from": f"s3://{self.bucket}", "to": "/srv"})
        self.assertEqual(sorted(self.files("srv")), ["a", "b/c"])

    def test_a_prefix_with_nothing(self):
        called = self.copy("unchanged", {"from": self.url("none/"), "to": "/srv"})
        self.assertEqual(called.items[0]["message"], "0 of 0 objects copied, 0 bytes")

    def test_dry_run(self):
        for i in range(60):
            self.put_object(f"t/{i:02}", b"x" * 1024)
        called = self.copy("changed", {"from": self.url("t/"), "to": "/srv"}, dry_run=True)
        self.assertEqual(called.items[0]["message"], "60 of 60 objects copied, 60.0 KiB")
        self.assertEqual(called.log.count("would copy s3:"), 50)
        self.assertEqual(self.tree(), {})

    def test_five_thousand_objects(self):
        """All are listed and looked at; those that are there already are not fetched, but for
        some: for all of them Swift needs the better part of a minute."""
        whole = bool(os.environ.get("BOOTLACE_TEST_ALL"))
        objects = {f"t/{i % 7}/{i:05}": f"object {i}" for i in range(5000)}
        self.server.fill(self.bucket, objects)
        for number, (key, text) in enumerate(objects.items()):
            if number % 10 and not whole:
                self.put(f"srv/{key[2:]}", text)
        item = {"from": self.url("t/"), "to": "/srv"}
        called = self.copy("changed", item)
        self.assertRegex(called.items[0]["message"],
                         f"^{5000 if whole else 500} of 5000 objects copied")
        self.assertEqual(self.files("srv"),
                         {key[2:]: text.encode() for key, text in objects.items()})
        self.proxy.forget()
        self.copy("unchanged", item)
        self.assertEqual(len(self.proxy.requests), 5)
        self.assert_no_leftovers()


class Large(S3Test):
    """Objects that come in ranges."""

    def test_ranges(self):
        body = body_of(37 * MIB + 11)
        self.put_object("large", body)
        self.copy("changed", {"from": self.url("large"), "to": "/srv/large"})
        self.assertEqual(hashlib.md5(self.bytes("srv/large")).digest(), hashlib.md5(body).digest())
        ranges = [dict(headers)["Range"] for words, headers in self.proxy.requests
                  if words.startswith("GET")]
        self.assertEqual(len(ranges), 5)
        self.assertEqual(ranges[0], f"bytes=0-{8 * MIB - 1}")
        self.assertTrue(all(headers.get("If-Match") for words, headers in self.proxy.requests
                            if words.startswith("GET")))
        self.copy("unchanged", {"from": self.url("large"), "to": "/srv/large"})
        self.assert_no_leftovers()

    def test_in_a_tree(self):
        body = body_of(17 * MIB)
        self.put_object("t/large", body)
        for name in ("a", "z"):
            self.put_object(f"t/{name}", name)
        self.copy("changed", {"from": self.url("t/"), "to": "/srv", "connections": 3})
        self.assertEqual(self.files("srv"), {"a": b"a", "z": b"z", "large": body})

    def test_sizes_around_the_limits(self):
        for size in (16 * MIB - 1, 16 * MIB, 16 * MIB + 1, 24 * MIB):
            with self.subTest(size):
                body = body_of(size, seed=size)
                self.put_object("f", body)
                self.copy("changed", {"from": self.url("f"), "to": "/f"})
                self.assertEqual(self.bytes("f") == body, True)


if __name__ == "__main__":
    unittest.main()
