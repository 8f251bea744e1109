"""Servers that lie, stall, flood and send elsewhere: each costs bounded bytes, memory and time."""

from __future__ import annotations

import gzip
import io
import logging
import socket
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import KIB, MIB
from aibom.sources import http_connection
from aibom.sources.http import Http, Secret
from aibom.sources.http_exchange import REDIRECT_COUNT
from aibom.sources.http_pace import EXCHANGE_SECONDS
from aibom.sources.http_quota import ATTEMPT_COUNT, LOST_COUNT, WAIT_SECONDS
from aibom.sources.http_range import SKIPPED_BYTES
from aibom.sources.remote_file import RemoteFile
from tests.services.http_server import (
    Asked,
    Authority,
    Reply,
    Respond,
    Server,
    answer,
    authority,
    dripped,
    endless,
    in_turn,
    partial,
    ranged,
)

DATA = bytes(range(256)) * 40
SECRET = Secret(header="Authorization", value="Bearer s3cret")


class Clock:
    """Time that passes only while somebody waits, or by a step each time that it is looked at."""

    def __init__(self, step: float = 0.0) -> None:
        self.time, self.step = 0.0, step
        self.pauses: list[float] = []

    def now(self) -> float:
        self.time += self.step
        return self.time

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


def client(clock: Clock | None = None, *servers: Server, **options: object) -> Http:
    clock = clock or Clock()
    made = Http(pause=clock.pause, now=clock.now, **options)  # type: ignore[arg-type]
    for server in servers:
        made.named(server.url)
    return made


def failed(http: Http, url: str, **options: object) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        http.get(url, **options)  # type: ignore[arg-type]
    http.close()
    return caught.value


def failed_part(respond: Respond, start: int = 100, length: int = 50) -> UnreadableError:
    with Server(respond) as server:
        http = client(None, server)
        with pytest.raises(UnreadableError) as caught:
            http.part(server.url, start, length)
        http.close()
    return caught.value


# Ranges


@pytest.mark.parametrize(
    ("content_range", "words"),
    [
        ("bytes 0-49/10240", "another range"),
        ("bytes 101-150/10240", "another range"),
        ("bytes 100-148/10240", "another range"),
        ("bytes 100-150/10240", "another range"),
        ("bytes 100-149/120", "another range"),
        ("bytes 149-100/10240", "another range"),
        ("bytes 100-149", "without a range"),
        ("bytes */10240", "without a range"),
        ("octets 100-149/10240", "without a range"),
        ("bytes -100-149/10240", "without a range"),
        ("bytes 100-149/99999999999999999999999", "without a range"),
        ("bytes 100-149/*", "size is not stated"),
        ("", "without a range"),
    ],
)
def test_another_range_than_the_one_asked_for_is_malformed(content_range: str, words: str) -> None:
    error = failed_part(lambda _: partial(DATA[:50], content_range))
    assert error.reason is Reason.MALFORMED
    assert words in error.message


@pytest.mark.parametrize("header", ["Content-Type: multipart/byteranges; boundary=x", "X: y"])
def test_a_partial_answer_in_several_parts_is_malformed(header: str) -> None:
    assert failed_part(lambda _: answer(206, DATA[:50], header)).reason is Reason.MALFORMED


@pytest.mark.parametrize("length", [49, 51, 10_000_000_000])
def test_a_range_whose_length_contradicts_it_is_malformed(length: int) -> None:
    head = f"HTTP/1.1 206 Partial\r\nContent-Range: bytes 100-149/10240\r\nContent-Length: {length}\r\n\r\n"
    assert failed_part(lambda _: iter([head.encode() + DATA[100:150]])).reason is Reason.MALFORMED


def test_a_range_that_ends_early_is_truncated_after_a_few_attempts() -> None:
    asked: list[Asked] = []

    def respond(each: Asked) -> Reply:
        asked.append(each)
        return iter(
            [b"HTTP/1.1 206 P\r\nContent-Range: bytes 100-149/10240\r\nContent-Length: 50\r\n\r\nabc"]
        )

    assert failed_part(respond).reason is Reason.TRUNCATED
    assert len(asked) == ATTEMPT_COUNT


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip"])
def test_a_compressed_range_is_malformed(coding: str) -> None:
    encoded = f"Content-Encoding: {coding}"
    error = failed_part(lambda _: partial(DATA[:50], "bytes 100-149/10240", encoded))
    assert error.reason is Reason.MALFORMED


def test_the_whole_file_instead_of_a_range_is_cut_at_the_range() -> None:
    size = 1 << 40
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
    with Server(lambda _: endless(head, bytes(64 * KIB))) as server:
        http = client(None, server)
        tracemalloc.start()
        found = http.part(server.url, 1 * MIB, 100 * KIB)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (found.data, found.total) == (bytes(100 * KIB), size)
        (counts,) = http.counts().values()
        http.close()
    assert counts == (1, 1 * MIB + 100 * KIB)
    assert peak < 4 * MIB


@pytest.mark.parametrize("start", [SKIPPED_BYTES + 1, -1])
def test_the_whole_file_instead_of_a_range_far_behind_is_refused_unread(start: int) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {1 << 40}\r\n\r\n".encode()
    with Server(lambda _: endless(head, bytes(64 * KIB))) as server:
        http = client(None, server)
        with pytest.raises(UnreadableError, match="serves no ranges") as caught:
            http.part(server.url, start, 10)
        assert caught.value.reason is Reason.UNSUPPORTED
        assert list(http.counts().values()) == [(1, 0)]
        http.close()


def test_a_file_that_changes_between_two_ranges_is_noticed() -> None:
    with Server(in_turn(ranged(DATA, 'ETag: "1"'), ranged(DATA, 'ETag: "2"'))) as server:
        http = client(None, server)
        version = http.part(server.url, 0, 10).version
        with pytest.raises(UnreadableError) as caught:
            http.part(server.url, 10, 10, version=version)
        assert caught.value.reason is Reason.CHANGED
        http.close()


def test_a_file_that_grows_or_shrinks_between_two_ranges_is_noticed() -> None:
    with Server(ranged(DATA)) as server:
        http = client(None, server)
        for total in (len(DATA) - 1, len(DATA) + 1):
            with pytest.raises(UnreadableError) as caught:
                http.part(server.url, 0, 10, total=total)
            assert caught.value.reason is Reason.CHANGED
        http.close()


# Bodies


def bomb(coding: str) -> bytes:
    if coding == "gzip":
        packed = io.BytesIO()
        with gzip.GzipFile(fileobj=packed, mode="wb") as stream:
            for _ in range(64):
                stream.write(bytes(MIB))
        return packed.getvalue()
    return zlib.compress(bytes(64 * MIB))


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_in_the_content_encoding_is_cut_at_the_bound(coding: str) -> None:
    packed = bomb(coding)
    with Server(lambda _: answer(200, packed, f"Content-Encoding: {coding}")) as server:
        tracemalloc.start()
        error = failed(client(None, server), server.url, most=100 * KIB)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert error.reason is Reason.LIMIT
    assert peak < 4 * MIB


def test_compressed_bytes_that_inflate_to_nothing_end_too() -> None:
    empty = b"\x00\x00\x00\xff\xff" * 10_000  # stored blocks without content
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\xff"
    with Server(lambda _: endless(head, empty)) as server:
        error = failed(client(None, server), server.url, most=100 * KIB)
    assert error.reason is Reason.LIMIT


@pytest.mark.parametrize(
    ("body", "coding", "reason"),
    [
        (b"not compressed", "gzip", Reason.MALFORMED),
        (gzip.compress(DATA)[:-9], "gzip", Reason.MALFORMED),
        (gzip.compress(DATA) + b"more", "gzip", Reason.MALFORMED),
        (DATA, "br", Reason.UNSUPPORTED),
        (gzip.compress(gzip.compress(DATA)), "gzip, gzip", Reason.UNSUPPORTED),
    ],
    ids=["plain", "cut", "trailing", "brotli", "twice"],
)
def test_a_body_that_cannot_be_inflated_is_an_error(body: bytes, coding: str, reason: Reason) -> None:
    with Server(lambda _: answer(200, body, f"Content-Encoding: {coding}")) as server:
        assert failed(client(None, server), server.url).reason is reason


def test_a_body_over_its_bound_is_not_read() -> None:
    with Server(lambda _: endless(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", DATA)) as server:
        http = client(None, server)
        assert failed(http, server.url, most=1_000).reason is Reason.LIMIT
        assert list(http.counts().values()) == [(1, 0)]


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", DATA),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"2800\r\n" + DATA + b"\r\n"),
    ],
    ids=["until-closed", "chunked"],
)
def test_a_body_without_end_is_cut_at_the_bound(head: bytes, piece: bytes) -> None:
    with Server(lambda _: endless(head, piece)) as server:
        assert failed(client(None, server), server.url, most=50_000).reason is Reason.LIMIT


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", bytes(64 * KIB)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 60_000 + b"\r\na\r\n"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"X-Trailer: " + b"x" * 60_000 + b"\r\n",
        ),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
        (b"HTTP/1.1 200 ", b"O" * 60_000),
        (b"", b"\0" * 60_000),
    ],
    ids=["negative-chunk", "chunk-extensions", "trailers", "continue", "headers", "status-line", "zeros"],
)
def test_a_flood_around_the_body_ends_with_bounded_memory(head: bytes, piece: bytes) -> None:
    with Server(lambda _: endless(head, piece)) as server:
        tracemalloc.start()
        error = failed(client(None, server), server.url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(server.asked) <= ATTEMPT_COUNT
    assert error.reason is Reason.IO_ERROR
    assert peak < 8 * MIB


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 99999 x\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 7\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc",
    ],
    ids=["nothing", "blank", "status", "large-status", "ssh", "two-lengths", "bad-chunk", "short"],
)
def test_nonsense_is_an_error_of_ours(reply: bytes) -> None:
    with Server(lambda _: iter([reply])) as server:
        error = failed(client(None, server), server.url)
    assert error.reason in (Reason.IO_ERROR, Reason.TRUNCATED)


# Time


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 500,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 500,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100,
    ],
    ids=["headers", "body", "chunks"],
)
def test_bytes_that_drip_in_one_by_one_end_at_the_deadline(raw: bytes) -> None:
    clock = Clock(step=1.0)  # between any two bytes: no silence is ever as long as its bound
    with Server(lambda _: dripped(raw)) as server:
        error = failed(client(clock, server), server.url)
        assert len(server.asked) == ATTEMPT_COUNT
    assert error.reason is Reason.IO_ERROR
    assert "too slow" in error.message
    assert clock.time < ATTEMPT_COUNT * (EXCHANGE_SECONDS + 10) + sum(clock.pauses)


def test_a_host_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aibom.sources.http_pace.SILENCE_SECONDS", 0.05)

    def silent(_: Asked) -> Iterator[bytes]:
        time.sleep(0.3)
        yield b""

    with Server(silent) as server:
        assert "too slow" in failed(client(None, server), server.url).message


def test_a_handshake_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "CONNECT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        http = client()
        url = f"https://127.0.0.1:{deaf.getsockname()[1]}/"
        http.named(url)
        assert "too slow" in failed(http, url).message


def test_a_host_that_does_not_take_what_is_sent_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        clock = Clock()
        http = Http(pause=clock.pause, now=clock.now)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        http.named(url)
        clock.step = 59.999
        with pytest.raises(UnreadableError) as caught:
            http.send("POST", url, bytes(100))
        assert caught.value.reason is Reason.IO_ERROR
        http.close()


def test_nobody_at_the_port_is_io_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    http = client()
    http.named(url)
    error = failed(http, url)
    assert (error.reason, "no connection" in error.message) == (Reason.IO_ERROR, True)


# Storms


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_storm_of_refusals_ends_after_a_few_attempts(status: int) -> None:
    clock = Clock()
    with Server(lambda _: answer(status)) as server:
        error = failed(client(clock, server), server.url)
        assert len(server.asked) == ATTEMPT_COUNT
    assert error.reason is Reason.IO_ERROR
    assert f"the host answers {status}" in error.message
    assert len(clock.pauses) == ATTEMPT_COUNT - 1
    assert sum(clock.pauses) < 10


@pytest.mark.parametrize(
    "header",
    ["Retry-After: 601", "Retry-After: 999999999999", 'RateLimit: "api";r=0;t=99999', "Retry-After: 599"],
)
def test_a_wait_without_end_is_not_waited_for(header: str) -> None:
    clock = Clock()
    with Server(lambda _: answer(429, b"", header)) as server:
        error = failed(client(clock, server), server.url)
    assert error.reason is Reason.IO_ERROR
    assert sum(clock.pauses) <= WAIT_SECONDS


@pytest.mark.parametrize(
    "header",
    [
        "Retry-After: -5",
        "Retry-After: 1e9",
        "Retry-After: \xb2",
        "Retry-After: never",
        "Retry-After: Mon, 99 Nov 2026 99:99:99 GMT",
        "RateLimit: " + '"a";r=0;' * 5_000,
        'RateLimit: "api";r=0;t=abc',
        "RateLimit: ;;;,,,===",
    ],
)
def test_a_wait_that_is_nonsense_is_none(header: str) -> None:
    clock = Clock()
    with Server(lambda _: answer(429, b"", header)) as server:
        failed(client(clock, server), server.url)
    assert sum(clock.pauses) < 10


def test_a_host_that_always_fails_soon_gets_no_patience() -> None:
    clock = Clock()
    with Server(lambda _: answer(503)) as server:
        http = client(clock, server)
        for _ in range(LOST_COUNT):
            failed(http, server.url)
        waits, asked = len(clock.pauses), len(server.asked)
        failed(http, server.url)
        assert (len(clock.pauses), len(server.asked)) == (waits, asked + 1)
        server.respond = in_turn(answer(200), answer(503), answer(200))
        http.get(server.url)
        http.get(server.url)  # and its patience back when it recovers
        assert len(clock.pauses) == waits + 1
        http.close()


# Redirects


def test_a_circle_of_redirects_ends() -> None:
    with Server(lambda _: answer(302, b"", "Location: /again")) as server:
        error = failed(client(None, server), server.url)
        assert len(server.asked) == REDIRECT_COUNT + 1
    assert error.reason is Reason.LIMIT


@pytest.mark.parametrize(
    "secret",
    [SECRET, Secret(header="X-Api-Key", value="s3cret"), Secret(header="PRIVATE-TOKEN", value="s3cret")],
    ids=["authorization", "api-key", "token"],
)
def test_another_origin_gets_no_credentials(secret: Secret) -> None:
    with Server(ranged(DATA)) as other:
        bounce = f"Location: {other.url}/x?sig=1"
        with Server(lambda _: answer(302, b"", bounce)) as server:
            http = client(None, server, other)
            headers = {"Cookie": "s3cret", "X-Token": "s3cret", "Proxy-Authorization": "s3cret"}
            found = http.part(server.url, 5, 10, headers=headers, secret=secret)
            http.close()
    assert found.data == DATA[5:15]
    assert "s3cret" in str(server.asked[0].headers)
    assert "s3cret" not in str(other.asked[0].headers)
    assert other.asked[0].headers["range"] == "bytes=5-14"


def test_credentials_do_not_come_back_with_the_way_back() -> None:
    """Else another host could choose what its victim is asked for with them."""
    server_url: list[str] = []
    with Server(lambda _: answer(302, b"", f"Location: {server_url[0]}/delete")) as other:
        bounce = answer(302, b"", f"Location: {other.url}/")
        with Server(lambda asked: bounce if asked.target == "/" else answer(200)) as server:
            server_url.append(server.url)
            http = client(None, server, other)
            http.get(server.url, secret=SECRET)
            http.close()
    assert [each.headers.get("authorization") for each in server.asked] == ["Bearer s3cret", None]


def test_a_body_is_not_sent_to_another_origin() -> None:
    with Server(lambda _: answer(200)) as other:
        with Server(lambda _: answer(307, b"", f"Location: {other.url}/")) as server:
            http = client(None, server, other)
            with pytest.raises(UnreadableError, match="another host") as caught:
                http.send("POST", server.url, b"refresh_token=s3cret")
            http.close()
        assert caught.value.reason is Reason.UNSUPPORTED
        assert other.asked == []


@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1/",
        "http://192.168.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "https://[::ffff:169.254.169.254]/",
        "https://[fd00:ec2::254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://224.0.0.1/",
        "http://localhost:{port}/",
        "http://127.1:{port}/",
        "http://0x7f.1:{port}/",
        "http://2130706433:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "https://127.0.0.1:{port}/",
    ],
)
def test_a_redirect_into_the_network_of_the_user_is_refused(location: str) -> None:
    with Server(lambda _: answer(200)) as inner:
        target = location.replace("{port}", str(inner.port))
        with Server(lambda _: answer(302, b"", f"Location: {target}")) as server:
            error = failed(client(None, server), server.url, secret=SECRET)
        assert error.reason is Reason.DENIED
        assert inner.connections == 0


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://a.example/", "gopher://127.0.0.1:6379/_x", ""]
)
def test_a_redirect_to_something_else_than_http_is_refused(location: str) -> None:
    with Server(lambda _: answer(302, b"", f"Location: {location}")) as server:
        assert failed(client(None, server), server.url).reason is Reason.UNSUPPORTED


@pytest.mark.parametrize(
    "location", ["http://u:p@a.example/", "http://[::1/", "http://a b/", "http://a.example:x/"]
)
def test_a_redirect_to_an_address_that_is_none_is_malformed(location: str) -> None:
    with Server(lambda _: answer(302, b"", f"Location: {location}")) as server:
        assert failed(client(None, server), server.url).reason is Reason.MALFORMED


# Names and TLS


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls"), "hub.test", "127.0.0.1")


def names(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Every host name has these addresses, one per question; returns who was asked for."""
    asked: list[str] = []
    left = list(answers)

    def resolve(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        address = left.pop(0) if len(left) > 1 else left[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def trusting(signed: Authority, server: Server, clock: Clock | None = None) -> Http:
    return client(clock, server, environment={"SSL_CERT_FILE": str(signed.bundle)})


def test_the_certificate_is_checked_for_the_name_although_the_connection_goes_to_an_address(
    signed: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, "127.0.0.1")
    with Server(ranged(DATA), tls=signed.context, host="hub.test") as server:
        http = trusting(signed, server)
        assert http.part(f"{server.url}/x", 0, 10).data == DATA[:10]
        assert server.asked[0].headers["host"] == f"hub.test:{server.port}"
        http.close()
    with Server(ranged(DATA), tls=signed.context, host="other.test") as server:
        error = failed(trusting(signed, server), server.url)
    assert (error.reason, "certificate" in error.message) == (Reason.DENIED, True)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {
            "PYTHONHTTPSVERIFY": "0",
            "CURL_INSECURE": "1",
            "GIT_SSL_NO_VERIFY": "1",
            "NODE_TLS_REJECT_UNAUTHORIZED": "0",
        },
        {"SSL_CERT_FILE": "", "REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""},
    ],
    ids=["nothing", "switches", "empty"],
)
def test_verification_cannot_be_turned_off(signed: Authority, environment: dict[str, str]) -> None:
    with Server(lambda _: answer(200), tls=signed.context) as server:
        error = failed(client(None, server, environment=environment), server.url, secret=SECRET)
        assert server.asked == []
    assert error.reason is Reason.DENIED


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_that_cannot_be_read_is_an_error_and_no_other_is_taken(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_bytes(b"")
    for path in (tmp_path / "missing.pem", tmp_path / "empty.pem"):
        error = failed(client(environment={name: str(path)}), "https://a.example/")
        assert (error.reason, name in error.message) == (Reason.IO_ERROR, True)


def test_a_redirect_from_https_to_http_is_refused(signed: Authority) -> None:
    with Server(lambda _: answer(200)) as plain:
        bounce = answer(302, b"", f"Location: {plain.url}/")
        with Server(lambda _: bounce, tls=signed.context) as server:
            http = trusting(signed, server)
            http.named(plain.url)
            error = failed(http, server.url)
        assert error.reason is Reason.UNSUPPORTED
        assert "from https to http" in error.message
        assert plain.connections == 0


def test_plain_http_is_refused_where_nobody_typed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "93.184.215.14")
    http = client()
    http.named("https://hub.test/")
    assert failed(http, "http://hub.test/").reason is Reason.DENIED


@pytest.mark.parametrize("inner", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1"])
def test_a_name_that_leads_into_the_network_of_the_user_is_refused(
    inner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, inner)
    assert failed(client(), "https://hub.test/").reason is Reason.DENIED


def test_a_name_that_changes_its_address_cannot_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that was checked is the one that is connected to: there is no second question."""
    asked = names(monkeypatch, "93.184.215.14", "127.0.0.1")
    dialled: list[object] = []

    class Recorder(http_connection.PacedSocket):
        def connect(self, address: object) -> None:
            dialled.append(address)
            raise OSError

    monkeypatch.setattr(http_connection, "PacedSocket", Recorder)
    error = failed(client(), "https://hub.test/")
    assert dialled == [("93.184.215.14", 443)]
    assert error.reason is Reason.DENIED  # of the second attempt, which asks again and checks again
    assert asked == ["hub.test"] * 2


def test_a_host_with_one_inner_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
        for address in ("93.184.215.14", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert failed(client(), "https://hub.test/").reason is Reason.DENIED


def test_a_name_that_nobody_knows_is_io_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    clock = Clock()
    assert failed(client(clock), "https://hub.test/").reason is Reason.IO_ERROR
    assert clock.pauses == []


# Secrets


@pytest.mark.parametrize(
    "respond",
    [
        lambda _: answer(403),
        lambda _: answer(503),
        lambda _: iter(()),
        lambda _: answer(200, bytes(100)),
        lambda _: iter([b"HTTP/1.1 200 OK\r\n: no name\r\nContent-Length: 9\r\n\r\nabc"]),
        lambda _: answer(302, b"", "Location: http://10.0.0.1/?sig=s3cret"),
        lambda _: answer(302, b"", "Location: http://x:s3cret@a.example/"),
    ],
    ids=["denied", "storm", "broken", "limit", "bad-headers", "inner", "user-info"],
)
def test_neither_errors_nor_logs_hold_a_secret(respond: Respond, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Server(respond) as server:
        http = client(None, server)
        url = f"{server.url}/path/s3cret?token=s3cret"
        with pytest.raises(UnreadableError) as caught:
            http.get(url, most=50, secret=SECRET)
        http.close()
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(caught.value)
    assert "s3cret" not in shown
    assert "urllib3" not in {record.name.split(".")[0] for record in caplog.records}


@pytest.mark.parametrize(
    "value", ["Bearer s3cret\r\nX-Evil: 1", "Bearer s3cret\n", "Bearer s3cret\0", "s3cret\u20ac"]
)
def test_a_secret_with_a_line_end_is_refused_without_showing_it(value: str) -> None:
    with Server(lambda _: answer(200)) as server:
        error = failed(client(None, server), server.url, secret=Secret(header="Authorization", value=value))
        assert server.asked == []
    assert error.reason is Reason.MALFORMED
    assert "s3cret" not in str(error)


def test_user_info_in_an_address_is_refused() -> None:
    error = failed(client(), "https://me:s3cret@hub.test/")
    assert error.reason is Reason.MALFORMED
    assert "s3cret" not in str(error)


# Files


def test_a_header_that_never_ends_stops_at_the_bounds_of_a_file() -> None:
    fetched: list[int] = []

    def fetch(start: int, length: int) -> bytes:
        fetched.append(length)
        return bytes(length)

    file = RemoteFile(fetch, 1 << 40, name="model.safetensors", whole=False)

    def read_on() -> None:
        for offset in range(0, 1 << 40, 1 << 20):
            file.read_at(offset, 10)

    with pytest.raises(UnreadableError) as caught:
        read_on()
    assert caught.value.reason is Reason.LIMIT
    assert len(fetched) <= 256
    assert sum(fetched) <= 64 * MIB
