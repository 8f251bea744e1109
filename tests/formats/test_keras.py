"""keras: weights at their place in the archive, and the code that the configuration asks for."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from functools import cache

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts, Layout
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.domain.protocols import Match
from aibom.formats.keras import FORMAT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

SMALL = "keras/small.keras"


@cache
def weights(*names: str) -> bytes:
    target = io.BytesIO()
    with h5py.File(target, "w", libver="earliest") as file:
        for name in names:
            file[name] = np.arange(3, dtype=np.float32)
    return target.getvalue()


def packed(changes: dict[str, bytes | None], method: int = zipfile.ZIP_STORED) -> bytes:
    """A model with members added, replaced or, for None, left out."""
    members: dict[str, bytes | None] = {
        "metadata.json": b'{"keras_version": "3.5.0"}',
        "config.json": b'{"class_name": "Sequential"}',
        "model.weights.h5": weights("layers/dense/vars/0"),
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in (members | changes).items():
            if data is not None:
                archive.writestr(zipfile.ZipInfo(name), data, method)
    return target.getvalue()


def facts_of(changes: dict[str, bytes | None], method: int = zipfile.ZIP_STORED) -> Facts:
    return read(FORMAT, packed(changes, method), "m.keras")


def test_tensors_equal_h5py_at_their_place_in_the_archive() -> None:
    data = (FIXTURES / SMALL).read_bytes()
    facts = read_fixture(FORMAT, SMALL)
    assert sorted(t.name for t in facts.tensors) == ["layers/dense/vars/0", "layers/dense/vars/1"]
    with zipfile.ZipFile(FIXTURES / SMALL) as archive:
        inner = archive.read("model.weights.h5")
    with h5py.File(io.BytesIO(inner)) as file:
        for tensor in facts.tensors:
            expected = file[tensor.name][...]
            assert (tensor.shape, tensor.dtype, tensor.layout) == (expected.shape, "F32", Layout.RAW)
            assert data[tensor.offset : tensor.offset + tensor.length] == expected.tobytes()
    assert facts.defects == ()


def test_a_deflated_archive_tells_names_and_shapes_only() -> None:
    stored = read_fixture(FORMAT, SMALL).tensors
    deflated = read_fixture(FORMAT, "keras/deflated.keras").tensors
    assert {(t.name, t.dtype, t.shape) for t in deflated} == {(t.name, t.dtype, t.shape) for t in stored}
    assert {(t.layout, t.length) for t in deflated} == {(Layout.CHUNKED, 0)}


def test_metadata_and_configuration_are_stated() -> None:
    facts = read_fixture(FORMAT, SMALL)
    assert facts.first(Attribute.ARCHITECTURE) == "Sequential"
    assert facts.first(Attribute.NAME) == "small"
    assert facts.first(Attribute.CREATED) == "2024-09-01@12:00:00"
    (framework,) = (s for s in facts.statements if s.attribute is Attribute.TRAINING_FRAMEWORK)
    assert (framework.value, framework.detail("version")) == ("keras", "3.5.0")
    assert framework.pointer == "/metadata.json/keras_version"


def test_lambdas_and_custom_layers_are_told_apart() -> None:
    facts = read_fixture(FORMAT, "keras/code.keras")
    assert facts.capabilities == {Capability.EMBEDS_CODE, Capability.CUSTOM_OPERATORS}
    found = [s for s in facts.statements if s.attribute is Attribute.REMOTE_CODE]
    assert [(s.value, s.detail("capability"), s.detail("layer"), s.pointer) for s in found] == [
        ("__lambda__", "embeds-code", "double", "/config.json/config/layers/1/config/function"),
        ("my_package.layers.Gate", "custom-operators", "gate", "/config.json/config/layers/2"),
    ]
    assert found[1].detail("registered-name") == "my_package>Gate"
    lambda_, gate = facts.hazards
    assert (lambda_.kind, lambda_.found, lambda_.confidence) == (
        HazardKind.EMBEDDED_CODE,
        "double",
        Confidence.HIGH,
    )
    assert lambda_.message == "layer 'double' carries Python bytecode of 12 bytes"
    assert (gate.kind, gate.found) == (HazardKind.MODULE_REFERENCE, "my_package.layers.Gate")
    with zipfile.ZipFile(FIXTURES / "keras/code.keras") as archive:
        assert lambda_.inside == "config.json"
        data = (FIXTURES / "keras/code.keras").read_bytes()
        assert lambda_.offset == data.index(archive.read("config.json"))


@pytest.mark.parametrize("path", ["keras/wide3.keras", "keras/wide2.keras", "keras/lookups3.keras"])
def test_models_of_keras_itself_hold_nothing_that_could_harm(path: str) -> None:
    facts = read_fixture(FORMAT, path)
    assert facts.hazards == ()
    assert facts.capabilities == frozenset()
    assert facts.defects == ()


@pytest.mark.parametrize("path", ["keras/lambdas3.keras", "keras/lambdas2.keras"])
def test_each_lambda_of_a_real_model_is_found_at_any_depth(path: str) -> None:
    facts = read_fixture(FORMAT, path)
    assert [(h.kind, h.found) for h in facts.hazards] == [
        (HazardKind.EMBEDDED_CODE, "wrapped"),
        (HazardKind.EMBEDDED_CODE, "double"),
        (HazardKind.EMBEDDED_CODE, "last"),
    ]
    assert facts.capabilities == {Capability.EMBEDS_CODE}


def test_a_registered_layer_needs_code_that_is_not_there() -> None:
    (hazard,) = read_fixture(FORMAT, "keras/custom3.keras").hazards
    assert (hazard.kind, hazard.found) == (HazardKind.CUSTOM_OPERATOR, "mine>Gate")
    assert hazard.confidence is Confidence.MEDIUM


def test_sharded_weights_are_read_together() -> None:
    changes: dict[str, bytes | None] = {
        "model.weights.h5": weights("a"),
        "model_00001.weights.h5": weights("b"),
    }
    assert sorted(t.name for t in facts_of(changes).tensors) == ["a", "b"]


def bomb() -> bytes:
    return b"\x89HDF\r\n\x1a\n" + bytes(70 * MIB)


@pytest.mark.parametrize(
    ("changes", "method", "reason", "words"),
    [
        ({"config.json": None}, 0, Reason.MALFORMED, "holds no config.json"),
        ({"metadata.json": None}, 0, Reason.MALFORMED, "holds no metadata.json"),
        ({"model.weights.h5": None}, 0, Reason.MALFORMED, "holds no model.weights.h5"),
        ({"config.json": b"{"}, 0, Reason.MALFORMED, "/config.json: not JSON"),
        ({"metadata.json": b"[]"}, 0, Reason.MALFORMED, "/metadata.json is not a JSON object"),
        ({"config.json": b" " * (9 * MIB)}, 0, Reason.LIMIT, "at most 8388608 are read"),
        ({"config.json": b" " * (9 * MIB)}, 8, Reason.LIMIT, "at most 8388608 are read"),
        ({"model.weights.h5": b"x"}, 0, Reason.MALFORMED, "no HDF5 signature"),
        ({"model.weights.h5": weights("a") + b"tail"}, 0, Reason.MALFORMED, "4 bytes behind the end"),
        ({"model.weights.h5": bomb()}, 8, Reason.LIMIT, "claims"),
        ({"payload.py": b"x"}, 0, Reason.NOT_READ, "'payload.py' is no part of a Keras model"),
        ({"assets/words.txt": b"x", "assets/": b""}, 0, Reason.NOT_READ, "1 members of assets"),
        ({"../up": b"x"}, 0, Reason.MALFORMED, "leaves the archive"),
    ],
)
def test_a_bad_member_is_a_defect_and_the_rest_is_told(
    changes: dict[str, bytes | None], method: int, reason: Reason, words: str
) -> None:
    data = packed(changes, method)
    tracemalloc.start()
    facts = read(FORMAT, data, "m.keras")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * MIB
    assert facts.statements
    found = [d for d in facts.defects if words in d.message]
    assert found, facts.defects
    assert found[0].reason is reason


def test_all_inflated_weights_share_one_budget() -> None:
    half = weights("a") + bytes(40 * MIB)
    changes: dict[str, bytes | None] = {"model.weights.h5": half, "b.weights.h5": half}
    facts = facts_of(changes, zipfile.ZIP_DEFLATED)
    assert [t.name for t in facts.tensors] == ["a"]
    assert any(d.reason is Reason.LIMIT and "b.weights.h5" in d.message for d in facts.defects)


def test_an_encrypted_member_is_told() -> None:
    data = bytearray(packed({}))
    data[6] = data[data.index(b"PK\x01\x02") + 8] = 1
    facts = read(FORMAT, bytes(data), "m.keras")
    assert Capability.ENCRYPTED in facts.capabilities
    assert facts.defects[0].reason is Reason.ENCRYPTED


def test_recognised_by_the_names_of_its_members() -> None:
    data = (FIXTURES / SMALL).read_bytes()
    other = packed({"metadata.json": None, "model.weights.h5": None})
    assert FORMAT.recognise(probe_of(data, "weights.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(other, "a.zip")) is Match.NO
    assert FORMAT.recognise(probe_of(other, "a.keras")) is Match.NAME
    assert FORMAT.recognise(probe_of(data[:-5], "a.keras")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"hello", "notes.txt")) is Match.NO


@pytest.mark.parametrize("path", [SMALL, "keras/deflated.keras"])
def test_cuts_and_flips_raise_nothing_else(path: str) -> None:
    data = (FIXTURES / path).read_bytes()
    for cut in truncations(data):
        assert isinstance(outcome(FORMAT, cut, "m.keras"), UnreadableError)
    for flipped in flips(data, 150):
        outcome(FORMAT, flipped, "m.keras")


@settings(deadline=None, max_examples=50)
@given(
    st.binary(max_size=100),
    st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner)),
)
def test_arbitrary_members_raise_nothing_else(data: bytes, config: object) -> None:
    changes: dict[str, bytes | None] = {"model.weights.h5": data, "config.json": json.dumps(config).encode()}
    outcome(FORMAT, packed(changes), "m.keras")
    outcome(FORMAT, data, "m.keras")
