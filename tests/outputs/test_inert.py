"""No output holds a command of a runner, whatever was scanned; and escaping changes no value."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.report import Report
from aibom.outputs import gitlab, json_report, junit, markdown, sarif, table
from aibom.outputs.inert import inert_json, inert_line, inert_xml
from tests.outputs.judged_samples import HOSTILE_TEXTS, finding, gap, judged_report, judged_reports
from tests.outputs.runner import commands_in

RENDERERS: dict[str, Callable[[Report], bytes]] = {
    "table": table.render,
    "narrow table": lambda report: table.render(report, width=20),
    "colours": lambda report: table.render(report, color=True),
    "markdown": markdown.render,
    "json": json_report.render,
    "sarif": lambda report: sarif.render(report, rules=()),
    "junit": junit.render,
    "gitlab": gitlab.render,
}
COMMANDS = [
    "::error::x", "  ::error file=a,line=1::x", "\t::Set-Output name=a::b", "a ##[error]b", "x ##vso[a]b",
    "##teamcity[a]", "x\r::debug::y", "\u3000::group::",
]  # fmt: skip


@pytest.mark.parametrize("text", COMMANDS, ids=repr)
def test_the_test_knows_a_command(text: str) -> None:
    assert commands_in(text.encode())


@pytest.mark.parametrize(
    "text", ["a ::error::b", "::error", "::unknown::x", "##[x", "##[unknown]", "#[error]"]
)
def test_the_test_takes_nothing_else_for_one(text: str) -> None:
    assert not commands_in(text.encode())


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=repr)
@pytest.mark.parametrize("kind", RENDERERS)
def test_no_output_holds_a_command_of_the_target(kind: str, text: str) -> None:
    seen = judged_report(finding(text, message=text, found=text, remedy=text), gaps=(gap(text, detail=text),))
    assert commands_in(RENDERERS[kind](seen)) == []


@pytest.mark.parametrize("kind", RENDERERS)
@given(seen=judged_reports())
def test_no_report_holds_a_command(kind: str, seen: Report) -> None:
    assert commands_in(RENDERERS[kind](seen)) == []


@given(st.text("#:[]ab \\\t"))
def test_a_line_has_no_command_and_stays_readable(text: str) -> None:
    line = inert_line(text)
    assert not line.lstrip().startswith("::")
    assert "##" not in line
    assert line.replace("\\x23", "#").replace("\\x3a", ":") == text


@given(st.text("#[]\\\"'a\n"))
def test_escaping_changes_no_value(text: str) -> None:
    document = inert_json(orjson.dumps({text: [text]}))
    assert b"##" not in document
    assert orjson.loads(document) == {text: [text]}


@given(st.text("#[]&;'a"))
def test_escaping_changes_no_text_and_no_attribute(text: str) -> None:
    element = ElementTree.fromstring("<a b=''/>")
    element.set("b", text)
    element.text = text
    document = inert_xml(junit.ET.tostring(element))
    assert b"##" not in document
    told = ElementTree.fromstring(document)
    assert (told.get("b"), told.text or "") == (text, text)
