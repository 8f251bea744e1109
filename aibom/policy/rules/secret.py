"""secret: a model file carries something that looks like a credential.

The shapes are those that the issuers document for their tokens. Every pattern takes one pass: it
starts only where no character of its own stands in front.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.file import File
from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation
from aibom.policy.rules._text_search import FOUND_COUNT, stated_texts

ENTROPY_BITS: Final = 3.0  # per character; words and fillers stay below, random tokens far above

_VIOLATION = Violation(
    rule="secret",
    severity=Severity.HIGH,
    remedy="revoke the credential, then save the file again without it",
)
_WORD = r"(?<![A-Za-z0-9_-])"
# What is found is the first group where there is one, else the whole match.
_SHAPES: Final = tuple(
    (kind, re.compile(pattern), confidence)
    for kind, pattern, confidence in (
        ("AWS access key", _WORD + r"(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])", Confidence.HIGH),
        ("Hugging Face token", _WORD + r"hf_[A-Za-z0-9]{30,60}+(?![A-Za-z0-9_-])", Confidence.HIGH),
        ("GitHub token", _WORD + r"gh[pousr]_[A-Za-z0-9]{36,255}+", Confidence.HIGH),
        ("GitHub token", _WORD + r"github_pat_[A-Za-z0-9_]{60,255}+", Confidence.HIGH),
        ("GitLab token", _WORD + r"glpat-[A-Za-z0-9_-]{20,64}+", Confidence.HIGH),
        (
            "API key",
            _WORD + r"sk-(?:proj-|svcacct-|ant-[a-z0-9]{1,10}-)?[A-Za-z0-9_-]{32,256}+",
            Confidence.HIGH,
        ),
        ("Google API key", _WORD + r"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])", Confidence.HIGH),
        ("Slack token", _WORD + r"xox[abposr]-[A-Za-z0-9-]{20,255}+", Confidence.HIGH),
        (
            "Slack webhook",
            r"https://hooks\.slack\.com/services/T[A-Z0-9]{6,16}/B[A-Z0-9]{6,16}/[A-Za-z0-9]{16,64}+",
            Confidence.HIGH,
        ),
        ("private key", r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----", Confidence.HIGH),
        (
            "JSON web token",
            r"(?<![A-Za-z0-9_.-])eyJ[A-Za-z0-9_-]{8,2048}+\.eyJ[A-Za-z0-9_-]{8,2048}+\.[A-Za-z0-9_-]{16,1024}+",
            Confidence.MEDIUM,
        ),
        (
            "password in an address",
            r"(?<![A-Za-z0-9+.-])[a-z][a-z0-9+.-]{1,20}+://[^\s/:@]{0,64}+:([^\s/@:]{6,256}+)@[A-Za-z0-9\[]",
            Confidence.MEDIUM,
        ),
    )
)
_PLACEHOLDER = re.compile(r"(?i)example|placeholder|your|dummy|xxxx|\*\*\*|password|<|\$\{|\{\{")


def check(report: Report) -> Iterator[Finding]:
    for file in report.files:
        found: set[str] = set()
        for place, kind, secret, confidence in _secrets(file):
            # Never the secret itself: findings are published.
            name = f"{kind} {hashlib.sha256(secret.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
            if name not in found and len(found) < FOUND_COUNT:
                found.add(name)
                message = f"{place[:80]!r} holds what looks like a {kind}"
                yield _VIOLATION.at(file.path, message, found=name, confidence=confidence)


def _secrets(file: File) -> Iterator[tuple[str, str, str, Confidence]]:
    for place, text in stated_texts(file):
        for kind, pattern, confidence in _SHAPES:
            for match in pattern.finditer(text):
                secret = match[match.lastindex or 0]
                if kind == "private key" or _is_random(secret):
                    yield place, kind, secret, confidence


def _is_random(secret: str) -> bool:
    """False for what documentation puts in the place of a secret."""
    if _PLACEHOLDER.search(secret):
        return False
    counts = Counter(secret).values()
    bits = -sum(count / len(secret) * math.log2(count / len(secret)) for count in counts)
    return bits >= min(ENTROPY_BITS, math.log2(len(secret)) - 0.5)


RULE = Rule(
    id=_VIOLATION.rule,
    title="A model file carries something that looks like a credential",
    severity=_VIOLATION.severity,
    why="Tokens and keys in headers, cards and configurations are published together with the model.",
    remedy=_VIOLATION.remedy,
    check=check,
    atlas=("AML.T0055",),
    cwe=(798,),
    optional=True,
)
