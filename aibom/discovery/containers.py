"""Containers as YAML describes them: image, command, arguments, environment. For several dialects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aibom.discovery.commands import Commands
from aibom.discovery.fetchers import artifact, pulled
from aibom.discovery.found import Found, Text
from aibom.discovery.loaders.registries import mlflow
from aibom.discovery.marked import Node
from aibom.discovery.shell_words import Lexer, Word
from aibom.discovery.targets import Target, address, hub, local, pinned
from aibom.domain.component import ComponentKind
from aibom.domain.ref import Ref
from aibom.domain.reference import Flag
from aibom.readers.marks import UNKNOWN

_PLACE_CHARS: Final = 1_000


def commands_of(text: Text, found: Found) -> Commands:
    """Commands for a file whose scripts stand in texts of YAML or JSON."""
    return Commands(found, {}, source=text.data.decode("utf-8", "replace").split("\n"))


def word(node: Node) -> Word | None:
    """A scalar as a word with its place; None for lists, mappings and null."""
    value = node.value
    if value is None or isinstance(value, (list, dict)):
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return Word(text, node.text_line, None if node.block else node.column, node.span)


def words(node: Node | None) -> list[Word]:
    """A command: its words as a list, or one text."""
    return (
        [one for item in node.items or [node] if (one := word(item)) is not None] if node is not None else []
    )


def split(one: Word, variables: dict[str, str]) -> list[Word]:
    """A command that is one text, as words."""
    lexer = Lexer(one.text, variables, one.line, one.span)
    return [part for simple in lexer.commands() for part in simple.words]


def pairs(node: Node | None) -> dict[str, Word]:
    """Variables: a mapping, a list of `name=value`, or a list of mappings with `name` and `value`."""
    found: dict[str, Word] = {}
    if node is None:
        return found
    for name, value in node.members.items():
        # GitLab describes a variable beside its value.
        one = word(value.get("value") or value)
        if one is not None:
            found[name] = one
    for item in node.items:
        found.update(_pair(item))
    return found


def _pair(item: Node) -> Iterator[tuple[str, Word]]:
    name = item.text("name")
    if isinstance(item.value, str):
        name, given, value = item.value.partition("=")
        if given:
            yield name, Word(value, item.line, item.column)
    elif name is not None:
        value_node = item.get("value") or item.get("default")
        one = word(value_node) if value_node is not None else None
        if one is not None:
            yield name, one


def image_of(node: Node | None) -> Word | None:
    """`image: name`, or `image: {registry, repository, tag, digest}` as charts write it."""
    if node is None:
        return None
    if isinstance(node.value, str):
        return word(node)
    repository = node.get("repository") or node.get("name")
    if repository is None or not isinstance(repository.value, str):
        return None
    registry = node.text("registry")
    name = f"{registry}/{repository.value}" if registry else repository.value
    tag = node.get("tag") or node.get("newTag")
    given = word(tag) if tag is not None else None
    digest = node.text("digest")
    full = (
        f"{name}@{digest}" if digest else f"{name}:{given.text}" if given is not None and given.text else name
    )
    return Word(full, repository.line, repository.column)


def stored(place: str, kind: ComponentKind = ComponentKind.MODEL) -> Target | None:
    """A place in a store, as serving platforms write it: `hf://`, `oci://`, `pvc://`, `s3://` ..."""
    try:
        return _stored(place.strip(), kind) if UNKNOWN not in place and len(place) <= _PLACE_CHARS else None
    except ValueError:
        return None  # an address that is none


def _stored(place: str, kind: ComponentKind) -> Target | None:
    scheme, found, rest = place.partition("://")
    if place.startswith(("models:/", "runs:/")):
        return mlflow(place)
    if not found or not rest:
        return None
    if scheme in ("hf", "huggingface"):
        name, _, revision = rest.partition(":")
        name, _, other = name.partition("@")
        on_hub = "hf-dataset" if kind is ComponentKind.DATASET else "hf"
        return hub(name.removeprefix("datasets/").strip("/"), revision or other or None, scheme=on_hub)
    if scheme == "ollama":
        return pulled(rest)
    if scheme in ("oci", "docker", "modelcar"):
        return artifact(rest)
    if scheme == "pvc":
        return Target(ref=Ref(scheme="pvc", location=rest), flags=frozenset({Flag.LOCAL_PATH}))
    if scheme in ("ms", "modelscope"):
        return Target(ref=pinned("modelscope", rest, None), flags=frozenset({Flag.UNPINNED}))
    return local(rest) if scheme == "file" else address(place)
