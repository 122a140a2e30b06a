#!/usr/bin/python3
"""The rules of the tree: who includes whom, who names whom, how long things are.

The rooms and their order are those of the README's architecture section.
"""

import glob
import os
import re
import shutil
import subprocess
import unittest

from agent import SOURCE, needs_program

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60

# Longer than that: (file, function, or None for the whole file) and the reason. There is none now.
LONGER = {}

TOP = {"CMakeLists.txt", "LICENSE", "README.md", "agent", "include", "modules", "packaging",
       "tests"}

STAGES = ("source", "decode", "classify", "config", "plan", "run", "record", "seal")

# Which rooms each room of agent/ may include.
ALLOWED = {
    "base": {"base"},
    "os": {"base", "os"},
    "model": {"base", "model", "bootlace"},
    **{stage: {"base", "os", "model", "bootlace", stage} for stage in STAGES},
    # The plug-ins speak the interface of the stage that uses them.
    "fetch": {"base", "source"},
    "archive": {"base", "decode"},
    "verbs": {"base", "os", "model", "bootlace", "verbs", *STAGES},
    "main.c": {"base", "verbs"},
}

# Words that are a module's name and something else as well, and what they are.
OTHER_MEANINGS = {
    ("agent/classify/blocks.c", "script"): "the tag",
    ("agent/classify/blocks.c", "powershell"): "the tag",
    ("agent/source/seed.c", "hostname"): "the metadata item",
    ("agent/verbs/step_environment.c", "hostname"): "the metadata item",
}


def sources(*folders, ends=(".c", ".h")):
    """The paths of the files, below the tree's top."""
    found = []
    for folder in folders:
        for at, inner, names in os.walk(os.path.join(SOURCE, folder)):
            inner[:] = [name for name in inner if name != "__pycache__"]
            found += [os.path.relpath(os.path.join(at, name), SOURCE) for name in names
                      if name.endswith(ends)]
    return sorted(found)


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as text:
        return text.read()


def room_of(path):
    return path.split("/")[1]


def includes(path):
    """What a file includes, as it writes it: "room/file.h" or <system.h>."""
    return re.findall(r'^\s*#\s*include\s+([<"][^>"]+[>"])', read(path), re.MULTILINE)


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)


def functions(text):
    """Names and lengths of the functions: from the brace in the first column to the other."""
    lines = text.splitlines()
    begin = None
    for number, line in enumerate(lines):
        if line == "{":
            begin = number
        elif line == "}" and begin is not None:
            head = " ".join(lines[max(0, begin - 5):begin])
            names = re.findall(r"(\w+)\s*\(", head.rsplit("}", 1)[-1].rsplit(";", 1)[-1])
            names = [name for name in names if not name.startswith("__") and name != "format"]
            yield (names[0] if names else f"line {begin}"), number - begin - 1
            begin = None


class Includes(unittest.TestCase):
    def test_every_room_has_its_place(self):
        rooms = {room_of(path) for path in sources("agent")}
        self.assertEqual(rooms - set(ALLOWED), set())

    def test_they_go_one_way(self):
        wrong = []
        for path in sources("agent"):
            for name in includes(path):
                target = name.strip('<>"').split("/")[0]
                if name.startswith('"') and target not in ALLOWED[room_of(path)]:
                    wrong.append(f"{path}: {name}")
        self.assertEqual(wrong, [])

    def test_own_headers_are_named_from_the_top(self):
        wrong = []
        for path in sources("agent"):
            for name in includes(path):
                file = name.strip('<>"')
                own = any(os.path.exists(os.path.join(SOURCE, folder, file))
                          for folder in ("agent", "include"))
                if own != name.startswith('"'):
                    wrong.append(f"{path}: {name}")
        self.assertEqual(wrong, [])

    def test_modules_see_the_interface_alone(self):
        wrong = []
        for path in sources("modules"):
            for name in includes(path):
                file = name.strip('<>"')
                folder = os.path.join(SOURCE, os.path.dirname(path))
                # The build makes NAME.schema.h of NAME.schema.json.
                beside = any(os.path.exists(os.path.join(folder, one))
                             for one in (file, file.replace(".schema.h", ".schema.json")))
                if name.startswith('"') and not beside or file.split("/")[0] in ALLOWED:
                    wrong.append(f"{path}: {name}")
        self.assertEqual(wrong, [])
        self.assertTrue(any("<bootlace/module.h>" in includes(path)
                            for path in sources("modules")))

    def test_public_header_needs_nothing_of_ours(self):
        for path in sources("include"):
            for name in includes(path):
                self.assertTrue(name.startswith("<"), f"{path}: {name}")

    def test_every_file_bans_what_is_banned(self):
        missing = [path for path in sources("agent", ends=(".c",))
                   if '"base/banned.h"' not in includes(path)]
        self.assertEqual(missing, [])


class Names(unittest.TestCase):
    def test_agent_names_no_module(self):
        modules = [name for name in os.listdir(os.path.join(SOURCE, "modules"))
                   if glob.glob(os.path.join(SOURCE, "modules", name, "*.c"))]
        self.assertIn("script", modules)
        wrong = []
        for path in sources("agent"):
            text = without_comments(read(path))
            literals = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
            for name in modules:
                if (path, name) not in OTHER_MEANINGS and name in literals or \
                        f"{name}.so" in text:
                    wrong.append(f"{path}: {name}")
        self.assertEqual(wrong, [])

    def test_top_has_only_what_is_allowed(self):
        ignored = [line.strip().strip("/") for line in read(".gitignore").splitlines()]
        names = {name for name in os.listdir(SOURCE) if not name.startswith(".")
                 and not any(glob.fnmatch.fnmatch(name, pattern) for pattern in ignored)}
        self.assertEqual(names - TOP, set())

    def test_nothing_is_left_to_be_done(self):
        words = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
        wrong = []
        for path in sources("agent", "include", "modules", "packaging", "tests", ends=""):
            try:
                text = read(path)
            except UnicodeDecodeError:
                continue
            wrong += [f"{path}:{number}" for number, line in enumerate(text.splitlines(), 1)
                      if words.search(line)]
        self.assertEqual(wrong, [])

    def test_files_begin_with_what_they_are_for(self):
        wrong = [path for path in sources("agent", "include", "modules", "tests")
                 if not read(path).startswith("/*")]
        self.assertEqual(wrong, [])


class Length(unittest.TestCase):
    def test_files(self):
        long = {path for path in sources("agent", "include", "modules")
                if read(path).count("\n") > FILE_LINES_MAX}
        self.assertEqual(long - {path for path, name in LONGER if name is None}, set())

    def test_functions(self):
        found, count = set(), 0
        for path in sources("agent", "include", "modules"):
            for name, lines in functions(read(path)):
                count += 1
                if lines > FUNCTION_LINES_MAX:
                    found.add((path, name))
        self.assertGreater(count, 300)
        self.assertEqual(found - set(LONGER), set())

    def test_exceptions_are_needed(self):
        for path, name in LONGER:
            lengths = dict(functions(read(path)))
            length = lengths[name] if name else read(path).count("\n")
            self.assertGreater(length, FUNCTION_LINES_MAX if name else FILE_LINES_MAX, path)

    def test_lines(self):
        wrong = []
        for path in sources("agent", "include", "modules", "tests", "packaging",
                            ends=(".c", ".h", ".py", ".sh", ".txt", ".in")):
            if "/cases/" in path:
                continue
            wrong += [f"{path}:{number}" for number, line in enumerate(read(path).splitlines(), 1)
                      if len(line) > 100 or line != line.rstrip() or "\t" in line]
        self.assertEqual(wrong, [])


class Format(unittest.TestCase):
    @needs_program("clang-format")
    def test_clang_format_finds_nothing(self):
        files = sources("agent", "include", "modules", "tests")
        done = subprocess.run(["clang-format", "--dry-run", "--Werror", *files], cwd=SOURCE,
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stdout)


class Header(unittest.TestCase):
    """include/bootlace compiles alone, as C and as C++."""

    def compile(self, compiler, language, standard):
        if not shutil.which(compiler):
            self.skipTest(f"not installed: {compiler}")
        for path in sources("include", ends=(".h",)):
            text = f'#include "{os.path.join(SOURCE, path)}"\n'
            done = subprocess.run(
                [compiler, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic",
                 "-Werror", "-fsyntax-only", "-"], input=text, check=False, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, f"{path}\n{done.stdout}")

    def test_c_of_gcc(self):
        self.compile("gcc", "c", "c17")

    def test_c_of_clang(self):
        self.compile("clang", "c", "c17")

    def test_cxx_of_gcc(self):
        self.compile("g++", "c++", "c++11")

    def test_cxx_of_clang(self):
        self.compile("clang++", "c++", "c++17")


if __name__ == "__main__":
    unittest.main()
