"""Signatures in the document: as references of what they are about, and as claims with their evidence.

A claim says that somebody signed; its evidence is the verdict of the check. What could not be checked
is told as well: the reasoning of the claim says which it is.
"""

from __future__ import annotations

from urllib.parse import quote

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.digest import Grade
from aibom.outputs.cdx import refs
from aibom.outputs.cdx.index import Index
from aibom.outputs.cdx.text import Json, present, shown


def _checks(index: Index) -> list[Check]:
    return [
        check
        for check in index.report.checks
        if check.kind is CheckKind.SIGNATURE and check.source and check.subject != check.source
    ]


def signatures(subject: str, index: Index) -> list[Json]:
    """The external references of a component to the signatures that are about it, with their hashes."""
    found = []
    for check in _checks(index):
        file = index.files.get(check.source)
        if check.subject != subject or file is None:
            continue
        digest = file.digest("sha256", Grade.COMPUTED)
        hashes = [{"alg": "SHA-256", "content": digest.value}] if digest else []
        found.append(
            present(
                url=quote(check.source.encode("utf-8", "surrogatepass"), safe="/"),
                type="digital-signature",
                comment=shown(f"{check.outcome}: {check.detail}"),
                hashes=hashes,
            )
        )
    return found


def declarations(index: Index) -> Json:
    """`declarations` of the document: a claim and its evidence for each component with a signature."""
    claims: list[Json] = []
    evidence: list[Json] = []
    for number, check in enumerate(_checks(index), 1):
        if check.subject not in index.by_id:
            continue
        claim, proof = f"claim:signature:{number}", f"evidence:signature:{number}"
        # What speaks against a claim stands apart from what speaks for it.
        side = "evidence" if check.outcome is Outcome.VERIFIED else "counterEvidence"
        claims.append(
            {
                "bom-ref": claim,
                "target": refs.component_ref(check.subject),
                "predicate": _predicate(check),
                "reasoning": shown(f"{check.outcome}: {check.detail}"),
                side: [proof],
            }
        )
        evidence.append(
            {
                "bom-ref": proof,
                "propertyName": "aibom:check:signature",
                "description": shown(f"{check.source}, checked offline against the digests of the files"),
            }
        )
    return present(claims=claims, evidence=evidence)


def _predicate(check: Check) -> str:
    return shown(f"signed by {check.identity}") if check.identity else "signed"
