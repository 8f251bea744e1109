"""The libraries that load models take a verified file or its path, and find in it what they wrote."""

from __future__ import annotations

import io
from pathlib import Path

import joblib
import numpy as np
import pytest
import safetensors
import safetensors.numpy

import aibom
from tests.api.signed import PUBLIC, model

_WEIGHTS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.array([1, 2, 3], dtype=np.int64),
}


def _same(found: dict[str, np.ndarray]) -> bool:
    return found.keys() == _WEIGHTS.keys() and all(np.array_equal(found[key], _WEIGHTS[key]) for key in found)


def _opened(folder: Path, data: bytes, spooled: bool) -> aibom.VerifiedFile:
    found = aibom.verified(model(folder / "m", {"w": data}), key=PUBLIC)
    return found.open("w", directory=folder if spooled else None)


@pytest.mark.parametrize("spooled", [False, True])
def test_safetensors_loads_it_as_a_path(tmp_path: Path, spooled: bool) -> None:
    with _opened(tmp_path, safetensors.numpy.save(_WEIGHTS), spooled) as file:
        assert _same(safetensors.numpy.load_file(file.path))
        with safetensors.safe_open(file.path, framework="numpy") as tensors:
            assert np.array_equal(tensors.get_tensor("a"), _WEIGHTS["a"])


def test_tensors_outlive_the_file_that_they_were_loaded_from(tmp_path: Path) -> None:
    with _opened(tmp_path, safetensors.numpy.save(_WEIGHTS), spooled=False) as file:
        tensors = safetensors.safe_open(file.path, framework="numpy")
    with tensors as opened:
        assert np.array_equal(opened.get_tensor("b"), _WEIGHTS["b"])


@pytest.mark.parametrize("spooled", [False, True])
def test_numpy_loads_and_maps_it(tmp_path: Path, spooled: bool) -> None:
    written = io.BytesIO()
    np.save(written, _WEIGHTS["a"])
    with _opened(tmp_path, written.getvalue(), spooled) as file:
        assert np.array_equal(np.load(file), _WEIGHTS["a"])
        file.seek(-24, 2)
        assert np.array_equal(np.fromfile(file, np.float32), _WEIGHTS["a"].ravel())
        mapped = np.load(file.path, mmap_mode="r")
        assert np.array_equal(mapped, _WEIGHTS["a"])
    zipped = io.BytesIO()
    np.savez(zipped, **_WEIGHTS)
    with _opened(tmp_path / "z", zipped.getvalue(), spooled=False) as file, np.load(file) as members:
        assert _same(dict(members))


@pytest.mark.parametrize("compress", [0, 3])
def test_joblib_loads_it(tmp_path: Path, compress: int) -> None:
    joblib.dump(_WEIGHTS, tmp_path / "source", compress=compress)
    with _opened(tmp_path, (tmp_path / "source").read_bytes(), spooled=False) as file:
        assert _same(joblib.load(file))


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("spooled", [False, True])
def test_torch_loads_it_whole_and_mapped(tmp_path: Path, spooled: bool) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save  # noqa: PLC0415

    weights = {"a": torch.arange(6.0).reshape(2, 3)}
    written = io.BytesIO()
    torch.save(weights, written)
    with _opened(tmp_path, written.getvalue(), spooled) as file:
        assert torch.equal(torch.load(file, weights_only=True)["a"], weights["a"])
        mapped = torch.load(file.path, weights_only=True, mmap=True)
    assert torch.equal(mapped["a"], weights["a"])
    with _opened(tmp_path / "s", save(weights), spooled=False) as file:
        loaded = load_file(file.path)
    assert torch.equal(loaded["a"], weights["a"])
