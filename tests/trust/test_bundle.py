"""Sigstore bundles: every shape that is in use is read, every other one is refused by name."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Callable
from copy import deepcopy
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.signing import Bundle, Envelope, LogEntry, Material, MessageSignature
from aibom.trust.bundle import BUNDLE_BYTES, CERTIFICATE_COUNT, LOG_ENTRY_COUNT, read_bundle, write_bundle
from aibom.trust.dsse import INTOTO_TYPE
from tests.hostile import flips, truncations

V03 = "application/vnd.dev.sigstore.bundle.v0.3+json"
V02 = "application/vnd.dev.sigstore.bundle+json;version=0.2"
PAYLOAD = b'{"_type": "https://in-toto.io/Statement/v1"}'


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


KEY: dict[str, Any] = {
    "mediaType": V03,
    "verificationMaterial": {"publicKey": {"hint": "ab" * 32}, "tlogEntries": []},
    "dsseEnvelope": {
        "payload": b64(PAYLOAD),
        "payloadType": INTOTO_TYPE,
        "signatures": [{"sig": b64(b"signature"), "keyid": ""}],
    },
}
ENTRY: dict[str, Any] = {
    "logIndex": "12",
    "logId": {"keyId": b64(b"log")},
    "kindVersion": {"kind": "dsse", "version": "0.0.1"},
    "integratedTime": "1689177396",
    "inclusionPromise": {"signedEntryTimestamp": b64(b"set")},
    "inclusionProof": {"logIndex": "12", "hashes": [], "checkpoint": {"envelope": "rekor\n1\n"}},
    "canonicalizedBody": b64(b"{}"),
}


def made(**changes: Any) -> bytes:
    """The bundle with some members replaced, by path with `__`; None removes."""
    document = deepcopy(KEY)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = document
        for parent in parents:
            place = place[parent]
        if value is None:
            place.pop(last)
        else:
            place[last] = value
    return json.dumps(document).encode()


def with_material(media_type: str = V03, **material: Any) -> bytes:
    return made(mediaType=media_type, verificationMaterial=material)


def with_message(**message: Any) -> bytes:
    return made(dsseEnvelope=None, messageSignature=message)


def outcome(data: bytes) -> Bundle | UnreadableError:
    try:
        return read_bundle(data)
    except UnreadableError as error:
        return error


def test_a_key_bundle_holds_the_payload_as_it_was_signed() -> None:
    bundle = read_bundle(made())
    assert bundle.envelope == Envelope(payload=PAYLOAD, payload_type=INTOTO_TYPE, signature=b"signature")
    assert (bundle.material, bundle.key_hint, bundle.certificates) == (Material.KEY, "ab" * 32, ())
    assert (bundle.media_type, bundle.message, bundle.raw) == (V03, None, made())


@pytest.mark.parametrize("keyid", ["", None, "anything", 3])
def test_the_key_id_of_the_envelope_is_not_used(keyid: object) -> None:
    signatures = [{"sig": b64(b"signature"), "keyid": keyid}]
    assert read_bundle(made(dsseEnvelope__signatures=signatures)).envelope == read_bundle(made()).envelope


def test_a_public_key_of_old_bundles_becomes_the_hint_that_new_ones_carry() -> None:
    pem = b"-----BEGIN PUBLIC KEY-----\n..."
    material = {"rawBytes": b64(pem), "keyDetails": "PKIX_ECDSA_P384_SHA_384"}
    assert read_bundle(with_material(publicKey=material)).key_hint == sha256(pem).hexdigest()
    assert read_bundle(with_material(publicKey={})).key_hint == ""


LEAF, ROOT = {"rawBytes": b64(b"leaf")}, {"rawBytes": b64(b"root")}


@pytest.mark.parametrize(
    ("media_type", "material", "kind", "certificates"),
    [
        (V03, {"certificate": LEAF, "tlogEntries": [ENTRY]}, Material.KEYLESS, (b"leaf",)),
        (V03, {"certificate": LEAF}, Material.KEYLESS, (b"leaf",)),
        (
            V03,
            {"x509CertificateChain": {"certificates": [LEAF, ROOT]}},
            Material.CERTIFICATE,
            (b"leaf", b"root"),
        ),
        # A chain with a log entry is how v0.1 and v0.2 wrote keyless signatures, and only they.
        (
            V02,
            {"x509CertificateChain": {"certificates": [LEAF]}, "tlogEntries": [ENTRY]},
            Material.KEYLESS,
            (b"leaf",),
        ),
        (V02, {"x509CertificateChain": {"certificates": [LEAF]}}, Material.CERTIFICATE, (b"leaf",)),
        (
            V03,
            {"x509CertificateChain": {"certificates": [LEAF]}, "tlogEntries": [ENTRY]},
            Material.CERTIFICATE,
            (b"leaf",),
        ),
    ],
)
def test_the_material_says_how_the_signer_is_known(
    media_type: str, material: dict[str, Any], kind: Material, certificates: tuple[bytes, ...]
) -> None:
    bundle = read_bundle(with_material(media_type, **material))
    assert (bundle.material, bundle.certificates) == (kind, certificates)


def test_log_entries_and_timestamps_are_counted_and_not_believed() -> None:
    bare = {"kindVersion": {"kind": "hashedrekord", "version": "0.0.2"}, "integratedTime": "0", "logIndex": 3}
    stamps = {"rfc3161Timestamps": [{"signedTimestamp": b64(b"tsr")}]}
    bundle = read_bundle(
        with_material(certificate=LEAF, tlogEntries=[ENTRY, bare], timestampVerificationData=stamps)
    )
    assert bundle.timestamp_count == 1
    assert bundle.log_entries == (
        LogEntry(kind="dsse", version="0.0.1", integrated_time=1689177396, has_proof=True),
        LogEntry(kind="hashedrekord", version="0.0.2", integrated_time=None, has_proof=False),
    )


def test_a_proof_without_a_checkpoint_is_no_proof() -> None:
    entry = {**ENTRY, "inclusionProof": {"logIndex": "12", "hashes": []}}
    assert not read_bundle(with_material(certificate=LEAF, tlogEntries=[entry])).log_entries[0].has_proof


def test_null_counts_as_absent() -> None:
    document = json.loads(made())
    document["messageSignature"] = None
    document["verificationMaterial"] |= {"certificate": None, "timestampVerificationData": None}
    assert read_bundle(json.dumps(document).encode()).envelope == read_bundle(made()).envelope


def test_a_signature_over_a_file_states_its_digest_or_does_not() -> None:
    digest = {"algorithm": "SHA2_256", "digest": b64(b"d" * 32)}
    bundle = read_bundle(with_message(signature=b64(b"s"), messageDigest=digest))
    assert bundle.message == MessageSignature(signature=b"s", digest=b"d" * 32)
    assert bundle.envelope is None
    assert read_bundle(with_message(signature=b64(b"s"))).message == MessageSignature(signature=b"s")


MALFORMED, LIMIT, UNSUPPORTED = Reason.MALFORMED, Reason.LIMIT, Reason.UNSUPPORTED
TWO = [{"sig": b64(b"one")}, {"sig": b64(b"two")}]
MATERIAL = {"publicKey": {"hint": "x"}}

REFUSED: list[tuple[bytes, Reason, str]] = [
    (b"", MALFORMED, "not JSON"),
    (b"[]", MALFORMED, "the document is not a JSON object"),
    (b"{}", MALFORMED, "mediaType is missing"),
    (b'{"mediaType": 3}', MALFORMED, "mediaType is not text"),
    (made(mediaType="application/json"), UNSUPPORTED, "media type 'application/json'"),
    (made(mediaType=f"{V03} "), UNSUPPORTED, "media type"),
    (made(mediaType=V02.replace("0.2", "0.4")), UNSUPPORTED, "version=0.4"),
    (json.dumps(KEY["dsseEnvelope"]).encode(), UNSUPPORTED, "without a sigstore bundle around it"),
    (b'{"base64Signature": "MEUC", "cert": ""}', UNSUPPORTED, "cosign's old format"),
    # Two readers, two answers
    (made().replace(b'"payload":', b'"payload": "", "payload":'), MALFORMED, "duplicate key 'payload'"),
    (made(dsse_envelope={}), UNSUPPORTED, "unknown member 'dsse_envelope'"),
    (made(dsseEnvelope__payload_type="x"), UNSUPPORTED, "unknown member 'dsseEnvelope.payload_type'"),
    (made(verificationMaterial__public_key={}), UNSUPPORTED, "'verificationMaterial.public_key'"),
    (made(messageSignature={"signature": "AA=="}), MALFORMED, "either dsseEnvelope or messageSignature"),
    (made(dsseEnvelope=None), MALFORMED, "either dsseEnvelope or messageSignature"),
    # Who signed
    (made(verificationMaterial=None), MALFORMED, "verificationMaterial is missing"),
    (with_material(), MALFORMED, "verificationMaterial holds 0 of publicKey"),
    (with_material(publicKey={"hint": "x"}, certificate=LEAF), MALFORMED, "holds 2 of publicKey"),
    (with_material(publicKey="x"), MALFORMED, "verificationMaterial.publicKey is not a JSON object"),
    (with_material(publicKey={"hint": 5}), MALFORMED, "publicKey.hint is not text"),
    (with_material(publicKey={"hint": "x" * 5000}), LIMIT, "publicKey.hint has 5000 characters"),
    (with_material(publicKey={"hint": "\ud800"}), MALFORMED, "half a surrogate pair"),
    (with_material(x509CertificateChain={"certificates": []}), MALFORMED, "the certificate chain is empty"),
    (with_material(x509CertificateChain={}), MALFORMED, "the certificate chain is empty"),
    (with_material(x509CertificateChain={"certificates": [LEAF] * (CERTIFICATE_COUNT + 1)}), LIMIT, "17 ent"),
    (with_material(certificate={"rawBytes": ""}), MALFORMED, "certificate.rawBytes is not base64"),
    (with_material(certificate={}), MALFORMED, "certificate.rawBytes is missing"),
    (with_material(**MATERIAL, tlogEntries=[ENTRY] * (LOG_ENTRY_COUNT + 1)), LIMIT, "33 entries"),
    (with_material(**MATERIAL, tlogEntries={}), MALFORMED, "tlogEntries is not a list"),
    (with_material(**MATERIAL, tlogEntries=[{"logIndex": "-1"}]), MALFORMED, r"tlogEntries\[0\].logIndex"),
    (with_material(**MATERIAL, tlogEntries=[{"integratedTime": "1e9"}]), MALFORMED, "integratedTime is not"),
    (with_material(**MATERIAL, tlogEntries=[{"integratedTime": str(2**63)}]), MALFORMED, "integratedTime"),
    (with_material(**MATERIAL, tlogEntries=[{"integratedTime": True}]), MALFORMED, "integratedTime is not"),
    (with_material(**MATERIAL, tlogEntries=[{"kindVersion": {"kind": []}}]), MALFORMED, "kind is not text"),
    # What is signed
    (made(dsseEnvelope__payloadType="text/plain"), UNSUPPORTED, "payload type 'text/plain'"),
    (made(dsseEnvelope__payloadType=INTOTO_TYPE.upper()), UNSUPPORTED, "payload type"),
    (made(dsseEnvelope__payload=None), MALFORMED, "dsseEnvelope.payload is missing"),
    (made(dsseEnvelope__signatures=[]), MALFORMED, "the envelope has no signature"),
    (made(dsseEnvelope__signatures=None), MALFORMED, "the envelope has no signature"),
    (made(dsseEnvelope__signatures=TWO), UNSUPPORTED, "2 signatures, exactly one"),
    (made(dsseEnvelope__signatures=[{"sig": ""}]), MALFORMED, "sig is not base64"),
    (made(dsseEnvelope__signatures=[{"sig": "AA==", "cert": ""}]), UNSUPPORTED, "unknown member"),
    (with_message(signature=""), MALFORMED, "messageSignature.signature is not base64"),
    (
        with_message(signature="AA==", messageDigest={"algorithm": "SHA2_384", "digest": b64(b"d" * 48)}),
        UNSUPPORTED, "algorithm 'SHA2_384'",
    ),
    (
        with_message(signature="AA==", messageDigest={"algorithm": "SHA2_256", "digest": b64(b"d" * 31)}),
        MALFORMED, "has 31 bytes, not 32",
    ),
    (with_message(signature="AA==", messageDigest={"digest": "AA=="}), MALFORMED, "algorithm is missing"),
    # Bounds
    (b'{"a":' * 100, LIMIT, "deeper than 64"),
    (b"[" + b"0," * 30_000 + b"0]", LIMIT, "more than 20000 values"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "reason", "words"), REFUSED, ids=[words for _, _, words in REFUSED])
def test_every_other_bundle_is_refused_by_name(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        read_bundle(data)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "text",
    [
        "-_-_",  # the alphabet for URLs
        "AA",  # no padding
        "AA=",
        "AA===",
        "AAAA====",
        "=AAA",
        "A=AA",
        "AAA=AAAA",  # something after the padding
        "AAAA\n",
        "AA AA",
        " AAAA",
        "A",
        "AB==",  # bits that fall off the end: the same byte as AA==
        "AAB=",
        "AAAé",
        "====",
    ],
)
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(UnreadableError, match="base64") as caught:
        read_bundle(made(dsseEnvelope__payload=text))
    assert caught.value.reason is Reason.MALFORMED


@given(st.binary(min_size=1, max_size=40))
def test_canonical_base64_of_any_bytes_is_read(data: bytes) -> None:
    envelope = read_bundle(made(dsseEnvelope__payload=b64(data))).envelope
    assert envelope is not None
    assert envelope.payload == data


def test_a_bundle_that_is_too_large_is_not_parsed() -> None:
    with pytest.raises(UnreadableError, match="document of 67108865 bytes, at most 67108864") as caught:
        read_bundle(b" " * (BUNDLE_BYTES + 1))
    assert caught.value.reason is Reason.LIMIT


def test_a_large_bundle_costs_a_few_times_its_size() -> None:
    data = made(dsseEnvelope__payload="A" * (16 * 1024 * 1024))
    tracemalloc.start()
    read_bundle(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * len(data)


def test_a_cut_bundle_is_never_read() -> None:
    assert all(isinstance(outcome(data), UnreadableError) for data in truncations(made()))


def test_a_changed_byte_is_an_error_or_another_bundle_and_nothing_else() -> None:
    material = {"certificate": LEAF, "tlogEntries": [ENTRY]}
    for data in flips(with_material(**material), 1500):
        found = outcome(data)
        assert isinstance(found, UnreadableError) or found.raw == data


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just("AA=="),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["mediaType", "verificationMaterial", "publicKey", "hint", "dsseEnvelope", "payload",
                         "payloadType", "signatures", "sig", "certificate", "rawBytes", "tlogEntries"]),
        inner, max_size=4),
    max_leaves=20,
))  # fmt: skip
def test_no_document_raises_anything_else(value: object) -> None:
    document = {"mediaType": V03, **value} if isinstance(value, dict) else value
    outcome(json.dumps(document).encode())


ENVELOPE = Envelope(payload=PAYLOAD, payload_type=INTOTO_TYPE, signature=b"\x30\x00")
MESSAGE = MessageSignature(signature=b"\x30\x00", digest=b"d" * 32)


def test_what_is_written_is_read_back() -> None:
    bundle = read_bundle(write_bundle(ENVELOPE, None, key_hint="ab" * 32))
    assert (bundle.envelope, bundle.material, bundle.key_hint) == (ENVELOPE, Material.KEY, "ab" * 32)
    bundle = read_bundle(write_bundle(None, MESSAGE, certificates=[b"leaf", b"root"]))
    assert (bundle.message, bundle.material) == (MESSAGE, Material.CERTIFICATE)
    assert bundle.certificates == (b"leaf", b"root")
    bare = MessageSignature(signature=b"\x30\x00")
    assert read_bundle(write_bundle(None, bare, key_hint="k")).message == bare


def test_a_written_bundle_is_one_line_in_canonical_order() -> None:
    assert write_bundle(None, MessageSignature(signature=b"s"), key_hint="k") == (
        b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","messageSignature":{"signature":"cw=="},'
        b'"verificationMaterial":{"publicKey":{"hint":"k"},"tlogEntries":[]}}\n'
    )


@pytest.mark.parametrize(
    "write",
    [
        lambda: write_bundle(None, None, key_hint="k"),
        lambda: write_bundle(ENVELOPE, MESSAGE, key_hint="k"),
        lambda: write_bundle(ENVELOPE, None),
        lambda: write_bundle(ENVELOPE, None, key_hint="k", certificates=[b"leaf"]),
    ],
)
def test_a_bundle_of_two_signatures_or_signers_is_not_written(write: Callable[[], bytes]) -> None:
    with pytest.raises(ValueError, match="one signature, and one key or chain"):
        write()
