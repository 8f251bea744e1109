"""The local store of Ollama; the layout is written from what `ollama pull` leaves behind."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap
from aibom.domain.ref import PinnedRef
from aibom.sources.ollama import PLACE, OllamaSource
from aibom.sources.opening import Opening

IMAGE = "application/vnd.ollama.image."
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


class Store:
    """A folder laid out like `~/.ollama/models`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "blobs").mkdir(parents=True)

    def blob(self, data: bytes, kind: str, **more: Any) -> dict[str, Any]:
        value = hashlib.sha256(data).hexdigest()
        (self.root / "blobs" / f"sha256-{value}").write_bytes(data)
        return {"mediaType": kind, "digest": f"sha256:{value}", "size": len(data), **more}

    def model(self, path: str, *layers: Any) -> str:
        config = self.blob(b'{"model_format":"gguf"}', "application/vnd.docker.container.image.v1+json")
        document = {"schemaVersion": 2, "mediaType": DOCKER, "config": config, "layers": layers}
        file = self.root / "manifests" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document))
        return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"

    def opened(self, target: str, exclude: tuple[str, ...] = ()) -> OllamaSource:
        opening = Opening(environment={"OLLAMA_MODELS": str(self.root)}, exclude=exclude)
        source = PLACE.open(f"ollama://{target}", opening)
        assert isinstance(source, OllamaSource)
        return source


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


HOME = "registry.ollama.ai/library/llama3.2/1b"


def files(source: OllamaSource) -> dict[str, bytes]:
    found = {}
    for item in source.entries():
        if isinstance(item, Entry):
            with source.open(item) as reader:
                found[item.path] = reader.read_at(0, reader.size)
    return found


def gaps(source: OllamaSource) -> list[tuple[str, Reason]]:
    return [(item.path, item.reason) for item in source.entries() if isinstance(item, Gap)]


def named(data: bytes, stem: str, suffix: str) -> str:
    return f"{stem}-{hashlib.sha256(data).hexdigest()[:12]}.{suffix}"


def test_the_layers_of_a_model_are_files_that_are_named_by_what_they_are(store: Store) -> None:
    layers = [
        store.blob(b"GGUF weights", IMAGE + "model", **{"from": "/home/somebody/model.gguf"}),
        store.blob(b"{{ .Prompt }}", IMAGE + "template"),
        store.blob(b"MIT", IMAGE + "license"),
        store.blob(b"Apache", IMAGE + "license"),
        store.blob(b"{}", IMAGE + "json", name="config.json"),
        store.blob(b"tensor", IMAGE + "tensor", name="model/w"),
    ]
    digest = store.model(HOME, *layers)
    source = store.opened("llama3.2:1b")
    assert source.target.ref == PinnedRef(scheme="ollama", location="llama3.2", revision=digest)
    assert (source.target.name, source.target.attributes) == ("llama3.2:1b", (("requested", "1b"),))
    assert files(source) == {
        named(b"GGUF weights", "model", "gguf"): b"GGUF weights",
        named(b"{{ .Prompt }}", "template", "txt"): b"{{ .Prompt }}",
        named(b"MIT", "LICENSE", "txt"): b"MIT",
        named(b"Apache", "LICENSE", "txt"): b"Apache",
        "config.json": b"{}",
        "model/w.safetensors": b"tensor",
        "ollama-config.json": b'{"model_format":"gguf"}',
    }
    shown = repr(source.target) + repr(list(source.entries()))
    assert "somebody" not in shown
    assert str(store.root) not in shown


def test_a_blob_carries_the_digest_of_the_manifest_and_its_own_identity(store: Store) -> None:
    store.model(HOME, store.blob(b"weights", IMAGE + "model"))
    before = time.time() - 10
    for blob in (store.root / "blobs").iterdir():
        os.utime(blob, (before, before))
    entry = next(item for item in store.opened("llama3.2:1b").entries() if item.path.startswith("model"))
    assert isinstance(entry, Entry)
    value = hashlib.sha256(b"weights").hexdigest()
    assert entry.claimed == (Digest(algorithm="sha256", value=value, grade=Grade.CHAINED),)
    assert entry.etag
    assert not entry.header_only
    assert entry.media_type == IMAGE + "model"


@pytest.mark.parametrize(
    ("target", "path", "location"),
    [
        ("llama3.2", "registry.ollama.ai/library/llama3.2/latest", "llama3.2"),
        ("me/model:v1", "registry.ollama.ai/me/model/v1", "me/model"),
        ("hf.co/org/Model-GGUF:Q4_K_M", "hf.co/org/Model-GGUF/Q4_K_M", "hf.co/org/Model-GGUF"),
        ("localhost:5000/org/m", "localhost:5000/org/m/latest", "localhost:5000/org/m"),
        ("library/m", "registry.ollama.ai/library/m/latest", "m"),
    ],
)
def test_a_name_is_completed_as_ollama_does(store: Store, target: str, path: str, location: str) -> None:
    store.model(path, store.blob(b"w", IMAGE + "model"))
    ref = store.opened(target).target.ref
    assert ref is not None
    assert ref.location == location


@pytest.mark.parametrize(
    "target",
    ["", "..", "../../etc/passwd", "a/../b", "a:..", "a:b:c", "a/b/c/d", "m:", ":t", "/m", "a//m",
     "m@sha256:abc", "m t", "m\n", "m\0", "user:pw@host/a/m", ".hidden", "m:.x", "x" * 200],
)  # fmt: skip
def test_what_is_no_name_is_refused_with_what_to_type(store: Store, target: str) -> None:
    with pytest.raises(UnreadableError, match="type ollama://") as caught:
        store.opened(target)
    assert caught.value.reason is Reason.MALFORMED


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    with pytest.raises(UnreadableError):
        PLACE.open(f"ollama://{text}", Opening())


def test_the_store_is_below_home_unless_it_is_named(tmp_path: Path) -> None:
    Store(tmp_path / ".ollama" / "models").model(HOME)
    source = PLACE.open("ollama://llama3.2:1b", Opening(environment={"HOME": str(tmp_path)}))
    assert source.target.name == "llama3.2:1b"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "neither OLLAMA_MODELS nor HOME"),
        ({"HOME": "/nowhere"}, r"~/\.ollama/models does not exist"),
        ({"OLLAMA_MODELS": "/nowhere", "HOME": "/"}, "the folder of OLLAMA_MODELS does not exist"),
    ],
    ids=["nothing", "home", "named"],
)
def test_a_store_that_is_not_there_is_told(environment: dict[str, str], words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        PLACE.open("ollama://m", Opening(environment=environment))
    assert caught.value.reason is Reason.VANISHED


def test_a_model_that_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(UnreadableError, match="no such model or tag") as caught:
        store.opened("llama3.2:1b")
    assert caught.value.reason is Reason.VANISHED


def test_blobs_that_are_not_there_as_the_manifest_says_are_gaps(store: Store) -> None:
    gone, short = store.blob(b"gone", IMAGE + "model"), store.blob(b"short", IMAGE + "projector")
    folder = store.blob(b"folder", IMAGE + "adapter")
    blobs = {
        name: store.root / "blobs" / name.replace(":", "-") for name in (gone["digest"], folder["digest"])
    }
    blobs[gone["digest"]].unlink()
    blobs[folder["digest"]].unlink()
    blobs[folder["digest"]].mkdir()
    store.model(HOME, gone, {**short, "size": 9}, folder, {"digest": "sha256:../../x", "size": 1})
    assert gaps(store.opened("llama3.2:1b")) == [
        (".", Reason.MALFORMED),
        (named(b"folder", "adapter", "gguf"), Reason.CHANGED),
        (named(b"gone", "model", "gguf"), Reason.MISSING),
        (named(b"short", "projector", "gguf"), Reason.TRUNCATED),
    ]


def test_links_and_special_files_are_not_followed(store: Store, tmp_path: Path) -> None:
    layer = store.blob(b"outside", IMAGE + "model")
    pipe = store.blob(b"pipe", IMAGE + "projector")
    (tmp_path / "outside").write_bytes(b"outside")
    for one in (layer, pipe):
        (store.root / "blobs" / one["digest"].replace(":", "-")).unlink()
    (store.root / "blobs" / layer["digest"].replace(":", "-")).symlink_to(tmp_path / "outside")
    os.mkfifo(store.root / "blobs" / pipe["digest"].replace(":", "-"))
    store.model(HOME, layer, pipe)
    source = store.opened("llama3.2:1b")
    assert [reason for _, reason in gaps(source)] == [Reason.CHANGED, Reason.SPECIAL_FILE]
    assert list(files(source)) == ["ollama-config.json"]


def test_hostile_names_of_layers_are_gaps(store: Store) -> None:
    layer = store.blob(b"x", IMAGE + "json", name="../../.ssh/authorized_keys")
    store.model(HOME, layer)
    assert [reason for _, reason in gaps(store.opened("llama3.2:1b"))] == [Reason.OUTSIDE_TARGET]


def test_a_blob_that_changes_after_it_was_listed_is_changed(store: Store) -> None:
    layer = store.blob(b"weights", IMAGE + "model")
    store.model(HOME, layer)
    source = store.opened("llama3.2:1b")
    entry = next(item for item in source.entries() if item.path.startswith("model"))
    assert isinstance(entry, Entry)
    (store.root / "blobs" / layer["digest"].replace(":", "-")).write_bytes(b"WEIGHTS!")
    with pytest.raises(UnreadableError) as caught:
        source.open(entry)
    assert caught.value.reason is Reason.CHANGED
    with pytest.raises(UnreadableError) as caught:
        source.open(Entry(path="other", size=1))
    assert caught.value.reason is Reason.VANISHED


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.MALFORMED), (b"[]", Reason.MALFORMED), (b'{"manifests": []}', Reason.MALFORMED),
        (b" " * (5 * 1024 * 1024), Reason.LIMIT),
    ],
    ids=["empty", "list", "index", "large"],
)  # fmt: skip
def test_hostile_manifests_are_refused(store: Store, data: bytes, reason: Reason) -> None:
    store.model(HOME)
    (store.root / "manifests" / HOME).write_bytes(data)
    with pytest.raises(UnreadableError) as caught:
        store.opened("llama3.2:1b")
    assert caught.value.reason is reason


def test_the_same_layer_twice_is_one_file_and_excluded_ones_are_counted(store: Store) -> None:
    layer = store.blob(b"w", IMAGE + "model")
    store.model(HOME, layer, layer)
    source = store.opened("llama3.2:1b", ("ollama-*",))
    assert list(files(source)) == [named(b"w", "model", "gguf")]
    assert source.excluded == 1
