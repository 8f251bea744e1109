"""A CycloneDX document of any maker becomes an inventory: what it does not say stays unknown."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.check import CheckKind, Outcome
from aibom.domain.component import Component, ComponentKind, RelationKind
from aibom.domain.content import ContentVerdict
from aibom.domain.digest import Grade
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute
from aibom.domain.ref import Ref
from aibom.domain.reference import Flag
from aibom.inventory.bom import BOM_DEPTH, VERSIONS, Listed, read_bom

HASH = {"alg": "SHA-256", "content": "ab" * 32}
FILE = {"type": "file", "name": "b", "hashes": [HASH]}
MODEL = {"type": "machine-learning-model", "bom-ref": "m", "name": "acme/m"}
COMMIT = "0123456789abcdef" * 2 + "01234567"


def bom(*components: object, version: str = "1.6", **rest: object) -> bytes:
    return json.dumps(
        {"bomFormat": "CycloneDX", "specVersion": version, "components": components, **rest}
    ).encode()


def own(**values: str) -> list[dict[str, str]]:
    """Properties; an underscore stands for a colon."""
    return [{"name": f"aibom:{key.replace('_', ':')}", "value": value} for key, value in values.items()]


def one(component: object, **rest: object) -> Component:
    (found,) = read_bom(bom(component, **rest)).components
    return found


def said(component: Component, attribute: Attribute) -> list[str]:
    return [each.value for each in component.claimed(attribute)]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_read(version: str) -> None:
    listed = read_bom(bom(MODEL, version=version, serialNumber="urn:uuid:1"))
    assert (listed.spec_version, listed.serial, len(listed.components)) == (version, "urn:uuid:1", 1)


@pytest.mark.parametrize(
    "tools",
    [
        [{"vendor": "anchore", "name": "syft", "version": "1.2"}],
        {"components": [{"type": "application", "name": "syft", "version": "1.2"}]},
    ],
    ids=["until 1.4", "since 1.5"],
)
def test_both_spellings_of_the_tool_are_read(tools: object) -> None:
    listed = read_bom(bom(metadata={"timestamp": "2026-01-01T00:00:00Z", "tools": tools}))
    assert (listed.tool, listed.timestamp) == (("syft", "1.2"), "2026-01-01T00:00:00Z")


def test_a_library_of_a_scanner_of_packages_is_read() -> None:
    """The way in which cdxgen, trivy and syft write one."""
    found = one(
        {
            "type": "library",
            "bom-ref": "pkg:pypi/torch@2.4.0?package-id=1",
            "name": "torch",
            "version": "2.4.0",
            "purl": "pkg:pypi/torch@2.4.0",
            "licenses": [{"license": {"name": "BSD-3-Clause"}}],
            "publisher": "PyTorch Team",
            "author": "PyTorch Team <packages@pytorch.org>",
            "properties": [
                {"name": "syft:package:type", "value": "python"},
                {"name": "aquasecurity:trivy:PkgType", "value": "pip"},
                {"name": "SrcFile", "value": "requirements.txt"},
            ],
            "evidence": {"occurrences": [{"location": "requirements.txt", "line": 3}]},
        },
    )
    assert (found.kind, found.purl, found.version) == (ComponentKind.LIBRARY, "pkg:pypi/torch@2.4.0", "2.4.0")
    assert said(found, Attribute.LICENCE_NAME) == ["BSD-3-Clause"]
    assert said(found, Attribute.ORGANISATION) == ["PyTorch Team"]


def test_a_model_with_a_card_is_read() -> None:
    found = one(
        {
            **MODEL,
            "purl": f"pkg:huggingface/acme/m@{COMMIT}",
            "description": "a model",
            "manufacturer": {"name": "Acme"},
            "supplier": {"name": "Hub"},
            "authors": [{"email": "a@b"}],
            "licenses": [{"expression": "MIT OR Apache-2.0"}, {"license": {"id": "MIT"}}],
            "externalReferences": [{"type": "vcs", "url": "https://a.b/c"}, {"type": "chat", "url": "x"}],
            "pedigree": {
                "ancestors": [
                    {"type": "machine-learning-model", "name": "base", "version": "1"},
                    {"type": "machine-learning-model", "name": "x", "purl": "pkg:huggingface/acme/base"},
                ]
            },
            "modelCard": {
                "modelParameters": {
                    "task": "classification",
                    "architectureFamily": "transformer",
                    "modelArchitecture": "Bert",
                    "datasets": [{"ref": "d"}, {"type": "dataset", "name": "squad"}],
                },
                "quantitativeAnalysis": {"performanceMetrics": [{"type": "f1", "value": "0.9"}]},
                "considerations": {"useCases": ["triage"], "technicalLimitations": ["English only"]},
            },
        }
    )
    assert found.ref == Ref(scheme="hf", location="acme/m", revision=COMMIT)
    expected = {
        Attribute.DESCRIPTION: ["a model"],
        Attribute.ORGANISATION: ["Acme", "Hub"],
        Attribute.AUTHOR: ["a@b"],
        Attribute.LICENCE: ["MIT OR Apache-2.0", "MIT"],
        Attribute.SOURCE_URL: ["https://a.b/c"],
        Attribute.TASK: ["classification"],
        Attribute.MODEL_TYPE: ["transformer"],
        Attribute.METRIC: ["0.9"],
        Attribute.ARCHITECTURE: ["Bert"],
        Attribute.DATASET: ["d", "squad"],
        Attribute.INTENDED_USE: ["triage"],
        Attribute.LIMITATION: ["English only"],
    }
    assert {attribute: said(found, attribute) for attribute in expected} == expected
    assert [(each.kind, each.target, each.target_id) for each in found.relations] == [
        (RelationKind.ANCESTOR, Ref(scheme="name", location="base", revision="1"), None),
        (RelationKind.ANCESTOR, Ref(scheme="hf", location="acme/base"), None),
        (RelationKind.TRAINED_ON, None, "d"),
    ]


def test_what_stands_deep_in_a_card_is_read() -> None:
    found = one(
        {
            **MODEL,
            "licenses": [{"license": {"name": "own", "url": "https://a.b/l"}}],
            "data": [{"contents": {"url": "https://a.b/d"}, "sensitiveData": ["names"]}],
            "properties": [
                {"name": "cdx:ai-ml:model:language", "value": "de"},
                *own(claim_citation="@misc{a}"),
            ],
            "modelCard": {
                "properties": [
                    {"name": "cdx:ai-ml:model:hyperparameter:undefined:epochs", "value": "3"},
                    {"name": "cdx:ai-ml:model:hyperparameter:vocab_size", "value": "99"},
                ],
                "considerations": {
                    "environmentalConsiderations": {
                        "properties": [{"name": "aibom:co2-grams", "value": "12"}],
                        "energyConsumptions": [
                            {"co2CostEquivalent": {"value": 0.5, "unit": "tCO2eq"}},
                            {"co2CostEquivalent": {"value": 10**400}},
                        ],
                    }
                },
            },
        }
    )
    expected = {
        Attribute.LICENCE_LINK: ["https://a.b/l"],
        Attribute.SENSITIVE_DATA: ["names"],
        Attribute.LANGUAGE: ["de"],
        Attribute.CITATION: ["@misc{a}"],
        Attribute.HYPERPARAMETER: ["3"],
        Attribute.VOCABULARY_SIZE: ["99"],
        Attribute.CO2_GRAMS: ["12", "500000"],
    }
    assert {attribute: said(found, attribute) for attribute in expected} == expected


def test_a_branch_of_an_ancestor_stands_in_the_address_of_its_page() -> None:
    page = {"type": "model-card", "url": "https://huggingface.co/acme/base/tree/refs%2Fpr%2F1"}
    ancestor = {"name": "x", "purl": "pkg:huggingface/acme/base", "externalReferences": [page]}
    (relation,) = one({**MODEL, "pedigree": {"ancestors": [ancestor]}}).relations
    assert relation.target == Ref(scheme="hf", location="acme/base", revision="refs/pr/1")


def test_digests_are_claims_whoever_states_them() -> None:
    component = {**MODEL, "hashes": [{**HASH, "content": "AB" * 32}, {"alg": "SHA3-256", "content": "x"}]}
    component["properties"] = own(digest_computed_blake3="cd" * 32)
    (file,) = read_bom(bom(component)).files
    assert [(each.algorithm, each.value, each.grade) for each in file.digests] == [
        ("sha256", "ab" * 32, Grade.CLAIMED),
        ("blake3", "cd" * 32, Grade.CLAIMED),
    ]
    assert one(component).files == ("acme/m",)


@pytest.mark.parametrize(
    ("algorithm", "content"),
    [("SHA-256", "ab"), ("SHA-256", "zz" * 32), ("SHA-256", ""), ("MD5", "ab" * 32), ("SHA-1", None)],
    ids=["short", "no digits", "empty", "long", "none"],
)
def test_a_digest_that_is_none_is_told_with_its_place(algorithm: str, content: object) -> None:
    component = {
        **MODEL,
        "components": [{"name": "a", "hashes": [HASH, {"alg": algorithm, "content": content}]}],
    }
    with pytest.raises(
        UnreadableError, match=r"^/components/0/components/0/hashes/1: not a \w+ digest"
    ) as caught:
        read_bom(bom(component))
    assert caught.value.reason is Reason.MALFORMED


def test_files_belong_to_the_component_that_they_are_nested_in() -> None:
    files = [
        {
            "type": "file",
            "name": "b.bin",
            "hashes": [HASH],
            "properties": own(file_size="7", file_format="pickle"),
        },
        {"type": "file", "name": "a.txt"},
        {"type": "library", "name": "code"},
    ]
    listed = read_bom(bom({**MODEL, "components": files, "properties": own(content_verdict="unknown")}))
    assert [each.files for each in listed.components if each.name == "acme/m"] == [("a.txt", "b.bin")]
    assert [(each.path, each.entry.size, each.format) for each in listed.files] == [("b.bin", 7, "pickle")]
    assert [(each.path, each.reason) for each in listed.gaps] == [("a.txt", Reason.MISSING)]
    assert [each.pointer for each in listed.components] == ["/components/0/components/2", "/components/0"]


def test_verdicts_that_it_records_are_read_as_recorded() -> None:
    file = {"type": "file", "name": "b", "hashes": [HASH], "properties": own(content_verdict="dangerous")}
    properties = own(check_signature="verified|a@b.c", check_digest="verified", check_lineage="nonsense|x")
    listed = read_bom(bom({**MODEL, "components": [file], "properties": properties}))
    assert [(each.path, each.verdict) for each in listed.contents] == [("b", ContentVerdict.DANGEROUS)]
    (check,) = listed.checks  # one without an identity vouches for nothing
    assert (check.subject, check.kind, check.outcome) == ("m", CheckKind.SIGNATURE, Outcome.VERIFIED)


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("..", ["unnamed"]),
        ("", ["unnamed"]),
        ("/etc/passwd", ["etc/passwd"]),
        ("a/../../b", ["a/b"]),
        ("./a//b/", ["a/b"]),
        ("a\0b", ["ab"]),
        ("a..b/.c", ["a..b/.c"]),
        ("\x1b[2J\u202e", ["\x1b[2J\u202e"]),
        ("\ud800", ["\\ud800"]),
        (7, ["unnamed"]),
    ],
    ids=["up", "empty", "absolute", "up inside", "odd", "nul", "dots", "control", "surrogate", "number"],
)
def test_a_hostile_name_stays_inside(name: object, paths: list[str]) -> None:
    listed = read_bom(bom({"type": "file", "name": name, "hashes": [HASH]}))
    assert [each.path for each in listed.files] == paths


def test_many_files_of_one_name_are_told_apart_in_linear_time() -> None:
    started = time.process_time()
    files = [{"type": "file", "name": "model.safetensors", "hashes": [HASH]}] * 5_000
    listed = read_bom(bom(*files, {"type": "file", "name": "model.safetensors#2", "hashes": [HASH]}))
    assert len({each.path for each in listed.files}) == 5_001
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("purl", "ref"),
    [
        (f"pkg:huggingface/acme/m@{COMMIT}", ("hf", "acme/m", COMMIT)),
        ("pkg:huggingface/acme/d?repo_type=dataset", ("hf-dataset", "acme/d", None)),
        ("pkg:github/acme/m@v1", ("git", "https://github.com/acme/m", "v1")),
        ("pkg:oci/m@sha256%3Aab?repository_url=x", ("purl", "oci/m@sha256%3Aab?repository_url=x", None)),
        ("pkg:mlflow/a%20b@3", ("purl", "mlflow/a b", "3")),
        ("pkg:generic/x%2F%2Fu:p%40host", None),
        ("pkg:generic//", None),
        ("pkg:github/%2F%2F", None),
        ("not a purl", None),
        ("pkg:", None),
    ],
    ids=[
        "model",
        "dataset",
        "github",
        "oci",
        "mlflow",
        "credentials",
        "no name",
        "slashes",
        "text",
        "nothing",
    ],
)
def test_a_package_url_leads_to_its_place(purl: str, ref: tuple[str, str, str | None] | None) -> None:
    found = one({**MODEL, "purl": purl})
    assert found.purl == purl
    assert (found.ref and (found.ref.scheme, found.ref.location, found.ref.revision)) == ref


def test_what_the_document_is_about_counts_when_it_is_a_model() -> None:
    about = {**MODEL, "hashes": [HASH]}
    listed = read_bom(bom(metadata={"component": about}))
    assert [(each.name, each.pointer) for each in listed.components] == [("acme/m", "/metadata/component")]
    application = {"type": "application", "name": "app", "components": [MODEL]}
    listed = read_bom(bom(metadata={"component": application}))
    assert [each.pointer for each in listed.components] == ["/metadata/component/components/0"]
    assert len(read_bom(bom(about, metadata={"component": about})).components) == 1


def test_what_another_document_tells_is_a_gap() -> None:
    link = {"type": "bom", "url": "urn:cdx:f08a6ccd-4dce-4759-bd84-c626675d60a7/1"}
    listed = read_bom(bom({**MODEL, "externalReferences": [link]}))
    assert ([each.complete for each in listed.components], listed.elsewhere) == ([False], 1)
    assert [(each.path, each.reason) for each in listed.gaps] == [("acme/m", Reason.OUTSIDE_TARGET)]


def test_references_stand_as_they_were_found() -> None:
    place = {"location": "app.py", "line": 7, "symbol": "pipeline", "additionalContext": "cell 2, unpinned"}
    outside = {
        "type": "machine-learning-model",
        "bom-ref": "external:model:ollama:qwen2%3A7b@main%3Ax",
        "name": "x",
        "evidence": {"occurrences": [place, {"location": "b.py", "line": True, "symbol": "s"}]},
        "properties": own(kind="model", external="true", reference_flag="unpinned"),
    }
    unresolved = {**outside, "bom-ref": "unresolved:model:torch.load", "evidence": {"occurrences": [place]}}
    service = {
        "bom-ref": "external:service:openai:gpt-4",
        "name": "gpt-4",
        "properties": own(
            kind="service", external="true", reference_flag="unpinned", occurrence="a!cell 1:3"
        ),
    }
    listed = read_bom(bom(outside, unresolved, services=[service]))
    target = Ref(scheme="ollama", location="qwen2:7b", revision="main:x")
    assert not listed.components
    assert [
        (r.target, r.loader, r.location.path, r.location.line, set(r.flags)) for r in listed.references
    ] == [
        (target, "pipeline", "app.py", 7, {Flag.UNPINNED}),
        (target, "s", "b.py", 1, set()),
        (None, "pipeline", "app.py", 7, {Flag.UNPINNED}),
        (Ref(scheme="openai", location="gpt-4"), "gpt-4", "a", 3, {Flag.UNPINNED}),
    ]


def test_a_dataset_outside_is_no_part_of_the_inventory() -> None:
    outside = {"type": "data", "bom-ref": "d", "name": "squad", "properties": own(external="true")}
    card = {"modelParameters": {"datasets": [{"ref": "d"}, {"ref": "dangling"}]}}
    (found,) = read_bom(bom({**MODEL, "modelCard": card}, outside)).components
    assert [(each.target, each.target_id) for each in found.relations] == [
        (Ref(scheme="name", location="squad"), None),
        (None, "dangling"),
    ]


def test_what_it_calls_incomplete_is_not_complete() -> None:
    compositions = [
        {"aggregate": "incomplete", "assemblies": ["m"]},
        {"aggregate": "complete", "assemblies": []},
    ]
    assert not one(MODEL, compositions=compositions).complete
    assert one(MODEL).complete


def nested(depth: int) -> dict[str, Any]:
    component: dict[str, Any] = {"type": "library", "name": "x"}
    for _ in range(depth):
        component = {"type": "library", "name": "x", "components": [component]}
    return component


@pytest.mark.parametrize(
    ("document", "reason", "words"),
    [
        (b"", Reason.UNSUPPORTED, "a JSON object is expected"),
        (b"{", Reason.MALFORMED, "not JSON"),
        (
            b'<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>',
            Reason.UNSUPPORTED,
            "XML",
        ),
        (b"[]", Reason.UNSUPPORTED, "a JSON object is expected"),
        (b'{"spdxVersion": "SPDX-2.3"}', Reason.UNSUPPORTED, "this is an SPDX document"),
        (b'{"@context": "https://spdx.org", "@graph": []}', Reason.UNSUPPORTED, "this is an SPDX document"),
        (b"{}", Reason.UNSUPPORTED, "bomFormat is not CycloneDX"),
        (bom(version="1.3"), Reason.UNSUPPORTED, "CycloneDX 1.3: read are 1.4, 1.5, 1.6, 1.7"),
        (bom(version="2.0"), Reason.UNSUPPORTED, "CycloneDX 2.0: read are"),
        (b'{"bomFormat": "CycloneDX"}', Reason.UNSUPPORTED, "CycloneDX ?: read are"),
        (b'{"bomFormat": "CycloneDX", "bomFormat": "CycloneDX"}', Reason.MALFORMED, "duplicate key"),
        (b'{"components": [{"name": "a", "name": "b"}]}', Reason.MALFORMED, "duplicate key 'name'"),
        (b'{"components": {}}', Reason.MALFORMED, "/components: a list is expected"),
        (bom(MODEL, 7), Reason.MALFORMED, "/components/1: a component is an object"),
        (
            bom({"name": "a", "components": ["x"]}),
            Reason.MALFORMED,
            "/components/0/components/0: a component",
        ),
        (bom(MODEL, MODEL), Reason.MALFORMED, "/components/1: bom-ref 'm' stands for two"),
        (bom({**MODEL, "components": [MODEL]}), Reason.MALFORMED, "bom-ref 'm' stands for two"),
        (bom({"bom-ref": "/components/1"}, {"name": "x"}), Reason.MALFORMED, "stands for two"),
        (bom(nested(BOM_DEPTH + 1)), Reason.LIMIT, "nested deeper than 32 levels"),
        (bom(nested(200)), Reason.LIMIT, "nested deeper than 32 levels"),
    ],
    ids=[
        "empty",
        "cut",
        "XML",
        "list",
        "SPDX 2",
        "SPDX 3",
        "object",
        "old",
        "new",
        "no version",
        "key twice",
        "key twice inside",
        "no list",
        "no object",
        "no object inside",
        "ref twice",
        "ref twice inside",
        "ref like a pointer",
        "deep",
        "200 levels",
    ],
)
def test_what_is_wrong_is_one_clear_error(document: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_bom(document)
    assert caught.value.reason is reason
    assert words in str(caught.value)


KEYS = st.sampled_from(
    [
        "type",
        "bom-ref",
        "name",
        "version",
        "purl",
        "hashes",
        "alg",
        "content",
        "properties",
        "value",
        "licenses",
        "license",
        "id",
        "expression",
        "components",
        "pedigree",
        "ancestors",
        "modelCard",
        "modelParameters",
        "datasets",
        "ref",
        "evidence",
        "occurrences",
        "location",
        "line",
        "symbol",
        "url",
        "externalReferences",
        "considerations",
        "useCases",
        "data",
        "contents",
        "manufacturer",
        "authors",
        "publisher",
    ]
)
TEXTS = st.sampled_from(
    [
        "",
        "..",
        "/",
        "a\0b",
        "\ud800",
        "pkg:generic/a%2F%2Fb%40c",
        "pkg:huggingface/a/b@main",
        "pkg:github/@",
        "pkg:x/ ",
        "file",
        "data",
        "machine-learning-model",
        "SHA-256",
        "ab" * 32,
        "bom",
        "9" * 400,
        "-1",
        "1e9",
        "//a@b",
        "external:model:hf:%2F%2Fa%40b",
        "external:model:%20:",
        "unresolved:model:%ff",
        "external:a:b:c@#",
        "aibom:external",
        "aibom:kind",
        "aibom:file:size",
        "aibom:occurrence",
        "aibom:check:signature",
        "verified",
        "verified|",
        "aibom:digest:claimed:sha256",
        "aibom:claim:licence",
        "aibom:revision:moving",
        "aibom:identity:basis",
        "aibom:content:verdict",
        "safe",
        "!:3",
        ":0",
    ]
)
MUTANTS = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=3),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(KEYS, each, max_size=4),
    max_leaves=12,
)
PROPERTIES = st.lists(st.fixed_dictionaries({"name": TEXTS, "value": TEXTS}), max_size=3)
COMPONENTS = st.fixed_dictionaries(
    {},
    optional={
        "type": TEXTS,
        "bom-ref": TEXTS,
        "name": TEXTS | MUTANTS,
        "version": TEXTS,
        "purl": TEXTS,
        "hashes": st.lists(st.fixed_dictionaries({"alg": TEXTS, "content": TEXTS}), max_size=1),
        "properties": PROPERTIES,
        "pedigree": st.fixed_dictionaries({"ancestors": st.lists(MUTANTS, max_size=2)}),
        "evidence": st.fixed_dictionaries({"occurrences": st.lists(MUTANTS, max_size=2)}),
        "components": st.lists(MUTANTS, max_size=2),
        "modelCard": MUTANTS,
        "externalReferences": MUTANTS,
    },
)


@given(
    st.lists(COMPONENTS | MUTANTS, max_size=3),
    MUTANTS,
    st.sampled_from(["metadata", "services", "compositions"]),
)
def test_nothing_but_the_error_leaves_whatever_the_document_holds(
    components: list[object], rest: object, key: str
) -> None:
    refused: UnreadableError | None = None
    listed = Listed()
    try:
        listed = read_bom(bom(*components, **{key: rest}))
    except UnreadableError as error:
        refused = error
    ids = [each.id for each in listed.components]
    assert refused is not None or len(set(ids)) == len(ids)
    assert len({each.path for each in (*listed.files, *listed.gaps)}) == len(listed.files) + len(listed.gaps)


@given(st.data())
def test_nothing_but_the_error_leaves_when_bytes_are_changed(data: st.DataObject) -> None:
    document = bytearray(
        bom({**MODEL, "hashes": [HASH], "properties": own(kind="model")}, metadata={"tools": []})
    )
    for _ in range(data.draw(st.integers(1, 3))):
        document[data.draw(st.integers(0, len(document) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(UnreadableError):
        read_bom(bytes(document))
