"""Layers that are fetched as a whole: compared, unpacked, and never larger than they may be."""

from __future__ import annotations

import gzip
import hashlib
import random
import tempfile
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources.oci_manifests import Descriptor
from aibom.sources.oci_spool import Spool, Store
from aibom.sources.remote_file import Fetch

MIB = 1024 * 1024


def layer(data: bytes, algorithm: str = "sha256") -> Descriptor:
    value = hashlib.new(algorithm, data).hexdigest()
    return Descriptor(media_type="", digest=f"{algorithm}:{value}", size=len(data))


def served(data: bytes) -> Fetch:
    return lambda start, length: data[start : start + length]


def spooled(data: bytes, *, packed: bool, most: int = 64 * MIB) -> Spool:
    return Store(most).fetch(layer(data), served(data), gzip=packed)


PLAIN = random.Random(1).randbytes(9 * MIB)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_layer_is_on_disk_as_it_was_served(algorithm: str) -> None:
    spool = Store(64 * MIB).fetch(layer(PLAIN, algorithm), served(PLAIN), gzip=False)
    assert spool.read_at(0, spool.size) == PLAIN


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(PLAIN, 1),
        gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:], 1),
        gzip.compress(PLAIN, 1) + b"\0" * 100,
    ],
    ids=["one-member", "two-members", "padding"],
)
def test_gzip_is_unpacked(packed: bytes) -> None:
    spool = spooled(packed, packed=True)
    assert (spool.size, spool.read_at(MIB, 100)) == (len(PLAIN), PLAIN[MIB : MIB + 100])


def test_very_many_small_members_take_little_time() -> None:
    packed = gzip.compress(b"") * 100_000 + gzip.compress(b"end")
    began = time.process_time()
    assert spooled(packed, packed=True).size == 3
    assert time.process_time() - began < 2.5  # with a copy of all that follows each: 4 s and more


def test_an_empty_layer_has_no_bytes() -> None:
    assert spooled(b"", packed=False).size == 0


SMALL = gzip.compress(b"some bytes" * 100)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (SMALL[:-1], Reason.TRUNCATED, "ends too early"),
        (SMALL[:12], Reason.TRUNCATED, "ends too early"),
        (b"no gzip at all", Reason.MALFORMED, "not gzip, or damaged"),
        (SMALL + b"rest", Reason.MALFORMED, "not gzip, or damaged"),
        (SMALL[:-8] + bytes(8), Reason.MALFORMED, "not gzip, or damaged"),
    ],
    ids=["cut", "header", "other", "trailing", "checksum"],
)
def test_a_damaged_layer_is_told(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        spooled(data, packed=True)
    assert caught.value.reason is reason


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_other_bytes_than_those_of_the_digest_are_refused(packed: bool) -> None:
    other = gzip.compress(b"some bytes" * 101)
    with pytest.raises(UnreadableError, match="not those of its digest") as caught:
        Store(MIB).fetch(layer(SMALL), served(other[: len(SMALL)].ljust(len(SMALL), b"\0")), gzip=packed)
    assert caught.value.reason is Reason.MALFORMED


def test_a_bomb_stops_at_the_bound_and_takes_no_memory() -> None:
    bomb = gzip.compress(bytes(64 * MIB), 1)
    tracemalloc.start()
    with pytest.raises(UnreadableError, match="unpacks to more than 8,388,608 bytes") as caught:
        spooled(bomb, packed=True, most=8 * MIB)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.reason is Reason.LIMIT
    assert peak < 16 * MIB


def test_all_layers_share_one_bound() -> None:
    store = Store(1_500)
    store.fetch(layer(SMALL), served(SMALL), gzip=True)
    with pytest.raises(UnreadableError, match="more than 500 bytes"):
        store.fetch(layer(SMALL), served(SMALL), gzip=True)


def test_a_layer_that_finds_no_room_is_not_fetched() -> None:
    def never(start: int, length: int) -> bytes:
        raise AssertionError("fetched")

    with pytest.raises(UnreadableError) as caught:
        Store(10).fetch(layer(SMALL), never, gzip=True)
    assert caught.value.reason is Reason.LIMIT


def test_half_of_the_free_disk_stays_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1_000}))
    with pytest.raises(UnreadableError, match="more than 500 bytes"):
        spooled(SMALL, packed=True)


def test_a_temporary_folder_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    with pytest.raises(UnreadableError, match="temporary folder") as caught:
        spooled(SMALL, packed=False)
    assert caught.value.reason is Reason.IO_ERROR


def test_reads_outside_of_the_layer_are_truncated() -> None:
    spool = spooled(b"abc", packed=False)
    with pytest.raises(UnreadableError) as caught:
        spool.read_at(2, 2)
    assert caught.value.reason is Reason.TRUNCATED
    assert spool.read_into(3, memoryview(bytearray(5))) == 0


def test_threads_read_at_once() -> None:
    spool = spooled(PLAIN, packed=False)
    places = random.Random(2).sample(range(len(PLAIN) - 100), 500)
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda at: spool.read_at(at, 100), places))
    assert read == [PLAIN[at : at + 100] for at in places]
