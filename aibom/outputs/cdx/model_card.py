"""The `modelCard` of a model or adapter."""

from __future__ import annotations

from aibom.domain.component import Claim, Component, RelationKind
from aibom.domain.facts import Attribute
from aibom.outputs.cdx.index import Index
from aibom.outputs.cdx.ledger import Ledger
from aibom.outputs.cdx.refs import HUB
from aibom.outputs.cdx.text import Json, present, prop, shown, title
from aibom.outputs.taxonomy import PREFIX, hyperparameter

_PARAMETERS = "/modelCard/modelParameters"
_CONSIDERATIONS = "/modelCard/considerations"

_UNITS = ((10**12, "T"), (10**9, "B"), (10**6, "M"))


def model_card(component: Component, ledger: Ledger, index: Index) -> Json:
    """What the card, the configuration and the headers say about the model."""
    return present(
        modelParameters=present(
            task=ledger.single(Attribute.TASK, f"{_PARAMETERS}/task"),
            architectureFamily=ledger.single(Attribute.MODEL_TYPE, f"{_PARAMETERS}/architectureFamily"),
            modelArchitecture=ledger.single(Attribute.ARCHITECTURE, f"{_PARAMETERS}/modelArchitecture"),
            datasets=_datasets(component, ledger, index),
            inputs=ledger.each(Attribute.INPUT, f"{_PARAMETERS}/inputs", _format),
            outputs=ledger.each(Attribute.OUTPUT, f"{_PARAMETERS}/outputs", _format),
        ),
        quantitativeAnalysis=present(
            performanceMetrics=ledger.each(
                Attribute.METRIC, "/modelCard/quantitativeAnalysis/performanceMetrics", _metric
            )
        ),
        considerations=present(
            useCases=ledger.texts(Attribute.INTENDED_USE, f"{_CONSIDERATIONS}/useCases"),
            technicalLimitations=ledger.texts(
                Attribute.LIMITATION, f"{_CONSIDERATIONS}/technicalLimitations"
            ),
            # Grams alone cannot be an `energyConsumption`, which needs the energy itself.
            environmentalConsiderations=present(
                properties=ledger.each(
                    Attribute.CO2_GRAMS,
                    f"{_CONSIDERATIONS}/environmentalConsiderations/properties",
                    lambda claim: prop("aibom:co2-grams", shown(claim.value)),
                )
            ),
        ),
        properties=_properties(component, ledger),
    )


def short_count(count: int) -> str:
    """The usual way to write a number of parameters: 7B, 1.7M, 1T; plain below a million."""
    for unit, letter in _UNITS:
        if count >= unit:
            whole, tenth = divmod((count * 10 + unit // 2) // unit, 10)
            return f"{whole}.{tenth}{letter}" if tenth else f"{whole}{letter}"
    return str(count)


def _datasets(component: Component, ledger: Ledger, index: Index) -> list[Json]:
    """References to the data components, then the names that no component stands for."""
    entries: list[Json] = []
    places: dict[str, int] = {}  # by bom-ref and by name
    for relation in component.relations:
        ref = index.target(relation) if relation.kind is RelationKind.TRAINED_ON else None
        if ref is None:
            continue
        if ref not in places:
            places[ref] = len(entries)
            entries.append({"ref": ref})
        known = index.by_id.get(relation.target_id or "")
        name = known.name if known else relation.target.location if relation.target else ""
        places.setdefault(name, places[ref])
    for claim in ledger.take(Attribute.DATASET):
        name = claim.value.removeprefix(HUB["hf-dataset"]).rstrip("/")
        if name not in places:
            places[name] = len(entries)
            entries.append({"type": "dataset", "name": title(name)})
        ledger.cite(f"{_PARAMETERS}/datasets/{places[name]}", claim)
    return entries


def _format(claim: Claim) -> Json:
    return {"format": shown(claim.value)}


def _metric(claim: Claim) -> Json:
    """Every member is a string by the schema, numbers too."""
    statement = claim.statement
    slices = [text for key in ("dataset", "split") if (text := statement.detail(key))]
    return present(
        type=shown(statement.detail("metric") or "metric"),
        value=shown(claim.value),
        slice=shown(" ".join(slices)),
    )


def _properties(component: Component, ledger: Ledger) -> list[Json]:
    properties: list[Json] = []
    if component.parameter_count is not None:
        properties.append(prop(f"{PREFIX}model:parameter:count", short_count(component.parameter_count)))
    named = {
        Attribute.TUNING_METHOD: f"{PREFIX}model:parameter:tune_method",
        Attribute.QUANTISATION: hyperparameter("quantization"),
        Attribute.TOKENIZER_CLASS: hyperparameter("tokenizer_class"),
        Attribute.VOCABULARY_SIZE: hyperparameter("vocab_size"),
    }
    for attribute, name in named.items():
        value = ledger.single(attribute, f"/modelCard/properties/{len(properties)}")
        if value is not None:
            properties.append(prop(name, value))
    _hyperparameters(ledger, properties)
    return properties


def _hyperparameters(ledger: Ledger, properties: list[Json]) -> None:
    """Each name once, by the most trusted claim; the others are kept as opposing ones."""
    first: dict[str, tuple[Claim, int]] = {}
    taken = {str(entry["name"]) for entry in properties}
    for claim in ledger.take(Attribute.HYPERPARAMETER):
        name = hyperparameter(shown(claim.statement.detail("name") or "unnamed"))
        if name in taken:
            ledger.keep(claim)
        elif name not in first:
            first[name] = (claim, len(properties))
            properties.append(prop(name, shown(claim.value)))
        elif claim.value != first[name][0].value:
            ledger.oppose(claim, first[name][0])
            continue
        if name in first:
            ledger.cite(f"/modelCard/properties/{first[name][1]}", claim)
