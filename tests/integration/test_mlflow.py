"""A real `mlflow server`: models that its REST API registers, and one that its own client logged."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.publication import Attached, DocumentKind, WriteState
from aibom.sources.http import Http
from aibom.sources.mlflow import PLACES, MlflowSource
from aibom.sources.opening import Opening
from tests.services.mlflow_server import MlflowServer, interpreter

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(interpreter() is None, reason="AIBOM_MLFLOW names no interpreter with mlflow"),
]
WEIGHTS = save({"w": np.arange(160_000, dtype=np.float32)})
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": WEIGHTS,
    "deep/a b é.txt": b"text",
    "empty": b"",
}
BOM = Attached(
    name="m.cdx.json", kind=DocumentKind.BOM, media_type="application/vnd.cyclonedx+json",
    data=b'{"bomFormat": "CycloneDX"}',
)  # fmt: skip
# What a user of MLflow does: log a model, register it, point an alias at it.
LOG = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[str]) -> list[str]:
        return model_input
with mlflow.start_run():
    info = mlflow.pyfunc.log_model(name="model", python_model=Model(), registered_model_name="logged",
                                   pip_requirements=[])
mlflow.MlflowClient().set_registered_model_alias("logged", "champion", "1")
mlflow.MlflowClient().copy_model_version("models:/logged/1", "copied")
print(info.model_id)
"""


def ask(server: MlflowServer, path: str, body: dict[str, object]) -> dict[str, dict[str, object]]:
    request = urllib.request.Request(
        f"{server.url}/api/2.0/mlflow/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)  # type: ignore[no-any-return]


def registered(server: MlflowServer) -> str:
    """Registers version 1 of `m`, with an alias; the id of its run."""
    experiment = ask(server, "experiments/create", {"name": "e"})["experiment_id"]
    run = ask(server, "runs/create", {"experiment_id": experiment})["run"]["info"]
    assert isinstance(run, dict)
    return str(run["run_id"])


def named(server: MlflowServer, run: str) -> None:
    ask(server, "registered-models/create", {"name": "m"})
    ask(server, "model-versions/create", {"name": "m", "source": f"runs:/{run}/model", "run_id": run})
    ask(server, "registered-models/alias", {"name": "m", "alias": "champion", "version": "1"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with MlflowServer(tmp_path_factory.mktemp("mlflow")) as started:
        yield started


@pytest.fixture(scope="module")
def run(server: MlflowServer) -> str:
    run = registered(server)
    for path, data in FILES.items():
        place = server.folder / "artifacts" / "1" / run / "artifacts" / "model" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    named(server, run)
    return run


def opened(server: MlflowServer, target: str, *, full: bool = False) -> MlflowSource:
    http = Http()
    opening = Opening(full=full, network=lambda: http, environment={"MLFLOW_TRACKING_URI": server.url})
    source = PLACES[target.startswith("runs")].open(target, opening)
    assert isinstance(source, MlflowSource)
    return source


def entries(source: MlflowSource) -> dict[str, Entry]:
    items = {item.path: item for item in source.entries()}
    assert all(isinstance(item, Entry) for item in items.values())
    return items  # type: ignore[return-value]


@pytest.mark.parametrize(
    "target", ["models:/m/1", "models:/m@champion", "models:/m/latest", "runs:/{run}/model"]
)
def test_a_model_is_walked_and_read(server: MlflowServer, run: str, target: str) -> None:
    source = opened(server, target.format(run=run), full=True)
    found = entries(source)
    assert [path for path in found if path != BOM.name] == sorted(FILES)
    for path, data in FILES.items():
        with source.open(found[path]) as reader:
            assert reader.read_at(0, reader.size) == data
    assert dict(source.target.attributes)["run"] == run


def test_the_header_of_weights_is_one_range(server: MlflowServer, run: str) -> None:
    source = opened(server, "models:/m/1")
    entry = entries(source)["model.safetensors"]
    assert entry.header_only
    with source.open(entry) as reader:
        length = int.from_bytes(reader.read_at(0, 8), "little")
        assert reader.read_at(8, length) == WEIGHTS[8 : 8 + length]


def test_an_artifact_that_is_replaced_while_it_is_read_is_changed(server: MlflowServer, run: str) -> None:
    source = opened(server, "models:/m/1")
    entry = entries(source)["model.safetensors"]
    place = server.folder / "artifacts" / "1" / run / "artifacts" / "model" / "model.safetensors"
    with source.open(entry) as reader:
        reader.read_at(0, 8)
        place.write_bytes(WEIGHTS[::-1])
        try:
            with pytest.raises(UnreadableError) as raised:
                reader.read_at(len(WEIGHTS) - 8, 8)
        finally:
            place.write_bytes(WEIGHTS)
    assert raised.value.reason is Reason.CHANGED


@pytest.mark.parametrize(
    "target", ["models:/m/2", "models:/none/1", "models:/m@none", "runs:/0000", "models:/m-0"]
)
def test_what_is_not_there_is_missing(server: MlflowServer, run: str, target: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        opened(server, target)
    assert raised.value.reason is Reason.MISSING


@pytest.mark.parametrize("target", ["models:/m@champion", "runs:/{run}/model"])
def test_documents_go_there_and_come_back(server: MlflowServer, run: str, target: str) -> None:
    target = target.format(run=run)
    data = b'{"bomFormat": "CycloneDX", "for": "%b"}' % target.encode()
    document = Attached(
        name=f"{target.partition(':')[0]}.cdx.json", kind=BOM.kind, media_type=BOM.media_type, data=data
    )
    states = [
        opened(server, target).publish((document,), dry_run=dry, pull_request=False).written[0].state
        for dry in (True, False, False)
    ]
    assert states == [WriteState.PLANNED, WriteState.WRITTEN, WriteState.UNCHANGED]
    source = opened(server, target)
    assert document.data in [each.data for each in source.attached()]
    assert dict(source._artifacts.tags)["aibom.bom.sha256"] == hashlib.sha256(data).hexdigest()
    (server.folder / "artifacts" / "1" / run / "artifacts" / "model" / document.name).unlink()


def test_two_publishers_at_once_lose_nothing(server: MlflowServer, run: str) -> None:
    documents = [
        Attached(
            name=f"{n}.sigstore.json", kind=DocumentKind.SIGNATURE, media_type="x/y", data=b'{"n": %d}' % n
        )
        for n in range(4)
    ]
    threads = [
        threading.Thread(
            target=lambda each=each: opened(server, "models:/m/1").publish(
                (each,), dry_run=False, pull_request=False
            )
        )
        for each in documents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {each.name: each.data for each in opened(server, "models:/m/1").attached()}
    assert {each.name: each.data for each in documents}.items() <= found.items()
    for each in documents:
        (server.folder / "artifacts" / "1" / run / "artifacts" / "model" / each.name).unlink()


def test_a_model_that_the_client_of_mlflow_logged_is_found_by_all_its_names(
    server: MlflowServer, run: str
) -> None:
    done = subprocess.run(
        [str(interpreter()), "-W", "ignore", "-c", LOG, server.url], capture_output=True, text=True,
        check=False,
        cwd=server.folder, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3_000:]
    model = done.stdout.strip().splitlines()[-1]
    listed = [
        [(entry.path, entry.size) for entry in entries(opened(server, target)).values()]
        for target in (
            "models:/logged/1",
            "models:/logged@champion",
            "models:/copied/latest",
            f"models:/{model}",
        )
    ]
    assert {"MLmodel", "python_model.pkl"} <= {path for path, _ in listed[0]}
    assert listed[1:] == listed[:1] * 3
    receipt = opened(server, f"models:/{model}").publish((BOM,), dry_run=False, pull_request=False)
    assert receipt.written[0].state is WriteState.WRITTEN
    source = opened(server, f"models:/{model}")
    assert [each.data for each in source.attached()] == [BOM.data]
    assert dict(source._artifacts.tags)["aibom.bom.sha256"] == hashlib.sha256(BOM.data).hexdigest()


def test_artifacts_that_are_not_proxied_are_shown_by_the_server(tmp_path: Path) -> None:
    root = tmp_path / "store"
    with MlflowServer(tmp_path, ("--no-serve-artifacts", "--default-artifact-root", str(root))) as server:
        run = registered(server)
        for path, data in FILES.items():
            place = root / "1" / run / "artifacts" / "model" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        named(server, run)
        source = opened(server, "models:/m/1", full=True)
        found = entries(source)
        assert list(found) == sorted(FILES)
        for path, data in FILES.items():
            with source.open(found[path]) as reader:
                assert reader.read_at(0, reader.size) == data
        with pytest.raises(UnreadableError) as raised:
            source.publish((BOM,), dry_run=False, pull_request=False)
        assert raised.value.reason is Reason.UNSUPPORTED
