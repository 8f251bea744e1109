"""One file system of fsspec: few operations, bounded in time, whose errors are told in our words."""

from __future__ import annotations

import base64
import binascii
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from aibom.domain.digest import Digest, Grade
from aibom.domain.errors import Reason, UnreadableError, unsupported
from aibom.domain.limits import KIB
from aibom.sources.within import within

ANSWER_SECONDS: Final = 180.0
SLOWEST_BYTES: Final = 64 * KIB  # per second
# What the libraries behind raise besides the built-in errors.
_ERRORS: Final = (
    ("aiohttp", "ClientError"),
    ("azure.core.exceptions", "AzureError"),
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
)
_VERSIONS: Final = ("generation", "version_id", "etag")  # in Google, Azure, both

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One file or folder as the store lists it."""

    path: str
    is_folder: bool
    size: int | None = None
    version: str = ""  # as unique as the store has it; "" when it says nothing
    claimed: tuple[Digest, ...] = ()


class Files:
    """All methods raise only `UnreadableError`, whose text holds nothing that the store wrote."""

    def __init__(self, system: Any) -> None:
        self._system = system

    def info(self, path: str) -> Stored:
        """Raises missing when nothing is there."""
        return _stored(self._called(lambda: self._fresh().info(path)))

    def listed(self, path: str) -> list[Stored]:
        """What lies directly in a folder."""
        found = self._called(lambda: self._fresh().ls(path, detail=True))
        if not isinstance(found, list):
            raise unsupported("the store gives no listing")
        return [_stored(each) for each in found]

    def part(self, path: str, start: int, length: int) -> bytes:
        """These bytes, or what the store gives for them."""
        seconds = ANSWER_SECONDS + length / SLOWEST_BYTES
        data = self._called(lambda: self._system.cat_file(path, start=start, end=start + length), seconds)
        if not isinstance(data, bytes):
            raise unsupported("the store gives no bytes")
        return data

    @property
    def creates(self) -> dict[str, object] | None:
        """How a file is created so that an existing one is never overwritten; None when that is impossible.

        What a file system inherits for it looks first and writes then, so only its own counts.
        """
        name = "_pipe_file" if getattr(self._system, "async_impl", False) else "pipe_file"
        method = getattr(type(self._system), name, None)
        inherited = getattr(method, "__module__", "") in ("fsspec.spec", "fsspec.asyn")
        known = inspect.signature(method).parameters if method is not None and not inherited else {}
        if "mode" in known:
            return {"mode": "create"}
        return {"overwrite": False} if "overwrite" in known else None

    def create(self, path: str, data: bytes) -> None:
        """Writes a file that is new. Raises changed when there is one by now."""
        seconds = ANSWER_SECONDS + len(data) / SLOWEST_BYTES
        how = self.creates
        if how is None:
            raise unsupported("this store cannot create a file without overwriting another")
        self._called(lambda: self._system.pipe_file(path, data, **how), seconds)

    def _fresh(self) -> Any:
        self._system.invalidate_cache()  # else it answers with what was so a while ago
        return self._system

    def _called(self, call: Callable[[], Result], seconds: float = ANSWER_SECONDS) -> Result:
        try:
            return within(seconds, call)
        except _raised() as error:
            raise _told(error) from None


def _raised() -> tuple[type[Exception], ...]:
    found = (getattr(sys.modules.get(module), name, None) for module, name in _ERRORS)
    foreign = (each for each in found if isinstance(each, type) and issubclass(each, Exception))
    return (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError, *foreign)


def _told(error: Exception) -> UnreadableError:
    stated = (getattr(error, name, None) for name in ("status_code", "code", "status"))
    status = next((str(each) for each in stated if each is not None), "")
    if isinstance(error, FileNotFoundError | NotADirectoryError) or status == "404":
        return UnreadableError(Reason.MISSING, "the store has nothing there")
    if isinstance(error, FileExistsError) or status in ("409", "412"):
        return UnreadableError(Reason.CHANGED, "somebody else wrote it meanwhile")
    if isinstance(error, PermissionError) or status in ("401", "403"):
        return UnreadableError(Reason.DENIED, "the store denies it, or knows no such credentials")
    return UnreadableError(Reason.IO_ERROR, f"the store cannot be read ({type(error).__name__})")


def _stored(info: object) -> Stored:
    if not isinstance(info, Mapping) or not isinstance(info.get("name"), str):
        raise unsupported("the store describes a file in a way that is not known")
    size = info.get("size")
    versions = [str(info[name]) for name in _VERSIONS if info.get(name)]
    return Stored(
        path=info["name"].strip("/") if info.get("type") == "directory" else info["name"].lstrip("/"),
        is_folder=info.get("type") == "directory",
        size=size if isinstance(size, int) else None,
        version="/".join(versions),
        claimed=_md5(info),
    )


def _md5(info: Mapping[str, object]) -> tuple[Digest, ...]:
    """The MD5 of the bytes: of Google always the store's own, of Azure maybe that of who uploaded."""
    settings = info.get("content_settings")
    azure = settings.get("content_md5") if isinstance(settings, Mapping) else None
    raw = bytes(azure) if isinstance(azure, bytes | bytearray) else b""
    google = info.get("md5Hash")
    if isinstance(google, str):
        try:
            raw = base64.b64decode(google, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
    return (Digest(algorithm="md5", value=raw.hex(), grade=Grade.CLAIMED),) if len(raw) == 16 else ()
