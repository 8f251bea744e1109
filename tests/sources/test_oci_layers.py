"""Which layers are files, which are archives, and what they are called."""

from __future__ import annotations

import pytest

from aibom.sources.oci_layers import Packing, packing_of, path_of
from aibom.sources.oci_manifests import Descriptor

HEX = "0123456789abcdef" * 4
TITLE = "org.opencontainers.image.title"
FILEPATH = "org.cncf.model.filepath"


def layer(media_type: str, name: str = "", **annotations: str) -> Descriptor:
    told = {key.replace("__", "."): value for key, value in annotations.items()}
    return Descriptor(media_type=media_type, digest=f"sha256:{HEX}", size=1, annotations=told, name=name)


@pytest.mark.parametrize(
    ("media_type", "packing"),
    [
        ("application/vnd.cncf.model.weight.v1.raw", Packing.RAW),
        ("application/vnd.cncf.model.weight.v1.tar", Packing.TAR),
        ("application/vnd.cncf.model.weight.config.v1.tar+gzip", Packing.GZIP),
        ("application/vnd.cncf.model.code.v1.tar+zstd", Packing.ZSTD),
        ("application/vnd.kitops.modelkit.model.v1.tar", Packing.TAR),
        ("application/vnd.kitops.modelkit.dataset.v1.tar+gzip", Packing.GZIP),
        ("application/vnd.docker.ai.gguf.v3", Packing.RAW),
        ("application/vnd.docker.ai.safetensors", Packing.RAW),
        ("application/vnd.docker.ai.vllm.config.tar", Packing.TAR),
        ("application/vnd.ollama.image.model", Packing.RAW),
        ("application/vnd.oci.image.layer.v1.tar", Packing.TAR),
        ("application/vnd.oci.image.layer.v1.tar+gzip", Packing.GZIP),
        ("application/vnd.oci.image.layer.v1.tar+zstd", Packing.ZSTD),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", Packing.GZIP),
        ("application/x-tar", Packing.RAW),
        ("application/vnd.example.tar+gzip", Packing.RAW),
        ("application/octet-stream", Packing.RAW),
        ("", Packing.RAW),
    ],
)
def test_the_media_type_says_how_a_layer_is_packed(media_type: str, packing: Packing) -> None:
    assert packing_of(layer(media_type)) is packing


def test_a_plain_file_of_oras_is_a_file_although_its_media_type_is_that_of_an_archive() -> None:
    kind = "application/vnd.oci.image.layer.v1.tar"
    assert packing_of(layer(kind, **{TITLE: "model.safetensors"})) is Packing.RAW
    folder = layer(kind + "+gzip", **{TITLE: "folder", "io.deis.oras.content.unpack": "true"})
    assert packing_of(folder) is Packing.GZIP
    assert packing_of(layer(kind + "+gzip", **{TITLE: "folder"})) is Packing.GZIP
    assert packing_of(layer(kind, **{TITLE: "x", "io.deis.oras.content.unpack": "true"})) is Packing.TAR


def test_a_title_does_not_make_a_file_of_an_archive_of_models() -> None:
    kind = "application/vnd.kitops.modelkit.model.v1.tar"
    assert packing_of(layer(kind, **{TITLE: "x"})) is Packing.TAR


@pytest.mark.parametrize(
    ("one", "path"),
    [
        (layer("a/b", **{FILEPATH: "dir/w.gguf", TITLE: "t"}), "dir/w.gguf"),
        (layer("a/b", **{"org.cnai.model.filepath": "old.gguf"}), "old.gguf"),
        (layer("a/b", **{TITLE: "./././t.bin"}), "t.bin"),
        (layer("a/b", **{TITLE: "../../t.bin"}), "../../t.bin"),
        (layer("a/b", **{TITLE: ".//etc"}), "etc"),
        (layer("application/vnd.ollama.image.json", name="config.json"), "config.json"),
        (layer("application/vnd.ollama.image.tensor", name="a/w.0"), "a/w.0.safetensors"),
        (layer("application/vnd.ollama.image.model"), "model-0123456789ab.gguf"),
        (layer("application/vnd.docker.ai.gguf.v3.lora"), "adapter-0123456789ab.gguf"),
        (layer("application/vnd.docker.ai.license"), "LICENSE-0123456789ab.txt"),
        (layer("application/vnd.example+json"), "layer-0123456789ab.json"),
        (layer("application/octet-stream"), "layer-0123456789ab"),
    ],
)
def test_a_layer_has_the_path_of_its_annotations_or_a_stable_name(one: Descriptor, path: str) -> None:
    assert path_of(one) == path
