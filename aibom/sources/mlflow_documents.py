"""Documents beside a model of MLflow: artifacts of their own, and a tag with the digest of the BOM.

MLflow has no conditional writes. What was written is read again, so that a publisher who was overwritten
at the same time is told. Tags can be changed by many: the signature is what decides, the tag is a hint.
"""

from __future__ import annotations

import hashlib
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, unsupported
from aibom.domain.publication import Attached, DocumentKind, WriteState, Written, document_kind
from aibom.domain.text import visible
from aibom.sources import beside
from aibom.sources.mlflow_artifacts import Artifacts
from aibom.sources.mlflow_server import Item

TRY_COUNT: Final = 5
TAG: Final = "aibom.bom.sha256"


def attached(artifacts: Artifacts) -> tuple[Attached, ...]:
    """The documents beside the model, by name."""
    there = _files(artifacts)
    names = beside.chosen([name for name in there if name.isprintable()], artifacts.only)
    found = (beside.attached(name, _bytes(artifacts, there[name])) for name in names)
    return beside.together(found)


def check_tag(artifacts: Artifacts, found: tuple[Attached, ...]) -> None:
    """Raises changed when the tag names a BOM, there are some, and it is none of them."""
    boms = {hashlib.sha256(each.data).hexdigest() for each in found if each.kind is DocumentKind.BOM}
    tagged = dict(artifacts.tags).get(TAG)
    if tagged and boms and tagged not in boms:
        message = f"the bill of materials beside the model is not the one that the tag {TAG} names"
        raise UnreadableError(Reason.CHANGED, message)


def check(artifacts: Artifacts, documents: tuple[Attached, ...], *, pull_request: bool) -> None:
    """That the documents can be written at all, before the first one is."""
    if pull_request:
        raise unsupported("MLflow has no pull requests")
    beside.check_names(documents, artifacts.only)
    there = _files(artifacts)
    for document in documents:
        if document.name in there:
            old = _bytes(artifacts, there[document.name])
            if old != document.data:
                beside.check_replaceable(document.name, document.kind, old)


def written(artifacts: Artifacts, documents: tuple[Attached, ...], *, dry_run: bool) -> tuple[Written, ...]:
    """Writes what is not there already. Raises `UnreadableError`."""
    return tuple(_written(artifacts, document, dry_run=dry_run) for document in documents)


def _written(artifacts: Artifacts, document: Attached, *, dry_run: bool) -> Written:
    state = WriteState.UNCHANGED
    for _ in range(TRY_COUNT):
        there = _files(artifacts).get(document.name)
        old = None if there is None else _bytes(artifacts, there)
        if old == document.data:
            break
        if old is not None:  # also what somebody else has written meanwhile
            beside.check_replaceable(document.name, document.kind, old)
        state = WriteState.PLANNED if dry_run else WriteState.WRITTEN
        if dry_run:
            break
        artifacts.store.put(document.name, document.data)
    else:
        message = f"{document.name} was overwritten by somebody else, {TRY_COUNT} times"
        raise UnreadableError(Reason.CHANGED, message)
    return Written(
        name=document.name,
        place=f"{_place(artifacts)}/{document.name}",
        sha256=hashlib.sha256(document.data).hexdigest(),
        state=state,
    )


def tag(artifacts: Artifacts, documents: tuple[Attached, ...], *, dry_run: bool) -> tuple[str, ...]:
    """Sets the tag of the model version, logged model or run; says what became of it."""
    bom = next((each for each in documents if each.kind is DocumentKind.BOM), None)
    if bom is None:
        return ()
    digest = hashlib.sha256(bom.data).hexdigest()
    if dict(artifacts.tags).get(TAG) == digest:
        return (f"the tag {TAG} names this bill of materials already",)
    if dry_run:
        return (f"the tag {TAG} would be set to {digest}",)
    pair = {"key": TAG, "value": digest}
    server = artifacts.server
    if artifacts.version:
        body = {"name": artifacts.name, "version": artifacts.version, **pair}
        server.tell("this model version", "model-versions/set-tag", body)
    elif artifacts.logged:
        path = f"logged-models/{artifacts.logged}/tags"
        server.tell("this logged model", path, {"tags": [pair]}, method="PATCH")
    else:
        server.tell("this run", "runs/set-tag", {"run_id": artifacts.run, **pair})
    return (f"the tag {TAG} is set to {digest}",)


def _place(artifacts: Artifacts) -> str:
    if artifacts.version:
        return f"models:/{visible(artifacts.name)}/{artifacts.version}"
    return (
        f"models:/{artifacts.logged}" if artifacts.logged else f"runs:/{artifacts.run}/{artifacts.store.root}"
    )


def _files(artifacts: Artifacts) -> dict[str, Item]:
    """What lies in the top folder, by name."""
    found: dict[str, Item] = {}
    for item in artifacts.store.listed(""):
        if item.name in found:
            raise malformed("the MLflow server lists a name twice")
        found[item.name] = item
    return found


def _bytes(artifacts: Artifacts, item: Item) -> bytes:
    kind = document_kind(item.name) or DocumentKind.SIGNATURE
    url = artifacts.store.url(item.name)
    size = item.size if item.size is not None or item.is_folder else artifacts.server.size(url)
    if size is None or size > beside.most_bytes(kind):
        raise over_limit(f"{visible(item.name)!r} is no document, or one that is too large")
    return artifacts.server.part(url, 0, size, "", size).data if size else b""
