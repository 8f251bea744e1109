"""zip: every member by its content, and everything that two readers see differently."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zipfile
import zlib
from time import process_time

import numpy as np
import pytest

from aibom.domain.confidence import Confidence
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.formats.inside import EXAMINERS
from aibom.formats.inside.part import Host, Part
from aibom.formats.inside.walk import Walk
from aibom.readers.ranges import Memory
from tests.formats.inside.build import (
    CENTRAL,
    ELF,
    END,
    EVIL,
    PLAIN,
    claiming,
    deflated,
    hazards,
    imported,
    look,
    reasons,
    replaced,
    seen,
    without_last_member,
    zipped,
)

STRUCTURE, ESCAPE, BOMB = (
    HazardKind.ARCHIVE_STRUCTURE,
    HazardKind.ARCHIVE_ESCAPE,
    HazardKind.DECOMPRESSION_BOMB,
)
ONE = zipped({"a.txt": b"hello"})
DEFLATED = zipped({"a.txt": b"hello" * 100}, zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_pickle_is_found_in_any_member_by_any_method(method: int) -> None:
    inside = seen(zipped({"readme.md": b"x" * 700, "weights/LICENSE": EVIL}, method), "a.zip")
    assert imported(inside) == [("weights/LICENSE", "posix.system")]
    assert (inside.container, inside.may_run, inside.hazards, inside.defects) == (True, True, (), ())


def test_offsets_count_in_the_file_unless_the_member_is_inflated() -> None:
    stored = zipped({"a": b"x", "b": EVIL})
    (item,) = seen(stored, "a.zip").imports
    assert stored[item.offset : item.offset + 6] == b"cposix"
    (item,) = seen(zipped({"b": EVIL}, zipfile.ZIP_DEFLATED), "a.zip").imports
    assert EVIL[item.offset : item.offset + 6] == b"cposix"


def test_archives_in_archives_are_followed_and_the_way_is_told() -> None:
    inner = zipped({"y": EVIL}, zipfile.ZIP_DEFLATED)
    inside = seen(zipped({"in.bin": zipped({"x": inner})}), "a.zip")
    assert imported(inside) == [("in.bin!x!y", "posix.system")]


def test_too_deep_a_nesting_is_a_limit_and_may_run() -> None:
    data = EVIL
    for _ in range(6):
        data = zipped({"n": data})
    inside = seen(data, "a.zip")
    assert (reasons(inside), inside.may_run, imported(inside)) == (["limit"], True, [])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (replaced(ONE, b"a.txt", b"b.txt", 0), "differing-name"),
        (replaced(ONE, b"PK\x03\x04\x14\0\0\0\0", b"PK\x03\x04\x14\0\0\0\x08"), "differing-method"),
        (replaced(ONE, b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\x01\0"), "differing-flags"),
        (replaced(ONE, struct.pack("<I", zlib.crc32(b"hello")), b"\1\1\1\1"), "differing-checksum"),
        (replaced(DEFLATED, struct.pack("<I", 500), struct.pack("<I", 501)), "differing-size"),
        (replaced(ONE, END + b"\0\0\0\0\1\0\1\0", END + b"\0\0\0\0\2\0\2\0"), "member-count"),
        (zipped([("a", b"x"), ("b", b"y")]).replace(b"b", b"a"), "duplicate-member"),
        (ONE + b"tail", "suffix"),
        (b"#!" + ONE, "prefix"),
        (zipped({"": b"x"}), "empty-name"),
        (without_last_member(zipped({"a": b"x", "b": b"y"})), "hole"),
    ],
)
def test_what_two_readers_see_differently_is_a_hazard(data: bytes, found: str) -> None:
    assert (STRUCTURE, found) in hazards(seen(data))


def renamed(second: bytes, name: str = "a.txt") -> bytes:
    info = zipfile.ZipInfo(name)
    info.extra = struct.pack("<2HBI", 0x7075, 5 + len(second), 1, zlib.crc32(name.encode())) + second
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(info, b"x")
    return target.getvalue()


def test_a_second_name_is_a_hazard_unless_it_is_the_first_one_in_unicode() -> None:
    assert hazards(seen(renamed(b"data.pkl"))) == {(STRUCTURE, "second-name")}
    assert hazards(seen(renamed("ä.pkl".encode()))) == {(STRUCTURE, "second-name")}
    assert hazards(seen(renamed("ä.txt".encode()))) == set()
    assert hazards(seen(renamed(b"a.txt"))) == set()


def test_an_end_record_in_the_comment_of_another_is_a_hazard() -> None:
    hidden = zipped({"a": EVIL})
    outer = bytearray(ONE)
    struct.pack_into("<H", outer, len(outer) - 2, len(hidden))
    inside = seen(bytes(outer) + hidden)
    assert (STRUCTURE, "second-end") in hazards(inside)
    assert ("a", "posix.system") in imported(inside)


def test_members_that_the_directory_does_not_list_are_examined() -> None:
    inside = seen(without_last_member(zipped({"a": b"x", "b": EVIL})), "a.zip")
    assert imported(inside) == [("b", "posix.system")]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_stream_of_members_without_a_directory_is_examined(method: int) -> None:
    data = zipped({"a": b"x" * 99, "b": EVIL, "c": EVIL}, method)
    inside = seen(data[: data.index(CENTRAL)], "a.zip")
    assert imported(inside) == [("b", "posix.system"), ("c", "posix.system")]
    assert (reasons(inside), inside.may_run) == (["malformed"], True)


def test_a_cut_archive_with_descriptors_is_examined_too() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    target = Pipe()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"x" * 99)
        archive.writestr("b", EVIL)
    data = target.getvalue()
    assert ("b", "posix.system") in imported(seen(data[: data.index(CENTRAL)], "a.zip"))


def test_one_broken_member_does_not_hide_the_others() -> None:
    data = replaced(zipped({"a": b"x", "z": b"x", "b": EVIL}), b"PK\x03\x04", b"QK\x03\x04", 1)
    inside = seen(data, "a.zip")
    assert imported(inside) == [("b", "posix.system")]
    assert (reasons(inside), inside.may_run) == (["malformed"], True)


def test_a_member_that_claims_more_than_there_is_is_read_as_far_as_it_goes() -> None:
    data = zipped({"b": EVIL})
    claimed = data.replace(struct.pack("<2I", len(EVIL), len(EVIL)), struct.pack("<2I", 2**30, 2**30))
    inside = seen(claimed, "a.zip")
    assert imported(inside) == [("b", "posix.system")]
    assert (STRUCTURE, "impossible-size") in hazards(inside)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("../up", "parent"), ("a/../../up", "parent"), ("..\\up", "parent"), ("/etc/passwd", "absolute"),
        ("\\\\host\\share", "absolute"), ("C:\\x", "drive"), ("c:x", "drive"),
    ],
)  # fmt: skip
def test_a_name_that_leads_out_is_an_escape(name: str, found: str) -> None:
    assert hazards(seen(zipped({name: b"x"}), "a.zip")) == {(ESCAPE, found)}


def test_a_name_with_a_nul_is_an_escape() -> None:
    data = zipped({"data.pkl?.txt": b"x"}).replace(b"?", b"\0")
    assert hazards(seen(data, "a.zip")) == {(ESCAPE, "nul")}


@pytest.mark.parametrize("name", ["a/b", "a..b/c...", "./a", "a\\b", "ä/ö", "ab:c"])
def test_an_odd_name_that_stays_is_none(name: str) -> None:
    assert hazards(seen(zipped({name: b"x"}), "a.zip")) == set()


@pytest.mark.parametrize(
    ("target", "bad"),
    [("../../up", True), ("/etc/passwd", True), ("../up", False), ("other", False), ("..\\..\\up", True)],
)
def test_a_symbolic_link_may_not_lead_out(target: str, bad: bool) -> None:
    info = zipfile.ZipInfo("folder/link")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(info, target)
    assert hazards(seen(file.getvalue(), "a.zip")) == ({(ESCAPE, "symlink")} if bad else set())


def encrypted(data: bytes) -> bytes:
    changed = bytearray(data)
    changed[6] = changed[data.index(CENTRAL) + 8] = 1
    return bytes(changed)


def test_an_encrypted_member_is_a_defect_and_may_run() -> None:
    inside = seen(encrypted(zipped({"a/data.pkl": bytes(range(200))})))
    assert (reasons(inside), inside.may_run, inside.hazards) == (["encrypted"], True, ())


def test_what_only_claims_to_be_encrypted_is_read() -> None:
    assert imported(seen(encrypted(zipped({"a/data.pkl": EVIL})))) == [("a/data.pkl", "posix.system")]


def with_method(data: bytes, method: int) -> bytes:
    changed = bytearray(data)
    changed[8] = changed[data.index(CENTRAL) + 10] = method
    return bytes(changed)


@pytest.mark.parametrize(("name", "may_run"), [("data.pkl", True), ("data", True), ("a.json", False)])
def test_an_unknown_method_is_a_defect_and_may_run_unless_it_is_a_document(name: str, may_run: bool) -> None:
    inside = seen(with_method(zipped({name: b"x"}), 93), "a.zip")
    assert (reasons(inside), inside.may_run) == (["unsupported"], may_run)


def test_a_wrong_checksum_of_what_would_run_is_a_hazard_but_not_a_missing_one() -> None:
    data = zipped({"data.pkl": EVIL})
    crc = struct.pack("<I", zlib.crc32(EVIL))
    (hazard,) = seen(data.replace(crc, b"\1\2\3\4")).hazards
    assert (hazard.found, hazard.confidence) == ("wrong-checksum", Confidence.MEDIUM)
    # torch.serialization.set_crc32_options(False)
    assert hazards(seen(data.replace(crc, bytes(4)))) == set()


def test_storages_that_hold_pickles_are_found_and_numbers_that_look_like_them_are_not() -> None:
    numbers = b"\x80\x02" + np.random.default_rng(1).bytes(4_000)
    quiet = zipped({"a/data.pkl": PLAIN, "a/data/0": numbers, "a/data/1": b"}" + numbers, "a/data/2": b"N."})
    assert (imported(seen(quiet)), seen(quiet).defects) == ([], ())
    assert imported(seen(zipped({"a/data.pkl": PLAIN, "a/data/0": EVIL}))) == [("a/data/0", "posix.system")]


def test_classes_of_torchscript_are_its_own_only_where_there_is_code() -> None:
    own = EVIL.replace(b"posix", b"__torch__.m")
    assert imported(seen(zipped({"a/data.pkl": own, "a/code/x.py": b"x"}))) == []
    assert imported(seen(zipped({"a/data.pkl": own}))) == [("a/data.pkl", "__torch__.m.system")]
    nested = zipped({"a/data.pkl": zipped({"b": own}), "a/code/x.py": b"x"})
    assert imported(seen(nested)) == [("a/data.pkl!b", "__torch__.m.system")]


def test_a_pickle_in_what_claims_to_be_a_folder_is_found() -> None:
    assert imported(seen(zipped({"data.pkl/": EVIL}))) == [("data.pkl/", "posix.system")]


def test_archives_of_code_may_have_a_script_in_front_and_a_licence_twice() -> None:
    data = zipped([("a", b"x"), ("b", b"y"), ("lib.so", ELF)]).replace(b"b", b"a")
    assert hazards(look(data, "a.jar")) == set()
    assert hazards(look(b"#!/usr/bin/env python3\n" + ONE, "tool.pyz")) == set()


def test_bombs_are_told_by_what_they_claim() -> None:
    packed = deflated(b"x", 8 * MIB)
    assert hazards(seen(claiming(2**31, packed), "a.zip")) == {(BOMB, "ratio"), (BOMB, "total")}
    assert hazards(seen(claiming(8 * MIB + 1, packed), "a.zip")) == set()


def test_honest_arrays_of_zeros_are_no_bomb() -> None:
    file = io.BytesIO()
    np.savez_compressed(file, mask=np.zeros(20 * MIB, np.uint8))
    assert hazards(look(file.getvalue(), "mask.npz")) == set()


def overlapping(count: int) -> bytes:
    """Many directory entries for one local header."""
    one = zipped({"a": EVIL})
    start, end = one.index(CENTRAL), one.index(END)
    entries = one[start:end] * count
    return one[:start] + entries + struct.pack("<4s4H2IH", END, 0, 0, count, count, len(entries), start, 0)


def test_members_that_share_their_bytes_are_a_bomb_and_cost_little() -> None:
    started = process_time()
    inside = seen(overlapping(10_000), "a.zip")
    assert (BOMB, "overlap") in hazards(inside)
    assert imported(inside) == [("a", "posix.system")]
    assert process_time() - started < 3


def test_an_archive_that_holds_itself_is_a_bomb() -> None:
    # Only a fixed point of deflate is one in earnest; this part is as long as its member and begins so.
    inner = zipped({"a": EVIL})
    outer = Memory(zipped({"r.zip": inner}))
    walk = Walk(EXAMINERS)
    part = Part(
        name="r.zip", inside="", depth=0, host=Host.PLAIN, head=inner[:512], size=len(inner), reader=outer
    )
    assert walk.dispatch(part) == "zip"
    assert [(hazard.kind, hazard.found) for hazard in walk.hazards.found] == [(BOMB, "quine")]
    assert walk.imports == ()


def test_containers_that_double_at_every_level_are_a_bomb() -> None:
    data = EVIL
    for level in range(6):
        data = zipped({f"{level}a": data, f"{level}b": data}, zipfile.ZIP_DEFLATED)
    inside = seen(data, "a.zip")
    assert (BOMB, "nesting") in hazards(inside)
    assert "limit" in reasons(inside)


def test_a_flood_of_one_hazard_does_not_hide_another() -> None:
    files = {f"../{number}": b"" for number in range(500)} | {"data.pkl": EVIL, "lib": ELF}
    inside = seen(zipped(files))
    assert {found for _, found in hazards(inside)} == {"parent", "elf"}
    assert len(inside.hazards) < 50


def test_memory_does_not_follow_what_members_inflate_to() -> None:
    packed = deflated(EVIL[:-1] + struct.pack("<cI", b"B", 200 * MIB), 200 * MIB)
    data = claiming(200 * MIB + 50, packed, b"data.pkl")
    tracemalloc.start()
    inside = seen(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "limit" in reasons(inside)
    assert imported(inside) == [("data.pkl", "posix.system")]
    assert peak < 80 * MIB


def test_many_members_of_an_inflated_archive_are_a_limit() -> None:
    inner = zipped({str(number): b"x" for number in range(10_100)})
    inside = seen(zipped({"a": inner}, zipfile.ZIP_DEFLATED), "a.zip")
    assert reasons(inside) == ["limit"]
