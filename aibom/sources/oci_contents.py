"""The files of an artifact: layers that are files, and members of layers that are tar archives.

A digest of a raw layer is the SHA-256 of its file, and `chained`: it stands in a manifest whose own digest
was compared. That of a tar layer is never a file's; its members carry it as `oci-layer`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.digest import Digest, Grade
from aibom.domain.errors import Reason, UnreadableError, over_limit, unsupported
from aibom.domain.gap import Gap, Stage
from aibom.domain.protocols import ByteReader
from aibom.domain.text import capped, visible
from aibom.readers import tar
from aibom.readers.ranges import Window
from aibom.sources.listing import SMALL_FILE_BYTES, Listed
from aibom.sources.oci_layers import Packing, packing_of, path_of, plain
from aibom.sources.oci_manifests import EMPTY_CONFIG, Descriptor, Manifest
from aibom.sources.oci_repository import Repository
from aibom.sources.oci_spool import SMALL_SPOOL_BYTES, SPOOL_BYTES, Spool, Store
from aibom.sources.remote_file import Fetch, RemoteFile

MEMBER_COUNT: Final = 200_000  # of all tar layers of one target
REMOTE_TAR_COUNT: Final = 256  # tar layers whose headers are fetched by ranges
GAP_COUNT: Final = 100  # members of one layer, or parts of one manifest, that are named one by one
CONFIG_NAME: Final = "oci-config.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where the bytes of a file are: in a blob from `start` on, or in a spool that holds the layer."""

    blob: Descriptor
    start: int
    size: int
    spool: Spool | None = None


class Contents:
    """Collects what the manifests of one target hold."""

    def __init__(self, repository: Repository, *, full: bool) -> None:
        self._repository, self._full = repository, full
        self._store = Store(SPOOL_BYTES if full else SMALL_SPOOL_BYTES)
        self._members, self._remote = MEMBER_COUNT, REMOTE_TAR_COUNT
        self.listed: list[Listed] = []
        self.gaps: list[Gap] = []
        self.places: dict[str, Where] = {}

    def add(self, manifest: Manifest, folder: str = "") -> None:
        """Everything of one manifest, below a folder (`""` or a path with `/` behind it)."""
        self.faults(manifest.faults, folder)
        if manifest.config is not None and manifest.config.size > len(EMPTY_CONFIG):
            self._raw(manifest.config, folder + CONFIG_NAME)
        for layer in manifest.layers:
            try:
                self._layer(layer, folder)
            except UnreadableError as error:
                path = folder + path_of(layer)
                self.gaps.append(Gap.of(capped(visible(path), 200), Stage.LIST, error))

    def faults(self, faults: tuple[str, ...], folder: str) -> None:
        """The parts of a manifest that could not be read."""
        for fault in faults[:GAP_COUNT]:
            self.gap(folder or ".", Reason.MALFORMED, fault)
        if len(faults) > GAP_COUNT:
            self.gap(folder or ".", Reason.LIMIT, f"{len(faults) - GAP_COUNT:,} more parts like these")

    def gap(self, path: str, reason: Reason, detail: str) -> None:
        self.gaps.append(Gap(path=capped(visible(path), 200), stage=Stage.LIST, reason=reason, detail=detail))

    def reader(self, path: str, *, header_only: bool) -> ByteReader:
        """The bytes of a listed file; raises vanished for another path."""
        where = self.places.get(path)
        if where is None:
            raise UnreadableError(Reason.VANISHED, "the artifact lists no such file")
        if where.spool is not None:
            return Window(where.spool, where.start, where.size)
        fetch = self._fetch(where.blob, where.start)
        return RemoteFile(fetch, where.size, name=path, whole=not header_only)

    def _fetch(self, blob: Descriptor, first: int = 0) -> Fetch:
        return lambda start, length: self._repository.part(blob.digest, blob.size, first + start, length)

    def _layer(self, layer: Descriptor, folder: str) -> None:
        packing = packing_of(layer)
        if packing is Packing.RAW:
            self._raw(layer, folder + path_of(layer))
        elif packing is Packing.ZSTD:
            raise unsupported(
                f"a layer of {layer.size:,} bytes that is compressed with zstd, which is not read"
            )
        else:
            self._tar(layer, folder, gzip=packing is Packing.GZIP)

    def _raw(self, layer: Descriptor, path: str) -> None:
        known = self.places.get(path)
        if known is not None and known.blob.digest == layer.digest and known.size == layer.size:
            return  # the same file twice is one file
        algorithm = layer.digest.partition(":")[0]
        claim = Digest(algorithm=algorithm, value=layer.hex, grade=Grade.CHAINED)
        self._put(path, Where(blob=layer, start=0, size=layer.size), (claim,), layer.digest, layer.media_type)

    def _put(
        self, path: str, where: Where, claimed: tuple[Digest, ...], etag: str, media_type: str | None = None
    ) -> None:
        self.places.setdefault(path, where)
        kind = capped(visible(media_type), 200) if media_type else None
        self.listed.append(Listed(path=path, size=where.size, claimed=claimed, etag=etag, media_type=kind))

    def _tar(self, layer: Descriptor, folder: str, *, gzip: bool) -> None:
        spool = self._spooled(layer, gzip=gzip)
        claimed: tuple[Digest, ...] = ()
        if layer.digest.startswith("sha256:"):
            grade = Grade.CHAINED if spool is None else Grade.COMPUTED
            claimed = (Digest(algorithm="oci-layer", value=layer.hex, grade=grade),)
        # Ranges of a layer that nobody compared: true of this registry only. Bytes can be both, a tar archive
        # and gzip, and the same place in them is not the same file then.
        compared = "oci-gzip" if gzip else "oci-tar"
        home = compared if spool is not None else f"oci://{self._repository.name.location}"
        for member in self._walked(spool or self._headers(layer), folder):
            path = folder + plain(member.name)
            where = Where(blob=layer, start=member.offset, size=member.size, spool=spool)
            self._put(path, where, claimed, f"{home}@{layer.digest}+{member.offset}+{member.size}")

    def _spooled(self, layer: Descriptor, *, gzip: bool) -> Spool | None:
        """The whole layer, where it is small or all bytes are asked for; None when ranges have to do."""
        if layer.size > SMALL_FILE_BYTES and not self._full:
            if gzip:
                raise over_limit(f"a compressed layer of {layer.size:,} bytes, which only --full unpacks")
            return None
        if not gzip and layer.size > self._store.left:
            return None
        return self._store.fetch(layer, self._fetch(layer), gzip=gzip)

    def _headers(self, layer: Descriptor) -> ByteReader:
        self._remote -= 1
        if self._remote < 0:
            raise over_limit(f"more than {REMOTE_TAR_COUNT} tar layers whose headers are fetched one by one")
        return RemoteFile(self._fetch(layer), layer.size, name="layer.tar", whole=False)

    def _walked(self, reader: ByteReader, folder: str) -> Iterator[tar.Member]:
        """The members that are files. Others are gaps."""
        odd = 0
        for member in tar.walk(reader):
            self._members -= 1
            if self._members < 0:
                raise over_limit(f"more than {MEMBER_COUNT:,} files in the tar layers")
            if member.regular:
                yield member
            elif not member.directory:
                odd += 1
                if odd <= GAP_COUNT:
                    self.gap(folder + plain(member.name), *_why(member))
        if odd > GAP_COUNT:
            self.gap(folder or ".", Reason.LIMIT, f"{odd - GAP_COUNT:,} more members of a layer are no files")


def _why(member: tar.Member) -> tuple[Reason, str]:
    if member.device:
        return Reason.SPECIAL_FILE, "a device or pipe in a tar layer"
    what = "a sparse file" if member.sparse else "a link" if member.link is not None else "an unknown member"
    return Reason.UNSUPPORTED, f"{what} in a tar layer, which is not followed"
