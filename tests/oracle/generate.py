"""User-data made by chance, of what bootlace and cloud-init are meant to read alike.

A seed and a number give a case; the same ones give the same case. What is meant to differ has
written cases: here it is left out. So letters beyond ASCII stand in no MIME part that is not
encoded, scripts have no names that would order them anew, and lists are merged with lists alone.
"""

import base64
import gzip
import json
import quopri
import random

import oracle

DEPTH_MAX = 3
PLAIN = ["yes", "No", "on", "OFF", "true", "False", "null", "~", "0", "-7", "+3", "0644", "0x1F",
         "0b11", "1_000", "1.5", "-2.", ".5", "1e3", "1.5e+3", "abc", "a b", "a-b", "x#y",
         "http://h/p#q", "10.0.0.1", "1.2.3", "08", "0o17", "a_b", "-x",
         "y", "n", "None", "12345678901", "2001-12", "--", "a:b", "\\n", "$x"]
IN_FLOW = [word for word in PLAIN if word[0] not in "-$"]
QUOTED = ["", "yes", "0644", "it's", "a: b", "x # y", "- a", "{}", "ä", "日本 😀", "line\nline\n",
          "tab\there", "back\\slash", "a \"b\" c", " blank ", "#!/bin/sh", "~", "null", "%x", "@x"]
RULES = {"dict": ["replace", "no_replace", "recurse_str", "recurse_dict", "recurse_array",
                  "recurse_list", "allow_delete", "unheard_of"],
         "list": ["append", "prepend", "replace", "no_replace", "recurse_str", "recurse_dict",
                  "recurse_array", "recurse_list"],
         "str": ["append", "replace", "no_replace"]}
BAD_RULES = ["append", "dict(", "tuple(append)", "dict(replace)+list", "()", "str"]
EXPRESSIONS = ["v1.region", "ds.meta_data.local_hostname", "v1['availability_zone']", "region",
               "v1.region | upper", "v1.nowhere | default('none')", "1 + 2 * 3", "'a' ~ 7",
               "ds.meta_data.placement.region", "v1.region.split('-')[0]", "[1, 2] | join('-')",
               "'x' if v1.region == 'eu-west-1' else 'y'", "v1.nowhere is defined",
               "ds.meta_data['ami-id'] | length", "instance_id[2:6]"]
BAD_EXPRESSIONS = ["v1.nowhere", "1 / 0", "v1.region | nofilter", "'"]
STATEMENTS = ["{% for x in [1, 2, 3] %}\n  - {{ x }}\n{% endfor %}\n",
              "{% if v1.region %}\n  - yes\n{% else %}\n  - no\n{% endif %}\n",
              "{% set y = 5 %}\n  - {{ y }}\n", "{# nothing #}\n  - 1\n",
              "{%- for x in range(2) %}\n  - {{ loop.index }}{% endfor %}\n"]
SCRIPTS = ["echo hello\n", "set -eu\necho $HOME\n", "cat <<END\n#cloud-config\nEND\n", "\n\n",
           "x" * 90, "echo a=b =20 =\n", "--==B==x\n", "From me\n.\n", "exit 3"]
BEYOND = ["echo äöü\n", "# 日本 😀\n"]
TYPES = {"script": "text/x-shellscript", "config": "text/cloud-config", "jinja": "text/jinja2",
         "boothook": "text/cloud-boothook", "archive": "text/cloud-config-archive",
         "patch": "text/cloud-config-jsonp", "text": "text/plain"}


class Maker:
    """Everything that one case is made by."""

    def __init__(self, seed, number):
        self.random = random.Random(f"{seed}-{number}")
        self.boundaries = 0

    def chance(self, part):
        return self.random.random() < part

    def one(self, choices):
        return self.random.choice(choices)

    def some(self, choices, least, most):
        return self.random.sample(choices, self.random.randint(least, most))

    # ---- values, and YAML of them ----

    def scalar(self):
        if self.chance(0.6):
            return self.one(PLAIN)
        text = self.one(QUOTED)
        if self.chance(0.3) and "\n" not in text and "\t" not in text and "\\" not in text:
            return "'" + text.replace("'", "''") + "'"
        # Its escapes of what is beyond 16 bits are none of YAML.
        return json.dumps(text, ensure_ascii=max(text, default="") <= "\uffff")

    def scalar_in_flow(self):
        if self.chance(0.7):
            return self.one(IN_FLOW)
        return json.dumps(self.one(QUOTED), ensure_ascii=False)

    def keys(self, names):
        return self.some(names, 1, len(names))

    def literal(self, indent):
        mark = self.one(["|", "|-", "|+", ">", ">-"])
        lines = self.random.choices(["one", "two words", "  deeper", "", "#!/bin/sh", "a: b"],
                                    k=self.random.randrange(1, 5))
        # The first line's indentation is the block's.
        lines[0] = lines[0].strip() or "first"
        return mark + "\n" + "".join(f"{indent}  {line}".rstrip() + "\n" for line in lines)

    def member(self, key, indent, depth):
        """A key and its value: lists below l, mappings below m, texts and numbers below others."""
        comment = " # why" if self.chance(0.1) else ""
        if key[0] == "l":
            if self.chance(0.4):
                items = ", ".join(self.scalar_in_flow() for _ in range(self.random.randrange(4)))
                return f"{indent}{key}: [{items}]{comment}\n"
            return f"{indent}{key}:{comment}\n" + "".join(
                self.item(indent, depth) for _ in range(self.random.randrange(1, 4)))
        if key[0] == "m":
            if depth >= DEPTH_MAX or self.chance(0.3):
                return f"{indent}{key}: {{" + ", ".join(
                    f"{inner}: {self.one(IN_FLOW)}" for inner in self.keys("xyz")) + "}\n"
            return f"{indent}{key}:{comment}\n" + self.mapping(indent + "  ", depth + 1)
        if self.chance(0.15):
            return f"{indent}{key}: {self.literal(indent)}"
        return f"{indent}{key}: {self.scalar()}{comment}\n"

    def item(self, indent, depth):
        if depth < DEPTH_MAX and self.chance(0.2):
            inner = self.mapping(indent + "    ", DEPTH_MAX)
            return f"{indent}  - {inner.lstrip()}"
        return f"{indent}  - {self.scalar()}\n"

    def mapping(self, indent="", depth=0):
        names = ["l1", "l2", "m1", "m2", "t1", "t2", "t3"]
        return "".join(self.member(key, indent, depth) for key in self.keys(names))

    def config(self, mark=True):
        body = self.mapping()
        if self.chance(0.1):
            body = "base: &base {t1: 1, t4: [2]}\nm3:\n  <<: *base\n  t1: 3\n" + body
        if self.chance(0.1):
            body = "t9: &x " + self.one(["5", "[1, 2]", "{a: b}"]) + "\ns8: *x\n" + body
        if self.chance(0.25):
            body += f"{self.one(['merge_how', 'merge_type'])}: '{self.rules()}'\n"
        if self.chance(0.05):
            body = "---\n" + body
        return ("#cloud-config\n" if mark else "") + body

    def rules(self):
        if self.chance(0.02):
            return self.one(BAD_RULES)
        return "+".join(f"{kind}({','.join(self.some(RULES[kind], 0, 2))})"
                        for kind in self.some(sorted(RULES), 1, 3))

    def expression(self):
        return self.one(BAD_EXPRESSIONS if self.chance(0.03) else EXPRESSIONS)

    # ---- parts ----

    def script(self, windows=0.1):
        text = "#!/bin/sh\n" + "".join(self.random.choices(SCRIPTS + BEYOND,
                                                           k=self.random.randrange(5)))
        return text.replace("\n", "\r\n") if self.chance(windows) else text

    def boothook(self):
        return "#cloud-boothook" + self.one(["\n", "\n\n", " "]) + self.script(0)

    def jinja(self):
        if self.chance(0.3):
            body = "#!/bin/sh\n" + "".join(f"echo {{{{ {self.expression()} }}}}\n"
                                           for _ in range(self.random.randrange(1, 4)))
        else:
            body = "#cloud-config\n" + "".join(
                f"j{i}: {{{{ {self.expression()} }}}}\n"
                for i in range(self.random.randrange(1, 4)))
            if self.chance(0.5):
                body += "l1:\n" + self.one(STATEMENTS)
        return "## template: jinja\n" + (body if self.chance(0.8) else body.rstrip("\n"))

    def patch(self):
        steps = []
        for _ in range(self.random.randrange(4)):
            step = {"op": "add", "path": "/" + self.one(["t1", "t2", "new", "s~11~0"]),
                    "value": self.one([1, "x", [1], {"a": None}])}
            if self.chance(0.1):  # it depends on what is there
                step["op"] = self.one(["replace", "remove", "test", "copy", "move"])
                step["path"] = self.one(["/t1", "/l1", "/l1/0", "/l1/-", "/m1/x", "/m2/t1"])
                step["from"] = self.one(["/t1", "/l2", "/l2/0", "/m1"])
            steps.append(step)
        return "#cloud-config-jsonp\n" + json.dumps(steps)

    def archive(self):
        items = []
        for _ in range(self.random.randrange(4)):
            kind = self.one(["script", "config", "boothook", "jinja"])
            content = getattr(self, kind)()
            item = content if self.chance(0.4) else {"content": content}
            if isinstance(item, dict) and self.chance(0.6):
                item["type"] = TYPES[kind]
            if isinstance(item, dict) and self.chance(0.2):
                item["launch-index"] = self.random.randrange(2)
            if isinstance(item, dict) and kind == "config" and self.chance(0.2):
                item["Merge-Type"] = self.rules()
            items.append(item)
        return "#cloud-config-archive\n" + json.dumps(items, indent=self.one([None, 2]),
                                                           ensure_ascii=False)

    def text(self):
        return self.one(["just text\n", "a: 1\n", "# comment\n"])

    def part(self):
        kinds = ["script"] * 9 + ["config"] * 12 + ["boothook", "jinja", "archive", "patch"] * 3
        kind = self.one([*kinds, "text"])
        return kind, getattr(self, kind)()

    # ---- messages ----

    def encoded(self, content):
        """The body and its Content-Transfer-Encoding; MIME's own lines end with LF here."""
        ways = ["base64", "quoted-printable"]
        if content.isascii() and "\r" not in content:
            ways += ["7bit", "8bit", "binary", None]
        way = self.one(ways)
        if way == "base64":
            return base64.encodebytes(content.encode()).decode(), way
        if way == "quoted-printable":
            return quopri.encodestring(content.encode()).decode(), way
        return content, way

    def message_part(self, depth):
        if depth < 2 and self.chance(0.1):
            return self.multipart(depth + 1)
        kind, content = self.part()
        headers, declared = [], TYPES[kind]
        if content.isascii() and self.chance(0.2):
            packed = gzip.compress(content.encode(), mtime=0)
            body, way = base64.encodebytes(packed).decode(), "base64"
            declared = self.one(["application/gzip", "application/x-gzip"])
        else:
            body, way = self.encoded(content)
            # A type that leaves it to the content.
            if self.chance(0.3):
                declared = self.one(["text/plain", "text/x-not-multipart"])
            if kind == "config" and declared == TYPES[kind]:
                if self.chance(0.2):
                    headers.append("Merge-Type: " + self.rules())
        headers.append(f"Content-Type: {declared}" + self.one(["", '; charset="utf-8"']))
        if way:
            headers.append(f"Content-Transfer-Encoding: {way}")
        if self.chance(0.15):
            headers.append(f"Launch-Index: {self.random.randrange(2)}")
        if self.chance(0.2):
            headers.append("MIME-Version: 1.0")
        self.random.shuffle(headers)
        return "\n".join(headers) + "\n\n" + body

    def multipart(self, depth=0):
        self.boundaries += 1
        boundary = f"==={self.random.randrange(10**9)}{self.boundaries}=="
        kind = self.one(["mixed", "mixed", "alternative", "related"])
        fold = self.one([" ", "\n\t"])
        text = f'Content-Type: multipart/{kind};{fold}boundary="{boundary}"\n'
        text += "MIME-Version: 1.0\n" if depth == 0 or self.chance(0.5) else ""
        text += "\n" + ("A preamble.\n" if self.chance(0.2) else "")
        for _ in range(self.random.randrange(1, 5)):
            text += f"--{boundary}\n{self.message_part(depth)}\n"
        return text + f"--{boundary}--\n" + ("An epilogue.\n" if self.chance(0.2) else "")

    def user_data(self):
        text = self.multipart() if self.chance(0.7) else self.part()[1]
        return gzip.compress(text.encode(), mtime=0) if self.chance(0.2) else text.encode()

    def index(self):
        return self.one([None, 0, 1])


def cases(seed, count):
    """The first cases of a seed."""
    for number in range(count):
        maker = Maker(seed, number)
        yield oracle.Case(f"{seed}-{number}", maker.user_data(), maker.index())
