"""Documents with positions: the values of the standard parsers, and each where it stands."""

from __future__ import annotations

import json
import tomllib
import tracemalloc
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.readers import json_marks, toml_marks, yaml_marks
from aibom.readers.marks import Cursor, Node

Reader = Callable[[str], object]
READERS: list[Reader] = [json_marks.document, toml_marks.document, yaml_marks.documents]

printable = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=8)
values = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | printable,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(printable, inner, max_size=4),
    max_leaves=15,
)


def plain(node: Node) -> object:
    """The value without its positions."""
    if isinstance(node.value, dict):
        return {key: plain(one) for key, one in node.value.items()}
    return [plain(one) for one in node.value] if isinstance(node.value, list) else node.value


def at(text: str, node: Node) -> str:
    """What stands in the text where the node says that it begins."""
    return text.split("\n")[node.line - 1][node.column - 1 :]


@given(values, st.sampled_from([None, 2]))
def test_json_has_the_values_that_the_standard_parser_gives(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert plain(json_marks.document(text)) == value


@given(values)
def test_every_value_of_json_stands_where_its_node_says(value: object) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False)
    for _, node in json_marks.document(text).walk():
        if not isinstance(node.value, (list, dict)):
            assert at(text, node).startswith(json.dumps(node.value, ensure_ascii=False))


@given(st.dictionaries(printable, values, max_size=4))
def test_yaml_has_the_values_that_pyyaml_gives_and_each_where_it_stands(value: dict[str, object]) -> None:
    text = yaml.safe_dump({"a": value, "b": [value, "é: x", "last"]}, allow_unicode=True, sort_keys=False)
    (document,) = yaml_marks.documents(text)
    assert plain(document) == {"a": value, "b": [value, "é: x", "last"]}
    last = document.get("b", 2)
    assert last is not None
    assert at(text, last) == "last"


@pytest.mark.parametrize(
    ("text", "path", "line", "column"),
    [
        ("a = 1", ("a",), 1, 5),
        ("# c\n[t]\nk . \"x y\" = 'v' # c", ("t", "k", "x y"), 3, 13),
        ("[a.b]\nc = 1.5\n[[a.d]]\ne = 1\n[[a.d]]\ne = 2\n[a.d.f]\ng = 3", ("a", "d", 1, "f", "g"), 8, 5),
        ("[[a]]\nb = 1\n[[a]]\nb = 2", ("a", 1, "b"), 4, 5),
        ("[[a]]\nb = 1\n[[a]]\nb = 2", ("a", 1), 3, 1),
        ("d = [\n  'x', # 'no'\n\n  'y'\n]", ("d", 1), 4, 3),
        ("d = [[1], [2, {a = [3, -4.5e1]}]]", ("d", 1, 1, "a", 1), 1, 24),
        ('s = """\na = 1\n"""\na = 2', ("a",), 4, 5),
        ("s = '''\n[x]\n'''\nt = {u = 1979-05-27T07:32:00Z, v = true}", ("t", "v"), 4, 36),
        ("s = ''''x''''\r\nt = 1", ("t",), 2, 5),
        ('"a\\u0062" = 1', ("ab",), 1, 13),
        ("a.b.c = 1", ("a", "b"), 1, 1),
    ],
)
def test_values_of_toml_stand_where_their_nodes_say(
    text: str, path: tuple[str | int, ...], line: int, column: int
) -> None:
    document = toml_marks.document(text)
    node = document.get(*path)
    assert node is not None
    assert (node.line, node.column) == (line, column)
    if "1979" not in text:
        assert plain(document) == tomllib.loads(text)


def test_dates_of_toml_become_texts() -> None:
    assert toml_marks.document("d = 1979-05-27").text("d") == "1979-05-27"


def test_comments_and_trailing_commas_of_json_are_passed_over() -> None:
    text = '// c "x"\n{"a": [1, /* , */ 2,], // d\n "b": "//", "a": 3,}\n/* e */'
    assert plain(json_marks.document(text)) == {"a": 3, "b": "//"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1\na: 2", {"a": 2}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}", {"a": {"b": 1, "c": 2}, "d": {"b": 3, "c": 2}}),
        (
            "a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne: {<<: [*x, *y]}",
            {"a": {"b": 1}, "c": {"b": 2, "d": 3}, "e": {"b": 1, "d": 3}},
        ),
        ("a: [&x q, *x]", {"a": ["q", "q"]}),
        ("a: !Ref x\nb: !reference [c, d]", {"a": "x", "b": ["c", "d"]}),
        ("a: !!python/object/apply:os.system [x]", {"a": ["x"]}),
    ],
)
def test_yaml_is_read_as_the_tools_read_it(text: str, value: object) -> None:
    assert [plain(node) for node in yaml_marks.documents(text)] == [value]


def test_empty_documents_of_yaml_are_left_out_and_lines_go_on() -> None:
    documents = yaml_marks.documents("---\n---\na: 1\n...\n---\n# c\n---\nb: 2\n")
    assert [(plain(node), node.line) for node in documents] == [({"a": 1}, 3), ({"b": 2}, 8)]


def test_the_text_of_a_block_begins_behind_its_indicator() -> None:
    (document,) = yaml_marks.documents("run: |\n  x\n  y\nplain: z\n")
    run, other = document.get("run"), document.get("plain")
    assert run is not None
    assert other is not None
    assert (run.line, run.text_line, other.text_line) == (1, 2, 4)


def test_a_path_that_is_not_there_is_none() -> None:
    document = json_marks.document('{"a": [{"b": "c"}], "n": 1}')
    assert document.text("a", 0, "b") == "c"
    assert (
        document.get("a", 1)
        is document.get("a", -1)
        is document.get("x", "y")
        is document.get("a", "b")
        is None
    )
    assert document.text("n") is None


def test_a_walk_goes_in_the_order_of_the_document() -> None:
    document = json_marks.document('{"b": [1, {"c": 2}], "a": 3}')
    assert [path for path, _ in document.walk()] == [(), ("b",), ("b", 0), ("b", 1), ("b", 1, "c"), ("a",)]


@given(st.text("ab\n", max_size=60), st.data())
def test_a_cursor_counts_lines_and_columns(text: str, data: st.DataObject) -> None:
    cursor = Cursor(text)
    for offset in sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6))):
        before = text[:offset].split("\n")
        assert cursor.at(offset) == (len(before), len(before[-1]) + 1)


@pytest.mark.parametrize("reader", READERS)
@given(text=st.text(max_size=80) | st.text("[]{}\"',:=.\\\n#/*-&<!|>% ab1", max_size=60))
def test_any_text_is_a_document_or_our_error(reader: Reader, text: str) -> None:
    message = ""
    try:
        reader(text)
    except UnreadableError as error:
        message = error.message
    assert "\n" not in message


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    ("reader", "text", "reason", "words"),
    [
        (json_marks.document, "[" * 1_000_000, Reason.LIMIT, "deeper"),
        (json_marks.document, "[" + "1," * 300_000 + "1]", Reason.LIMIT, "200000 nodes"),
        (json_marks.document, "[" + "1" * 400 + "]", Reason.MALFORMED, "not JSON"),
        (json_marks.document, '{"a": 1', Reason.TRUNCATED, "ends"),
        (json_marks.document, '{"a" 1}', Reason.MALFORMED, "missing"),
        (json_marks.document, "[1 2]", Reason.MALFORMED, "missing"),
        (json_marks.document, "[1]]", Reason.MALFORMED, "stray ]"),
        (json_marks.document, "[1}", Reason.MALFORMED, "stray }"),
        (json_marks.document, "[,]", Reason.MALFORMED, "stray ,"),
        (json_marks.document, '["a": 1]', Reason.MALFORMED, "stray key"),
        (json_marks.document, '{"a": "b": 1}', Reason.MALFORMED, "stray key"),
        (json_marks.document, '{"a":}', Reason.MALFORMED, "stray }"),
        (json_marks.document, "{} {}", Reason.MALFORMED, "missing"),
        (json_marks.document, '["\\x"]', Reason.MALFORMED, "escape"),
        (json_marks.document, "[maybe]", Reason.MALFORMED, "maybe"),
        (json_marks.document, "", Reason.TRUNCATED, "ends"),
        (toml_marks.document, "a = " + "[" * 10_000, Reason.LIMIT, "deeper"),
        (toml_marks.document, "a." * 10_000 + "a = 1", Reason.LIMIT, "deeper"),
        (toml_marks.document, "a = " + "1" * 2_000, Reason.LIMIT, "word"),
        (toml_marks.document, "a = [" + "1," * 150_000 + "]", Reason.LIMIT, "nodes"),
        (toml_marks.document, "[[a]]\n" * 150_000, Reason.LIMIT, "tokens"),
        (toml_marks.document, "a = 1\na = 2", Reason.MALFORMED, "not TOML"),
        (yaml_marks.documents, LAUGHS, Reason.LIMIT, "nodes"),
        (yaml_marks.documents, "- a\n" * 60_000, Reason.LIMIT, "nodes"),
        (yaml_marks.documents, "--- a\n" * 60_000, Reason.LIMIT, "nodes"),
        (yaml_marks.documents, "[" * 10_000, Reason.LIMIT, "deeper"),
        (yaml_marks.documents, "%TAG !a! x\n" * 100_000, Reason.LIMIT, "directives"),
        (yaml_marks.documents, "a: &a [*a]", Reason.UNSUPPORTED, "circle"),
        (yaml_marks.documents, "a: *b", Reason.UNSUPPORTED, "nowhere"),
        (yaml_marks.documents, "{a: 1}: 2", Reason.UNSUPPORTED, "key"),
        (yaml_marks.documents, "&a {b: 1}: &c d\n*a : 2", Reason.UNSUPPORTED, "key"),
        (yaml_marks.documents, "a: [&x {b: 1}]\n*x : 2", Reason.UNSUPPORTED, "key"),
        (yaml_marks.documents, "a: b: c", Reason.MALFORMED, "line 1"),
        (yaml_marks.documents, "a: \ud800", Reason.MALFORMED, "character"),
    ],
)
def test_hostile_documents_are_refused(reader: Reader, text: str, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        reader(text)
    assert caught.value.reason is reason
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (json_marks.document, "[" + "\n" * (8 * 2**20) + "]"),
        (json_marks.document, "//\n" * (3 * 2**20)),
        (toml_marks.document, "a = 0x" + "1" * (2 * 2**20)),
        (yaml_marks.documents, LAUGHS),
    ],
)
def test_memory_does_not_follow_what_a_hostile_document_holds(reader: Reader, text: str) -> None:
    tracemalloc.start()
    try:
        reader(text)
    except UnreadableError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 32 * 2**20
