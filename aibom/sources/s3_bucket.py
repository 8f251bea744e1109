"""What is asked of one bucket: few operations of the S3 API, their answers checked, their errors told.

API reference: Amazon S3, 2006-03-01.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from aibom.domain.digest import Digest
from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, truncated, unsupported
from aibom.domain.limits import KIB
from aibom.sources import s3_digests
from aibom.sources.listing import REMOTE_ENTRY_COUNT
from aibom.sources.within import within

if TYPE_CHECKING:
    from botocore.client import BaseClient

PAGE_KEY_COUNT: Final = 1_000  # the most that S3 gives
PAGE_COUNT: Final = 2 * REMOTE_ENTRY_COUNT // PAGE_KEY_COUNT
ANSWER_SECONDS: Final = 180.0  # all attempts together
SLOWEST_BYTES: Final = 64 * KIB  # per second, of a body
_READ_BYTES: Final = 1024 * KIB
_NOT_PLAIN: Final = "--x-s3"  # directory buckets: their ETags are random
_CODE: Final = re.compile(r"[A-Za-z0-9.]{1,64}\Z")
_BUSY: Final = ("SlowDown", "Throttling", "RequestTimeout", "InternalError", "ServiceUnavailable")
_MISSING: Final = ("NoSuchKey", "NoSuchBucket", "NoSuchVersion", "NotFound")
_CHANGED: Final = ("PreconditionFailed", "ConditionalRequestConflict", "InvalidRange")
_ARCHIVED: Final = "InvalidObjectState"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One object as the store lists it."""

    key: str
    size: int | None
    etag: str = ""  # with its quotes
    version: str = ""  # "" when the bucket keeps none
    claimed: tuple[Digest, ...] = ()


class Bucket:
    """One bucket. All methods raise only `UnreadableError`, whose text holds nothing that the store wrote.

    Reasons: denied, missing, changed (another ETag or version than asked for, or an object that was not
    expected), unsupported, malformed, limit, io-error (not reached, too slow, busy after all attempts).
    """

    def __init__(self, client: BaseClient, name: str, *, is_signed: bool) -> None:
        self.name = name
        self.place = client.meta.endpoint_url  # of the store
        self._client = client
        self._is_signed = is_signed

    def keeps_versions(self) -> bool | None:
        """Whether objects have version ids; None when that, or the ids, may not be seen."""
        try:
            answer = self._ask("get_bucket_versioning")
            if answer.get("Status") not in ("Enabled", "Suspended"):
                return False
            self._ask("list_object_versions", MaxKeys=1)
        except UnreadableError as error:
            if error.reason not in (Reason.DENIED, Reason.UNSUPPORTED):
                raise
            return None
        return True

    def holds(self, prefix: str) -> bool:
        """Whether there is any object whose key begins so."""
        return any(_rows(self._ask("list_objects_v2", Prefix=prefix, MaxKeys=1).get("Contents")))

    def listed(self, prefix: str, *, versions: bool = False, deep: bool = True) -> Iterator[Stored]:
        """The objects whose keys begin so, 1,000 per request; with `versions` the newest of each."""
        operation, field = (
            ("list_object_versions", "Versions") if versions else ("list_objects_v2", "Contents")
        )
        fixed = {"Prefix": prefix, "MaxKeys": PAGE_KEY_COUNT} | ({} if deep else {"Delimiter": "/"})
        seen: set[str] = set()
        more: dict[str, object] = {}
        for _ in range(PAGE_COUNT):
            page = self._ask(operation, **fixed, **more)
            if not isinstance(page.get("IsTruncated"), bool):
                raise unsupported("the answer is no listing of S3: is the endpoint right?")
            for row in _rows(page.get(field)):
                if row.get("IsLatest") is not False:
                    yield self._stored(_text(row, "Key"), row, size=row.get("Size"))
            if not page["IsTruncated"]:
                return
            more = _next_page(page, versions=versions)
            if not any(more.values()) or repr(more) in seen:
                raise malformed("the listing of the store goes round in circles")
            seen.add(repr(more))
        raise over_limit(f"the listing of the store has more than {PAGE_COUNT:,} pages")

    def head(self, key: str, *, version: str = "") -> Stored:
        """The object with the digests that the store claims for it."""
        answer = self._ask("head_object", Key=key, ChecksumMode="ENABLED", **_versioned(version))
        claimed = s3_digests.from_head({} if self.name.endswith(_NOT_PLAIN) else answer)
        return self._stored(key, answer, size=answer.get("ContentLength"), claimed=claimed)

    def _stored(
        self, key: str, row: Mapping[str, object], *, size: object, claimed: tuple[Digest, ...] | None = None
    ) -> Stored:
        etag, version = _text(row, "ETag"), _text(row, "VersionId")
        return Stored(
            key=key,
            size=size if isinstance(size, int) else None,
            etag=etag,
            version="" if version == "null" else version,
            claimed=s3_digests.from_etag(etag) if claimed is None else claimed,
        )

    def part(self, stored: Stored, start: int, length: int) -> bytes:
        """Exactly these bytes of exactly this version."""
        asked = _versioned(stored.version) | ({"IfMatch": stored.etag} if stored.etag else {})
        last = start + length - 1
        if length == 0:
            return b""

        def fetch() -> bytes:
            answer = self._client.get_object(
                Bucket=self.name, Key=stored.key, Range=f"bytes={start}-{last}", **asked
            )
            with answer["Body"] as body:
                _check_part(answer, stored, start, last)
                return _taken(body, length)

        return self._bounded(fetch, ANSWER_SECONDS + length / SLOWEST_BYTES)

    def document(self, stored: Stored, most: int) -> bytes:
        """All bytes of a small object."""
        if stored.size is None or stored.size > most:
            raise over_limit(f"the document has more than {most:,} bytes")
        return self.part(stored, 0, stored.size)

    def put(self, key: str, data: bytes, media_type: str, *, replacing: Stored | None) -> Stored:
        """Writes a new object, or one in the place of that very version; raises changed for any other."""
        condition = {"IfMatch": replacing.etag} if replacing else {"IfNoneMatch": "*"}
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        answer = self._ask(
            "put_object",
            Key=key,
            Body=data,
            ContentType=media_type,
            ChecksumSHA256=checksum,
            **condition,
        )
        return self._stored(key, answer, size=len(data))

    def _ask(self, operation: str, **arguments: object) -> Mapping[str, object]:
        body = arguments.get("Body")
        seconds = ANSWER_SECONDS + (len(body) / SLOWEST_BYTES if isinstance(body, bytes) else 0)
        call = getattr(self._client, operation)
        answer = self._bounded(lambda: call(Bucket=self.name, **arguments), seconds)
        if not isinstance(answer, Mapping):
            raise unsupported("the answer is not one of S3: is the endpoint right?")
        return answer

    def _bounded(self, call: Callable[[], Result], seconds: float) -> Result:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy
        from botocore.parsers import ResponseParserError  # noqa: PLC0415 - heavy
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - heavy

        try:
            return within(seconds, call)
        except ClientError as error:
            raise self._refusal(error.response) from None
        except (BotoCoreError, HTTPError, OSError) as error:
            raise _not_reached(type(error).__name__) from None
        except (ResponseParserError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            # What the library raises for answers that it does not expect.
            raise unsupported("the answer is not one of S3: is the endpoint right?") from None

    def _refusal(self, response: Mapping[str, object]) -> UnreadableError:
        told = response.get("Error"), response.get("ResponseMetadata")
        code = _text(told[0], "Code") if isinstance(told[0], Mapping) else ""
        status = told[1].get("HTTPStatusCode") if isinstance(told[1], Mapping) else None
        shown = code if _CODE.match(code) else "no code"
        message = f"the store answers {status} ({shown})"
        if code == _ARCHIVED:
            return unsupported("the object is archived: restore it first")
        if code in _MISSING or status in (404, 410):
            return UnreadableError(Reason.MISSING, message)
        if code in _CHANGED or status in (409, 412, 416):
            return UnreadableError(Reason.CHANGED, f"{message}: another version than was asked for")
        if code.startswith(_BUSY) or status in (429, 500, 502, 503, 504):
            return UnreadableError(Reason.IO_ERROR, f"{message} after all attempts")
        if status in (301, 302, 307, 308) or code in ("AuthorizationHeaderMalformed", "PermanentRedirect"):
            return unsupported(f"{message}: the bucket is in another region, set AWS_REGION")
        if status in (401, 403):
            hint = (
                "" if self._is_signed else ", and no keys were found in the environment (AWS_ACCESS_KEY_ID)"
            )
            return UnreadableError(Reason.DENIED, message + hint)
        return unsupported(message)


def _not_reached(name: str) -> UnreadableError:
    if name == "SSLError":
        message = (
            "the certificate of the store is not trusted: name the authorities that are, in AWS_CA_BUNDLE"
        )
        return UnreadableError(Reason.DENIED, message)
    if name in ("ParamValidationError", "InvalidRegionError", "UnknownEndpointError"):
        return malformed("the name of the bucket, the key or the region is none that S3 has")
    return UnreadableError(Reason.IO_ERROR, f"the store cannot be reached, or ended the connection ({name})")


def _check_part(answer: Mapping[str, object], stored: Stored, start: int, last: int) -> None:
    """That these are the bytes that were asked for, of the version that was listed."""
    told = answer.get("ResponseMetadata")
    status = told.get("HTTPStatusCode") if isinstance(told, Mapping) else None
    changed = UnreadableError(Reason.CHANGED, "the store serves another version than it listed")
    if stored.etag and _text(answer, "ETag") != stored.etag:
        raise changed
    if stored.version and _text(answer, "VersionId") != stored.version:
        raise changed
    # A 200 is the whole object: its first bytes are taken, and the rest is never asked for.
    whole = status == 200 and start == 0 and answer.get("ContentLength") == stored.size
    if whole:
        return
    if status != 206:
        raise unsupported("the store answers a range with the whole object")
    if _text(answer, "ContentRange") != f"bytes {start}-{last}/{stored.size}":
        raise changed


def _taken(body: object, length: int) -> bytes:
    read: Callable[[int], bytes] = body.read  # type: ignore[attr-defined]
    pieces, left = [], length
    while left:
        piece = read(min(left, _READ_BYTES))
        if not piece:
            raise truncated(f"the store ends {left:,} bytes too early")
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _next_page(page: Mapping[str, object], *, versions: bool) -> dict[str, object]:
    if versions:
        return {
            "KeyMarker": _text(page, "NextKeyMarker"),
            "VersionIdMarker": _text(page, "NextVersionIdMarker"),
        }
    return {"ContinuationToken": _text(page, "NextContinuationToken")}


def _versioned(version: str) -> dict[str, object]:
    return {"VersionId": version} if version else {}


def _rows(found: object) -> Iterator[Mapping[str, object]]:
    rows: Sequence[object] = found if isinstance(found, list) else ()
    return (row for row in rows if isinstance(row, Mapping))


def _text(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""
