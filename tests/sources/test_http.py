from __future__ import annotations

import gzip
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources.http import Answer, Http, Part, Secret
from tests.services.http_server import Asked, Respond, Server, answer, in_turn, partial, ranged

DATA = bytes(range(256)) * 40


class Client:
    """An `Http` whose waits are only noted."""

    def __init__(self, *servers: Server, **options: object) -> None:
        self.pauses: list[float] = []
        self.time = 1_000.0
        self.http = Http(pause=self._pause, now=lambda: self.time, **options)  # type: ignore[arg-type]
        for server in servers:
            self.http.named(server.url)

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


@pytest.fixture
def serve() -> Iterator[Callable[[Respond], tuple[Server, Client]]]:
    """Starts a server that a client was told about."""
    opened: list[Server] = []
    clients: list[Client] = []

    def start(respond: Respond) -> tuple[Server, Client]:
        opened.append(Server(respond).__enter__())
        clients.append(Client(opened[-1]))
        return opened[-1], clients[-1]

    yield start
    for client in clients:
        client.http.close()
    for server in opened:
        server.__exit__(None, None, None)


Serve = Callable[[Respond], tuple[Server, Client]]


def test_a_body_comes_with_its_headers_in_lower_case(serve: Serve) -> None:
    server, client = serve(lambda _: answer(200, b"text", "X-Repo-Commit: abc", "Link: <a>", "Link: <b>"))
    found = client.http.get(f"{server.url}/api/x?b=1&a=%2f")
    assert (found.status, found.body, found.headers["x-repo-commit"]) == (200, b"text", "abc")
    assert found.headers["link"] == "<a>, <b>"
    assert found.url == f"{server.url}/api/x?b=1&a=%2f"
    assert server.targets == ["/api/x?b=1&a=%2F"]  # quoted letters have no case
    assert server.asked[0].headers["accept-encoding"] == "identity"
    assert server.asked[0].headers["user-agent"].startswith("aibom/")


def test_headers_alone_keep_the_connection(serve: Serve) -> None:
    server, client = serve(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nETag: x\r\n\r\n")
    for _ in range(3):
        assert client.http.head(server.url).headers["content-length"] == "1000000"
    assert server.connections == 1


def test_a_body_is_sent_once_with_its_type(serve: Serve) -> None:
    server, client = serve(lambda asked: answer(201, asked.body[::-1]))
    found = client.http.send("PUT", f"{server.url}/x", b"abc", headers={"Content-Type": "text/plain"})
    assert (found.status, found.body) == (201, b"cba")
    assert server.asked[0].method == "PUT"
    assert server.asked[0].headers["content-type"] == "text/plain"


def test_connections_are_kept_between_exchanges_and_after_refusals(serve: Serve) -> None:
    server, client = serve(in_turn(answer(404, b"no"), ranged(DATA)))
    with pytest.raises(UnreadableError):
        client.http.get(server.url)
    for start in range(5):
        assert client.http.part(server.url, start, 10).data == DATA[start : start + 10]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.DENIED),
        (403, Reason.DENIED),
        (404, Reason.MISSING),
        (410, Reason.MISSING),
        (412, Reason.CHANGED),
        (416, Reason.TRUNCATED),
        (304, Reason.UNSUPPORTED),
        (418, Reason.UNSUPPORTED),
        (501, Reason.IO_ERROR),
    ],
)
def test_a_status_has_a_reason_and_is_not_asked_for_again(status: int, reason: Reason, serve: Serve) -> None:
    server, client = serve(lambda _: answer(status, b"" if status == 304 else b"secret text"))
    with pytest.raises(UnreadableError, match=f"the host answers {status}") as caught:
        client.http.get(f"{server.url}/path?token=hidden")
    assert caught.value.reason is reason
    assert len(server.asked) == 1
    assert str(caught.value).startswith(f"127.0.0.1:{server.port}: ")


def test_an_accepted_status_is_an_answer_even_a_redirect(serve: Serve) -> None:
    server, client = serve(lambda _: answer(302, b"", "Location: /b", "X-Linked-Size: 7"))
    found = client.http.head(server.url, accepted=(200, 302))
    assert (found.status, found.headers["x-linked-size"]) == (302, "7")


@pytest.mark.parametrize("start", [0, 1, 100, len(DATA) - 50])
def test_a_part_is_exactly_what_was_asked_for(start: int, serve: Serve) -> None:
    server, client = serve(ranged(DATA, 'ETag: "v1"'))
    found = client.http.part(server.url, start, 50)
    assert (found.data, found.start, found.total) == (DATA[start : start + 50], start, len(DATA))
    assert found.version == '"v1"'
    assert server.asked[0].headers["range"] == f"bytes={start}-{start + 49}"


@pytest.mark.parametrize(("asked", "start"), [(10, len(DATA) - 10), (len(DATA) + 5, 0)])
def test_the_end_is_asked_for_without_knowing_the_size(asked: int, start: int, serve: Serve) -> None:
    server, client = serve(ranged(DATA))
    found = client.http.part(server.url, -1, asked)
    assert (found.data, found.start, found.total) == (DATA[start:], start, len(DATA))
    assert server.asked[0].headers["range"] == f"bytes=-{asked}"


@pytest.mark.parametrize(("start", "length"), [(0, 10), (5_000, 100), (-1, 20)])
def test_a_host_without_ranges_serves_the_front_of_its_answer(start: int, length: int, serve: Serve) -> None:
    server, client = serve(lambda _: answer(200, DATA))
    found = client.http.part(server.url, start, length)
    first = start if start >= 0 else len(DATA) - length
    assert (found.data, found.start, found.total) == (DATA[first : first + length], first, len(DATA))


def test_without_a_length_the_size_has_to_be_known(serve: Serve) -> None:
    server, client = serve(lambda _: b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + DATA)
    assert client.http.part(server.url, 10, 10, total=len(DATA)).data == DATA[10:20]
    with pytest.raises(UnreadableError, match="neither ranges nor sizes") as caught:
        client.http.part(server.url, 10, 10)
    assert caught.value.reason is Reason.UNSUPPORTED


def test_a_range_past_the_end_is_truncated(serve: Serve) -> None:
    server, client = serve(ranged(DATA))
    for start in (len(DATA) - 5, len(DATA), len(DATA) + 5):
        with pytest.raises(UnreadableError) as caught:
            client.http.part(server.url, start, 10)
        assert caught.value.reason is Reason.TRUNCATED


def test_an_empty_range_is_refused_before_anything_is_sent(serve: Serve) -> None:
    server, client = serve(ranged(DATA))
    with pytest.raises(UnreadableError, match="an empty range"):
        client.http.part(server.url, 0, 0)
    assert server.asked == []


@pytest.mark.parametrize("etag", ['"v2"', "v2", '"v1-x"', 'W/"v1"', ""])
def test_another_version_is_changed_even_when_the_host_ignores_the_condition(etag: str, serve: Serve) -> None:
    server, client = serve(ranged(DATA, *([f"ETag: {etag}"] if etag else [])))
    with pytest.raises(UnreadableError, match="another version than before") as caught:
        client.http.part(server.url, 0, 10, version='"v1"')
    assert caught.value.reason is Reason.CHANGED
    assert server.asked[0].headers["if-match"] == '"v1"'


def test_a_version_is_the_same_with_and_without_quotes(serve: Serve) -> None:
    server, client = serve(ranged(DATA, "ETag: v1"))
    assert client.http.part(server.url, 0, 10, version='"v1"').version == '"v1"'
    assert client.http.part(server.url, 0, 10, version="v1").version == '"v1"'


@pytest.mark.parametrize("etag", ['W/"v1"', "", '"a b"', '"a"b"', '""', '"' + "x" * 300 + '"'])
def test_a_weak_or_impossible_etag_is_no_version(etag: str, serve: Serve) -> None:
    server, client = serve(ranged(DATA, f"ETag: {etag}"))
    assert client.http.part(server.url, 0, 10).version == ""


def test_another_size_than_before_is_changed(serve: Serve) -> None:
    server, client = serve(ranged(DATA))
    with pytest.raises(UnreadableError, match=f"5 bytes before, {len(DATA)} now") as caught:
        client.http.part(server.url, 0, 5, total=5)
    assert caught.value.reason is Reason.CHANGED


def test_an_unknown_total_is_fine_when_the_size_is_known_from_before(serve: Serve) -> None:
    server, client = serve(lambda _: partial(DATA[:10], "bytes 0-9/*"))
    assert client.http.part(server.url, 0, 10, total=len(DATA)).total == len(DATA)
    with pytest.raises(UnreadableError, match="whose size is not stated"):
        client.http.part(server.url, 0, 10)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [("gzip", gzip.compress(DATA)), ("x-gzip", gzip.compress(DATA)), ("deflate", zlib.compress(DATA))],
    ids=["gzip", "x-gzip", "deflate"],
)
def test_a_body_that_is_compressed_although_nobody_asked_is_inflated(
    coding: str, packed: bytes, serve: Serve
) -> None:
    server, client = serve(lambda _: answer(200, packed, f"Content-Encoding: {coding}"))
    assert client.http.get(server.url).body == DATA


def test_a_chunked_body_is_read_to_its_end(serve: Serve) -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"
    )
    server, client = serve(lambda _: chunked)
    assert [client.http.get(server.url).body for _ in range(2)] == [b"hello world"] * 2
    assert server.connections == 1


def test_a_redirect_within_the_host_keeps_the_secret(serve: Serve) -> None:
    server, client = serve(
        lambda asked: (
            answer(307, b"", "Location: ../b?x=1#y") if asked.target == "/a/a" else answer(200, b"b")
        )
    )
    found = client.http.get(f"{server.url}/a/a", secret=Secret(header="Authorization", value="Bearer s3cret"))
    assert (found.body, found.url) == (b"b", f"{server.url}/b?x=1")
    assert [each.headers.get("authorization") for each in server.asked] == ["Bearer s3cret"] * 2


@pytest.mark.parametrize("status", [301, 302, 303])
def test_what_is_sent_follows_no_redirect_that_would_turn_it_into_a_question(
    status: int, serve: Serve
) -> None:
    server, client = serve(lambda _: answer(status, b"", "Location: /b"))
    with pytest.raises(UnreadableError, match="a redirect that is not followed") as caught:
        client.http.send("POST", server.url, b"x")
    assert caught.value.reason is Reason.UNSUPPORTED
    assert len(server.asked) == 1


def test_what_is_sent_follows_307_with_its_body(serve: Serve) -> None:
    server, client = serve(
        lambda asked: answer(307, b"", "Location: /b") if asked.target == "/" else answer(200, asked.body)
    )
    assert client.http.send("POST", server.url, b"once").body == b"once"


def test_a_host_that_recovers_is_asked_again_with_growing_waits(serve: Serve) -> None:
    storm = [answer(500), answer(503), answer(502), answer(504)]
    server, client = serve(in_turn(*storm, answer(200, b"well")))
    assert client.http.get(server.url).body == b"well"
    assert len(client.pauses) == 4
    assert all(0.25 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(client.pauses))


def test_the_wait_that_a_host_asks_for_is_kept(serve: Serve) -> None:
    server, client = serve(in_turn(answer(429, b"", "Retry-After: 7"), answer(200)))
    client.http.get(server.url)
    assert client.pauses == [7.0]


def test_a_date_in_retry_after_is_counted_from_the_date_of_the_answer(serve: Serve) -> None:
    dates = ("Date: Mon, 23 Nov 2026 10:00:00 GMT", "Retry-After: Mon, 23 Nov 2026 10:00:09 GMT")
    server, client = serve(in_turn(answer(503, b"", *dates), answer(200)))
    client.http.get(server.url)
    assert client.pauses == [9.0]


def test_an_exhausted_quota_holds_back_the_next_exchange(serve: Serve) -> None:
    server, client = serve(in_turn(answer(200, b"", 'RateLimit: "api";r=0;t=123'), answer(200)))
    client.http.get(f"{server.url}/api/a")
    assert client.pauses == []
    client.http.get(f"{server.url}/resolve/a")  # counted apart
    assert client.pauses == []
    client.http.get(f"{server.url}/api/a")
    assert client.pauses == [123.0]


def test_a_quota_tells_how_long_to_wait_after_429(serve: Serve) -> None:
    server, client = serve(in_turn(answer(429, b"", 'RateLimit: "resolvers";r=0;t=30'), answer(200)))
    client.http.get(server.url)
    assert client.pauses == [30.0]


def test_all_threads_wait_for_the_same_moment(serve: Serve) -> None:
    server, client = serve(in_turn(answer(429, b"", "Retry-After: 50"), answer(200)))
    ready = threading.Barrier(4)
    waits: list[float] = []
    client.http.get(server.url)

    def ask() -> None:
        ready.wait(5)
        client.http.get(server.url)

    client.http._quota.host(f"127.0.0.1:{server.port}").hold("", 20)
    client.http._quota.pause = waits.append  # the clock stands still
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert waits == [20.0] * 4


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_may_have_been_done_is_not_done_again(method: str, serve: Serve) -> None:
    server, client = serve(lambda _: answer(500))
    with pytest.raises(UnreadableError) as caught:
        client.http.send(method, server.url, b"x")
    assert caught.value.reason is Reason.IO_ERROR
    assert len(server.asked) == 1


@pytest.mark.parametrize(("method", "status"), [("POST", 429), ("POST", 503), ("PUT", 500), ("DELETE", 502)])
def test_what_was_not_done_or_can_be_repeated_is_sent_again(method: str, status: int, serve: Serve) -> None:
    server, client = serve(in_turn(answer(status), answer(200)))
    client.http.send(method, server.url, b"x")
    assert [each.body for each in server.asked] == [b"x", b"x"]


def test_a_broken_connection_is_tried_again(serve: Serve) -> None:
    server, client = serve(
        in_turn(iter(()), iter([b"nonsense\r\n\r\n"]), answer(200, b"abc", length=9), answer(200, b"ok"))
    )
    assert client.http.get(server.url).body == b"ok"
    assert len(client.pauses) == 3


def test_requests_and_bytes_are_counted_per_host(serve: Serve) -> None:
    server, client = serve(ranged(DATA))
    client.http.part(server.url, 0, 100)
    client.http.part(server.url, 0, 200)
    assert client.http.counts() == {f"127.0.0.1:{server.port}": (2, 300)}


def test_a_host_is_asked_by_sixteen_threads_at_once_and_not_more() -> None:
    inside, most, lock = [0], [0], threading.Lock()
    release = threading.Event()

    def respond(asked: Asked) -> bytes:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            if inside[0] == 16:
                release.set()
        release.wait(5)
        with lock:
            inside[0] -= 1
        return answer(200)

    with Server(respond) as server:
        client = Client(server)
        threads = [threading.Thread(target=client.http.get, args=(server.url,)) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        client.http.close()
        assert most[0] == 16
        assert len(server.asked) == 24
        assert server.connections <= 16


def test_nothing_heavy_is_imported_before_the_first_request() -> None:
    code = (
        "import sys; from aibom.sources.http import Http; h = Http(); h.named('http://127.0.0.1:1/');"
        "print([m for m in ('urllib3', 'ssl', 'requests', 'certifi') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_what_is_shown_holds_no_secret_and_no_address() -> None:
    shown = repr(
        (
            Secret(header="Authorization", value="Bearer s3cret"),
            Answer(status=200, headers={"set-cookie": "s3cret"}, body=b"s3cret", url="https://h/?sig=s3cret"),
            Part(data=b"s3cret", start=0, total=6, version="", url="https://h/?sig=s3cret"),
        )
    )
    assert "s3cret" not in shown
