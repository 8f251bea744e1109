"""Bundles that were signed with an X.509 certificate, judged by roots and an identity that one names.

There are no roots by default, least of all those of the web. A root is whatever the caller names:
also an intermediate authority, and also the certificate of the signer itself, which then needs no
issuer and still has to meet every rule for signers. Revocation is not checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from aibom.domain.check import Outcome
from aibom.domain.errors import malformed
from aibom.domain.signing import Bundle, ExpectedChain, Judged, Material, Signer
from aibom.domain.text import capped, visible
from aibom.trust.certificate_checks import (
    COMMON_NAME,
    SHOWN_CHARS,
    common_name,
    constrained,
    from_bundle,
    names_of,
    read_certificates,
    shown,
    signer_fault,
)
from aibom.trust.certificate_path import NoPath, Pool, path_at, path_at_another_time, valid_at
from aibom.trust.identity import check_expected, matches
from aibom.trust.public_key import Fault, accepted, algorithm_of, spki_sha256
from aibom.trust.signature import check_signature

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

BUNDLE_CERTIFICATE_COUNT: Final = 16


def verify_chain(
    bundle: Bundle,
    artifact: bytes | None,
    expected: ExpectedChain,
    *,
    proven: datetime | None = None,
    now: datetime | None = None,
) -> Judged:
    """Whether the holder of a certificate below one of the roots, named as expected, signed.

    `artifact` is the SHA-256 digest of the signed file, for message signatures. `proven` is the time
    of signing that a log or an RFC 3161 authority vouches for, checked by the caller; without one the
    whole chain has to be valid now (`now`, by default the clock). Times are aware. Raises
    UnreadableError when the expectation is unusable: no roots, no identity, a pattern that lets
    anybody in.
    """
    roots = read_certificates(expected.roots, "root certificates")
    extra = read_certificates(expected.intermediates, "intermediates") if expected.intermediates else ()
    _check_identity(expected)
    chain = from_bundle(bundle.certificates[: BUNDLE_CERTIFICATE_COUNT + 1])
    fault = _chain_fault(bundle, chain)
    if fault is not None:
        return Judged(outcome=fault.outcome, detail=fault.detail)
    leaf = chain[0]
    fault = signer_fault(leaf) or check_signature(bundle, artifact, accepted(leaf.public_key()))
    if fault is not None:
        return Judged(outcome=fault.outcome, detail=fault.detail)
    pool = Pool(leaf=leaf, intermediates=(*chain[1:], *extra), roots=roots)
    judged = _judge(pool, expected, proven or now or datetime.now(UTC), proven=proven)
    if judged.outcome is not Outcome.VERIFIED or bundle.envelope is None:
        return judged
    return replace(judged, payload=bundle.envelope.payload)


def _check_identity(expected: ExpectedChain) -> None:
    name = expected.identity.removeprefix(COMMON_NAME)
    if expected.pattern and expected.identity.startswith(f"^{COMMON_NAME}"):
        raise malformed(f"a pattern for a common name is `{COMMON_NAME}` and then the pattern")
    check_expected(name, pattern=expected.pattern)


def _chain_fault(bundle: Bundle, chain: Sequence[Certificate]) -> Fault | None:
    """Why there is no signer to look at."""
    count = len(bundle.certificates)
    if not count:
        detail = "signed with a key and without a certificate: verify it with the public key"
        return Fault(outcome=Outcome.UNTRUSTED_SIGNER, detail=detail)
    if count > BUNDLE_CERTIFICATE_COUNT:
        detail = f"the bundle holds {count} certificates, at most {BUNDLE_CERTIFICATE_COUNT} are looked at"
        return Fault(outcome=Outcome.COULD_NOT_CHECK, detail=detail)
    if len(chain) < count:
        detail = f"certificate {len(chain) + 1} of the bundle is not readable: get the bundle again"
        return Fault(outcome=Outcome.UNTRUSTED_SIGNER, detail=detail)
    return None


def _judge(pool: Pool, expected: ExpectedChain, at: datetime, *, proven: datetime | None) -> Judged:
    """The verdict on the signer of a good signature."""
    path = path_at(pool, at)
    timely = not isinstance(path, NoPath)
    if isinstance(path, NoPath):
        path = path_at_another_time(pool, at, path)
    if isinstance(path, NoPath):
        detail = f"no trusted path from the certificate to the named roots ({path.reason}): name its root"
        signer = _signer(pool.leaf, _claimed(pool.leaf), (), proven)
        return Judged(outcome=Outcome.UNTRUSTED_SIGNER, detail=detail, signer=signer)
    name = _matching_name(path, expected)
    signer = _signer(pool.leaf, name or _claimed(pool.leaf), path, proven)
    if name is None:
        return Judged(outcome=Outcome.UNTRUSTED_SIGNER, detail=_other_name(path, expected), signer=signer)
    if not timely:
        return Judged(outcome=Outcome.EXPIRED, detail=_untimely(path, at, proven), signer=signer)
    return Judged(outcome=Outcome.VERIFIED, detail="signed by the expected identity", signer=signer)


def _matching_name(path: Sequence[Certificate], expected: ExpectedChain) -> str | None:
    leaf, *authorities = path
    if not expected.identity.startswith(COMMON_NAME):
        found = (
            name for name in names_of(leaf) if matches(name, expected.identity, pattern=expected.pattern)
        )
        return next(found, None)
    # Name constraints say nothing about common names, so that an authority could escape from its own.
    if constrained(authorities):
        return None
    name = common_name(leaf)
    wanted = expected.identity.removeprefix(COMMON_NAME)
    return f"{COMMON_NAME}{name}" if matches(name, wanted, pattern=expected.pattern) else None


def _claimed(leaf: Certificate) -> str:
    return next(iter(names_of(leaf)), "") or f"{COMMON_NAME}{common_name(leaf)}"


def _other_name(path: Sequence[Certificate], expected: ExpectedChain) -> str:
    leaf, *authorities = path
    if expected.identity.startswith(COMMON_NAME) and constrained(authorities):
        return "its authority may issue for some names only, which a common name escapes: expect another name"
    found = [*names_of(leaf), f"{COMMON_NAME}{common_name(leaf)}"]
    told = capped(visible(", ".join(found)), SHOWN_CHARS)
    return f"signed by somebody else ({told}) than {capped(visible(expected.identity), SHOWN_CHARS)}"


def _untimely(path: Sequence[Certificate], at: datetime, proven: datetime | None) -> str:
    """Which certificate was not valid, and what would help."""
    number, late = next(
        (number, certificate) for number, certificate in enumerate(path) if not valid_at(certificate, at)
    )
    who = "the certificate" if number == 0 else f"authority {number} above the certificate"
    span = f"{_iso(late.not_valid_before_utc)} to {_iso(late.not_valid_after_utc)}"
    if proven is not None:
        return f"{who} was valid from {span}, and it was used on {_iso(at)}: have it signed again"
    return f"{who} is valid from {span}, and no time of signing is proven: have it signed again"


def _signer(leaf: Certificate, identity: str, path: Sequence[Certificate], proven: datetime | None) -> Signer:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - loaded already

    key = accepted(leaf.public_key())
    evidence = [
        ("algorithm", algorithm_of(key)),
        ("certificate sha256", hashlib.sha256(leaf.public_bytes(Encoding.DER)).hexdigest()),
        ("certificate valid", f"{_iso(leaf.not_valid_before_utc)} to {_iso(leaf.not_valid_after_utc)}"),
    ]
    if path:
        root = hashlib.sha256(path[-1].public_bytes(Encoding.DER)).hexdigest()
        evidence += [("root sha256", root), ("revocation", "not checked")]
    return Signer(
        material=Material.CERTIFICATE,
        identity=capped(visible(identity)),
        issuer=shown(leaf.issuer),
        key_sha256=spki_sha256(key),
        signed_at=_iso(proven) if proven else None,
        evidence=tuple(evidence),
    )


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
