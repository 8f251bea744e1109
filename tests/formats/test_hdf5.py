"""hdf5: tensors equal h5py's, and what Keras wrote at the root is stated."""

from __future__ import annotations

import io
import json
import zipfile

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


CODE = "4wEAAAAA" + "A" * 60
EMBEDDED, MODULE, CUSTOM, GRAPH = (
    HazardKind.EMBEDDED_CODE,
    HazardKind.MODULE_REFERENCE,
    HazardKind.CUSTOM_OPERATOR,
    HazardKind.GRAPH_OPERATION,
)
HIGH, MEDIUM = Confidence.HIGH, Confidence.MEDIUM


def made(name: str, package: str | None = None, **config: object) -> dict[str, object]:
    return {"class_name": name, "module": package, "config": config}


def function(name: str, module: str | None = "builtins") -> dict[str, object]:
    return {"class_name": "function", "module": module, "config": name, "registered_name": "function"}


def lambda2(value: object, **config: object) -> dict[str, object]:
    return {"class_name": "Lambda", "config": {"name": "double", "function": value, **config}}


@pytest.mark.parametrize(
    ("layer", "kind", "found", "confidence"),
    [
        # Bytecode, in each form that Keras has written, and in forms that it could be tricked with.
        (lambda2([CODE, None, None], function_type="lambda"), EMBEDDED, "double", HIGH),
        (lambda2([CODE]), EMBEDDED, "double", HIGH),
        (lambda2(CODE, function_type="lambda"), EMBEDDED, "double", HIGH),
        (lambda2(CODE), EMBEDDED, "double", HIGH),
        (lambda2(7), EMBEDDED, "double", HIGH),
        ({"class_name": "Lambda"}, EMBEDDED, "Lambda", HIGH),
        ({"class_name": "Keras>Lambda"}, EMBEDDED, "Lambda", HIGH),
        (lambda2("relu", module="keras.activations", output_shape=[CODE, None]), EMBEDDED, "double", HIGH),
        (made("__lambda__", code=CODE), EMBEDDED, "__lambda__", HIGH),
        (made("__lambda__", value=[CODE, None, None]), EMBEDDED, "__lambda__", HIGH),
        ({"class_name": "__lambda__"}, EMBEDDED, "__lambda__", HIGH),
        ({"activation": {"value": [CODE, None, None]}}, EMBEDDED, "__lambda__", HIGH),
        ({"": None, "anywhere": ["Yw" + CODE[2:]]}, EMBEDDED, "__lambda__", HIGH),
        (made("TorchModuleWrapper", "keras.layers", module="UEsDBA=="), EMBEDDED, "TorchModuleWrapper", HIGH),
        # Objects that are imported by name.
        (lambda2("system", function_type="function", module="os"), MODULE, "os.system", HIGH),
        (lambda2("eval"), MODULE, "eval", HIGH),
        (lambda2("scale", module="mine"), MODULE, "mine.scale", MEDIUM),
        (function("system", "os"), MODULE, "os.system", HIGH),
        (function("exec"), MODULE, "builtins.exec", HIGH),
        (function("scale", "mine.functions"), MODULE, "mine.functions.scale", HIGH),
        (made("Popen", "subprocess"), MODULE, "subprocess.Popen", HIGH),
        (made("Gate", "mine.layers"), MODULE, "mine.layers.Gate", MEDIUM),
        (made("x", "kerasish"), MODULE, "kerasish.x", HIGH),
        (made("Dense", "keras.layers.."), MODULE, "keras.layers...Dense", MEDIUM),
        (made("Dense", "keras.layers\n"), MODULE, "keras.layers\n.Dense", MEDIUM),
        (
            {"class_name": "__typespec__", "module": "os", "spec_name": "system", "config": []},
            MODULE,
            "os.system",
            HIGH,
        ),
        # Parts of Keras that load files, or take the guard down.
        (function("get_file", "keras.utils"), MODULE, "keras.utils.get_file", HIGH),
        (made("get_file", "keras.utils"), MODULE, "keras.utils.get_file", HIGH),
        (function("load_model", "keras.models"), MODULE, "keras.models.load_model", HIGH),
        (
            function("load_model", "keras.src.saving.saving_api"),
            MODULE,
            "keras.src.saving.saving_api.load_model",
            HIGH,
        ),
        (
            function("enable_unsafe_deserialization", "keras.config"),
            MODULE,
            "keras.config.enable_unsafe_deserialization",
            HIGH,
        ),
        (function("deserialize", "keras.losses"), MODULE, "keras.losses.deserialize", HIGH),
        (made("TFSMLayer", "keras.layers", filepath="//host/model"), GRAPH, "TFSMLayer //host/model", HIGH),
        (
            made("StringLookup", "keras.layers", vocabulary="/etc/passwd"),
            GRAPH,
            "StringLookup /etc/passwd",
            MEDIUM,
        ),
        (
            {"class_name": "TFOpLambda", "config": {"function": "io.read_file"}},
            GRAPH,
            "tf.io.read_file",
            HIGH,
        ),
        (
            {"class_name": "TFOpLambda", "config": {"function": "raw_ops.WriteFile"}},
            GRAPH,
            "WriteFile",
            HIGH,
        ),
        (
            {"class_name": "ClassMethod", "config": {"cls_ref": "data.Dataset"}},
            GRAPH,
            "tf.data.Dataset",
            HIGH,
        ),
        (
            {"class_name": "TensorFlowOpLayer", "config": {"node_def": "\n\x01x\x12\x06PyFunc"}},
            GRAPH,
            "PyFunc",
            HIGH,
        ),
        (
            {"class_name": "TensorFlowOpLayer", "config": {"node_def": {"op": "ReadFile"}}},
            GRAPH,
            "ReadFile",
            HIGH,
        ),
        # Code that has to come from somewhere else.
        ({"class_name": "Mine>Gate"}, CUSTOM, "Mine>Gate", MEDIUM),
        ({"class_name": "Gate", "registered_name": "Mine>Gate"}, CUSTOM, "Mine>Gate", MEDIUM),
        (made("Gate"), CUSTOM, "Gate", MEDIUM),
        (function("scale"), CUSTOM, "scale", MEDIUM),
        (function("mine>scale"), CUSTOM, "mine>scale", MEDIUM),
        ({**made("Dense", "keras.layers"), "registered_name": "Mine>Dense"}, CUSTOM, "Mine>Dense", MEDIUM),
    ],
)
def test_code_is_found_at_any_depth(
    layer: dict[str, object], kind: HazardKind, found: str, confidence: Confidence
) -> None:
    nested = {"class_name": "Functional", "config": {"layers": [{"a/b": [{"wrapped": layer}]}]}}
    facts = modelled(nested)
    assert [(h.kind, h.found, h.confidence) for h in facts.hazards] == [(kind, found, confidence)]
    assert facts.statements[-1].attribute is Attribute.REMOTE_CODE
    assert facts.statements[-1].pointer.startswith("/model_config/config/layers/0/a~1b/0/wrapped")


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
        {"class_name": "Functional", "module": "tf_keras.src.engine.functional"},
        {
            "class_name": "Backbone",
            "module": "keras_hub.src.models.backbone",
            "registered_name": "keras_hub>Backbone",
        },
        {"class_name": "FeatureSpace", "module": "keras.utils"},
        function("relu", "keras.activations"),
        function("relu"),
        function("keras_nlp>gelu_approximate"),
        {"class_name": "Keras>Dense"},
        {"class_name": "Custom>Adam", "config": {}},
        {"class_name": "TFOpLambda", "config": {"function": "math.add"}},
        {"class_name": "TFOpLambda", "config": {"function": "io.decode_jpeg"}},
        {"class_name": "TensorFlowOpLayer", "config": {"node_def": "\n\x01x\x12\x05AddV2"}},
        {"class_name": "StringLookup", "module": "keras.layers", "config": {"vocabulary": ["a"]}},
        {
            "class_name": "__typespec__",
            "module": "tensorflow.python.framework.tensor",
            "spec_name": "TensorSpec",
            "config": [],
            "registered_name": None,
        },
        {"class_name": "__numpy__", "config": {"value": [1], "dtype": "int32"}},
        {"class_name": 7, "module": "os"},
        {"name": "4wEAAAAA"},
    ],
)
def test_parts_of_keras_need_no_other_code(layer: object) -> None:
    facts = modelled({"class_name": "Sequential", "config": {"layers": [layer]}})
    assert facts.capabilities == frozenset()
    assert facts.hazards == ()


def saved(name: str) -> Facts:
    """A model as Keras wrote it, in a file without weights."""
    with zipfile.ZipFile(FIXTURES / "keras/configurations.zip") as archive:
        found = {
            member.rpartition("/")[2]: archive.read(member).decode()
            for member in archive.namelist()
            if member.startswith(f"{name}/")
        }
    return modelled(found.pop("model_config"), **found)


@pytest.mark.parametrize("name", ["wide2.h5", "wide3.h5"])
def test_models_of_keras_itself_hold_nothing_that_could_harm(name: str) -> None:
    facts = saved(name)
    assert facts.first(Attribute.NAME) == "wide"
    assert facts.hazards == ()
    assert facts.defects == ()


@pytest.mark.parametrize("name", ["lambdas2.h5", "lambdas3.h5"])
def test_each_lambda_of_a_real_model_is_found(name: str) -> None:
    facts = saved(name)
    assert [(h.kind, h.found) for h in facts.hazards] == [
        (EMBEDDED, "wrapped"),
        (EMBEDDED, "double"),
        (EMBEDDED, "last"),
    ]


def test_a_configuration_that_is_no_text_is_a_defect() -> None:
    target = io.BytesIO()
    with h5py.File(target, "w", libver="earliest") as file:
        file.attrs["model_config"] = np.array([b"{", b"}"])
    facts = read(FORMAT, target.getvalue(), "m.h5")
    assert [d.message for d in facts.defects] == ["the attribute model_config is not a text"]


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
            json.dumps({"a": [{"class_name": "Lambda", "config": {"name": str(i)}} for i in range(300)]}),
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
