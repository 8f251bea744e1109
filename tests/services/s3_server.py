"""A real S3 server of others for tests: `moto_server` (PyPI: moto), on loopback, with two buckets."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

READY_SECONDS = 90
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing-secret", "AWS_REGION": "us-east-1"}


class CannotStartError(Exception):
    """The program is missing, or does not answer."""


@dataclass(frozen=True)
class S3Server:
    """A running server. `environment` is what a user would have set."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        return {**KEYS, "AWS_ENDPOINT_URL_S3": self.url}

    def client(self) -> Any:
        """An independent client: plain boto3."""
        import boto3  # noqa: PLC0415 - only where the server runs

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def bucket(self, name: str, *, versioned: bool) -> Any:
        """Makes a bucket, and gives the client."""
        client = self.client()
        client.create_bucket(Bucket=name)
        if versioned:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return client


@contextmanager
def running() -> Iterator[S3Server]:
    """Starts the server and always ends it. Raises `CannotStartError`."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        raise CannotStartError("moto_server is not installed: pip install 'moto[server]'")
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        command, env=_environment(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(process, port)
        yield S3Server(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(outer: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in outer.items() if not name.startswith("AWS_")}
    return {**kept, "PYTHONWARNINGS": "ignore"}


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise CannotStartError("moto_server ended at once")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise CannotStartError(f"moto_server did not answer within {READY_SECONDS} seconds")
