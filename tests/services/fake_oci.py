"""A small OCI registry on the loopback address, written from the OCI distribution specification 1.1.

For what Debian's `docker-registry` lacks: the referrers API, tokens, and answers that no honest registry
gives. Each route names the end point of the specification ("Endpoints") that it follows. It is no registry
that anybody runs, and proves nothing about one.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.server
import io
import json
import re
import sys
import tarfile
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
RAW = "application/vnd.cncf.model.weight.v1.raw"
TAR = "application/vnd.cncf.model.weight.v1.tar"
TAR_GZIP = "application/vnd.cncf.model.weight.v1.tar+gzip"
FILEPATH = "org.cncf.model.filepath"
TITLE = "org.opencontainers.image.title"
USER, PASSWORD, TOKEN = "robot", "pass:word-0123", "token-0123456789"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def tar_of(members: dict[str, bytes]) -> bytes:
    """An uncompressed archive, the same bytes each time."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def gzip_of(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


@dataclass(frozen=True)
class Reply:
    """An answer that a test puts in the place of the registry's own."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Request:
    method: str
    path: str
    authorization: str | None
    body: bytes = b""


@dataclass
class FakeRegistry:
    """Serves within `with`. `auth` is "", "basic" or "bearer"; `page` bounds what one page lists."""

    native: bool = True
    auth: str = ""
    ranges: bool = True
    page: int = 1_000
    realm: str = ""
    moved: str = ""  # origin that blobs are redirected to
    host: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    replies: dict[tuple[str, str], Reply] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    # What a test puts in without asking the registry.

    def blob(self, data: bytes, media_type: str, **annotations: str) -> dict[str, Any]:
        """Stores bytes; their descriptor. In names of annotations `__` stands for a dot."""
        self.blobs[digest_of(data)] = data
        told = {key.replace("__", "."): value for key, value in annotations.items()}
        return {
            "mediaType": media_type,
            "digest": digest_of(data),
            "size": len(data),
            **({"annotations": told} if told else {}),
        }

    def raw(self, path: str, data: bytes) -> dict[str, Any]:
        return self.blob(data, RAW, **{FILEPATH: path})

    def manifest(self, tag: str, layers: list[Any], **more: Any) -> str:
        """Stores a manifest of ModelPack under a tag; its digest."""
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": "application/vnd.cncf.model.manifest.v1+json",
            "config": self.blob(b"{}", "application/vnd.oci.empty.v1+json"),
            "layers": layers,
            **more,
        }
        return self.store(tag, json.dumps(document).encode(), MANIFEST)

    def index(self, tag: str, manifests: list[Any]) -> str:
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
        return self.store(tag, json.dumps(document).encode(), INDEX)

    def store(self, tag: str, data: bytes, media_type: str) -> str:
        self.manifests[digest_of(data)] = (data, media_type)
        if tag:
            self.tags[tag] = digest_of(data)
        return digest_of(data)

    def descriptor(self, digest: str, **more: Any) -> dict[str, Any]:
        data, media_type = self.manifests[digest]
        return {"mediaType": media_type, "digest": digest, "size": len(data), **more}

    def __enter__(self) -> Self:
        fake = self

        class Handler(_Handler):
            registry = fake

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://{self.host}"


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has read enough goes away; anything else would be a mistake of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(http.server.BaseHTTPRequestHandler):
    registry: FakeRegistry
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one piece: else each answer waits for an acknowledgement

    def do_GET(self) -> None:
        self._route()

    def do_HEAD(self) -> None:
        self._route()

    def do_POST(self) -> None:
        self._route()

    def do_PUT(self) -> None:
        self._route()

    def log_message(self, *_: object) -> None:
        """Nothing: what a test needs stands in `requests`."""

    def _route(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.registry.requests.append(
            Request(self.command, self.path, self.headers.get("Authorization"), body)
        )
        parts = urlsplit(self.path)
        scripted = self.registry.replies.get((self.command, self.path)) or self.registry.replies.get(
            (self.command, parts.path)
        )
        if scripted is not None:
            self._send(scripted.status, scripted.body, dict(scripted.headers))
            return
        if parts.path == "/token":
            self._token()
            return
        if not self._is_known():
            return
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        for pattern, route in _ROUTES:
            if found := re.fullmatch(pattern, parts.path):
                route(self, found[1], query, body)
                return
        self._send(404)

    def _is_known(self) -> bool:
        """Docker registry token authentication; RFC 7617 for Basic."""
        registry = self.registry
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        wanted = {"basic": basic, "bearer": f"Bearer {TOKEN}", "": None}[registry.auth]
        if wanted is None or self.headers.get("Authorization") == wanted:
            return True
        realm = registry.realm or f"{registry.url}/token"
        scope = 'scope="repository:other:*"'  # what a client must not ask for only because it is told to
        kinds = {
            "basic": 'Basic realm="registry"',
            "bearer": f'Bearer realm="{realm}",service="fake",{scope}',
        }
        self._send(401, b"{}", {"WWW-Authenticate": kinds[registry.auth]})
        return False

    def _token(self) -> None:
        """Docker registry token authentication, "Requesting a Token"."""
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == basic:
            self._send(200, json.dumps({"token": TOKEN, "expires_in": 300}).encode())
        else:
            self._send(401)

    def _manifest(self, reference: str, _: dict[str, str], body: bytes) -> None:
        """end-3 (pulling manifests) and end-7 (pushing manifests, with OCI-Subject)."""
        registry = self.registry
        if self.command == "PUT":
            digest = registry.store(
                "" if ":" in reference else reference, body, self.headers.get("Content-Type", "")
            )
            subject = json.loads(body).get("subject", {}).get("digest")
            noted = {"OCI-Subject": subject} if registry.native and subject else {}
            self._send(201, b"", {"Location": self.path, "Docker-Content-Digest": digest, **noted})
            return
        digest = registry.tags.get(reference, reference)
        if digest not in registry.manifests:
            self._send(404)
            return
        data, media_type = registry.manifests[digest]
        self._send(200, data, {"Content-Type": media_type, "Docker-Content-Digest": digest})

    def _blob(self, digest: str, _: dict[str, str], __: bytes) -> None:
        """end-2 (pulling blobs), with ranges as RFC 9110 has them."""
        data = self.registry.blobs.get(digest)
        if data is None:
            self._send(404)
            return
        if self.registry.moved:
            self._send(307, b"", {"Location": f"{self.registry.moved}{self.path}?signature=abc"})
            return
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        if asked is None or not self.registry.ranges:
            self._send(200, data)
            return
        start, end = int(asked[1]), min(int(asked[2]), len(data) - 1)
        if start >= len(data):
            self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        self._send(206, data[start : end + 1], {"Content-Range": f"bytes {start}-{end}/{len(data)}"})

    def _upload(self, session: str, query: dict[str, str], body: bytes) -> None:
        """end-4a (beginning an upload) and end-6 (ending it with all bytes)."""
        if self.command == "POST":
            self._send(202, b"", {"Location": f"{self.path}session?state=1"})
            return
        if digest_of(body) != query.get("digest"):
            self._send(400)
            return
        self.registry.blobs[digest_of(body)] = body
        self._send(201)

    def _tags(self, _: str, query: dict[str, str], __: bytes) -> None:
        """end-8 (listing tags), in order of their characters."""
        last = query.get("last", "")
        names = sorted(tag for tag in self.registry.tags if tag > last)
        page = names[: min(self.registry.page, int(query.get("n", "1000")))]
        link = {"Link": f'<{urlsplit(self.path).path}?n={len(page)}&last={page[-1]}>; rel="next"'}
        body = json.dumps({"name": "model", "tags": page}).encode()
        self._send(200, body, link if len(page) < len(names) else {})

    def _referrers(self, subject: str, query: dict[str, str], _: bytes) -> None:
        """end-12 (listing referrers), with pages by `Link`."""
        if not self.registry.native:
            self._send(404)
            return
        found = []
        for digest, (data, media_type) in sorted(self.registry.manifests.items()):
            document = json.loads(data)
            if (document.get("subject") or {}).get("digest") == subject:
                kind = document.get("artifactType") or document["config"]["mediaType"]
                found.append(
                    {"mediaType": media_type, "digest": digest, "size": len(data), "artifactType": kind}
                )
        start = int(query.get("from", "0"))
        page = found[start : start + self.registry.page]
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": page}).encode()
        more = start + len(page) < len(found)
        link = {"Link": f'<{urlsplit(self.path).path}?from={start + len(page)}>; rel="next"'} if more else {}
        self._send(200, body, {"Content-Type": INDEX, **link})

    def _send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


_REPOSITORY = r"/v2/[a-z0-9/._-]+?"
_ROUTES = (
    (_REPOSITORY + r"/manifests/([^/]+)", _Handler._manifest),
    (_REPOSITORY + r"/blobs/(sha\d+:[0-9a-f]+)", _Handler._blob),
    (_REPOSITORY + r"/blobs/uploads/([^/]*)", _Handler._upload),
    (_REPOSITORY + r"/(tags)/list", _Handler._tags),
    (_REPOSITORY + r"/referrers/([^/]+)", _Handler._referrers),
)
