"""Certificates in words: all that are there, and those that cannot be read too."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aibom.trust.description import described
from tests.trust.certificates import MAIL, NOW, SIGNER, URI, authority, issue

ROOT = issue("the root", authority())
LEAF = issue("the leaf", SIGNER, ROOT, days=(-3, 4))


def test_subject_issuer_names_and_validity_are_told_leaf_first() -> None:
    leaf, root = described([LEAF.der, ROOT.der])
    since, until = ((NOW + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ") for days in (-3, 4))
    for part in ("the leaf", "issued by", "the root", MAIL, URI, f"from {since} to {until}"):
        assert part in leaf
    assert "no names" in root
    assert described([]) == []


def test_a_certificate_without_a_subject_is_told() -> None:
    [text] = described([issue("", SIGNER, ROOT).der])
    assert text.startswith("no subject, issued by ")


@pytest.mark.parametrize(
    "bad", [b"", b"no DER", LEAF.der[:-1], LEAF.der + b"\0"], ids=("none", "text", "cut", "longer")
)
def test_one_that_cannot_be_read_is_told_and_does_not_hide(bad: bytes) -> None:
    assert described([bad]) == ["number 1 of 1 is not readable, and none after it is shown"]
    texts = described([ROOT.der, bad, LEAF.der])
    assert len(texts) == 2
    assert texts[1] == "number 2 of 3 is not readable, and none after it is shown"
