"""Which tensors of a weight file another one has too, and which not: by their digests, not their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from aibom.domain.difference import Change, ChangeClass
from aibom.domain.facts import Tensor
from aibom.domain.file import File

_KEYS_TOLD: Final = 5
_SHORT: Final = 12  # digits of a digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A tensor with the file that holds it."""

    tensor: Tensor
    digest: bytes | None
    file: File


# Tells how the numbers changed; "" when the bytes are not at hand.
Examine: TypeAlias = Callable[[Held, Held], str]


def held(files: Iterable[File]) -> dict[str, Held]:
    """The tensors of the files by name; the second of one name is called "name (2)"."""
    found: dict[str, Held] = {}
    counted: Counter[str] = Counter()
    for file in files:
        if file.facts is not None and file.tensor_digests:
            for tensor, digest in zip(file.facts.tensors, file.tensor_digests, strict=True):
                counted[tensor.name] += 1
                number = counted[tensor.name]
                name = tensor.name if number == 1 else f"{tensor.name} ({number})"
                found[name] = Held(tensor=tensor, digest=digest, file=file)
    return found


def tensor_changes(
    subject: str, old: dict[str, Held], new: dict[str, Held], examine: Examine
) -> Iterator[Change]:
    """One change for each tensor that is added, removed, renamed or other than it was."""
    renamed = _renamed(old, new)
    for was, becomes in renamed.items():
        yield _weights(f"{subject}: {becomes}", was, becomes, "tensor renamed")
    known = renamed.keys() | set(renamed.values())
    for name in sorted((old.keys() | new.keys()) - known):
        before, after = old.get(name), new.get(name)
        told = f"{subject}: {name}"
        if before is None and after is not None:
            yield _weights(told, "", _shape(after.tensor), "tensor added")
        elif after is None and before is not None:
            yield _weights(told, _shape(before.tensor), "", "tensor removed")
        elif before is not None and after is not None:
            yield from _compared(told, before, after, examine)


def _renamed(old: dict[str, Held], new: dict[str, Held]) -> dict[str, str]:
    """Tensors of one content that is there once on each side, under different names."""
    left, come = _alone(old, new), _alone(new, old)
    return {left[key]: come[key] for key in sorted(left.keys() & come.keys())}


def _alone(here: dict[str, Held], there: dict[str, Held]) -> dict[tuple[bytes, str], str]:
    """Names that are on this side only, by a content that no other of them has."""
    found: dict[tuple[bytes, str], list[str]] = {}
    for name in sorted(here.keys() - there.keys()):
        digest = here[name].digest
        if digest is not None and here[name].tensor.length:
            found.setdefault((digest, _shape(here[name].tensor)), []).append(name)
    return {key: names[0] for key, names in found.items() if len(names) == 1}


def _compared(subject: str, old: Held, new: Held, examine: Examine) -> Iterator[Change]:
    shapes = _shape(old.tensor), _shape(new.tensor)
    if shapes[0] != shapes[1]:
        yield _weights(subject, *shapes, examine(old, new) or _outline(old.tensor, new.tensor))
    elif old.digest is None or new.digest is None:
        detail = f"not compared: {old.tensor.layout} and {new.tensor.layout} bytes have no digest"
        yield _weights(subject, *shapes, detail)
    elif old.digest != new.digest:
        detail = examine(old, new) or "other values"
        yield _weights(subject, old.digest.hex()[:_SHORT], new.digest.hex()[:_SHORT], detail)


def _outline(old: Tensor, new: Tensor) -> str:
    return "other shape" if old.shape != new.shape else "other dtype"


def _shape(tensor: Tensor) -> str:
    return f"{tensor.dtype} [{', '.join(map(str, tensor.shape))}]"


def _weights(subject: str, old: str, new: str, detail: str) -> Change:
    return Change(kind=ChangeClass.WEIGHTS, subject=subject, old=old, new=new, detail=detail)


def surplus_changes(subject: str, old: File, new: File) -> Iterator[Change]:
    """What two weight files differ in besides their tensors: unexplained bytes and the header's texts."""
    before, after = old.unindexed, new.unindexed
    if before is not None and after is not None and before != after:
        counts = f"{before.bytes:,} bytes", f"{after.bytes:,} bytes"
        yield _weights(subject, *counts, "unindexed bytes")
    keys = metadata_keys(old, new)
    if keys:
        yield _weights(subject, "", "", f"metadata: {keys}")


def metadata_keys(old: File, new: File) -> str:
    """The names of the header entries that differ."""
    names = sorted({name for name, _ in _header(old) ^ _header(new)})
    more = f" and {len(names) - _KEYS_TOLD} more" if len(names) > _KEYS_TOLD else ""
    return ", ".join(names[:_KEYS_TOLD]) + more


def _header(file: File) -> set[tuple[str, str]]:
    if file.facts is None:
        return set()
    named = ((each.pointer.rpartition("/")[2] or str(each.attribute), each) for each in file.facts.statements)
    stated = ((name, each.value) for name, each in named)
    return {*file.facts.metadata, *stated}


def is_explained(file: File) -> bool:
    """True when tensors, header and a digest of the rest account for every byte."""
    return is_read(file) and file.unindexed is not None and None not in file.tensor_digests


def is_read(file: File) -> bool:
    """True when the header was read and tensors were found."""
    facts = file.facts
    return facts is not None and not facts.unread and bool(facts.tensors) and bool(file.tensor_digests)
