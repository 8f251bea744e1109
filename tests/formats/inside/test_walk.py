"""The walk as a whole: nothing escapes it, and what it costs is bounded for the file, not for a part."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tracemalloc
import zipfile
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.facts import Facts, FileKind
from aibom.domain.limits import KIB, MIB
from aibom.formats.inside import EXAMINERS, Inside, examine
from aibom.readers.ranges import Budgeted, Memory
from tests.formats.inside.build import EVIL, hazards, imported, reasons, seen, tarred, zipped
from tests.hostile import FIXTURES, flips, probe_of, truncations

SAMPLES = {
    "a.zip": zipped({"a": EVIL, "b/c.npy": b"\x93NUMPY\x01\0"}),
    "b.zip": zipped({"a": zipped({"b": EVIL}, 8)}, zipfile.ZIP_DEFLATED),
    "a.tar": tarred({"a": EVIL, "b" * 120: b"x"})[:3_072],
    "a.gz": gzip.compress(tarred({"a": EVIL})),
    "a.xz": lzma.compress(zipped({"a": EVIL})),
    "a.pkl": EVIL,
    "a.npy": (FIXTURES / "npy/objects.npy").read_bytes(),
    "old.pt": (FIXTURES / "torch/legacy.pt").read_bytes()[:900],
}


def survive(data: bytes, name: str) -> Inside | None:
    """With the facts that leave the most to be done here."""
    inside = examine(probe_of(data, name), None)
    facts = Facts(format="x", kind=FileKind.WEIGHTS, indexed=True)
    more = examine(probe_of(data, name), facts)
    for each in (inside, more):
        for hazard in each.hazards if each else ():
            assert hazard.offset is None or hazard.offset >= 0
    return inside


@pytest.mark.parametrize("name", SAMPLES)
def test_cuts_and_flips_raise_nothing(name: str) -> None:
    data = SAMPLES[name]
    for cut in truncations(data[:700]):
        survive(cut, name)
    for flipped in flips(data, 400):
        survive(flipped, name)


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=300),
    st.sampled_from(sorted(SAMPLES)),
    st.integers(min_value=0, max_value=600),
    st.sampled_from(["weights.bin", "x.json", "noname"]),
)
def test_arbitrary_bytes_anywhere_raise_nothing(data: bytes, sample: str, at: int, name: str) -> None:
    whole = SAMPLES[sample]
    for candidate in (data, whole[:at] + data + whole[at:], data + whole, whole + data):
        survive(candidate, name)


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "a.pkl"])
def test_a_payload_in_any_container_never_gets_lost_by_a_cut_of_the_end(name: str) -> None:
    """Less of a file is never better than all of it: there is an import or a defect, or it may run."""
    data = SAMPLES[name]
    for length in range(len(data) - 40, len(data)):
        inside = survive(data[:length], name)
        assert inside is not None
        assert inside.imports or inside.defects
        assert inside.may_run


def test_each_kind_of_content_has_its_own_name() -> None:
    names = [examiner.name for examiner in EXAMINERS]
    assert sorted(set(names)) == sorted(names)


def test_the_budget_of_the_reader_is_a_limit_and_no_crash() -> None:
    data = zipped({"a": bytes(200 * KIB), "data.pkl": EVIL})
    probe = probe_of(data, "a.pt")
    object.__setattr__(probe, "reader", Budgeted(Memory(data), 100))
    inside = examine(probe, None)
    assert inside is not None
    assert (reasons(inside)[0], inside.may_run) == ("limit", True)


def test_what_is_inflated_is_bounded_for_the_whole_file() -> None:
    member = gzip.compress(EVIL[:-1] + struct.pack("<cI", b"B", 40 * MIB) + bytes(40 * MIB))
    data = zipped({str(number): member for number in range(12)})
    started = process_time()
    tracemalloc.start()
    inside = seen(data, "a.zip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "limit" in reasons(inside)
    assert len(imported(inside)) < 12
    assert peak < 80 * MIB
    assert process_time() - started < 10


def test_content_kept_at_several_levels_shares_one_bound() -> None:
    inner = zipped({"data.pkl": EVIL[:-1] + struct.pack("<cI", b"B", 50 * MIB) + bytes(50 * MIB)})
    data = gzip.compress(zipped({"a": inner}, zipfile.ZIP_DEFLATED), 1)
    tracemalloc.start()
    inside = seen(data, "a.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert inside.may_run
    assert peak < 90 * MIB


def test_an_import_in_two_places_is_told_twice_and_in_one_place_once() -> None:
    inside = seen(zipped({"a": EVIL + EVIL, "b": EVIL}), "a.zip")
    assert imported(inside) == [("a", "posix.system"), ("b", "posix.system")]


def test_names_of_members_are_made_visible() -> None:
    inside = seen(zipped({"a\u202ekp.tad": EVIL}), "a.zip")
    assert imported(inside) == [("a\\u202ekp.tad", "posix.system")]


def test_a_checkpoint_of_many_storages_is_only_looked_at() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/data.pkl", EVIL)
        for number in range(125):
            archive.writestr(f"a/data/{number}", bytes(100_000))
    data = file.getvalue()
    reader = Budgeted(Memory(data), 200 * KIB)
    probe = probe_of(data, "model.pt")
    object.__setattr__(probe, "reader", reader)
    inside = examine(probe, None)
    assert imported(inside) == [("a/data.pkl", "posix.system")]
    assert hazards(inside) == set()
    assert inside is not None
    assert inside.defects == ()
