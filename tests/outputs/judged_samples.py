"""Reports that a policy has judged: findings of every standing, sections, waivers, and hostile ones."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason
from aibom.domain.finding import Finding, Location, Severity, Standing
from aibom.domain.gap import Gap, Stage
from aibom.domain.report import Demand, Report
from aibom.domain.target import Target
from aibom.domain.waiver import Waiver, WaiverState, WaiverUse
from tests.outputs.bom_samples import COMMIT, NOON, file, model, report
from tests.outputs.bom_strategies import texts

# What runners, markup and parsers obey when it reaches them as it is.
HOSTILE_TEXTS = (
    "::error::x", "  ::set-output name=a::b", "x\n::stop-commands::t", "a\r::add-mask::b", "::group::",
    "##[set-output name=a]b", "a ###[error]b", "##vso[task.setvariable variable=a]b", "##teamcity[x y]",
    "%0A::error::x", "%25", "100%", "a:b,c=d", "]]>", "<x a='b'>&c;</x>", "\ufffe\uffff", "\0\x1b[2J",
    "\udc80", "\U0001ffff", "\u2028::error::x", "\x85::error::x", "\u3000::debug::x", "w " * 60 + "::error::",
)  # fmt: skip


def finding(path: str = "m/model.bin", **more: object) -> Finding:
    place = {key: more.pop(key) for key in ("line", "column", "offset", "inside") if key in more}
    values: dict[str, object] = {
        "rule": "bad-import",
        "severity": Severity.CRITICAL,
        "confidence": Confidence.HIGH,
        "subject": path,
        "location": Location(path=path, **place),  # type: ignore[arg-type]
        "message": "the pickle calls posix.system('id')",
        "found": "posix.system",
        "remedy": "do not load the file",
    }
    return Finding(**(values | more))  # type: ignore[arg-type]


def gap(path: str = "lost.bin", **more: object) -> Gap:
    values: dict[str, object] = {
        "path": path, "stage": Stage.READ, "reason": Reason.MALFORMED, "detail": "no end"
    }  # fmt: skip
    return Gap(**(values | more))  # type: ignore[arg-type]


def waiver(state: WaiverState = WaiverState.ACTIVE, **more: object) -> WaiverUse:
    values: dict[str, object] = {
        "rule": "licences",
        "component": "pkg:huggingface/acme/m@" + COMMIT,
        "digest": "sha256:" + "a" * 64,
        "expires": date(2026, 3, 31),
        "reason": "legal has agreed",
        "approved_by": "Ada",
        "place": "team.yaml:30:5",
    }
    return WaiverUse(waiver=Waiver(**(values | more)), state=state, findings=1)  # type: ignore[arg-type]


def licence(standing: Standing = Standing.ACTIVE, **more: object) -> Finding:
    """What the section `licences` of a policy objects to."""
    values: dict[str, object] = {
        "rule": "licences",
        "severity": Severity.HIGH,
        "subject": "model:m",
        "standing": standing,
        "message": "the licence other is not allowed",
        "found": "other",
        "expected": "Apache-2.0, MIT",
        "remedy": "take another model",
        "demand": "team.yaml:4:3",
        "pointer": "/components/0",
    }
    return finding("m/README.md", **(values | more))


WAIVED = licence(Standing.WAIVED, justification="until 2026-03-31 by Ada: legal has agreed")
KNOWN = licence(Standing.KNOWN, justification="in the baseline", found="gpl-3.0")
ADVISORY = licence(Standing.ADVISORY, justification="the policy only warns (mode: warn)", found="mit-0")
UNDECIDED = licence(decided=False, message="no licence is declared", found="")


def judged_report(*findings: Finding, **more: object) -> Report:
    """Two sections, one of them with the findings, and a waiver; two files and no gap."""
    parts: dict[str, object] = {
        "files": (file("m/README.md"), file("m/model.bin")),
        "components": (model(files=("m/README.md", "m/model.bin")),),
        "findings": findings,
        "demands": (
            Demand(rule="formats", place="team.yaml:9:3", passed=2),
            Demand(rule="licences", place="team.yaml:4:3", passed=1, failed=1),
        ),
        "waivers": (waiver(),),
    }
    return report(**(parts | more))


hostile = st.one_of(st.sampled_from(HOSTILE_TEXTS), texts)
_findings = st.builds(
    Finding,
    rule=st.sampled_from(["bad-import", "formats", "licences"]),
    severity=st.sampled_from(Severity),
    confidence=st.just(Confidence.HIGH),
    subject=st.just("m"),
    location=st.builds(
        Location, path=hostile, line=st.none() | st.integers(1, 9), inside=st.just("") | hostile
    ),
    message=hostile,
    found=hostile,
    expected=hostile,
    remedy=hostile,
    decided=st.booleans(),
    standing=st.sampled_from(Standing),
    justification=hostile,
    demand=st.sampled_from(["", "team.yaml:4:3"]),
    pointer=hostile,
)
_gaps = st.builds(
    Gap, path=hostile, stage=st.just(Stage.READ), reason=st.sampled_from(Reason), detail=hostile
)
_waivers = st.builds(waiver, st.sampled_from(WaiverState), reason=hostile, approved_by=hostile)


@st.composite
def judged_reports(draw: st.DrawFn) -> Report:
    """Findings of any standing with texts that want to be obeyed."""
    return judged_report(
        *draw(st.lists(_findings, max_size=3)),
        files=draw(st.sampled_from([(), (file("m/README.md"),)])),
        targets=(Target(name=draw(hostile)),),
        components=(model(name=draw(hostile)),),
        gaps=tuple(draw(st.lists(_gaps, max_size=2))),
        waivers=tuple(draw(st.lists(_waivers, max_size=1))),
        timestamp=draw(st.sampled_from([None, NOON])),
    )
