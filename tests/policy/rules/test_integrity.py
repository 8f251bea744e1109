"""integrity: digests, a place that cannot move, and a complete look are three separate demands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aibom.domain.digest import HEX_CHARS, Digest, Grade
from aibom.domain.file import File
from aibom.domain.ref import PinnedRef, Ref
from tests.builders import weights
from tests.policy.rules.demands import (
    COMMIT,
    MET,
    PATH,
    PURL,
    Unmet,
    estate,
    findings,
    gap,
    model,
    refused,
    unmet,
)

SECTION = "integrity: {hashes: [sha256, blake3], grade: chained, revision: pinned, coverage: complete}"
HASHES = "integrity: {hashes: [sha256]}"
PINNED = "integrity: {revision: pinned}"
COMPLETE = "integrity: {coverage: complete}"


def digested(*digests: tuple[str, Grade], path: str = PATH) -> File:
    found = (Digest(algorithm=name, value="0" * HEX_CHARS[name], grade=grade) for name, grade in digests)
    return replace(weights(path), digests=tuple(found))


def test_what_is_nailed_down_passes() -> None:
    assert unmet(SECTION, estate(model())) == MET
    assert unmet(SECTION, estate(model(), files=(digested(("blake3", Grade.CHAINED)),))) == MET


@pytest.mark.parametrize(
    ("file", "met"),
    [
        (digested(("sha512", Grade.COMPUTED)), [("sha512 computed", True)]),
        (digested(("sha256", Grade.CLAIMED)), [("sha256 claimed", True)]),
        (
            digested(("sha256", Grade.CLAIMED), ("md5", Grade.COMPUTED)),
            [("md5 computed, sha256 claimed", True)],
        ),
    ],
)
def test_a_file_without_such_a_digest_fails(file: File, met: Unmet) -> None:
    assert unmet(SECTION, estate(model(), files=(file,))) == met
    (found,) = findings(SECTION, estate(model(), files=(file,)))
    assert (found.location.path, found.expected) == (PATH, "blake3 or sha256, chained")


@pytest.mark.parametrize(("grade", "met"), [("claimed", MET), ("chained", [("sha256 claimed", True)])])
def test_the_grade_is_that_of_the_policy(grade: str, met: Unmet) -> None:
    claimed = digested(("sha256", Grade.CLAIMED))
    assert unmet(f"integrity: {{hashes: [sha256], grade: {grade}}}", estate(model(), files=(claimed,))) == met
    assert unmet(HASHES, estate(model(), files=(claimed,))) == MET


def test_every_file_is_asked_and_an_unknown_one_is_not_passed_over() -> None:
    two = model(files=(PATH, "m/other.bin"))
    weak = digested(("md5", Grade.COMPUTED), path="m/other.bin")
    assert unmet(HASHES, estate(two, files=(weights(PATH), weak))) == [("md5 computed", True)]
    assert unmet(HASHES, estate(two, files=(weights(PATH),))) == [("", False)]
    assert unmet(HASHES, estate(model(files=()))) == [("", False)]


@pytest.mark.parametrize(
    "purl",
    [
        PURL,
        PURL.upper().replace("PKG:HUGGINGFACE/ACME/M", "pkg:huggingface/acme/m"),
        f"pkg:github/acme/m@{COMMIT}",
        f"pkg:oci/m@sha256:{'a' * 64}?repository_url=r.io/m",
        f"pkg:docker/acme/m@sha256%3A{'a' * 64}",
        "pkg:mlflow/m@3",
        "pkg:pypi/m@1.2.3",
        "pkg:generic/m@v2",
    ],
)
def test_a_place_that_cannot_move_is_pinned(purl: str) -> None:
    assert unmet(PINNED, estate(model(stated_purl=purl))) == MET


@pytest.mark.parametrize(
    ("purl", "found"),
    [
        ("pkg:huggingface/acme/m", "no revision"),
        ("pkg:huggingface/acme/m@main", "main"),
        (f"pkg:huggingface/acme/m@{COMMIT[:12]}", COMMIT[:12]),
        ("pkg:github/acme/m@v1.0", "v1.0"),
        ("pkg:oci/m@1.0", "1.0"),
        (f"pkg:oci/m@sha256:{'a' * 63}", f"sha256:{'a' * 63}"),
        ("pkg:docker/acme/m@latest", "latest"),
        ("pkg:mlflow/m@champion", "champion"),
        ("pkg:mlflow/m@candidate", "candidate"),
        ("pkg:pypi/m", "no revision"),
        ("pkg:pypi/m@Latest", "Latest"),
        ("pkg:npm/m@^1.2", "^1.2"),
        ("pkg:generic/m@refs/heads/x", "refs/heads/x"),
    ],
)
def test_a_place_that_can_move_is_not(purl: str, found: str) -> None:
    (one,) = findings(PINNED, estate(model(stated_purl=purl)))
    assert (one.found, one.decided) == (found, True)
    named = f"{found} may stand for something else tomorrow"
    assert one.message == ("it has no revision" if found == "no revision" else named)


def test_the_revision_may_stand_beside_the_package_url() -> None:
    bare = "pkg:huggingface/acme/m"
    assert unmet(PINNED, estate(model(stated_purl=bare, version=COMMIT))) == MET
    ref = Ref(scheme="hf", location="acme/m", revision="main")
    assert unmet(PINNED, estate(model(stated_purl=bare, ref=ref, version=COMMIT))) == [("main", True)]
    pinned = PinnedRef(scheme="s3", location="b/m", revision="v")
    assert unmet(PINNED, estate(model(stated_purl=None, ref=pinned))) == MET


@pytest.mark.parametrize("ref", [None, Ref(scheme="file", location="m")])
def test_without_a_place_nobody_can_tell_whether_it_is_pinned(ref: Ref | None) -> None:
    assert unmet(PINNED, estate(model(stated_purl=None, ref=ref))) == [("", False)]


def test_a_look_that_left_something_out_is_not_complete() -> None:
    assert unmet(COMPLETE, estate(model(complete=False))) == [("incomplete", True)]
    assert unmet(COMPLETE, estate(model(), gaps=(gap(PATH),))) == [("gap", True)]
    assert unmet(COMPLETE, estate(model(), files=())) == [("gap", True)]
    assert unmet(COMPLETE, estate(model(), files=(), gaps=(gap(PATH),))) == [("gap", True)]
    assert unmet(COMPLETE, estate(model(files=()))) == [("", False)]


def test_gaps_elsewhere_do_not_count() -> None:
    assert unmet(COMPLETE, estate(model(), gaps=(gap("other"),))) == MET


@pytest.mark.parametrize("section", [HASHES, PINNED, COMPLETE])
def test_each_demand_stands_alone(section: str) -> None:
    assert unmet(section, estate(model())) == MET
    bad = estate(
        model(stated_purl="pkg:huggingface/acme/m@main", complete=False),
        files=(digested(("md5", Grade.COMPUTED)),),
    )
    assert len(unmet(section, bad)) == 1
    assert len(unmet(SECTION, bad)) == 3


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "demands nothing"),
        ("hashes: []", "empty list"),
        ("hashes: [md5]", "'md5' is none of"),
        ("hashes: [SHA-256]", "is none of sha256"),
        ("grade: computed", "name the algorithms under hashes"),
        ("hashes: [sha256], grade: measured", "is none of"),
        ("revision: main", "'main' is none of pinned"),
        ("coverage: all", "'all' is none of complete"),
        ("hash: [sha256]", "did you mean 'hashes'"),
    ],
)
def test_bad_settings_are_refused(settings: str, words: str) -> None:
    refused(f"integrity: {{{settings}}}", words)
