"""The words of shell: quotes, variables, substitutions, here-documents, each at its place."""

from __future__ import annotations

import contextlib
import shlex
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.shell_words import COMMAND_COUNT, Lexer, Simple
from aibom.domain.errors import Reason, UnreadableError
from aibom.readers.marks import UNKNOWN


def commands(text: str, **variables: str) -> list[Simple]:
    return list(Lexer(text, variables).commands())


def words(text: str, **variables: str) -> list[list[str]]:
    return [[word.text for word in one.words] for one in commands(text, **variables)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b  c", [["a", "b", "c"]]),
        ("a; b && c || d | e & f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("a 'b c' \"d e\" f\\ g", [["a", "b c", "d e", "f g"]]),
        ("a \\\n  b \\\r\n c", [["a", "b", "c"]]),
        ("a # b c\nd#e", [["a"], ["d#e"]]),
        ("a > f 2>&1 b < g >> h &> i", [["a", "b"]]),
        ("a 2 >f", [["a", "2"]]),
        ("(a; b) | { c; }", [["a"], ["b"], ["{", "c"], ["}"]]),
        ("a ''", [["a", ""]]),
        ("don't stop", [["dont", "stop"]]),
        ("a `b c` d", [["b", "c"], ["a", UNKNOWN, "d"]]),
        ("a $(b $(c) 'x)') d", [["c"], ["b", UNKNOWN, "x)"], ["a", UNKNOWN, "d"]]),
        ('a "x$(b "c d")y"', [["b", "c d"], ["a", f"x{UNKNOWN}y"]]),
        ("a $((1 << 2)) b", [["a", UNKNOWN, "b"]]),
        ("a <(b c) d", [["b", "c"], ["a", UNKNOWN, "d"]]),
        ("a $'b' $", [["a", "b", "$"]]),
        ("a '\"' \"'\"", [["a", '"', "'"]]),
        ('a "b\\"c\\$d"', [["a", 'b"c$d']]),
    ],
)
def test_commands_are_split_as_a_shell_splits_them(text: str, expected: list[list[str]]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A ${A} x$A-y", ["v", "v", "xv-y"]),
        ("'$A' \\$A", ["$A", "$A"]),
        ("$B ${B}", [UNKNOWN, UNKNOWN]),
        ("${B:-d} ${B-d} ${A:-d} ${B:=e} $B", ["d", "d", "v", "e", "e"]),
        ("${B:-$A} ${B:-${C:-e}} ${B:-'q r'}", ["v", "e", "q", "r"]),
        ('"${B:-q r}"', ["q r"]),
        ("${A%/*} ${#A} ${!A} ${A:+x} ${A:0:1}", [UNKNOWN] * 5),
        ("${A:?not set} $1 $@ $?", ["v", UNKNOWN, UNKNOWN, UNKNOWN]),
        ('$L "$L" "${L[@]}"', ["p", "q", "p q", "p", "q"]),
    ],
)
def test_variables_are_filled_in_and_what_is_not_set_is_not_known(text: str, expected: list[str]) -> None:
    assert words(text, A="v", L="p q") == [expected]


def test_an_array_is_one_value() -> None:
    assert words("A=(a 'b' # no\n c) d") == [["A=a b c", "d"]]


def test_every_word_has_its_place() -> None:
    found = commands("a b\n\n  c 'd\ne' \\\n f")
    assert [(word.text, word.line, word.column) for one in found for word in one.words] == [
        ("a", 1, 1),
        ("b", 1, 3),
        ("c", 3, 3),
        ("d\ne", 3, 5),
        ("f", 5, 2),
    ]


def test_lines_count_from_where_the_text_begins_in_its_file() -> None:
    (one,) = list(Lexer("a b", {}, line=7, span=3).commands())
    assert [(word.line, word.span) for word in one.words] == [(7, 3), (7, 3)]


@pytest.mark.parametrize(
    ("text", "body", "line", "literal", "rest"),
    [
        ("a <<E\nx\ny\nE\nb", "x\ny\n", 2, False, [["a"], ["b"]]),
        ("a <<'E' > f\nx $y\nE\nb", "x $y\n", 2, True, [["a"], ["b"]]),
        ("a <<-E c | d\n\tx\n\tE\nb", "\tx\n", 2, False, [["a", "c"], ["d"], ["b"]]),
        ("a <<< 'x y'\nb", "x y", 1, False, [["a"], ["b"]]),
    ],
)
def test_a_here_document_belongs_to_its_command(
    text: str, body: str, line: int, literal: bool, rest: list[list[str]]
) -> None:
    first, *_ = found = commands(text)
    assert first.stdin is not None
    assert (first.stdin.text, first.stdin.line, first.literal) == (body, line, literal)
    assert [[word.text for word in one.words] for one in found] == rest


def test_two_here_documents_of_a_line_follow_each_other() -> None:
    first, second = commands("a <<A; b <<B\n1\nA\n2\nB\n")
    assert first.stdin is not None
    assert second.stdin is not None
    assert (first.stdin.text, second.stdin.text, second.stdin.line) == ("1\n", "2\n", 4)


def test_a_here_document_that_never_ends_is_none() -> None:
    assert words("a <<E\nb\n") == [["a"], ["b"]]


def test_a_variable_that_is_set_is_known_to_the_next_command() -> None:
    variables: dict[str, str] = {}
    lexer = Lexer("A=x; a $A", variables).commands()
    assert next(lexer).words[0].text == "A=x"
    variables["A"] = "x"
    assert [word.text for word in next(lexer).words] == ["a", "x"]


@given(
    st.lists(
        st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f")), min_size=1
    )
)
def test_whatever_is_quoted_for_a_shell_is_read_back(given_words: list[str]) -> None:
    assert words(shlex.join(given_words)) == [given_words]


@given(st.text("ab $\"'`\\(){}<>|&;#=\n-:", max_size=60))
def test_any_text_ends_and_places_lie_inside(text: str) -> None:
    lines = text.split("\n")
    for one in commands(text, a="b c"):
        for word in one.words:
            assert 1 <= word.line <= len(lines)
            assert word.column is None or word.column <= len(lines[word.line - 1]) + 1


@pytest.mark.parametrize(
    "text",
    [
        "$(" * 100_000,
        "`" * 100_000,
        '"' * 99_999,
        "'" * 99_999,
        "${a:-" * 50_000,
        "(" * 30_000,
        "\\" * 100_000,
        "a <<E " * 20_000 + "\n",
        "a <<E\n" * 20_000,
        "a <<E; \nE\n" * 10_000,
        '"$(' * 30_000,
        "a=(" * 30_000,
        "$a" * 100_000,
        "{" * 100_000,
        "$((" * 30_000,
        '"\\' * 50_000,
        "a=(b " * 30_000 + ")" * 30_000,
        "<(" * 30_000,
    ],
)
def test_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    started = time.process_time()
    found: list[Simple] = []
    with contextlib.suppress(UnreadableError):
        found = commands(text, a="x" * 4_000)
    assert sum(len(word.text) for one in found for word in one.words) < 16 * 2**20
    assert time.process_time() - started < 3


def test_a_script_of_too_many_commands_is_refused() -> None:
    with pytest.raises(UnreadableError) as caught:
        commands("a;" * (COMMAND_COUNT + 1))
    assert caught.value.reason is Reason.LIMIT
