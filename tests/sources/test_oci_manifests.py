"""Manifests and indexes: what is read, and what is refused because it could be two things."""

from __future__ import annotations

import hashlib
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources.oci_manifests import INDEX, MANIFEST, Descriptor, Index, Manifest, digest_of, parse

HEX = "0123456789abcdef" * 4
LAYER = {"mediaType": "application/x", "digest": f"sha256:{HEX}", "size": 7}


def test_a_manifest_is_read_with_everything_that_is_used() -> None:
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.x",
        "config": {**LAYER, "size": 2},
        "layers": [
            {**LAYER, "annotations": {"a": "b", "bad": 1}, "name": "config.json", "from": "/home/me/x"}
        ],
        "subject": LAYER,
        "annotations": {"k": "v"},
    }
    parsed = parse(json.dumps(document).encode(), f"{MANIFEST}; charset=utf-8")
    layer = Descriptor(
        media_type="application/x", digest=f"sha256:{HEX}", size=7, annotations={"a": "b"}, name="config.json"
    )
    assert isinstance(parsed, Manifest)
    assert parsed.layers == (layer,)
    assert parsed.kind == "application/vnd.x"
    assert parsed.annotations == {"k": "v"}
    assert parsed.subject is not None
    assert (parsed.subject.hex, parsed.faults) == (HEX, ())


def test_the_type_of_the_configuration_stands_for_that_of_the_artifact() -> None:
    parsed = parse(json.dumps({"config": {**LAYER, "mediaType": "application/c"}, "layers": []}).encode())
    assert isinstance(parsed, Manifest)
    assert parsed.kind == "application/c"


def test_an_index_names_manifests_with_their_platform() -> None:
    platform = {"os": "linux", "architecture": "arm", "variant": "v7"}
    parsed = parse(json.dumps({"manifests": [{**LAYER, "platform": platform}], "more": 1}).encode(), INDEX)
    assert isinstance(parsed, Index)
    assert parsed.manifests[0].platform == "linux-arm-v7"
    assert parsed.document["more"] == 1


@pytest.mark.parametrize(
    "bad",
    [
        None, 1, {}, {"digest": f"sha256:{HEX}"}, {"digest": HEX, "size": 1},
        {"digest": f"md5:{HEX}", "size": 1},
        {**LAYER, "size": -1}, {**LAYER, "size": "7"}, {**LAYER, "size": True}, {**LAYER, "size": 7.0},
        {**LAYER, "digest": f"sha256:../{HEX}"},
    ],
)  # fmt: skip
def test_a_layer_that_cannot_be_asked_for_is_a_fault_and_the_others_are_read(bad: object) -> None:
    parsed = parse(json.dumps({"layers": [bad, LAYER]}).encode())
    assert isinstance(parsed, Manifest)
    assert (len(parsed.layers), parsed.faults) == (1, ("layer 0 has no digest or size that is one",))


@pytest.mark.parametrize(
    ("data", "content_type", "reason", "words"),
    [
        (b"", "", Reason.MALFORMED, "not JSON"),
        (b"[]", "", Reason.MALFORMED, "no JSON object"),
        (b"{}", "", Reason.MALFORMED, "no list of layers"),
        (b'{"layers": {}}', "", Reason.MALFORMED, "no list of layers"),
        (b'{"layers": [], "layers": []}', "", Reason.MALFORMED, "duplicate key"),
        (b'{"manifests": [], "layers": []}', "", Reason.MALFORMED, "an index and an artifact at once"),
        (b'{"manifests": [], "config": {}}', "", Reason.MALFORMED, "an index and an artifact at once"),
        (b'{"mediaType": "%b", "layers": []}' % MANIFEST.encode(), INDEX, Reason.MALFORMED, "another media"),
        (b'{"fsLayers": []}', "", Reason.UNSUPPORTED, "Docker's first schema"),
        (b'{"layers": [%b1]}' % (b"1," * 10_000), "", Reason.LIMIT, "10,001 layers"),
        (b'{"layers": [%b1]}' % (b"1," * 1_000_000), "", Reason.LIMIT, "more than"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "", Reason.LIMIT, "nested deeper"),
    ],
    ids=[
        "empty", "list", "nothing", "no-list", "twice", "both", "both-config", "other-type", "schema-1",
        "layers", "million-layers", "deep",
    ],
)  # fmt: skip
def test_hostile_manifests_are_refused(data: bytes, content_type: str, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        parse(data, content_type)
    assert caught.value.reason is reason


def test_annotations_without_end_take_no_memory() -> None:
    many = ",".join(f'"k{at}": "v"' for at in range(30_000))
    data = f'{{"layers": [], "annotations": {{{many}}}}}'.encode()
    tracemalloc.start()
    parsed = parse(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(parsed.annotations) == 256  # type: ignore[union-attr]
    assert peak < 64 * 1024 * 1024


@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(
    lambda value: json.dumps({"layers": value, "config": value, "subject": value}).encode()
))  # fmt: skip
def test_any_bytes_are_a_manifest_or_refused(data: bytes) -> None:
    try:
        parse(data)
    except UnreadableError:
        return


def test_a_digest_is_written_as_registries_do() -> None:
    assert digest_of(b"x") == "sha256:" + hashlib.sha256(b"x").hexdigest()
    assert digest_of(b"x", "sha512") == "sha512:" + hashlib.sha512(b"x").hexdigest()
