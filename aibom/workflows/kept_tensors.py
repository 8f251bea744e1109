"""The tensors of files that only a bill of materials tells of, from the sidecars beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aibom.domain.errors import UnreadableError
from aibom.domain.evidence import Evidence, EvidenceKind
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.domain.report import Report
from aibom.fingerprint import weights_sidecar
from aibom.sources.evidence_folder import EvidenceFolder


def with_tensors(report: Report, folder: Path | None) -> Report:
    """The report, its weights with the digests of their tensors; a sidecar that cannot be read is a gap."""
    sidecars = {each.subject: each for each in report.evidence if each.kind is EvidenceKind.TENSORS}
    if folder is None or not sidecars:
        return report
    opened, gaps, files = EvidenceFolder(folder), list(report.gaps), []
    for file in report.files:
        found = _filled(file, sidecars.get(file.path), opened)
        if isinstance(found, Gap):
            gaps.append(found)
        files.append(file if isinstance(found, Gap) else found)
    return replace(report, files=tuple(files), gaps=tuple(gaps))


def _filled(file: File, evidence: Evidence | None, folder: EvidenceFolder) -> File | Gap:
    if evidence is None or file.facts is None or not folder.holds(evidence.name):
        return file
    try:
        with folder.open(evidence.name) as reader:
            found = weights_sidecar.read(reader, evidence.sha256)
    except UnreadableError as error:
        return Gap.of(file.path, Stage.DIGEST, error)
    facts = replace(file.facts, tensors=tuple(each.tensor for each in found.content.tensors))
    digests = tuple(each.blake3 for each in found.content.tensors)
    return replace(file, facts=facts, tensor_digests=digests, unindexed=found.content.unindexed)
