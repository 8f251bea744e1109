"""Signatures, bundles, bills of materials and trust roots that lie: none of them is ever verified."""

from __future__ import annotations

import json
import os
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from hashlib import md5, sha256, sha512
from pathlib import Path
from typing import Any

import pytest

from aibom.domain.check import Outcome
from aibom.domain.signing import (
    Bundle,
    Expected,
    ExpectedChain,
    ExpectedIdentity,
    ExpectedKey,
    Judged,
    Manifest,
    Resource,
)
from aibom.domain.verification import FileState, Verification
from aibom.trust.bundle import write_bundle
from aibom.trust.dsse import STATEMENT
from aibom.trust.oms import PREDICATE, write_manifest
from aibom.trust.public_key import oms_hint
from aibom.trust.trust_root import TrustRoot, read_trust_root
from aibom.workflows import verify as workflow
from aibom.workflows.verify import VerifyRequest, verify
from tests.services.fake_sigstore import IDENTITY, ISSUER, FakeSigstore
from tests.services.sigstore_bytes import b64, canonical
from tests.trust.certificates import (
    CODE,
    MAIL,
    NAMES,
    SIGNER,
    SIGNS,
    TLS,
    Holder,
    authority,
    ec_key,
    envelope_by,
    issue,
    public_pem,
)

KEY, OTHER = ec_key(), ec_key()
BY_KEY = ExpectedKey(public_key=public_pem(KEY))
ROOT = issue("root", authority(), days=(-1000, 1000))
MIDDLE = issue("middle", authority(0), ROOT, days=(-900, 900))
LEAF = issue("release", SIGNER, MIDDLE, days=(-30, 800))
BY_CHAIN = ExpectedChain(roots=ROOT.pem, identity=MAIL)
SERVICES, OTHERS = FakeSigstore(), FakeSigstore()
BY_IDENTITY = ExpectedIdentity(identity=IDENTITY, issuer=ISSUER)
TRUSTED = read_trust_root(SERVICES.trusted_root())
WEIGHTS, CONFIG = b"weights" * 20, b"{}"
REFUSED = frozenset(Outcome) - {Outcome.VERIFIED}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_bytes(WEIGHTS)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(WEIGHTS)
    (folder / "config.json").write_bytes(CONFIG)
    return folder


def resource(name: str, data: bytes) -> Resource:
    return Resource(name=name, algorithm="sha256", digest=sha256(data).hexdigest())


def manifest(files: Mapping[str, bytes], ignored: tuple[str, ...] = ()) -> bytes:
    listed = [resource(name, data) for name, data in files.items()]
    ordered = tuple(sorted(listed, key=lambda each: each.name))
    return write_manifest(Manifest(name="model", resources=ordered, ignore_paths=ignored))


GOOD = manifest({"weights.bin": WEIGHTS, "config.json": CONFIG})


def raw_manifest(*named: tuple[str, bytes], **changes: Any) -> bytes:
    """A manifest that our own writer would refuse to write."""
    listed = [resource(name, data) for name, data in named]
    digest = sha256(b"".join(bytes.fromhex(each.digest) for each in listed)).hexdigest()
    statement: dict[str, Any] = {
        "_type": STATEMENT,
        "subject": [{"name": "model", "digest": {"sha256": digest}}],
        "predicateType": PREDICATE,
        "predicate": {
            "resources": [
                {"name": each.name, "algorithm": "sha256", "digest": each.digest} for each in listed
            ],
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
        },
    }
    return json.dumps(statement | changes).encode()


def by_key(payload: bytes) -> bytes:
    return write_bundle(envelope_by(KEY, payload), None, key_hint=oms_hint(KEY.public_key()))


def by_holder(holder: Holder, *others: Holder, payload: bytes = GOOD) -> bytes:
    chain = (holder.der, *(other.der for other in others))
    return write_bundle(envelope_by(holder.key, payload), None, certificates=chain)


def judged(
    model: Path,
    bundle: bytes | None = None,
    expected: Expected | None = BY_KEY,
    root: TrustRoot | None = None,
) -> Verification:
    if bundle is not None:
        (model / "model.sig").write_bytes(bundle)
    return verify(VerifyRequest(target=str(model), expected=expected, root=root))


def states(found: Verification) -> dict[str, FileState]:
    return {file.path: file.state for statement in found.statements for file in statement.files}


def detail(found: Verification) -> str:
    return " ".join(statement.check.detail for statement in found.statements)


def test_what_the_attacks_start_from_is_verified(model: Path) -> None:
    assert judged(model, by_key(GOOD)).outcome is Outcome.VERIFIED
    assert judged(model, by_key(raw_manifest(("config.json", CONFIG), ("weights.bin", WEIGHTS)))).ok
    assert judged(model, by_holder(LEAF, MIDDLE), BY_CHAIN).outcome is Outcome.VERIFIED
    assert judged(model, SERVICES.sign(GOOD), BY_IDENTITY, TRUSTED).outcome is Outcome.VERIFIED


# The same member twice


def twice(data: bytes, member: str, value: object, spelling: str | None = None) -> bytes:
    """The document with a member once more, in front of itself."""
    mark = f'"{member}":'.encode()
    assert mark in data
    again = f'"{spelling or member}": {json.dumps(value)}, '.encode()
    return data.replace(mark, again + mark, 1)


@pytest.mark.parametrize(
    ("member", "spelling"),
    [("payload", None), ("payload", "p\\u0061yload"), ("sig", None), ("publicKey", None),
     ("verificationMaterial", None), ("mediaType", None)],
)  # fmt: skip
def test_a_bundle_with_a_member_twice_is_not_read(member: str, spelling: str | None, model: Path) -> None:
    value = {"hint": "x"} if member in ("publicKey", "verificationMaterial") else b64(GOOD)
    found = judged(model, twice(by_key(GOOD), member, value, spelling))
    assert (found.outcome, "duplicate key" in detail(found)) == (Outcome.COULD_NOT_CHECK, True)


@pytest.mark.parametrize("member", ["subject", "predicate", "resources", "digest", "name", "predicateType"])
def test_a_signed_payload_with_a_member_twice_is_not_read(member: str, model: Path) -> None:
    payload = raw_manifest(("config.json", CONFIG), ("weights.bin", WEIGHTS)).replace(b'": ', b'":')
    found = judged(model, by_key(twice(payload, member, [])))
    assert (found.outcome, "duplicate key" in detail(found)) == (Outcome.COULD_NOT_CHECK, True)


def test_a_file_that_is_listed_twice_is_refused(model: Path) -> None:
    payload = raw_manifest(("weights.bin", WEIGHTS), ("weights.bin", b"evil"), ("config.json", CONFIG))
    found = judged(model, by_key(payload))
    assert (found.outcome, "listed twice" in detail(found)) == (Outcome.COULD_NOT_CHECK, True)


# Names


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/passwd", "sub/../../secret", "sub/../weights.bin", "./weights.bin", "a//b", "a/",
     "", "..", "..\\secret", "C:\\secret", "weights.bin\0", "sub/./x"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused_although_it_is_signed(name: str, model: Path) -> None:
    found = judged(model, by_key(raw_manifest(("config.json", CONFIG), (name, WEIGHTS))))
    assert found.outcome is Outcome.COULD_NOT_CHECK
    assert states(found) == {}


def test_a_bill_of_materials_cannot_point_out_of_the_model(model: Path) -> None:
    (model / "x.cdx.json").write_bytes(bill({"../secret": sha256(WEIGHTS).hexdigest()}))
    found = judged(model)
    assert states(found)["../secret"] is FileState.MISSING
    assert found.outcome is Outcome.CONTENT_MISMATCH


@pytest.mark.parametrize(
    ("signed", "here"),
    [("Config.json", "config.json"), (unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")),
     ("a", "\uff41"), ("\u212a", "K"), ("a b", "a\u00a0b"), ("a", "a\u200b")],
)  # fmt: skip
def test_a_name_that_only_looks_the_same_is_another_file(signed: str, here: str, model: Path) -> None:
    (model / here).write_bytes(b"x")
    files = {"weights.bin": WEIGHTS, "config.json": CONFIG, signed: b"x"}
    if here == "config.json":
        files = {"weights.bin": WEIGHTS, signed: b"x"}
    found = judged(model, by_key(manifest(files)))
    assert found.outcome is Outcome.CONTENT_MISMATCH
    assert (states(found)[signed], states(found)[here]) == (FileState.MISSING, FileState.EXTRA)


def test_two_signed_names_that_are_one_file_elsewhere_are_told(model: Path) -> None:
    (model / "Config.json").write_bytes(b"other")
    files = {"weights.bin": WEIGHTS, "config.json": CONFIG, "Config.json": b"other"}
    found = judged(model, by_key(manifest(files)))
    assert found.outcome is Outcome.VERIFIED
    assert "these are one file: Config.json, config.json" in detail(found)


def test_two_files_that_changed_places_are_told(model: Path) -> None:
    (model / "weights.bin").write_bytes(CONFIG)
    (model / "config.json").write_bytes(WEIGHTS)
    assert judged(model, by_key(GOOD)).outcome is Outcome.CONTENT_MISMATCH


def test_what_the_signer_left_out_is_told_and_never_verified(model: Path) -> None:
    (model / "weights.bin").write_bytes(b"anything")
    found = judged(model, by_key(manifest({"config.json": CONFIG}, ("weights.bin",))))
    assert states(found)["weights.bin"] is FileState.IGNORED


# Payloads


def reserialised(change: Callable[[dict[str, Any]], bytes]) -> bytes:
    """The good bundle with its payload written in another way, under the good signature."""
    bundle = json.loads(by_key(GOOD))
    bundle["dsseEnvelope"]["payload"] = b64(change(json.loads(GOOD)))
    return canonical(bundle)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: json.dumps(document).encode(),
        lambda document: json.dumps(dict(reversed(document.items())), separators=(",", ":")).encode(),
        lambda _: GOOD + b"\n",
        lambda _: b"\xef\xbb\xbf" + GOOD,
        lambda _: GOOD.replace(b"weights.bin", b"weights\\u002ebin"),
        lambda _: GOOD.replace(b"model_signing", b"model\\u005fsigning"),
    ],
    ids=["spaces", "another order", "a newline", "a mark", "an escape", "an escape in the type"],
)
def test_a_payload_that_is_written_in_another_way_is_not_signed(
    change: Callable[[dict[str, Any]], bytes], model: Path
) -> None:
    assert judged(model, reserialised(change)).outcome is Outcome.SIGNATURE_INVALID


def test_the_bundle_itself_may_be_written_in_another_way(model: Path) -> None:
    bundle = json.loads(by_key(GOOD))
    assert judged(model, json.dumps(dict(reversed(bundle.items())), indent=3).encode()).ok


@pytest.mark.parametrize(
    "subjects",
    [
        [],
        [{"name": "model", "digest": {"sha256": "0" * 64}}],
        [{"name": "model", "digest": {"sha256": sha256(b"").hexdigest()}}] * 2,
        [{"name": "a", "digest": {"sha256": "0" * 64}}, {"name": "b", "digest": {"sha256": "1" * 64}}],
    ],
    ids=["none", "another", "the same twice", "two"],
)
def test_a_manifest_with_other_subjects_than_its_own_is_refused(
    subjects: list[dict[str, Any]], model: Path
) -> None:
    payload = raw_manifest(("config.json", CONFIG), ("weights.bin", WEIGHTS), subject=subjects)
    assert judged(model, by_key(payload)).outcome is Outcome.COULD_NOT_CHECK


def attestation(*subjects: tuple[str, Mapping[str, str]], predicate: str = "https://example.com/p") -> bytes:
    listed = [{"name": name, "digest": dict(digest)} for name, digest in subjects]
    return canonical({"_type": STATEMENT, "subject": listed, "predicateType": predicate, "predicate": {}})


HERE = {"sha256": sha256(WEIGHTS).hexdigest()}
ALSO = {"sha256": sha256(CONFIG).hexdigest()}


@pytest.mark.parametrize(
    ("subjects", "outcome"),
    [
        ([("weights.bin", HERE), ("config.json", ALSO)], Outcome.VERIFIED),
        ([("x", HERE), ("x", ALSO)], Outcome.VERIFIED),  # names are for people
        ([("weights.bin", HERE)], Outcome.UNSIGNED),
        ([("x", HERE), ("x", {"sha256": "0" * 64}), ("y", ALSO)], Outcome.CONTENT_MISMATCH),
        ([("weights.bin", {"sha256": "0" * 64}), ("config.json", ALSO)], Outcome.CONTENT_MISMATCH),
        ([("weights.bin", {"sha256": HERE["sha256"][:-2]}), ("c", ALSO)], Outcome.COULD_NOT_CHECK),
        ([("weights.bin", {"sha256": HERE["sha256"].upper()}), ("c", ALSO)], Outcome.COULD_NOT_CHECK),
        ([("weights.bin", {"sha512": sha512(WEIGHTS).hexdigest()}), ("c", ALSO)], Outcome.UNSUPPORTED),
        ([("weights.bin", {"SHA256": HERE["sha256"]}), ("c", ALSO)], Outcome.UNSUPPORTED),
        ([("weights.bin", {}), ("c", ALSO)], Outcome.COULD_NOT_CHECK),
        ([], Outcome.COULD_NOT_CHECK),
    ],
    ids=["both", "one name", "one of two", "one name, one wrong", "another", "truncated", "upper case",
         "another algorithm", "another spelling", "no digest", "nobody"],
)  # fmt: skip
def test_every_subject_of_an_attestation_is_compared(
    subjects: list[tuple[str, dict[str, str]]], outcome: Outcome, model: Path
) -> None:
    assert judged(model, by_key(attestation(*subjects))).outcome is outcome


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("mediaType",), "application/vnd.dev.sigstore.bundle.v0.9+json"),
        (("mediaType",), "application/json"),
        (("dsseEnvelope", "payloadType"), "application/json"),
        (("dsseEnvelope", "payloadType"), "application/vnd.in-toto+json; x"),
    ],
)
def test_another_media_type_is_unsupported_and_not_guessed(
    path: tuple[str, ...], value: str, model: Path
) -> None:
    bundle = json.loads(by_key(GOOD))
    place = bundle
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert judged(model, canonical(bundle)).outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize(
    "changes",
    [{"_type": "https://in-toto.io/Statement/v2"}, {"_type": "x"}, {"predicateType": f"{PREDICATE}/x"}],
)
def test_another_statement_is_no_manifest(changes: dict[str, Any], model: Path) -> None:
    payload = raw_manifest(("config.json", CONFIG), ("weights.bin", WEIGHTS), **changes)
    assert judged(model, by_key(payload)).outcome in REFUSED


def test_the_signature_of_another_model_is_a_mismatch(model: Path) -> None:
    other = manifest({"weights.bin": b"older weights", "config.json": CONFIG})
    assert judged(model, by_key(other)).outcome is Outcome.CONTENT_MISMATCH


# Certificates


MALLORY = issue("root", authority(), days=(-1000, 1000))  # the same name, another key
FORGED = issue("release", SIGNER, MALLORY, days=(-30, 800))
ALONE = issue("release", SIGNER, days=(-30, 800))  # self-signed
SERVER = issue("server", (SIGNS, TLS, NAMES), MIDDLE, days=(-30, 800))
LATE = issue("release", SIGNER, MIDDLE, days=(-800, -700))
EARLY = issue("release", SIGNER, MIDDLE, days=(700, 800))
MASTER = issue("release", (*authority(), CODE, NAMES), MIDDLE, days=(-30, 800))
NOBODY = issue("release", (SIGNS, CODE), MIDDLE, days=(-30, 800))


def swapped(first: bytes, second: bytes) -> bytes:
    """The first bundle with the certificates of the second."""
    bundle, other = json.loads(first), json.loads(second)
    bundle["verificationMaterial"] = other["verificationMaterial"]
    return canonical(bundle)


@pytest.mark.parametrize(
    ("bundle", "outcome"),
    [
        (by_holder(FORGED, MALLORY), Outcome.UNTRUSTED_SIGNER),
        (by_holder(ALONE), Outcome.UNTRUSTED_SIGNER),
        (by_holder(ALONE, ROOT), Outcome.UNTRUSTED_SIGNER),
        (by_holder(FORGED, ROOT), Outcome.UNTRUSTED_SIGNER),
        (by_holder(LEAF), Outcome.UNTRUSTED_SIGNER),
        (by_holder(SERVER, MIDDLE), Outcome.UNTRUSTED_SIGNER),
        (by_holder(MASTER, MIDDLE), Outcome.UNTRUSTED_SIGNER),
        (by_holder(NOBODY, MIDDLE), Outcome.UNTRUSTED_SIGNER),
        (by_holder(LATE, MIDDLE), Outcome.EXPIRED),
        (by_holder(EARLY, MIDDLE), Outcome.EXPIRED),
        (swapped(by_holder(ALONE), by_holder(LEAF, MIDDLE)), Outcome.SIGNATURE_INVALID),
        (swapped(by_key(GOOD), by_holder(LEAF, MIDDLE)), Outcome.SIGNATURE_INVALID),
        (swapped(by_holder(LEAF, MIDDLE), by_key(GOOD)), Outcome.UNTRUSTED_SIGNER),
    ],
    ids=[
        "a forged root", "self-signed", "self-signed beside the root", "signed by another root", "no middle",
        "a certificate of a server", "one of an authority", "one of nobody", "expired", "of tomorrow",
        "the certificates of another", "the certificates of another for a key", "a key for a certificate",
    ],
)  # fmt: skip
def test_another_certificate_is_refused(bundle: bytes, outcome: Outcome, model: Path) -> None:
    assert judged(model, bundle, BY_CHAIN).outcome is outcome


def test_the_order_of_the_certificates_cannot_choose_the_signer(model: Path) -> None:
    bundle = json.loads(by_holder(LEAF, MIDDLE))
    bundle["verificationMaterial"]["x509CertificateChain"]["certificates"].reverse()
    assert judged(model, canonical(bundle), BY_CHAIN).outcome in REFUSED


def test_a_root_in_the_bundle_is_no_root(model: Path) -> None:
    expected = ExpectedChain(roots=issue("elsewhere", authority(), days=(-1000, 1000)).pem, identity=MAIL)
    assert judged(model, by_holder(LEAF, MIDDLE, ROOT), expected).outcome is Outcome.UNTRUSTED_SIGNER


KINDS: dict[str, tuple[bytes, Expected]] = {
    "key": (by_key(GOOD), BY_KEY),
    "chain": (by_holder(LEAF, MIDDLE), BY_CHAIN),
    "identity": (SERVICES.sign(GOOD), BY_IDENTITY),
}


@pytest.mark.parametrize(("made", "wanted"), [(a, b) for a in KINDS for b in KINDS if a != b])
def test_a_good_signature_of_another_kind_is_not_the_expected_one(
    made: str, wanted: str, model: Path
) -> None:
    assert judged(model, KINDS[made][0], KINDS[wanted][1], TRUSTED).outcome is Outcome.UNTRUSTED_SIGNER


# Logs and trust roots


@pytest.mark.parametrize(
    ("attack", "outcomes"),
    [
        ({"time_shift": 3600}, {Outcome.EXPIRED}),
        ({"time_shift": -3600}, {Outcome.EXPIRED}),
        ({"time_shift": 2}, {Outcome.SIGNATURE_INVALID}),
        ({"wrong_proof": True}, {Outcome.SIGNATURE_INVALID}),
        ({"other_content": True}, {Outcome.SIGNATURE_INVALID}),
        ({"no_proof": True}, {Outcome.UNSUPPORTED}),
        ({"kind": "intoto"}, {Outcome.UNSUPPORTED}),
        ({"wrong_log_key": True}, {Outcome.SIGNATURE_INVALID}),
        ({"no_ct": True}, {Outcome.UNTRUSTED_SIGNER}),
        ({"issuer": "https://evil.test"}, {Outcome.UNTRUSTED_SIGNER}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_log_entry_that_lies_is_refused(
    attack: dict[str, Any], outcomes: set[Outcome], model: Path
) -> None:
    assert judged(model, SERVICES.but(**attack).sign(GOOD), BY_IDENTITY, TRUSTED).outcome in outcomes


def test_a_swapped_trust_root_trusts_nobody(model: Path) -> None:
    signed = SERVICES.sign(GOOD)
    assert judged(model, signed, BY_IDENTITY).outcome in REFUSED  # the production root
    other = read_trust_root(OTHERS.trusted_root())
    found = judged(model, signed, BY_IDENTITY, other)
    assert found.outcome in REFUSED
    assert other.sha256 != TRUSTED.sha256
    assert judged(model, OTHERS.sign(GOOD), BY_IDENTITY, TRUSTED).outcome in REFUSED


@pytest.mark.parametrize("part", ["tlogs", "ctlogs", "certificateAuthorities"])
def test_one_swapped_part_of_the_trust_root_is_enough(part: str, model: Path) -> None:
    mixed = json.loads(SERVICES.trusted_root()) | {part: json.loads(OTHERS.trusted_root())[part]}
    root = read_trust_root(canonical(mixed))
    assert judged(model, SERVICES.sign(GOOD), BY_IDENTITY, root).outcome in REFUSED
    assert judged(model, OTHERS.sign(GOOD), BY_IDENTITY, root).outcome in REFUSED


def test_the_bundle_cannot_bring_a_trust_root(model: Path) -> None:
    bundle = json.loads(OTHERS.sign(GOOD)) | {"trustedRoot": json.loads(OTHERS.trusted_root())}
    assert judged(model, canonical(bundle), BY_IDENTITY, TRUSTED).outcome in REFUSED
    (model / "trusted_root.json").write_bytes(OTHERS.trusted_root())
    assert judged(model, OTHERS.sign(GOOD), BY_IDENTITY).outcome in REFUSED


# Bills of materials


def bill(files: Mapping[str, str], algorithm: str = "SHA-256") -> bytes:
    listed = [
        {"type": "file", "name": name, "hashes": [{"alg": algorithm, "content": value}]}
        for name, value in files.items()
    ]
    return canonical({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": listed})


BILLS: dict[str, tuple[bytes, frozenset[Outcome]]] = {
    "good": (
        bill({"weights.bin": HERE["sha256"], "config.json": ALSO["sha256"]}),
        frozenset({Outcome.VERIFIED}),
    ),
    "upper case": (
        bill({"weights.bin": HERE["sha256"].upper(), "config.json": ALSO["sha256"]}),
        frozenset({Outcome.VERIFIED}),  # which CycloneDX allows, and is the same number
    ),
    "another digest": (bill({"weights.bin": "0" * 64, "config.json": ALSO["sha256"]}), REFUSED),
    "truncated": (bill({"weights.bin": HERE["sha256"][:32], "config.json": ALSO["sha256"]}), REFUSED),
    "empty": (bill({"weights.bin": "", "config.json": ALSO["sha256"]}), REFUSED),
    "a longer one": (bill({"weights.bin": HERE["sha256"] * 2, "config.json": ALSO["sha256"]}), REFUSED),
    "a newline": (bill({"weights.bin": HERE["sha256"] + "\n", "config.json": ALSO["sha256"]}), REFUSED),
    "digits of another script": (
        bill({"weights.bin": "\u0660" * 64, "config.json": ALSO["sha256"]}),
        REFUSED,
    ),
    "another algorithm": (bill({"weights.bin": sha512(WEIGHTS).hexdigest()}, "SHA-512"), REFUSED),
    "a weak algorithm": (bill({"weights.bin": md5(WEIGHTS).hexdigest()}, "MD5"), REFUSED),
    "under another name": (bill({"weights.bin": md5(WEIGHTS).hexdigest()}), REFUSED),
    "a file that is not listed": (bill({"weights.bin": HERE["sha256"]}), REFUSED),
    "nothing": (bill({}), REFUSED),
}


@pytest.mark.parametrize(("document", "outcomes"), BILLS.values(), ids=BILLS)
def test_digests_of_a_bill_of_materials_are_compared_in_full(
    document: bytes, outcomes: frozenset[Outcome], model: Path
) -> None:
    (model / "x.cdx.json").write_bytes(document)
    (statement,) = judged(model).statements
    assert statement.check.outcome in outcomes
    assert judged(model).outcome is not Outcome.VERIFIED  # nobody signed it
    signed = judged(model, by_key(GOOD))
    assert (signed.outcome is Outcome.VERIFIED) == (Outcome.VERIFIED in outcomes)


def test_two_digests_of_one_file_are_refused_whatever_their_order(model: Path) -> None:
    for values in ((HERE["sha256"], "0" * 64), ("0" * 64, HERE["sha256"])):
        listed = [
            {"type": "file", "name": "weights.bin", "hashes": [{"alg": "SHA-256", "content": value}]}
            for value in values
        ]
        document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": listed}
        (model / "x.cdx.json").write_bytes(canonical(document))
        assert judged(model).statements[0].check.outcome is Outcome.COULD_NOT_CHECK


# Time of check, time of use


def replaced(path: Path) -> None:
    path.write_bytes(b"evil" * 35)


def moved_over(path: Path) -> None:
    new = path.with_name("new")
    new.write_bytes(b"evil" * 35)
    new.replace(path)


def linked(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def removed(path: Path) -> None:
    path.unlink()


def restored_times(path: Path) -> None:
    status = path.stat()
    path.write_bytes(b"evil" * 35)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", [replaced, moved_over, linked, removed, restored_times])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_changes_after_the_signature_was_checked_is_not_verified(
    kind: str, change: Callable[[Path], None], model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = workflow.judge_signature

    def then_change(bundle: Bundle, artifact: bytes | None, *more: Any) -> Judged:
        found = real(bundle, artifact, *more)
        assert found.outcome is Outcome.VERIFIED
        change(model / "weights.bin")
        return found

    monkeypatch.setattr(workflow, "judge_signature", then_change)
    found = judged(model, *KINDS[kind], TRUSTED)
    assert found.outcome in REFUSED
    assert states(found)["weights.bin"] is not FileState.VERIFIED


class Changing:
    """A progress that changes a file while it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def listed(self, files: int, size: int) -> None:
        pass

    def advanced(self, count: int) -> None:
        with self.path.open("r+b") as file:
            file.write(b"E")


def test_a_file_that_changes_while_it_is_read_is_not_verified(model: Path) -> None:
    data = bytes(3_000_000)
    (model / "weights.bin").write_bytes(data)
    (model / "model.sig").write_bytes(by_key(manifest({"weights.bin": data, "config.json": CONFIG})))
    request = VerifyRequest(target=str(model), expected=BY_KEY)
    assert verify(request).ok
    found = verify(request, Changing(model / "weights.bin"))
    assert found.outcome is Outcome.COULD_NOT_CHECK
    assert states(found)["weights.bin"] is FileState.UNREADABLE


def test_a_bundle_that_is_exchanged_after_it_was_read_changes_nothing(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = workflow.judge_signature

    def then_exchange(bundle: Bundle, *more: Any) -> Judged:
        (model / "model.sig").write_bytes(by_key(manifest({"weights.bin": b"evil"})))
        return real(bundle, *more)

    monkeypatch.setattr(workflow, "judge_signature", then_exchange)
    (model / "weights.bin").write_bytes(b"evil")
    assert judged(model, by_key(GOOD)).outcome is Outcome.CONTENT_MISMATCH


# Size


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """Bytes of memory above those at the start."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.mark.parametrize(("name", "size"), [("model.sig", 100_000_000), ("x.cdx.json", 600_000_000)])
def test_a_document_of_hundreds_of_megabytes_is_refused_and_not_read(
    name: str, size: int, model: Path, peak: Callable[[], int]
) -> None:
    with (model / name).open("wb") as file:
        file.truncate(size)
    found = judged(model)
    assert found.outcome is not Outcome.VERIFIED
    assert f"{size:,} bytes, at most" in detail(found)
    assert peak() < 4_000_000


@pytest.mark.parametrize(
    "start",
    [b"[", b'{"a":[', b'{"mediaType":"x","verificationMaterial":{"tlogEntries":['],
    ids=["a list", "a member", "log entries"],
)
def test_a_bundle_of_many_values_is_refused_before_it_is_parsed(
    start: bytes, model: Path, peak: Callable[[], int]
) -> None:
    data = start + b"{}," * 10_000_000
    (model / "model.sig").write_bytes(data)
    found = judged(model)
    assert (found.outcome, "values" in detail(found)) == (Outcome.COULD_NOT_CHECK, True)
    assert peak() < 3 * len(data)


def test_names_that_are_too_long_or_too_many_certificates_are_refused(model: Path) -> None:
    for bundle in (
        write_bundle(envelope_by(KEY, GOOD), None, key_hint="x" * 1_000_000),
        by_holder(LEAF, *[MIDDLE] * 40),
    ):
        assert judged(model, bundle).outcome is Outcome.COULD_NOT_CHECK


# Signatures that are no files


def test_a_signature_that_is_a_link_out_or_a_pipe_is_told_and_does_not_block(
    model: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.sig").write_bytes(by_key(GOOD))
    (model / "model.sig").symlink_to(tmp_path / "outside.sig")
    assert judged(model).outcome in REFUSED
    (model / "model.sig").unlink()
    os.mkfifo(model / "model.sig")
    assert judged(model).outcome in REFUSED
