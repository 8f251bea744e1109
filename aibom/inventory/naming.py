"""What a component is called, and by what evidence."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from aibom.domain.component import Claim, ComponentKind, IdentityBasis, Origin
from aibom.domain.facts import Attribute
from aibom.domain.file import File
from aibom.domain.ref import PinnedRef, Ref
from aibom.inventory.folders import Place, name_of

# The layout of the Hugging Face cache, wherever in the target it starts.
_SNAPSHOT = re.compile(
    r"(?:\A|.*/)(?P<kind>models|datasets|spaces)--(?P<name>[^/]+)/snapshots/(?P<commit>[0-9a-f]{40})(?:/|\Z)"
)
# What is left of it in the paths of a target that is one cached repository.
_SNAPSHOT_PREFIX = re.compile(r"\Asnapshots/[0-9a-f]{40}(?:/|\Z)")
_SCHEMES = {"models": "hf", "datasets": "hf-dataset", "spaces": "hf-space"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    name: str
    basis: IdentityBasis
    ref: Ref | None = None

    @property
    def version(self) -> str | None:
        return self.ref.revision if self.ref else None


def identity(
    folder: str, stem: str, claims: Iterable[Claim], place: Place, *, subpath: str | None = None
) -> Identity:
    """The place's own name, else what a header or card declares, else the file or folder name.

    What a configuration was loaded from (`_name_or_path`) and what a card calls the base never
    name the component: a fine-tune is not its base. `subpath` is the one file that is meant.
    """
    ref = _placed(folder, place, subpath)
    if ref is not None:
        return Identity(name=ref.location, basis=IdentityBasis.DECLARED, ref=ref)
    declared = _declared(claims, stem)
    if declared:
        return Identity(name=declared, basis=IdentityBasis.DECLARED)
    return Identity(name=stem or _folder_name(folder, place), basis=IdentityBasis.INFERRED)


def _placed(folder: str, place: Place, subpath: str | None) -> Ref | None:
    layout = _SNAPSHOT.match(folder)
    inside = folder[layout.end() :].strip("/") if layout else _SNAPSHOT_PREFIX.sub("", folder)
    below = "/".join(part for part in (inside, subpath) if part) or None
    if layout is not None:
        location = layout["name"].replace("--", "/", 1)
        return PinnedRef(
            scheme=_SCHEMES[layout["kind"]], location=location, revision=layout["commit"], subpath=below
        )
    if len(place.targets) == 1 and place.targets[0].ref is not None:
        ref = place.targets[0].ref
        if ref.scheme in _SCHEMES.values():
            return type(ref)(scheme=ref.scheme, location=ref.location, revision=ref.revision, subpath=below)
    return None


def _declared(claims: Iterable[Claim], stem: str) -> str | None:
    """A name from a header counts for its own file; one from a card for the whole folder."""
    for claim in claims:
        if claim.attribute is not Attribute.NAME or claim.statement.detail("origin") == "heading":
            continue
        if claim.origin is Origin.HEADER or not stem:
            return claim.value.strip()[:200] or None
    return None


def _folder_name(folder: str, place: Place) -> str:
    if folder:
        return name_of(folder)
    return place.targets[0].name if place.targets else "."


def component_id(kind: ComponentKind, name: str, files: Iterable[File], extra: str = "") -> str:
    """Stable for the same kind, name, paths and content; no time, no order, no machine."""
    lines = [f"{kind}\n{name}\n{extra}"]
    for file in sorted(files, key=lambda file: file.path):
        lines += (f"{d.algorithm}:{d.value}:{file.path}" for d in file.digests if d.algorithm == "sha256")
    digest = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kind}-{digest[:20]}"
