"""A stub of Dependency-Track on the loopback address, written from the documentation of its API.

It answers uploads and questions about tokens with what a test scripts; it is no Dependency-Track, and
proves nothing about one.
"""

from __future__ import annotations

import http.server
import json
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from types import TracebackType
from typing import Self

TOKEN = "1f0c6f7e-6c1b-4a8e-9c5e-1d2e3f405162"


@dataclass(frozen=True)
class Reply:
    """One answer. With `drip`, so many seconds pass before each byte of the body."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    drip: float = 0.0


@dataclass
class Request:
    """What a client sent."""

    method: str
    path: str
    key: str | None
    headers: dict[str, str]
    fields: dict[str, bytes]


def token() -> Reply:
    return Reply(body=json.dumps({"token": TOKEN}).encode())


def processing(*, value: bool) -> Reply:
    return Reply(body=json.dumps({"processing": value}).encode())


def problem(status: int, **members: object) -> Reply:
    document = {"status": status, "title": "The uploaded BOM is invalid", **members}
    return Reply(status=status, body=json.dumps(document).encode(), kind="application/problem+json")


@dataclass
class FakeDependencyTrack:
    """Serves `replies` in order, the last one again and again, within `with`."""

    replies: list[Reply]
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> Self:
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self._answer()

            def do_GET(self) -> None:
                self._answer()

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fake._note(self, body)
                reply = fake.replies.pop(0) if len(fake.replies) > 1 else fake.replies[0]
                self.send_response(reply.status)
                for name, value in (("Content-Type", reply.kind), *reply.headers):
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self._write(reply)

            def _write(self, reply: Reply) -> None:
                try:
                    for byte in reply.body if reply.drip else ():
                        time.sleep(reply.drip)
                        self.wfile.write(bytes([byte]))
                    if not reply.drip:
                        self.wfile.write(reply.body)
                except OSError:  # the client has had enough
                    self.close_connection = True

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

    def _note(self, handler: http.server.BaseHTTPRequestHandler, body: bytes) -> None:
        fields = {}
        kind = handler.headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data"):
            head = f"Content-Type: {kind}\r\n\r\n".encode()
            message = message_from_bytes(head + body, policy=policy.HTTP)
            for part in message.iter_parts():
                name = part.get_param("name", header="content-disposition")
                fields[str(name)] = part.get_payload(decode=True)
        self.requests.append(
            Request(
                handler.command, handler.path, handler.headers.get("X-Api-Key"), dict(handler.headers), fields
            )
        )
