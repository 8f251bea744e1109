"""The `analysis` of a vulnerability in CycloneDX (1.4 to 1.7), in the words of VEX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aibom.domain.limits import STRING_CHARS
from aibom.domain.vulnerability import Assessment, Impact
from aibom.readers.json import Json, members, strings, text

JUSTIFICATIONS: Final = frozenset(
    {
        "code_not_present", "code_not_reachable", "protected_at_perimeter", "protected_at_runtime",
        "protected_by_compiler", "protected_by_mitigating_control", "requires_configuration",
        "requires_dependency", "requires_environment",
    }
)  # fmt: skip
_STATES: Final = {
    "resolved": Impact.FIXED,
    "resolved_with_pedigree": Impact.FIXED,
    "exploitable": Impact.AFFECTED,
    "in_triage": Impact.UNDER_INVESTIGATION,
    "false_positive": Impact.NOT_AFFECTED,
    "not_affected": Impact.NOT_AFFECTED,
}


def assessment_of(vulnerability: Mapping[str, Json], issued: str | None = None) -> Assessment | None:
    """None when it has no analysis with a known state. `issued` is when the document was written."""
    analysis = members(vulnerability.get("analysis"))
    impact = _STATES.get(text(analysis.get("state")) or "")
    if impact is None:
        return None
    justification = text(analysis.get("justification"))
    label = justification if justification in JUSTIFICATIONS else None
    detail = (text(analysis.get("detail")) or "").strip()
    return Assessment(
        impact=impact,
        why=": ".join(filter(None, (label, detail)))[:STRING_CHARS],
        action=", ".join(strings(analysis.get("response")))[:STRING_CHARS],
        issued=text(analysis.get("lastUpdated")) or text(analysis.get("firstIssued")) or issued,
    )


def names_of(vulnerability: Mapping[str, Json]) -> tuple[str, ...]:
    """Its id, and the ids under which others know it."""
    references = vulnerability.get("references")
    others = [members(each).get("id") for each in references] if isinstance(references, list) else []
    found = (text(each) for each in (vulnerability.get("id"), *others))
    return tuple(dict.fromkeys(each[:STRING_CHARS] for each in found if each))
