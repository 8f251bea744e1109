"""May we use it? The policy document, one module per rule, and the judgement. Pure."""

from __future__ import annotations

from aibom.policy.allowlist import Allowlist, Pack, PackError, parse_pack
from aibom.policy.content import judge_contents
from aibom.policy.document import Policy, parse_policy
from aibom.policy.evaluation import THE_LAST_DAY, evaluate, judged
from aibom.policy.rules import REQUIREMENTS, RULES
from aibom.policy.setting import PolicyError

__all__ = [
    "REQUIREMENTS",
    "RULES",
    "THE_LAST_DAY",
    "Allowlist",
    "Pack",
    "PackError",
    "Policy",
    "PolicyError",
    "evaluate",
    "judge_contents",
    "judged",
    "parse_pack",
    "parse_policy",
]
