"""A small server on the loopback address that answers, byte by byte, whatever a test wants it to.

Each answer is raw: nothing corrects a length, a range or a header that is meant to be wrong.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Asked:
    """One request as it came. Names of headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def range(self) -> tuple[int, int] | None:
        """First and last byte that were asked for; a suffix is (-length, -1)."""
        text = self.headers.get("range", "").removeprefix("bytes=")
        first, _, last = text.partition("-")
        if not text:
            return None
        return (int(first), int(last)) if first else (-int(last), -1)


Reply = bytes | Iterator[bytes]
Respond = Callable[[Asked], Reply]


def answer(status: int = 200, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """A complete answer; `length` lies about the body, and then the connection is closed."""
    lines = [
        f"HTTP/1.1 {status} Text",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    if length is not None:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def ranged(data: bytes, *headers: str) -> Respond:
    """Serves ranges of some bytes as RFC 9110 wants them."""

    def respond(asked: Asked) -> bytes:
        if asked.range is None:
            return answer(200, data, *headers)
        first, last = asked.range
        if first < 0:
            first, last = max(0, len(data) + first), len(data) - 1
        last = min(last, len(data) - 1)
        if first > last:
            return answer(416, b"", f"Content-Range: bytes */{len(data)}")
        return partial(data[first : last + 1], f"bytes {first}-{last}/{len(data)}", *headers)

    return respond


def partial(body: bytes, content_range: str, *headers: str) -> bytes:
    return answer(206, body, f"Content-Range: {content_range}", *headers)


def in_turn(*replies: Reply | Respond) -> Respond:
    """Each answer once, the last one again and again."""
    left = list(replies)

    def respond(asked: Asked) -> Reply:
        reply = left.pop(0) if len(left) > 1 else left[0]
        return reply(asked) if callable(reply) else reply

    return respond


def dripped(data: bytes, seconds: float = 0.002) -> Iterator[bytes]:
    """Byte by byte. The connection is closed afterwards."""
    for byte in data:
        yield bytes([byte])
        time.sleep(seconds)


def endless(head: bytes, piece: bytes) -> Iterator[bytes]:
    """A head, and then a piece again and again until the client hangs up."""
    yield head
    while True:
        yield piece


@dataclass
class Server:
    """Answers on a free port of 127.0.0.1 within `with`, each connection in a thread of its own."""

    respond: Respond
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"  # in `url`; the server listens on 127.0.0.1 anyway
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    most_at_once: int = 0

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    @property
    def targets(self) -> list[str]:
        return [each.target for each in self.asked]

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._ended.is_set():
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self.connections += 1
            self._open.add(connection)
        try:
            with suppress(OSError):
                if self.tls:
                    with self._lock:
                        self._open.discard(connection)
                    connection = self.tls.wrap_socket(connection, server_side=True)
                    with self._lock:
                        self._open.add(connection)
                with connection.makefile("rb") as stream:
                    while (asked := _read(stream)) is not None and self._reply(connection, asked):
                        pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _reply(self, connection: socket.socket, asked: Asked) -> bool:
        """Whether the connection is kept."""
        with self._lock:
            self.asked.append(asked)
        reply = self.respond(asked)
        if isinstance(reply, bytes):
            connection.sendall(reply)
            return b"\r\nConnection: close\r\n" not in reply
        for piece in reply:
            if self._ended.is_set():
                return False
            connection.sendall(piece)
        return False


def _read(stream: object) -> Asked | None:
    line = stream.readline().decode("latin-1").split()  # type: ignore[attr-defined]
    if len(line) < 2:
        return None
    headers: dict[str, str] = {}
    while text := stream.readline().decode("latin-1").strip():  # type: ignore[attr-defined]
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))  # type: ignore[attr-defined]
    return Asked(line[0], line[1], headers, body)


@dataclass(frozen=True)
class Authority:
    """A certificate authority that nobody knows, and a server certificate of it."""

    bundle: Path  # what a client has to trust
    context: ssl.SSLContext  # of a server


def authority(folder: Path, *names: str) -> Authority:
    """For these host names and addresses."""
    key, name = ec.generate_private_key(ec.SECP256R1()), _name("Authority of a test")
    own = _certificate(name, name, key.public_key(), key, None)
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    leaf = _certificate(_name(names[0]), name, leaf_key.public_key(), key, names)
    bundle, chain = folder / "authority.pem", folder / "server.pem"
    bundle.write_bytes(own.public_bytes(serialization.Encoding.PEM))
    private = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(private + leaf.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return Authority(bundle, context)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    names: tuple[str, ...] | None,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
    )
    if names is not None:
        alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
