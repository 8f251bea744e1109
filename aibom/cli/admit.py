"""`aibom admit`: a validating webhook of Kubernetes that lets in verified models only."""

from __future__ import annotations

import re
import signal
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from aibom.cli.admission_server import Server, log
from aibom.cli.exit_codes import ExitCode
from aibom.cli.expectations import document, expectation_options, take
from aibom.cli.failure import Failure
from aibom.domain.errors import Reason, UnreadableError, over_limit
from aibom.domain.limits import MIB
from aibom.domain.text import visible
from aibom.workflows.admit import Decision, Gate, decide
from aibom.workflows.approvals import Signers, read_approvals
from aibom.workflows.init_containers import Container, read_known

SUMMARY_BYTES: Final = 16 * MIB
SUMMARY_COUNT: Final = 10_000  # files in all folders of --allow
_PATH: Final = click.Path(path_type=Path)
_AGE: Final = re.compile(r"([1-9][0-9]{0,5})([dhm])")
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}
_LISTEN: Final = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^\s:\[\]]+)):([0-9]{1,5})")
_POLICY: Final = re.compile(r"sha256:([0-9a-f]{64})")


@click.command("admit")
@click.option(
    "--allow", type=_PATH, multiple=True, required=True, envvar="AIBOM_ALLOW", metavar="PATH",
    help="Signed verification summary, or a folder of them; repeatable.",
)  # fmt: skip
@click.option(
    "--policy-digests", type=_PATH, envvar="AIBOM_POLICY_DIGESTS", metavar="FILE",
    help="Count only summaries under one of these policies: a line sha256:... for each.",
)  # fmt: skip
@click.option(
    "--init-containers", type=_PATH, envvar="AIBOM_INIT_CONTAINERS", metavar="FILE",
    help="Init containers that verify models: YAML list of image, command, args and mounts.",
)  # fmt: skip
@click.option(
    "--max-age", default="30d", show_default=True, envvar="AIBOM_MAX_AGE", metavar="AGE",
    help="How old a summary may be: a number with d, h or m.",
)  # fmt: skip
@click.option(
    "--require-model", is_flag=True, envvar="AIBOM_REQUIRE_MODEL", help="Deny pods that name no model, too."
)
@expectation_options
@click.option(
    "--tls-cert", type=_PATH, required=True, envvar="AIBOM_TLS_CERT", metavar="FILE",
    help="Certificate chain (PEM) of the server.",
)  # fmt: skip
@click.option(
    "--tls-key", type=_PATH, required=True, envvar="AIBOM_TLS_KEY", metavar="FILE",
    help="Private key (PEM, no password) of the server.",
)  # fmt: skip
@click.option(
    "--listen", default="127.0.0.1:8443", show_default=True, envvar="AIBOM_LISTEN", metavar="HOST:PORT",
    help="Where to listen.",
)  # fmt: skip
@click.option(
    "--reload", "seconds", type=click.IntRange(1, 86_400), default=60, show_default=True,
    envvar="AIBOM_RELOAD", metavar="SECONDS", help="How often to read certificate and summaries anew.",
)  # fmt: skip
def command(**given: Any) -> int:
    """Answer AdmissionReviews of a Kubernetes cluster: may this object be stored?

    Yes, when each model that it names by digest has a summary with PASSED, signed by whom you expect
    and not too old. Everything else is no. Runs until SIGTERM or SIGINT.
    """
    webhook = _Webhook(given)
    host, port = _address(given["listen"])
    try:
        server = Server((host, port), webhook.context, webhook.decide)
    except OSError as error:
        raise Failure(f"cannot listen on {given['listen']}: {error.strerror}", ExitCode.USAGE) from error
    _serve(server, webhook, given["seconds"])
    return ExitCode.PASSED


class _Webhook:
    """What the files of the flags say now; `load` reads those anew that change while it runs."""

    def __init__(self, given: dict[str, Any]) -> None:
        whom = take(given)
        if whom.expected is None:
            raise click.UsageError(
                "whose summaries count? name --key FILE, or --identity and --issuer, or --certificate-chain "
                "FILE and --identity"
            )
        policies = given["policy_digests"]
        self._signers = Signers(
            expected=whom.expected, root=whom.root, policies=_policies(policies) if policies else None
        )
        self._given = given
        self._max_age = _age(given["max_age"])
        self._verifying = _verifying(given["init_containers"])
        for path in given["allow"]:
            if not path.exists():
                raise Failure(f"{visible(str(path))!r}: no such file or folder", ExitCode.USAGE)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self._load_certificate()
        except (OSError, ValueError) as error:
            raise Failure(f"--tls-cert and --tls-key: {_why(error)}", ExitCode.USAGE) from error
        self._gate = self._load_gate()

    def decide(self, review: bytes) -> Decision:
        return decide(review, self._gate, datetime.now(UTC))

    def load(self) -> None:
        """Takes the files as they are now. A certificate that cannot be used leaves the old one in use."""
        self._gate = self._load_gate()
        try:
            self._load_certificate()
        except (OSError, ValueError) as error:
            log("certificate-kept", detail=_why(error))

    def _load_certificate(self) -> None:
        def no_password() -> str:
            raise ValueError("the private key has a password; a server cannot ask for it")

        self.context.load_cert_chain(self._given["tls_cert"], self._given["tls_key"], no_password)

    def _load_gate(self) -> Gate:
        approvals = read_approvals(_documents(self._given["allow"]), self._signers)
        for name, why in approvals.refused:
            log("summary-refused", document=name, detail=why)
        return Gate(
            approvals=approvals,
            verifying=self._verifying,
            max_age=self._max_age,
            model_required=self._given["require_model"],
        )


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _documents(paths: tuple[Path, ...]) -> Iterator[tuple[str, bytes | UnreadableError]]:
    """Every file of the paths; names that begin with a dot are how Kubernetes swaps the files of a volume."""
    count = 0
    for path in paths:
        try:
            inside = (
                sorted(each for each in path.iterdir() if not each.name.startswith("."))
                if path.is_dir()
                else [path]
            )
        except OSError as error:
            yield str(path), UnreadableError(Reason.IO_ERROR, _why(error))
            continue
        for file in inside:
            count += 1
            if count > SUMMARY_COUNT:
                yield str(path), over_limit(f"more than {SUMMARY_COUNT:,} files: the others are not read")
                return
            yield file.name, _data(file)


def _data(file: Path) -> bytes | UnreadableError:
    try:
        if not file.is_file():
            return UnreadableError(Reason.SPECIAL_FILE, "it is no file")
        with file.open("rb") as opened:
            data = opened.read(SUMMARY_BYTES + 1)
    except OSError as error:
        return UnreadableError(Reason.IO_ERROR, _why(error))
    return data if len(data) <= SUMMARY_BYTES else over_limit(f"more than {SUMMARY_BYTES:,} bytes")


def _policies(path: Path) -> frozenset[str]:
    found = set()
    for number, line in enumerate(document(path).decode(errors="replace").splitlines(), 1):
        text = line.partition("#")[0].strip()
        match = _POLICY.fullmatch(text)
        if match:
            found.add(match[1])
        elif text:
            raise Failure(f"{path}:{number}: a line is sha256: and 64 lower-case digits", ExitCode.USAGE)
    if not found:
        raise Failure(f"{path}: it names no policy, so that no summary would count", ExitCode.USAGE)
    return frozenset(found)


def _verifying(path: Path | None) -> tuple[Container, ...]:
    if path is None:
        return ()
    try:
        return read_known(document(path))
    except UnreadableError as error:
        raise Failure(f"{path}:{visible(str(error))}", ExitCode.USAGE) from error


def _age(text: str) -> timedelta:
    match = _AGE.fullmatch(text)
    if match is None:
        raise click.UsageError(f"--max-age {text!r} is no number with d, h or m, such as 30d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _address(text: str) -> tuple[str, int]:
    match = _LISTEN.fullmatch(text)
    if match is None or int(match[3]) > 65_535:
        raise click.UsageError(f"--listen {text!r} is no HOST:PORT, such as 0.0.0.0:8443 or [::]:8443")
    return match[1] or match[2], int(match[3])


def _serve(server: Server, webhook: _Webhook, seconds: int) -> None:
    """Answers until a signal comes, then finishes the answers that are being made."""
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    answering = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    answering.start()
    host, port = server.server_address[:2]
    log("listening", address=f"{host!s}:{port}")
    while not stopped.wait(seconds):
        webhook.load()
    server.shutdown()
    answering.join()
    server.drain()
    server.server_close()
    log("stopped")
