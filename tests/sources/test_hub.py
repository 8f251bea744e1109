"""A repository of the Hub: what is pinned, listed, fetched and claimed, and at what cost.

The server is our own (`tests.services.fake_hub`); the library `huggingface_hub` asks it too, as the
independent party: what it says about a repository and what we say must be the same.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from huggingface_hub.hf_api import RepoFile

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap
from aibom.domain.limits import PROBE_BYTES
from aibom.domain.protocols import Probe
from aibom.domain.ref import PinnedRef
from aibom.formats import safetensors
from aibom.sources.hub import PLACE, HubSource
from aibom.sources.listing import SMALL_FILE_BYTES
from aibom.sources.opening import Opening
from tests.services.fake_hub import FakeHub, Reply, Request, git_oid

TOKEN = "hf_" + "s3cret" * 5
IMPLICIT = {"HF_TOKEN": TOKEN, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
CONFIG = b'{"model_type": "bert"}'


def weights(size: int) -> bytes:
    """A safetensors file of one tensor."""
    shape = {"weight": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    header = json.dumps(shape).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)


WEIGHTS = weights(400_000)  # more than is fetched whole
LARGE = weights(SMALL_FILE_BYTES + 1)
FILES = {"README.md": b"# A model", "config.json": CONFIG, "model.safetensors": WEIGHTS, "sub/a.txt": b"text"}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub(tokens={TOKEN}) as fake:
        yield fake


def listed(source: HubSource) -> dict[str, Entry]:
    items = list(source.entries())
    assert [item.path for item in items] == sorted(item.path for item in items)
    return {item.path: item for item in items if isinstance(item, Entry)}


def content(source: HubSource, entry: Entry) -> bytes:
    with source.open(entry) as reader:
        return reader.read_at(0, reader.size)


def test_a_branch_is_pinned_to_its_commit_and_named(hub: FakeHub) -> None:
    commit = hub.add("org/name", FILES).refs["main"]
    target = hub.source("hf://org/name").target
    assert target.ref == PinnedRef(scheme="hf", location="org/name", revision=commit)
    assert target.ref.purl == f"pkg:huggingface/org/name@{commit}"
    assert target.name == "name"
    assert dict(target.attributes) == {"requested": "main", "endpoint": hub.url}


@pytest.mark.parametrize("kind", ["models", "datasets", "spaces"])
def test_every_kind_of_repository_is_listed_as_the_library_lists_it(hub: FakeHub, kind: str) -> None:
    hub.add("org/name", FILES, kind)
    prefix = "" if kind == "models" else f"{kind}/"
    ours = listed(hub.source(f"hf://{prefix}org/name"))
    theirs = {
        file.path: file
        for file in HfApi(endpoint=hub.url, token=False).list_repo_tree(
            "org/name", recursive=True, repo_type=kind.removesuffix("s")
        )
        if isinstance(file, RepoFile)
    }
    assert ours.keys() == theirs.keys() == FILES.keys()
    for path, entry in ours.items():
        file = theirs[path]
        claims = {digest.algorithm: digest.value for digest in entry.claimed}
        assert entry.size == file.size
        assert claims == (
            {"sha256": file.lfs.sha256, "xet": file.xet_hash} if file.lfs else {"git-sha1": file.blob_id}
        )
        assert {digest.grade for digest in entry.claimed} == {Grade.CLAIMED}
        assert content(hub.source(f"hf://{prefix}org/name", full=True), entry) == FILES[path]


def test_a_commit_is_the_one_that_the_library_resolves(hub: FakeHub) -> None:
    repo = hub.add("org/name", FILES)
    repo.commit({"a": b"b"}, "refs/pr/1")
    repo.commit({"a": b"c"}, "v1.0")
    for revision in ("main", "v1.0", "refs/pr/1"):
        ref = hub.source(f"hf://org/name@{revision}").target.ref
        assert ref is not None
        assert (
            ref.revision == HfApi(endpoint=hub.url, token=False).model_info("org/name", revision=revision).sha
        )


def test_the_identity_of_a_large_file_is_its_content_and_of_a_small_one_its_place(hub: FakeHub) -> None:
    commit = hub.add("org/name", FILES).refs["main"]
    hub.add("org/other", FILES)
    one, other = listed(hub.source("hf://org/name")), listed(hub.source("hf://org/other"))
    assert one["model.safetensors"].etag == f"sha256:{hashlib.sha256(WEIGHTS).hexdigest()}"
    assert one["model.safetensors"].etag == other["model.safetensors"].etag
    assert one["config.json"].etag != other["config.json"].etag
    assert commit in one["config.json"].etag


def test_a_branch_that_moves_meanwhile_changes_nothing(hub: FakeHub) -> None:
    repo = hub.add("org/name", {"config.json": CONFIG})
    source = hub.source("hf://org/name")
    repo.commit({"config.json": b"{}", "new.bin": b"new"})
    entries = listed(source)
    assert list(entries) == ["config.json"]
    assert content(source, entries["config.json"]) == CONFIG


def test_thirty_files_cost_two_requests_and_one_for_each(hub: FakeHub) -> None:
    small = {f"small-{at:02}.json": b"[%d]" % at for at in range(28)}
    hub.add("org/name", {**small, "config.json": CONFIG, "model.safetensors": WEIGHTS})
    source = hub.source("hf://org/name")
    entries = listed(source)
    assert len(hub.requests) == 2
    for entry in entries.values():
        if not entry.header_only:
            content(source, entry)
    assert len(hub.requests) == 2 + 29
    assert not hub.fetched


def test_weights_are_described_by_two_ranges_at_most(hub: FakeHub) -> None:
    hub.add("org/name", FILES)
    source = hub.source("hf://org/name")
    entry = listed(source)["model.safetensors"]
    before = len(hub.requests)
    with source.open(entry) as reader:
        assert safetensors.FORMAT.read is not None
        probe = Probe(name="model.safetensors", head=reader.read_at(0, PROBE_BYTES), reader=reader)
        facts = safetensors.FORMAT.read(probe)
    assert [tensor.name for tensor in facts.tensors] == ["weight"]
    assert len(hub.requests) - before == 1
    assert 1 <= len(hub.fetched) <= 2
    ranges = [request.headers["range"].removeprefix("bytes=").split("-") for request in hub.fetched]
    assert sum(int(end) - int(start) + 1 for start, end in ranges) <= 110_000


def test_a_large_file_is_read_whole_when_everything_is_wanted(hub: FakeHub) -> None:
    hub.add("org/name", {"model.safetensors": LARGE})
    source = hub.source("hf://org/name", full=True)
    entry = listed(source)["model.safetensors"]
    assert not entry.header_only
    assert content(source, entry) == LARGE
    assert len([request for request in hub.requests if "/resolve/" in request.path]) == 1


def test_a_listing_in_pages_is_read_to_its_end(hub: FakeHub) -> None:
    hub.page = 7
    hub.add("org/name", {f"folder/{at:03}.txt": b"x" for at in range(50)})
    assert len(listed(hub.source("hf://org/name"))) == 50
    assert len(hub.requests) == 1 + 8  # 50 files and their folder


def test_what_is_excluded_is_counted(hub: FakeHub) -> None:
    hub.add("org/name", FILES)
    source = hub.source("hf://org/name", exclude=("*.md", "sub/*"))
    assert list(listed(source)) == ["config.json", "model.safetensors"]
    assert source.excluded == 2


def test_an_empty_repository_has_no_entries(hub: FakeHub) -> None:
    hub.add("org/empty", {})
    assert list(hub.source("hf://org/empty").entries()) == []


def test_a_name_with_signs_that_addresses_use_is_fetched(hub: FakeHub) -> None:
    names = {"a b.txt": b"1", "a#b?c=d&e%20.txt": b"2", "ü/名.txt": b"3"}
    hub.add("org/name", names)
    source = hub.source("hf://org/name")
    assert {path: content(source, entry) for path, entry in listed(source).items()} == names


def test_the_token_goes_to_the_hub_and_never_to_the_content_network(hub: FakeHub) -> None:
    hub.add("org/name", {**FILES, "tokenizer.zip": b"PK" * 500}, private=True)
    source = hub.source("hf://org/name", TOKEN)
    for entry in listed(source).values():
        with source.open(entry) as reader:
            reader.read_at(0, 2)
    assert {request.token for request in hub.requests} == {TOKEN}
    assert len(hub.fetched) >= 2
    assert not any("authorization" in request.headers for request in hub.fetched)
    assert TOKEN not in f"{source!r} {source.target!r} {list(source.entries())!r}"


def test_a_private_gated_model_says_so(hub: FakeHub) -> None:
    hub.add("org/name", FILES, private=True, gated="manual")
    told = dict(hub.source("hf://org/name", TOKEN).target.attributes)
    assert (told["private"], told["gated"]) == ("yes", "manual")


def test_what_the_scanners_of_the_hub_say_is_told_as_theirs(hub: FakeHub) -> None:
    issues = [{"path": "evil.pkl", "level": "unsafe"}, {"path": "x\x1b[31m", "level": "\x1b"}]
    hub.add("org/name", FILES, scan={"scansDone": True, "filesWithIssues": issues})
    hub.add("org/fresh", FILES, scan={"scansDone": False, "filesWithIssues": []})
    hub.add("org/clean", FILES, scan={"scansDone": True, "filesWithIssues": []})
    scans = [
        [pair for pair in hub.source(f"hf://org/{name}").target.attributes if pair[0].startswith("hub-scan")]
        for name in ("name", "fresh", "clean")
    ]
    assert scans == [
        [
            ("hub-scan", "finished: 2 files with issues"),
            ("hub-scan:unsafe", "evil.pkl"),
            ("hub-scan:unknown", "x\\x1b[31m"),
        ],
        [("hub-scan", "not finished")],
        [("hub-scan", "finished: no file with issues")],
    ]


def test_a_renamed_repository_is_named_as_it_is_now(hub: FakeHub) -> None:
    hub.add("new/name", FILES)
    hub.renamed["old/name"] = "new/name"
    source = hub.source("hf://old/name")
    assert source.target.ref is not None
    assert source.target.ref.location == "new/name"
    assert ("renamed", "asked for as old/name") in source.target.attributes
    assert content(source, listed(source)["config.json"]) == CONFIG


def test_a_model_with_very_many_files_is_asked_for_less(hub: FakeHub) -> None:
    def tamper(request: Request) -> Reply | None:
        return Reply.of({"siblings": "x" * 9_000_000}) if "securityStatus" in request.query else None

    hub.add("org/name", FILES, gated="auto")
    hub.tamper = tamper
    assert dict(hub.source("hf://org/name").target.attributes)["gated"] == "auto"


def test_an_address_that_expired_is_asked_for_again_once(hub: FakeHub) -> None:
    hub.add("org/name", FILES)
    source = hub.source("hf://org/name")
    with source.open(listed(source)["model.safetensors"]) as reader:
        assert reader.read_at(0, 10) == WEIGHTS[:10]
        hub.signature += 1
        assert reader.read_at(reader.size - 10, 10) == WEIGHTS[-10:]
    assert len([request for request in hub.requests if request.method == "HEAD"]) == 2


def test_an_address_that_is_refused_from_the_start_is_an_error(hub: FakeHub) -> None:
    hub.add("org/name", FILES)
    hub.tamper = lambda request: Reply(403) if request.path.startswith("/cdn/") else None
    source = hub.source("hf://org/name")
    with pytest.raises(UnreadableError) as caught, source.open(listed(source)["model.safetensors"]) as reader:
        reader.read_at(0, 10)
    assert caught.value.reason is Reason.DENIED
    assert "signature" not in caught.value.message
    assert len(hub.fetched) == 1


def test_all_models_of_an_organisation_are_named_page_by_page(hub: FakeHub) -> None:
    hub.page = 3
    for at in range(8):
        hub.add(f"org/m{at}", FILES)
    hub.add("org/data", FILES, "datasets")
    hub.add("organic/m", FILES)
    hub.add("org/secret", FILES, private=True)
    named = PLACE.expand("hf://org/*", hub.opening()) if PLACE.expand else iter(())
    assert next(named) == "hf://org/m0"
    assert len(hub.requests) == 1
    assert list(named) == [f"hf://org/m{at}" for at in range(1, 8)]
    assert expanded(hub, "hf://datasets/org/*") == ["hf://datasets/org/data"]
    assert "hf://org/secret" in expanded(hub, "hf://org/*", TOKEN)
    library = HfApi(endpoint=hub.url, token=TOKEN).list_models(author="org")
    assert expanded(hub, "hf://org/*", TOKEN) == [f"hf://{model.id}" for model in library]


def expanded(hub: FakeHub, target: str, token: str = "") -> list[str]:
    assert PLACE.expand is not None
    return list(PLACE.expand(target, hub.opening(token)))


def test_a_collection_names_its_models_datasets_and_spaces(hub: FakeHub) -> None:
    items = [
        ("model", "a/m"),
        ("paper", "2307.09288"),
        ("dataset", "b/d"),
        ("space", "c/s"),
        ("bucket", "d/e"),
    ]
    hub.collections["org/good-64f9"] = items
    assert expanded(hub, "hf://collections/org/good-64f9") == [
        "hf://a/m",
        "hf://datasets/b/d",
        "hf://spaces/c/s",
    ]
    library = HfApi(endpoint=hub.url, token=False).get_collection("org/good-64f9")
    assert [(item.item_type, item.item_id) for item in library.items] == items


def test_one_repository_stands_for_itself_and_asks_nobody(hub: FakeHub) -> None:
    assert expanded(hub, "hf://org/name@v1") == ["hf://org/name@v1"]
    assert not hub.requests


def test_offline_nothing_is_asked() -> None:
    for target in ("hf://org/name", "hf://org/*"):
        with pytest.raises(UnreadableError, match="no connection may be opened"):
            _ = PLACE.open(target, Opening()) if "*" not in target else list(PLACE.expand(target, Opening()))  # type: ignore[misc]


def test_the_variable_that_forbids_the_library_to_ask_forbids_us(hub: FakeHub) -> None:
    opening = hub.opening()
    offline = Opening(network=opening.network, environment={**opening.environment, "HF_HUB_OFFLINE": "1"})
    with pytest.raises(UnreadableError, match="HF_HUB_OFFLINE forbids"):
        PLACE.open("hf://org/name", offline)
    assert not hub.requests


def token_seen(hub: FakeHub, environment: dict[str, str]) -> str | None:
    hub.add("org/name", FILES)
    opening = hub.opening()
    merged = {**opening.environment, **environment}
    PLACE.open("hf://org/name", Opening(network=opening.network, environment=merged))
    return hub.requests[-1].token


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        ("HF_TOKEN_PATH", "token"),
        ("HF_HOME", "token"),
        ("XDG_CACHE_HOME", "huggingface/token"),
        ("HOME", ".cache/huggingface/token"),
    ],
)
def test_the_token_file_is_found_where_the_library_puts_it(
    hub: FakeHub, tmp_path: Path, variable: str, place: str
) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{TOKEN}\n", "utf-8")
    named = str(path) if variable == "HF_TOKEN_PATH" else str(tmp_path)
    assert token_seen(hub, {variable: named}) == TOKEN


def test_the_variable_goes_before_the_file(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hf_another", "utf-8")
    assert token_seen(hub, {"HF_HOME": str(tmp_path), "HF_TOKEN": f" {TOKEN} "}) == TOKEN


@pytest.mark.parametrize(
    "environment",
    [{}, {"HF_TOKEN": ""}, IMPLICIT, {"HF_HOME": "/nonexistent"}, {"HF_TOKEN_PATH": "/dev/null/x"}],
)
def test_without_a_token_nothing_is_sent(hub: FakeHub, environment: dict[str, str]) -> None:
    assert token_seen(hub, environment) is None


def test_bytes_are_those_of_the_git_blob_that_is_claimed(hub: FakeHub) -> None:
    hub.add("org/name", FILES)
    claim = Digest(algorithm="git-sha1", value=git_oid(CONFIG), grade=Grade.CLAIMED)
    assert listed(hub.source("hf://org/name"))["config.json"].claimed == (claim,)
    assert not [item for item in hub.source("hf://org/name").entries() if isinstance(item, Gap)]
