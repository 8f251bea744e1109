"""All rules. Adding one is one module, one test, one line here and one page in the docs."""

from __future__ import annotations

from aibom.policy.rule import Rule
from aibom.policy.rules import (
    containers_disagree,
    digest_mismatch,
    format_mismatch,
    metadata_conflict,
    missing_part,
    outside_reference,
    unindexed_bytes,
)

RULES: tuple[Rule, ...] = (
    containers_disagree.RULE,
    digest_mismatch.RULE,
    format_mismatch.RULE,
    metadata_conflict.RULE,
    missing_part.RULE,
    outside_reference.RULE,
    unindexed_bytes.RULE,
)


def by_id(rule_id: str) -> Rule | None:
    return next((rule for rule in RULES if rule.id == rule_id), None)
