#!/usr/bin/python3
"""What the packages hold and say of themselves, without installing them."""

import hashlib
import os
import re
import unittest

import packages
from packages import OLDER, PARTS, RPM_PARTS, host

PAPERS = {"/usr/share/lintian/overrides/bootlace", "/etc/bootlace/config.yaml"} | {
    f"/usr/share/doc/{part}/{name}" for part in PARTS for name in ("copyright", "changelog.gz")}

# What a small image has; from there on it is counted.
IMAGE = ["apt", "systemd", "systemd-sysv", "dbus", "udev", "iproute2", "openssh-server",
         "procps"]


def installed_files():
    """Every file that `cmake --install` puts somewhere, under the names of packages."""
    folder = packages.scratch() / "installed"
    host.run(["cmake", "--install", packages.build()],
             env=host.environment(DESTDIR=str(folder)))
    names = {"/" + os.path.relpath(os.path.join(at, name), folder)
             for at, _, files in os.walk(folder) for name in files}
    return {name + ".gz" if "/share/man/" in name else name for name in names}


def closure(*wanted):
    """What apt would install on a disk without any package: name -> KiB."""
    empty = packages.scratch() / "empty"
    empty.touch()
    said = host.run(["apt-get", "install", "--simulate", "--no-install-recommends", "-o",
                     f"Dir::State::status={empty}", "-o", "Dir::State::extended_states=/dev/null",
                     *wanted], limit=120).stdout
    names = set(re.findall(r"^Inst (\S+)", said, re.MULTILINE))
    ours = [word for word in map(str, wanted) if word.startswith("/")]
    shown = host.run(["apt-cache", "show", "--no-all-versions", *sorted(
        name for name in names if not name.startswith("bootlace"))], limit=60).stdout
    sizes = {}
    for record in shown.split("\n\n"):
        name = re.search(r"^Package: (\S+)", record, re.MULTILINE)
        size = re.search(r"^Installed-Size: (\d+)", record, re.MULTILINE)
        if name:
            sizes[name[1]] = int(size[1])
    for path in ours:
        sizes[packages.deb_field(path, "Package")] = int(
            packages.deb_field(path, "Installed-Size"))
    return {name: sizes[name] for name in names}


class Deb(unittest.TestCase):
    maxDiff = None

    def test_lintian_finds_nothing(self):
        found = host.run(["lintian", "--allow-root", "--fail-on", "warning,error",
                          *(packages.deb(part) for part in PARTS)], limit=120, check=False)
        self.assertEqual((found.returncode, found.stdout), (0, ""))

    def test_every_file_is_in_one_package(self):
        holders = {}
        for part in PARTS:
            for name in packages.deb_files(packages.deb(part)):
                if not name.endswith("/"):
                    holders.setdefault(name, []).append(part)
        self.assertEqual({name: parts for name, parts in holders.items() if len(parts) > 1}, {})
        self.assertEqual(set(holders), installed_files() | PAPERS)

    def test_what_brings_libraries_is_apart(self):
        where = {name: part for part in PARTS
                 for name in packages.deb_files(packages.deb(part))}
        for name, part in (("plugins/fetch.so", "bootlace"), ("modules/script.so", "bootlace"),
                           ("plugins/archive.so", "bootlace-archive"),
                           ("plugins/unpack.so", "bootlace-archive"),
                           ("modules/dns.so", "bootlace-dns"),
                           ("libbootlace-support.a", "bootlace-dev")):
            self.assertEqual(where[f"/usr/lib/bootlace/{name}"], part, name)
        self.assertEqual(where["/usr/include/bootlace/module.h"], "bootlace-dev")
        for part, library in (("bootlace-archive", "libarchive13"), ("bootlace-dns", "libldns3")):
            self.assertIn(library, packages.deb_field(packages.deb(part), "Depends"))
            self.assertNotIn(library, packages.deb_field(packages.deb("bootlace"), "Depends"))

    def test_parts_want_their_very_agent(self):
        for version in (None, OLDER):
            own = packages.deb_field(packages.deb("bootlace", version), "Version")
            self.assertEqual(own, version or own)
            for part in PARTS[1:]:
                self.assertIn(f"bootlace (= {own})",
                              packages.deb_field(packages.deb(part, version), "Depends"))

    def test_owners_and_modes_whatever_the_umask(self):
        for part, version in [*((part, None) for part in PARTS), ("bootlace", OLDER)]:
            for name, (mode, owner, _) in packages.deb_files(
                    packages.deb(part, version)).items():
                expected = ("drwxr-xr-x" if name.endswith("/") else
                            "-rwxr-xr-x" if name == "/usr/bin/bootlace" else "-rw-r--r--")
                self.assertEqual((mode, owner), (expected, "root/root"), name)

    def test_nothing_of_the_build_is_in_it(self):
        for part in PARTS:
            tree = packages.unpacked(packages.deb(part), f"tree-{part}")
            for at, _, names in os.walk(tree):
                for name in names:
                    with open(os.path.join(at, name), "rb") as file:
                        content = file.read()
                    if name.endswith(".a"):
                        continue  # not stripped, as static libraries are: for debuggers
                    for path in (packages.build(), packages.SOURCE):
                        self.assertNotIn(str(path).encode(), content, name)
                    if content.startswith(b"\x7fELF"):
                        self.assertNotIn(b".debug_info\0", content, name)
                        self.assertNotIn(b".symtab\0", content, name)

    def test_a_script_needs_neither_libarchive_nor_much_else(self):
        image = closure(*IMAGE)
        ours = {name: size for name, size in closure(
            *IMAGE, packages.deb("bootlace")).items() if name not in image}
        theirs = {name: size for name, size in closure(*IMAGE, "cloud-init").items()
                  if name not in image}
        print(f"\nbootlace: {len(ours)} packages, {sum(ours.values())} KiB; cloud-init: "
              f"{len(theirs)} packages, {sum(theirs.values())} KiB; ours: {' '.join(sorted(ours))}")
        for name in ("libarchive13", "libicu72", "libxml2", "libldns3"):
            self.assertNotIn(name, ours)
        self.assertIn("libcurl4", ours)
        self.assertLessEqual(10 * sum(ours.values()), sum(theirs.values()))
        self.assertLessEqual(4 * len(ours), len(theirs))


class SameBytes(unittest.TestCase):
    def test_from_the_same_source(self):
        other = packages.pack("again", TZ="Pacific/Chatham", LC_ALL="C")
        names = sorted(path.name for path in other.iterdir())
        self.assertEqual(len(names), len(PARTS) + len(RPM_PARTS))
        for name in names:
            one, two = (hashlib.sha256((folder / name).read_bytes()).hexdigest()
                        for folder in (packages.made(), other))
            self.assertEqual(one, two, name)


class OtherPrefix(unittest.TestCase):
    def test_a_build_for_another_place_is_refused(self):
        config = packages.build() / "CPackConfig.cmake"
        folder = packages.scratch() / "elsewhere"
        folder.mkdir()
        text = config.read_text(encoding="utf-8")
        changed = text.replace('set(CPACK_CONFIGURED_PREFIX "/usr")',
                               'set(CPACK_CONFIGURED_PREFIX "/usr/local")')
        self.assertNotEqual(text, changed)
        (folder / "CPackConfig.cmake").write_text(changed, encoding="utf-8")
        done = host.run(["cpack", "--config", folder / "CPackConfig.cmake", "-B", folder],
                        check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("configure it with -DCMAKE_INSTALL_PREFIX=/usr",
                      " ".join(done.stderr.split()))


if __name__ == "__main__":
    unittest.main()
