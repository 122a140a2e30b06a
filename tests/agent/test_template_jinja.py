#!/usr/bin/python3
"""Templates beside Jinja: the same texts and variables to both, and the same must come out.

The texts are the cases of tests/cases/template and some hundreds that are generated here. Jinja is
Debian's python3-jinja2, set as cloud-init's renderer sets it, but that a missing variable is an
error; DIFFERS names the cases that are meant to be another.
"""

import base64
import importlib.util
import json
import os
import random
import re
import subprocess
import types
import unittest

from agent import SOURCE

RENDER = os.path.join(os.environ.get("BOOTLACE_TEST_BIN", ""), "render")
CASES = os.path.join(SOURCE, "tests", "cases", "template")
GENERATED = 800
SEED = 20261122
LIMIT_S = 120

# Cases in which another thing is wanted than what Jinja does, and why.
DIFFERS = {
    "attribute-before-method": "metadata has keys like `items`: they are found",
    "bound-list": "a limit of ours",
    "bound-loop": "a limit of ours",
    "bound-steps": "a limit of ours",
    "bound-text": "a limit of ours",
    "error-argument-kind": "a wrong argument is told",
    "error-escape-zero": "no text of ours has a zero character",
    "error-key": "keys are texts",
    "error-not-reached": "an unknown filter is an error wherever it stands",
    "error-number-large": "numbers are of 64 bits",
    "error-recursive": "no recursion",
    "error-tag-do": "lists are not changed",
    "error-function": "of functions there is range alone",
    "error-tag-macro": "no macros",
    "error-tag-with": "not among what user-data uses",
    "header-spacing": "the first line is the decoder's in cloud-init",
    "header": "the first line is the decoder's in cloud-init",
    "tuples-are-lists": "JSON has no tuples",
}

HAS_JINJA = importlib.util.find_spec("jinja2") is not None


def alias(name):
    return re.sub(r"//|\*\*|==|!=|>=|<=|[-+/*%~\[\](){}><=.:|,;]", "_", name)


class Aliased(dict):
    """A mapping whose keys are found with their operators as _, too."""

    def __missing__(self, name):
        for key in self:
            if isinstance(name, str) and alias(key) == name:
                return self[key]
        raise KeyError(name)

    def items(self):
        return [list(pair) for pair in dict.items(self)]

    def keys(self):
        return list(dict.keys(self))

    def values(self):
        return list(dict.values(self))

    def __contains__(self, name):
        return dict.__contains__(self, name) or any(alias(key) == name for key in self)


def aliased(value):
    if isinstance(value, dict):
        return Aliased((key, aliased(item)) for key, item in value.items())
    return [aliased(item) for item in value] if isinstance(value, list) else value


def plain(value):
    """What is printed: lists for tuples and for what only goes through them."""
    if isinstance(value, (tuple, list, types.GeneratorType, type(reversed([])))):
        return [plain(item) for item in value]
    return value


def listed(function):
    """The function, but lists where it gives tuples, or only goes through them."""
    return lambda *arguments, **named: plain(function(*arguments, **named))


def bare(value):
    """The value in mappings that the json module knows."""
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items()}
    return [bare(item) for item in value] if isinstance(value, (list, tuple)) else value


def strict(test):
    """The test, but what is missing is an error."""
    def run(value, *arguments):
        str(value)
        return test(value, *arguments)
    return run


def jinja():
    from jinja2 import Environment, StrictUndefined, pass_eval_context

    class Missing(StrictUndefined):
        """An error, but a default or `is defined` may look through it."""

        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return self

        def __getitem__(self, name):
            return self

    environment = Environment(undefined=Missing, trim_blocks=True, finalize=plain,
                              extensions=["jinja2.ext.do"])
    environment.globals["range"] = lambda *bounds: list(range(*bounds))
    for name in ("dictsort", "items"):
        environment.filters[name] = listed(environment.filters[name])
    for name in ("none", "string", "number", "mapping", "sequence", "iterable", "boolean",
                 "integer", "float", "true", "false"):
        environment.tests[name] = strict(environment.tests[name])
    tojson = environment.filters["tojson"]
    environment.filters["tojson"] = pass_eval_context(
        lambda context, value, indent=None: str(tojson(context, bare(value), indent)))
    environment.filters["b64encode"] = lambda text: base64.b64encode(str(text).encode()).decode()
    environment.filters["b64decode"] = lambda text: base64.b64decode(
        "".join(text.split()), validate=True).decode()
    return environment


def by_jinja(environment, text, variables):
    """The text, or None for an error."""
    names = aliased(variables)
    names.update({alias(name): value for name, value in names.items()})
    try:
        rendered = environment.from_string(text).render(**names)
    except Exception:  # whatever the template makes Python raise
        return None
    return rendered + ("\n" if text.endswith("\n") else "")


def by_us(requests):
    lines = "".join(json.dumps({"template": text, "variables": variables}) + "\n"
                    for text, variables in requests)
    done = subprocess.run([RENDER], input=lines, check=True, text=True, stdout=subprocess.PIPE,
                          timeout=LIMIT_S)
    return [json.loads(line) for line in done.stdout.splitlines()]


def cases():
    """Name, template and variables of each."""
    for name in sorted(os.listdir(CASES)):
        folder = os.path.join(CASES, name)
        with open(os.path.join(folder, "template"), encoding="utf-8", newline="") as text:
            template = text.read()
        variables = {}
        if os.path.exists(os.path.join(folder, "variables.json")):
            with open(os.path.join(folder, "variables.json"), encoding="utf-8") as text:
                variables = json.load(text)
        yield name, template, variables


VARIABLES = {
    "v1": {"region": "eu-west-1", "local-hostname": "ip-10-0-0-1", "cloud_name": "aws",
           "instance.id": "i-0123", "empty": "", "none": None, "count": 3, "ratio": 2.5,
           "on": True, "off": False},
    "ds": {"meta_data": {"tags": {"Name": "web", "Env": "prod"}, "local-ipv4": "10.0.0.1",
                         "logins": ["ssh-rsa A", "ssh-ed25519 B"], "deep": [{"n": 2}, {"n": 1}]}},
    "words": ["beta", "Alpha", "gamma", "alpha"],
    "numbers": [3, 1, 2, 2, -5, 0],
    "mixed": [1, "a", 2.5, None, True, [1, "it's"], {"k": "\"v\""}],
    "nothing": [],
    "text": "  The quick-brown (fox)\njumps\tover  ",
    "unicode": "\u00bfthe \u4e16\u754c \U0001f600",
}


class Generator:
    """Random templates of what user-data uses, most of which have a meaning."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = ["words", "numbers", "mixed", "text"]

    def one_of(self, *choices):
        choice = self.random.choice(choices)
        return choice() if callable(choice) else choice

    def string(self, depth=0):
        simple = ["'a-b'", '"x y"', "''", "'Mixed Case'", "v1.region", "v1.local_hostname", "text",
                  "v1['local-hostname']", "unicode", "v1.instance_id", "ds.meta_data.local_ipv4",
                  "'it\\'s'", "'tab\\there'", "'\\u4e16'", "'12'", "' 3.7 '", "'0x1f'"]
        if depth <= 0:
            return self.one_of(*simple)
        inner = lambda: self.string(depth - 1)
        return self.one_of(
            *simple,
            lambda: f"{inner()}|{self.one_of('upper', 'lower', 'title', 'capitalize', 'trim')}",
            lambda: f"{inner()}|replace({self.one_of(chr(39) + '-' + chr(39), 'v1.region')}, '+')",
            lambda: f"({inner()} ~ {self.any(depth - 1)})",
            lambda: f"({inner()} + {inner()})",
            lambda: f"{self.list(depth - 1)}|join({inner()})",
            lambda: f"{inner()}[{self.random.randint(-3, 3)}:{self.random.randint(-3, 9)}]",
            lambda: f"{inner()}|indent({self.random.randint(0, 4)})",
            lambda: f"{inner()}|indent(2, true, {self.one_of('true', 'false')})",
            lambda: f"{self.any(depth - 1)}|string",
            lambda: f"{self.any(depth - 1)}|tojson",
            lambda: f"{inner()}|b64encode", lambda: f"{inner()}|urlencode",
            lambda: f"({inner()}).split('-')[0]", lambda: f"({inner()}).strip('ai ')",
            lambda: f"{inner()}|reverse", lambda: f"({inner()} * {self.random.randint(-1, 3)})")

    def number(self, depth=0):
        simple = ["1", "0", "7", "2.5", "1e3", "v1.count", "v1.ratio", "12_000", "0x1f", "-3"]
        if depth <= 0:
            return self.one_of(*simple)
        inner = lambda: self.number(depth - 1)
        return self.one_of(
            *simple,
            lambda: f"({inner()} {self.one_of('+', '-', '*', '/', '//', '%')} {inner()})",
            lambda: f"{inner()} {self.one_of('+', '-', '*')} {inner()}",
            lambda: f"{self.list(depth - 1)}|length", lambda: f"{self.string(depth - 1)}|length",
            lambda: f"{self.string(depth - 1)}|int", lambda: f"{self.string(depth - 1)}|float",
            lambda: f"{self.string(depth - 1)}|int(9)", lambda: f"'1f'|int({inner()}, 16)",
            lambda: f"{inner()}|round({self.random.randint(0, 3)})",
            lambda: f"{inner()}|round(1, {self.one_of(repr('floor'), repr('ceil'))})",
            lambda: f"{inner()}|abs", lambda: f"-{inner()}", lambda: "numbers|sum",
            lambda: f"({inner()}) ** 2", lambda: f"numbers|{self.one_of('min', 'max')}")

    def list(self, depth=0):
        simple = ["words", "numbers", "mixed", "nothing", "ds.meta_data.logins", "[1, 'a', none]",
                  "range(4)", "range(5, 0, -2)", "['x', 'Y', 'z']"]
        if depth <= 0:
            return self.one_of(*simple)
        inner = lambda: self.list(depth - 1)
        return self.one_of(
            *simple,
            lambda: f"words|sort({self.one_of('', 'true', 'case_sensitive=true')})",
            lambda: f"numbers|sort(reverse={self.one_of('true', 'false')})",
            lambda: f"{self.one_of('words', 'numbers', 'nothing')}|unique|list",
            lambda: f"{inner()}|reverse|list",
            lambda: f"{inner()}|list", lambda: f"({inner()}|list + {inner()}|list)",
            lambda: f"({inner()}|list)[{self.random.randint(-2, 2)}:]",
            lambda: f"({inner()}|list)[::{self.one_of('2', '-1', '-2')}]",
            lambda: f"({self.string(depth - 1)}).split()", lambda: f"{self.string(depth - 1)}|list",
            lambda: f"[{self.string(depth - 1)}, {self.truth(depth - 1)}, {inner()}]",
            lambda: "ds.meta_data.deep|sort(attribute='n')",
            lambda: "ds.meta_data.tags|dictsort", lambda: "ds.meta_data.tags|items|list",
            lambda: f"v1|dictsort(by='key', reverse={self.one_of('true', 'false')})")

    def truth(self, depth=0):
        simple = ["true", "false", "v1.on", "v1.off", "(nope is defined)", "(v1.none is none)",
                  "(v1.region is defined)", "(v1.nope.deeper is defined)"]
        if depth <= 0:
            return self.one_of(*simple)
        inner = lambda: self.truth(depth - 1)
        return self.one_of(
            *simple,
            lambda: f"not {inner()}", lambda: f"({inner()} and {inner()})",
            lambda: f"{inner()} or {inner()}",
            lambda: f"{self.number(depth - 1)} {self.one_of('<', '<=', '>', '>=', '==', '!=')} "
                    f"{self.number(depth - 1)}",
            lambda: f"1 < {self.number(depth - 1)} <= 9",
            lambda: f"{self.string(depth - 1)} {self.one_of('==', '!=', '<', 'in', 'not in')} "
                    f"{self.string(depth - 1)}",
            lambda: f"{self.any(depth - 1)} {self.one_of('==', '!=')} {self.any(depth - 1)}",
            lambda: f"{self.any(depth - 1)} {self.one_of('in', 'not in')} {self.list(depth - 1)}",
            lambda: f"{self.string(depth - 1)} in ds.meta_data",
            lambda: f"({self.any(depth - 1)} is {self.one_of('', 'not ')}" + self.one_of(
                "string", "number", "mapping", "sequence", "none", "iterable", "boolean",
                "integer", "float", "true", "false", "undefined") + ")",
            lambda: f"({self.number(depth - 1)} is divisibleby 3)", lambda: "(v1.count is odd)",
            lambda: f"({self.string(depth - 1)} is {self.one_of('lower', 'upper')})",
            lambda: f"({self.string(depth - 1)}).startswith('e')")

    def any(self, depth=0):
        return self.one_of(
            lambda: self.string(depth), lambda: self.number(depth), lambda: self.list(depth),
            lambda: self.truth(depth), "none", "v1", "ds.meta_data['tags']",
            lambda: f"{{'k': {self.string(depth - 1)}, 'n': {self.number(depth - 1)}}}",
            lambda: f"({self.string(depth)} if {self.truth(depth - 1)} else {self.number(depth)})",
            lambda: f"({self.string(depth)} if {self.truth(depth - 1)})",
            lambda: f"nope|default({self.string(depth)})",
            lambda: f"v1.empty|d({self.number(depth)}, true)",
            lambda: f"({self.list(depth)})|{self.one_of('first', 'last')}",
            lambda: f"v1.get('nope', {self.string(depth - 1)})",
            lambda: self.one_of("nope", "v1.nope", "words[9]", "v1.local-hostname", "numbers.0"))

    def space(self):
        return self.one_of("", "", " ", "\n", "\n  ", "  \n\n", "\t", "\r\n", "word", " two words ")

    def tag(self, inside):
        begin, end = self.one_of("", "", "-", "+"), self.one_of("", "", "-", "+")
        return f"{{%{begin} {inside} {end}%}}"

    def print(self, inside):
        begin, end = self.one_of("", "", "", "-"), self.one_of("", "", "", "-")
        return f"{{{{{begin} {inside} {end}}}}}"

    def loop(self, depth):
        name, inner = self.one_of("x", "words", "item"), self.body(depth - 1)
        head = self.one_of(
            lambda: f"for {name} in {self.list(1)}",
            lambda: f"for {name} in numbers if {name} > {self.number()}",
            lambda: f"for key, {name} in ds.meta_data.tags.items()",
            lambda: f"for key, {name} in v1|dictsort", lambda: f"for {name} in v1")
        more = self.print(self.one_of(name, "loop.index", "loop.index0", "loop.first", "loop.last",
                                      "loop.length", "loop.revindex", f"loop.previtem|d({name})"))
        tail = self.tag("else") + self.body(depth - 1) if self.random.random() < 0.3 else ""
        return self.tag(head) + more + self.space() + inner + tail + self.tag("endfor")

    def condition(self, depth):
        middle = "".join(self.tag(f"elif {self.truth(1)}") + self.body(depth - 1)
                         for _ in range(self.random.randint(0, 2)))
        tail = self.tag("else") + self.body(depth - 1) if self.random.random() < 0.5 else ""
        return (self.tag(f"if {self.truth(2)}") + self.body(depth - 1) + middle + tail
                + self.tag("endif"))

    def statement(self, depth):
        if depth <= 0:
            return self.print(self.any(1))
        return self.one_of(
            lambda: self.print(self.any(2)), lambda: self.print(self.any(3)),
            lambda: self.loop(depth), lambda: self.condition(depth),
            lambda: self.tag(f"set x = {self.any(1)}") + self.print("x|default('unset')"),
            lambda: self.tag("set x") + self.body(depth - 1) + self.tag("endset") + "{{ x }}",
            lambda: self.tag("set x, y = 1, 'z'") + self.print("x ~ y"),
            lambda: f"{{#{self.one_of('', '-')} {{{{ no }}}} {self.one_of('', '-')}#}}",
            lambda: self.tag("raw") + "{{ x }}{% if %}" + self.tag("endraw"))

    def body(self, depth):
        return self.space() + "".join(self.statement(depth) + self.space()
                                      for _ in range(self.random.randint(1, 2)))


@unittest.skipUnless(HAS_JINJA, "python3-jinja2 is not installed")
class BesideJinja(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.environment = jinja()

    def compare(self, text, variables, answer):
        """None where both do the same, else what they do."""
        theirs = by_jinja(self.environment, text, variables)
        ours = answer.get("text")
        if theirs == ours:
            return None
        return f"{text!r}\n  Jinja: {theirs!r}\n  ours:  {ours!r} {answer.get('error', '')}"

    def test_cases(self):
        found = list(cases())
        self.assertGreater(len(found), 60)
        self.assertEqual(set(DIFFERS) - {name for name, _, _ in found}, set())
        answers = by_us([(text, variables) for _, text, variables in found])
        for (name, text, variables), answer in zip(found, answers):
            with self.subTest(name):
                difference = self.compare(text, variables, answer)
                if name in DIFFERS:
                    self.assertIsNotNone(difference, "does not differ from Jinja")
                else:
                    self.assertIsNone(difference, difference)

    def test_generated(self):
        generator = Generator(SEED)
        texts = [generator.body(2) + generator.one_of("", "\n", "\n\n") for _ in range(GENERATED)]
        texts += [generator.print(generator.any(3)) for _ in range(GENERATED)]
        answers = by_us([(text, VARIABLES) for text in texts])
        self.assertEqual(len(answers), len(texts))
        # Most of them must have a meaning, or this says nothing.
        self.assertGreater(sum("text" in answer for answer in answers), GENERATED)
        wrong = [difference for text, answer in zip(texts, answers)
                 if (difference := self.compare(text, VARIABLES, answer))]
        self.assertEqual(wrong[:10], [], f"{len(wrong)} differ")


if __name__ == "__main__":
    unittest.main()
