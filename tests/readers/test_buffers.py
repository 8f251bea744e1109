"""Buffers begin with a page, because reading into the middle of one takes longer."""

from __future__ import annotations

import ctypes
import mmap

import pytest

from aibom.readers.buffers import aligned


@pytest.mark.parametrize("size", [0, 1, 4_095, 4_096, 1 << 20, 8 << 20])
def test_a_buffer_has_the_size_that_was_asked_for_and_begins_with_a_page(size: int) -> None:
    buffer = aligned(size)
    assert len(buffer) == size
    assert not buffer.readonly
    assert bytes(buffer[:8]) == bytes(min(8, size))
    if size:
        assert ctypes.addressof(ctypes.c_char.from_buffer(buffer)) % mmap.PAGESIZE == 0


def test_two_buffers_are_apart() -> None:
    one, other = aligned(16), aligned(16)
    one[:] = b"x" * 16
    assert bytes(other) == bytes(16)
