"""coreml: what stands in the description is stated, and code from elsewhere is found at any depth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts
from aibom.domain.hazard import HazardKind
from aibom.domain.protocols import Match
from aibom.formats.coreml import CUSTOM_COUNT, FORMAT, MODEL_DEPTH
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

NETWORK, CUSTOM, PROGRAM = (f"coreml/{name}.mlmodel" for name in ("network", "custom", "program"))


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


def model(*parts: bytes) -> bytes:
    return b"\x08\x04" + b"".join(parts)


def layer(*kind: bytes) -> bytes:
    return sub(1, sub(1, "name"), *kind)


def facts_of(*parts: bytes) -> Facts:
    return read(FORMAT, model(*parts), "m.mlmodel")


GATE = layer(sub(500, sub(10, "Gate")))


def test_an_ordinary_network_states_its_metadata_and_is_silent() -> None:
    facts = read_fixture(FORMAT, NETWORK)
    assert {s.attribute: s.value for s in facts.statements} == {
        Attribute.DESCRIPTION: "A small network",
        Attribute.VERSION: "1.2",
        Attribute.AUTHOR: "Ada",
        Attribute.LICENCE: "MIT",
        Attribute.TRAINING_FRAMEWORK: "torch",
    }
    (framework,) = (s for s in facts.statements if s.attribute is Attribute.TRAINING_FRAMEWORK)
    assert framework.detail("version") == "2.0.0"
    assert dict(facts.metadata)["com.github.apple.coremltools.source"] == "torch==2.0.0"
    assert facts.version == "1"
    assert (facts.hazards, facts.defects, facts.capabilities) == ((), (), frozenset())


def test_a_program_with_weights_beside_it_is_silent() -> None:
    facts = read_fixture(FORMAT, PROGRAM)
    assert (facts.hazards, facts.defects) == ((), ())


def test_custom_layers_and_models_are_found_in_branches_and_pipelines() -> None:
    facts = read_fixture(FORMAT, CUSTOM)
    assert [(h.kind, h.found) for h in facts.hazards] == [
        (HazardKind.CUSTOM_OPERATOR, "AppGate"),
        (HazardKind.CUSTOM_OPERATOR, "AppModel"),
    ]
    assert facts.hazards[0].message == (
        "layer 'inner' is the class 'AppGate' of the program that runs the model"
    )
    assert facts.capabilities == {Capability.CUSTOM_OPERATORS}


@pytest.mark.parametrize(
    "part",
    [
        sub(500, GATE),
        sub(403, GATE),
        sub(303, GATE),
        sub(500, layer(sub(605, sub(2, GATE)))),
        sub(500, layer(sub(615, sub(3, GATE)))),
        sub(500, layer(sub(615, sub(4, layer(sub(605, sub(1, GATE))))))),
        sub(202, sub(1, model(sub(500, GATE)))),
        sub(200, sub(1, sub(1, model(sub(500, GATE))))),
        sub(201, sub(1, sub(1, model(sub(202, sub(1, model(sub(403, GATE)))))))),
        sub(555, sub(10, "Gate")),
        sub(500) + sub(500, GATE),
    ],
)
def test_a_class_of_the_program_is_found_wherever_it_stands(part: bytes) -> None:
    assert [h.found for h in facts_of(part).hazards] == ["Gate"]


@pytest.mark.parametrize("path", ["@model_path/../../secret", "/etc/passwd", "..\\x", "C:\\x", "file:x"])
def test_weights_outside_of_the_model_are_a_defect(path: str) -> None:
    value = sub(2, sub(5, sub(1, path)))
    operation = sub(3, sub(1, "const"), sub(5, sub(1, "val"), value))
    nested = sub(3, sub(1, "cond"), sub(4, operation))
    for body in (operation, nested):
        program = sub(2, sub(1, "main"), sub(2, sub(3, sub(1, "CoreML5"), sub(2, body))))
        facts = facts_of(sub(502, program))
        assert [d.reason for d in facts.defects] == [Reason.OUTSIDE_TARGET]


def test_a_linked_model_is_not_read_and_its_path_is_checked() -> None:
    inside = facts_of(sub(556, sub(1, sub(1, sub(1, "other.mlmodelc")))))
    assert [d.reason for d in inside.defects] == [Reason.NOT_READ]
    outside = facts_of(sub(556, sub(1, sub(2, sub(1, "../elsewhere")))))
    assert [d.reason for d in outside.defects] == [Reason.NOT_READ, Reason.OUTSIDE_TARGET]


def test_a_serialised_model_is_told_as_not_read() -> None:
    assert [d.reason for d in facts_of(sub(3000, sub(1, "x"))).defects] == [Reason.NOT_READ]


def test_models_nested_too_deeply_are_told() -> None:
    data = model(sub(500, GATE))
    for _ in range(MODEL_DEPTH + 1):
        data = model(sub(202, sub(1, data)))
    facts = read(FORMAT, data, "m.mlmodel")
    assert [d.reason for d in facts.defects] == [Reason.LIMIT]


def test_branches_nested_too_deeply_are_told_and_what_stands_before_them_is_kept() -> None:
    network = GATE
    for _ in range(40):
        network = layer(sub(605, sub(1, network)))
    facts = facts_of(sub(500, GATE, network))
    assert [h.found for h in facts.hazards] == ["Gate"]
    assert [d.reason for d in facts.defects] == [Reason.LIMIT]


def test_custom_layers_beyond_the_limit_are_told_once() -> None:
    layers = (layer(sub(500, sub(10, f"Gate{number}"))) for number in range(CUSTOM_COUNT + 50))
    facts = facts_of(sub(500, *layers))
    assert len(facts.hazards) == CUSTOM_COUNT
    assert [d.reason for d in facts.defects] == [Reason.LIMIT]


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.MALFORMED, "no model"),
        (model(sub(2, "")), Reason.MALFORMED, "no model"),
        (b"\x08\x04\xa2\x1f\xff\xff\x01", Reason.TRUNCATED, "its message"),
        (b"\x0b", Reason.UNSUPPORTED, "group"),
    ],
)
def test_hostile_files_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(FORMAT, data, "m.mlmodel")
    assert caught.value.reason is reason
    assert words in str(caught.value)


def test_recognised_by_content_under_any_name() -> None:
    for path in (NETWORK, CUSTOM, PROGRAM):
        assert FORMAT.recognise(probe_of((FIXTURES / path).read_bytes(), "model.bin")) is Match.CONTENT
    onnx = (FIXTURES / "onnx/small.onnx").read_bytes()
    saved_model = (FIXTURES / "tf/python.pb").read_bytes()
    assert FORMAT.recognise(probe_of(onnx, "model.bin")) is Match.NO
    assert FORMAT.recognise(probe_of(saved_model, "model.bin")) is Match.NO
    assert FORMAT.recognise(probe_of(b"hello", "m.mlmodel")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"", "notes.txt")) is Match.NO


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    outcome(FORMAT, data, "m.mlmodel")
    for number in (2, 200, 500, 502, 555, 556):
        outcome(FORMAT, model(sub(number, data)), "m.mlmodel")


@pytest.mark.parametrize("path", [CUSTOM, NETWORK, PROGRAM])
def test_cuts_and_flips_raise_nothing_else(path: str) -> None:
    data = (FIXTURES / path).read_bytes()
    for cut in truncations(data):
        outcome(FORMAT, cut, "m.mlmodel")
    for flipped in flips(data, 300):
        outcome(FORMAT, flipped, "m.mlmodel")
