"""Lists of checksums: what coreutils write is read, what is no digest is told."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, FileKind
from aibom.domain.limits import MIB
from aibom.domain.protocols import Match
from aibom.formats.checksums import FORMAT, LINE_COUNT, MANIFEST_BYTES
from tests.hostile import flips, outcome, probe_of, read, truncations

SHA, MD5 = "a" * 64, "b" * 32


def told(text: str | bytes, name: str = "SHA256SUMS") -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    data = text.encode() if isinstance(text, str) else text
    return [(each.value, each.details) for each in read(FORMAT, data, name).statements]


def test_a_line_is_a_statement_with_its_number() -> None:
    facts = read(FORMAT, f"# made today\n\n{SHA}  data/x.csv\r\n".encode(), "SHA256SUMS")
    (statement,) = facts.statements
    assert (facts.kind, statement.attribute) == (FileKind.INDEX, Attribute.DATA_FILE)
    assert (statement.value, statement.pointer, statement.details) == (
        "data/x.csv", "L3", (("sha256", SHA),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"{SHA}  x", "x"),
        (f"{SHA} *x", "x"),
        (f"{SHA}   x", " x"),
        (f"{SHA}  *x", "*x"),
        (f"{SHA}\tx", "x"),
        (f"{SHA.upper()}  ./a b", "./a b"),
        (f"\\{SHA}  a\\nb\\\\c", "a\nb\\c"),
        (f"{SHA}  a\\nb", "a\\nb"),
        (f"SHA256 (a (1)) = {SHA}", "a (1)"),
        (f"SHA2-256(x)= {SHA}", "x"),
        (f"\\SHA256 (a\\nb) = {SHA}", "a\nb"),
        (f"{SHA}  a\x0cb\u2028c", "a\x0cb\u2028c"),
    ],
    ids=[
        "text",
        "binary",
        "blank",
        "star",
        "tab",
        "case",
        "escaped",
        "plain",
        "tag",
        "openssl",
        "both",
        "odd",
    ],
)
def test_every_spelling_of_a_line(line: str, expected: str) -> None:
    assert told(line + "\n") == [(expected, (("sha256", SHA),))]


@pytest.mark.parametrize(
    ("name", "length", "algorithm"),
    [
        ("checksums.txt", 32, "md5"),
        ("checksums.txt", 40, "sha1"),
        ("CHECKSUM", 64, "sha256"),
        ("checksums", 96, "sha384"),
        ("checksums", 128, "sha512"),
        ("B2SUMS", 128, "blake2b"),
        ("manifest-md5.txt", 32, "md5"),
        ("sha1sum.txt", 40, "sha1"),
        ("x-SHA-256SUMS.txt", 64, "sha256"),
    ],
)
def test_the_algorithm_is_that_of_the_name_or_the_length(name: str, length: int, algorithm: str) -> None:
    assert told(f"{'0' * length}  x\n", name) == [("x", ((algorithm, "0" * length),))]


def test_a_digest_alone_is_about_the_file_beside() -> None:
    assert told(f"{SHA}\n", "train.csv.sha256") == [("train.csv", (("sha256", SHA),))]


@pytest.mark.parametrize(
    ("name", "line", "kept", "words"),
    [
        ("SHA256SUMS", f"{SHA[:63]}  x", f"sha256:{SHA[:63]}", "of 63 characters, 64 are expected"),
        ("SHA256SUMS", f"{MD5}  x", f"sha256:{MD5}", "of 32 characters"),
        ("checksums.txt", f"{SHA[:50]}  x", f"sha256:{SHA[:50]}", "by no algorithm that is named"),
        ("checksums.txt", f"MD5 (x) = {SHA}", f"md5:{SHA}", "a md5 digest of 64 characters"),
        ("checksums.txt", f"TIGER (x) = {SHA}", f"tiger:{SHA}", "by tiger"),
    ],
    ids=["truncated", "shorter", "unnamed", "tagged", "unknown"],
)
def test_a_digest_of_another_length_is_kept_as_malformed(name: str, line: str, kept: str, words: str) -> None:
    facts = read(FORMAT, line.encode(), name)
    assert facts.statements[0].details == (("malformed", kept),)
    assert words in facts.defects[0].message


def test_a_line_that_is_no_digest_is_a_defect_and_the_others_are_told() -> None:
    facts = read(FORMAT, f"{SHA}  x\nhello world\n".encode(), "SHA256SUMS")
    assert (len(facts.statements), [each.reason for each in facts.defects]) == (1, [Reason.MALFORMED])


def test_what_follows_a_signature_is_not_read() -> None:
    text = (
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{SHA}  x\n-----BEGIN PGP SIGNATURE-----\nabc\n"
    )
    facts = read(FORMAT, text.encode(), "SHA256SUMS.asc")
    assert (len(facts.statements), facts.defects) == (1, ())


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("SHA256SUMS", f"{SHA}  x".encode(), Match.CONTENT),
        ("train.parquet.md5", MD5.encode(), Match.CONTENT),
        ("checksums.txt", b"hello", Match.NO),
        ("x.txt", f"{SHA}  x".encode(), Match.NO),
        ("SHA256SUMS", f"{SHA}  x\0".encode(), Match.NO),
        ("SHA256SUMS", b"", Match.NO),
        ("sha256.py", f"{SHA}  x".encode(), Match.NO),
    ],
    ids=["sums", "single", "prose", "name", "binary", "empty", "code"],
)
def test_name_and_first_line_tell_the_format(name: str, data: bytes, match: Match) -> None:
    assert FORMAT.recognise(probe_of(data, name)) is match


@pytest.mark.parametrize("command", ["md5sum", "sha1sum", "sha256sum", "sha384sum", "sha512sum", "b2sum"])
@pytest.mark.parametrize("tag", [False, True], ids=["plain", "tag"])
def test_what_coreutils_write_is_read(command: str, tag: bool, tmp_path: Path) -> None:
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed")
    names = ["x.csv", "a b", "back\\slash", "new\nline", "(1)", "*star", "ü"]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    options = ["--tag"] if tag else []
    done = subprocess.run([command, *options, "--", *names], cwd=tmp_path, capture_output=True, check=True)
    algorithm = {"b2": "blake2b"}.get(command.removesuffix("sum"), command.removesuffix("sum"))
    expected = [(name, ((algorithm, hashlib.new(algorithm, name.encode()).hexdigest()),)) for name in names]
    assert told(done.stdout, f"{command.upper()}S") == expected


@given(st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), min_size=1, max_size=20))
def test_every_name_is_told_as_it_stands(name: str) -> None:
    assert told(f"{SHA} *{name}\n") == [(name, (("sha256", SHA),))]


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    outcome(FORMAT, data, "SHA256SUMS")


def test_damaged_lists_raise_nothing_else() -> None:
    data = f"{SHA}  x\n\\{MD5}  a\\nb\nSHA256 (y) = {SHA}\n".encode()
    for damaged in (*truncations(data), *flips(data, 300)):
        outcome(FORMAT, damaged, "checksums.txt")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\n" * 10, Reason.MALFORMED),
        (b"\xff\xfe", Reason.MALFORMED),
        (b"0" * (MANIFEST_BYTES + 1), Reason.LIMIT),
    ],
    ids=["empty", "no-utf-8", "large"],
)
def test_hostile_lists_are_unreadable(data: bytes, reason: Reason) -> None:
    found = outcome(FORMAT, data, "SHA256SUMS")
    assert isinstance(found, UnreadableError)
    assert found.reason is reason


def test_a_list_of_too_many_lines_is_told_in_part_with_little_memory() -> None:
    data = f"{MD5}  x\n".encode() * (LINE_COUNT + 2)
    tracemalloc.start()
    facts = read(FORMAT, data, "MD5SUMS")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * MIB
    assert (len(facts.statements), [each.reason for each in facts.defects]) == (LINE_COUNT, [Reason.LIMIT])


def test_many_blank_lines_take_little_memory() -> None:
    data = "\U0001f600\n".encode() + b"\n" * MIB
    tracemalloc.start()
    outcome(FORMAT, data, "MD5SUMS")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * MIB
