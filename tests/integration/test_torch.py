"""PyTorch itself says what is in its files: every tensor's bytes are compared at the reported place."""

from __future__ import annotations

import io
import json
import runpy
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.facts import Facts, Layout
from aibom.formats import torch_legacy, torch_tar, torch_zip
from tests.hostile import FIXTURES, probe_of, read

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "BOOL": torch.bool, "C64": torch.complex64, "C128": torch.complex128, "U16": torch.uint16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
}  # fmt: skip
SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)


def made(dtype: object, shape: tuple[int, ...]) -> object:
    size = torch.empty(shape, dtype=dtype).numel() * torch.empty((), dtype=dtype).element_size()
    data = torch.arange(size, dtype=torch.int64).remainder(2 if dtype is torch.bool else 101).to(torch.uint8)
    return data.view(dtype).reshape(shape)


def plain(tensor: object) -> bytes:
    whole = tensor.detach().resolve_conj().contiguous().reshape(-1)
    return whole.view(torch.uint8).numpy().tobytes() if whole.numel() else b""


def tensors(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, torch.Tensor):
        yield path or ".", value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from tensors(item, f"{path}/{key}" if path else str(key))


def saved(value: object, zipped: bool = True) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()


def check(data: bytes, facts: Facts, value: object) -> None:
    found = {tensor.name: tensor for tensor in facts.tensors}
    wanted = dict(tensors(value))
    assert facts.defects == ()
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        place = found[name]
        assert (DTYPES[place.dtype], place.shape) == (tensor.dtype, tuple(tensor.shape))
        raw = tensor.is_contiguous() and not tensor.is_conj()
        assert (place.layout is Layout.RAW) == raw, name
        if raw:
            assert data[place.offset : place.offset + place.length] == plain(tensor), name


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text("ab./", min_size=1, max_size=4), st.tuples(st.sampled_from(list(DTYPES)), SHAPES)
    ),
    st.booleans(),
)
def test_any_state_dict_is_found_in_both_formats(
    spec: dict[str, tuple[str, tuple[int, ...]]], zipped: bool
) -> None:
    value = {name: made(DTYPES[dtype], shape) for name, (dtype, shape) in spec.items()}
    data = saved(value, zipped)
    check(data, read((torch_zip if zipped else torch_legacy).FORMAT, data, "m.pt"), value)


@pytest.mark.parametrize("zipped", [True, False])
def test_checkpoints_with_views_parameters_and_ties_are_found(zipped: bool) -> None:
    weight = made(torch.float32, (4, 6))
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    value = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "views": [
            weight,
            weight.t(),
            weight[1:],
            weight[:, 1],
            weight[::2],
            weight.expand(2, 4, 6),
            weight[0, 0],
        ],
        "parameter": torch.nn.Parameter(weight),
        "conjugate": made(torch.complex64, (2,)).conj(),
        "empty": torch.zeros(0),
        "scalar": torch.tensor(1.5),
        "epoch": 3,
    }
    data = saved(value, zipped)
    check(data, read((torch_zip if zipped else torch_legacy).FORMAT, data, "m.pt"), value)


def test_a_whole_module_gives_its_tensors() -> None:
    model = torch.nn.Linear(3, 2)
    data = saved(model)
    facts = read(torch_zip.FORMAT, data, "m.pt")
    found = {tensor.name.rpartition("/")[2]: tensor for tensor in facts.tensors}
    for name, tensor in model.state_dict().items():
        place = found[name]
        assert data[place.offset : place.offset + place.length] == plain(tensor)


def test_sparse_and_quantised_tensors_are_not_lost() -> None:
    sparse = torch.eye(3).to_sparse()
    quantised = torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8)
    facts = read(torch_zip.FORMAT, saved({"s": sparse, "q": quantised}), "m.pt")
    assert {"qint8", "I64", "F32"} == {tensor.dtype for tensor in facts.tensors}
    assert facts.defects == ()


def test_a_script_gives_its_tensors() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).eval()
    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(model, torch.ones(1, 3)), file)
    data = file.getvalue()
    facts = read(torch_zip.TORCHSCRIPT, data, "m.pt")
    found = {tensor.name.replace("/", "."): tensor for tensor in facts.tensors}
    for name, tensor in model.state_dict().items():
        place = found[name]
        assert data[place.offset : place.offset + place.length] == plain(tensor)
    assert facts.defects == ()


def test_torch_reads_the_tar_fixture_as_we_do() -> None:
    path = FIXTURES / "torch/old.pt"
    data = path.read_bytes()
    assert torch_tar.FORMAT.read is not None
    check(data, torch_tar.FORMAT.read(probe_of(data, "old.pt")), torch.load(path, weights_only=False))


def test_the_fixture_script_still_makes_the_same_facts() -> None:
    script = runpy.run_path(str(FIXTURES / "scripts/make_torch.py"))
    facts = [script["facts"](name, tensor) for name, tensor in script["tensors"](script["checkpoint"]())]
    assert facts == json.loads((FIXTURES / "torch/expected.json").read_text())["checkpoint.pt"]
