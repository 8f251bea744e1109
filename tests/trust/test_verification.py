"""Each expectation is held against its own kind of signature, and against no other one."""

from __future__ import annotations

import pytest

from aibom.domain.check import Outcome
from aibom.domain.errors import UnreadableError
from aibom.domain.signing import Bundle, Expected, ExpectedChain, ExpectedIdentity, ExpectedKey, Material
from aibom.trust import keyless
from aibom.trust.bundle import read_bundle
from aibom.trust.trust_root import embedded, read_trust_root
from aibom.trust.verification import judge_signature
from tests.services.fake_sigstore import IDENTITY, ISSUER, FakeSigstore
from tests.trust.certificates import (
    MAIL,
    PAYLOAD,
    SIGNER,
    authority,
    chain_bundle,
    ec_key,
    issue,
    key_bundle,
    public_pem,
)  # fmt: skip

KEY = ec_key()
ROOT = issue("root", authority(), days=(-60, 36_500))
SERVICES = FakeSigstore()
BUNDLES = {
    Material.KEY: key_bundle(KEY),
    Material.CERTIFICATE: chain_bundle(issue("leaf", SIGNER, ROOT, days=(-30, 36_500))),
    Material.KEYLESS: read_bundle(SERVICES.sign(PAYLOAD)),
}
EXPECTED: dict[Material, Expected] = {
    Material.KEY: ExpectedKey(public_key=public_pem(KEY)),
    Material.CERTIFICATE: ExpectedChain(roots=ROOT.pem, identity=MAIL),
    Material.KEYLESS: ExpectedIdentity(identity=IDENTITY, issuer=ISSUER),
}
FLAGS = {Material.KEY: "--key", Material.CERTIFICATE: "--certificate-chain", Material.KEYLESS: "--identity"}
TRUST = read_trust_root(SERVICES.trusted_root())


@pytest.mark.parametrize("wanted", Material)
@pytest.mark.parametrize("made", Material)
def test_a_signature_is_verified_by_its_own_kind_of_expectation_only(
    made: Material, wanted: Material
) -> None:
    judged = judge_signature(BUNDLES[made], None, EXPECTED[wanted], TRUST)
    if made is wanted:
        assert (judged.outcome, judged.payload) == (Outcome.VERIFIED, PAYLOAD)
        assert judged.signer is not None
        assert judged.signer.material is made
    else:
        assert (judged.outcome, judged.payload, judged.signer) == (Outcome.UNTRUSTED_SIGNER, None, None)
        assert FLAGS[made] in judged.detail


def test_without_a_root_that_of_production_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    roots: list[object] = []
    verify_keyless = keyless.verify_keyless

    def seen(bundle: Bundle, artifact: bytes | None, expected: ExpectedIdentity, root: object) -> object:
        roots.append(root)
        return verify_keyless(bundle, artifact, expected, root)  # type: ignore[arg-type]

    monkeypatch.setattr(keyless, "verify_keyless", seen)
    judged = judge_signature(BUNDLES[Material.KEYLESS], None, EXPECTED[Material.KEYLESS])
    assert judged.outcome is not Outcome.VERIFIED
    assert roots == [embedded("production")]


@pytest.mark.parametrize(
    "expected",
    [
        ExpectedKey(public_key=b"no key"),
        ExpectedChain(roots=b"", identity=MAIL),
        ExpectedChain(roots=ROOT.pem, identity=""),
        ExpectedIdentity(identity="", issuer=ISSUER),
        ExpectedIdentity(identity=".*", issuer=ISSUER, pattern=True),
    ],
)
def test_an_expectation_that_names_nobody_is_an_error(expected: Expected) -> None:
    made = {ExpectedKey: Material.KEY, ExpectedChain: Material.CERTIFICATE}.get(
        type(expected), Material.KEYLESS
    )
    with pytest.raises(UnreadableError):
        judge_signature(BUNDLES[made], None, expected, TRUST)
