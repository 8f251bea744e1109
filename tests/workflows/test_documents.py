"""Which files are signatures and bills of materials, and which file they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap
from aibom.domain.limits import BOM_BYTES
from aibom.domain.protocols import ByteReader
from aibom.domain.publication import Attached, DocumentKind
from aibom.domain.target import Target
from aibom.readers.ranges import Memory
from aibom.sources import resolve
from aibom.trust.bundle import BUNDLE_BYTES
from aibom.workflows.digesting import Place
from aibom.workflows.documents import (
    LIMITS,
    about,
    found_beside,
    found_in,
    found_remote,
    is_stranger,
    kind_of,
    read_document,
)  # fmt: skip
from tests.workflows.signed_models import folder_of


@pytest.mark.parametrize(
    ("name", "kind", "target"),
    [
        ("model.sig", "signature", "model"),
        ("a.onnx.sigstore.json", "signature", "a.onnx"),
        ("sub/a.onnx.sigstore", "signature", "sub/a.onnx"),
        ("a.sig", "signature", "a"),
        ("m.cdx.json", "bom", "m.cdx.json"),
        ("bom.json", "bom", "bom.json"),
        ("sbom.json", "bom", "sbom.json"),
        ("sigstore.json", None, "sigstore.json"),
        ("a.sigstore.json.txt", None, "a.sigstore.json.txt"),
        ("model.signature", None, "model.signature"),
    ],
)
def test_names_say_the_kind_and_what_a_signature_is_about(name: str, kind: str | None, target: str) -> None:
    assert (kind_of(name), about(name)) == (kind, target)


@pytest.mark.parametrize(
    ("name", "data", "stranger"),
    [
        ("a.sig", b"\x89PGP", True),
        ("a.sigstore", b"", True),
        ("a.sig", b' \n{"mediaType": 1}', False),
        ("sub/a.sig", b"{", False),
        ("model.sig", b"\x89PGP", False),
        ("sub/model.sig", b"", False),
        ("a.sigstore.json", b"", False),
        ("bom.json", b'{"spdxVersion": 1}', True),
        ("bom.json", b'{"bomFormat": "CycloneDX"}', False),
        ("a.cdx.json", b"", False),
    ],
)
def test_other_programs_use_the_same_names(name: str, data: bytes, stranger: bool) -> None:
    assert is_stranger(name, data) is stranger


def test_documents_of_the_top_folder_are_found_signatures_first(tmp_path: Path) -> None:
    files = {
        "b.cdx.json": b"1",
        "model.sig": b"2",
        "a.bin.sigstore.json": b"3",
        "x.sig": b"PGP",
        "a.bin": b"",
    }
    folder_of(tmp_path, files | {"sub/model.sig": b"4", "bom.json": b"{}"})
    (tmp_path / "lost.sig").symlink_to("nothing")
    found = found_in(Place.of(resolve(str(tmp_path))))
    assert [(each.kind, each.name, each.data, each.about) for each in found] == [
        ("signature", "a.bin.sigstore.json", b"3", "a.bin"),
        ("signature", "lost.sig", b"", "lost"),
        ("signature", "model.sig", b"2", "model"),
        ("bom", "b.cdx.json", b"1", None),
    ]
    assert [each.inside for each in found] == [each.name for each in found]
    assert [each.failed.reason for each in found if each.failed] == [Reason.VANISHED]


def test_a_large_document_is_there_with_the_reason(tmp_path: Path) -> None:
    assert LIMITS == {"signature": BUNDLE_BYTES, "bom": BOM_BYTES}
    with (tmp_path / "model.sig").open("wb") as file:
        file.truncate(BUNDLE_BYTES + 1)
    [found] = found_in(Place.of(resolve(str(tmp_path))))
    assert found.failed is not None
    assert (found.failed.reason, found.data) == (Reason.LIMIT, b"")


def test_signatures_beside_a_file_are_those_named_after_it_else_that_of_the_model(tmp_path: Path) -> None:
    folder_of(tmp_path, {"a.bin": b"", "b.bin": b"", "model.sig": b"{w", "b.bin.sigstore.json": b"{1"})
    folder_of(tmp_path, {"b.bin.sig": b"{2", "b.bin.sigstore": b"no", "m.cdx.json": b"{"})
    assert [each.name for each in found_beside(tmp_path / "b.bin")] == ["b.bin.sigstore.json", "b.bin.sig"]
    [whole] = found_beside(tmp_path / "a.bin")
    assert (whole.name, whole.data, whole.inside, whole.target) == ("model.sig", b"{w", None, "a.bin")
    assert found_beside(tmp_path / "model.sig") == []


def test_signatures_beside_a_file_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    folder_of(tmp_path, {"a.bin": b"", "b.bin": b"", "a.bin.sigstore.json/x": b""})
    [found] = found_beside(tmp_path / "a.bin")
    assert found.failed is not None
    (tmp_path / "model.sig").symlink_to("nothing")
    [found] = found_beside(tmp_path / "b.bin")
    assert found.failed is not None


def test_a_named_document_knows_where_it_lies_and_where_the_target_is(tmp_path: Path) -> None:
    folder_of(tmp_path, {"m/sub/a.bin": b"", "m/sub/a.bin.sig": b"{", "x.sig": b"{"})
    model, inside, outside = str(tmp_path / "m"), tmp_path / "m/sub/a.bin.sig", tmp_path / "x.sig"
    found = read_document(inside, "signature", model)
    assert (found.inside, found.about, found.data) == ("sub/a.bin.sig", "sub/a.bin", b"{")
    found = read_document(inside, "bom", model)
    assert (found.inside, found.about) == ("sub/a.bin.sig", None)
    found = read_document(outside, "signature", model)
    assert (found.inside, found.about, found.target) == (None, None, "m")
    assert read_document(outside, "signature", f"{model}/sub/a.bin").target == "m/sub/a.bin"
    assert read_document(inside, "signature", f"{tmp_path}/x.sig").target == "x.sig"


@pytest.mark.parametrize("files", [{}, {"a.sig": b"{"}])
def test_a_folder_is_no_document(tmp_path: Path, files: dict[str, bytes]) -> None:
    folder_of(tmp_path, files)
    with pytest.raises(UnreadableError, match="is a folder"):
        read_document(tmp_path, "signature", str(tmp_path))


def test_a_named_document_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nothing")
    for name in ("no", "link"):
        with pytest.raises(UnreadableError) as caught:
            read_document(tmp_path / name, "signature", str(tmp_path))
        assert caught.value.reason is Reason.VANISHED


@dataclass(kw_only=True)
class _Shelf:
    """A place with files, and documents beside them that a registry keeps apart."""

    files: dict[str, bytes]
    beside: tuple[Attached, ...]
    target: Target = Target(name="model")  # noqa: RUF009 - frozen
    excluded: int = 0

    def entries(self) -> Iterator[Entry | Gap]:
        return (Entry(path=path, size=len(data)) for path, data in self.files.items())

    def open(self, entry: Entry) -> AbstractContextManager[ByteReader]:
        return nullcontext(Memory(self.files[entry.path]))

    def attached(self) -> tuple[Attached, ...]:
        return self.beside


@pytest.mark.parametrize(
    ("name", "data", "inside"),
    [
        ("a.sig", b'{"a": 1}', "a.sig"),
        ("a.sig", b'{"b": 1}', None),
        ("b.sig", b'{"a": 1}', None),
        ("weights.pkl", b"payload", None),
    ],
    ids=["the-same-file", "other-bytes", "no-file", "not-named-like-a-document"],
)
def test_only_a_document_that_is_a_file_is_left_out_of_what_is_signed(
    name: str, data: bytes, inside: str | None
) -> None:
    document = Attached(name=name, kind=DocumentKind.SIGNATURE, media_type="", data=data)
    shelf = _Shelf(files={"a.sig": b'{"a": 1}', "weights.pkl": b"payload"}, beside=(document,))
    (found,) = found_remote(Place.of(shelf))
    assert (found.name, found.inside) == (name, inside)
