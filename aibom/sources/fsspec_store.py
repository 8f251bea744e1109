"""Google Cloud Storage and Azure Blob Storage, through the file systems of fsspec.

Two operations read: a listing, and a range of a file. The libraries behind them speak HTTP themselves.
Nothing is pinned: what they have in common has no way to ask for a version, so the version is compared
before and after the look. No digest of the store is more than claimed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from heapq import merge
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, unsupported
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import PATH_DEPTH
from aibom.domain.protocols import ByteReader
from aibom.domain.publication import Attached, Receipt, WriteState, Written, document_kind
from aibom.domain.ref import Ref
from aibom.domain.target import Target
from aibom.sources import beside
from aibom.sources.fsspec_store_files import Files, Stored
from aibom.sources.listing import REMOTE_ENTRY_COUNT, Listed, Listing
from aibom.sources.opening import Opening, Place
from aibom.sources.remote_file import RemoteFile

FOLDER_COUNT: Final = 100_000  # one request or more each
_EXTRAS: Final = {"gs": "gcs", "az": "azure", "abfs": "azure"}
_PATH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}(?:/[^/]+)*/?\Z")
# Some file systems take these for patterns, queries or generations, and would give another file.
_AMBIGUOUS: Final = set("?#*[]")
_AZURE: Final = {
    "connection_string": "AZURE_STORAGE_CONNECTION_STRING",
    "account_name": "AZURE_STORAGE_ACCOUNT_NAME",
    "account_key": "AZURE_STORAGE_ACCOUNT_KEY",
    "sas_token": "AZURE_STORAGE_SAS_TOKEN",
    "tenant_id": "AZURE_STORAGE_TENANT_ID",
    "client_id": "AZURE_STORAGE_CLIENT_ID",
    "client_secret": "AZURE_STORAGE_CLIENT_SECRET",
}


def parse(target: str) -> tuple[str, str]:
    """Scheme and path. Raises malformed."""
    scheme, _, path = target.partition("://")
    parts = path.rstrip("/").split("/")
    if not _PATH.match(path) or not path.isprintable() or _AMBIGUOUS & set(path) or {".", ".."} & set(parts):
        raise malformed(f"an address is {scheme}://bucket/path, without ? # * [ ] and `..`")
    return scheme.lower(), path.rstrip("/")


class StoreSource:
    """A `Source` and `Registry` over one file, or over all files below a folder."""

    def __init__(self, scheme: str, path: str, files: Files, opening: Opening, *, account: str) -> None:
        self._scheme, self._path, self._files, self._account = scheme, path, files, account
        self._listing = Listing(opening.exclude, full=opening.full)
        self._found: dict[str, Stored] = {}
        self._only = _only(files, path)
        try:
            ref = Ref(scheme=scheme, location=path)
        except ValueError:
            raise malformed("the path looks like an address with a user in it") from None
        pinned = ("pinned", "no: the version is compared, but cannot be asked for")
        self.target = Target(name=path.rpartition("/")[2], ref=ref, attributes=(pinned,))

    @property
    def excluded(self) -> int:
        return self._listing.excluded

    def entries(self) -> Iterator[Entry | Gap]:
        """Every file; a folder that cannot be listed is a gap that ends in `/`."""
        listed: list[Listed] = []
        lost: list[Gap] = []
        self._found = {}
        for item in [self._only] if self._only else self._walk():
            if isinstance(item, Gap):
                lost.append(item)
            elif _AMBIGUOUS & set(item.path):
                error = unsupported("the name has one of ? # * [ ], with which another file might be read")
                lost.append(Gap.of(self._relative(item) or "?", Stage.LIST, error))
            else:
                listed.append(self._listed(item))
        lost.sort(key=attrgetter("path"))
        yield from merge(lost, self._listing.entries(listed), key=attrgetter("path"))

    def _walk(self) -> Iterator[Stored | Gap]:
        folders, count, left = [self._path], 0, FOLDER_COUNT
        while folders:
            folder = folders.pop()
            left -= 1
            try:
                if left < 0 or folder.count("/") > PATH_DEPTH:
                    raise over_limit(f"more than {FOLDER_COUNT:,} folders, or {PATH_DEPTH} in each other")
                for item in self._inside(folder):
                    count += 1
                    if item.is_folder:
                        folders.append(item.path)
                    else:
                        yield item
            except UnreadableError as error:
                yield Gap.of(folder.removeprefix(self._path).lstrip("/") + "/", Stage.LIST, error)
            if left < 0 or count > REMOTE_ENTRY_COUNT:
                return

    def _inside(self, folder: str) -> list[Stored]:
        found = [item for item in self._files.listed(folder) if item.path.rstrip("/") != folder]
        # What grows with every step cannot go round in circles.
        if any(not item.path.startswith(f"{folder}/") for item in found):
            raise malformed("the store lists what is not in the folder")
        return found

    def _relative(self, stored: Stored) -> str:
        return stored.path.rpartition("/")[2] if self._only else stored.path.removeprefix(f"{self._path}/")

    def _listed(self, stored: Stored) -> Listed:
        path = self._relative(stored)
        self._found[path] = stored
        place = hashlib.sha256(f"{self._scheme}:{self._account}".encode()).hexdigest()
        is_known = stored.version and (self._account or self._scheme == "gs")
        return Listed(
            path=path,
            size=stored.size,
            claimed=stored.claimed,
            etag=f"fsspec:{place}/{stored.path}#{stored.version}" if is_known else "",
        )

    @contextmanager
    def open(self, entry: Entry) -> Iterator[ByteReader]:
        """The version that was listed; raises changed at the end when it is another one by then."""
        stored = self._found.get(entry.path)
        if stored is None:
            raise UnreadableError(Reason.VANISHED, "the store does not list it any more")
        fetch = partial(self._files.part, stored.path)
        yield RemoteFile(fetch, entry.size, name=entry.path.rpartition("/")[2], whole=not entry.header_only)
        now = self._files.info(stored.path)
        if (now.size, now.version) != (stored.size, stored.version):
            raise UnreadableError(Reason.CHANGED, "the store serves another version than it listed")

    def attached(self) -> tuple[Attached, ...]:
        """The documents beside the file, or in the top of the folder."""
        names = {
            item.path.rpartition("/")[2]: item for item in self._inside(self._folder) if not item.is_folder
        }
        only = self.target.name if self._only else None
        found = (self._read(name, names[name]) for name in beside.chosen(list(names), only))
        return beside.together(found)

    @property
    def _folder(self) -> str:
        return self._path.rpartition("/")[0] if self._only else self._path

    def _read(self, name: str, stored: Stored) -> Attached | None:
        kind = document_kind(name)
        assert kind is not None  # `chosen` gives no other names
        most = beside.most_bytes(kind)
        if stored.size is None or stored.size > most:
            raise over_limit(f"the document has more than {most:,} bytes")
        return beside.attached(name, self._files.part(stored.path, 0, stored.size))

    def publish(self, documents: tuple[Attached, ...], *, dry_run: bool, pull_request: bool) -> Receipt:
        """Writes documents that are new. Raises unsupported when one would have to be replaced."""
        if pull_request:
            raise unsupported("a store has no pull requests")
        if self._files.creates is None:
            raise unsupported(
                "this store cannot create a file without overwriting another: nothing is written"
            )
        beside.check_names(documents, self.target.name if self._only else None)
        states = [self._state(document) for document in documents]
        written = tuple(
            self._write(document, state, dry_run=dry_run)
            for document, state in zip(documents, states, strict=True)
        )
        assert self.target.ref is not None  # every target here has one
        return Receipt(subject=self.target.ref, written=written)

    def _state(self, document: Attached) -> WriteState:
        path = f"{self._folder}/{document.name}"
        try:
            stored = self._files.info(path)
        except UnreadableError as error:
            if error.reason is Reason.MISSING:
                return WriteState.PLANNED
            raise
        if stored.size == len(document.data) and self._files.part(path, 0, stored.size) == document.data:
            return WriteState.UNCHANGED
        raise unsupported(f"{document.name!r} is there with other bytes, and cannot be replaced safely")

    def _write(self, document: Attached, state: WriteState, *, dry_run: bool) -> Written:
        path = f"{self._folder}/{document.name}"
        if state is WriteState.PLANNED and not dry_run:
            self._files.create(path, document.data)
            state = WriteState.WRITTEN
        sha256 = hashlib.sha256(document.data).hexdigest()
        return Written(name=document.name, place=f"{self._scheme}://{path}", sha256=sha256, state=state)


def _only(files: Files, path: str) -> Stored | None:
    """The one file that is meant, or None for a folder. Raises vanished when there is neither."""
    try:
        stored = files.info(path)
    except UnreadableError as error:
        if error.reason is Reason.MISSING:
            raise UnreadableError(Reason.VANISHED, "the store has nothing under this address") from None
        raise
    return None if stored.is_folder else stored


def options(scheme: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """What the file system is made of. Without credentials it asks as anybody may.

    Left to itself, each of the two would ask the metadata service of the machine.
    """
    shared: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if scheme == "gs":
        place = environment.get("STORAGE_EMULATOR_HOST") or "https://storage.googleapis.com"
        return shared | {"token": _google_keys(environment), "endpoint_url": place}
    known = {name: environment[variable] for name, variable in _AZURE.items() if environment.get(variable)}
    if not known.keys() & {"account_name", "connection_string"}:
        raise malformed("whose storage account? set AZURE_STORAGE_ACCOUNT_NAME")
    return shared | known | {"anon": known.keys() == {"account_name"}}


def _google_keys(environment: Mapping[str, str]) -> str:
    """A file of credentials, or `anon`."""
    named = environment.get("GOOGLE_APPLICATION_CREDENTIALS")
    home = environment.get("HOME")
    usual = Path(home, ".config", "gcloud", "application_default_credentials.json") if home else None
    return named or (str(usual) if usual and usual.is_file() else "anon")


def _system(scheme: str, environment: Mapping[str, str]) -> Any:
    """The file system of a scheme. Raises unsupported when its package is not installed."""
    made_of = options(scheme, environment)
    try:
        return _class(scheme)(**made_of)
    except ImportError:
        message = f"{scheme}:// needs another package: pip install 'aibom[{_EXTRAS[scheme]}]'"
        raise unsupported(message) from None
    except (OSError, ValueError, TypeError) as error:
        raise malformed(f"the store cannot be opened with these settings ({type(error).__name__})") from None


def _class(scheme: str) -> Any:
    if scheme != "gs":
        from adlfs import AzureBlobFileSystem  # noqa: PLC0415 - optional

        return AzureBlobFileSystem
    # The one that the package offers first asks another service, over gRPC, what kind of bucket it is.
    from gcsfs.core import GCSFileSystem  # noqa: PLC0415 - optional

    return GCSFileSystem


def _open(target: str, opening: Opening) -> StoreSource:
    scheme, path = parse(target)
    opening.http()  # raises when the network is forbidden; the libraries have HTTP clients of their own
    account = opening.environment.get("AZURE_STORAGE_ACCOUNT_NAME", "") if scheme != "gs" else ""
    return StoreSource(scheme, path, Files(_system(scheme, opening.environment)), opening, account=account)


PLACE = Place(scheme="gs", title="Google Cloud Storage", open=_open)
PLACES = (
    PLACE,
    Place(scheme="az", title="Azure Blob Storage", open=_open),
    Place(scheme="abfs", title="Azure Blob Storage", open=_open),
)
