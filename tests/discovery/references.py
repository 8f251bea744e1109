"""References of a text in a short form, so that a table of them can be read."""

from __future__ import annotations

from aibom.discovery.found import Discoverer, Found, Text
from aibom.domain.reference import Reference


def found_in(discoverer: Discoverer, path: str, data: str | bytes) -> Found:
    """What one discoverer finds in a file that it wants and that its cheap look lets through."""
    raw = data.encode() if isinstance(data, str) else data
    found = Found(path=path)
    if discoverer.wants(path) and discoverer.hint(raw):
        discoverer.discover(Text(path=path, data=raw), found)
    return found


def short(reference: Reference) -> str:
    """`3 model hf:org/name@revision#file unpinned`; `?` stands for what was not resolved."""
    ref = reference.target
    where = "?" if ref is None else f"{ref.scheme}:{ref.location}"
    if ref is not None:
        where += f"@{ref.revision}" if ref.revision else ""
        where += f"#{ref.subpath}" if ref.subpath else ""
    flags = " ".join(sorted(flag.value for flag in reference.flags))
    return f"{reference.location.line} {reference.kind.value} {where} {flags}".rstrip()


def told(discoverer: Discoverer, path: str, data: str | bytes) -> list[str]:
    """Every reference in short, in order of the lines."""
    found = found_in(discoverer, path, data)
    references = sorted(found.references, key=lambda one: (one.location.line or 0, one.location.column or 0))
    return [short(reference) for reference in references]
