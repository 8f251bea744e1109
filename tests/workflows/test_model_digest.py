"""The promise of the model digest, over real files of real libraries: the container vanishes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from aibom.domain.component import Component
from aibom.policy import parse_policy
from aibom.workflows.scan import ScanRequest, scan

POLICY = parse_policy(b"version: 1\nname: n\nrules: {containers-disagree: high}\n")
CHANCE = np.random.default_rng(3)
TENSORS = {
    "embed.weight": CHANCE.standard_normal((300, 40)).astype(np.float32),
    "layer.0.weight": CHANCE.standard_normal((40, 40)).astype(np.float16),
    "layer.0.bias": np.zeros(40, np.float32),
    "steps": np.array(7, np.int64),
    "empty": np.zeros((0, 4), np.float32),
}


def component(place: Path) -> Component:
    (found,) = scan(ScanRequest(targets=(str(place),), policy=POLICY)).components
    return found


def one_file(place: Path) -> None:
    save_file(TENSORS, place / "model.safetensors", metadata={"format": "pt"})


def other_order(place: Path) -> None:
    """The reference writer sorts, so the header is written by hand, last tensor first."""
    header: dict[str, object] = {}
    body = b""
    for name, array in reversed(TENSORS.items()):
        kind = {"float32": "F32", "float16": "F16", "int64": "I64"}[array.dtype.name]
        end = len(body) + array.nbytes
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [len(body), end]}
        body += array.tobytes()
    text = json.dumps(header).encode()
    (place / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + body)


def shards(place: Path) -> None:
    names = list(TENSORS)
    places = {}
    for number, part in enumerate((names[:1], names[1:4], names[4:]), 1):
        file = f"model-{number:05d}-of-00003.safetensors"
        save_file({name: TENSORS[name] for name in part}, place / file)
        places |= dict.fromkeys(part, file)
    (place / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


def npz(place: Path) -> None:
    np.savez(place / "model.npz", **TENSORS)


def npz_deflated(place: Path) -> None:
    np.savez_compressed(place / "model.npz", **TENSORS)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Component:
    place = tmp_path_factory.mktemp("one")
    one_file(place)
    return component(place)


@pytest.mark.parametrize("write", [other_order, shards, npz, npz_deflated], ids=lambda write: write.__name__)
def test_the_digest_is_the_same_in_any_container(write: object, expected: Component, tmp_path: Path) -> None:
    write(tmp_path)  # type: ignore[operator]
    found = component(tmp_path)
    assert expected.model_digest is not None
    assert (found.model_digest, found.model_digest_anonymous) == (
        expected.model_digest,
        expected.model_digest_anonymous,
    )
    assert found.parameter_count == expected.parameter_count


def test_one_changed_bit_changes_it(expected: Component, tmp_path: Path) -> None:
    one_file(tmp_path)
    data = bytearray((tmp_path / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(data)
    assert component(tmp_path).model_digest != expected.model_digest


@pytest.mark.integration
@pytest.mark.parametrize("zipped", [True, False])
def test_a_torch_file_of_the_same_tensors_has_the_same_digest(
    zipped: bool, expected: Component, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    state = {name: torch.from_numpy(array.copy()) for name, array in TENSORS.items()}
    torch.save(state, tmp_path / "model.pt", _use_new_zipfile_serialization=zipped)
    assert component(tmp_path).model_digest == expected.model_digest


def test_containers_that_hold_the_same_weights_do_not_disagree(tmp_path: Path) -> None:
    one_file(tmp_path)
    npz(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    report = scan(ScanRequest(targets=(str(tmp_path),), policy=POLICY))
    assert [f.rule for f in report.findings] == []
    assert len([c for c in report.components if c.kind == "model"]) == 1
