"""A policy document is strict: what it does not know, it refuses, and says where."""

from __future__ import annotations

import hashlib

import pytest

from aibom.cli.packs import policy_pack
from aibom.domain.finding import Severity
from aibom.policy import RULES, PolicyError, parse_policy


def test_a_policy_is_named_by_its_digest() -> None:
    data = b"version: 1\nname: mine\nrules: {unindexed-bytes: low}\n"
    policy = parse_policy(data)
    assert (policy.use.name, policy.use.sha256) == ("mine", hashlib.sha256(data).hexdigest())
    assert policy.severity("unindexed-bytes", Severity.HIGH) is Severity.LOW
    assert policy.severity("missing-part", Severity.HIGH) is Severity.HIGH


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a policy is a mapping"),
        ("- a", "a policy is a mapping"),
        ("version: 1\nname: n\nrulez: {}", "unknown key 'rulez'"),
        ("version: 2\nname: n\nrules: {}", "version must be 1"),
        ("version: 1\nrules: {unindexed-bytes: low}", "name must be a text"),
        ("version: 1\nname: n", "at least one rule"),
        ("version: 1\nname: n\nrules: {}", "at least one rule"),
        ("version: 1\nname: n\nrules: {nope: low}", "unknown rule 'nope'"),
        ("version: 1\nname: n\nrules: {unindexed-bytes: bad}", "is none of"),
        ("version: 1\nname: n\nname: m\nrules: {}", "duplicate key 'name' in line 3"),
        ("a: &x 1\nb: *x", "alias in line 2"),
        ("a: [", "not YAML"),
    ],
)
def test_a_bad_policy_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        parse_policy(text.encode())


def test_the_baseline_pack_names_every_rule() -> None:
    policy = parse_policy(policy_pack("baseline"))
    assert {rule for rule, _ in policy.severities} == {rule.id for rule in RULES}
