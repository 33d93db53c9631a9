#!/usr/bin/env python3
"""Validates lines "SCHEMA<tab>JSON" from stdin against tools/schemas.

    schemas.py FOLDER [SCHEMA...]     the schemas of which no line need come

Also demands that each schema is sound and closed, and that it notices a member too many or too few.
"""

import json
import pathlib
import sys

import jsonschema


def open_objects(schema, path=""):
    """The places of object types that allow unknown members."""
    if isinstance(schema, list):
        return [p for i, part in enumerate(schema) for p in open_objects(part, f"{path}/{i}")]
    if not isinstance(schema, dict):
        return []
    found = []
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        found.append(path)
    for name, part in schema.items():
        found += open_objects(part, f"{path}/{name}")
    return found


def validator_of(path):
    schema = json.loads(path.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    resolver = jsonschema.RefResolver(path.resolve().as_uri(), schema)
    return jsonschema.Draft7Validator(schema, resolver=resolver)


def required_of(validator):
    schema = validator.schema
    if "$ref" in schema:
        _, schema = validator.resolver.resolve(schema["$ref"])
    return schema["required"]


def main():
    folder = pathlib.Path(sys.argv[1])
    schemas = {path.stem: validator_of(path) for path in sorted(folder.glob("*.json"))}
    problems = [f"{name}: {place} allows unknown members"
                for name, one in schemas.items() for place in open_objects(one.schema)]
    missing = set(schemas) - set(sys.argv[2:]) - {"definitions"}
    for number, line in enumerate(sys.stdin, 1):
        name, _, text = line.rstrip("\n").partition("\t")
        value = json.loads(text)
        one = schemas[name]
        problems += [f"line {number}, {name}: {'/'.join(map(str, error.absolute_path))}: "
                     f"{error.message}" for error in one.iter_errors(value)]
        if one.is_valid({**value, "unknown": 1}):
            problems.append(f"{name}: an unknown member is allowed")
        for key in required_of(one):
            if one.is_valid({k: v for k, v in value.items() if k != key}):
                problems.append(f"{name}: '{key}' may be missing")
        missing.discard(name)
    problems += [f"{name}: no line came" for name in sorted(missing)]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
