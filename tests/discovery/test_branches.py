"""Variables that are set in branches: behind them every value, inside of them their own."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.branches import Branches
from aibom.discovery.commands import Commands
from aibom.discovery.found import Found
from aibom.domain.errors import UnreadableError
from tests.discovery.references import short


def told(text: str) -> list[str]:
    """What a script pulls with Ollama, in the order of its lines."""
    found = Found(path="x.sh")
    Commands(found, {}).script(text)
    texts = [short(one).removesuffix(" unpinned").removesuffix(" floating-tag") for one in found.references]
    return [text.replace(" model ollama:", " ") for text in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if x; then M=a; else M=b; fi\nollama pull $M", ["2 a", "2 b"]),
        ("if x\nthen\n  M=a\nelif y; then\n  M=b\nelse M=c\nfi\nollama pull $M", ["8 a", "8 b", "8 c"]),
        ("M=a\nif x; then M=b; fi\nollama pull $M", ["3 a", "3 b"]),
        ("M=a\nif x; then M=b; else M=c; fi\nollama pull $M", ["3 b", "3 c"]),
        ("M=''\nif x; then M=b; fi\nollama pull $M", ["3 b"]),
        ("M=$1\nif [ -z $M ]; then M=b; fi\nollama pull $M", ["3 b"]),
        ("if x; then M=$1; else M=$2; fi\nollama pull $M", ["2 model ? unresolved"]),
        ("if x; then M=a; ollama pull $M; else\nollama pull $M; fi", ["1 a", "2 model ? unresolved"]),
        ("if x; then M=a; M=b; fi; ollama pull $M", ["1 b"]),
        ("case $1 in x) M=a;; y) M=b;; *) exit;; esac\nollama pull $M", ["2 a", "2 b"]),
        ("if x; then if y; then M=a; else M=b; fi; else M=c; fi\nollama pull $M", ["2 a", "2 b", "2 c"]),
        ("if x; then A='pull a'; else A='pull b'; fi\nollama $A", ["2 a", "2 b"]),
        ("if x; then M=a; else M=b; fi\nfor t in 1 2; do ollama pull $M:$t; done",
         ["2 a@1", "2 a@2", "2 b@1", "2 b@2"]),
        ("echo if; M=a; M=b; ollama pull $M; fi; esac; else", ["1 b"]),
    ],
)  # fmt: skip
def test_a_variable_is_each_of_its_values_behind_the_branches(text: str, expected: list[str]) -> None:
    assert sorted(told(text)) == expected


def test_nothing_is_known_of_blocks_that_were_never_opened() -> None:
    branches = Branches()
    assert [branches.keyword(word) for word in ("fi", "esac", "else", "elif", "if", "esac", "fi")] == [{}] * 7


PARTS = (
    "if", "fi", "case x in", "esac", "else", "elif", "then", "M=a", "M=$M$M", "N=$M", "M+=b",
    "ollama pull $M $N", "for M in $M $N; do", "done",
)  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=40))
def test_any_nesting_ends(parts: list[str]) -> None:
    with contextlib.suppress(UnreadableError):
        Commands(Found(path="x.sh"), {}).script("\n".join(parts))


@pytest.mark.parametrize("text", ["if x; then M=$M$M\n" * 3_000, "if x; then M=a; else M=b; fi\n" * 3_000,
                                  "case x in a) M=$M:a ;;\n" * 3_000 + "esac\n" * 3_000])  # fmt: skip
def test_deep_and_many_blocks_are_bounded(text: str) -> None:
    found = Found(path="x.sh")
    Commands(found, {}).script(text + "ollama pull $M")
    assert len(found.references) <= 100
