"""Credentials and addresses in what files state: found by shape, never printed, no doc samples."""

from __future__ import annotations

import random
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.confidence import Confidence
from aibom.domain.facts import Attribute, FileKind, Statement
from aibom.domain.finding import Finding
from aibom.policy.rules import network_address, secret
from aibom.policy.rules._text_search import FOUND_COUNT
from tests.builders import file, report, says, weights

_CHANCE = random.Random(7)


def token(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(_CHANCE.choice(alphabet) for _ in range(length))


# Put together here, so that no scanner takes this file for a leak.
SECRETS = {
    "AWS access key": "AK" + "IA" + token(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "Hugging Face token": "hf" + "_" + token(34),
    "GitHub token": "gh" + "p_" + token(36),
    "GitLab token": "glpat" + "-" + token(20),
    "API key": "sk" + "-proj-" + token(48),
    "Google API key": "AI" + "za" + token(35),
    "Slack token": "xo" + "xb-" + token(40, string.digits + "-" + string.ascii_letters),
    "Slack webhook": "https://hooks.slack" + ".com/services/T" + token(9, "ABC123") + "/B"
    + token(9, "ABC123") + "/" + token(24),
    "private key": "-----BEGIN RSA PRIVATE" + " KEY-----",
    "JSON web token": "ey" + "J" + token(20) + ".ey" + "J" + token(40) + "." + token(43),
    "password in an address": "hunter2-Zq9",
}  # fmt: skip
TEXTS = {
    **SECRETS,
    "password in an address": f"postgres://ada:{SECRETS['password in an address']}@db.internal/x",
}


def secrets_of(*texts: str) -> list[Finding]:
    metadata = tuple((f"key{number}", text) for number, text in enumerate(texts))
    return list(secret.RULE.check(report(files=(weights("m/a", metadata=metadata),))))


def hosts_of(text: str) -> list[str]:
    files = (weights("m/a", metadata=(("note", text),)),)
    return [finding.found for finding in network_address.RULE.check(report(files=files))]


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("around", ["{}", "token={};", 'say "{}" twice', "({})\n"])
def test_a_credential_is_found_and_never_printed(kind: str, around: str) -> None:
    (found,) = secrets_of(around.format(TEXTS[kind]))
    assert found.found.rpartition(" ")[0] == kind
    assert SECRETS[kind] not in repr(found) or kind == "private key"
    assert len(found.found.rpartition(" ")[2]) == 12
    assert found.confidence >= Confidence.MEDIUM


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "hf_" + "x" * 34,
        "hf_" + "your_token_here",
        "hf_hub_download_and_other_long_function_names_of_the_library",
        "ghp_" + "a" * 36,
        "sk-" + "-" * 40,
        "task-learning-rate-schedule-and-warmup-of-the-base-model",
        "https://user:password@example.org",
        "https://user:${PASSWORD}@host",
        "https://huggingface.co/org/name@main",
        "-----BEGIN PUBLIC KEY-----",
        "eyJ is how they begin",
        "AKIA" + "A" * 16,
        "sha256:" + "0123456789abcdef" * 4,
    ],
)
def test_samples_of_documentation_and_ordinary_text_are_no_credentials(text: str) -> None:
    assert secrets_of(text) == []


def test_statements_and_their_details_are_searched_too() -> None:
    one = Statement(attribute=Attribute.DESCRIPTION, value=SECRETS["GitHub token"], pointer="/about")
    two = says(Attribute.SOURCE_URL, "x", note=SECRETS["Google API key"])
    files = (file("card.md", "card", FileKind.CARD, one, two), file("plain.txt"))
    found = list(secret.RULE.check(report(files=files)))
    assert [finding.location.path for finding in found] == ["card.md"] * 2
    assert "'/about'" in found[0].message


def test_the_same_credential_is_told_once_per_file_and_findings_are_capped() -> None:
    assert len(secrets_of(SECRETS["API key"], "again " + SECRETS["API key"])) == 1
    many = ["hf_" + token(34) for _ in range(FOUND_COUNT + 10)]
    assert len(secrets_of(*many)) == FOUND_COUNT


@given(st.text(max_size=300))
def test_any_text_is_searched(text: str) -> None:
    assert all(text not in finding.found for finding in secrets_of(text) if len(text) > 20)
    hosts_of(text)


@pytest.mark.parametrize(
    "part",
    ["eyJaaaaaaaa", "eyJaaaaaaaa-", "eyJaaaaaaaa.", "sk-", "a://b:", "://", "hf_a", "1.1.", "http://a@",
     "-----BEGIN A "],
)  # fmt: skip
def test_hostile_text_is_searched_in_linear_time(part: str) -> None:
    text = part * (100_000 // len(part))
    start = time.process_time()
    secrets_of(text)
    hosts_of(text)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("https://a.example.net.evil.io/x HTTP://Other.Host:80", ["a.example.net.evil.io", "other.host"]),
        ("https://user:pw@10.0.0.7:4444/", ["10.0.0.7"]),
        ("connect to 192.168.1.20 now", ["192.168.1.20"]),
        ("http://[2001:db8::1]/x", ["2001:db8::1"]),
        ("tcp://c2.host. and ftp://c2.host", ["c2.host"]),
        ("https://huggingface.co/a https://cdn-lfs.huggingface.co/b https://www.apache.org/licenses", []),
        ("https://nothuggingface.co", ["nothuggingface.co"]),
        ("version 1.2.3 or 999.1.1.1, 127.0.0.1, 0.0.0.0, v1.2.3.4.5", []),
        ("hf://datasets/a s3://bucket/key file:///etc", []),
    ],
)  # fmt: skip
def test_hosts_other_than_the_usual_ones_are_told(text: str, hosts: list[str]) -> None:
    assert hosts_of(text) == hosts


def test_both_rules_are_in_force_only_where_a_policy_names_them() -> None:
    assert secret.RULE.optional
    assert network_address.RULE.optional
