"""One dependency that a manifest or a lock file names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from aibom.discovery.found import Text
from aibom.discovery.marked import Kind, Node, documents
from aibom.discovery.ml_packages import is_conda, is_javascript, is_python, normal, spacy_model
from aibom.discovery.targets import LOCATION_CHARS, Target, pinned
from aibom.domain.component import ComponentKind
from aibom.domain.errors import over_limit
from aibom.domain.ref import is_commit
from aibom.domain.reference import Flag

LINE_COUNT: Final = 500_000  # of one file
_REVISION_CHARS: Final = 200
_LINES = re.compile(r"\r\n|\r|\n")
_MARKS: Final = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Dependency:
    """A package by its name. `version` is None when it is one of several, or not said."""

    scheme: str  # pypi, npm, conda, or git with an address as the location
    name: str
    version: str | None
    line: int
    location: str | None = None  # where it is, when that is not the name


def decoded(data: bytes) -> str:
    """The text, whatever it is written in: `pip freeze >` of PowerShell writes UTF-16."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    return data.decode(encoding, "replace").removeprefix("\ufeff")


def lines(text: Text) -> Iterator[tuple[int, str]]:
    """Every line with its number. Raises limit."""
    found = _LINES.split(decoded(text.data))
    if len(found) > LINE_COUNT:
        raise over_limit(f"more than {LINE_COUNT} lines")
    return iter(enumerate(found, 1))


def document(text: Text, kind: Kind) -> Node:
    """The first document of the file; an empty mapping when there is none."""
    return next(iter(documents(text.data, kind=kind)), Node({}, 1, 1))


def library(dependency: Dependency) -> Target | None:
    """The package when it is one that loads, trains or serves models, or is one; else None."""
    model = spacy_model(dependency.name) if dependency.scheme == "pypi" else None
    if model is not None:
        dependency = replace(dependency, scheme="spacy", name=model)
    if not _known(dependency) or len(dependency.location or dependency.name) > LOCATION_CHARS:
        return None
    name = normal(dependency.name) if dependency.scheme == "pypi" else dependency.name
    version = dependency.version if len(dependency.version or "") <= _REVISION_CHARS else None
    # A branch or tag of a repository moves, a version of a package does not.
    exact = is_commit(version) if dependency.scheme == "git" else version is not None
    ref = pinned(dependency.scheme, dependency.location or name, version)
    return Target(ref=ref, flags=frozenset() if exact else frozenset({Flag.UNPINNED}))


def _known(dependency: Dependency) -> bool:
    if dependency.scheme == "spacy":
        return True
    if dependency.scheme == "npm":
        return is_javascript(dependency.name)
    return is_conda(dependency.name) if dependency.scheme == "conda" else is_python(dependency.name)


def kind_of(target: Target) -> ComponentKind:
    """A model of spaCy is installed like a library."""
    is_model = target.ref is not None and target.ref.scheme == "spacy"
    return ComponentKind.MODEL if is_model else ComponentKind.LIBRARY
