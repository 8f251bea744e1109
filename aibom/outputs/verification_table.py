"""What `aibom verify` found, for a terminal: each statement, the files that differ, the verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from aibom.domain.check import Outcome
from aibom.domain.text import visible
from aibom.domain.verification import FileState, FileVerdict, Statement, Verification
from aibom.outputs.quantities import plural, size

if TYPE_CHECKING:
    from aibom.domain.report import Report

_PAINT: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_FILES_SHOWN: Final = 50
_COLOURS: Final = {
    FileState.VERIFIED: "green",
    FileState.CHANGED: "red",
    FileState.MISSING: "red",
    FileState.EXTRA: "yellow",
    FileState.IGNORED: "dim",
    FileState.UNREADABLE: "yellow",
}
_VERDICTS: Final = {
    Outcome.VERIFIED: "VERIFIED: the bytes are those that were signed, by whom you expect",
    Outcome.CONTENT_MISMATCH: "FAILED: the files are not those that somebody vouches for; do not load them",
    Outcome.SIGNATURE_INVALID: "FAILED: the signature is not one of these bytes; fetch both anew",
    Outcome.UNTRUSTED_SIGNER: "FAILED: somebody else signed than you expect; do not load the files",
    Outcome.EXPIRED: "FAILED: the certificate was not valid; ask for a new signature",
    Outcome.UNSIGNED: "UNSIGNED: nobody vouches for these files with a signature; `aibom sign` makes one",
    Outcome.UNSUPPORTED: "NOT CHECKED: this version cannot judge the signature; a newer one may",
    Outcome.COULD_NOT_CHECK: "NOT CHECKED: something could not be read; make it readable and try again",
}


def render(
    found: Verification,
    report: Report | None = None,
    *,
    width: int = 80,
    color: bool = False,
    every: bool = False,
) -> bytes:
    """Text of about `width` columns. Files that are verified are only counted unless `every`.

    With a report, also what the policy says of the target.
    """
    lines = [_painted(f"aibom {found.tool.version}: {visible(found.target.name)}", "bold", color)]
    for statement in found.statements:
        lines += ["", *_statement(statement, width, color, every)]
    lines += ["", f"{size(found.bytes)} read"]
    verdict = "green" if found.outcome is Outcome.VERIFIED else "red"
    lines += [_painted(line, verdict, color) for line in textwrap.wrap(_VERDICTS[found.outcome], width)]
    if report is not None:
        from aibom.outputs import table  # noqa: PLC0415 - 40 ms, and not without a policy

        lines += table.judgement(report, width=width, color=color)
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _painted(text: str, style: str, color: bool) -> str:
    return f"\x1b[{_PAINT[style]}m{text}\x1b[0m" if color else text


def _statement(statement: Statement, width: int, color: bool, every: bool) -> Iterator[str]:
    check = statement.check
    style = "green" if check.outcome is Outcome.VERIFIED else "red"
    yield f"{visible(statement.name)}: {_painted(check.outcome, style, color)}"
    if statement.signer is not None:
        signer = statement.signer
        issuer = f", issuer {visible(signer.issuer)}" if signer.issuer else ""
        at = f", at {visible(signer.signed_at)}" if signer.signed_at else ""
        yield from _wrapped(f"signed by {visible(signer.identity)}{issuer}{at}", width)
        for name, value in signer.evidence:
            yield from _wrapped(f"{visible(name)}: {visible(value)}", width)
    yield from _wrapped(visible(check.detail), width)
    shown = [file for file in statement.files if every or file.state is not FileState.VERIFIED]
    for file in shown[:_FILES_SHOWN]:
        yield from _file(file, width, color)
    if len(shown) > _FILES_SHOWN:
        yield f"    ... and {plural(len(shown) - _FILES_SHOWN, 'file')} more; `-f json` shows all"


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    ")


def _file(file: FileVerdict, width: int, color: bool) -> Iterator[str]:
    yield f"    {_painted(f'{file.state:10}', _COLOURS[file.state], color)} {visible(file.path)}"
    if file.detail:
        indent = " " * 15
        yield from textwrap.wrap(visible(file.detail), width, initial_indent=indent, subsequent_indent=indent)
