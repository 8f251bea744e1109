"""Who vouches for two versions, and what a policy says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from aibom.domain.check import CheckKind
from aibom.domain.difference import Change, ChangeClass
from aibom.inventory.pairing import Side, own_name


def changes(old: Side, new: Side, moved: Mapping[str, str]) -> Iterator[Change]:
    """Signatures, and findings where both sides show the same to a policy; else the verdicts on contents.

    `moved` leads from the path of a file of the old side to that of the new one.
    """
    yield from _signers(old, new)
    if old.listed or new.listed:
        yield from _verdicts(old, new, moved)
    if old.listed is new.listed:
        yield from _findings(old, new, moved)


def _change(kind: ChangeClass, subject: str, old: str, new: str, detail: str) -> Change:
    return Change(kind=kind, subject=subject, old=old, new=new, detail=detail)


def _signers(old: Side, new: Side) -> Iterator[Change]:
    """Who vouches for a part, and whether that holds."""
    before, after = _vouched(old), _vouched(new)
    for subject in sorted(before.keys() | after.keys()):
        was, becomes = before.get(subject, ""), after.get(subject, "")
        # Of two kinds of sides, one may not have asked at all.
        if was != becomes and (old.listed is new.listed or (was and becomes)):
            yield _change(ChangeClass.SIGNER, subject or new.name, was, becomes, "signature")


def _vouched(side: Side) -> dict[str, str]:
    names = {each.id: own_name(each, side.report) for each in side.report.components}
    found: dict[str, set[str]] = {}
    for check in side.report.checks:
        if check.kind is CheckKind.SIGNATURE:
            subject = names.get(check.subject, check.subject)
            subject = "" if subject == side.name else subject
            found.setdefault(subject, set()).add(f"{check.identity or 'nobody'} ({check.outcome})")
    return {subject: ", ".join(sorted(told)) for subject, told in found.items()}


def _verdicts(old: Side, new: Side, moved: Mapping[str, str]) -> Iterator[Change]:
    """What loading a file may do: all that our own documents tell of a look into it."""
    before, after = (
        {content.path: content.verdict.label for content in side.report.contents} for side in (old, new)
    )
    before = {moved.get(path, path): verdict for path, verdict in before.items()}
    for path in sorted(before.keys() | after.keys()):
        was, becomes = before.get(path, ""), after.get(path, "")
        if was != becomes:
            yield _change(ChangeClass.FINDING, path, was, becomes, "verdict on the content")


def _findings(old: Side, new: Side, moved: Mapping[str, str]) -> Iterator[Change]:
    before, after = _counted(old, moved), _counted(new, {})
    for rule, path, severity, message in before - after:
        yield _change(ChangeClass.FINDING, f"{rule}: {path}", severity, "", message)
    for rule, path, severity, message in after - before:
        yield _change(ChangeClass.FINDING, f"{rule}: {path}", "", severity, message)


def _counted(side: Side, moved: Mapping[str, str]) -> Counter[tuple[str, str, str, str]]:
    names = {each.id: own_name(each, side.report) for each in side.report.components}
    found: Counter[tuple[str, str, str, str]] = Counter()
    for each in side.report.findings:
        if each.counts and each.decided:
            place = moved.get(each.location.path, each.location.path)
            path = "." if place == side.name else place or names.get(each.subject, each.subject)
            found[each.rule, path, each.severity.label, each.message] += 1
    return found
