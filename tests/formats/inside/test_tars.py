"""tar: every member by its content; names, links and devices that lead out; what stands twice or behind."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from aibom.domain.hazard import HazardKind
from tests.formats.inside.build import EVIL, PLAIN, hazards, imported, look, reasons, seen, tarred
from tests.hostile import FIXTURES

STRUCTURE, ESCAPE = HazardKind.ARCHIVE_STRUCTURE, HazardKind.ARCHIVE_ESCAPE


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["model.nemo", "notes.txt", "a.tar"])
def test_a_pickle_is_found_in_any_member_under_any_name(form: int, name: str) -> None:
    long = "folder/" * 30 + "weights"
    inside = seen(tarred({"a.json": b"{}", long: EVIL}, form), name)
    assert [(item.inside[:7], item.name) for item in inside.imports] == [("folder/", "posix.system")]
    assert (inside.container, inside.may_run, inside.hazards, inside.defects) == (True, True, (), ())


def test_the_oldest_archives_are_read() -> None:
    data = bytearray(tarred({"a": EVIL}, tarfile.USTAR_FORMAT))
    data[257:512] = bytes(255)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    assert imported(seen(bytes(data), "a.bin")) == [("a", "posix.system")]


def test_a_compressed_archive_is_followed() -> None:
    inside = seen(gzip.compress(tarred({"a": tarred({"b": EVIL})})), "model.nemo")
    assert imported(inside) == [("gzip!a!b", "posix.system")]


@pytest.mark.parametrize(
    ("name", "found"), [("../up", "parent"), ("/etc/passwd", "absolute"), ("a/../../b", "parent")]
)
def test_a_name_that_leads_out_is_an_escape(name: str, found: str) -> None:
    assert hazards(seen(tarred({name: b"x"}), "a.tar")) == {(ESCAPE, found)}


def special(kind: bytes, target: str = "", name: str = "folder/link") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        archive.addfile(info)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (special(tarfile.SYMTYPE, "/etc/passwd"), "symlink"),
        (special(tarfile.SYMTYPE, "../../up"), "symlink"),
        (special(tarfile.SYMTYPE, "../" * 60 + "up"), "symlink"),
        (special(tarfile.LNKTYPE, "../up"), "hardlink"),
        (special(tarfile.LNKTYPE, "/etc/passwd"), "hardlink"),
        (special(tarfile.CHRTYPE), "device"),
        (special(tarfile.BLKTYPE), "device"),
        (special(tarfile.FIFOTYPE), "device"),
    ],
)
def test_links_that_lead_out_and_devices_are_escapes(data: bytes, found: str) -> None:
    assert hazards(seen(data, "a.tar")) == {(ESCAPE, found)}


@pytest.mark.parametrize(
    "data",
    [
        special(tarfile.SYMTYPE, "../up"),
        special(tarfile.SYMTYPE, "other"),
        special(tarfile.LNKTYPE, "folder/other"),
        special(tarfile.DIRTYPE, name="./"),
    ],
)
def test_links_that_stay_are_none(data: bytes) -> None:
    assert hazards(seen(data, "a.tar")) == set()


def test_a_name_twice_is_a_hazard_and_both_members_are_read() -> None:
    inside = seen(tarred([("a", EVIL), ("a", PLAIN)]), "a.tar")
    assert hazards(inside) == {(STRUCTURE, "duplicate-member")}
    assert imported(inside) == [("a", "posix.system")]


def test_what_follows_the_end_is_a_hazard_and_examined() -> None:
    first = tarred({"a": b"x"})
    inside = seen(first + tarred({"b": EVIL}), "a.tar")
    assert hazards(inside) == {(STRUCTURE, "trailing")}
    assert imported(inside) == [(f"@{len(first)}!b", "posix.system")]
    assert hazards(look(first + bytes(50_000), "a.tar")) == set()


def test_behind_a_broken_header_the_next_good_one_is_looked_for() -> None:
    data = bytearray(tarred({"a": b"x", "b": b"x", "c": EVIL}))
    data[1024 + 200] ^= 1
    inside = seen(bytes(data), "a.tar")
    assert imported(inside) == [("@2048!c", "posix.system")]
    assert (reasons(inside), inside.may_run) == (["malformed"], True)


def test_a_cut_archive_is_a_defect_and_what_is_there_is_read() -> None:
    inside = seen(tarred({"a": EVIL, "b": bytes(9_000)})[:5_000], "a.tar")
    assert imported(inside) == [("a", "posix.system")]
    assert reasons(inside) == ["truncated"]


def test_the_first_checkpoints_of_pytorch_are_read_by_their_own_reader() -> None:
    inside = seen((FIXTURES / "torch/old.pt").read_bytes())
    assert {item.name for item in inside.imports} >= {"torch.FloatTensor", "torch.FloatStorage"}
    assert (inside.hazards, inside.container, inside.may_run) == ((), True, True)


@pytest.mark.parametrize(("name", "found"), [("more", set()), ("pickle", {(STRUCTURE, "duplicate-member")})])
def test_a_pickle_beside_the_parts_of_such_a_checkpoint_is_found(
    name: str, found: set[tuple[HazardKind, str]]
) -> None:
    """Of two parts of one name unpacking leaves the last one, and the reader tells of the first."""
    data = (FIXTURES / "torch/old.pt").read_bytes()
    file = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(data)) as old, tarfile.open(fileobj=file, mode="w") as new:
        for member in old:
            new.addfile(member, old.extractfile(member))
        info = tarfile.TarInfo(name)
        info.size = len(EVIL)
        new.addfile(info, io.BytesIO(EVIL))
    inside = seen(file.getvalue())
    assert (name, "posix.system") in imported(inside)
    assert hazards(inside) == found


def test_a_program_that_runs_as_somebody_else_is_an_escape() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, mode in (("plain", 0o755), ("sticky", 0o1644), ("owner", 0o4755), ("group", 0o2755)):
            info = tarfile.TarInfo(name)
            info.size, info.mode = 1, mode
            archive.addfile(info, io.BytesIO(b"x"))
    told = [(hazard.kind, hazard.found) for hazard in seen(file.getvalue(), "m.tar").hazards]
    assert told == [(HazardKind.ARCHIVE_ESCAPE, "set-user-id")]
    assert "'owner'" in seen(file.getvalue(), "m.tar").hazards[0].message
