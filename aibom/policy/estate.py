"""The report as requirements ask it: by component, with its files, checks and contents at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from aibom.domain.check import Check, CheckKind
from aibom.domain.component import Component
from aibom.domain.content import Content
from aibom.domain.file import File
from aibom.domain.report import Report


class Estate:
    """Everything that was found, with indexes, on the day of the judgement."""

    def __init__(self, report: Report, today: date) -> None:
        self.report = report
        self.today = today

    @cached_property
    def subjects(self) -> Sequence[Subject]:
        """Every component, in the order of the report."""
        return [Subject(component, self) for component in self.report.components]

    @cached_property
    def files(self) -> Mapping[str, File]:
        return {file.path: file for file in self.report.files}

    @cached_property
    def components(self) -> Mapping[str, Component]:
        return {component.id: component for component in self.report.components}

    @cached_property
    def contents(self) -> Mapping[str, Content]:
        return {content.path: content for content in self.report.contents}

    @cached_property
    def owners(self) -> Mapping[str, Component]:
        """The first component that a file belongs to, by path."""
        found: dict[str, Component] = {}
        for component in self.report.components:
            for path in component.files:
                found.setdefault(path, component)
        return found

    @cached_property
    def _checks(self) -> Mapping[str, list[Check]]:
        found: dict[str, list[Check]] = {}
        for check in self.report.checks:
            found.setdefault(check.subject, []).append(check)
        return found

    def checks(self, subject: str, kind: CheckKind) -> list[Check]:
        return [check for check in self._checks.get(subject, ()) if check.kind is kind]


@dataclass(frozen=True, slots=True)
class Subject:
    """One component, and the estate that it stands in."""

    component: Component
    estate: Estate

    @property
    def files(self) -> list[File]:
        """Those of its files that were looked at."""
        known = self.estate.files
        return [known[path] for path in self.component.files if path in known]

    @property
    def where(self) -> str:
        """The path that a finding about the component points to."""
        return self.component.files[0] if self.component.files else self.component.name

    def checks(self, kind: CheckKind) -> list[Check]:
        return self.estate.checks(self.component.id, kind)
