"""What a layer of an artifact is: one file as it is, or a tar archive of several; and what it is called.

Sources: CNCF ModelPack (`org.cncf.model.filepath`), KitOps (tar archives only), Docker's model
specification, Ollama, ORAS (`org.opencontainers.image.title`), OCI image specification 1.1 (layers).
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from aibom.domain.text import visible
from aibom.sources.oci_manifests import Descriptor

NAME_HEX_CHARS: Final = 12  # of the digest, in the name of a layer that has none
_TITLE: Final = "org.opencontainers.image.title"
_PATHS: Final = ("org.cncf.model.filepath", "org.cnai.model.filepath", _TITLE)
_UNPACK: Final = "io.deis.oras.content.unpack"  # ORAS: the layer is a folder, packed
_IMAGE_LAYERS: Final = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
_MODEL_LAYERS: Final = (
    "application/vnd.cncf.model.", "application/vnd.cnai.model.", "application/vnd.kitops.modelkit.",
    "application/vnd.jozu.model.", "application/vnd.docker.ai.",
)  # fmt: skip
_PACKED: Final = re.compile(r"[.+]tar(?:[.+-](gzip|gz|zstd|zst))?\Z")
# File names for the media types that carry none, so that the content is recognised by both.
_STEMS: Final = {
    "application/vnd.ollama.image.model": "model.gguf",
    "application/vnd.ollama.image.projector": "projector.gguf",
    "application/vnd.ollama.image.adapter": "adapter.gguf",
    "application/vnd.ollama.image.draft": "draft.gguf",
    "application/vnd.ollama.image.embed": "embed.bin",
    "application/vnd.ollama.image.template": "template.txt",
    "application/vnd.ollama.image.system": "system.txt",
    "application/vnd.ollama.image.prompt": "prompt.txt",
    "application/vnd.ollama.image.license": "LICENSE.txt",
    "application/vnd.ollama.image.params": "params.json",
    "application/vnd.ollama.image.messages": "messages.json",
    "application/vnd.ollama.image.tensor": "tensor.safetensors",
    "application/vnd.docker.ai.gguf.v3": "model.gguf",
    "application/vnd.docker.ai.gguf.v3.lora": "adapter.gguf",
    "application/vnd.docker.ai.gguf.v3.mmproj": "projector.gguf",
    "application/vnd.docker.ai.safetensors": "model.safetensors",
    "application/vnd.docker.ai.license": "LICENSE.txt",
    "application/vnd.docker.ai.chat.template.jinja": "chat_template.jinja",
}
_TENSOR: Final = "application/vnd.ollama.image.tensor"


class Packing(Enum):
    """How the files of a layer are stored."""

    RAW = "raw"  # one file, whose SHA-256 is the digest of the layer
    TAR = "tar"
    GZIP = "gzip"
    ZSTD = "zstd"


def packing_of(layer: Descriptor) -> Packing:
    """How the media type says that a layer is packed.

    ORAS pushes plain files under the media type of an uncompressed image layer, and tells them apart by a
    title; its folders are compressed, or have an annotation that asks for unpacking.
    """
    kind = layer.media_type.lower()
    found = _PACKED.search(kind)
    is_image = kind.startswith(_IMAGE_LAYERS)
    if found is None or not (is_image or kind.startswith(_MODEL_LAYERS)):
        return Packing.RAW
    if found[1] is None:
        is_folder = layer.annotations.get(_UNPACK, "").lower() == "true"
        return Packing.RAW if is_image and _TITLE in layer.annotations and not is_folder else Packing.TAR
    return Packing.GZIP if found[1].startswith("g") else Packing.ZSTD


def path_of(layer: Descriptor) -> str:
    """The path that the manifest gives to a layer, not yet known to be one; else a stable name."""
    for key in _PATHS:
        if path := layer.annotations.get(key):
            return plain(path)
    if layer.name:
        return plain(f"{layer.name}.safetensors" if layer.media_type == _TENSOR else layer.name)
    return made_up(layer)


def made_up(layer: Descriptor) -> str:
    """A name from media type and digest, the same for the same bytes in each artifact."""
    unknown = "layer.json" if layer.media_type.endswith("json") else "layer"
    stem, dot, suffix = _STEMS.get(layer.media_type, unknown).partition(".")
    return f"{stem}-{layer.hex[:NAME_HEX_CHARS]}{dot}{suffix}"


def plain(path: str) -> str:
    """The path without `./` in front of it, as archives write it."""
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    return path


def shown(layer: Descriptor) -> str:
    """What a gap calls a layer."""
    return visible(path_of(layer))[:200]
