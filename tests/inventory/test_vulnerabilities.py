"""The vulnerabilities of a CycloneDX document, as grype, trivy and cdxgen write them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.finding import Severity
from aibom.domain.vulnerability import Assessment, Impact, Vulnerability
from aibom.inventory import vulnerabilities as room
from aibom.inventory.bom import read_bom
from aibom.inventory.vulnerabilities import AFFECTED_COUNT, vulnerabilities

SERIAL = "3e671687-395b-41f5-a30f-a58921a69b79"
HIGH, LOW, MEDIUM, CRITICAL = Severity.HIGH, Severity.LOW, Severity.MEDIUM, Severity.CRITICAL


def read(*listed: Any, **document: Any) -> list[Vulnerability]:
    return list(vulnerabilities({"vulnerabilities": list(listed), **document}))


def one(**entry: Any) -> Vulnerability:
    (found,) = read({"id": "CVE-2026-1", **entry}, serialNumber=f"urn:uuid:{SERIAL}", version=2)
    return found


def test_an_entry_is_read_with_everything_that_it_says() -> None:
    found = one(
        references=[{"id": "GHSA-1", "source": {"name": "GitHub"}}, {"id": "CVE-2026-1"}],
        ratings=[{"severity": "low"}, {"severity": "high"}],
        recommendation="upgrade to 2",
        affects=[{"ref": "a"}, {"ref": "b"}, {"ref": "a"}],
        analysis={"state": "in_triage"},
    )
    assert found == Vulnerability(
        id="CVE-2026-1", aliases=("GHSA-1",), severity=HIGH, affects=("a", "b"),
        recommendation="upgrade to 2", pointer="/vulnerabilities/0",
        assessment=Assessment(impact=Impact.UNDER_INVESTIGATION),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ratings", "severity"),
    [
        ([], None),
        ([{"severity": "unknown"}], None),
        ([{"severity": "none"}], Severity.INFO),
        ([{"severity": "info"}], Severity.INFO),
        ([{"severity": "critical", "score": 1.0}], CRITICAL),
        ([{"score": 9.0}], CRITICAL),
        ([{"score": 8.9}], HIGH),
        ([{"score": 7}], HIGH),
        ([{"score": 4.0}], MEDIUM),
        ([{"score": 3.9}, {"severity": "unknown"}], LOW),
        ([{"score": 0}], Severity.INFO),
        ([{"score": 11}], None),
        ([{"score": -1}], None),
        ([{"score": True}], None),
        ([{"score": "9"}], None),
        (["high"], None),
        ("high", None),
    ],
)
def test_the_severity_is_that_of_the_worst_rating(ratings: object, severity: Severity | None) -> None:
    assert one(ratings=ratings).severity is severity


@pytest.mark.parametrize(
    ("ref", "affected"),
    [
        ("pkg:pypi/torch@1", "pkg:pypi/torch@1"),
        (f"urn:cdx:{SERIAL}/2#pkg%3Apypi%2Ftorch@1", "pkg:pypi/torch@1"),
        (f"urn:cdx:{SERIAL}/1#a", f"urn:cdx:{SERIAL}/1#a"),
        (f"urn:cdx:{'0' * 36}/2#a", f"urn:cdx:{'0' * 36}/2#a"),
    ],
    ids=["ref", "link", "other-version", "other-document"],
)
def test_a_link_to_the_document_itself_is_a_reference_and_every_other_one_is_kept(
    ref: str, affected: str
) -> None:
    assert one(affects=[{"ref": ref}]).affects == (affected,)


@pytest.mark.parametrize(
    ("analysis", "expected"),
    [
        (
            {"state": "not_affected", "justification": "code_not_reachable", "detail": "never called"},
            (Impact.NOT_AFFECTED, "code_not_reachable: never called", True),
        ),
        ({"state": "not_affected", "detail": "d"}, (Impact.NOT_AFFECTED, "d", True)),
        ({"state": "not_affected"}, (Impact.NOT_AFFECTED, "", False)),
        ({"state": "not_affected", "justification": "because"}, (Impact.NOT_AFFECTED, "", False)),
        ({"state": "not_affected", "detail": "  "}, (Impact.NOT_AFFECTED, "", False)),
        ({"state": "false_positive", "detail": "other"}, (Impact.NOT_AFFECTED, "other", True)),
        ({"state": "false_positive"}, (Impact.NOT_AFFECTED, "", False)),
        ({"state": "resolved"}, (Impact.FIXED, "", True)),
        ({"state": "resolved_with_pedigree"}, (Impact.FIXED, "", True)),
        ({"state": "exploitable", "detail": "yes"}, (Impact.AFFECTED, "yes", False)),
        ({"state": "in_triage"}, (Impact.UNDER_INVESTIGATION, "", False)),
        ({"state": "fine"}, None),
        ({}, None),
        ("not_affected", None),
    ],
    ids=[
        "justified", "detail", "no-reason", "no-label", "blank", "false-positive", "false-positive-bare",
        "resolved", "pedigree", "exploitable", "triage", "state", "empty", "text",
    ],
)  # fmt: skip
def test_an_analysis_clears_only_with_a_reason_or_a_fix(
    analysis: object, expected: tuple[Impact, str, bool] | None
) -> None:
    found = one(analysis=analysis).assessment
    assert (found and (found.impact, found.why, found.clears)) == expected


@pytest.mark.parametrize(
    ("analysis", "issued"),
    [
        ({"firstIssued": "2026-01-01", "lastUpdated": "2026-02-01"}, "2026-02-01"),
        ({"firstIssued": "2026-01-01"}, "2026-01-01"),
        ({}, "2026-03-01T00:00:00Z"),
    ],
    ids=["updated", "issued", "document"],
)  # fmt: skip
def test_an_analysis_was_made_when_it_says_or_when_the_document_was(
    analysis: dict[str, str], issued: str
) -> None:
    metadata = {"timestamp": "2026-03-01T00:00:00Z"}
    (found,) = read({"id": "x", "analysis": {"state": "resolved", **analysis}}, metadata=metadata)
    assert found.assessment is not None
    assert found.assessment.issued == issued


def test_what_has_no_id_is_still_told() -> None:
    found = read({"bom-ref": "v", "affects": [{"ref": "a"}]}, {"references": [{"id": "GHSA-1"}]}, {})
    assert [each.id for each in found] == ["v", "GHSA-1", "/vulnerabilities/2"]


@pytest.mark.parametrize(
    ("listed", "reason", "words"),
    [
        ({}, Reason.MALFORMED, "/vulnerabilities: a list"),
        (["x"], Reason.MALFORMED, "/vulnerabilities/0: a vulnerability is an object"),
        ([{"id": "x"}, None], Reason.MALFORMED, "/vulnerabilities/1"),
    ],
    ids=["mapping", "text", "null"],
)
def test_what_is_no_list_of_vulnerabilities_is_refused(listed: object, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        list(vulnerabilities({"vulnerabilities": listed}))  # type: ignore[dict-item]
    assert caught.value.reason is reason


def test_more_affected_components_than_are_told_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert AFFECTED_COUNT == 200_000
    monkeypatch.setattr(room, "AFFECTED_COUNT", 3)
    many = {"id": "x", "affects": [{"ref": "a"}, {"ref": "b"}]}
    assert len(read(many, {"id": "y"})) == 2
    with pytest.raises(UnreadableError) as caught:
        read(many, {"id": "y"}, {"id": "z"})
    assert caught.value.reason is Reason.LIMIT


def test_they_are_part_of_what_a_document_lists() -> None:
    main = {"type": "application", "name": "app", "bom-ref": "m", "purl": "pkg:oci/app@1"}
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.4", "serialNumber": f"urn:uuid:{SERIAL}", "version": 3,
        "metadata": {"component": main},
        "components": [{"type": "library", "name": "torch", "bom-ref": "a"}],
        "vulnerabilities": [{"id": "CVE-1", "affects": [{"ref": "a"}]}],
    }  # fmt: skip
    listed = read_bom(json.dumps(document).encode())
    assert [(each.id, each.affects) for each in listed.vulnerabilities] == [("CVE-1", ("a",))]
    assert (listed.version, listed.product, listed.product_ref) == (3, "pkg:oci/app@1", "m")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("id", "score", "severity", "ref", "state", "detail", "response", "lastUpdated")),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)  # fmt: skip


@given(
    st.lists(st.dictionaries(st.sampled_from(("id", "ratings", "affects", "analysis", "references")), _JSON))
)
def test_arbitrary_entries_are_read(listed: list[dict[str, Any]]) -> None:
    assert len(read(*listed)) == len(listed)
