"""bad-signature: a signature that was to be checked does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aibom.domain.check import CheckKind, Outcome
from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation

_VIOLATION: Final = Violation(
    rule="bad-signature",
    severity=Severity.CRITICAL,
    remedy="do not load the files; ask aibom verify which of them differ",
)
_TEXTS: Final = {
    Outcome.CONTENT_MISMATCH: "the files are not those that were signed",
    Outcome.SIGNATURE_INVALID: "the signature is not one of what it stands beside",
    Outcome.UNTRUSTED_SIGNER: "somebody else signed than is expected",
    Outcome.EXPIRED: "the certificate of the signer was not valid",
    Outcome.UNSIGNED: "a signer is expected, and nobody signed it",
}


def check(report: Report) -> Iterator[Finding]:
    places = {component.id: component.files[:1] for component in report.components}
    for each in report.checks:
        if each.kind is not CheckKind.SIGNATURE or each.outcome not in _TEXTS:
            continue
        # Once for each signature, and once for each component that has none.
        if each.outcome is Outcome.UNSIGNED or each.subject == each.source:
            path = next(iter(places.get(each.subject, ())), each.source or each.subject)
            found = f"{each.outcome} {each.identity}".strip()
            yield _VIOLATION.at(path, each.detail or _TEXTS[each.outcome], subject=each.subject, found=found)


RULE = Rule(
    id=_VIOLATION.rule,
    title="A signature does not hold",
    severity=_VIOLATION.severity,
    why=(
        "Whoever named an expected signer wants no other bytes. A signature that does not hold means that "
        "the files were changed, or that somebody else put them there."
    ),
    remedy=_VIOLATION.remedy,
    check=check,
    atlas=("AML.T0010.003",),
    cwe=(347, 345),
)
