"""CycloneDX: valid by two validators, clean by our lint, the same bytes, and nothing claimed as known."""

from __future__ import annotations

import os
import tracemalloc
import uuid
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.component import Component, ComponentKind, IdentityBasis, Relation, RelationKind
from aibom.domain.digest import Digest, Grade
from aibom.domain.facts import Attribute
from aibom.domain.file import File
from aibom.domain.ref import Ref
from aibom.domain.report import Report
from aibom.outputs import cyclonedx, lint, schema
from aibom.outputs.cdx import refs
from aibom.outputs.cdx.model_card import short_count
from tests.outputs.bom_samples import COMMIT, claim, file, model, report, rich_report, sha256
from tests.outputs.bom_strategies import reports

GOLDEN = Path(__file__).parent.parent / "golden" / "cyclonedx"
VERSIONS = ("1.6", "1.7")
REPORTS = {"dated": rich_report(), "reproducible": rich_report(timestamp=None)}


def written(given_report: Report, spec_version: str = "1.7") -> dict[str, object]:
    return orjson.loads(cyclonedx.render(given_report, spec_version=spec_version))


def at(document: object, pointer: str) -> object:
    for part in pointer.split("/")[1:]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def only(*parts: Component, **more: object) -> dict:
    """The one component that the BOM of a report has."""
    document = written(report(components=parts, **more))
    found = [c for c in document["components"] if c["bom-ref"] == refs.component_ref(parts[0].id)]
    assert len(found) == 1
    return found[0]


def properties(owner: dict, name: str) -> list[str]:
    return [entry["value"] for entry in owner.get("properties", []) if entry["name"] == name]


def by_ref(document: dict, ref: str) -> dict:
    pending = list(document["components"])
    while pending:
        found = pending.pop()
        if found["bom-ref"] == ref:
            return found
        pending += found.get("components", [])
    raise AssertionError(ref)


@pytest.mark.parametrize("spec_version", VERSIONS)
@pytest.mark.parametrize("kind", REPORTS)
def test_every_byte_is_that_of_the_golden_file(kind: str, spec_version: str) -> None:
    path = GOLDEN / f"{kind}-{spec_version}.json"
    document = cyclonedx.render(REPORTS[kind], spec_version=spec_version)
    if os.environ.get("AIBOM_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document)
    assert document.decode() == path.read_text("utf-8")


@pytest.mark.parametrize("spec_version", VERSIONS)
def test_the_validator_of_the_cyclonedx_library_agrees(spec_version: str) -> None:
    independent = JsonStrictValidator(SchemaVersion.from_version(spec_version))
    document = cyclonedx.render(rich_report(), spec_version=spec_version)
    assert independent.validate_str(document.decode()) is None


@pytest.mark.parametrize("spec_version", VERSIONS)
@pytest.mark.parametrize("kind", REPORTS)
def test_the_documents_are_valid_and_have_no_problems(kind: str, spec_version: str) -> None:
    document = cyclonedx.render(REPORTS[kind], spec_version=spec_version)
    assert schema.errors(document) == []
    assert lint.problems(document) == ()


@settings(max_examples=40, deadline=None)
@given(reports(), st.sampled_from(VERSIONS))
def test_any_report_becomes_a_valid_document_without_problems(any_report: Report, spec_version: str) -> None:
    document = cyclonedx.render(any_report, spec_version=spec_version)
    assert schema.errors(document) == []
    assert lint.problems(document) == ()
    assert cyclonedx.render(any_report, spec_version=spec_version) == document


@settings(max_examples=15, deadline=None)
@given(reports())
def test_no_file_gap_or_component_is_lost(any_report: Report) -> None:
    document = written(any_report)
    known = orjson.dumps(document).decode()
    for each in any_report.files:
        assert by_ref(document, refs.file_ref(each.path))
    for component in any_report.components:
        assert f'"bom-ref":{orjson.dumps(refs.component_ref(component.id)).decode()}' in known
    gaps = properties(document["metadata"], "aibom:gap")
    assert len(gaps) == len(any_report.gaps)


def test_another_spec_version_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1\.5"):
        cyclonedx.render(report(), spec_version="1.5")


def test_the_order_of_the_report_does_not_matter() -> None:
    rich = rich_report()
    turned = replace(rich, files=rich.files[::-1], components=rich.components[::-1])
    assert cyclonedx.render(turned) == cyclonedx.render(rich)


def test_the_serial_number_follows_from_the_content() -> None:
    one, other = written(rich_report()), written(rich_report(timestamp="2027-01-01T00:00:00Z"))
    assert uuid.UUID(one["serialNumber"]).version == 5
    assert one["serialNumber"] != other["serialNumber"]


def test_a_target_that_is_called_like_the_missing_serial_number_changes_nothing_else() -> None:
    name = "urn:uuid:00000000-0000-0000-0000-000000000000"
    document = written(report(targets=(replace(rich_report().targets[0], name=name),)))
    assert document["metadata"]["component"]["name"] == name
    assert document["serialNumber"] != name


def test_a_reproducible_document_says_so_and_holds_no_time() -> None:
    document = cyclonedx.render(REPORTS["reproducible"])
    assert properties(orjson.loads(document)["metadata"], "cdx:reproducible") == ["true"]
    assert b"timestamp" not in document
    assert properties(written(rich_report())["metadata"], "cdx:reproducible") == []


@pytest.mark.parametrize("kind", REPORTS)
def test_gaps_and_findings_show_with_and_without_a_time(kind: str) -> None:
    metadata = written(REPORTS[kind])["metadata"]
    assert properties(metadata, "aibom:gap") == [
        "m/lost|part.bin|open|permission-denied",
        "m/model.safetensors|read|malformed",
    ]
    [finding] = properties(metadata, "aibom:finding")
    assert finding.startswith("unpinned-reference|high|")


def test_a_gap_makes_the_whole_incomplete_and_a_clean_report_is_complete() -> None:
    def aggregates(given_report: Report) -> dict[str, str]:
        return {ref: c["aggregate"] for c in written(given_report)["compositions"] for ref in c["assemblies"]}

    rich = aggregates(rich_report())
    assert rich["target"] == "incomplete"
    assert rich["component:model:m"] == "incomplete"
    assert rich["component:tokenizer:t"] == "complete"
    assert aggregates(report(components=(model(),)))["target"] == "complete"
    assert aggregates(report(components=(model(files=("gone",)),)))["component:model:m"] == "incomplete"
    lost = Relation(kind=RelationKind.USES, target_id="nobody")
    assert aggregates(report(components=(model(relations=(lost,)),)))["component:model:m"] == "incomplete"


def test_a_claimed_digest_is_never_a_hash() -> None:
    claimed = Digest(algorithm="sha256", value=sha256("x"), grade=Grade.CLAIMED)
    chained = Digest(algorithm="sha256", value=sha256("y"), grade=Grade.CHAINED)
    document = written(report(files=(file("remote.bin", digests=(claimed, chained)),)))
    [remote] = document["components"]
    assert "hashes" not in remote
    assert properties(remote, "aibom:digest:claimed:sha256") == [sha256("x")]
    assert properties(remote, "aibom:digest:chained:sha256") == [sha256("y")]
    assert "citations" not in document


def test_computed_digests_are_hashes_and_other_kinds_keep_their_own_names() -> None:
    weights = by_ref(written(rich_report()), "file:m/model.safetensors")
    assert [entry["alg"] for entry in weights["hashes"]] == ["SHA-256", "BLAKE3"]
    assert properties(weights, "aibom:digest:cached") == ["sha256"]
    assert properties(weights, "aibom:digest:chained:git-sha1") == [COMMIT]
    assert properties(weights, "aibom:digest:claimed:sha256") == [sha256("other")]


def test_a_shared_file_stands_once_and_the_other_component_depends_on_it() -> None:
    document = written(rich_report())
    on = {entry["ref"]: entry.get("dependsOn", []) for entry in document["dependencies"]}
    assert "file:m/tokenizer.json" in on["component:model:m"]
    nested = [f["bom-ref"] for f in by_ref(document, "component:tokenizer:t")["components"]]
    assert nested == ["file:m/tokenizer.json"]


def test_every_claim_is_cited_to_the_file_or_registry_that_makes_it() -> None:
    document = written(rich_report())
    said = {
        (pointer, citation["attributedTo"])
        for citation in document["citations"]
        for pointer in citation.get("pointers", [])
    }
    place = document["components"].index(by_ref(document, "component:model:m"))
    task = f"/components/{place}/modelCard/modelParameters/task"
    assert at(document, task) == "text-generation"
    assert (task, "file:m/README.md") in said
    assert (f"/components/{place}/tags/0", "registry:huggingface.co") in said
    assert (f"/components/{place}/modelCard/modelParameters/architectureFamily", "file:m/config.json") in said
    assert "registry:huggingface.co" in {service["bom-ref"] for service in document["services"]}


def test_before_1_7_annotations_tell_who_says_what() -> None:
    document = written(rich_report(), "1.6")
    assert "citations" not in document
    texts = [entry["text"] for entry in document["annotations"] if "component:model:m" in entry["subjects"]]
    assert any(t.startswith("declared by the card (m/README.md), not verified: /components/") for t in texts)


@settings(max_examples=15, deadline=None)
@given(reports())
def test_every_claim_with_a_time_is_cited(any_report: Report) -> None:
    document = written(replace(any_report, timestamp="2026-01-01T00:00:00Z"))
    cited = sum(1 for c in document.get("citations", []) if "pointers" in c)
    makers = {(c.id, k.source, k.origin) for c in any_report.components for k in c.claims}
    assert bool(cited) == bool(makers)


def test_a_contradicting_source_is_a_conflict_and_the_trusted_value_stands() -> None:
    found = by_ref(written(rich_report()), "component:model:m")
    assert found["modelCard"]["modelParameters"]["architectureFamily"] == "llama"
    assert properties(found, "aibom:conflict:model-type") == ["mistral"]
    assert properties(found, "aibom:conflict:hyperparameter") == ["8192 (name=hidden_size)"]
    assert properties(found, "aibom:conflict:licence") == ["llama3.1", "mit"]
    assert properties(found, "aibom:claim:parameter-count") == ["7000000000"]


def test_the_model_card_uses_the_fields_of_the_standard() -> None:
    card = by_ref(written(rich_report()), "component:model:m")["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": "f1", "value": "0.81", "slice": "squad test"}
    ]
    assert card["modelParameters"]["datasets"] == [
        {"ref": "external:dataset:hf-dataset:acme/corpus"},
        {"ref": "component:dataset:data"},
        {"type": "dataset", "name": "a private crawl"},
    ]
    assert card["considerations"]["environmentalConsiderations"]["properties"] == [
        {"name": "aibom:co2-grams", "value": "12000"}
    ]
    assert properties(card, "cdx:ai-ml:model:parameter:count") == ["6.7B"]
    assert properties(card, "cdx:ai-ml:model:hyperparameter:hidden_size") == ["4096"]
    assert properties(card, "cdx:ai-ml:model:hyperparameter:_undefined:num_experts") == ["8"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (999_999, "999999"),
        (1_700_000, "1.7M"),
        (7_000_000_000, "7B"),
        (10**12, "1T"),
        (999_950_000, "1000M"),
        (10**400, None),
    ],
)
def test_parameter_counts_are_written_the_usual_way(count: int, text: str | None) -> None:
    assert short_count(count) == (text or "1" + "0" * 388 + "T")


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([("licence", "apache-2.0")], [{"license": {"id": "Apache-2.0", "acknowledgement": "declared"}}]),
        ([("licence", "Apache-2.0"), ("licence", "apache 2.0")],
         [{"license": {"id": "Apache-2.0", "acknowledgement": "declared"}}]),
        ([("licence", "0BSD")], [{"license": {"id": "0BSD", "acknowledgement": "declared"}}]),
        ([("licence", "gpl")],
         [{"license": {"name": "GNU General Public License family", "acknowledgement": "declared"}}]),
        ([("licence", "mit or apache-2.0")],
         [{"expression": "mit or apache-2.0", "acknowledgement": "declared"}]),
        ([("licence", "MIT OR Nothing")],
         [{"license": {"name": "MIT OR Nothing", "acknowledgement": "declared"}}]),
        ([("licence", "https://a.example/terms")],
         [{"license": {"name": "https://a.example/terms", "acknowledgement": "declared",
                       "url": "https://a.example/terms"}}]),
        ([("licence", "other")], None),
        ([("licence", "unknown"), ("licence-name", "Mine"), ("licence-link", "https://a.example/l")],
         [{"license": {"name": "Mine", "acknowledgement": "declared", "url": "https://a.example/l"}}]),
        ([("licence-name", "Mine"), ("licence-link", "LICENSE")],
         [{"license": {"name": "Mine", "acknowledgement": "declared"}}]),
    ],
)  # fmt: skip
def test_licences(statements: list[tuple[str, str]], expected: object) -> None:
    claims = tuple(claim(Attribute(attribute), value) for attribute, value in statements)
    assert only(model(claims=claims)).get("licenses") == expected


def test_a_branch_is_never_a_version() -> None:
    found = only(model(version="main", ref=Ref(scheme="hf", location="acme/m", revision="main")))
    assert "version" not in found
    assert found["purl"] == "pkg:huggingface/acme/m"
    assert properties(found, "aibom:revision:moving") == ["main"]


def test_an_ancestor_is_declared_and_not_verified() -> None:
    pedigree = by_ref(written(rich_report()), "component:model:m")["pedigree"]
    assert [ancestor["purl"] for ancestor in pedigree["ancestors"]] == ["pkg:huggingface/acme/base"]
    assert pedigree["notes"] == "acme/base: declared by m/README.md, not verified"
    adapted = by_ref(written(rich_report()), "component:adapter:a")["pedigree"]["ancestors"][0]
    assert properties(adapted, "aibom:lineage:ref") == ["component:model:m"]


@pytest.mark.parametrize("basis", IdentityBasis)
def test_the_basis_of_the_identity_decides_the_confidence(basis: IdentityBasis) -> None:
    found = only(model(basis=basis))
    assert properties(found, "aibom:identity:basis") == [basis.value]
    [identity] = found["evidence"]["identity"]
    assert (identity["confidence"] == 1) == (basis is IdentityBasis.CONTENT_PROVEN)


def test_code_that_refers_to_a_place_is_evidence_with_its_line() -> None:
    document = written(rich_report())
    used = by_ref(document, "external:model:hf:acme/base@main")
    assert [(o["location"], o["line"]) for o in used["evidence"]["occurrences"]] == [
        ("app.py", 3),
        ("app.py", 9),
    ]
    assert properties(used, "aibom:reference:flag") == ["remote-code", "unpinned"]
    served = next(s for s in document["services"] if s["bom-ref"] == "component:service:s")
    assert properties(served, "aibom:occurrence") == ["app.py:7"]


def test_credentials_in_a_scanned_address_are_left_out() -> None:
    document = cyclonedx.render(rich_report())
    assert b"https://acme.example/m?x=1" in document
    assert b"secret" not in document
    odd = claim(Attribute.CITATION, "see https://user:secret@host.example/x y")
    assert b"secret" not in cyclonedx.render(report(components=(model(claims=(odd,)),)))


def test_a_local_path_of_a_reference_is_never_told() -> None:
    place = Ref(scheme="file", location="/home/somebody/m")
    assert "somebody" not in str(only(model(ref=place)).get("externalReferences"))
    assert b"somebody" not in cyclonedx.render(
        report(targets=(replace(rich_report().targets[0], ref=place),))
    )


HOSTILE = [
    "a\nb",
    "\x1b[31mred",
    "\udcff\udc80",
    "\ud800",
    "\u202egpj.exe",
    '"}],"x":[{"',
    "a\\nb",
    "x" * 10_000,
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_shown_and_cannot_break_the_document(name: str) -> None:
    claims = tuple(claim(attribute, name, name=name) for attribute in Attribute)
    relation = Relation(kind=RelationKind.ANCESTOR, target=Ref(scheme="hf", location=name), source=name)
    hostile = model(id=name, name=name, version=name, files=(name,), claims=claims, relations=(relation,))
    document = cyclonedx.render(report(files=(file(name),), components=(hostile,)))
    assert schema.errors(document) == []
    assert lint.problems(document) == ()
    text = document.decode()
    assert not any(ord(c) < 32 and c != "\n" for c in text)
    assert "\u202e" not in text
    [component] = orjson.loads(document)["components"]
    assert len(component["name"]) < 4_200


def test_different_paths_never_share_a_bom_ref() -> None:
    odd = ["a\nb", "a\\x0ab", "a%0Ab", "a b", "a+b", "\udc80", "\\x80", "%80", "é", "e\u0301", "A", "a"]
    assert len({refs.file_ref(path) for path in odd}) == len(odd)
    long = ["x" * 10_000 + "a", "x" * 10_000 + "b"]
    assert len({refs.file_ref(path) for path in long}) == 2


@given(st.text(max_size=8), st.text(max_size=8))
def test_bom_refs_are_equal_only_for_equal_names(one: str, other: str) -> None:
    assert (refs.file_ref(one) == refs.file_ref(other)) == (one == other)


def test_a_bom_of_many_files_holds_no_object_per_file_while_it_is_written() -> None:
    files: tuple[File, ...] = tuple(file(f"d/{number}") for number in range(3_000))
    dataset = model(kind=ComponentKind.DATASET, files=tuple(f.path for f in files))
    big = report(files=files, components=(dataset,))
    tracemalloc.start()
    document = cyclonedx.render(big)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(document)
