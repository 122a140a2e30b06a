"""Manual pages for tests: their sections and literal blocks, and the modules that they have as
examples, taken out of their text, built and installed by the commands that they give.
"""

import glob
import os
import re
import shutil
import subprocess

from agent import SOURCE, AgentTest, environment, install_prefix, installed, program

PAGES = {os.path.basename(path): path for pattern in ("packaging/man/*.[1-9]", "modules/*/*.7")
         for path in sorted(glob.glob(os.path.join(SOURCE, pattern)))}

# roff's escapes for the characters that it would otherwise take for something else.
ESCAPES = {r"\(aq": "'", r"\(dq": '"', r"\(ga": "`", r"\(ti": "~", r"\(ha": "^", r"\e": "\\",
           r"\&": "", r"\-": "-", r"\~": " "}


def plain(text):
    """The text as a reader sees it."""
    for escape, character in ESCAPES.items():
        text = text.replace(escape, character)
    return text


class Page:
    """A page's source: its sections, items and literal blocks."""

    def __init__(self, name):
        with open(PAGES[name], encoding="utf-8") as source:
            self.lines = source.read().splitlines()

    def section(self, title, macro=".Sh"):
        """The lines of a section, or of a subsection."""
        start = self.lines.index(f"{macro} {title}") + 1
        ends = (".Sh ", ".Ss ") if macro == ".Ss" else (".Sh ",)
        for end in range(start, len(self.lines)):
            if self.lines[end].startswith(ends):
                return self.lines[start:end]
        return self.lines[start:]

    def subsections(self, title):
        return [line[4:] for line in self.section(title) if line.startswith(".Ss ")]

    def text(self, *title):
        """Plain words of a section, or of the whole page, one blank between them."""
        lines = self.section(*title) if title else self.lines
        words = [re.sub(r"^\.[A-Z][a-z] ", "", plain(line)) for line in lines
                 if not line.startswith('.\\"')]
        return " ".join(words)

    def blocks(self, title=None):
        """The literal blocks, as (the comment above, the text)."""
        lines, found, at = self.section(title) if title else self.lines, [], 0
        while at < len(lines):
            if lines[at].startswith(".Bd -literal"):
                end = lines.index(".Ed", at)
                comment = lines[at - 1][4:] if lines[at - 1].startswith('.\\" ') else ""
                found.append((comment, "".join(plain(line) + "\n" for line in lines[at + 1:end])))
                at = end
            at += 1
        return found

    def block(self, comment):
        return next(text for above, text in self.blocks() if above == comment)


def items(lines, depth=1):
    """The items of the lists at this depth: what stands behind .It."""
    found, level = [], 0
    for line in lines:
        if line.startswith(".Bl "):
            level += 1
        elif line == ".El":
            level -= 1
        elif line.startswith(".It ") and level == depth:
            found.append(plain(line[4:]))
    return found


class ExampleTest(AgentTest):
    """The modules that are a page's examples, and the agent with them."""

    PAGE = None
    EXAMPLES = ()

    def setUp(self):
        super().setUp()
        self.page = Page(self.PAGE)
        self.tree = os.path.join(self.work, "tree")
        shutil.copytree(installed(), self.tree, symlinks=True)
        self.pkgconfig = os.path.dirname(next(
            os.path.join(at, "bootlace.pc") for at, _, names in os.walk(self.tree)
            if "bootlace.pc" in names))
        for package in glob.glob(os.path.join(self.pkgconfig, "*.pc")):
            self.move_package(package)
        self.place = os.path.join(self.work, "place")
        os.mkdir(self.place)
        for name in self.EXAMPLES:
            with open(os.path.join(self.place, name), "w", encoding="utf-8") as out:
                out.write(self.page.block(f"example: {name}"))

    def move_package(self, path):
        """Makes pkg-config's answers those of the temporary tree."""
        with open(path, encoding="utf-8") as package:
            text = package.read().replace(f"={install_prefix()}", f"={self.tree}{install_prefix()}")
        with open(path, "w", encoding="utf-8") as package:
            package.write(text)

    def call(self, block, **variables):
        """Runs the commands of a block of the page; what they print."""
        path = f"{os.path.dirname(program())}:{os.environ['PATH']}"
        done = subprocess.run(["sh", "-eu", "-c", self.page.block(block)], cwd=self.place,
                              env=environment(PATH=path, PKG_CONFIG_PATH=self.pkgconfig,
                                              **variables),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def install(self, name):
        """By the page's own commands; the agent then uses that tree's modules."""
        self.assertEqual(self.call(f"commands: {name}"), "", "the compiler has something to say")
        folder = next(os.path.join(at, "modules") for at, folders, _ in os.walk(self.tree)
                      if "modules" in folders)
        examples = [os.path.splitext(example)[0] for example in self.EXAMPLES]
        for other in os.listdir(folder):
            if os.path.splitext(other)[0] not in examples:
                os.remove(os.path.join(folder, other))
        self.machine.library = os.path.dirname(folder)
        self.machine.seed(hostname="web-1")
        return folder
