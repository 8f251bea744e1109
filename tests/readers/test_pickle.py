"""The symbolic machine agrees with CPython about every value, opcode and failure, and runs nothing."""

from __future__ import annotations

import collections
import datetime as dt
import io
import pickle
import pickletools
import tracemalloc

import cloudpickle
import dill
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Use
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import KIB, MIB, PICKLE_STACK_COUNT
from aibom.readers import pickle_stack
from aibom.readers.pickle import Stream, run
from aibom.readers.pickle_literals import KEPT_BYTES
from aibom.readers.pickle_paths import leaves
from aibom.readers.pickle_values import Blob, Call, Global, Mapping, Persistent, Sequence, Value
from aibom.readers.ranges import Budgeted, Memory
from tests.hostile import FIXTURES, flips, truncations

PROTOCOLS = st.integers(0, 5)
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**300), 2**300)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300)
)
KEYS = st.integers() | st.text(max_size=20)
OBJECTS = st.recursive(
    ATOMS | st.frozensets(KEYS, max_size=4) | st.sets(KEYS, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(inner)
        | st.tuples(inner, inner)
        | st.tuples(inner, inner, inner, inner)
        | st.dictionaries(KEYS, inner, max_size=5)
    ),
    max_leaves=20,
)
KINDS = {"list": list, "set": set, "frozenset": frozenset}


def walk(data: bytes) -> Stream:
    return run(Budgeted(Memory(data)))


def names(stream: Stream) -> dict[str, bool]:
    return {f"{item.module}.{item.qualname}": item.use is Use.CALL for item in stream.imports}


class Plain:
    """Turns symbols back into the objects that they stand for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.made: dict[int, object] = {}

    def of(self, value: Value) -> object:
        if isinstance(value, tuple):
            return tuple(map(self.of, value))
        if isinstance(value, Blob):
            data = self.data[value.offset : value.offset + value.length]
            errors = "surrogatepass" if value.encoding == "utf-8" else "strict"
            return data.decode(value.encoding, errors) if value.encoding else data
        if isinstance(value, Call):
            return self.call(value)
        if isinstance(value, Sequence | Mapping):
            return self.container(value)
        return value

    def container(self, value: Sequence | Mapping) -> object:
        if id(value) not in self.made:
            # Filled after it is known: it may contain itself.
            made: list[object] | dict[object, object] = [] if isinstance(value, Sequence) else {}
            self.made[id(value)] = made
            if isinstance(made, dict):
                assert isinstance(value, Mapping)
                made.update((self.of(key), self.of(item)) for key, item in value.pairs())
            else:
                assert isinstance(value, Sequence)
                made.extend(map(self.of, value.items))
                if value.kind != "list":
                    self.made[id(value)] = KINDS[value.kind](made)
        return self.made[id(value)]

    def call(self, value: Call) -> object:
        assert isinstance(value.function, Global)
        args = self.of(value.args)
        assert isinstance(args, tuple)
        function = {"encode": str.encode, "bytes": bytes, "set": set, "frozenset": frozenset}
        return function[value.function.qualname](*args)


@given(OBJECTS, PROTOCOLS)
def test_whatever_pickle_writes_is_read_back(value: object, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    stream = walk(data)
    assert (stream.error, stream.defects, stream.stop) == (None, (), len(data))
    assert stream.protocol == (protocol if protocol > 1 else 0)
    assert shown(Plain(data).of(stream.root)) == shown(value)


@given(OBJECTS, PROTOCOLS)
def test_the_python_pickler_with_its_frames_is_read_back_too(value: object, protocol: int) -> None:
    file, value = io.BytesIO(), [value, b"x" * 70_000, value]
    Pickler(file, protocol).dump(value)
    stream = walk(file.getvalue())
    assert (stream.error, stream.defects) == (None, ())
    assert shown(Plain(file.getvalue()).of(stream.root)) == shown(value)


def shown(value: object, within: tuple[int, ...] = ()) -> str:
    """`repr`, with sets in one order and cycles cut."""
    if id(value) in within:
        return "cycle"
    inner = (*within, id(value))
    if isinstance(value, dict):
        return f"dict{[(shown(key, inner), shown(item, inner)) for key, item in value.items()]}"
    if isinstance(value, list | tuple | set | frozenset):
        items = [shown(item, inner) for item in value]
        return f"{type(value).__name__}{items if isinstance(value, list | tuple) else sorted(items)}"
    return repr(value)


class Pickler(pickle._Pickler):
    """CPython's own in Python: dill changes the table of the class when it is imported."""

    dispatch = {
        kind: save for kind, save in pickle._Pickler.dispatch.items() if save.__module__ == "pickle"
    } | {bytes: pickle._Pickler.save_bytes, dict: pickle._Pickler.save_dict}


SNIPPETS = [
    b"N", b"K\x01", b"I01\n", b"I7\n", b"(", b"(", b"0", b"1", b"2", b"\x94", b"q\x00", b"q\x05", b"p3\n",
    b"h\x00", b"h\x01", b"h\x05", b"g3\n", b"r\x01\0\0\0", b"j\x02\0\0\0", b"]", b"}", b")", b"\x8f", b"t",
    b"\x85", b"\x86", b"\x87", b"l", b"d", b"a", b"e", b"s", b"u", b"\x90", b"\x91", b"S'a'\n", b"X\1\0\0\0b",
]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(SNIPPETS), max_size=25))
def test_stack_marks_and_memo_are_those_of_cpython(snippets: list[bytes]) -> None:
    data = b"".join(snippets) + b"."
    stream = walk(data)
    results = []
    for load in (pickle.loads, pickle._loads):
        try:
            results.append(shown(load(data)))
        except (pickle.UnpicklingError, IndexError, TypeError, AttributeError, ValueError, KeyError):
            results.append(None)
    for result in results:
        if result is None:
            continue
        assert stream.error is None
        assert shown(Plain(data).of(stream.root)) == result


@given(OBJECTS, PROTOCOLS)
def test_opcodes_are_counted_and_placed_as_by_pickletools(value: object, protocol: int) -> None:
    data = pickle.dumps((value, collections.OrderedDict, dt.date(2020, 1, 1)), protocol)
    opcodes = list(pickletools.genops(data))
    stream = walk(data)
    assert (stream.opcodes, stream.stop) == (len(opcodes), opcodes[-1][2] + 1)
    offsets = {at for opcode, _, at in opcodes if opcode.name in ("GLOBAL", "STACK_GLOBAL")}
    assert {item.offset for item in stream.imports} <= offsets
    found = names(stream)
    assert (found["collections.OrderedDict"], found["datetime.date"]) == (False, True)


def scale(x: int) -> int:
    return 2 * x


@pytest.mark.parametrize("library", [dill, cloudpickle])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_code_of_dill_and_cloudpickle_is_walked_to_its_end(library: object, protocol: int) -> None:
    local = eval("lambda x, y=[1]: (x, y, scale)", {"scale": scale})
    data = library.dumps([local, Stream, {1: local}], protocol)  # type: ignore[attr-defined]
    stream = walk(data)
    assert (stream.error, stream.stop) == (None, len(data))
    assert stream.opcodes == sum(1 for _ in pickletools.genops(data))
    assert any("_create_code" in name or "_make_function" in name for name in names(stream))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", {"os.system": True}),
        (b"(S'true'\nios\nsystem\n.", {"os.system": True}),
        (b"(cos\nsystem\nS'true'\no.", {"os.system": True}),
        (b"\x80\x02cos\nsystem\n)\x81.", {"os.system": False}),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93)}\x92.", {"os.system": False}),
        (b"csys\nmodules\nS'a'\nNs.", {"sys.modules": True}),
        (b"csys\npath\nS'a'\na.", {"sys.path": True}),
        (b"cbuiltins\nlist\n}b.", {"builtins.list": True}),
        (b"cos\nsystem\n.", {"os.system": False}),
        (b"cos\nsystem\n0N.", {"os.system": False}),
        # Names from the memo, by DUP, from long lines, written with escapes.
        (b"\x8c\x06system\x94\x8c\x02os\x94h\x00\x93.", {"os.system": False}),
        (b"\x8c\x02os\x8c\x06system\x94\x8c\x05print0\x93.", {"os.system": False}),
        (b"\x8c\x02os2\x93.", {"os.os": False}),
        (b"S'\\x6fs'\nS'sys\\164em'\n\x93.", {"os.system": False}),
        (b"V\\u006fs\nVsystem\n\x93.", {"os.system": False}),
        (b"X\2\0\0\0os\x8d\6\0\0\0\0\0\0\0system\x93.", {"os.system": False}),
        (b"U\2osT\6\0\0\0system\x93.", {"os.system": False}),
        (b"\x8c\x01aS'" + b"b" * 300 + b"'\n\x93.", {"a." + "b" * 256 + "… [44 more characters]": False}),
    ],
)
def test_imports_are_resolved_from_the_stack(data: bytes, expected: dict[str, bool]) -> None:
    stream = walk(data)
    assert names(stream) == expected
    assert (stream.error, stream.defects) == (None, ())


@pytest.mark.parametrize(
    "data",
    [b"K\x01K\x02\x93.", b"X\2\0\0\0osK\x01\x93.", b"C\2osC\6system\x93.", b"c" + b"a" * 3_000 + b"\nb\n."],
)
def test_an_import_that_cannot_be_resolved_is_listed_and_a_defect(data: bytes) -> None:
    stream = walk(data)
    assert "?" in (stream.imports[0].module, stream.imports[0].qualname)
    assert stream.defects[0].reason is Reason.MALFORMED
    assert [hazard.found for hazard in stream.hazards] == ["unresolved-import"]
    assert stream.error is None


def test_one_name_is_one_import_called_when_any_use_calls_it() -> None:
    stream = walk(b"(ca\nb\nca\nb\n)Rt.")
    assert [(item.offset, item.use is Use.CALL) for item in stream.imports] == [(1, True)]
    assert isinstance(stream.root, tuple)
    first, second = stream.root
    assert isinstance(second, Call)
    assert second.function is first


def test_what_a_call_gets_later_stays_with_it() -> None:
    ordered = collections.OrderedDict(a=1, b=[2])
    root = walk(pickle.dumps(ordered)).root
    assert isinstance(root, Call)
    assert root.pairs is not None
    assert root.pairs[0] == "a"
    counter = walk(b"ca\nB\n)\x81q\0}X\1\0\0\0kK\1sb0h\0.").root  # BUILD, then GET: the same object
    assert isinstance(counter, Call)
    assert isinstance(counter.state, Mapping)
    assert counter.state.get("k") == 1


def test_persistent_ids_keep_their_value() -> None:
    assert isinstance(found := walk(b"Pabc\n.").root, Persistent)
    assert found.id == "abc"
    assert isinstance(found := walk(b"K\x07Q.").root, Persistent)
    assert found.id == 7


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.TRUNCATED, "1 bytes expected"),
        (b"N", Reason.TRUNCATED, "1 bytes expected"),
        (b".", Reason.MALFORMED, "too short"),
        (b"0.", Reason.MALFORMED, "too short"),
        (b"K\x01(\x85.", Reason.MALFORMED, "too short"),
        (b"(K\x01(o.", Reason.MALFORMED, "too short"),
        (b"\x80\x06N.", Reason.MALFORMED, "protocol 6"),
        (b"\xff.", Reason.MALFORMED, "0xff is no opcode"),
        (b"h\x00.", Reason.MALFORMED, "memo entry 0"),
        (b"g-1\n.", Reason.MALFORMED, "out of range"),
        (b"gx\n.", Reason.MALFORMED, "no number"),
        (b"Np" + b"9" * 2000 + b"\n.", Reason.MALFORMED, "out of range"),
        (b"}(Nu.", Reason.MALFORMED, "a key without a value"),
        (b"S'a\n.", Reason.MALFORMED, "without quotes"),
        (b"Vabc", Reason.TRUNCATED, "without an end"),
        (b"X\1\0\0\0\xff.", Reason.MALFORMED, "not utf-8"),
        (b"cos\n\xff\n.", Reason.MALFORMED, "not utf-8"),
        (b"\x8d" + b"\xff" * 8, Reason.TRUNCATED, "18446744073709551615 bytes expected"),
        (b"\x8e" + b"\0" * 7 + b"\x80", Reason.TRUNCATED, "9223372036854775808 bytes"),
        (b"\x8b\xff\xff\xff\xff.", Reason.MALFORMED, "negative length"),
        (b"T\xff\xff\xff\xff.", Reason.MALFORMED, "negative length"),
        (b"\x8b\xff\xff\xff\x7f.", Reason.TRUNCATED, "2147483647 bytes"),
    ],
)
def test_failures_are_named(data: bytes, reason: Reason, words: str) -> None:
    error = walk(data).error
    assert error is not None
    assert error.reason is reason
    assert words in str(error)


@pytest.mark.parametrize("data", [b"0.", b"\x80\x06N.", b"h\x00.", b"S'a\n.", b"}(Nu.", b"g-1\n."])
def test_cpython_fails_where_the_machine_does(data: bytes) -> None:
    for load in (pickle.loads, pickle._loads):
        with pytest.raises((pickle.UnpicklingError, IndexError, ValueError)):
            load(data)


@pytest.mark.parametrize("tail", [b"\xff", b"", b"0000.", b"X\xff\0\0\0"])
def test_an_error_leaves_the_imports_before_it(tail: bytes) -> None:
    stream = walk(b"cos\nsystem\n(S'true'\ntR" + tail)
    assert stream.error is not None
    assert names(stream) == {"os.system": True}


FRAME = b"\x95%c\0\0\0\0\0\0\0"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (FRAME % 2 + b"M\x01\x01.", "crosses the end of its frame"),
        (FRAME % 2 + b"Va\n.", "crosses the end of its frame"),
        (FRAME % 11 + b"N" + FRAME % 1 + b".", "begins inside another"),
        (FRAME % 99 + b"N.", "claims 99 bytes, 2 are left"),
        (FRAME % 5 + b"N.NNN", "stops inside a frame"),
        (b"N\x80\x040N.", "the protocol changes"),
        (b"I007\n.", "a number that cannot be read"),
        (b"(e(uN.", "nothing is added to nothing"),
    ],
)
def test_where_unpicklers_disagree_the_walk_goes_on_and_says_so(data: bytes, words: str) -> None:
    stream = walk(data)
    assert not stream.defects
    assert [(h.kind, h.found) for h in stream.hazards] == [(HazardKind.PICKLE_STRUCTURE, "unpicklers-differ")]
    assert words in stream.hazards[0].message


def test_a_buffer_that_is_not_in_the_stream_is_a_gap() -> None:
    assert walk(b"\x97.").defects[0].reason is Reason.UNSUPPORTED


def test_a_frame_that_ends_where_an_opcode_does_is_none_of_them() -> None:
    stream = walk(b"\x80\x04" + FRAME % 2 + b"K\x01" + FRAME % 2 + b"0N" + b".")
    assert (stream.error, stream.defects) == (None, ())


def test_raw_data_between_opcodes_is_left_out_where_the_consumer_says_so() -> None:
    data = b"ca\nb\n)\x81}b" + b"\xff" * 100_000 + b"cc\nd\n\x86."
    stream = run(Memory(data), after_build=lambda value, position: position + 100_000)
    assert (stream.error, stream.stop) == (None, len(data))
    assert names(stream) == {"a.b": False, "c.d": False}


FIXTURE_PATHS = sorted(path.name for path in (FIXTURES / "pickle").iterdir())


@pytest.mark.parametrize("name", FIXTURE_PATHS)
def test_every_cut_is_told_and_no_flip_escapes(name: str) -> None:
    data = (FIXTURES / "pickle" / name).read_bytes()
    for piece in truncations(data):
        assert walk(piece).error is not None
    for changed in flips(data, 300):
        assert walk(changed).stop <= len(data)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_end_in_a_stream(data: bytes) -> None:
    assert 0 <= walk(data).stop <= len(data)


# What a stream makes the machine hold is bounded three times: the stack, the memo, the kept values.
STACK_BOMBS = {
    "marks": b"(" * 100_000,
    "lists": b"]" * 100_000,
    "strings": b"".join(b"\x8c@%064d" % index for index in range(20_000)),
}


@pytest.mark.parametrize("name", STACK_BOMBS)
def test_a_stack_without_end_is_refused_in_proportion_to_64_mib(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickle_stack, "PICKLE_STACK_COUNT", PICKLE_STACK_COUNT // 16)
    stream, peak = measured(STACK_BOMBS[name], KEPT_BYTES // 16)
    # One more window may be on the stack when it is counted.
    assert peak < 4 * MIB + 64 * KIB * 72
    assert stream.error is not None
    assert stream.error.reason is Reason.LIMIT


@pytest.mark.parametrize(
    "puts",
    [
        b"\x94" * 150_000,
        b"".join(b"r%c%c%c\1" % (n & 255, n >> 8 & 255, n >> 16) for n in range(220_000)),
    ],
    ids=["in order", "out of order"],
)
def test_a_memo_without_end_is_refused(puts: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_stack, "PICKLE_MEMO_COUNT", 100_000)
    error = run(Memory(b"N" + puts)).error
    assert error is not None
    assert "the memo holds" in error.message


KEPT_BOMBS = {
    "lists": b"](" + (b"](](](](" * 2_000 + b"e" * 4_000 + b"(") * 3,
    "one list": b"](" + (b"M\1\1" * 1_000 + b"e(") * 40,
    "one dict": b"}(" + (b"M\1\1N" * 1_000 + b"u(") * 60,
    "tuples": (b"(" + b"M\1\1" * 900 + b"t") * 40,
    "memo": b"".join(b"\x8c\x08%08d\x940" % index for index in range(40_000)),
    "calls": b"ca\nb\n" + b")R" * 15_000,
    "pairs of a call": b"ca\nb\n)R" + b"M\1\1M\1\1s" * 20_000,
    "items of a call": b"ca\nb\n)R" + b"M\1\1a" * 30_000,
    "persistent": b"N" + b"Q" * 25_000,
    "blobs": (b"B\x01\1\0\0" + b"\0" * 257 + b"\x94") * 15_000,
}


def measured(data: bytes, kept: int = KEPT_BYTES) -> tuple[Stream, int]:
    reader = Memory(data)
    tracemalloc.start()
    stream = run(reader, kept=kept)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return stream, peak


@pytest.mark.parametrize("name", KEPT_BOMBS)
def test_kept_values_take_no_more_than_their_budget(name: str) -> None:
    budget = MIB
    stream, peak = measured(KEPT_BOMBS[name], budget)
    assert stream.cut
    # The window, the stack and the slots of the memo come on top.
    assert peak < 1.5 * budget + 2 * MIB, f"{peak / MIB:.1f} MiB"


def test_a_deep_object_is_made_and_dropped() -> None:
    stream = walk(b"]" * 150_000 + b"a" * 149_999 + b".")
    assert stream.error is None
    with pytest.raises(UnreadableError, match="nested deeper"):
        list(leaves(stream.root, lambda value: False))


def test_imports_without_end_take_no_memory() -> None:
    stream, peak = measured(b"".join(b"c%02000d\n%b\n0" % (index, b"b" * 2000) for index in range(5_001)))
    assert len(stream.imports) == 5_000
    assert peak < 32 * MIB
    assert stream.defects[0].reason is Reason.LIMIT


def test_beyond_the_budget_values_are_cut_and_imports_stay_exact() -> None:
    junk = (b"]" + b"N" * 500 + b"0" * 500) * 600
    stream = run(
        Memory(junk + b"\x8c\x02os\x94\x8c\x06system\x94\x93(V" + b"x" * 100 + b"\ntR."), kept=50_000
    )
    assert stream.cut
    assert names(stream) == {"os.system": True}
    assert stream.error is None
