"""A small S3 in this process, written from the Amazon S3 API reference, that can also be hostile.

It knows: GetBucketVersioning, ListObjectsV2, ListObjectVersions, HeadObject, GetObject with one range, and
PutObject with conditions. It checks no signatures. `twist` may answer instead of it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1_000
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret-of-the-test"}


@dataclass(kw_only=True)
class Reply:
    """An answer as it goes out; `length` is what it claims to be long."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    length: int | None = None
    drip: float = 0.0  # seconds before each byte


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came in."""

    method: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Object:
    data: bytes
    version: str
    headers: Mapping[str, str]
    listed_size: int

    @property
    def etag(self) -> str:
        return self.headers.get("ETag") or f'"{hashlib.md5(self.data).hexdigest()}"'


class FakeS3:
    """One bucket, `models`. `objects` holds all versions of each key, the newest last."""

    def __init__(self) -> None:
        self.objects: dict[str, list[Object]] = {}
        self.asked: list[Asked] = []
        self.versioning = ""
        self.page = PAGE
        self.twist: Callable[[Asked], Reply | None] = lambda _: None
        self.sent = 0  # bytes of bodies
        self.url = ""
        self._count = 0

    @property
    def environment(self) -> dict[str, str]:
        return {**KEYS, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": self.url}

    def reset(self) -> None:
        """As it was new."""
        self.objects, self.asked, self.versioning, self.page = {}, [], "", PAGE
        self.twist = lambda _: None
        self.sent = 0

    def put(self, key: str, data: bytes, *, size: int | None = None, **headers: str) -> Object:
        self._count += 1
        made = Object(
            data=data,
            version=f"v{self._count}" if self.versioning else "null",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            listed_size=len(data) if size is None else size,
        )
        self.objects[key] = [*(self.objects.get(key, []) if self.versioning else []), made]
        return made

    def reply(self, asked: Asked) -> Reply:
        if asked.key == "":
            return self._of_bucket(asked.query)
        if asked.method == "PUT":
            return self._put(asked)
        found = self._found(asked)
        if found is None:
            return error(404, "NoSuchKey")
        return _object(asked, found, total=found.listed_size)

    def _found(self, asked: Asked) -> Object | None:
        versions = self.objects.get(asked.key, [])
        wanted = asked.query.get("versionId")
        return next((each for each in reversed(versions) if wanted in (None, each.version)), None)

    def _of_bucket(self, query: Mapping[str, str]) -> Reply:
        if "versioning" in query:
            status = f"<Status>{self.versioning}</Status>" if self.versioning else ""
            return xml(f"<VersioningConfiguration>{status}</VersioningConfiguration>")
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        after = query.get("continuation-token") or query.get("key-marker") or ""
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        if delimiter:
            keys = [key for key in keys if delimiter not in key.removeprefix(prefix)]
        page = keys[: min(self.page, int(query.get("max-keys", PAGE)))]
        return listing(self._rows(page), more=page[-1] if page and page != keys else "", query=query)

    def _rows(self, keys: list[str]) -> list[tuple[str, Object, bool]]:
        return [(key, each, each is self.objects[key][-1]) for key in keys for each in self.objects[key]]

    def _put(self, asked: Asked) -> Reply:
        existing = self._found(asked)
        if asked.headers.get("if-none-match") == "*" and existing:
            return error(412, "PreconditionFailed")
        wanted = asked.headers.get("if-match")
        if wanted and (existing is None or wanted != existing.etag):
            return error(412, "PreconditionFailed") if existing else error(404, "NoSuchKey")
        made = self.put(asked.key, asked.body)
        return Reply(headers={"ETag": made.etag, "x-amz-version-id": made.version})


def _object(asked: Asked, found: Object, total: int) -> Reply:
    if asked.headers.get("if-match", found.etag) != found.etag:
        return error(412, "PreconditionFailed")
    version = {"x-amz-version-id": found.version} if found.version != "null" else {}
    headers = {"ETag": found.etag, **version, **found.headers}
    if asked.method == "HEAD":
        return Reply(headers=headers, length=total)
    start, _, end = asked.headers["range"].removeprefix("bytes=").partition("-")
    body = found.data[int(start) : int(end) + 1]
    headers["Content-Range"] = f"bytes {start}-{int(start) + len(body) - 1}/{total}"
    return Reply(status=206, headers=headers, body=body)


def xml(text: str, status: int = 200) -> Reply:
    return Reply(status=status, headers={"Content-Type": "application/xml"}, body=text.encode())


def error(status: int, code: str) -> Reply:
    return xml(f"<Error><Code>{code}</Code><Message>secret-of-the-server</Message></Error>", status)


def listing(rows: list[tuple[str, Object, bool]], *, more: str, query: Mapping[str, str]) -> Reply:
    """The two listings; keys are percent-encoded because `encoding-type=url` was asked for."""
    versions = "versions" in query
    items, token = "", escape(quote(more))
    for key, each, is_latest in rows:
        what = f"<Key>{escape(quote(key))}</Key><Size>{each.listed_size}</Size><ETag>{each.etag}</ETag>"
        if versions:
            what += f"<VersionId>{each.version}</VersionId><IsLatest>{str(is_latest).lower()}</IsLatest>"
        if versions or is_latest:
            items += f"<Version>{what}</Version>" if versions else f"<Contents>{what}</Contents>"
    marker = "NextKeyMarker" if versions else "NextContinuationToken"
    token = token if versions else escape(more)
    end = f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>" + (
        f"<{marker}>{token}</{marker}>" * bool(more)
    )
    name = "ListVersionsResult" if versions else "ListBucketResult"
    return xml(f"<{name}><EncodingType>url</EncodingType>{items}{end}</{name}>")


@contextmanager
def serving() -> Iterator[FakeS3]:
    """A fake on a free port of loopback."""
    fake, stopped = FakeS3(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # headers and body in one packet: the second would wait 40 ms

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            _, _, key = unquote(parts.path).removeprefix("/").partition("/")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(
                method=self.command,
                key=key,
                query={
                    name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()
                },
                headers={name.lower(): value for name, value in self.headers.items()},
                body=body,
            )
            fake.asked.append(asked)
            try:
                self._send(fake.twist(asked) or fake.reply(asked))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            length = len(reply.body) if reply.length is None else reply.length
            for name, value in {**reply.headers, "Content-Length": str(length)}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            if length > len(reply.body):
                self.close_connection = True
            pieces = [bytes([each]) for each in reply.body] if reply.drip else [reply.body]
            for piece in pieces:
                if reply.drip and stopped.wait(reply.drip):
                    return
                fake.sent += len(piece)  # before the client can go on
                self.wfile.write(piece)
                self.wfile.flush()

        do_GET = do_HEAD = do_PUT = _serve  # noqa: N815

        def handle_expect_100(self) -> bool:
            goes_on = super().handle_expect_100()
            self.wfile.flush()
            return goes_on

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            stopped.set()
            server.shutdown()
            thread.join()
