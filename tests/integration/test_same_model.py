"""One model in a folder, on a Hub, in OCI, S3 and MLflow and behind git is the same model everywhere."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from aibom.cli.packs import policy
from aibom.domain.report import Report
from aibom.sources.http import Http
from aibom.sources.opening import Opening
from aibom.workflows.scan import ScanRequest, scan
from tests.services import mlflow_server, oci_registry, s3_server
from tests.services.fake_hub import FakeHub
from tests.services.fake_oci import FILEPATH, RAW, FakeRegistry
from tests.services.mlflow_server import MlflowServer

pytestmark = pytest.mark.integration
FILES = {
    "README.md": b"---\nlicense: mit\n---\n# A model",
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": save({"a": np.arange(90_000, dtype=np.float32), "b": np.ones(7, np.float16)}),
}


@dataclass
class Place:
    """Where the model is, and what has to be allowed to read it."""

    target: str
    hosts: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    """The same files in every kind of place that runs here."""
    folder = tmp_path_factory.mktemp("model")
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    with ExitStack() as stack:
        found = {"folder": Place(str(folder)), "git": _git(folder, tmp_path_factory.mktemp("git"))}
        hub = stack.enter_context(FakeHub(tokens={"token"}))
        hub.add("org/model", FILES)
        found["hub"] = Place(
            "hf://org/model",
            [hub.cdn.removeprefix("http://")],
            {"HF_ENDPOINT": hub.url, "HF_TOKEN": "token"},
        )
        registry = stack.enter_context(FakeRegistry())
        registry.manifest("v1", [registry.raw(name, data) for name, data in FILES.items()])
        found["oci"] = Place(f"oci://{registry.url.removeprefix('http://')}/model:v1")
        if oci_registry.PROGRAM and importlib.util.find_spec("oras"):
            found["docker-registry"] = _oci(stack, tmp_path_factory)
        if mlflow_server.interpreter():
            found["mlflow"] = _mlflow(stack, tmp_path_factory)
        try:
            server = stack.enter_context(s3_server.running())
            bucket = server.bucket("models", versioned=True)
            for name, data in FILES.items():
                bucket.put_object(Bucket="models", Key=f"small/{name}", Body=data)
            found["s3"] = Place("s3://models/small/", environment=server.environment)
        except s3_server.CannotStartError:
            pass
        yield found


def _oci(stack: ExitStack, folders: pytest.TempPathFactory) -> Place:
    from tests.integration.test_oci import push  # noqa: PLC0415 - needs oras

    host = stack.enter_context(oci_registry.started(folders.mktemp("registry")))
    layers = [(RAW, data, {FILEPATH: name}) for name, data in FILES.items()]
    push(host, "model", folders.mktemp("layers"), *layers)
    return Place(f"oci://{host}/model:v1")


def _mlflow(stack: ExitStack, folders: pytest.TempPathFactory) -> Place:
    from tests.integration.test_mlflow import named, registered  # noqa: PLC0415 - as above

    server = stack.enter_context(MlflowServer(folders.mktemp("mlflow")))
    run = registered(server)
    place = server.folder / "artifacts" / "1" / run / "artifacts" / "model"
    place.mkdir(parents=True)
    for name, data in FILES.items():
        (place / name).write_bytes(data)
    named(server, run)
    return Place("models:/m/1", environment={"MLFLOW_TRACKING_URI": server.url})


def _git(files: Path, place: Path) -> Place:
    for name in FILES:
        (place / name).write_bytes((files / name).read_bytes())
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "one"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=place, check=True)
    return Place(f"git+file://{place}")


def looked(place: Place, *, full: bool) -> Report:
    http = Http(allowed=place.hosts)
    environment = {"PATH": os.environ["PATH"], **place.environment}
    opening = Opening(full=full, network=lambda: http, environment=environment)
    return scan(ScanRequest(targets=(place.target,), policy=policy(None), opening=opening))


def test_every_kind_of_place_was_there(places: dict[str, Place]) -> None:
    missing = {"s3", "docker-registry", "mlflow"} - places.keys()
    if missing:
        pytest.skip(f"not installed: {', '.join(sorted(missing))}")
    assert places.keys() == {"folder", "git", "hub", "oci", "docker-registry", "mlflow", "s3"}


def test_all_bytes_give_the_same_model_digest_everywhere(places: dict[str, Place]) -> None:
    digests = {}
    for name, place in places.items():
        report = looked(place, full=True)
        assert report.gaps == (), name
        (model,) = [each for each in report.components if each.kind == "model"]
        digests[name] = model.model_digest
        assert {file.path for file in report.files} >= FILES.keys()
        assert all(file.sha256 for file in report.files)
        assert {check.outcome for check in report.checks} <= {"verified", "could-not-check"}, name
    assert digests["folder"]
    assert set(digests.values()) == {digests["folder"]}


def test_headers_alone_say_the_same_and_prove_nothing(places: dict[str, Place]) -> None:
    for name, place in places.items():
        if name in ("folder", "git"):
            continue
        report = looked(place, full=False)
        assert report.gaps == (), name
        (model,) = [each for each in report.components if each.kind == "model"]
        assert (model.model_digest, model.parameter_count) == (None, 90_007), name
        assert "--full reads all bytes" in str(model.model_digest_absent)
        (weights,) = [file for file in report.files if file.path == "model.safetensors"]
        assert weights.sha256 is None
        assert report.coverage.header_only == 1
        checks = [check for check in report.checks if check.subject == "model.safetensors"]
        assert all(check.outcome == "could-not-check" for check in checks), name


def test_places_that_can_be_pinned_are(places: dict[str, Place]) -> None:
    for name, place in places.items():
        (target,) = looked(place, full=False).targets
        if name in ("git", "hub", "oci", "docker-registry"):
            assert target.ref is not None
            assert target.ref.revision
            assert target.ref.address is None or target.ref.revision in target.ref.address
