"""What is signed: the whole model or nothing, in the form that verifiers read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from aibom.domain.attestation import BillOfMaterials
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.signing import Manifest, Method
from aibom.trust.attestations import read_attestation
from aibom.trust.bundle import read_bundle
from aibom.trust.key import verify_key
from aibom.trust.oms import read_manifest
from aibom.workflows import sign as workflow
from aibom.workflows.sign import HeldKey, Keyless, ModelRequest, Signed, sign_any_file, sign_bom, sign_model
from tests.workflows.signed_models import (
    EXPECTED,
    FILES,
    HAND,
    Watched,
    folder_of,
    listing,
    sha256,
    watch,
    with_bom,
)  # fmt: skip


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "my model")


def payload(signed: Signed) -> bytes:
    found = verify_key(read_bundle(signed.bundle), None, EXPECTED).payload
    assert found is not None
    return found


def manifest(target: Path, **more: object) -> Manifest:
    return read_manifest(payload(sign_model(ModelRequest(target=str(target), **more), HAND)))  # type: ignore[arg-type]


def test_every_file_of_a_model_is_in_the_manifest(model: Path) -> None:
    signed = sign_model(ModelRequest(target=str(model)), HAND)
    found = read_manifest(payload(signed))
    assert {each.name: each.digest for each in found.resources} == {
        name: sha256(data) for name, data in FILES.items()
    }
    assert (found.name, found.method, found.hash_type) == ("my model", Method.FILES, "sha256")
    assert (signed.files, signed.bytes) == (3, sum(map(len, FILES.values())))
    digests = [sha256(FILES[name]) for name in sorted(FILES)]
    assert signed.root == found.root == sha256(bytes.fromhex("".join(digests)))


def test_a_model_is_signed_with_the_same_bytes_each_time(model: Path) -> None:
    assert sign_model(ModelRequest(target=str(model)), HAND) == sign_model(
        ModelRequest(target=str(model)), HAND
    )


@pytest.mark.parametrize("jobs", [1, 4])
def test_shards_cover_every_byte_once(model: Path, monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    made = watch(monkeypatch, workflow)
    (model / "empty").write_bytes(b"")
    found = manifest(model, shard_size=30, hash_type="blake2b", jobs=jobs)
    weights = [(each.start, each.end, each.digest) for each in found.resources if each.name == "weights.bin"]
    assert weights == [
        (at, end, hashlib.blake2b(b"w" * (end - at)).hexdigest())
        for at, end in ((0, 30), (30, 60), (60, 90), (90, 100))
    ]
    assert (found.method, found.shard_size, found.hash_type) == (Method.SHARDS, 30, "blake2b")
    assert made[0].read == {name: len(data) for name, data in FILES.items()}  # an empty file has no shard


def test_a_shard_that_ends_with_the_file_has_no_empty_one_after_it(model: Path) -> None:
    found = manifest(model, shard_size=50)
    assert [each.end for each in found.resources if each.name == "weights.bin"] == [50, 100]


def test_git_older_signatures_and_what_is_ignored_are_left_out_and_that_is_said(model: Path) -> None:
    folder_of(
        model, {".git/HEAD": b"", ".gitignore": b"", "model.sig": b"", "logs/a": b"", "sub/model.sig": b""}
    )
    (model / "logs" / "lost").symlink_to("nothing")
    found = manifest(model, ignored=("logs", "config.json"))
    assert {each.name for each in found.resources} == {"sub/model.sig", "sub/vocab.txt", "weights.bin"}
    assert found.ignore_paths == ("config.json", "logs")


def test_what_cannot_be_read_is_not_left_out_silently(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (model / "lost").symlink_to("nothing")
    with pytest.raises(UnreadableError, match=r"^lost: .* cannot be left out silently") as caught:
        manifest(model)
    assert caught.value.reason is Reason.VANISHED
    (model / "lost").unlink()
    source = Watched(workflow.resolve(str(model)))
    source.lost["weights.bin"] = Reason.DENIED
    monkeypatch.setattr(workflow, "resolve", lambda *_: source)
    with pytest.raises(UnreadableError, match=r"weights.bin cannot be read"):
        manifest(model)
    source.lost, source.before = {}, lambda path: (model / "config.json").write_bytes(b"changed")
    with pytest.raises(UnreadableError, match=r"config.json cannot be read"):
        manifest(model)


@pytest.mark.parametrize("files", [{}, {"model.sig": b""}, {".gitignore": b""}])
def test_an_empty_model_is_not_signed(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(UnreadableError, match="no file to sign"):
        manifest(folder_of(tmp_path, files))


def test_too_many_shards_are_refused_before_a_byte_is_read(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = watch(monkeypatch, workflow)
    with (model / "large").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UnreadableError, match="make them larger") as caught:
        manifest(model, shard_size=1)
    assert (caught.value.reason, made[0].read) == (Reason.LIMIT, {})


@pytest.mark.parametrize("name", ["a\\b", "a\udcff"])
def test_a_name_that_verifiers_cannot_read_is_not_signed(model: Path, name: str) -> None:
    (model / name).write_bytes(b"")
    with pytest.raises(UnreadableError):
        manifest(model)


def test_a_model_of_one_file_has_the_name_that_others_know(model: Path) -> None:
    signed = sign_model(ModelRequest(target=str(model / "weights.bin")), HAND)
    document = json.loads(payload(signed))
    assert document["subject"][0]["name"] == "weights.bin"
    assert [each["name"] for each in document["predicate"]["resources"]] == ["."]
    assert signed.files == 1
    shards = json.loads(
        payload(sign_model(ModelRequest(target=str(model / "weights.bin"), shard_size=60), HAND))
    )
    assert [each["name"] for each in shards["predicate"]["resources"]] == [".:0:60", ".:60:100"]


def test_a_file_is_signed_by_its_digest(model: Path) -> None:
    signed = sign_any_file(str(model / "weights.bin"), HAND)
    bundle = read_bundle(signed.bundle)
    assert bundle.message is not None
    assert bundle.message.digest == hashlib.sha256(FILES["weights.bin"]).digest()
    assert (signed.files, signed.bytes) == (1, 100)
    for target in (model, model / "sub"):
        with pytest.raises(UnreadableError, match="aibom sign model"):
            sign_any_file(str(target), HAND)


def test_a_file_that_changes_is_not_signed(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Watched(workflow.resolve(str(model / "weights.bin")))
    made.lost["weights.bin"] = Reason.CHANGED
    monkeypatch.setattr(workflow, "resolve", lambda *_: made)
    with pytest.raises(UnreadableError, match="cannot be read as it was listed"):
        sign_any_file(str(model / "weights.bin"), HAND)


def test_a_bill_of_materials_is_signed_as_it_is_about_its_weights(model: Path) -> None:
    document = listing(FILES | {"A.SAFETENSORS": b"1"})
    signed = sign_bom(str(with_bom(model, document)), HAND)
    found = read_attestation(payload(signed))
    assert {subject.name: subject.sha256() for subject in found.subjects} == {
        "weights.bin": sha256(FILES["weights.bin"]), "A.SAFETENSORS": sha256(b"1"),
    }  # fmt: skip
    assert isinstance(found.facts, BillOfMaterials)
    assert json.loads(found.predicate) == document
    assert signed.files == 2


def test_without_weights_all_listed_files_are_subjects_and_without_files_the_document(model: Path) -> None:
    bom = with_bom(model, listing({"a.txt": b"1"}))
    assert [each.name for each in read_attestation(payload(sign_bom(str(bom), HAND))).subjects] == ["a.txt"]
    other = {"type": "file", "name": "a", "hashes": [{"alg": "MD5", "content": "0" * 32}]}
    for components in ([], [other]):
        bom = with_bom(model, listing({}, components=components))
        signed = sign_bom(str(bom), HAND)
        [subject] = read_attestation(payload(signed)).subjects
        assert (subject.name, subject.sha256()) == ("m.cdx.json", sha256(bom.read_bytes()))
        assert signed.files == 0


def test_what_is_no_good_bill_of_materials_is_not_signed(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = listing({"a": b"1"})
    bad["components"][0]["hashes"][0]["content"] = "a" * 10  # type: ignore[index]
    for document in ({"spdxVersion": "SPDX-2.3"}, [], bad):
        with pytest.raises(UnreadableError):
            sign_bom(str(with_bom(model, document)), HAND)
    with pytest.raises(UnreadableError):
        sign_bom(str(model), HAND)
    monkeypatch.setattr(workflow, "SUBJECT_COUNT", 2)
    with pytest.raises(UnreadableError, match="3 files, at most 2"):
        sign_bom(str(with_bom(model)), HAND)


def test_a_keyless_hand_shows_no_token_and_asks_for_one_kind_each(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def services(token: str, config: bytes, **more: object) -> bytes:
        asked.append((token, config, more))
        return b"bundle"

    monkeypatch.setattr(workflow, "sign_keyless", services)
    hand = Keyless("secret", b"{}")
    assert "secret" not in repr(hand)
    assert (hand.statement(b"s"), hand.file(b"d")) == (b"bundle", b"bundle")
    assert asked == [("secret", b"{}", {"statement": b"s"}), ("secret", b"{}", {"digest": b"d"})]


def test_a_held_key_shows_nothing_of_the_key() -> None:
    assert "PRIVATE" not in repr(HeldKey(signer=HAND.signer))
