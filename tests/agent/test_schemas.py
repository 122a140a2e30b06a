"""The modules' schemas: valid JSON Schema by its own meta-schema, and examples that fit.

Needs Debian's python3-jsonschema; without it the tests are skipped. The subset that bootlace itself
takes is checked when the schemas are composed (tests/unit/test_schema.c).
"""
import json
import pathlib
import unittest

try:
    import jsonschema
except ImportError:
    jsonschema = None

TOP = pathlib.Path(__file__).resolve().parents[2]


def schemas():
    return sorted(TOP.glob("modules/*/*.schema.json"))


def load(path):
    def refuse_twice(pairs):
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), f"{path}: a key stands twice"
        return dict(pairs)

    return json.loads(path.read_text(), object_pairs_hook=refuse_twice)


def described(schema):
    """The schema and all schemas within it."""
    yield schema
    if not isinstance(schema, dict):
        return
    for keyword in ("properties", "patternProperties", "$defs"):
        for inner in schema.get(keyword, {}).values():
            yield from described(inner)
    for keyword in ("oneOf", "anyOf", "allOf"):
        for inner in schema.get(keyword, []):
            yield from described(inner)
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            yield from described(schema[keyword])


@unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
class Schemas(unittest.TestCase):
    def test_there_are_some(self):
        self.assertTrue(schemas())

    def test_the_meta_schema_takes_them(self):
        for path in schemas():
            with self.subTest(path.name):
                jsonschema.Draft202012Validator.check_schema(load(path))

    def test_defaults_and_examples_fit(self):
        for path in schemas():
            whole = load(path)
            for schema in described(whole):
                if not isinstance(schema, dict):
                    continue
                # References lead to the whole's definitions.
                validator = jsonschema.Draft202012Validator(
                    {**schema, "$defs": whole.get("$defs", {})})
                values = list(schema.get("examples", []))
                values += [schema["default"]] if "default" in schema else []
                for value in values:
                    with self.subTest(path.name, value=value):
                        validator.validate(value)


if __name__ == "__main__":
    unittest.main()
