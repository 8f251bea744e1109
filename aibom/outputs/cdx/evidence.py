"""Why a component carries its name, where it lies, and which code refers to it."""

from __future__ import annotations

from itertools import takewhile
from typing import Final

from aibom.domain.component import Component, IdentityBasis
from aibom.outputs.cdx import refs
from aibom.outputs.cdx.index import Index
from aibom.outputs.cdx.occurrences import occurrences
from aibom.outputs.cdx.text import Json, present, shown

# How sure an identity is, and by which of CycloneDX's techniques it was found.
_BASES: Final = {
    IdentityBasis.CONTENT_PROVEN: (1.0, "hash-comparison"),
    IdentityBasis.SIGNED: (0.9, "attestation"),
    IdentityBasis.DECLARED: (0.5, "manifest-analysis"),
    IdentityBasis.INFERRED: (0.3, "filename"),
}


def evidence(subject: Component, index: Index) -> Json:
    """The `evidence`; the confidence follows from the identity basis alone."""
    confidence, technique = _BASES[subject.basis]
    methods = [{"technique": technique, "confidence": confidence, "value": subject.basis.value}]
    values = {"name": subject.name, "purl": refs.purl(subject.ref)}
    identity = [
        {
            "field": field,
            "confidence": confidence,
            "concludedValue": shown(value),
            "methods": methods,
            "tools": [refs.TOOL],
        }
        for field, value in values.items()
        if value is not None
    ]
    own = [{"location": shown(_folder(subject.files)) or "."}] if subject.files else []
    uses = occurrences(index.uses.get(refs.component_ref(subject.id), []))
    return present(identity=identity, occurrences=own + uses)


def _folder(paths: tuple[str, ...]) -> str:
    """The path of a single file, else the innermost folder of all; the nested files say the rest."""
    first, last = min(paths).split("/"), max(paths).split("/")
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "/".join(part for part, _ in same)
