"""Git LFS pointers: what git-lfs writes is read, and anything that differs from it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import FileKind
from aibom.domain.protocols import Match
from aibom.formats.lfs_pointer import FORMAT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

POINTER = (FIXTURES / "lfs_pointer/model.safetensors").read_bytes()
EXTENDED = (FIXTURES / "lfs_pointer/extension.bin").read_bytes()
# What `printf weights | sha256sum` and `printf WEIGHTS | sha256sum` say.
WEIGHTS = "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"
UPPER = "14422b042349bd2e1e537c361c780005f69282015a7d8c36312293ab017b0b36"
VERSION = b"version https://git-lfs.github.com/spec/v1\n"
OID = b"oid sha256:" + WEIGHTS.encode() + b"\n"
SIZE = b"size 7\n"
DIGEST = st.text("0123456789abcdef", min_size=64, max_size=64)


def test_digest_and_size_of_the_content_are_told() -> None:
    facts = read_fixture(FORMAT, "lfs_pointer/model.safetensors")
    assert facts.metadata == (("oid", WEIGHTS), ("size", "7"))
    assert facts.kind is FileKind.POINTER
    assert facts.version == "1"


def test_an_extension_tells_the_digest_of_the_content_beside_that_of_the_stored_bytes() -> None:
    facts = read_fixture(FORMAT, "lfs_pointer/extension.bin")
    assert facts.metadata == (("oid", UPPER), ("size", "7"), ("ext-0-case", f"sha256:{WEIGHTS}"))


def test_the_url_from_before_the_first_release_is_a_pointer_too() -> None:
    old = POINTER.replace(b"git-lfs.github.com", b"hawser.github.com")
    assert FORMAT.recognise(probe_of(old, "a.bin")) is Match.CONTENT
    assert dict(read(FORMAT, old, "a.bin").metadata)["oid"] == WEIGHTS


def test_recognised_by_content_under_any_name_and_only_when_small() -> None:
    assert FORMAT.recognise(probe_of(POINTER, "model.safetensors")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(POINTER + b" " * 1_000, "notes.txt")) is Match.NO
    assert FORMAT.recognise(probe_of(b"version 2\n", "model.safetensors")) is Match.NO
    assert FORMAT.recognise(probe_of(b"", "pointer")) is Match.NO


@given(DIGEST, st.integers(1, 2**63 - 1), st.lists(DIGEST, max_size=3))
def test_any_pointer_by_the_specification_is_read(oid: str, size: int, inputs: list[str]) -> None:
    extensions = "".join(f"ext-{order}-x sha256:{value}\n" for order, value in enumerate(inputs))
    text = f"{VERSION.decode()}{extensions}oid sha256:{oid}\nsize {size}\n"
    facts = read(FORMAT, text.encode(), "a.bin")
    assert facts.metadata[:2] == (("oid", oid), ("size", str(size)))
    assert len(facts.metadata) == 2 + len(inputs)


@given(st.binary(max_size=300))
def test_arbitrary_lines_after_the_version_never_crash(body: bytes) -> None:
    outcome(FORMAT, VERSION + body, "a.bin")


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (VERSION + OID + SIZE[:-1], Reason.MALFORMED, "no end"),
        (VERSION, Reason.MALFORMED, "ends with oid and size"),
        (VERSION + SIZE + OID, Reason.MALFORMED, "ends with oid and size"),
        (VERSION + OID + SIZE + b"zzz 1\n", Reason.MALFORMED, "unknown key 'oid'"),
        (VERSION + b"aaa 1\n" + OID + SIZE, Reason.MALFORMED, "unknown key 'aaa'"),
        (OID + SIZE, Reason.MALFORMED, "starts with its version"),
        (VERSION.replace(b"v1", b"v2") + OID + SIZE, Reason.UNSUPPORTED, "spec/v2"),
        (VERSION + OID.replace(b"9a", b"9A") + SIZE, Reason.MALFORMED, "impossible oid"),
        (VERSION + OID.replace(b"9a", b"") + SIZE, Reason.MALFORMED, "impossible oid"),
        (VERSION + OID.replace(b"sha256", b"md5") + SIZE, Reason.MALFORMED, "impossible oid"),
        (VERSION + OID + b"size -1\n", Reason.MALFORMED, "impossible size"),
        (VERSION + OID + b"size 0\n", Reason.MALFORMED, "impossible size"),
        (VERSION + OID + b"size 07\n", Reason.MALFORMED, "impossible size"),
        (VERSION + OID + b"size 9223372036854775808\n", Reason.MALFORMED, "impossible size"),
        (VERSION + OID + b"size " + b"9" * 700 + b"\n", Reason.MALFORMED, "impossible size"),
        (VERSION + OID + b"size  7\n", Reason.MALFORMED, "impossible size"),
        (VERSION + OID + b"\n" + SIZE, Reason.MALFORMED, "not a key and a value"),
        ((VERSION + OID + SIZE).replace(b"\n", b"\r\n"), Reason.MALFORMED, "plain lines"),
        (VERSION + OID + "size ７\n".encode(), Reason.MALFORMED, "plain lines"),
        (EXTENDED.replace(b"ext-0-case", b"ext-0"), Reason.MALFORMED, "unknown key 'ext-0'"),
        (EXTENDED.replace(b"ext-0-case sha256:9a", b"ext-0-case 9a"), Reason.MALFORMED, "impossible ext-0"),
        (VERSION + 2 * EXTENDED[len(VERSION) :], Reason.MALFORMED, "unknown key 'oid'"),
        (
            VERSION + b"ext-1-b " + OID[4:] + b"ext-0-a " + OID[4:] + OID + SIZE,
            Reason.MALFORMED,
            "'ext-0-a' of a pointer is out of order",
        ),
        (VERSION + b"ext-0-a " + OID[4:] + b"ext-0-b " + OID[4:] + OID + SIZE, Reason.MALFORMED, "of order"),
        (POINTER + b"x" * (1_024 - len(POINTER)), Reason.MALFORMED, "shorter than 1024"),
    ],
)  # fmt: skip
def test_hostile_pointers_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(FORMAT, data, "a.bin")
    assert caught.value.reason is reason
    assert words in str(caught.value)


@pytest.mark.parametrize("data", [POINTER, EXTENDED])
def test_a_cut_pointer_is_never_read_as_one(data: bytes) -> None:
    for cut in truncations(data):
        assert isinstance(outcome(FORMAT, cut, "a.bin"), UnreadableError), cut


@pytest.mark.parametrize("data", [POINTER, EXTENDED])
def test_flipped_bytes_never_crash(data: bytes) -> None:
    refused = sum(isinstance(outcome(FORMAT, copy, "a.bin"), UnreadableError) for copy in flips(data, 2_000))
    assert refused > 1_900  # only a digit for a digit leaves a pointer
