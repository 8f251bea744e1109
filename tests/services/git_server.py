"""Git over HTTP on the loopback address: the real `git http-backend` as a CGI program (RFC 3875), and a Git
LFS server that is written from the documentation of git-lfs (docs/api/batch.md, docs/api/basic-transfers.md).
"""

from __future__ import annotations

import base64
import http.server
import json
import os
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit


def backend() -> Path | None:
    """The program, which git keeps beside its other parts."""
    git = shutil.which("git")
    if git is None:
        return None
    folder = subprocess.run([git, "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    program = Path(folder, "git-http-backend")
    return program if program.exists() else None


@dataclass
class GitServer:
    """Serves the bare repositories in `root`, within `with`. What it was asked is in `requests`."""

    root: Path
    objects: dict[str, bytes] = field(default_factory=dict)  # by SHA-256: what LFS has
    password: str = ""  # expected of everybody, when there is one
    redirect: str = ""  # where every request is sent on to
    lfs: bool = True
    expire: int = 0  # how many downloads are denied, as if their address were too old
    requests: list[tuple[str, str]] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> Self:
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server._answer(self)

            def do_POST(self) -> None:
                server._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        body = _body(request)
        self.requests.append((request.command, request.path))
        if self.redirect:
            _send(request, 302, b"", {"Location": self.redirect + request.path})
        elif not self._is_known(request):
            _send(request, 401, b"", {"WWW-Authenticate": 'Basic realm="git"'})
        elif "/info/lfs/" in request.path:
            self._batch(request, body)
        elif request.path.startswith("/storage/"):
            self._download(request)
        else:
            self._git(request, body)

    def _is_known(self, request: http.server.BaseHTTPRequestHandler) -> bool:
        if not self.password or request.path.startswith("/storage/"):
            return True
        given = request.headers.get("Authorization", "").removeprefix("Basic ")
        return base64.b64decode(given).decode().endswith(f":{self.password}")

    def _batch(self, request: http.server.BaseHTTPRequestHandler, body: bytes) -> None:
        if not self.lfs:
            _send(request, 404, b'{"message": "Not found"}', {})
            return
        asked = json.loads(body)
        found = [self._object(each) for each in asked["objects"]]
        answer = {"transfer": "basic", "objects": found, "hash_algo": "sha256"}
        _send(request, 200, json.dumps(answer).encode(), {"Content-Type": "application/vnd.git-lfs+json"})

    def _object(self, asked: dict[str, object]) -> dict[str, object]:
        if asked["oid"] not in self.objects:
            return {**asked, "error": {"code": 404, "message": "Object does not exist"}}
        action = {
            "href": f"{self.url}/storage/{asked['oid']}?signature=hidden",
            "header": {"Authorization": "RemoteAuth token", "X-Storage": "yes"},
            "expires_in": 600,
        }
        return {**asked, "authenticated": True, "actions": {"download": action}}

    def _download(self, request: http.server.BaseHTTPRequestHandler) -> None:
        data = self.objects[urlsplit(request.path).path.rpartition("/")[2]]
        sent = (request.headers.get("Authorization"), request.headers.get("X-Storage"))
        if sent != ("RemoteAuth token", "yes") or self.expire > 0:
            self.expire -= 1
            _send(request, 403, b"", {})
            return
        asked = request.headers.get("Range", "")
        self.ranges.append(asked)
        if not asked:
            _send(request, 200, data, {})
            return
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start = int(first) if first else len(data) - int(last)
        end = min(int(last) if first and last else len(data) - 1, len(data) - 1)
        shown = f"bytes {start}-{end}/{len(data)}"
        _send(request, 206, data[start : end + 1], {"Content-Range": shown, "ETag": '"1"'})

    def _git(self, request: http.server.BaseHTTPRequestHandler, body: bytes) -> None:
        parts = urlsplit(request.path)
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GATEWAY_INTERFACE": "CGI/1.1",
            "REQUEST_METHOD": request.command, "PATH_INFO": unquote(parts.path), "QUERY_STRING": parts.query,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""), "REMOTE_ADDR": "127.0.0.1",
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""), "SERVER_PROTOCOL": "HTTP/1.1",
        }  # fmt: skip
        done = subprocess.run(
            [str(backend())], env=environment, input=body, capture_output=True, check=False, timeout=60
        )
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200 OK").split()[0])
        _send(request, status, answer, headers)


def _body(request: http.server.BaseHTTPRequestHandler) -> bytes:
    if request.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length") or 0))
    body = b""
    while size := int(request.rfile.readline(), 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body


def _send(
    request: http.server.BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]
) -> None:
    try:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body)), "Connection": "close"}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)
    except OSError:  # the client has had enough
        request.close_connection = True
