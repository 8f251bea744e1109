"""The model digest depends on the tensors and on nothing else."""

from __future__ import annotations

import hashlib
import struct

from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.facts import Facts, FileKind, Layout, Tensor
from aibom.domain.file import File
from aibom.fingerprint.model import model_digest


def file_of(*tensors: tuple[str, bytes | None], path: str = "m", **more: object) -> File:
    sha = Digest(algorithm="sha256", value="0" * 64, grade=Grade.COMPUTED)
    listed = tuple(
        Tensor(
            name=name, dtype="F32", shape=(2, 3), offset=0, length=24,
            layout=Layout.RAW if digest else Layout.STRIDED,
        )
        for name, digest in tensors
    )  # fmt: skip
    facts = Facts(format="x", kind=FileKind.WEIGHTS, tensors=listed, **more)  # type: ignore[arg-type]
    return File(
        entry=Entry(path=path, size=1),
        digests=(sha,),
        facts=facts,
        tensor_digests=tuple(d for _, d in tensors),
    )


A, B, C = (bytes([n]) * 32 for n in (1, 2, 3))


def test_the_digest_is_what_the_documentation_says() -> None:
    def text(value: bytes) -> bytes:
        return struct.pack("<Q", len(value)) + value

    leaf = hashlib.sha256(
        b"aibom:tensor:v1\0" + text(b"w") + text(b"F32") + struct.pack("<QQQ", 2, 2, 3) + A
    ).digest()
    root = hashlib.sha256(b"aibom:model:v1\0" + struct.pack("<Q", 1) + leaf).hexdigest()
    assert model_digest([file_of(("w", A))]).named == f"v1:sha256:{root}"


@given(st.permutations([("a", A), ("b", B), ("c", C)]), st.integers(0, 3))
def test_order_and_sharding_vanish(tensors: list[tuple[str, bytes | None]], cut: int) -> None:
    shards = [file_of(*part) for part in (tensors[:cut], tensors[cut:]) if part]
    assert model_digest(shards) == model_digest([file_of(("a", A), ("b", B), ("c", C))])


def test_a_renamed_tensor_changes_the_named_digest_only() -> None:
    one, other = model_digest([file_of(("a", A))]), model_digest([file_of(("renamed", A))])
    assert one.named != other.named
    assert one.anonymous == other.anonymous


def test_swapped_tensors_change_the_named_digest() -> None:
    assert (
        model_digest([file_of(("a", A), ("b", B))]).named != model_digest([file_of(("a", B), ("b", A))]).named
    )


def test_a_tensor_twice_is_not_a_tensor_once() -> None:
    assert (
        model_digest([file_of(("a", A))]).anonymous != model_digest([file_of(("a", A), ("b", A))]).anonymous
    )


def test_no_digest_is_claimed_when_one_tensor_has_none() -> None:
    result = model_digest([file_of(("a", A), ("view", None), path="dir/m.pt")])
    assert result.named is None
    assert result.absent == "tensor 'view' in dir/m.pt is stored strided"


def test_no_digest_is_claimed_for_a_header_that_was_not_read() -> None:
    assert (
        model_digest([file_of(path="broken", unread=True)]).absent == "the header of broken could not be read"
    )


def test_no_tensors_is_its_own_outcome() -> None:
    assert model_digest([]).absent == "no tensors"
