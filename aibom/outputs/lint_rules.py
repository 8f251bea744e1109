"""The rules of `lint` that look at one object alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from aibom.domain.digest import HEX_CHARS
from aibom.outputs import licences, purl, taxonomy

Object: TypeAlias = dict[str, object]
Found: TypeAlias = Iterable[tuple[str, str, str]]  # code, key in the object, message
Rule: TypeAlias = Callable[[Object], Found]

DIGEST_CHARS: Final = {
    "MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128, "SHA3-256": 64, "SHA3-384": 96,
    "SHA3-512": 128, "BLAKE2b-256": 64, "BLAKE2b-384": 96, "BLAKE2b-512": 128, "BLAKE3": 64,
    "Streebog-256": 64, "Streebog-512": 128,
}  # fmt: skip

_MODEL_DIGEST = re.compile(r"v1:sha256:[0-9a-f]{64}\Z")
_HEX = re.compile(r"[0-9a-f]+\Z")
_HUB: Final = "pkg:huggingface/"

# Properties of our own that hold digests: an algorithm of `domain.digest`, or a model digest.
_OWN_DIGESTS: Final = {
    "aibom:file:unindexed-sha256": "sha256",
    "aibom:policy:sha256": "sha256",
    "aibom:model:digest": "model",
    "aibom:model:digest:anonymous": "model",
}
_GRADED: Final = ("aibom:digest:claimed:", "aibom:digest:chained:", "aibom:digest:computed:")
_WATCHED: Final = (taxonomy.PREFIX, *_GRADED, *_OWN_DIGESTS)


def _component(component: Object) -> Found:
    kind = component.get("type")
    if "modelCard" in component and kind != "machine-learning-model":
        yield "model-card-on-non-model", "modelCard", f"a model card on a component of type {kind!r}"
    if "data" in component and kind != "data":
        yield "data-on-non-data", "data", f"component data on a component of type {kind!r}"
    text = component.get("purl")
    if not isinstance(text, str):
        return
    wrong = purl.problem(text)
    if wrong is not None:
        yield "invalid-purl", "purl", wrong
    if text.startswith(_HUB):
        revision = re.split("[?#]", text, maxsplit=1)[0].rpartition("@")[2]
        for key, version in (("purl", revision), ("version", component.get("version"))):
            if isinstance(version, str) and purl.is_moving(version):
                yield "moving-version", key, f"{version!r} can point to other bytes tomorrow"


def _hash(entry: Object) -> Found:
    algorithm, content = entry.get("alg"), entry.get("content")
    if not isinstance(algorithm, str) or not isinstance(content, str):
        return ()
    chars = DIGEST_CHARS.get(algorithm, len(content))
    if len(content) == chars:
        return ()
    return [("digest-length", "content", f"{len(content)} characters, {algorithm} has {chars}")]


def _licence(entry: Object) -> Found:
    identifier = entry.get("id")
    if isinstance(identifier, str) and licences.unknown(identifier):
        yield "unknown-licence", "id", f"{identifier!r} is not on the SPDX list"


def _licence_choice(entry: Object) -> Found:
    expression = entry.get("expression")
    wrong = licences.expression_problem(expression) if isinstance(expression, str) else None
    if wrong is not None:
        yield "licence-expression", "expression", wrong


def _property(entry: Object) -> Found:
    name = entry.get("name")
    if not isinstance(name, str) or not name.startswith(_WATCHED):
        return ()
    if not taxonomy.is_official(name):
        return [("unofficial-property", "name", f"{name!r} is not in the CycloneDX property taxonomy")]
    kind = _OWN_DIGESTS.get(name)
    if name.startswith(_GRADED):
        kind = name.rpartition(":")[2]
    if kind is None or _is_digest(kind, entry.get("value")):
        return ()
    return [("malformed-digest", "value", f"not a {kind} digest")]


def _is_digest(kind: str, value: object) -> bool:
    if not isinstance(value, str):
        return False
    if kind == "model":
        return _MODEL_DIGEST.match(value) is not None
    return len(value) == HEX_CHARS.get(kind) and _HEX.match(value) is not None


# By the key that the object stands under, alone or in a list.
RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(("component", "components", "ancestors", "descendants", "variants"), _component),
    "license": _licence,
    "licenses": _licence_choice,
}
# The same for objects that hold nothing but text.
LEAF_RULES: Final[dict[str, Rule]] = {"hashes": _hash, "properties": _property}
