"""What `aibom policy` says, as lines of 80 columns or as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

import orjson

from aibom.domain.text import visible
from aibom.policy.cases import CaseResult
from aibom.policy.difference import Change
from aibom.workflows.policy import Difference, Explained

_WIDTH: Final = 79
_FINDING_COUNT: Final = 20  # of one case
_SCHEMA: Final = "aibom-policy-diff/1"


def explained(parts: Sequence[Explained]) -> bytes:
    return _bytes("\n\n".join("\n".join(_explained(part)) for part in parts).split("\n"))


def _explained(part: Explained) -> Iterator[str]:
    yield visible(f"{part.name}  ({part.place})" if part.place else part.name)
    width = max(len(name) for name, _ in part.lines)
    for name, text in part.lines:
        yield from _wrapped(f"  {visible(name):{width}}  ", text)


def results(found: Sequence[CaseResult]) -> bytes:
    lines = [line for result in found for line in _result(result)]
    good = sum(result.as_expected for result in found)
    return _bytes([*lines, f"{good} of {len(found)} cases are as expected"])


def _result(result: CaseResult) -> Iterator[str]:
    case = result.case
    word = "nothing to judge" if result.found is None else result.found.value
    told = f"expected {' with '.join([case.expect.value, *filter(None, [', '.join(case.rules)])])}"
    if result.as_expected:
        yield from _wrapped("ok      ", f"{case.name}: {told}")
        return
    yield from _wrapped("FAILED  ", f"{case.name}: {told}, found {word} ({case.place})")
    if result.missing:
        yield from _wrapped("        ", f"nothing was found by {', '.join(result.missing)}")
    for finding in result.findings[:_FINDING_COUNT]:
        state = finding.severity.label if finding.decided else "unknown"
        demand = f" ({finding.demand})" if finding.demand else ""
        text = f"{finding.rule}: {finding.location.path}: {finding.message}{demand}"
        yield from _wrapped(f"        {state:8}  ", text)
    more = len(result.findings) - _FINDING_COUNT
    if more > 0:
        yield f"        and {more:,} more"


def difference(found: Difference) -> bytes:
    lines = [line for change in found.changes for line in _wrapped(f"{change.kind:8}", _told(change))]
    if not lines:
        lines = ["both demand the same"]
    for each in found.verdicts:
        lines += _wrapped("verdict ", f"{each.rule}: {each.old} -> {each.new}: {each.subject}")
    return _bytes(lines)


def _told(change: Change) -> str:
    old, new = (text if not change.what.endswith(f"[{text}]") else "" for text in (change.old, change.new))
    values = " -> ".join(filter(None, (old, new)))
    places = " -> ".join(filter(None, (change.old_place, change.new_place)))
    return change.what + (f": {values}" if values else "") + (f" ({places})" if places else "")


def difference_json(found: Difference) -> bytes:
    document = {
        "schema": _SCHEMA,
        "changes": [
            {
                "kind": each.kind.value,
                "what": each.what,
                "old": each.old,
                "new": each.new,
                "old_place": each.old_place,
                "new_place": each.new_place,
            }
            for each in found.changes
        ],
        "verdicts": [
            {"rule": each.rule, "subject": each.subject, "old": str(each.old), "new": str(each.new)}
            for each in found.verdicts
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _wrapped(first: str, text: str) -> list[str]:
    """Lines that never cut a word: a place or a digest stays whole, and can be copied."""
    return textwrap.wrap(
        visible(text), _WIDTH, initial_indent=first, subsequent_indent=" " * len(first),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _bytes(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
