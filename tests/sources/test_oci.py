"""Artifacts of OCI registries as sources, over the stand-in of the specification."""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap
from aibom.domain.ref import PinnedRef
from aibom.sources import oci_contents
from aibom.sources.http import Http
from aibom.sources.oci import PLACE, OciSource
from aibom.sources.opening import Opening
from tests.services import fake_oci
from tests.services.fake_oci import (
    INDEX,
    MANIFEST,
    PASSWORD,
    RAW,
    TAR,
    TAR_GZIP,
    TITLE,
    TOKEN,
    USER,
    FakeRegistry,
    Reply,
    digest_of,
    gzip_of,
    tar_of,
)

MIB = 1024 * 1024
LARGE = bytes(range(256)) * (17 * MIB // 256)  # too large to be fetched without --full


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as started:
        yield started


def opened(
    registry: FakeRegistry,
    reference: str = ":v1",
    *,
    full: bool = False,
    exclude: tuple[str, ...] = (),
    **known: str,
) -> OciSource:
    http = Http(pause=lambda _: None)
    opening = Opening(network=lambda: http, full=full, exclude=exclude, environment=known)
    source = PLACE.open(f"oci://{registry.host}/org/model{reference}", opening)
    assert isinstance(source, OciSource)
    return source


def files(source: OciSource) -> dict[str, bytes]:
    """What is listed, as whole bytes."""
    found = {}
    for item in source.entries():
        if isinstance(item, Entry):
            with source.open(item) as reader:
                assert reader.size == item.size
                found[item.path] = reader.read_at(0, reader.size)
    return found


def gaps(source: OciSource) -> list[tuple[str, Reason, str]]:
    return [(item.path, item.reason, item.detail) for item in source.entries() if isinstance(item, Gap)]


def entry(source: OciSource, path: str) -> Entry:
    return next(item for item in source.entries() if isinstance(item, Entry) and item.path == path)


def refused(registry: FakeRegistry, reference: str = ":v1", **known: str) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        opened(registry, reference, **known)
    return caught.value


# Pinning


def test_a_tag_is_pinned_to_the_digest_of_its_manifest(registry: FakeRegistry) -> None:
    digest = registry.manifest("v1", [registry.raw("a.bin", b"a")])
    target = opened(registry).target
    assert target.ref == PinnedRef(scheme="oci", location=f"{registry.host}/org/model", revision=digest)
    assert target.name == "model"
    assert target.attributes == (
        ("requested", "v1"), ("artifact type", "application/vnd.cncf.model.manifest.v1+json")
    )  # fmt: skip


def test_without_a_tag_latest_is_asked_for(registry: FakeRegistry) -> None:
    registry.manifest("latest", [])
    assert ("requested", "latest") in opened(registry, "").target.attributes


def test_a_tag_that_moves_after_it_was_pinned_changes_nothing(registry: FakeRegistry) -> None:
    registry.manifest("v1", [registry.raw("a.bin", b"first")])
    source = opened(registry)
    registry.manifest("v1", [registry.raw("a.bin", b"other")])
    assert files(source) == {"a.bin": b"first"}
    assert [one.path for one in registry.requests].count("/v2/org/model/manifests/v1") == 1


def test_a_digest_wins_over_the_tag_beside_it(registry: FakeRegistry) -> None:
    old = registry.manifest("v1", [registry.raw("a.bin", b"old")])
    registry.manifest("v1", [registry.raw("a.bin", b"new")])
    source = opened(registry, f":v1@{old}")
    assert files(source) == {"a.bin": b"old"}
    assert source.target.attributes[0] == ("requested", "v1")


@pytest.mark.parametrize("reference", [":v1", "@digest"])
def test_a_manifest_with_another_digest_is_refused(registry: FakeRegistry, reference: str) -> None:
    digest = registry.manifest("v1", [registry.raw("a.bin", b"a")])
    data, media_type = registry.manifests[digest]
    registry.manifests[digest] = (data.replace(b'"size": 1', b'"size":  1'), media_type)
    error = refused(registry, reference.replace("digest", digest))
    assert error.reason is Reason.MALFORMED
    assert "digest" in error.message


def test_a_model_that_is_not_there_is_missing(registry: FakeRegistry) -> None:
    assert refused(registry).reason is Reason.MISSING


def test_offline_nothing_is_asked() -> None:
    with pytest.raises(UnreadableError, match="no connection may be opened"):
        PLACE.open("oci://127.0.0.1:1/org/model", Opening())


def test_a_registry_that_cannot_be_reached_is_an_io_error() -> None:
    http = Http(pause=lambda _: None)
    with pytest.raises(UnreadableError) as caught:
        PLACE.open("oci://127.0.0.1:1/org/model", Opening(network=lambda: http))
    assert caught.value.reason is Reason.IO_ERROR


# Layers


def test_the_digest_of_a_raw_layer_is_the_sha256_of_its_file(registry: FakeRegistry) -> None:
    data = b"weights" * 100
    registry.manifest("v1", [registry.raw("sub/model.safetensors", data)])
    source = opened(registry)
    found = entry(source, "sub/model.safetensors")
    value = digest_of(data).removeprefix("sha256:")
    assert found.claimed == (Digest(algorithm="sha256", value=value, grade=Grade.CHAINED),)
    assert (found.etag, found.media_type, found.size) == (digest_of(data), RAW, 700)
    assert files(source) == {"sub/model.safetensors": data}


def test_a_large_raw_layer_is_read_by_ranges_unless_all_bytes_are_asked_for(registry: FakeRegistry) -> None:
    registry.manifest("v1", [registry.raw("model.safetensors", LARGE)])
    source = opened(registry)
    found = entry(source, "model.safetensors")
    assert found.header_only
    with source.open(found) as reader:
        assert reader.read_at(16 * MIB, 300) == LARGE[16 * MIB :][:300]
    assert len([one for one in registry.requests if "/blobs/" in one.path]) == 1
    full = opened(registry, full=True)
    assert not entry(full, "model.safetensors").header_only
    assert files(full) == {"model.safetensors": LARGE}


def test_members_of_a_small_tar_layer_are_files_and_its_digest_is_compared(registry: FakeRegistry) -> None:
    data = tar_of({"./a/b.json": b"{}", "c.txt": b"text"})
    registry.manifest("v1", [registry.blob(data, TAR)])
    source = opened(registry)
    assert files(source) == {"a/b.json": b"{}", "c.txt": b"text"}
    value = digest_of(data).removeprefix("sha256:")
    assert entry(source, "c.txt").claimed == (
        Digest(algorithm="oci-layer", value=value, grade=Grade.COMPUTED),
    )


def test_members_of_a_large_tar_layer_are_listed_and_read_by_ranges(registry: FakeRegistry) -> None:
    data = tar_of({"a.txt": b"text", "model.safetensors": LARGE, "z.txt": b"last"})
    registry.manifest("v1", [registry.blob(data, TAR)])
    source = opened(registry)
    listed = {item.path: item for item in source.entries() if isinstance(item, Entry)}
    assert list(listed) == ["a.txt", "model.safetensors", "z.txt"]
    assert [item.header_only for item in listed.values()] == [False, True, False]
    assert {item.claimed[0].algorithm for item in listed.values()} == {"oci-layer"}
    assert {item.claimed[0].grade for item in listed.values()} == {Grade.CHAINED}
    assert all(registry.host in item.etag for item in listed.values())
    asked = sum(int(one.path.count("/blobs/")) for one in registry.requests)
    assert asked == 2  # the front, and the header behind the weights
    with source.open(listed["z.txt"]) as reader:
        assert reader.read_at(0, 4) == b"last"
    full = opened(registry, full=True)
    assert files(full) == {"a.txt": b"text", "model.safetensors": LARGE, "z.txt": b"last"}
    assert entry(full, "z.txt").claimed[0].grade is Grade.COMPUTED


def test_a_large_compressed_layer_needs_full(registry: FakeRegistry) -> None:
    noise = random.Random(3).randbytes(17 * MIB)
    registry.manifest(
        "v1", [registry.blob(gzip.compress(tar_of({"a.bin": noise}), 1), TAR_GZIP, **{TITLE: "pack"})]
    )
    source = opened(registry)
    [(path, reason, detail)] = gaps(source)
    assert (path, reason) == ("pack", Reason.LIMIT)
    assert "--full" in detail
    assert files(opened(registry, full=True)) == {"a.bin": noise}


def test_a_file_in_a_small_compressed_layer_is_read_as_a_whole(registry: FakeRegistry) -> None:
    zeros = bytes(20 * MIB)
    registry.manifest("v1", [registry.blob(gzip_of(tar_of({"model.bin": zeros})), TAR_GZIP)])
    source = opened(registry)
    assert not entry(source, "model.bin").header_only
    assert files(source) == {"model.bin": zeros}


def test_zstd_is_a_gap(registry: FakeRegistry) -> None:
    layer = registry.blob(b"\x28\xb5\x2f\xfd", TAR.replace(".tar", ".tar+zstd"), **{TITLE: "x"})
    registry.manifest("v1", [layer])
    [(path, reason, detail)] = gaps(opened(registry))
    assert (path, reason, "zstd" in detail) == ("x", Reason.UNSUPPORTED, True)


@pytest.mark.parametrize("full", [False, True], ids=["headers", "full"])
def test_a_layer_with_other_bytes_than_its_digest_gives_no_files(registry: FakeRegistry, full: bool) -> None:
    good = tar_of({"a.txt": b"good"})
    layer = registry.blob(good, TAR, **{TITLE: "pack"})
    registry.blobs[layer["digest"]] = good.replace(b"good", b"evil")
    registry.manifest("v1", [layer])
    source = opened(registry, full=full)
    assert [(path, reason) for path, reason, _ in gaps(source)] == [("pack", Reason.MALFORMED)]
    assert files(source) == {}


@pytest.mark.parametrize("change", [1, -1, 1 << 40])
def test_a_size_that_lies_is_changed(registry: FakeRegistry, change: int) -> None:
    layer = registry.raw("a.bin", b"x" * 100)
    registry.manifest("v1", [{**layer, "size": 100 + change}])
    source = opened(registry)
    with source.open(entry(source, "a.bin")) as reader, pytest.raises(UnreadableError) as caught:
        reader.read_at(0, 10)
    assert caught.value.reason is Reason.CHANGED


def test_impossible_sizes_are_gaps(registry: FakeRegistry) -> None:
    registry.manifest(
        "v1", [{**registry.raw("a.bin", b"x"), "size": 1 << 60}, {**registry.raw("b.bin", b"x"), "size": -1}]
    )
    assert [(path, reason) for path, reason, _ in gaps(opened(registry))] == [
        (".", Reason.MALFORMED), ("a.bin", Reason.MALFORMED),
    ]  # fmt: skip


def test_thousands_of_impossible_layers_are_a_hundred_gaps_and_a_count(registry: FakeRegistry) -> None:
    registry.manifest("v1", [None] * 5_000)
    found = gaps(opened(registry))
    assert len(found) == 101
    assert found[-1] == (".", Reason.LIMIT, "4,900 more parts like these")


def test_the_configuration_is_a_file_unless_it_is_empty(registry: FakeRegistry) -> None:
    config = registry.blob(b'{"modelfs": {}}', "application/vnd.cncf.model.config.v1+json")
    registry.manifest("v1", [registry.raw("a.bin", b"a")], config=config)
    assert files(opened(registry)) == {"a.bin": b"a", "oci-config.json": b'{"modelfs": {}}'}


def test_an_empty_file_is_a_file(registry: FakeRegistry) -> None:
    registry.manifest("v1", [registry.raw("empty.txt", b"")])
    assert files(opened(registry)) == {"empty.txt": b""}


@pytest.mark.parametrize(
    "path", ["../evil", "/etc/passwd", "a/../../b", "a\\b", "a\0b", "a\nb", "a//b", "x" * 5_000,
     "\u202egpj.exe"],
    ids=["up", "absolute", "inside", "backslash", "nul", "line", "double", "long", "bidi"],
)  # fmt: skip
def test_hostile_names_are_gaps_and_never_paths(registry: FakeRegistry, path: str) -> None:
    registry.manifest("v1", [registry.raw(path, b"x"), registry.raw("good.bin", b"y")])
    source = opened(registry)
    assert [reason for _, reason, _ in gaps(source)] == [Reason.OUTSIDE_TARGET]
    assert files(source) == {"good.bin": b"y"}


def test_the_same_path_twice_is_a_gap_unless_it_is_the_same_file(registry: FakeRegistry) -> None:
    same = registry.raw("same.bin", b"same")
    registry.manifest(
        "v1", [same, same, registry.raw("two.bin", b"1"), registry.blob(tar_of({"two.bin": b"2"}), TAR)]
    )
    source = opened(registry)
    assert [(path, reason) for path, reason, _ in gaps(source)] == [("two.bin", Reason.MALFORMED)]
    assert files(source) == {"same.bin": b"same"}


def odd_tar() -> bytes:
    """Links, a device and names that climb."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("device", tarfile.CHRTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name in ("../up", "folder/file"):
            member = tarfile.TarInfo(name)
            member.size = 1
            archive.addfile(member, io.BytesIO(b"x"))
    return stream.getvalue()


def test_what_is_no_file_in_a_tar_layer_is_a_gap(registry: FakeRegistry) -> None:
    registry.manifest("v1", [registry.blob(odd_tar(), TAR)])
    source = opened(registry)
    assert [(path, reason) for path, reason, _ in gaps(source)] == [
        ("../up", Reason.OUTSIDE_TARGET), ("device", Reason.SPECIAL_FILE), ("hard", Reason.UNSUPPORTED),
        ("link", Reason.UNSUPPORTED),
    ]  # fmt: skip
    assert files(source) == {"folder/file": b"x"}


def test_a_thousand_links_are_a_hundred_gaps_and_a_count(registry: FakeRegistry) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for at in range(1_000):
            member = tarfile.TarInfo(f"l{at}")
            member.type, member.linkname = tarfile.SYMTYPE, "x"
            archive.addfile(member)
    registry.manifest("v1", [registry.blob(stream.getvalue(), TAR)])
    found = gaps(opened(registry))
    assert len(found) == 101
    assert found[0][2] == "900 more members of a layer are no files"


@pytest.mark.parametrize("cut", [1, 600, 1_100])
def test_a_damaged_tar_layer_is_a_gap(registry: FakeRegistry, cut: int) -> None:
    data = tar_of({"a.txt": b"x" * 600, "b.txt": b"y"})
    registry.manifest("v1", [registry.blob(b"?" * 200 + data[200:] if cut == 1 else data[:cut], TAR)])
    assert [reason for _, reason, _ in gaps(opened(registry))] in ([Reason.MALFORMED], [Reason.TRUNCATED])


def test_a_layer_that_is_not_there_is_a_gap_when_it_is_opened(registry: FakeRegistry) -> None:
    registry.manifest("v1", [registry.raw("a.bin", b"abc")])
    registry.blobs.clear()
    source = opened(registry)
    with source.open(entry(source, "a.bin")) as reader, pytest.raises(UnreadableError) as caught:
        reader.read_at(0, 3)
    assert caught.value.reason is Reason.MISSING


def test_excluded_files_are_counted(registry: FakeRegistry) -> None:
    registry.manifest("v1", [registry.raw("a.tmp", b"a"), registry.raw("b.bin", b"b")])
    source = opened(registry, exclude=("*.tmp",))
    assert list(files(source)) == ["b.bin"]
    assert source.excluded == 1


def test_opening_needs_no_listing_before(registry: FakeRegistry) -> None:
    registry.manifest("v1", [registry.raw("a.bin", b"abc")])
    with opened(registry).open(Entry(path="a.bin", size=3)) as reader:
        assert reader.read_at(0, 3) == b"abc"
    with pytest.raises(UnreadableError) as caught:
        opened(registry).open(Entry(path="b.bin", size=3))
    assert caught.value.reason is Reason.VANISHED


def test_all_members_of_all_layers_have_one_bound(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oci_contents, "MEMBER_COUNT", 3)
    layers = [registry.blob(tar_of({f"{at}{letter}": b"x" for letter in "ab"}), TAR) for at in range(3)]
    registry.manifest("v1", layers)
    source = opened(registry)
    assert list(files(source)) == ["0a", "0b", "1a"]
    assert [reason for _, reason, _ in gaps(source)] == [Reason.LIMIT, Reason.LIMIT]


def test_tar_layers_that_are_walked_by_ranges_have_a_bound(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oci_contents, "REMOTE_TAR_COUNT", 1)
    monkeypatch.setattr(oci_contents, "SMALL_FILE_BYTES", 100)
    registry.manifest("v1", [registry.blob(tar_of({name: b"x"}), TAR) for name in ("a", "b")])
    source = opened(registry)
    assert list(files(source)) == ["a"]
    assert [reason for _, reason, _ in gaps(source)] == [Reason.LIMIT]


def test_a_tar_layer_that_finds_no_room_is_walked_by_ranges(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oci_contents, "SPOOL_BYTES", 100)
    registry.manifest("v1", [registry.blob(tar_of({"a": b"x"}), TAR)])
    source = opened(registry, full=True)
    assert files(source) == {"a": b"x"}
    assert entry(source, "a").claimed[0].grade is Grade.CHAINED


# Indexes


def test_all_manifests_of_an_index_are_read_below_their_platform(registry: FakeRegistry) -> None:
    children = []
    for arch in ("amd64", "arm64"):
        digest = registry.manifest("", [registry.raw("m.bin", arch.encode())])
        children.append(registry.descriptor(digest, platform={"os": "linux", "architecture": arch}))
    other = registry.manifest("", [registry.raw("m.bin", b"other")])
    registry.index("v1", [*children, registry.descriptor(other, platform={"os": "../x"})])
    source = opened(registry)
    assert files(source) == {
        f"{other[7:19]}/m.bin": b"other", "linux-amd64/m.bin": b"amd64", "linux-arm64/m.bin": b"arm64",
    }  # fmt: skip
    assert source.target.attributes[1] == ("index", "3 manifests, all are read")


def test_the_only_manifest_of_an_index_has_no_folder(registry: FakeRegistry) -> None:
    digest = registry.manifest("", [registry.raw("m.bin", b"m")])
    inner = registry.index("", [registry.descriptor(digest)])
    registry.index("v1", [registry.descriptor(inner)])
    assert files(opened(registry)) == {"m.bin": b"m"}


def test_an_index_that_leads_to_itself_ends(registry: FakeRegistry) -> None:
    digest = registry.index("v1", [{"mediaType": INDEX, "digest": digest_of(b"?"), "size": 1}])
    # No honest registry can: the same bytes for another digest.
    registry.manifests[digest_of(b"?")] = registry.manifests[digest]
    assert [reason for _, reason, _ in gaps(opened(registry))] == [Reason.MALFORMED]


def test_indexes_in_indexes_have_a_bound(registry: FakeRegistry) -> None:
    digest = registry.manifest("", [registry.raw("m.bin", b"m")])
    for _ in range(6):
        digest = registry.index("v1", [registry.descriptor(digest)])
    assert [reason for _, reason, _ in gaps(opened(registry))] == [Reason.LIMIT]


def test_an_index_of_many_manifests_has_a_bound(registry: FakeRegistry) -> None:
    one = [registry.descriptor(registry.manifest("", [registry.raw(f"{at}.bin", b"m")])) for at in range(70)]
    registry.index("v1", [*one, *one])
    source = opened(registry)
    assert [reason for _, reason, _ in gaps(source)] == [Reason.LIMIT]
    assert len(files(source)) == 64


def test_a_manifest_that_an_index_names_twice_is_fetched_once(registry: FakeRegistry) -> None:
    digest = registry.manifest("", [registry.raw("m.bin", b"m")])
    registry.index("v1", [registry.descriptor(digest)] * 2)
    assert files(opened(registry)) == {f"{digest[7:19]}/m.bin": b"m"}
    assert [one.path for one in registry.requests].count(f"/v2/org/model/manifests/{digest}") == 1


def test_a_manifest_of_an_index_that_is_missing_is_a_gap(registry: FakeRegistry) -> None:
    digest = registry.manifest("", [registry.raw("m.bin", b"m")])
    missing = {"mediaType": MANIFEST, "digest": digest_of(b"gone"), "size": 4}
    registry.index("v1", [registry.descriptor(digest), missing])
    source = opened(registry)
    assert [reason for _, reason, _ in gaps(source)] == [Reason.MISSING]
    assert list(files(source)) == [f"{digest[7:19]}/m.bin"]


# Hostile answers


def test_a_manifest_without_end_is_cut(registry: FakeRegistry) -> None:
    registry.replies["GET", "/v2/org/model/manifests/v1"] = Reply(body=b" " * (5 * MIB))
    assert refused(registry).reason is Reason.LIMIT


def test_a_registry_without_ranges_is_read_where_that_is_cheap(registry: FakeRegistry) -> None:
    registry.ranges = False
    registry.manifest("v1", [registry.raw("a.bin", b"abc" * 100)])
    assert files(opened(registry)) == {"a.bin": b"abc" * 100}


def test_a_redirected_blob_is_read_without_our_secret(registry: FakeRegistry, tmp_path: Path) -> None:
    with FakeRegistry() as store:
        registry.auth = "bearer"
        registry.manifest("v1", [registry.raw("a.bin", b"abc")])
        store.blobs = registry.blobs
        registry.moved = store.url
        home = signed_in(tmp_path, registry)
        http = Http(allowed=(store.host,), pause=lambda _: None)
        http.named(store.url)
        opening = Opening(network=lambda: http, environment=home)
        source = PLACE.open(f"oci://{registry.host}/org/model:v1", opening)
        assert isinstance(source, OciSource)
        assert files(source) == {"a.bin": b"abc"}
        assert [one.authorization for one in store.requests] == [None] * len(store.requests) != []
        blobs = [one.authorization for one in registry.requests if "/blobs/" in one.path]
        assert blobs == [f"Bearer {TOKEN}"] * len(blobs)


def test_a_blob_that_is_redirected_to_a_private_address_is_refused(registry: FakeRegistry) -> None:
    registry.manifest("v1", [registry.raw("a.bin", b"abc")])
    registry.moved = "http://169.254.169.254"
    source = opened(registry)
    with source.open(entry(source, "a.bin")) as reader, pytest.raises(UnreadableError) as caught:
        reader.read_at(0, 3)
    assert caught.value.reason in (Reason.DENIED, Reason.UNSUPPORTED)


# Credentials


def signed_in(tmp_path: Path, registry: FakeRegistry) -> dict[str, str]:
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (tmp_path / ".docker").mkdir()
    config: dict[str, Any] = {"auths": {registry.host: {"auth": auth}}}
    (tmp_path / ".docker" / "config.json").write_text(json.dumps(config))
    return {"HOME": str(tmp_path)}


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_a_private_model_is_read_with_the_credentials_of_docker(
    registry: FakeRegistry, kind: str, tmp_path: Path
) -> None:
    registry.manifest("v1", [registry.raw("a.bin", b"abc")])
    registry.auth = kind
    source = opened(registry, **signed_in(tmp_path, registry))
    assert files(source) == {"a.bin": b"abc"}
    assert PASSWORD not in repr(source.target)
    asked = [one.path for one in registry.requests if one.path.startswith("/token")]
    assert len(asked) == (kind == "bearer")
    assert all("scope=repository%3Aorg%2Fmodel%3Apull" in path for path in asked)


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_a_private_model_is_denied_without_credentials(registry: FakeRegistry, kind: str) -> None:
    registry.manifest("v1", [])
    registry.auth = kind
    assert refused(registry).reason is Reason.DENIED


def test_a_token_that_comes_of_age_is_renewed_in_the_middle(
    registry: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.manifest("v1", [registry.raw("a.bin", b"abc")])
    registry.auth = "bearer"
    source = opened(registry, **signed_in(tmp_path, registry))
    monkeypatch.setattr(fake_oci, "TOKEN", "another-token")
    assert files(source) == {"a.bin": b"abc"}
    assert registry.requests[-1].authorization == "Bearer another-token"


def test_a_token_service_on_another_port_of_this_machine_is_not_asked(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    with FakeRegistry() as other:
        registry.auth, registry.realm = "bearer", f"{other.url}/token"
        registry.manifest("v1", [])
        assert refused(registry, **signed_in(tmp_path, registry)).reason is Reason.DENIED
        assert other.requests == []
