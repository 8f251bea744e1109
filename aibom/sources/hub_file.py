"""The bytes of one file on the Hub: small ones whole, large ones by ranges from where the Hub sends us.

`resolve` (Hub API Endpoints, "Resolve a file"; huggingface_hub documentation, `get_hf_file_metadata`)
answers for a large file with a redirect to a content network, and its `X-Linked-Etag` and `X-Linked-Size` say
what that file is. They are on the redirect only: what the content network states as ETag is a name of its
own, and is no digest of the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import KIB
from aibom.domain.protocols import ByteReader
from aibom.readers.ranges import Memory
from aibom.sources.http_address import follow, parse
from aibom.sources.hub_api import JUDGED, Hub
from aibom.sources.hub_target import Repo
from aibom.sources.listing import SMALL_FILE_BYTES
from aibom.sources.remote_file import RemoteFile

REFUSAL_BYTES: Final = 64 * KIB  # of an answer that says why there is no file
HOP_COUNT: Final = 3  # redirects within the Hub, for instance after a repository was renamed

_REDIRECTS: Final = (301, 302, 303, 307, 308)
_ETAG = re.compile(r'(?:W/)?"?([0-9a-f]{40}|[0-9a-f]{64})"?')
_GONE: Final = (Reason.DENIED, Reason.MISSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """One file of a repository at a commit."""

    hub: Hub
    repo: Repo
    commit: str
    entry: Entry

    @property
    def url(self) -> str:
        return f"{self.hub.origin}{self.repo.resolve(self.commit, self.entry.path)}"

    @property
    def about(self) -> str:
        return f"{self.entry.path} in {self.repo.typed}"


def opened(file: Remote) -> ByteReader:
    """The bytes that were listed. Raises `UnreadableError`."""
    entry = file.entry
    if entry.header_only or entry.size > SMALL_FILE_BYTES:
        fetch = _Ranges(file=file).fetch
        return RemoteFile(fetch, entry.size, name=entry.path, whole=not entry.header_only)
    return Memory(_whole(file))


def _whole(file: Remote) -> bytes:
    hub, entry = file.hub, file.entry
    try:
        most = max(entry.size + 1, REFUSAL_BYTES)
        answer = hub.http.get(file.url, most=most, secret=hub.secret, accepted=JUDGED)
    except UnreadableError as error:
        if error.reason is Reason.LIMIT:
            raise _changed(f"more bytes than the {entry.size:,} that are listed") from None
        raise
    if hub.owns(answer.url):
        hub.judged(answer, file.about)
        _check(answer.headers, file)
    if answer.status != 200:
        raise UnreadableError(Reason.DENIED, f"the content network answers {answer.status}")
    if len(answer.body) < entry.size:
        message = f"{len(answer.body):,} bytes, where {entry.size:,} are listed"
        raise UnreadableError(Reason.TRUNCATED, message)
    if len(answer.body) > entry.size:
        raise _changed(f"more bytes than the {entry.size:,} that are listed")
    return answer.body


@dataclass(slots=True, kw_only=True)
class _Ranges:
    """Ranges of one large file. The address that the Hub sends us to serves until it is refused."""

    file: Remote
    place: str = field(default="", repr=False)  # signed: never shown
    version: str = ""

    def fetch(self, start: int, length: int) -> bytes:
        fresh = not self.place
        try:
            return self._part(start, length)
        except UnreadableError as error:
            # A signed address is good for about an hour.
            if fresh or error.reason not in _GONE or self.file.hub.owns(self.place):
                raise
        self.place = self.version = ""
        return self._part(start, length)

    def _part(self, start: int, length: int) -> bytes:
        self.place = self.place or self._located()
        hub, size = self.file.hub, self.file.entry.size
        secret = hub.secret if hub.owns(self.place) else None
        part = hub.http.part(self.place, start, length, secret=secret, version=self.version, total=size)
        self.version = self.version or part.version
        return part.data

    def _located(self) -> str:
        """Where the bytes are now, by what the Hub itself says the very file that was listed."""
        hub, url = self.file.hub, self.file.url
        for _ in range(HOP_COUNT):
            answer = hub.http.head(url, secret=hub.secret, accepted=(*JUDGED, *_REDIRECTS))
            place = answer.headers.get("location", "") if answer.status in _REDIRECTS else ""
            _check(answer.headers, self.file)
            if not place:
                return hub.judged(answer, self.file.about).url
            url = follow(parse(url), place).url
            if not hub.owns(url):
                return url
        raise UnreadableError(Reason.LIMIT, f"more than {HOP_COUNT} redirects within the Hub")


def _check(headers: Mapping[str, str], file: Remote) -> None:
    """Raises changed when the Hub says by its headers that this is another file than the listed one."""
    commit, size = headers.get("x-repo-commit"), headers.get("x-linked-size", "")
    if commit not in (None, file.commit):
        raise _changed("the Hub answers for another commit than the one that was listed")
    if size.isdecimal() and size.lstrip("0") != str(file.entry.size).lstrip("0"):
        raise _changed(f"another size than the {file.entry.size:,} bytes that are listed")
    # A mirror passes on what it was told, ETags of the content network included, but no commit.
    etag = headers.get("x-linked-etag") or (headers.get("etag", "") if commit else "")
    found = _ETAG.fullmatch(etag)
    claims = {digest.value for digest in file.entry.claimed if digest.algorithm in ("sha256", "git-sha1")}
    alike = {value for value in claims if found is not None and len(value) == len(found[1])}
    if found is not None and alike and found[1] not in alike:
        raise _changed("the Hub names other content (ETag) than it listed")


def _changed(what: str) -> UnreadableError:
    return UnreadableError(Reason.CHANGED, what)
