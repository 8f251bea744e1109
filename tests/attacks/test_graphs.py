"""Computation graphs that run or touch something, under any name: none of them is ever called safe."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import h5py
import pytest
from onnx import TensorProto, helper

from aibom.domain.content import ContentVerdict
from aibom.domain.report import Report
from aibom.policy import parse_policy
from aibom.workflows.scan import ScanRequest, scan
from tests.hostile import FIXTURES

RULES = ("embedded-code", "module-reference", "graph-operation", "custom-operator", "outside-reference")
POLICY = parse_policy(
    f"version: 1\nname: n\nrules: {{{', '.join(f'{rule}: high' for rule in RULES)}}}\n".encode()
)
CODE = "4wEAAAAA" + "A" * 60


def scanned(place: Path, name: str, data: bytes) -> tuple[Report, set[str], ContentVerdict | None]:
    """The report on one file, the rules that it violates, and the verdict on it."""
    (place / name).write_bytes(data)
    report = scan(ScanRequest(targets=(str(place),), policy=POLICY))
    verdicts = {content.path: content.verdict for content in report.contents}
    return report, {finding.rule for finding in report.findings}, verdicts.get(name)


def keras(config: object) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.5.0"}')
        text = config if isinstance(config, str) else json.dumps(config)
        archive.writestr("config.json", text)
        weights = io.BytesIO()
        with h5py.File(weights, "w"):
            pass
        archive.writestr("model.weights.h5", weights.getvalue())
    return target.getvalue()


def hdf5(config: object) -> bytes:
    target = io.BytesIO()
    with h5py.File(target, "w", libver="earliest") as file:
        file.attrs["model_config"] = json.dumps(config)
    return target.getvalue()


def onnx_model(domain: str, operator: str) -> bytes:
    node = helper.make_node(operator, ["x"], ["y"], domain=domain)
    return helper.make_model(helper.make_graph([node], "g", [], []), ir_version=8).SerializeToString()


def onnx_outside(location: str) -> bytes:
    tensor = TensorProto(name="w", data_type=1, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    graph = helper.make_graph([], "g", [], [], initializer=[tensor])
    return helper.make_model(graph, ir_version=8).SerializeToString()


def nested(inner: object, levels: int) -> object:
    for _ in range(levels):
        inner = {"class_name": "Functional", "module": "keras", "config": {"layers": [inner]}}
    return inner


LAMBDA = {"class_name": "Lambda", "config": {"name": "l", "function": [CODE, None, None]}}
SYSTEM = {"class_name": "function", "module": "os", "config": "system", "registered_name": "system"}
GET_FILE = {"class_name": "function", "module": "keras.utils", "config": "get_file"}
DANGEROUS, UNKNOWN = ContentVerdict.DANGEROUS, ContentVerdict.UNKNOWN


def fixture(path: str) -> bytes:
    return (FIXTURES / path).read_bytes()


ATTACKS = {
    "keras-lambda": (keras(LAMBDA), "embedded-code", DANGEROUS),
    "keras-lambda-of-keras-3": (fixture("keras/lambdas3.keras"), "embedded-code", DANGEROUS),
    "keras-lambda-of-keras-2": (fixture("keras/lambdas2.keras"), "embedded-code", DANGEROUS),
    "keras-lambda-inside": (keras(nested(LAMBDA, 18)), "embedded-code", DANGEROUS),
    "keras-module": (keras(nested(SYSTEM, 3)), "module-reference", DANGEROUS),
    "keras-gadget": (keras(GET_FILE), "module-reference", DANGEROUS),
    "keras-custom": (fixture("keras/custom3.keras"), "custom-operator", UNKNOWN),
    "hdf5-lambda": (hdf5(nested(LAMBDA, 10)), "embedded-code", DANGEROUS),
    "hdf5-module": (hdf5(SYSTEM), "module-reference", DANGEROUS),
    "onnx-custom": (onnx_model("vendor", "Run"), "custom-operator", UNKNOWN),
    "onnx-python": (onnx_model("ai.onnx.contrib", "PyOp"), "graph-operation", DANGEROUS),
    "onnx-outside": (onnx_outside("../../etc/passwd"), "outside-reference", DANGEROUS),
    "saved-model-files": (fixture("tf/files.pb"), "graph-operation", DANGEROUS),
    "saved-model-python": (fixture("tf/python.pb"), "graph-operation", DANGEROUS),
    "keras-metadata": (fixture("tf/keras_lambda.pb"), "embedded-code", DANGEROUS),
    "tflite-flex": (fixture("tflite/flex.tflite"), "graph-operation", DANGEROUS),
    "coreml-custom": (fixture("coreml/custom.mlmodel"), "custom-operator", UNKNOWN),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", ["model.bin", "model.safetensors"])
def test_a_graph_that_reaches_out_is_found_under_any_name(attack: str, name: str, tmp_path: Path) -> None:
    data, rule, expected = ATTACKS[attack]
    _, rules, verdict = scanned(tmp_path, name, data)
    assert rule in rules
    assert verdict is expected


@pytest.mark.parametrize(
    "location",
    [
        "../w", "../../../../etc/passwd", "a/../../w", "/etc/passwd", "//host/share", "..\\w", "a\\..\\..\\w",
        "\\\\host\\share\\w", "C:\\w", "c:/w", "file:///etc/passwd", "file:w", "http://host/w",
        "*/_ORT_MEM_ADDR_/*", "a/.. /w", "w\0/../x",
    ],
)  # fmt: skip
def test_external_data_that_leads_out_is_a_finding_and_is_not_opened(location: str, tmp_path: Path) -> None:
    report, rules, verdict = scanned(tmp_path, "model.onnx", onnx_outside(location))
    assert "outside-reference" in rules
    assert verdict is DANGEROUS
    assert [file.path for file in report.files] == ["model.onnx"]


def test_external_data_behind_a_link_out_of_the_target_is_not_followed(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (tmp_path / "secret").write_bytes(bytes(16))
    (place / "w.bin").symlink_to(tmp_path / "secret")
    report, _, _ = scanned(place, "model.onnx", onnx_outside("w.bin"))
    assert report.gaps
    assert all(not file.tensor_digests for file in report.files)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (json.dumps(nested(LAMBDA, 40)), "nested deeper"),
        ('{"class_name": "Lambda", "class_name": "Dense", "config": {}}', "duplicate key"),
        ('{"a": ' + "[" * 100_000, "nested deeper"),
        ("[" + "0," * 300_000 + "0]", "more than 200000 values"),
        ('{"class_name": "Lambda"', "not JSON"),
    ],
)
def test_a_configuration_that_cannot_be_looked_at_is_never_safe(
    config: str, words: str, tmp_path: Path
) -> None:
    report, _, verdict = scanned(tmp_path, "model.keras", keras(config))
    assert verdict is ContentVerdict.INCOMPLETE
    assert any(words in gap.detail for gap in report.gaps)


@pytest.mark.parametrize(
    "path",
    [
        "keras/wide3.keras",
        "keras/wide2.keras",
        "keras/lookups3.keras",
        "keras/small.keras",
        "tf/plain.pb",
        "tf/frozen.pb",
        "tf/keras_plain.pb",
        "tflite/plain.tflite",
        "coreml/network.mlmodel",
        "coreml/program.mlmodel",
        "onnx/model.onnx",
    ],
)
def test_ordinary_graphs_raise_no_alarm(path: str, tmp_path: Path) -> None:
    if path == "onnx/model.onnx":
        (tmp_path / "model.onnx.data").write_bytes(fixture("onnx/model.onnx.data"))
    _, rules, verdict = scanned(tmp_path, Path(path).name, fixture(path))
    assert rules == set()
    assert verdict in (ContentVerdict.SAFE, None)
