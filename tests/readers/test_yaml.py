"""YAML: plain values only, the same as PyYAML's where both agree on the schema."""

from __future__ import annotations

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import YAML_BYTES
from aibom.readers import yaml

# Line breaks of other scripts are normalised by the format itself.
text = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=15,
)


@given(values)
def test_what_pyyaml_writes_is_read_back(value: object) -> None:
    class NoAliases(pyyaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    assert yaml.parse(pyyaml.dump(value, Dumper=NoAliases, allow_unicode=True).encode()) == value


@given(st.binary(max_size=80))
def test_any_bytes_are_a_value_or_our_error(data: bytes) -> None:
    message = ""
    try:
        yaml.parse(data)
    except UnreadableError as error:
        message = error.message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("language: no", {"language": "no"}),
        ("a: yes\nb: on\nc: off", {"a": "yes", "b": "on", "c": "off"}),
        ("a: true\nb: False\nc: ~\nd:", {"a": True, "b": False, "c": None, "d": None}),
        ("a: 1_000\nb: 0x10\nc: 010\nd: 1:30", {"a": "1_000", "b": "0x10", "c": 10, "d": "1:30"}),
        ("a: 1.5\nb: 1e3\nc: .5\nd: 1.2.3\ne: .", {"a": 1.5, "b": "1e3", "c": 0.5, "d": "1.2.3", "e": "."}),
        ("a: 2024-01-01", {"a": "2024-01-01"}),
        ("a: '1'\nb: \"true\"", {"a": "1", "b": "true"}),
        ("1: a\ntrue: b\nnull: c", {"1": "a", "true": "b", "null": "c"}),
        ("a: !!python/object/apply:os.system [x]", {"a": ["x"]}),
        ("a: !!int '3'", {"a": "3"}),
        ("--- 1\n--- 2", 1),
    ],
)
def test_scalars_resolve_by_the_core_schema_without_surprises(text: str, value: object) -> None:
    assert yaml.parse(text.encode()) == value


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("a: &x [1]\nb: *x", Reason.UNSUPPORTED, "alias in line 2"),
        ("a: 1\nb: 2\na: 3", Reason.MALFORMED, "duplicate key 'a' in line 3"),
        ("? [1]\n: 2", Reason.UNSUPPORTED, "key in line 1 is not a plain value"),
        ("[" * 70, Reason.LIMIT, "deeper than 64"),
        ("[" + "1," * 30_000 + "1]", Reason.LIMIT, "more than 20000 nodes"),
        ("a: [", Reason.MALFORMED, "in line 2"),
        ("a: b: c", Reason.MALFORMED, "in line 1"),
        ("a: '\x01'", Reason.MALFORMED, "not YAML"),
        ("x" * (YAML_BYTES + 1), Reason.LIMIT, "at most"),
    ],
)
def test_hostile_documents_are_refused_with_their_line(text: str, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        yaml.parse(text.encode())
    assert caught.value.reason is reason


def test_aliases_are_followed_where_they_are_wanted() -> None:
    text = b"a: &x [1, {b: 2}]\nc: *x\nd: &y t\ne: [*y, *y]"
    assert yaml.parse(text, aliases=True) == {
        "a": [1, {"b": 2}],
        "c": [1, {"b": 2}],
        "d": "t",
        "e": ["t", "t"],
    }


LAUGHS = "a0: &a0 [1, 1]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x [*x]", "alias in line 1"),
        ("a: *nowhere", "alias"),
        (LAUGHS, "more than 20000 nodes"),
    ],
)  # fmt: skip
def test_circles_and_laughs_are_refused(text: str, words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        yaml.parse(text.encode(), aliases=True)


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(UnreadableError, match="not UTF-8"):
        yaml.parse(b"a: \xff")


def test_lines_count_from_the_start_of_the_file() -> None:
    with pytest.raises(UnreadableError, match="in line 12"):
        yaml.parse(b"a: 1\na: 2", first_line=10)
