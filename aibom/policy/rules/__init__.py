"""All rules. Adding one is one module, one test, one line here and one page in the docs."""

from __future__ import annotations

from aibom.policy.rule import Rule
from aibom.policy.rules import (
    ambiguous_header,
    archive_escape,
    archive_structure,
    containers_disagree,
    custom_operator,
    dangerous_code,
    dangerous_import,
    decompression_bomb,
    digest_mismatch,
    embedded_code,
    endless_template,
    external_entity,
    format_mismatch,
    graph_operation,
    hidden_payload,
    metadata_conflict,
    missing_part,
    module_reference,
    native_code,
    network_address,
    outside_reference,
    pickle_structure,
    remote_code,
    secret,
    unexamined_content,
    unindexed_bytes,
    unlisted_import,
    unsafe_template,
)

RULES: tuple[Rule, ...] = (
    ambiguous_header.RULE,
    archive_escape.RULE,
    archive_structure.RULE,
    containers_disagree.RULE,
    custom_operator.RULE,
    dangerous_code.RULE,
    dangerous_import.RULE,
    decompression_bomb.RULE,
    digest_mismatch.RULE,
    embedded_code.RULE,
    endless_template.RULE,
    external_entity.RULE,
    format_mismatch.RULE,
    graph_operation.RULE,
    hidden_payload.RULE,
    metadata_conflict.RULE,
    missing_part.RULE,
    module_reference.RULE,
    native_code.RULE,
    network_address.RULE,
    outside_reference.RULE,
    pickle_structure.RULE,
    remote_code.RULE,
    secret.RULE,
    unexamined_content.RULE,
    unindexed_bytes.RULE,
    unlisted_import.RULE,
    unsafe_template.RULE,
)


def by_id(rule_id: str) -> Rule | None:
    return next((rule for rule in RULES if rule.id == rule_id), None)
