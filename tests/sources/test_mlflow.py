"""MLflow over REST, against a stand-in that is written from the documentation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap
from aibom.domain.publication import Attached, DocumentKind, WriteState
from aibom.domain.ref import PinnedRef, Ref
from aibom.sources import mlflow, mlflow_server
from aibom.sources.http import Http
from aibom.sources.http_address import parse
from aibom.sources.mlflow import PLACES, MlflowSource
from aibom.sources.mlflow_target import Typed, parse_target, secret_of, tracking_address
from aibom.sources.opening import Opening
from tests.services.mlflow_fake import LOGGED, ROOT, RUN, MlflowFake, Reply
from tests.services.s3_fake import serving

WEIGHTS = bytes(range(256)) * 2_000
FILES = {
    f"{ROOT}/model/MLmodel": b"flavors: {}\n",
    f"{ROOT}/model/model.safetensors": WEIGHTS,
    f"{ROOT}/model/deep/er/vocab.txt": b"a\n",
    f"{ROOT}/model/deep/naïve name.txt": b"b\n",
    f"{ROOT}/model/empty.txt": b"",
    f"{ROOT}/other/x.txt": b"x",
}
LISTED = ["MLmodel", "deep/er/vocab.txt", "deep/naïve name.txt", "empty.txt", "model.safetensors"]
BOM = Attached(
    name="m.cdx.json", kind=DocumentKind.BOM, media_type="application/vnd.cyclonedx+json",
    data=b'{"bomFormat": "CycloneDX"}',
)  # fmt: skip
SIGNATURE = Attached(
    name="model.sig", kind=DocumentKind.SIGNATURE, media_type="application/json", data=b'{"dsseEnvelope": {}}'
)


@pytest.fixture
def fake() -> Iterator[MlflowFake]:
    with MlflowFake(dict(FILES)) as started:
        yield started


def opened(
    fake: MlflowFake, target: str = "models:/m/1", *, full: bool = False, **environment: str
) -> MlflowSource:
    http = Http(pause=lambda _: None)
    given = {"MLFLOW_TRACKING_URI": fake.url, **environment}
    opening = Opening(full=full, network=lambda: http, environment=given)
    source = PLACES[target.startswith("runs")].open(target, opening)
    assert isinstance(source, MlflowSource)
    return source


def refused(fake: MlflowFake, target: str = "models:/m/1", **environment: str) -> UnreadableError:
    with pytest.raises(UnreadableError) as raised:
        opened(fake, target, **environment)
    return raised.value


def found(source: MlflowSource) -> dict[str, Entry | Gap]:
    return {item.path: item for item in source.entries()}


def read(source: MlflowSource, path: str) -> bytes:
    entry = found(source)[path]
    assert isinstance(entry, Entry)
    with source.open(entry) as reader:
        return reader.read_at(0, reader.size)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("models:/m/1", Typed(name="m", version="1")),
        ("models:/a b.c-d/12", Typed(name="a b.c-d", version="12")),
        ("models:/m/latest", Typed(name="m", version="latest")),
        ("models:/m@champion", Typed(name="m", alias="champion")),
        (f"models:/{LOGGED}", Typed(logged=LOGGED)),
        (f"runs:/{RUN}", Typed(run=RUN)),
        (f"runs:/{RUN}/a/b/", Typed(run=RUN, path="a/b")),
    ],
    ids=["version", "blank", "latest", "alias", "logged", "run", "path"],
)
def test_a_target_names_a_model_or_a_run(text: str, typed: Typed) -> None:
    assert parse_target(text) == typed


@pytest.mark.parametrize(
    "text",
    ["models:/", "models:/m", "models:/m/", "models:/m@", "models:/m/1/2", "models:/m/0", "models:/m/-1",
     "models:/../1", "models:/m/Production", "models:/m@a b", "models://host/m/1", "models:m/1", "runs:/",
     "runs:/../x", "runs:/a/../b", "runs:/a/b//c", "runs:/-a", "runs:/a\\b", "models:/m\n/1",
     "runs:/" + "a" * 5_000, "models:/m/" + "9" * 30],
    ids=range(21),
)  # fmt: skip
def test_what_is_no_target_is_refused_with_what_to_type(text: str) -> None:
    with pytest.raises(UnreadableError, match=r"models:/name/version|path of an artifact") as raised:
        parse_target(text)
    assert raised.value.reason in (Reason.MALFORMED, Reason.UNSUPPORTED)


@given(st.text(max_size=30))
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    for scheme in ("models:/", "runs:/"):
        try:
            typed = parse_target(scheme + text)
        except UnreadableError:
            continue
        assert ".." not in typed.path.split("/")


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, Reason.MALFORMED),
        ({"MLFLOW_TRACKING_URI": "databricks"}, Reason.UNSUPPORTED),
        ({"MLFLOW_TRACKING_URI": "file:///mlruns"}, Reason.UNSUPPORTED),
        ({"MLFLOW_TRACKING_URI": "https://user:secret@h"}, Reason.MALFORMED),
        ({"MLFLOW_TRACKING_URI": "https://h/?x"}, Reason.MALFORMED),
        ({"MLFLOW_TRACKING_URI": "https://h", "MLFLOW_REGISTRY_URI": "https://other"}, Reason.UNSUPPORTED),
    ],
    ids=["none", "databricks", "file", "user", "query", "registry"],
)
def test_a_server_has_to_be_named(environment: dict[str, str], reason: Reason) -> None:
    with pytest.raises(UnreadableError) as raised:
        tracking_address(environment)
    assert raised.value.reason is reason
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("environment", "value"),
    [
        ({}, None),
        ({"MLFLOW_TRACKING_USERNAME": "u"}, None),
        (
            {"MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p", "MLFLOW_TRACKING_TOKEN": "t"},
            "Basic dTpw",
        ),
        ({"MLFLOW_TRACKING_TOKEN": "t"}, "Bearer t"),
    ],
    ids=["none", "half", "basic", "bearer"],
)
def test_credentials_are_those_that_mlflow_documents(environment: dict[str, str], value: str | None) -> None:
    secret = secret_of(environment, parse("https://h"))
    assert (secret.value if secret else None) == value
    if value:
        assert value not in repr(secret)
        with pytest.raises(UnreadableError, match="TLS"):
            secret_of(environment, parse("http://h"))


@pytest.mark.parametrize(
    "environment",
    [{"MLFLOW_TRACKING_TOKEN": "t\nX: y"}, {"MLFLOW_TRACKING_TOKEN": "é"},
     {"MLFLOW_TRACKING_TOKEN": "t" * 5_000},
     {"MLFLOW_TRACKING_USERNAME": "a:b", "MLFLOW_TRACKING_PASSWORD": "p"}],
    ids=["line end", "no ascii", "long", "colon"],
)  # fmt: skip
def test_credentials_that_no_header_holds_are_refused(environment: dict[str, str]) -> None:
    with pytest.raises(UnreadableError) as raised:
        secret_of(environment, parse("https://h"))
    assert raised.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("target", "version", "requested"),
    [
        ("models:/m/1", "1", "1"),
        ("models:/m@champion", "1", "@champion"),
        ("models:/m/latest", "10", "latest"),
    ],
)
def test_an_alias_and_latest_are_resolved_and_nothing_is_called_pinned(
    fake: MlflowFake, target: str, version: str, requested: str
) -> None:
    fake.sources["10"] = fake.sources["1"]
    source = opened(fake, target)
    assert source.target.ref == Ref(
        scheme="mlflow", location=f"{fake.url.removeprefix('http://')}/m", revision=version
    )
    assert not isinstance(source.target.ref, PinnedRef)
    attributes = dict(source.target.attributes)
    assert (attributes["requested"], attributes["version"], attributes["run"]) == (requested, version, RUN)
    assert attributes["pinned"] == "no: artifacts of MLflow can be replaced"
    assert "through the tracking server" in attributes["transfer"]
    assert list(found(source)) == LISTED


@pytest.mark.parametrize("store", ["proxied", "of the server alone", "by address"])
@pytest.mark.parametrize(
    ("target", "paths"),
    [("models:/m/1", LISTED), (f"models:/{LOGGED}", LISTED), (f"runs:/{RUN}/model", LISTED),
     (f"runs:/{RUN}/model/deep", ["er/vocab.txt", "naïve name.txt"]),
     (f"runs:/{RUN}/model/MLmodel", ["MLmodel"]),
     (f"runs:/{RUN}", [*(f"model/{path}" for path in LISTED), "other/x.txt"])],
    ids=["version", "logged", "run", "folder", "file", "whole run"],
)  # fmt: skip
def test_artifacts_are_listed_and_read_wherever_they_are(
    fake: MlflowFake, target: str, paths: list[str], store: str
) -> None:
    if store == "of the server alone":
        fake.uri = f"file:///srv/{ROOT}"
    elif store == "by address":
        fake.uri = f"{fake.url}/api/2.0/mlflow-artifacts/artifacts/{ROOT}"
    source = opened(fake, target)
    items = found(source)
    assert list(items) == paths
    below = target.removeprefix(f"runs:/{RUN}").strip("/") if target.startswith("runs") else "model"
    for path, entry in items.items():
        assert isinstance(entry, Entry)
        whole = f"{ROOT}/{below.removesuffix('/MLmodel')}/{path}".replace("//", "/")
        assert read(source, path) == FILES[whole]
        assert (entry.etag, entry.claimed, entry.cacheable) == ("", (), False)
        assert entry.header_only == path.endswith(".safetensors")


def test_the_header_of_weights_is_fetched_and_no_more(fake: MlflowFake) -> None:
    source = opened(fake)
    entry = found(source)["model.safetensors"]
    assert isinstance(entry, Entry)
    fake.requests.clear()
    with source.open(entry) as reader:
        assert reader.read_at(0, 100) == WEIGHTS[:100]
        assert reader.read_at(50, 1_000) == WEIGHTS[50:1_050]
    assert len(fake.requests) == 1


def test_all_bytes_are_fetched_on_request(fake: MlflowFake) -> None:
    source = opened(fake, full=True)
    entry = found(source)["model.safetensors"]
    assert isinstance(entry, Entry)
    assert not entry.header_only
    assert read(source, "model.safetensors") == WEIGHTS


def test_an_artifact_that_is_replaced_while_it_is_read_is_changed(fake: MlflowFake) -> None:
    source = opened(fake)
    entry = found(source)["model.safetensors"]
    assert isinstance(entry, Entry)
    with source.open(entry) as reader:
        reader.read_at(0, 8)
        fake.files[f"{ROOT}/model/model.safetensors"] = WEIGHTS[::-1]
        with pytest.raises(UnreadableError) as raised:
            reader.read_at(len(WEIGHTS) - 8, 8)
    assert raised.value.reason is Reason.CHANGED


def test_an_artifact_of_another_size_or_none_at_all_is_told(fake: MlflowFake) -> None:
    source = opened(fake)
    items = found(source)
    fake.files[f"{ROOT}/model/MLmodel"] += b"more"
    del fake.files[f"{ROOT}/model/deep/er/vocab.txt"]
    for path, reason in (("MLmodel", Reason.CHANGED), ("deep/er/vocab.txt", Reason.MISSING)):
        entry = items[path]
        assert isinstance(entry, Entry)
        with pytest.raises(UnreadableError) as raised, source.open(entry) as reader:
            reader.read_at(0, reader.size)
        assert raised.value.reason is reason


@pytest.mark.parametrize(
    ("target", "words"),
    [("models:/m/3", "version 3 of the model m"), ("models:/no/1", "version 1 of the model no"),
     ("models:/m@no", "the alias no of the model m"), ("models:/no/latest", "the model no"),
     ("runs:/ffff", "the run ffff"), (f"runs:/{RUN}/no", "no artifacts at this place"),
     ("models:/m-0", "the logged model m-0")],
)  # fmt: skip
def test_what_the_server_does_not_know_is_missing(fake: MlflowFake, target: str, words: str) -> None:
    error = refused(fake, target)
    assert words in str(error)
    assert error.reason is Reason.MISSING


def test_without_a_network_nothing_is_asked() -> None:
    with pytest.raises(UnreadableError, match="no connection may be opened"):
        PLACES[0].open("models:/m/1", Opening(environment={"MLFLOW_TRACKING_URI": "https://h.example"}))


def test_credentials_are_sent_and_shown_nowhere(fake: MlflowFake) -> None:
    fake.authorization = "Bearer hidden"
    assert refused(fake).reason is Reason.DENIED
    error = refused(fake, MLFLOW_TRACKING_TOKEN="hidden-other")
    assert "hidden" not in str(error)
    source = opened(fake, MLFLOW_TRACKING_TOKEN="hidden")
    assert read(source, "MLmodel") == b"flavors: {}\n"
    assert "hidden" not in repr(source.target) + repr(list(source.entries())) + repr(source._artifacts)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("mlflow-artifacts://other:80/x", Reason.UNSUPPORTED),
        ("https://other/api/2.0/mlflow-artifacts/artifacts/x", Reason.UNSUPPORTED),
        ("mlflow-artifacts:/a/../../b", Reason.MALFORMED),
        ("mlflow-artifacts:/a/%2e%2e/b", Reason.MALFORMED),
        ("mlflow-artifacts:/", Reason.MALFORMED),
        ("mlflow-artifacts://[x/y", Reason.MALFORMED),
        ("dbfs:/x", Reason.UNSUPPORTED),
        ("file:///etc", Reason.UNSUPPORTED),
        ("", Reason.MALFORMED),
        (5, Reason.MALFORMED),
        ("x" * 5_000, Reason.MALFORMED),
        ("runs:/../..", Reason.MALFORMED),
        ("models:/m/1", Reason.LIMIT),
    ],
    ids=range(13),
)
def test_a_place_that_the_server_cannot_mean_is_refused(
    fake: MlflowFake, uri: object, reason: Reason
) -> None:
    def override(_: str, path: str, __: dict[str, str]) -> Reply | None:
        return (200, {"artifact_uri": uri}) if path.endswith("get-download-uri") else None

    fake.override = override
    assert refused(fake).reason is reason


@pytest.mark.parametrize(
    ("ending", "answer"),
    [
        ("model-versions/get", {"model_version": {"name": "m", "version": "2"}}),
        ("model-versions/get", {"model_version": {"name": "other", "version": "1"}}),
        ("model-versions/get", {"model_version": {"name": "m", "version": "1; drop"}}),
        ("model-versions/get", {"model_version": {"name": "m", "version": "9" * 40}}),
        ("model-versions/get", {"model_version": None}),
        ("model-versions/get", {}),
        ("runs/get", {"run": {"info": {"run_id": "other"}}}),
        ("runs/get", {"run": []}),
        ("artifacts", {"files": 5}),
        ("artifacts", {"files": {"path": "x"}}),
    ],
    ids=range(10),
)
def test_an_answer_about_something_else_is_refused(fake: MlflowFake, ending: str, answer: object) -> None:
    fake.override = lambda _, path, __: (200, answer) if path.endswith(ending) else None
    assert refused(fake).reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((200, b"<html>"), Reason.UNSUPPORTED), ((200, []), Reason.UNSUPPORTED),
        ((200, b""), Reason.UNSUPPORTED),
        ((404, b"<html>"), Reason.UNSUPPORTED), ((400, {"error_code": "BAD"}), Reason.UNSUPPORTED),
        ((403, {}), Reason.DENIED), ((500, b""), Reason.IO_ERROR),
        ((200, b"[" * 100_000), Reason.UNSUPPORTED),
        ((200, b" " * (17 << 20)), Reason.LIMIT),
    ],
    ids=["html", "list", "nothing", "another server", "error", "denied", "broken", "deep", "large"],
)  # fmt: skip
def test_what_is_no_answer_of_mlflow_is_an_error(fake: MlflowFake, answer: Reply, reason: Reason) -> None:
    fake.override = lambda *_: answer
    assert refused(fake).reason is reason


def files(*items: tuple[object, object, bool]) -> Reply:
    return 200, {
        "files": [{"path": path, "file_size": size, "is_dir": folder} for path, size, folder in items]
    }


@pytest.mark.parametrize("uri", [f"mlflow-artifacts:/{ROOT}", "file:///srv"], ids=["proxied", "run"])
def test_names_and_sizes_that_lie_are_gaps(fake: MlflowFake, uri: str) -> None:
    fake.uri = uri
    answer = files(
        ("good.txt", 1, False), ("../up.txt", 1, False), ("/etc/passwd", 1, False), ("a/b.txt", 1, False),
        ("..", 0, True), ("", 0, True), ("a\\b", 1, False), ("line\nend", 1, False), ("negative", -1, False),
        ("huge", 1 << 60, False), ("text", "12", False), ("words", "x", False), ("none", None, False),
        ("twice", 1, False), ("twice", 2, False), (5, 1, False), ("x" * 5_000, 1, False),
    )  # fmt: skip
    fake.override = lambda _, path, query: answer if path.endswith(("/artifacts", "artifacts/list")) else None
    items = found(opened(fake, f"runs:/{RUN}/model"))
    entries = {path: item.size for path, item in items.items() if isinstance(item, Entry)}
    assert entries == {"good.txt": 1, "text": 12}
    reasons = {item.reason for item in items.values() if isinstance(item, Gap)}
    assert reasons == {Reason.OUTSIDE_TARGET, Reason.MALFORMED}
    assert not any("\n" in path for path in items)


def test_folders_that_never_end_are_bounded(fake: MlflowFake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.override = lambda _, path, __: files(("a", None, True)) if path.endswith("/artifacts") else None
    monkeypatch.setattr(mlflow, "PATH_DEPTH", 20)
    ((path, gap),) = found(opened(fake)).items()
    assert isinstance(gap, Gap)
    assert (gap.reason, path) == (Reason.LIMIT, "a/" * 21)
    assert len(fake.requests) < 40


def test_folders_that_multiply_are_bounded(fake: MlflowFake, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = files(*((f"f{n}", None, True) for n in range(10)), ("x.txt", 1, False))
    fake.override = lambda _, path, __: answer if path.endswith("/artifacts") else None
    monkeypatch.setattr(mlflow, "FOLDER_COUNT", 30)
    items = found(opened(fake))
    assert isinstance(items["."], Gap)
    assert items["."].reason is Reason.LIMIT
    assert len(items) <= 31


@pytest.mark.parametrize("token", ["same", "new"])
def test_pages_that_never_end_are_refused(
    fake: MlflowFake, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    fake.uri = "file:///srv"
    monkeypatch.setattr(mlflow_server, "PAGE_COUNT", 10)

    def override(_: str, path: str, query: dict[str, str]) -> Reply | None:
        if not path.endswith("artifacts/list"):
            return None
        following = token if token == "same" else f"{query.get('page_token', '')}x"
        return 200, {"files": [], "next_page_token": following}

    fake.override = override
    assert refused(fake, f"runs:/{RUN}/model").reason is Reason.MALFORMED
    assert len(fake.requests) < 20


def test_pages_are_read_to_the_last(fake: MlflowFake) -> None:
    fake.uri = "file:///srv"

    def override(_: str, path: str, query: dict[str, str]) -> Reply | None:
        if not path.endswith("artifacts/list"):
            return None
        page = int(query.get("page_token", "0"))
        told: dict[str, object] = {"files": [{"path": f"{page}.txt", "is_dir": False, "file_size": 1}]}
        return 200, {**told, "next_page_token": str(page + 1)} if page < 4 else told

    fake.override = override
    assert list(found(opened(fake, f"runs:/{RUN}"))) == ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt"]


def test_a_folder_that_cannot_be_listed_is_a_gap_and_the_first_one_an_error(fake: MlflowFake) -> None:
    def override(_: str, path: str, query: dict[str, str]) -> Reply | None:
        return (403, {}) if query.get("path", "").endswith("/deep") else None

    fake.override = override
    gap = found(opened(fake))["deep/"]
    assert isinstance(gap, Gap)
    assert gap.reason is Reason.DENIED
    assert refused(fake, f"runs:/{RUN}/model/deep").reason is Reason.DENIED


def test_what_is_excluded_is_counted(fake: MlflowFake) -> None:
    http = Http()
    opening = Opening(
        exclude=("deep/*",), network=lambda: http, environment={"MLFLOW_TRACKING_URI": fake.url}
    )
    source = PLACES[0].open("models:/m/1", opening)
    assert [item.path for item in source.entries()] == ["MLmodel", "empty.txt", "model.safetensors"]
    assert source.excluded == 2


def publish(
    fake: MlflowFake, *documents: Attached, target: str = "models:/m/1", dry_run: bool = False
) -> list[WriteState]:
    receipt = opened(fake, target).publish(documents, dry_run=dry_run, pull_request=False)
    assert receipt.subject == opened(fake, target).target.ref
    assert [each.sha256 for each in receipt.written] == [
        hashlib.sha256(each.data).hexdigest() for each in documents
    ]
    return [each.state for each in receipt.written]


def writes(fake: MlflowFake) -> int:
    return sum(method != "GET" for method, _ in fake.requests)


@pytest.mark.parametrize("target", ["models:/m/1", f"models:/{LOGGED}", f"runs:/{RUN}/model"])
def test_documents_are_written_once_tagged_and_found_again(fake: MlflowFake, target: str) -> None:
    assert publish(fake, BOM, SIGNATURE, target=target, dry_run=True) == [WriteState.PLANNED] * 2
    assert writes(fake) == 0
    assert publish(fake, BOM, SIGNATURE, target=target) == [WriteState.WRITTEN] * 2
    assert writes(fake) == 3
    assert publish(fake, BOM, SIGNATURE, target=target) == [WriteState.UNCHANGED] * 2
    assert writes(fake) == (3 if LOGGED not in target else 4)  # the stand-in keeps no tags of logged models
    found = opened(fake, target).attached()
    assert [(each.name, each.kind, each.data) for each in found] == [
        (each.name, each.kind, each.data) for each in (BOM, SIGNATURE)
    ]
    digest = hashlib.sha256(BOM.data).hexdigest()
    if LOGGED in target:
        assert fake.bodies[0] == {"tags": [{"key": "aibom.bom.sha256", "value": digest}]}
    else:
        assert fake.tags == {"aibom.bom.sha256": digest}


def test_the_place_of_a_document_is_told_as_a_user_names_it(fake: MlflowFake) -> None:
    receipt = opened(fake, "models:/m@champion").publish((BOM,), dry_run=False, pull_request=False)
    assert receipt.written[0].place == "models:/m/1/m.cdx.json"
    assert receipt.notes == (f"the tag aibom.bom.sha256 is set to {hashlib.sha256(BOM.data).hexdigest()}",)


def test_an_older_document_is_replaced_and_the_model_itself_is_not(fake: MlflowFake) -> None:
    path = f"{ROOT}/model/{BOM.name}"
    fake.files[path] = b'{"bomFormat": "CycloneDX", "old": 1}'
    assert publish(fake, BOM) == [WriteState.WRITTEN]
    assert fake.files[path] == BOM.data
    fake.files[path] = WEIGHTS
    before = writes(fake)
    with pytest.raises(UnreadableError, match="not replaced"):
        publish(fake, SIGNATURE, BOM)
    for name in ("MLmodel", "config.json", "deep"):
        taken = Attached(name=name, kind=DocumentKind.BOM, media_type="x/y", data=b"{}")
        with pytest.raises(UnreadableError, match="is not how a bom is called"):
            publish(fake, taken)
    assert writes(fake) == before


def test_a_publisher_who_is_overwritten_writes_again_and_gives_up_in_the_end(fake: MlflowFake) -> None:
    path = f"{ROOT}/model/{BOM.name}"
    left = [2]

    def overwrite(written: str) -> None:
        left[0] -= 1
        if left[0] >= 0:
            fake.files[written] = b'{"bomFormat": "CycloneDX", "other": 1}'

    fake.after_put = overwrite
    assert publish(fake, BOM) == [WriteState.WRITTEN]
    assert fake.files[path] == BOM.data
    left[0] = 100
    del fake.files[path]
    with pytest.raises(UnreadableError, match="overwritten") as raised:
        publish(fake, BOM)
    assert raised.value.reason is Reason.CHANGED


def test_a_bom_that_is_not_the_one_of_the_tag_is_changed(fake: MlflowFake) -> None:
    publish(fake, BOM)
    fake.files[f"{ROOT}/model/{BOM.name}"] = b'{"bomFormat": "CycloneDX", "swapped": 1}'
    with pytest.raises(UnreadableError, match="the tag") as raised:
        opened(fake).attached()
    assert raised.value.reason is Reason.CHANGED


def test_what_cannot_be_published_is_refused(fake: MlflowFake) -> None:
    with pytest.raises(UnreadableError, match="no pull requests"):
        opened(fake).publish((BOM,), dry_run=True, pull_request=True)
    with pytest.raises(UnreadableError, match="named after it"):
        opened(fake, f"runs:/{RUN}/model/MLmodel").publish((BOM,), dry_run=True, pull_request=False)
    fake.uri = "file:///srv"
    with pytest.raises(UnreadableError, match="only itself can write") as raised:
        opened(fake, f"runs:/{RUN}/model").publish((BOM,), dry_run=False, pull_request=False)
    assert raised.value.reason is Reason.UNSUPPORTED


def test_a_bucket_that_cannot_be_read_is_read_through_the_server(fake: MlflowFake) -> None:
    fake.uri = "s3://Not_A_Bucket!/x"
    source = opened(fake, f"runs:/{RUN}/model")
    assert "the bucket cannot be read" in dict(source.target.attributes)["transfer"]
    assert list(found(source)) == LISTED


def test_artifacts_in_a_bucket_are_read_and_written_there(fake: MlflowFake) -> None:
    pytest.importorskip("botocore", reason="the extra [s3] is not installed")
    with serving() as bucket:
        keys = {name: value for name, value in bucket.environment.items() if name != "AWS_ENDPOINT_URL_S3"}
        for path, data in FILES.items():
            bucket.put(f"store/{path}", data)
        fake.uri = f"s3://models/store/{ROOT}"
        source = opened(fake, "models:/m/1", MLFLOW_S3_ENDPOINT_URL=bucket.url, **keys)
        assert dict(source.target.attributes)["transfer"] == "from the bucket"
        assert source.target.ref is not None
        assert source.target.ref.scheme == "mlflow"
        assert list(found(source)) == LISTED
        before = len(fake.requests)
        assert read(source, "deep/er/vocab.txt") == b"a\n"
        assert len(fake.requests) == before
        receipt = source.publish((BOM,), dry_run=False, pull_request=False)
        assert receipt.subject == source.target.ref
        assert bucket.objects[f"store/{ROOT}/model/{BOM.name}"][-1].data == BOM.data
        assert fake.tags == {"aibom.bom.sha256": hashlib.sha256(BOM.data).hexdigest()}
        assert [each.data for each in source.attached()] == [BOM.data]
