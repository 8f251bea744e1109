"""What a rule says about itself, for outputs that explain their findings."""

from __future__ import annotations

from dataclasses import dataclass

from aibom.domain.confidence import Confidence
from aibom.domain.finding import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """The words of one rule. `atlas` and `cwe` are identifiers that `domain.taxonomies` names."""

    id: str
    title: str
    why: str
    remedy: str
    severity: Severity
    confidence: Confidence = Confidence.HIGH  # of a finding that says nothing else
    atlas: tuple[str, ...] = ()
    cwe: tuple[int, ...] = ()
    controls: tuple[tuple[str, str], ...] = ()  # framework and id, named by `domain.controls`
