"""Documents beside an artifact: written once, found again, and never lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.publication import Attached, DocumentKind, Receipt, WriteState
from aibom.sources import oci_publish, oci_referrers
from aibom.sources.http import Http
from aibom.sources.oci import PLACE, OciSource
from aibom.sources.oci_referrers import SUPERSEDES, TYPES
from aibom.sources.opening import Opening
from tests.services.fake_oci import INDEX, MANIFEST, TITLE, TOKEN, FakeRegistry, Reply, digest_of

BOM = Attached(
    name="model.cdx.json", kind=DocumentKind.BOM, media_type=TYPES[DocumentKind.BOM], data=b'{"bom": 1}'
)
SIGNATURE = Attached(
    name="model.sig", kind=DocumentKind.SIGNATURE, media_type=TYPES[DocumentKind.SIGNATURE], data=b"{}s"
)
ATTESTATION = Attached(
    name="model.intoto.json",
    kind=DocumentKind.ATTESTATION,
    media_type=TYPES[DocumentKind.ATTESTATION],
    data=b"{}a",
)
ALL = (BOM, ATTESTATION, SIGNATURE)


@pytest.fixture(params=[True, False], ids=["api", "fallback"])
def registry(request: pytest.FixtureRequest) -> Iterator[FakeRegistry]:
    with FakeRegistry(native=request.param) as started:
        started.manifest("v1", [started.raw("model.safetensors", b"weights")])
        yield started


@pytest.fixture
def fallback() -> Iterator[FakeRegistry]:
    with FakeRegistry(native=False) as started:
        started.manifest("v1", [])
        yield started


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oci_publish, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(oci_referrers, "PAUSE_SECONDS", 0.01)


def opened(registry: FakeRegistry, **known: str) -> OciSource:
    http = Http(pause=lambda _: None)
    opening = Opening(network=lambda: http, environment=known)
    source = PLACE.open(f"oci://{registry.host}/org/model:v1", opening)
    assert isinstance(source, OciSource)
    return source


def published(registry: FakeRegistry, *documents: Attached, dry_run: bool = False) -> Receipt:
    return opened(registry).publish(documents, dry_run=dry_run, pull_request=False)


def states(receipt: Receipt) -> list[WriteState]:
    return [one.state for one in receipt.written]


def subject_of(registry: FakeRegistry) -> str:
    return registry.tags["v1"]


def fallback_index(registry: FakeRegistry) -> list[dict[str, Any]]:
    data, _ = registry.manifests[registry.tags[subject_of(registry).replace(":", "-")]]
    listed: list[dict[str, Any]] = json.loads(data)["manifests"]
    return listed


def attach(registry: FakeRegistry, *layers: dict[str, Any], **more: Any) -> str:
    """What another client attaches; also to the index where there is no API."""
    subject = registry.descriptor(subject_of(registry))
    digest = registry.manifest("", list(layers), **{"subject": subject, **more})
    if not registry.native:
        tag = subject_of(registry).replace(":", "-")
        known = fallback_index(registry) if tag in registry.tags else []
        registry.index(tag, [*known, registry.descriptor(digest)])
    return digest


def test_what_is_published_is_found_again(registry: FakeRegistry) -> None:
    receipt = published(registry, *ALL)
    assert states(receipt) == [WriteState.WRITTEN] * 3
    assert opened(registry).attached() == ALL
    assert receipt.subject.revision == subject_of(registry)
    assert [one.sha256 for one in receipt.written] == [digest_of(one.data)[7:] for one in ALL]
    assert [one.place.partition("@")[2] in registry.manifests for one in receipt.written] == [True] * 3
    assert [bool(note) for note in receipt.notes] == ([] if registry.native else [True])


def test_each_document_is_an_artifact_of_its_own_type_with_the_model_as_subject(
    registry: FakeRegistry,
) -> None:
    receipt = published(registry, *ALL)
    for document, written in zip(ALL, receipt.written, strict=True):
        data, media_type = registry.manifests[written.place.partition("@")[2]]
        manifest = json.loads(data)
        assert media_type == manifest["mediaType"] == MANIFEST
        assert manifest["artifactType"] == TYPES[document.kind]
        assert manifest["subject"] == registry.descriptor(subject_of(registry))
        assert [layer["annotations"] for layer in manifest["layers"]] == [{TITLE: document.name}]
        assert manifest["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
        assert registry.blobs[manifest["config"]["digest"]] == b"{}"


def test_to_publish_again_changes_nothing_and_writes_nothing(registry: FakeRegistry) -> None:
    published(registry, *ALL)
    before = (dict(registry.manifests), dict(registry.tags))
    registry.requests.clear()
    assert states(published(registry, *ALL)) == [WriteState.UNCHANGED] * 3
    assert (registry.manifests, registry.tags) == before
    assert {one.method for one in registry.requests} <= {"GET", "HEAD"}


def test_a_dry_run_writes_nothing_and_names_what_would_be_written(registry: FakeRegistry) -> None:
    before = (dict(registry.manifests), dict(registry.tags), dict(registry.blobs))
    planned = published(registry, BOM, SIGNATURE, dry_run=True)
    assert (registry.manifests, registry.tags, registry.blobs) == before
    assert states(planned) == [WriteState.PLANNED] * 2
    written = published(registry, BOM, SIGNATURE)
    assert [one.place for one in written.written] == [one.place for one in planned.written]


def test_a_newer_document_supersedes_the_older_one_of_its_name_and_deletes_nothing(
    registry: FakeRegistry,
) -> None:
    first = published(registry, BOM, SIGNATURE).written[0].place.partition("@")[2]
    newer = replace(BOM, data=b'{"bom": 2}')
    second = published(registry, newer).written[0].place.partition("@")[2]
    assert opened(registry).attached() == (newer, SIGNATURE)
    assert first in registry.manifests
    assert json.loads(registry.manifests[second][0])["annotations"][SUPERSEDES] == first
    # And back again.
    assert states(published(registry, BOM)) == [WriteState.WRITTEN]
    assert opened(registry).attached() == (BOM, SIGNATURE)


def test_a_document_that_another_client_attached_is_unchanged(registry: FakeRegistry) -> None:
    attach(
        registry, registry.blob(BOM.data, BOM.media_type, **{TITLE: BOM.name}), artifactType=BOM.media_type
    )
    assert states(published(registry, BOM)) == [WriteState.UNCHANGED]


def test_what_is_unrelated_is_left_out_and_left_alone(registry: FakeRegistry) -> None:
    other = attach(registry, registry.blob(b"x", "application/x"), artifactType="application/vnd.other")
    foreign = attach(
        registry,
        registry.blob(b"not for this model", BOM.media_type, **{TITLE: "foreign.cdx.json"}),
        artifactType=BOM.media_type,
        subject={"mediaType": MANIFEST, "digest": digest_of(b"another"), "size": 7},
    )
    published(registry, BOM)
    assert opened(registry).attached() == (BOM,)
    assert {other, foreign} <= set(registry.manifests)
    if not registry.native:
        assert {other, foreign} < {one["digest"] for one in fallback_index(registry)}


def test_a_bundle_without_a_title_has_a_stable_name(registry: FakeRegistry) -> None:
    kind = TYPES[DocumentKind.SIGNATURE]
    attach(registry, registry.blob(b"bundle", kind), artifactType=kind)
    [document] = opened(registry).attached()
    assert document.name == f"{digest_of(b'bundle')[7:19]}.sigstore.json"


@pytest.mark.parametrize(
    "title",
    ["../../a.sig", "/etc/a.sig", "a/b.sig", ".a.sig", "a\nb.sig", "\u202ex.sig", f"{'x' * 300}.sig",
     "conftest.py", "model.safetensors"],
)  # fmt: skip
def test_a_hostile_title_is_not_the_name(registry: FakeRegistry, title: str) -> None:
    attach(registry, registry.blob(b"b", BOM.media_type, **{TITLE: title}), artifactType=BOM.media_type)
    [document] = opened(registry).attached()
    assert document.name == f"{digest_of(b'b')[7:19]}.cdx.json"


def test_a_document_supersedes_its_like_and_hides_nothing_else(registry: FakeRegistry) -> None:
    hidden = published(registry, SIGNATURE).written[0].place.rpartition("@")[2]
    layer = registry.blob(b"b", BOM.media_type, **{TITLE: BOM.name})
    attach(registry, layer, artifactType=BOM.media_type, annotations={SUPERSEDES: hidden})
    assert {one.name for one in opened(registry).attached()} == {BOM.name, SIGNATURE.name}


def test_two_documents_with_one_name_are_both_found(registry: FakeRegistry) -> None:
    for data in (b"one", b"two"):
        attach(
            registry, registry.blob(data, BOM.media_type, **{TITLE: BOM.name}), artifactType=BOM.media_type
        )
    found = opened(registry).attached()
    first, second = sorted((b"one", b"two"), key=digest_of)
    assert {one.name: one.data for one in found} == {
        BOM.name: first, f"{digest_of(second)[7:19]}-{BOM.name}": second,
    }  # fmt: skip
    # The next publisher brings order.
    published(registry, BOM)
    assert opened(registry).attached() == (BOM,)


def test_a_swapped_document_is_refused(registry: FakeRegistry) -> None:
    published(registry, BOM)
    registry.blobs[digest_of(BOM.data)] = BOM.data.replace(b"1", b"2")
    with pytest.raises(UnreadableError, match="does not have its digest") as caught:
        opened(registry).attached()
    assert caught.value.reason is Reason.MALFORMED


def test_a_swapped_manifest_of_a_document_is_refused(registry: FakeRegistry) -> None:
    digest = published(registry, BOM).written[0].place.partition("@")[2]
    data, media_type = registry.manifests[digest]
    registry.manifests[digest] = (data.replace(b"model.cdx", b"m0del.cdx"), media_type)
    with pytest.raises(UnreadableError, match="not the one asked for"):
        opened(registry).attached()


def test_a_document_that_is_listed_and_gone_is_no_clean_look(registry: FakeRegistry) -> None:
    published(registry, BOM)
    registry.blobs.pop(digest_of(BOM.data))
    with pytest.raises(UnreadableError) as caught:
        opened(registry).attached()
    assert caught.value.reason is Reason.MISSING


@pytest.mark.parametrize(
    "bad", [None, {"digest": "sha256:x", "size": 1}, {"digest": digest_of(b"x"), "size": -1}]
)
def test_a_document_that_is_listed_so_that_it_cannot_be_read_is_no_clean_look(
    registry: FakeRegistry, bad: object
) -> None:
    attach(registry, bad, artifactType=BOM.media_type)  # type: ignore[arg-type]
    with pytest.raises(UnreadableError, match="in a document beside the artifact, layer 0") as caught:
        opened(registry).attached()
    assert caught.value.reason is Reason.MALFORMED


def test_an_index_can_be_the_subject(registry: FakeRegistry) -> None:
    registry.index("v1", [registry.descriptor(subject_of(registry))])
    published(registry, BOM)
    assert opened(registry).attached() == (BOM,)


def test_many_referrers_are_found_over_pages(registry: FakeRegistry) -> None:
    registry.page = 2
    documents = tuple(replace(BOM, name=f"{at}.cdx.json", data=b"%d" % at) for at in range(7))
    published(registry, *documents)
    assert opened(registry).attached() == documents


@pytest.mark.parametrize("name", ["model.safetensors", "../x", "a/b", ".x", "", "x" * 300])
def test_names_that_are_the_models_own_or_no_names_are_refused(registry: FakeRegistry, name: str) -> None:
    document = replace(BOM)
    object.__setattr__(document, "name", name)
    with pytest.raises(UnreadableError) as caught:
        published(registry, document)
    assert caught.value.reason is Reason.MALFORMED
    assert opened(registry).attached() == ()


def test_two_documents_of_one_name_at_once_are_refused(registry: FakeRegistry) -> None:
    with pytest.raises(UnreadableError, match="no name for one document"):
        published(registry, BOM, replace(SIGNATURE, name=BOM.name))


def test_there_are_no_pull_requests(registry: FakeRegistry) -> None:
    with pytest.raises(UnreadableError) as caught:
        opened(registry).publish((BOM,), dry_run=False, pull_request=True)
    assert caught.value.reason is Reason.UNSUPPORTED


def test_a_registry_that_refuses_writes_is_denied(registry: FakeRegistry) -> None:
    registry.replies["POST", "/v2/org/model/blobs/uploads/"] = Reply(status=403)
    with pytest.raises(UnreadableError) as caught:
        published(registry, BOM)
    assert caught.value.reason is Reason.DENIED


def test_an_upload_that_is_led_to_another_host_goes_without_our_secret(registry: FakeRegistry) -> None:
    with FakeRegistry() as other:
        registry.auth = "bearer"
        location = (("Location", f"{other.url}/v2/x/blobs/uploads/1"),)
        registry.replies["POST", "/v2/org/model/blobs/uploads/"] = Reply(status=202, headers=location)
        http = Http(pause=lambda _: None)
        http.named(other.url)
        registry.replies["GET", "/token"] = Reply(body=json.dumps({"token": TOKEN}).encode())
        source = PLACE.open(f"oci://{registry.host}/org/model:v1", Opening(network=lambda: http))
        assert isinstance(source, OciSource)
        source.publish((BOM,), dry_run=False, pull_request=False)
        assert [one.authorization for one in other.requests] == [None]  # the empty configuration is there
        asked = [one.path for one in registry.requests if one.path.startswith("/token")]
        assert "pull%2Cpush" in asked[-1]


# The index of registries without the referrers API


def test_the_index_has_type_and_annotations_of_each_document(fallback: FakeRegistry) -> None:
    published(fallback, BOM)
    [listed] = fallback_index(fallback)
    assert listed["artifactType"] == TYPES[DocumentKind.BOM]
    assert listed["annotations"] == {TITLE: BOM.name}


def test_what_other_clients_wrote_into_the_index_stays(fallback: FakeRegistry) -> None:
    tag = subject_of(fallback).replace(":", "-")
    digest = fallback.manifest("", [])
    theirs = fallback.descriptor(digest, artifactType="application/vnd.other", unknown={"a": 1})
    data = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [theirs], "annotations": {"k": "v"}}
    fallback.store(tag, json.dumps(data).encode(), INDEX)
    published(fallback, BOM)
    assert fallback_index(fallback)[0] == theirs
    kept = json.loads(fallback.manifests[fallback.tags[tag]][0])
    assert kept["annotations"] == {"k": "v"}


def test_a_document_that_the_index_lost_is_found_and_put_back(fallback: FakeRegistry) -> None:
    published(fallback, BOM, SIGNATURE)
    tag = subject_of(fallback).replace(":", "-")
    fallback.index(tag, [])
    assert opened(fallback).attached() == (BOM, SIGNATURE)
    assert states(published(fallback, BOM)) == [WriteState.UNCHANGED]
    assert len(fallback_index(fallback)) == 2


def test_publishers_at_the_same_moment_lose_nothing(fallback: FakeRegistry) -> None:
    count = 4
    documents = [replace(BOM, name=f"{at}.cdx.json", data=b"%d" % at) for at in range(count)]
    sources = [opened(fallback) for _ in documents]
    start = threading.Barrier(count)

    def run(at: int) -> Receipt:
        start.wait()
        return sources[at].publish((documents[at],), dry_run=False, pull_request=False)

    with ThreadPoolExecutor(count) as pool:
        receipts = list(pool.map(run, range(count)))
    assert [states(one) for one in receipts] == [[WriteState.WRITTEN]] * count
    assert opened(fallback).attached() == tuple(documents)
    assert len(fallback_index(fallback)) == count


def test_an_index_that_somebody_overwrites_each_time_is_changed(
    fallback: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = subject_of(fallback).replace(":", "-")
    written = FakeRegistry.store

    def overwritten(self: FakeRegistry, name: str, data: bytes, media_type: str) -> str:
        digest = written(self, name, data, media_type)
        if name == tag:
            empty = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()
            written(self, name, empty, INDEX)
        return digest

    monkeypatch.setattr(FakeRegistry, "store", overwritten)
    with pytest.raises(UnreadableError, match="5 times") as caught:
        published(fallback, BOM)
    assert caught.value.reason is Reason.CHANGED
    # What was written can be found all the same.
    assert opened(fallback).attached() == (BOM,)


def test_a_tag_of_the_index_that_holds_something_else_is_left_alone(fallback: FakeRegistry) -> None:
    digest = fallback.manifest(subject_of(fallback).replace(":", "-"), [])
    with pytest.raises(UnreadableError, match="a list of referrers is none"):
        published(fallback, BOM)
    assert fallback.tags[subject_of(fallback).replace(":", "-")] == digest


def test_an_index_that_is_being_written_is_waited_for(
    fallback: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(fallback, BOM)
    tag = subject_of(fallback).replace(":", "-")
    theirs = fallback.descriptor(subject_of(fallback), artifactType="application/vnd.other")
    digest = fallback.index(tag, [theirs])
    written = {digest: fallback.manifests.pop(digest)}
    waits: list[float] = []
    mine = threading.get_ident()  # the threads of the registry sleep as well

    def wait(seconds: float) -> None:
        if threading.get_ident() != mine:
            return
        waits.append(seconds)
        if seconds:
            fallback.manifests.update(written)

    monkeypatch.setattr("time.sleep", wait)
    published(fallback, SIGNATURE)
    assert theirs in fallback_index(fallback)
    assert waits[:2] == [0, oci_referrers.PAUSE_SECONDS]


def test_a_tag_whose_index_was_deleted_is_no_index(fallback: FakeRegistry) -> None:
    fallback.tags[subject_of(fallback).replace(":", "-")] = digest_of(b"deleted")
    assert opened(fallback).attached() == ()
    published(fallback, BOM)
    assert len(fallback_index(fallback)) == 1


# Hostile listings


def referrers_path(registry: FakeRegistry) -> str:
    return f"/v2/org/model/referrers/{subject_of(registry)}"


EMPTY_INDEX = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()


@pytest.mark.parametrize(
    ("body", "link", "reason"),
    [
        (EMPTY_INDEX, '<?from=0>; rel="next"', Reason.LIMIT),
        (EMPTY_INDEX, '<?from=9>; rel="prev", <?from=0>; title="x"; rel="next"', Reason.LIMIT),
        (EMPTY_INDEX, '<http://127.0.0.1:1/v2/x>; rel="next"', Reason.MALFORMED),
        (EMPTY_INDEX, "<https://evil.test/>; rel=next", Reason.MALFORMED),
        (b"<html>", "", Reason.MALFORMED),
        (b'{"manifests": [{"digest": "sha256:x"}]}', "", Reason.MALFORMED),
        (b'{"layers": []}', "", Reason.MALFORMED),
        (b" " * 5_000_000, "", Reason.LIMIT),
    ],
    ids=["cycle", "second", "other-port", "other-host", "html", "fault", "artifact", "large"],
)
def test_hostile_lists_of_referrers_are_refused(body: bytes, link: str, reason: Reason) -> None:
    with FakeRegistry() as registry:
        registry.manifest("v1", [])
        headers = (("Link", link),) if link else ()
        registry.replies["GET", referrers_path(registry)] = Reply(body=body, headers=headers)
        with pytest.raises(UnreadableError) as caught:
            opened(registry).attached()
        assert caught.value.reason is reason


def test_a_listing_that_never_ends_is_cut() -> None:
    with FakeRegistry(page=1) as registry:
        registry.manifest("v1", [])
        for at in range(80):
            attach(registry, registry.blob(b"%d" % at, "application/x"), artifactType="application/x")
        with pytest.raises(UnreadableError, match="64 pages") as caught:
            opened(registry).attached()
        assert caught.value.reason is Reason.LIMIT


def test_thousands_of_manifests_that_might_be_documents_are_a_limit() -> None:
    with FakeRegistry() as registry:
        registry.manifest("v1", [])
        many = [{"mediaType": MANIFEST, "digest": digest_of(b"%d" % at), "size": 9} for at in range(9_000)]
        one = attach(registry, registry.blob(b"x", "application/x"), artifactType="", config=None)
        data, media_type = registry.manifests[one]
        registry.manifests.update(dict.fromkeys((each["digest"] for each in many), (data, media_type)))
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": many}).encode()
        registry.replies["GET", referrers_path(registry)] = Reply(body=body)
        with pytest.raises(UnreadableError):
            opened(registry).attached()


def test_a_document_of_impossible_size_is_not_fetched(registry: FakeRegistry) -> None:
    layer = registry.blob(b"x", BOM.media_type, **{TITLE: BOM.name})
    attach(registry, {**layer, "size": 1 << 40}, artifactType=BOM.media_type)
    registry.requests.clear()
    with pytest.raises(UnreadableError) as caught:
        opened(registry).attached()
    assert caught.value.reason is Reason.LIMIT
    assert not [one for one in registry.requests if "/blobs/" in one.path]
