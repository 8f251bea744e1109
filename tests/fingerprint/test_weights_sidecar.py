"""A sidecar reads back as what was written, and nothing but `UnreadableError` comes of anything else."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Layout, Tensor
from aibom.domain.file import Unindexed
from aibom.domain.weights_evidence import (
    Header,
    TensorEvidence,
    WeightsContent,
    WeightsEvidence,
    extent_of,
    leaf_count,
    sample_width,
)
from aibom.fingerprint.one_pass import fingerprint
from aibom.fingerprint.weights_sidecar import VERSION, evidence, read, render
from aibom.formats import identify
from aibom.readers.ranges import Memory
from tests.fingerprint.weights import arrays, evidence_of, model, saved
from tests.hostile import FIXTURES, probe_of

DIGESTS = st.binary(min_size=32, max_size=32)
NAMES = st.text(max_size=12)


@st.composite
def entries(draw: st.DrawFn, size: int) -> TensorEvidence:
    start, end = sorted((draw(st.integers(0, size)), draw(st.integers(0, size))))
    tensor = Tensor(
        name=draw(NAMES),
        dtype=draw(st.sampled_from(["F32", "BF16", "Q4_K", "F4"])),
        shape=tuple(draw(st.lists(st.integers(0, 2**62), max_size=3))),
        offset=start,
        length=end - start,
        layout=draw(st.sampled_from(list(Layout))),
    )
    digest = draw(st.none() | DIGESTS)
    extent, width = extent_of(tensor), sample_width(tensor.dtype)
    count = min(extent // width, 64) * width
    if digest is None or leaf_count(extent) > 50 or draw(st.booleans()):
        return TensorEvidence(tensor=tensor, blake3=digest)
    noise = blake3(tensor.name.encode())
    return TensorEvidence(
        tensor=tensor,
        blake3=digest,
        leaves=noise.digest(16 * leaf_count(extent)),
        sample=noise.digest(count),
    )


@st.composite
def evidences(draw: st.DrawFn) -> WeightsEvidence:
    size = draw(st.integers(0, 5_000_000))
    hidden = st.builds(Unindexed, bytes=st.integers(0, size), sha256=DIGESTS.map(bytes.hex))
    return WeightsEvidence(
        sha256=draw(DIGESTS).hex(),
        size=size,
        format=draw(NAMES),
        content=WeightsContent(
            tensors=tuple(draw(st.lists(entries(size), max_size=4))),
            header=Header(size=draw(st.integers(0, size)), blake3=draw(DIGESTS)),
            unindexed=draw(st.none() | hidden),
        ),
    )


@given(evidences())
def test_what_is_written_is_read_back(given: WeightsEvidence) -> None:
    data = render(given)
    assert read(Memory(data)) == given
    assert render(read(Memory(data))) == data


@pytest.mark.parametrize(
    "path",
    [
        "safetensors/small.safetensors", "gguf/chat.gguf", "gguf/big-endian.gguf", "torch/checkpoint.pt",
        "torch/legacy.pt", "torch/old.pt", "torch/script.pt",
    ],
)  # fmt: skip
def test_evidence_of_real_files_is_read_back(path: str) -> None:
    data = (FIXTURES / path).read_bytes()
    probe = probe_of(data, path.rpartition("/")[2])
    found = identify(probe)[0]
    assert found is not None
    assert found.read is not None
    facts = found.read(probe)
    given = evidence_of(data, facts)
    assert len(given.content.tensors) == len(facts.tensors) > 0
    assert read(Memory(render(given))) == given


def test_the_form_is_that_of_the_documentation() -> None:
    data, _, given = model()
    text = render(given)
    assert text.endswith(b"}\n")
    assert text.isascii()
    document = json.loads(text)
    assert text == json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    assert sorted(document) == ["file", "header", "tensors", "unindexed", "version"]
    assert document["version"] == VERSION == "aibom:weights-evidence:v1"
    assert document["file"] == {
        "format": "safetensors",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
    }
    assert document["unindexed"] == {"sha256": hashlib.sha256(b"").hexdigest(), "size": 0}
    head = 8 + int.from_bytes(data[:8], "little")
    assert document["header"] == {"blake3": blake3(data[:head]).hexdigest(), "size": head}
    big = next(entry for entry in document["tensors"] if entry["name"] == "big")
    body = arrays()["big"].tobytes()
    leaves = b"".join(blake3(body[at : at + 2**20]).digest(16) for at in range(0, len(body), 2**20))
    assert base64.b64decode(big.pop("leaves")) == leaves
    assert len(base64.b64decode(big.pop("sample"))) == 64 * 4
    assert big == {
        "name": "big", "dtype": "F32", "shape": [900, 1000], "layout": "raw",
        "offset": data.find(body), "length": len(body), "blake3": blake3(body).hexdigest(),
    }  # fmt: skip


def test_the_same_file_gives_the_same_bytes() -> None:
    data = saved(arrays())
    assert render(evidence_of(data)) == render(evidence_of(bytearray(data)))  # type: ignore[arg-type]


def test_a_sidecar_is_refused_when_the_bom_names_another() -> None:
    data = render(model()[2])
    assert read(Memory(data), hashlib.sha256(data).hexdigest()) == model()[2]
    with pytest.raises(UnreadableError, match="expected SHA-256"):
        read(Memory(data), hashlib.sha256(data[:-1]).hexdigest())


def test_white_space_does_not_change_what_is_read() -> None:
    given = model()[2]
    pretty = json.dumps(json.loads(render(given)), indent=2).encode()
    assert read(Memory(pretty)) == given


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(Memory(data))


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [at, *(path for key, child in children for path in paths(child, (*at, key)))]


def small() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(render(evidence_of(saved({"norm": arrays()["norm"]}))))
    return document


PLACES = paths(small())[1:]


@given(st.sampled_from(PLACES), JSON)
def test_any_value_in_any_place_is_read_or_unreadable(path: tuple[Any, ...], value: Any) -> None:
    document = small()
    parent: Any = document
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    try:
        found = read(Memory(json.dumps(document).encode()))
    except UnreadableError:
        return
    assert read(Memory(render(found))) == found


def test_a_pass_without_header_or_sha256_is_no_evidence() -> None:
    data, facts, _ = model()
    with pytest.raises(ValueError, match="header"):
        evidence(len(data), facts, fingerprint(Memory(data), facts, leaves=True))
    with pytest.raises(ValueError, match="SHA-256"):
        evidence(len(data), facts, fingerprint(Memory(data), facts, algorithms=(), header=True))


def with_tensors(*tensors: TensorEvidence) -> WeightsEvidence:
    given = model()[2]
    return replace(given, content=replace(given.content, tensors=tensors))


@pytest.mark.parametrize("shape", [(1,) * 33, (0, 2**63)])
def test_what_would_not_be_read_again_is_not_written(shape: tuple[int, ...]) -> None:
    tensor = Tensor(name="w", dtype="F32", shape=shape, offset=0, length=0)
    with pytest.raises(UnreadableError, match="not be read again") as caught:
        render(with_tensors(TensorEvidence(tensor=tensor, blake3=None)))
    assert caught.value.reason is Reason.LIMIT


def test_more_tensors_than_are_read_are_not_written() -> None:
    entry = TensorEvidence(tensor=Tensor(name="", dtype="U8", shape=(), offset=0, length=0), blake3=None)
    with pytest.raises(UnreadableError, match="not be read again"):
        render(with_tensors(*[entry] * 100_001))
