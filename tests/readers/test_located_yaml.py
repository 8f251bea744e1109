"""Hand-written YAML: every value knows its place, and every error begins with one."""

from __future__ import annotations

import re
import tracemalloc

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.readers.located_yaml import DEPTH, NODE_COUNT, Located, Value, parse
from aibom.readers.yaml import parse as plainly

LIMIT = 1 << 20
PLACE = re.compile(r"[0-9]+:[0-9]+: .")
WORDS = st.text("abcxyz -'\"é", min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


def plain(located: Located) -> object:
    value: Value = located.value
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


def refused(data: bytes) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        parse(data, LIMIT)
    assert PLACE.match(caught.value.message)
    return caught.value


def test_every_value_and_key_knows_its_line_and_column() -> None:
    root = parse("a: 1\nbé:\n  - x\n  - {c: true}\n".encode(), LIMIT)
    assert isinstance(root.value, dict)
    assert (root.line, root.column, root.keys) == (1, 1, {"a": (1, 1), "bé": (2, 1)})
    items = root.value["bé"].value
    assert isinstance(items, list)
    assert [(each.line, each.column) for each in items] == [(3, 5), (4, 5)]
    inner = items[1].value
    assert isinstance(inner, dict)
    assert (inner["c"].value, inner["c"].line, inner["c"].column) == (True, 4, 9)


@given(st.dictionaries(WORDS, VALUES, max_size=4))
def test_what_a_writer_writes_is_read(value: dict[str, object]) -> None:
    data = yaml.safe_dump(value, allow_unicode=True).encode()
    try:
        expected = plainly(data, aliases=False)
    except UnreadableError:
        refused(data)
    else:
        assert plain(parse(data, LIMIT)) == expected == value


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("", Reason.MALFORMED, "1:1: the document is empty"),
        ("# nothing\n", Reason.MALFORMED, "1:1: the document is empty"),
        ("a: &x 1", Reason.UNSUPPORTED, "1:4: anchors and aliases are not taken; write the value out"),
        ("a: 1\nb: *x", Reason.UNSUPPORTED, "2:4: anchors and aliases"),
        ("- &a [x]\n- *a", Reason.UNSUPPORTED, "1:3: anchors and aliases"),
        ("&a a: 1", Reason.UNSUPPORTED, "1:1: anchors and aliases"),
        ("a: 1\n---\nb: 1", Reason.UNSUPPORTED, "2:1: a second document; one file holds one"),
        ("a: !!python/object:os.system x", Reason.UNSUPPORTED, "1:4: tags are not taken; write the plain"),
        ("a: !!int 1", Reason.UNSUPPORTED, "1:4: tags"),
        ("a: ! 1", Reason.UNSUPPORTED, "1:4: tags"),
        ("!x {a: 1}", Reason.UNSUPPORTED, "1:1: tags"),
        ("a: 1\nb: 2\na: 3", Reason.MALFORMED, "3:1: key 'a' stands in line 1, too"),
        ("1: x", Reason.UNSUPPORTED, "1:1: a key has to be a word; put it in quotes"),
        ("on: x\nnull: y", Reason.UNSUPPORTED, "2:1: a key has to be a word"),
        ("? [a]\n: b", Reason.UNSUPPORTED, "1:3: a key has to be a word"),
        ("? {a: b}\n: b", Reason.UNSUPPORTED, "1:3: a key has to be a word"),
        ("'': x", Reason.UNSUPPORTED, "1:1: a key has to be a word"),
        ("<<: {a: 1}\n<<: {b: 1}", Reason.MALFORMED, "2:1: key '<<'"),
        ("a:\n\tb: 1", Reason.MALFORMED, "2:1: not YAML: .*indent with spaces"),
        ("a: [1, 2", Reason.MALFORMED, "[12]:[0-9]+: not YAML"),
        ("a: 'x", Reason.MALFORMED, "1:[0-9]+: not YAML"),
        ("a: b: c", Reason.MALFORMED, "1:5: not YAML"),
        ("a: \x01", Reason.MALFORMED, "1:1: not YAML"),
        ("[" * (DEPTH + 1) + "]" * (DEPTH + 1), Reason.LIMIT, f"1:{DEPTH + 1}: nested deeper than {DEPTH}"),
        ("[" * 100_000, Reason.LIMIT, "nested deeper"),
        ("[" + "1," * (NODE_COUNT + 1) + "]", Reason.LIMIT, "more than 100,000 values"),
        ("a" * (LIMIT + 1), Reason.LIMIT, "1:1: more than 1,048,576 bytes"),
    ],
    ids=[
        "empty", "comment", "anchor", "alias", "anchored list", "anchored key", "second document", "object",
        "core tag", "bare tag", "own tag", "twice", "number", "null", "list key", "mapping key", "no key",
        "merge", "tab", "open list", "open text", "two colons", "control", "deep", "bottomless", "many",
        "large",
    ],
)  # fmt: skip
def test_what_is_not_taken_is_told_with_its_place(text: str, reason: Reason, words: str) -> None:
    error = refused(text.encode())
    assert error.reason is reason
    assert re.search(words, error.message)


def test_bytes_that_are_not_utf8_are_told_with_their_place() -> None:
    assert refused(b"a: 1\nb: \xff").message == "2:4: not UTF-8; save the file as UTF-8"


def test_an_alias_bomb_takes_neither_time_nor_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    tracemalloc.start()
    assert refused("\n".join(lines).encode()).reason is Reason.UNSUPPORTED
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@given(st.binary(max_size=60) | st.text(" \n\t-:[]{}'\"&*!|>#%@ab1", max_size=40).map(str.encode))
def test_nothing_but_the_error_leaves(data: bytes) -> None:
    told = ""
    try:
        parse(data, LIMIT)
    except UnreadableError as error:
        told = error.message
    assert not told or PLACE.match(told)
