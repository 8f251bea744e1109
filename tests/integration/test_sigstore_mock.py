"""Keyless signatures against services and a client that others wrote: npm's @sigstore/mock, /sign, /verify.

The same is done with services of ours in tests/trust; what both would get wrong alike shows here.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aibom.cli.exit_codes import ExitCode
from aibom.cli.main import _run
from aibom.domain.check import Outcome
from aibom.domain.errors import UnreadableError
from aibom.domain.signing import ExpectedIdentity, Judged
from aibom.trust.bundle import read_bundle
from aibom.trust.keyless import verify_keyless
from aibom.trust.keyless_signing import sign_keyless
from aibom.trust.trust_root import read_trust_root
from tests.services.fake_sigstore import FakeSigstore
from tests.services.npm_services import CannotInstallError, NpmSigstore, install

pytestmark = pytest.mark.integration

IDENTITY = "https://github.com/org/repo/.github/workflows/release.yml@refs/heads/main"
ISSUER = "https://issuer.aibom.test"
TOKEN = FakeSigstore.token(IDENTITY, ISSUER, seconds=3600)
FILE, OTHER_FILE = b"weights", b"others"
STATEMENT = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": {"sha256": hashlib.sha256(FILE).hexdigest()}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {"resources": []},
    }
).encode()
REFUSALS = (
    "SIGNATURE_ERROR",
    "TLOG_BODY_ERROR",
    "TIMESTAMP_ERROR",
)  # of npm, for parts that do not belong together
REKOR_1, REKOR_2 = pytest.param(1, id="Rekor v1"), pytest.param(2, id="Rekor v2")


@dataclass(frozen=True, kw_only=True)
class Content:
    """What is signed, and what the log keeps of it."""

    data: bytes
    is_statement: bool
    entries: tuple[str, str]  # for Rekor v1 and v2

    @property
    def digest(self) -> bytes | None:
        return None if self.is_statement else hashlib.sha256(self.data).digest()

    def sign(self, config: dict[str, Any]) -> bytes:
        trust_config = json.dumps(config).encode()
        if self.is_statement:
            return sign_keyless(TOKEN, trust_config, statement=self.data)
        return sign_keyless(TOKEN, trust_config, digest=self.digest)


CONTENTS = {
    "statement": Content(data=STATEMENT, is_statement=True, entries=("dsse 0.0.1", "hashedrekord 0.0.2")),
    "file": Content(data=FILE, is_statement=False, entries=("hashedrekord 0.0.1", "hashedrekord 0.0.2")),
}


@dataclass(frozen=True)
class Signature:
    """A bundle by us, and with what it was made."""

    content: Content
    rekor: int
    config: dict[str, Any]
    bundle: bytes


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NpmSigstore]:
    try:
        folder = install(tmp_path_factory.mktemp("npm"))
    except CannotInstallError as error:
        pytest.skip(f"npm cannot install @sigstore/mock; is its registry within reach? {error}")
    with NpmSigstore(folder) as running:
        yield running


@pytest.fixture(scope="module", params=[REKOR_1, REKOR_2])
def rekor(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module", params=CONTENTS)
def signature(request: pytest.FixtureRequest, services: NpmSigstore, rekor: int) -> Signature:
    content, config = CONTENTS[request.param], services.config("honest", rekor)
    return Signature(content, rekor, config, content.sign(config))


def judged(
    bundle: bytes,
    digest: bytes | None,
    config: dict[str, Any],
    identity: str = IDENTITY,
    issuer: str = ISSUER,
) -> Judged:
    expected = ExpectedIdentity(identity=identity, issuer=issuer)
    return verify_keyless(read_bundle(bundle), digest, expected, read_trust_root(json.dumps(config).encode()))


def mixed(services: NpmSigstore, signature: Signature, kind: str) -> dict[str, Any]:
    """The configuration of the signature, with authorities of this kind from another instance."""
    other = services.configs["other"]["trustedRoot"][kind]
    return signature.config | {"trustedRoot": signature.config["trustedRoot"] | {kind: other}}


def test_what_we_sign_is_verified_by_us_and_by_npm(services: NpmSigstore, signature: Signature) -> None:
    content = signature.content
    bundle = read_bundle(signature.bundle)
    (entry,) = bundle.log_entries
    assert f"{entry.kind} {entry.version}" == content.entries[signature.rekor - 1]
    assert (entry.integrated_time is None) == (signature.rekor == 2)
    assert bundle.timestamp_count == 1
    found = judged(signature.bundle, content.digest, signature.config)
    assert found.outcome is Outcome.VERIFIED, found.detail
    assert found.payload == (content.data if content.is_statement else None)
    assert found.signer is not None
    assert (found.signer.identity, found.signer.issuer) == (IDENTITY, ISSUER)
    assert found.signer.signed_at is not None
    assert services.verify(signature.config, signature.bundle, content.data, IDENTITY, ISSUER) == "verified"


STRANGERS = {
    "identity": ((IDENTITY.replace("main", "other"), ISSUER), "not by https"),
    "issuer": ((IDENTITY, "https://other.aibom.test"), "vouches for the identity, not https"),
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_somebody_else_is_refused(services: NpmSigstore, signature: Signature, kind: str) -> None:
    (identity, issuer), words = STRANGERS[kind]
    found = judged(signature.bundle, signature.content.digest, signature.config, identity, issuer)
    assert (found.outcome, words in found.detail) == (Outcome.UNTRUSTED_SIGNER, True), found.detail
    said = services.verify(signature.config, signature.bundle, signature.content.data, identity, issuer)
    assert said == "UNTRUSTED_SIGNER_ERROR"


ROOTS = {
    "certificateAuthorities": ("does not lead to an authority", "CERTIFICATE_ERROR"),
    "ctlogs": ("(SCT)", "CERTIFICATE_ERROR"),
    "tlogs": ("the log is not one of the trust root", "TLOG_INCLUSION"),
}


@pytest.mark.parametrize("kind", ROOTS)
def test_each_authority_has_to_be_one_of_the_root(
    services: NpmSigstore, signature: Signature, kind: str
) -> None:
    words, code = ROOTS[kind]
    config = mixed(services, signature, kind)
    found = judged(signature.bundle, signature.content.digest, config)
    assert (found.outcome, words in found.detail) == (Outcome.UNTRUSTED_SIGNER, True), found.detail
    said = services.verify(config, signature.bundle, signature.content.data, IDENTITY, ISSUER)
    assert said.startswith(code)


def test_without_a_clock_of_the_root_the_time_of_the_log_counts(
    services: NpmSigstore, signature: Signature
) -> None:
    """npm refuses a timestamp that it cannot verify, although whoever has the bundle can take it out."""
    config = mixed(services, signature, "timestampAuthorities")
    found = judged(signature.bundle, signature.content.digest, config)
    outcome = Outcome.VERIFIED if signature.rekor == 1 else Outcome.COULD_NOT_CHECK
    assert found.outcome is outcome, found.detail
    said = services.verify(config, signature.bundle, signature.content.data, IDENTITY, ISSUER)
    assert said == "TIMESTAMP_ERROR"


def changed(data: bytes, part: str) -> bytes:
    """The bundle with another payload or another digest of its file; as it is, for another file."""
    document = json.loads(data)
    if part == "payload":
        document["dsseEnvelope"]["payload"] = base64.b64encode(STATEMENT + b" ").decode()
    if part == "stated digest":
        digest = base64.b64encode(hashlib.sha256(OTHER_FILE).digest()).decode()
        document["messageSignature"]["messageDigest"]["digest"] = digest
    return json.dumps(document).encode()


CHANGES = {
    "file": Outcome.CONTENT_MISMATCH,
    "stated digest": Outcome.SIGNATURE_INVALID,
    "payload": Outcome.SIGNATURE_INVALID,
}


@pytest.mark.parametrize("part", CHANGES)
def test_other_content_is_refused(services: NpmSigstore, rekor: int, part: str) -> None:
    config, content = services.config("honest", rekor), CONTENTS["statement" if part == "payload" else "file"]
    bundle = changed(content.sign(config), part)
    digest = None if content.is_statement else hashlib.sha256(OTHER_FILE).digest()
    found = judged(bundle, digest, config)
    assert found.outcome is CHANGES[part], found.detail
    assert services.verify(config, bundle, OTHER_FILE, IDENTITY, ISSUER) in REFUSALS


# Parts of a bundle that another one by the same services has as well.
TRANSPLANTS = {
    "tlogEntries": Outcome.SIGNATURE_INVALID,
    "certificate": Outcome.SIGNATURE_INVALID,
    "timestampVerificationData": Outcome.COULD_NOT_CHECK,
}


@pytest.mark.parametrize("part", TRANSPLANTS)
def test_parts_of_two_bundles_are_no_signature(services: NpmSigstore, part: str) -> None:
    config, content = services.config("honest", 2), CONTENTS["file"]
    one, two = (json.loads(content.sign(config)) for _ in range(2))
    one["verificationMaterial"][part] = two["verificationMaterial"][part]
    bundle = json.dumps(one).encode()
    found = judged(bundle, content.digest, config)
    assert found.outcome is TRANSPLANTS[part], found.detail
    assert services.verify(config, bundle, content.data, IDENTITY, ISSUER) in REFUSALS


def spelled_out(data: bytes) -> bytes:
    """The bundle with the zero and the empty list that npm leaves out, which the library `sigstore` demands.

    Only the first entry of a log has either.
    """
    document = json.loads(data)
    (entry,) = document["verificationMaterial"]["tlogEntries"]
    entry["inclusionProof"] = {"logIndex": "0", "hashes": []} | entry["inclusionProof"]
    return json.dumps(document).encode()


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_what_npm_signs_is_verified(services: NpmSigstore, rekor: int, content: Content) -> None:
    config = services.config("honest", rekor)
    bundle = spelled_out(services.sign(config, TOKEN, content.data, statement=content.is_statement))
    assert services.verify(config, bundle, content.data, IDENTITY, ISSUER) == "verified"
    found = judged(bundle, content.digest, config)
    if content.is_statement and rekor == 2:  # npm logs it in a form that newer clients have left
        assert (found.outcome, "dsse 0.0.2" in found.detail) == (Outcome.UNSUPPORTED, True), found.detail
        return
    assert found.outcome is Outcome.VERIFIED, found.detail
    assert found.payload == (content.data if content.is_statement else None)


def test_a_certificate_that_was_used_too_late_is_expired(services: NpmSigstore, rekor: int) -> None:
    config = services.config("late", rekor)
    bundle = spelled_out(services.sign(config, TOKEN, FILE, statement=False))
    found = judged(bundle, CONTENTS["file"].digest, config)
    assert found.outcome is Outcome.EXPIRED, found.detail
    assert services.verify(config, bundle, FILE, IDENTITY, ISSUER) == "CERTIFICATE_ERROR"
    with pytest.raises(UnreadableError, match="does not verify: the certificate was valid from"):
        CONTENTS["file"].sign(config)


# The command line, from end to end.


@pytest.fixture
def trust(services: NpmSigstore, rekor: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the trust configuration. The token is where pipelines put it."""
    monkeypatch.setenv("AIBOM_IDENTITY_TOKEN", TOKEN)
    path = tmp_path / "trust.json"
    path.write_text(json.dumps(services.config("honest", rekor)), "utf-8")
    return path


def verify(target: Path, root: Path, identity: str = IDENTITY, issuer: str = ISSUER) -> tuple[int, str]:
    """The exit code and the outcome of `aibom verify`."""
    out = root.with_name("verification.json")
    flags = ["--identity", identity, "--issuer", issuer, "--trust-root", str(root), "--offline", "-q"]
    code = _run(["verify", str(target), *flags, "-f", "json", "-o", str(out)])
    return code, json.loads(out.read_bytes())["outcome"]


@pytest.mark.parametrize("kind", ["file", "model"])
def test_the_command_line_signs_and_verifies_and_refuses(
    services: NpmSigstore, trust: Path, rekor: int, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "model" / "model.safetensors"
    file.parent.mkdir()
    file.write_bytes(FILE)
    target = file if kind == "file" else file.parent
    assert _run(["sign", kind, str(target), "--keyless", "--trust-config", str(trust), "-q"]) == 0
    assert verify(target, trust) == (ExitCode.PASSED, "verified")
    for identity, issuer in (stranger for stranger, _ in STRANGERS.values()):
        assert verify(target, trust, identity, issuer) == (ExitCode.VIOLATED, "untrusted-signer")
    other = tmp_path / "other.json"
    other.write_text(json.dumps(services.configs["other"]["trustedRoot"]), "utf-8")
    refused = (ExitCode.VIOLATED, "untrusted-signer")
    # Without a time that somebody vouches for, nothing is said about the certificate.
    assert verify(target, other) == (refused if rekor == 1 else (ExitCode.INCOMPLETE, "could-not-check"))
    file.write_bytes(OTHER_FILE)
    assert verify(target, trust) == (ExitCode.VIOLATED, "content-mismatch")
