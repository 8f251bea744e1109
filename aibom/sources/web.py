"""One file at a web address: `https://host/path/model.gguf`, also with `#sha256=<hex>` behind it.

A web server keeps no versions: the bytes are those of today, unless the address says which digest they
have. Then that digest is what the user expects, no more than a claim until all bytes were read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError, malformed, unsupported
from aibom.domain.gap import Gap
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader
from aibom.domain.publication import Attached, Receipt
from aibom.domain.ref import PinnedRef, Ref
from aibom.domain.target import Target
from aibom.domain.text import capped, visible
from aibom.sources import beside
from aibom.sources.listing import SMALL_FILE_BYTES, Listed, Listing
from aibom.sources.opening import Opening, Place
from aibom.sources.remote_file import RemoteFile

if TYPE_CHECKING:
    from aibom.sources.http import Http

URL_CHARS: Final = 8_192
UNRANGED_BYTES: Final = 32 * MIB  # of a file that is kept in memory because its host serves no ranges
NAME_CHARS: Final = 200
_SIBLINGS: Final = (".sigstore.json", ".sig")
_SHA256: Final = re.compile(r"sha256=([0-9a-fA-F]{64})\Z")
_LENGTH: Final = re.compile(r"[0-9]{1,18}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What the user typed. The query may be a signature: it is sent, and shown nowhere."""

    url: str = field(repr=False)  # without the fragment
    shown: str  # without the query as well
    name: str
    sha256: str | None = None


def parse(target: str) -> Address:
    """The parts of an address. Raises malformed, with what to type."""
    try:
        parts = urlsplit(target)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise malformed("the address is no URL") from None
    if not host or not target.isprintable() or " " in target or len(target) > URL_CHARS:
        raise malformed("an address is https://host/path/file, without blanks")
    if "@" in parts.netloc:
        raise malformed("an address has no user and no password in it")
    name = unquote(parts.path.rpartition("/")[2]).rpartition("/")[2]
    if not name:
        raise malformed("the address ends in `/`: name one file")
    return Address(
        url=urlunsplit(parts._replace(fragment="")),
        shown=urlunsplit(SplitResult(parts.scheme, parts.netloc, parts.path, "", "")),
        name=name,
        sha256=_expected(parts.fragment),
    )


def _expected(fragment: str) -> str | None:
    found = _SHA256.match(fragment)
    if fragment and found is None:
        raise malformed("behind `#` only sha256=<64 hexadecimal digits> is understood")
    return found[1].lower() if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """What the host says about the file. `data` is there when it came with the question."""

    size: int
    version: str = ""  # an ETag
    data: bytes | None = field(default=None, repr=False)


class WebSource:
    """A `Source` over one file."""

    def __init__(self, address: Address, http: Http, opening: Opening) -> None:
        self._address, self._http = address, http
        self._listing = Listing(opening.exclude, full=opening.full)
        self._served = _asked(http, address.url)
        self.target = _target(address)

    @property
    def excluded(self) -> int:
        return self._listing.excluded

    def entries(self) -> Iterator[Entry | Gap]:
        """The one file."""
        served, expected = self._served, self._address.sha256
        place = hashlib.sha256(self._address.url.encode("utf-8", "surrogatepass")).hexdigest()
        listed = Listed(
            path=self._address.name,
            size=served.size,
            claimed=(Digest(algorithm="sha256", value=expected, grade=Grade.CLAIMED),) if expected else (),
            etag=f"web:{place}#{served.size}#{served.version}" if served.version else "",
        )
        return self._listing.entries([listed])

    @contextmanager
    def open(self, entry: Entry) -> Iterator[ByteReader]:
        """The version that was listed, as far as the host tells versions apart."""
        fetch = _Fetch(self._http, self._address.url, self._served)
        yield RemoteFile(fetch, entry.size, name=self._address.name, whole=not entry.header_only)

    def attached(self) -> tuple[Attached, ...]:
        """The signature under the address with `.sigstore.json` or `.sig` behind it: two requests at most."""
        if self._address.url != self._address.shown or not self._address.name.isprintable():
            return ()  # a query is for one file, and what is no name is that of no document
        found = (self._sibling(ending) for ending in _SIBLINGS)
        first = next(filter(None, found), None)
        return (first,) if first else ()

    def _sibling(self, ending: str) -> Attached | None:
        try:
            answer = self._http.get(f"{self._address.url}{ending}", most=beside.SIGNATURE_BYTES)
        except UnreadableError as error:
            if error.reason is Reason.MISSING:
                return None
            raise
        return beside.attached(f"{self._address.name}{ending}", answer.body)

    def publish(self, documents: tuple[Attached, ...], *, dry_run: bool, pull_request: bool) -> Receipt:
        """Raises unsupported: a web address can be read only."""
        del documents, dry_run, pull_request
        raise unsupported("nothing can be written beside a web address: name the store or folder behind it")


def _asked(http: Http, url: str) -> _Served:
    """Size and version. Raises `UnreadableError`."""
    try:
        headers = http.head(url).headers
    except UnreadableError as error:
        # An address that is signed for GET, and servers that know nothing else.
        if error.reason not in (Reason.DENIED, Reason.UNSUPPORTED):
            raise
        headers = {}
    length, version = headers.get("content-length", ""), headers.get("etag", "")
    if _LENGTH.match(length) and headers.get("content-encoding", "identity") == "identity":
        return _Served(size=int(length), version=version)
    try:
        part = http.part(url, 0, 1)
    except UnreadableError as error:
        if error.reason not in (Reason.UNSUPPORTED, Reason.MALFORMED, Reason.TRUNCATED):
            raise
    else:
        return _Served(size=part.total, version=part.version)
    data = http.get(url, most=SMALL_FILE_BYTES).body
    return _Served(size=len(data), data=data)


class _Fetch:
    """Ranges of the file; all of it once, when the host has no ranges and it is small enough."""

    def __init__(self, http: Http, url: str, served: _Served) -> None:
        self._http, self._url, self._served = http, url, served
        self._data = served.data

    def __call__(self, start: int, length: int) -> bytes:
        if length == 0:
            return b""
        if self._data is None:
            try:
                served = self._served
                return self._http.part(
                    self._url, start, length, version=served.version, total=served.size
                ).data
            except UnreadableError as error:
                if error.reason is not Reason.UNSUPPORTED or self._served.size > UNRANGED_BYTES:
                    raise
            self._data = self._whole()
        return self._data[start : start + length]

    def _whole(self) -> bytes:
        answer = self._http.get(self._url, most=UNRANGED_BYTES)
        version = answer.headers.get("etag", "")
        if len(answer.body) != self._served.size or version != self._served.version:
            raise UnreadableError(Reason.CHANGED, "the host serves another version than before")
        return answer.body


def _target(address: Address) -> Target:
    name = capped(visible(address.name), NAME_CHARS)
    pinned = "no: a web address may serve other bytes tomorrow"
    if address.sha256 is not None:
        pinned = "by the SHA-256 that the address names, which holds once all bytes are read"
    return Target(name=name, ref=_ref(address), attributes=(("pinned", pinned),))


def _ref(address: Address) -> Ref:
    try:
        if address.sha256 is None:
            return Ref(scheme="https", location=address.shown)
        return PinnedRef(scheme="https", location=address.shown, revision=f"sha256:{address.sha256}")
    except ValueError:
        raise malformed("the path looks like an address with a user in it") from None


def _open(target: str, opening: Opening) -> WebSource:
    address = parse(target)
    http = opening.http()
    http.named(address.url)
    return WebSource(address, http, opening)


PLACE = Place(scheme="https", title="a file at a web address", open=_open)
PLAIN = Place(scheme="http", title="a file at a web address without encryption", open=_open)
PLACES = (PLACE, PLAIN)
