"""hdf5: tensors equal h5py's, and what Keras wrote at the root is stated."""

from __future__ import annotations

import io
import json

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts, Layout
from aibom.domain.limits import MIB
from aibom.domain.protocols import Match
from aibom.formats.hdf5 import FORMAT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

OLD = "hdf5/old.h5"
KERAS = "hdf5/keras2.h5"


def modelled(config: object, **attributes: str) -> Facts:
    """The facts of a file whose root says that it is a Keras model."""
    target = io.BytesIO()
    with h5py.File(target, "w", libver="earliest") as file:
        file.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
        for name, value in attributes.items():
            file.attrs[name] = value
    return read(FORMAT, target.getvalue(), "m.h5")


def code(facts: Facts) -> list[str]:
    return list(facts.values(Attribute.REMOTE_CODE))


@pytest.mark.parametrize("path", [OLD, "hdf5/new.h5", "hdf5/dense.h5", KERAS])
def test_tensors_equal_h5py(path: str) -> None:
    data = (FIXTURES / path).read_bytes()
    facts = read_fixture(FORMAT, path)
    with h5py.File(FIXTURES / path) as file:
        for tensor in facts.tensors:
            assert tensor.shape == file[tensor.name].shape
            if tensor.layout is Layout.RAW:
                stored = data[tensor.offset : tensor.offset + tensor.length]
                assert stored == file[tensor.name][...].tobytes()
    assert facts.defects == ()
    assert facts.external == ()


def test_what_keras_wrote_is_stated() -> None:
    facts = read_fixture(FORMAT, KERAS)
    names = {f"model_weights/dense/dense/{name}:0" for name in ("kernel", "bias")}
    assert {t.name for t in facts.tensors} == names
    assert facts.first(Attribute.ARCHITECTURE) == "Sequential"
    assert facts.first(Attribute.NAME) == "small"
    (framework,) = (s for s in facts.statements if s.attribute is Attribute.TRAINING_FRAMEWORK)
    assert (framework.value, framework.detail("version"), framework.detail("backend")) == (
        "keras",
        "2.15.0",
        "tensorflow",
    )
    assert ("training_config", "present") in facts.metadata


def test_a_lambda_layer_embeds_code() -> None:
    facts = read_fixture(FORMAT, KERAS)
    assert facts.capabilities == {Capability.EMBEDS_CODE}
    (statement,) = (s for s in facts.statements if s.attribute is Attribute.REMOTE_CODE)
    assert (statement.value, statement.pointer) == ("Lambda", "/model_config/config/layers/1")
    assert statement.detail("layer") == "double"


@pytest.mark.parametrize(
    ("layer", "capability", "value"),
    [
        ({"class_name": "Lambda"}, Capability.EMBEDS_CODE, "Lambda"),
        ({"class_name": "__lambda__", "config": {}}, Capability.EMBEDS_CODE, "__lambda__"),
        ({"class_name": "TorchModuleWrapper"}, Capability.EMBEDS_CODE, "TorchModuleWrapper"),
        ({"class_name": "Mine>Gate"}, Capability.CUSTOM_OPERATORS, "Mine>Gate"),
        ({"class_name": "Gate", "module": "mine.layers"}, Capability.CUSTOM_OPERATORS, "mine.layers.Gate"),
        ({"class_name": "x", "module": "kerasish"}, Capability.CUSTOM_OPERATORS, "kerasish.x"),
        (
            {"class_name": "function", "module": "builtins", "config": "exec"},
            Capability.CUSTOM_OPERATORS,
            "builtins.exec",
        ),
        ({"class_name": "Gate", "registered_name": "Mine>Gate"}, Capability.CUSTOM_OPERATORS, "Gate"),
    ],
)
def test_code_is_found_at_any_depth(layer: object, capability: Capability, value: str) -> None:
    nested = {"class_name": "Functional", "config": {"layers": [{"a/b": [{"wrapped": layer}]}]}}
    facts = modelled(nested)
    assert facts.capabilities == {capability}
    assert code(facts) == [value]
    assert facts.statements[-1].pointer == "/model_config/config/layers/0/a~1b/0/wrapped"


@pytest.mark.parametrize(
    "layer",
    [
        {"class_name": "Dense", "module": "keras.layers", "registered_name": None},
        {"class_name": "Dense", "module": "tensorflow.keras.layers"},
        {
            "class_name": "Functional",
            "module": "keras.src.models.functional",
            "registered_name": "Functional",
        },
        {
            "class_name": "function",
            "module": "keras.activations",
            "config": "relu",
            "registered_name": "relu",
        },
        {"class_name": "Keras>Dense"},
        {"class_name": 7, "module": "os"},
    ],
)
def test_parts_of_keras_need_no_other_code(layer: object) -> None:
    assert modelled({"class_name": "Sequential", "config": {"layers": [layer]}}).capabilities == frozenset()


def test_code_in_the_training_configuration_is_found() -> None:
    facts = modelled({}, training_config=json.dumps({"loss": {"class_name": "Loss", "module": "mine"}}))
    assert code(facts) == ["mine.Loss"]


@pytest.mark.parametrize(
    ("config", "reason", "words"),
    [
        ("{", Reason.MALFORMED, "/model_config: not JSON"),
        ("[]", Reason.MALFORMED, "/model_config is not a JSON object"),
        ("[" * 100, Reason.LIMIT, "nested deeper"),
        ("," * 300_000, Reason.LIMIT, "more than 200000 values"),
        ("x" * (9 * MIB), Reason.LIMIT, "bytes of text"),
        (json.dumps([{"class_name": "Lambda"}] * 300), Reason.MALFORMED, "not a JSON object"),
        (
            json.dumps({"a": [{"class_name": "Lambda"}] * 300}),
            Reason.LIMIT,
            "more than 200 objects with code",
        ),
    ],
)
def test_a_hostile_configuration_is_a_defect(config: str, reason: Reason, words: str) -> None:
    facts = modelled(config)
    assert facts.defects[0].reason is reason
    assert words in facts.defects[0].message


def test_links_out_of_the_file_are_a_capability() -> None:
    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        file["out"] = h5py.ExternalLink("../secret.h5", "/x")
        file.create_dataset("x", (4,), "<f4", external=[("/etc/passwd", 8, 16)])
    facts = read(FORMAT, target.getvalue(), "m.h5")
    assert facts.capabilities == {Capability.EXTERNAL_DATA}
    assert [(e.path, e.tensor.name, e.tensor.offset) for e in facts.external] == [("/etc/passwd", "x", 8)]
    assert [d.reason for d in facts.defects] == [Reason.NOT_READ] * 2


def test_datasets_that_share_bytes_are_told_once() -> None:
    target = io.BytesIO()
    with h5py.File(target, "w", libver="earliest") as file:
        file["a"] = np.arange(4, dtype="<u4")
        file["b"] = np.arange(4, 8, dtype="<u4")
        first, second = (file[name].id.get_offset() for name in "ab")
    data = target.getvalue().replace(second.to_bytes(8, "little"), first.to_bytes(8, "little"))
    facts = read(FORMAT, data, "m.h5")
    assert [t.name for t in facts.tensors] == ["a"]
    assert facts.defects[0].message == "dataset 'b' overlaps another one"


def test_recognised_by_content_under_any_name() -> None:
    data = (FIXTURES / OLD).read_bytes()
    assert FORMAT.recognise(probe_of(data, "model.keras")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(bytes(512) + data, "weights.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"hello", "a.h5")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"hello", "notes.txt")) is Match.NO


def test_cuts_and_flips_raise_nothing_else() -> None:
    data = (FIXTURES / KERAS).read_bytes()
    for cut in list(truncations(data))[::64]:
        found = outcome(FORMAT, cut, "m.h5")
        assert isinstance(found, UnreadableError) or found.defects
    for flipped in flips(data, 150):
        outcome(FORMAT, flipped, "m.h5")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    for candidate in (data, b"\x89HDF\r\n\x1a\n" + data):
        outcome(FORMAT, candidate, "m.h5")
