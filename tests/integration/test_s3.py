"""S3 against a server of others: moto_server, filled and read back by boto3."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("botocore", reason="the extra [s3] is not installed")

import numpy as np
from safetensors.numpy import save

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.protocols import Probe
from aibom.domain.publication import Attached, DocumentKind, WriteState
from aibom.domain.ref import PinnedRef
from aibom.formats import safetensors
from aibom.sources import s3, s3_bucket
from aibom.sources.opening import Opening
from tests.services.s3_server import CannotStartError, S3Server, running

pytestmark = pytest.mark.integration

WEIGHTS = save({f"layer.{n}.weight": np.full((64, 512), n, np.float32) for n in range(40)})
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
BOM = b'{"bomFormat": "CycloneDX", "version": 1}'
NEWER = b'{"bomFormat": "CycloneDX", "version": 2}'
PART_BYTES = 5 << 20  # the smallest that S3 takes


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    try:
        with running() as started:
            yield started
    except CannotStartError as error:
        pytest.skip(str(error))


def opened(server: S3Server, target: str, **options: Any) -> s3.S3Source:
    opening = Opening(network=object, environment=server.environment, **options)  # type: ignore[arg-type]
    source = s3.PLACE.open(target, opening)
    assert isinstance(source, s3.S3Source)
    return source


def listed(source: s3.S3Source) -> dict[str, Entry]:
    return {item.path: item for item in source.entries() if isinstance(item, Entry)}


def document(data: bytes = BOM, name: str = "bom.json") -> Attached:
    return Attached(name=name, kind=DocumentKind.BOM, media_type="application/json", data=data)


def published(source: s3.S3Source, *documents: Attached) -> list[WriteState]:
    receipt = source.publish(documents, dry_run=False, pull_request=False)
    return [each.state for each in receipt.written]


@pytest.mark.parametrize("versioned", [True, False], ids=["versions", "no versions"])
def test_weights_are_described_by_their_header_and_verified_in_full(
    server: S3Server, versioned: bool, tmp_path: Path
) -> None:
    name = f"described-{versioned}".lower()
    client = server.bucket(name, versioned=versioned)
    client.put_object(Bucket=name, Key="m/model.safetensors", Body=WEIGHTS, ChecksumAlgorithm="SHA256")
    client.put_object(Bucket=name, Key="m/config.json", Body=b"{}")
    source = opened(server, f"s3://{name}/m/")
    entry = listed(source)["model.safetensors"]
    assert {d.algorithm: d.value for d in entry.claimed} == {
        "sha256": SHA256,
        "md5": hashlib.md5(WEIGHTS).hexdigest(),
    }
    with source.open(entry) as reader:
        facts = safetensors.read(
            Probe(name="model.safetensors", head=reader.read_at(0, 4_096), reader=reader)
        )
    assert len(facts.tensors) == 40
    source = opened(server, f"s3://{name}/m/", full=True)
    with source.open(listed(source)["model.safetensors"]) as reader:
        assert hashlib.sha256(reader.read_at(0, reader.size)).hexdigest() == SHA256


def test_the_digest_of_parts_is_never_taken_for_that_of_the_file(server: S3Server) -> None:
    client = server.bucket("parts", versioned=False)
    data = bytes(PART_BYTES) + b"tail"
    upload = client.create_multipart_upload(Bucket="parts", Key="m/model.bin", ChecksumAlgorithm="SHA256")
    done = []
    for number, piece in enumerate((data[:PART_BYTES], data[PART_BYTES:]), 1):
        part = client.upload_part(
            Bucket="parts",
            Key="m/model.bin",
            UploadId=upload["UploadId"],
            PartNumber=number,
            Body=piece,
            ChecksumAlgorithm="SHA256",
        )
        done.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]})
    client.complete_multipart_upload(
        Bucket="parts", Key="m/model.bin", UploadId=upload["UploadId"], MultipartUpload={"Parts": done}
    )
    # The trap: the store states a SHA-256 and not what it is of.
    head = client.head_object(Bucket="parts", Key="m/model.bin", ChecksumMode="ENABLED")
    assert base64.b64decode(head["ChecksumSHA256"]).hex() != hashlib.sha256(data).hexdigest()
    entry = listed(opened(server, "s3://parts/m/"))["model.bin"]
    assert {digest.algorithm for digest in entry.claimed} == {"sha256-composite", "s3-etag-multipart"}


def test_an_object_that_is_replaced_is_still_read_in_the_version_that_was_listed(server: S3Server) -> None:
    client = server.bucket("swapped", versioned=True)
    client.put_object(Bucket="swapped", Key="model.safetensors", Body=WEIGHTS)
    source = opened(server, "s3://swapped/model.safetensors")
    entry = listed(source)["model.safetensors"]
    client.put_object(Bucket="swapped", Key="model.safetensors", Body=WEIGHTS[::-1])
    with source.open(entry) as reader:
        assert reader.read_at(0, 100) == WEIGHTS[:100]
    assert isinstance(source.target.ref, PinnedRef)
    again = opened(server, f"s3://swapped/model.safetensors?versionId={source.target.ref.revision}")
    assert again.target.ref == source.target.ref


def test_without_versions_a_replaced_object_is_changed(server: S3Server) -> None:
    client = server.bucket("moved", versioned=False)
    client.put_object(Bucket="moved", Key="m/model.safetensors", Body=WEIGHTS)
    source = opened(server, "s3://moved/m/")
    entry = listed(source)["model.safetensors"]
    client.put_object(Bucket="moved", Key="m/model.safetensors", Body=WEIGHTS[::-1])
    with source.open(entry) as reader, pytest.raises(UnreadableError) as raised:
        reader.read_at(0, 100)
    assert raised.value.reason is Reason.CHANGED


def test_more_objects_than_a_page_holds_are_listed_once_each(
    server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_bucket, "PAGE_KEY_COUNT", 10)
    client = server.bucket("many", versioned=True)
    names = [f"{number:02}.txt" for number in range(35)]
    for name in names:
        client.put_object(Bucket="many", Key=f"m/{name}", Body=b"x")
    client.put_object(Bucket="many", Key="m/00.txt", Body=b"second")
    client.delete_object(Bucket="many", Key="m/01.txt")  # leaves a marker
    found = listed(opened(server, "s3://many/m/"))
    assert list(found) == [name for name in names if name != "01.txt"]
    assert found["00.txt"].size == 6


@pytest.mark.parametrize("versioned", [True, False], ids=["versions", "no versions"])
def test_documents_make_the_round_trip(server: S3Server, versioned: bool) -> None:
    name = f"published-{versioned}".lower()
    client = server.bucket(name, versioned=versioned)
    client.put_object(Bucket=name, Key="m/model.safetensors", Body=WEIGHTS)
    source = opened(server, f"s3://{name}/m/")
    assert published(source, document()) == [WriteState.WRITTEN]
    assert published(source, document()) == [WriteState.UNCHANGED]
    assert published(source, document(NEWER)) == [WriteState.WRITTEN]
    assert [each.data for each in opened(server, f"s3://{name}/m/").attached()] == [NEWER]
    stored = client.get_object(Bucket=name, Key="m/bom.json")
    assert (stored["Body"].read(), stored["ContentType"]) == (NEWER, "application/json")


def test_publishers_at_once_lose_nothing(server: S3Server) -> None:
    client = server.bucket("together", versioned=False)
    client.put_object(Bucket="together", Key="m/model.safetensors", Body=WEIGHTS)
    names = [f"{number}.cdx.json" for number in range(8)]
    threads = [
        threading.Thread(target=published, args=(opened(server, "s3://together/m/"), document(name=name)))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.name for each in opened(server, "s3://together/m/").attached()] == names


def test_a_bucket_that_is_not_there_is_missing(server: S3Server) -> None:
    for target in ("s3://nowhere-at-all/m/", "s3://nowhere-at-all/m", "s3://nowhere-at-all"):
        with pytest.raises(UnreadableError) as raised:
            opened(server, target)
        assert raised.value.reason is Reason.MISSING
