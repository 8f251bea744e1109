"""The Hugging Face cache: names are claims, links end at the repository, nothing hides."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason
from aibom.domain.gap import Gap
from aibom.domain.ref import PinnedRef, Ref
from aibom.sources.local import LocalSource

COMMIT = "d78aea13fa7ecd06c29e3e46195d6341255065d5"
OTHER = "2439f60ef33a0d46d85da5001d52aeda5b00ce9f"

FILES = {"config.json": b"{}", "model.safetensors": b"weights" * 100, "onnx/model.onnx": b"onnx"}


def blob_name(data: bytes) -> str:
    """As the Hub's ETag: SHA-256 for what is in LFS, the git blob id for the rest."""
    if len(data) > 100:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def cached(
    hub: Path, repo: str, files: dict[str, bytes], *, kind: str = "model", commit: str = COMMIT
) -> Path:
    """What a download leaves behind; returns the snapshot folder."""
    folder = hub / "--".join([f"{kind}s", *repo.split("/")])
    snapshot = folder / "snapshots" / commit
    for path, data in files.items():
        blob = folder / "blobs" / blob_name(data)
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(data)
        pointer = snapshot / path
        pointer.parent.mkdir(parents=True, exist_ok=True)
        pointer.symlink_to(os.path.relpath(blob, pointer.parent))
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs/main").write_text(commit)
    return snapshot


def listed(path: Path) -> dict[str, Entry | Gap]:
    items = list(LocalSource(path).entries())
    paths = [item.path for item in items]
    assert paths == sorted(set(paths))
    return dict(zip(paths, items, strict=True))


def claims(item: Entry | Gap) -> dict[str, str]:
    assert isinstance(item, Entry)
    assert all(digest.grade is Grade.CLAIMED for digest in item.claimed)
    return {digest.algorithm: digest.value for digest in item.claimed}


def reason(item: Entry | Gap) -> Reason:
    assert isinstance(item, Gap)
    return item.reason


@pytest.mark.integration
def test_our_caches_are_what_the_library_takes_for_one_and_we_list_the_same_files(tmp_path: Path) -> None:
    from huggingface_hub import scan_cache_dir  # noqa: PLC0415 - only in the integration extra

    cached(tmp_path, "google/t5", FILES)
    cached(tmp_path, "google/t5", {"config.json": b"{ }"}, commit=OTHER)
    cached(tmp_path, "nyu-mll/glue", {"data.csv": b"a,b"}, kind="dataset")
    (tmp_path / "models--google--t5/refs/old").write_text(COMMIT)
    oracle = scan_cache_dir(tmp_path)
    assert oracle.warnings == []
    files = {f for repo in oracle.repos for revision in repo.revisions for f in revision.files}
    items = listed(tmp_path)
    assert set(items) == {str(file.file_path.relative_to(tmp_path)) for file in files}
    for file in files:
        item = items[str(file.file_path.relative_to(tmp_path))]
        assert isinstance(item, Entry)
        assert item.size == file.size_on_disk
        assert [*claims(item).values()] == [file.blob_path.name]
    for repo in oracle.repos:
        ref = LocalSource(repo.repo_path).target.ref
        assert ref is not None
        assert ref.location == repo.repo_id
        assert {revision.commit_hash for revision in repo.revisions} >= {ref.revision} - {None}


def test_a_snapshot_lists_its_own_paths_with_claims_and_opens_the_blobs(tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "google/t5", FILES)
    source = LocalSource(snapshot)
    assert source.target.ref == PinnedRef(scheme="hf", location="google/t5", revision=COMMIT)
    assert source.target.attributes == (("refs/main", COMMIT),)
    items = {item.path: item for item in source.entries()}
    assert set(items) == set(FILES)
    for path, data in FILES.items():
        item = items[path]
        algorithm = "sha256" if len(data) > 100 else "git-sha1"
        assert claims(item) == {algorithm: blob_name(data)}
        assert isinstance(item, Entry)
        with source.open(item) as file:
            assert file.read_at(0, file.size) == data


def test_a_folder_and_a_file_of_a_snapshot_say_where_in_the_repository_they_are(tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "gpt2", FILES)
    for path in ("onnx", "onnx/model.onnx"):
        source = LocalSource(snapshot / path)
        assert source.target.ref == PinnedRef(scheme="hf", location="gpt2", revision=COMMIT, subpath=path)
        (item,) = source.entries()
        assert item.path == "model.onnx"
        assert claims(item) == {"git-sha1": blob_name(b"onnx")}
        assert isinstance(item, Entry)
        with source.open(item) as file:
            assert file.read_at(0, file.size) == b"onnx"


@pytest.mark.parametrize(
    ("kind", "scheme"), [("model", "hf"), ("dataset", "hf-dataset"), ("space", "hf-space")]
)
def test_a_repository_with_one_snapshot_is_pinned_and_keeps_the_layouts_paths(
    tmp_path: Path, kind: str, scheme: str
) -> None:
    snapshot = cached(tmp_path, "org/name", FILES, kind=kind)
    source = LocalSource(snapshot.parent.parent)
    assert source.target.ref == PinnedRef(scheme=scheme, location="org/name", revision=COMMIT)
    assert [item.path for item in source.entries()] == [
        f"snapshots/{COMMIT}/{path}" for path in sorted(FILES)
    ]
    assert source.excluded == 1  # refs/main


def test_a_repository_with_several_snapshots_is_not_pinned(tmp_path: Path) -> None:
    cached(tmp_path, "org/name", FILES)
    repo = cached(tmp_path, "org/name", {"config.json": b"{}"}, commit=OTHER).parent.parent
    source = LocalSource(repo)
    assert source.target.ref == Ref(scheme="hf", location="org/name")
    assert {item.path.split("/")[1] for item in source.entries()} == {COMMIT, OTHER}


def test_the_folder_of_all_snapshots_is_listed_without_the_blobs(tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "org/name", {"config.json": b"{}"})
    assert set(listed(snapshot.parent)) == {f"{COMMIT}/config.json"}
    assert LocalSource(snapshot.parent).target.ref == PinnedRef(
        scheme="hf", location="org/name", revision=COMMIT
    )


def test_refs_that_are_many_or_deep_do_not_crash_the_look(tmp_path: Path) -> None:
    repo = cached(tmp_path, "org/name", {"config.json": b"{}"}).parent.parent
    folder = repo / "refs"
    for _ in range(250):
        folder = folder / "x"
        folder.mkdir()
    (folder / "deep").write_text(COMMIT)
    for number in range(1_200):
        (repo / f"refs/{number}").touch()
    assert LocalSource(repo).target.attributes == ()
    (repo / "refs/loop").symlink_to(".")
    assert "refs/loop" in listed(repo)


def test_a_snapshot_that_is_named_after_no_commit_is_not_pinned(tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "org/name", FILES, commit="main")
    assert LocalSource(snapshot).target.ref == Ref(scheme="hf", location="org/name")


def test_a_whole_cache_has_no_single_origin(tmp_path: Path) -> None:
    cached(tmp_path, "org/name", FILES)
    source = LocalSource(tmp_path)
    assert source.target.ref is None
    assert [item.path for item in source.entries()] == [
        f"models--org--name/snapshots/{COMMIT}/{path}" for path in sorted(FILES)
    ]


def test_a_cache_anywhere_below_the_target_is_recognised(tmp_path: Path) -> None:
    cached(tmp_path / "home/.cache/huggingface/hub", "org/name", {"config.json": b"{}"})
    ((path, item),) = listed(tmp_path).items()
    assert path == f"home/.cache/huggingface/hub/models--org--name/snapshots/{COMMIT}/config.json"
    assert claims(item) == {"git-sha1": blob_name(b"{}")}


def test_a_tampered_blob_keeps_its_claim_for_others_to_refute(tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "org/name", {"config.json": b"{}"})
    (snapshot / "config.json").write_bytes(b"[]")
    assert claims(listed(snapshot)["config.json"]) == {"git-sha1": blob_name(b"{}")}


def test_a_blob_that_no_snapshot_refers_to_is_an_entry_with_its_claim(tmp_path: Path) -> None:
    repo = cached(tmp_path, "org/name", FILES).parent.parent
    data = b"left over" * 100
    (repo / "blobs" / blob_name(data)).write_bytes(data)
    (repo / "blobs/notes").write_bytes(b"")
    items = listed(repo)
    assert len(items) == len(FILES) + 2
    assert claims(items[f"blobs/{blob_name(data)}"]) == {"sha256": blob_name(data)}
    assert claims(items["blobs/notes"]) == {}


@pytest.mark.parametrize("name", ["0" * 64 + ".incomplete", "0" * 40 + ".1a2b3c4d.incomplete"])
def test_an_unfinished_download_is_a_gap(tmp_path: Path, name: str) -> None:
    repo = cached(tmp_path, "org/name", FILES).parent.parent
    (repo / "blobs" / name).write_bytes(b"half")
    item = listed(repo)[f"blobs/{name}"]
    assert isinstance(item, Gap)
    assert (item.reason, item.detail) == (Reason.TRUNCATED, "an unfinished download of 4 bytes")


def test_a_snapshot_without_links_has_no_claims(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--org--name/snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_bytes(b"{}")
    assert claims(listed(snapshot)["config.json"]) == {}
    assert LocalSource(snapshot).target.ref == PinnedRef(scheme="hf", location="org/name", revision=COMMIT)


def test_a_blob_in_the_shared_store_has_the_claims_of_both_names(tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "org/name", {"model.safetensors": b"weights" * 100})
    blob = (snapshot / "model.safetensors").resolve()
    store = tmp_path / "blobs/ab" / ("ab" * 32)
    store.parent.mkdir(parents=True)
    blob.rename(store)
    blob.symlink_to(os.path.relpath(store, blob.parent))
    source = LocalSource(snapshot)
    (item,) = source.entries()
    assert claims(item) == {"sha256": blob.name, "xet": store.name}
    assert isinstance(item, Entry)
    with source.open(item) as file:
        assert file.read_at(0, 7) == b"weights"


@pytest.mark.parametrize(
    "link",
    [
        "/etc/passwd",
        "../../../../../../../../etc/passwd",
        "../../../secret",
        "../../../models--org--other/blobs/" + "0" * 64,
        "../../../blobs/ab/" + "cd" * 32,  # not where the store would put it
        "../../../blobs/secret",
        "../../../../x",
    ],
)
def test_a_link_out_of_the_repository_is_a_gap(tmp_path: Path, link: str) -> None:
    snapshot = cached(tmp_path, "org/name", {"config.json": b"{}"})
    cached(tmp_path, "org/other", {"config.json": b"{}"})
    for name in ("secret", "blobs/secret", "blobs/ab/" + "cd" * 32, "models--org--other/blobs/" + "0" * 64):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("secret")
    (snapshot / "evil").symlink_to(link)
    for target in (snapshot, snapshot.parent.parent):
        found = {os.path.basename(path): item for path, item in listed(target).items()}  # noqa: PTH119
        assert reason(found["evil"]) is Reason.OUTSIDE_TARGET


def test_a_link_that_turns_bad_after_the_listing_does_not_open(tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "org/name", {"config.json": b"{}"})
    source = LocalSource(snapshot)
    (item,) = source.entries()
    assert isinstance(item, Entry)
    (snapshot / "config.json").unlink()
    (snapshot / "config.json").symlink_to("/etc/passwd")
    with pytest.raises(Exception, match="leads out of the target"):
        source.open(item)


def test_a_folder_that_is_only_named_like_a_repository_gives_no_more_room_to_links(tmp_path: Path) -> None:
    inner = tmp_path / "models--org--name/other"
    inner.mkdir(parents=True)
    (tmp_path / "models--org--name/secret").touch()
    (inner / "link").symlink_to("../secret")
    assert reason(listed(inner)["link"]) is Reason.OUTSIDE_TARGET
    assert LocalSource(tmp_path / "models--org--name").target.ref is None


@pytest.mark.parametrize("hiding", ["snapshots-link", "git"])
def test_no_blob_is_hidden_by_a_reference_that_is_not_listed_itself(tmp_path: Path, hiding: str) -> None:
    repo = tmp_path / "models--org--name"
    (repo / "blobs").mkdir(parents=True)
    (repo / "blobs" / ("0" * 64)).write_bytes(b"weights")
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    place = outside / "c" if hiding == "snapshots-link" else repo / "snapshots/c/.git"
    place.mkdir(parents=True)
    # As seen from where the listing would have to be to follow it.
    (place / "x").symlink_to(("../" if hiding == "git" else "") + "../../blobs/" + "0" * 64)
    if hiding == "snapshots-link":
        (repo / "snapshots").symlink_to(outside)
    assert "models--org--name/blobs/" + "0" * 64 in listed(tmp_path)


def test_notes_of_the_cache_are_left_out_only_when_they_can_hold_nothing_else(tmp_path: Path) -> None:
    repo = cached(tmp_path, "org/name", {"config.json": b"{}"}).parent.parent
    notes = {
        f".no_exist/{COMMIT}/model.safetensors": b"",
        f".no_exist/{COMMIT}/payload.pkl": b"\x80\x04N.",
        "refs/pr/1": COMMIT.encode(),
        "refs/evil": b"\x80\x04N.",
        f"trees/{COMMIT}.json": b"{}",
    }
    for path, data in notes.items():
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_bytes(data)
    source = LocalSource(repo)
    assert {item.path for item in source.entries()} == {
        f".no_exist/{COMMIT}/payload.pkl",
        "refs/evil",
        f"trees/{COMMIT}.json",
        f"snapshots/{COMMIT}/config.json",
    }
    assert source.excluded == 3  # with refs/main
    assert source.target.attributes == (("refs/main", COMMIT), ("refs/pr/1", COMMIT))


def test_a_claim_is_a_digest_that_says_that_it_is_only_claimed(tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "org/name", {"model.safetensors": b"weights" * 100})
    item = listed(snapshot)["model.safetensors"]
    assert isinstance(item, Entry)
    value = hashlib.sha256(b"weights" * 100).hexdigest()
    assert item.claimed == (Digest(algorithm="sha256", value=value, grade=Grade.CLAIMED),)
