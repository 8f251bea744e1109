"""What loading a file would run, as properties of the file and of the component that it is part of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aibom.domain.content import Content
from aibom.domain.report import Report
from aibom.outputs.cdx.text import Json, prop, shown

_OBJECTIONS: Final = 50  # named per file; the findings name all of them
_VERDICT: Final = "aibom:content:verdict"


def content_properties(report: Report) -> Iterator[tuple[str, Json]]:
    """Properties by path of the file or id of the component, the verdict first."""
    for content in report.contents:
        for entry in _of_file(content):
            yield content.path, entry
    verdicts = {content.path: content.verdict for content in report.contents}
    for component in report.components:
        found = [verdicts[path] for path in component.files if path in verdicts]
        if found:
            yield component.id, prop(_VERDICT, max(found).label)


def _of_file(content: Content) -> Iterator[Json]:
    yield prop(_VERDICT, content.verdict.label)
    for pack in content.packs:
        yield prop("aibom:content:allowlist", shown(pack))
    for each in content.objections[:_OBJECTIONS]:
        kind = "dangerous" if each.dangerous else "unlisted"
        yield prop("aibom:content:objection", f"{kind}|{each.item.use.label}|{shown(each.item.name)}")
    for reason in content.unexamined:
        yield prop("aibom:content:unexamined", shown(reason))
