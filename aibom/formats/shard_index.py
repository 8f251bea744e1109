"""*.index.json: which shard of a split checkpoint holds which tensor.

Format: huggingface/transformers and huggingface_hub `serialization` (`weight_map`, `metadata`).
"""

from __future__ import annotations

import re
from typing import Final

from aibom.domain.entry import check_relative
from aibom.domain.errors import Reason, malformed, over_limit
from aibom.domain.facts import Attribute, Facts, FileKind
from aibom.domain.limits import MIB, TENSOR_COUNT
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._document import Collector, metadata, natural, opens_with, place, whole
from aibom.readers import json, json_members
from aibom.readers.json import Json
from aibom.readers.json_members import Member

INDEX_BYTES: Final = 24 * MIB  # 100,000 tensors at 240 bytes; the largest known has 9 MB
SHARD_COUNT: Final = 10_000
METADATA_BYTES: Final = 1 * MIB

_DRIVE = re.compile(r"\A[A-Za-z]:")


def recognise(probe: Probe) -> Match:
    """A JSON object with a weight map, or the name that the libraries give to one."""
    if not probe.named(".json") or not opens_with(probe, b"{"):
        return Match.NAME if probe.named(".index.json") else Match.NO
    if b'"weight_map"' in probe.head:
        return Match.CONTENT
    return Match.NAME if ".index." in probe.name.lower() else Match.NO


def read(probe: Probe) -> Facts:
    """The shards by name and the totals that the index claims. Raises `UnreadableError`."""
    data = whole(probe, INDEX_BYTES)
    root = json_members.index(data)
    if "weight_map" not in root:
        raise malformed("the index has no weight_map", 0)
    found = Collector()
    tensors, shards = _shards(found, data, root["weight_map"])
    totals = _totals(data, root.get("metadata"))
    parameters = natural(totals.get("total_parameters"))
    if parameters is not None:
        at = place("metadata", "total_parameters")
        found.add(Attribute.PARAMETER_COUNT, str(parameters), at)
    return found.facts(
        FORMAT.name,
        FileKind.INDEX,
        metadata=(("tensors", str(tensors)), *metadata(totals, "total_size", "total_parameters")),
        shards=shards,
    )


def _shards(found: Collector, data: bytes, weight_map: Member) -> tuple[int, tuple[str, ...]]:
    """The number of tensors and the distinct names of the files that hold them, sorted."""
    tensors: set[bytes] = set()
    raw: dict[bytes, int] = {}
    for member in json_members.members(data, weight_map.start):
        if not member.raw_key or data[member.start] != ord('"'):
            raise malformed("weight_map does not map tensors to file names", member.start)
        if member.raw_key in tensors:
            raise malformed(f"the tensor {member.key[:80]!r} is mapped twice", member.start)
        tensors.add(member.raw_key)
        raw.setdefault(data[member.start : member.end], member.start)
        if len(tensors) > TENSOR_COUNT or len(raw) > SHARD_COUNT:
            limits = f"{TENSOR_COUNT} tensors or {SHARD_COUNT} shards"
            raise over_limit(f"the index names more than {limits}", member.start)
    names = {str(json.parse(value, offset=offset)) for value, offset in raw.items()}
    return len(tensors), tuple(name for name in sorted(names) if _inside(found, name))


def _inside(found: Collector, name: str) -> bool:
    """True unless a loader would leave the folder, on any system, to open this shard."""
    try:
        check_relative(_DRIVE.sub("/", name.replace("\\", "/")))
    except ValueError:
        found.reject(f"the index names the shard {name[:200]!r}", Reason.OUTSIDE_TARGET)
        return False
    return True


def _totals(data: bytes, member: Member | None) -> dict[str, Json]:
    if member is None or member.end - member.start > METADATA_BYTES:
        return {}
    return json.members(json.parse(data[member.start : member.end], offset=member.start, values=10_000))


FORMAT = Format(
    name="shard-index",
    title="Shard index",
    kind=FileKind.INDEX,
    suffixes=(".index.json",),
    recognise=recognise,
    read=read,
    media_type="application/json",
)
