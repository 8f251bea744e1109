"""A stand-in for an MLflow server on the loopback address, written from the documentation of its REST API
(mlflow.org: "REST API", and "Tracking Server" for proxied artifacts). It proves nothing about a real one.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

RUN = "0123456789abcdef0123456789abcdef"
LOGGED = "m-0123456789abcdef0123456789abcdef"
ROOT = f"1/{RUN}/artifacts"

_API = "/api/2.0/mlflow/"
_PROXY = "/api/2.0/mlflow-artifacts/artifacts"
Reply = tuple[int, object]


@dataclass
class MlflowFake:
    """One model `m` with versions 1 and 2 of one run, within `with`. Tests change what they need."""

    files: dict[str, bytes] = field(default_factory=dict)  # by path in the proxied store
    uri: str = f"mlflow-artifacts:/{ROOT}"  # of the run
    sources: dict[str, str] = field(
        default_factory=lambda: {"1": f"runs:/{RUN}/model", "2": f"runs:/{RUN}/model"}
    )
    tags: dict[str, str] = field(default_factory=dict)
    authorization: str = ""  # expected of everybody, when there is one
    override: Callable[[str, str, dict[str, str]], Reply | None] = lambda *_: None  # method, path, query
    after_put: Callable[[str], None] = lambda _: None
    requests: list[tuple[str, str]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)  # the Authorization of each request
    bodies: list[dict[str, object]] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> Self:
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                fake._answer(self)

            def do_HEAD(self) -> None:
                fake._answer(self)

            def do_POST(self) -> None:
                fake._answer(self)

            def do_PATCH(self) -> None:
                fake._answer(self)

            def do_PUT(self) -> None:
                fake._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requests.append((request.command, request.path))
        self.sent.append(request.headers.get("Authorization", ""))
        told = self.override(request.command, unquote(parts.path), query)
        if self.authorization and self.sent[-1] != self.authorization:
            told = (401, {"error_code": "UNAUTHENTICATED", "message": "who?"})
        if told is not None:
            _send(request, told[0], told[1])
        elif parts.path == _PROXY:
            _send(request, 200, {"files": self._names(query["path"], whole=False)})
        elif parts.path.startswith(f"{_PROXY}/"):
            self._artifact(request, unquote(parts.path.removeprefix(f"{_PROXY}/")), body)
        elif parts.path == "/get-artifact":
            self._artifact(request, f"{ROOT}/{query['path']}", body)
        else:
            _send(request, *self._api(parts.path.removeprefix(_API), query, body))

    def _names(self, folder: str, *, whole: bool) -> list[dict[str, object]]:
        """The last parts of the names, as the proxy tells them, or whole paths below the run."""
        before = f"{folder}/"
        found: dict[str, dict[str, object]] = {}
        for path, data in self.files.items():
            if path.startswith(before):
                name, more, _ = path.removeprefix(before).partition("/")
                shown = f"{before}{name}".removeprefix(f"{ROOT}/") if whole else name
                size = {"file_size": len(data)} if data and not more else {}  # 0 is left out
                found[name] = {"path": shown, "is_dir": bool(more), **size}
        return list(found.values())

    def _artifact(self, request: http.server.BaseHTTPRequestHandler, path: str, body: bytes) -> None:
        if request.command == "PUT":
            self.files[path] = body
            self.after_put(path)
            _send(request, 200, {})
        elif path not in self.files:
            _send(request, 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "No such artifact"})
        else:
            _ranged(request, self.files[path])

    def _api(self, path: str, query: dict[str, str], body: bytes) -> Reply:
        if body:
            self.bodies.append(json.loads(body))
        name, version = query.get("name"), query.get("version")
        unknown = (404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not found"})
        if name not in (None, "m") or version not in (None, *self.sources) or query.get("run_id", RUN) != RUN:
            return unknown
        if path == f"logged-models/{LOGGED}/tags":
            return 200, {}
        if path in ("model-versions/set-tag", "runs/set-tag"):
            self.tags[str(self.bodies[-1]["key"])] = str(self.bodies[-1]["value"])
            return 200, {}
        if path == "registered-models/alias" and query["alias"] != "champion":
            return 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "alias not found"}
        told = self._told(path, str(version), f"{ROOT}/{query['path']}" if "path" in query else ROOT)
        return (200, told) if told is not None else unknown

    def _told(self, path: str, version: str, folder: str) -> object:
        tags = [{"key": key, "value": value} for key, value in self.tags.items()]
        run = {"info": {"run_id": RUN, "artifact_uri": self.uri}, "data": {"tags": tags}}
        logged = {"model_id": LOGGED, "artifact_uri": f"{self.uri}/model", "source_run_id": RUN}
        answers: dict[str, Callable[[], object]] = {
            "registered-models/alias": lambda: {"model_version": self._version("1")},
            "registered-models/get": lambda: {
                "registered_model": {
                    "name": "m",
                    "latest_versions": [self._version(each) for each in self.sources],
                }
            },
            "model-versions/get": lambda: {"model_version": self._version(version)},
            "model-versions/get-download-uri": lambda: {"artifact_uri": self.sources[version]},
            "runs/get": lambda: {"run": run},
            f"logged-models/{LOGGED}": lambda: {"model": {"info": logged, "data": {}}},
            "artifacts/list": lambda: {"root_uri": self.uri, "files": self._names(folder, whole=True)},
        }
        return answers[path]() if path in answers else None

    def _version(self, version: str) -> dict[str, object]:
        tags = [{"key": key, "value": value} for key, value in self.tags.items()]
        source = self.sources[version]
        return {
            "name": "m",
            "version": version,
            "run_id": RUN,
            "source": source,
            "status": "READY",
            "tags": tags,
        }


def _ranged(request: http.server.BaseHTTPRequestHandler, data: bytes) -> None:
    etag = f'"{hashlib.md5(data).hexdigest()}"'
    asked = request.headers.get("Range", "")
    if not asked:
        _send(request, 200, data, {"ETag": etag})
        return
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start, end = int(first), min(int(last), len(data) - 1)
    headers = {"ETag": etag, "Content-Range": f"bytes {start}-{end}/{len(data)}"}
    _send(request, 206, data[start : end + 1], headers)


def _send(
    request: http.server.BaseHTTPRequestHandler,
    status: int,
    body: object,
    headers: dict[str, str] | None = None,
) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        request.send_response(status)
        for name, value in {
            **(headers or {}),
            "Content-Length": str(len(data)),
            "Connection": "close",
        }.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(data)
    except OSError:  # the client has had enough
        request.close_connection = True
