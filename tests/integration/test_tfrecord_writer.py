"""TFRecord files that TensorFlow writes are read, byte for byte.

AIBOM_TENSORFLOW names the python of an environment that has it; without one there is nothing to compare.
"""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.readers.ranges import Memory
from aibom.readers.row_tfrecord import lines

SIZES = (0, 1, 5, 1_000, 70_000, 2_000_000)
WRITER = """
import random, sys
import tensorflow as tf
chance = random.Random(0)
with tf.io.TFRecordWriter(sys.argv[1], options=sys.argv[2]) as writer:
    for size in map(int, sys.argv[3:]):
        writer.write(chance.randbytes(size))
"""


def written(path: Path, compression: str) -> bytes:
    python = os.environ.get("AIBOM_TENSORFLOW")
    if python is None:
        pytest.skip("AIBOM_TENSORFLOW is not set")
    command = [python, "-c", WRITER, str(path), compression, *map(str, SIZES)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return path.read_bytes()


def test_records_are_those_that_were_written(tmp_path: Path) -> None:
    reader = Memory(written(tmp_path / "x.tfrecord", ""))
    chance = random.Random(0)
    found = [record for batch in lines(reader) for record in batch.lines]
    assert found == [chance.randbytes(size) for size in SIZES]


@pytest.mark.parametrize("compression", ["GZIP", "ZLIB"])
def test_compressed_records_are_told_as_such(compression: str, tmp_path: Path) -> None:
    reader = Memory(written(tmp_path / "x.tfrecord", compression))
    with pytest.raises(UnreadableError) as caught:
        list(lines(reader))
    assert caught.value.reason is Reason.UNSUPPORTED
