"""The manifest inside a model signature: which files, which bytes of them, with which digests.

Format: OpenSSF Model Signing (OMS) v1.0, github.com/ossf/model-signing-spec, sections 5 and 6, and
the predicate of model-transparency v0.2.0, whose files are the subjects.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby, pairwise
from typing import Final

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import MIB, PATH_DEPTH
from aibom.domain.signing import Manifest, Method, Resource
from aibom.readers.json import Json
from aibom.trust.dsse import STATEMENT
from aibom.trust.fields import Fields, canonical, parse

PAYLOAD_BYTES: Final = 48 * MIB
RESOURCE_COUNT: Final = 250_000
PAYLOAD_VALUE_COUNT: Final = 4 * RESOURCE_COUNT + 20_000
IGNORED_COUNT: Final = 10_000

PREDICATE: Final = "https://model_signing/signature/v1.0"
OLD_PREDICATE: Final = "https://model_signing/Digests/v0.1"
ALGORITHMS: Final = ("sha256", "blake2b", "blake3")

# A file name may hold colons: only the last two fields are the range. No sign, no leading zero, so
# that a range has one spelling.
_SHARD: Final = re.compile(r"(.+):(0|[1-9][0-9]{0,17}):([1-9][0-9]{0,17})", re.DOTALL | re.ASCII)
_WHOLE: Final = "."  # what model-signing calls the file when the model is one file


def read_manifest(payload: bytes) -> Manifest:
    """What a verified payload says about a model.

    Every name is relative and normalised, no name or range is there twice, and the ranges of a file
    cover it from its first byte to the end of the last one without a gap. How long the file is, and
    that files of no bytes are not listed with method `shards`, is for the comparison with the files.
    A model of one file is named after the model. Raises malformed, limit or unsupported.
    """
    statement = parse(payload, PAYLOAD_BYTES, PAYLOAD_VALUE_COUNT)
    predicate_type = statement.text("predicateType")
    if statement.text("_type") != STATEMENT or predicate_type not in (PREDICATE, OLD_PREDICATE):
        raise unsupported(
            f"{predicate_type[:120]!r} in {statement.text('_type')[:120]!r} is no model signature"
        )
    return _old_manifest(statement) if predicate_type == OLD_PREDICATE else _manifest(statement)


def _manifest(statement: Fields) -> Manifest:
    subjects = statement.sections("subject", RESOURCE_COUNT)
    if len(subjects) != 1:
        raise malformed(f"a model signature has one subject, not {len(subjects)}")
    name, root = subjects[0].text("name"), subjects[0].section("digest").digest("sha256", "sha256")
    predicate = statement.section("predicate")
    how = predicate.section("serialization")
    method, hash_type, shard_size = _method(how)
    listed = [
        _resource(entry, name, hash_type, shard_size)
        for entry in predicate.sections("resources", RESOURCE_COUNT)
    ]
    # In the order of the document: model-signing sorts by path component (`d/f` before `d.txt`), the
    # specification by code point, and both are signed as they stand.
    if _root(listed) != root:
        raise malformed("the digest of the subject is not that of the resources")
    ignored = how.texts("ignore_paths", IGNORED_COUNT)
    for path in ignored:
        _check_path(path, "predicate.serialization.ignore_paths[]", backslash=True)
    return Manifest(
        name=name,
        resources=_checked(listed, shard_size),
        method=method,
        hash_type=hash_type,
        shard_size=shard_size,
        allow_symlinks=how.flag("allow_symlinks"),
        ignore_paths=tuple(sorted(set(ignored))),
        root=root,
    )


def _method(how: Fields) -> tuple[Method, str, int | None]:
    method, hash_type = how.text("method"), how.text("hash_type")
    if method not in tuple(Method) or hash_type not in ALGORITHMS:
        raise unsupported(f"models cut into {method[:40]!r} and digested with {hash_type[:40]!r}")
    if (method == Method.SHARDS) != how.has("shard_size"):
        raise malformed("predicate.serialization has a shard_size exactly when the method is shards")
    return Method(method), hash_type, _shard_size(how) if method == Method.SHARDS else None


def _shard_size(how: Fields) -> int:
    size = how.value("shard_size")
    if isinstance(size, float) and size.is_integer():  # model-signing 1.1.1 writes 1000000000.0
        size = int(size)
    if type(size) is not int or not 0 < size < 2**53:
        raise malformed("predicate.serialization.shard_size is not a positive whole number")
    return size


def _resource(entry: Fields, model: str, hash_type: str, shard_size: int | None) -> Resource:
    name, algorithm = entry.text("name"), entry.text("algorithm")
    if algorithm not in (hash_type, _sharded(hash_type, shard_size)):
        raise malformed(
            f"{entry.path('algorithm')} is {algorithm[:40]!r}, the model is digested with {hash_type}"
        )
    start = end = None
    if shard_size is not None:
        shard = _SHARD.fullmatch(name)
        if shard is None:
            raise malformed(f"{entry.path('name')} does not end in the range of a shard")
        name, start, end = shard[1], int(shard[2]), int(shard[3])
    name = model if name == _WHOLE else name
    _check_path(name, entry.path("name"))
    return Resource(
        name=name, algorithm=hash_type, digest=entry.digest("digest", hash_type), start=start, end=end
    )


def _sharded(hash_type: str, shard_size: int | None) -> str:
    return hash_type if shard_size is None else f"{hash_type}-sharded-{shard_size}"


def _check_path(path: str, where: str, *, backslash: bool = False) -> None:
    """Raises malformed unless the path is relative, normalised, and a path below here on every system."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in path:
        raise malformed(f"{where} is not a normalised relative path: {path[:80]!r}")
    if "\\" in path and not backslash:
        raise malformed(f"{where} has a backslash, which other systems take for a separator: {path[:80]!r}")
    if len(parts) > PATH_DEPTH:
        raise over_limit(f"{where} is {len(parts)} levels deep, at most {PATH_DEPTH} are read")


def _checked(listed: list[Resource], shard_size: int | None) -> tuple[Resource, ...]:
    if not listed:
        raise malformed("a model signature without files")
    resources = sorted(listed, key=lambda resource: (resource.name, resource.start or 0))
    for before, after in pairwise(resources):
        if (before.name, before.start) == (after.name, after.start):
            raise malformed(f"{after.name[:80]!r} is listed twice")
    if shard_size is not None:
        for name, shards in groupby(resources, lambda resource: resource.name):
            _check_cover(name, list(shards), shard_size)
    return tuple(resources)


def _check_cover(name: str, shards: list[Resource], size: int) -> None:
    """Bytes between two shards would be signed by nobody, and still look verified."""
    for index, shard in enumerate(shards):
        start, end = shard.start or 0, shard.end or 0
        if start != index * size or not start < end <= start + size:
            raise malformed(f"bytes {start} to {end} of {name[:80]!r} are not shard {index} of {size} bytes")
        if end != start + size and index != len(shards) - 1:
            raise malformed(f"shard {index} of {name[:80]!r} is short and not the last")


def _old_manifest(statement: Fields) -> Manifest:
    listed = [_old_resource(subject) for subject in statement.sections("subject", RESOURCE_COUNT)]
    return Manifest(name="", resources=_checked(listed, None), predicate_type=OLD_PREDICATE)


def _old_resource(subject: Fields) -> Resource:
    kind = subject.optional("annotations").text("actual_hash_algorithm", "file-sha256")
    if kind != "file-sha256":  # shards and other digests, hidden under the name sha256
        raise unsupported(f"{subject.where} has a digest of kind {kind[:40]!r}")
    name = subject.text("name")
    if name != _WHOLE:  # which stays: a model of one file has no other name in this version
        _check_path(name, subject.path("name"))
    return Resource(
        name=name, algorithm="sha256", digest=subject.section("digest").digest("sha256", "sha256")
    )


def write_manifest(manifest: Manifest) -> bytes:
    """A statement v1 with predicate v1.0 to sign: the same manifest gives the same bytes.

    A model of one file may name its file `.`. Raises UnreadableError for what `read_manifest` would refuse.
    """
    resources = sorted(manifest.resources, key=_written_name)
    how: dict[str, Json] = {
        "method": manifest.method.value,
        "hash_type": manifest.hash_type,
        "allow_symlinks": manifest.allow_symlinks,
    }
    if manifest.shard_size is not None:
        how["shard_size"] = manifest.shard_size
    if manifest.ignore_paths:
        how["ignore_paths"] = list[Json](sorted(set(manifest.ignore_paths)))
    listed: list[Json] = [_written(resource, manifest.shard_size) for resource in resources]
    payload = canonical(
        {
            "_type": STATEMENT,
            "subject": [{"name": manifest.name, "digest": {"sha256": _root(resources)}}],
            "predicateType": PREDICATE,
            "predicate": {"resources": listed, "serialization": how},
        }
    )
    read_manifest(payload)
    return payload


def _written(resource: Resource, shard_size: int | None) -> Json:
    # The specification wants the plain algorithm for shards too. model-signing 1.1.1 compares this
    # text with its own name for a digest of a shard, and refuses every other one; files it calls by
    # the plain algorithm. Its `.` for a model of one file is in the same way the only name it takes.
    return {
        "name": _written_name(resource),
        "algorithm": _sharded(resource.algorithm, shard_size),
        "digest": resource.digest,
    }


def _written_name(resource: Resource) -> str:
    return resource.name if resource.start is None else f"{resource.name}:{resource.start}:{resource.end}"


def root_digest(resources: Iterable[Resource]) -> str:
    """SHA-256 over the raw digests, in the order in which they are written; hexadecimal.

    It does not cover names: alone it identifies no model (OMS v1.0, 6.5.1).
    """
    return _root(sorted(resources, key=_written_name))


def _root(resources: Iterable[Resource]) -> str:
    return hashlib.sha256(b"".join(bytes.fromhex(resource.digest) for resource in resources)).hexdigest()


def clashes(manifest: Manifest) -> tuple[tuple[str, ...], ...]:
    """Groups of names that are one file, with different bytes, where case or Unicode form do not count.

    Copied to such a file system, one takes the place of the other, and what is loaded as
    `config.json` may be what was signed as `Config.json`. Elsewhere they are two honest files
    (OMS v1.0, 6.1.2 compares bytes), so this is told and not refused.
    """
    contents: dict[str, list[tuple[int | None, str]]] = defaultdict(list)
    for resource in manifest.resources:
        contents[resource.name].append((resource.start, resource.digest))
    alike: dict[str, list[str]] = defaultdict(list)
    for name in contents:
        alike[_folded(name)].append(name)
    return tuple(
        tuple(sorted(names))
        for _, names in sorted(alike.items())
        if any(contents[name] != contents[names[0]] for name in names)
    )


def _folded(name: str) -> str:
    # Canonical caseless matching (Unicode, D145), which APFS and HFS+ use.
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
