"""The sidecar `*.fingerprint.json`: evidence about one weights file, to say later where it changed.

The form is defined in docs/weights-evidence.md. The same evidence gives the same bytes: ASCII, members
sorted by name, no white space but one line feed at the end. SHA-256 of all of it is what a BOM records.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import Final

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.facts import Facts, Layout, Tensor
from aibom.domain.file import Unindexed
from aibom.domain.limits import DOCUMENT_BYTES, JSON_VALUE_COUNT, TENSOR_COUNT, TENSOR_RANK
from aibom.domain.protocols import ByteReader
from aibom.domain.weights_evidence import Header, TensorEvidence, WeightsContent, WeightsEvidence
from aibom.fingerprint.one_pass import Fingerprint
from aibom.readers.json import Json, members, naturals, parse

VERSION: Final = "aibom:weights-evidence:v1"
_TOLD_CHARS: Final = 200


def content(facts: Facts, found: Fingerprint) -> WeightsContent:
    """What one pass found, tensor by tensor. Raises ValueError when it was not asked for the header."""
    if found.header is None:
        raise ValueError("the fingerprint has no digest of the header")
    nothing = (b"",) * len(facts.tensors)
    parts = zip(
        facts.tensors,
        found.tensor_digests,
        found.tensor_leaves or nothing,
        found.tensor_samples or nothing,
        strict=True,
    )
    return WeightsContent(
        tensors=tuple(
            TensorEvidence(tensor=replace(tensor, skip=0), blake3=digest, leaves=leaves, sample=sample)
            for tensor, digest, leaves, sample in parts
        ),
        header=found.header,
        unindexed=found.unindexed,
    )


def evidence(size: int, facts: Facts, found: Fingerprint) -> WeightsEvidence:
    """The evidence about a file of `size` bytes, from a pass that was asked for leaves and header.

    Raises ValueError when the pass was not, or did not compute SHA-256, and `UnreadableError` when a tensor
    is said to end behind the file.
    """
    if any(tensor.offset + tensor.length > size for tensor in facts.tensors):
        raise malformed(f"a tensor ends behind the {size} bytes of the file", size)
    sha256 = next((each.value for each in found.digests if each.algorithm == "sha256"), None)
    if sha256 is None:
        raise ValueError("the fingerprint has no SHA-256")
    return WeightsEvidence(sha256=sha256, size=size, format=facts.format, content=content(facts, found))


def render(evidence: WeightsEvidence) -> bytes:
    """The sidecar. Raises `UnreadableError` (limit) when it holds more than would be read again."""
    hidden = evidence.content.unindexed
    header = evidence.content.header
    document: Json = {
        "version": VERSION,
        "file": {"format": evidence.format, "sha256": evidence.sha256, "size": evidence.size},
        "header": {"blake3": header.blake3.hex(), "size": header.size},
        "tensors": [_rendered(entry) for entry in evidence.content.tensors],
        "unindexed": {"sha256": hidden.sha256, "size": hidden.bytes} if hidden else None,
    }
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"
    values = data.count(b",") + data.count(b"[") + data.count(b"{")
    most = len(evidence.content.tensors) <= TENSOR_COUNT and values <= JSON_VALUE_COUNT
    if not most or len(data) > DOCUMENT_BYTES or not all(map(_is_bounded, evidence.content.tensors)):
        raise over_limit(f"a sidecar of {len(data)} bytes and {values} values would not be read again")
    return data


def _is_bounded(entry: TensorEvidence) -> bool:
    shape = entry.tensor.shape
    return len(shape) <= TENSOR_RANK and naturals(list(shape)) is not None


def _rendered(entry: TensorEvidence) -> Json:
    tensor = entry.tensor
    return {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "offset": tensor.offset,
        "length": tensor.length,
        "layout": str(tensor.layout),
        "blake3": entry.blake3.hex() if entry.blake3 is not None else None,
        "leaves": b64encode(entry.leaves).decode("ascii"),
        "sample": b64encode(entry.sample).decode("ascii"),
    }


def read(reader: ByteReader, digest: str | None = None) -> WeightsEvidence:
    """The evidence of a sidecar. Raises `UnreadableError`, also when its SHA-256 is not `digest`."""
    if reader.size > DOCUMENT_BYTES:
        raise over_limit(f"a sidecar of {reader.size} bytes, at most {DOCUMENT_BYTES} are read")
    data = reader.read_at(0, reader.size)
    if digest is not None and hashlib.sha256(data).hexdigest() != digest:
        raise malformed("the sidecar does not have the expected SHA-256")
    document = members(parse(data))
    if document.get("version") != VERSION:
        raise unsupported(f"no weights evidence of the version {VERSION}")
    try:
        return _evidence(document)
    except ValueError as error:
        raise malformed(f"weights evidence that cannot be: {str(error)[:_TOLD_CHARS]}") from None


def _evidence(document: dict[str, Json]) -> WeightsEvidence:
    file, header, tensors = _object(document, "file"), _object(document, "header"), document.get("tensors")
    if not isinstance(tensors, list) or len(tensors) > TENSOR_COUNT:
        raise ValueError(f"no list of up to {TENSOR_COUNT} tensors")
    hidden = _object(document, "unindexed") if document.get("unindexed") is not None else None
    return WeightsEvidence(
        sha256=_text(file, "sha256"),
        size=_natural(file, "size"),
        format=_text(file, "format"),
        content=WeightsContent(
            tensors=tuple(map(_tensor, tensors)),
            header=Header(size=_natural(header, "size"), blake3=_hex(header, "blake3")),
            unindexed=Unindexed(bytes=_natural(hidden, "size"), sha256=_hex(hidden, "sha256").hex())
            if hidden
            else None,
        ),
    )


def _tensor(entry: Json) -> TensorEvidence:
    if not isinstance(entry, dict):
        raise ValueError("a tensor that is no object")  # noqa: TRY004 - one error for hostile input
    shape = naturals(entry.get("shape"))
    if shape is None or len(shape) > TENSOR_RANK:
        raise ValueError(f"no shape of up to {TENSOR_RANK} dimensions")
    return TensorEvidence(
        tensor=Tensor(
            name=_text(entry, "name"),
            dtype=_text(entry, "dtype"),
            shape=shape,
            offset=_natural(entry, "offset"),
            length=_natural(entry, "length"),
            layout=Layout(_text(entry, "layout")),
        ),
        blake3=_hex(entry, "blake3") if entry.get("blake3") is not None else None,
        leaves=_base64(entry, "leaves"),
        sample=_base64(entry, "sample"),
    )


def _object(parent: dict[str, Json], name: str) -> dict[str, Json]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise ValueError(f"{name!r} is no object")  # noqa: TRY004
    return value


def _text(parent: dict[str, Json], name: str) -> str:
    value = parent.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name!r} is no text")  # noqa: TRY004
    return value


def _natural(parent: dict[str, Json], name: str) -> int:
    found = naturals([parent.get(name)])
    if found is None:
        raise ValueError(f"{name!r} is no number from 0 to 2^63 - 1")
    return found[0]


def _hex(parent: dict[str, Json], name: str) -> bytes:
    text = _text(parent, name)
    value = bytes.fromhex(text)
    if len(value) != 32 or value.hex() != text:
        raise ValueError(f"{name!r} is no digest of 64 lower-case hexadecimal digits")
    return value


def _base64(parent: dict[str, Json], name: str) -> bytes:
    text = _text(parent, name)
    try:
        value = b64decode(text, validate=True)
    except binascii.Error:  # is a ValueError whose text speaks of padding
        value = b""
    if b64encode(value) != text.encode():
        raise ValueError(f"{name!r} is no canonical base64")
    return value
