"""tf-savedmodel, tf-graph, keras-metadata: operations that reach out are found, others are silent."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.domain.protocols import Format, Match
from aibom.formats.tf_graph import GRAPH, KERAS_METADATA, SAVED_MODEL
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, truncations

GRAPH_OPERATION, CUSTOM, EMBEDDED = (
    HazardKind.GRAPH_OPERATION,
    HazardKind.CUSTOM_OPERATOR,
    HazardKind.EMBEDDED_CODE,
)
HIGH, MEDIUM = Confidence.HIGH, Confidence.MEDIUM
GROUP = b"\xfb\x01\xfc\x01"  # field 31, start and end


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def sub(number: int, *parts: bytes | str) -> bytes:
    """A field with text, bytes or a message."""
    data = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return varint(number << 3 | 2) + varint(len(data)) + data


def node(operation: str, name: str = "n", *more: bytes) -> bytes:
    return sub(1, sub(1, name), sub(2, operation), *more)


def library(*nodes: bytes) -> bytes:
    """A function with nodes, which are field 3 there."""
    return sub(2, sub(1, sub(1, sub(1, "f")), *(b"\x1a" + each[1:] for each in nodes)))


def saved_model(*graph: bytes, **parts: bytes) -> bytes:
    meta = sub(1, sub(4, "serve"), sub(5, "2.21.0"))
    return b"\x08\x01" + sub(2, meta, sub(2, *graph), *parts.values())


def layers(*documents: object, kind: str = "_tf_keras_layer") -> bytes:
    return b"".join(
        sub(1, b"\x10\x01", sub(3, "root"), sub(4, kind), sub(5, json.dumps(document)))
        for document in documents
    )


def graph_facts(data: bytes) -> Facts:
    assert GRAPH.recognise(probe_of(data, "any.name")) is Match.CONTENT
    return read(GRAPH, data, "any.name")


def hazards(facts: Facts) -> list[tuple[HazardKind, str, Confidence]]:
    return [(hazard.kind, hazard.found, hazard.confidence) for hazard in facts.hazards]


def fixture(fmt: Format, name: str) -> Facts:
    data = (FIXTURES / "tf" / name).read_bytes()
    assert fmt.recognise(probe_of(data, "other.name")) is Match.CONTENT
    return read(fmt, data, name)


def test_an_ordinary_saved_model_has_variables_assets_and_branches_and_no_hazard() -> None:
    facts = fixture(SAVED_MODEL, "plain.pb")
    assert facts.hazards == ()
    assert facts.defects == ()
    assert facts.capabilities == frozenset()
    assert facts.version == "1"
    assert facts.values(Attribute.TAG) == ("serve",)
    (framework,) = (s for s in facts.statements if s.attribute is Attribute.TRAINING_FRAMEWORK)
    assert (framework.value, framework.detail("version")) == ("tensorflow", "2.21.0")
    assert int(dict(facts.metadata)["nodes"]) > 50


def test_operations_on_files_are_found_in_functions_and_branches() -> None:
    assert hazards(fixture(SAVED_MODEL, "files.pb")) == [
        (GRAPH_OPERATION, "ReadFile", HIGH),
        (GRAPH_OPERATION, "WriteFile", HIGH),
        (GRAPH_OPERATION, "PrintV2 file://log.txt", HIGH),
    ]


def test_a_call_of_python_is_found_with_its_node() -> None:
    (hazard,) = fixture(SAVED_MODEL, "python.pb").hazards
    assert (hazard.kind, hazard.found) == (GRAPH_OPERATION, "PyFunc")
    assert hazard.message == "the operation PyFunc calls a Python function of the process (node 'PyFunc')"
    assert hazard.offset is not None
    assert b"PyFunc" in (FIXTURES / "tf/python.pb").read_bytes()[hazard.offset : hazard.offset + 20]


def test_a_frozen_graph_is_read() -> None:
    facts = fixture(GRAPH, "frozen.pb")
    assert facts.hazards == ()
    assert dict(facts.metadata)["nodes"] == "4"
    assert int(dict(facts.metadata)["producer"]) > 1000


def test_lambda_layers_are_found_beside_a_saved_model() -> None:
    assert fixture(KERAS_METADATA, "keras_plain.pb").hazards == ()
    facts = fixture(KERAS_METADATA, "keras_lambda.pb")
    assert hazards(facts) == [(EMBEDDED, "double", HIGH)]
    assert facts.capabilities == {Capability.EMBEDS_CODE}


@pytest.mark.parametrize(
    ("operation", "kind", "confidence"),
    [
        ("ReadFile", GRAPH_OPERATION, HIGH),
        ("WriteFile", GRAPH_OPERATION, HIGH),
        ("MatchingFiles", GRAPH_OPERATION, HIGH),
        ("PyFuncStateless", GRAPH_OPERATION, HIGH),
        ("EagerPyFunc", GRAPH_OPERATION, HIGH),
        ("ImmutableConst", GRAPH_OPERATION, HIGH),
        ("RpcCall", GRAPH_OPERATION, HIGH),
        ("GcsConfigureCredentials", GRAPH_OPERATION, HIGH),
        ("TextLineDataset", GRAPH_OPERATION, MEDIUM),
        ("TFRecordDatasetV2", GRAPH_OPERATION, MEDIUM),
        ("CreateSummaryFileWriter", GRAPH_OPERATION, MEDIUM),
        ("DatasetFromGraph", GRAPH_OPERATION, MEDIUM),
        ("Vendor>Run", CUSTOM, HIGH),
        ("TRTEngineOp", CUSTOM, HIGH),
    ],
)
def test_operations_are_judged_in_graphs_and_in_functions(
    operation: str, kind: HazardKind, confidence: Confidence
) -> None:
    expected = [(kind, operation, confidence)]
    for data in (node("NoOp") + node(operation), node("NoOp") + library(node(operation))):
        assert hazards(graph_facts(data)) == expected
        assert hazards(read(SAVED_MODEL, saved_model(data), "saved_model.pb")) == expected
    assert hazards(graph_facts(library(node("NoOp"), node(operation)))) == expected
    able = graph_facts(node(operation)).capabilities
    assert (Capability.CUSTOM_OPERATORS in able) == (kind is CUSTOM)


@pytest.mark.parametrize(
    "operation",
    [
        "SaveV2",
        "RestoreV2",
        "MergeV2Checkpoints",
        "ShardedFilename",
        "InitializeTableFromTextFileV2",
        "Assert",
        "PrintV2",
        "DebugIdentity",
        "StatefulPartitionedCall",
        "XlaCallModule",
        "__inference_call_12",
    ],
)
def test_operations_of_ordinary_models_are_silent(operation: str) -> None:
    attribute = sub(5, sub(1, "output_stream"), sub(2, sub(2, "stderr")))
    assert graph_facts(node(operation, "n", attribute)).hazards == ()


@pytest.mark.parametrize("operation", ["PrintV2", "DebugIdentity", "DebugNumericSummary"])
def test_where_an_operation_writes_is_read_even_before_its_name(operation: str) -> None:
    attribute = sub(5, sub(1, "debug_urls"), sub(2, sub(1, sub(2, "grpc://host:1"))))
    assert hazards(graph_facts(sub(1, attribute, sub(2, operation), sub(1, "n")))) == [
        (GRAPH_OPERATION, f"{operation} grpc://host:1", HIGH)
    ]


def test_each_of_two_names_of_an_operation_counts() -> None:
    assert hazards(graph_facts(node("ReadFile", "n", sub(2, "NoOp")))) == [
        (GRAPH_OPERATION, "ReadFile", HIGH)
    ]


def test_both_graphs_of_a_graph_given_twice_are_read() -> None:
    data = saved_model(node("NoOp"), again=sub(2, node("ReadFile")))
    assert hazards(read(SAVED_MODEL, data, "saved_model.pb")) == [(GRAPH_OPERATION, "ReadFile", HIGH)]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a\\..\\b", "C:\\x", "gs://bucket/x"])
def test_assets_outside_of_the_model_are_defects(name: str) -> None:
    facts = read(SAVED_MODEL, saved_model(node("NoOp"), asset=sub(6, sub(2, name))), "saved_model.pb")
    assert [d.reason for d in facts.defects] == [Reason.OUTSIDE_TARGET]


def test_layers_of_keras_in_the_objects_of_a_saved_model_are_read() -> None:
    code = {"class_name": "Lambda", "config": {"name": "x", "function": ["4w==", None, None]}}
    user = sub(4, sub(1, "_tf_keras_layer"), sub(3, json.dumps(code)))
    data = saved_model(node("NoOp"), objects=sub(7, sub(1, user)))
    facts = read(SAVED_MODEL, data, "saved_model.pb")
    assert hazards(facts) == [(EMBEDDED, "x", HIGH)]
    assert Capability.EMBEDS_CODE in facts.capabilities


def test_a_saved_model_as_text_is_told_as_not_read() -> None:
    data = b"saved_model_schema_version: 1\n"
    assert SAVED_MODEL.recognise(probe_of(data, "saved_model.pbtxt")) is Match.NAME
    facts = read(SAVED_MODEL, data, "saved_model.pbtxt")
    assert facts.unread
    assert [d.reason for d in facts.defects] == [Reason.NOT_READ]


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (node("NoOp"), "weights.bin", Match.CONTENT),
        (node("NoOp", "n", sub(99, "x")), "graph.pb", Match.CONTENT),
        (node("NoOp", "n", sub(99, "x")), "graph.bin", Match.NO),
        (sub(99, "x") + node("NoOp"), "graph.pb", Match.CONTENT),
        (sub(4, b"\x08\x01") + node("NoOp"), "weights.bin", Match.CONTENT),
        (GROUP + node("NoOp"), "graph.pb", Match.NAME),
        (GROUP + node("NoOp"), "graph.bin", Match.NO),
        (node("not an operation"), "graph.pb", Match.NO),
        (sub(1, sub(1, "name"), b"\x10\x01"), "labels.pb", Match.NO),
        (sub(1, b"\x02\x03"), "input_0.pb", Match.NO),  # a tensor of ONNX
        (b"\x08\x02\x10\x01", "input_0.pb", Match.NO),
        (b"", "empty.pb", Match.NO),
        (b"hello", "notes.pb", Match.NO),
    ],
)
def test_a_graph_is_told_from_other_messages(data: bytes, name: str, expected: Match) -> None:
    assert GRAPH.recognise(probe_of(data, name)) is expected


def test_a_saved_model_is_recognised_by_content_and_by_name() -> None:
    data = saved_model(node("NoOp"))
    assert SAVED_MODEL.recognise(probe_of(data, "weights.bin")) is Match.CONTENT
    assert SAVED_MODEL.recognise(probe_of(data + sub(3, "x"), "weights.bin")) is Match.NO
    assert SAVED_MODEL.recognise(probe_of(b"junk", "saved_model.pb")) is Match.NAME
    onnx = b"\x08\x07" + sub(2, "producer") + sub(7, sub(1, sub(4, "Relu")))
    assert SAVED_MODEL.recognise(probe_of(onnx, "model.onnx")) is Match.NO
    assert KERAS_METADATA.recognise(probe_of(b"", "keras_metadata.pb")) is Match.NAME
    assert KERAS_METADATA.recognise(probe_of(layers({}), "x")) is Match.CONTENT


@pytest.mark.parametrize(
    ("fmt", "data", "reason", "words"),
    [
        (SAVED_MODEL, b"", Reason.MALFORMED, "there is no graph"),
        (SAVED_MODEL, b"\x08\x01" + sub(2, sub(1, "")), Reason.MALFORMED, "there is no graph"),
        (SAVED_MODEL, b"\x12\xff\x01", Reason.TRUNCATED, "its message"),
        (GRAPH, GROUP, Reason.UNSUPPORTED, "group"),
        (GRAPH, b"\x0a" + varint(2**63), Reason.TRUNCATED, "a field ends at"),
        (KERAS_METADATA, b"\x0a\x05", Reason.TRUNCATED, "a field ends at"),
    ],
)
def test_hostile_files_are_named(fmt: Format, data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(fmt, data, "model.pb")
    assert caught.value.reason is reason
    assert words in str(caught.value)


def test_what_stands_before_an_error_is_told() -> None:
    facts = read(GRAPH, node("ReadFile") + GROUP, "graph.pb")
    assert hazards(facts) == [(GRAPH_OPERATION, "ReadFile", HIGH)]
    assert [d.reason for d in facts.defects] == [Reason.UNSUPPORTED]


@pytest.mark.parametrize(
    ("document", "reason", "words"),
    [
        ("[]", Reason.MALFORMED, "is not a JSON object"),
        ("[" * 100, Reason.LIMIT, "nested deeper"),
        ('{"a": "' + "x" * 9 * MIB + '"}', Reason.LIMIT, "bytes of Keras configuration"),
    ],
)
def test_hostile_configurations_are_defects(document: str, reason: Reason, words: str) -> None:
    data = sub(1, sub(4, "_tf_keras_layer"), sub(5, document))
    (defect,) = read(KERAS_METADATA, data, "keras_metadata.pb").defects
    assert defect.reason is reason
    assert words in defect.message


def test_an_address_beyond_the_limit_is_told() -> None:
    attribute = sub(5, sub(1, "output_stream"), sub(2, sub(2, "x" * 70_000, "file://a")))
    facts = graph_facts(node("PrintV2", "n", attribute))
    assert [d.reason for d in facts.defects] == [Reason.LIMIT]


def test_many_nodes_stay_within_bounded_memory() -> None:
    data = b"".join(node(f"Vendor>Run{number}") for number in range(10_000))
    tracemalloc.start()
    facts = read(GRAPH, data, "graph.pb")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert dict(facts.metadata)["nodes"] == "10000"
    assert peak < MIB
    assert len(facts.hazards) == 100
    assert [d.reason for d in facts.defects] == [Reason.LIMIT]


def test_many_foreign_operations_do_not_hide_one_that_does_harm() -> None:
    data = b"".join(node(f"Vendor>Run{number}") for number in range(300)) + node("WriteFile")
    assert hazards(graph_facts(data))[-1] == (GRAPH_OPERATION, "WriteFile", HIGH)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    for fmt in (SAVED_MODEL, GRAPH, KERAS_METADATA):
        outcome(fmt, data, "model.pb")
        outcome(fmt, b"\x0a" + varint(len(data)) + data, "keras_metadata.pb")
        outcome(fmt, saved_model(data), "saved_model.pb")


@pytest.mark.parametrize(
    ("fmt", "name"), [(GRAPH, "frozen.pb"), (SAVED_MODEL, "python.pb"), (KERAS_METADATA, "keras_lambda.pb")]
)
def test_cuts_and_flips_raise_nothing_else(fmt: Format, name: str) -> None:
    data = (FIXTURES / "tf" / name).read_bytes()
    for cut in list(truncations(data))[:: max(1, len(data) // 400)]:
        outcome(fmt, cut, name)
    for flipped in flips(data, 200):
        outcome(fmt, flipped, name)


def test_an_operation_that_neither_tensorflow_nor_the_graph_has_comes_from_elsewhere() -> None:
    facts = graph_facts(node("Relu") + node("AcmeDecode") + node("AcmeDecode", "again"))
    assert hazards(facts) == [(CUSTOM, "AcmeDecode", MEDIUM)]
    assert Capability.CUSTOM_OPERATORS in facts.capabilities


def test_an_operation_may_be_a_function_of_the_graph_itself() -> None:
    assert hazards(graph_facts(node("f") + node("Relu") + library(node("Relu")))) == []
