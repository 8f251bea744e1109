"""Documents beside a model on the Hub: published in one commit, found again, and never at another's cost.

The server is our own (`tests.services.fake_hub`); the library `huggingface_hub` writes to it and reads from
it too, as the other publisher and as the independent reader.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.publication import Attached, DocumentKind, Receipt, WriteState
from aibom.domain.ref import PinnedRef
from aibom.sources import hub_documents, hub_publish
from tests.services.fake_hub import FakeHub, Reply, Request

TOKEN = "hf_" + "s3cret" * 5
FILES = {"config.json": b"{}", "model.safetensors": bytes(400_000), "sub/bom.json": b"CycloneDX of a part"}

IGNORED = {"uploadMode": "regular", "shouldIgnore": True}
NO_BRANCH = ("X-Error-Code", "RevisionNotFound")


def bom(text: str = "1") -> Attached:
    data = json.dumps({"bomFormat": "CycloneDX", "version": text}).encode()
    return Attached(
        name="bom.cdx.json", kind=DocumentKind.BOM, media_type="application/vnd.cyclonedx+json", data=data
    )


def signature(name: str = "model.sig", text: str = "1") -> Attached:
    data = json.dumps({"verificationMaterial": text, "dsseEnvelope": {}}).encode()
    media_type = "application/vnd.dev.sigstore.bundle.v0.3+json"
    return Attached(name=name, kind=DocumentKind.SIGNATURE, media_type=media_type, data=data)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    monkeypatch.setattr(hub_publish, "PAUSE_SECONDS", 0.0)
    with FakeHub(tokens={TOKEN}) as fake:
        fake.add("org/name", FILES)
        yield fake


def publish(
    hub: FakeHub,
    *documents: Attached,
    target: str = "hf://org/name",
    token: str = TOKEN,
    dry_run: bool = False,
    pull_request: bool = False,
) -> Receipt:
    return hub.source(target, token).publish(documents, dry_run=dry_run, pull_request=pull_request)


def states(receipt: Receipt) -> dict[str, WriteState]:
    return {each.name: each.state for each in receipt.written}


def head(hub: FakeHub, ref: str = "main") -> dict[str, bytes]:
    repo = hub.repos["models", "org/name"]
    return repo.commits[repo.refs[ref]]


def commits(hub: FakeHub) -> int:
    return len(hub.repos["models", "org/name"].commits)


def test_all_documents_are_one_commit_that_the_library_reads(hub: FakeHub, tmp_path: Path) -> None:
    model = hub.repos["models", "org/name"].refs["main"]
    receipt = publish(hub, bom(), signature())
    assert receipt.subject == PinnedRef(scheme="hf", location="org/name", revision=model)
    assert receipt.revision == hub.repos["models", "org/name"].refs["main"] != model
    assert states(receipt) == {"bom.cdx.json": WriteState.WRITTEN, "model.sig": WriteState.WRITTEN}
    assert [each.place for each in receipt.written] == [
        "hf://org/name/bom.cdx.json",
        "hf://org/name/model.sig",
    ]
    assert [each.sha256 for each in receipt.written] == [
        hashlib.sha256(each.data).hexdigest() for each in (bom(), signature())
    ]
    assert commits(hub) == 2
    got = HfApi(endpoint=hub.url, token=TOKEN).hf_hub_download("org/name", "bom.cdx.json", cache_dir=tmp_path)
    assert Path(got).read_bytes() == bom().data
    assert head(hub) == {**FILES, "bom.cdx.json": bom().data, "model.sig": signature().data}


def test_what_was_published_is_found_again(hub: FakeHub) -> None:
    publish(hub, bom(), signature("model.sigstore.json"), signature())
    found = hub.source("hf://org/name").attached()
    assert found == (bom(), signature(), signature("model.sigstore.json"))


def test_only_documents_at_the_top_are_found_and_no_strangers(hub: FakeHub) -> None:
    hub.add(
        "org/other",
        {**FILES, "a.sig": b"-----BEGIN PGP", "sbom.json": b'{"spdxVersion": 2}', "bom.json": b"[]"},
    )
    assert hub.source("hf://org/other").attached() == ()
    assert not [request for request in hub.requests if "config.json" in request.path]


def test_a_damaged_document_of_ours_is_found_and_can_be_replaced(hub: FakeHub) -> None:
    hub.repos["models", "org/name"].commit({**FILES, "bom.cdx.json": b"\0", "model.sig": b"\0"})
    assert [each.data for each in hub.source("hf://org/name").attached()] == [b"\0", b"\0"]
    publish(hub, bom())
    assert head(hub)["bom.cdx.json"] == bom().data


def test_documents_are_those_of_the_commit_that_is_named(hub: FakeHub) -> None:
    model = hub.repos["models", "org/name"].refs["main"]
    publish(hub, bom())
    assert hub.source(f"hf://org/name@{model}").attached() == ()


def test_too_many_or_too_large_documents_are_refused(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("org/many", {f"{at:03}.sig": b"of PGP" for at in range(11)})
    monkeypatch.setattr(hub_documents, "ATTACHED_COUNT", 10)
    with pytest.raises(UnreadableError, match="more than 10 ") as caught:
        hub.source("hf://org/many").attached()
    assert caught.value.reason is Reason.LIMIT
    monkeypatch.setattr(hub_documents, "DOCUMENT_BYTES", 5)
    with pytest.raises(UnreadableError, match="at most 5 ") as caught:
        hub.source("hf://org/many").attached()
    assert caught.value.reason is Reason.LIMIT


def test_all_documents_together_fit_into_memory(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("org/many", {f"{at:03}.sig": b"of PGP" for at in range(3)})
    monkeypatch.setattr(hub_documents, "DOCUMENTS_BYTES", 17)
    with pytest.raises(UnreadableError, match="more than 17 bytes") as caught:
        hub.source("hf://org/many").attached()
    assert caught.value.reason is Reason.LIMIT


def test_a_document_with_other_bytes_than_listed_is_refused(hub: FakeHub) -> None:
    publish(hub, bom())
    hub.tamper = lambda request: Reply(200, b"x" * len(bom().data)) if "/resolve/" in request.path else None
    with pytest.raises(UnreadableError, match="other bytes than the registry lists") as caught:
        hub.source("hf://org/name").attached()
    assert caught.value.reason is Reason.CHANGED


def test_the_same_again_changes_nothing(hub: FakeHub) -> None:
    first = publish(hub, bom(), signature())
    again = publish(hub, bom(), signature())
    assert set(states(again).values()) == {WriteState.UNCHANGED}
    assert again.revision == first.revision
    assert commits(hub) == 2


def test_only_what_differs_is_written(hub: FakeHub) -> None:
    publish(hub, bom(), signature())
    receipt = publish(hub, bom("2"), signature())
    assert states(receipt) == {"bom.cdx.json": WriteState.WRITTEN, "model.sig": WriteState.UNCHANGED}
    assert head(hub)["bom.cdx.json"] == bom("2").data


def test_an_attestation_replaces_no_part_of_the_model(hub: FakeHub) -> None:
    document = Attached(name="config.json", kind=DocumentKind.ATTESTATION, media_type="", data=b"{}\n")
    with pytest.raises(UnreadableError, match="a part of the model itself"):
        publish(hub, document)


def test_a_dry_run_writes_nothing(hub: FakeHub) -> None:
    publish(hub, signature())
    receipt = publish(hub, bom(), signature(), dry_run=True)
    assert states(receipt) == {"bom.cdx.json": WriteState.PLANNED, "model.sig": WriteState.UNCHANGED}
    assert commits(hub) == 2
    posted = [request.path for request in hub.requests if request.method == "POST"]
    assert len(posted) == 2  # of the first publication


def test_a_pull_request_leaves_the_branch_alone(hub: FakeHub) -> None:
    receipt = publish(hub, bom(), pull_request=True)
    assert receipt.notes == ("pull request 1 was opened; it counts when it is merged",)
    assert receipt.revision == hub.repos["models", "org/name"].refs["refs/pr/1"]
    assert [each.place for each in receipt.written] == ["hf://org/name@refs/pr/1/bom.cdx.json"]
    assert head(hub) == FILES
    assert head(hub, "refs/pr/1")["bom.cdx.json"] == bom().data
    assert hub.source("hf://org/name@refs/pr/1").attached() == (bom(),)


def test_the_same_pull_request_is_not_opened_twice(hub: FakeHub) -> None:
    publish(hub, bom(), pull_request=True)
    again = publish(hub, bom(), pull_request=True)
    assert again.notes == ("pull request 1 holds them already; it counts when it is merged",)
    assert set(states(again).values()) == {WriteState.UNCHANGED}
    other = publish(hub, bom("2"), pull_request=True)
    assert other.notes[0].startswith("pull request 2 was opened")


def test_a_pull_request_that_only_has_our_title_is_not_ours(hub: FakeHub) -> None:
    publish(hub, bom(), pull_request=True)
    hub.repos["models", "org/name"].commit(
        {**FILES, "bom.cdx.json": b"CycloneDX of somebody else"}, "refs/pr/1"
    )
    assert publish(hub, bom(), pull_request=True).notes[0].startswith("pull request 2 was opened")


def test_a_document_of_another_publisher_is_kept(hub: FakeHub) -> None:
    """The library commits between our look and our commit: the Hub refuses ours once, and both are there."""
    theirs = threading.Event()

    def tamper(request: Request) -> Reply | None:
        if "/preupload/" in request.path and not theirs.is_set():
            theirs.set()
            hub.repos["models", "org/name"].commit({**head(hub), "theirs.sig": signature(text="2").data})
        return None

    hub.tamper = tamper
    receipt = publish(hub, bom())
    assert states(receipt) == {"bom.cdx.json": WriteState.WRITTEN}
    assert head(hub) == {**FILES, "bom.cdx.json": bom().data, "theirs.sig": signature(text="2").data}
    assert len([request for request in hub.requests if "/commit/" in request.path]) == 2


@pytest.mark.parametrize("status", [409, 412])
def test_somebody_who_is_always_faster_ends_it(hub: FakeHub, status: int) -> None:
    hub.tamper = lambda request: Reply(status) if "/commit/" in request.path else None
    with pytest.raises(UnreadableError, match="moved 5 times") as caught:
        publish(hub, bom())
    assert caught.value.reason is Reason.CHANGED
    assert len([request for request in hub.requests if "/commit/" in request.path]) == 5


def test_publishers_at_once_lose_nothing(hub: FakeHub, tmp_path: Path) -> None:
    """Three of ours and the library, each with another document."""
    failed: list[BaseException] = []
    names = [f"{at}.sig" for at in range(3)]

    def ours(name: str) -> None:
        try:
            publish(hub, signature(name))
        except UnreadableError as error:
            failed.append(error)

    def library() -> None:
        path = tmp_path / "theirs.sig"
        path.write_bytes(signature(text="2").data)
        operation = CommitOperationAdd("theirs.sig", str(path))
        HfApi(endpoint=hub.url, token=TOKEN).create_commit("org/name", [operation], commit_message="theirs")

    threads = [threading.Thread(target=ours, args=(name,)) for name in names]
    threads.append(threading.Thread(target=library))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert head(hub).keys() == {*FILES, *names, "theirs.sig"}


@pytest.mark.parametrize(
    "files",
    [
        {**FILES, "model.safetensors": b"x" * 400_000},
        {**FILES, "config.json": b"[]"},
        {**FILES, "new.bin": b"new"},
        {"config.json": b"{}"},
        {**FILES, "sub/bom.json": b"another part"},
    ],
    ids=["weights", "config", "added", "removed", "part"],
)
def test_nothing_is_written_about_a_model_that_changed_meanwhile(
    hub: FakeHub, files: dict[str, bytes]
) -> None:
    source = hub.source("hf://org/name", TOKEN)
    hub.repos["models", "org/name"].commit(files)
    with pytest.raises(UnreadableError, match="holds another model than commit") as caught:
        source.publish((bom(),), dry_run=False, pull_request=False)
    assert caught.value.reason is Reason.CHANGED
    assert commits(hub) == 2


def test_documents_about_a_commit_go_where_everybody_looks(hub: FakeHub) -> None:
    model = hub.repos["models", "org/name"].refs["main"]
    publish(hub, signature())
    receipt = publish(hub, bom(), target=f"hf://org/name@{model}")
    assert receipt.subject.revision == model
    assert set(head(hub)) == {*FILES, "bom.cdx.json", "model.sig"}


def test_an_older_document_that_came_after_the_commit_is_replaced(hub: FakeHub) -> None:
    model = hub.repos["models", "org/name"].refs["main"]
    publish(hub, bom("1"))
    publish(hub, bom("2"), target=f"hf://org/name@{model}")
    assert head(hub)["bom.cdx.json"] == bom("2").data


def test_documents_go_to_the_branch_that_is_named(hub: FakeHub) -> None:
    hub.repos["models", "org/name"].commit(FILES, "dev")
    publish(hub, bom(), target="hf://org/name@dev")
    assert "bom.cdx.json" in head(hub, "dev")
    assert "bom.cdx.json" not in head(hub)


@pytest.mark.parametrize(
    ("name", "there", "words"),
    [
        ("bom.json", b'{"weights": "of the model"}', "a part of the model itself"),
        ("model.sig", b"-----BEGIN PGP SIGNATURE", "a part of the model itself"),
        ("model.safetensors", b"", "is no name under which"),
        ("config.json", b"", "is no name under which"),
        (".gitattributes", b"", "is no name under which"),
    ],
)
def test_a_name_that_belongs_to_the_model_is_not_taken(
    hub: FakeHub, name: str, there: bytes, words: str
) -> None:
    hub.repos["models", "org/name"].commit({**FILES, name: there} if there else FILES)
    kind = DocumentKind.BOM if name.endswith("bom.json") else DocumentKind.SIGNATURE
    document = Attached(name=name, kind=kind, media_type="", data=b"CycloneDX")
    with pytest.raises(UnreadableError, match=words) as caught:
        publish(hub, document)
    assert caught.value.reason is Reason.UNSUPPORTED
    assert commits(hub) == 2


def test_a_folder_is_not_replaced_by_a_document(hub: FakeHub) -> None:
    hub.repos["models", "org/name"].commit({**FILES, "a.sig/file": b"x"})
    with pytest.raises(UnreadableError, match="a part of the model itself"):
        publish(hub, signature("a.sig"))


def test_two_documents_of_one_name_are_refused(hub: FakeHub) -> None:
    with pytest.raises(UnreadableError, match="the same name"):
        publish(hub, bom("1"), bom("2"))


def test_an_attestation_is_written_under_a_name_of_its_own(hub: FakeHub) -> None:
    data = b'{"payloadType": "application/vnd.in-toto+json"}'
    document = Attached(name="scan.intoto.json", kind=DocumentKind.ATTESTATION, media_type="", data=data)
    assert states(publish(hub, document)) == {"scan.intoto.json": WriteState.WRITTEN}
    newer = Attached(name="scan.intoto.json", kind=DocumentKind.ATTESTATION, media_type="", data=data + b" ")
    assert states(publish(hub, newer)) == {"scan.intoto.json": WriteState.WRITTEN}


@pytest.mark.parametrize(
    ("part", "reply", "reason", "words"),
    [
        ("/preupload/", Reply.of({"files": [{"uploadMode": "lfs"}]}), Reason.UNSUPPORTED, "in LFS"),
        ("/preupload/", Reply.of({"files": [IGNORED]}), Reason.UNSUPPORTED, ".gitignore"),
        ("/preupload/", Reply(403), Reason.DENIED, "may not do this with hf://org/name"),
        ("/commit/", Reply(403), Reason.DENIED, "may not do this with hf://org/name"),
        ("/commit/", Reply(404, headers=(NO_BRANCH,)), Reason.MISSING, "no revision 'main'"),
        ("/commit/", Reply(400, headers=(("X-Error-Message", "no \x1b"),)), Reason.UNSUPPORTED, "(no \\x1b)"),
        ("/commit/", Reply(500), Reason.IO_ERROR, "500"),
        ("/commit/", Reply.of({}), Reason.MALFORMED, "names no commit"),
        ("/commit/", Reply.of({"commitOid": "main"}), Reason.MALFORMED, "names no commit"),
        ("/commit/", Reply(200, b"<html>"), Reason.MALFORMED, "not JSON"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Reply) else None,
)  # fmt: skip
def test_a_refusal_is_an_error_and_nothing_counts_as_written(
    hub: FakeHub, part: str, reply: Reply, reason: Reason, words: str
) -> None:
    hub.tamper = lambda request: reply if part in request.path else None
    with pytest.raises(UnreadableError) as caught:
        publish(hub, bom())
    assert caught.value.reason is reason
    assert words in caught.value.message
    assert TOKEN not in str(caught.value)
    assert commits(hub) == 1


def test_without_a_token_nothing_can_be_written(hub: FakeHub) -> None:
    with pytest.raises(UnreadableError, match="set HF_TOKEN") as caught:
        publish(hub, bom(), token="")
    assert caught.value.reason is Reason.DENIED
    assert commits(hub) == 1


def test_a_document_that_only_lfs_takes_is_refused(hub: FakeHub) -> None:
    document = Attached(
        name="bom.cdx.json", kind=DocumentKind.BOM, media_type="", data=b"CycloneDX" * 1_200_000
    )
    with pytest.raises(UnreadableError, match="in LFS only"):
        publish(hub, document)
