"""Which check a signature needs: by a key, by a certificate chain, or by an identity."""

from __future__ import annotations

from aibom.domain.check import Outcome
from aibom.domain.signing import Bundle, Expected, ExpectedChain, ExpectedKey, Judged, Material
from aibom.trust.chain import verify_chain
from aibom.trust.key import verify_key
from aibom.trust.keyless import verify_keyless
from aibom.trust.trust_root import TrustRoot, embedded

_WANTED = {ExpectedKey: Material.KEY, ExpectedChain: Material.CERTIFICATE}
_FLAGS = {
    Material.KEY: "with a bare key: name it with --key",
    Material.CERTIFICATE: "with a certificate: name its root with --certificate-chain",
    Material.KEYLESS: "keyless: name who you expect with --identity and --issuer",
}


def judge_signature(
    bundle: Bundle, artifact: bytes | None, expected: Expected, root: TrustRoot | None = None
) -> Judged:
    """The verdict on a signature. A signature of another kind than the expected one is not trusted.

    `artifact` is the SHA-256 of the signed file for message signatures. Without `root` a keyless
    signature is held against the production root that comes with the library. Raises
    `UnreadableError` for an expectation that names nobody in particular.
    """
    if bundle.material is not _WANTED.get(type(expected), Material.KEYLESS):
        detail = f"it was signed {_FLAGS[bundle.material]}"
        return Judged(outcome=Outcome.UNTRUSTED_SIGNER, detail=detail)
    if isinstance(expected, ExpectedKey):
        return verify_key(bundle, artifact, expected)
    if isinstance(expected, ExpectedChain):
        return verify_chain(bundle, artifact, expected)
    return verify_keyless(bundle, artifact, expected, root or embedded("production"))
