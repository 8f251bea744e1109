"""Legacy PyTorch checkpoints: tensors equal PyTorch's, every pickle is looked at."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Capability, Facts
from aibom.domain.protocols import Match
from aibom.formats.torch_legacy import FORMAT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations
from tests.torch_files import check_tensors, explained, imported, messages

LEGACY = "torch/legacy.pt"
DATA = (FIXTURES / LEGACY).read_bytes()
MAGIC, VERSION = pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2)
SYSTEM = b"\x80\x02cos\nsystem\nX\4\0\0\0true\x85R."


def facts_of(data: bytes) -> Facts:
    return read(FORMAT, data, "model.pt")


def test_tensors_equal_pytorch() -> None:
    facts = read_fixture(FORMAT, LEGACY)
    check_tensors(DATA, facts, "legacy.pt")
    assert (facts.format, facts.version, facts.defects) == ("torch-legacy", "1001", ())
    assert facts.capabilities == {Capability.IMPORTS_CODE}
    assert explained(facts) == set(range(len(DATA)))


def test_bytes_behind_the_last_storage_are_a_defect() -> None:
    facts = facts_of(DATA + b"payload")
    assert messages(facts) == "7 bytes follow the last storage"
    assert len(facts.tensors) == 4


def test_a_pickle_behind_the_last_storage_is_hidden() -> None:
    facts = facts_of(DATA + b"x" + SYSTEM)
    assert [(h.found, h.offset) for h in facts.hazards] == [("trailing-pickle", len(DATA) + 1)]
    assert imported(facts)["os.system"]


@pytest.mark.parametrize("place", range(5))
def test_hazards_and_nested_files_of_every_pickle_are_told(place: int) -> None:
    parts = [MAGIC, VERSION, VERSION, pickle.dumps(None, 2), pickle.dumps([], 2)]
    odd = b"B\x0a\0\0\0\x80\x04N.......0\x82\x010"
    data = (
        b"".join(parts[:place]) + parts[place][:2] + odd + b"".join([parts[place][2:], *parts[place + 1 :]])
    )
    facts = facts_of(data)
    assert [h.found for h in facts.hazards] == ["extension-registry"]
    assert data[facts.nested[0].offset :].startswith(b"\x80\x04N.")


@pytest.mark.parametrize(
    "data",
    [
        MAGIC + SYSTEM,
        MAGIC + VERSION + SYSTEM,
        MAGIC + VERSION + VERSION + SYSTEM,
        MAGIC + VERSION + VERSION + SYSTEM[:-1] + b"\xff",
        MAGIC + VERSION + VERSION + VERSION + SYSTEM,
        SYSTEM[:-1] + b"0" + MAGIC[2:],
    ],
)
def test_imports_of_every_pickle_are_listed(data: bytes) -> None:
    facts = facts_of(data)
    assert imported(facts) == {"os.system": True}
    assert facts.defects


def rest(keys: object, storages: bytes = b"") -> bytes:
    """A checkpoint of one storage of four floats under the key "1"."""
    body = (
        b"\x80\x02}X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(((X\7\0\0\0storagectorch\nFloatStorage\n"
        b"X\1\0\0\x001X\3\0\0\0cpuK\4%btQ"
    )
    body = body.replace(b"((", b"(", 1) + b"K\0K\4\x85K\1\x85\x89NtRs."
    return MAGIC + VERSION + VERSION + body % b"N" + pickle.dumps(keys, 2) + storages


FOUR = (4).to_bytes(8, "little") + bytes(16)


def test_a_view_of_a_storage_starts_where_it_says() -> None:
    plain = facts_of(rest(["1"], FOUR)).tensors[0]
    viewed = rest(["1"], FOUR).replace(b"K\4NtQK\0K\4\x85", b"K\4(X\1\0\0\x009K\2K\2ttQK\0K\2\x85")
    tensor = facts_of(viewed).tensors[0]
    assert tensor.offset - (len(viewed) - len(rest(["1"], FOUR))) == plain.offset + 8


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (rest(["2"], FOUR), Reason.MALFORMED, "storage '2' has no place"),
        (rest("1", FOUR), Reason.MALFORMED, "no list"),
        (rest(["1", "1"], FOUR), Reason.MALFORMED, "doubled"),
        (rest([None], FOUR), Reason.MALFORMED, "doubled or no string"),
        (rest(["1"], (2**63 - 1).to_bytes(8, "little")), Reason.MALFORMED, "claims 9223372036854775807"),
        (rest(["1"], b"\xff" * 8), Reason.MALFORMED, "claims -1"),
        (rest(["1"], FOUR[:-1]), Reason.TRUNCATED, "a storage of 16 bytes"),
        (rest(["1"]), Reason.TRUNCATED, "8 bytes expected"),
    ],
)
def test_storages_that_do_not_fit_are_defects(data: bytes, reason: Reason, words: str) -> None:
    facts = facts_of(data)
    assert words in messages(facts)
    assert facts.defects[0].reason is reason
    assert facts.tensors == ()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "1 bytes expected"),
        (pickle.dumps(7, 2), "no magic number"),
        (MAGIC + pickle.dumps(1002, 2), "protocol version is not 1001"),
        (MAGIC, "1 bytes expected"),
    ],
)
def test_what_is_no_checkpoint_is_refused(data: bytes, words: str) -> None:
    error = outcome(FORMAT, data, "model.pt")
    assert isinstance(error, UnreadableError)
    assert words in str(error)


@pytest.mark.parametrize("protocol", range(6))
def test_recognised_by_the_magic_number_in_any_protocol(protocol: int) -> None:
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, protocol)
    assert FORMAT.recognise(probe_of(magic + VERSION, "x.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(pickle.dumps(1, protocol), "x.pt")) is Match.NO


def test_cuts_are_told_and_flips_do_not_escape() -> None:
    for piece in truncations(DATA):
        found = outcome(FORMAT, piece, "model.pt")
        assert isinstance(found, UnreadableError) or found.defects
    for flipped in flips(DATA, 500):
        outcome(FORMAT, flipped, "model.pt")


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    outcome(FORMAT, data, "model.pt")
    outcome(FORMAT, MAGIC + VERSION + data, "model.pt")
