"""The HTML page: one file that loads nothing, in which nothing that was scanned can act, told in full."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import cache
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason
from aibom.domain.finding import Severity
from aibom.domain.gap import Gap, Stage
from aibom.domain.report import Report
from aibom.domain.text import visible
from aibom.outputs import html as page
from aibom.outputs.html_cells import CHARS, ROWS
from aibom.outputs.html_findings import Phrase, phrases
from aibom.policy import REQUIREMENTS, RULES
from tests.outputs.bom_samples import file, report, sha256
from tests.outputs.bom_strategies import ALPHABET, reports
from tests.outputs.html_samples import HOSTILE, finding, hostile_report, large_report, page_report
from tests.outputs.html_samples import RULES as FIXED

VOID = {"meta", "input", "link", "br", "hr", "img", "base"}
# Whatever loads something, sends something or runs something.
ACTING = {
    "src", "srcset", "srcdoc", "data", "action", "formaction", "poster", "background", "style", "ping",
    "xlink:href", "manifest", "cite", "archive", "codebase", "profile", "http",
}  # fmt: skip
KNOWN_PLACES = re.compile(
    r"https://(atlas\.mitre\.org/techniques/AML\.T[0-9.]+|cwe\.mitre\.org/data/definitions/\d+\.html)\Z"
)
MIB = 1024 * 1024


class Page(html.parser.HTMLParser):
    """The elements, attributes and text of a page, as a browser would see them."""

    def __init__(self, document: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.raw: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(document.decode("utf-8"))
        self.close()
        assert self._open == [], "elements that are not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice: {attrs}"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("script", "style"):
            self.raw[self._open[-1]] = self.raw.get(self._open[-1], "") + data
        else:
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "\n".join(self.texts))

    @property
    def skeleton(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(tag, tuple(sorted(attributes))) for tag, attributes in self.elements]

    def named(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    def with_class(self, name: str) -> list[dict[str, str]]:
        return [each for _, each in self.elements if name in each.get("class", "").split()]


def render(seen: Report, **more: object) -> bytes:
    return page.render(seen, rules=FIXED, **more)  # type: ignore[arg-type]


@cache
def full() -> Page:
    return Page(render(page_report()))


def of(seen: Report, **more: object) -> Page:
    return Page(render(seen, **more))


def refuse_unless_passive(seen: Page) -> None:
    """Nothing but our own style and script may act, and no address is loaded."""
    counted = Counter(tag for tag, _ in seen.elements)
    assert (counted["script"], counted["style"]) == (1, 1)
    assert not counted.keys() & {
        "iframe",
        "object",
        "embed",
        "link",
        "base",
        "img",
        "image",
        "use",
        "foreignobject",
    }
    for tag, attributes in seen.elements:
        assert not {name for name in attributes if name.startswith("on")} | (attributes.keys() & ACTING), tag
        address = attributes.get("href", "#")
        if not address.startswith("#"):
            assert tag == "a"
            assert KNOWN_PLACES.match(address), address
            assert {"noreferrer", "noopener"} <= set(attributes["rel"].split())
    assert [each["http-equiv"] for each in seen.named("meta") if "http-equiv" in each] == [
        "Content-Security-Policy"
    ]


# How it is safe


@pytest.mark.parametrize("kind", ["full", "hostile", "empty"])
def test_the_policy_of_the_page_allows_its_own_style_and_script_and_nothing_else(kind: str) -> None:
    document = render({"full": page_report(), "hostile": hostile_report(), "empty": report()}[kind])
    (style,) = re.findall(rb"<style>(.*?)</style>", document, re.DOTALL)
    (script,) = re.findall(rb"<script>(.*?)</script>", document, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(each).digest()).decode() for each in (style, script)]
    (policy,) = [each["content"] for each in Page(document).named("meta") if "http-equiv" in each]
    directives = dict(each.strip().partition(" ")[::2] for each in policy.split(";"))
    assert directives == {
        "default-src": "'none'",
        "style-src": f"'sha256-{hashes[0]}'",
        "script-src": f"'sha256-{hashes[1]}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert document.index(b"Content-Security-Policy") < document.index(b"<style>")


@pytest.mark.parametrize("name", ["report.css", "report.js"])
def test_style_and_script_stand_in_the_page_as_they_are_shipped_and_name_no_address(name: str) -> None:
    shipped = (files("aibom.outputs") / "templates" / name).read_text("utf-8").rstrip("\n")
    assert full().raw["style" if name.endswith("css") else "script"] == shipped
    assert not re.search(
        r"https?:|//[a-z]|url\(|@import|innerHTML|outerHTML|eval|fetch|XMLHttp|import\(", shipped
    )


def test_the_script_writes_no_markup_and_the_template_never_leaves_anything_unescaped() -> None:
    template = (files("aibom.outputs") / "templates" / "report.html").read_text("utf-8")
    assert not re.search(r"\|\s*safe|autoescape|Markup", template)
    script = (files("aibom.outputs") / "templates" / "report.js").read_text("utf-8")
    assert not re.search(r"write\(|insertAdjacent|createElement|setAttribute|\.href|location|storage", script)


@pytest.mark.parametrize("kind", ["full", "hostile", "hostile rules", "empty", "fixed"])
def test_the_page_loads_sends_and_runs_nothing(kind: str) -> None:
    samples = {
        "full": page_report(),
        "hostile": hostile_report(),
        "hostile rules": page_report(
            findings=tuple(finding(rule.id, rule.severity, "a", "b") for rule in (*RULES, *REQUIREMENTS))
        ),
        "empty": report(),
        "fixed": page_report(timestamp=None),
    }
    rules = (*RULES, *REQUIREMENTS) if kind == "hostile rules" else FIXED
    seen = Page(page.render(samples[kind], rules=rules))
    refuse_unless_passive(seen)
    identifiers = [each["id"] for _, each in seen.elements if "id" in each]
    assert len(set(identifiers)) == len(identifiers)
    fragments = {each["href"][1:] for each in seen.named("a") if each["href"].startswith("#")}
    assert fragments <= set(identifiers)


def test_hostile_text_is_shown_and_nothing_of_it_is_hidden() -> None:
    document = render(hostile_report())
    text = Page(document).text
    for hostile in HOSTILE:
        for part in re.split(r"\s+|`", visible(hostile))[:1]:
            assert part[: CHARS // 2] in text, part
    unseen = re.compile(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
    )
    assert not unseen.search(document.decode("utf-8"))
    assert "model\\u202egnp.exe" in text
    assert "[4000 more characters]" in text


harmful = st.text(ALPHABET.replace("@", "").replace("`", "") + "<>&;{}%()", min_size=1, max_size=30)


@given(harmful.filter(lambda text: "/../" not in f"/{text}/"))
def test_no_text_changes_which_elements_and_attributes_there_are(text: str) -> None:
    path = text.replace("\0", "")
    seen = of(hostile_report((text,) if path == text else (path or "x",)))
    assert seen.skeleton == of(hostile_report(("harmless",))).skeleton


@given(reports())
def test_any_report_becomes_a_page_that_does_nothing(seen: Report) -> None:
    refuse_unless_passive(of(seen))
    assert render(seen) == render(seen)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_rule_that_nobody_knows_is_no_command_to_copy(text: str) -> None:
    seen = of(report(findings=(finding(text, Severity.HIGH, "a", "b"),)))
    assert not seen.with_class("command")


# What is on it


@pytest.mark.parametrize(
    "words",
    [
        # findings
        "Loading the file runs a program", "See __reduce__.", "m/optimizer.bin!archive/data.pkl",
        "at byte 31", "the pickle calls posix.system('id')", "production.yaml:12:3", "/components/0/licenses",
        "Apache-2.0, MIT", "it is in the baseline", "until 2026-12-31 by Dana Reyes: used for evaluation",
        "ask the author, then run", "aibom scan . --policy production.yaml", "app.py:3", "CWE-502",
        "AML.T0018.002", 'name the commit: revision="<40 hex digits>"', "the policy only warns (mode: warn)",
        # components, references
        "acme/m", "safetensors, 6.74B parameters", "none declared", "claimed, not verified",
        "acme/m was made from acme/base (finetune) as m/README.md says, not verified",
        "app.py refers to acme/base in line 3", "transformers.AutoModel.from_pretrained",
        "nb.ipynb!cell 10:2",
        # policy
        "Demands of the policy", "nothing to judge", "not kept", "expiring", "unused", "expired",
        "moves to a mirror next week", "production.yaml:40:5", f"sha256:{sha256('data')}",
        # coverage
        "11 files listed: 9 read, 1 read in part, 1 not read", "permission-denied",
        "7 bytes belong to no tensor", "content of 2 files: 1 safe, 1 dangerous",
        # evidence
        "aibom 1.2.3", "2026-01-02T12:00:00Z", sha256("production"), "findings of severity high or worse",
        f"sha256:{sha256('weights')} (computed, from the cache)", "(chained)", "content-mismatch",
        "https://github.com/acme/m/.github/workflows/release.yml@refs/heads/main",
        f"v1:sha256:{sha256('named')}", "none: one tensor has no row-major bytes", f"sha256:{sha256('then')}",
    ],
)  # fmt: skip
def test_the_page_tells(words: str) -> None:
    assert words in full().text


def test_every_finding_component_file_and_gap_has_a_row() -> None:
    seen = page_report()
    rows = Counter(
        (each.get("data-rule") is not None, each.get("data-kind")) for each in full().with_class("row")
    )
    assert sum(count for (is_finding, _), count in rows.items() if is_finding) == len(seen.findings)
    assert sum(each.get("id", "").startswith("c") for each in full().with_class("row")) == len(
        seen.components
    )
    for each in (*seen.files, *seen.gaps):
        assert visible(each.path) in full().texts


def test_a_finding_says_by_what_it_can_be_filtered() -> None:
    rows = [each for each in full().with_class("row") if "data-rule" in each]
    told = [(each["data-severity"], each["data-standing"], each.get("data-kind")) for each in rows]
    assert told == [
        ("critical", "active", None),
        ("critical", "known", None),
        ("high", "active", "model"),
        ("high", "undecided", "adapter"),
        ("high", "waived", "dataset"),
        ("medium", "active", None),
        ("low", "advisory undecided", "model"),
    ]


@pytest.mark.parametrize(
    ("seen", "strict", "headline", "tone"),
    [
        (page_report(), False, "Failed", "bad"),
        (page_report(findings=()), False, "Passed", "good"),
        (page_report(findings=()), True, "Incomplete", "warn"),
        (page_report(findings=page_report().findings[3:4]), False, "Incomplete", "warn"),
        (report(), False, "Nothing to scan", "none"),
    ],
    ids=["failed", "passed", "incomplete by gaps", "incomplete by what is not known", "nothing"],
)
def test_the_verdict_is_the_first_thing_that_the_page_says(
    seen: Report, strict: bool, headline: str, tone: str
) -> None:
    found = of(seen, strict=strict)
    assert found.text.strip().startswith(f"{headline}: ")
    (hero,) = found.with_class("hero")
    assert tone in hero["class"].split()


def test_the_severity_that_fails_changes_the_verdict() -> None:
    seen = page_report(findings=page_report().findings[5:6])
    assert of(seen).text.strip().startswith("Passed: ")
    assert of(seen, fail_on=Severity.MEDIUM).text.strip().startswith("Failed: ")


def test_sections_without_anything_in_them_say_so_or_are_not_there() -> None:
    text = of(report(files=(file("a"),))).text
    for words in (
        "Nothing was found that the policy objects to",
        "No models or datasets",
        "No gaps: everything",
    ):
        assert words in text
    for words in ("Demands of the policy", "Waivers", "References in code", "Checks and signatures"):
        assert words not in text


def test_a_reproducible_page_carries_no_time() -> None:
    text = of(page_report(timestamp=None)).text
    assert "not recorded" in text
    assert "2026-01-02T12:00" not in text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [("", "")]),
        ("plain", [("plain", "")]),
        ("say `x` now", [("say ", ""), ("x", "code"), (" now", "")]),
        ("run `aibom verify m`", [("run ", ""), ("aibom verify m", "command"), ("", "")]),
        ("the word `aibom`", [("the word ", ""), ("aibom", "code"), ("", "")]),
        ("a program of others `rm -r x`", [("a program of others ", ""), ("rm -r x", "code"), ("", "")]),
        ("alone `", [("alone `", "")]),
        ("`a` and `", [("", ""), ("a", "code"), (" and `", "")]),
    ],
)  # fmt: skip
def test_what_stands_between_backticks_is_code_and_a_whole_command_a_command(
    text: str, found: list[tuple[str, str]]
) -> None:
    assert list(phrases(text)) == [Phrase(text=part, look=look) for part, look in found]


# The same bytes, and not too many of them


def test_the_same_report_gives_the_same_bytes_in_every_process() -> None:
    code = (
        "import hashlib\nfrom aibom.outputs import html\n"
        "from tests.outputs.html_samples import RULES, page_report\n"
        "print(hashlib.sha256(html.render(page_report(), rules=RULES)).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {hashlib.sha256(render(page_report())).hexdigest()}


def test_ten_thousand_components_take_seconds_and_the_page_says_what_it_leaves_out() -> None:
    count = 10_000
    seen = large_report(count)
    start = time.process_time()
    document = render(seen)
    assert time.process_time() - start < 5
    assert len(document) < 20 * MIB
    text = document.decode()
    for noun in ("findings", "components", "gaps"):
        assert f"{count - ROWS:,} more {noun} are not on this page" in text
    assert text.count('<tr role="row" class="row"') == 4 * ROWS  # components, gaps, model digests, files
    assert text.count('<li class="row active"') == ROWS
    assert "more are not drawn; the table has the first 2,000" in text


def test_a_page_of_nothing_but_endless_hostile_text_stays_small() -> None:
    text = '"' * 5_000
    gaps = tuple(Gap(path=text, stage=Stage.OPEN, reason=Reason.DENIED, detail=text) for _ in range(ROWS))
    found = tuple(finding(text, Severity.HIGH, text, text, found=text, remedy=text) for _ in range(ROWS))
    one = hostile_report((text,))
    whole = replace(
        one, gaps=gaps, findings=found, checks=one.checks * ROWS, demands=one.demands * ROWS,
        waivers=one.waivers * ROWS, references=one.references * ROWS, components=one.components * ROWS,
    )  # fmt: skip
    assert len(render(whole)) < 20 * MIB
