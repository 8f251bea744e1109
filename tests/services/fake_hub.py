"""A small Hugging Face Hub in memory, on the loopback address, written from the documentation.

It is not the Hub and proves nothing about it. Each route names the page that it follows: "API" is Hub API
Endpoints (https://huggingface.co/.well-known/openapi.md), "client" the reference of huggingface_hub 2.4.0
(https://huggingface.co/docs/huggingface_hub/package_reference/hf_api), "docs" https://huggingface.co/docs/hub.
A second server with another port is the content network that large files are redirected to.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

from aibom.sources.http import Http
from aibom.sources.hub import PLACE, HubSource
from aibom.sources.opening import Opening

# What the Hub's default .gitattributes puts into LFS (docs, "Git LFS"), as far as tests use it.
LARGE = (".safetensors", ".bin", ".pt", ".gguf", ".onnx", ".h5", ".parquet", ".zip", ".pkl")
REGULAR_BYTES = 10_000_000


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, value: object, *headers: tuple[str, str], status: int = 200) -> Reply:
        return cls(status, json.dumps(value).encode(), (("Content-Type", "application/json"), *headers))


@dataclass
class Request:
    """What a client sent. `headers` have lower-case names."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    target: str  # path and query as they were sent
    sent: int = 0  # bytes of the answer's body

    @property
    def token(self) -> str | None:
        return self.headers.get("authorization", "").removeprefix("Bearer ") or None


@dataclass
class Repo:
    """A repository: commits by id, branches, and open pull requests by number."""

    kind: str
    name: str
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, str] = field(default_factory=dict)  # title
    private: bool = False
    gated: str | bool = False
    disabled: bool = False
    scan: dict[str, object] | None = None

    def commit(self, files: dict[str, bytes], ref: str = "main") -> str:
        """A commit with these files and no others."""
        count = f"{self.kind} {self.name} {len(self.commits)}"
        made = hashlib.sha1(count.encode(), usedforsecurity=False).hexdigest()
        self.commits[made] = dict(files)
        self.refs[ref] = made
        return made

    def at(self, revision: str) -> str | None:
        return revision if revision in self.commits else self.refs.get(revision)


@cache
def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@cache
def git_oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def is_large(path: str, data: bytes) -> bool:
    return path.endswith(LARGE) or len(data) > REGULAR_BYTES


@dataclass
class FakeHub:
    """Serves repositories within `with`. `tokens` are accepted for everything.

    `tamper` sees every request first (those of the content network with `/cdn/` in front) and may answer.
    """

    tokens: set[str] = field(default_factory=set)
    repos: dict[tuple[str, str], Repo] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    collections: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)  # to the Hub itself
    fetched: list[Request] = field(default_factory=list)  # to the content network
    tamper: Callable[[Request], Reply | None] = lambda _: None
    pauses: list[float] = field(default_factory=list)  # seconds that our client would have waited
    page: int = 1_000  # entries of one page
    signature: int = 1  # in addresses of the content network; an older one is refused
    url: str = ""
    cdn: str = ""

    def add(self, name: str, files: dict[str, bytes], kind: str = "models", **settings: Any) -> Repo:
        repo = Repo(kind, name, **settings)
        repo.commit(files)
        self.repos[kind, name] = repo
        return repo

    def opening(self, token: str = "", **settings: Any) -> Opening:
        """An opening for which this is the Hub, and the content network a public host. Waits take no time."""
        http = Http(allowed=[self.cdn.removeprefix("http://")], pause=self.pauses.append)
        environment = {"HF_ENDPOINT": self.url} | ({"HF_TOKEN": token} if token else {})
        return Opening(network=lambda: http, environment=environment, **settings)

    def source(self, target: str, token: str = "", **settings: Any) -> HubSource:
        found = PLACE.open(target, self.opening(token, **settings))
        assert isinstance(found, HubSource)
        return found

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        with ExitStack() as stack:
            self.url = stack.enter_context(_Server(self._hub))
            self.cdn = stack.enter_context(_Server(self._cdn))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _hub(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            return self.tamper(request) or self._routed(request)

    def _routed(self, request: Request) -> Reply:
        for method, pattern, route in _ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and method in (request.method, request.method.replace("HEAD", "GET")):
                return route(self, request, *map(unquote, found.groups()))
        return Reply(404)

    def _repo(self, request: Request, kind: str, name: str) -> Repo | Reply:
        """The repository, or why it is not shown (docs, "Gated models"; client, `hf_raise_for_status`).

        Without a valid token a name that does not exist and one that is private look the same: 401.
        """
        if request.token is not None and request.token not in self.tokens:
            return _refused(401, "", "Invalid credentials in Authorization header")
        if name in self.renamed:
            target = request.target.replace(name, self.renamed[name], 1)
            return Reply(307, headers=(("Location", target),))
        repo = self.repos.get((kind, name))
        if repo is None or (repo.private and request.token is None):
            status = 401 if request.token is None else 404
            return _refused(status, "RepoNotFound", "Repository not found")
        if repo.disabled:
            return _refused(403, "", "Access to this resource is disabled.")
        return repo

    def _info(self, request: Request, kind: str, name: str, revision: str = "main") -> Reply:
        """API: GET /api/models/{namespace}/{repo}/revision/{rev}; client: `model_info`."""
        repo = self._repo(request, kind, name)
        if isinstance(repo, Reply):
            return repo
        commit = repo.at(revision)
        if commit is None:
            return _refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        told: dict[str, object] = {"_id": "1", "id": repo.name, "sha": commit, "private": repo.private}
        told |= {"gated": repo.gated, "disabled": repo.disabled}
        if "expand" not in request.query:
            told |= {"siblings": [{"rfilename": path} for path in repo.commits[commit]], "tags": []}
            if request.query.get("securityStatus") == ["true"] and repo.scan is not None:
                told["securityRepoStatus"] = repo.scan
        return Reply.of(told)

    def _tree(self, request: Request, kind: str, name: str, revision: str) -> Reply:
        """API: GET /api/models/{namespace}/{repo}/tree/{rev}/{path}; client: `list_repo_tree`."""
        repo = self._repo(request, kind, name)
        if isinstance(repo, Reply):
            return repo
        commit = repo.at(revision)
        if commit is None:
            return _refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        files = repo.commits[commit]
        items = [_entry(path, data) for path, data in sorted(files.items())]
        if request.query.get("recursive") != ["true"]:
            items = [item for item in items if "/" not in str(item["path"])]
        folders = sorted({path.rpartition("/")[0] for path in files} - {""})
        items += [{"type": "directory", "oid": "0" * 40, "size": 0, "path": path} for path in folders]
        return self._paged(request, items)

    def _paged(self, request: Request, items: list[dict[str, object]]) -> Reply:
        """client, `list_repo_tree`: it follows the `Link` (RFC 8288) to the next page."""
        start = int(request.query.get("cursor", ["0"])[0])
        end = start + self.page
        if end >= len(items):
            return Reply.of(items[start:])
        more = "&".join(f"{name}={value}" for name, (value, *_) in request.query.items() if name != "cursor")
        link = f'<{self.url}{quote(request.path)}?{more}&cursor={end}>; rel="next"'
        return Reply.of(items[start:end], ("Link", link))

    def _resolve(self, request: Request, prefix: str, name: str, revision: str, path: str) -> Reply:
        """API, "Resolve a file"; client: `get_hf_file_metadata` names the headers."""
        repo = self._repo(request, (prefix or "models/").rstrip("/"), name)
        if isinstance(repo, Reply):
            return repo
        if repo.gated and request.token is None:
            return _refused(401, "GatedRepo", f"Access to model {name} is restricted.")
        commit = repo.at(revision)
        data = repo.commits[commit].get(path) if commit else None
        if commit is None or data is None:
            return _refused(404, "EntryNotFound", "Entry not found")
        known = (("X-Repo-Commit", commit),)
        if not is_large(path, data):
            return _ranged(request, data, ("ETag", f'"{git_oid(data)}"'), *known)
        content = sha256(data)
        return Reply(
            302,
            headers=(
                ("Location", f"{self.cdn}/{content}?signature={self.signature}"),
                ("X-Linked-Etag", f'"{content}"'),
                ("X-Linked-Size", str(len(data))),
                *known,
            ),
        )

    def _cdn(self, request: Request) -> Reply:
        """RFC 9110, 14. That the ETag is none of the Hub's: nullata/llamaMan, issue 70."""
        with self._lock:
            self.fetched.append(request)
            shown = Request(**{**request.__dict__, "path": f"/cdn{request.path}"})
            answer = self.tamper(shown)
            if answer is not None:
                return answer
            if request.query.get("signature") != [str(self.signature)]:
                return Reply(403, b"<Error><Code>AccessDenied</Code></Error>")
            everything = (data for repo in self.repos.values() for files in repo.commits.values()
                          for data in files.values())  # fmt: skip
            content = request.path.strip("/")
            data = next((each for each in everything if sha256(each) == content), None)
            if data is None:
                return Reply(404)
            own = sha256(f"the name in the content network of {content}".encode())
            return _ranged(request, data, ("ETag", f'"{own}"'))

    def _listing(self, request: Request, kind: str) -> Reply:
        """API: GET /api/models; client: `list_models(author=...)`."""
        author = request.query.get("author", [""])[0].lower()
        seen = [
            repo for repo in self.repos.values() if repo.kind == kind and (request.token or not repo.private)
        ]
        names = sorted(repo.name for repo in seen if repo.name.lower().startswith(f"{author}/"))
        return self._paged(request, [{"_id": "1", "id": name, "private": False} for name in names])

    def _collection(self, _: Request, slug: str) -> Reply:
        """API: GET /api/collections/{namespace}/{slug}-{id}; client: `get_collection`."""
        if slug not in self.collections:
            return _refused(404, "RepoNotFound", "Collection not found")
        items = [
            {"_id": str(at), "id": name, "type": kind, "position": at}
            for at, (kind, name) in enumerate(self.collections[slug])
        ]
        told = {"slug": slug, "title": slug, "owner": {"name": slug.partition("/")[0]}, "items": items}
        more = {"lastUpdated": "2026-01-01T00:00:00.000Z", "position": 0, "private": False, "theme": "blue",
                "upvotes": 0}  # fmt: skip
        return Reply.of(told | more)

    def _preupload(self, request: Request, kind: str, name: str, _: str) -> Reply:
        """API: POST /api/models/{namespace}/{repo}/preupload/{rev}."""
        repo = self._repo(request, kind, name)
        if isinstance(repo, Reply):
            return repo
        asked = json.loads(request.body)["files"]
        large = (each["path"].endswith(LARGE) or each["size"] > REGULAR_BYTES for each in asked)
        modes = [
            {"path": each["path"], "shouldIgnore": False, "uploadMode": "lfs" if is_lfs else "regular"}
            for each, is_lfs in zip(asked, large, strict=True)
        ]
        return Reply.of({"files": modes})

    def _commit(self, request: Request, kind: str, name: str, revision: str) -> Reply:
        """API: POST /api/models/{namespace}/{repo}/commit/{rev}; client: `create_commit`.

        That a parent which is not the head any more gives 412: huggingface/funes, pull request 69.
        """
        repo = self._repo(request, kind, name)
        if isinstance(repo, Reply):
            return repo
        if request.token is None:
            return _refused(401, "", "Unauthorized")
        lines = [json.loads(line) for line in request.body.splitlines()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        head = repo.refs.get(revision)
        if head is None:
            return _refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if header.get("parentCommit", head) != head:
            return _refused(412, "", "A commit has happened since. Please refresh and try again.")
        files = dict(repo.commits[head])
        for line in lines:
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        told: dict[str, object] = {"success": True, "hookOutput": "", "pullRequestUrl": None}
        if request.query.get("create_pr") == ["1"]:
            number = len(repo.pulls) + 1
            repo.pulls[number] = header["summary"]
            made = repo.commit(files, f"refs/pr/{number}")
            told["pullRequestUrl"] = f"{self.url}/{name}/discussions/{number}"
        else:
            made = repo.commit(files, revision)
        return Reply.of(told | {"commitOid": made, "commitUrl": f"{self.url}/{name}/commit/{made}"})

    def _discussions(self, request: Request, kind: str, name: str) -> Reply:
        """API: GET /api/models/{namespace}/{repo}/discussions; client: `get_repo_discussions`."""
        repo = self._repo(request, kind, name)
        if isinstance(repo, Reply):
            return repo
        told = [
            {"num": number, "title": title, "isPullRequest": True, "status": "open"}
            for number, title in repo.pulls.items()
        ]
        return Reply.of({"discussions": told, "count": len(told), "start": 0})


def _entry(path: str, data: bytes) -> dict[str, object]:
    told: dict[str, object] = {"type": "file", "oid": git_oid(data), "size": len(data), "path": path}
    if is_large(path, data):
        content = sha256(data)
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{content}\nsize {len(data)}\n"
        told["oid"] = git_oid(pointer.encode())
        told["lfs"] = {"oid": content, "size": len(data), "pointerSize": len(pointer)}
        told["xetHash"] = sha256(f"the xet hash of {content}".encode())
    return told


def _refused(status: int, code: str, message: str) -> Reply:
    """client, `hf_raise_for_status`: why, in headers."""
    headers = (("X-Error-Code", code),) if code else ()
    return Reply.of({"error": message}, *headers, ("X-Error-Message", message), status=status)


def _ranged(request: Request, data: bytes, *headers: tuple[str, str]) -> Reply:
    """RFC 9110, 14: one range, or everything."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    if found is None:
        return Reply(200, data, (("Accept-Ranges", "bytes"), *headers))
    start, end = found[1], found[2]
    first = int(start) if start else max(0, len(data) - int(end))
    last = min(int(end), len(data) - 1) if start and end else len(data) - 1
    if first > last:
        return Reply(416)
    return Reply(
        206, data[first : last + 1], (("Content-Range", f"bytes {first}-{last}/{len(data)}"), *headers)
    )


_KIND, _NAME = "(models|datasets|spaces)", r"([^/]+/[^/]+|[^/]+)"
_ROUTES: tuple[tuple[str, str, Callable[..., Reply]], ...] = (
    ("GET", f"/api/{_KIND}", FakeHub._listing),
    ("GET", f"/api/{_KIND}/{_NAME}/revision/([^/]+)", FakeHub._info),
    ("GET", f"/api/{_KIND}/{_NAME}/tree/([^/]+)", FakeHub._tree),
    ("GET", f"/api/{_KIND}/{_NAME}/discussions", FakeHub._discussions),
    ("POST", f"/api/{_KIND}/{_NAME}/preupload/([^/]+)", FakeHub._preupload),
    ("POST", f"/api/{_KIND}/{_NAME}/commit/([^/]+)", FakeHub._commit),
    ("GET", "/api/collections/(.+)", FakeHub._collection),
    ("GET", f"/api/{_KIND}/{_NAME}", FakeHub._info),
    ("GET", f"/(datasets/|spaces/|){_NAME}/resolve/([^/]+)/(.+)", FakeHub._resolve),
)


class _Server:
    """One HTTP server on a free port of the loopback address."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                query = parse_qs(parts.query, keep_blank_values=True)
                request = Request(self.command, parts.path, query, headers, body, self.path)
                reply = answer(request)
                request.sent = len(reply.body) if self.command != "HEAD" else 0
                self.send_response(reply.status)
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                try:
                    self.wfile.write(reply.body if self.command != "HEAD" else b"")
                except OSError:  # the client has had enough
                    self.close_connection = True

            do_GET = do_HEAD = do_POST = _answer  # noqa: N815 - the names of the library

            def log_message(self, *_: object) -> None:
                pass

        Handler.wbufsize = -1  # headers and body together: a delayed acknowledgement costs 40 ms
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.002})

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
