"""What a bill of materials says about files: only whole SHA-256 digests count, and nothing is guessed."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap, Stage
from aibom.domain.verification import FileState
from aibom.trust.bom import compare_with_bom, is_same, read_digests
from aibom.trust.fields import canonical

A, B = (sha256(text).hexdigest() for text in (b"a", b"b"))


def file(
    name: object = "a", content: object = A, alg: object = "SHA-256", **more: object
) -> dict[str, object]:
    return {"type": "file", "name": name, "hashes": [{"alg": alg, "content": content}]} | more


def bom(*components: object, **more: object) -> bytes:
    return json.dumps(
        {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components} | more
    ).encode()


def test_files_and_data_are_read_at_every_depth() -> None:
    inner = file("deep", B, components=[file("deeper", A)])
    document = bom(
        {"type": "machine-learning-model", "name": "m", "components": [inner]},
        file("top"),
        file("d", B, type="data"),
    )
    assert read_digests(document) == {"deep": B, "deeper": A, "top": A, "d": B}


def test_upper_case_is_read_as_the_schema_allows() -> None:
    assert read_digests(bom(file(content=A.upper()))) == {"a": A}


@pytest.mark.parametrize(
    "component",
    [
        file(type="library"), file(type="machine-learning-model"), file(name=""), file(name=7),
        file(hashes=[]),
        file(hashes=None), "text", None, [], {"type": "file", "name": "a"},
    ],
)  # fmt: skip
def test_what_is_no_listed_file_is_passed_over(component: object) -> None:
    assert read_digests(bom(component, file("b", B))) == {"b": B}
    assert read_digests(bom(components=component)) == {}


@pytest.mark.parametrize(
    "content",
    [A[:-1], A[:-2], A[:32], A + "00", A + "\n", " " + A, "g" + A[1:], "", None, 7, ["a"], "sha256:" + A],
)
def test_a_sha256_that_is_none_is_malformed_and_names_the_file(content: object) -> None:
    with pytest.raises(
        UnreadableError, match=r"of 'weights\.bin' in the bill of materials is none"
    ) as caught:
        read_digests(bom(file("weights.bin", content)))
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("alg", ["SHA-512", "SHA3-256", "sha-256", "MD5", None, "BLAKE2b-256"])
def test_digests_of_other_algorithms_are_unsupported_and_never_taken_for_sha256(alg: object) -> None:
    document = bom(file(alg=alg), file("b", B))
    with pytest.raises(UnreadableError, match="states no SHA-256 of 'a'") as caught:
        read_digests(document)
    assert caught.value.reason is Reason.UNSUPPORTED
    assert read_digests(document, others=True) == {"b": B}


def test_further_algorithms_beside_sha256_are_no_matter() -> None:
    hashes = [{"alg": "MD5", "content": "0" * 32}, {"alg": "SHA-256", "content": A}, "odd"]
    assert read_digests(bom(file(hashes=hashes))) == {"a": A}


def test_two_digests_of_one_path_are_malformed_and_one_twice_is_not() -> None:
    assert read_digests(bom(file(), file(content=A.upper()))) == {"a": A}
    for document in (
        bom(file(), file(content=B)),
        bom(file(), {"type": "x", "components": [file(content=B)]}),
    ):
        with pytest.raises(UnreadableError, match="two digests of 'a'"):
            read_digests(document)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.MALFORMED), (b"[]", Reason.UNSUPPORTED), (b"{}", Reason.UNSUPPORTED),
        (b"\xff", Reason.MALFORMED),
        (b'{"bomFormat": "SPDX"}', Reason.UNSUPPORTED), (b'{"bomFormat": ["CycloneDX"]}', Reason.UNSUPPORTED),
        (b'{"bomFormat": "CycloneDX", "components": [], "components": []}', Reason.MALFORMED),
        (b"[" * 1_000, Reason.LIMIT), (b'<?xml version="1.0"?><bom/>', Reason.MALFORMED),
    ],
)  # fmt: skip
def test_another_document_is_refused(data: bytes, reason: Reason) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_digests(data)
    assert caught.value.reason is reason


def gap(path: str) -> Gap:
    return Gap(path=path, stage=Stage.LIST, reason=Reason.DENIED, detail="denied")


def test_every_state_is_told_apart() -> None:
    stated = {"same": A, "changed": A, "gone": A, "unread": A, "sub/in": A, "old.sig": A, "new.sig": A}
    found: dict[str, str | Gap] = {
        "same": A, "changed": B, "unread": gap("unread"), "sub/": gap("sub/"), "extra": B, "old.sig": A,
        "new.sig": B, "other.sig": "", "lost": gap("lost"), "lost.sig": gap("lost.sig"),
    }  # fmt: skip
    verdicts = compare_with_bom(stated, found, ["old.sig", "new.sig", "other.sig", "lost.sig"])
    assert [each.path for each in verdicts] == sorted(stated.keys() | found.keys())
    assert {each.path: each.state for each in verdicts} == {
        "same": "verified", "changed": "changed", "gone": "missing", "unread": "unreadable",
        "sub/in": "unreadable", "sub/": "unreadable", "extra": "extra", "old.sig": "verified",
        "new.sig": "ignored", "other.sig": "ignored", "lost": "unreadable", "lost.sig": "ignored",
    }  # fmt: skip
    told = {each.path: each for each in verdicts}
    assert (told["changed"].expected, told["changed"].found) == (f"sha256:{A}", f"sha256:{B}")
    assert told["new.sig"].detail == "it was written after the list"
    assert told["gone"].detail == "it is listed and not here"
    assert told["extra"].detail == "the bill of materials does not list it"


def test_an_empty_list_finds_every_file_extra() -> None:
    assert [each.state for each in compare_with_bom({}, {"a": A})] == [FileState.EXTRA]
    assert compare_with_bom({}, {}) == ()


def test_the_layout_of_a_document_is_free_and_its_content_is_not() -> None:
    document = {"b": [1, 2.5, None], "a": "ä"}
    signed = canonical(document)  # type: ignore[arg-type]
    assert is_same(json.dumps(document, indent=3).encode(), signed)
    assert not is_same(json.dumps({**document, "b": [1, 2.5]}).encode(), signed)
    for bad in (b"", b"no JSON", b'{"a": "\xc3\xa4", "a": 1}', b"[" * 1_000):
        assert not is_same(bad, signed)
