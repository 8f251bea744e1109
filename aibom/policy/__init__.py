"""May we use it? The policy document, one module per rule, and the judgement. Pure."""

from __future__ import annotations

from aibom.policy.document import Policy, PolicyError, parse_policy
from aibom.policy.evaluation import evaluate
from aibom.policy.rules import RULES

__all__ = ["RULES", "Policy", "PolicyError", "evaluate", "parse_policy"]
