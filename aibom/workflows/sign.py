"""`aibom sign`: read what is to be signed, say it in the form that verifiers read, sign it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from aibom.domain.attestation import Subject
from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.limits import BOM_BYTES
from aibom.domain.publication import MODEL_SIGNATURE
from aibom.domain.signing import Manifest, Method, Resource
from aibom.fingerprint.resources import Range
from aibom.sources import resolve
from aibom.sources.opening import Opening
from aibom.trust.attestations import bom_statement
from aibom.trust.bom import read_digests
from aibom.trust.keyless_signing import sign_keyless
from aibom.trust.model import GIT_PATHS, is_ignored
from aibom.trust.oms import RESOURCE_COUNT, root_digest, write_manifest
from aibom.trust.signers import BundleSigner, sign_file, sign_statement
from aibom.workflows.digesting import WHOLE, Place
from aibom.workflows.progress import Progress, Silent

SUBJECT_COUNT: Final = 100_000  # files that one statement about a bill of materials names
# What a statement about a bill of materials is found by: the weight files that it lists.
WEIGHTS: Final = (
    ".safetensors", ".gguf", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".h5", ".keras", ".tflite", ".pb",
    ".npz", ".pkl", ".joblib", ".mlmodel", ".xgb", ".ubj", ".cbm",
)  # fmt: skip


class Hand(Protocol):
    """Whoever signs. Both return a sigstore bundle."""

    def statement(self, payload: bytes) -> bytes: ...

    def file(self, digest: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A private key, with or without a certificate."""

    signer: BundleSigner

    def statement(self, payload: bytes) -> bytes:
        return sign_statement(self.signer, payload)

    def file(self, digest: bytes) -> bytes:
        return sign_file(self.signer, digest)


@dataclass(frozen=True, slots=True)
class Keyless:
    """An identity token, for which the services of `trust_config` give a short-lived certificate."""

    token: str
    trust_config: bytes

    def __repr__(self) -> str:
        return "Keyless()"  # no token in a traceback

    def statement(self, payload: bytes) -> bytes:
        return sign_keyless(self.token, self.trust_config, statement=payload)

    def file(self, digest: bytes) -> bytes:
        return sign_keyless(self.token, self.trust_config, digest=digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """What of a model is signed, and how it is cut up."""

    target: str
    ignored: tuple[str, ...] = ()  # paths that the signature does not cover, and says so
    hash_type: str = "sha256"
    shard_size: int | None = None  # bytes; None: whole files
    jobs: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature, and what it covers."""

    bundle: bytes
    files: int
    bytes: int
    root: str = ""  # of the manifest, hex


def sign_model(request: ModelRequest, hand: Hand, progress: Progress | None = None) -> Signed:
    """Signs a folder or one file in the form of OMS v1.0.

    Git's own files, an older `model.sig` and `ignored` are left out. Raises `UnreadableError` when
    anything else cannot be read: a signature over a part would pass for one over the whole.
    """
    place = Place.of(resolve(request.target, Opening(surroundings=False)))
    paths = _paths(place, request)
    wanted = {path: list(_ranges(request, place.entries[path].size)) for path in paths}
    found = place.digest(wanted, request.jobs, progress or Silent())
    # model-signing 1.1.1 knows the file of a model of one file by this name only.
    name = "." if Path(request.target).is_file() else None
    resources = [
        _resource(name or path, each, found[path, each], request)
        for path, ranges in wanted.items()
        for each in ranges
    ]
    manifest = Manifest(
        name=place.source.target.name,
        resources=tuple(sorted(resources, key=lambda each: (each.name, each.start or 0))),
        method=Method.SHARDS if request.shard_size else Method.FILES,
        hash_type=request.hash_type,
        shard_size=request.shard_size,
        ignore_paths=request.ignored,
    )
    bundle = hand.statement(write_manifest(manifest))
    size = sum(place.entries[path].size for path in paths)
    return Signed(bundle=bundle, files=len(paths), bytes=size, root=root_digest(manifest.resources))


def _paths(place: Place, request: ModelRequest) -> list[str]:
    left_out = (*GIT_PATHS, MODEL_SIGNATURE, *request.ignored)
    for gap in place.gaps:
        if not is_ignored(gap.path, left_out):
            raise UnreadableError(gap.reason, f"{gap.path}: {gap.detail}; it cannot be left out silently")
    paths = [path for path in place.entries if not is_ignored(path, left_out)]
    if not paths:
        raise UnreadableError(Reason.MISSING, "there is no file to sign")
    shards = sum(-(-place.sizes[path] // request.shard_size) for path in paths) if request.shard_size else 0
    if shards > RESOURCE_COUNT:
        raise over_limit(f"{shards:,} shards, at most {RESOURCE_COUNT:,} are signed: make them larger")
    return paths


def _ranges(request: ModelRequest, size: int) -> Iterator[Range]:
    if request.shard_size is None:
        yield Range(request.hash_type)
        return
    for start in range(0, size, request.shard_size):
        yield Range(request.hash_type, start, min(size, start + request.shard_size))


def _resource(name: str, part: Range, value: object, request: ModelRequest) -> Resource:
    if not isinstance(value, str):
        raise UnreadableError(Reason.IO_ERROR, f"{name} cannot be read as it was listed")
    whole = request.shard_size is None
    return Resource(
        name=name,
        algorithm=request.hash_type,
        digest=value,
        start=None if whole else part.start,
        end=None if whole else part.end,
    )


def sign_any_file(target: str, hand: Hand) -> Signed:
    """Signs the bytes of one file. Raises `UnreadableError`."""
    place, path = _one(target)
    return Signed(bundle=hand.file(bytes.fromhex(_sha256(place, path))), files=1, bytes=place.sizes[path])


def sign_bom(target: str, hand: Hand) -> Signed:
    """Signs a CycloneDX bill of materials as an in-toto statement about the weights that it lists.

    The document itself is the predicate, so that nothing in it can change. A bill that lists no
    digests is signed with its own digest as the subject. Raises `UnreadableError`.
    """
    place, path = _one(target)
    data = place.document(path, BOM_BYTES)
    listed = read_digests(data, others=True)
    if len(listed) > SUBJECT_COUNT:
        raise malformed(f"{len(listed):,} files, at most {SUBJECT_COUNT:,} are named in one statement")
    weights = {name: value for name, value in listed.items() if name.lower().endswith(WEIGHTS)}
    subjects = [_subject(name, value) for name, value in sorted((weights or listed).items())]
    own = [_subject(path, _sha256(place, path))]
    bundle = hand.statement(bom_statement(data, subjects or own))
    return Signed(bundle=bundle, files=len(subjects), bytes=len(data))


def _one(target: str) -> tuple[Place, str]:
    place = Place.of(resolve(target, Opening(surroundings=False)))
    if not Path(target).is_file() or len(place.entries) != 1:
        raise UnreadableError(Reason.UNSUPPORTED, "it is no single file; `aibom sign model` signs folders")
    return place, next(iter(place.entries))


def _sha256(place: Place, path: str) -> str:
    value = place.digest({path: [WHOLE]}, 1, Silent())[path, WHOLE]
    if not isinstance(value, str):
        raise UnreadableError(Reason.IO_ERROR, f"{path} cannot be read as it was listed")
    return value


def _subject(name: str, sha256: str) -> Subject:
    return Subject(name=name, digests=(("sha256", sha256),))
