"""ONNX: facts equal those of the reference library, and nothing hostile gets through."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

from aibom.domain.dtypes import BITS
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts, Layout, Statement
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import METADATA_COUNT, MIB, PROBE_BYTES
from aibom.domain.protocols import Match, Probe
from aibom.formats._onnx import DEFECT_COUNT, DTYPES, byte_length, leads_outside
from aibom.formats.onnx import DOMAIN_COUNT, FORMAT, GRAPH_DEPTH, HOLE_COUNT, INTERFACE_COUNT, IR_VERSION
from aibom.readers.ranges import Budgeted
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

SMALL = "onnx/small.onnx"
EXTERNAL = "onnx/model.onnx"


def model_of(
    *nodes: NodeProto, initializers: list[TensorProto] | None = None, ir_version: int = 10
) -> ModelProto:
    graph = helper.make_graph(list(nodes), "g", [], [], initializers or [])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=ir_version)


def facts_of(model: ModelProto | bytes) -> Facts:
    return read(FORMAT, model if isinstance(model, bytes) else model.SerializeToString(), "m.onnx")


def external_tensor(location: str, **entries: str) -> TensorProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def raw_tensor(data: bytes = bytes(16), dims: tuple[int, ...] = (4,), dtype: int = 1) -> TensorProto:
    return TensorProto(name="w", data_type=dtype, dims=dims, raw_data=data)


def graphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                if attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS):
                    yield from graphs(inner)


def all_tensors(model: ModelProto) -> list[TensorProto]:
    """Every tensor that the reference library sees: initializers, attributes, functions."""
    nodes = [node for function in model.functions for node in function.node]
    found = []
    for graph in graphs(model.graph):
        found += graph.initializer
        nodes += graph.node
    return found + [a.t for node in nodes for a in node.attribute if a.type == AttributeProto.TENSOR]


def named(facts: Facts, attribute: Attribute) -> list[Statement]:
    return [s for s in facts.statements if s.attribute is attribute]


def test_tensors_equal_the_reference_library() -> None:
    data = (FIXTURES / SMALL).read_bytes()
    facts = read_fixture(FORMAT, SMALL)
    expected = all_tensors(onnx.load_from_string(data))
    key = [(DTYPES[t.data_type], tuple(t.dims), t.raw_data) for t in expected if t.HasField("raw_data")]
    raw = [t for t in facts.tensors if t.layout is Layout.RAW]
    assert sorted((t.dtype, t.shape, data[t.offset : t.offset + t.length]) for t in raw) == sorted(key)
    assert len(facts.tensors) == len(expected)
    assert {t.name for t in expected if t.name} <= {t.name.rpartition("/")[2] for t in facts.tensors}


def test_typed_data_is_packed_and_lies_where_it_is_said_to_lie() -> None:
    data = (FIXTURES / SMALL).read_bytes()
    packed = {t.name: t for t in read_fixture(FORMAT, SMALL).tensors if t.layout is Layout.PACKED}
    assert set(packed) == {"typed", "words"}
    typed, words = packed["typed"], packed["words"]
    assert data[typed.offset : typed.offset + typed.length] == b"\x01\x02\xac\x02"
    assert data[words.offset : words.offset + words.length] == b"a\x32\x02bc"


def test_weights_in_branches_and_functions_are_found_under_their_scope() -> None:
    names = {t.name for t in read_fixture(FORMAT, SMALL).tensors}
    assert {"y.then_branch/branch_bias", "y.else_branch/zero.value", "Twice/two.value"} <= names


def test_everything_but_raw_tensor_data_is_covered() -> None:
    facts = read_fixture(FORMAT, SMALL)
    raw = sum(t.length for t in facts.tensors if t.layout is Layout.RAW)
    assert raw + sum(s.end - s.start for s in facts.covered) == (FIXTURES / SMALL).stat().st_size
    assert facts.indexed
    assert facts.defects == ()


def test_the_header_becomes_statements() -> None:
    facts = read_fixture(FORMAT, SMALL)
    assert facts.version == "10"
    (library,) = named(facts, Attribute.LIBRARY)
    assert (library.value, library.detail("version")) == ("make_onnx", "1.0")
    assert facts.first(Attribute.VERSION) == "3"
    assert facts.first(Attribute.DESCRIPTION) == "A small model."
    assert facts.first(Attribute.ORGANISATION) == "org.example"
    assert facts.first(Attribute.AUTHOR) == "Ada"
    assert facts.first(Attribute.LICENCE) == "Apache-2.0"
    assert ("model_author", "Ada") in facts.metadata
    assert facts.values(Attribute.INPUT) == ("x: F32[1,batch,4]", "flag: BOOL[]")
    assert facts.values(Attribute.OUTPUT) == ("out: F16",)


def test_parameters_are_the_elements_of_all_initializers() -> None:
    model = onnx.load(FIXTURES / SMALL)
    expected = sum(int(np.prod(t.dims)) for g in graphs(model.graph) for t in g.initializer)
    assert read_fixture(FORMAT, SMALL).first(Attribute.PARAMETER_COUNT) == str(expected)


def test_operators_that_nobody_defines_are_custom() -> None:
    facts = read_fixture(FORMAT, SMALL)
    operators = {s.value: s.detail("operators") for s in named(facts, Attribute.RUNTIME_DEPENDENCY)}
    assert operators == {"ai.onnx": None, "com.microsoft": "FusedGelu", "org.example": "Magic"}
    assert facts.capabilities == {Capability.CUSTOM_OPERATORS}


@pytest.mark.parametrize(
    ("domain", "custom"),
    [
        ("", False),
        ("ai.onnx.ml", False),
        ("com.microsoft", False),
        ("com.microsoft.x", True),
        ("AI.ONNX", True),
    ],
)
def test_only_foreign_domains_need_a_library(domain: str, custom: bool) -> None:
    facts = facts_of(model_of(helper.make_node("Op", ["x"], ["y"], domain=domain)))
    assert (Capability.CUSTOM_OPERATORS in facts.capabilities) is custom


def nodes(*operators: tuple[str, str]) -> list[NodeProto]:
    return [helper.make_node(name, ["x"], ["y"], domain=domain) for domain, name in operators]


def hazards(facts: Facts) -> list[tuple[HazardKind, str]]:
    return [(hazard.kind, hazard.found) for hazard in facts.hazards]


def test_a_custom_operator_is_a_hazard_with_its_place() -> None:
    data = (FIXTURES / SMALL).read_bytes()
    (hazard,) = read_fixture(FORMAT, SMALL).hazards
    assert (hazard.kind, hazard.found) == (HazardKind.CUSTOM_OPERATOR, "org.example::Magic")
    assert hazard.offset is not None
    assert b"Magic" in data[hazard.offset : hazard.offset + 60]


def test_operators_of_the_runtime_and_of_the_model_itself_are_no_hazard() -> None:
    assert read_fixture(FORMAT, EXTERNAL).hazards == ()
    operators = nodes(("", "Relu"), ("ai.onnx.ml", "Scaler"), ("com.microsoft", "FusedGelu"), ("mine", "F"))
    model = model_of(*operators)
    model.functions.append(
        helper.make_function("mine", "F", ["x"], ["y"], nodes(("", "Relu")), [helper.make_opsetid("", 17)])
    )
    assert facts_of(model).hazards == ()


@pytest.mark.parametrize(
    ("domain", "name"), [("ai.onnx.contrib", "PyOp"), ("", "PyOp"), ("com.microsoft", "PythonOp")]
)
def test_calls_of_python_are_found_in_any_domain_before_all_others(domain: str, name: str) -> None:
    facts = facts_of(model_of(*nodes(("a", "Custom"), (domain, name))))
    assert hazards(facts) == [
        (HazardKind.GRAPH_OPERATION, f"{domain}::{name}"),
        (HazardKind.CUSTOM_OPERATOR, "a::Custom"),
    ]


def test_a_compiled_engine_is_told() -> None:
    facts = facts_of(model_of(*nodes(("com.microsoft", "EPContext"))))
    assert hazards(facts) == [(HazardKind.CUSTOM_OPERATOR, "com.microsoft::EPContext")]


def test_custom_operators_are_found_in_branches_and_in_functions() -> None:
    branch = helper.make_graph(nodes(("deep", "A")), "g", [], [])
    outer = helper.make_graph(
        [helper.make_node("If", ["x"], ["z"], then_branch=branch, else_branch=branch)], "g", [], []
    )
    model = model_of(helper.make_node("Loop", ["x"], ["y"], body=outer))
    body = nodes(("inner", "B"))
    model.functions.append(
        helper.make_function("mine", "F", ["x"], ["y"], body, [helper.make_opsetid("inner", 1)])
    )
    assert hazards(facts_of(model)) == [
        (HazardKind.CUSTOM_OPERATOR, "deep::A"),
        (HazardKind.CUSTOM_OPERATOR, "inner::B"),
    ]


def test_external_data_equals_the_reference_library() -> None:
    facts = read_fixture(FORMAT, EXTERNAL)
    beside = (FIXTURES / "onnx/model.onnx.data").read_bytes()
    expected = {t.name: numpy_helper.to_array(t) for t in onnx.load(FIXTURES / EXTERNAL).graph.initializer}
    assert {e.tensor.name for e in facts.external} == set(expected)
    for one in facts.external:
        tensor = one.tensor
        assert one.path == "model.onnx.data"
        assert beside[tensor.offset : tensor.offset + tensor.length] == expected[tensor.name].tobytes()
        assert tensor.layout is Layout.RAW
    assert facts.capabilities == {Capability.EXTERNAL_DATA}
    assert facts.tensors == ()
    assert facts.defects == ()


def test_external_data_without_a_length_has_that_of_its_shape() -> None:
    facts = facts_of(model_of(initializers=[external_tensor("w.bin", offset="4096")]))
    assert [(e.tensor.offset, e.tensor.length) for e in facts.external] == [(4096, 16)]


@pytest.mark.parametrize(
    "location",
    [
        "/etc/passwd", "../w", "a/../../w", "a\\..\\w", "\\\\host\\share",
        "C:\\w", "c:w", "file:w", "file:///etc/passwd", "http://x/w", "a\0b", "..", "a/.. /w", "a\\...\\w",
        "*/_ORT_MEM_ADDR_/*",
    ],
)  # fmt: skip
def test_external_data_elsewhere_is_a_defect_and_still_told(location: str) -> None:
    facts = facts_of(model_of(initializers=[external_tensor(location), external_tensor(location)]))
    assert [d.reason for d in facts.defects] == [Reason.OUTSIDE_TARGET]
    assert [e.path for e in facts.external] == [location, location]
    assert Capability.EXTERNAL_DATA in facts.capabilities


@pytest.mark.parametrize("location", ["w", "w.bin", "a/b.data", "a..b", "..w", "weights 1", "./w"])
def test_plain_relative_locations_are_inside(location: str) -> None:
    assert not leads_outside(location)


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (external_tensor(""), "no possible place"),
        (external_tensor("w", offset="-1"), "no possible place"),
        (external_tensor("w", length="1e3"), "no possible place"),
        (external_tensor("w", offset="9" * 30), "no possible place"),
        (external_tensor("é" * 600), "no possible place"),
        (external_tensor("w", length="15"), "does not fill 15 bytes"),
        (raw_tensor(bytes(15)), "does not fill 15 bytes"),
        (raw_tensor(dims=(-4,)), "no possible type and shape"),
        (raw_tensor(dims=(2**62, 2)), "no possible type and shape"),
        (raw_tensor(dims=(2**62, 2, 0)), "no possible type and shape"),
        (raw_tensor(dtype=99), "no possible type and shape (type 99)"),
        (raw_tensor(dtype=TensorProto.STRING), "does not fill 16 bytes"),
        (TensorProto(name="w", data_type=1, dims=[4]), "has no data"),
        (TensorProto(name="w", data_type=1, dims=[4], raw_data=bytes(16), float_data=[1]), "data twice"),
    ],
)
def test_impossible_tensors_are_defects(tensor: TensorProto, words: str) -> None:
    facts = facts_of(model_of(initializers=[tensor, raw_tensor()]))
    assert [d.reason for d in facts.defects] == [Reason.MALFORMED]
    assert words in facts.defects[0].message
    assert facts.tensors[-1].layout is Layout.RAW


def test_sparse_initializers_are_told_as_not_read() -> None:
    model = model_of()
    model.graph.sparse_initializer.add()
    assert [d.reason for d in facts_of(model).defects] == [Reason.NOT_READ]


def test_a_newer_version_is_told_and_read() -> None:
    facts = facts_of(model_of(initializers=[raw_tensor()], ir_version=IR_VERSION + 1))
    assert [d.reason for d in facts.defects] == [Reason.UNSUPPORTED]
    assert len(facts.tensors) == 1
    assert onnx.IR_VERSION <= IR_VERSION


def test_graphs_beyond_the_depth_are_told() -> None:
    graph = helper.make_graph([], "inner", [], [], [raw_tensor()])
    for _ in range(GRAPH_DEPTH + 1):
        graph = helper.make_graph([helper.make_node("If", ["c"], ["y"], then_branch=graph)], "g", [], [])
    facts = facts_of(helper.make_model(graph))
    assert [d.reason for d in facts.defects] == [Reason.LIMIT]
    assert facts.tensors == ()


def test_initializers_that_are_inputs_too_are_no_inputs() -> None:
    info = helper.make_tensor_value_info("w", TensorProto.FLOAT, [4])
    model = helper.make_model(helper.make_graph([], "g", [info], [], [raw_tensor()]), ir_version=3)
    assert facts_of(model).values(Attribute.INPUT) == ()


def test_training_graphs_are_read() -> None:
    model = model_of()
    model.training_info.add().algorithm.initializer.append(raw_tensor())
    assert [t.name for t in facts_of(model).tensors] == ["training.2/w"]


def test_bytes_in_fields_that_onnx_does_not_define_are_not_explained() -> None:
    hidden = b"\xfa\x3f\x07payload"  # field 1023
    data = model_of(initializers=[raw_tensor()]).SerializeToString()
    facts = facts_of(data + hidden)
    assert facts.covered[-1].end == len(data) + 3
    assert facts.indexed


def test_properties_beyond_the_limit_are_told() -> None:
    model = model_of()
    helper.set_model_props(model, {f"k{i}": "v" for i in range(METADATA_COUNT + 3)})
    facts = facts_of(model)
    assert [d.message for d in facts.defects] == [f"only the first {METADATA_COUNT} properties are kept"]
    assert len([key for key, _ in facts.metadata if key.startswith("k")]) == METADATA_COUNT


def test_a_custom_operator_cannot_hide_behind_many_others() -> None:
    many = [helper.make_node(f"Op{i}", [], [], domain="com.microsoft") for i in range(600)]
    facts = facts_of(model_of(*many, helper.make_node("Evil", [], [], domain="evil")))
    assert Capability.CUSTOM_OPERATORS in facts.capabilities
    domains = [helper.make_node("Op", [], [], domain=f"d{i}") for i in range(DOMAIN_COUNT + 1)]
    assert [d.reason for d in facts_of(model_of(*domains)).defects] == [Reason.LIMIT]


def test_inputs_outputs_and_operator_sets_beyond_their_limits_are_told_once() -> None:
    model = model_of()
    for index in range(INTERFACE_COUNT + 2):
        model.graph.input.add(name=str(index))
    for index in range(DOMAIN_COUNT + 2):
        model.opset_import.add(domain=str(index), version=1)
    facts = facts_of(model)
    assert [d.reason for d in facts.defects] == [Reason.LIMIT] * 2
    assert len(facts.values(Attribute.INPUT)) == INTERFACE_COUNT


@pytest.mark.parametrize(
    ("info", "shown"),
    [
        (helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, "n", None]), "F32[2,n,?]"),
        (helper.make_tensor_value_info("x", TensorProto.FLOAT, None), "F32"),
        (helper.make_tensor_value_info("x", 99, [-1]), "type 99[-1]"),
        (helper.make_tensor_value_info("x", 1, [1] * 20), f"F32[{'1,' * 16}…]"),
        (helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, [1]), "sequence"),
        (ValueInfoProto(name="x"), "unknown"),
    ],
)
def test_inputs_are_shown_with_their_type(info: ValueInfoProto, shown: str) -> None:
    model = model_of()
    model.graph.input.append(info)
    assert facts_of(model).values(Attribute.INPUT) == (f"x: {shown}",)


def test_types_and_their_sizes_equal_the_reference_library() -> None:
    names = {n: v for n, v in TensorProto.DataType.items() if n != "UNDEFINED"}
    assert set(names.values()) == DTYPES.keys()
    for number, dtype in DTYPES.items():
        if dtype != "STRING":
            array = np.zeros(8, helper.tensor_dtype_to_np_dtype(number))
            assert byte_length(dtype, 8) == len(numpy_helper.from_array(array).raw_data), dtype
    assert {d for d in DTYPES.values() if d[0] in "BCF" or d[1:].isdigit()} <= BITS.keys()


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=20),
        st.sampled_from(["<f4", "<f2", "<i8", "|u1", "|b1"]).flatmap(
            lambda dtype: arrays(dtype, st.lists(st.integers(0, 4), max_size=4).map(tuple))
        ),
        max_size=5,
    ),
    st.text(max_size=20),
)
def test_any_file_of_the_reference_writer_is_read(weights: dict[str, np.ndarray], text: str) -> None:
    model = model_of(initializers=[numpy_helper.from_array(a, n) for n, a in weights.items()])
    model.producer_name = text
    data = model.SerializeToString()
    facts = facts_of(data)
    assert {t.name: t.shape for t in facts.tensors} == {n: a.shape for n, a in weights.items()}
    for tensor in facts.tensors:
        assert data[tensor.offset : tensor.offset + tensor.length] == weights[tensor.name].tobytes()
    assert dict(facts.metadata).get("producer_name", "") == text
    assert facts.defects == ()
    assert FORMAT.recognise(probe_of(data, "x")) is Match.CONTENT


@settings(max_examples=300)
@given(st.binary(max_size=80))
def test_arbitrary_bytes_give_facts_or_a_named_error(body: bytes) -> None:
    outcome(FORMAT, body, "m.onnx")
    outcome(FORMAT, b"\x3a" + bytes([len(body)]) + body, "m.onnx")


def test_a_truncation_at_any_byte_gives_no_other_error() -> None:
    for path in (SMALL, EXTERNAL):
        data = (FIXTURES / path).read_bytes()
        whole = facts_of(data)
        for cut in truncations(data):
            result = outcome(FORMAT, cut, "m.onnx")
            assert isinstance(result, UnreadableError) or result != whole


def test_a_file_cut_inside_its_graph_is_truncated() -> None:
    data = model_of(initializers=[raw_tensor()]).SerializeToString()
    with pytest.raises(UnreadableError) as caught:
        facts_of(data[:20])
    assert caught.value.reason is Reason.TRUNCATED


def test_flipped_bytes_never_escape() -> None:
    for path in (SMALL, EXTERNAL):
        for copy in flips((FIXTURES / path).read_bytes(), 400):
            outcome(FORMAT, copy, "m.onnx")


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.MALFORMED, "no graph"),
        (b"\x08\x0a", Reason.MALFORMED, "no graph"),
        (b"\x80\x04K\x01.", Reason.MALFORMED, "no such field number"),
        (b"\x08\x0a\x3a" + b"\xff" * 9 + b"\x01", Reason.TRUNCATED, "its message at"),
        (b"\x08\x0a\x3b", Reason.UNSUPPORTED, "group"),
        (b"\xfa\x3f\0" * (HOLE_COUNT + 1), Reason.LIMIT, "does not define"),
        (model_of(initializers=[raw_tensor(dims=(1,) * 40)]), Reason.LIMIT, "more than 16"),
    ],
)
def test_hostile_models_are_named(data: bytes | ModelProto, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        facts_of(data)
    assert caught.value.reason is reason
    assert words in str(caught.value)


class Sparse:
    """A file that is mostly zeros, to be larger than this machine would like."""

    def __init__(self, pieces: dict[int, bytes], size: int) -> None:
        self._pieces, self.size = pieces, size

    def read_at(self, offset: int, length: int) -> bytes:
        out = bytearray(length)
        for start, piece in self._pieces.items():
            low, high = max(start, offset), min(start + len(piece), offset + length)
            if low < high:
                out[low - offset : high - offset] = piece[low - start : high - start]
        return bytes(out)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        data = self.read_at(offset, min(len(buffer), self.size - offset))
        buffer[: len(data)] = data
        return len(data)


def test_two_gigabytes_are_walked_by_skipping() -> None:
    size = 2**31 - 2**12
    tensor = TensorProto(name="w", data_type=TensorProto.UINT8, dims=[size]).SerializeToString()
    tensor += b"\x4a" + _varint(size)
    inner = b"\x2a" + _varint(len(tensor) + size) + tensor
    head = b"\x08\x0a\x3a" + _varint(len(inner) + size) + inner
    tail = b"\x72\x06\x0a\x01k\x12\x01v"
    reader = Budgeted(Sparse({0: head, len(head) + size: tail}, len(head) + size + len(tail)), MIB)
    probe = Probe(name="m", head=reader.read_at(0, PROBE_BYTES), reader=reader)
    assert FORMAT.recognise(probe) is Match.CONTENT
    assert FORMAT.read is not None
    facts = FORMAT.read(probe)
    assert [(t.offset, t.length) for t in facts.tensors] == [(len(head), size)]
    assert facts.metadata == (("k", "v"),)


def _varint(value: int) -> bytes:
    low = bytes([value & 0x7F | 0x80 if value > 0x7F else value])
    return low if value <= 0x7F else low + _varint(value >> 7)


@pytest.mark.parametrize(
    ("model", "share"),
    [
        (
            model_of(
                initializers=[
                    TensorProto(name="n" * 300 + str(i), data_type=1, dims=[0, *[1000] * 5, *[1] * 10])
                    for i in range(1_000)
                ]
            ),
            50,
        ),
        (model_of(*[helper.make_node(f"Op{i}" * 50, [], [], domain=f"d{i}") for i in range(1_000)]), 20),
        (model_of(initializers=[external_tensor(f"{i}" * 200) for i in range(1_000)]), 10),
        (model_of(initializers=[TensorProto(data_type=99)] * 2_000), 1),
    ],
    ids=["tensors", "operators", "locations", "defects"],
)
def test_many_entries_stay_within_bounded_memory(model: ModelProto, share: int) -> None:
    """`share`: what part of the limit the model holds, so that tracing takes no minutes."""
    data = model.SerializeToString()
    tracemalloc.start()
    facts = facts_of(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak * share < 64 * MIB
    assert len(facts.defects) <= DEFECT_COUNT + 1


def test_recognised_by_content_under_any_name() -> None:
    data = (FIXTURES / SMALL).read_bytes()
    assert FORMAT.recognise(probe_of(data, "weights.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(data + b"\0", "weights.bin")) is Match.NO
    assert FORMAT.recognise(probe_of(b"\x80\x04K\x01.", "model.onnx")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"hello", "notes.txt")) is Match.NO


@pytest.mark.parametrize(
    "data",
    [
        b"\x08\x0a",  # no graph
        b"\x3a\x00",  # no version
        b"\x08\x00\x3a\x00",  # no possible version
        b"\x08\x0a\x3a\x02\x08\x01",  # the graph begins with no field of a graph
        b"\x08\x0a\x3a\x00\x48\x01",  # field 9
        b"\x08\x0a\x38\x00",  # the graph is a number
        b"\x08\x01\x12\x04\x0a\x02v1",  # a SavedModel
    ],
)
def test_other_protobuf_messages_are_not_recognised(data: bytes) -> None:
    assert FORMAT.recognise(probe_of(data, "m.pb")) is Match.NO
