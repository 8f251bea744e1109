"""PyTorch zip and TorchScript: tensors equal PyTorch's, and every byte has an owner."""

from __future__ import annotations

import io
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts, Layout
from aibom.domain.limits import MIB
from aibom.domain.protocols import Match
from aibom.formats.torch_zip import FORMAT, TORCHSCRIPT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations
from tests.torch_files import check_tensors, explained, imported, messages

CHECKPOINT = "torch/checkpoint.pt"
SCRIPT = "torch/script.pt"


def changed(path: str, edit: Callable[[dict[str, bytes]], None], method: int = zipfile.ZIP_STORED) -> Facts:
    """The facts of a fixture whose records were edited."""
    with zipfile.ZipFile(FIXTURES / path) as archive:
        records = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    edit(records)
    return read(FORMAT, packed(records, method), "m.pt")


def packed(records: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in records.items():
            archive.writestr(zipfile.ZipInfo(f"m/{name}"), data, method)
    return file.getvalue()


def with_data(data: bytes, **records: bytes) -> Facts:
    return read(FORMAT, packed({"data.pkl": data, "data/0": bytes(64), **records}), "m.pt")


# A tensor of `shape` and `stride` over a storage of 16 floats.
def rebuilt(
    offset: object, shape: object, stride: object, numel: int = 16, kind: str = "FloatStorage"
) -> bytes:
    def part(value: object) -> bytes:
        return pickle.dumps(value, 2)[2:-1].replace(b"q\0", b"").replace(b"q\1", b"")

    storage = b"(X\7\0\0\0storagectorch\n%b\nX\1\0\0\x000X\3\0\0\0cpu%btQ" % (kind.encode(), part(numel))
    args = b"(%b%b%b%b\x89Nt" % (storage, part(offset), part(shape), part(stride))
    return b"\x80\x02}X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n" + args + b"Rs."


@pytest.mark.parametrize("name", ["checkpoint.pt", "tensor.pt"])
def test_tensors_of_a_checkpoint_equal_pytorch(name: str) -> None:
    data = (FIXTURES / "torch" / name).read_bytes()
    facts = read_fixture(FORMAT, f"torch/{name}")
    check_tensors(data, facts, name)
    assert facts.format == "torch-zip"
    assert facts.defects == ()
    assert facts.indexed
    assert explained(facts) == set(range(len(data)))


def test_a_view_and_what_is_conjugated_when_read_cannot_be_digested() -> None:
    layouts = {tensor.name: tensor.layout for tensor in read_fixture(FORMAT, CHECKPOINT).tensors}
    assert layouts["model/transposed"] is layouts["model/conjugate"] is Layout.STRIDED
    assert layouts["model/row"] is Layout.RAW


def test_imports_stand_where_they_are_in_the_file() -> None:
    data = (FIXTURES / CHECKPOINT).read_bytes()
    facts = read_fixture(FORMAT, CHECKPOINT)
    assert facts.capabilities == {Capability.IMPORTS_CODE}
    for item in facts.imports:
        assert data[item.offset :].startswith(f"c{item.module}\n{item.qualname}\n".encode())


def test_torchscript_is_code_with_tensors() -> None:
    data = (FIXTURES / SCRIPT).read_bytes()
    facts = read_fixture(TORCHSCRIPT, SCRIPT)
    check_tensors(data, facts, "script.pt")
    assert facts.format == "torchscript"
    assert facts.first(Attribute.ARCHITECTURE) == "Small"
    assert facts.capabilities == {Capability.IMPORTS_CODE, Capability.EMBEDS_CODE}
    assert facts.defects == ()
    assert explained(facts) == set(range(len(data)))


def test_constants_of_a_frozen_script_are_tensors_too() -> None:
    facts = read_fixture(TORCHSCRIPT, "torch/frozen.pt")
    assert [t.name for t in facts.tensors] == ["constants/0", "constants/1", "constants/2"]
    assert facts.defects == ()


def test_a_storage_that_no_tensor_uses_stays_unexplained() -> None:
    facts = changed(CHECKPOINT, lambda records: records.update({"data/99": b"payload", "hidden": b"payload"}))
    assert facts.defects == ()
    whole = packed_size(facts)
    assert whole - len(explained(facts)) == 14


def packed_size(facts: Facts) -> int:
    return max(span.end for span in facts.covered)


def test_big_endian_storages_are_located_and_not_digested() -> None:
    facts = changed(CHECKPOINT, lambda records: records.update(byteorder=b"big"))
    layouts = {tensor.name: tensor.layout for tensor in facts.tensors}
    assert layouts["model/weight"] is Layout.BIG_ENDIAN
    assert layouts["model/eighth"] is Layout.RAW  # one byte has no order
    assert layouts["model/transposed"] is Layout.STRIDED
    odd = changed(CHECKPOINT, lambda records: records.update(byteorder=b"middle"))
    assert "neither little nor big" in messages(odd)


def test_deflated_storages_are_located_and_not_digested() -> None:
    facts = changed(CHECKPOINT, lambda records: None, zipfile.ZIP_DEFLATED)
    assert {tensor.layout for tensor in facts.tensors} == {Layout.CHUNKED}
    assert "torch._utils._rebuild_tensor_v2" in imported(facts)
    assert facts.defects == ()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (rebuilt(0, (17,), (1,)), "ends at byte 68 of 64"),
        (rebuilt(9, (8,), (1,)), "ends at byte 68 of 64"),
        (rebuilt(0, (2, 2), (2**62, 2**62)), "ends at byte"),
        (rebuilt(0, (2**62,) * 32, (1,) * 32), "ends at byte"),
        (rebuilt(2**64, (1,), (1,)), "possible shape"),
        (rebuilt(-1, (1,), (1,)), "possible shape"),
        (rebuilt(0, (1,), (-1,)), "possible shape"),
        (rebuilt(0, (1, 1), (1,)), "possible shape"),
        (rebuilt(0, (1,) * 33, (1,) * 33), "possible shape"),
        (rebuilt(0, "abc", (1,)), "possible shape"),
        (rebuilt(0, (1,), (1,), numel=-1), "without key or size"),
        (rebuilt(0, (1,), (1,), kind="QUInt2x4Storage"), "storage of class 'QUInt2x4Storage'"),
        (rebuilt(0, (1,), (1,)).replace(b"storage", b"storagf"), "names no storage"),
        (rebuilt(0, (1,), (1,)).replace(b"0X\3", b"7X\3"), "storage '7' is not there"),
        (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.", "without a storage"),
        (b"\x80\x02ctorch.storage\n_load_from_bytes\nC\1a\x85R.", "not in a storage"),
    ],
)
def test_tensors_that_cannot_be_are_defects(data: bytes, words: str) -> None:
    facts = with_data(data)
    assert facts.tensors == ()
    assert words in messages(facts)


def test_a_broadcast_view_takes_what_it_touches() -> None:
    tensor = with_data(rebuilt(3, (2**40, 2), (0, 1))).tensors[0]
    assert (tensor.layout, tensor.length, tensor.shape) == (Layout.STRIDED, 8, (2**40, 2))


def shared(names: int, shape: tuple[int, ...]) -> bytes:
    """One tensor under many names, each of which costs a few bytes."""
    tensor = rebuilt(0, shape, tuple(1 for _ in shape))[9:-2]
    keys = [b"X\6\0\0\0%06dh\1" % index for index in range(names)]
    batches = [b"(" + b"".join(keys[at : at + 1_000]) + b"u" for at in range(0, names, 1_000)]
    return b"\x80\x02}X\1\0\0\0w" + tensor + b"q\1s" + b"".join(batches) + b"."


def test_tensors_that_share_storage_without_end_are_a_limit() -> None:
    facts = with_data(shared(1_000, (16,)))
    assert 100 < len(facts.tensors) < 1_000
    assert "file sizes of tensors" in messages(facts)
    assert facts.defects[-1].reason is Reason.LIMIT


def test_many_names_of_one_tensor_take_little_memory() -> None:
    data = packed({"data.pkl": shared(10_000, (1,) * 32), "data/0": bytes(64)})
    tracemalloc.start()
    facts = read(FORMAT, data, "m.pt")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(facts.tensors) == 10_001
    assert peak < 0.1 * 64 * MIB + MIB  # of the 100,000 that are allowed


def test_a_shape_without_end_that_many_share_takes_little_time() -> None:
    long = b"(" + b"N" * 50_000 + b"tq\2"
    data = b"\x80\x02(ca\nb\nq\1" + long + b"R" + b"h\1h\2R" * 20_000 + b"t."
    assert "values below the root" in messages(with_data(data))


def test_hostile_imports_are_listed_even_when_the_pickle_breaks() -> None:
    facts = with_data(b"\x80\x02cos\nsystem\nX\4\0\0\0true\x85R\xff")
    assert imported(facts) == {"os.system": True}
    assert "no opcode" in messages(facts)


def test_bytes_behind_the_pickle_are_a_defect() -> None:
    assert "3 bytes behind the pickle" in messages(with_data(b"\x80\x02N.abc"))


def test_a_script_without_data_is_a_gap() -> None:
    data = packed({"model.json": b"{}", "code/m.py": b""})
    assert TORCHSCRIPT.recognise(probe_of(data, "m.pt")) is Match.CONTENT
    error = outcome(TORCHSCRIPT, data, "m.pt")
    assert isinstance(error, UnreadableError)
    assert error.reason is Reason.UNSUPPORTED


def test_recognised_by_content_under_any_name() -> None:
    checkpoint, script = ((FIXTURES / path).read_bytes() for path in (CHECKPOINT, SCRIPT))
    for name in ("x.safetensors", "pytorch_model.bin", "x"):
        assert FORMAT.recognise(probe_of(checkpoint, name)) is Match.CONTENT
        assert TORCHSCRIPT.recognise(probe_of(script, name)) is Match.CONTENT
    assert FORMAT.recognise(probe_of(script, "m.pt")) is Match.NO
    assert TORCHSCRIPT.recognise(probe_of(checkpoint, "m.pt")) is Match.NO
    for other in (packed({"a.txt": b""}), b"PK\3\4", b""):
        assert FORMAT.recognise(probe_of(other, "m.zip")) is Match.NO


@pytest.mark.parametrize("path", [CHECKPOINT, SCRIPT, "torch/frozen.pt"])
def test_cuts_are_told_and_flips_do_not_escape(path: str) -> None:
    data = (FIXTURES / path).read_bytes()
    for piece in list(truncations(data))[::7]:
        assert isinstance(outcome(FORMAT, piece, "m.pt"), UnreadableError)
    for flipped in flips(data, 300):
        outcome(FORMAT, flipped, "m.pt")


@given(st.binary(max_size=200))
def test_arbitrary_pickles_inside_raise_nothing_else(data: bytes) -> None:
    outcome(FORMAT, packed({"data.pkl": data, "constants.pkl": data, "data/0": data}), "m.pt")


@given(st.data())
def test_flips_inside_the_pickle_raise_nothing_else(chance: st.DataObject) -> None:
    data = bytearray(rebuilt(0, (2, 2), (2, 1)))
    for at in chance.draw(st.lists(st.integers(0, len(data) - 1), max_size=3)):
        data[at] = chance.draw(st.integers(0, 255))
    outcome(FORMAT, packed({"data.pkl": bytes(data), "data/0": bytes(64)}), "m.pt")


ODD = b"\x80\x02B\x0a\0\0\0\x80\x04N.......0\x82\x010N."


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("record", ["data.pkl", "constants.pkl"])
def test_hazards_and_nested_files_of_every_pickle_are_told(record: str, method: int) -> None:
    records = {"data.pkl": pickle.dumps(None, 2), "constants.pkl": pickle.dumps((), 2), "code/a.py": b""}
    data = packed(records | {record: ODD}, method)
    facts = read(TORCHSCRIPT, data, "m.pt")
    assert [h.found for h in facts.hazards] == ["extension-registry"]
    # Those of an inflated record are no part of the file: the walk through the archive finds them.
    assert len(facts.nested) == (method == zipfile.ZIP_STORED)
    if facts.nested:
        assert data[facts.nested[0].offset :].startswith(b"\x80\x04N.")


def test_a_second_pickle_behind_the_first_is_hidden() -> None:
    facts = with_data(pickle.dumps(None, 2) + b"\x80\x02cos\nsystem\n.")
    assert [h.found for h in facts.hazards] == ["trailing-pickle"]
    assert imported(facts) == {"os.system": False}
