"""Reports for the tests of the BOM: one with everything in it, and any small one."""

from __future__ import annotations

import contextlib
import hashlib

from hypothesis import strategies as st

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import (
    Claim,
    Component,
    ComponentKind,
    Confidence,
    IdentityBasis,
    Origin,
    Relation,
    RelationKind,
)
from aibom.domain.digest import HEX_CHARS, Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, Capability, Facts, FileKind, Statement
from aibom.domain.file import File, Unindexed
from aibom.domain.finding import Finding, Location, Severity
from aibom.domain.gap import Gap, Stage
from aibom.domain.ref import PinnedRef, Ref
from aibom.domain.reference import Reference
from aibom.domain.report import Coverage, PolicyUse, Report, Target, Tool

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOON = "2026-01-02T12:00:00Z"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def file(path: str, kind: FileKind = FileKind.CONFIG, format_name: str = "json", **more: object) -> File:
    computed = Digest(algorithm="sha256", value=sha256(path), grade=Grade.COMPUTED)
    facts = Facts(format=format_name, kind=kind)
    parts: dict[str, object] = {
        "entry": Entry(path=path, size=len(path)), "digests": (computed,), "facts": facts
    } | more  # fmt: skip
    return File(**parts)  # type: ignore[arg-type]


def claim(
    attribute: Attribute,
    value: str,
    origin: Origin = Origin.CARD,
    source: str = "m/README.md",
    **details: str,
) -> Claim:
    statement = Statement(attribute=attribute, value=value, details=tuple(details.items()))
    return Claim(statement=statement, origin=origin, source=source)


def report(**parts: object) -> Report:
    files: tuple[File, ...] = parts.setdefault("files", ())  # type: ignore[assignment]
    gaps: tuple[Gap, ...] = parts.get("gaps", ())  # type: ignore[assignment]
    listed = len({f.path for f in files} | {g.path for g in gaps})
    whole: dict[str, object] = {
        "targets": (Target(name="place"),),
        "tool": Tool(name="aibom", version="1.2.3"),
        "policy": PolicyUse(name="baseline", sha256=sha256("policy")),
        "components": (),
        "coverage": Coverage.of(files, gaps, listed, 0),
        "timestamp": NOON,
    }
    return Report(**(whole | parts))  # type: ignore[arg-type]


def model(**parts: object) -> Component:
    whole: dict[str, object] = {
        "id": "model:m", "kind": ComponentKind.MODEL, "name": "m", "basis": IdentityBasis.DECLARED
    }  # fmt: skip
    return Component(**(whole | parts))  # type: ignore[arg-type]


def rich_report(**parts: object) -> Report:
    """Every kind of component, digest, claim, relation, reference, check, finding and gap."""
    whole: dict[str, object] = {
        "targets": (
            Target(
                name="repo",
                ref=PinnedRef(scheme="git", location="https://github.com/acme/repo.git", revision=COMMIT),
                dirty=False,
                attributes=(("branch", "main"),),
            ),
        ),
        "files": _files(),
        "components": (_model(), _adapter(), _tokenizer(), _dataset(), _code(), _service()),
        "references": _references(),
        "checks": (
            Check(
                subject="m/model.safetensors", kind=CheckKind.DIGEST, outcome=Outcome.VERIFIED, identity="lfs"
            ),
            Check(subject="model:m", kind=CheckKind.SIGNATURE, outcome=Outcome.UNSIGNED, identity=""),
            Check(subject="bundle", kind=CheckKind.PROVENANCE, outcome=Outcome.COULD_NOT_CHECK, identity=""),
        ),
        "findings": (
            Finding(
                rule="unpinned-reference",
                severity=Severity.HIGH,
                confidence=Confidence.HIGH,
                subject="app.py",
                location=Location(path="app.py", line=3),
                message="the revision can move",
                found="main",
                expected="a commit",
                remedy="pin it",
            ),
        ),
        "gaps": (
            Gap(path="m/lost|part.bin", stage=Stage.OPEN, reason=Reason.DENIED, detail="no", offset=None),
            Gap(
                path="m/model.safetensors",
                stage=Stage.READ,
                reason=Reason.MALFORMED,
                detail="7 bytes belong to no tensor",
                offset=99,
            ),
        ),
    }
    return report(**(whole | parts))


def _files() -> tuple[File, ...]:
    claimed = Digest(algorithm="sha256", value=sha256("other"), grade=Grade.CLAIMED)
    oid = Digest(algorithm="git-sha1", value=COMMIT, grade=Grade.CHAINED)
    read = (
        Digest(algorithm="sha256", value=sha256("weights"), grade=Grade.COMPUTED, cached=True),
        Digest(algorithm="blake3", value=sha256("tree"), grade=Grade.COMPUTED),
        oid,
    )
    return (
        file("data/README.md", FileKind.CARD, "card"),
        file("data/train.parquet", FileKind.DATA, "parquet"),
        file("m/README.md", FileKind.CARD, "card"),
        file("m/adapter.safetensors", FileKind.WEIGHTS, "safetensors"),
        file("m/config.json"),
        file(
            "m/model.safetensors",
            digests=read,
            entry=Entry(
                path="m/model.safetensors",
                size=4096,
                claimed=(claimed, oid),
                media_type="Application/X-Tensor",
            ),
            facts=Facts(
                format="safetensors", kind=FileKind.WEIGHTS, capabilities=frozenset({Capability.REMOTE_CODE})
            ),
            unindexed=Unindexed(bytes=7, sha256=sha256("rest")),
            promised="gguf",
        ),
        file("m/modeling_m.py", FileKind.CODE, "python"),
        file("m/tokenizer.json", FileKind.TOKENIZER, "tokenizer"),
        file("stray\n\udc80.bin", facts=None),
    )


def _model() -> Component:
    config, weights = ("m/config.json", Origin.CONFIG), ("m/model.safetensors", Origin.HEADER)
    a = Attribute
    return model(
        name="acme/m",
        basis=IdentityBasis.SIGNED,
        version=COMMIT,
        ref=PinnedRef(scheme="hf", location="acme/m", revision=COMMIT),
        files=("m/README.md", "m/config.json", "m/model.safetensors", "m/tokenizer.json"),
        complete=False,
        model_digest="v1:sha256:" + sha256("named"),
        model_digest_anonymous="v1:sha256:" + sha256("anonymous"),
        tensor_count=291,
        parameter_count=6_738_415_616,
        dtypes=("BF16", "F32"),
        claims=(
            claim(a.NAME, "acme/m"),
            claim(a.VERSION, "2.0"),
            claim(a.DESCRIPTION, "A small model.\nFor tests."),
            claim(a.AUTHOR, "A. Author"),
            claim(a.ORGANISATION, "Acme"),
            claim(a.LICENCE, "apache-2.0"),
            claim(a.LICENCE, "llama3.1", weights[1], weights[0]),
            claim(a.LICENCE, "mit", Origin.API, "huggingface.co"),
            claim(a.TASK, "text-generation"),
            claim(a.LANGUAGE, "en"),
            claim(a.LANGUAGE, "multilingual"),
            claim(a.TAG, "chat"),
            claim(a.TAG, "chat", Origin.API, "huggingface.co"),
            claim(a.ARCHITECTURE, "LlamaForCausalLM", config[1], config[0]),
            claim(a.MODEL_TYPE, "llama", config[1], config[0]),
            claim(a.MODEL_TYPE, "mistral"),
            claim(a.PARAMETER_COUNT, "7000000000"),
            claim(a.QUANTISATION, "q4_k_m", weights[1], weights[0]),
            claim(a.HYPERPARAMETER, "4096", config[1], config[0], name="hidden_size"),
            claim(a.HYPERPARAMETER, "8192", name="hidden_size"),
            claim(a.HYPERPARAMETER, "8", config[1], config[0], name="num_experts"),
            claim(a.BASE_MODEL, "acme/base"),
            claim(a.BASE_MODEL, "someone/else"),
            claim(a.DATASET, "acme/corpus"),
            claim(a.DATASET, "a private crawl"),
            claim(a.METRIC, "0.81", task="qa", dataset="squad", split="test", metric="f1"),
            claim(a.CO2_GRAMS, "12000"),
            claim(a.TUNING_METHOD, "lora"),
            claim(a.VOCABULARY_SIZE, "32000", config[1], config[0]),
            claim(a.INPUT, "text"),
            claim(a.OUTPUT, "text"),
            claim(a.INTENDED_USE, "tests"),
            claim(a.LIMITATION, "knows nothing"),
            claim(a.SOURCE_URL, "https://user:secret@acme.example/m?x=1"),
            claim(a.SOURCE_URL, "not a url"),
            claim(a.CHAT_TEMPLATE_SHA256, sha256("template"), config[1], config[0]),
        ),
        relations=(
            Relation(
                kind=RelationKind.ANCESTOR,
                target=Ref(scheme="hf", location="acme/base"),
                detail="finetune",
                source="m/README.md",
            ),
            Relation(
                kind=RelationKind.TRAINED_ON,
                target=Ref(scheme="hf-dataset", location="acme/corpus"),
                source="m/README.md",
            ),
            Relation(kind=RelationKind.TRAINED_ON, target_id="dataset:data"),
            Relation(kind=RelationKind.USES, target_id="tokenizer:t"),
            Relation(
                kind=RelationKind.USES, target_id="code:c", detail="remote-code", source="m/config.json"
            ),
        ),
    )


def _adapter() -> Component:
    return model(
        id="adapter:a",
        kind=ComponentKind.ADAPTER,
        name="a",
        basis=IdentityBasis.INFERRED,
        version="main",
        files=("m/adapter.safetensors",),
        model_digest_absent="one tensor has no row-major bytes",
        claims=(
            claim(Attribute.LICENCE_NAME, "Acme Terms"),
            claim(Attribute.LICENCE_LINK, "https://acme.example/terms"),
        ),
        relations=(
            Relation(
                kind=RelationKind.ANCESTOR, target_id="model:m", detail="adapter", source="m/config.json"
            ),
            Relation(kind=RelationKind.USES, target_id="model:m", source="m/config.json"),
        ),
    )


def _tokenizer() -> Component:
    source = "m/tokenizer.json"
    return model(
        id="tokenizer:t",
        kind=ComponentKind.TOKENIZER,
        name="tokenizer",
        files=(source,),
        claims=(
            claim(Attribute.TOKENIZER_CLASS, "LlamaTokenizer", Origin.CONFIG, source),
            claim(Attribute.VOCABULARY_SIZE, "32000", Origin.CONFIG, source),
        ),
    )


def _dataset() -> Component:
    source = "data/README.md"
    return model(
        id="dataset:data",
        kind=ComponentKind.DATASET,
        name="acme/data",
        basis=IdentityBasis.CONTENT_PROVEN,
        ref=Ref(scheme="hf-dataset", location="acme/data", revision="main"),
        files=("data/README.md", "data/train.parquet"),
        claims=(
            claim(Attribute.LICENCE, "MIT OR Apache-2.0", source=source),
            claim(Attribute.SENSITIVE_DATA, "names of people", source=source),
            claim(Attribute.ROW_COUNT, "1000", Origin.MEASURED, "data"),
            claim(Attribute.SPLIT, "train", source=source, rows="1000"),
        ),
    )


def _code() -> Component:
    return model(id="code:c", kind=ComponentKind.CODE, name="modeling_m", files=("m/modeling_m.py",))


def _service() -> Component:
    return model(
        id="service:s",
        kind=ComponentKind.SERVICE,
        name="inference",
        ref=Ref(scheme="https", location="https://api.acme.example/v1"),
        claims=(claim(Attribute.DESCRIPTION, "An endpoint."), claim(Attribute.ORGANISATION, "Acme")),
    )


def _references() -> tuple[Reference, ...]:
    base = Ref(scheme="hf", location="acme/base", revision="main")
    corpus = PinnedRef(scheme="hf-dataset", location="acme/corpus", revision=COMMIT)
    api = Ref(scheme="https", location="https://api.acme.example/v1")
    load = "transformers.AutoModel.from_pretrained"
    flags = frozenset({"unpinned", "remote-code"})
    return (
        use(ComponentKind.MODEL, base, load, 3, flags=flags, confidence=Confidence.HIGH),
        use(ComponentKind.MODEL, base, load, 9),
        use(ComponentKind.MODEL, None, "torch.load", 5),
        use(ComponentKind.SERVICE, api, "openai.OpenAI", 7),
        use(ComponentKind.SERVICE, None, "anthropic", 8),
        use(ComponentKind.DATASET, corpus, "datasets.load_dataset", None),
    )


def use(kind: ComponentKind, target: Ref | None, loader: str, line: int | None, **more: object) -> Reference:
    location = Location(path="app.py", line=line)
    return Reference(kind=kind, target=target, loader=loader, location=location, **more)  # type: ignore[arg-type]


# Any small report. The alphabet holds what has a meaning in paths, URLs, purls, JSON and terminals.
ALPHABET = "ab1/.-_:@#?%&=+~| '\"\\é漢\n\t\x00\x1b\x7f\u202e\ufeff\U0001f600\udc80\ud800"
texts = st.one_of(
    st.text(ALPHABET, max_size=12),
    st.text(max_size=6),
    st.sampled_from(
        ["", "other", "mit", "MIT OR ISC", "llama3", "main", "org/name", "https://a.example/x", "en", COMMIT]
    ),
)
names = texts.filter(bool)


@st.composite
def paths(draw: st.DrawFn) -> str:
    text = draw(names)
    with contextlib.suppress(ValueError):
        return Entry(path=text, size=0).path
    return "p" + sha256(text)[:4]


@st.composite
def places(draw: st.DrawFn) -> Ref:
    scheme = draw(
        st.sampled_from(["hf", "hf-dataset", "hf-space", "git", "https", "s3", "oci", "file", "ollama"])
    )
    location = draw(st.one_of(names, st.just("https://github.com/a/b"))).replace("@", "")
    return Ref(
        scheme=scheme,
        location=location or "x",
        revision=draw(st.none() | texts),
        subpath=draw(st.none() | texts),
    )


digests = st.builds(
    lambda algorithm, grade, cached: Digest(
        algorithm=algorithm, value=(sha256(algorithm) * 2)[: HEX_CHARS[algorithm]], grade=grade, cached=cached
    ),
    st.sampled_from(sorted(HEX_CHARS)),
    st.sampled_from(Grade),
    st.booleans(),
)
claims = st.builds(
    claim,
    st.sampled_from(Attribute),
    texts,
    st.sampled_from(Origin),
    st.sampled_from(["a", "b", "huggingface.co", "\udc80"]),
    name=texts,
    metric=texts,
    split=texts,
)


@st.composite
def relations(draw: st.DrawFn) -> Relation:
    inside = draw(st.booleans())
    return Relation(
        kind=draw(st.sampled_from(RelationKind)),
        target_id=draw(st.sampled_from(["0", "1", "gone"])) if inside else None,
        target=None if inside else draw(places()),
        detail=draw(st.none() | texts),
        source=draw(st.none() | texts),
    )


@st.composite
def components(draw: st.DrawFn, identifier: str, owned: list[str]) -> Component:
    digest = "v1:sha256:" + sha256(identifier)
    return Component(
        id=identifier,
        kind=draw(st.sampled_from(ComponentKind)),
        name=draw(texts),
        basis=draw(st.sampled_from(IdentityBasis)),
        version=draw(st.none() | texts),
        ref=draw(st.none() | places()),
        files=tuple(sorted(draw(st.sets(st.sampled_from([*owned, "missing"]))))),
        claims=tuple(draw(st.lists(claims, max_size=8))),
        relations=tuple(draw(st.lists(relations(), max_size=3))),
        complete=draw(st.booleans()),
        model_digest=draw(st.none() | st.just(digest)),
        model_digest_absent=draw(st.none() | texts),
        parameter_count=draw(st.none() | st.integers(0, 10**20)),
    )


@st.composite
def files(draw: st.DrawFn) -> File:
    path, claimed = draw(paths()), tuple(draw(st.lists(digests, max_size=1)))
    return file(
        path,
        draw(st.sampled_from(FileKind)),
        entry=Entry(path=path, size=1, claimed=claimed, media_type=draw(st.none() | texts)),
        digests=tuple(draw(st.lists(digests, min_size=1, max_size=2))),
    )


uses = st.builds(
    Reference,
    kind=st.sampled_from(ComponentKind),
    target=st.none() | places(),
    loader=texts,
    location=st.builds(Location, path=paths(), line=st.none() | st.integers(0, 9)),
    flags=st.frozensets(texts, max_size=2),
)
gaps = st.builds(
    Gap, path=paths(), stage=st.sampled_from(Stage), reason=st.sampled_from(Reason), detail=texts
)
subjects = st.sampled_from(["0", "a", "nothing"])
findings = st.builds(
    Finding,
    rule=st.sampled_from(["a-rule", "b-rule"]),
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    subject=subjects,
    location=st.builds(Location, path=st.sampled_from(["a", "\udc80", "x|y"])),
    message=texts,
    remedy=texts,
)
checks = st.builds(
    Check,
    subject=subjects,
    kind=st.sampled_from(CheckKind),
    outcome=st.sampled_from(Outcome),
    identity=names,
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    found = draw(st.lists(files(), max_size=3, unique_by=lambda f: f.path))
    owned = [f.path for f in found]
    target = st.builds(Target, name=texts, ref=st.none() | places())
    return report(
        targets=tuple(draw(st.lists(target, max_size=2))),
        files=tuple(found),
        components=tuple(draw(components(str(n), owned)) for n in range(draw(st.integers(0, 2)))),
        references=tuple(draw(st.lists(uses, max_size=2))),
        gaps=tuple(draw(st.lists(gaps, max_size=2))),
        findings=tuple(draw(st.lists(findings, max_size=1))),
        checks=tuple(draw(st.lists(checks, max_size=1))),
        timestamp=draw(st.sampled_from([None, NOON])),
    )
