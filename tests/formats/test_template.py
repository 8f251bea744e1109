"""Chat templates by syntax tree: silent on what models ship, bounded on what attackers write."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason
from aibom.domain.facts import Defect
from aibom.domain.hazard import Hazard, HazardKind
from aibom.formats._template import TEMPLATE_BYTES, examine_template
from aibom.formats._template_tree import TOKEN_COUNT
from aibom.readers.hazards import Hazards
from tests.chat_templates import BENIGN

PIECES = [
    "{{", "}}", "{%", "%}", "{#", "#}", " for ", " in ", "set x =", "x", "['a']", "~", "|attr(", ")", "'",
    '"', "if a", "endif", "endfor", "macro m(a)", "endmacro", "m(", ".b", "range(9)", "*", "9", "-", "\n",
]  # fmt: skip


def examined(text: str) -> tuple[tuple[Hazard, ...], tuple[Defect, ...]]:
    hazards = Hazards()
    defects = examine_template(text, hazards)
    return tuple(hazards.found), defects


@pytest.mark.parametrize("name", BENIGN)
def test_templates_of_the_common_model_families_are_silent(name: str) -> None:
    assert examined(BENIGN[name]) == ((), ())


def test_there_are_enough_families_to_mean_something() -> None:
    assert len(BENIGN) >= 20


@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_is_examined_without_raising(text: str) -> None:
    examined(text)


@given(st.lists(st.sampled_from(["plain ", "{{ x }}", "{% if a %}b{% endif %}", "{# c #}"])).map("".join))
def test_what_jinja_itself_parses_has_no_defect(text: str) -> None:
    Environment().parse(text)  # never rendered
    assert examined(text) == ((), ())


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("{{ a", Reason.MALFORMED, "unexpected end of template"),
        ("a\n{% nonsense %}", Reason.MALFORMED, "line 2: Encountered unknown tag 'nonsense'"),
        ("{{ " + "9" * 5_000 + " }}", Reason.MALFORMED, "a number is too large"),
        ("x" * (TEMPLATE_BYTES + 1), Reason.LIMIT, "at most 1048576 are read"),
        ("{{ a }}" * TOKEN_COUNT, Reason.LIMIT, f"more than {TOKEN_COUNT} tokens"),
        ("{{ " + "(" * 33 + "a" + ")" * 33 + " }}", Reason.LIMIT, "nested too deeply"),
        ("{% if a %}" * 33 + "{% endif %}" * 33, Reason.LIMIT, "nested too deeply"),
        ("{{ " + "not " * 4_000 + "a }}", Reason.LIMIT, "nested too deeply"),
        ("{{ " + "a if b else " * 3_000 + "a }}", Reason.LIMIT, "nested too deeply"),
    ],
)
def test_a_template_that_cannot_be_looked_at_is_a_defect(text: str, reason: Reason, words: str) -> None:
    hazards, (defect,) = examined(text)
    assert (hazards, defect.reason) == ((), reason)
    assert words in defect.message


def test_hazards_and_defects_stand_where_the_template_does() -> None:
    hazards = Hazards()
    assert examine_template("{{ a", hazards, offset=7)[0].offset == 7
    examine_template("\n{{ a.__class__ }}", hazards, offset=9)
    assert [(h.kind, h.found, h.message, h.offset, h.confidence) for h in hazards.found] == [
        (
            HazardKind.UNSAFE_TEMPLATE,
            "__class__",
            "the chat template reads __class__ in line 2",
            9,
            Confidence.HIGH,
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{{ a" + "+a" * 3_000 + " }}",
        "{{ a" + ".a" * 3_000 + " }}",
        "{{ a" + "|a" * 3_000 + " }}",
        "{% if a %}" + "{% elif b %}x" * 1_000 + "{% endif %}",
        "{% set b = '" + "x" * 4_000 + "' %}" + "{% set c = b + 'y' %}" * 800,
        "{% for x in a %}" * 28 + "{% set y = z ~ z %}" * 700 + "{% endfor %}" * 28,
        "".join(f"{{% macro a{i}(x) %}}{{{{ a{i + 1}(x) }}}}{{% endmacro %}}" for i in range(300)),
        "{{ [" + "['a','b']," * 900 + "] }}",
    ],
    ids=["sum", "attributes", "filters", "elif", "long texts", "loops", "macros", "lists"],
)
def test_long_chains_cost_no_more_than_their_length(text: str) -> None:
    started = time.process_time()
    assert examined(text)[1] == ()
    assert time.process_time() - started < 4  # ten times what it takes; quadratic work takes minutes


def test_a_template_of_as_many_tokens_as_are_read_stays_within_64_mib() -> None:
    # Measured on a tenth of them, since measuring costs ten times the work.
    text = "{{ a" + "|a" * (TOKEN_COUNT // 20) + " }}"
    examined("{{ a }}")
    tracemalloc.start()
    try:
        assert examined(text)[1] == ()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**26 // 10
