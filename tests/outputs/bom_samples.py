"""Reports for the tests of the BOM: small parts, and one report with everything in it."""

from __future__ import annotations

import hashlib

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import (
    Claim,
    Component,
    ComponentKind,
    IdentityBasis,
    Origin,
    Relation,
    RelationKind,
)
from aibom.domain.confidence import Confidence
from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, Capability, Facts, FileKind, Statement
from aibom.domain.file import File, Unindexed
from aibom.domain.finding import Finding, Location, Severity
from aibom.domain.gap import Gap, Stage
from aibom.domain.ref import PinnedRef, Ref
from aibom.domain.reference import Reference
from aibom.domain.report import Coverage, PolicyUse, Report
from aibom.domain.target import Target, Tool

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
    hosted = Ref(scheme="openai", location="gpt-4o")
    image = PinnedRef(scheme="docker", location="ghcr.io/acme/server", revision="sha256:" + sha256("image"))
    framework = Ref(scheme="pypi", location="torch", revision="2.1.0")
    load = "transformers.AutoModel.from_pretrained"
    flags = frozenset({"unpinned", "remote-code"})
    return (
        use(ComponentKind.MODEL, base, load, 3, flags=flags, confidence=Confidence.HIGH),
        use(ComponentKind.MODEL, base, load, 9),
        use(ComponentKind.MODEL, None, "torch.load", 5),
        use(ComponentKind.SERVICE, api, "openai.OpenAI", 7),
        use(ComponentKind.SERVICE, None, "anthropic", 8),
        use(ComponentKind.DATASET, corpus, "datasets.load_dataset", None),
        use(
            ComponentKind.MODEL, Ref(scheme="hf", location="acme/m"), load, 11, flags=frozenset({"unpinned"})
        ),
        use(ComponentKind.MODEL, Ref(scheme="file", location="stray\n\udc80.bin"), "torch.load", 12),
        use(ComponentKind.SERVICE, hosted, "openai.OpenAI", 2, path="nb.ipynb", inside="cell 10"),
        use(ComponentKind.SERVICE, hosted, "openai.OpenAI", 2, path="nb.ipynb", inside="cell 9"),
        use(ComponentKind.LIBRARY, image, "FROM", 1, path="Dockerfile"),
        use(ComponentKind.LIBRARY, framework, "requirement", 1, path="requirements.txt"),
    )


def use(kind: ComponentKind, target: Ref | None, loader: str, line: int | None, **more: object) -> Reference:
    place = {key: more.pop(key) for key in ("path", "inside") & more.keys()}
    location = Location(**({"path": "app.py", "line": line} | place))
    return Reference(kind=kind, target=target, loader=loader, location=location, **more)  # type: ignore[arg-type]
