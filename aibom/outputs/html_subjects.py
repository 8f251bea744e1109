"""Which component a finding is about, and where that stands on the page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from aibom.domain.component import Component
from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report


class Subjects:
    """The components of a report by id and by path."""

    def __init__(self, report: Report) -> None:
        self._by_id = {component.id: component for component in report.components}
        self._owners: dict[str, Component] = {}
        for component in report.components:
            for path in component.files:
                self._owners.setdefault(path, component)
        self.anchors = {component.id: f"c{place}" for place, component in enumerate(report.components)}
        self._severities: dict[str, Counter[Severity]] = defaultdict(Counter)
        for finding in report.findings:
            subject = self.of(finding)
            if subject is not None and finding.counts:
                self._severities[subject.id][finding.severity] += 1

    def of(self, finding: Finding) -> Component | None:
        """The component that a finding names, or the first one that the path belongs to."""
        return self._by_id.get(finding.subject) or self._owners.get(finding.location.path)

    def owner(self, path: str) -> Component | None:
        return self._owners.get(path)

    def severities(self, component: Component) -> Mapping[Severity, int]:
        """How many findings count against a component, worst first."""
        found = self._severities.get(component.id, Counter())
        return {severity: found[severity] for severity in sorted(found, reverse=True)}
