"""What Python code refers to, each reference as one line of text."""

from __future__ import annotations

from textwrap import dedent

from aibom.discovery import python
from aibom.discovery.found import Found, Text
from aibom.domain.reference import Reference

SHA = "0123456789abcdef0123456789abcdef01234567"


def shown(reference: Reference) -> str:
    """`kind scheme:location@revision#subpath flags`, with `?` for what is not resolved."""
    ref = reference.target
    if ref is None:
        target = "?"
    else:
        revision = f"@{ref.revision}" if ref.revision else ""
        subpath = f"#{ref.subpath}" if ref.subpath else ""
        target = f"{ref.scheme}:{ref.location}{revision}{subpath}"
    return " ".join([reference.kind, target, *sorted(reference.flags)])


def found(code: str, path: str = "app/main.py", beside: dict[str, str] | None = None) -> Found:
    """What is found in a file; `beside` are other files of the target by their paths."""
    files = {name: dedent(text).encode() for name, text in (beside or {}).items()}
    collected, data = Found(path=path), dedent(code).encode()
    python.discover(Text(path=path, data=data, beside=files.get), collected)
    # What the first look passes over is never found.
    assert python.hint(data) or not collected.references
    return collected


def told(code: str, path: str = "app/main.py", beside: dict[str, str] | None = None) -> list[str]:
    """The references of a file, in the order of its lines."""
    collected = found(code, path, beside)
    assert not collected.defects
    return [shown(reference) for reference in collected.references]


def models(argument: str, before: str = "", beside: dict[str, str] | None = None) -> list[str]:
    """What `argument` can be: the locations of what a loader of the Hub is given, `?` when unknown."""
    code = f"from transformers import AutoModel\n{dedent(before)}\nAutoModel.from_pretrained({argument})\n"
    references = found(code, beside=beside).references
    return ["?" if reference.target is None else reference.target.location for reference in references]
