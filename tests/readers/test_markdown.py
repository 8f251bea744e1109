"""Markdown: headings outside of code, and the prose below them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.readers.markdown import HEADING_COUNT, headings, section


def test_headings_know_level_title_and_line() -> None:
    found = headings("# A\n\ntext\n  ## *B* ##\n####### none\n#none\n")
    assert [(heading.level, heading.title, heading.line) for heading in found] == [(1, "A", 1), (2, "B", 4)]


def test_fenced_code_holds_no_headings() -> None:
    assert [h.title for h in headings("```\n# no\n~~~\n# no\n```\n# yes\n~~~~\n# no\n~~~\n# no")] == ["yes"]


def test_a_section_ends_at_the_next_heading_of_its_level() -> None:
    text = "# A\n## B\none\n### C\ntwo\n## D\nthree\n"
    titles = headings(text)
    assert section(text, titles, 1) == "one\n### C\ntwo"
    assert section(text, titles, 3) == "three"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<!-- say something -->",
        "[More Information Needed]",
        "### Sub\nMore information needed",
        "<!-- open",
    ],
)
def test_an_unfilled_template_has_no_prose(body: str) -> None:
    text = f"## Uses\n{body}\n## Next\n"
    assert section(text, headings(text), 0) == ""


@given(st.text("#`~ a\n\r<!->", max_size=60))
def test_any_text_has_headings_inside_of_it(text: str) -> None:
    found = headings(text)
    for index, heading in enumerate(found):
        assert 0 <= heading.start < heading.end <= len(text)
        assert text.count("\n", 0, heading.start) + 1 == heading.line
        section(text, found, index)


@pytest.mark.parametrize("piece", ["# a\n", "<!--", "```\n", "#", " ", "\n", "# " + "#" * 50])
def test_hostile_repetition_takes_no_time(piece: str) -> None:
    text = "# x\n" + piece * (1_000_000 // len(piece))
    start = time.process_time()
    found = headings(text)
    section(text, found, 0)
    assert len(found) <= HEADING_COUNT
    assert time.process_time() - start < 1
