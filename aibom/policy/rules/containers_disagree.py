"""containers-disagree: the same model in two containers, with different weights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from aibom.domain.component import Component
from aibom.domain.file import File
from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation

_VIOLATION = Violation(
    rule="containers-disagree",
    severity=Severity.HIGH,
    remedy="decide which container is the reviewed one and delete the other",
)


def check(report: Report) -> Iterator[Finding]:
    files = {file.path: file for file in report.files}
    for component in report.components:
        containers = _containers(component, files)
        for (first, ours), (second, theirs) in pairwise(sorted(containers.items())):
            differing = sorted(name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name])
            if differing:
                yield _VIOLATION.at(
                    component.files[0],
                    f"{component.name}: {len(differing)} tensors differ between its {first} and its {second} "
                    f"files, the first is {differing[0][:120]!r}",
                    subject=component.id,
                    found=f"{len(differing)} tensors",
                )


def _containers(component: Component, files: dict[str, File]) -> dict[str, dict[str, bytes]]:
    """Tensor digests by name, per format that the component's files come in."""
    found: dict[str, dict[str, bytes]] = defaultdict(dict)
    for file in (files[path] for path in component.files if path in files):
        for tensor, digest in zip(
            file.facts.tensors if file.facts else (), file.tensor_digests, strict=False
        ):
            if digest is not None and file.facts:
                found[file.facts.format][f"{tensor.name} ({tensor.dtype})"] = digest
    return found


RULE = Rule(
    id=_VIOLATION.rule,
    title="Two containers of one model hold different weights",
    severity=_VIOLATION.severity,
    why=(
        "A folder with model.safetensors and pytorch_model.bin offers one model twice. When their tensors "
        "differ, a reviewer may have looked at one while the loader takes the other."
    ),
    remedy=_VIOLATION.remedy,
    check=check,
    atlas=("AML.T0010.003", "AML.T0018"),
    cwe=(345,),
)
