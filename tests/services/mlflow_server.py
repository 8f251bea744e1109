"""A real MLflow server on the loopback address, from an installation of its own.

`AIBOM_MLFLOW` names a Python interpreter that has `mlflow`; the package is large, so it is no extra of ours.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

START_SECONDS = 240  # 10 to 60 on an idle machine


def interpreter() -> str | None:
    """The interpreter that has MLflow."""
    named = os.environ.get("AIBOM_MLFLOW")
    return named if named and Path(named).exists() else None


@dataclass
class MlflowServer:
    """`mlflow server` with its database and artifacts in `folder`, within `with`.

    `artifacts` are further options, for a store that is not proxied.
    """

    folder: Path
    artifacts: tuple[str, ...] = ()
    url: str = ""

    def __enter__(self) -> Self:
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        options = self.artifacts or ("--artifacts-destination", str(self.folder / "artifacts"))
        environment = {
            "PATH": f"{Path(str(interpreter())).parent}:{os.environ['PATH']}", "HOME": str(self.folder),
            "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true",
        }  # fmt: skip
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(interpreter()), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
                 "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--workers", "1", *options],
                cwd=self.folder, env=environment, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        try:
            self._wait()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (OSError, urllib.error.URLError):
                time.sleep(0.5)
        raise RuntimeError(f"mlflow server did not start: {(self.folder / 'log').read_text()[-2_000:]}")

    def _end(self) -> None:
        """Ends the server and the workers that it started, which are a session of their own."""
        for kind in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, kind)
                self._process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self._process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
