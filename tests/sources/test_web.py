"""Files at web addresses, against a small server that answers what a test wants."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap
from aibom.domain.publication import Attached, DocumentKind
from aibom.domain.ref import PinnedRef, Ref
from aibom.sources import web
from aibom.sources.http import Http
from aibom.sources.opening import Opening
from tests.services.http_server import Asked, Reply, Respond, Server, answer, endless, partial, ranged

WEIGHTS = bytes(range(256)) * 4_000
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


def served(respond: Respond) -> Respond:
    """The same with HEAD, which has the headers of GET and no body."""

    def both(asked: Asked) -> Reply:
        reply = respond(asked)
        if asked.method != "HEAD" or not isinstance(reply, bytes):
            return reply
        return reply.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    return both


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(served(ranged(WEIGHTS, 'ETag: "v1"'))) as running:
        yield running


def opened(server: Server, path: str = "/m/model.gguf", **options: Any) -> web.WebSource:
    http = Http(pause=lambda _: None)
    source = web.PLAIN.open(f"{server.url}{path}", Opening(network=lambda: http, **options))
    assert isinstance(source, web.WebSource)
    return source


def entry_of(source: web.WebSource) -> Entry:
    (entry,) = source.entries()
    assert isinstance(entry, Entry)
    return entry


def whole(source: web.WebSource) -> bytes:
    with source.open(entry_of(source)) as reader:
        return reader.read_at(0, reader.size)


def refusal(call: Any) -> UnreadableError:
    with pytest.raises(UnreadableError) as raised:
        call()
    assert "signature" not in str(raised.value)
    return raised.value


def test_an_address_is_one_file_that_is_not_pinned(server: Server) -> None:
    source = opened(server)
    entry = entry_of(source)
    assert (entry.path, entry.size, entry.header_only, entry.claimed) == (
        "model.gguf",
        len(WEIGHTS),
        True,
        (),
    )
    assert source.target.ref == Ref(scheme="https", location=f"{server.url}/m/model.gguf")
    assert dict(source.target.attributes)["pinned"].startswith("no")
    assert source.target.name == "model.gguf"


def test_the_header_of_weights_costs_one_question_and_one_range(server: Server) -> None:
    source = opened(server)
    with source.open(entry_of(source)) as reader:
        assert reader.read_at(0, 40_000) == WEIGHTS[:40_000]
    assert [asked.method for asked in server.asked] == ["HEAD", "GET"]
    assert server.asked[-1].headers["if-match"] == '"v1"'


def test_full_reads_all_bytes(server: Server) -> None:
    source = opened(server, full=True)
    assert not entry_of(source).header_only
    assert whole(source) == WEIGHTS


def test_a_digest_in_the_address_is_what_the_user_expects(server: Server) -> None:
    source = opened(server, f"/m/model.gguf#sha256={SHA256.upper()}")
    assert entry_of(source).claimed == (Digest(algorithm="sha256", value=SHA256, grade=Grade.CLAIMED),)
    assert source.target.ref == PinnedRef(
        scheme="https", location=f"{server.url}/m/model.gguf", revision=f"sha256:{SHA256}"
    )
    assert not entry_of(source).etag.startswith("sha256:")  # a cache must not believe what was only expected


def test_a_query_is_sent_and_shown_nowhere(server: Server) -> None:
    source = opened(server, "/m/model.gguf?signature=abc")
    assert server.asked[0].target == "/m/model.gguf?signature=abc"
    assert "signature" not in repr((source.target, entry_of(source), source._address))
    assert source.attached() == ()
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("https://", "https://host/path/file"),
        ("https:///path", "https://host/path/file"),
        ("https://host", "name one file"),
        ("https://host/folder/", "name one file"),
        ("https://host/a b", "without blanks"),
        ("https://host/a\x1b[31m", "without blanks"),
        ("https://host/" + "a" * 9_000, "without blanks"),
        ("https://user:signature@host/file", "no user and no password"),
        ("https://host:port/file", "no URL"),
        ("https://[::1/file", "no URL"),
        ("https://host/file#part", "sha256="),
        ("https://host/file#sha256=abc", "sha256="),
        ("https://host/file#md5=" + "a" * 32, "sha256="),
    ],
    ids=lambda value: value[:30].replace("\x1b", "_"),
)
def test_an_address_that_is_none_says_what_to_type(target: str, words: str) -> None:
    raised = refusal(lambda: web.parse(target))
    assert (raised.reason, words in raised.message) == (Reason.MALFORMED, True)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_malformed(text: str) -> None:
    try:
        address = web.parse(f"https://{text}")
    except UnreadableError as refused:
        assert refused.reason is Reason.MALFORMED  # noqa: PT017 - either is fine
    else:
        assert address.name
        assert "/" not in address.name


def test_a_path_that_looks_like_a_user_is_refused(server: Server) -> None:
    assert refusal(lambda: opened(server, "/m//a@b/x.gguf")).reason is Reason.MALFORMED


@pytest.mark.parametrize("name", ["%2e%2e", "%00", "a%0Ab", "back%5Cslash"])
def test_a_name_that_is_no_path_is_a_gap(server: Server, name: str) -> None:
    source = opened(server, f"/m/{name}")
    (gap,) = source.entries()
    assert isinstance(gap, Gap)
    assert gap.reason is Reason.OUTSIDE_TARGET
    assert source.target.name.isprintable()
    if "%0" in name:
        assert source.attached() == ()


def test_offline_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    assert refusal(lambda: web.PLACE.open("https://host/file", Opening())).reason is Reason.IO_ERROR


# Servers that are not as they should be


def test_a_server_that_only_knows_get_is_asked_for_one_byte() -> None:
    ranges = ranged(WEIGHTS, 'ETag: "v1"')
    with Server(lambda asked: answer(405) if asked.method == "HEAD" else ranges(asked)) as server:
        source = opened(server)
        assert entry_of(source).size == len(WEIGHTS)
        assert server.asked[1].range == (0, 0)
        assert whole(source) == WEIGHTS


def test_an_address_that_is_signed_for_get_may_deny_head() -> None:
    ranges = ranged(WEIGHTS)
    with Server(lambda asked: answer(403) if asked.method == "HEAD" else ranges(asked)) as server:
        assert entry_of(opened(server)).size == len(WEIGHTS)


def test_a_server_that_states_no_size_is_read_when_the_file_is_small() -> None:
    def respond(asked: Asked) -> Reply:
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        return head if asked.method == "HEAD" else head + b"{}"

    with Server(respond) as server:
        source = opened(server, "/config.json")
        assert (entry_of(source).size, whole(source)) == (2, b"{}")


def test_a_file_without_end_and_size_is_given_up() -> None:
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    with Server(lambda asked: head if asked.method == "HEAD" else endless(head, b"x" * 65_536)) as server:
        assert refusal(lambda: opened(server)).reason is Reason.LIMIT


def test_an_empty_file_is_listed_and_read() -> None:
    with Server(served(ranged(b""))) as server:
        source = opened(server, "/empty.txt")
        assert (entry_of(source).size, whole(source)) == (0, b"")


def without_ranges(data: bytes) -> Respond:
    return served(lambda _: answer(200, data, 'ETag: "v1"', "Connection: close"))


def test_of_a_server_without_ranges_the_header_is_read_from_the_front() -> None:
    with Server(without_ranges(WEIGHTS)) as server:
        source = opened(server)
        with source.open(entry_of(source)) as reader:
            assert reader.read_at(0, 1_000) == WEIGHTS[:1_000]
        assert len(server.asked) == 2


def test_a_large_file_of_a_server_without_ranges_is_read_as_a_whole_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = WEIGHTS * 20  # 20 MB: behind the 8 MiB that are skipped
    with Server(without_ranges(data)) as server:
        source = opened(server, full=True)
        with source.open(entry_of(source)) as reader:
            assert reader.read_at(len(data) - 10, 10) == data[-10:]
        monkeypatch.setattr(web, "UNRANGED_BYTES", 10 << 20)
        with source.open(entry_of(source)) as reader:
            raised = refusal(lambda: reader.read_at(len(data) - 10, 10))
    assert raised.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize(
    ("later", "reason"),
    [
        pytest.param(ranged(WEIGHTS, 'ETag: "v2"'), Reason.CHANGED, id="another ETag"),
        pytest.param(ranged(WEIGHTS + b"x", 'ETag: "v1"'), Reason.CHANGED, id="another size"),
        pytest.param(lambda _: answer(412), Reason.CHANGED, id="412"),
        pytest.param(lambda _: answer(404), Reason.MISSING, id="404"),
        pytest.param(lambda _: answer(403), Reason.DENIED, id="403"),
        pytest.param(lambda _: answer(500), Reason.IO_ERROR, id="500"),
        pytest.param(
            lambda asked: partial(b"x" * 5, f"bytes 0-4/{len(WEIGHTS)}", 'ETag: "v1"'),
            Reason.MALFORMED,
            id="another range",
        ),
        pytest.param(
            lambda _: answer(302, b"", "Location: http://169.254.169.254/latest/meta-data"),
            Reason.DENIED,
            id="metadata",
        ),
    ],
)
def test_other_bytes_than_those_that_were_listed_are_an_error(
    server: Server, later: Respond, reason: Reason
) -> None:
    source = opened(server)
    entry = entry_of(source)
    server.respond = later
    with source.open(entry) as reader:
        raised = refusal(lambda: reader.read_at(0, 10))
    assert raised.reason is reason


def test_a_whole_answer_of_another_version_is_changed() -> None:
    data = WEIGHTS * 20
    with Server(without_ranges(data)) as server:
        source = opened(server, full=True)
        entry = entry_of(source)

        def respond(asked: Asked) -> Reply:
            etag = '"v1"' if "range" in asked.headers else '"v2"'
            return answer(200, data, f"ETag: {etag}", "Connection: close")

        server.respond = respond
        with source.open(entry) as reader:
            assert refusal(lambda: reader.read_at(len(data) - 10, 10)).reason is Reason.CHANGED


def test_a_compressed_answer_to_head_is_no_size() -> None:
    def respond(asked: Asked) -> Reply:
        if asked.method == "HEAD":
            return answer(200, b"", "Content-Encoding: gzip", length=7)
        return ranged(WEIGHTS)(asked)

    with Server(respond) as server:
        assert entry_of(opened(server)).size == len(WEIGHTS)


def test_nothing_there_is_missing() -> None:
    with Server(served(lambda _: answer(404))) as server:
        assert refusal(lambda: opened(server)).reason is Reason.MISSING


# Documents beside the file


def beside(documents: dict[str, bytes]) -> Respond:
    def respond(asked: Asked) -> Reply:
        if asked.target == "/m/model.gguf":
            return ranged(WEIGHTS)(asked)
        found = documents.get(asked.target)
        return answer(404) if found is None else answer(200, found)

    return served(respond)


@pytest.mark.parametrize("ending", [".sigstore.json", ".sig"])
def test_a_signature_beside_the_file_is_found_with_two_requests(ending: str) -> None:
    with Server(beside({f"/m/model.gguf{ending}": b'{"mediaType": "x"}'})) as server:
        (found,) = opened(server).attached()
        assert (found.name, found.kind) == (f"model.gguf{ending}", DocumentKind.SIGNATURE)
        assert len(server.asked) <= 3


def test_a_page_that_says_not_found_with_200_is_no_signature() -> None:
    page = b"<html>not found</html>"
    with Server(beside({"/m/model.gguf.sigstore.json": page, "/m/model.gguf.sig": page})) as server:
        assert opened(server).attached() == ()


def test_a_signature_that_cannot_be_asked_for_is_not_taken_for_none() -> None:
    ranges = ranged(WEIGHTS)
    respond = served(lambda asked: answer(403) if "sig" in asked.target else ranges(asked))
    with Server(respond) as server:
        assert refusal(opened(server).attached).reason is Reason.DENIED


def test_nothing_can_be_published_beside_a_web_address(server: Server) -> None:
    document = Attached(name="bom.json", kind=DocumentKind.BOM, media_type="application/json", data=b"{}")
    source = opened(server)
    raised = refusal(lambda: source.publish((document,), dry_run=True, pull_request=False))
    assert raised.reason is Reason.UNSUPPORTED
