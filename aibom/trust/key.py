"""Bundles that were signed with a key whose public half one has."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from aibom.domain.check import Outcome
from aibom.domain.signing import Bundle, ExpectedKey, Judged, Material, Signer
from aibom.trust.public_key import (
    Fault,
    algorithm_of,
    oms_hint,
    read_public_key,
    spki_sha256,
)
from aibom.trust.signature import check_signature

if TYPE_CHECKING:
    from aibom.trust.public_key import PublicKey


def verify_key(bundle: Bundle, artifact: bytes | None, expected: ExpectedKey) -> Judged:
    """Whether the expected key signed the payload, or the file with the SHA-256 digest `artifact`.

    The key decides, whatever else the bundle carries: a wrong hint is told and is no error, log
    entries and timestamps are not looked at. Raises UnreadableError when the expected key is no
    usable key.
    """
    key = read_public_key(expected.public_key)
    hinted = _hinted(bundle, key)
    fault = check_signature(bundle, artifact, key)
    if fault is not None:
        return _refused(bundle, fault, hinted=hinted)
    return Judged(
        outcome=Outcome.VERIFIED,
        detail="signed with the expected key"
        + ("" if hinted is not False else ", though the hint in the bundle is that of another key"),
        signer=_signer(bundle, key, hinted=hinted),
        payload=bundle.envelope.payload if bundle.envelope else None,
    )


def _hinted(bundle: Bundle, key: PublicKey) -> bool | None:
    """Whether the hint names the key, in the spelling of OMS or cosign; None without a hint."""
    if not bundle.key_hint:
        return None
    name = spki_sha256(key)
    return bundle.key_hint in (oms_hint(key), name, base64.b64encode(bytes.fromhex(name)).decode())


def _refused(bundle: Bundle, fault: Fault, *, hinted: bool | None) -> Judged:
    """The hint is not signed, so it only chooses between two outcomes that both refuse."""
    if fault.outcome is not Outcome.SIGNATURE_INVALID:
        return Judged(outcome=fault.outcome, detail=fault.detail)
    if hinted is False:
        detail = "another key signed it, as its hint says: get the public key of the signer"
        return Judged(outcome=Outcome.UNTRUSTED_SIGNER, detail=detail)
    if bundle.material is not Material.KEY:
        detail = "not signed with this key; it carries a certificate: verify it by chain or identity"
        return Judged(outcome=Outcome.UNTRUSTED_SIGNER, detail=detail)
    return Judged(outcome=fault.outcome, detail=fault.detail)


def _signer(bundle: Bundle, key: PublicKey, *, hinted: bool | None) -> Signer:
    name = spki_sha256(key)
    evidence = [("algorithm", algorithm_of(key))]
    if hinted is not None:
        evidence.append(("key hint", "names the key" if hinted else "names another key"))
    if bundle.log_entries or bundle.timestamp_count:
        evidence.append(("log entries and timestamps", "not checked"))
    return Signer(material=Material.KEY, identity=f"sha256:{name}", key_sha256=name, evidence=tuple(evidence))
