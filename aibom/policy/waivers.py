"""Exceptions: read from the policy, and held against what was found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from aibom.domain.finding import Finding, Standing
from aibom.domain.waiver import Waiver, WaiverState, WaiverUse
from aibom.policy.estate import Estate
from aibom.policy.rules import REQUIREMENTS, RULES
from aibom.policy.setting import Setting

MAX_WAIVER_DAYS: Final = 365  # unless the policy allows longer ones
SOON_DAYS: Final = 14
# Whoever could wave these through could wave everything through.
NEVER: Final = frozenset(
    {
        "archive-escape", "bad-signature", "containers-disagree", "dangerous-code", "dangerous-import",
        "digest-mismatch", "embedded-code", "hidden-payload", "unsafe-template",
    }
)  # fmt: skip
_DIGEST: Final = re.compile(r"(?:v1:)?sha256:[0-9a-f]{64}\Z")
_KEYS: Final = ("rule", "component", "digest", "expires", "starts", "reason", "approved-by")
_IN_FORCE: Final = frozenset({WaiverState.ACTIVE, WaiverState.EXPIRING})


def read_waivers(setting: Setting, longest: int) -> tuple[Waiver, ...]:
    """The exceptions of a policy. Raises `PolicyError`."""
    return tuple(_waiver(entry, longest) for entry in setting.items())


def _waiver(setting: Setting, longest: int) -> Waiver:
    members = setting.members(_KEYS, [key for key in _KEYS if key != "starts"])
    rule = members["rule"].choice([rule.id for rule in (*REQUIREMENTS, *RULES)])
    if rule in NEVER:
        raise members["rule"].error(f"{rule} cannot be waived")
    digest = members["digest"].text()
    if not _DIGEST.match(digest):
        raise members["digest"].error(
            "digest is sha256:<64 hex> of a file, or the model digest v1:sha256:<64 hex>"
        )
    expires = members["expires"].day()
    starts = members["starts"].day() if "starts" in members else None
    if starts is not None and starts > expires:
        raise members["starts"].error("starts is after expires")
    if starts is not None and expires - starts > timedelta(days=longest):
        raise members["expires"].error(f"a waiver lasts at most {longest} days (max-waiver)")
    return Waiver(
        rule=rule,
        component=members["component"].text(),
        digest=digest,
        expires=expires,
        starts=starts,
        reason=members["reason"].text(),
        approved_by=members["approved-by"].text(),
        place=setting.place,
    )


def apply_waivers(
    waivers: Sequence[Waiver], findings: Sequence[Finding], estate: Estate, longest: int = MAX_WAIVER_DAYS
) -> tuple[tuple[Finding, ...], tuple[WaiverUse, ...]]:
    """The findings with their standing, and what became of each waiver today."""
    kept = list(findings)
    uses = []
    for waiver in waivers:
        matching = list(_matching(waiver, kept, estate))
        state = _state(waiver, estate.today, longest, used=bool(matching))
        if state in _IN_FORCE:
            for index in matching:
                kept[index] = replace(kept[index], standing=Standing.WAIVED, justification=_why(waiver))
        uses.append(WaiverUse(waiver=waiver, state=state, findings=len(matching)))
    return tuple(kept), tuple(uses)


def is_waivable(finding: Finding) -> bool:
    """Whether a waiver or a baseline may set it aside at all."""
    return finding.waivable and finding.rule not in NEVER


def _matching(waiver: Waiver, findings: Sequence[Finding], estate: Estate) -> Iterator[int]:
    for index, finding in enumerate(findings):
        if finding.rule == waiver.rule and is_waivable(finding) and _is_about(waiver, finding, estate):
            yield index


def _is_about(waiver: Waiver, finding: Finding, estate: Estate) -> bool:
    """The same component with the same content: a waiver never follows a name to other bytes."""
    path = finding.location.path
    component = estate.components.get(finding.subject) or estate.owners.get(path)
    if component is None or waiver.component not in (component.purl, component.name):
        return False
    if waiver.digest.startswith("v1:"):
        return component.model_digest == waiver.digest
    wanted = waiver.digest.removeprefix("sha256:")
    # A finding about one file is waived by the digest of that file alone.
    one = finding.of_file or finding.subject != component.id
    paths = (path,) if one else component.files
    files = (estate.files[each] for each in paths if each in estate.files)
    return any(
        digest.value == wanted for file in files for digest in file.digests if digest.algorithm == "sha256"
    )


def _state(waiver: Waiver, today: date, longest: int, *, used: bool) -> WaiverState:
    if today > waiver.expires:
        return WaiverState.EXPIRED
    # Without a first day, one that is too far away is not in force until it is near enough.
    pending = waiver.expires - today > timedelta(days=longest)
    if today < waiver.starts if waiver.starts is not None else pending:
        return WaiverState.PENDING
    if not used:
        return WaiverState.UNUSED
    soon = waiver.expires - today < timedelta(days=SOON_DAYS)
    return WaiverState.EXPIRING if soon else WaiverState.ACTIVE


def _why(waiver: Waiver) -> str:
    return f"until {waiver.expires} by {waiver.approved_by}: {waiver.reason}"
