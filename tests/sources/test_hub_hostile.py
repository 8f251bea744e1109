"""A Hub that lies, refuses, or never ends: what it costs, and what is said."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap
from aibom.sources import hub_api, hub_listing
from aibom.sources.hub import PLACE, HubSource
from aibom.sources.opening import Opening
from tests.services.fake_hub import FakeHub, Reply, Request, git_oid, sha256

TOKEN = "hf_" + "s3cret" * 5
WEIGHTS = bytes(400_000)
FILES = {"config.json": b"{}", "model.safetensors": WEIGHTS}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub(tokens={TOKEN}) as fake:
        fake.add("org/name", FILES)
        yield fake


def refused(hub: FakeHub, target: str = "hf://org/name", token: str = "") -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        hub.source(target, token)
    assert TOKEN not in str(caught.value)
    return caught.value


def on(part: str, reply: Reply) -> Callable[[Request], Reply | None]:
    return lambda request: reply if part in request.path else None


def listing(*items: object) -> Callable[[Request], Reply | None]:
    return on("/tree/", Reply.of(list(items)))


def file(path: str, size: object = 2, **more: object) -> dict[str, object]:
    return {"type": "file", "path": path, "size": size, "oid": git_oid(b"{}"), **more}


def only(source: HubSource) -> Entry | Gap:
    (item,) = source.entries()
    return item


@pytest.mark.parametrize(
    ("target", "token", "reason", "words"),
    [
        ("hf://org/unknown", "", Reason.DENIED, "does not exist, or is private or gated: set HF_TOKEN"),
        ("hf://org/unknown", TOKEN, Reason.MISSING, "there is no hf://org/unknown"),
        ("hf://org/private", "", Reason.DENIED, "set HF_TOKEN to a token that may read it"),
        ("hf://org/name", "hf_revoked", Reason.DENIED, "does not accept the token in HF_TOKEN"),
        ("hf://org/disabled", "", Reason.DENIED, "hf://org/disabled is disabled by the Hub"),
        ("hf://org/name@v9", "", Reason.MISSING, "hf://org/name has no revision 'v9'"),
        ("hf://datasets/org/name", TOKEN, Reason.MISSING, "there is no hf://datasets/org/name"),
        ("hf://org/*", "", Reason.UNSUPPORTED, "names several repositories"),
    ],
)
def test_what_cannot_be_seen_is_named_with_what_helps(
    hub: FakeHub, target: str, token: str, reason: Reason, words: str
) -> None:
    hub.add("org/private", FILES, private=True)
    hub.add("org/disabled", FILES, disabled=True)
    error = refused(hub, target, token)
    assert error.reason is reason
    assert words in error.message


def test_the_files_of_a_gated_model_are_refused_with_what_helps(hub: FakeHub) -> None:
    hub.add("org/gated", FILES, gated="manual")
    source = hub.source("hf://org/gated")
    entries = [item for item in source.entries() if isinstance(item, Entry)]
    for entry in entries:
        with pytest.raises(UnreadableError) as caught, source.open(entry) as reader:
            reader.read_at(0, 2)
        assert caught.value.reason is Reason.DENIED
        assert "gated: accept its conditions on its page, then set HF_TOKEN" in caught.value.message


@pytest.mark.parametrize(
    "collection", ["hf://collections/org/none", "hf://collections/org/empty", "hf://nobody/*"]
)
def test_nothing_listed_is_an_error_and_not_a_clean_look(hub: FakeHub, collection: str) -> None:
    hub.collections["org/empty"] = [("paper", "2307.09288")]
    with pytest.raises(UnreadableError) as caught:
        list(PLACE.expand(collection, hub.opening()))  # type: ignore[misc]
    assert caught.value.reason is Reason.MISSING


@pytest.mark.parametrize(
    ("reply", "reason", "words"),
    [
        (Reply(200, b"<html>"), Reason.MALFORMED, "not JSON"),
        (Reply.of([]), Reason.MALFORMED, "something else than a JSON object"),
        (Reply.of({}), Reason.MALFORMED, "names no commit"),
        (Reply.of({"sha": "main"}), Reason.MALFORMED, "names no commit"),
        (Reply.of({"sha": 1}), Reason.MALFORMED, "names no commit"),
        (Reply(200, b"[" * 100_000), Reason.LIMIT, "deeper"),
        (Reply(200, b" " * 9_000_000), Reason.LIMIT, "bytes"),
        (Reply(403, headers=(("X-Error-Message", f"no {TOKEN}"),)), Reason.DENIED, "may not do this"),
        (Reply(401, headers=(("X-Error-Message", "\x1b[31mred"),)), Reason.DENIED, "\\x1b[31mred"),
        (Reply(302, headers=(("Location", "http://169.254.169.254/latest"),)), Reason.DENIED, "refused"),
        (Reply(302, headers=(("Location", "file:///etc/passwd"),)), Reason.UNSUPPORTED, "neither https"),
        (Reply(500), Reason.IO_ERROR, "500"),
    ],
    ids=lambda value: f"{value.status}-{len(value.body)}" if isinstance(value, Reply) else None,
)
def test_an_answer_that_is_none_is_an_error(hub: FakeHub, reply: Reply, reason: Reason, words: str) -> None:
    hub.tamper = on("/api/", reply)
    error = refused(hub, token=TOKEN)
    assert error.reason is reason
    assert words in error.message


def test_another_commit_than_the_one_asked_for_is_refused(hub: FakeHub) -> None:
    commit = hub.repos["models", "org/name"].refs["main"]
    hub.tamper = on("/revision/", Reply.of({"sha": "a" * 40, "id": "org/name"}))
    assert refused(hub, f"hf://org/name@{commit}").reason is Reason.CHANGED


def test_a_storm_of_429_waits_as_asked_and_gives_up(hub: FakeHub) -> None:
    told = (("RateLimit", '"api";r=0;t=55'), ("RateLimit-Policy", '"fixed window";"api";q=500;w=300'))
    hub.tamper = on("/api/", Reply(429, headers=told))
    error = refused(hub)
    assert error.reason is Reason.IO_ERROR
    assert 1 < len(hub.requests) <= 10
    assert max(hub.pauses) == pytest.approx(55, abs=6)


def test_one_429_is_waited_for(hub: FakeHub) -> None:
    def tamper(request: Request) -> Reply | None:
        return Reply(429, headers=(("RateLimit", '"api";r=0;t=7'),)) if len(hub.requests) == 1 else None

    hub.tamper = tamper
    assert hub.source("hf://org/name").target.name == "name"
    assert len(hub.requests) == 2


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../up", Reason.OUTSIDE_TARGET),
        ("a/../../up", Reason.OUTSIDE_TARGET),
        ("/etc/passwd", Reason.OUTSIDE_TARGET),
        ("a\\b", Reason.OUTSIDE_TARGET),
        ("a//b", Reason.OUTSIDE_TARGET),
        ("", Reason.OUTSIDE_TARGET),
        ("nul\0byte", Reason.OUTSIDE_TARGET),
        ("x" * 5_000, Reason.OUTSIDE_TARGET),
        ("\ud800", Reason.OUTSIDE_TARGET),
    ],
    ids=repr,
)
def test_a_path_that_is_none_is_a_gap(hub: FakeHub, path: str, reason: Reason) -> None:
    hub.tamper = listing(file(path[:5_000]))
    found = only(hub.source("hf://org/name"))
    assert isinstance(found, Gap)
    assert found.reason is reason
    assert found.path.isprintable()


@pytest.mark.parametrize("size", [-1, None, "2", True, 1.5, 2**60, 10**400], ids=lambda size: str(size)[:20])
def test_a_size_that_is_none_is_a_gap(hub: FakeHub, size: object) -> None:
    hub.tamper = listing(file("a.bin", size))
    found = only(hub.source("hf://org/name"))
    assert isinstance(found, Gap)
    assert found.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    "item", [{"type": "unknown", "path": "module", "size": 0}, {"path": "x", "size": 1}, 7, None, "x", []]
)
def test_what_is_no_file_is_a_gap_and_never_left_out(hub: FakeHub, item: object) -> None:
    hub.tamper = listing(item)
    assert isinstance(only(hub.source("hf://org/name")), Gap)


def test_a_path_that_is_listed_twice_is_a_gap(hub: FakeHub) -> None:
    hub.tamper = listing(file("a"), file("a", 3))
    found = only(hub.source("hf://org/name"))
    assert isinstance(found, Gap)
    assert "more than once" in found.detail


@pytest.mark.parametrize("oid", [None, 1, "", "x" * 64, "A" * 64, "a" * 63, ["a" * 64]], ids=repr)
def test_a_digest_that_is_none_is_not_claimed(hub: FakeHub, oid: object) -> None:
    hub.tamper = listing(file("a.bin", 2, lfs={"oid": oid, "size": 2}, xetHash=oid))
    found = only(hub.source("hf://org/name"))
    assert isinstance(found, Entry)
    assert found.claimed == ()
    assert not found.etag.startswith("sha256:")


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ('<{url}/api/models/org/name/tree/{commit}?recursive=true&expand=false>; rel="next"', "in circles"),
        ('<https://evil.example/x>; rel="next"', "on another host"),
        ('<//evil.example/x>; rel="next"', "on another host"),
        ('<http://[>; rel="next"', "cannot be parsed"),
    ],
)
def test_a_listing_that_leads_astray_ends_in_a_gap(hub: FakeHub, link: str, words: str) -> None:
    commit = hub.repos["models", "org/name"].refs["main"]
    header = link.format(url=hub.url, commit=commit)
    hub.tamper = on("/tree/", Reply.of([file("a"), file("-")], ("Link", header)))
    gap_or_entry = list(hub.source("hf://org/name", TOKEN).entries())
    assert [item.path for item in gap_or_entry] == ["-", ".", "a"]
    gap = gap_or_entry[1]
    assert isinstance(gap, Gap)
    assert words in gap.detail
    assert len(hub.requests) == 2


def test_a_listing_without_end_is_cut(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_api, "PAGE_COUNT", 20)

    def tamper(request: Request) -> Reply | None:
        if "/tree/" not in request.path:
            return None
        link = f'<{hub.url}{request.path}?cursor={len(hub.requests)}>; rel="next"'
        return Reply.of([file(f"{len(hub.requests):03}")], ("Link", link))

    hub.tamper = tamper
    items = list(hub.source("hf://org/name").entries())
    assert len(hub.requests) == 1 + 20
    assert len(items) == 21
    assert isinstance(items[0], Gap)
    assert items[0].reason is Reason.LIMIT


def test_a_listing_that_breaks_off_keeps_what_there_was(hub: FakeHub) -> None:
    def tamper(request: Request) -> Reply | None:
        return Reply(500) if "cursor" in request.query else None

    hub.page, hub.tamper = 1, tamper
    items = list(hub.source("hf://org/name").entries())
    assert [(item.path, type(item)) for item in items] == [(".", Gap), ("config.json", Entry)]


def test_a_listing_that_is_refused_is_a_gap(hub: FakeHub) -> None:
    hub.tamper = on("/tree/", Reply(403))
    found = only(hub.source("hf://org/name"))
    assert isinstance(found, Gap)
    assert found.reason is Reason.DENIED


def read(hub: FakeHub, path: str, **settings: Any) -> UnreadableError:
    source = hub.source("hf://org/name", TOKEN, **settings)
    entry = next(item for item in source.entries() if item.path == path)
    assert isinstance(entry, Entry)
    with pytest.raises(UnreadableError) as caught, source.open(entry) as reader:
        reader.read_at(0, min(reader.size, 1_000))
    assert TOKEN not in str(caught.value)
    assert "signature" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("path", ["config.json", "model.safetensors"])
def test_a_file_that_is_listed_and_not_there_is_missing(hub: FakeHub, path: str) -> None:
    hub.tamper = on("/resolve/", Reply(404, headers=(("X-Error-Code", "EntryNotFound"),)))
    assert read(hub, path).reason is Reason.MISSING


@pytest.mark.parametrize(
    ("size", "reason"), [(0, Reason.CHANGED), (1, Reason.CHANGED), (3, Reason.TRUNCATED)]
)
def test_a_small_file_of_another_size_than_listed_is_refused(hub: FakeHub, size: int, reason: Reason) -> None:
    hub.tamper = listing(file("config.json", size))
    assert read(hub, "config.json").reason is reason


@pytest.mark.parametrize("size", [399_999, 400_001])
def test_weights_of_another_size_than_listed_are_refused(hub: FakeHub, size: int) -> None:
    hub.tamper = listing(file("model.safetensors", size, lfs={"oid": sha256(WEIGHTS), "size": size}))
    assert read(hub, "model.safetensors").reason is Reason.CHANGED


def redirect(hub: FakeHub, *headers: tuple[str, str], place: str = "") -> Callable[[Request], Reply | None]:
    location = place or f"{hub.cdn}/{sha256(WEIGHTS)}?signature=1"
    return on("/resolve/", Reply(302, headers=(("Location", location), *headers)))


@pytest.mark.parametrize("size", [399_999, 400_001])
def test_a_content_network_that_has_another_size_than_listed_is_refused(hub: FakeHub, size: int) -> None:
    lying = listing(file("model.safetensors", size, lfs={"oid": sha256(WEIGHTS), "size": size}))
    silent = redirect(hub)
    hub.tamper = lambda request: lying(request) or silent(request)
    assert read(hub, "model.safetensors").reason is Reason.CHANGED
    assert len(hub.fetched) == 1


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("X-Linked-Etag", f'"{"a" * 64}"', "other content (ETag)"),
        ("X-Linked-Size", "1", "another size than the 400,000 bytes"),
        ("X-Linked-Size", "9" * 5_000, "another size"),
        ("X-Repo-Commit", "b" * 40, "another commit"),
    ],
    ids=["etag", "size", "long-size", "commit"],
)
def test_weights_that_the_hub_itself_calls_others_are_refused(
    hub: FakeHub, name: str, value: str, words: str
) -> None:
    hub.tamper = redirect(hub, (name, value))
    error = read(hub, "model.safetensors")
    assert error.reason is Reason.CHANGED
    assert words in error.message
    assert not hub.fetched


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("ETag", f'"{"a" * 40}"', "other content (ETag)"), ("X-Repo-Commit", "b" * 40, "another commit")],
    ids=["etag", "commit"],
)
def test_a_small_file_that_the_hub_itself_calls_another_is_refused(
    hub: FakeHub, name: str, value: str, words: str
) -> None:
    commit = hub.repos["models", "org/name"].refs["main"]
    hub.tamper = on("/resolve/", Reply(200, b"{}", tuple({"X-Repo-Commit": commit, name: value}.items())))
    assert words in read(hub, "config.json").message


@pytest.mark.parametrize("etag", ['W/"12-34"', f'"{"a" * 40}"', f'"{"a" * 64}"'])
def test_the_etag_of_a_mirror_is_no_claim_of_the_hub(hub: FakeHub, etag: str) -> None:
    hub.tamper = on("/resolve/", Reply(200, b"{}", (("ETag", etag),)))
    source = hub.source("hf://org/name")
    entry = next(item for item in source.entries() if isinstance(item, Entry) and item.path == "config.json")
    with source.open(entry) as reader:
        assert reader.read_at(0, 2) == b"{}"


@pytest.mark.parametrize("path", ["config.json", "model.safetensors"])
@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:1/x",
        "http://169.254.169.254/latest",
        "https://10.0.0.1/x",
        "file:///x",
    ],
)
def test_a_redirect_into_the_network_of_the_user_is_refused(hub: FakeHub, path: str, place: str) -> None:
    hub.tamper = redirect(hub, place=place)
    assert read(hub, path).reason in (Reason.DENIED, Reason.UNSUPPORTED)
    assert not hub.fetched


def test_redirects_within_the_hub_end(hub: FakeHub) -> None:
    hub.tamper = redirect(hub, place="/org/name/resolve/again")
    assert read(hub, "model.safetensors").reason is Reason.LIMIT
    assert len(hub.requests) <= 2 + 3


def test_a_change_between_two_ranges_is_seen(hub: FakeHub) -> None:
    def tamper(request: Request) -> Reply | None:
        if not request.path.startswith("/cdn/") or len(hub.fetched) < 2:
            return None
        body = b"x" * 4_096
        headers = (("ETag", '"another"'), ("Content-Range", "bytes 395904-399999/400000"))
        return Reply(206, body, headers)

    hub.tamper = tamper
    source = hub.source("hf://org/name")
    entry = next(item for item in source.entries() if item.path == "model.safetensors")
    assert isinstance(entry, Entry)
    with source.open(entry) as reader:
        reader.read_at(0, 10)
        with pytest.raises(UnreadableError) as caught:
            reader.read_at(395_904, 4_096)
    assert caught.value.reason is Reason.CHANGED


@pytest.mark.parametrize("name", ["evil/name", "org/../x", "org/name@v1", "", None, 7, "org/name/model.bin"])
def test_an_organisation_that_lists_what_is_not_its_own_is_refused(hub: FakeHub, name: object) -> None:
    hub.tamper = on("/api/models", Reply.of([{"id": name}]))
    with pytest.raises(UnreadableError) as caught:
        list(PLACE.expand("hf://org/*", hub.opening()))  # type: ignore[misc]
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("items", [None, {}, 7, [7], [{"type": ["model"]}]], ids=repr)
def test_a_collection_of_nonsense_is_refused(hub: FakeHub, items: object) -> None:
    hub.tamper = on("/api/collections/", Reply.of({"items": items}))
    with pytest.raises(UnreadableError):
        list(PLACE.expand("hf://collections/org/x-1", hub.opening()))  # type: ignore[misc]


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://user:hf_secret@hub.example",
        "ftp://hub.example",
        "hub.example",
        "https://",
        "https://h/?a=b",
        "https://h:99999",
    ],
)
def test_an_endpoint_that_is_none_is_refused_without_its_password(endpoint: str) -> None:
    with FakeHub() as hub:
        opening = hub.opening()
    refusing = Opening(network=opening.network, environment={"HF_ENDPOINT": endpoint})
    with pytest.raises(UnreadableError, match="HF_ENDPOINT") as caught:
        PLACE.open("hf://org/name", refusing)
    assert "hf_secret" not in str(caught.value)


def test_a_token_does_not_cross_the_network_without_tls(hub: FakeHub) -> None:
    named = {"HF_ENDPOINT": "http://hub.example", "HF_TOKEN": "hf_secret"}
    refusing = Opening(network=hub.opening().network, environment=named)
    with pytest.raises(UnreadableError, match="without TLS") as caught:
        PLACE.open("hf://org/name", refusing)
    assert (caught.value.reason, "hf_secret" in str(caught.value)) == (Reason.DENIED, False)


@pytest.mark.parametrize("token", ["hf_a b", "hf_a\r\nX-Other: 1", "hf_é", "x" * 10_000])
def test_a_token_that_is_none_is_refused_unseen(hub: FakeHub, token: str) -> None:
    with pytest.raises(UnreadableError, match="something else than a token") as caught:
        hub.source("hf://org/name", token)
    assert token not in str(caught.value)
    assert not hub.requests


def test_a_repository_of_very_many_files_is_cut_and_costs_bounded_memory(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_listing, "FILE_COUNT", 8_000)
    large = {"lfs": {"oid": "a" * 64, "size": 1}, "xetHash": "b" * 64}
    items = [file(f"data/{at:06}.parquet", **large) for at in range(9_000)]
    hub.tamper = on("/tree/", Reply(200, json.dumps(items).encode()))
    source = hub.source("hf://org/name")
    tracemalloc.start()
    try:
        found = list(source.entries())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found) == 8_001
    assert isinstance(found[0], Gap)
    assert found[0].reason is Reason.LIMIT
    assert peak < 64 << 20
