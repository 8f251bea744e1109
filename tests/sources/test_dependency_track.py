"""The client of Dependency-Track, against a stub that is written from the documented API."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources import dependency_track
from aibom.sources.dependency_track import DependencyTrack, base_url, is_uuid
from tests.services.fake_dependency_track import (
    TOKEN,
    FakeDependencyTrack,
    Reply,
    problem,
    processing,
    token,
)
from tests.trust.certificates import TLS, issue, private_pem

KEY = "odt_secret0123456789"
BOM = b'{"bomFormat": "CycloneDX"}'
FIELDS = {"projectName": "café", "projectVersion": "1.0", "autoCreate": "true"}


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def pauses() -> list[float]:
    return []


def client(fake: FakeDependencyTrack, pauses: list[float], seconds: float = 60) -> DependencyTrack:
    return DependencyTrack(fake.url, KEY, time.monotonic() + seconds, pauses.append)


def refusal(replies: list[Reply], seconds: float = 60) -> UnreadableError:
    """The error of an upload, which never holds the key."""
    with FakeDependencyTrack(replies) as fake, pytest.raises(UnreadableError) as raised:
        client(fake, [], seconds).upload(BOM, "bom.json", FIELDS)
    assert KEY not in str(raised.value)
    return raised.value


def test_an_upload_sends_the_document_its_fields_and_the_key_and_gives_the_token(pauses: list[float]) -> None:
    with FakeDependencyTrack([token()]) as fake:
        assert client(fake, pauses).upload(BOM, "bom.json", FIELDS) == TOKEN
    (request,) = fake.requests
    assert (request.method, request.path, request.key) == ("POST", "/api/v1/bom", KEY)
    assert request.fields == {"bom": BOM, **{name: value.encode() for name, value in FIELDS.items()}}
    assert "isActive" not in request.fields
    assert pauses == []


def test_waiting_asks_until_the_document_is_processed(pauses: list[float]) -> None:
    replies = [processing(value=True), processing(value=True), processing(value=False)]
    with FakeDependencyTrack(replies) as fake:
        client(fake, pauses).wait(TOKEN)
    assert [(each.method, each.path) for each in fake.requests] == [("GET", f"/api/v1/bom/token/{TOKEN}")] * 3
    assert pauses == [dependency_track.POLL_SECONDS] * 2


def test_waiting_ends_when_the_time_is_over(pauses: list[float]) -> None:
    with FakeDependencyTrack([processing(value=True)]) as fake, pytest.raises(UnreadableError) as raised:
        client(fake, pauses, seconds=1).wait(TOKEN)
    assert raised.value.reason is Reason.IO_ERROR
    assert "still being processed" in str(raised.value)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(status: int, pauses: list[float]) -> None:
    with FakeDependencyTrack([Reply(status=status), token()]) as fake:
        assert client(fake, pauses).upload(BOM, "bom.json", FIELDS) == TOKEN
    assert len(pauses) == 1
    assert 0.5 <= pauses[0] <= 1.0


def test_a_server_that_stays_busy_is_given_up_after_longer_and_longer_pauses(pauses: list[float]) -> None:
    with FakeDependencyTrack([Reply(status=503)]) as fake, pytest.raises(UnreadableError) as raised:
        client(fake, pauses).upload(BOM, "bom.json", FIELDS)
    assert raised.value.reason is Reason.IO_ERROR
    assert "503" in str(raised.value)
    assert len(fake.requests) == dependency_track.ATTEMPT_COUNT
    assert all(2**n / 2 <= pause <= 2**n for n, pause in enumerate(pauses))


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [("7", 7, 7), ("9999", 30, 30), ("99999999999", 0.5, 1), ("-1", 0.5, 1), ("Mon, 23 Nov 2026", 0.5, 1)],
)
def test_the_pause_that_a_server_asks_for_is_kept_within_bounds(
    asked: str, least: float, most: float, pauses: list[float]
) -> None:
    busy = Reply(status=429, headers=(("Retry-After", asked),))
    with FakeDependencyTrack([busy, token()]) as fake:
        client(fake, pauses).upload(BOM, "bom.json", FIELDS)
    assert least <= pauses[0] <= most


def test_a_pause_that_would_outlast_the_time_is_not_made(pauses: list[float]) -> None:
    busy = Reply(status=429, headers=(("Retry-After", "20"),))
    with FakeDependencyTrack([busy]) as fake, pytest.raises(UnreadableError) as raised:
        client(fake, pauses, seconds=10).upload(BOM, "bom.json", FIELDS)
    assert "--timeout" in str(raised.value)
    assert pauses == []


@pytest.mark.parametrize(
    ("reply", "reason", "words"),
    [
        (problem(400, detail="Schema validation failed", errors=["$.a: b"]), Reason.MALFORMED,
         "400: The uploaded BOM is invalid; Schema validation failed; $.a: b: correct"),
        (problem(400, errors=[f"e{n}" for n in range(9)]), Reason.MALFORMED, "e4; and 4 more"),
        (problem(400, detail="\x1b[31mred\u202e"), Reason.MALFORMED, r"\x1b[31mred\u202e"),
        (problem(400, detail=f"you sent {KEY}"), Reason.MALFORMED, "you sent [key]"),
        (problem(400, title=7, detail=None, errors="one"), Reason.MALFORMED, "400: one: correct"),
        (Reply(status=400, kind="application/problem+json", body=b"{"), Reason.MALFORMED, "400: correct"),
        (problem(403, detail="Access is forbidden"), Reason.DENIED, "Access is forbidden"),
        (Reply(status=401, kind="text/plain"), Reason.DENIED, "BOM_UPLOAD"),
        (Reply(status=404, kind="text/plain", body=b"The project could not be found."), Reason.MISSING,
         "The project could not be found."),
        (Reply(status=404, kind="text/html", body=b"<html>long"), Reason.MISSING, "404: is the address"),
        (Reply(status=418, kind="text/plain", body=b"x" * 9_000), Reason.UNSUPPORTED, "8500 more characters"),
        (Reply(body=b"<html>"), Reason.UNSUPPORTED, "not JSON"),
        (Reply(body=b"[]"), Reason.UNSUPPORTED, "no token"),
        (Reply(body=b'{"token": "../../evil"}'), Reason.UNSUPPORTED, "no token"),
        (Reply(body=b'{"token": 7}'), Reason.UNSUPPORTED, "no token"),
        (Reply(status=204), Reason.UNSUPPORTED, "204"),
    ],
    ids=["problem", "many-errors", "escapes", "key", "odd-types", "no-json", "403", "401", "404", "html",
         "418", "page", "list", "path", "number", "204"],
)  # fmt: skip
def test_every_other_answer_is_an_error_that_says_what_to_do(
    reply: Reply, reason: Reason, words: str
) -> None:
    error = refusal([reply])
    assert error.reason is reason
    assert words in str(error)


def test_a_redirect_to_another_host_is_told_and_the_key_stays_here() -> None:
    with FakeDependencyTrack([token()]) as other:
        for status in (301, 302, 303, 307, 308):
            error = refusal([Reply(status=status, headers=(("Location", f"{other.url}/api/v1/bom"),))])
            assert error.reason is Reason.UNSUPPORTED
            assert other.url.removeprefix("http://") in str(error)
    assert other.requests == []


def test_an_answer_that_drips_ends_with_the_time_and_not_with_the_answer() -> None:
    started = time.monotonic()
    error = refusal([Reply(body=b"x" * 1_000, drip=0.05)], seconds=0.5)
    assert error.reason is Reason.IO_ERROR
    assert "too slow" in str(error)
    assert time.monotonic() - started < 5


def test_an_endless_answer_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependency_track, "ANSWER_BYTES", 1_000)
    error = refusal([Reply(body=b" " * 200_000)])
    assert error.reason is Reason.IO_ERROR


def test_a_server_that_is_not_there_is_an_io_error_after_all_attempts(pauses: list[float]) -> None:
    with FakeDependencyTrack([token()]) as fake:
        pass
    with pytest.raises(UnreadableError) as raised:
        client(fake, pauses).upload(BOM, "bom.json", FIELDS)
    assert raised.value.reason is Reason.IO_ERROR
    assert "cannot be reached" in str(raised.value)
    assert len(pauses) == dependency_track.ATTEMPT_COUNT - 1


def test_a_password_file_and_proxies_are_not_asked_on_plain_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with FakeDependencyTrack([token()]) as proxy, FakeDependencyTrack([token()]) as fake:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        client(fake, pauses).upload(BOM, "bom.json", FIELDS)
    assert proxy.requests == []
    assert "Authorization" not in fake.requests[0].headers


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[tuple[FakeDependencyTrack, Path]]:
    """A stub over TLS with a certificate that nobody trusts, and the file with its authority."""
    name = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    holder = issue("localhost", [TLS, (name, False)], days=(-1_000, 1_000))
    (tmp_path / "tls.pem").write_bytes(holder.pem + private_pem(holder.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.pem")
    with FakeDependencyTrack([token()]) as fake:
        fake._server.socket = context.wrap_socket(
            fake._server.socket, server_side=True, do_handshake_on_connect=False
        )
        fake.url = fake.url.replace("http://127.0.0.1", "https://localhost")
        yield fake, tmp_path / "tls.pem"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("value", ["", "unset"])
def test_a_certificate_of_a_stranger_is_refused_at_once_whatever_the_environment(
    stranger: tuple[FakeDependencyTrack, Path],
    variable: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    pauses: list[float],
) -> None:
    if value != "unset":
        monkeypatch.setenv(variable, value)
    with pytest.raises(UnreadableError) as raised:
        client(stranger[0], pauses).upload(BOM, "bom.json", FIELDS)
    assert raised.value.reason is Reason.DENIED
    assert "not trusted" in str(raised.value)
    assert pauses == []
    assert stranger[0].requests == []


def test_authorities_of_the_environment_are_trusted(
    stranger: tuple[FakeDependencyTrack, Path], monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stranger[1]))
    assert client(stranger[0], pauses).upload(BOM, "bom.json", FIELDS) == TOKEN


def test_a_password_file_is_not_asked_over_tls_either(
    stranger: tuple[FakeDependencyTrack, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pauses: list[float],
) -> None:
    (tmp_path / ".netrc").write_text("machine localhost login me password mine\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stranger[1]))
    client(stranger[0], pauses).upload(BOM, "bom.json", FIELDS)
    assert "Authorization" not in stranger[0].requests[0].headers


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://dt.example", "https://dt.example"),
        ("https://dt.example/", "https://dt.example"),
        ("https://dt.example:8443/api/", "https://dt.example:8443"),
        ("https://dt.example/track/api/v1/bom", "https://dt.example/track"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.1.2.3", "http://127.1.2.3"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_an_address_is_taken_with_and_without_the_path_of_the_api(url: str, base: str) -> None:
    assert base_url(url) == base


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://dt.example", "plain http"),
        ("http://127.0.0.1.evil.example", "plain http"),
        ("http://localhost.evil.example", "plain http"),
        ("http://10.0.0.1", "plain http"),
        ("http://0x7f000001", "plain http"),
        ("ftp://dt.example", "https://"),
        ("dt.example", "https://"),
        ("https://", "https://"),
        ("", "https://"),
        ("https://me:secret@dt.example", "no user"),
        ("https://dt.example/?key=1", "no user"),
        ("https://dt.example/#a", "no user"),
        ("https://dt.example/a b", "no user"),
        ("https://dt.example/\r\nX: y", "no user"),
        ("https://dt.example:port", "no URL"),
        ("https://[::1", "no URL"),
    ],
)
def test_an_address_that_would_show_the_key_or_is_none_is_refused(url: str, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as raised:
        base_url(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("key", ["", "a b", "a\n", "a\r\nX: y", "schlüssel", "k" * 5_000])
def test_a_key_that_is_no_header_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        DependencyTrack("https://dt.example", key, 0.0)
    assert not key or key not in str(raised.value)


def test_the_key_is_in_no_representation() -> None:
    assert KEY not in repr(DependencyTrack("https://dt.example", KEY, 0.0))


@pytest.mark.parametrize("text", [TOKEN, TOKEN.upper()])
def test_an_identifier_is_known(text: str) -> None:
    assert is_uuid(text)
    assert not is_uuid(f"{text}\n")
    assert not is_uuid(f"{{{text}}}")


def test_no_thread_is_left_behind_by_ordinary_answers(pauses: list[float]) -> None:
    before = threading.active_count()
    with FakeDependencyTrack([token()]) as fake:
        client(fake, pauses).upload(BOM, "bom.json", FIELDS)
    assert threading.active_count() <= before
