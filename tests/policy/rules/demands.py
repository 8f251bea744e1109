"""One section of a policy against one small report, in one line each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import (
    Claim,
    Component,
    ComponentKind,
    IdentityBasis,
    Origin,
    Relation,
    RelationKind,
)
from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, Statement
from aibom.domain.finding import Finding
from aibom.domain.gap import Gap, Stage
from aibom.domain.ref import Ref
from aibom.domain.report import Report
from aibom.policy import REQUIREMENTS, PolicyError, evaluate, parse_policy
from tests.builders import report, weights

TODAY = date(2026, 3, 1)
COMMIT = "0123456789abcdef" * 2 + "01234567"
PURL = f"pkg:huggingface/acme/m@{COMMIT}"
MODEL, ADAPTER, DATASET = ComponentKind.MODEL, ComponentKind.ADAPTER, ComponentKind.DATASET
PATH = "m/model.safetensors"
IDS = {requirement.id for requirement in REQUIREMENTS}

Unmet = list[tuple[str, bool]]
MET: Unmet = []


def model(**parts: object) -> Component:
    """A model of one file, from a commit of the Hub."""
    given: dict[str, object] = {
        "id": "model-1",
        "kind": MODEL,
        "name": "acme/m",
        "basis": IdentityBasis.DECLARED,
        "stated_purl": PURL,
        "files": (PATH,),
    }
    return Component(**(given | parts))  # type: ignore[arg-type]


def estate(*components: Component, **parts: object) -> Report:
    """A report with these components and a weight file for each of their paths."""
    paths = sorted({path for component in components for path in component.files})
    return report(components=components, **({"files": tuple(map(weights, paths))} | parts))


def claim(attribute: Attribute, value: str, **details: str) -> Claim:
    statement = Statement(attribute=attribute, value=value, details=tuple(details.items()))
    return Claim(statement=statement, origin=Origin.CARD, source="README.md")


def arrow(kind: RelationKind, target: str, revision: str | None = None) -> Relation:
    """To `scheme location`, or to the id of a component."""
    scheme, _, location = target.partition(" ")
    if not location:
        return Relation(kind=kind, target_id=target)
    return Relation(kind=kind, target=Ref(scheme=scheme, location=location, revision=revision))


def check(kind: CheckKind, outcome: Outcome, identity: str = "", **parts: str) -> Check:
    return Check(subject="model-1", kind=kind, outcome=outcome, identity=identity, **parts)


def gap(path: str, stage: Stage = Stage.READ) -> Gap:
    return Gap(path=path, stage=stage, reason=Reason.TRUNCATED, detail="it ends too early")


def findings(section: str, judged: Report, today: date = TODAY) -> list[Finding]:
    policy = parse_policy(f"version: 1\nname: n\n{section}\n".encode(), document="p.yaml")
    return [each for each in evaluate(policy, judged, today).findings if each.rule in IDS]


def unmet(section: str, judged: Report, today: date = TODAY) -> Unmet:
    """What was found for each objection, and whether it is decided."""
    return [(each.found, each.decided) for each in findings(section, judged, today)]


def refused(section: str, words: str) -> None:
    """The settings are an error, which says where it stands."""
    with pytest.raises(PolicyError, match=rf"p\.yaml:[0-9]+:[0-9]+: .*{words}"):
        parse_policy(f"version: 1\nname: n\n{section}\n".encode(), document="p.yaml")


__all__ = [
    "ADAPTER", "COMMIT", "DATASET", "MET", "MODEL", "PATH", "PURL", "TODAY", "Unmet", "arrow", "check",
    "claim", "estate", "findings", "gap", "model", "refused", "replace", "unmet",
]  # fmt: skip
