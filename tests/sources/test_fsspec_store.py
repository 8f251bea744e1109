"""Stores behind fsspec. Its file system in memory stands in for those of Google and Azure: the same
interface, and of their own answers what their documentation says of listings.
"""

from __future__ import annotations

import base64
import builtins
import hashlib
import socket
import sys
import time
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("fsspec", reason="the extras [gcs] and [azure] are not installed")

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap
from aibom.domain.publication import Attached, DocumentKind, WriteState
from aibom.domain.ref import Ref
from aibom.sources import fsspec_store, fsspec_store_files
from aibom.sources.opening import Opening

WEIGHTS = bytes(range(256)) * 4_000
BOM = b'{"bomFormat": "CycloneDX"}'


class StandIn(MemoryFileSystem):
    """In memory, with the fields that Google and Azure add, and with what a test wants to go wrong."""

    store: dict[str, Any] = {}  # noqa: RUF012 - not that of all others
    pseudo_dirs = [""]  # noqa: RUF012
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.added: dict[str, dict[str, object]] = {}
        self.calls: list[tuple[object, ...]] = []
        self.fails: dict[str, Exception] = {}

    def info(self, path: str, **_: object) -> dict[str, Any]:
        self._note("info", path)
        found = super().info(path)
        return {**found, **self.added.get(found["name"].lstrip("/"), {})}

    def ls(self, path: str, detail: bool = True, **_: object) -> Any:
        self._note("ls", path)
        found = super().ls(path, detail=True)
        return [{**each, **self.added.get(each["name"].lstrip("/"), {})} for each in found]

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: object) -> bytes:
        self._note("cat_file", path, start, end)
        data: bytes = super().cat_file(path, start=start, end=end)
        return data

    def _note(self, *call: object) -> None:
        self.calls.append(call)
        if error := self.fails.get(f"{call[0]} {str(call[1]).lstrip('/')}"):
            raise error


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    StandIn.store.clear()
    StandIn.pseudo_dirs[:] = [""]
    system = StandIn()
    monkeypatch.setattr(fsspec_store, "_system", lambda *_: system)
    return system


def opened(target: str, **options: Any) -> fsspec_store.StoreSource:
    (place,) = (each for each in fsspec_store.PLACES if target.startswith(f"{each.scheme}://"))
    source = place.open(target, Opening(network=object, **options))  # type: ignore[arg-type]
    assert isinstance(source, fsspec_store.StoreSource)
    return source


def listed(source: fsspec_store.StoreSource) -> dict[str, Entry]:
    return {item.path: item for item in source.entries() if isinstance(item, Entry)}


def gaps(source: fsspec_store.StoreSource) -> list[Gap]:
    return [item for item in source.entries() if isinstance(item, Gap)]


def whole(source: fsspec_store.StoreSource, entry: Entry) -> bytes:
    with source.open(entry) as reader:
        return reader.read_at(0, reader.size)


def document(data: bytes = BOM, name: str = "bom.json") -> Attached:
    return Attached(name=name, kind=DocumentKind.BOM, media_type="application/json", data=data)


def refusal(call: Any) -> UnreadableError:
    with pytest.raises(UnreadableError) as raised:
        call()
    assert "secret-" not in str(raised.value)
    return raised.value


@pytest.mark.parametrize("scheme", ["gs", "az", "abfs"])
def test_a_folder_is_listed_with_paths_relative_to_it(store: StandIn, scheme: str) -> None:
    store.pipe_file("models/m/config.json", b"{}")
    store.pipe_file("models/m/sub/deep/a.txt", b"1")
    store.pipe_file("models/other/b.txt", b"2")
    source = opened(f"{scheme}://models/m/")
    assert list(listed(source)) == ["config.json", "sub/deep/a.txt"]
    assert source.target.ref == Ref(scheme=scheme, location="models/m")
    assert dict(source.target.attributes)["pinned"].startswith("no")
    assert whole(source, listed(source)["sub/deep/a.txt"]) == b"1"


def test_one_file_is_a_target(store: StandIn) -> None:
    store.pipe_file("models/m/model.gguf", WEIGHTS)
    source = opened("gs://models/m/model.gguf")
    (entry,) = listed(source).values()
    assert (entry.path, entry.size, entry.header_only) == ("model.gguf", len(WEIGHTS), True)


def test_the_header_of_weights_costs_one_range_and_a_comparison(store: StandIn) -> None:
    store.pipe_file("models/m/model.gguf", WEIGHTS)
    source = opened("gs://models/m")
    entry = listed(source)["model.gguf"]
    store.calls.clear()
    with source.open(entry) as reader:
        assert reader.read_at(0, 30_000) == WEIGHTS[:30_000]
    assert [call[0] for call in store.calls] == ["cat_file", "info"]
    assert store.calls[0][3] <= 50_000  # type: ignore[operator]


def test_full_reads_all_bytes(store: StandIn) -> None:
    store.pipe_file("models/m/model.gguf", WEIGHTS)
    source = opened("gs://models/m", full=True)
    assert whole(source, listed(source)["model.gguf"]) == WEIGHTS


MD5 = hashlib.md5(b"{}").digest()


@pytest.mark.parametrize(
    ("added", "claimed"),
    [
        pytest.param({"md5Hash": base64.b64encode(MD5).decode(), "crc32c": "AAAA"}, MD5.hex(), id="Google"),
        pytest.param({"content_settings": {"content_md5": bytearray(MD5)}}, MD5.hex(), id="Azure"),
        pytest.param({"crc32c": "AAAAAA=="}, None, id="crc32c alone"),
        pytest.param({"content_settings": {"content_md5": None}}, None, id="Azure without"),
        pytest.param({"md5Hash": "????"}, None, id="no base64"),
        pytest.param({"md5Hash": "QUJD"}, None, id="too short"),
        pytest.param({"md5Hash": 7, "content_settings": "x"}, None, id="no text"),
    ],
)
def test_an_md5_is_claimed_and_nothing_else(
    store: StandIn, added: dict[str, object], claimed: str | None
) -> None:
    store.pipe_file("models/m/a.json", b"{}")
    store.added["models/m/a.json"] = added
    (entry,) = listed(opened("gs://models/m")).values()
    expected = (Digest(algorithm="md5", value=claimed, grade=Grade.CLAIMED),) if claimed else ()
    assert entry.claimed == expected


def test_the_identity_of_a_version_holds_the_generation_and_the_account(store: StandIn) -> None:
    store.pipe_file("models/m/a.json", b"{}")
    store.added["models/m/a.json"] = {"generation": "17", "etag": "CAE="}
    account = {"environment": {"AZURE_STORAGE_ACCOUNT_NAME": "ours"}}
    other = {"environment": {"AZURE_STORAGE_ACCOUNT_NAME": "theirs"}}
    google = listed(opened("gs://models/m"))["a.json"].etag
    azure = [listed(opened("az://models/m", **each))["a.json"].etag for each in (account, other)]
    assert google.endswith("/models/m/a.json#17/CAE=")
    assert len({google, *azure}) == 3
    assert listed(opened("az://models/m"))["a.json"].etag == ""  # of an account that is not known


def test_a_file_that_changes_during_the_look_is_changed(store: StandIn) -> None:
    store.pipe_file("models/m/a.json", b"{}")
    source = opened("gs://models/m")
    (entry,) = listed(source).values()
    store.added["models/m/a.json"] = {"generation": "18"}
    assert refusal(lambda: whole(source, entry)).reason is Reason.CHANGED


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"{", Reason.TRUNCATED), (None, Reason.UNSUPPORTED), ("{}", Reason.UNSUPPORTED)],
    ids=["fewer", "none", "text"],
)
def test_other_bytes_than_asked_for_are_an_error(
    store: StandIn, monkeypatch: pytest.MonkeyPatch, data: object, reason: Reason
) -> None:
    store.pipe_file("models/m/a.json", b"{}")
    source = opened("gs://models/m")
    (entry,) = listed(source).values()
    monkeypatch.setattr(StandIn, "cat_file", lambda *_, **__: data)
    assert refusal(lambda: whole(source, entry)).reason is reason


class HttpError(Exception):
    """Named like that of gcsfs."""

    code = 403


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FileNotFoundError("secret-x"), Reason.MISSING),
        (PermissionError("secret-x"), Reason.DENIED),
        (HttpError("secret-x"), Reason.DENIED),
        (TimeoutError("secret-x"), Reason.IO_ERROR),
        (OSError("secret-x"), Reason.IO_ERROR),
        (ValueError("secret-x"), Reason.IO_ERROR),
        (RuntimeError("secret-x"), Reason.IO_ERROR),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_a_library_raises_is_told_in_our_words(
    store: StandIn, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: Reason
) -> None:
    module = ModuleType("gcsfs.retry")
    module.HttpError = HttpError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gcsfs.retry", module)
    store.pipe_file("models/m/a.json", b"{}")
    source = opened("gs://models/m")
    (entry,) = listed(source).values()
    store.fails["cat_file models/m/a.json"] = error
    assert refusal(lambda: whole(source, entry)).reason is reason
    store.fails = {"info models/m": error}
    wanted = Reason.VANISHED if reason is Reason.MISSING else reason
    assert refusal(lambda: opened("gs://models/m")).reason is wanted


def test_a_folder_that_cannot_be_listed_is_a_gap_and_the_others_are_listed(store: StandIn) -> None:
    store.pipe_file("models/m/a.json", b"{}")
    store.pipe_file("models/m/closed/b.json", b"{}")
    store.fails["ls models/m/closed"] = PermissionError()
    source = opened("gs://models/m")
    assert list(listed(source)) == ["a.json"]
    assert [(gap.path, gap.reason) for gap in gaps(source)] == [("closed/", Reason.DENIED)]


def test_a_store_that_does_not_answer_is_left_behind(store: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    store.pipe_file("models/m/a.json", b"{}")
    monkeypatch.setattr(fsspec_store_files, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(StandIn, "info", lambda *_, **__: time.sleep(2))
    files = fsspec_store_files.Files(store)
    began = time.monotonic()
    assert refusal(lambda: files._called(lambda: store.info("x"), 0.1)).reason is Reason.IO_ERROR
    assert time.monotonic() - began < 1


# Bad listings


def rows(*names: object, kind: str = "file") -> list[object]:
    return [{"name": name, "size": 1, "type": kind} for name in names]


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        pytest.param(rows("models/other/a"), [Reason.MALFORMED], id="another folder"),
        pytest.param(rows("models/m/../../etc/passwd"), [Reason.OUTSIDE_TARGET], id="climbs"),
        pytest.param(rows("models/m//a"), [Reason.OUTSIDE_TARGET], id="empty part"),
        pytest.param(rows("models/m/a\n"), [Reason.OUTSIDE_TARGET], id="control character"),
        pytest.param(rows("models/m/a?b"), [Reason.UNSUPPORTED], id="a query"),
        pytest.param(rows("models/m/[a]"), [Reason.UNSUPPORTED], id="a pattern"),
        pytest.param(rows("models/m/a", "models/m/a"), [Reason.MALFORMED], id="twice"),
        pytest.param(rows(None), [Reason.UNSUPPORTED], id="no name"),
        pytest.param(["models/m/a"], [Reason.UNSUPPORTED], id="no details"),
        pytest.param(None, [Reason.UNSUPPORTED], id="nothing"),
        pytest.param(
            [{"name": "models/m/a", "type": "file", "size": None}], [Reason.MALFORMED], id="no size"
        ),
        pytest.param([{"name": "models/m/a", "type": "file", "size": -1}], [Reason.MALFORMED], id="negative"),
        pytest.param(
            [{"name": "models/m/a", "type": "file", "size": 1 << 60}], [Reason.MALFORMED], id="huge"
        ),
        pytest.param(rows("models", "models/m", kind="directory"), [Reason.MALFORMED], id="upwards"),
    ],
)
def test_a_bad_listing_ends_in_gaps(
    store: StandIn, monkeypatch: pytest.MonkeyPatch, answer: object, reasons: list[Reason]
) -> None:
    store.pipe_file("models/m/x", b"1")
    source = opened("gs://models/m")
    monkeypatch.setattr(StandIn, "ls", lambda *_, **__: answer)
    assert [gap.reason for gap in gaps(source)] == reasons
    assert listed(source) == {}


def test_folders_in_each_other_without_end_end_at_a_limit(
    store: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.pipe_file("models/m/x", b"1")
    source = opened("gs://models/m")
    monkeypatch.setattr(StandIn, "ls", lambda _, path, **__: rows(f"{path}/d", kind="directory"))
    (gap,) = gaps(source)
    assert gap.reason is Reason.LIMIT


def test_folders_beside_each_other_without_end_end_at_a_limit(
    store: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.pipe_file("models/m/x", b"1")
    source = opened("gs://models/m")
    monkeypatch.setattr(fsspec_store, "FOLDER_COUNT", 20)
    names = [f"models/m/{number}" for number in range(50)]
    monkeypatch.setattr(
        StandIn, "ls", lambda _, path, **__: rows(*names, kind="directory") if path == "models/m" else []
    )
    (gap,) = gaps(source)
    assert gap.reason is Reason.LIMIT


def test_excluded_files_are_counted(store: StandIn) -> None:
    store.pipe_file("models/m/a.tmp", b"1")
    source = opened("gs://models/m", exclude=("*.tmp",))
    assert (listed(source), source.excluded) == ({}, 1)


# What the user typed


@pytest.mark.parametrize(
    "target",
    ["gs://", "gs:///a", "gs://b", "gs://models/../x", "gs://models/a//b", "gs://models/a*", "az://models/a?b",
     "gs://models/a#1", "gs://user:secret-@models/a", "gs://models/a\n", "abfs://m@account.dfs.core.windows.net/a"],
    ids=lambda value: value.replace("\n", "_"),
)  # fmt: skip
def test_an_address_that_is_none_says_what_to_type(target: str) -> None:
    raised = refusal(lambda: fsspec_store.parse(target))
    assert (raised.reason, "bucket/path" in raised.message) == (Reason.MALFORMED, True)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_malformed(text: str) -> None:
    try:
        scheme, path = fsspec_store.parse(f"gs://{text}")
    except UnreadableError as refused:
        assert refused.reason is Reason.MALFORMED  # noqa: PT017 - either is fine
    else:
        assert (scheme, path) == ("gs", text.rstrip("/"))


def test_nothing_there_is_vanished(store: StandIn) -> None:
    assert refusal(lambda: opened("gs://models/none")).reason is Reason.VANISHED


def test_offline_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    assert refusal(lambda: fsspec_store.PLACE.open("gs://models/m", Opening())).reason is Reason.IO_ERROR


@pytest.mark.parametrize(("scheme", "extra"), [("gs", "gcs"), ("az", "azure"), ("abfs", "azure")])
def test_a_missing_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, scheme: str, extra: str
) -> None:
    ordinary = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name.partition(".")[0] in ("gcsfs", "adlfs", "fsspec"):
            raise ImportError(name)
        return ordinary(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    environment = {"AZURE_STORAGE_ACCOUNT_NAME": "ours"}
    raised = refusal(lambda: fsspec_store._system(scheme, environment))
    assert f"pip install 'aibom[{extra}]'" in raised.message


def test_without_credentials_anybody_asks_and_no_metadata_service(tmp_path: Any) -> None:
    google = fsspec_store.options("gs", {"HOME": str(tmp_path)})
    assert (google["token"], google["endpoint_url"]) == ("anon", "https://storage.googleapis.com")
    assert fsspec_store.options("az", {"AZURE_STORAGE_ACCOUNT_NAME": "ours"})["anon"] is True


def test_credentials_come_from_the_environment_that_is_given(tmp_path: Any) -> None:
    usual = tmp_path / ".config" / "gcloud" / "application_default_credentials.json"
    usual.parent.mkdir(parents=True)
    usual.write_text("{}")
    assert fsspec_store.options("gs", {"HOME": str(tmp_path)})["token"] == str(usual)
    named = {"HOME": str(tmp_path), "GOOGLE_APPLICATION_CREDENTIALS": "/k.json"}
    assert fsspec_store.options("gs", named)["token"] == "/k.json"
    azure = {"AZURE_STORAGE_ACCOUNT_NAME": "ours", "AZURE_STORAGE_ACCOUNT_KEY": "secret-key"}
    made_of = fsspec_store.options("abfs", azure)
    assert (made_of["account_name"], made_of["account_key"], made_of["anon"]) == ("ours", "secret-key", False)


def test_azure_needs_an_account() -> None:
    raised = refusal(lambda: fsspec_store.options("az", {}))
    assert "AZURE_STORAGE_ACCOUNT_NAME" in raised.message


# Documents beside the model


def published(
    source: fsspec_store.StoreSource, *documents: Attached, dry_run: bool = False
) -> list[WriteState]:
    receipt = source.publish(documents, dry_run=dry_run, pull_request=False)
    assert receipt.subject == source.target.ref
    return [each.state for each in receipt.written]


def test_publishing_twice_writes_once(store: StandIn) -> None:
    store.pipe_file("models/m/model.gguf", b"GGUF")
    source = opened("gs://models/m")
    assert published(source, document(), dry_run=True) == [WriteState.PLANNED]
    assert source.attached() == ()
    assert published(source, document()) == [WriteState.WRITTEN]
    assert published(source, document()) == [WriteState.UNCHANGED]
    (found,) = source.attached()
    assert (found.name, found.data, found.kind) == ("bom.json", BOM, DocumentKind.BOM)


def test_beside_one_file_documents_are_named_after_it(store: StandIn) -> None:
    store.pipe_file("models/m/model.gguf", b"GGUF")
    store.pipe_file("models/m/other.gguf.cdx.json", BOM)
    source = opened("gs://models/m/model.gguf")
    assert published(source, document(name="model.gguf.cdx.json")) == [WriteState.WRITTEN]
    assert [each.name for each in source.attached()] == ["model.gguf.cdx.json"]
    assert "'model.gguf.bom.json'" in refusal(lambda: published(source, document())).message


def test_a_document_that_is_there_with_other_bytes_is_not_replaced(store: StandIn) -> None:
    store.pipe_file("models/m/bom.json", b'{"bomFormat": "CycloneDX", "other": 1}')
    source = opened("gs://models/m")
    raised = refusal(lambda: published(source, document(name="a.cdx.json"), document()))
    assert raised.reason is Reason.UNSUPPORTED
    assert not store.exists("models/m/a.cdx.json")  # all are looked at before the first is written


def test_what_somebody_else_writes_meanwhile_is_not_lost(
    store: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.pipe_file("models/m/model.gguf", b"GGUF")
    source = opened("gs://models/m")
    monkeypatch.setattr(fsspec_store.StoreSource, "_state", lambda *_: WriteState.PLANNED)
    store.pipe_file("models/m/bom.json", b"theirs")
    assert refusal(lambda: published(source, document())).reason is Reason.CHANGED
    assert store.cat_file("models/m/bom.json") == b"theirs"


def test_a_store_that_looks_first_and_writes_then_is_not_written_to(
    store: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.pipe_file("models/m/model.gguf", b"GGUF")
    source = opened("gs://models/m")
    monkeypatch.setattr(MemoryFileSystem, "pipe_file", fsspec.AbstractFileSystem.pipe_file)
    raised = refusal(lambda: published(source, document(), dry_run=True))
    assert (raised.reason, "nothing is written" in raised.message) == (Reason.UNSUPPORTED, True)


class LikeAzure(StandIn):
    """Creates like adlfs: with `overwrite`, and without a `mode` that it names."""

    def pipe_file(self, path: str, value: bytes, overwrite: bool = True, **_: object) -> None:  # type: ignore[override]
        super().pipe_file(path, value, mode="overwrite" if overwrite else "create")


def test_a_file_is_created_in_the_way_that_the_library_has(store: StandIn) -> None:
    assert fsspec_store_files.Files(store).creates == {"mode": "create"}
    files = fsspec_store_files.Files(LikeAzure())
    assert files.creates == {"overwrite": False}
    files.create("models/m/bom.json", BOM)
    assert refusal(lambda: files.create("models/m/bom.json", b"other")).reason is Reason.CHANGED
    assert store.cat_file("models/m/bom.json") == BOM


def test_a_store_has_no_pull_requests(store: StandIn) -> None:
    store.pipe_file("models/m/model.gguf", b"GGUF")
    source = opened("gs://models/m")
    raised = refusal(lambda: source.publish((document(),), dry_run=True, pull_request=True))
    assert raised.reason is Reason.UNSUPPORTED
