"""Ranges, versions and sizes as a real server has them: nginx over a folder."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import MIB
from aibom.fingerprint.one_pass import fingerprint
from aibom.sources.http import Http
from aibom.sources.remote_file import PIECE_BYTES, RemoteFile

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: nginx-light)"),
]

DATA = random.Random(3).randbytes(20 * MIB + 17)
CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  types {{ application/json json; }} default_type application/octet-stream;
  gzip on; gzip_types application/json; gzip_min_length 1;
  server {{
    listen 127.0.0.1:{port}; root {folder}/files;
    location /moved/ {{ return 302 /model.bin; }}
    location /whole/ {{ alias {folder}/files/; max_ranges 0; }}
  }}
}}
"""


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    files = folder / "files"
    files.mkdir()
    (files / "model.bin").write_bytes(DATA)
    (files / "config.json").write_text('{"a": 1}' * 1_000)
    (files / "empty").write_bytes(b"")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(user + CONFIGURATION.format(folder=folder, port=port))
    assert NGINX is not None
    arguments = [NGINX, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(arguments) as server:
        try:
            _await(port, server)
            yield f"http://127.0.0.1:{port}", files
        finally:
            server.terminate()
            server.wait(10)


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert server.poll() is None, "nginx ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("nginx does not listen")


@pytest.fixture
def http(nginx: tuple[str, Path]) -> Iterator[Http]:
    made = Http(pause=lambda _: None)
    made.named(nginx[0])
    yield made
    made.close()


@pytest.mark.parametrize("path", ["model.bin", "moved/x", "whole/model.bin"])
@pytest.mark.parametrize(("start", "length"), [(0, 1), (0, 100_000), (5_000_000, 3_000), (7, MIB)])
def test_a_range_is_that_of_the_file(
    path: str, start: int, length: int, nginx: tuple[str, Path], http: Http
) -> None:
    part = http.part(f"{nginx[0]}/{path}", start, length)
    assert (part.data, part.start, part.total) == (DATA[start : start + length], start, len(DATA))
    assert part.version.startswith('"')


def test_the_end_tells_the_size(nginx: tuple[str, Path], http: Http) -> None:
    part = http.part(f"{nginx[0]}/model.bin", -1, 100)
    assert (part.data, part.start, part.total) == (DATA[-100:], len(DATA) - 100, len(DATA))


@pytest.mark.parametrize(
    ("path", "start"), [("model.bin", len(DATA)), ("model.bin", len(DATA) - 1), ("empty", 0)]
)
def test_a_range_behind_the_end_is_truncated(
    path: str, start: int, nginx: tuple[str, Path], http: Http
) -> None:
    with pytest.raises(UnreadableError) as caught:
        http.part(f"{nginx[0]}/{path}", start, 10)
    assert caught.value.reason is Reason.TRUNCATED


def test_the_end_of_an_empty_file_is_empty(nginx: tuple[str, Path], http: Http) -> None:
    part = http.part(f"{nginx[0]}/empty", -1, 10)
    assert (part.data, part.total) == (b"", 0)


def test_a_version_holds_until_the_file_is_replaced(nginx: tuple[str, Path], http: Http) -> None:
    url, files = nginx
    (files / "other").write_bytes(b"first")
    version = http.part(f"{url}/other", 0, 5).version
    assert http.part(f"{url}/other", 0, 5, version=version).data == b"first"
    (files / "other").write_bytes(b"second")
    with pytest.raises(UnreadableError) as caught:
        http.part(f"{url}/other", 0, 5, version=version)
    assert caught.value.reason is Reason.CHANGED


def test_nothing_is_compressed_that_nobody_wants_compressed(nginx: tuple[str, Path], http: Http) -> None:
    url, files = nginx
    answer = http.get(f"{url}/config.json")
    assert "content-encoding" not in answer.headers
    assert answer.body == (files / "config.json").read_bytes()
    squeezed = http.get(f"{url}/config.json", headers={"Accept-Encoding": "gzip"})
    assert squeezed.headers["content-encoding"] == "gzip"
    assert squeezed.body == answer.body


def test_a_missing_file_is_missing(nginx: tuple[str, Path], http: Http) -> None:
    with pytest.raises(UnreadableError) as caught:
        http.head(f"{nginx[0]}/nothing")
    assert caught.value.reason is Reason.MISSING


def test_the_digest_of_a_streamed_file_is_that_of_the_file(nginx: tuple[str, Path], http: Http) -> None:
    url = f"{nginx[0]}/model.bin"
    file = RemoteFile(lambda *span: http.part(url, *span).data, len(DATA), name="model.bin", whole=True)
    assert fingerprint(file, None).digests[0].value == hashlib.sha256(DATA).hexdigest()
    assert list(http.counts().values()) == [(-(-len(DATA) // PIECE_BYTES), len(DATA))]


def test_many_threads_share_sixteen_connections(nginx: tuple[str, Path], http: Http) -> None:
    url = f"{nginx[0]}/model.bin"

    def ask(index: int) -> bool:
        return http.part(url, index * 1_000, 1_000).data == DATA[index * 1_000 : (index + 1) * 1_000]

    with ThreadPoolExecutor(24) as threads:
        assert all(threads.map(ask, range(500)))
    assert list(http.counts().values()) == [(500, 500_000)]
