"""Reports for the tests of the HTML page: every kind of section and standing, and hostile text everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import Component, ComponentKind, IdentityBasis, Relation, RelationKind
from aibom.domain.confidence import Confidence
from aibom.domain.content import Content, ContentVerdict
from aibom.domain.digest import Digest, Grade
from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, FileKind
from aibom.domain.finding import Finding, Location, Severity, Standing
from aibom.domain.gap import Gap, Stage
from aibom.domain.ref import Ref
from aibom.domain.report import Demand, PolicyUse, Report
from aibom.domain.rule_text import RuleText
from aibom.domain.target import Target, Tool
from aibom.domain.waiver import Waiver, WaiverState, WaiverUse
from tests.outputs.bom_samples import claim, file, model, report, rich_report, sha256, use

# Fixed, so that nothing here changes with the words of a rule.
RULES = (
    RuleText(
        id="dangerous-import",
        title="Loading the file runs a program",
        why="A pickle calls what it likes, `os.system` for instance. See __reduce__.",
        remedy="do not load the file; `aibom explain dangerous-import` says more",
        severity=Severity.CRITICAL,
        atlas=("AML.T0011.000", "AML.T0018.002"),
        cwe=(502, 94),
    ),
    RuleText(
        id="licences",
        title="A component has a licence that the policy does not allow",
        why="What may be shipped depends on the licence.",
        remedy="take another model, or add this one to `licences.allow` after review",
        severity=Severity.HIGH,
    ),
    RuleText(
        id="unpinned-reference",
        title="A model is referred to without a fixed revision",
        why="The same line loads other bytes tomorrow.",
        remedy="name the commit that you tested",
        severity=Severity.MEDIUM,
        cwe=(494,),
    ),
    RuleText(
        id="missing-part",
        title="A part of a model is missing",
        why="Nobody knows what the missing part holds.",
        remedy="fetch the whole model",
        severity=Severity.LOW,
    ),
)


def finding(rule: str, severity: Severity, path: str, message: str, **more: object) -> Finding:
    place = {key: more.pop(key) for key in ("line", "offset", "inside") if key in more}
    values: dict[str, object] = {
        "rule": rule, "severity": severity, "confidence": Confidence.HIGH, "subject": path,
        "location": Location(path=path, **place), "message": message,  # type: ignore[arg-type]
        "remedy": {each.id: each.remedy for each in RULES}.get(rule, ""),
    }  # fmt: skip
    return Finding(**(values | more))  # type: ignore[arg-type]


def _findings() -> tuple[Finding, ...]:
    licences = {
        "subject": "model:m", "expected": "Apache-2.0, MIT", "demand": "production.yaml:12:3",
        "pointer": "/components/0/licenses",
    }  # fmt: skip
    weights, card = "m/model.safetensors", "m/README.md"
    return (
        finding(
            "dangerous-import", Severity.CRITICAL, "m/optimizer.bin", "the pickle calls posix.system('id')",
            found="posix.system", offset=31, inside="archive/data.pkl",
        ),
        finding(
            "dangerous-import", Severity.CRITICAL, "old/model.pkl", "the pickle calls builtins.exec",
            found="builtins.exec", standing=Standing.KNOWN, justification="it is in the baseline",
        ),
        finding(
            "licences", Severity.HIGH, card, "the licence llama3.1 is not allowed", found="llama3.1",
            **licences,
        ),
        finding(
            "licences", Severity.HIGH, "m/adapter.safetensors", "the licence is not known", decided=False,
            remedy="ask the author, then run `aibom scan . --policy production.yaml`",
            **(licences | {"subject": "adapter:a", "pointer": "/components/1"}),
        ),
        finding(
            "licences", Severity.HIGH, "data/README.md", "the licence CC-BY-NC-4.0 is not allowed",
            found="CC-BY-NC-4.0", standing=Standing.WAIVED,
            justification="until 2026-12-31 by Dana Reyes: used for evaluation only",
            **(licences | {"subject": "dataset:data", "pointer": "/components/3"}),
        ),
        finding(
            "unpinned-reference", Severity.MEDIUM, "app.py", "hf:acme/base is not fixed to a revision",
            found="main", expected="a commit", line=3, confidence=Confidence.MEDIUM,
            remedy='name the commit: revision="<40 hex digits>"',
        ),
        finding(
            "missing-part", Severity.LOW, weights, "one shard is not there", standing=Standing.ADVISORY,
            justification="the policy only warns (mode: warn)", decided=False,
        ),
    )  # fmt: skip


def _waivers() -> tuple[WaiverUse, ...]:
    def use(state: WaiverState, expires: date, rule: str, reason: str, findings: int = 0) -> WaiverUse:
        waiver = Waiver(
            rule=rule, component="pkg:huggingface/acme/data?repo_type=dataset", expires=expires,
            reason=reason, digest=f"sha256:{sha256('data')}", approved_by="Dana Reyes",
            place="production.yaml:40:5", starts=date(2026, 1, 1),
        )  # fmt: skip
        return WaiverUse(waiver=waiver, state=state, findings=findings)

    return (
        use(WaiverState.ACTIVE, date(2026, 12, 31), "licences", "used for evaluation only", 1),
        use(WaiverState.EXPIRING, date(2026, 1, 9), "unpinned-reference", "moves to a mirror next week"),
        use(WaiverState.EXPIRED, date(2025, 12, 1), "licences", "was under review"),
        use(WaiverState.UNUSED, date(2026, 6, 30), "missing-part", "the shard is fetched at start"),
    )


def page_report(**parts: object) -> Report:
    """Every section of the page, every severity but one, every standing, every state of a waiver."""
    base = rich_report()
    signed = (
        Check(
            subject="m/model.sig", kind=CheckKind.SIGNATURE, outcome=Outcome.VERIFIED,
            identity="https://github.com/acme/m/.github/workflows/release.yml@refs/heads/main",
            detail="12 files, signed 2025-12-30", source="m/model.sig",
        ),
        Check(
            subject="m/optimizer.bin", kind=CheckKind.DIGEST, outcome=Outcome.CONTENT_MISMATCH,
            identity="hub", expected=f"sha256:{sha256('then')}", found=f"sha256:{sha256('now')}",
        ),
    )  # fmt: skip
    whole: dict[str, object] = {
        "policy": PolicyUse(name="production", sha256=sha256("production")),
        "files": (*base.files, file("m/optimizer.bin", FileKind.WEIGHTS, "torch-zip")),
        "findings": _findings(),
        "checks": (*base.checks, *signed),
        "contents": (
            Content(path="m/optimizer.bin", verdict=ContentVerdict.DANGEROUS),
            Content(path="m/model.safetensors", verdict=ContentVerdict.SAFE),
        ),
        "demands": (
            Demand(rule="formats", place="production.yaml:4:3", passed=3),
            Demand(rule="licences", place="production.yaml:12:3", passed=1, failed=1, undecided=1),
            Demand(rule="signature", place="production.yaml:20:3", passed=2, undecided=1),
            Demand(rule="datasets", place="production.yaml:30:3"),
        ),
        "waivers": _waivers(),
    }
    return rich_report(**(whole | parts))


# What would act in HTML, an attribute, a style, a script, a URL, a terminal or the eye of a reader.
HOSTILE = (
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=2</script>",
    "</style></title></textarea><img src=x onerror=window.pwned=3>",
    "\" onmouseover=\"window.pwned=4\" autofocus onfocus=\"window.pwned=5\" x='",
    "' onfocus='window.pwned=6' tabindex='0",
    "<svg onload=window.pwned=7><a href=javascript:window.pwned=8>x</a>",
    "javascript:window.pwned=9",
    "{{ 7 * 7 }}{% raw %}{# x #}${7*7}",
    "<!--", "-->", "]]>", "&lt;b&gt;&#60;", "`<b>`", "`", "```", "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "model\u202egnp.exe", "zero\u200bwidth", "esc\x1b[31m", "nul\0", "line\nbreak", "byte\udc80",
    "lone\ud800", "tag\U000e0041", "back\\slash", "x" * 5_000, "שלום", "z" + "\u0301" * 40, "漢字" * 40,
)  # fmt: skip


def hostile_report(hostile: Sequence[str] = HOSTILE) -> Report:
    """A report that says each of the texts wherever a report has a text of its own."""
    components = tuple(_hostile_component(number, text) for number, text in enumerate(hostile))
    base = page_report()
    texts = [text for text in hostile if "\0" not in text]
    return report(
        targets=tuple(Target(name=text, ref=Ref(scheme="s3", location=text)) for text in hostile[:4]),
        tool=Tool(name="aibom", version=hostile[-1]),
        policy=PolicyUse(name=hostile[0], sha256=sha256("x")),
        files=tuple(
            file(f"p/{text}", digests=(Digest(algorithm="sha256", value=sha256(text), grade=Grade.CLAIMED),))
            for text in texts
        ),
        components=components,
        findings=tuple(
            finding(
                text, Severity.HIGH, text, text, found=text, expected=text, remedy=text, inside=text,
                demand=text, pointer=text, standing=standing, justification=text,
            )
            for text in hostile
            for standing in (Standing.ACTIVE, Standing.WAIVED)
        ),
        checks=tuple(
            Check(
                subject=text, kind=CheckKind.SIGNATURE, outcome=Outcome.VERIFIED, identity=text, detail=text,
                expected=text, found=text, source=text,
            )
            for text in hostile
        ),
        demands=tuple(Demand(rule=text, place=text, failed=1) for text in hostile),
        waivers=tuple(
            replace(
                base.waivers[0],
                waiver=replace(
                    base.waivers[0].waiver, rule=text, component=text, reason=text, approved_by=text,
                    digest=text, place=text,
                ),
            )
            for text in hostile
        ),
        gaps=tuple(Gap(path=text, stage=Stage.OPEN, reason=Reason.DENIED, detail=text) for text in hostile),
        references=tuple(
            use(ComponentKind.MODEL, Ref(scheme="oci", location=text), text, 3, path=text, inside=text)
            for text in hostile
        ),
        timestamp=hostile[0],
    )  # fmt: skip


def _hostile_component(number: int, text: str) -> Component:
    return model(
        id=f"model:{number}:{text}",
        name=text,
        version=text,
        stated_purl=text,
        basis=IdentityBasis.DECLARED,
        files=(f"p/{text}",),
        claims=(claim(Attribute.LICENCE_NAME, text), claim(Attribute.QUANTISATION, text)),
        relations=(
            Relation(
                kind=RelationKind.ANCESTOR, target=Ref(scheme="hf", location=text), detail=text, source=text
            ),
            Relation(kind=RelationKind.USES, target_id=f"gone {text}", detail=text),
        ),
    )


def large_report(count: int) -> Report:
    """Many components, each with a file, a base, a finding and a gap of its own."""
    return report(
        files=tuple(
            file(f"models/{n:05}/model.safetensors", FileKind.WEIGHTS, "safetensors") for n in range(count)
        ),
        components=tuple(
            model(
                id=f"model:{n}",
                name=f"acme/model-{n:05}",
                kind=ComponentKind.MODEL,
                files=(f"models/{n:05}/model.safetensors",),
                model_digest="v1:sha256:" + sha256(str(n)),
                relations=(
                    Relation(
                        kind=RelationKind.ANCESTOR,
                        target=Ref(scheme="hf", location=f"base/{n % 100}"),
                        detail="finetune",
                    ),
                ),
            )
            for n in range(count)
        ),
        findings=tuple(
            finding(
                "licences", Severity.HIGH, f"models/{n:05}/model.safetensors", "the licence is not allowed",
                found="unknown", expected="Apache-2.0, MIT", demand="production.yaml:12:3",
            )
            for n in range(count)
        ),
        gaps=tuple(
            Gap(path=f"lost/{n:05}.bin", stage=Stage.OPEN, reason=Reason.DENIED, detail="permission denied")
            for n in range(count)
        ),
    )  # fmt: skip
