"""A difference as Markdown."""

from __future__ import annotations

import re

from aibom.outputs.difference_markdown import render
from tests.outputs.difference_samples import ATTACK, EQUAL, LONG, ORDINARY


def test_every_change_is_one_row() -> None:
    text = render(ORDINARY).decode()
    assert text.startswith("# aibom diff: v1 to v2\n\n**4 differences; 1 could not be compared**\n")
    assert "| weights | m.gguf\\: a | aa | bb | one bit flipped |\n" in text
    assert "| new | data/rows.csv | permission-denied | cannot be opened |\n" in text
    assert text.endswith("Not compared: findings\\: a reason\n")


def test_nothing_is_a_result_of_its_own() -> None:
    assert render(EQUAL).decode() == "# aibom diff: v1 to v2\n\n**no differences**\n"


def test_nothing_that_was_compared_acts_as_markup_or_command() -> None:
    text = render(ATTACK).decode()
    rows = [line for line in text.splitlines() if line.startswith("| file")]
    assert len(rows) == 1
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 6
    assert not re.search(r"(?<!\\)[<>`*]", rows[0])
    assert "##vso" not in text
    assert "\x1b" not in text


def test_a_long_difference_is_cut_and_says_so() -> None:
    assert render(LONG).decode().count("\n100 more are in the JSON output.\n") == 2
