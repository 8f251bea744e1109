"""`aibom admit` as a cluster talks to it: reviews over TLS, and everything that is none."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from aibom.cli import admission_server, admit
from aibom.cli.admission_server import Server
from aibom.cli.main import _run
from aibom.domain.attestation import Subject, VerificationSummary
from aibom.domain.errors import UnreadableError
from aibom.trust.attestations import verification_summary
from aibom.trust.signers import key_signer, sign_statement
from aibom.workflows.admit import REVIEW_BYTES, Decision
from tests.trust.certificates import TLS, ec_key, issue, private_pem, public_pem

GOOD, BAD = "a" * 64, "b" * 64
POLICY = "9" * 64
SIGNING = ec_key()
NAMES = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
HOLDER = issue("webhook", [TLS, (NAMES, False)], days=(-1_000, 1_000))
Captured = pytest.CaptureFixture[bytes]


def summary(digest: str, *, passed: bool = True) -> bytes:
    told = VerificationSummary(
        verifier="https://verifier.example",
        resource="pkg:generic/model",
        policy="https://policy.example",
        passed=passed,
        policy_digests=(("sha256", POLICY),),
        verified_at=datetime.now(UTC).isoformat(),
    )
    statement = verification_summary(told, [Subject(name="m", digests=(("sha256", digest),))])
    return sign_statement(key_signer(private_pem(SIGNING)), statement)


def review(digest: str, uid: str = "1") -> bytes:
    volumes = [{"name": "m", "image": {"reference": f"registry.example/m@sha256:{digest}"}}]
    request = {
        "uid": uid, "operation": "CREATE", "namespace": "team", "name": "p",
        "kind": {"group": "", "version": "v1", "kind": "Pod"}, "userInfo": {"username": "jane-the-user"},
        "object": {"metadata": {}, "spec": {"containers": [], "volumes": volumes}},
    }  # fmt: skip
    document = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    return json.dumps(document).encode()


def write_files(folder: Path) -> list[str]:
    """The files of a webhook; the flags that name them."""
    (folder / "allow").mkdir()
    (folder / "allow" / "good.sigstore.json").write_bytes(summary(GOOD))
    (folder / "allow" / "bad.sigstore.json").write_bytes(summary(BAD, passed=False))
    (folder / "allow" / "note.txt").write_bytes(b"not a bundle")
    (folder / "allow" / "..data").mkdir()  # as Kubernetes fills volumes
    (folder / "k.pub").write_bytes(public_pem(SIGNING))
    (folder / "tls.crt").write_bytes(HOLDER.pem)
    (folder / "tls.key").write_bytes(private_pem(HOLDER.key))
    (folder / "policies").write_text(f"# ours\nsha256:{POLICY}  # production\n\n")
    return [
        "--allow", str(folder / "allow"), "--key", str(folder / "k.pub"), "--policy-digests",
        str(folder / "policies"), "--tls-cert", str(folder / "tls.crt"), "--tls-key", str(folder / "tls.key"),
    ]  # fmt: skip


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=HOLDER.pem.decode())


@dataclass
class Webhook:
    """The program, running."""

    process: subprocess.Popen[str]
    folder: Path
    port: int
    lines: list[dict[str, Any]]

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=trusting())
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()

    def ask(self, digest: str, uid: str = "1") -> dict[str, Any]:
        status, body = self.send("POST", "/admit?timeout=10s", review(digest, uid))
        assert status == 200
        response: dict[str, Any] = json.loads(body)["response"]
        assert response["uid"] == uid
        return response

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in list(self.lines) if line["event"] == event]

    def connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return trusting().wrap_socket(plain, server_hostname="127.0.0.1")


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Webhook]:
    flags = write_files(folder)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AIBOM_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "aibom", "admit", *flags, "--listen", "127.0.0.1:0", "--reload", "1"],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment,
    )  # fmt: skip
    lines: list[dict[str, Any]] = []
    assert process.stderr is not None
    reader = threading.Thread(target=lambda: lines.extend(map(json.loads, process.stderr or ())))
    try:
        for line in process.stderr:
            lines.append(json.loads(line))
            if lines[-1]["event"] == "listening":
                break
        reader.start()
        port = int(lines[-1]["address"].rpartition(":")[2])
        yield Webhook(process=process, folder=folder, port=port, lines=lines)
    finally:
        process.kill()
        process.wait()
        if reader.ident is not None:
            reader.join()
        process.stderr.close()


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webhook]:
    with running(tmp_path_factory.mktemp("webhook")) as found:
        yield found


def test_a_verified_model_is_admitted_and_others_are_denied(webhook: Webhook) -> None:
    assert webhook.ask(GOOD)["allowed"] is True
    failed = webhook.ask(BAD)
    assert failed["allowed"] is False
    assert "FAILED" in failed["status"]["message"]
    assert "aibom attest" in webhook.ask("c" * 64)["status"]["message"]


def test_fifty_reviews_in_parallel_are_each_answered_as_alone(webhook: Webhook) -> None:
    digests = [GOOD if n % 2 else BAD for n in range(50)]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(webhook.ask, digests, map(str, range(50))))
    assert [answer["allowed"] for answer in answers] == [digest == GOOD for digest in digests]


def test_health_is_told(webhook: Webhook) -> None:
    assert webhook.send("GET", "/healthz") == (200, b"ok\n")


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/", review(GOOD), JSON, 404),
        ("POST", "/admit/", review(GOOD), JSON, 404),
        ("POST", "/healthz", review(GOOD), JSON, 404),
        ("GET", "/admit", b"", JSON, 404),
        ("GET", "/%0d%0aX:y", b"", JSON, 404),
        ("PUT", "/admit", review(GOOD), JSON, 501),
        ("POST", "/admit", review(GOOD), {"Content-Type": "text/plain"}, 415),
        ("POST", "/admit", b"x", {**JSON, "Content-Length": "-1"}, 411),
        ("POST", "/admit", b"x", {**JSON, "Content-Length": "1e3"}, 411),
        ("POST", "/admit", b"x", {**JSON, "Content-Length": str(REVIEW_BYTES + 1)}, 413),
        ("POST", "/admit", b"x", {**JSON, "Content-Length": "9" * 4_000}, 413),
        ("POST", "/admit", b"1\r\nx\r\n0\r\n\r\n", {**JSON, "Transfer-Encoding": "chunked"}, 411),
    ],
    ids=["root", "slash", "health", "get", "escape", "put", "type", "negative", "no-number", "large", "huge",
         "chunked"],
)  # fmt: skip
def test_what_is_no_review_gets_an_error_that_a_cluster_takes_for_a_no(
    webhook: Webhook, method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    found, answer = webhook.send(method, path, body, headers)
    assert found == status
    assert answer.isascii()
    assert b"Python" not in answer


@pytest.mark.parametrize(
    "body", [b"", b"garbage", b"{}", b"[" * 10_000], ids=["empty", "text", "object", "deep"]
)
def test_garbage_is_denied_with_a_message(webhook: Webhook, body: bytes) -> None:
    status, answer = webhook.send("POST", "/admit", body)
    assert status == 400
    response = json.loads(answer)["response"]
    assert (response["allowed"], response["uid"]) == (False, "")
    assert "cannot be judged" in response["status"]["message"]


def test_a_review_that_ends_too_early_is_refused(webhook: Webhook) -> None:
    with webhook.connect() as connection:
        head = b"POST /admit HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{"
        connection.sendall(head)
        with contextlib.suppress(OSError):  # the answer comes after the end of what is sent
            connection.unwrap()
    eventually(lambda: "ended too early" in json.dumps(webhook.logged("request-refused")))
    assert webhook.ask(GOOD)["allowed"]


def test_who_does_not_speak_tls_is_cut_off_and_hurts_nobody(webhook: Webhook) -> None:
    garbage = (b"POST /admit HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(500), bytes(10_000), b"")
    for data in garbage:
        plain = socket.create_connection(("127.0.0.1", webhook.port), timeout=20)
        with plain, contextlib.suppress(OSError):  # it may be cut off before all is sent
            plain.sendall(data)
            plain.shutdown(socket.SHUT_WR)
            assert b"HTTP/1.0 200" not in plain.recv(10_000)
    assert webhook.ask(GOOD)["allowed"]


def test_silent_clients_hold_up_nobody(webhook: Webhook) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(socket.create_connection(("127.0.0.1", webhook.port), timeout=20))
        started = time.monotonic()
        assert webhook.ask(GOOD)["allowed"]
        assert time.monotonic() - started < 5


def test_the_log_is_json_and_names_neither_who_asked_nor_keys(webhook: Webhook) -> None:
    webhook.ask(BAD, "the-logged-one")
    eventually(lambda: any(line["uid"] == "the-logged-one" for line in webhook.logged("decision")))
    line = next(line for line in webhook.logged("decision") if line["uid"] == "the-logged-one")
    assert (line["allowed"], line["kind"], line["namespace"], line["name"]) == (False, "v1/Pod", "team", "p")
    everything = json.dumps(webhook.lines)
    assert "jane-the-user" not in everything
    assert "PRIVATE" not in everything
    assert {line["document"] for line in webhook.logged("summary-refused")} == {"note.txt"}


def test_summaries_and_certificate_are_read_anew_while_it_runs(tmp_path: Path) -> None:
    with running(tmp_path) as webhook:
        new = "d" * 64
        assert not webhook.ask(new)["allowed"]
        (tmp_path / "allow" / "new.sigstore.json").write_bytes(summary(new))
        eventually(lambda: webhook.ask(new)["allowed"])
        for file in (tmp_path / "allow").glob("*.json"):
            file.unlink()
        (tmp_path / "tls.key").write_bytes(b"half a file")
        eventually(lambda: not webhook.ask(new)["allowed"])
        eventually(lambda: bool(webhook.logged("certificate-kept")))
        assert not webhook.ask(GOOD)["allowed"]


def test_a_signal_ends_it_after_the_answers_that_are_being_made(tmp_path: Path) -> None:
    with running(tmp_path) as webhook:
        data = review(GOOD)
        with webhook.connect() as connection:
            head = f"POST /admit HTTP/1.1\r\nContent-Length: {len(data)}\r\n"
            connection.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + data[:10])
            time.sleep(0.3)  # it is being read
            webhook.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            connection.sendall(data[10:])
            answer = b""
            while piece := connection.recv(10_000):
                answer += piece
        assert b'"allowed":true' in answer
        assert webhook.process.wait(20) == 0
        eventually(lambda: bool(webhook.logged("stopped")))


def test_documents_are_read_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admit, "SUMMARY_BYTES", 10)
    monkeypatch.setattr(admit, "SUMMARY_COUNT", 4)
    for name, size in {"a": 10, "b": 11, "d": 0, "e": 0, "f": 0}.items():
        (tmp_path / name).write_bytes(bytes(size))
    (tmp_path / "c").mkdir()
    found = [(name, str(data)) for name, data in admit._documents((tmp_path, tmp_path / "a"))]
    assert [name for name, _ in found] == ["a", "b", "c", "d", str(tmp_path)]
    assert [data for name, data in found if name in ("b", "c")] == ["more than 10 bytes", "it is no file"]
    assert "more than 4 files" in found[-1][1]
    ((_, gone),) = admit._documents((tmp_path / "gone",))
    assert isinstance(gone, UnreadableError)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Webhook]]:
    """Starts the server alone in this process, with other bounds."""
    with contextlib.ExitStack() as stack:

        def start(seconds: float = 0.5, count: int = 128, delay: float = 0.0) -> Webhook:
            monkeypatch.setattr(admission_server, "CONNECTION_SECONDS", seconds)
            monkeypatch.setattr(admission_server, "CONNECTION_COUNT", count)
            write_files(tmp_path)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")

            def decide(_: bytes) -> Decision:
                time.sleep(delay)
                return Decision(uid="1", allowed=True, message="")

            server = Server(("127.0.0.1", 0), context, decide)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            stack.callback(server.server_close)
            # What is still being decided would write its log line into the next test.
            stack.callback(eventually, lambda: not server._ends)
            stack.callback(server.drain)
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            process: Any = None
            return Webhook(process=process, folder=tmp_path, port=server.server_address[1], lines=[])

        yield start


def test_a_client_that_drips_is_cut_off_when_its_time_is_over(served: Callable[..., Webhook]) -> None:
    webhook = served()
    started = time.monotonic()
    with webhook.connect() as connection, pytest.raises(OSError):  # noqa: PT011 - reset, broken or ended
        drip(connection)
    assert time.monotonic() - started < 4


def drip(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"POST /admit HTTP/1.1\r\nX: ")
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.05)


def test_an_answer_that_takes_too_long_is_no_answer(served: Callable[..., Webhook]) -> None:
    webhook = served(delay=1.5)
    with pytest.raises((OSError, http.client.HTTPException)):
        webhook.send("POST", "/admit", review(GOOD))


def test_more_connections_than_there_may_be_are_closed(
    served: Callable[..., Webhook], capfdbinary: Captured
) -> None:
    webhook = served(seconds=5.0, count=2)
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(webhook.connect())
        with pytest.raises(OSError):  # noqa: PT011 - reset or ended
            webhook.send("GET", "/healthz")
    eventually(lambda: b'"refused"' in capfdbinary.readouterr().err)
    eventually(lambda: answers(webhook))


def answers(webhook: Webhook) -> bool:
    with contextlib.suppress(OSError):
        return webhook.send("GET", "/healthz")[0] == 200
    return False


@pytest.fixture
def flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in list(os.environ):
        if name.startswith("AIBOM_"):
            monkeypatch.delenv(name)
    found = write_files(tmp_path)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "wrong").write_bytes(b"wrong\n")
    return dict(zip(found[::2], found[1::2], strict=True))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--allow": None}, "--allow"),
        ({"--allow": "{place}/none"}, "no such file or folder"),
        ({"--key": None}, "whose summaries count?"),
        ({"--key": "{place}/wrong"}, "public key"),
        ({"--key": None, "--identity": "me"}, "--identity and --issuer go together"),
        ({"--identity": "me"}, "--key stands alone"),
        ({"--tls-cert": None}, "--tls-cert"),
        ({"--tls-cert": "{place}/none"}, "No such file"),
        ({"--tls-cert": "{place}/wrong"}, "--tls-cert and --tls-key"),
        ({"--tls-key": "{place}/k.pub"}, "--tls-cert and --tls-key"),
        ({"--tls-key": "{place}/locked.key"}, "has a password"),
        ({"--policy-digests": "{place}/wrong"}, "wrong:1: a line is sha256:"),
        ({"--policy-digests": "{place}/empty"}, "names no policy"),
        ({"--init-containers": "{place}/wrong"}, "wrong:1:1: a list of containers"),
        ({"--init-containers": "{place}/none"}, "cannot read"),
        ({"--max-age": "30"}, "--max-age"),
        ({"--max-age": "0d"}, "--max-age"),
        ({"--listen": "8443"}, "--listen"),
        ({"--listen": "127.0.0.1:99999"}, "--listen"),
        ({"--listen": "192.0.2.1:1"}, "cannot listen"),
        ({"--reload": "0"}, "--reload"),
    ],
    ids=["allow", "allow-gone", "nobody", "key", "half", "both", "tls", "tls-gone", "tls-wrong", "tls-key",
         "password", "policy", "no-policy", "containers", "containers-gone", "age", "age-zero", "listen",
         "port", "address", "reload"],
)  # fmt: skip
def test_a_mistake_is_told_before_anything_is_served(
    changes: dict[str, str | None], words: str, flags: dict[str, str], tmp_path: Path, capfdbinary: Captured
) -> None:
    (tmp_path / "locked.key").write_bytes(private_pem(HOLDER.key, b"secret"))
    changed = {**flags, **changes}
    given = [
        part.replace("{place}", str(tmp_path))
        for name, value in changed.items()
        if value is not None
        for part in (name, value)
    ]
    assert _run(["admit", *given]) == 2
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert words in captured.err.decode()
