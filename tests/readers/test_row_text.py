"""The rows of CSV and JSON Lines: what is read, what is refused, and where."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.dataset import Absent, Field, Kind, RowBatch, RowForm, Schema, Type, Unit, list_of
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader
from aibom.fingerprint.dataset import fingerprint_rows
from aibom.readers import row_csv, row_jsonl, row_text, row_values
from aibom.readers.ranges import Memory
from aibom.sources.local_file import LocalFile, open_beneath
from tests.hostile import flips

INT, TEXT, FLOAT = Type(kind=Kind.INT), Type(kind=Kind.STRING), Type(kind=Kind.FLOAT64)


class Slow:
    """A reader that never holds its file: one piece, again and again."""

    def __init__(self, head: bytes, again: bytes, size: int) -> None:
        self._head, self._again, self.size = head, again, size

    def read_at(self, offset: int, length: int) -> bytes:
        front = self._head[offset : offset + length]
        start = max(0, offset - len(self._head)) % len(self._again)
        times = length // len(self._again) + 2
        return (front + (self._again * times)[start:])[:length]

    def read_into(self, offset: int, buffer: memoryview) -> int:
        raise NotImplementedError


def table(batches: Iterator[RowBatch]) -> list[dict[str, Any]]:
    """The rows; cells of CSV that were not decoded are."""
    rows = []
    for batch in batches:
        assert batch.first == len(rows)
        columns = [
            [v.decode() if kind == TEXT and isinstance(v, bytes) else v for v in values]
            for kind, values in zip(batch.types, batch.columns, strict=True)
        ]
        rows += [
            dict(zip(batch.names, (values[at] for values in columns), strict=True))
            for at in range(batch.rows)
        ]
        assert all(len(column) == batch.rows for column in columns)
    return rows


def of_csv(data: bytes, schema: Schema | None = None, **how: str) -> list[dict[str, Any]]:
    return table(row_csv.records(Memory(data), schema, **how))


def of_json(data: bytes, schema: Schema | None = None) -> list[dict[str, Any]]:
    return table(row_jsonl.records(Memory(data), schema))


def schema(**columns: Type) -> Schema:
    return Schema(fields=tuple(Field(name=name, type=kind) for name, kind in columns.items()))


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_what_the_csv_module_writes_is_read(rows: list[list[str]], end: str) -> None:
    out = io.StringIO(newline="")
    # Of itself the module leaves a carriage return without quotes when lines end otherwise.
    quoting = csv.QUOTE_ALL if any("\r" in cell for row in rows for cell in row) else csv.QUOTE_MINIMAL
    csv.writer(out, lineterminator=end, quoting=quoting).writerows([["a", "b"], *rows])
    expected = [dict(zip("ab", row, strict=True)) for row in rows]
    assert of_csv(out.getvalue().encode()) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=4), max_size=8))
def test_what_the_json_module_writes_is_read(rows: list[dict[str, Any]]) -> None:
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    found = [
        {name: value for name, value in row.items() if not isinstance(value, Absent)} for row in of_json(data)
    ]
    assert list(map(repr, map(sorted_, found))) == list(map(repr, map(sorted_, rows)))


def sorted_(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(row.items(), key=lambda pair: pair[0])


@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), JSON, max_size=4), max_size=8), st.randoms())
def test_the_order_of_keys_and_spaces_does_not_matter(rows: list[dict[str, Any]], chance: Any) -> None:
    mixed = []
    for row in rows:
        pairs = list(row.items())
        chance.shuffle(pairs)
        mixed.append(" " + json.dumps(dict(pairs), indent=None, separators=(" , ", " : ")) + "\t\r\n\n")
    plain = "".join(json.dumps(row) + "\n" for row in rows)
    one, other = (
        fingerprint_rows(row_jsonl.records(Memory(text.encode()))) for text in (plain, "".join(mixed))
    )
    assert one == other


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["open", "closed"])
def test_lines_are_rows_as_they_stand(end: bytes) -> None:
    batches = list(row_jsonl.lines(Memory(b"a\r\n\n b" + end)))
    assert [line for batch in batches for line in batch.lines] == [b"a\r", b"", b" b"]


def test_no_line_is_lost_where_pieces_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [b"x" * (number % 13) for number in range(200)]
    data = b"\n".join(lines) + b"\n"
    for size in (1, 2, 7, 64, 10_000):
        monkeypatch.setattr(row_text, "PIECE_BYTES", size)
        batches = list(row_jsonl.lines(Memory(data)))
        assert [line for batch in batches for line in batch.lines] == lines
        assert [batch.first for batch in batches] == [
            sum(b.rows for b in batches[:at]) for at in range(len(batches))
        ]


HOSTILE_JSON: dict[str, tuple[bytes, Reason, str, int]] = {
    "nan": (b'{"a":1}\n{"a":NaN}\n', Reason.MALFORMED, "row 2: NaN is not JSON", 8),
    "infinity": (b'{"a":-Infinity}', Reason.MALFORMED, "row 1: -Infinity is not JSON", 0),
    "beyond-float": (b'{"a":1}\n\n{"a":[{"b":1e999}]}', Reason.MALFORMED, "row 2: a number is beyond", 9),
    "long-number": (b'{"a":' + b"9" * 1_000_000 + b"}", Reason.LIMIT, "row 1: a number of more than 4300", 0),
    "twice": (b'{"a":1}\n{"a":{"b":1,"b":1}}', Reason.MALFORMED, "row 2: the key 'b' occurs twice", 8),
    "array": (b'{"a":1}\n[1]\n', Reason.MALFORMED, "row 2: not an object", 8),
    "cut": (b'{"a":1}\n{"a":', Reason.MALFORMED, "row 2: not JSON", 8),
    "two-values": (b'{"a":1} {"a":2}', Reason.MALFORMED, "row 1: not JSON", 0),
    "deep": (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", Reason.LIMIT, "row 1: nested deeper", 0),
    "very-deep": (b'{"a":' + b"[" * 90_000 + b"]" * 90_000 + b"}", Reason.LIMIT, "row 1: nested deeper", 0),
    "control": (b'{"a":"\0"}', Reason.MALFORMED, "row 1: not JSON", 0),
    "latin-1": (b'{"a":1}\n{"a":"\xe4"}', Reason.MALFORMED, "row 2: not UTF-8", 14),
    "utf-16": ('{"a":1}'.encode("utf-16"), Reason.UNSUPPORTED, "UTF-16", 0),
    "many-values": (b'{"a":[' + b"1," * 600_000 + b"1]}", Reason.LIMIT, "row 1: more than 500000 values", 0),
    "long-line": (b'{"a":"' + b"x" * (17 * MIB), Reason.LIMIT, "longer than", 0),
}


@pytest.mark.parametrize("name", HOSTILE_JSON)
def test_hostile_json_is_refused_with_row_and_byte(name: str) -> None:
    data, reason, words, offset = HOSTILE_JSON[name]
    with pytest.raises(UnreadableError) as caught:
        of_json(data)
    assert (caught.value.reason, caught.value.offset) == (reason, offset)
    assert words in caught.value.message


HOSTILE_CSV: dict[str, tuple[bytes, Reason, str, int | None]] = {
    "empty": (b"", Reason.MALFORMED, "no header", 0),
    "ragged": (b"a,b\n1,2\n\n3\n", Reason.MALFORMED, "row 2: 1 cells, the header has 2", 9),
    "ragged-behind-quotes": (b'a,b\n"1\n",2\n3\n', Reason.MALFORMED, "row 2: 1 cells", 11),
    "open-quote": (b'a,b\n1,2\n3,"4\n5,6\n', Reason.TRUNCATED, "row 2: a quoted cell is never closed", 8),
    "stray-quote": (b'a,b\n1,2\n"3"x,4\n', Reason.MALFORMED, "row 2: ',' expected after '\"'", 8),
    "nul": (b"a,b\n1,\0\n", Reason.MALFORMED, "line 2: NUL", 6),
    "one-name-twice": (b"a,a\n1,2\n", Reason.MALFORMED, "the column 'a' occurs twice", 0),
    "latin-1": (b"a,b\n1,\xe4\n", Reason.MALFORMED, "line 2: not UTF-8", 6),
    "utf-16": ("a,b\n".encode("utf-16"), Reason.UNSUPPORTED, "UTF-16", 0),
    "lone-return": (b"a,b\n1,2\r3,4\n", Reason.MALFORMED, "row 1: new-line character", 4),
    "long-cell": (b'a,b\n1,2\n3,"' + b"x" * 200_000 + b'"\n', Reason.LIMIT, "row 2: a cell is longer", 8),
    "long-line": (b"a,b\n1," + b"x" * (17 * MIB), Reason.LIMIT, "a line is longer", 4),
    "long-name": (b"a" * 300_000 + b"\n1\n", Reason.LIMIT, "names of 300008 bytes", 0),
    "columns": (b"," * 20_000 + b"\n", Reason.LIMIT, "more than 10000 columns", 0),
}


@pytest.mark.parametrize("name", HOSTILE_CSV)
def test_hostile_csv_is_refused_with_row_and_byte(name: str) -> None:
    data, reason, words, offset = HOSTILE_CSV[name]
    with pytest.raises(UnreadableError) as caught:
        of_csv(data)
    assert (caught.value.reason, caught.value.offset) == (reason, offset)
    assert words in caught.value.message


def test_quotes_inside_of_a_cell_are_text_and_blank_lines_no_rows() -> None:
    data = '\ufeffa,b\r\n5" pipe,"x ""y"""\r\n\r\n,"1,\n2"'.encode()
    assert of_csv(data) == [{"a": '5" pipe', "b": 'x "y"'}, {"a": "", "b": "1,\n2"}]


def test_a_quote_late_in_the_file_changes_nothing_in_front_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{number},x\n" for number in range(100)]
    monkeypatch.setattr(row_text, "PIECE_BYTES", 50)
    monkeypatch.setattr(row_csv, "BATCH_CELLS", 10)
    found = of_csv(("a,b\n" + "".join(rows) + '"100","x\ny"\n').encode())
    assert [row["a"] for row in found] == [str(number) for number in range(101)]
    assert found[-1]["b"] == "x\ny"


@pytest.mark.parametrize("read", [of_csv, of_json], ids=["csv", "json"])
def test_flipped_bytes_raise_nothing_else(read: Callable[[bytes], Any]) -> None:
    data = {of_csv: b'a,b\n1,"x"\n2,y\n', of_json: b'{"a":1,"b":"x"}\n{"a":2.5,"b":[null]}\n'}[read]
    for copy in flips(data, 400):
        with contextlib.suppress(UnreadableError):
            assert isinstance(read(copy), list)


DECLARED = schema(
    n=INT, f=FLOAT, s=TEXT, t=Type(kind=Kind.TIMESTAMP, unit=Unit.MILLISECOND, zone="UTC"),
    d=Type(kind=Kind.DATE), x=Type(kind=Kind.DECIMAL, scale=2), y=Type(kind=Kind.BYTES),
    b=Type(kind=Kind.BOOL),
)  # fmt: skip
VALUES = {
    "n": 2**70, "f": 1.5, "s": "", "t": 1_577_840_461_500, "d": -1, "x": 110, "y": b"\0\xff", "b": True,
}  # fmt: skip


def test_declared_types_give_the_same_values_in_csv_and_json() -> None:
    cells = [str(2**70), "1.5", "", "2020-01-01T02:01:01.500+01:00", "1969-12-31", "1.1", "AP8=", "true"]
    data = "n,f,s,t,d,x,y,b\n" + ",".join(cells) + "\n" + ",".join(["NULL"] * 8)
    nothing = dict.fromkeys(VALUES)
    assert of_csv(data.encode(), DECLARED, null="NULL") == [VALUES, nothing]
    written = dict(zip(VALUES, cells, strict=True)) | {"n": 2**70, "f": 1.5, "b": True}
    text = json.dumps(written).replace('"1.1"', "1.10") + "\n{}\n"
    assert of_json(text.encode(), DECLARED) == [VALUES, nothing]


REFUSED: dict[str, tuple[Type, Any, str]] = {
    "not-an-integer": (INT, "1.0", "is not an integer"),
    "truth-as-integer": (INT, True, "is not an integer"),
    "long-integer": (INT, "9" * 5_000, "more than 4300 digits"),
    "integer-beyond-float": (FLOAT, 2**53 + 1, "that a float holds"),
    "text-beyond-float": (FLOAT, "1e400", "beyond any float64"),
    "beyond-float16": (Type(kind=Kind.FLOAT16), 70_000.0, "beyond any float16"),
    "number-as-text": (TEXT, 1, "is not a string"),
    "rounded-decimal": (Type(kind=Kind.DECIMAL, scale=2), "1.001", "more than 2 decimal places"),
    "float-as-decimal": (Type(kind=Kind.DECIMAL, scale=2), 1.5, "as it was written"),
    "huge-exponent": (Type(kind=Kind.DECIMAL, scale=2), "1e9999", "more than 4300 digits"),
    "not-base64": (Type(kind=Kind.BYTES), "?", "is not base64"),
    "not-a-date": (Type(kind=Kind.DATE), "2020-02-30", "is not a date"),
    "needless-zone": (Type(kind=Kind.TIMESTAMP, unit=Unit.SECOND), "2020-01-01T00:00:00Z", "without a"),
    "finer-than-the-unit": (Type(kind=Kind.TIME, unit=Unit.SECOND), "10:00:00.5", "finer than s"),
    "not-a-time": (Type(kind=Kind.TIME, unit=Unit.SECOND), "25:00:00", "is not a time"),
    "not-a-list": (list_of(INT), {"a": 1}, "an array is expected"),
    "unknown-field": (Type(kind=Kind.STRUCT, fields=(Field(name="a", type=INT),)), {"b": 1}, "no field 'b'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_values_that_a_type_does_not_hold_exactly_are_refused(name: str) -> None:
    kind, value, words = REFUSED[name]
    convert = row_values.converter(kind, textual=False)
    with pytest.raises(UnreadableError, match=words):
        convert(value)


def test_a_refused_value_is_told_with_row_and_byte() -> None:
    with pytest.raises(UnreadableError, match="row 2: 'x' is not an integer") as caught:
        of_csv(b"a\n1\nx\n", schema(a=INT))
    assert caught.value.offset == 4
    with pytest.raises(UnreadableError, match="row 2: 'x' is not an integer") as caught:
        of_json(b'{"a":1}\n\n{"a":"x"}\n', schema(a=INT))
    assert caught.value.offset == 9
    with pytest.raises(UnreadableError, match="row 1: the schema has no column 'b'"):
        of_json(b'{"b":1}', schema(a=INT))
    with pytest.raises(UnreadableError, match="differ in the column 'b'"):
        of_csv(b"a,b\n1,2\n", schema(a=INT))


ENDLESS: dict[str, tuple[Slow, Callable[[ByteReader], Any]]] = {
    "one-line": (Slow(b"", b"x", 2**40), row_jsonl.lines),
    "one-json-string": (Slow(b'{"a":"', b"x", 2**40), row_jsonl.records),
    "one-cell": (Slow(b'a\n"', b"x\n", 2**40), row_csv.records),
    "empty-arrays": (Slow(b'{"a":[', b"[],", 2**40), row_jsonl.records),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_terabyte_that_never_ends_a_row_takes_bounded_memory(name: str) -> None:
    reader, read = ENDLESS[name]
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableError):
            list(read(reader))
        assert tracemalloc.get_traced_memory()[1] < 100 * MIB
    finally:
        tracemalloc.stop()


def test_rows_that_share_no_key_stay_apart() -> None:
    rows = [{f"key {number} {at}": 1 for at in range(10)} for number in range(200)]
    batches = list(row_jsonl.records(Memory("".join(json.dumps(row) + "\n" for row in rows).encode())))
    assert sum(len(batch.names) * batch.rows for batch in batches) < 8 * 200 * 11


def test_a_file_that_grows_while_it_is_read_has_no_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a":1}\n')

    def read() -> None:
        with LocalFile(open_beneath(str(tmp_path), path.name)) as reader:
            batches = row_jsonl.lines(reader)
            with path.open("ab") as file:
                file.write(b'{"a":2}\n')
            fingerprint_rows(batches, form=RowForm.LINES)

    with pytest.raises(UnreadableError) as caught:
        read()
    assert caught.value.reason is Reason.CHANGED
