"""What a text in a program or configuration names: a repository, a path, an address, an image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from aibom.domain.ref import PinnedRef, Ref, is_commit
from aibom.domain.reference import Flag

LOCATION_CHARS: Final = 1_000  # of one target; what is longer names nothing
# The Hub has ASCII names only. Letters of other scripts pass, so that a name which only looks like
# a well-known one is told.
_REPOSITORY = re.compile(r"[^\W_](?:[\w.-]{0,94}\w)?/\w(?:[\w.-]{0,94}\w)?\Z")
_BARE = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,94}\w)?\Z", re.ASCII)
_PATH = re.compile(r"[./~\\]|[A-Za-z]:[\\/]|\$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USERINFO = re.compile(r"//[^/]*@")
_WEIGHTS: Final = (
    ".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".gguf", ".onnx", ".h5", ".hdf5", ".keras", ".pkl",
    ".pickle", ".joblib", ".npz", ".npy", ".tflite", ".pb", ".model", ".json", ".jsonl", ".csv", ".tsv",
    ".parquet", ".arrow", ".txt", ".zip", ".tar", ".tar.gz", ".yaml", ".yml", ".engine", ".mlmodel", ".py",
)  # fmt: skip
_HUB_HOSTS: Final = ("huggingface.co", "www.huggingface.co", "hf.co")
_HUB_KINDS: Final = {"datasets": "hf-dataset", "spaces": "hf-space", "models": "hf"}
_VERBS: Final = ("resolve", "blob", "tree", "raw")
# Places whose content can be replaced under the same address.
_MOVING: Final = ("s3", "gs", "http", "https", "abfs", "abfss", "az")
_FLOATING_TAGS: Final = ("", "latest", "main", "nightly", "dev", "edge", "stable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where something is, and what is worth a word about that. `ref` is None when it names nothing."""

    ref: Ref | None
    flags: frozenset[Flag] = frozenset()


NOTHING: Final = Target(ref=None)


class PathText(str):
    """A text that was put together as a path, so that it is one even when it looks like an id."""

    __slots__ = ()


def _location(text: str) -> str | None:
    """The text without credentials; None when it cannot name a place."""
    if not text or len(text) > LOCATION_CHARS or _CONTROL.search(text):
        return None
    return _USERINFO.sub("//", str(text))


def pinned(scheme: str, location: str, revision: str | None, subpath: str | None = None) -> Ref:
    """A `PinnedRef` when the revision is a commit, else a `Ref`."""
    if is_commit(revision):
        return PinnedRef(scheme=scheme, location=location, revision=revision, subpath=subpath)
    return Ref(scheme=scheme, location=location, revision=revision or None, subpath=subpath)


def fixed(scheme: str, text: str, version: str) -> Target:
    """A name at a version that is no commit, and cannot move all the same."""
    location = _location(text)
    return (
        Target(ref=PinnedRef(scheme=scheme, location=location, revision=version))
        if location and version
        else NOTHING
    )


def local(text: str) -> Target:
    """A path beside the program. Home folders and drives are told as they are written."""
    location = _location(text)
    if location is None:
        return NOTHING
    return Target(ref=Ref(scheme="file", location=location), flags=frozenset({Flag.LOCAL_PATH}))


def is_path(text: str) -> bool:
    """True for what can only be a path: it starts like one, or ends like a file of weights or data."""
    if isinstance(text, PathText) or _PATH.match(text):
        return True
    return text.lower().endswith(_WEIGHTS) or text.endswith("/")


def hub(text: str, revision: str | None = None, *, scheme: str = "hf", subpath: str | None = None) -> Target:
    """What a loader of the Hugging Face Hub is given: an id, a path, or an address."""
    path, text = isinstance(text, PathText), text.strip()
    if "://" in text:
        return address(text)
    if text.partition("/")[0] in _HUB_HOSTS:
        return address(f"https://{text}")
    name, _, suffix = text.partition("@")
    if path or is_path(name) or name.count("/") > 1:
        return local(text)
    revision = revision or suffix or None
    flags = set() if is_commit(revision) else {Flag.UNPINNED}
    if _BARE.match(name):
        flags.add(Flag.NO_ORGANISATION)
    elif not _REPOSITORY.match(name):
        return NOTHING
    return Target(ref=pinned(scheme, name, revision, subpath), flags=frozenset(flags))


def address(text: str) -> Target:
    """A web address or a place in a store; addresses of the Hub become repositories."""
    try:
        parts = urlsplit(text.strip())
        host = (parts.hostname or "").lower()
    except ValueError:
        return NOTHING
    if parts.scheme == "file":
        return local(parts.path)
    if parts.scheme in ("http", "https") and host in _HUB_HOSTS:
        return _of_hub([unquote(part) for part in parts.path.split("/") if part])
    if parts.scheme == "hf":
        return _of_hub([part for part in f"{parts.netloc}{parts.path}".split("/") if part])
    return _elsewhere(parts)


def _elsewhere(parts: SplitResult) -> Target:
    # Credentials and signatures of an address never leave this function.
    place = f"{parts.netloc.rpartition('@')[2]}{parts.path}"
    location = _location(f"{parts.scheme}://{place}" if parts.scheme in ("http", "https") else place)
    if not parts.scheme or not place or location is None:
        return NOTHING
    fixed_by_name = any(is_commit(part) for part in parts.path.split("/"))
    flags = {Flag.UNPINNED} if parts.scheme in _MOVING and not fixed_by_name else set()
    if parts.scheme == "http":
        flags.add(Flag.HTTP)
    return Target(ref=Ref(scheme=parts.scheme, location=location), flags=frozenset(flags))


def _of_hub(parts: list[str]) -> Target:
    """`[datasets/]org/name[/resolve/revision/path]`, and `org/name@revision/path` of hf:// addresses."""
    scheme = "hf"
    if parts and parts[0] in _HUB_KINDS:
        scheme, parts = _HUB_KINDS[parts[0]], parts[1:]
    if len(parts) < 2:
        return NOTHING
    (owner, name), rest = parts[:2], parts[2:]
    name, _, revision = name.partition("@")
    if len(rest) >= 2 and rest[0] in _VERBS:
        revision, rest = rest[1], rest[2:]
    name, subpath = name.removesuffix(".git"), "/".join(rest) or None
    found = hub(f"{owner}/{name}", revision or None, scheme=scheme, subpath=subpath)
    return found if found.ref is not None and found.ref.scheme == scheme else NOTHING


def image(text: str) -> Target:
    """A container image: `registry/name:tag@sha256:digest`."""
    name, _, digest = text.strip().partition("@")
    if not name or len(name) > LOCATION_CHARS or any(char.isspace() or char in "${}" for char in name):
        return NOTHING
    head, _, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    location = f"{head}/{base}" if head else base
    if not base:
        return NOTHING
    if digest:
        return Target(ref=PinnedRef(scheme="docker", location=location, revision=digest))
    flags = {Flag.UNPINNED}
    if tag in _FLOATING_TAGS:
        flags.add(Flag.FLOATING_TAG)
    return Target(ref=Ref(scheme="docker", location=location, revision=tag or None), flags=frozenset(flags))


def named(scheme: str, text: str, revision: str | None = None) -> Target:
    """A name in a catalogue of its own (a hosted model, a package): taken as it is."""
    location = _location(text.strip())
    if location is None or "://" in location:
        return NOTHING
    return Target(ref=Ref(scheme=scheme, location=location, revision=revision or None))


def moving(scheme: str, text: str, revision: str | None = None, *, floating: bool = False) -> Target:
    """A name in a catalogue behind which other content can come. `floating`: its tag is meant to move."""
    ref = named(scheme, text, revision).ref
    flags = frozenset({Flag.UNPINNED, Flag.FLOATING_TAG} if floating else {Flag.UNPINNED})
    return Target(ref=ref, flags=flags) if ref is not None else NOTHING
