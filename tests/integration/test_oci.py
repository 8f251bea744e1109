"""Artifacts in a real registry, pushed and pulled by independent clients: `oras` (Python) and `skopeo`."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from aibom.domain.check import Outcome
from aibom.domain.digest import Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap
from aibom.domain.publication import Attached, DocumentKind, WriteState
from aibom.policy import parse_policy
from aibom.sources.http import Http
from aibom.sources.oci import PLACE, OciSource
from aibom.sources.oci_auth import Auth
from aibom.sources.oci_names import parse
from aibom.sources.oci_referrers import TYPES
from aibom.sources.oci_repository import Repository
from aibom.sources.opening import Opening
from aibom.workflows.scan import ScanRequest, observe
from tests.services import oci_registry
from tests.services.fake_oci import FILEPATH, INDEX, MANIFEST, RAW, TAR, TAR_GZIP, digest_of, tar_of

SKOPEO = shutil.which("skopeo")
oras_oci: Any = pytest.importorskip("oras.oci", reason="oras is not installed: pip install oras")
oras_provider: Any = pytest.importorskip("oras.provider", reason="oras is not installed: pip install oras")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        oci_registry.PROGRAM is None, reason="docker-registry is missing: apt install docker-registry"
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of oras and what it imports
]
needs_skopeo = pytest.mark.skipif(SKOPEO is None, reason="skopeo is missing: apt install skopeo")

MIB = 1024 * 1024
EMPTY = "application/vnd.oci.empty.v1+json"
BOM = Attached(
    name="model.cdx.json", kind=DocumentKind.BOM, media_type=TYPES[DocumentKind.BOM], data=b'{"bom": 1}'
)
SIGNATURE = Attached(
    name="model.sig",
    kind=DocumentKind.SIGNATURE,
    media_type=TYPES[DocumentKind.SIGNATURE],
    data=b'{"sig": 1}',
)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the registry keeps its blobs."""
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def host(storage: Path) -> Iterator[str]:
    with oci_registry.started(storage) as found:
        yield found


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A repository for one test."""
    return "test/" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]


def safetensors(size: int = 20 * MIB) -> bytes:
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + random.Random(5).randbytes(size)


WEIGHTS = safetensors()


def opened(host: str, reference: str, *, full: bool = False, http: Http | None = None) -> OciSource:
    client = http or Http()
    source = PLACE.open(f"oci://{host}/{reference}", Opening(network=lambda: client, full=full))
    assert isinstance(source, OciSource)
    return source


def files(source: OciSource) -> dict[str, bytes]:
    found = {}
    for item in source.entries():
        assert isinstance(item, Entry), item
        with source.open(item) as reader:
            found[item.path] = reader.read_at(0, reader.size)
    return found


def oras_client(host: str) -> Any:
    return oras_provider.Registry(hostname=host, insecure=True)


def push_with_oras(host: str, name: str, folder: Path, *paths: str, **more: Any) -> None:
    """As `oras push` does: each file a layer, its media type behind a colon."""
    response = oras_client(host).push(
        target=f"{host}/{name}",
        files=[f"{folder}/{path}" for path in paths],
        disable_path_validation=True,
        **more,
    )
    assert response.status_code == 201


def skopeo(*arguments: str) -> str:
    assert SKOPEO is not None
    done = subprocess.run([SKOPEO, *arguments], capture_output=True, check=True, timeout=120)
    return done.stdout.decode()


def push(host: str, name: str, folder: Path, *layers: tuple[str, bytes, dict[str, str]]) -> str:
    """A manifest of ModelPack with layers as its specification has them, pushed by `oras`; its digest."""
    client = oras_client(host)
    container = client.get_container(f"{host}/{name}:v1")
    described: list[dict[str, Any]] = []
    for at, (media_type, data, told) in enumerate((*layers, (EMPTY, b"{}", {}))):
        file = folder / f"layer-{at}"
        file.write_bytes(data)
        layer = {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}
        assert client.upload_blob(str(file), container, layer).status_code in (200, 201)
        described.append({**layer, "annotations": told})
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.cncf.model.manifest.v1+json",
        "config": described.pop(),
        "layers": described,
    }
    response = client.upload_manifest(document, container)
    assert response.status_code == 201
    digest: str = response.headers["Docker-Content-Digest"]
    return digest


def model(host: str, name: str, folder: Path) -> str:
    return push(host, name, folder, (RAW, b"weights", {FILEPATH: "model.bin"}))


# Reading what others pushed


def test_files_that_oras_pushed_are_read_with_the_digests_of_their_bytes(
    host: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / "model.safetensors").write_bytes(WEIGHTS)
    (tmp_path / "config.json").write_bytes(b'{"model_type": "llama"}')
    push_with_oras(host, f"{name}:v1", tmp_path, "model.safetensors", "config.json:application/json")
    source = opened(host, f"{name}:v1", full=True)
    found = files(source)
    assert {path.rpartition("/")[2]: data for path, data in found.items()} == {
        "model.safetensors": WEIGHTS, "config.json": b'{"model_type": "llama"}',
    }  # fmt: skip
    for item in source.entries():
        assert isinstance(item, Entry)
        [claim] = item.claimed
        assert (claim.algorithm, claim.grade) == ("sha256", Grade.CHAINED)
        assert claim.value == hashlib.sha256(found[item.path]).hexdigest()


def test_a_folder_that_oras_pushed_is_unpacked(
    host: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "a.bin").write_bytes(b"a" * 1000)
    monkeypatch.chdir(tmp_path)
    oras_client(host).push(target=f"{host}/{name}:v1", files=["weights"])
    assert list(files(opened(host, f"{name}:v1")).values()) == [b"a" * 1000]


def test_the_header_of_a_weight_file_costs_one_range(host: str, name: str, tmp_path: Path) -> None:
    push(host, name, tmp_path, (RAW, WEIGHTS, {FILEPATH: "model.safetensors"}))
    http = Http()
    source = opened(host, f"{name}:v1", http=http)
    [item] = source.entries()
    assert isinstance(item, Entry)
    assert item.header_only
    with source.open(item) as reader:
        length = struct.unpack("<Q", reader.read_at(0, 8))[0]
        assert json.loads(reader.read_at(8, length))["w"]["dtype"] == "U8"
    [(requests, received)] = http.counts().values()
    assert requests == 2  # the manifest and the range
    assert received < 110 * 1024


def test_a_large_tar_layer_is_listed_by_its_headers(host: str, name: str, tmp_path: Path) -> None:
    data = tar_of({"config.json": b"{}", "model.safetensors": WEIGHTS, "z.txt": b"z"})
    push(host, name, tmp_path, (TAR, data, {FILEPATH: "."}))
    http = Http()
    source = opened(host, f"{name}:v1", http=http)
    assert [item.path for item in source.entries()] == ["config.json", "model.safetensors", "z.txt"]
    [(requests, received)] = http.counts().values()
    assert (requests, received < 110 * 1024) == (3, True)
    assert files(opened(host, f"{name}:v1", full=True))["model.safetensors"] == WEIGHTS


def test_a_large_compressed_layer_is_a_gap_without_full(host: str, name: str, tmp_path: Path) -> None:
    push(host, name, tmp_path, (TAR_GZIP, gzip.compress(tar_of({"m.bin": WEIGHTS}), 1), {FILEPATH: "m.bin"}))
    [gap] = opened(host, f"{name}:v1").entries()
    assert isinstance(gap, Gap)
    assert "--full" in gap.detail
    assert files(opened(host, f"{name}:v1", full=True)) == {"m.bin": WEIGHTS}


@needs_skopeo
def test_the_pin_is_the_digest_that_skopeo_sees(host: str, name: str, tmp_path: Path) -> None:
    digest = model(host, name, tmp_path)
    raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{host}/{name}:v1")
    ref = opened(host, f"{name}:v1").target.ref
    assert ref is not None
    assert ref.revision == digest == digest_of(raw.encode())
    assert files(opened(host, f"{name}@{digest}")) == {"model.bin": b"weights"}


@needs_skopeo
def test_an_image_that_skopeo_copied_is_read(host: str, name: str, tmp_path: Path) -> None:
    layout(tmp_path / "image", tar_of({"models/a.bin": b"abc"}))
    skopeo("copy", "--dest-tls-verify=false", f"oci:{tmp_path}/image:v1", f"docker://{host}/{name}:v1")
    assert files(opened(host, f"{name}:v1"))["models/a.bin"] == b"abc"


def layout(folder: Path, layer: bytes) -> None:
    """An OCI image layout with one image, for `skopeo`."""
    (folder / "blobs" / "sha256").mkdir(parents=True)

    def put(data: bytes, media_type: str) -> dict[str, Any]:
        (folder / "blobs" / "sha256" / digest_of(data)[7:]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    rootfs = {"type": "layers", "diff_ids": [digest_of(layer)]}
    config = {"architecture": "amd64", "os": "linux", "rootfs": rootfs, "config": {}}
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": put(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"),
        "layers": [put(layer, "application/vnd.oci.image.layer.v1.tar")],
    }
    listed = {
        **put(json.dumps(document).encode(), MANIFEST),
        "annotations": {"org.opencontainers.image.ref.name": "v1"},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [listed]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def test_what_is_not_there_is_missing(host: str, name: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        opened(host, f"{name}:v1")
    assert caught.value.reason is Reason.MISSING


def test_a_blob_that_was_changed_on_the_disk_of_the_registry_is_noticed(
    host: str, name: str, tmp_path: Path, storage: Path
) -> None:
    data = tar_of({"a.txt": b"honest" + name.encode()})
    model_digest = push(host, name, tmp_path, (TAR, data, {}))
    [blob] = storage.glob(f"storage/**/{digest_of(data)[7:]}/data")
    blob.write_bytes(data.replace(b"honest", b"hacked"))
    [gap] = opened(host, f"{name}@{model_digest}").entries()
    assert isinstance(gap, Gap)
    assert (gap.reason, "not those of its digest" in gap.detail) == (Reason.MALFORMED, True)


def test_a_model_has_the_same_digest_in_a_folder_in_raw_layers_and_in_a_tar_layer(
    host: str, name: str, tmp_path: Path
) -> None:
    model_files = {"config.json": b'{"model_type": "llama"}', "model.safetensors": WEIGHTS}
    (tmp_path / "folder").mkdir()
    for path, data in model_files.items():
        (tmp_path / "folder" / path).write_bytes(data)
    push(
        host, f"{name}/raw", tmp_path, *((RAW, data, {FILEPATH: path}) for path, data in model_files.items())
    )
    push(host, f"{name}/tar", tmp_path, (TAR, tar_of(model_files), {}))
    policy, http = parse_policy(b"version: 1\nname: n\nrules: {unindexed-bytes: medium}\n"), Http()
    found = set()
    for target in (str(tmp_path / "folder"), f"oci://{host}/{name}/raw:v1", f"oci://{host}/{name}/tar:v1"):
        opening = Opening(network=lambda: http, full=True)
        report = observe(ScanRequest(targets=(target,), policy=policy, opening=opening))
        assert report.gaps == ()
        assert all(check.outcome is Outcome.VERIFIED for check in report.checks)
        found |= {component.model_digest for component in report.components}
    [digest] = found
    assert digest is not None


# Publishing


def test_what_is_published_is_found_by_us_and_by_oras(host: str, name: str, tmp_path: Path) -> None:
    digest = model(host, name, tmp_path)
    receipt = opened(host, f"{name}:v1").publish((BOM, SIGNATURE), dry_run=False, pull_request=False)
    assert [one.state for one in receipt.written] == [WriteState.WRITTEN] * 2
    assert opened(host, f"{name}:v1").attached() == (BOM, SIGNATURE)
    tag = digest.replace(":", "-")
    index = oras_client(host).get_manifest(f"{host}/{name}:{tag}", allowed_media_type=[INDEX])
    assert {one["artifactType"] for one in index["manifests"]} == {BOM.media_type, SIGNATURE.media_type}
    for written, document in zip(receipt.written, (BOM, SIGNATURE), strict=True):
        place = written.place.removeprefix("oci://")
        [pulled] = oras_client(host).pull(target=place, outdir=str(tmp_path / written.sha256))
        assert Path(pulled).name == document.name
        assert Path(pulled).read_bytes() == document.data
    again = opened(host, f"{name}:v1").publish((BOM, SIGNATURE), dry_run=False, pull_request=False)
    assert [one.state for one in again.written] == [WriteState.UNCHANGED] * 2


@needs_skopeo
def test_skopeo_reads_the_list_of_referrers_and_copies_a_document(
    host: str, name: str, tmp_path: Path
) -> None:
    digest = model(host, name, tmp_path)
    [written] = opened(host, f"{name}:v1").publish((BOM,), dry_run=False, pull_request=False).written
    tag = digest.replace(":", "-")
    raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{host}/{name}:{tag}")
    assert [one["digest"] for one in json.loads(raw)["manifests"]] == [written.place.partition("@")[2]]
    place = written.place.replace("oci://", "docker://")
    skopeo("copy", "--src-tls-verify=false", place, f"dir:{tmp_path}/copied")
    assert (tmp_path / "copied" / written.sha256).read_bytes() == BOM.data


@needs_skopeo
def test_a_document_that_oras_attached_is_found_although_the_list_does_not_tell_its_type(
    host: str, name: str, tmp_path: Path
) -> None:
    digest = model(host, name, tmp_path)
    client = oras_client(host)
    (tmp_path / "their.cdx.json").write_bytes(b'{"theirs": 1}')
    served = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{host}/{name}:v1")
    subject = oras_oci.Subject(mediaType=MANIFEST, digest=digest, size=len(served))
    theirs = client.push(
        target=f"{host}/{name}:theirs",
        files=[f"{tmp_path}/their.cdx.json:{BOM.media_type}"],
        subject=subject,
        disable_path_validation=True,
    )
    # The Python client leaves the list to others; some of those leave out type and annotations.
    listed = {
        "mediaType": MANIFEST,
        "digest": theirs.headers["Docker-Content-Digest"],
        "size": len(theirs.request.body),
    }
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [listed]}
    url = f"http://{host}/v2/{name}/manifests/{digest.replace(':', '-')}"
    assert client.do_request(url, "PUT", headers={"Content-Type": INDEX}, json=index).status_code == 201
    source = opened(host, f"{name}:v1")
    source.publish((SIGNATURE,), dry_run=False, pull_request=False)
    found = {one.name: one.data for one in source.attached()}
    assert found == {"their.cdx.json": b'{"theirs": 1}', SIGNATURE.name: SIGNATURE.data}


@pytest.mark.parametrize("count", [2, 6])
def test_publishers_at_the_same_moment_lose_nothing(host: str, name: str, tmp_path: Path, count: int) -> None:
    digest = model(host, name, tmp_path)
    documents = tuple(
        Attached(name=f"{at}.cdx.json", kind=BOM.kind, media_type=BOM.media_type, data=b"%d" % at)
        for at in range(count)
    )
    sources = [opened(host, f"{name}:v1") for _ in documents]
    start = threading.Barrier(count)

    def run(at: int) -> WriteState:
        start.wait()
        receipt = sources[at].publish((documents[at],), dry_run=False, pull_request=False)
        return receipt.written[0].state

    with ThreadPoolExecutor(count) as pool:
        states = list(pool.map(run, range(count)))
    assert states == [WriteState.WRITTEN] * count
    assert opened(host, f"{name}:v1").attached() == documents
    tag = digest.replace(":", "-")
    index = oras_client(host).get_manifest(f"{host}/{name}:{tag}", allowed_media_type=[INDEX])
    assert len(index["manifests"]) == count


# Credentials


def test_a_private_registry_takes_our_tokens_for_reading_and_writing(tmp_path: Path) -> None:
    with (
        oci_registry.TokenService(tmp_path) as tokens,
        oci_registry.started(tmp_path, tokens.auth) as host,
    ):
        http = Http()
        http.named(tokens.url)  # plain HTTP, so somebody has to allow it
        known = {"DOCKER_CONFIG": str(tmp_path)}
        opening = Opening(network=lambda: http, environment=known)
        with pytest.raises(UnreadableError) as caught:
            PLACE.open(f"oci://{host}/org/model:v1", opening)
        assert caught.value.reason is Reason.DENIED
        user = base64.b64encode(f"{oci_registry.USER}:{oci_registry.PASSWORD}".encode()).decode()
        (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"auth": user}}}))
        repository = Repository(
            http, parse(f"oci://{host}/org/model:v1"), Auth(http, parse(f"oci://{host}/org/model:v1"), known)
        )
        repository.may_write()
        layers = [
            {
                "mediaType": RAW,
                "digest": repository.push_blob(b"weights"),
                "size": 7,
                "annotations": {FILEPATH: "m.bin"},
            }
        ]
        config = {"mediaType": EMPTY, "digest": repository.push_blob(b"{}"), "size": 2}
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        repository.push_manifest("v1", json.dumps(document).encode(), MANIFEST)
        source = PLACE.open(f"oci://{host}/org/model:v1", opening)
        assert isinstance(source, OciSource)
        assert files(source) == {"m.bin": b"weights"}
        source.publish((BOM,), dry_run=False, pull_request=False)
        assert source.attached() == (BOM,)
        assert set(tokens.scopes) == {"repository:org/model:pull", "repository:org/model:pull,push"}
