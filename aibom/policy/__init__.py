"""May we use it? The policy document, one module per rule, and the judgement. Pure."""

from __future__ import annotations

from aibom.policy.allowlist import Allowlist, Pack, PackError, parse_pack
from aibom.policy.content import judge_contents
from aibom.policy.document import Policy, PolicyError, parse_policy
from aibom.policy.evaluation import evaluate
from aibom.policy.rules import RULES

__all__ = [
    "RULES",
    "Allowlist",
    "Pack",
    "PackError",
    "Policy",
    "PolicyError",
    "evaluate",
    "judge_contents",
    "parse_pack",
    "parse_policy",
]
