"""The manifest of a signed model: read as model-signing reads it, and stricter where a name or range lies."""

from __future__ import annotations

import json
import os
import subprocess
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.signing import Envelope, Manifest, Method, Resource
from aibom.trust.bundle import read_bundle, write_bundle
from aibom.trust.dsse import INTOTO_TYPE, pae
from aibom.trust.oms import (
    OLD_PREDICATE,
    PREDICATE,
    RESOURCE_COUNT,
    clashes,
    read_manifest,
    root_digest,
    write_manifest,
)
from tests.hostile import flips, truncations

A, B, C = (pair * 32 for pair in ("aa", "bb", "cc"))
STATEMENT = "https://in-toto.io/Statement/v1"


def root_of(*digests: str) -> str:
    return sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()


def entry(name: str, digest: str = A, algorithm: str = "sha256") -> dict[str, Any]:
    return {"name": name, "digest": digest, "algorithm": algorithm}


def document(*resources: dict[str, Any], **serialization: Any) -> dict[str, Any]:
    """A statement as model-signing writes it, its root fitting to the resources."""
    how = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, **serialization}
    root = root_of(*(item["digest"] for item in resources if set(item["digest"]) <= set("0123456789abcdef")))
    return {
        "_type": STATEMENT,
        "subject": [{"name": "model", "digest": {"sha256": root}}],
        "predicateType": PREDICATE,
        "predicate": {"resources": list(resources), "serialization": how},
    }


def signed(*resources: dict[str, Any], **serialization: Any) -> bytes:
    return json.dumps(document(*resources, **serialization), indent=2).encode()


def sharded(*ranges: str, size: float = 10, algorithm: str = "sha256") -> bytes:
    return signed(*(entry(name, algorithm=algorithm) for name in ranges), method="shards", shard_size=size)


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A good statement of two files after `change` has had its way with it."""
    statement = document(entry("a", A), entry("b", B))
    change(statement)
    return json.dumps(statement).encode()


def names(payload: bytes) -> list[str]:
    return [resource.name for resource in read_manifest(payload).resources]


def outcome(payload: bytes) -> Manifest | UnreadableError:
    try:
        return read_manifest(payload)
    except UnreadableError as error:
        return error


def test_a_signature_of_files_is_read() -> None:
    manifest = read_manifest(signed(entry("b/w.bin", B), entry("c.json", C), ignore_paths=["z", "model.sig"]))
    assert manifest == Manifest(
        name="model",
        resources=(
            Resource(name="b/w.bin", algorithm="sha256", digest=B),
            Resource(name="c.json", algorithm="sha256", digest=C),
        ),
        ignore_paths=("model.sig", "z"),
        root=root_of(B, C),
    )


def test_resources_may_stand_in_any_order_and_the_root_follows_it() -> None:
    # The order of model-signing 1.1.1 is not that of the specification.
    manifest = read_manifest(signed(entry("d/f", A), entry("d.txt", B)))
    assert [resource.name for resource in manifest.resources] == ["d.txt", "d/f"]
    assert manifest.root == root_of(A, B) != root_digest(manifest.resources)


@pytest.mark.parametrize("name", ["a:b.txt", "a:0:5", ":", "a b", "ü/ñ", "-x", "...", "a.", "\n", "C:x"])
def test_any_name_below_the_model_is_a_name(name: str) -> None:
    assert names(signed(entry(name))) == [name]


def test_fields_of_later_versions_are_ignored() -> None:
    def more(statement: dict[str, Any]) -> None:
        statement["predicate"]["card"] = {}
        statement["predicate"]["resources"][0]["mediaType"] = "x"

    assert names(changed(more)) == ["a", "b"]


@pytest.mark.parametrize(("size", "algorithm"), [(10, "sha256"), (10.0, "sha256-sharded-10")])
def test_shards_are_read_in_the_form_of_the_specification_and_of_model_signing(
    size: float, algorithm: str
) -> None:
    manifest = read_manifest(sharded("w:0:10", "w:10:20", "w:20:23", size=size, algorithm=algorithm))
    assert (manifest.method, manifest.shard_size) == (Method.SHARDS, 10)
    assert [(shard.name, shard.algorithm, shard.start, shard.end) for shard in manifest.resources] == [
        ("w", "sha256", 0, 10),
        ("w", "sha256", 10, 20),
        ("w", "sha256", 20, 23),
    ]


def test_the_range_of_a_shard_is_in_the_last_two_of_all_colons() -> None:
    manifest = read_manifest(sharded("a:b.txt:0:7", "a:0:10:0:10", "a:0:10"))
    assert [(shard.name, shard.end) for shard in manifest.resources] == [
        ("a", 10),
        ("a:0:10", 10),
        ("a:b.txt", 7),
    ]


def test_shards_are_in_numerical_order_whatever_the_order_of_their_names() -> None:
    manifest = read_manifest(
        sharded("w:10:20", "w:0:10", "w:100:101", *(f"w:{n}:{n + 10}" for n in range(20, 100, 10)))
    )
    assert [shard.start for shard in manifest.resources] == list(range(0, 101, 10))


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [("sha256", sha256()), ("blake2b", blake2b()), ("blake3", blake3())],
    ids=["sha256", "blake2b", "blake3"],
)
def test_the_three_algorithms_of_the_registry_are_read(algorithm: str, digest: Any) -> None:
    payload = signed(entry("a", digest.hexdigest(), algorithm), hash_type=algorithm)
    assert read_manifest(payload).hash_type == read_manifest(payload).resources[0].algorithm == algorithm


def test_a_model_of_one_file_is_named_after_the_model() -> None:
    assert names(signed(entry("."))) == ["model"]
    assert names(sharded(".:0:10", ".:10:11")) == ["model", "model"]
    assert names(signed(entry("weights.bin"))) == ["weights.bin"]


def old(*subjects: dict[str, Any]) -> bytes:
    unused = {"unused": "Unused, just passed due to API requirements"}
    return json.dumps(
        {"_type": STATEMENT, "subject": subjects, "predicateType": OLD_PREDICATE, "predicate": unused}
    ).encode()


def old_entry(name: str, digest: str = A, kind: str = "file-sha256") -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": digest}, "annotations": {"actual_hash_algorithm": kind}}


def test_the_predicate_of_the_first_version_has_its_files_as_subjects() -> None:
    assert read_manifest(old(old_entry("b", B), old_entry("a", A))) == Manifest(
        name="",
        resources=(
            Resource(name="a", algorithm="sha256", digest=A),
            Resource(name="b", algorithm="sha256", digest=B),
        ),
        predicate_type=OLD_PREDICATE,
    )
    assert names(old(old_entry("."))) == ["."]


MALFORMED, LIMIT, UNSUPPORTED = Reason.MALFORMED, Reason.LIMIT, Reason.UNSUPPORTED
PATH = "is not a normalised relative path"

REFUSED: list[tuple[bytes, Reason, str]] = [
    # Names
    *((signed(entry("ok"), entry(name)), MALFORMED, PATH)
      for name in ("", "/etc/passwd", "//x", "..", "../x", "a/../x", "a/..", "./a", "a/./b", "a//b", "a/",
                   "a\0b")),
    (signed(entry("a\\..\\b")), MALFORMED, "has a backslash"),
    (signed(entry("a\\b")), MALFORMED, "has a backslash"),
    (signed(entry("\ud800")), MALFORMED, "half a surrogate pair"),
    (signed(entry("a" * 5000)), LIMIT, "has 5000 characters"),
    (signed(entry("/".join("a" * 300))), LIMIT, "300 levels deep"),
    (signed(entry("a"), entry("b"), entry("a")), MALFORMED, "'a' is listed twice"),
    (signed(entry("a", A), entry("a", B)), MALFORMED, "'a' is listed twice"),
    (signed(entry("model"), entry(".")), MALFORMED, "'model' is listed twice"),
    (signed(entry(".")).replace(b'"model"', b'"../x"'), MALFORMED, PATH),
    (old(old_entry("../x")), MALFORMED, PATH),
    (old(old_entry("a"), old_entry("a", B)), MALFORMED, "'a' is listed twice"),
    # Digests
    (signed(entry("a", A.upper())), MALFORMED, r"resources\[0\].digest is not a sha256 digest of 64"),
    (signed(entry("a", A[:-2])), MALFORMED, "is not a sha256 digest"),
    (signed(entry("a", A + "00")), MALFORMED, "is not a sha256 digest"),
    (signed(entry("a", A[:-1] + "g")), MALFORMED, "is not a sha256 digest"),
    (signed(entry("a", A[:-1] + " ")), MALFORMED, "is not a sha256 digest"),
    (signed(entry("a", A[:-1] + "\n")), MALFORMED, "is not a sha256 digest"),
    (signed(entry("a", "")), MALFORMED, "is not a sha256 digest"),
    (signed(entry("a", A, "md5")), MALFORMED, "is 'md5', the model is digested with sha256"),
    (signed(entry("a", A, "SHA256")), MALFORMED, "the model is digested with sha256"),
    (signed(entry("a", A, "blake3")), MALFORMED, "the model is digested with sha256"),
    (signed(entry("a", A, "sha256-sharded-10")), MALFORMED, "the model is digested with sha256"),
    (signed(entry("a", A, "blake2b"), hash_type="blake2b"), MALFORMED, "is not a blake2b digest of 128"),
    (signed(entry("a", A, "md5"), hash_type="md5"), UNSUPPORTED, "digested with 'md5'"),
    (old(old_entry("a", A.upper())), MALFORMED, r"subject\[0\].digest.sha256 is not a sha256 digest"),
    (old(old_entry("a", A, "file-blake2b")), UNSUPPORTED, "digest of kind 'file-blake2b'"),
    # The subject
    (changed(lambda d: d["subject"].append(d["subject"][0])), MALFORMED, "one subject, not 2"),
    (changed(lambda d: d["subject"].clear()), MALFORMED, "one subject, not 0"),
    (changed(lambda d: d["subject"][0]["digest"].update(sha256=A)), MALFORMED, "not that of the resources"),
    (changed(lambda d: d["subject"][0].update(digest={"sha512": A * 2})), MALFORMED, "sha256 is missing"),
    (changed(lambda d: d["subject"][0].pop("name")), MALFORMED, r"subject\[0\].name is missing"),
    (changed(lambda d: d["predicate"]["resources"].reverse()), MALFORMED, "not that of the resources"),
    (changed(lambda d: d["predicate"]["resources"].pop()), MALFORMED, "not that of the resources"),
    # What it is
    (changed(lambda d: d.update(_type="https://in-toto.io/Statement/v0.1")), UNSUPPORTED, "no model sig"),
    (changed(lambda d: d.update(predicateType="https://slsa.dev/provenance/v1")), UNSUPPORTED, "no model"),
    (changed(lambda d: d.update(predicateType=PREDICATE + "/")), UNSUPPORTED, "no model signature"),
    (changed(lambda d: d.update(predicateType=None)), MALFORMED, "predicateType is missing"),
    (changed(lambda d: d.pop("predicate")), MALFORMED, "predicate is missing"),
    (signed(entry("a")).replace(b'"name"', b'"name": "b", "name"', 1), MALFORMED, "duplicate key 'name'"),
    (b"[]", MALFORMED, "the document is not a JSON object"),
    (b"{", MALFORMED, "not JSON"),
    # How it was made
    (signed(entry("a"), method="tree"), UNSUPPORTED, "models cut into 'tree'"),
    (signed(entry("a"), allow_symlinks="false"), MALFORMED, "allow_symlinks is neither true nor false"),
    (signed(entry("a"), allow_symlinks=None), MALFORMED, "allow_symlinks is missing"),
    (signed(entry("a"), shard_size=10), MALFORMED, "a shard_size exactly when the method is shards"),
    (signed(entry("a:0:1"), method="shards"), MALFORMED, "a shard_size exactly when the method is shards"),
    *((sharded("a:0:1", size=size), MALFORMED, "shard_size is not a positive whole number")
      for size in (0, -1, 0.5, 2**53, float("nan"), float("inf"), True)),
    (sharded("a:0:1", algorithm="sha256-sharded-11"), MALFORMED, "the model is digested with sha256"),
    *((signed(entry("a"), ignore_paths=[path]), MALFORMED, PATH)
      for path in ("", ".", "./", "..", "/", "../x", "/x", "a/")),
    (signed(entry("a"), ignore_paths="a"), MALFORMED, "ignore_paths is not a list"),
    (signed(entry("a"), ignore_paths=[3]), MALFORMED, "is not text"),
    (signed(entry("a"), ignore_paths=["x"] * 10_001), LIMIT, "10001 entries"),
    # Which bytes
    *((sharded(name), MALFORMED, "does not end in the range of a shard")
      for name in ("a", "a:0", ":0:5", "a:0:", "a:-0:5", "a:+0:5", "a:00:5", "a:0:05", "a:0:1_0", "a:0: 5",
                   "a:0:0", "a:0:٥", "a:0:5\n", f"a:0:1{'0' * 18}")),
    (sharded("a:0:11"), MALFORMED, "bytes 0 to 11 of 'a' are not shard 0 of 10"),
    (sharded("a:1:10"), MALFORMED, "bytes 1 to 10 of 'a' are not shard 0"),
    (sharded("a:10:20"), MALFORMED, "bytes 10 to 20 of 'a' are not shard 0"),
    (sharded("a:0:10", "a:20:30"), MALFORMED, "bytes 20 to 30 of 'a' are not shard 1"),
    (sharded("a:0:10", "a:5:15"), MALFORMED, "bytes 5 to 15 of 'a' are not shard 1"),
    (sharded("a:0:10", "a:10:10"), MALFORMED, "bytes 10 to 10 of 'a' are not shard 1"),
    (sharded("a:0:10", "a:10:15", "a:20:30"), MALFORMED, "shard 1 of 'a' is short and not the last"),
    (sharded("a:0:10", "a:0:5"), MALFORMED, "'a' is listed twice"),
    (sharded("a/../b:0:10"), MALFORMED, PATH),
    # How much
    (signed(), MALFORMED, "a model signature without files"),
    (old(), MALFORMED, "a model signature without files"),
    (b"[" * 100, LIMIT, "deeper than 64"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "reason", "words"), REFUSED, ids=[f"{n}: {words}" for n, (_, _, words) in enumerate(REFUSED)]
)
def test_a_manifest_that_lies_is_refused(payload: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        read_manifest(payload)
    assert caught.value.reason is reason


def test_more_files_than_the_limit_are_refused_before_they_are_looked_at() -> None:
    resources = b",".join([b"{}"] * (RESOURCE_COUNT + 1))
    payload = signed().replace(b'"resources": []', b'"resources": [' + resources + b"]")
    with pytest.raises(UnreadableError, match="resources has 250001 entries") as caught:
        read_manifest(payload)
    assert caught.value.reason is Reason.LIMIT


def test_windows_paths_that_were_ignored_are_told_as_they_are() -> None:
    assert read_manifest(signed(entry("a"), ignore_paths=["b\\c"])).ignore_paths == ("b\\c",)


def test_a_cut_payload_is_never_read() -> None:
    payload = signed(entry("a"))
    assert all(isinstance(outcome(cut), UnreadableError) for cut in truncations(payload))


def test_a_changed_byte_is_an_error_or_another_manifest_and_nothing_else() -> None:
    payload = sharded("w:0:10", "w:10:12")
    for data in flips(payload, 1500):
        assert isinstance(outcome(data), Manifest | UnreadableError)


def single_flips(payload: bytes) -> list[bytes]:
    return [payload[:n] + bytes([payload[n] ^ 1]) + payload[n + 1 :] for n in range(len(payload))]


def test_no_single_changed_byte_changes_a_digest_unnoticed() -> None:
    payload = write_manifest(
        Manifest(name="m", resources=(Resource(name="a", algorithm="sha256", digest=A),))
    )
    for data in single_flips(payload):
        found = outcome(data)
        assert isinstance(found, UnreadableError) or found.resources[0].digest == A


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\\"), min_size=1, max_size=8).filter(
    lambda name: not {"", ".", ".."} & set(name.split("/"))
)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Any manifest that can be signed."""
    size = draw(st.none() | st.integers(1, 30))
    resources = []
    for name in draw(st.sets(NAMES, min_size=1, max_size=5)):
        ends = (
            [None] if size is None else draw(st.integers(1, 100).map(lambda length: range(0, length, size)))
        )
        for start in ends:
            end = None if size is None or start is None else start + (size if start != ends[-1] else 1)
            digest = draw(DIGESTS)
            resources.append(Resource(name=name, algorithm="sha256", digest=digest, start=start, end=end))
    return Manifest(
        name=draw(NAMES),
        resources=tuple(sorted(resources, key=lambda resource: (resource.name, resource.start or 0))),
        method=Method.FILES if size is None else Method.SHARDS,
        shard_size=size,
        allow_symlinks=draw(st.booleans()),
        ignore_paths=tuple(sorted(draw(st.sets(NAMES, max_size=2)))),
        root=root_digest(resources),
    )


@given(manifests(), st.randoms())
def test_what_is_written_is_read_back_and_depends_on_no_order(manifest: Manifest, chance: Any) -> None:
    payload = write_manifest(manifest)
    assert read_manifest(payload) == manifest
    shuffled = list(manifest.resources)
    chance.shuffle(shuffled)
    ignored = manifest.ignore_paths[::-1]
    assert write_manifest(replace(manifest, resources=tuple(shuffled), ignore_paths=ignored)) == payload


@given(manifests())
def test_resources_are_written_by_code_point(manifest: Manifest) -> None:
    listed = json.loads(write_manifest(manifest))["predicate"]["resources"]
    written = [item["name"] for item in listed]
    assert written == sorted(written)


def test_a_payload_is_compact_and_canonical() -> None:
    manifest = Manifest(name="m", resources=(Resource(name="ü", algorithm="sha256", digest=A),))
    assert write_manifest(manifest).decode() == (
        '{"_type":"https://in-toto.io/Statement/v1","predicate":{"resources":[{"algorithm":"sha256",'
        f'"digest":"{A}","name":"ü"}}],"serialization":{{"allow_symlinks":false,"hash_type":"sha256",'
        '"method":"files"}},"predicateType":"https://model_signing/signature/v1.0",'
        f'"subject":[{{"digest":{{"sha256":"{root_of(A)}"}},"name":"m"}}]}}'
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"resources": ()}, "without files"),
        ({"name": "x" * 5000}, "has 5000 characters"),
        ({"ignore_paths": ("/x",)}, PATH),
        ({"method": Method.SHARDS}, "a shard_size exactly when"),
        ({"hash_type": "md5"}, "digested with 'md5'"),
        ({"resources": (Resource(name="../a", algorithm="sha256", digest=A),)}, PATH),
        ({"resources": (Resource(name="\udcff", algorithm="sha256", digest=A),)}, "not a value of JSON"),
        ({"resources": (Resource(name="a", algorithm="blake3", digest=A),)}, "digested with sha256"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_would_not_be_read_is_not_written(change: dict[str, Any], words: str) -> None:
    good = Manifest(name="m", resources=(Resource(name="a", algorithm="sha256", digest=A),))
    with pytest.raises(UnreadableError, match=words):
        write_manifest(replace(good, **change))


def test_the_root_digest_does_not_cover_names() -> None:
    resources = read_manifest(signed(entry("a", A), entry("b", B))).resources
    renamed = [replace(resource, name=f"{resource.name}2") for resource in resources]
    assert root_digest(resources) == root_digest(renamed) == root_of(A, B)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Config.json", "config.json"),
        ("A/b", "a/B"),
        ("é", unicodedata.normalize("NFD", "é")),
        ("É", unicodedata.normalize("NFD", "é")),
        ("\u212a", "k"),  # KELVIN SIGN
    ],
)
def test_names_that_are_one_file_on_other_systems_are_told(one: str, other: str) -> None:
    manifest = read_manifest(signed(entry(one, A), entry(other, B), entry("z", C)))
    assert clashes(manifest) == (tuple(sorted((one, other))),)


def test_two_names_of_the_same_bytes_do_no_harm() -> None:
    assert clashes(read_manifest(signed(entry("README", A), entry("readme", A), entry("x", B)))) == ()
    assert clashes(read_manifest(sharded("A:0:10", "a:0:10"))) == ()


def test_shards_clash_by_the_whole_of_their_file() -> None:
    assert clashes(read_manifest(sharded("A:0:10", "a:0:10", "a:10:11"))) == (("A", "a"),)


# model-signing 1.1.1, an independent program, in an environment of its own

MODEL_SIGNING = os.environ.get("AIBOM_MODEL_SIGNING", "")
needs_model_signing = pytest.mark.skipif(
    not MODEL_SIGNING, reason="AIBOM_MODEL_SIGNING does not name a Python with model-signing 1.1.1"
)

SIGN_SHARDS = """
import sys
from model_signing import hashing, signing
key, algorithm = sys.argv[1:3]
for model, signature in zip(sys.argv[3::2], sys.argv[4::2]):
    how = hashing.Config().use_shard_serialization(hashing_algorithm=algorithm, shard_size=256)
    signing.Config().use_elliptic_key_signer(private_key=key).set_hashing_config(how).sign(model, signature)
"""

VERIFY = """
import sys
from model_signing import verifying
key, signature, model = sys.argv[1:]
verifying.Config().use_elliptic_key_verifier(public_key=key).verify(model, signature)
"""


def run(*arguments: object, fails: bool = False) -> str:
    done = subprocess.run(
        [MODEL_SIGNING, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode != 0) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with nested files, an empty one, a link, a file of git, and one to be ignored."""
    folder = tmp_path / "model"
    for name, content in {
        "w.bin": bytes(range(256)) * 4,
        "d/f": b"f",
        "d.txt": b"t",
        "ü.json": b"{}",
        ".gitignore": b"x",
        "skip/me": b"s",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def key(tmp_path: Path) -> Path:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "key.pub").write_bytes(public)
    (tmp_path / "key.pem").write_bytes(pem)
    return tmp_path / "key.pem"


def manifest_in(signature: Path) -> Manifest:
    envelope = read_bundle(signature.read_bytes()).envelope
    assert envelope is not None
    return read_manifest(envelope.payload)


def digests(manifest: Manifest) -> dict[str, str]:
    return {resource.name: resource.digest for resource in manifest.resources}


def sums(folder: Path, *paths: str) -> dict[str, str]:
    return {path: sha256((folder / path).read_bytes()).hexdigest() for path in paths}


@pytest.mark.integration
@needs_model_signing
def test_what_model_signing_signs_is_read(model: Path, key: Path, tmp_path: Path) -> None:
    signature = model / "model.sig"
    sign = ("-m", "model_signing", "sign", "key", "--private_key", key, "--signature")
    (model / "a:b.txt").write_bytes(b"colon")
    (model / "link").symlink_to("w.bin")
    run(*sign, signature, model, fails=True)  # links are not followed unless asked
    run(*sign, signature, "--ignore-paths", model / "skip", "--allow_symlinks", model)
    manifest = manifest_in(signature)
    assert digests(manifest) == sums(model, "a:b.txt", "d.txt", "d/f", "link", "w.bin", "ü.json")
    assert (manifest.name, manifest.method, manifest.allow_symlinks) == ("model", Method.FILES, True)
    assert {"skip", "model.sig", ".gitignore"} <= set(manifest.ignore_paths)

    run(*sign, tmp_path / "one.sig", model / "w.bin")
    assert digests(manifest_in(tmp_path / "one.sig")) == sums(model, "w.bin")
    assert (
        read_bundle(signature.read_bytes()).key_hint
        == sha256((tmp_path / "key.pub").read_bytes()).hexdigest()
    )


@pytest.mark.integration
@needs_model_signing
@pytest.mark.parametrize(("algorithm", "digest"), [("sha256", sha256), ("blake2", blake2b)])
def test_the_shards_that_model_signing_signs_are_read(
    model: Path, key: Path, tmp_path: Path, algorithm: str, digest: Any
) -> None:
    (model / "empty").touch()
    out = tmp_path / "model.sig", tmp_path / "one.sig"
    run("-c", SIGN_SHARDS, key, algorithm, model, out[0], model / "w.bin", out[1])
    content = (model / "w.bin").read_bytes()
    for signature in out:
        manifest = manifest_in(signature)
        shards = [shard for shard in manifest.resources if shard.name == "w.bin"]
        assert [(shard.start, shard.end) for shard in shards] == [(n, n + 256) for n in range(0, 1024, 256)]
        assert [shard.digest for shard in shards] == [
            digest(content[shard.start : shard.end]).hexdigest() for shard in shards
        ]
    assert "empty" not in digests(manifest_in(out[0]))  # a file of no bytes has no shard


def sign(manifest: Manifest, key: Path, signature: Path) -> None:
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    private = serialization.load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    payload = write_manifest(manifest)
    made = private.sign(pae(INTOTO_TYPE, payload), ec.ECDSA(hashes.SHA256()))
    envelope = Envelope(payload=payload, payload_type=INTOTO_TYPE, signature=made)
    hint = sha256(key.with_name("key.pub").read_bytes()).hexdigest()
    signature.write_bytes(write_bundle(envelope, None, key_hint=hint))


def files_of(folder: Path, hash_type: str, digest: Any, *paths: str) -> tuple[Resource, ...]:
    return tuple(
        Resource(name=path, algorithm=hash_type, digest=digest((folder / path).read_bytes()).hexdigest())
        for path in paths
    )


def shards_of(folder: Path, size: int, *paths: str) -> tuple[Resource, ...]:
    found = []
    for path in paths:
        content = (folder / path).read_bytes()
        for start in range(0, len(content), size):
            end = min(start + size, len(content))
            digest = sha256(content[start:end]).hexdigest()
            found.append(Resource(name=path, algorithm="sha256", digest=digest, start=start, end=end))
    return tuple(found)


@pytest.mark.integration
@needs_model_signing
@pytest.mark.parametrize("kind", ["files", "blake3", "shards", "one file"])
def test_model_signing_verifies_what_is_written(model: Path, key: Path, tmp_path: Path, kind: str) -> None:
    paths, signature = ("d.txt", "d/f", "w.bin", "ü.json"), tmp_path / "model.sig"
    target = model / "w.bin" if kind == "one file" else model
    manifest = {
        "files": lambda: Manifest(name="model", resources=files_of(model, "sha256", sha256, *paths)),
        "blake3": lambda: Manifest(
            name="model", resources=files_of(model, "blake3", blake3, *paths), hash_type="blake3"
        ),
        "shards": lambda: Manifest(
            name="model", resources=shards_of(model, 300, *paths), method=Method.SHARDS, shard_size=300
        ),
        "one file": lambda: Manifest(
            name="w.bin", resources=(replace(files_of(model, "sha256", sha256, "w.bin")[0], name="."),)
        ),
    }[kind]()
    sign(replace(manifest, ignore_paths=("skip",)), key, signature)
    public = key.with_name("key.pub")
    verify: tuple[object, ...] = ("-c", VERIFY, public, signature, target)
    if kind == "files":  # the command line knows no other way to cut and digest a model
        verify = (
            "-m",
            "model_signing",
            "verify",
            "key",
            "--public_key",
            public,
            "--signature",
            signature,
            target,
        )
    run(*verify)
    (model / "w.bin").write_bytes(b"other")
    assert "mismatch" in run(*verify, fails=True)
