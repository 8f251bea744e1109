"""Files against a manifest: each state apart, and what all of them amount to."""

from __future__ import annotations

from hashlib import sha256

import pytest

from aibom.domain.check import Outcome
from aibom.domain.errors import Reason
from aibom.domain.gap import Gap, Stage
from aibom.domain.signing import Manifest, Method, Resource
from aibom.domain.verification import FileState, FileVerdict
from aibom.trust.model import GIT_PATHS, absent, compare, is_ignored, outcome_of, place_of, unreadable

A, B = (sha256(text).hexdigest() for text in (b"a", b"b"))


def gap(path: str, detail: str = "denied") -> Gap:
    return Gap(path=path, stage=Stage.LIST, reason=Reason.DENIED, detail=detail)


def whole(name: str, digest: str = A) -> Resource:
    return Resource(name=name, algorithm="sha256", digest=digest)


def shard(name: str, start: int, end: int, digest: str = A) -> Resource:
    return Resource(name=name, algorithm="sha256", digest=digest, start=start, end=end)


def manifest(*resources: Resource, ignored: tuple[str, ...] = ()) -> Manifest:
    sharded = any(each.start is not None for each in resources)
    method = Method.SHARDS if sharded else Method.FILES
    return Manifest(
        name="m", resources=resources, method=method, shard_size=10 if sharded else None, ignore_paths=ignored
    )


def by_path(*verdicts: FileVerdict) -> dict[str, FileState]:
    assert [each.path for each in verdicts] == sorted({each.path for each in verdicts})
    return {each.path: each.state for each in verdicts}


def test_every_state_is_told_apart() -> None:
    names = ("changed", "gone", "same", "short", "unread")
    found = {
        ("same", None, None): A,
        ("changed", None, None): B,
        ("unread", None, None): gap("unread"),
        ("short", None, None): None,
    }
    sizes = dict.fromkeys(
        ["same", "changed", "unread", "short", "new", ".gitignore", "logs/x", "model.sig"], 1
    )
    verdicts = compare(
        manifest(*map(whole, names), ignored=("logs",)), found, sizes, ["model.sig"], [gap("lost")]
    )
    assert by_path(*verdicts) == {
        "same": "verified", "changed": "changed", "short": "changed", "gone": "missing", "new": "extra",
        "unread": "unreadable", "lost": "unreadable", ".gitignore": "ignored", "logs/x": "ignored",
        "model.sig": "ignored",
    }  # fmt: skip
    told = {each.path: each for each in verdicts}
    assert (told["changed"].expected, told["changed"].found) == (f"sha256:{A}", f"sha256:{B}")
    assert (told["short"].expected, told["short"].found) == (f"sha256:{A}", "")
    assert told["unread"].detail == told["lost"].detail == "denied"
    assert told["logs/x"].detail == "the signer left it out"
    assert told["gone"].detail == "it was signed and is not here"
    assert told["new"].detail == "nobody signed it"


def test_what_was_signed_is_compared_even_where_it_would_be_ignored() -> None:
    for path in (".gitignore", "logs", "model.sig"):
        verdicts = compare(
            manifest(whole(path), ignored=("logs",)), {(path, None, None): B}, {path: 1}, ["model.sig"]
        )
        assert by_path(*verdicts) == {path: FileState.CHANGED}


def test_gaps_in_what_is_ignored_are_no_matter_and_in_what_is_signed_unreadable() -> None:
    gaps = [gap(".git/x"), gap("logs/"), gap("model.sig"), gap("a")]
    verdicts = compare(manifest(whole("a"), ignored=("logs",)), {}, {}, ["model.sig"], gaps)
    assert by_path(*verdicts) == {"a": FileState.UNREADABLE}


@pytest.mark.parametrize(
    ("lost", "state"),
    [
        ("sub/", FileState.UNREADABLE),
        ("sub/a", FileState.UNREADABLE),
        (".", FileState.UNREADABLE),
        ("su/", FileState.MISSING),
        ("sub", FileState.MISSING),
        ("sub/a/", FileState.MISSING),
    ],
)
def test_what_may_lie_where_nobody_could_look_is_not_missing(lost: str, state: FileState) -> None:
    assert absent("sub/a", [gap("x"), gap(lost)], "gone").state is state
    verdicts = compare(manifest(whole("sub/a")), {}, {}, (), [gap(lost)])
    assert {each.path: each.state for each in verdicts}["sub/a"] is state


def test_all_shards_have_to_be_right_and_the_length_too() -> None:
    signed = manifest(shard("f", 0, 10), shard("f", 10, 15))
    good: dict[tuple[str, int | None, int | None], str | Gap | None] = {
        ("f", 0, 10): A, ("f", 10, 15): A,
    }  # fmt: skip
    assert by_path(*compare(signed, good, {"f": 15})) == {"f": "verified"}
    for size in (0, 14, 16):
        [verdict] = compare(signed, good, {"f": size})
        assert (verdict.state, verdict.detail) == (FileState.CHANGED, f"{size} bytes, 15 were signed")
    [verdict] = compare(signed, good | {("f", 10, 15): B}, {"f": 15})
    assert verdict.state is FileState.CHANGED
    assert verdict.detail.startswith("bytes 10 to 15: ")
    [verdict] = compare(signed, good | {("f", 0, 10): gap("f")}, {"f": 15})
    assert verdict.state is FileState.UNREADABLE


def test_only_empty_files_have_no_shard() -> None:
    signed = manifest(shard("f", 0, 1))
    found: dict[tuple[str, int | None, int | None], str | Gap | None] = {("f", 0, 1): A}
    assert by_path(*compare(signed, found, {"f": 1, "empty": 0, "full": 1})) == {
        "f": "verified", "empty": "ignored", "full": "extra",
    }  # fmt: skip
    assert by_path(*compare(manifest(whole("f")), {("f", None, None): A}, {"f": 1, "empty": 0})) == {
        "f": "verified", "empty": "extra",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("logs", True), ("logs/a", True), ("logs/a/b", True), ("logs2", False), ("a/logs", False),
        (".git/HEAD", True), (".github/x", True), (".gitmodules", False), ("sub/.git", False),
        ("Logs", False),
    ],
)  # fmt: skip
def test_a_path_is_ignored_with_all_below_it_and_nothing_else(path: str, ignored: bool) -> None:
    for name in ("logs", "logs/"):
        assert is_ignored(path, (*GIT_PATHS, name)) is (ignored and not (path == "logs" and name == "logs/"))
    assert not is_ignored(path, ("",))


def test_a_place_is_a_name_and_a_range() -> None:
    assert place_of(whole("a")) == ("a", None, None)
    assert place_of(shard("a", 1, 2)) == ("a", 1, 2)
    assert unreadable("x", gap("y")).path == "x"


V, C, M, E, G, U = (
    FileState.VERIFIED, FileState.CHANGED, FileState.MISSING, FileState.EXTRA, FileState.IGNORED,
    FileState.UNREADABLE,
)  # fmt: skip


@pytest.mark.parametrize(
    ("states", "outcome", "allowed", "words"),
    [
        ([V], Outcome.VERIFIED, Outcome.VERIFIED, "1 verified"),
        ([V, V, G], Outcome.VERIFIED, Outcome.VERIFIED, "2 verified, 1 ignored"),
        ([V, E], Outcome.CONTENT_MISMATCH, Outcome.VERIFIED, "1 verified, 1 extra"),
        ([V, C], Outcome.CONTENT_MISMATCH, Outcome.CONTENT_MISMATCH, "1 changed): do not load"),
        ([V, M], Outcome.CONTENT_MISMATCH, Outcome.CONTENT_MISMATCH, "1 missing"),
        ([V, U], Outcome.COULD_NOT_CHECK, Outcome.COULD_NOT_CHECK, "1 unreadable): make them readable"),
        ([V, U, C], Outcome.CONTENT_MISMATCH, Outcome.CONTENT_MISMATCH, "1 changed, 1 unreadable"),
        ([], Outcome.COULD_NOT_CHECK, Outcome.COULD_NOT_CHECK, "no file that is here"),
        ([G], Outcome.COULD_NOT_CHECK, Outcome.COULD_NOT_CHECK, "no file that is here"),
        ([E], Outcome.CONTENT_MISMATCH, Outcome.COULD_NOT_CHECK, "1 extra"),
    ],
)
def test_the_files_together(states: list[FileState], outcome: Outcome, allowed: Outcome, words: str) -> None:
    verdicts = [FileVerdict(path=str(number), state=state) for number, state in enumerate(states)]
    found, detail = outcome_of(verdicts)
    assert found is outcome
    assert words in detail
    assert outcome_of(verdicts, extra_allowed=True)[0] is allowed
