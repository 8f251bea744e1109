"""A TUF repository on this machine with keys of its own, written by the `tuf` library itself."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

ROLES = ("root", "timestamp", "snapshot", "targets")


class FakeTuf:
    """Serves `folder` over HTTP on the loopback address within `with`; `first_root` is what clients carry."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "targets").mkdir(parents=True)
        self.keys = {role: CryptoSigner.generate_ecdsa() for role in ROLES}
        self._version = 0
        self.address = ""
        self.first_root = self.write_root(signed_by=("root",))

    def write_root(
        self, *, signed_by: tuple[str, ...] = ("root",), more: tuple[CryptoSigner, ...] = ()
    ) -> bytes:
        """The next version of the root role, with the keys of now."""
        self._version += 1
        root = Root(version=self._version, expires=later(), consistent_snapshot=True)
        for role in ROLES:
            root.add_key(self.keys[role].public_key, role)
        signers = [*(self.keys[role] for role in signed_by), *more]
        return self._write(f"{self._version}.root.json", root, signers)

    def rotate_root(self) -> None:
        """A new root key, for which the old one vouches."""
        old = self.keys["root"]
        self.keys["root"] = CryptoSigner.generate_ecdsa()
        self.write_root(more=(old,))

    def publish(self, name: str, data: bytes, *, days: int = 7, version: int = 1) -> None:
        """Makes `data` the one target, under metadata of this version whose time stamp lasts so many days."""
        target = TargetFile.from_data(name, data, ["sha256"])
        (self.folder / "targets" / f"{target.hashes['sha256']}.{name}").write_bytes(data)
        targets = Targets(version=version, expires=later(), targets={name: target})
        self._write(f"{version}.targets.json", targets, [self.keys["targets"]])
        snapshot = Snapshot(version=version, expires=later(), meta={"targets.json": MetaFile(version)})
        self._write(f"{version}.snapshot.json", snapshot, [self.keys["snapshot"]])
        timestamp = Timestamp(version=version, expires=later(days), snapshot_meta=MetaFile(version))
        self._write("timestamp.json", timestamp, [self.keys["timestamp"]])

    def _write(
        self, name: str, role: Root | Snapshot | Targets | Timestamp, signers: list[CryptoSigner]
    ) -> bytes:
        metadata: Metadata[Root | Snapshot | Targets | Timestamp] = Metadata(role)
        for signer in signers:
            metadata.sign(signer, append=True)
        data = metadata.to_bytes()
        (self.folder / name).write_bytes(data)
        return data

    def __enter__(self) -> Self:
        handler = functools.partial(_Handler, directory=str(self.folder))
        self._server = _Server(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        # A client that has had enough of a document without end goes away.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the library
        pass


def later(days: int = 30) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
