from __future__ import annotations

import hashlib
import io
import itertools
import random
import threading
import warnings
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gguf import GGUFWriter
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save as save_safetensors

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import KIB, MIB, PROBE_BYTES
from aibom.domain.protocols import Format, Match, Probe
from aibom.fingerprint.one_pass import fingerprint
from aibom.formats import gguf, parquet, safetensors
from aibom.readers.zip import member_names
from aibom.sources import remote_file
from aibom.sources.remote_file import (
    AHEAD_BYTES,
    FRONT_BYTES,
    HEADER_ONLY_BYTES,
    PIECE_BYTES,
    REQUEST_COUNT,
    SMALL_BYTES,
    TAIL_BYTES,
    WHOLE_REQUEST_COUNT,
    RemoteFile,
)

DATA = random.Random(7).randbytes(1 << 20)


class Host:
    """A file that notes which ranges of it were fetched."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.log: list[tuple[int, int]] = []

    def fetch(self, start: int, length: int) -> bytes:
        assert 0 <= start < start + length <= len(self.data)
        self.log.append((start, length))
        return self.data[start : start + length]

    def file(self, name: str = "model.safetensors", *, whole: bool = False) -> RemoteFile:
        return RemoteFile(self.fetch, len(self.data), name=name, whole=whole)

    @property
    def bytes(self) -> int:
        return sum(length for _, length in self.log)


class Zeros(Host):
    """A file of any size."""

    def __init__(self, size: int) -> None:
        super().__init__(b"")
        self.size = size

    def fetch(self, start: int, length: int) -> bytes:
        assert 0 <= start < start + length <= self.size
        self.log.append((start, length))
        return bytes(length)

    def file(self, name: str = "model.safetensors", *, whole: bool = False) -> RemoteFile:
        return RemoteFile(self.fetch, self.size, name=name, whole=whole)


READS = st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 90_000)), max_size=12)


@given(READS, st.sampled_from(["a.safetensors", "a.bin", "a.parquet"]), st.booleans())
def test_every_read_gives_the_bytes_of_the_file(reads: list[tuple[int, int]], name: str, whole: bool) -> None:
    host = Host(DATA[:200_000])
    file = host.file(name, whole=whole)
    for offset, length in reads:
        buffer = bytearray(length)
        count = file.read_into(offset, memoryview(buffer))
        assert bytes(buffer[:count]) == host.data[offset : offset + length]
        if offset + length <= file.size:
            assert file.read_at(offset, length) == host.data[offset : offset + length]


@given(READS, st.sampled_from(["a.safetensors", "a.bin"]))
def test_no_byte_of_a_header_is_fetched_twice(reads: list[tuple[int, int]], name: str) -> None:
    host = Host(DATA[:200_000])
    file = host.file(name)
    for offset, length in reads:
        file.read_into(offset, memoryview(bytearray(length)))
    fetched = [
        byte // 7 for start, length in host.log for byte in range(start - start % -7, start + length, 7)
    ]
    assert len(fetched) == len(set(fetched))
    assert host.bytes <= len(host.data)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("offset", "length"), [(0, 101), (100, 1), (101, 1), (-1, 5), (5, -1), (1 << 62, 1 << 62)]
)
def test_a_read_outside_of_the_file_is_truncated_and_asks_nobody(
    offset: int, length: int, whole: bool
) -> None:
    host = Host(DATA[:100])
    with pytest.raises(UnreadableError) as caught:
        host.file(whole=whole).read_at(offset, length)
    assert caught.value.reason is Reason.TRUNCATED
    assert host.log == []


@pytest.mark.parametrize("whole", [False, True])
def test_behind_the_end_nothing_is_read_into_a_buffer(whole: bool) -> None:
    host = Host(DATA[:100])
    file = host.file(whole=whole)
    buffer = memoryview(bytearray(10))
    assert file.read_into(95, buffer) == 5
    assert file.read_into(100, buffer) == 0
    assert file.read_into(1_000, buffer) == 0
    assert file.read_into(0, memoryview(b"")) == 0


@pytest.mark.parametrize("whole", [False, True])
def test_an_empty_file_is_never_asked_for(whole: bool) -> None:
    host = Host(b"")
    file = host.file(whole=whole)
    assert file.read_at(0, 0) == b""
    assert file.read_into(0, memoryview(bytearray(5))) == 0
    assert host.log == []


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("wrong", [b"", b"x", bytes(1 << 17)])
def test_a_fetch_of_another_length_is_truncated(wrong: bytes, whole: bool) -> None:
    file = RemoteFile(lambda *_: wrong, 100_000, name="a", whole=whole)
    with pytest.raises(UnreadableError) as caught:
        file.read_at(0, 10)
    assert caught.value.reason is Reason.TRUNCATED


def test_the_front_is_fetched_first_and_only_once() -> None:
    host = Host(DATA)
    file = host.file()
    for offset in range(0, FRONT_BYTES, 1_000):
        file.read_at(offset, 8)
    assert host.log == [(0, FRONT_BYTES)]


def test_a_small_file_is_fetched_at_once() -> None:
    host = Host(DATA[:20_000])
    file = host.file("a.bin")
    assert file.read_at(19_000, 1_000) == host.data[19_000:]
    assert host.log == [(0, 20_000)]


def test_a_long_header_of_known_length_takes_a_second_request_for_the_rest() -> None:
    host = Host(DATA)
    file = host.file()
    file.read_at(0, 8)
    file.read_at(8, 300_000)
    assert host.log == [(0, FRONT_BYTES), (FRONT_BYTES, 303_104 - FRONT_BYTES)]


def test_a_header_of_unknown_length_is_fetched_in_growing_pieces() -> None:
    host = Zeros(64 * MIB)
    file = host.file()
    for offset in range(0, 20 * MIB, 16 * KIB):
        file.read_at(offset, 16 * KIB)
    lengths = [length for _, length in host.log]
    assert lengths[:4] == [FRONT_BYTES, FRONT_BYTES, 2 * FRONT_BYTES, 4 * FRONT_BYTES]
    assert max(lengths) == AHEAD_BYTES
    assert len(lengths) <= 14


@pytest.mark.parametrize(
    "name", ["a.zip", "A.BIN", "a.pt", "a.pth", "a.ckpt", "a.npz", "a.keras", "a.parquet", "a.nemo"]
)
def test_of_a_file_with_an_index_at_its_end_the_end_takes_one_request(name: str) -> None:
    host = Host(DATA)
    file = host.file(name)
    file.read_at(0, 4)
    for length in (8, 100, 4_000, TAIL_BYTES):
        file.read_at(len(DATA) - length, length)
    assert len(host.log) == 2
    assert host.log[1] == (len(DATA) - TAIL_BYTES, TAIL_BYTES)
    assert host.bytes <= 110_000


def test_the_end_of_another_file_is_fetched_as_asked() -> None:
    host = Host(DATA)
    host.file().read_at(len(DATA) - 8, 8)
    assert host.log == [(len(DATA) - 4_096, 4_096)]


def test_a_gap_between_two_known_ranges_is_filled_and_no_more() -> None:
    host = Host(DATA)
    file = host.file()
    file.read_at(0, 8)
    file.read_at(FRONT_BYTES + 8_192, 4_096)
    file.read_at(0, FRONT_BYTES + 12_288)
    assert host.log[2:] == [(FRONT_BYTES, 8_192)]


def test_a_header_that_needs_too_many_requests_is_a_limit() -> None:
    host = Zeros(1 << 40)
    file = host.file()
    for index in range(REQUEST_COUNT):
        file.read_at(index * MIB, 1)
    with pytest.raises(UnreadableError, match="256 requests") as caught:
        file.read_at(1 << 39, 1)
    assert caught.value.reason is Reason.LIMIT
    assert len(host.log) == REQUEST_COUNT


def test_a_header_that_needs_too_many_bytes_is_a_limit_before_they_are_fetched() -> None:
    host = Zeros(1 << 40)
    with pytest.raises(UnreadableError, match=f"{HEADER_ONLY_BYTES} bytes") as caught:
        host.file().read_into(0, memoryview(bytearray(HEADER_ONLY_BYTES + 1)))
    assert caught.value.reason is Reason.LIMIT
    assert host.log == []


def test_a_host_that_is_slow_on_purpose_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    times = itertools.count(step=1_000.0)
    monkeypatch.setattr(remote_file, "time", SimpleNamespace(monotonic=lambda: next(times)))
    file = Zeros(1 << 40).file()
    for index in range(2):
        file.read_at(index * MIB, 1)
    with pytest.raises(UnreadableError, match="1,800 s") as caught:
        file.read_at(2 * MIB, 1)
    assert caught.value.reason is Reason.LIMIT


def test_what_failed_once_is_asked_for_again() -> None:
    host = Host(DATA)
    failures: list[UnreadableError] = []

    def fetch(start: int, length: int) -> bytes:
        if failures:
            raise failures.pop()
        return host.fetch(start, length)

    for whole in (False, True):
        failures.append(UnreadableError(Reason.IO_ERROR, "broke"))
        file = RemoteFile(fetch, len(DATA), name="a", whole=whole)
        with pytest.raises(UnreadableError, match="broke"):
            file.read_at(10, 10)
        assert file.read_at(10, 10) == DATA[10:20]


# Whole files


def test_a_document_takes_one_request() -> None:
    host = Host(DATA)
    file = host.file("config.json", whole=True)
    assert file.read_at(0, 100) == DATA[:100]
    assert file.read_at(len(DATA) - 100, 100) == DATA[-100:]
    assert file.read_at(0, len(DATA)) == DATA
    assert host.log == [(0, len(DATA))]


@pytest.mark.parametrize("step", [4 * KIB, MIB, 5 * MIB, 12 * MIB])
def test_a_file_that_is_read_in_order_takes_one_request_per_piece(step: int) -> None:
    host = Zeros(40 * MIB + 5)
    file, position = host.file(whole=True), 0
    buffer = memoryview(bytearray(step))
    while count := file.read_into(position, buffer):
        position += count
    assert position == host.size
    assert host.log == [
        (start, min(PIECE_BYTES, host.size - start)) for start in range(0, host.size, PIECE_BYTES)
    ]


def test_a_second_reader_of_the_header_does_not_disturb_the_one_in_order() -> None:
    host = Zeros(64 * MIB)
    file = host.file(whole=True)
    rng = random.Random(1)
    buffer = memoryview(bytearray(MIB))
    for position in range(0, host.size, MIB):
        file.read_into(position, buffer)
        file.read_at(rng.randrange(0, host.size - 100), 100)
        file.read_at(0, 8)
    large = [length for _, length in host.log if length > SMALL_BYTES]
    assert large == [PIECE_BYTES] * 8
    assert host.bytes - host.size <= 2 * 64 * SMALL_BYTES


def test_a_second_pass_from_the_front_grows_back_to_large_pieces() -> None:
    host = Zeros(40 * MIB)
    file = host.file(whole=True)
    buffer = memoryview(bytearray(MIB))
    for _ in range(2):
        for position in range(0, host.size, MIB):
            file.read_into(position, buffer)
    assert len(host.log) <= 5 + 9
    assert host.bytes <= 2 * host.size + PIECE_BYTES


def test_two_readers_in_order_at_different_places_cost_little_more_than_themselves() -> None:
    host = Zeros(64 * MIB)
    file = host.file(whole=True)
    buffer = memoryview(bytearray(MIB))
    for position in range(0, host.size // 2, MIB):
        file.read_into(position, buffer)
        file.read_into(position + host.size // 2, buffer)
    assert host.bytes <= 4 * host.size


def test_reads_without_any_order_are_a_limit_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aibom.sources.remote_file.WHOLE_REQUEST_COUNT", 50)
    host = Zeros(1 << 40)
    host.size = 80 * PIECE_BYTES
    file = host.file(whole=True)
    rng = random.Random(1)

    def read_on() -> None:
        for _ in range(200):
            file.read_at(rng.randrange(0, host.size - 100), 100)

    with pytest.raises(UnreadableError, match="out of order") as caught:
        read_on()
    assert caught.value.reason is Reason.LIMIT
    assert len(host.log) == 50 + 80
    assert WHOLE_REQUEST_COUNT > 10_000  # the header of a zip file with as many members


def test_the_digests_of_one_pass_are_those_of_the_file() -> None:
    weights = {f"w{index}": np.full((300, 700), index, np.float32) for index in range(24)}
    host = Host(save_safetensors(weights))
    assert len(host.data) > 2 * PIECE_BYTES
    file = host.file(whole=True)
    probe = Probe(name="model.safetensors", head=file.read_at(0, PROBE_BYTES), reader=file)
    assert safetensors.FORMAT.read is not None
    facts = safetensors.FORMAT.read(probe)
    with ThreadPoolExecutor(1) as companion:
        for helper in (None, companion):
            found = fingerprint(file, facts, companion=helper)
            assert found.digests[0].value == hashlib.sha256(host.data).hexdigest()
            assert found.tensor_digests.count(None) == 0


def test_two_threads_may_read_one_file() -> None:
    host = Host(DATA)
    for whole in (False, True):
        file = host.file("a.bin", whole=whole)
        wrong: list[int] = []

        def read(seed: int, file: RemoteFile = file, wrong: list[int] = wrong) -> None:
            rng = random.Random(seed)
            for _ in range(100):
                offset = rng.randrange(len(DATA) - 5_000)
                if file.read_at(offset, 5_000) != DATA[offset : offset + 5_000]:
                    wrong.append(offset)

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert wrong == []


# The readers of the formats


def described(host: Host, fmt: Format, name: str) -> int:
    """Reads the header as a scan does; the count of its tensors or columns."""
    file = host.file(name)
    probe = Probe(name=name, head=file.read_at(0, PROBE_BYTES), reader=file)
    assert fmt.recognise(probe) is Match.CONTENT
    assert fmt.read is not None
    facts = fmt.read(probe)
    return len(facts.tensors) or len(facts.columns)


def test_a_safetensors_header_of_300_tensors_takes_one_request() -> None:
    weights = {
        f"model.layers.{i}.self_attn.q_proj.weight": np.zeros((64, 64), np.float32) for i in range(300)
    }
    host = Host(save_safetensors(weights))
    assert described(host, safetensors.FORMAT, "model.safetensors") == 300
    assert (len(host.log), host.bytes) == (1, FRONT_BYTES)


def test_a_parquet_footer_takes_a_second_request() -> None:
    rng = np.random.default_rng(0)
    table = pa.table({f"c{index}": rng.standard_normal(20_000) for index in range(8)})
    made = io.BytesIO()
    pq.write_table(table, made)
    host = Host(made.getvalue())
    assert described(host, parquet.FORMAT, "train.parquet") == 8
    assert (len(host.log), host.bytes <= 110_000) == (2, True)


def test_a_gguf_header_with_a_vocabulary_takes_a_few_requests(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        writer = GGUFWriter(tmp_path / "m.gguf", "llama")
        writer.add_token_list([f"token{index}" for index in range(32_000)])
        writer.add_tensor("w", np.zeros((512, 1_024), np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    host = Host((tmp_path / "m.gguf").read_bytes())
    assert described(host, gguf.FORMAT, "m.gguf") == 1
    assert len(host.log) <= 6


def torch_like(count: int) -> bytes:
    """A zip file in the layout of torch.save: the pickle in front, each storage on a boundary of 64 bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("archive/data.pkl", DATA[: count * 100])
        for index in range(count):
            archive.writestr(f"archive/data/{index}", bytes(8_192))
    return made.getvalue()


@pytest.mark.parametrize(
    "look",
    [lambda file: member_names(file, 10_000), lambda file: file.read_at(0, 30_000)],
    ids=["names-first", "front-first"],
)
def test_the_index_and_the_pickle_of_a_torch_file_take_two_requests(
    look: Callable[[RemoteFile], object],
) -> None:
    host = Host(torch_like(300))
    file = host.file("pytorch_model.bin")
    file.read_at(0, PROBE_BYTES)
    look(file)
    assert len(member_names(file, 10_000)) == 301
    file.read_at(0, 30_100)
    assert len(host.log) == 2
    assert host.bytes <= 110_000


def test_what_was_fetched_is_at_hand_and_of_a_whole_file_everything_is() -> None:
    host = Host(DATA)
    file = host.file("a.bin")
    assert not file.at_hand(0, 8)
    file.read_at(0, 8)
    assert file.at_hand(100, 8)
    assert not file.at_hand(500_000, 8)
    assert host.file("a.bin", whole=True).at_hand(500_000, 8)
    assert len(host.log) == 1
