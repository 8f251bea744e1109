"""Rules about how code and configuration refer to models, datasets and services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.finding import Finding, Location, Severity
from aibom.domain.reference import Reference
from aibom.domain.report import Report
from aibom.policy.rule import Rule

_TAGGED: Final = ("docker", "oci", "ollama")  # a colon stands before the tag
_COMMIT: Final = 'name the commit that you tested: revision="<40 hex digits>", or --revision in a command'
_DIGEST: Final = "name the digest: image@sha256:<64 hex digits>"
_ADDRESS: Final = "keep the SHA-256 of the file beside the address, and check it after each download"
_OBJECT: Final = "name the version of the object, or check the SHA-256 of what was fetched"
_PINS: Final = {
    **dict.fromkeys(("hf", "hf-dataset", "hf-space", "modelscope"), _COMMIT),
    **dict.fromkeys(("docker", "oci"), _DIGEST),
    **dict.fromkeys(("http", "https"), _ADDRESS),
    **dict.fromkeys(("abfs", "abfss", "az", "gs", "s3"), _OBJECT),
    "git": "name the full commit instead of a branch or tag",
    "golang": "name an exact version: module@v1.2.3",
    "kaggle": "add the number of the version to the name",
    "mlflow": "name a version instead of an alias or stage: models:/name/3",
    "npm": "name an exact version: package@1.2.3",
    # Ollama fetches by tag only.
    "ollama": "name the whole tag, such as llama3.2:3b-instruct-q4_K_M, and compare the ID in `ollama list`",
    "pypi": "name an exact version: package==1.2.3",
    "torchvision": 'name the weights instead of the default: weights="IMAGENET1K_V2"',
    "wandb": "name a version instead of an alias: name:v3",
}
_OF_LIBRARY: Final = (
    "pin the version of the library that fetches it, and check the SHA-256 of what it fetched"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a rule says about one reference."""

    message: str
    remedy: str = ""  # empty: what the rule says for all
    expected: str = ""
    confidence: Confidence = Confidence.HIGH  # at most: a finding is never surer than its reference


def name_of(reference: Reference) -> str:
    """What is referred to, with its revision; the loader when that is all that is known."""
    target = reference.target
    if target is None:
        return f"what {reference.loader} loads"
    complete = target.scheme == "file" or "://" in target.location
    name = target.location if complete else f"{target.scheme}:{target.location}"
    if not target.revision:
        return name
    sign = ":" if target.scheme in _TAGGED and ":" not in target.revision else "@"
    return f"{name}{sign}{target.revision}"


def pinning(reference: Reference) -> str:
    """How a reference of this scheme is fixed to something that cannot move."""
    if reference.target is None:
        return "name what is to be loaded, and the commit that you tested"
    return _PINS.get(reference.target.scheme, _OF_LIBRARY)


def reference_rule(
    rule_id: str,
    *,
    title: str,
    severity: Severity,
    why: str,
    remedy: str,
    tell: Callable[[Reference], Told | None],
    atlas: tuple[str, ...] = (),
    cwe: tuple[int, ...] = (),
) -> Rule:
    """A rule with one finding per reference that `tell` has something to say about."""

    def check(report: Report) -> Iterator[Finding]:
        for reference in report.references:
            told = tell(reference)
            if told is not None:
                place = reference.location
                yield Finding(
                    rule=rule_id,
                    severity=severity,
                    confidence=min(reference.confidence, told.confidence),
                    subject=place.path,
                    location=Location(
                        path=place.path, line=place.line, column=place.column, inside=place.inside
                    ),
                    message=told.message,
                    found=f"{reference.loader}: {name_of(reference)}",
                    expected=told.expected,
                    remedy=told.remedy or remedy,
                )

    return Rule(
        id=rule_id,
        title=title,
        severity=severity,
        why=why,
        remedy=remedy,
        check=check,
        atlas=atlas,
        cwe=cwe,
    )
