"""The public staging instance of sigstore, for whoever has a token for it in AIBOM_STAGING_TOKEN.

The token is one of an OIDC provider that the instance trusts, for the audience `sigstore`.
"""

from __future__ import annotations

import hashlib
import os

import pytest
from sigstore.oidc import IdentityToken

from aibom.domain.check import Outcome
from aibom.domain.signing import ExpectedIdentity
from aibom.trust.bundle import read_bundle
from aibom.trust.keyless import verify_keyless
from aibom.trust.keyless_signing import sign_keyless
from aibom.trust.trust_root import embedded, embedded_config

TOKEN = os.environ.get("AIBOM_STAGING_TOKEN", "")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not TOKEN, reason="AIBOM_STAGING_TOKEN is not set: signing leaves a public entry"),
]


def test_what_the_staging_instance_signs_is_verified_by_the_embedded_root() -> None:
    digest = hashlib.sha256(b"aibom").digest()
    data = sign_keyless(TOKEN, embedded_config("staging"), digest=digest)
    token = IdentityToken(TOKEN)
    expected = ExpectedIdentity(identity=token.identity, issuer=token.federated_issuer)
    judged = verify_keyless(read_bundle(data), digest, expected, embedded("staging"))
    assert judged.outcome is Outcome.VERIFIED, judged.detail
