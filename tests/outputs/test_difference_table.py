"""A difference for a terminal."""

from __future__ import annotations

import pytest

from aibom.domain.difference import Change, ChangeClass, Difference
from aibom.outputs.difference_table import render
from tests.outputs.difference_samples import ATTACK, EQUAL, LONG, ORDINARY, TOOL


def test_each_class_has_a_heading_with_its_count() -> None:
    assert render(ORDINARY).decode() == (
        "v1 -> v2\n"
        "\n"
        "component-added (1)\n"
        "  extra\n"
        "      + model\n"
        "\n"
        "weights (2)\n"
        "  m.gguf: a\n"
        "      aa -> bb\n"
        "      one bit flipped\n"
        "  m.gguf: b\n"
        "      - F32 [2]\n"
        "      tensor removed\n"
        "\n"
        "licence (1)\n"
        "  README.md: /license\n"
        "      mit -> cc-by-nc-4.0\n"
        "\n"
        "could not be compared (1)\n"
        "  new: data/rows.csv: cannot be opened (byte 7)\n"
        "\n"
        "not compared: findings: a reason\n"
        "\n"
        "4 differences; 1 could not be compared\n"
    )


def test_nothing_is_a_result_of_its_own() -> None:
    assert render(EQUAL).decode() == "v1 -> v2\n\nno differences\n"


def test_no_name_reaches_the_terminal_or_the_runner_as_a_command() -> None:
    text = render(ATTACK).decode()
    assert text.isascii()
    assert "\x1b" not in text
    assert "##" not in text
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]


def test_a_long_class_is_cut_and_says_so() -> None:
    text = render(LONG).decode()
    assert "file (600)" in text
    assert "file-0049" in text
    assert "file-0050" not in text
    assert text.count("  ... and 550 more; `-f json` shows all\n") == 2


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    words = " ".join(["a-tensor-with-a-name"] * 30)
    change = Change(kind=ChangeClass.WEIGHTS, subject=words, old=words, new=words, detail=words)
    found = Difference(old="v1", new="v2", tool=TOOL, changes=(change,))
    assert max(map(len, render(found, width=width).decode().splitlines())) <= width


def test_colours_are_on_request() -> None:
    assert b"\x1b" not in render(ORDINARY)
    assert b"\x1b[1mweights (2)\x1b[0m" in render(ORDINARY, color=True)
