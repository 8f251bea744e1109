"""The HTTPS server of `aibom admit`: reads a review within bounds, hands it on, sends the answer back.

One thread for each connection, and one request on each. No request changes anything.
"""

from __future__ import annotations

import http.server
import json
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from aibom.cli.environment import TIME
from aibom.domain.text import capped, visible
from aibom.workflows.admit import REVIEW_BYTES, Decision

PATH: Final = "/admit"
HEALTH: Final = "/healthz"
CONNECTION_COUNT: Final = 64  # at a time; the next ones are closed, which an API server takes for a no
CONNECTION_SECONDS: Final = 8.0  # from the first byte of TLS to the last of the answer; webhooks have 10
DECISION_COUNT: Final = 4  # at a time: a parsed review takes several times its bytes of memory
_LOCK: Final = threading.Lock()


def log(event: str, **facts: object) -> None:
    """Writes one line of JSON on standard error."""
    told = {key: capped(visible(value)) if isinstance(value, str) else value for key, value in facts.items()}
    line = json.dumps({"time": datetime.now(UTC).strftime(TIME), "event": event, **told})
    with _LOCK:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


class Server(http.server.ThreadingHTTPServer):
    """Answers reviews by `decide`. Raises OSError when it cannot listen."""

    request_queue_size = 256

    def __init__(
        self, address: tuple[str, int], context: ssl.SSLContext, decide: Callable[[bytes], Decision]
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.decide = decide
        self.deciding = threading.BoundedSemaphore(DECISION_COUNT)
        self._context = context
        self._ends: dict[socket.socket, float] = {}  # of open connections
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        # That of `HTTPServer` asks the name service for the name of this machine.
        socketserver.TCPServer.server_bind(self)

    def get_request(self) -> tuple[socket.socket, Any]:
        plain, address = super().get_request()
        plain.settimeout(CONNECTION_SECONDS)
        # The handshake waits for the thread of the connection: a silent client holds up nobody.
        wrapped = self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        return wrapped, address

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - the base class calls it
        if len(self._ends) >= CONNECTION_COUNT:
            log("refused", reason=f"more than {CONNECTION_COUNT} connections at a time")
            return False
        self._ends[request] = time.monotonic() + CONNECTION_SECONDS
        return True

    def shutdown_request(self, request: Any) -> None:
        self._ends.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Ends connections whose time is over; who sends a byte now and then is caught here."""
        now = time.monotonic()
        for connection, end in list(self._ends.items()):
            if now > end:
                try:
                    # Not that of `SSLSocket`, which would let its thread go on without encryption.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
                except OSError:  # ended by itself
                    continue

    def drain(self) -> None:
        """Waits for the answers that are being made, as long as a connection may last."""
        until = time.monotonic() + CONNECTION_SECONDS
        while self._ends and time.monotonic() < until:
            time.sleep(0.02)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class calls it
        error = sys.exception()
        log("connection-failed", error=type(error).__name__, detail=str(error))


class Handler(http.server.BaseHTTPRequestHandler):
    """One request. Whatever is no review is answered with an error, which an API server takes for a no."""

    server: Server
    timeout = CONNECTION_SECONDS
    server_version = "aibom"
    sys_version = ""
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(message)s\n"

    def do_GET(self) -> None:
        if self.path != HEALTH:
            self.send_error(HTTPStatus.NOT_FOUND, f"reviews are posted to {PATH}, health is at {HEALTH}")
            return
        self._send(HTTPStatus.OK, b"ok\n", "text/plain; charset=utf-8")

    def do_POST(self) -> None:
        # API servers add their own time limit to the path: `/admit?timeout=10s`.
        if self.path.partition("?")[0] != PATH:
            self.send_error(HTTPStatus.NOT_FOUND, f"reviews are posted to {PATH}")
            return
        size = self._size()
        if size is None:
            return
        body = self.rfile.read(size)
        if len(body) != size:
            self.send_error(HTTPStatus.BAD_REQUEST, "the review ended too early")
            return
        started = time.monotonic()
        with self.server.deciding:
            decision = self.server.decide(body)
        spent = round((time.monotonic() - started) * 1_000, 1)
        log(
            "decision", allowed=decision.allowed, message=decision.message, uid=decision.uid,
            milliseconds=spent, **dict(decision.about),
        )  # fmt: skip
        status = HTTPStatus.OK if decision.uid else HTTPStatus.BAD_REQUEST
        self._send(status, decision.answer(), "application/json")

    def _size(self) -> int | None:
        """The length of the body; None when it was refused and answered."""
        if self.headers.get_content_type() != "application/json":
            self.send_error(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a review is application/json")
            return None
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self.send_error(HTTPStatus.LENGTH_REQUIRED, "a review has a Content-Length")
            return None
        if len(length) > 12 or int(length) > REVIEW_BYTES:
            message = f"a review has at most {REVIEW_BYTES:,} bytes: make the object smaller"
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
            return None
        return int(length)

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: decisions are logged, and errors."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        log("request-refused", client=str(self.client_address[0]), detail=format % args)
