"""Headers that were read already in this run: the same weights lie in a thousand repositories."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from aibom.domain.entry import Entry
from aibom.domain.file import File
from aibom.domain.gap import Gap
from aibom.domain.target import Target

TENSORS_HELD_COUNT: Final = 1_000_000  # of all headers that are kept; the oldest give way
_HUB: Final = ("hf", "hf-dataset", "hf-space")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What the header of some bytes says, apart from where they lie."""

    file: File
    gaps: tuple[Gap, ...] = ()

    def at(self, entry: Entry) -> Description:
        """The same bytes in another place."""
        file = replace(self.file, entry=entry, digests=entry.claimed)
        return Description(file=file, gaps=tuple(replace(gap, path=entry.path) for gap in self.gaps))


class Described:
    """Thread-safe, for one run. Only what one registry claims to be the same bytes counts as the same:
    another one could lie about them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Description] = OrderedDict()
        self._tensors = 0

    def get(self, key: str | None) -> Description | None:
        if key is None:
            return None
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
            return found

    def put(self, key: str | None, description: Description) -> None:
        if key is None:
            return
        with self._lock:
            if key in self._known:
                return
            self._known[key] = description
            self._tensors += _weight(description)
            while self._tensors > TENSORS_HELD_COUNT:
                _, oldest = self._known.popitem(last=False)
                self._tensors -= _weight(oldest)


def key_of(entry: Entry, target: Target) -> str | None:
    """The registry, the digest that it claims, and the name, by which a format may be recognised."""
    claims = [digest.value for digest in entry.claimed if digest.algorithm == "sha256"]
    if not entry.header_only or target.ref is None or len(claims) != 1:
        return None
    scheme, place = target.ref.scheme, target.ref.location
    # One Hub serves a whole run. Anywhere else another owner, host or bucket could lie about the bytes.
    registry = "" if scheme in _HUB else place.partition("/")[0] if scheme == "oci" else place
    return "\0".join((scheme, registry, claims[0], entry.path.rpartition("/")[2]))


def _weight(description: Description) -> int:
    """In tensors, which take some 500 bytes each: what else a header says has to count as well."""
    facts = description.file.facts
    if facts is None:
        return 100
    text = sum(len(key) + len(value) for key, value in facts.metadata)
    others = len(facts.hazards) + len(facts.imports) + len(facts.nested) + len(description.gaps)
    return 100 + len(facts.tensors) + others + text // 500
