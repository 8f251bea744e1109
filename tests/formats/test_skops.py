"""skops: every name that the library would look up is told, with what it would do with it."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts, Use
from aibom.domain.limits import DOCUMENT_BYTES, MIB
from aibom.domain.protocols import Match
from aibom.formats.skops import FORMAT, SCHEMA_DEPTH
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

pytest.importorskip("skops")  # large: comes with the extra `integration`
pytestmark = pytest.mark.integration

import skops.io  # noqa: E402
from skops.io._audit import Node, get_tree  # noqa: E402
from skops.io._general import JsonNode  # noqa: E402
from skops.io._utils import read_schema  # noqa: E402

ALL = ("pipeline", "trees", "kinds")


def packed(schema: object, **members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        text = schema if isinstance(schema, (bytes, str)) else json.dumps(schema)
        archive.writestr("schema.json", text)
    return buffer.getvalue()


def node(loader: str, module: object, name: object, **more: object) -> dict[str, object]:
    return {"__loader__": loader, "__module__": module, "__class__": name, "protocol": 2, **more}


def facts_of(data: bytes) -> Facts:
    return read(FORMAT, data, "m.skops")


def uses(facts: Facts) -> dict[str, Use]:
    return {item.name: item.use for item in facts.imports}


def nodes(value: object) -> Iterator[Node]:
    """All nodes of the tree that the library builds, without constructing anything."""
    if isinstance(value, Node):
        yield value
        value = value.children
    if isinstance(value, dict):
        value = list(value.values())
    for child in value if isinstance(value, list) else ():
        yield from nodes(child)


def names_of_the_library(data: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        schema, context = read_schema(archive)
        tree = get_tree(schema, context, trusted=None)
    named = {f"{n.module_name}.{n.class_name}" for n in nodes(tree) if not isinstance(n, JsonNode)}
    return named | tree.get_unsafe_set()


@pytest.mark.parametrize("name", ALL)
def test_the_names_are_those_that_the_library_asks_its_user_about(name: str) -> None:
    data = (FIXTURES / f"skops/{name}.skops").read_bytes()
    facts = read_fixture(FORMAT, f"skops/{name}.skops")
    found = set(uses(facts))
    assert set(skops.io.get_untrusted_types(data=data)) <= found
    assert found - names_of_the_library(data) <= {"numpy.random.PCG64"}  # which it trusts unasked
    assert names_of_the_library(data) <= found
    assert facts.capabilities == {Capability.IMPORTS_CODE}
    assert facts.defects == ()
    assert facts.version == "2"


def test_the_use_is_what_the_loader_does_with_the_name() -> None:
    kinds = uses(read_fixture(FORMAT, "skops/kinds.skops"))
    assert kinds["functools.partial"] is Use.CALL
    assert kinds["operator.itemgetter"] is Use.CALL
    assert kinds["numpy.random.PCG64"] is Use.CALL
    assert kinds["sklearn.linear_model._logistic.LogisticRegression"] is Use.CONSTRUCT
    assert kinds["sklearn.linear_model._logistic.LogisticRegression.fit"] is Use.CALL
    assert kinds["numpy.add"] is Use.REFERENCE
    assert kinds["builtins.int"] is Use.REFERENCE


def test_the_model_and_the_library_are_stated() -> None:
    facts = read_fixture(FORMAT, "skops/pipeline.skops")
    assert facts.values(Attribute.ARCHITECTURE) == ("Pipeline",)
    assert facts.values(Attribute.RUNTIME_DEPENDENCY) == (f"skops=={skops.__version__}",)


_OBJECTS = st.recursive(
    st.one_of(
        st.none(),
        st.integers(),
        st.text(max_size=5),
        st.binary(max_size=5),
        st.sampled_from([np.float32(1), np.arange(3), int, np.add, slice(1, 2), np.dtype("f8")]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.sampled_from(["a", "__class__", "__loader__", "content"]), inner, max_size=3),
    ),
    max_leaves=6,
)


@given(_OBJECTS)
def test_any_object_that_the_library_saves_is_read(value: object) -> None:
    data = skops.io.dumps(value)
    assert set(uses(facts_of(data))) == names_of_the_library(data)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (node("FunctionNode", "os", "system"), {"os.system": Use.REFERENCE}),
        (node("TypeNode", "os", "system"), {"os.system": Use.REFERENCE}),
        (node("ObjectNode", "os", "system"), {"os.system": Use.CONSTRUCT}),
        (node("ListNode", "os", "system", content=[]), {"os.system": Use.CALL}),
        (node("NdArrayNode", "os", "system", type="numpy"), {"os.system": Use.CALL}),
        (node("ConstructorFromReduceNode", "os", "system"), {"os.system": Use.CALL}),
        (node("OperatorFuncNode", "operator", "methodcaller"), {"operator.methodcaller": Use.CALL}),
        (node("MethodNode", "os", "_wrap", content={"func": "close"}), {"os._wrap.close": Use.CALL}),
        (node("JsonNode", "os", "system", content="1"), {}),
        (node("CachedNode", None, None), {}),
        (
            node("FunctionNode", "builtins", "function", protocol=0,
                 content={"module_path": "os", "function": "system"}),
            {"os.system": Use.REFERENCE},
        ),
        (
            node("RandomGeneratorNode", "numpy.random", "Generator",
                 content={"bit_generator": {"bit_generator": "seed"}}),
            {"numpy.random.Generator": Use.CALL, "numpy.random.seed": Use.CALL},
        ),
        (
            node("TypeNode", "os", "system", extra=[{"x": node("DictNode", "os", "system")}]),
            {"os.system": Use.CALL},
        ),
    ],
)  # fmt: skip
def test_a_name_is_told_wherever_it_stands(schema: object, expected: dict[str, Use]) -> None:
    facts = facts_of(packed(schema))
    assert uses(facts) == expected
    assert facts.defects == ()
    assert {item.inside for item in facts.imports} <= {"schema.json"}


@pytest.mark.parametrize(
    ("schema", "reason", "words"),
    [
        (node("NewNode", "os", "system"), Reason.UNSUPPORTED, "loader 'NewNode'"),
        (node("TypeNode", "os", "system", protocol=3), Reason.UNSUPPORTED, "protocol 3"),
        (node("TypeNode", "os", "system", protocol="0"), Reason.UNSUPPORTED, "protocol 0 is not known"),
        (node("TypeNode", "os", 1), Reason.MALFORMED, "does not say what it is"),
        (node("MethodNode", "os", "x", content={}), Reason.MALFORMED, "does not say what it is"),
        (node("RandomGeneratorNode", "numpy", "x", content=1), Reason.MALFORMED, "does not say"),
        ({**node("ListNode", "builtins", "list"),
          "content": [node("TypeNode", "m", f"n{i}") for i in range(6000)]}, Reason.LIMIT, "5000 names"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_a_defect(schema: object, reason: Reason, words: str) -> None:
    defects = [defect for defect in facts_of(packed(schema)).defects if words in defect.message]
    assert [defect.reason for defect in defects] == [reason]


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.MALFORMED, "not a zip archive"),
        (packed("{}"), Reason.MALFORMED, "describes no object"),
        (packed("[]"), Reason.MALFORMED, "describes no object"),
        (packed('{"__loader__":"TypeNode","__loader__":"JsonNode"}'), Reason.MALFORMED, "duplicate key"),
        (packed("[" * 300), Reason.LIMIT, f"deeper than {SCHEMA_DEPTH}"),
        (packed("[" + "," * 2_000_000 + "]"), Reason.LIMIT, "holds more than"),
    ],
)
def test_hostile_schemas_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        facts_of(data)
    assert caught.value.reason is reason


def test_a_bomb_of_a_schema_costs_no_memory() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b" " * (DOCUMENT_BYTES + 1))
    tracemalloc.start()
    result = outcome(FORMAT, buffer.getvalue(), "m.skops")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(result, UnreadableError)
    assert peak < 64 * MIB


@pytest.mark.parametrize("name", ALL)
def test_truncated_and_flipped_files_never_escape(name: str) -> None:
    data = (FIXTURES / f"skops/{name}.skops").read_bytes()
    for cut in list(truncations(data))[::97]:
        assert isinstance(outcome(FORMAT, cut, "m.skops"), UnreadableError)
    for copy in flips(data, 60):
        outcome(FORMAT, copy, "m.skops")


@given(st.binary(max_size=100))
def test_arbitrary_schemas_give_facts_or_a_named_error(schema: bytes) -> None:
    outcome(FORMAT, packed(schema), "m.skops")
    outcome(FORMAT, schema, "m.skops")


def test_recognised_by_the_schema_under_any_name() -> None:
    data = (FIXTURES / "skops/pipeline.skops").read_bytes()
    assert FORMAT.recognise(probe_of(data, "model.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(packed("{}", a=b"")[:-1], "model.skops")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"hello", "model.skops")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"hello", "notes.txt")) is Match.NO
