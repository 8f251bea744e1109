"""Git LFS: pointers, and the server that has what they stand for.

Formats: git-lfs, docs/spec.md "The Pointer", docs/api/server-discovery.md, docs/api/batch.md and
docs/api/basic-transfers.md. `.lfsconfig` is not followed: a repository does not choose where its bytes are.
"""

from __future__ import annotations

import json as encoder
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from aibom.domain.errors import Reason, UnreadableError, malformed, unsupported
from aibom.domain.limits import KIB, MIB
from aibom.readers import json
from aibom.sources.http import Http, Part, Secret

POINTER_BYTES: Final = 1_024  # the specification: shorter than this
BATCH_COUNT: Final = 100  # objects in one question, as the documentation recommends
ANSWER_BYTES: Final = 4 * MIB
FRESH_SECONDS: Final = 240.0  # how long an address is used that is said to be good for longer, or not said
HEADER_COUNT: Final = 16
HEADER_CHARS: Final = 8 * KIB

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize ([1-9][0-9]{0,17})\n"
)
_TYPE: Final = "application/vnd.git-lfs+json"
# What a storage needs besides its credential. Any other header could change what the request means.
_HEADER = re.compile(r"(?:x-[a-z0-9-]{1,80}|accept)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pointer:
    """The SHA-256 and the size of a file that lies elsewhere."""

    oid: str
    size: int  # bytes


def read_pointer(body: bytes) -> Pointer | None:
    """The pointer that a blob is. None for anything else, and for one with extensions, whose digest is
    not that of the file."""
    found = _POINTER.fullmatch(body) if len(body) < POINTER_BYTES else None
    return Pointer(found[1].decode(), int(found[2])) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Where one file can be had, and what the request for it has to carry."""

    href: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    secret: Secret | None
    until: float  # by `time.monotonic`


class Store:
    """The LFS server of one repository. `url` is the address of the repository, over HTTP."""

    def __init__(self, http: Http, url: str, secret: Secret | None) -> None:
        self._http, self._secret = http, secret
        self._url = f"{url.rstrip('/').removesuffix('.git')}.git/info/lfs/objects/batch"
        self._actions: dict[Pointer, Action] = {}
        self._lock = threading.Lock()

    def locate(self, pointers: Iterable[Pointer]) -> set[Pointer]:
        """Which of the files the server has. Raises `UnreadableError` when it does not say."""
        asked = list(dict.fromkeys(pointers))
        for start in range(0, len(asked), BATCH_COUNT):
            self._ask(asked[start : start + BATCH_COUNT])
        return set(asked) & self._actions.keys()

    def part(self, pointer: Pointer, start: int, length: int, version: str) -> Part:
        """Exactly these bytes. An address that is not good any more is asked for again, once."""
        try:
            return self._part(pointer, start, length, version)
        except UnreadableError as error:
            if error.reason is not Reason.DENIED:
                raise
            with self._lock:
                self._actions.pop(pointer, None)
            return self._part(pointer, start, length, version)

    def _part(self, pointer: Pointer, start: int, length: int, version: str) -> Part:
        action = self._action(pointer)
        return self._http.part(
            action.href, start, length,
            headers=action.headers, secret=action.secret, version=version, total=pointer.size,
        )  # fmt: skip

    def _action(self, pointer: Pointer) -> Action:
        action = self._actions.get(pointer)
        if action is None or action.until < time.monotonic():
            self._ask([pointer])
            action = self._actions.get(pointer)
        if action is None:
            raise UnreadableError(Reason.LFS_POINTER, "the LFS server does not have this file any more")
        return action

    def _ask(self, pointers: list[Pointer]) -> None:
        objects = [{"oid": each.oid, "size": each.size} for each in pointers]
        question = {
            "operation": "download", "transfers": ["basic"], "objects": objects, "hash_algo": "sha256"
        }  # fmt: skip
        answer = self._http.send(
            "POST", self._url, encoder.dumps(question).encode(), most=ANSWER_BYTES,
            headers={"Accept": _TYPE, "Content-Type": _TYPE}, secret=self._secret, accepted=(200,),
        )  # fmt: skip
        told = json.members(json.parse(answer.body))
        if told.get("transfer", "basic") != "basic" or told.get("hash_algo", "sha256") != "sha256":
            raise unsupported("the LFS server offers another transfer than `basic`, or no SHA-256")
        found = told.get("objects")
        if not isinstance(found, list) or len(found) > len(pointers):
            raise malformed("the LFS server does not list the objects that it was asked for")
        actions = {pointer: action for pointer, action in map(self._read, found) if action is not None}
        with self._lock:
            self._actions |= {each: actions[each] for each in pointers if each in actions}

    def _read(self, value: json.Json) -> tuple[Pointer, Action | None]:
        """One object of an answer; no action when it has an error, or nothing to download."""
        told = json.members(value)
        pointer = Pointer(json.text(told.get("oid")) or "", json.integer(told.get("size")) or 0)
        download = json.members(json.members(told.get("actions")).get("download"))
        href = json.text(download.get("href"))
        if href is None or "error" in told:
            return pointer, None
        seconds = json.integer(download.get("expires_in")) or FRESH_SECONDS
        headers, secret = self._headers(href, json.members(download.get("header")))
        until = time.monotonic() + min(FRESH_SECONDS, max(1.0, seconds))
        return pointer, Action(href=href, headers=headers, secret=secret, until=until)

    def _headers(self, href: str, told: dict[str, json.Json]) -> tuple[dict[str, str], Secret | None]:
        """A credential that the server names goes to the address that it names with it; ours to its own
        origin only."""
        texts = {name: value for name, value in told.items() if isinstance(value, str)}
        if len(told) > HEADER_COUNT or any(
            not value.isascii() or not value.isprintable() or len(value) > HEADER_CHARS
            for value in texts.values()
        ):
            raise malformed("the LFS server names headers that cannot be sent")
        own = self._secret if _origin(href) == _origin(self._url) else None
        given = next((text for name, text in texts.items() if name.lower() == "authorization"), None)
        secret = own if given is None else Secret(header="Authorization", value=given)
        return {name: text for name, text in texts.items() if _HEADER.match(name)}, secret


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc.lower()
