"""PyTorch's tar checkpoints: tensors equal what `torch.load` finds in the same file."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Facts, Layout
from aibom.domain.protocols import Match
from aibom.formats.torch_tar import FORMAT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations
from tests.torch_files import check_tensors, explained, imported, messages

OLD = "torch/old.pt"
DATA = (FIXTURES / OLD).read_bytes()
SYSTEM = b"\x80\x02cos\nsystem\nX\4\0\0\0true\x85R."


def changed(**parts: bytes) -> bytes:
    """The fixture with other content in some members."""
    file = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(DATA)) as old, tarfile.open(fileobj=file, mode="w") as new:
        for info in old:
            stored = old.extractfile(info)
            assert stored is not None
            data = parts.get(info.name, stored.read())
            info.size = len(data)
            new.addfile(info, io.BytesIO(data))
    return file.getvalue()


def facts_of(data: bytes) -> Facts:
    return read(FORMAT, data, "model.pt")


def number(value: int) -> bytes:
    return pickle.dumps(value, 2)


def storage(count: int, data: bytes = b"") -> bytes:
    return b"\x80\x02K\1X\3\0\0\0cpuctorch\nFloatStorage\n\x87." + struct.pack("<q", count) + data


def tensor(rank: int, *sizes: int) -> bytes:
    return number(1) + pickle.dumps((11, 1, None), 2) + struct.pack(f"<ii{len(sizes)}q", rank, 0, *sizes)


def test_tensors_equal_pytorch() -> None:
    facts = read_fixture(FORMAT, OLD)
    check_tensors(DATA, facts, "old.pt")
    assert (facts.format, facts.defects) == ("torch-tar", ())
    assert {tensor.name: tensor.layout for tensor in facts.tensors}["column"] is Layout.STRIDED
    assert explained(facts) == set(range(len(DATA)))


@pytest.mark.parametrize("member", ["pickle", "storages", "tensors", "sys"])
def test_imports_of_every_member_are_listed(member: str) -> None:
    assert imported(facts_of(changed(**{member: SYSTEM})))["os.system"]


@pytest.mark.parametrize("member", ["pickle", "storages", "tensors", "sys"])
def test_hazards_and_nested_files_of_every_member_are_told(member: str) -> None:
    data = changed(**{member: b"\x80\x02B\x0a\0\0\0\x80\x04N.......0\x82\x010N."})
    facts = facts_of(data)
    assert [h.found for h in facts.hazards] == ["extension-registry"]
    assert data[facts.nested[0].offset :].startswith(b"\x80\x04N.")


def test_a_storage_may_be_a_view_of_another() -> None:
    storages = number(1) + storage(6, bytes(24)) + pickle.dumps([(2, 1, 2, 4)], 2)
    tensors = number(2) + tensor(1, 6, 1, 0)[len(number(1)) :]
    tensors += pickle.dumps((13, 2, None), 2) + struct.pack("<ii3q", 1, 0, 4, 1, 0)
    found = {t.name: t for t in facts_of(changed(storages=storages, tensors=tensors)).tensors}
    assert found["nested/bias"].offset == found["weight"].offset + 8


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"storages": number(2**40)}, "1099511627776 parts"),
        ({"storages": number(-1)}, "no number"),
        ({"storages": number(1) + number(1)}, "without key and class"),
        ({"storages": number(1) + storage(-1)}, "a storage of -1 elements"),
        ({"storages": number(1) + storage(2**62)}, "a storage of 4611686018427387904 elements"),
        ({"storages": number(1) + storage(1, b"abcd") + pickle.dumps([(2, 7, 0, 1)], 2)}, "unknown storage"),
        ({"storages": number(1) + storage(1, b"abcd") + pickle.dumps([None], 2)}, "that is none"),
        ({"tensors": tensor(33)}, "a tensor of 33 dimensions"),
        ({"tensors": tensor(-1)}, "a tensor of -1 dimensions"),
        ({"tensors": tensor(1, 2)}, "8 bytes expected"),
        ({"tensors": tensor(1, -2, 1, 0)}, "negative size"),
        ({"tensors": tensor(1, 7, 1, 0)}, "ends at byte 28 of 24"),
        ({"tensors": number(1) + pickle.dumps((11, 9, None), 2)}, "without a storage"),
    ],
)
def test_parts_that_do_not_fit_are_defects(parts: dict[str, bytes], words: str) -> None:
    assert words in messages(facts_of(changed(**parts)))


def test_what_stands_behind_the_archive_is_unexplained() -> None:
    facts = facts_of(DATA + b"payload")
    assert len(DATA) + 7 - len(explained(facts)) == 7


def test_recognised_by_its_members() -> None:
    assert FORMAT.recognise(probe_of(DATA, "x")) is Match.CONTENT
    other = io.BytesIO()
    with tarfile.open(fileobj=other, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("pickle"))
    for data in (other.getvalue(), b"", bytes(1024), DATA[:600]):
        assert FORMAT.recognise(probe_of(data, "model.tar")) is Match.NO


def test_a_missing_member_is_refused() -> None:
    error = outcome(FORMAT, DATA[:512].replace(b"sys\0", b"ssy\0") + bytes(1024), "model.pt")
    assert isinstance(error, UnreadableError)
    assert error.reason is Reason.MALFORMED


def test_cuts_are_told_and_flips_do_not_escape() -> None:
    content = len(DATA.rstrip(b"\0"))
    for piece in list(truncations(DATA[:content]))[::3]:
        found = outcome(FORMAT, piece, "model.pt")
        assert isinstance(found, UnreadableError) or found.defects
    for flipped in flips(DATA[:content] + bytes(1024), 400):
        outcome(FORMAT, flipped, "model.pt")


@given(st.binary(max_size=200), st.sampled_from(["pickle", "storages", "tensors"]))
def test_arbitrary_members_raise_nothing_else(data: bytes, member: str) -> None:
    outcome(FORMAT, changed(**{member: data}), "model.pt")
    outcome(FORMAT, changed(**{member: number(3) + data}), "model.pt")
