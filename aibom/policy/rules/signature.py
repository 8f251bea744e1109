"""signature: models and datasets are signed by somebody whom the policy names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.finding import Severity
from aibom.domain.signing import Expected
from aibom.policy.estate import Subject
from aibom.policy.glob import Glob
from aibom.policy.requirement import Objection, Objections, Requirement, Schema, SubjectJudge
from aibom.policy.rules._outcomes import UNDECIDED, told, weighed
from aibom.policy.rules._signers import PolicySigner, read_signers
from aibom.policy.setting import Setting

_MESSAGES: Final = {
    Outcome.UNSIGNED: "it is not signed",
    Outcome.UNTRUSTED_SIGNER: "it is signed, and not by anybody whom the policy names",
    Outcome.EXPIRED: "the certificate of its signer was not valid when it signed",
    Outcome.CONTENT_MISMATCH: "it is not what was signed",
    Outcome.SIGNATURE_INVALID: "its signature does not hold",
    Outcome.UNSUPPORTED: "its signature is of a kind that is not read",
    Outcome.COULD_NOT_CHECK: "its signature could not be checked",
}
# Clocks of signers and verifiers stand in different time zones.
_AHEAD: Final = timedelta(days=1)


def signers(members: Mapping[str, Setting]) -> tuple[Expected, ...]:
    """Whom a verifier has to expect; a signature by any of them will do."""
    return tuple(signer.expected for signer in read_signers(members["signers"]))


def ignored(members: Mapping[str, Setting]) -> tuple[Glob, ...]:
    """Paths that a signer may leave out. For the verifier: what else is left out was not signed."""
    return members["ignored"].each(Setting.glob) if "ignored" in members else ()


def _judge(members: Mapping[str, Setting]) -> SubjectJudge:
    demand = _Demand(
        signers=read_signers(members["signers"]),
        max_days=members["max-age"].days() if "max-age" in members else None,
    )
    ignored(members)  # refuses what is no pattern

    def judge(subject: Subject) -> Objections:
        checks = subject.checks(CheckKind.SIGNATURE)
        if not checks:
            return (demand.objection("nobody has looked for a signature", "", decided=False),)
        return demand.judge(checks, subject.estate.today)

    return judge


@dataclass(frozen=True, slots=True, kw_only=True)
class _Demand:
    signers: tuple[PolicySigner, ...]
    max_days: int | None

    def judge(self, checks: Iterable[Check], today: date) -> Objections:
        return weighed([self._of(check, today) for check in checks])

    def _of(self, check: Check, today: date) -> Objection | None:
        if check.outcome is not Outcome.VERIFIED:
            message = f"{_MESSAGES[check.outcome]}{told(check)}"
            return self.objection(message, check.outcome, decided=check.outcome not in UNDECIDED)
        made = [signer.made(check) for signer in self.signers]
        if True in made:
            return self._of_age(check, today)
        if None in made:
            message = f"it is signed by {check.identity}, and it is not told who says that this is the signer"
            return self.objection(message, "no issuer", decided=False)
        message = f"it is signed by {check.identity}, whom the policy does not name"
        return self.objection(message, f"{Outcome.UNTRUSTED_SIGNER}: {check.identity}")

    def _of_age(self, check: Check, today: date) -> Objection | None:
        if self.max_days is None:
            return None
        signed = _day(check.signed_at)
        if signed is None or signed - today > _AHEAD:
            return self.objection("nobody vouches for when it was signed", "no time", decided=False)
        if today - signed <= timedelta(days=self.max_days):
            return None
        message = f"it was signed on {signed}, more than {self.max_days} days ago"
        return self.objection(message, f"signed on {signed}")

    def objection(self, message: str, found: str, *, decided: bool = True) -> Objection:
        expected = " or ".join(signer.name for signer in self.signers)
        return Objection(message=message, found=found, expected=expected, decided=decided)


def _day(text: str | None) -> date | None:
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.astimezone(UTC).date() if moment.tzinfo else moment.date()
    except (ValueError, OverflowError):
        return None


def _form(*keys: str) -> Schema:
    properties = {key: {"type": "string"} for key in keys}
    return {"type": "object", "properties": properties, "required": list(keys), "additionalProperties": False}


RULE: Final = Requirement(
    id="signature",
    title="A model or dataset is not signed by anybody whom the policy names",
    severity=Severity.HIGH,
    why=(
        "A digest says that bytes are the same as before, a signature says whose they are. Without one, "
        "whoever can write to the store can replace a model and everything that describes it."
    ),
    remedy="sign it with `aibom sign`, ask its maker to, or name the signer in `signature.signers`",
    schema={
        "signers": {
            "type": "array",
            "minItems": 1,
            "items": {
                "oneOf": [
                    _form("issuer", "identity"),
                    _form("key"),
                    _form("certificate-chain", "identity"),
                ]
            },
            "description": "Who may sign: an identity of an issuer, a public key, or a name under a root.",
        },
        "max-age": {
            "type": "string",
            "pattern": "^[1-9][0-9]{0,4}d$",
            "description": "How long ago it may have been signed, in days, such as 365d.",
        },
        "ignored": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "Patterns of paths that a signer may leave out.",
        },
    },
    required=("signers",),
    judge_each=_judge,
    controls=(
        ("iso42001", "A.6.2.5"),
        ("iso42001", "A.10.3"),
        ("nist-ai-rmf", "MEASURE 2.7"),
        ("eu-ai-act", "15"),
        ("owasp-llm", "LLM03"),
    ),
    atlas=("AML.T0010.003", "AML.T0018"),
    cwe=(347, 345),
)
