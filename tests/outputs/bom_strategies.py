"""Any small report, with every kind of hostile text in it."""

from __future__ import annotations

import contextlib

from hypothesis import strategies as st

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import Component, ComponentKind, IdentityBasis, Origin, Relation, RelationKind
from aibom.domain.confidence import Confidence
from aibom.domain.digest import HEX_CHARS, Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, FileKind
from aibom.domain.file import File
from aibom.domain.finding import Finding, Location, Severity
from aibom.domain.gap import Gap, Stage
from aibom.domain.ref import Ref
from aibom.domain.reference import Flag, Reference
from aibom.domain.report import Report
from aibom.domain.target import Target
from tests.outputs.bom_samples import COMMIT, NOON, claim, file, report, sha256

# What has a meaning in paths, URLs, purls, JSON and terminals.
ALPHABET = "ab1/.-_:@#?%&=+~| '\"\\é漢\n\t\x00\x1b\x7f\u202e\ufeff\U0001f600\udc80\ud800"
SCHEMES = (
    "hf", "hf-dataset", "hf-space", "git", "https", "s3", "oci", "file", "ollama", "pypi", "npm", "conda",
    "docker", "openai",
)  # fmt: skip
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
    scheme = draw(st.sampled_from(SCHEMES))
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
    location=st.builds(
        Location, path=paths(), line=st.none() | st.integers(0, 9), inside=st.just("") | texts
    ),
    flags=st.frozensets(texts, max_size=2) | st.frozensets(st.sampled_from(Flag)),
    confidence=st.sampled_from(Confidence),
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
