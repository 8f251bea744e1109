"""The lint: every rule has a document that breaks it alone, and sound documents pass."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.finding import Severity
from aibom.outputs import cyclonedx, lint
from aibom.outputs.lint_rules import DIGEST_CHARS
from tests.outputs.bom_samples import COMMIT, rich_report


def bom(*components: object, **parts: object) -> dict[str, object]:
    return {"bomFormat": "CycloneDX", "specVersion": "1.7", "components": list(components), **parts}


def thing(name: str = "a", **parts: object) -> dict[str, object]:
    return {"type": "library", "bom-ref": name, "name": name} | parts


def licence(**parts: object) -> dict[str, object]:
    return thing(licenses=[parts])


def prop(name: str, value: str = "") -> dict[str, object]:
    return thing(properties=[{"name": name, "value": value}])


HUB = "pkg:huggingface/org/name"
MODEL = thing(type="machine-learning-model", purl=HUB)
BAD = [
    ("duplicate-bom-ref", "/components/0/bom-ref", bom(thing(), thing())),
    ("duplicate-bom-ref", "/components/0/bom-ref", bom(thing(), services=[{"bom-ref": "a", "name": "s"}])),
    ("duplicate-bom-ref", "/components/0/bom-ref", bom(thing(components=[thing()]))),
    ("dangling-ref", "/dependencies/0/ref", bom(dependencies=[{"ref": "x"}])),
    (
        "dangling-ref",
        "/dependencies/0/dependsOn/1",
        bom(thing(), dependencies=[{"ref": "a", "dependsOn": ["a", "x"]}]),
    ),
    ("dangling-ref", "/compositions/0/assemblies/0", bom(compositions=[{"assemblies": ["x"]}])),
    ("dangling-ref", "/annotations/0/subjects/0", bom(annotations=[{"subjects": ["x"]}])),
    ("dangling-ref", "/citations/0/attributedTo", bom(citations=[{"attributedTo": "x", "pointers": []}])),
    (
        "dangling-ref",
        "/components/0/modelCard/modelParameters/datasets/0/ref",
        bom(MODEL | {"modelCard": {"modelParameters": {"datasets": [{"ref": "x"}]}}}),
    ),
    (
        "dangling-ref",
        "/components/0/evidence/identity/0/tools/0",
        bom(thing(evidence={"identity": [{"tools": ["x"]}]})),
    ),
    ("dangling-ref", "/vulnerabilities/0/affects/0/ref", bom(vulnerabilities=[{"affects": [{"ref": "x"}]}])),
    ("dangling-ref", "/declarations/claims/0/target", bom(declarations={"claims": [{"target": "x"}]})),
    ("dangling-pointer", "/citations/0/pointers/1", bom(citations=[{"pointers": ["/components", "/nope"]}])),
    ("dangling-pointer", "/citations/0/pointers/0", bom(citations=[{"pointers": ["/components/0"]}])),
    ("dangling-pointer", "/citations/0/pointers/0", bom(citations=[{"pointers": ["components"]}])),
    (
        "digest-length",
        "/components/0/hashes/0/content",
        bom(thing(hashes=[{"alg": "SHA-256", "content": "a" * 32}])),
    ),
    (
        "digest-length",
        "/components/0/externalReferences/0/hashes/0/content",
        bom(thing(externalReferences=[{"hashes": [{"alg": "MD5", "content": "a" * 64}]}])),
    ),
    ("invalid-purl", "/components/0/purl", bom(thing(purl="org/name"))),
    ("invalid-purl", "/components/0/purl", bom(thing(purl="pkg:huggingface/gpt2"))),
    (
        "invalid-purl",
        "/components/0/pedigree/ancestors/0/purl",
        bom(thing(pedigree={"ancestors": [thing("b", purl="x")]})),
    ),
    ("moving-version", "/components/0/version", bom(MODEL | {"version": "main"})),
    ("moving-version", "/components/0/purl", bom(MODEL | {"purl": f"{HUB}@latest?a=b#c@d"})),
    ("licence-expression", "/components/0/licenses/0/expression", bom(licence(expression="MIT AND"))),
    ("licence-expression", "/components/0/licenses/0/expression", bom(licence(expression="MIT OR Nope"))),
    ("unknown-licence", "/components/0/licenses/0/license/id", bom(licence(license={"id": "Nope"}))),
    ("model-card-on-non-model", "/components/0/modelCard", bom(thing(type="file", modelCard={}))),
    ("data-on-non-data", "/components/0/data", bom(thing(data=[]))),
    ("unofficial-property", "/components/0/properties/0/name", bom(prop("cdx:ai-ml:model:speed"))),
    (
        "unofficial-property",
        "/components/0/properties/0/name",
        bom(prop("cdx:ai-ml:model:hyperparameter:_undefined:")),
    ),
    ("malformed-digest", "/components/0/properties/0/value", bom(prop("aibom:model:digest", "sha256:aa"))),
    (
        "malformed-digest",
        "/components/0/properties/0/value",
        bom(prop("aibom:digest:claimed:sha256", "a" * 40)),
    ),
    (
        "malformed-digest",
        "/components/0/properties/0/value",
        bom(prop("aibom:digest:claimed:sha3", "a" * 64)),
    ),
    (
        "malformed-digest",
        "/metadata/properties/0/value",
        bom(metadata={"properties": [{"name": "aibom:policy:sha256"}]}),
    ),
    ("serial-number", "/serialNumber", bom(serialNumber="urn:uuid:3E671687-395B-41F5-A30F-A58921A69B79")),
    ("serial-number", "/serialNumber", bom(serialNumber=7)),
]


@pytest.mark.parametrize(("code", "pointer", "bad"), BAD)
def test_each_rule_tells_what_is_wrong_and_where(code: str, pointer: str, bad: dict[str, object]) -> None:
    [found] = lint.problems(orjson.dumps(bad))
    # Which of two equal bom-refs is called the other one does not matter.
    assert found.code == code
    assert found.pointer == pointer or code == "duplicate-bom-ref"
    assert found.severity is lint.SEVERITIES[code]


def test_every_code_has_a_document_that_breaks_it() -> None:
    assert {code for code, _, _ in BAD} | {"not-json"} == lint.SEVERITIES.keys()


GOOD = [
    bom(),
    bom(
        thing(), thing("b"), dependencies=[{"ref": "a", "dependsOn": ["b"]}, {"ref": "b", "provides": ["a"]}]
    ),
    bom(compositions=[{"assemblies": ["urn:cdx:f08a6ccd-4dce-4759-bd84-c626675d60a7/1#a"]}]),
    bom(MODEL | {"version": COMMIT, "purl": f"{HUB}@{COMMIT}"}),
    bom(thing(version="main", purl="pkg:github/a/b@main")),
    bom(thing(type="data", data=[{"type": "dataset"}])),
    bom(licence(expression="(MIT OR LicenseRef-own) AND GPL-2.0-only WITH Classpath-exception-2.0")),
    bom(licence(license={"name": "Anything at all"})),
    bom(prop("cdx:ai-ml:model:hyperparameter:_undefined:experts")),
    bom(prop("cdx:ai-ml:model:parameter:tuning_method", "lora")),
    bom(prop("cdx:npm:package:path", "x")),
    bom(prop("aibom:model:digest", "v1:sha256:" + "0" * 64)),
    bom(thing(), citations=[{"attributedTo": "a", "pointers": ["", "/components/0/bom-ref"]}]),
    bom(services=[{"name": "s", "data": [{"flow": "inbound"}]}]),
    bom(serialNumber="urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"),
]


@pytest.mark.parametrize("good", GOOD)
def test_sound_documents_have_no_problems(good: dict[str, object]) -> None:
    assert lint.problems(orjson.dumps(good)) == ()


@pytest.mark.parametrize(("algorithm", "chars"), DIGEST_CHARS.items())
def test_every_algorithm_of_the_standard_has_its_length(algorithm: str, chars: int) -> None:
    right, wrong = (bom(thing(hashes=[{"alg": algorithm, "content": "a" * n}])) for n in (chars, chars + 1))
    assert lint.problems_in(right) == ()
    assert [p.code for p in lint.problems_in(wrong)] == ["digest-length"]


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
def test_what_is_no_json_object_is_one_problem(data: bytes) -> None:
    assert [(p.code, p.pointer) for p in lint.problems(data)] == [("not-json", "")]


KEYS = [
    "alg", "bom-ref", "citations", "components", "content", "data", "datasets", "dependencies", "dependsOn",
    "expression", "hashes", "id", "license", "licenses", "modelCard", "name", "pointers", "properties",
    "purl", "ref", "serialNumber", "type", "value", "version",
]  # fmt: skip
TEXTS = ["a", "x", "/components/0", "pkg:a", ""]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=25,
)


@given(JSON)
def test_any_json_is_linted_without_an_error_and_in_a_fixed_order(any_json: object) -> None:
    data = orjson.dumps(any_json)
    found = lint.problems(data)
    assert found == tuple(sorted(found))
    assert found == lint.problems(data)


def test_a_pointer_is_escaped_and_a_message_is_short() -> None:
    odd = bom(**{"a/b~": {"bom-ref": "x" * 5_000}, "c": {"bom-ref": "x" * 5_000}})
    [found] = lint.problems_in(odd)
    assert found.pointer in ("/a~1b~0/bom-ref", "/c/bom-ref")
    assert len(found.message) < 400
    assert found.severity is Severity.HIGH


def test_deep_nesting_is_no_trouble() -> None:
    deep: dict[str, object] = thing("0")
    for number in range(1, 400):
        deep = thing(str(number), components=[deep])
    assert lint.problems_in(bom(deep)) == ()


@pytest.mark.parametrize("spec_version", ["1.6", "1.7"])
def test_a_broken_document_of_ours_is_noticed(spec_version: str) -> None:
    text = cyclonedx.render(rich_report(), spec_version=spec_version)
    gone = text.replace(b'"bom-ref": "component:dataset:data"', b'"bom-ref": "elsewhere"')
    codes = {problem.code for problem in lint.problems(gone)}
    assert codes == {"dangling-ref"}
