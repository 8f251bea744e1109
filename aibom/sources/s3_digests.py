"""What S3 says about the digest of an object, under the name of what it really is a digest of.

Documented in "Checking object integrity in Amazon S3". Nothing here is more than a claim of the store.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from aibom.domain.digest import Digest, Grade

_MULTIPART = re.compile(r"([0-9a-f]{32})-[0-9]{1,5}\Z")
_MD5 = re.compile(r"[0-9a-f]{32}\Z")
_PARTS = re.compile(r"-[0-9]{1,5}\Z")


def from_etag(etag: str, *, is_plain: bool = False) -> tuple[Digest, ...]:
    """The digest in an ETag.

    Of an object that was uploaded in parts it is the MD5 of the MD5s of the parts. Only of an object that
    `is_plain` (in one part, and neither its key is in KMS nor the customer's) it is the MD5 of the bytes.
    """
    value = etag.strip('"').lower()
    found = _MULTIPART.match(value)
    if found:
        return (Digest(algorithm="s3-etag-multipart", value=found[1], grade=Grade.CLAIMED),)
    if is_plain and _MD5.match(value):
        return (Digest(algorithm="md5", value=value, grade=Grade.CLAIMED),)
    return ()


def from_head(answer: Mapping[str, object]) -> tuple[Digest, ...]:
    """The digests in an answer to HeadObject, asked for checksums."""
    etag = _text(answer, "ETag")
    # A store of others that says nothing about encryption has none that would show in the ETag.
    encryption = _text(answer, "ServerSideEncryption") or "AES256"
    is_plain = encryption == "AES256" and not _text(answer, "SSECustomerAlgorithm")
    return (*_checksum(answer, is_multipart=_is_multipart(etag)), *from_etag(etag, is_plain=is_plain))


def _checksum(answer: Mapping[str, object], *, is_multipart: bool) -> tuple[Digest, ...]:
    """SHA-256 of the bytes, or of the SHA-256s of the parts.

    Not every store says which (`ChecksumType`). Then `-` and a number behind the value say it is of parts,
    and so does an ETag of several parts: AWS has no SHA-256 of a whole object that came in parts.
    """
    value, kind = _text(answer, "ChecksumSHA256"), _text(answer, "ChecksumType")
    is_whole = kind == "FULL_OBJECT" or (not kind and not is_multipart)
    try:
        raw = base64.b64decode(_PARTS.sub("", value), validate=True)
    except (binascii.Error, ValueError):
        return ()
    if len(raw) != 32:
        return ()
    algorithm = "sha256" if is_whole and not _PARTS.search(value) else "sha256-composite"
    return (Digest(algorithm=algorithm, value=raw.hex(), grade=Grade.CLAIMED),)


def _is_multipart(etag: str) -> bool:
    return _MULTIPART.match(etag.strip('"').lower()) is not None


def _text(answer: Mapping[str, object], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""
