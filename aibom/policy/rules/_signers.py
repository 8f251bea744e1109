"""Whom a policy expects to have signed: for the verifier, and for the judgement afterwards."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aibom.domain.check import Check
from aibom.domain.signing import Expected, ExpectedChain, ExpectedIdentity, ExpectedKey
from aibom.policy.glob import Glob
from aibom.policy.setting import Setting

_KEYS: Final = ("issuer", "identity", "key", "certificate-chain")
_FORMS: Final = frozenset(
    {
        frozenset({"issuer", "identity"}),
        frozenset({"key"}),
        frozenset({"certificate-chain", "identity"}),
    }
)
_PEM: Final = re.compile(r"\s*-----BEGIN ([A-Z ]+)-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END \1-----")
# A verifier refuses patterns that let one of these in; the policy says so before anything is verified.
_STRANGERS: Final = (
    "stranger@mail.stranger.invalid",
    "https://stranger.invalid",
    "https://stranger.invalid/stranger/stranger/.github/workflows/stranger.yml@refs/heads/stranger",
    "spiffe://stranger.invalid/stranger",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySigner:
    """One signer of a policy. `issuer` is empty where none is demanded."""

    name: str
    identity: Glob
    expected: Expected
    issuer: str = ""

    def made(self, check: Check) -> bool | None:
        """Whether a verified check is about a signature of this signer; None when too little is told."""
        if not self.identity.matches(check.identity):
            return False
        if not self.issuer:
            return True
        return check.issuer == self.issuer if check.issuer else None


def read_signers(setting: Setting) -> tuple[PolicySigner, ...]:
    """Raises `PolicyError`."""
    return setting.each(_signer)


def _signer(setting: Setting) -> PolicySigner:
    members = setting.members(_KEYS)
    if frozenset(members) not in _FORMS:
        raise setting.error("a signer is issuer and identity, or key, or certificate-chain and identity")
    if "key" in members:
        return _by_key(members["key"])
    identity = _identity(members["identity"])
    if "issuer" in members:
        return _by_issuer(identity, members["issuer"])
    return PolicySigner(name=identity.text, identity=identity, expected=_chain(identity, members))


def _by_key(setting: Setting) -> PolicySigner:
    der = _pem(setting, "PUBLIC KEY")
    # The name that verified signatures by a key carry.
    name = f"sha256:{hashlib.sha256(der).hexdigest()}"
    expected = ExpectedKey(public_key=setting.text().encode())
    return PolicySigner(name=name, identity=Glob.of(name), expected=expected)


def _by_issuer(identity: Glob, setting: Setting) -> PolicySigner:
    issuer = setting.text()
    if "*" in issuer:
        raise setting.error("issuer is one address, without a star")
    expected = ExpectedIdentity(
        identity=_spelled(identity),
        issuer=issuer if identity.is_literal else Glob.of(issuer).regular_expression(),
        pattern=not identity.is_literal,
    )
    return PolicySigner(name=identity.text, identity=identity, expected=expected, issuer=issuer)


def _chain(identity: Glob, members: Mapping[str, Setting]) -> ExpectedChain:
    _pem(members["certificate-chain"], "CERTIFICATE")
    return ExpectedChain(
        roots=members["certificate-chain"].text().encode(),
        identity=_spelled(identity),
        pattern=not identity.is_literal,
    )


def _identity(setting: Setting) -> Glob:
    glob = setting.glob()
    if any(glob.matches(stranger) for stranger in _STRANGERS):
        raise setting.error("identity lets anybody in; name the organisation, or the host, that you expect")
    return glob


def _spelled(identity: Glob) -> str:
    return identity.text if identity.is_literal else identity.regular_expression()


def _pem(setting: Setting, label: str) -> bytes:
    """The DER bytes of the first block. The signature is checked by who reads all of them."""
    found = _PEM.match(setting.text())
    if found is None or found[1] != label:
        raise setting.error(f"{setting.name} is PEM text that begins with -----BEGIN {label}-----")
    try:
        return base64.b64decode("".join(found[2].split()), validate=True)
    except binascii.Error:
        raise setting.error(f"{setting.name} is not Base64 inside") from None
