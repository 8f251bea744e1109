"""sources: places are compared by their parts, so that no spelling slips through."""

from __future__ import annotations

import pytest

from aibom.domain.ref import Ref, ref_at
from aibom.domain.target import Target
from tests.policy.rules.demands import (
    ADAPTER,
    COMMIT,
    DATASET,
    MET,
    PURL,
    Unmet,
    estate,
    findings,
    model,
    refused,
    unmet,
)

SECTION = "sources: {allow: ['pkg:huggingface/acme/*', 'file:models']}"
IMAGE = f"sha256:{'a' * 64}"
UNKNOWN = [("", False)]


@pytest.mark.parametrize("kind", [None, ADAPTER, DATASET])
def test_an_allowed_place_passes(kind: object) -> None:
    assert unmet(SECTION, estate(model(**({"kind": kind} if kind else {})))) == MET


@pytest.mark.parametrize(
    ("pattern", "purl"),
    [
        ("pkg:huggingface/acme/m", PURL),
        ("pkg:huggingface/acme/*", "pkg:huggingface/acme/m"),
        ("pkg:huggingface/acme/*", "pkg:huggingface/acme/d?repo_type=dataset"),
        ("pkg:huggingface/acme/d?repo_type=dataset", "pkg:huggingface/acme/d@main?repo_type=dataset"),
        ("pkg:huggingface/acme/*", "PKG:HuggingFace/%61cme/m@main#sub/path"),
        ("pkg:huggingface/acme/*", "pkg:/huggingface/acme/m"),
        ("pkg:huggingface/acme/m@" + COMMIT, PURL),
        ("pkg:huggingface/acme/m@refs/pr/*", "pkg:huggingface/acme/m@refs%2Fpr%2F7"),
        (
            "pkg:oci/m@sha256%3Aab?repository_url=reg.acme.io/m",
            "pkg:oci/m@sha256%3Aab?repository_url=reg.acme.io/m",
        ),
        (
            "pkg:oci/*?repository_url=reg.acme.io/*",
            "pkg:oci/m@sha256%3Aab?arch=x&repository_url=reg.acme.io/m",
        ),
    ],
)
def test_a_place_is_allowed_however_it_is_spelled(pattern: str, purl: str) -> None:
    assert unmet(f"sources: {{allow: ['{pattern}']}}", estate(model(stated_purl=purl))) == MET


@pytest.mark.parametrize(
    "purl",
    [
        "pkg:huggingface/evil/m",
        "pkg:huggingface/acme-evil/m",
        "pkg:huggingface/acme/m/more",
        "pkg:github/acme/m",
        "pkg:huggingface/acme%2Fm/x",
        "pkg:huggingface/acme/..",
        "pkg:huggingface/evil/m@pkg:huggingface/acme/m",
        "pkg:huggingface/acme/m@refs/pr/1",
        "pkg:huggingface/acme/m@refs%2Fpr%2F1",
        "pkg:huggingface/acme/m?repository_url=evil.example",
        "pkg:huggingface/acme/m?REPOSITORY_URL=evil.example",
        "pkg:huggingface/acme/m?download_url=https://evil.example/m",
        "pkg:huggingface/acme/m%3Fx",
        "acme/m",
        "file:models",
    ],
)
def test_every_other_place_fails(purl: str) -> None:
    assert unmet(SECTION, estate(model(stated_purl=purl))) == [(purl, True)]


def test_a_name_never_passes_for_a_qualifier() -> None:
    purl = "pkg:oci/m%3Frepository_url=reg.acme.io"
    section = "sources: {allow: ['pkg:oci/m?repository_url=reg.acme.io']}"
    assert unmet(section, estate(model(stated_purl=purl))) == [(purl, True)]


def test_a_star_never_swallows_another_registry() -> None:
    purl = "pkg:oci/m?repository_url=evil.example"
    assert unmet("sources: {allow: ['pkg:oci/*']}", estate(model(stated_purl=purl))) == [(purl, True)]


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target(name="models"), MET),
        (Target(name="other"), [("file:other", True)]),
        (Target(name="x", ref=Ref(scheme="hf", location="acme/m")), MET),
        (Target(name="models", ref=Ref(scheme="hf", location="evil/m")), [("pkg:huggingface/evil/m", True)]),
        (Target(name="models", ref=Ref(scheme="git", location="https://git.acme.io/m"), is_local=True), MET),
        (
            Target(name="models", ref=Ref(scheme="git", location="https://git.evil.io/m", revision=COMMIT)),
            [("git+https://git.evil.io/m", True)],
        ),
        (Target(name="models", ref=Ref(scheme="s3", location="evil/models/")), [("s3://evil/models/", True)]),
    ],
)
def test_what_has_no_place_comes_from_its_target(target: Target, met: Unmet) -> None:
    assert unmet(SECTION, estate(model(stated_purl=None), targets=(target,))) == met


@pytest.mark.parametrize(
    ("pattern", "address", "met"),
    [
        ("s3://acme-models/**", "s3://acme-models/a/b?versionId=1", True),
        ("s3://acme-models/*", "s3://acme-models/a/b", False),
        ("s3://acme-models/**", "s3://acme-models-evil/a", False),
        ("https://models.acme.io/**", "https://models.acme.io/a.gguf", True),
        ("https://models.acme.io/**", "https://models.acme.io.evil.example/a.gguf", False),
        ("models:/credit", "models:/credit/3", True),
        ("models:/credit", "models:/other/3", False),
        ("git+https://git.acme.io/**", f"git+https://git.acme.io/m@{COMMIT}#sub", True),
        (
            "pkg:oci/*?repository_url=reg.acme.io/models/*",
            f"oci://reg.acme.io/models/a@sha256:{'a' * 64}",
            True,
        ),
        (
            "pkg:oci/*?repository_url=reg.acme.io/models/*",
            f"oci://reg.evil.io/models/a@sha256:{'a' * 64}",
            False,
        ),
    ],
)
def test_a_remote_place_counts_and_not_its_name(pattern: str, address: str, met: bool) -> None:
    target = Target(name="models", ref=ref_at(address))
    section = f"sources: {{allow: ['{pattern}', 'file:models']}}"
    assert (unmet(section, estate(model(stated_purl=None), targets=(target,))) == MET) is met


@pytest.mark.parametrize(
    ("names", "met"),
    [(("m", "models"), [("file:m", True)]), (("x", "y"), UNKNOWN), (("models", "mm"), UNKNOWN)],
)
def test_of_several_targets_the_one_counts_that_it_lies_in(names: tuple[str, ...], met: Unmet) -> None:
    targets = tuple(Target(name=name) for name in names)
    assert unmet(SECTION, estate(model(stated_purl=None), targets=targets)) == met


def test_without_a_place_and_without_allowed_folders_nobody_can_tell() -> None:
    section = "sources: {allow: ['pkg:huggingface/acme/*']}"
    assert unmet(section, estate(model(stated_purl=None))) == UNKNOWN


def test_a_finding_says_what_is_expected() -> None:
    (found,) = findings(SECTION, estate(model(stated_purl="pkg:huggingface/evil/m")))
    assert found.message == "pkg:huggingface/evil/m is not an allowed place"
    assert found.expected == "pkg:huggingface/acme/*, file:models"


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("sources: {}", "needs allow"),
        ("sources: {allow: []}", "empty list"),
        ("sources: {allow: pkg:huggingface/acme/m}", "is a list"),
        ("sources: {allow: ['**']}", "matches everything"),
        ("sources: {allow: ['pkg:**']}", "begins with its type"),
        ("sources: {allow: ['pkg:*/acme/*']}", "begins with its type"),
        ("sources: {allow: ['pkg:huggingface/']}", "begins with its type"),
        ("sources: {allow: ['hf:acme/*']}", "a place is a package URL"),
        ("sources: {allow: ['s3://**']}", "a place is a package URL"),
        ("sources: {allow: ['https://*.example/**']}", "a place is a package URL"),
        ("sources: {allow: [7]}", "is a text"),
        ("sources: {allows: ['pkg:a/b']}", "did you mean 'allow'"),
    ],
)
def test_bad_settings_are_refused(section: str, words: str) -> None:
    refused(section, words)
