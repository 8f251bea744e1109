"""One changed byte anywhere: verification fails, or the byte is shown to be outside of what is signed."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_der_x509_certificate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aibom.domain.attestation import Subject
from aibom.domain.errors import UnreadableError
from aibom.domain.signing import Expected, ExpectedChain, ExpectedIdentity, ExpectedKey, Manifest, Resource
from aibom.domain.verification import Verification
from aibom.trust.attestations import bom_statement
from aibom.trust.bundle import read_bundle, write_bundle
from aibom.trust.certificate_checks import read_certificates
from aibom.trust.oms import write_manifest
from aibom.trust.public_key import oms_hint, read_public_key, spki_sha256
from aibom.trust.trust_root import TrustRoot, read_trust_root
from aibom.workflows.verify import VerifyRequest, verify
from tests.services.fake_sigstore import IDENTITY, ISSUER, FakeSigstore
from tests.services.sigstore_bytes import canonical
from tests.trust.certificates import MAIL, SIGNER, authority, ec_key, envelope_by, issue, public_pem

# About certificates in timestamps; the verdict is what counts here.
WEIGHTS, CONFIG = bytes(range(64)), b'{"a": 1}'
DIGESTS = {"config.json": sha256(CONFIG).hexdigest(), "weights.bin": sha256(WEIGHTS).hexdigest()}
PAYLOAD = write_manifest(
    Manifest(
        name="model",
        resources=tuple(
            Resource(name=name, algorithm="sha256", digest=value) for name, value in DIGESTS.items()
        ),
    )
)
KEY = ec_key()
ROOT = issue("root", authority(), days=(-1000, 1000))
LEAF = issue("release", SIGNER, ROOT, days=(-30, 800))
SERVICES = {rekor: FakeSigstore(rekor=rekor) for rekor in (1, 2)}
HINT = oms_hint(KEY.public_key())


@dataclass(frozen=True, kw_only=True)
class Case:
    """A model that is verified, and whose signature that has to be."""

    signature: bytes
    expected: Expected
    root: TrustRoot | None = None
    files: dict[str, bytes] = field(default_factory=lambda: {"weights.bin": WEIGHTS, "config.json": CONFIG})
    name: str = "model.sig"

    def verified(self, place: Path, **changed: bytes) -> Verification | None:
        """The result with some files changed; None when something cannot be read at all."""
        place.mkdir(exist_ok=True)
        for name, data in {**self.files, self.name: self.signature, **changed}.items():
            (place / name).write_bytes(data)
        try:
            return verify(VerifyRequest(target=str(place), expected=self.expected, root=self.root))
        except UnreadableError:
            return None


BILL = canonical(
    {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"licenses": ["Apache-2.0"]},
        "components": [
            {"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": value}]}
            for name, value in DIGESTS.items()
        ],
    }
)  # fmt: skip
STATEMENT = bom_statement(
    BILL, [Subject(name=n, digests=(("sha256", value),)) for n, value in DIGESTS.items()]
)
BY_KEY = ExpectedKey(public_key=public_pem(KEY))
CASES = {
    "key": Case(signature=write_bundle(envelope_by(KEY, PAYLOAD), None, key_hint=HINT), expected=BY_KEY),
    "chain": Case(
        signature=write_bundle(envelope_by(LEAF.key, PAYLOAD), None, certificates=(LEAF.der,)),
        expected=ExpectedChain(roots=ROOT.pem, identity=MAIL),
    ),
    "bill of materials": Case(
        signature=write_bundle(envelope_by(KEY, STATEMENT), None, key_hint=HINT),
        expected=BY_KEY,
        files={"weights.bin": WEIGHTS, "config.json": CONFIG, "x.cdx.json": BILL},
        name="x.cdx.json.sigstore.json",
    ),
} | {
    f"keyless {rekor}": Case(
        signature=services.sign(PAYLOAD),
        expected=ExpectedIdentity(identity=IDENTITY, issuer=ISSUER),
        root=read_trust_root(services.trusted_root()),
    )
    for rekor, services in SERVICES.items()
}  # fmt: skip
# Looked at byte by byte; the others cost the library a few milliseconds each.
STRIDES = {"key": 1, "chain": 7, "bill of materials": 11, "keyless 1": 29, "keyless 2": 31}


def flipped(data: bytes, at: int, change: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]


def ok(found: Verification | None) -> bool:
    return found is not None and found.ok


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_changed_below_is_verified(case: Case, tmp_path: Path) -> None:
    assert ok(case.verified(tmp_path / "model"))


@pytest.mark.parametrize("name", ["key", "chain", "bill of materials", "keyless 1"])
def test_every_byte_of_every_signed_file_counts(name: str, tmp_path: Path) -> None:
    case, place = CASES[name], tmp_path / "model"
    for file in ("weights.bin", "config.json"):
        data = case.files[file]
        for at in range(0, len(data), 1 if name == "key" else 7):
            assert not ok(case.verified(place, **{file: flipped(data, at)})), (file, at)
        for other in (data + b"\0", data[:-1], b"", data[::-1]):
            assert not ok(case.verified(place, **{file: other}))


def signed_part(data: bytes) -> object:
    """Everything of a bundle that a signature or a log covers, or that says who signed."""
    bundle = read_bundle(data)
    entries = json.loads(data)["verificationMaterial"].get("tlogEntries", [])
    return bundle.envelope, bundle.message, bundle.certificates, bundle.material, list(map(logged, entries))


def logged(entry: dict[str, Any]) -> object:
    """What the log promises, proves and signs of an entry."""
    proof, promise = entry["inclusionProof"], entry.get("inclusionPromise", {})
    note, _, signatures = proof["checkpoint"]["envelope"].partition("\n\n")
    # Base64 may end in bits that count for nothing. The name in front of a signature is not covered by it,
    # nor is more of the log's identifier than that, unless the log gives a promise.
    encoded = [entry["canonicalizedBody"], proof["rootHash"], *proof.get("hashes", ()), *promise.values()]
    encoded += [line.rpartition(" ")[2] for line in signatures.splitlines()]
    return (
        [base64.b64decode(value) for value in encoded],
        base64.b64decode(entry["logId"]["keyId"])[: None if promise else 4],
        [entry.get(name) for name in ("integratedTime", "kindVersion")],
        [proof.get(name) for name in ("logIndex", "treeSize")],
        note,
    )


def check_outside(case: Case, changed: bytes, place: Path, found: Verification) -> None:
    """Nothing that is signed has changed, and nothing of what is told about the signer."""
    assert signed_part(case.signature) == signed_part(changed)
    original = case.verified(place)
    assert original is not None
    assert signer(original) == signer(found)


def signer(found: Verification) -> object:
    """Who signed and when, without the hint, of which the evidence says itself whether it is right."""
    told = found.statements[0].signer
    assert told is not None
    return replace(told, evidence=tuple(pair for pair in told.evidence if pair[0] != "key hint"))


@pytest.mark.parametrize("name", CASES)
def test_a_byte_of_a_bundle_counts_or_is_outside_of_what_is_signed(name: str, tmp_path: Path) -> None:
    case, refused = CASES[name], 0
    places = range(0, len(case.signature), STRIDES[name])
    for at in places:
        changed = flipped(case.signature, at)
        found = case.verified(tmp_path / "model", **{case.name: changed})
        if found is not None and found.ok:
            check_outside(case, changed, tmp_path / "model", found)
        else:
            refused += 1
    # The hint of a key is 64 free characters of a short bundle.
    assert refused > len(places) * 0.9


def test_every_byte_of_a_signed_bill_of_materials_counts(tmp_path: Path) -> None:
    case = CASES["bill of materials"]
    for at in range(0, len(BILL), 5):
        changed = flipped(BILL, at)
        assert not ok(case.verified(tmp_path / "model", **{"x.cdx.json": changed})), BILL[at - 20 : at + 5]


def test_every_byte_of_the_expected_key_counts_or_names_the_same_key(tmp_path: Path) -> None:
    case, place = CASES["key"], tmp_path / "model"
    pem = public_pem(KEY)
    for at in range(len(pem)):
        changed = flipped(pem, at)
        if ok(replace(case, expected=ExpectedKey(public_key=changed)).verified(place)):
            assert spki_sha256(read_public_key(changed)) == spki_sha256(KEY.public_key())
            assert not chr(pem[at]).isalnum(), pem[at : at + 1]


def test_every_byte_of_the_expected_root_certificate_counts_or_is_the_same_certificate(
    tmp_path: Path,
) -> None:
    case, place = CASES["chain"], tmp_path / "model"
    for at in range(0, len(ROOT.pem), 5):
        changed = flipped(ROOT.pem, at)
        expected = ExpectedChain(roots=changed, identity=MAIL)
        if not ok(replace(case, expected=expected).verified(place)):
            continue
        (root,) = read_certificates(changed, "root")
        # A root is trusted because it is named: its own signature is no evidence, all else is used.
        assert root.public_key() == ROOT.certificate.public_key()
        assert root.subject == ROOT.certificate.subject


def anchors(root: bytes) -> object:
    """The keys and names of a trusted root: all that says who is trusted.

    An authority is trusted because it is named here: its own signature over itself is no evidence.
    """
    document = json.loads(root)
    logs = [log["publicKey"]["rawBytes"] for part in ("tlogs", "ctlogs") for log in document[part]]
    chains = [each["certChain"]["certificates"] for each in document["certificateAuthorities"]]
    return logs, [[anchor(certificate["rawBytes"]) for certificate in chain] for chain in chains]


def anchor(text: str) -> object:
    certificate = load_der_x509_certificate(base64.b64decode(text))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return certificate.subject, certificate.public_key().public_bytes(serialization.Encoding.DER, form)


@pytest.mark.parametrize("rekor", SERVICES)
def test_a_byte_of_the_trust_root_counts_or_decides_nothing_and_the_evidence_names_the_root(
    rekor: int, tmp_path: Path
) -> None:
    case, original = CASES[f"keyless {rekor}"], SERVICES[rekor].trusted_root()
    # Every byte of the clocks: for some of their certificates, changed, the library panics.
    clocks = range(original.index(b'"timestampAuthorities"'), original.index(b'"tlogs"'))
    for at in sorted({*range(0, len(original), 17), *clocks[-400:]}):
        changed = flipped(original, at)
        try:
            root = read_trust_root(changed)
        except UnreadableError:
            continue
        found = replace(case, root=root).verified(tmp_path / "model")
        if found is None or not found.ok:
            continue
        told = found.statements[0].signer
        assert told is not None
        assert dict(told.evidence)["trust root sha256"] == sha256(changed).hexdigest()
        assert anchors(changed) == anchors(original)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_other_change_of_any_byte_is_refused_or_outside(tmp_path: Path, data: st.DataObject) -> None:
    case = CASES[data.draw(st.sampled_from(sorted(CASES)))]
    documents = {**case.files, case.name: case.signature}
    name = data.draw(st.sampled_from(sorted(documents)))
    original = documents[name]
    at, change = data.draw(st.integers(0, len(original) - 1)), data.draw(st.integers(1, 255))
    changed = flipped(original, at, change)
    found = case.verified(tmp_path / "model", **{name: changed})
    if found is not None and found.ok:
        assert name == case.name
        check_outside(case, changed, tmp_path / "model", found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_bytes_that_are_cut_out_or_put_in_are_refused_or_outside(tmp_path: Path, data: st.DataObject) -> None:
    case = CASES[data.draw(st.sampled_from(sorted(CASES)))]
    at = data.draw(st.integers(0, len(case.signature)))
    more = data.draw(st.binary(max_size=3))
    cut = data.draw(st.integers(0, 3))
    changed = case.signature[:at] + more + case.signature[at + cut :]
    found = case.verified(tmp_path / "model", **{case.name: changed})
    if found is not None and found.ok:
        check_outside(case, changed, tmp_path / "model", found)


@pytest.mark.parametrize("name", CASES)
def test_a_bundle_that_is_cut_anywhere_is_refused(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    end = len(case.signature.rstrip())
    for length in range(0, end, 41):
        assert not ok(case.verified(tmp_path / "model", **{case.name: case.signature[:length]}))
