"""What a component says it was made from. Said, not proven: every note tells so."""

from __future__ import annotations

from aibom.domain.component import Component, Relation, RelationKind
from aibom.domain.facts import Attribute
from aibom.outputs.cdx import refs
from aibom.outputs.cdx.index import TYPES, Index
from aibom.outputs.cdx.ledger import Ledger
from aibom.outputs.cdx.text import Json, present, prop, shown, title


def pedigree(subject: Component, index: Index, ledger: Ledger) -> Json:
    """The `pedigree`: one ancestor per relation."""
    ancestors: list[Json] = []
    notes: list[str] = []
    places: dict[str, int] = {}
    for relation in subject.relations:
        if relation.kind is RelationKind.ANCESTOR:
            ancestor = _ancestor(subject, relation, index)
            places.setdefault(str(ancestor["name"]), len(ancestors))
            ancestors.append(ancestor)
            said = f"declared by {shown(relation.source)}, not verified" if relation.source else "measured"
            notes.append(f"{ancestor['name']}: {said}")
    for claim in ledger.take(Attribute.BASE_MODEL):
        place = places.get(shown(claim.value.removeprefix(refs.HUB["hf"])))
        if place is None:
            ledger.keep(claim)
        else:
            ledger.cite(f"/pedigree/ancestors/{place}", claim)
    return present(ancestors=ancestors, notes="; ".join(dict.fromkeys(notes)))


def _ancestor(subject: Component, relation: Relation, index: Index) -> Json:
    """What the component says it was made from. It gets no bom-ref: it may be listed elsewhere."""
    known = index.by_id.get(relation.target_id or "")
    ref = known.ref if known else relation.target
    type_ = TYPES[known.kind if known else subject.kind]
    name = known.name if known else ref.location if ref else ""
    version = refs.version(known.version if known else None, ref)
    lineage = {
        "relation": relation.detail,
        "source": relation.source,
        "ref": refs.component_ref(known.id) if known else None,
    }
    return present(
        type="application" if type_ == "service" else type_,
        name=title(name),
        version=version,
        purl=refs.purl(ref),
        externalReferences=refs.external_references(ref, subject.kind),
        properties=[prop(f"aibom:lineage:{key}", shown(value)) for key, value in lineage.items() if value],
    )
