"""What a stream does with each import, with which arguments, and what no honest writer does."""

from __future__ import annotations

import datetime as dt
import pickle
import tracemalloc

import pytest

from aibom.domain.errors import Reason
from aibom.domain.facts import Use
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.readers.pickle import Stream, run
from aibom.readers.pickle_arguments import ARGUMENTS_CHARS
from aibom.readers.pickle_literals import KEPT_BYTES
from aibom.readers.ranges import Memory
from tests.hostile import FIXTURES

REFERENCE, CONSTRUCT, CALL = Use.REFERENCE, Use.CONSTRUCT, Use.CALL


def walk(data: bytes) -> Stream:
    return run(Memory(data))


def uses(data: bytes) -> dict[str, Use]:
    return {item.name: item.use for item in walk(data).imports}


def found(data: bytes) -> list[str]:
    return [hazard.found for hazard in walk(data).hazards]


def arguments(data: bytes) -> str:
    return walk(data).imports[0].arguments


@pytest.mark.parametrize(
    ("data", "use"),
    [
        (b"cm\nC\n.", REFERENCE),
        (b"cm\nC\n0N.", REFERENCE),
        (b"cm\nC\n)\x81.", CONSTRUCT),
        (b"cm\nC\n)}\x92.", CONSTRUCT),
        (b"cm\nC\n)\x81}b.", CONSTRUCT),
        (b"cm\nC\n)\x810N.", CONSTRUCT),
        (b"cm\nC\n)R.", CALL),
        (b"cm\nC\n)R0N.", CALL),
        (b"cm\nC\n)R}b.", CALL),
        (b"(im\nC\n.", CALL),
        (b"(cm\nC\no.", CALL),
        (b"cm\nC\n}b.", CALL),
        (b"cm\nC\nNNs.", CALL),
        (b"cm\nC\n(NNu.", CALL),
        (b"cm\nC\nNa.", CALL),
        (b"cm\nC\n(Ne.", CALL),
        (b"cm\nC\n(N\x90.", CALL),
        (b"cm\nC\n(e.", REFERENCE),
        (b"(cm\nC\n)\x81cm\nC\nl.", CONSTRUCT),
        (b"(cm\nC\n)\x81cm\nC\n)Rl.", CALL),
    ],
)
def test_the_most_that_is_done_with_an_import_is_its_use(data: bytes, use: Use) -> None:
    assert uses(data) == {"m.C": use}
    assert found(data) == []


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (b"cm\nC\n)\x81.", False),
        (b"cm\nC\n)\x810cm\nC\n.", True),
        (b"cm\nC\n)\x810cm\nC\n0N.", False),
        (b"](cm\nC\n)\x81cm\nC\ne.", True),
        (b"]cm\nC\n)\x81acm\nC\na.", True),
        (b"}(Ncm\nC\nu.", True),
        (b"}Ncm\nC\ns.", True),
        (b"(cm\nC\nl0N.", True),
        (b"(Ncm\nC\nd0N.", True),
        (b"\x8f(cm\nC\n\x900N.", True),
        (b"(cm\nC\n\x910N.", True),
        (b"cm\nC\n\x85\x85.", True),
        (b"cm\nf\n(cm\nC\ntR0N.", True),
        (b"cm\nf\n)\x81cm\nC\nb0N.", True),
        (b"(cm\nC\ntQ0N.", True),
    ],
)
@pytest.mark.parametrize("room", [KEPT_BYTES, 0])
def test_a_global_in_any_container_is_kept_as_a_value(data: bytes, kept: bool, room: int) -> None:
    found = {item.qualname: item.kept for item in run(Memory(data), kept=room).imports}
    assert found["C"] is kept


@pytest.mark.parametrize("module", ["copyreg", "copy_reg"])
@pytest.mark.parametrize("name", ["_reconstructor", "__newobj__", "__newobj_ex__"])
def test_the_functions_of_copyreg_are_called_and_make_an_instance(module: str, name: str) -> None:
    data = f"c{module}\n{name}\n(cm\nC\nc__builtin__\nobject\nNtR.".encode()
    expected = {f"{module}.{name}": CALL, "m.C": CONSTRUCT, "__builtin__.object": REFERENCE}
    assert uses(data) == expected
    assert found(data) == []
    assert uses(data.replace(b"object", b"dict"))["__builtin__.dict"] is CALL


class Plain:
    pass


@pytest.mark.parametrize("protocol", range(6))
def test_an_instance_is_constructed_in_every_protocol(protocol: int) -> None:
    known = uses(pickle.dumps(Plain(), protocol))
    assert known[f"{__name__}.Plain"] is CONSTRUCT
    assert uses(pickle.dumps(dt.date(2020, 1, 1), protocol))["datetime.date"] is CALL
    assert uses(pickle.dumps([Plain, dt.date], protocol))[f"{__name__}.Plain"] is REFERENCE


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"cos\nsystem\n(S'echo hi'\ntR.", "('echo hi',)"),
        (b"cm\nf\n(K\x01NG?\xf8\0\0\0\0\0\0C\2abtR.", "(1, None, 1.5, b'ab')"),
        (b"cm\nf\n(cm\nC\n](K\x01K\x02e}S'a'\nK\x03stR.", "(m.C, [1, 2], {'a': 3})"),
        (b"cm\nf\n(cm\nC\n)R)P1\ntR.", "(?, (), ?)"),
        (b"cm\nf\n)}S'a'\nNs\x92.", "() {'a': None}"),
        (b"cm\nf\n)R0cm\nf\nN\x85R.", "()"),
        (b"cm\nf\n)\x810cm\nf\nN\x85R.", "(None,)"),
        (b"cm\nf\nN.", ""),
        (b"cm\nf\n](((((K\x01ttttttl\x85R.", ""),
        (b"cm\nf\n(]\x94h\0ah\0tR.", "([[[?]]], [[[?]]])"),
        (b"cm\nf\nNR.", "None"),
        (b"cm\nf\n}b.", "{}"),
    ],
)
def test_arguments_are_told_as_far_as_they_are_literals(data: bytes, text: str) -> None:
    if text:
        assert arguments(data) == text
    else:
        assert len(arguments(data)) <= ARGUMENTS_CHARS


def test_long_arguments_are_cut_and_their_beginning_is_told() -> None:
    long = b"cbuiltins\nexec\nX\xe8\3\0\0" + b"import os;" * 100 + b"\x85R."
    assert arguments(long).startswith("('import os;import os;")
    many = b"cm\nf\n(" + b"cmodule\nname\n" * 5_000 + b"tR."
    for data in (long, many):
        assert ARGUMENTS_CHARS < len(arguments(data)) < ARGUMENTS_CHARS + 50


def getattrs(names: list[str]) -> bytes:
    return b"".join(b"cbuiltins\ngetattr\n(cm\nC\nS'%b'\ntR0" % name.encode() for name in names) + b"N."


def test_each_call_of_an_accessor_is_told_once_and_the_seventeenth_as_unknown() -> None:
    assert arguments(getattrs(["a", "b", "a"])) == "(m.C, 'a'); (m.C, 'b')"
    many = arguments(getattrs([f"n{index}" for index in range(40)])).split("; ")
    assert many == [*(f"(m.C, 'n{index}')" for index in range(16)), "?"]
    assert arguments(b"cm\nf\nN\x85R0cm\nf\nK\1\x85R.") == "(None,)"


def test_arguments_behind_a_million_values_are_told() -> None:
    junk = (b"]" + b"N" * 500 + b"0" * 500) * 600
    stream = run(Memory(b"N" + junk.replace(b"]", b"]\x940") + getattrs(["eval"])), kept=50_000)
    assert stream.cut
    assert stream.imports[0].arguments == "(m.C, 'eval')"


@pytest.mark.parametrize(
    ("data", "hazard"),
    [
        (b"cm\nf\n)R)R.", "computed-call"),
        (b"(cm\nf\n)Ro.", "computed-call"),
        (b"cm\nf\n)R)\x81.", "computed-call"),
        (b"cfunctools\npartial\n(cm\nf\ntR)R.", "computed-call"),
        (b"Pabc\n)R.", "computed-call"),
        (b"S'abc'\n)R.", "computed-call"),
        (b"K\x01)R.", "computed-call"),
        (b"cm\nf\nq\x000h\x00)Rq\x010h\x01)R.", "computed-call"),
        (b"\x82\x05.", "extension-registry"),
        (b"\x83\x05\0)R.", "extension-registry"),
        (b"\x84\x05\0\0\0.", "extension-registry"),
        (b"\x80\x04\x8c\1m\x8c\x10f.__globals__.ab\x93.", "dunder-path"),
        (b"cm\n__class__\n.", "dunder-path"),
        (b"N\x800.", "unpicklers-differ"),
    ],
)
def test_what_no_honest_writer_does_is_a_hazard(data: bytes, hazard: str) -> None:
    stream = walk(data.replace(b"\x800", b"\x80\x040"))
    assert [(each.kind, each.found) for each in stream.hazards] == [(HazardKind.PICKLE_STRUCTURE, hazard)]
    assert (stream.error is None or hazard == "unpicklers-differ", stream.defects) == (True, ())


def test_dotted_names_are_kept_as_they_are() -> None:
    data = b"\x80\x04\x8c\1m\x8c\5A.b.c\x93."
    assert uses(data) == {"m.A.b.c": REFERENCE}
    assert found(data) == []


def test_the_classes_in_old_modules_of_pytorch_are_constructed() -> None:
    data = b"(S'module'\ncm\nNet\nS'net.py'\nS'source'\ntQ)\x81}b."
    assert uses(data) == {"m.Net": CONSTRUCT}
    assert found(data) == []


def test_a_call_of_what_is_no_longer_kept_is_a_limit_and_no_hazard() -> None:
    stream = run(Memory(b"cm\nf\n" + b")R0cm\nf\n" * 50 + b")R)R."), kept=1_000)
    assert {defect.reason for defect in stream.defects} == {Reason.LIMIT}
    assert stream.hazards == ()
    assert stream.imports[0].use is CALL


def test_a_name_that_was_used_is_remembered_beyond_the_budget() -> None:
    junk = b"".join(b"\x8c\x08%08d\x940" % index for index in range(2_000))
    data = junk + b"\x8c\x02os\x94\x8c\x06system\x94\x930" + b"j%bj%b\x93)R." % (
        (2_000).to_bytes(4, "little"), (2_001).to_bytes(4, "little")
    )  # fmt: skip
    stream = run(Memory(data), kept=10_000)
    assert stream.cut
    assert [(item.name, item.use) for item in stream.imports] == [("os.system", CALL)]
    assert (stream.defects, stream.hazards) == ((), ())


def test_a_name_that_was_forgotten_is_a_limit() -> None:
    junk = b"".join(b"\x8c\x08%08d\x940" % index for index in range(2_000))
    stream = run(Memory(junk + b"j\xcf\7\0\0\x8c\1a\x93."), kept=10_000)
    assert [defect.reason for defect in stream.defects] == [Reason.LIMIT]
    assert stream.imports[0].module == "?"


def test_calls_without_end_cost_no_memory() -> None:
    data = b"".join(b"cbuiltins\ngetattr\nX\x06\0\0\0%06d\x85R0" % index for index in range(5_000))
    reader = Memory(data)
    tracemalloc.start()
    run(reader, kept=MIB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * MIB


def test_what_honest_picklers_write_holds_no_hazard() -> None:
    for path in (FIXTURES / "pickle").glob("protocol*.pkl"):
        assert walk(path.read_bytes()).hazards == (), path.name
