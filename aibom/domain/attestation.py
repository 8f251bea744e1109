"""What somebody attests about files: an in-toto statement, with the facts of known predicates."""

from __future__ import annotations

from dataclasses import dataclass

Digests = tuple[tuple[str, str], ...]
"""Pairs of algorithm and value, sorted; values of known algorithms are lower-case hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A file, or anything else that has a digest. Only the digest says which one it is, never the name."""

    name: str
    digests: Digests

    def sha256(self) -> str | None:
        """The SHA-256 as hexadecimal, None when the statement names other digests only."""
        return dict(self.digests).get("sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Who built the subjects from what (SLSA provenance v0.2 and v1).

    It states no SLSA level: that follows from the builder and the signer, or stands in a
    `VerificationSummary`. `source` is the repository or file that the build was started from, empty
    when the build type keeps it in parameters of its own.
    """

    builder: str
    build_type: str
    source: str = ""
    source_digests: Digests = ()
    materials: tuple[Subject, ...] = ()  # named by URI
    invocation: str = ""
    started: str = ""
    finished: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillOfMaterials:
    """A bill of materials, which is the predicate itself."""

    format: str  # CycloneDX, SPDX
    spec_version: str
    serial: str = ""  # CycloneDX serial number, SPDX document namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSummary:
    """A verifier's verdict on the subjects under a policy (SLSA verification summary v1)."""

    verifier: str  # URI
    resource: str  # URI from which the subject is fetched
    policy: str  # URI
    passed: bool
    levels: tuple[str, ...] = ()  # SLSA_BUILD_LEVEL_3 ...; FAILED alone when it did not pass
    versions: tuple[tuple[str, str], ...] = ()  # of the verifier, by component
    policy_digests: Digests = ()
    verified_at: str = ""  # ISO 8601
    inputs: tuple[Subject, ...] = ()  # attestations that were used, named by URI


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """The outcome of one run of a test suite (in-toto test-result v0.1)."""

    result: str  # PASSED, WARNED, FAILED
    passed: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vulnerabilities:
    """What a vulnerability scanner found (in-toto vulns v0.1 and v0.2)."""

    scanner: str  # URI
    found: tuple[str, ...]  # identifiers, sorted
    scanner_version: str = ""
    database: str = ""  # URI
    database_updated: str = ""
    finished: str = ""


Predicate = Provenance | BillOfMaterials | VerificationSummary | SuiteResult | Vulnerabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """An in-toto statement, read and not verified. `facts` is None for predicates that are not known."""

    statement_type: str
    predicate_type: str
    subjects: tuple[Subject, ...]
    facts: Predicate | None
    predicate: bytes  # canonical JSON
