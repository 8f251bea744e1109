"""references: each forbidden way has its flag, and what nobody looked at is not passed over."""

from __future__ import annotations

import pytest

from aibom.domain.component import ComponentKind
from aibom.domain.finding import Location
from aibom.domain.gap import Stage
from aibom.domain.ref import Ref
from aibom.domain.reference import Flag, Reference
from aibom.domain.report import Report
from aibom.domain.target import Tool
from tests.builders import report
from tests.policy.rules.demands import (
    DATASET,
    MET,
    MODEL,
    Unmet,
    estate,
    findings,
    gap,
    model,
    refused,
    replace,
    unmet,
)

FORBIDDEN = ["remote-code", "unsafe-load", "http", "floating-tag", "local-path"]
SECTION = f"references: {{require: [pinned], forbid: [{', '.join(FORBIDDEN)}]}}"
PINNED = "references: {require: [pinned]}"
TOKENIZER, SERVICE = ComponentKind.TOKENIZER, ComponentKind.SERVICE
PLACE = Ref(scheme="hf", location="a/m")


def refer(*flags: Flag, kind: ComponentKind = MODEL, to: Ref | None = PLACE) -> Reference:
    place = Location(path="app.py", line=3)
    return Reference(kind=kind, target=to, loader="load", location=place, flags=frozenset(flags))


def of(*references: Reference, **parts: object) -> Report:
    return report(references=references, **parts)


def test_pinned_references_and_none_at_all_pass() -> None:
    assert unmet(SECTION, of(refer(), refer(Flag.NO_ORGANISATION))) == MET
    assert unmet(SECTION, of()) == MET


@pytest.mark.parametrize(
    ("flag", "found"),
    [
        (Flag.UNPINNED, "unpinned: hf:a/m"),
        (Flag.FLOATING_TAG, "floating-tag: hf:a/m"),
        (Flag.REMOTE_CODE, "remote-code: hf:a/m"),
        (Flag.UNSAFE_LOAD, "unsafe-load: hf:a/m"),
        (Flag.HTTP, "http: hf:a/m"),
        (Flag.LOCAL_PATH, "local-path: hf:a/m"),
    ],
)
def test_each_flag_fails(flag: Flag, found: str) -> None:
    (one,) = findings(SECTION, of(refer(), refer(flag)))
    assert (one.found, one.decided, one.location.path) == (found, True, "app.py")
    assert one.message.startswith("hf:a/m ")


@pytest.mark.parametrize("word", FORBIDDEN)
def test_only_what_is_forbidden_fails(word: str) -> None:
    every = refer(*(set(Flag) - {Flag.UNPINNED, Flag.UNRESOLVED}))
    assert unmet(f"references: {{forbid: [{word}]}}", of(every)) == [(f"{word}: hf:a/m", True)]


def test_a_pinned_reference_follows_no_tag() -> None:
    flags = refer(Flag.UNPINNED), refer(Flag.FLOATING_TAG), refer(Flag.HTTP)
    assert unmet(PINNED, of(*flags)) == [("floating-tag: hf:a/m", True), ("unpinned: hf:a/m", True)]


@pytest.mark.parametrize("kind", [MODEL, ComponentKind.ADAPTER, DATASET, TOKENIZER])
@pytest.mark.parametrize("section", [PINNED, *(f"references: {{forbid: [{w}]}}" for w in FORBIDDEN[2:])])
def test_what_is_not_known_before_the_program_runs_is_not_decided(kind: ComponentKind, section: str) -> None:
    assert unmet(section, of(refer(Flag.UNRESOLVED, kind=kind, to=None))) == [("load", False)]


@pytest.mark.parametrize(
    ("section", "kind"),
    [(PINNED, SERVICE), (PINNED, ComponentKind.LIBRARY), ("references: {forbid: [remote-code]}", MODEL)],
)
def test_where_the_target_does_not_matter_it_need_not_be_known(section: str, kind: ComponentKind) -> None:
    assert unmet(section, of(refer(Flag.UNRESOLVED, kind=kind, to=None))) == MET


def test_the_same_is_told_once_for_each_file() -> None:
    one = refer(Flag.HTTP)
    again = replace(one, location=Location(path="app.py", line=99))
    other = replace(one, location=Location(path="b.py"))
    assert len(findings(SECTION, of(one, again, other))) == 2


def test_a_file_that_could_not_be_read_is_not_decided() -> None:
    (found,) = findings(SECTION, of(gaps=(gap("app.py", Stage.DISCOVER),)))
    assert (found.found, found.decided, found.location.path) == ("truncated", False, "app.py")
    assert unmet(SECTION, of(gaps=(gap("w.bin", Stage.READ),))) == MET


@pytest.mark.parametrize(("references", "met"), [((), [("", False)]), ((refer(),), MET)])
def test_a_bill_of_materials_that_names_no_references_is_not_decided(
    references: tuple[Reference, ...], met: Unmet
) -> None:
    other = Tool(name="somebody's tool", version="1")
    read = model(pointer="/components/0")
    assert unmet(SECTION, replace(estate(read, references=references), tool=other)) == met
    # Ours would list them.
    assert unmet(SECTION, estate(read, references=references)) == MET
    assert unmet(SECTION, estate(model(), references=references)) == MET


def test_how_to_pin_fits_the_place() -> None:
    (found,) = findings(PINNED, of(refer(Flag.UNPINNED)))
    assert "revision=" in found.remedy
    assert found.expected == "a commit, digest or exact version"
    (found,) = findings(SECTION, of(refer(Flag.HTTP)))
    assert found.remedy == "change the line that refers to it, or allow this way in `references` after review"
    assert found.expected == "not http"


def test_braces_in_a_name_are_only_text() -> None:
    (found,) = findings(SECTION, of(refer(Flag.HTTP, to=Ref(scheme="https", location="https://a.b/{}{0}"))))
    assert "{}{0}" in found.message


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "demands nothing"),
        ("require: []", "empty list"),
        ("require: [signed]", "'signed' is none of pinned"),
        ("forbid: []", "empty list"),
        ("forbid: [unpinned]", "is none of remote-code, unsafe-load, http"),
        ("forbid: http", "is a list"),
        ("deny: [http]", "unknown key 'deny'"),
    ],
)
def test_bad_settings_are_refused(settings: str, words: str) -> None:
    refused(f"references: {{{settings}}}", words)
