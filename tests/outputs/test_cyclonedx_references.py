"""References in the BOM: evidence with lines, and one component for what is one thing by evidence."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import cycle

import orjson
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.component import Component, ComponentKind, IdentityBasis
from aibom.domain.confidence import Confidence
from aibom.domain.facts import FileKind
from aibom.domain.finding import Location
from aibom.domain.ref import PinnedRef, Ref
from aibom.domain.reference import Flag, Reference
from aibom.domain.report import Report
from aibom.outputs import cyclonedx, lint, schema, summary
from aibom.outputs.cdx.text import shown
from tests.outputs.bom_samples import COMMIT, file, model, report
from tests.outputs.bom_strategies import reports

VERSIONS = ("1.6", "1.7")
OTHER = "f" * 40
DIGEST = "sha256:" + "ab" * 32
HERE = PinnedRef(scheme="hf", location="acme/m", revision=COMMIT)
LOCAL = "component:model:m"
WEIGHTS = file("m/model.safetensors", FileKind.WEIGHTS, "safetensors")
LOAD = "transformers.AutoModel.from_pretrained"


def use(
    target: Ref | None, kind: ComponentKind = ComponentKind.MODEL, line: int | None = 3, **more: object
) -> Reference:
    place = Location(path=str(more.pop("path", "app.py")), line=line, inside=str(more.pop("inside", "")))
    loader = str(more.pop("loader", LOAD))
    return Reference(kind=kind, target=target, loader=loader, location=place, **more)  # type: ignore[arg-type]


def hub(location: str = "acme/m", **more: object) -> Ref:
    return Ref(scheme="hf", location=location, **more)  # type: ignore[arg-type]


def bom(seen: Report, spec_version: str = "1.7") -> dict:
    """The document, which our validator and lint find nothing wrong with."""
    document = cyclonedx.render(seen, spec_version=spec_version)
    assert schema.errors(document) == []
    assert lint.problems(document) == ()
    return orjson.loads(document)


def found(document: dict, ref: str) -> dict:
    pending = [*document.get("components", []), *document.get("services", [])]
    while pending:
        entry = pending.pop()
        if entry["bom-ref"] == ref:
            return entry
        pending += entry.get("components", [])
    raise AssertionError(f"no {ref}")


def lines(entry: dict) -> list[tuple[str, int | None]]:
    """The occurrences that tell a loader: the others are where the thing itself lies."""
    told = entry.get("evidence", {}).get("occurrences", [])
    return [(each["location"], each.get("line")) for each in told if "symbol" in each]


def properties(entry: dict, name: str) -> list[str]:
    return [each["value"] for each in entry.get("properties", []) if each["name"] == name]


def outside(document: dict) -> list[str]:
    parts = [*document.get("components", []), *document.get("services", [])]
    return sorted(e["bom-ref"] for e in parts if e["bom-ref"].startswith(("external:", "unresolved:")))


def with_model(*references: Reference, **more: object) -> Report:
    """A report with one model, at `HERE` unless said otherwise."""
    subject = model(**({"files": (WEIGHTS.path,), "ref": HERE, "name": "acme/m"} | more))
    return report(files=(WEIGHTS, file("app.py")), components=(subject,), references=references)


@pytest.mark.parametrize("spec_version", VERSIONS)
@pytest.mark.parametrize("basis", [IdentityBasis.DECLARED, IdentityBasis.CONTENT_PROVEN])
@pytest.mark.parametrize(
    "target",
    [
        hub(),
        Ref(scheme="hf", location="acme/m", revision=COMMIT),
        HERE,
        hub(subpath="model.safetensors"),
        PinnedRef(scheme="hf", location="acme/m", revision=COMMIT, subpath="model.safetensors"),
        Ref(scheme="file", location="m"),
        Ref(scheme="file", location="m/model.safetensors"),
    ],
    ids=str,
)
def test_the_same_thing_by_evidence_is_one_component_with_the_line(
    target: Ref, basis: IdentityBasis, spec_version: str
) -> None:
    document = bom(with_model(use(target), basis=basis), spec_version)
    assert lines(found(document, LOCAL)) == [("app.py", 3)]
    assert outside(document) == []


@pytest.mark.parametrize(
    "target",
    [
        hub(revision="main"),
        PinnedRef(scheme="hf", location="acme/m", revision=OTHER),
        PinnedRef(scheme="hf", location="acme/m", revision=OTHER, subpath="model.safetensors"),
        hub(subpath="other.safetensors"),
        hub(subpath="odel.safetensors"),
        hub("acme/M"),
        hub("m"),
        Ref(scheme="hf-dataset", location="acme/m"),
        Ref(scheme="ollama", location="acme/m"),
        Ref(scheme="file", location="mm"),
        Ref(scheme="file", location="/m/model.safetensors"),
    ],
    ids=str,
)
def test_what_is_another_revision_file_or_name_stays_outside(target: Ref) -> None:
    document = bom(with_model(use(target)))
    assert lines(found(document, LOCAL)) == []
    (ref,) = outside(document)
    assert lines(found(document, ref)) == [("app.py", 3)]


@pytest.mark.parametrize("target", [hub(), HERE, hub(subpath="model.safetensors")], ids=str)
def test_a_name_that_was_guessed_from_a_folder_is_no_evidence(target: Ref) -> None:
    inferred = with_model(use(target), basis=IdentityBasis.INFERRED)
    assert len(outside(bom(inferred))) == 1
    nameless = with_model(use(target), ref=None)
    assert len(outside(bom(nameless))) == 1


def part(name: str, kind: ComponentKind = ComponentKind.MODEL, **more: object) -> Component:
    return model(**({"id": name, "name": name, "kind": kind, "ref": hub(subpath=name)} | more))


def test_of_several_copies_the_one_with_the_file_or_the_kind_is_meant() -> None:
    files = [file(f"s/{name}", FileKind.WEIGHTS, "gguf") for name in ("q4.gguf", "q8.gguf", "a.bin")]
    parts = (
        part("q4.gguf", files=("s/q4.gguf",)),
        part("q8.gguf", files=("s/q8.gguf",)),
        part("a.bin", ComponentKind.ADAPTER, files=("s/a.bin",)),
    )
    references = (
        use(hub(), line=1),
        use(hub(subpath="q8.gguf"), line=2),
        use(hub(), ComponentKind.ADAPTER, line=3),
        use(Ref(scheme="file", location="s"), line=4),
        use(Ref(scheme="file", location="s/q4.gguf"), line=5),
    )
    document = bom(report(files=tuple(files), components=parts, references=references))
    assert lines(found(document, "component:q4.gguf")) == [("app.py", 5)]
    assert lines(found(document, "component:q8.gguf")) == [("app.py", 2)]
    assert lines(found(document, "component:a.bin")) == [("app.py", 3)]
    assert outside(document) == ["external:model:file:s", "external:model:hf:acme/m"]


def test_two_copies_of_one_revision_are_not_guessed_between() -> None:
    copies = (part("one", ref=HERE, files=("a/x",)), part("two", ref=hub(revision="v1"), files=("b/x",)))
    document = bom(report(components=copies, files=(file("a/x"), file("b/x")), references=(use(hub()),)))
    assert outside(document) == ["external:model:hf:acme/m"]
    pinned = use(replace(HERE, subpath="x"))
    document = bom(report(components=copies, files=(file("a/x"), file("b/x")), references=(pinned,)))
    assert lines(found(document, "component:one")) == [("app.py", 3)]


@pytest.mark.parametrize("spec_version", VERSIONS)
def test_a_file_of_no_component_has_the_occurrences_itself(spec_version: str) -> None:
    references = tuple(
        use(Ref(scheme="file", location="data/train.csv"), ComponentKind.DATASET, line) for line in (9, 4)
    )
    seen = report(files=(file("data/train.csv", FileKind.DATA, "csv"),), references=references)
    document = bom(seen, spec_version)
    assert lines(found(document, "file:data/train.csv")) == [("app.py", 4), ("app.py", 9)]
    assert outside(document) == []


@pytest.mark.parametrize("spec_version", VERSIONS)
def test_what_is_not_here_says_so_and_where_it_is_referred_to(spec_version: str) -> None:
    flags = frozenset({Flag.UNPINNED, Flag.REMOTE_CODE})
    base = hub("acme/base")
    references = (
        use(base, line=9, flags=flags, confidence=Confidence.HIGH),
        use(base, line=3, path="b.py", flags=frozenset({Flag.UNPINNED})),
        use(base, line=2),
    )
    document = bom(report(references=references), spec_version)
    entry = found(document, "external:model:hf:acme/base")
    assert entry["type"] == "machine-learning-model"
    assert entry["name"] == "acme/base"
    assert entry["purl"] == "pkg:huggingface/acme/base"
    assert entry.get("isExternal") == (True if spec_version == "1.7" else None)
    assert entry["externalReferences"] == [{"url": "https://huggingface.co/acme/base", "type": "model-card"}]
    assert entry["evidence"]["occurrences"] == [
        {"location": "app.py", "line": 2, "symbol": LOAD},
        {"location": "app.py", "line": 9, "symbol": LOAD, "additionalContext": "remote-code, unpinned"},
        {"location": "b.py", "line": 3, "symbol": LOAD, "additionalContext": "unpinned"},
    ]
    (identity,) = entry["evidence"]["identity"]
    assert (identity["field"], identity["confidence"]) == ("name", 0.9)
    assert properties(entry, "aibom:reference:flag") == ["remote-code", "unpinned"]
    assert properties(entry, "aibom:external") == ["true"]
    depends = {each["ref"]: each.get("dependsOn") for each in document["dependencies"]}
    assert "external:model:hf:acme/base" in depends["target"]


@pytest.mark.parametrize(
    ("target", "version", "purl"),
    [
        (PinnedRef(scheme="hf", location="a/b", revision=COMMIT), COMMIT, f"pkg:huggingface/a/b@{COMMIT}"),
        (hub("a/b", revision="main"), None, "pkg:huggingface/a/b"),
        (hub("a/b", revision="v1.0"), "v1.0", "pkg:huggingface/a/b"),
        (hub("bert"), None, None),
        (Ref(scheme="pypi", location="Torch_x", revision="2.1.0"), "2.1.0", "pkg:pypi/torch-x@2.1.0"),
        (Ref(scheme="npm", location="@a/b", revision="1.0.0"), "1.0.0", "pkg:npm/%40a/b@1.0.0"),
        (PinnedRef(scheme="docker", location="ghcr.io/a/b", revision=DIGEST), DIGEST,
         f"pkg:docker/a/b@{DIGEST}?repository_url=ghcr.io"),
        (Ref(scheme="docker", location="a/b", revision="latest"), None, "pkg:docker/a/b@latest"),
        (Ref(scheme="s3", location="bucket/m.bin"), None, None),
    ],
    ids=str,
)  # fmt: skip
def test_a_version_is_what_stays_and_the_revision_that_was_asked_for_is_told(
    target: Ref, version: str | None, purl: str | None
) -> None:
    document = bom(report(references=(use(target),)))
    entry = found(document, outside(document)[0])
    assert (entry.get("version"), entry.get("purl")) == (version, purl)
    assert properties(entry, "aibom:reference:revision") == ([target.revision] if target.revision else [])


@pytest.mark.parametrize(
    ("scheme", "location", "kind", "expected"),
    [
        ("docker", "vllm/vllm-openai", ComponentKind.LIBRARY, "container"),
        ("docker", "torch", ComponentKind.LIBRARY, "container"),
        ("pypi", "torch", ComponentKind.LIBRARY, "framework"),
        ("pypi", "Transformers", ComponentKind.LIBRARY, "framework"),
        ("conda", "pytorch", ComponentKind.LIBRARY, "framework"),
        ("npm", "@huggingface/transformers", ComponentKind.LIBRARY, "framework"),
        ("pypi", "safetensors", ComponentKind.LIBRARY, "library"),
        ("pypi", "torchvision", ComponentKind.LIBRARY, "library"),
        ("git", "https://github.com/a/b", ComponentKind.CODE, "library"),
        ("hf", "a/b", ComponentKind.ADAPTER, "machine-learning-model"),
        ("ollama", "llama3", ComponentKind.MODEL, "machine-learning-model"),
        ("hf-dataset", "a/b", ComponentKind.DATASET, "data"),
        ("hf", "a/b", ComponentKind.TOKENIZER, "data"),
    ],
)
@pytest.mark.parametrize("spec_version", VERSIONS)
def test_the_type_of_the_standard_follows_from_kind_and_name(
    scheme: str, location: str, kind: ComponentKind, expected: str, spec_version: str
) -> None:
    document = bom(report(references=(use(Ref(scheme=scheme, location=location), kind),)), spec_version)
    entry = found(document, outside(document)[0])
    assert entry["type"] == expected
    assert properties(entry, "aibom:kind") == [kind.value]


@pytest.mark.parametrize("spec_version", VERSIONS)
def test_hosted_models_are_services_of_their_provider_with_the_places_as_properties(
    spec_version: str,
) -> None:
    hosted = Ref(scheme="openai", location="gpt-4o")
    references = (
        use(hosted, ComponentKind.SERVICE, 2, path="nb.ipynb", inside="cell 10"),
        use(hosted, ComponentKind.SERVICE, 2, path="nb.ipynb", inside="cell 9"),
        use(hosted, ComponentKind.SERVICE, 7),
        use(Ref(scheme="https", location="https://api.example/v1"), ComponentKind.SERVICE),
        use(None, ComponentKind.SERVICE, 8, loader="anthropic.Anthropic"),
    )
    document = bom(report(references=references), spec_version)
    assert "components" not in document
    service = found(document, "external:service:openai:gpt-4o")
    assert (service["name"], service["provider"]) == ("gpt-4o", {"name": "openai"})
    assert properties(service, "aibom:occurrence") == ["app.py:7", "nb.ipynb!cell 9:2", "nb.ipynb!cell 10:2"]
    address = found(document, "external:service:https:https%3A//api.example/v1")
    assert "provider" not in address
    unresolved = found(document, "unresolved:service:anthropic.Anthropic")
    assert properties(unresolved, "aibom:reference:unresolved") == ["true"]
    assert properties(unresolved, "aibom:occurrence") == ["app.py:8"]


def test_the_cell_of_a_notebook_stands_beside_its_line() -> None:
    references = tuple(
        use(hub("a/b"), line=1, path="nb.ipynb", inside=f"cell {n}", flags=frozenset({Flag.UNPINNED}))
        for n in (10, 2)
    )
    entry = found(bom(report(references=references)), "external:model:hf:a/b")
    assert [each["additionalContext"] for each in entry["evidence"]["occurrences"]] == [
        "cell 2, unpinned",
        "cell 10, unpinned",
    ]


def test_what_was_not_resolved_is_one_component_per_loader_and_kind() -> None:
    flags = frozenset({Flag.UNRESOLVED})
    references = (
        use(None, line=5, loader="torch.load", flags=flags),
        use(None, line=6, loader="torch.load", flags=flags),
        use(None, line=7, loader="joblib.load", flags=flags),
        use(None, ComponentKind.DATASET, line=8, loader="torch.load", flags=flags),
    )
    document = bom(report(references=references))
    assert outside(document) == [
        "unresolved:dataset:torch.load",
        "unresolved:model:joblib.load",
        "unresolved:model:torch.load",
    ]
    entry = found(document, "unresolved:model:torch.load")
    assert lines(entry) == [("app.py", 5), ("app.py", 6)]
    assert entry["name"] == "torch.load"
    assert "purl" not in entry
    assert properties(entry, "aibom:reference:unresolved") == ["true"]


def test_the_same_line_is_told_once_and_a_line_that_is_not_known_is_left_out() -> None:
    references = (use(hub("a/b"), line=None), use(hub("a/b")), use(hub("a/b")))
    entry = found(bom(report(references=references)), "external:model:hf:a/b")
    assert lines(entry) == [("app.py", None), ("app.py", 3)]


def test_a_local_path_is_on_no_web_page_and_names_no_home() -> None:
    document = bom(report(references=(use(Ref(scheme="file", location="checkpoints/last.pt")),)))
    entry = found(document, "external:model:file:checkpoints/last.pt")
    assert "externalReferences" not in entry
    assert "purl" not in entry


@pytest.mark.parametrize("spec_version", VERSIONS)
def test_the_validator_of_the_cyclonedx_library_agrees(spec_version: str) -> None:
    schemes = ("hf", "hf-dataset", "git", "pypi", "npm", "docker", "openai", "file", "http", "s3")
    targets = [None, HERE, hub(revision="main"), *(Ref(scheme=s, location="https://a.b/c") for s in schemes)]
    references = [
        use(target, kind, line, inside="cell 3" if line else "", flags=frozenset(Flag))
        for target, kind, line in zip(targets, cycle(ComponentKind), cycle((1, None)), strict=False)
    ]
    document = cyclonedx.render(with_model(*references), spec_version=spec_version)
    strict = JsonStrictValidator(SchemaVersion.from_version(spec_version))
    assert strict.validate_str(document.decode()) is None
    assert bom(with_model(*references), spec_version) == orjson.loads(document)


@given(reports(), st.randoms(use_true_random=False))
def test_the_order_of_the_references_changes_no_byte(any_report: Report, chance: random.Random) -> None:
    mixed = list(any_report.references)
    chance.shuffle(mixed)
    turned = replace(any_report, references=tuple(mixed))
    for spec_version in VERSIONS:
        assert cyclonedx.render(turned, spec_version=spec_version) == cyclonedx.render(
            any_report, spec_version=spec_version
        )


@given(reports())
def test_every_reference_is_told_somewhere_with_its_line(any_report: Report) -> None:
    document = orjson.loads(cyclonedx.render(any_report))
    told: set[str] = set()
    pending = [*document.get("components", []), *document.get("services", [])]
    while pending:
        entry = pending.pop()
        places = entry.get("evidence", {}).get("occurrences", [])
        told |= {f"{each['location']}:{each.get('line')}" for each in places}
        told |= set(properties(entry, "aibom:occurrence"))
        pending += entry.get("components", [])
    for reference in any_report.references:
        place = reference.location
        assert {f"{shown(place.path)}:{place.line}", summary.place(place)} & told
