"""Loops: one command for each value, together with those of the same group, and never too many."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.commands import Commands
from aibom.discovery.found import Found
from aibom.discovery.loops import Loops, looped, without_marks
from aibom.discovery.shell_words import Word
from aibom.readers.marks import UNKNOWN
from tests.discovery.references import short


def variants(loops: Loops, *texts: str) -> list[str]:
    words = [Word(text, 1) for text in texts]
    return [" ".join(word.text for word in each) for each in loops.variants(words)]


def test_a_command_without_variables_is_itself() -> None:
    assert variants(Loops(), "a", "b") == ["a b"]
    assert variants(Loops()) == []


def test_two_variables_make_every_combination() -> None:
    loops = Loops({"a": ("1", "2"), "b": ("3", "4")})
    assert variants(loops, f"x{looped('a')}", looped("b")) == ["x1 3", "x1 4", "x2 3", "x2 4"]


def test_variables_of_a_group_take_their_values_together() -> None:
    loops = Loops({"m:a": ("1", "2"), "m:b": ("3", "4"), "m:c": ("5",)})
    assert variants(loops, looped("m:a"), f"{looped('m:b')}-{looped('m:c')}") == ["1 3-5", f"2 4-{UNKNOWN}"]


def test_a_value_of_several_words_is_several_words_on_its_own_alone() -> None:
    loops = Loops({"a": ("1 2",)})
    words = next(iter(loops.variants([Word(looped("a"), 1), Word(f"x{looped('a')}", 1)])))
    assert [word.text for word in words] == ["1", "2", "x1 2"]


def test_values_that_hold_variables_are_filled_in_when_they_are_set() -> None:
    loops = Loops({"a": ("1", "2")})
    loops.set("b", [f"x{looped('a')}", "y"])
    loops.set("a", [looped("a"), "3"])
    assert (loops.values["b"], loops.values["a"]) == (("x1", "x2", "y"), ("1", "2", "3"))


def test_a_text_of_a_file_marks_nothing() -> None:
    assert looped("a") not in without_marks(f"hf download {looped('a')}")


def test_more_commands_than_are_made_are_not_known() -> None:
    loops = Loops({"a": ("1",) * 256, "b": ("2",) * 256})
    found = variants(loops, looped("a"), looped("b"))
    assert len(found) < 10_000
    assert f"1 {UNKNOWN}" in found


def test_elements_of_arrays_with_the_same_keys_belong_together() -> None:
    found = Found(path="x.sh")
    text = (
        "declare -A M=([a]=org/a [b]=org/b)\ndeclare -A R=([a]=v1 [b]=v2)\n"
        'for k in "${!M[@]}"; do hf download ${M[$k]} --revision "${R[${k}]}"; done\n'
        'for m in "${M[@]}"; do hf download $m; done'
    )
    Commands(found, {}).script(text)
    assert [short(one) for one in found.references] == [
        "3 model hf:org/a@v1 unpinned",
        "3 model hf:org/b@v2 unpinned",
        "4 model hf:org/a unpinned",
        "4 model hf:org/b unpinned",
    ]


@given(
    st.lists(st.sampled_from([looped("a"), looped("g:b"), looped("g:c"), looped("z"), "x", ""]), max_size=12)
)
def test_any_command_has_an_end(texts: list[str]) -> None:
    loops = Loops({"a": ("1", looped("a")), "g:b": ("2", "3"), "g:c": ("4",)})
    assert len(variants(loops, *texts)) <= 100


@pytest.mark.parametrize("names", [1, 8, 2_000])
def test_many_variables_and_values_are_bounded(names: int) -> None:
    loops = Loops({f"a{number}": ("x",) * 256 for number in range(names)})
    started = time.process_time()
    variants(loops, *(looped(f"a{number}") for number in range(names)))
    assert time.process_time() - started < 4
