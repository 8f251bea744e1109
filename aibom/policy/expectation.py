"""What a policy says about signers, for whoever verifies signatures before the policy judges."""

from __future__ import annotations

from aibom.domain.signing import Expected, ExpectedAny
from aibom.policy.document import Policy
from aibom.policy.glob import Glob
from aibom.policy.rules import signature


def expected_signer(policy: Policy) -> Expected | None:
    """Any of those whom the policy names; None when it says nothing about signatures."""
    section = policy.section(signature.RULE.id)
    return None if section is None else ExpectedAny(signers=signature.signers(section.settings))


def may_be_unsigned(policy: Policy) -> tuple[Glob, ...]:
    """Paths, from the folder of the signature, that a signer may leave out."""
    section = policy.section(signature.RULE.id)
    return () if section is None else signature.ignored(section.settings)
