"""WebDataset: shards are told from other archives, and content checks of archives stay."""

from __future__ import annotations

import io
import pickle
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import FileKind
from aibom.domain.protocols import Match
from aibom.formats import identify, named_like
from aibom.formats.inside import examine
from aibom.formats.webdataset import FORMAT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, truncations


def packed(*names: str, data: bytes = b"data", kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            info = tarfile.TarInfo(name.rstrip("/"))
            info.type = tarfile.DIRTYPE if name.endswith("/") else kind
            info.linkname = "x" if kind != tarfile.REGTYPE else ""
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


SHARD = packed("a/", "a/0001.jpg", "a/0001.seg.PNG", "a/0001.json", "a/0002.jpg")


def test_columns_are_the_extensions_of_the_first_sample() -> None:
    facts = read(FORMAT, SHARD, "a.tar")
    assert [(column.name, column.type) for column in facts.columns] == [
        ("jpg", "member"), ("seg.png", "member"), ("json", "member"),
    ]  # fmt: skip
    assert (facts.format, facts.kind, facts.rows, facts.defects) == ("webdataset", FileKind.DATA, None, ())


@pytest.mark.parametrize(
    ("file", "names", "is_one"),
    [
        ("images.tar", ("1.jpg", "1.cls", "2.jpg"), True),
        ("images.tar", ("__meta__/x.json", "README", "1.jpg", "1.cls"), True),
        ("images.tar", ("1.jpg", "2.jpg"), False),
        ("images.tar", ("1.jpg",), False),
        ("train-000012.tar", ("1.jpg", "2.jpg"), True),
        ("train_000012.tar", ("1.jpg",), True),
        ("00012.tar", ("1.jpg",), True),
        ("backup-2024.tar", ("1.jpg", "2.jpg"), False),
        ("backup-20240131.tar", ("1.jpg", "2.jpg"), False),
        ("train-000012.tar", ("README", "LICENSE"), False),
        ("train-000012.tar", (), False),
        ("train-000012.tar", ("setup.py", "main.py"), False),
        ("pkg-1.0.tar", ("pkg-1.0/setup.cfg", "pkg-1.0/setup.py"), False),
        ("lib.tar", ("lib/a.c", "lib/a.h"), False),
        ("site.tar", ("index.html", "index.css"), False),
        ("model.tar", ("model.safetensors", "model.safetensors.index.json"), False),
        ("images.tar.bak", ("1.jpg", "1.cls"), False),
        ("images.bin", ("1.jpg", "1.cls"), False),
        ("images.tar", ("../1.jpg", "../1.cls"), False),
    ],
)
def test_shards_are_told_from_other_archives(file: str, names: tuple[str, ...], is_one: bool) -> None:
    found, match = identify(probe_of(packed(*names), file))
    assert (found is FORMAT) is is_one
    assert match is (Match.CONTENT if is_one else Match.NO)


def test_links_are_no_samples() -> None:
    data = packed("1.jpg", "1.cls", kind=tarfile.SYMTYPE)
    assert FORMAT.recognise(probe_of(data, "a-000001.tar")) is Match.NO


def test_a_torch_checkpoint_is_no_shard() -> None:
    data = (FIXTURES / "torch/old.pt").read_bytes()
    found, _ = identify(probe_of(data, "model-000001.tar"))
    assert found is not None
    assert found.name == "torch-tar"


def test_a_name_in_tar_promises_nothing() -> None:
    assert named_like("train-000012.tar") == ()


def test_a_pickle_in_a_sample_is_still_seen() -> None:
    # Names a command, and is never loaded.
    data = packed("1.jpg", "1.pyd", data=b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.")
    probe = probe_of(data, "train-000001.tar")
    inside = examine(probe, read(FORMAT, data, "train-000001.tar"))
    assert inside is not None
    assert {item.name for item in inside.imports} == {"posix.system"}


def test_an_extension_that_occurs_twice_is_a_defect() -> None:
    (defect,) = read(FORMAT, packed("1.jpg", "1.JPG"), "a.tar").defects
    assert "occur more than once" in defect.message


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (packed("README"), Reason.MALFORMED, "no sample in the archive"),
        (packed("/1.jpg"), Reason.MALFORMED, "the name /1.jpg leads out of the archive"),
        (packed("1.jpg", data=bytes(600))[:1024], Reason.TRUNCATED, "a member of 600 bytes, 512 are left"),
        (b"?" * 600, Reason.MALFORMED, "a tar header whose checksum is wrong"),
    ],
    ids=["none", "outside", "cut", "other"],
)
def test_an_archive_without_a_sample_is_refused(data: bytes, reason: Reason, words: str) -> None:
    error = outcome(FORMAT, data, "a.tar")
    assert isinstance(error, UnreadableError)
    assert (error.reason, error.message) == (reason, words)


def test_thousands_of_members_without_a_sample_cost_little() -> None:
    data = packed(*(f"file{number}" for number in range(3_000)), "1.jpg", "1.cls")
    assert FORMAT.recognise(probe_of(data, "a-000001.tar")) is Match.NO


def test_cuts_and_flips_do_not_escape() -> None:
    data = SHARD[: len(SHARD.rstrip(b"\0")) + 512]
    for piece in list(truncations(data))[::17]:
        outcome(FORMAT, piece, "a-000001.tar")
    for flipped in flips(data, 300):
        outcome(FORMAT, flipped, "a-000001.tar")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), max_size=4))
def test_arbitrary_names_raise_nothing_else(names: list[str]) -> None:
    outcome(FORMAT, packed(*(name for name in names if name.strip("/"))), "a-000001.tar")
    outcome(FORMAT, pickle.dumps(names), "a-000001.tar")
