"""One MLflow server over its REST API (mlflow.org: "REST API", "Tracking Server" on proxied artifacts)."""

from __future__ import annotations

import json as encoder
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from aibom.domain.errors import Reason, UnreadableError, malformed, unsupported
from aibom.domain.limits import MIB
from aibom.readers import json
from aibom.sources.http import Answer, Http, Part, Secret
from aibom.sources.mlflow_target import secret_of, tracking_address
from aibom.sources.opening import Opening

ANSWER_BYTES: Final = 16 * MIB  # of a list of files
PAGE_COUNT: Final = 1_000  # of one folder

_API: Final = "/api/2.0/mlflow/"
_PROXY: Final = "/api/2.0/mlflow-artifacts/artifacts"
# A question about something that is not there is answered 404, for an alias 400.
_UNKNOWN: Final = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND")


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and who asks."""

    http: Http = field(repr=False)
    url: str  # without `/` at the end
    place: str  # host and port, and path: what may be shown
    secret: Secret | None = field(repr=False)

    @classmethod
    def of(cls, opening: Opening) -> Server:
        """The server that the environment names. Raises `UnreadableError`."""
        address = tracking_address(opening.environment)
        secret = secret_of(opening.environment, address)
        http = opening.http()
        http.named(address.url)
        path = address.target.rstrip("/")
        return cls(
            http, f"{address.scheme}://{address.authority}{path}", f"{address.authority}{path}", secret
        )

    def ask(self, what: str, path: str, query: Mapping[str, str]) -> dict[str, json.Json]:
        """A question of the API. `what` is told when the server does not know it (missing)."""
        url = f"{self.url}{_API}{path}?{urlencode(query, errors='surrogatepass')}"
        accepted = (200, 400, 404)
        answer = self.http.get(url, most=ANSWER_BYTES, secret=self.secret, accepted=accepted)
        return _read(answer, what)

    def tell(self, what: str, path: str, body: Mapping[str, object], method: str = "POST") -> None:
        """A change. Raises `UnreadableError`."""
        answer = self.http.send(
            method, f"{self.url}{_API}{path}", encoder.dumps(body).encode(),
            headers={"Content-Type": "application/json"}, secret=self.secret, accepted=(200, 400, 404),
        )  # fmt: skip
        _read(answer, what)

    def proxied(self, folder: str) -> dict[str, json.Json]:
        """What a folder of the proxied store holds."""
        url = f"{self.url}{_PROXY}?{urlencode({'path': folder}, errors='surrogatepass')}"
        answer = self.http.get(url, most=ANSWER_BYTES, secret=self.secret, accepted=(200, 400, 404))
        return _read(answer, "this folder of artifacts")

    def proxied_url(self, path: str) -> str:
        return f"{self.url}{_PROXY}/{quote(path, errors='surrogatepass')}"

    def artifact_url(self, run: str, path: str) -> str:
        query = urlencode({"run_id": run, "path": path}, errors="surrogatepass")
        return f"{self.url}/get-artifact?{query}"

    def part(self, url: str, start: int, length: int, version: str, total: int) -> Part:
        """Exactly these bytes of one version of an artifact."""
        return self.http.part(url, start, length, secret=self.secret, version=version, total=total)

    def size(self, url: str) -> int | None:
        """The size of an artifact by a question of its own; None when that is not told either."""
        try:
            told = self.http.head(url, secret=self.secret).headers.get("content-length", "")
        except UnreadableError:
            return None
        return _size(told)

    def put(self, url: str, data: bytes, accepted: Collection[int] = (200, 201, 204)) -> None:
        """Writes an artifact through the server."""
        headers = {"Content-Type": "application/octet-stream"}
        self.http.send("PUT", url, data, headers=headers, secret=self.secret, accepted=accepted)


def _read(answer: Answer, what: str) -> dict[str, json.Json]:
    try:
        told = json.parse(answer.body)
    except UnreadableError:
        told = None
    if not isinstance(told, dict):
        raise unsupported("the answer is not that of an MLflow server: is MLFLOW_TRACKING_URI right?")
    if answer.status == 200:
        return told
    code = json.text(told.get("error_code")) or ""
    if code in _UNKNOWN:
        raise UnreadableError(Reason.MISSING, f"the MLflow server does not know {what}")
    raise unsupported(f"the MLflow server answers {answer.status} to a question about {what}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One name in a folder of artifacts, as the server states it."""

    name: str
    is_folder: bool
    size: int | None  # None: not told, which MLflow does for empty files too

    @property
    def is_plain(self) -> bool:
        """Whether it is the name of something in the folder, and no path."""
        return self.name not in ("", ".", "..") and "/" not in self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxied:
    """Artifacts that the server hands out itself, at a path of its store."""

    server: Server
    root: str

    def listed(self, folder: str) -> list[Item]:
        """The names in a folder below the root."""
        told = self.server.proxied(_joined(self.root, folder))
        # Some versions name the whole path, some only its last part; `folder` itself is in no name.
        return _items(told, (f"{_joined(self.root, folder)}/", f"{folder}/" if folder else ""))

    def url(self, path: str) -> str:
        return self.server.proxied_url(_joined(self.root, path))

    def put(self, path: str, data: bytes) -> None:
        self.server.put(self.url(path), data)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRun:
    """Artifacts of a run, wherever the server keeps them."""

    server: Server
    run: str
    root: str

    def listed(self, folder: str) -> list[Item]:
        """The names in a folder below the root, from as many pages as there are."""
        path = _joined(self.root, folder)
        found: list[Item] = []
        query = {"run_id": self.run, **({"path": path} if path else {})}
        seen: set[str] = set()
        for _ in range(PAGE_COUNT):
            told = self.server.ask(f"the artifacts of run {self.run}", "artifacts/list", query)
            found += _items(told, (f"{path}/" if path else "",))
            token = json.text(told.get("next_page_token"))
            if not token:
                return found
            if token in seen:
                break
            seen.add(token)
            query["page_token"] = token
        raise malformed("the pages of a list of artifacts have no end")

    def url(self, path: str) -> str:
        return self.server.artifact_url(self.run, _joined(self.root, path))

    def put(self, path: str, data: bytes) -> None:  # noqa: ARG002 - see `Proxied`
        """Raises unsupported: the API has no way to write there."""
        raise unsupported(
            "the MLflow server keeps these artifacts where only itself can write: start it with "
            "--artifacts-destination, or publish to the store behind it"
        )


Store = Proxied | OfRun


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _items(told: dict[str, json.Json], before: Iterable[str]) -> list[Item]:
    files = told.get("files", [])
    if not isinstance(files, list):
        raise malformed("the MLflow server lists no files")
    return [_item(json.members(file), tuple(before)) for file in files]


def _item(told: dict[str, json.Json], before: tuple[str, ...]) -> Item:
    """A name that does not lie in the folder keeps its slashes, and is refused by the listing."""
    path = json.text(told.get("path")) or ""
    for prefix in before:
        if prefix and path.startswith(prefix):
            path = path.removeprefix(prefix)
            break
    else:
        path = path if "" in before or "/" not in path else f"../{path}"
    return Item(
        name=path if "/" not in path else f"../{path}",
        is_folder=told.get("is_dir") is True,
        size=_size(told.get("file_size")),
    )


def _size(value: json.Json) -> int | None:
    """64-bit numbers are strings in some encodings of the same API."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    return json.integer(value)
