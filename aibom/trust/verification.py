"""Which check a signature needs: by a key, by a certificate chain, or by an identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aibom.domain.check import Outcome
from aibom.domain.signing import (
    Bundle,
    Expected,
    ExpectedAny,
    ExpectedChain,
    ExpectedKey,
    Judged,
    Material,
)

if TYPE_CHECKING:
    from aibom.trust.trust_root import TrustRoot

_WANTED = {ExpectedKey: Material.KEY, ExpectedChain: Material.CERTIFICATE}
_FLAGS = {
    Material.KEY: "with a bare key: name it with --key",
    Material.CERTIFICATE: "with a certificate: name its root with --certificate-chain",
    Material.KEYLESS: "keyless: name who you expect with --identity and --issuer",
}


# One signer that holds will do. Otherwise the reason is told that says most about the signature.
_ORDER = (
    Outcome.VERIFIED,
    Outcome.CONTENT_MISMATCH,
    Outcome.EXPIRED,
    Outcome.SIGNATURE_INVALID,
    Outcome.COULD_NOT_CHECK,
    Outcome.UNSUPPORTED,
    Outcome.UNTRUSTED_SIGNER,
    Outcome.UNSIGNED,
)


def judge_signature(
    bundle: Bundle, artifact: bytes | None, expected: Expected, root: TrustRoot | None = None
) -> Judged:
    """The verdict on a signature. A signature of another kind than the expected one is not trusted.

    `artifact` is the SHA-256 of the signed file for message signatures. Without `root` a keyless
    signature is held against the production root that comes with the library. Raises
    `UnreadableError` for an expectation that names nobody in particular.
    """
    if isinstance(expected, ExpectedAny):
        found = [judge_signature(bundle, artifact, each, root) for each in expected.signers]
        return min(found, key=lambda judged: _ORDER.index(judged.outcome))
    if bundle.material is not _WANTED.get(type(expected), Material.KEYLESS):
        detail = f"it was signed {_FLAGS[bundle.material]}"
        return Judged(outcome=Outcome.UNTRUSTED_SIGNER, detail=detail)
    # One of the three is needed, and each takes its time to import.
    if isinstance(expected, ExpectedKey):
        from aibom.trust.key import verify_key  # noqa: PLC0415 - 10 ms

        return verify_key(bundle, artifact, expected)
    if isinstance(expected, ExpectedChain):
        from aibom.trust.chain import verify_chain  # noqa: PLC0415 - 20 ms

        return verify_chain(bundle, artifact, expected)
    from aibom.trust.keyless import verify_keyless  # noqa: PLC0415 - 30 ms with the next
    from aibom.trust.trust_root import embedded  # noqa: PLC0415

    return verify_keyless(bundle, artifact, expected, root or embedded("production"))
