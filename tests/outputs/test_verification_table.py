"""The table of `aibom verify`: what differs is shown, hostile text is harmless, verdicts say what to do."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from aibom.domain.check import CheckKind, Outcome
from aibom.domain.verification import FileState, FileVerdict, Verification
from aibom.outputs import verification_table
from tests.outputs.test_verification_json import HOSTILE, MISMATCH, SIGNER, statement, verification

GOLDEN = Path(__file__).parent.parent / "golden" / "verification" / "mismatch.txt"
ADVICE = {
    Outcome.VERIFIED: "VERIFIED: the bytes are those that were signed",
    Outcome.CONTENT_MISMATCH: "do not load them",
    Outcome.SIGNATURE_INVALID: "fetch both anew",
    Outcome.UNTRUSTED_SIGNER: "do not load the files",
    Outcome.EXPIRED: "ask for a new signature",
    Outcome.UNSIGNED: "`aibom sign` makes one",
    Outcome.UNSUPPORTED: "a newer one may",
    Outcome.COULD_NOT_CHECK: "make it readable",
}


def shown(found: Verification, **how: object) -> str:
    return verification_table.render(found, **how).decode()  # type: ignore[arg-type]


def test_every_byte_is_that_of_the_golden_file() -> None:
    text = verification_table.render(MISMATCH, every=True)
    if os.environ.get("AIBOM_UPDATE_GOLDEN") == "1":
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_bytes(text)
    assert text.decode() == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_a_verdict_that_says_what_to_do(outcome: Outcome) -> None:
    text = shown(verification(statement(outcome)), width=200)
    assert f"model.sig: {outcome}" in text
    *_, last = text.splitlines()
    assert ADVICE[outcome] in last
    assert (last.startswith("VERIFIED")) is (outcome is Outcome.VERIFIED)


def test_the_signer_and_the_evidence_are_told() -> None:
    text = shown(verification(statement()), width=200)
    expected = "signed by release@example.com, issuer https://issuer.example.com, at 2026-11-20T12:00:00Z"
    assert expected in text
    assert "  log index: 7" in text
    assert "1.2 MB read" in text
    assert text.startswith("aibom 1.2.3: my model\n")


def test_without_a_signer_nobody_is_named() -> None:
    text = shown(verification(statement(Outcome.COULD_NOT_CHECK, signer=None, kind=CheckKind.DIGEST)))
    assert "signed by" not in text


def test_verified_files_are_shown_only_when_asked_for() -> None:
    files = [FileVerdict(path=f"{state}.txt", state=state, detail="why") for state in FileState]
    found = verification(statement(Outcome.CONTENT_MISMATCH, *files))
    for every in (False, True):
        text = shown(found, every=every)
        assert ("verified.txt" in text) is every
        for state in ("changed", "missing", "extra", "ignored", "unreadable"):
            assert re.search(rf"^    {state} +{state}\.txt\n {{15}}why$", text, re.MULTILINE)


@pytest.mark.parametrize(("count", "more"), [(50, None), (51, "1 file more"), (60, "10 files more")])
def test_a_long_list_is_cut_and_counted(count: int, more: str | None) -> None:
    files = [FileVerdict(path=f"{number:03}.txt", state=FileState.EXTRA) for number in range(count)]
    text = shown(verification(statement(Outcome.CONTENT_MISMATCH, *files)))
    assert text.count(".txt") == 50
    assert ("more; `-f json` shows all" in text) is (more is not None)
    assert more is None or more in text


def test_colours_are_only_there_when_asked_for_and_change_no_word() -> None:
    found = MISMATCH
    plain, coloured = shown(found), shown(found, color=True)
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9]+m", "", coloured) == plain
    for part in ("\x1b[31mcontent-mismatch", "\x1b[33mextra", "\x1b[31mchanged", "\x1b[2mignored"):
        assert part in coloured
    assert "\x1b[32mVERIFIED" in shown(verification(statement()), color=True, width=200)
    assert "\x1b[32m" not in shown(verification(statement(Outcome.UNSIGNED)), color=True)


def test_every_line_of_the_verdict_is_painted() -> None:
    text = shown(verification(statement(Outcome.CONTENT_MISMATCH)), color=True, width=30)
    verdict = text[text.index(" read\n") :].splitlines()[1:]
    assert len(verdict) > 1
    assert all(line.startswith("\x1b[31m") and line.endswith("\x1b[0m") for line in verdict)


def test_nothing_hostile_reaches_the_terminal() -> None:
    file = FileVerdict(path=HOSTILE, state=FileState.EXTRA, detail=HOSTILE)
    found = verification(statement(Outcome.VERIFIED, file, name=HOSTILE, detail=HOSTILE), name=HOSTILE)
    text = shown(found)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("\\x1b[31m") == 5
    assert SIGNER.identity in text


def test_the_width_is_kept_where_words_allow_it() -> None:
    for width in (40, 80):
        assert all(
            len(line) <= width
            for line in shown(MISMATCH, width=width).splitlines()
            if " " in line.strip()[20:]
        )
