"""The local store of Ollama: `ollama://[host/][namespace/]model[:tag]`.

Layout (ollama, `manifest` and `envconfig`):

    $OLLAMA_MODELS, or ~/.ollama/models
        manifests/<host>/<namespace>/<model>/<tag>   an image manifest
        blobs/sha256-<hex>                           what it names

Names of blobs are claims: nothing stops anybody from changing one. Nothing is asked of a server.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from heapq import merge
from operator import attrgetter
from pathlib import Path
from typing import Final

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import RACY_NS
from aibom.domain.protocols import ByteReader
from aibom.domain.ref import PinnedRef
from aibom.domain.target import Target
from aibom.domain.text import capped, visible
from aibom.sources.listing import Listed, Listing
from aibom.sources.local_file import LocalFile, check_regular, etag_of, open_beneath, real_path, unreadable
from aibom.sources.oci_layers import path_of
from aibom.sources.oci_manifests import EMPTY_CONFIG, MANIFEST_BYTES, Descriptor, Manifest, digest_of, parse
from aibom.sources.opening import Opening, Place

HOST: Final = "registry.ollama.ai"
NAMESPACE: Final = "library"
TAG: Final = "latest"
CONFIG_NAME: Final = "ollama-config.json"
_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}(?::[0-9]{1,5})?", re.ASCII)
_SHAPE: Final = "type ollama://model:tag or ollama://namespace/model:tag"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    host: str
    path: str  # namespace/model
    tag: str

    @property
    def location(self) -> str:
        """The name as Ollama shows it: without what is so by default."""
        short = self.path.removeprefix(f"{NAMESPACE}/")
        return short if self.host == HOST else f"{self.host}/{self.path}"


def _parse(target: str) -> _Name:
    """What the user typed. Raises malformed, with what to type instead."""
    text, at, _ = target.partition("://")[2].partition("@")
    # A colon in front of a slash belongs to the port of the host.
    path, _, tag = text.rpartition(":") if ":" in text.rpartition("/")[2] else (text, "", TAG)
    parts = path.split("/")
    if len(parts) == 1:
        parts = [NAMESPACE, *parts]
    if len(parts) == 2:
        parts = [HOST, *parts]
    host, *names = parts
    sound = len(parts) == 3 and _HOST.fullmatch(host) is not None and ".." not in target
    if at or not sound or not all(_PART.fullmatch(part) for part in (*names, tag)):
        raise malformed(f"the target names no model of Ollama: {_SHAPE}")
    return _Name(host=host, path="/".join(names), tag=tag)


class OllamaSource:
    """A `Source` over one model of the local store. Raises `UnreadableError` when it is not there."""

    def __init__(self, name: _Name, opening: Opening) -> None:
        self._store = _store(opening)
        self._exclude = opening.exclude
        self._excluded = 0
        self._blobs: dict[str, _Blob] = {}  # by path, known when `entries` has begun
        data = _read(self._store, f"manifests/{name.host}/{name.path}/{name.tag}")
        document = parse(data)
        if not isinstance(document, Manifest):
            raise malformed("the manifest of the model is an index")
        self._manifest = document
        self.target = Target(
            name=f"{name.location.rpartition('/')[2]}:{name.tag}",
            ref=PinnedRef(scheme="ollama", location=name.location, revision=digest_of(data)),
            attributes=(("requested", name.tag),),
        )

    @property
    def excluded(self) -> int:
        return self._excluded

    def entries(self) -> Iterator[Entry | Gap]:
        self._blobs, gaps = {}, [_gap(".", Reason.MALFORMED, fault) for fault in self._manifest.faults]
        listed = [item for path, layer in self._named() for item in self._look(path, layer, gaps)]
        gaps.sort(key=attrgetter("path"))
        # With `full`, because all bytes are near.
        listing, now = Listing(self._exclude, full=True), time.time_ns()
        for item in merge(gaps, listing.entries(listed), key=attrgetter("path")):
            is_old = item.path in self._blobs and now - self._blobs[item.path].changed > RACY_NS
            yield replace(item, cacheable=is_old) if isinstance(item, Entry) else item
        self._excluded = listing.excluded

    def open(self, entry: Entry) -> AbstractContextManager[ByteReader]:
        """The listed version of a blob. Raises `UnreadableError` when it is another one by now."""
        blob = self._blobs.get(entry.path)
        if blob is None:
            raise UnreadableError(Reason.VANISHED, "the model has no such file")
        try:
            return LocalFile(open_beneath(self._store, blob.path), entry.etag)
        except OSError as error:
            raise unreadable(error, "cannot be opened") from None

    def _named(self) -> Iterator[tuple[str, Descriptor]]:
        """Each layer with its path, once: models repeat layers."""
        seen: set[tuple[str, str]] = set()
        for layer in self._manifest.layers:
            path = path_of(layer)
            if (path, layer.digest) not in seen:
                seen.add((path, layer.digest))
                yield path, layer
        config = self._manifest.config
        if config is not None and config.size > len(EMPTY_CONFIG):
            yield CONFIG_NAME, config

    def _look(self, path: str, layer: Descriptor, gaps: list[Gap]) -> Iterator[Listed]:
        """The blob of a layer; a gap when it is not there as the manifest says."""
        blob = f"blobs/{layer.digest.replace(':', '-')}"
        try:
            status = _status(self._store, blob)
        except UnreadableError as error:
            gaps.append(_gap(path, error.reason, f"the blob of the layer: {error.message}"))
            return
        if status.st_size != layer.size:
            gaps.append(_gap(path, Reason.TRUNCATED, f"{status.st_size} of {layer.size} bytes are there"))
            return
        self._blobs.setdefault(path, _Blob(path=blob, changed=status.st_ctime_ns))
        algorithm, _, value = layer.digest.partition(":")
        yield Listed(
            path=path,
            size=layer.size,
            claimed=(Digest(algorithm=algorithm, value=value, grade=Grade.CHAINED),),
            etag=etag_of(status),
            media_type=capped(visible(layer.media_type), 200) or None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blob:
    path: str  # below the store
    changed: int  # nanoseconds


def _store(opening: Opening) -> str:
    """The folder of the store, without links. Raises vanished when the environment names none that exists."""
    environment = opening.environment
    named, home = environment.get("OLLAMA_MODELS"), environment.get("HOME")
    if not named and not home:
        raise UnreadableError(Reason.VANISHED, "neither OLLAMA_MODELS nor HOME says where the models are")
    try:
        return real_path(Path(named) if named else Path(home or "", ".ollama", "models"))
    except (OSError, ValueError):
        where = "the folder of OLLAMA_MODELS" if named else "the folder ~/.ollama/models"
        raise UnreadableError(
            Reason.VANISHED, f"{where} does not exist: name another in OLLAMA_MODELS"
        ) from None


def _read(store: str, path: str) -> bytes:
    """A manifest. Raises vanished when there is none."""
    try:
        with LocalFile(open_beneath(store, path)) as file:
            if file.size > MANIFEST_BYTES:
                raise over_limit(f"a manifest of {file.size} bytes, at most {MANIFEST_BYTES} are read")
            return file.read_at(0, file.size)
    except FileNotFoundError:
        raise UnreadableError(
            Reason.VANISHED, "the store has no such model or tag: see `ollama list`"
        ) from None
    except OSError as error:
        raise unreadable(error, "the manifest cannot be read") from None


def _status(store: str, path: str) -> os.stat_result:
    """Raises `UnreadableError`, also for what is no file."""
    try:
        descriptor = open_beneath(store, path)
    except FileNotFoundError:
        raise UnreadableError(Reason.MISSING, "is not there") from None
    except OSError as error:
        raise unreadable(error, "cannot be opened") from None
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    check_regular(status)
    return status


def _gap(path: str, reason: Reason, detail: str) -> Gap:
    return Gap(path=capped(visible(path), 200), stage=Stage.LIST, reason=reason, detail=detail)


def _open(target: str, opening: Opening) -> OllamaSource:
    return OllamaSource(_parse(target), opening)


PLACE = Place(scheme="ollama", title="model in the local store of Ollama", open=_open)
