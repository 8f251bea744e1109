"""Models and runs of an MLflow server: `models:/name/version`, `models:/name@alias`, `runs:/id/path`.

Plain REST. An alias is resolved to its version first, but nothing in MLflow is pinned: artifacts can be
replaced, and no answer holds a digest. So every ranged read names the ETag of the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError, over_limit
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import PATH_DEPTH
from aibom.domain.protocols import ByteReader, Source
from aibom.domain.publication import Attached, Receipt, Registry
from aibom.domain.ref import Ref
from aibom.domain.target import Target
from aibom.domain.text import capped, visible
from aibom.sources import mlflow_documents
from aibom.sources.listing import Listed, Listing
from aibom.sources.mlflow_artifacts import Artifacts, found_at
from aibom.sources.mlflow_server import Item, Server, Store
from aibom.sources.mlflow_target import Typed, parse_target
from aibom.sources.opening import Opening, Place
from aibom.sources.remote_file import RemoteFile

FOLDER_COUNT: Final = 5_000  # of one model: each is a question of its own
FILE_COUNT: Final = 200_000
ASKED_COUNT: Final = 1_000  # files whose size is no part of the list


class _Remote(Source, Registry, Protocol):
    """Another kind of place that holds the artifacts."""


class MlflowSource:
    """A `Source` and `Registry` over the artifacts of one model version, logged model or run."""

    def __init__(self, typed: Typed, opening: Opening) -> None:
        self._opening = opening
        server = Server.of(opening)
        self._artifacts = found_at(server, typed)
        self._listing = Listing(opening.exclude, full=opening.full)
        self._remote, how = _direct(self._artifacts, opening)
        self.target = _target(server, typed, self._artifacts, how)

    @property
    def excluded(self) -> int:
        return self._listing.excluded if self._remote is None else self._remote.excluded

    def entries(self) -> Iterator[Entry | Gap]:
        """Every artifact. A folder that cannot be listed is a gap; raises when the first one cannot be."""
        if self._remote is not None:
            yield from self._remote.entries()
            return
        walk = _Walk(self._artifacts.store, self._artifacts.only)
        walk.run()
        found = [*self._listing.entries(walk.listed), *walk.gaps]
        yield from sorted(found, key=lambda item: item.path)

    def open(self, entry: Entry) -> AbstractContextManager[ByteReader]:
        """One version of an artifact: every range names the ETag of the first one."""
        if self._remote is not None:
            return self._remote.open(entry)
        store, version = self._artifacts.store, ""
        url = store.url(entry.path)

        def fetch(start: int, length: int) -> bytes:
            nonlocal version
            part = store.server.part(url, start, length, version, entry.size)
            version = version or part.version
            return part.data

        name = entry.path.rpartition("/")[2]
        return nullcontext(RemoteFile(fetch, entry.size, name=name, whole=not entry.header_only))

    def attached(self) -> tuple[Attached, ...]:
        """The documents beside the model. Raises `UnreadableError`, also when the tag names another BOM."""
        found = self._remote.attached() if self._remote else mlflow_documents.attached(self._artifacts)
        mlflow_documents.check_tag(self._artifacts, found)
        return found

    def publish(self, documents: tuple[Attached, ...], *, dry_run: bool, pull_request: bool) -> Receipt:
        """Writes the documents beside the model, and the digest of the BOM as a tag."""
        assert self.target.ref is not None
        if self._remote is not None:
            receipt = self._remote.publish(documents, dry_run=dry_run, pull_request=pull_request)
        else:
            mlflow_documents.check(self._artifacts, documents, pull_request=pull_request)
            written = mlflow_documents.written(self._artifacts, documents, dry_run=dry_run)
            receipt = Receipt(subject=self.target.ref, written=written)
        notes = mlflow_documents.tag(self._artifacts, documents, dry_run=dry_run)
        return replace(receipt, subject=self.target.ref, notes=(*receipt.notes, *notes))


@dataclass(slots=True)
class _Walk:
    """One listing, folder by folder; a name that leads elsewhere is left to `Listing`, which refuses it."""

    store: Store
    only: str | None  # the one name that is wanted
    listed: list[Listed] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    sizes_left: int = ASKED_COUNT

    def run(self) -> None:
        """Raises `UnreadableError` when the first folder cannot be listed."""
        todo = [""]
        for _ in range(FOLDER_COUNT):
            if not todo or len(self.listed) > FILE_COUNT:
                break
            folder = todo.pop()
            try:
                todo += self._folder(folder)
            except UnreadableError as error:
                if not folder:
                    raise
                self.gaps.append(Gap.of(capped(visible(f"{folder}/"), 200), Stage.LIST, error))
        if todo:
            message = f"more than {FOLDER_COUNT:,} folders or {FILE_COUNT:,} files, the others are not listed"
            self.gaps.append(Gap.of(".", Stage.LIST, over_limit(message)))

    def _folder(self, folder: str) -> list[str]:
        """Notes the files of a folder; the folders in it."""
        if folder.count("/") >= PATH_DEPTH:
            raise over_limit(f"more than {PATH_DEPTH} folders deep, not listed")
        inside = []
        for item in self.store.listed(folder):
            path = f"{folder}/{item.name}" if folder else item.name
            if self.only not in (None, item.name):
                continue
            if item.is_folder and item.is_plain:
                inside.append(path)
            else:
                self.listed.append(Listed(path=path, size=self._size(path, item)))
        return inside

    def _size(self, path: str, item: Item) -> int | None:
        if item.size is not None or item.is_folder or not item.is_plain or self.sizes_left <= 0:
            return None if item.is_folder else item.size
        self.sizes_left -= 1
        return self.store.server.size(self.store.url(path))


def _direct(artifacts: Artifacts, opening: Opening) -> tuple[_Remote | None, str]:
    """The store behind the server, when it is one that can be read without it; and how it is read."""
    through = "through the tracking server, which may read a whole artifact for each range of it"
    if not artifacts.uri.startswith("s3://") or artifacts.only is not None:
        return None, through
    from aibom.sources import s3  # noqa: PLC0415 - only where the store is one

    environment = dict(opening.environment)
    if endpoint := environment.get("MLFLOW_S3_ENDPOINT_URL"):
        environment.setdefault("AWS_ENDPOINT_URL_S3", endpoint)
    try:
        found = s3.PLACE.open(f"{artifacts.uri.rstrip('/')}/", replace(opening, environment=environment))
    except UnreadableError as error:
        return None, f"{through}: the bucket cannot be read ({error.reason.value})"
    assert isinstance(found, s3.S3Source)
    return found, "from the bucket"


def _target(server: Server, typed: Typed, artifacts: Artifacts, how: str) -> Target:
    named = f"@{typed.alias}" if typed.alias else typed.version
    known = (
        ("requested", named), ("version", artifacts.version), ("run", artifacts.run),
        ("pinned", "no: artifacts of MLflow can be replaced"), ("transfer", how),
    )  # fmt: skip
    name = typed.name or typed.logged or f"runs/{typed.run}"
    return Target(
        name=visible(typed.name or typed.logged or typed.path.rpartition("/")[2] or typed.run),
        ref=Ref(
            scheme="mlflow",
            location=f"{server.place}/{name}",
            revision=artifacts.version or None,
            subpath=typed.path or None,
        ),
        attributes=tuple((key, visible(value)) for key, value in known if value),
    )


def _open(target: str, opening: Opening) -> MlflowSource:
    try:
        return MlflowSource(parse_target(target), opening)
    except UnicodeError:
        raise UnreadableError(Reason.MALFORMED, "a name that is no text") from None


PLACES: Final = (
    Place(scheme="models", title="MLflow model", open=_open),
    Place(scheme="runs", title="MLflow run", open=_open),
)
