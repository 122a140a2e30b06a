#!/usr/bin/python3
"""What `cmake --install` puts where, and how hardened it is."""

import glob
import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

from agent import (SOURCE, STANDARD_PATH, environment, header_flags, install_prefix, installed,
                   is_sanitized, needs_program)

OTHER_PREFIX = "/opt/elsewhere"
FOLDERS = ("bin", "include/bootlace", "lib/bootlace", "share/pkgconfig", "lib/systemd",
           "share/bash-completion/completions", "share/man", "share/doc")
PRIVATE_HEADERS = {"aws_client.h", "curl_late.h", "http_engine.h"}
PROGRAM_NEEDS = {"libc.so.6", "libjansson.so.4", "libyaml-0.so.2", "libm.so.6", "libz.so.1"}


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder)
                  for at, _, names in os.walk(folder) for name in names)


def module_names():
    """Every folder of modules/ but what they share."""
    return sorted(set(os.listdir(os.path.join(SOURCE, "modules"))) - {"support"})


def readelf(option, path):
    return subprocess.run(["readelf", "-W", option, path], check=True, text=True,
                          stdout=subprocess.PIPE, env={"PATH": STANDARD_PATH, "LC_ALL": "C"}).stdout


@needs_program("cmake")
class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = installed() + install_prefix()
        cls.files = files_below(cls.root)

    def binaries(self):
        return [os.path.join(self.root, "bin", "bootlace")] + [
            os.path.join(self.root, name) for name in self.files if name.endswith(".so")]


class Files(Installed):
    def test_all_that_belongs_there(self):
        expected = {"bin/bootlace", "include/bootlace/module.h", "lib/bootlace/plugins/fetch.so",
                    "lib/bootlace/libbootlace-support.a", "share/pkgconfig/bootlace.pc",
                    "share/pkgconfig/bootlace-support.pc",
                    "share/pkgconfig/bootlace-support-aws.pc",
                    "share/man/man7/bootlace-support.7", "lib/systemd/system/bootlace.service",
                    "lib/systemd/system/bootlace-early.service",
                    "lib/systemd/system/bootlace-shutdown.service",
                    "lib/systemd/system/bootlace-seal.service",
                    "share/bash-completion/completions/bootlace"}
        for name in module_names():
            expected |= {f"lib/bootlace/modules/{name}.so", f"lib/bootlace/modules/{name}.json"}
        self.assertEqual(expected - set(self.files), set())

    def test_nothing_elsewhere(self):
        stray = [name for name in self.files
                 if not any(name.startswith(f"{folder}/") for folder in FOLDERS)]
        self.assertEqual(stray, [])
        below = os.path.relpath(self.root, installed())
        self.assertEqual([name for name in files_below(installed())
                          if not name.startswith(f"{below}/")], [])

    def test_headers_are_all_and_unchanged(self):
        source = os.path.join(SOURCE, "include")
        for name in files_below(source):
            with open(os.path.join(source, name), "rb") as one, \
                    open(os.path.join(self.root, "include", name), "rb") as other:
                self.assertEqual(one.read(), other.read(), name)

    def test_headers_of_the_support_library(self):
        source = os.path.join(SOURCE, "modules", "support")
        here = set(os.listdir(os.path.join(self.root, "include/bootlace/support")))
        headers = {name for name in os.listdir(source) if name.endswith(".h")}
        self.assertEqual(headers, here | PRIVATE_HEADERS)
        with open(os.path.join(source, "bootlace-support.7"), encoding="utf-8") as page:
            listed = re.findall(r"^\.In support/(\w+\.h)$", page.read(), re.MULTILINE)
        self.assertEqual(set(listed), here)

    @needs_program("cc")
    def test_each_of_them_compiles_alone(self):
        folder = os.path.join(self.root, "include/bootlace")
        for name in os.listdir(os.path.join(folder, "support")):
            done = subprocess.run(
                ["cc", "-x", "c", "-std=c17", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra",
                 "-Wpedantic", "-Werror", "-fsyntax-only", f"-I{folder}", f"-I{folder}/..", "-"],
                input=f"#include <support/{name}>\nextern int some;\n", text=True, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, f"{name}\n{done.stdout}")

    def test_version_of_the_support_library(self):
        with open(os.path.join(self.root, "include/bootlace/support/version.h"),
                  encoding="utf-8") as header:
            found = re.findall(r"#define BOOTLACE_SUPPORT_(?:MAJOR|MINOR|PATCH) (\d+)",
                               header.read())
        for name in ("bootlace-support", "bootlace-support-aws"):
            with open(os.path.join(self.root, f"share/pkgconfig/{name}.pc"),
                      encoding="utf-8") as package:
                self.assertIn(f"Version: {'.'.join(found)}\n", package.read())

    def test_modules_have_their_manifest(self):
        modules = [name[:-3] for name in self.files
                   if name.startswith("lib/bootlace/modules/") and name.endswith(".so")]
        self.assertEqual(sorted(os.path.basename(name) for name in modules), module_names())
        for name in modules:
            self.assertIn(f"{name}.json", self.files)

    def test_nobody_else_may_write_them(self):
        for at, folders, names in os.walk(installed()):
            for name in folders + names:
                mode = os.lstat(os.path.join(at, name)).st_mode
                self.assertFalse(mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID),
                                 name)

    def test_no_file_knows_the_build_or_the_source(self):
        build = os.path.abspath(os.environ["BOOTLACE_BUILD"])
        for name in self.files:
            if name.endswith((".so", ".a", "bin/bootlace")):
                continue
            with open(os.path.join(self.root, name), encoding="utf-8") as text:
                content = text.read()
            for path in (build, SOURCE):
                self.assertNotIn(path, content, name)

    @needs_program("pkg-config")
    def test_pkg_config(self):
        def ask(*options):
            done = subprocess.run(
                ["pkg-config", *options, "bootlace"], check=True, text=True,
                stdout=subprocess.PIPE,
                env={"PATH": STANDARD_PATH,
                     "PKG_CONFIG_LIBDIR": os.path.join(self.root, "share", "pkgconfig")})
            return done.stdout.strip()

        prefix = install_prefix()
        self.assertEqual(ask("--variable=modulesdir"), f"{prefix}/lib/bootlace/modules")
        self.assertTrue(os.path.isdir(installed() + ask("--variable=modulesdir")))
        with open(os.path.join(SOURCE, "CMakeLists.txt"), encoding="utf-8") as text:
            version = re.search(r"project\(bootlace VERSION (\S+)", text.read())[1]
        self.assertEqual(ask("--modversion"), version)
        self.assertIn(f"-I{self.root}/include", header_flags())

    def test_units_start_what_is_installed(self):
        for name, options in (("bootlace.service", "run --boot"),
                              ("bootlace-early.service", "run --early --boot"),
                              ("bootlace-shutdown.service", "run --shutdown")):
            path = os.path.join(self.root, "lib", "systemd", "system", name)
            with open(path, encoding="utf-8") as text:
                unit = text.read()
            self.assertRegex(unit, rf"\nExecSt(art|op)={install_prefix()}/bin/bootlace {options}\n")
            self.assertNotIn("@", re.sub("#.*", "", unit))

    @needs_program("systemd-analyze")
    def test_units_are_what_systemd_understands(self):
        with tempfile.TemporaryDirectory() as folder:
            for path in glob.glob(os.path.join(self.root, "lib/systemd/system/*.service")):
                with open(path, encoding="utf-8") as text:
                    unit = text.read()
                with open(os.path.join(folder, os.path.basename(path)), "w",
                          encoding="utf-8") as out:
                    out.write(unit.replace(f"{install_prefix()}/bin/bootlace",
                                           f"{self.root}/bin/bootlace"))
            units = sorted(glob.glob(os.path.join(folder, "*")))
            self.assertEqual(len(units), 4)
            done = subprocess.run(["systemd-analyze", "verify", "--man=no",
                                   "--recursive-errors=no", *units], check=False, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            about_ours = [line for line in done.stdout.splitlines()
                          if "bootlace" in line or folder in line]
            self.assertEqual((done.returncode, about_ours), (0, []), done.stdout)

    def test_installed_program_finds_installed_modules_where_told(self):
        done = subprocess.run(
            [os.path.join(self.root, "bin", "bootlace"), "modules"], check=True, text=True,
            stdout=subprocess.PIPE,
            env=environment(BOOTLACE_LIBDIR=os.path.join(self.root, "lib", "bootlace")))
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()], module_names())


@needs_program("readelf")
class Hardening(Installed):
    def test_position_independent(self):
        for path in self.binaries():
            self.assertIn("DYN", readelf("-h", path), path)
        self.assertIn("FLAGS_1", readelf("-d", self.binaries()[0]))
        self.assertRegex(readelf("-d", self.binaries()[0]), r"FLAGS_1.*\bPIE\b")

    def test_read_only_after_relocation(self):
        for path in self.binaries():
            self.assertIn("GNU_RELRO", readelf("-l", path), path)
            self.assertRegex(readelf("-d", path), r"BIND_NOW|FLAGS_1.*\bNOW\b", path)
            self.assertNotIn("TEXTREL", readelf("-d", path), path)

    def test_stack_is_not_executable(self):
        for path in self.binaries():
            line = re.search(r"GNU_STACK.*", readelf("-l", path))[0]
            self.assertRegex(line, r"\bRW\b", path)
            self.assertNotIn("RWE", line, path)

    def test_stack_protector_and_checked_functions(self):
        if is_sanitized():
            self.skipTest("the sanitizers take the place of these")
        for path in self.binaries():
            self.assertIn("__stack_chk_fail", readelf("--dyn-syms", path), path)
        self.assertRegex(readelf("--dyn-syms", self.binaries()[0]), r"__\w+_chk@")

    def test_no_path_of_the_build_is_searched(self):
        for path in self.binaries():
            self.assertNotRegex(readelf("-d", path), "RPATH|RUNPATH", path)

    def test_plug_ins_export_one_symbol(self):
        for path in self.binaries()[1:]:
            if "/modules/" not in path:
                continue
            symbols = [line.split() for line in readelf("--dyn-syms", path).splitlines()]
            exported = [fields[7] for fields in symbols
                        if len(fields) == 8 and fields[4] == "GLOBAL" and fields[6] != "UND"
                        and not fields[7].startswith("__odr_asan")]
            self.assertEqual(exported, ["bootlace_module"], path)


class Weight(Installed):
    @needs_program("readelf")
    def test_program_needs_little(self):
        if is_sanitized():
            self.skipTest("the sanitizers' libraries come on top")
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d", self.binaries()[0])))
        self.assertEqual(needed - PROGRAM_NEEDS, set())

    @needs_program("ldd")
    def test_neither_libcurl_nor_libarchive_is_loaded(self):
        listed = subprocess.run(["ldd", self.binaries()[0]], check=True, text=True,
                                stdout=subprocess.PIPE).stdout
        self.assertIn("libjansson", listed)
        for library in ("curl", "archive", "ssl", "crypto", "icu", "xml"):
            self.assertNotIn(f"lib{library}", listed)

    @needs_program("readelf")
    def test_the_plug_in_needs_libcurl(self):
        plug_in = os.path.join(self.root, "lib/bootlace/plugins/fetch.so")
        self.assertIn("libcurl", readelf("-d", plug_in))


@needs_program("cmake", "ninja")
class OtherPrefix(unittest.TestCase):
    """A build for another place, as a packager makes it."""

    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix="bootlace-prefix-")
        cls.addClassCleanup(shutil.rmtree, cls.work)
        build, cls.root = os.path.join(cls.work, "build"), os.path.join(cls.work, "root")
        quiet = {"check": True, "stdout": subprocess.DEVNULL}
        subprocess.run(["cmake", "-S", SOURCE, "-B", build, "-G", "Ninja",
                        f"-DCMAKE_INSTALL_PREFIX={OTHER_PREFIX}", "-DCMAKE_INSTALL_LIBDIR=lib",
                        "-DCMAKE_BUILD_TYPE=Debug"], **quiet)
        subprocess.run(["cmake", "--build", build, "-j2"], **quiet)
        subprocess.run(["cmake", "--install", build], env={**os.environ, "DESTDIR": cls.root},
                       **quiet)

    def test_everything_is_below_it(self):
        self.assertTrue(os.path.exists(f"{self.root}{OTHER_PREFIX}/bin/bootlace"))
        below = f"{OTHER_PREFIX}/".lstrip("/")
        self.assertEqual([name for name in files_below(self.root) if not name.startswith(below)],
                         [])

    def test_files_say_so(self):
        for name, line in (
                ("share/pkgconfig/bootlace.pc", f"modulesdir={OTHER_PREFIX}/lib/bootlace/modules"),
                ("lib/systemd/system/bootlace.service",
                 f"ExecStart={OTHER_PREFIX}/bin/bootlace run --boot")):
            with open(f"{self.root}{OTHER_PREFIX}/{name}", encoding="utf-8") as text:
                self.assertIn(f"{line}\n", text.read(), name)

    def test_program_looks_for_its_modules_there(self):
        done = subprocess.run([f"{self.root}{OTHER_PREFIX}/bin/bootlace", "modules"], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=environment())
        self.assertEqual(done.returncode, 70)
        self.assertIn(f"{OTHER_PREFIX}/lib/bootlace/modules", done.stderr)


if __name__ == "__main__":
    unittest.main()
