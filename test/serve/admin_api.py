"""The description of the admin API, and what follows from it: which answers are valid, and requests
that are valid or broken."""

import copy
import json
import urllib.parse

import jsonschema
from hypothesis import strategies as st

BASE = "/api/belay/v1"
# What the document calls a text may be any Unicode text but surrogates, which no JSON in UTF-8 has.
TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)


class Document:
    """The paths, with all references resolved where they are used."""

    def __init__(self, document):
        self.document = document
        self.resolver = jsonschema.RefResolver("", as_json_schema(document))

    def resolve(self, thing):
        while "$ref" in thing:
            node = self.document
            for part in thing["$ref"].lstrip("#/").split("/"):
                node = node[part]
            thing = node
        return thing

    def operations(self):
        """(path, method, operation) of each."""
        return [(path, method.upper(), operation)
                for path, methods in self.document["paths"].items()
                for method, operation in methods.items()]

    def parameters(self, operation, where):
        found = map(self.resolve, operation.get("parameters", []))
        return [one for one in found if one["in"] == where]

    def body_schema(self, operation):
        body = operation.get("requestBody")
        return body and self.resolve(body["content"]["application/json"]["schema"])

    def fault(self, operation, reply):
        """What is wrong with an answer; empty: it is as described."""
        described = operation["responses"].get(str(reply.status))
        if described is None:
            return f"the status {reply.status} is not described"
        (kind, content), = self.resolve(described)["content"].items()
        if not reply.headers.get("content-type", "").startswith(kind):
            return f"{reply.status} is {reply.headers.get('content-type')}, not {kind}"
        for name, want in (("cache-control", "no-store"), ("x-content-type-options", "nosniff")):
            if reply.headers.get(name) != want:
                return f"{name} is {reply.headers.get(name)}"
        if kind != "application/json":
            return ""
        return self.fault_of_value(content["schema"], json.loads(reply.body))

    def fault_of_value(self, schema, value):
        validator = jsonschema.Draft4Validator(as_json_schema(schema), resolver=self.resolver)
        errors = [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(value)]
        return "; ".join(errors)[:400]


def as_json_schema(thing):
    """OpenAPI 3.0 says `nullable` where JSON Schema has the type null."""
    if isinstance(thing, list):
        return [as_json_schema(one) for one in thing]
    if not isinstance(thing, dict):
        return thing
    made = {key: as_json_schema(value) for key, value in thing.items() if key != "nullable"}
    return {"anyOf": [{"type": "null"}, made]} if thing.get("nullable") is True else made


def values(document, schema):
    """Values that the schema allows."""
    schema = document.resolve(schema)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return st.one_of([values(document, one) for one in schema[key]])
    kind = schema.get("type")
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        return st.integers(schema.get("minimum", -2**63), schema.get("maximum", 2**63 - 1))
    if kind == "number":
        return st.floats(allow_nan=False, allow_infinity=False)
    if kind == "string":
        return texts(schema)
    if kind == "array":
        return st.lists(values(document, schema["items"]), min_size=schema.get("minItems", 0),
                        max_size=min(schema.get("maxItems", 4), 4))
    return objects(document, schema)


def texts(schema):
    if schema.get("pattern") == "^[!-~]+$":
        return st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7e),
                       min_size=schema.get("minLength", 0), max_size=schema["maxLength"])
    # Characters of up to four bytes: the limits are bytes.
    return TEXTS.filter(lambda text: len(text) >= schema.get("minLength", 0) and
                        len(text.encode()) <= schema.get("maxLength", 10**9))


def objects(document, schema):
    members = {name: values(document, one) for name, one in schema.get("properties", {}).items()}
    required = schema.get("required", [])
    return st.fixed_dictionaries(
        {name: members[name] for name in required},
        optional={name: one for name, one in members.items() if name not in required})


# What no member of any body may be.
NONSENSE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.none(), max_size=2),
    st.just("x" * 2_000), st.just("\x00"), st.just([[[[[[]]]]]]))


@st.composite
def broken_bodies(draw, document, schema):
    """Bytes that are a valid body but for one thing, or none at all."""
    body = copy.deepcopy(draw(objects(document, document.resolve(schema))))
    how = draw(st.sampled_from(["member", "unknown", "missing", "bytes", "cut"]))
    if how == "member" and body:
        body[draw(st.sampled_from(sorted(body)))] = draw(NONSENSE)
    elif how == "missing" and body:
        del body[draw(st.sampled_from(sorted(body)))]
    elif how == "unknown":
        body[draw(st.text(max_size=8))] = draw(NONSENSE)
    text = json.dumps(body, ensure_ascii=draw(st.booleans())).encode(errors="replace")
    if how == "bytes":
        return draw(st.binary(max_size=64))
    return text[:draw(st.integers(0, len(text)))] if how == "cut" else text


def query_text(pairs):
    written = [(name, json.dumps(value) if isinstance(value, bool) else value)
               for name, value in pairs]
    return "?" + urllib.parse.urlencode(written) if written else ""


def path_of(path, gid):
    """`gid`: bytes."""
    return path.replace("{gid}", urllib.parse.quote(gid, safe=""))
