"""`verify`: every outcome apart, every file by its state, and each byte read once."""

from __future__ import annotations

import json
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from aibom.domain.attestation import Subject, VerificationSummary
from aibom.domain.check import CheckKind, Outcome
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.signing import ExpectedChain, ExpectedIdentity, ExpectedKey, Manifest, Method, Resource
from aibom.sources.opening import Opening
from aibom.trust.attestations import verification_summary
from aibom.trust.oms import write_manifest
from aibom.trust.signers import KeySigner, certificate_signer
from aibom.trust.trust_root import read_trust_root
from aibom.workflows import documents
from aibom.workflows import verify as workflow
from aibom.workflows.sign import HeldKey
from aibom.workflows.verify import NobodyExpectedError
from tests.services.fake_sigstore import IDENTITY, ISSUER, FakeSigstore
from tests.trust.certificates import (
    MAIL,
    NOW,
    SIGNER,
    authority,
    ec_key,
    issue,
    private_pem,
    public_pem,
)  # fmt: skip
from tests.workflows.signed_models import (
    EXPECTED,
    FILES,
    HAND,
    KEY,
    STRANGER,
    C,
    E,
    G,
    M,
    U,
    V,
    Watched,
    detail,
    folder_of,
    listing,
    outcomes,
    sha256,
    signed,
    signed_bom,
    signed_file,
    states,
    verified,
    with_bom,
)  # fmt: skip

ROOT = issue("root", authority(), days=(-60, 36_500))
ALL = dict.fromkeys(FILES, V)
KEYS = {256: KEY, 384: ec_key(ec.SECP384R1()), 521: ec_key(ec.SECP521R1())}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "model")


@pytest.fixture
def ours(model: Path) -> Path:
    signed(model)
    return model


def statement(model: Path, payload: bytes, name: str = "model.sig", hand: HeldKey = HAND) -> None:
    (model / name).write_bytes(hand.statement(payload))


# Outcomes


def test_a_model_as_it_was_signed_is_verified_file_by_file(ours: Path) -> None:
    found = verified(ours)
    assert found.outcome is Outcome.VERIFIED
    assert states(found) == {**ALL, "model.sig": G}
    assert found.statements[0].check.identity.startswith("sha256:")
    assert detail(found) == "3 verified, 1 ignored"
    assert found.bytes == sum(map(len, FILES.values()))


def test_a_changed_byte_is_a_content_mismatch_with_both_digests(ours: Path) -> None:
    (ours / "weights.bin").write_bytes(b"v" + FILES["weights.bin"][1:])
    found = verified(ours)
    assert found.outcome is Outcome.CONTENT_MISMATCH
    assert states(found) == {**ALL, "weights.bin": C, "model.sig": G}
    [changed] = [file for file in found.statements[0].files if file.state is C]
    assert changed.expected == "sha256:" + sha256(FILES["weights.bin"])
    assert changed.found == "sha256:" + sha256(b"v" + FILES["weights.bin"][1:])
    assert "do not load them" in detail(found)


def test_a_missing_and_an_extra_file_are_a_content_mismatch(ours: Path) -> None:
    (ours / "config.json").rename(ours / "other.json")
    found = verified(ours)
    assert found.outcome is Outcome.CONTENT_MISMATCH
    assert states(found) == {**ALL, "config.json": M, "other.json": E, "model.sig": G}


def test_extra_files_may_be_allowed_and_missing_ones_may_not(ours: Path) -> None:
    (ours / "other.json").write_bytes(b"{}")
    found = verified(ours, extra_allowed=True)
    assert found.outcome is Outcome.VERIFIED
    assert states(found)["other.json"] is E
    (ours / "config.json").unlink()
    assert verified(ours, extra_allowed=True).outcome is Outcome.CONTENT_MISMATCH


def test_a_payload_that_was_changed_is_an_invalid_signature(ours: Path) -> None:
    bundle = json.loads((ours / "model.sig").read_bytes())
    other = json.loads(HAND.statement(write_manifest(_manifest("other"))))
    bundle["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"]
    (ours / "model.sig").write_text(json.dumps(bundle))
    found = verified(ours)
    assert found.outcome is Outcome.SIGNATURE_INVALID
    assert states(found) == {}
    assert "get both files again" in detail(found)


def test_another_key_is_an_untrusted_signer(model: Path) -> None:
    signed(model, STRANGER)
    found = verified(model)
    assert found.outcome is Outcome.UNTRUSTED_SIGNER
    assert "get the public key of the signer" in detail(found)


def test_a_key_is_not_asked_about_an_identity(ours: Path) -> None:
    found = verified(ours, ExpectedChain(roots=ROOT.pem, identity=MAIL))
    assert found.outcome is Outcome.UNTRUSTED_SIGNER
    assert "name it with --key" in detail(found)


def test_a_certificate_that_is_over_is_expired(model: Path) -> None:
    leaf = issue("leaf", SIGNER, ROOT, days=(-30, -1))
    at = NOW - timedelta(days=10)
    signed(model, HeldKey(signer=certificate_signer(private_pem(leaf.key), None, leaf.pem, now=at)))
    found = verified(model, ExpectedChain(roots=ROOT.pem, identity=MAIL))
    assert found.outcome is Outcome.EXPIRED
    assert "have it signed again" in detail(found)


def test_without_documents_nothing_is_verified(model: Path) -> None:
    found = verified(model)
    assert (found.outcome, found.statements, found.bytes) == (Outcome.UNSIGNED, (), 0)


def test_a_bill_of_materials_alone_is_told_and_the_model_is_unsigned(model: Path) -> None:
    with_bom(model)
    found = verified(model, None)
    assert outcomes(found) == {"m.cdx.json": Outcome.VERIFIED}
    assert found.statements[0].check.kind is CheckKind.DIGEST
    assert found.outcome is Outcome.UNSIGNED


@pytest.mark.parametrize(
    ("bundle", "outcome", "words"),
    [
        (b'{"mediaType": "application/x"}', Outcome.UNSUPPORTED, "media type"),
        (b'{"payloadType": "x", "payload": "", "signatures": []}', Outcome.UNSUPPORTED, "DSSE"),
        (b"{}", Outcome.COULD_NOT_CHECK, "mediaType is missing"),
        (b"", Outcome.COULD_NOT_CHECK, "not JSON"),
        (b"PGP", Outcome.COULD_NOT_CHECK, "not JSON"),
    ],
)
def test_what_is_no_bundle_is_told_apart_from_a_bad_signature(
    model: Path, bundle: bytes, outcome: Outcome, words: str
) -> None:
    (model / "model.sig").write_bytes(bundle)
    found = verified(model)
    assert found.outcome is outcome
    assert words in detail(found)


def test_a_signed_statement_that_is_no_statement_could_not_be_checked(model: Path) -> None:
    statement(model, b"{}")
    assert verified(model).outcome is Outcome.COULD_NOT_CHECK
    statement(model, b'{"_type": "x", "predicateType": "y", "subject": []}')
    assert verified(model).outcome is Outcome.UNSUPPORTED


def test_a_signature_needs_somebody_who_is_expected(ours: Path) -> None:
    with pytest.raises(NobodyExpectedError):
        verified(ours, None)


def test_a_target_or_document_that_is_not_there_is_an_error(ours: Path) -> None:
    for more in ({"target": ours / "no"}, {"signature": ours / "no"}, {"bom": ours / "no"}):
        with pytest.raises(UnreadableError) as caught:
            verified(**({"target": ours} | more))  # type: ignore[arg-type]
        assert caught.value.reason is Reason.VANISHED


# Files


def test_git_and_what_the_signer_left_out_are_ignored(model: Path) -> None:
    folder_of(model, {".gitattributes": b"x", "logs/a": b"1", "logs/b/c": b"2", "logs2": b"3"})
    signed(model, ignored=("logs",))
    folder_of(model, {".gitattributes": b"y", "logs/b/c": b"3", "logs/new": b"4"})
    found = verified(model)
    ignored = dict.fromkeys([".gitattributes", "logs/a", "logs/b/c", "logs/new", "model.sig"], G)
    assert found.outcome is Outcome.VERIFIED
    assert states(found) == {**ALL, **ignored, "logs2": V}
    told = {file.path: file.detail for file in found.statements[0].files}
    assert told["logs/new"] == "the signer left it out"
    assert told[".gitattributes"] == ""


def test_a_link_inside_counts_as_its_content_and_one_that_leads_out_is_unreadable(model: Path) -> None:
    (model / "link.json").symlink_to("config.json")
    signed(model)
    assert states(verified(model)) == {**ALL, "link.json": V, "model.sig": G}
    (model / "link.json").unlink()
    (model / "link.json").symlink_to(model.parent / "elsewhere")
    found = verified(model)
    assert found.outcome is Outcome.COULD_NOT_CHECK
    assert states(found) == {**ALL, "link.json": U, "model.sig": G}


def test_an_unsigned_link_to_nothing_is_not_verified(ours: Path) -> None:
    (ours / "new").symlink_to("nothing")
    found = verified(ours, extra_allowed=True)
    assert found.outcome is Outcome.COULD_NOT_CHECK
    assert states(found)["new"] is U


def test_a_folder_behind_a_lost_link_is_unreadable_and_not_missing(tmp_path: Path) -> None:
    store = folder_of(tmp_path / "store", {"a.bin": b"1"})
    model = folder_of(tmp_path / "model")
    signed(folder_of(model, {"part/a.bin": b"1"}))
    (model / "part" / "a.bin").unlink()
    (model / "part").rmdir()
    (model / "part").symlink_to(store)
    found = verified(model)
    assert states(found)["part/a.bin"] is M
    assert states(found)["part"] is U
    assert found.outcome is Outcome.CONTENT_MISMATCH


@pytest.mark.parametrize("name", ["a:b.txt", "a:0:5", "sub/:1:2", "ä", "a b", "{x}", "%2e"])
@pytest.mark.parametrize("shard_size", [None, 3])
def test_odd_names_are_verified_and_their_files_found_changed(
    tmp_path: Path, name: str, shard_size: int | None
) -> None:
    model = folder_of(tmp_path / "m", {name: b"12345", "other": b"1"})
    signed(model, shard_size=shard_size)
    assert states(verified(model)) == {name: V, "other": V, "model.sig": G}
    (model / name).write_bytes(b"12346")
    assert states(verified(model))[name] is C


@pytest.mark.parametrize(
    ("one", "two"),
    [("Config.json", "config.json"), (unicodedata.normalize("NFC", "ä"), unicodedata.normalize("NFD", "ä"))],
)
def test_names_that_differ_by_case_or_form_are_two_files_and_told(tmp_path: Path, one: str, two: str) -> None:
    model = folder_of(tmp_path / "m", {one: b"1", two: b"2"})
    signed(model)
    found = verified(model)
    assert states(found) == {one: V, two: V, "model.sig": G}
    assert f"one file: {', '.join(sorted((one, two)))}" in detail(found)
    (model / one).unlink()
    assert states(verified(model)) == {one: M, two: V, "model.sig": G}
    (model / two).rename(model / one)
    assert states(verified(model)) == {one: C, two: M, "model.sig": G}


def test_a_shard_that_changed_is_named_by_its_bytes(model: Path) -> None:
    signed(model, shard_size=40)
    (model / "weights.bin").write_bytes(b"w" * 50 + b"x" + b"w" * 49)
    found = verified(model)
    [changed] = [file for file in found.statements[0].files if file.state is C]
    assert (changed.path, changed.detail.split(":")[0]) == ("weights.bin", "bytes 40 to 80")


@pytest.mark.parametrize("size", [0, 1, 39, 99, 101, 120, 200])
def test_a_sharded_file_of_another_length_is_changed(model: Path, size: int) -> None:
    signed(model, shard_size=40)
    (model / "weights.bin").write_bytes(b"w" * size)
    found = verified(model)
    assert found.outcome is Outcome.CONTENT_MISMATCH
    assert states(found)["weights.bin"] is C
    assert f"{size:,} bytes, 100 were signed" in {file.detail for file in found.statements[0].files}


def test_empty_files_have_no_shards_and_are_signed_whole(model: Path) -> None:
    (model / "__init__.py").write_bytes(b"")
    signed(model, shard_size=40)
    assert states(verified(model))["__init__.py"] is G
    signed(model)
    assert states(verified(model))["__init__.py"] is V
    (model / "__init__.py").write_bytes(b"x")
    assert states(verified(model))["__init__.py"] is C


def test_a_file_that_had_no_shard_and_has_bytes_now_is_extra(model: Path) -> None:
    (model / "__init__.py").write_bytes(b"")
    signed(model, shard_size=40)
    (model / "__init__.py").write_bytes(b"x")
    assert states(verified(model))["__init__.py"] is E


def test_an_unreadable_file_could_not_be_checked(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _watched(ours, monkeypatch)
    source.lost["weights.bin"] = Reason.DENIED
    found = verified(ours)
    assert found.outcome is Outcome.COULD_NOT_CHECK
    assert states(found) == {**ALL, "weights.bin": U, "model.sig": G}
    assert "permission denied" in {file.detail.rpartition(": ")[2] for file in found.statements[0].files}


@pytest.mark.parametrize("how", ["replaced", "written", "removed"])
def test_a_file_that_changes_after_the_signature_was_checked_is_not_verified(
    ours: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    source = _watched(ours, monkeypatch)
    weights = ours / "weights.bin"

    def swap(path: str) -> None:
        if path != "weights.bin":
            return
        assert source.opened[0] == "model.sig"
        if how == "replaced":
            (ours.parent / "other").write_bytes(FILES[path])
            (ours.parent / "other").replace(weights)
        elif how == "written":
            weights.write_bytes(b"evil")
        else:
            weights.unlink()

    source.before = swap
    found = verified(ours)
    assert found.outcome is Outcome.COULD_NOT_CHECK
    assert states(found)["weights.bin"] is U


# Keys and certificates


@pytest.mark.parametrize("size", [256, 384, 521])
@pytest.mark.parametrize("shard_size", [None, 33])
@pytest.mark.parametrize("hash_type", ["sha256", "blake2b", "blake3"])
def test_every_curve_method_and_digest_is_verified(
    model: Path, size: int, shard_size: int | None, hash_type: str
) -> None:
    key = KEYS[size]
    hand, expected = HeldKey(signer=KeySigner(key=key)), ExpectedKey(public_key=public_pem(key))
    signed(model, hand, hash_type=hash_type, shard_size=shard_size)
    assert states(verified(model, expected)) == {**ALL, "model.sig": G}
    (model / "weights.bin").write_bytes(b"w" * 99 + b"x")
    assert verified(model, expected).outcome is Outcome.CONTENT_MISMATCH


def test_a_certificate_of_the_expected_identity_is_verified_and_no_other_one(model: Path) -> None:
    middle = issue("middle", authority(0), ROOT, days=(-60, 36_500))
    leaf = issue("leaf", SIGNER, middle, days=(-30, 36_500))
    signed(model, HeldKey(signer=certificate_signer(private_pem(leaf.key), None, leaf.pem, middle.pem)))
    found = verified(model, ExpectedChain(roots=ROOT.pem, identity=MAIL))
    assert states(found) == {**ALL, "model.sig": G}
    assert found.statements[0].check.identity == MAIL
    other = issue("root", authority(), days=(-60, 36_500))
    for roots, identity in ((ROOT.pem, "else@example.com"), (other.pem, MAIL)):
        refused = verified(model, ExpectedChain(roots=roots, identity=identity))
        assert refused.outcome is Outcome.UNTRUSTED_SIGNER
    assert verified(model).outcome is Outcome.UNTRUSTED_SIGNER


def test_a_keyless_signature_is_verified_for_its_identity_and_root(model: Path) -> None:
    services, others = FakeSigstore(), FakeSigstore()
    payload = write_manifest(_manifest())
    (model / "model.sig").write_bytes(services.sign(payload))
    root, expected = (
        read_trust_root(services.trusted_root()),
        ExpectedIdentity(identity=IDENTITY, issuer=ISSUER),
    )
    found = verified(model, expected, root=root)
    assert states(found) == {**ALL, "model.sig": G}
    assert found.statements[0].check.identity == IDENTITY
    strange = read_trust_root(others.trusted_root())
    assert verified(model, expected, root=strange).outcome is not Outcome.VERIFIED
    assert verified(model, expected).outcome is not Outcome.VERIFIED  # by the root of production
    nobody = ExpectedIdentity(identity="else@example.com", issuer=ISSUER)
    assert verified(model, nobody, root=root).outcome is Outcome.UNTRUSTED_SIGNER


# One file


def test_a_model_of_one_file_is_verified_wherever_it_lies_and_whatever_its_name(tmp_path: Path) -> None:
    weights = folder_of(tmp_path, {"w.gguf": b"123"}) / "w.gguf"
    signature = signed(weights)
    assert signature.name == "w.gguf.sig"
    assert states(verified(weights), "w.gguf.sig") == {"w.gguf": V}
    moved = folder_of(tmp_path / "x", {"y.gguf": b"123"}) / "y.gguf"
    assert states(verified(moved, signature=signature), "w.gguf.sig") == {"y.gguf": V}
    assert verified(tmp_path / "x", signature=signature).outcome is Outcome.VERIFIED
    moved.write_bytes(b"124")
    assert states(verified(moved, signature=signature), "w.gguf.sig") == {"y.gguf": C}


def test_a_folder_of_one_file_does_not_allow_another_name(tmp_path: Path) -> None:
    model = folder_of(tmp_path / "m", {"data.txt": b"import os"})
    signed(model)
    (model / "data.txt").rename(model / "code.py")
    assert states(verified(model)) == {"code.py": E, "data.txt": M, "model.sig": G}
    assert verified(model / "code.py").outcome is Outcome.CONTENT_MISMATCH


def test_one_file_of_a_signed_folder_is_held_against_its_own_name(ours: Path) -> None:
    assert states(verified(ours / "weights.bin")) == {"weights.bin": V}
    below = verified(ours / "sub" / "vocab.txt", signature=ours / "model.sig")
    assert states(below) == {"vocab.txt": V}
    (ours / "new.bin").write_bytes(FILES["weights.bin"])
    assert states(verified(ours / "new.bin")) == {"new.bin": E}
    assert verified(ours / "new.bin").outcome is Outcome.CONTENT_MISMATCH
    (ours / "weights.bin").write_bytes(FILES["config.json"])
    assert states(verified(ours / "weights.bin")) == {"weights.bin": C}


def test_signed_bytes_of_a_file_are_verified_beside_it_and_from_its_folder(model: Path) -> None:
    signature = signed_file(model / "weights.bin")
    for target, more in ((model / "weights.bin", {}), (model, {"extra_allowed": True})):
        found = verified(target, **more)
        assert found.outcome is Outcome.VERIFIED
        assert states(found, signature.name)["weights.bin"] is V
    named = verified(model, signature=signature, extra_allowed=True)
    assert states(named, signature.name)["weights.bin"] is V


def test_signed_bytes_that_changed_are_refused(model: Path) -> None:
    signed_file(model / "weights.bin")
    (model / "weights.bin").write_bytes(b"else")
    for target in (model / "weights.bin", model):
        assert verified(target).outcome is Outcome.CONTENT_MISMATCH


def test_signed_bytes_that_are_gone_or_unreadable_could_not_be_checked(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = signed_file(model / "weights.bin").name
    source = _watched(model, monkeypatch)
    source.lost["weights.bin"] = Reason.DENIED
    found = verified(model)
    assert (found.outcome, "cannot be read: cannot be opened: permission denied" in detail(found, name)) == (
        Outcome.COULD_NOT_CHECK,
        True,
    )
    (model / "weights.bin").unlink()
    found = verified(model)
    assert (found.outcome, "not here" in detail(found, name)) == (Outcome.COULD_NOT_CHECK, True)


def test_who_signs_one_file_does_not_vouch_for_the_others(model: Path) -> None:
    signed_file(model / "config.json")
    found = verified(model)
    assert found.outcome is Outcome.UNSIGNED
    assert outcomes(found) == {"config.json.sigstore.json": Outcome.VERIFIED, "model": Outcome.UNSIGNED}
    assert states(found, "model") == {"weights.bin": E, "sub/vocab.txt": E}
    assert "aibom sign model" in detail(found, "model")
    for name in ("weights.bin", "sub/vocab.txt"):
        (model / f"{Path(name).name}.sigstore.json").write_bytes(signed_file(model / name).read_bytes())
    (model / "sub" / "vocab.txt.sigstore.json").unlink()
    (model / "vocab.txt.sigstore.json").unlink()
    assert states(verified(model), "model") == {"sub/vocab.txt": E}


def test_unsigned_files_beside_signed_ones_pass_when_extra_files_may(model: Path) -> None:
    signed_file(model / "config.json")
    found = verified(model, extra_allowed=True)
    assert found.outcome is Outcome.VERIFIED
    told = {"config.json": V, "weights.bin": E, "sub/vocab.txt": E}
    assert states(found, "config.json.sigstore.json") == told
    (model / "dangling").symlink_to("nothing")
    assert verified(model, extra_allowed=True).outcome is Outcome.COULD_NOT_CHECK


def test_signatures_of_every_file_together_vouch_for_the_folder(tmp_path: Path) -> None:
    model = folder_of(tmp_path / "m", {"a.bin": b"1", "b.bin": b"2", ".gitattributes": b"x"})
    for name in ("a.bin", "b.bin"):
        signed_file(model / name)
    assert verified(model).outcome is Outcome.VERIFIED


# Documents


def test_several_signatures_are_each_judged_and_the_worst_decides(ours: Path) -> None:
    signed(ours, STRANGER, ours / "other.sig")
    found = verified(ours)
    assert outcomes(found) == {"model.sig": Outcome.VERIFIED, "other.sig": Outcome.UNTRUSTED_SIGNER}
    assert found.outcome is Outcome.UNTRUSTED_SIGNER
    assert states(found) == {**ALL, "model.sig": G, "other.sig": G}


def test_a_named_signature_is_heard_alone_and_the_others_are_no_extra_files(ours: Path) -> None:
    signed(ours, STRANGER)
    named = signed(ours, to=ours.parent / "named.sig")
    (ours / "a.cdx.json").write_text("not JSON")
    found = verified(ours, signature=named, bom=with_bom(ours.parent))
    assert outcomes(found) == {"named.sig": Outcome.VERIFIED, "m.cdx.json": Outcome.VERIFIED}
    assert states(found, "named.sig") == {**ALL, "model.sig": G, "a.cdx.json": G}
    assert states(found, "m.cdx.json") == {**ALL, "model.sig": G, "a.cdx.json": G}


def test_a_named_signature_inside_is_no_extra_file_whatever_its_name(ours: Path) -> None:
    (ours / "model.sig").rename(ours / "proof")
    assert states(verified(ours, signature=ours / "proof"), "proof") == {**ALL, "proof": G}
    (ours / "proof").rename(ours.parent / "proof")
    (ours / "link").symlink_to(ours.parent / "proof")
    assert outcomes(verified(ours, signature=ours.parent / "proof"))["proof"] is not Outcome.VERIFIED


def test_a_named_link_is_left_out_where_it_lies(ours: Path) -> None:
    folder_of(ours, {"sigs/x": (ours / "model.sig").read_bytes()})
    (ours / "model.sig").unlink()
    (ours / "proof").symlink_to("sigs/x")
    found = verified(ours, signature=ours / "proof")
    assert states(found, "proof") == {**ALL, "proof": G, "sigs/x": E}


def test_files_of_other_programs_are_files_and_no_documents(model: Path) -> None:
    folder_of(model, {"weights.bin.sig": b"\x89PGP", "sbom.json": b'{"spdxVersion": "SPDX-2.3"}'})
    assert verified(model).statements == ()
    signed(model)
    found = verified(model)
    assert states(found) == {**ALL, "weights.bin.sig": V, "sbom.json": V, "model.sig": G}
    (model / "sbom.json").write_bytes(b"{}")
    assert states(verified(model))["sbom.json"] is C


def test_a_document_that_cannot_be_read_is_told_and_does_not_stop_the_others(
    ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_bom(ours)
    source = _watched(ours, monkeypatch)
    source.lost["m.cdx.json"] = Reason.DENIED
    found = verified(ours)
    assert outcomes(found) == {"model.sig": Outcome.VERIFIED, "m.cdx.json": Outcome.COULD_NOT_CHECK}
    monkeypatch.setitem(documents.LIMITS, "signature", 10)
    found = verified(ours)
    assert outcomes(found)["model.sig"] is Outcome.COULD_NOT_CHECK
    assert "at most 10" in detail(found)


def test_a_signature_behind_a_lost_link_could_not_be_checked(ours: Path) -> None:
    (ours / "model.sig").unlink()
    (ours / "model.sig").symlink_to("nothing")
    found = verified(ours)
    assert found.outcome is Outcome.COULD_NOT_CHECK
    assert "nothing" in detail(found)


# Bills of materials


@pytest.mark.parametrize(
    ("content", "alg", "outcome", "words"),
    [
        ("upper", "SHA-256", Outcome.VERIFIED, "verified"),
        ("short", "SHA-256", Outcome.COULD_NOT_CHECK, "of 'weights.bin'"),
        ("text", "SHA-256", Outcome.COULD_NOT_CHECK, "of 'weights.bin'"),
        ("wrong", "SHA-256", Outcome.CONTENT_MISMATCH, "1 changed"),
        ("upper", "SHA-512", Outcome.UNSUPPORTED, "no SHA-256 of 'weights.bin'"),
        ("upper", "SHA3-256", Outcome.UNSUPPORTED, "no SHA-256"),
    ],
)
def test_digests_of_a_bill_of_materials(
    ours: Path, content: str, alg: str, outcome: Outcome, words: str
) -> None:
    value = sha256(FILES["weights.bin"])
    texts = {"upper": value.upper(), "short": value[:-2], "text": "x" * 64, "wrong": sha256(b"else")}
    document = listing(FILES)
    document["components"][1]["hashes"] = [{"alg": alg, "content": texts[content]}]  # type: ignore[index]
    with_bom(ours, document)
    (ours / "model.sig").unlink()
    found = verified(ours)
    assert outcomes(found) == {"m.cdx.json": outcome}
    assert words in detail(found, "m.cdx.json")


def test_a_bill_of_materials_is_compared_both_ways(model: Path) -> None:
    kept = {"config.json": FILES["config.json"], "gone.bin": b"gone", "weights.bin": b"else"}
    with_bom(model, listing(kept))
    found = verified(model)
    assert states(found, "m.cdx.json") == {
        "config.json": V, "gone.bin": M, "weights.bin": C, "sub/vocab.txt": E, "m.cdx.json": G,
    }  # fmt: skip
    assert outcomes(found) == {"m.cdx.json": Outcome.CONTENT_MISMATCH}


def test_a_bill_of_materials_without_digests_proves_nothing(ours: Path) -> None:
    with_bom(ours, listing({}, components=[{"type": "library", "name": "torch"}]))
    found = verified(ours)
    assert outcomes(found) == {"model.sig": Outcome.VERIFIED, "m.cdx.json": Outcome.COULD_NOT_CHECK}
    assert "aibom scan" in detail(found, "m.cdx.json")


def test_a_signature_that_was_made_anew_after_the_list_is_no_mismatch(ours: Path) -> None:
    listed = {**FILES, "model.sig": (ours / "model.sig").read_bytes()}
    with_bom(ours, listing(listed))
    assert states(verified(ours), "m.cdx.json") == {**ALL, "model.sig": V, "m.cdx.json": G}
    signed(ours)
    found = verified(ours)
    assert found.outcome is Outcome.VERIFIED
    assert states(found) == {**ALL, "model.sig": G, "m.cdx.json": V}
    assert states(found, "m.cdx.json")["model.sig"] is G


def test_a_bill_of_materials_that_changes_the_verdict_of_a_good_signature(ours: Path) -> None:
    with_bom(ours, listing(FILES | {"config.json": b"else"}))
    found = verified(ours)
    assert outcomes(found) == {"model.sig": Outcome.VERIFIED, "m.cdx.json": Outcome.CONTENT_MISMATCH}
    assert found.outcome is Outcome.CONTENT_MISMATCH


def test_one_file_is_held_against_a_bill_of_materials(model: Path) -> None:
    bom = with_bom(model.parent / "model")
    weights = model / "weights.bin"
    assert states(verified(weights, bom=bom), bom.name) == {"weights.bin": V}
    copy = folder_of(model.parent / "x", {"copy": FILES["weights.bin"], "other": b"1"})
    assert states(verified(copy / "copy", bom=bom), bom.name) == {"copy": V}
    assert states(verified(copy / "other", bom=bom), bom.name) == {"other": E}
    weights.write_bytes(b"else")
    found = verified(weights, bom=bom)
    assert states(found, bom.name) == {"weights.bin": C}
    assert outcomes(found) == {bom.name: Outcome.CONTENT_MISMATCH}
    assert states(verified(model / "sub" / "vocab.txt", bom=bom), bom.name) == {"vocab.txt": V}


def test_a_signed_bill_of_materials_vouches_for_every_file(model: Path) -> None:
    name = signed_bom(with_bom(model)).name
    found = verified(model)
    assert found.outcome is Outcome.VERIFIED
    assert states(found, name) == {**ALL, "m.cdx.json": V, name: G}
    (model / "sub" / "vocab.txt").write_bytes(b"else")
    assert states(verified(model), name)["sub/vocab.txt"] is C


def test_what_is_signed_counts_and_another_document_beside_it_is_told(model: Path) -> None:
    bom = with_bom(model)
    name = signed_bom(bom).name
    evil = FILES | {"config.json": b"evil"}
    folder_of(model, evil)
    bom.write_text(json.dumps(listing(evil)))
    found = verified(model)
    assert outcomes(found) == {name: Outcome.CONTENT_MISMATCH, "m.cdx.json": Outcome.VERIFIED}
    assert states(found, name) == {**ALL, "config.json": C, "m.cdx.json": C, name: G}


def test_a_document_that_differs_is_told_even_when_the_files_are_good(model: Path) -> None:
    bom = with_bom(model)
    name = signed_bom(bom).name
    bom.write_text(json.dumps(listing(FILES, version=2), indent=4))
    found = verified(model)
    assert outcomes(found) == {name: Outcome.CONTENT_MISMATCH, "m.cdx.json": Outcome.VERIFIED}
    assert states(found, name) == {**ALL, "m.cdx.json": C, name: G}
    assert "m.cdx.json: it is not the document that was signed" in detail(found, name)


def test_the_layout_of_the_document_beside_is_free(model: Path) -> None:
    bom = with_bom(model)
    name = signed_bom(bom).name
    bom.write_text(json.dumps(listing(FILES), indent=4, sort_keys=True))
    assert states(verified(model), name)["m.cdx.json"] is V


def test_a_signed_bill_of_materials_is_held_against_the_one_it_is_named_after(model: Path) -> None:
    name = signed_bom(with_bom(model)).name
    other = with_bom(model, listing(FILES, version=7), "n.cdx.json")
    assert verified(model).outcome is Outcome.VERIFIED
    assert states(verified(model), name) == {**ALL, "m.cdx.json": V, "n.cdx.json": G, name: G}
    (model / name).rename(model / "model.sig")
    assert states(verified(model)) == {**ALL, "m.cdx.json": V, "n.cdx.json": G, "model.sig": G}
    (model / "m.cdx.json").unlink()
    assert states(verified(model)) == {**ALL, "n.cdx.json": C, "model.sig": G}
    assert other.exists()


def test_a_signed_document_of_another_name_is_found(model: Path) -> None:
    bom = with_bom(model, name="parts.json")
    name = signed_bom(bom).name
    assert states(verified(model), name) == {**ALL, "parts.json": V, name: G}
    bom.write_text("{}")
    assert states(verified(model), name)["parts.json"] is C
    bom.write_text("no JSON")
    assert states(verified(model), name)["parts.json"] is C


def test_the_signed_document_itself_can_be_the_target(model: Path) -> None:
    bom = with_bom(model)
    name = signed_bom(bom).name
    assert states(verified(bom), name) == {"m.cdx.json": V}
    assert states(verified(model / "weights.bin", signature=model / name), name) == {"weights.bin": V}
    assert states(verified(model / "config.json", signature=model / name), name) == {"config.json": V}
    bom.write_text(json.dumps(listing(FILES, version=2)))
    found = verified(bom)
    assert states(found, name) == {"m.cdx.json": C}
    assert found.outcome is Outcome.CONTENT_MISMATCH


def test_a_signed_document_without_digests_vouches_for_itself_only(model: Path) -> None:
    bom = with_bom(model, listing({}, components=[]))
    name = signed_bom(bom).name
    bom_itself = verified(bom)
    assert states(bom_itself, name) == {"m.cdx.json": V}
    bom.unlink()
    found = verified(model)
    assert found.outcome is Outcome.CONTENT_MISMATCH
    assert states(found, name) == {"m.cdx.json": M}


# Attestations


def test_subjects_are_known_by_their_digest_and_every_copy_counts(model: Path) -> None:
    (model / "copy.bin").write_bytes(FILES["weights.bin"])
    statement(model, _summary({"anything": FILES["weights.bin"]}))
    found = verified(model)
    assert states(found) == {"weights.bin": V, "copy.bin": V}
    assert found.outcome is Outcome.UNSIGNED
    assert states(found, "model") == {"config.json": E, "sub/vocab.txt": E}


def test_a_subject_that_is_not_here_is_a_mismatch(model: Path) -> None:
    statement(
        model, _summary({"weights.bin": b"else", "gone.bin": b"1", "config.json": FILES["config.json"]})
    )
    found = verified(model)
    assert found.outcome is Outcome.CONTENT_MISMATCH
    assert states(found) == {"weights.bin": C, "gone.bin": M, "config.json": V}


def test_two_subjects_of_one_name_are_both_compared(model: Path) -> None:
    subjects = [
        Subject(name="weights.bin", digests=(("sha256", sha256(data)),))
        for data in (b"else", FILES["weights.bin"])
    ]
    for order in (subjects, subjects[::-1]):
        statement(model, _summary_of(order))
        assert outcomes(verified(model))["model.sig"] is Outcome.CONTENT_MISMATCH


def test_an_unreadable_subject_could_not_be_checked(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statement(model, _summary({"weights.bin": FILES["weights.bin"]}))
    source = _watched(model, monkeypatch)
    source.lost["weights.bin"] = Reason.DENIED
    assert states(verified(model)) == {"weights.bin": U}


def test_one_file_is_held_against_the_subjects(model: Path) -> None:
    statement(model, _summary({"a": FILES["weights.bin"], "b": b"2"}))
    assert states(verified(model / "weights.bin")) == {"weights.bin": V}
    found = verified(model / "config.json")
    assert states(found) == {"config.json": C}
    assert found.outcome is Outcome.CONTENT_MISMATCH


def test_a_subject_without_sha256_is_unsupported(model: Path) -> None:
    statement(model, _summary_of([Subject(name="a", digests=(("sha512", "a" * 128),))]))
    found = verified(model)
    assert found.outcome is Outcome.UNSUPPORTED
    assert "SHA-256" in detail(found)


# One read


def test_each_byte_is_read_once_with_a_signature_and_a_bill_of_materials(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (model / "big.bin").write_bytes(b"x" * 3_000_000)
    files = FILES | {"big.bin": b"x" * 3_000_000}
    with_bom(model, listing(files))
    signed_file(model / "weights.bin")
    signed(model, hash_type="blake2b", shard_size=1_000_000)
    source = _watched(model, monkeypatch)
    found = verified(model, jobs=4)
    assert found.outcome is Outcome.VERIFIED
    assert len(found.statements) == 3
    assert source.read == {path: (model / path).stat().st_size for path in source.read}
    assert source.read.keys() == {*files, "model.sig", "m.cdx.json", "weights.bin.sigstore.json"}


def test_what_nobody_vouches_for_is_not_read(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (ours / "new.bin").write_bytes(b"x")
    source = _watched(ours, monkeypatch)
    assert states(verified(ours))["new.bin"] is E
    assert "new.bin" not in source.read


def test_progress_is_told_every_byte(ours: Path) -> None:
    seen: list[int] = []

    class Told:
        def listed(self, files: int, size: int) -> None:
            seen.append(-size)

        def advanced(self, count: int) -> None:
            seen.append(count)

        def hint(self, message: str) -> None:
            raise AssertionError(message)

    request = workflow.VerifyRequest(target=str(ours), expected=EXPECTED)
    workflow.verify(request, Told())
    assert sum(seen) == 0
    assert seen[0] == -sum(map(len, FILES.values()))


def _manifest(name: str = "model") -> Manifest:
    resources = tuple(
        Resource(name=path, algorithm="sha256", digest=sha256(FILES[path])) for path in sorted(FILES)
    )
    return Manifest(name=name, resources=resources, method=Method.FILES)


def test_a_signed_verdict_that_says_failed_vouches_for_nothing(model: Path) -> None:
    subjects = [
        Subject(name=path.name, digests=(("sha256", sha256(path.read_bytes())),))
        for path in sorted(model.rglob("*"))
        if path.is_file()
    ]
    statement(model, _summary_of(subjects), "passed.sigstore.json")
    assert verified(model).outcome is Outcome.VERIFIED
    statement(model, _summary_of(subjects, passed=False), "passed.sigstore.json")
    found = verified(model)
    assert found.outcome is Outcome.UNSIGNED
    assert "says that it FAILED" in found.statements[0].check.detail
    assert found.statements[0].signer is not None


def _summary(subjects: dict[str, bytes]) -> bytes:
    return _summary_of(
        [Subject(name=name, digests=(("sha256", sha256(data)),)) for name, data in subjects.items()]
    )


def _summary_of(subjects: list[Subject], *, passed: bool = True) -> bytes:
    summary = VerificationSummary(
        verifier="https://example.com/v", resource="file:x", policy="https://example.com/p", passed=passed
    )
    return verification_summary(summary, subjects)


def _watched(model: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """The source of the next `verify` of the folder."""
    source = Watched(workflow.resolve(str(model), Opening(surroundings=False)))
    monkeypatch.setattr(workflow, "resolve", lambda *_: source)
    return source
