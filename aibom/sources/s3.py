"""S3 and stores that speak its API: `s3://bucket/prefix/`, `s3://bucket/key`, `s3://bucket/key?versionId=...`.

In a bucket that keeps versions every object is pinned by its version id. In any other, each request names
the ETag that was listed (`If-Match`), so that no mixture of two versions passes for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from heapq import merge
from operator import attrgetter
from typing import Final
from urllib.parse import urlsplit

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError, malformed
from aibom.domain.gap import Gap, Stage
from aibom.domain.protocols import ByteReader
from aibom.domain.publication import Attached, Receipt
from aibom.domain.ref import PinnedRef, Ref
from aibom.domain.target import Target
from aibom.sources import s3_publish, s3_session
from aibom.sources.listing import Listed, Listing, is_far
from aibom.sources.opening import Opening, Place
from aibom.sources.remote_file import RemoteFile
from aibom.sources.s3_bucket import Bucket, Stored

_BUCKET: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{1,253})[A-Za-z0-9]\Z")
_VERSION: Final = "?versionId="
_VERSION_ID: Final = re.compile(r"[!-~]{1,1024}\Z")
KEY_BYTES: Final = 1_024  # the bound of S3
_PINNED: Final = {
    True: "each object by its version id",
    False: "no: the bucket keeps no versions",
    None: "no: the versions may not be seen",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What the user typed."""

    bucket: str
    key: str  # or a prefix; may be empty
    version: str = ""

    @property
    def folder(self) -> str:
        """Where the documents of one object lie: its key up to the last `/`."""
        return self.key[: self.key.rfind("/") + 1]

    @property
    def prefix(self) -> str:
        return f"{self.key}/" if self.key and not self.key.endswith("/") else self.key


def parse(target: str) -> Address:
    """The parts of an address. Raises malformed."""
    rest = target.partition("://")[2]
    place, _, version = rest.partition(_VERSION)
    bucket, _, key = place.partition("/")
    if not _BUCKET.match(bucket):
        raise malformed("an address in S3 is s3://bucket/prefix/ or s3://bucket/key")
    if len(key.encode("utf-8", "surrogatepass")) > KEY_BYTES or not key.isprintable() or "//" in key:
        raise malformed(
            f"the key is longer than {KEY_BYTES:,} bytes, or has characters that none should have"
        )
    if _VERSION in rest and (not _VERSION_ID.match(version) or not key or key.endswith("/")):
        raise malformed("a version is that of one object: s3://bucket/key?versionId=...")
    return Address(bucket=bucket, key=key, version=version)


class S3Source:
    """A `Source` and `Registry` over one object, or over all objects below a prefix."""

    def __init__(self, address: Address, bucket: Bucket, opening: Opening) -> None:
        self._address, self._bucket = address, bucket
        self._listing = Listing(opening.exclude, full=opening.full)
        self._objects: dict[str, Stored] = {}
        self._only = _only(address, bucket)
        self._keeps = bucket.keeps_versions() if self._only is None else bool(self._only.version)
        if self._only is None and address.key and not bucket.holds(address.prefix):
            raise UnreadableError(Reason.VANISHED, f"no object {address.key!r} and none below it")
        self.target = _target(address, self._only, keeps=self._keeps, place=bucket.place)

    @property
    def excluded(self) -> int:
        return self._listing.excluded

    def entries(self) -> Iterator[Entry | Gap]:
        """Every object; a listing that breaks off leaves a gap `.` beside what was listed before."""
        listed: list[Listed] = []
        lost: list[Gap] = []
        self._objects = {}
        try:
            listed.extend(map(self._listed, self._stored()))  # keeps what came before an error
        except UnreadableError as error:
            lost.append(Gap.of(".", Stage.LIST, error))
        yield from merge(lost, self._listing.entries(listed), key=attrgetter("path"))

    def _stored(self) -> Iterator[Stored]:
        if self._only is not None:
            yield self._only
            return
        for stored in self._bucket.listed(self._address.prefix, versions=self._keeps is True):
            # Tools write empty objects like that where people expect a folder.
            if not (stored.key.endswith("/") and stored.size == 0):
                yield stored

    def _listed(self, stored: Stored) -> Listed:
        path = stored.key.removeprefix(self._address.folder if self._only else self._address.prefix)
        if self._only is None and not stored.key.startswith(self._address.prefix):
            return Listed(path="..", size=None)  # not what was asked for
        if self._only is None and stored.size is not None and is_far(path, stored.size):
            stored = self._with_claims(stored)
        self._objects[path] = stored
        # Not the claimed SHA-256: what a cache computed earlier would then vouch for a false claim.
        place = f"{self._bucket.place}/{self._bucket.name}/{stored.key}"
        version = stored.version or stored.etag
        return Listed(
            path=path,
            size=stored.size,
            claimed=stored.claimed,
            etag=f"s3:{place}#{version}" if version else "",
        )

    def _with_claims(self, stored: Stored) -> Stored:
        """With the digests that only a question about the very object tells: worth it for a large one."""
        try:
            told = self._bucket.head(stored.key, version=stored.version)
        except UnreadableError:
            return stored  # reading it will say why
        is_same = (told.etag, told.version, told.size) == (stored.etag, stored.version, stored.size)
        return told if is_same else stored

    @contextmanager
    def open(self, entry: Entry) -> Iterator[ByteReader]:
        """The version that was listed, by ranges."""
        stored = self._objects.get(entry.path)
        if stored is None:
            raise UnreadableError(Reason.VANISHED, "the store does not list it any more")
        name = entry.path.rpartition("/")[2]
        yield RemoteFile(
            partial(self._bucket.part, stored), entry.size, name=name, whole=not entry.header_only
        )

    def attached(self) -> tuple[Attached, ...]:
        """The documents beside the object, or in the top of the prefix."""
        return s3_publish.attached(self._shelf())

    def publish(self, documents: tuple[Attached, ...], *, dry_run: bool, pull_request: bool) -> Receipt:
        """Writes with `If-None-Match: *` what is new, and with `If-Match` what replaces an older document."""
        written = s3_publish.publish(self._shelf(), documents, dry_run=dry_run, pull_request=pull_request)
        assert self.target.ref is not None  # every target here has one
        return Receipt(subject=self.target.ref, written=written)

    def _shelf(self) -> s3_publish.Shelf:
        if self._only is None:
            return s3_publish.Shelf(bucket=self._bucket, folder=self._address.prefix)
        folder = self._address.folder
        return s3_publish.Shelf(
            bucket=self._bucket, folder=folder, only=self._address.key.removeprefix(folder)
        )


def _only(address: Address, bucket: Bucket) -> Stored | None:
    """The one object that is meant, or None for a prefix."""
    if not address.key or address.key.endswith("/"):
        return None
    try:
        return bucket.head(address.key, version=address.version)
    except UnreadableError as error:
        if error.reason is not Reason.MISSING or address.version:
            raise
    return None


def _target(address: Address, only: Stored | None, *, keeps: bool | None, place: str) -> Target:
    name = address.key.rstrip("/").rpartition("/")[2] or address.bucket
    key = address.key if only else address.prefix.rstrip("/")
    location = f"{address.bucket}/{key}" if key else address.bucket
    is_pinned = only is not None and only.version != ""
    make = PinnedRef if is_pinned else Ref
    try:
        ref = make(scheme="s3", location=location, revision=only.version if only and is_pinned else None)
    except ValueError:
        raise malformed("the key looks like an address with a user in it") from None
    pinned = "by its version id" if is_pinned else _PINNED[keeps]
    return Target(name=name, ref=ref, attributes=(("pinned", pinned), *_store(place)))


def _store(place: str) -> tuple[tuple[str, str], ...]:
    """The store, when it is another one than AWS: there a bucket of that name is another bucket."""
    parts = urlsplit(place)
    if (parts.hostname or "").endswith(s3_session.AWS):
        return ()
    plain = (("transport", "not encrypted"),) if parts.scheme == "http" else ()
    return (("endpoint", parts.netloc), *plain)


def _open(target: str, opening: Opening) -> S3Source:
    address = parse(target)
    opening.http()  # raises when the network is forbidden; botocore has an HTTP client of its own
    made_of = s3_session.settings(opening.environment)
    client = s3_session.client(made_of)
    return S3Source(address, Bucket(client, address.bucket, is_signed=made_of.key is not None), opening)


PLACE = Place(scheme="s3", title="S3 or a compatible store", open=_open)
