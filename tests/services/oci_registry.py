"""Debian's `docker-registry` (CNCF distribution 2.8) on a free port of the loopback address, until the end.

A real registry without the referrers API. It keeps everything in a folder that a test gives. It trusts the
tokens of `TokenService`, a stand-in written from Docker's "Token Authentication Specification".
"""

from __future__ import annotations

import base64
import http.client
import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

PROGRAM = shutil.which("docker-registry")
START_SECONDS = 30.0
STOP_SECONDS = 10.0


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def started(folder: Path, auth: dict[str, object] | None = None) -> Iterator[str]:
    """`host:port` of a registry that runs within `with`; `auth` is the section of its configuration."""
    assert PROGRAM is not None
    host = f"127.0.0.1:{free_port()}"
    configuration = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}, "delete": {"enabled": True}},
        "http": {"addr": host, "secret": "not one"},
        **({"auth": auth} if auth else {}),
    }
    # YAML holds JSON.
    (folder / "config.yml").write_text(json.dumps(configuration))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, "serve", folder / "config.yml"], stdout=log, stderr=log)
        try:
            _wait(process, host, folder / "log")
            yield host
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], host: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            connection = http.client.HTTPConnection(host, timeout=2)
            connection.request("GET", "/v2/")
            connection.getresponse().read()
            connection.close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"docker-registry does not answer: {log.read_text()[-2_000:]}")


USER, PASSWORD = "robot", "a-password:with-a-colon"
SERVICE, ISSUER = "registry.test", "issuer.test"


@dataclass
class TokenService:
    """Signs tokens for whoever has the password, as `docker-registry` checks them, within `with`."""

    folder: Path
    scopes: list[str] = field(default_factory=list)  # that were asked for
    url: str = ""

    def __enter__(self) -> Self:
        service = self
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._certificate = _self_signed(self._key)
        (self.folder / "root.pem").write_bytes(self._certificate.public_bytes(Encoding.PEM))

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
                query = parse_qs(urlsplit(self.path).query)
                if self.headers.get("Authorization") != f"Basic {known}" or query["service"] != [SERVICE]:
                    self.send_error(401)
                    return
                body = json.dumps({"token": service._token(query["scope"][0])}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/token"
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
    def auth(self) -> dict[str, object]:
        """What the registry has to be told."""
        told = {"realm": self.url, "service": SERVICE, "issuer": ISSUER}
        return {"token": {**told, "rootcertbundle": str(self.folder / "root.pem")}}

    def _token(self, scope: str) -> str:
        """A JSON web token (RFC 7519) with the access that Docker's specification describes."""
        self.scopes.append(scope)
        kind, name, actions = scope.split(":")
        now = int(time.time())
        der = base64.b64encode(self._certificate.public_bytes(Encoding.DER)).decode()
        head = {"typ": "JWT", "alg": "RS256", "x5c": [der]}
        body = {
            "iss": ISSUER, "sub": USER, "aud": SERVICE, "jti": "1", "exp": now + 300, "nbf": now - 10,
            "iat": now,
            "access": [{"type": kind, "name": name, "actions": actions.split(",")}],
        }  # fmt: skip
        signed = f"{_part(json.dumps(head).encode())}.{_part(json.dumps(body).encode())}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_part(signature)}"


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
    now = datetime.now(UTC)
    unsigned = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    dated = unsigned.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    return dated.sign(key, hashes.SHA256())
