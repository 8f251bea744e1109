"""VEX: who says that a vulnerability does not matter here, and whether it is said about this.

OpenVEX 0.2.0 and CycloneDX VEX. A statement applies to the package that it names, in that version, and
to nothing else; of several the latest one holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

from aibom.domain.component import Component
from aibom.domain.digest import Digest
from aibom.domain.finding import Finding, Standing
from aibom.domain.report import Report
from aibom.domain.vulnerability import Assessment, Impact, Vulnerability
from aibom.policy.estate import Estate
from aibom.policy.rules._place import _MOVING as MOVING
from aibom.policy.rules._place import Purl
from aibom.policy.rules.known_vulnerability import RULE_ID

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_BOM: Final = "the bill of materials"
# Somebody answers for it already, or it was known: that stays told as it is.
_OPEN: Final = frozenset({Standing.ACTIVE, Standing.ADVISORY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One element of one document, or the document (CycloneDX BOM-Link)."""

    serial: str
    version: int
    ref: str = ""  # empty: what the document is about


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a statement is about. Everything that it says of itself has to hold."""

    purls: tuple[str, ...] = ()
    link: Link | None = None
    hashes: tuple[tuple[str, str], ...] = ()  # algorithm and value
    versions: tuple[str, ...] = ()  # and no other one; empty: as the package URL says
    subcomponents: tuple[Product, ...] = ()  # in which the vulnerability lies; empty: anywhere in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one document says about one vulnerability."""

    names: frozenset[str]  # of the vulnerability, in lower case
    assessment: Assessment
    products: tuple[Product, ...] = ()
    source: str = ""  # of the document, and where in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The document that is judged: statements may be about it as a whole."""

    product: str | None = None  # package URL
    ref: str | None = None  # of the same
    serial: str | None = None  # without `urn:uuid:`
    version: int = 1


def apply_vex(
    report: Report, statements: Iterable[Statement], subject: Subject, *, own: bool = False
) -> Report:
    """The report with the findings set aside that do not matter, and what is said about the others.

    With `own` the analyses of the judged document count, too.
    """
    known = {each.pointer: each for each in report.vulnerabilities}
    if not known:
        return report
    found = _Matching(statements, subject, Estate(report, date.max))
    findings = tuple(
        _assessed(each, _latest(found.about(each, known[each.pointer], own=own)))
        if each.rule == RULE_ID and each.standing in _OPEN and each.pointer in known
        else each
        for each in report.findings
    )
    return replace(report, findings=findings)


def _assessed(finding: Finding, statement: Statement | None) -> Finding:
    if statement is None:
        return finding
    said = statement.assessment
    when = f" on {said.issued}" if said.issued else ""
    told = f"{statement.source}{when} states {said.impact}"
    if said.impact is Impact.NOT_AFFECTED and not said.why:
        told = f"{told}, and not why"
    if said.clears:
        reason = f"{told}: {said.why}" if said.why else told
        return replace(finding, standing=Standing.NOT_AFFECTED, justification=reason)
    return replace(
        finding,
        message=f"{finding.message}; {told}",
        remedy=(said.impact is Impact.AFFECTED and said.action) or finding.remedy,
    )


def _latest(statements: Iterable[Statement]) -> Statement | None:
    """The one with the latest time; of several with that time one that clears nothing."""
    return max(statements, key=lambda each: (_time(each), not each.assessment.clears), default=None)


def _time(statement: Statement) -> datetime:
    """When it was made; what does not say is older than everything."""
    issued = time_of(statement.assessment.issued)
    return issued if issued is not None else _EARLIEST


def time_of(text: str | None) -> datetime | None:
    """A time of RFC 3339, in UTC when it names no zone; None for what is none."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if found is None or found.tzinfo is None:
        return found.replace(tzinfo=UTC) if found else None
    return found


class _Matching:
    """Finds the statements that are about one vulnerability of one component."""

    def __init__(self, statements: Iterable[Statement], subject: Subject, estate: Estate) -> None:
        self._subject = subject
        self._estate = estate
        self._named: dict[str, list[Statement]] = defaultdict(list)
        for statement in statements:
            for name in statement.names:
                self._named[name].append(statement)

    def about(self, finding: Finding, vulnerability: Vulnerability, *, own: bool) -> Iterator[Statement]:
        names = {name.lower() for name in (vulnerability.id, *vulnerability.aliases)}
        component = self._estate.components.get(finding.subject)
        for name in sorted(names & self._named.keys()):
            for statement in self._named[name]:
                if any(self._applies(product, component) for product in statement.products):
                    yield statement
        if own and vulnerability.assessment is not None:
            yield Statement(names=frozenset(names), assessment=vulnerability.assessment, source=_BOM)

    def _applies(self, product: Product, component: Component | None) -> bool:
        """To the component itself, or to what the judged document is about and so to all of its parts."""
        inner = product.subcomponents
        if self._is_whole(product):
            return not inner or any(component is not None and self._is(each, component) for each in inner)
        return not inner and component is not None and self._is(product, component)

    def _is_whole(self, product: Product) -> bool:
        link = product.link
        if link is not None:
            return link.ref in ("", self._subject.ref) and self._is_this(link)
        # Nothing is known of its digests, so that one who names some may mean another one.
        whole = self._subject.product
        if not product.purls or product.hashes or whole is None:
            return False
        return all(_covers(purl, whole) for purl in product.purls) and _is_version(product, Purl.of(whole))

    def _is_this(self, link: Link) -> bool:
        return (link.serial, link.version) == (self._subject.serial, self._subject.version)

    def _is(self, product: Product, component: Component) -> bool:
        if product.link is not None and not (
            self._is_this(product.link) and product.link.ref == component.id
        ):
            return False
        purl = component.purl
        if product.purls and (purl is None or not all(_covers(each, purl) for each in product.purls)):
            return False
        if product.versions and component.version not in product.versions:
            return False
        if product.hashes and not self._has(component, product.hashes, named=bool(product.purls)):
            return False
        return bool(product.link or product.purls or product.hashes)

    def _has(self, component: Component, hashes: Sequence[tuple[str, str]], *, named: bool) -> bool:
        """Whether the content is that one. Of what is named by its package URL it need not be known."""
        files = self._estate.files
        own = [files[path].digests for path in component.files if path in files]
        if len(own) != 1 or len(component.files) != 1:
            return named and not own
        values = _values(own[0])
        told = [values[algorithm] == value for algorithm, value in hashes if algorithm in values]
        return all(told) if told else named


def _values(digests: Sequence[Digest]) -> Mapping[str, str]:
    return {digest.algorithm: digest.value for digest in digests}


def _is_version(product: Product, purl: Purl | None) -> bool:
    return not product.versions or (purl is not None and purl.version in product.versions)


def _covers(stated: str, found: str) -> bool:
    """Whether a statement about the one package URL is one about the other.

    Without a version it is about all of them, and without a qualifier about every value of it, unless
    that says that the package comes from somewhere else.
    """
    left, right = Purl.of(stated), Purl.of(found)
    if left is None or right is None or stated.partition("#")[2] != found.partition("#")[2]:
        return False
    if (left.type, left.name) != (right.type, right.name) or left.version not in ("", right.version):
        return False
    more = set(right.qualifiers) - set(left.qualifiers)
    return set(left.qualifiers) <= set(right.qualifiers) and not any(key in MOVING for key, _ in more)
