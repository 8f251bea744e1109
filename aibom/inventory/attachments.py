"""Tokenizers and remote code: components that models use."""

from __future__ import annotations

from aibom.domain.component import Component, ComponentKind, IdentityBasis
from aibom.domain.facts import Attribute
from aibom.domain.file import File
from aibom.inventory.claims import claims_of
from aibom.inventory.folders import Folder, name_of
from aibom.inventory.naming import component_id


def tokenizer(files: list[File], model: str) -> list[Component]:
    """The tokenizer that the files make up, or nothing."""
    return [_attached(ComponentKind.TOKENIZER, f"{model} tokenizer", files)] if files else []


def code(folder: Folder, model: str) -> list[Component]:
    """The Python files of the folder that its configurations name as code to run."""
    named = {
        value.rpartition("--")[2].partition(".")[0] + ".py"
        for file in folder.files
        if file.facts
        for value in file.facts.values(Attribute.REMOTE_CODE)
        if "--" not in value
    }
    files = [file for file in folder.files if name_of(file.path) in named]
    return [_attached(ComponentKind.CODE, f"{model} remote code", files)] if files else []


def _attached(kind: ComponentKind, name: str, files: list[File]) -> Component:
    return Component(
        id=component_id(kind, name, files),
        kind=kind,
        name=name,
        basis=IdentityBasis.INFERRED,
        files=tuple(sorted(file.path for file in files)),
        claims=claims_of(files),
    )
