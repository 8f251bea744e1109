"""`aibom fingerprint`: look at the targets, and tell what became of the rows of data files alone."""

from __future__ import annotations

from dataclasses import replace

from aibom.domain.facts import FileKind
from aibom.domain.file import File
from aibom.domain.report import Report
from aibom.workflows.progress import Progress
from aibom.workflows.scan import ScanRequest, observe


def fingerprint(request: ScanRequest, progress: Progress | None = None) -> Report:
    """The report of a look at the rows; its gaps are those of data files and of what was not opened.

    Raises `UnreadableError` when a target does not exist.
    """
    report = observe(request, progress)
    others = {file.path for file in report.files if not _is_data(file)}
    return replace(report, gaps=tuple(gap for gap in report.gaps if gap.path not in others))


def _is_data(file: File) -> bool:
    return file.facts is not None and file.facts.kind is FileKind.DATA
