#!/usr/bin/python3
"""The packages for RPM in a root made by dnf.

No repository of Fedora's or Amazon's can be reached from here, so what the packages need is in
stand-ins, made by rpmbuild under the names that those distributions have, with the capabilities
that their packages have. Those that bootlace itself is linked with bring Debian's libraries along,
so that it runs in that root.
"""

import os
import re
import shutil
import unittest

import packages
from packages import OLDER, RPM_PARTS, host
import repositories  # noqa: E402  (found by packages)
import roots  # noqa: E402

BITS = "()(64bit)"

# Name -> capabilities. libcurl-minimal has what libcurl has, without the libraries behind it; a
# version of the symbols, as Debian's libcurl has one, neither of them has.
STAND_INS = {
    "jansson": ["libjansson.so.4" + BITS, "libjansson.so.4(libjansson.so.4)(64bit)"],
    "libyaml": ["libyaml-0.so.2" + BITS],
    "zlib": ["libz.so.1" + BITS] + [f"libz.so.1(ZLIB_1.2.{n})(64bit)" for n in ("0", "2", "3.4")],
    "libcurl-minimal": ["libcurl.so.4" + BITS, "libcurl = 8.3.0"],
    "openssl-libs": [f"lib{name}.so.3{version}(64bit)" for name in ("crypto", "ssl")
                     for version in ("()", "(OPENSSL_3.0.0)")],
    "expat": ["libexpat.so.1" + BITS],
    "libblkid": ["libblkid.so.1" + BITS] + [f"libblkid.so.1({version})(64bit)" for version in (
        "BLKID_1.0", *(f"BLKID_2.{n}" for n in (15, 17, 18, 20, 21, 23, 25, 30, 31, 36, 37)))],
    "libmount": ["libmount.so.1" + BITS] + [f"libmount.so.1({version})(64bit)" for version in (
        f"MOUNT_2.{n}" for n in (19, 20, 21, 22, 23, 24, 25, 26, 28, 30, 33, 34, 35, 37))],
    "libfdisk": ["libfdisk.so.1" + BITS] + [f"libfdisk.so.1(FDISK_2.{n})(64bit)"
                                            for n in range(26, 38)],
    # Those distributions' libxcrypt has libcrypt.so.2, which Debian's build knows nothing of.
    "libxcrypt-compat": ["libcrypt.so.1" + BITS, "libcrypt.so.1(XCRYPT_2.0)(64bit)"],
    "libarchive": ["libarchive.so.13" + BITS],
    "ldns": ["libldns.so.3" + BITS],
    "pkgconf-pkg-config": ["/usr/bin/pkg-config"],
    "jansson-devel": ["pkgconfig(jansson)"],
    "zlib-devel": ["pkgconfig(zlib)"],
    "openssl-devel": ["pkgconfig(libcrypto)"],
    "expat-devel": ["pkgconfig(expat)"],
}
# Amazon Linux 2023 has glibc 2.34 (and util-linux 2.37, above): what needs a newer one cannot be
# installed there.
GLIBC = ["2.2.5", "2.3", "2.3.2", "2.3.3", "2.3.4", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9",
         "2.10", *(f"2.{minor}" for minor in range(11, 35))]
STAND_INS["glibc"] = ["rtld(GNU_HASH)"] + [
    f"{name}{version}(64bit)" for name in ("libc.so.6", "libm.so.6", "libdl.so.2")
    for version in ("()", *(f"(GLIBC_{number})" for number in GLIBC))]
STAND_INS["bash"] = ["/bin/sh"]
STAND_INS["systemd"] = ["/usr/bin/systemctl"]

# Files of the copy of Debian that a stand-in brings, as shell patterns.
FILES = {
    "glibc": ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "{lib}/libc.so.6",
              "{lib}/libm.so.6"],
    "jansson": ["{lib}/libjansson.so.4"], "libyaml": ["{lib}/libyaml-0.so.2"],
    "zlib": ["{lib}/libz.so.1"], "bash": ["/bin/sh"],
}
# It keeps what it is told.
SYSTEMCTL = '#!/bin/sh\necho "$*" >>/systemctl-was-told\n'

BUILD = r"""set -eu
rpmbuild -bb --define "_topdir /build" --define "_rpmdir /stand-ins" \
    --define "_build_id_links none" --define "_binary_payload w0.ufdio" \
    --define "__os_install_post %{nil}" --define "debug_package %{nil}" \
    --define "_use_internal_dependency_generator 0" --define "__find_requires %{nil}" \
    --define "__find_provides %{nil}" "$@" >/build.log 2>&1 || { cat /build.log >&2; exit 1; }
"""

REPOSITORY = "[{0}]\nname={0}\nbaseurl=file:///{0}\ngpgcheck=0\nenabled=1\n"


def spec(copy, name):
    """The stand-in's recipe; what it brings is laid out below /files/<name>."""
    folder = copy.path(f"/files/{name}")
    library = "/usr/lib/" + next(path.name for path in copy.path("/usr/lib").iterdir()
                                 if path.name.endswith("-linux-gnu"))
    for pattern in FILES.get(name, []):
        place = pattern.format(lib=library)
        if not copy.path(place).exists():
            continue
        target = folder / place.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        copy.run(["cp", "--dereference", place, f"/files/{name}{place}"])
    if name == "systemd":
        copy.put("/files/systemd/usr/bin/systemctl", SYSTEMCTL, 0o755)
    brought = [f"/{os.path.relpath(os.path.join(at, file), folder)}"
               for at, _, files in os.walk(folder) for file in files]
    provides = "".join(f"Provides: {one}\n" for one in STAND_INS[name] if one not in brought)
    copy.put(f"/{name}.spec",
             f"Name: {name}\nVersion: 1\nRelease: 1\nSummary: a stand-in\nLicense: MIT\n{provides}"
             "%description\nA stand-in.\n%install\nmkdir -p %{buildroot}\n"
             f"test ! -d /files/{name} || cp -a /files/{name}/. %{{buildroot}}/\n%files\n"
             + "".join(f"{file}\n" for file in brought))
    return f"/{name}.spec"


@unittest.skipIf(os.geteuid() != 0, "only root can make a copy of a small Debian")
class Rpm(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.copy = cls.enterClassContext(roots.Copy(repositories.TOOLS))
        # Debian's rpm would have its database in a folder of the user's.
        cls.copy.put("/etc/rpm/macros", "%_dbpath /var/lib/rpm\n")
        cls.copy.run(["sh", "-c", BUILD, "sh", *(spec(cls.copy, name) for name in STAND_INS)],
                     limit=120)
        for name in ("bootlace", "older"):
            cls.copy.path(f"/{name}").mkdir()
        for part in RPM_PARTS:
            shutil.copy(packages.rpm(part), cls.copy.path("/bootlace"))
        shutil.copy(packages.rpm("bootlace", OLDER), cls.copy.path("/older"))
        for name in ("bootlace", "older", "stand-ins"):
            cls.copy.run(["createrepo_c", "--quiet", f"/{name}"])
            cls.copy.put(f"/etc/yum.repos.d/{name}.repo", REPOSITORY.format(name))

    def setUp(self):
        self.root = f"/roots/{self.id().rpartition('.')[2]}"
        self.inside = self.copy.path(self.root)
        (self.inside / "dev").mkdir(parents=True)
        self.copy.run(["mknod", "-m", "666", f"{self.root}/dev/null", "c", "1", "3"])
        (self.inside / "proc").mkdir()
        host.run(["mount", "-t", "proc", "proc", self.inside / "proc"])

    def dnf(self, *words, disable="older", check=True):
        return self.copy.run(
            ["dnf", f"--installroot={self.root}", "--releasever=1", f"--disablerepo={disable}",
             "--assumeyes", "--setopt=reposdir=/etc/yum.repos.d", "--setopt=cachedir=/dnf-cache",
             "--setopt=keepcache=0", "--noplugins", *words], limit=120, check=check)

    def installed(self):
        said = self.copy.run(["rpm", "--root", self.root, "-qa", "--qf", "%{NAME}\\n"]).stdout
        return set(said.split())

    def run_inside(self, *argv, check=True):
        return self.copy.run(["chroot", self.root, *argv], check=check)

    def test_a_script_needs_neither_libarchive_nor_ldns(self):
        self.dnf("install", "bootlace")
        wanted = self.installed()
        self.assertEqual(wanted & {"libarchive", "ldns", "bootlace-archive", "bootlace-dns"}, set())
        self.assertLessEqual({"bootlace", "libcurl-minimal", "jansson", "libyaml", "openssl-libs",
                              "expat", "zlib", "glibc", "bash"}, wanted)
        self.assertEqual(self.run_inside("/usr/bin/bootlace", "--version").stdout.split()[0],
                         "bootlace")
        self.assertRegex(self.run_inside("/usr/bin/bootlace", "modules").stdout,
                         r"dns +not installed .*\(package bootlace-dns\)")
        told = self.inside / "systemctl-was-told"
        self.assertFalse(told.exists())  # systemd is none of what it needs
        self.dnf("install", "bootlace-archive", "bootlace-dns", "bootlace-devel")
        self.assertLessEqual({"libarchive", "ldns", "jansson-devel"}, self.installed())

    def test_installed_upgraded_and_removed(self):
        self.dnf("install", "systemd")
        self.dnf("install", f"bootlace-{OLDER}", disable="bootlace")
        told = self.inside / "systemctl-was-told"
        self.assertRegex(told.read_text(), r"\A--no-reload preset bootlace-early.service "
                                           r"bootlace.service bootlace-shutdown.service\n\Z")
        config = self.inside / "etc/bootlace/config.yaml"
        config.write_text("# ours\n")
        script = self.inside / "user-data"
        script.write_text("#!/bin/sh\necho ran\n")
        self.run_inside("/usr/bin/bootlace", "run", "--user-data", "/user-data")
        told.unlink()
        self.dnf("upgrade", "bootlace")
        self.assertFalse(told.exists())
        self.assertEqual(config.read_text(), "# ours\n")
        self.assertIn("status: done", self.run_inside("/usr/bin/bootlace", "status").stdout)
        self.dnf("remove", "bootlace", "--setopt=clean_requirements_on_remove=0")
        self.assertRegex(told.read_text(), r"\A--no-reload disable bootlace-early.service ")
        for name, there in (("usr/bin/bootlace", False), ("usr/lib/bootlace", False),
                            ("etc/bootlace/config.yaml.rpmsave", True),
                            ("var/lib/bootlace/instances", True)):
            self.assertEqual((self.inside / name).exists(), there, name)

    def test_rpm_alone_agrees(self):
        files = [f"/bootlace/{packages.rpm(part).name}" for part in RPM_PARTS]
        stand_ins = [f"/{path.relative_to(self.copy.root)}"
                     for path in self.copy.path("/stand-ins").rglob("*.rpm")]
        self.copy.run(["rpm", "--root", self.root, "--test", "-i", *files, *stand_ins])
        lacking = self.copy.run(["rpm", "--root", self.root, "--test", "-i", files[0], *(
            path for path in stand_ins if not re.search("/(jansson|libcurl-minimal)-1-1", path))],
            check=False)
        self.assertNotEqual(lacking.returncode, 0)
        self.assertIn("libcurl.so.4()(64bit) is needed by bootlace-", lacking.stderr)
        self.assertIn("libjansson.so.4()(64bit) is needed by bootlace-", lacking.stderr)

    def test_nothing_names_what_debian_alone_has(self):
        for part in RPM_PARTS:
            path = f"/bootlace/{packages.rpm(part).name}"
            needs = self.copy.run(["rpm", "-qp", "--requires", path]).stdout
            self.assertNotIn("CURL_", needs)
            for number in re.findall(r"GLIBC_([0-9.]+)", needs):
                self.assertIn(number, GLIBC)
            for name in self.copy.run(["rpm", "-qpl", path]).stdout.split():
                self.assertNotIn("-linux-gnu", name)


if __name__ == "__main__":
    unittest.main()
