"""What the services of sigstore can do wrong, for tests that have to notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier


@dataclass(frozen=True, kw_only=True)
class Attack:
    """What the services do wrong, or what was changed after they did it right."""

    issuer: str | None = None  # the certificate names this one, whatever the token says
    newer_issuer: str | None = None  # only the newer of its two extensions does
    age: timedelta = timedelta(0)  # of the certificate when it is used; it lives for ten minutes
    usage: ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING
    curve: ec.EllipticCurve = ec.SECP256R1()  # noqa: RUF009 - immutable
    second_name: str | None = None  # the certificate names this identity as well
    wrong_ct_key: bool = False  # the certificate's timestamp is signed by another log
    no_ct: bool = False
    wrong_log_key: bool = False  # the promise and the checkpoint are signed by another key
    time_shift: int = 0  # seconds, added to the entry after the log has promised it
    wrong_proof: bool = False
    no_proof: bool = False
    no_checkpoint: bool = False
    kind: str | None = None  # of the log entry, as the bundle states it
    other_content: bool = False  # the log holds an entry for another signature
    clock_shift: timedelta = timedelta(0)  # of the timestamp authority
    wrong_clock_message: bool = False  # it stamps other bytes than the signature
    refusal: bool = False  # the authority refuses, and repeats the token in its answer


HONEST = Attack()
