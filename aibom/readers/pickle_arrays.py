"""The raw NumPy arrays that joblib writes between the opcodes of a pickle.

Format: joblib/numpy_pickle.py, `NumpyArrayWrapper.write_array`: behind the BUILD of each wrapper
stand, since joblib 1.2, one byte with the length of the padding and the padding, then the
elements; an array of Python objects is a whole pickle stream of its own instead.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import Reason, malformed, over_limit, unsupported
from aibom.domain.facts import Layout, Tensor
from aibom.domain.limits import TENSOR_COUNT
from aibom.domain.protocols import ByteReader
from aibom.readers.defects import Defects
from aibom.readers.npy import DTYPES
from aibom.readers.pickle import Stream, run
from aibom.readers.pickle_literals import KEPT_BYTES
from aibom.readers.pickle_values import Call, Global, Mapping, Skipped, SkippedError, Value, is_shape

MODULE: Final = "joblib.numpy_pickle"  # older scikit-learn carries it as sklearn.externals.joblib...
_DTYPE: Final = re.compile(r"([biufcmMSUVO])([0-9]{1,9})\Z")
_STATE_COUNT: Final = 64
_HAS_OBJECT: Final = 0x01  # NPY_ITEM_HASOBJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """One array. `offset` and `length` are bytes in the reader that the stream stands in."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int
    layout: Layout

    def tensor(self, name: str) -> Tensor:
        return Tensor(
            name=name,
            dtype=self.dtype,
            shape=self.shape,
            offset=self.offset,
            length=self.length,
            layout=self.layout,
        )


@dataclass(frozen=True, slots=True)
class _Element:
    dtype: str
    size: int
    swapped: bool = False
    pickled: bool = False


class Arrays:
    """What `after_build` steps over: arrays by their wrapper, and the streams of arrays of objects."""

    def __init__(self, reader: ByteReader) -> None:
        self._reader = reader
        self.streams: list[Stream] = []
        self.defects = Defects()
        self.found: list[tuple[Value, Array]] = []  # with the wrapper, in order of the file

    def after_build(self, value: Value, position: int) -> int:
        """The offset behind the array of a wrapper, `position` itself for anything else.

        Raises unsupported for an element type of unknown size: where the pickle goes on is unknown.
        """
        wrapper = _class_of(value)
        if wrapper is None or not isinstance(value, Call):
            return position
        if wrapper.qualname != "NumpyArrayWrapper":
            message = "an array in a file of its own (joblib < 0.10)"
            self.defects.add(message, value.offset, Reason.NOT_READ)
            return position
        state = value.state
        # Each look-up walks the state, which a hostile stream may share between many wrappers.
        if not isinstance(state, Mapping) or len(state) > _STATE_COUNT:
            raise malformed("an array without a description", value.offset)
        if len(self.found) >= TENSOR_COUNT:
            raise over_limit(f"more than {TENSOR_COUNT} arrays", value.offset)
        if any(isinstance(item, Skipped) for item in state):
            raise SkippedError
        # What joblib would read comes first: an array of objects has no padding and no shape to trust.
        element = _element(state.get("dtype"), value.offset)
        if element.pickled:
            return self._objects(position)
        shape = state.get("shape")
        if not is_shape(shape):
            raise malformed("an array without a possible shape", value.offset)
        start = self._padded(position, state)
        length = math.prod(shape) * element.size
        if length > self._reader.size - start:
            raise malformed(f"an array of {length} bytes, {self._reader.size - start} are left", start)
        array = Array(
            dtype=element.dtype,
            shape=shape,
            offset=start,
            length=length,
            layout=_layout(element, shape, state.get("order")),
        )
        self.found.append((value, array))
        return start + length

    def _padded(self, position: int, state: Mapping) -> int:
        if state.get("numpy_array_alignment_bytes") is None:
            return position
        length = self._reader.read_at(position, 1)[0]
        if self._reader.read_at(position + 1, length) != b"\xff" * length:
            self.defects.add(f"{length} bytes of padding hold something", position)
        return position + 1 + length

    def _objects(self, position: int) -> int:
        # Written by plain pickle, so there are no further arrays inside (joblib, `read_array`).
        stream = run(self._reader, position, kept=KEPT_BYTES // 8)
        self.streams.append(stream)
        if stream.error is not None:
            raise stream.error
        return stream.stop


def _class_of(value: Value) -> Global | None:
    """The joblib wrapper class that a call makes an instance of."""
    if not isinstance(value, Call):
        return None
    made = value.function
    # Protocols 0 and 1 build instances through copyreg (PEP 307).
    if isinstance(made, Global) and made.qualname == "_reconstructor" and isinstance(value.args, tuple):
        made = value.args[0] if value.args else None
    if not isinstance(made, Global) or not f".{made.module}".endswith(f".{MODULE}"):
        return None
    return made if made.qualname.endswith("ArrayWrapper") else None


def _element(value: Value, offset: int) -> _Element:
    """The element type: `numpy.dtype("f8", False, True)` and its state (3, "<", ..., flags)."""
    args = value.args if isinstance(value, Call) else None
    # The rest of the arguments (align, copy) and of the state (fields, metadata) change no size.
    name = args[0] if isinstance(args, tuple) and args else None
    match = _DTYPE.match(name) if isinstance(name, str) else None
    if match is None or not isinstance(value, Call):
        raise unsupported("an array of unknown element type", offset)
    state = value.state if isinstance(value.state, tuple) else ()
    flags = state[7] if len(state) > 7 else 0
    kind, digits = match.groups()
    if kind == "O" or (isinstance(flags, int) and flags & _HAS_OBJECT):
        return _Element(match.string, 0, pickled=True)
    size = int(digits) * (4 if kind == "U" else 1)
    return _Element(DTYPES.get(match.string, match.string), size, len(state) > 1 and state[1] == ">")


def _layout(element: _Element, shape: tuple[int, ...], order: Value) -> Layout:
    if order == "F" and sum(size != 1 for size in shape) > 1:
        return Layout.COLUMN_MAJOR
    return Layout.BIG_ENDIAN if element.swapped else Layout.RAW
