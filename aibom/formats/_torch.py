"""What all containers of PyTorch share: tensors are views of storages, described in a pickle.

Source: torch/_utils.py (`_rebuild_tensor_v2` and friends), torch/serialization.py (persistent ids).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, unsupported
from aibom.domain.facts import Layout, Tensor
from aibom.domain.limits import OVERLAP_RATIO, TENSOR_COUNT, TENSOR_RANK
from aibom.domain.text import capped
from aibom.readers.defects import Defects
from aibom.readers.pickle_paths import leaves
from aibom.readers.pickle_values import (
    Call,
    Global,
    Mapping,
    Persistent,
    Sequence,
    Value,
    is_natural,
    is_shape,
)

# Storage classes: safetensors' spelling where there is one, and bytes per element.
_STORAGES: Final = {
    "DoubleStorage": ("F64", 8), "FloatStorage": ("F32", 4), "HalfStorage": ("F16", 2),
    "BFloat16Storage": ("BF16", 2), "LongStorage": ("I64", 8), "IntStorage": ("I32", 4),
    "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1), "ByteStorage": ("U8", 1),
    "BoolStorage": ("BOOL", 1), "ComplexDoubleStorage": ("C128", 16), "ComplexFloatStorage": ("C64", 8),
    "QInt8Storage": ("qint8", 1), "QUInt8Storage": ("quint8", 1), "QInt32Storage": ("qint32", 4),
    "UntypedStorage": ("U8", 1),
}  # fmt: skip
# Types that have no storage class of their own, as arguments of `_rebuild_tensor_v3`.
_DTYPES: Final = {
    "float64": ("F64", 8), "float32": ("F32", 4), "float16": ("F16", 2), "bfloat16": ("BF16", 2),
    "float8_e4m3fn": ("F8_E4M3", 1), "float8_e5m2": ("F8_E5M2", 1), "float8_e8m0fnu": ("F8_E8M0", 1),
    "float8_e4m3fnuz": ("F8_E4M3FNUZ", 1), "float8_e5m2fnuz": ("F8_E5M2FNUZ", 1),
    "float4_e2m1fn_x2": ("float4_e2m1fn_x2", 1), "complex32": ("complex32", 4),
    "complex64": ("C64", 8), "complex128": ("C128", 16), "bool": ("BOOL", 1),
    "int8": ("I8", 1), "int16": ("I16", 2), "int32": ("I32", 4), "int64": ("I64", 8),
    "uint8": ("U8", 1), "uint16": ("U16", 2), "uint32": ("U32", 4), "uint64": ("U64", 8),
}  # fmt: skip
_REBUILT: Final = {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor"}
_PARAMETERS: Final = {"_rebuild_parameter", "_rebuild_parameter_with_state"}
# Tensors whose bytes are not in a storage of the container.
_ELSEWHERE: Final = {
    "_load_from_bytes", "_rebuild_device_tensor_from_numpy", "_rebuild_xla_tensor",
    "_rebuild_wrapper_subclass",
}  # fmt: skip
_FLAG_COUNT: Final = 8  # "conj" and "neg" with their values
_WRAPPING_COUNT: Final = 8  # parameter of subclass of parameter ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The bytes behind tensors. `offset` and `stored` are bytes in the file, `length` once inflated."""

    offset: int
    length: int
    stored: int
    layout: Layout  # RAW, BIG_ENDIAN, or CHUNKED when compressed


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageId:
    """A persistent id: ("storage", class, key, location, elements), then perhaps a view."""

    key: str
    dtype: str
    size: int  # bytes per element
    count: int  # elements
    shift: int  # elements in front of the view, in files older than 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A tensor as a view of a storage, all in elements."""

    storage: StorageId
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    lazy: bool = False  # conjugated or negated when read

    @property
    def extent(self) -> int:
        """Elements of the storage from the first to the last that the view touches."""
        if 0 in self.shape:
            return 0
        return 1 + sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))

    @property
    def contiguous(self) -> bool:
        expected = 1
        for size, step in zip(reversed(self.shape), reversed(self.stride), strict=True):
            # The stride of an axis of one element is never used, and PyTorch writes what it likes.
            if size != 1 and step != expected:
                return 0 in self.shape
            expected *= size
        return True


Find: TypeAlias = Callable[[StorageId], Storage | None]


class Tensors:
    """Collects the tensors of one file. `size` is that of the file, in bytes."""

    def __init__(self, size: int, defects: Defects) -> None:
        self.found: list[Tensor] = []
        self._left = size * OVERLAP_RATIO
        self._defects = defects

    def collect(self, root: Value, find: Find, prefix: str = "") -> None:
        """Adds every tensor below `root`, named by its path; what cannot be told is a defect."""
        try:
            for path, value in leaves(root, lambda value: rebuilding(value) is not None):
                self._rebuilt(prefix + path, value, find)
        except UnreadableError as error:
            self._defects.caught("tensors", error)

    def _rebuilt(self, name: str, value: Value, find: Find) -> None:
        call = rebuilding(value)
        if call is None:
            return
        try:
            view = _view(*call)
        except UnreadableError as error:
            self._defects.caught(f"tensor {capped(name, 80)!r}", error)
        else:
            self.place(name, view, find)

    def place(self, name: str, view: View, find: Find) -> None:
        """Adds one view; one that cannot be is a defect. Raises limit when there are too many."""
        try:
            tensor = _placed(name, view, find(view.storage))
        except UnreadableError as error:
            self._defects.caught(f"tensor {capped(name, 80)!r}", error)
            return
        # Shared storages are read once per tensor by whoever digests them.
        self._left -= tensor.length
        if self._left < 0 or len(self.found) == TENSOR_COUNT:
            raise over_limit(f"more than {TENSOR_COUNT} tensors or {OVERLAP_RATIO} file sizes of tensors")
        self.found.append(tensor)


def _placed(name: str, view: View, storage: Storage | None) -> Tensor:
    if storage is None:
        raise UnreadableError(Reason.MISSING, f"storage {capped(view.storage.key, 40)!r} is not there")
    size = view.storage.size
    start, length = (view.storage.shift + view.offset) * size, view.extent * size
    if length and start + length > storage.length:
        raise malformed(f"the tensor ends at byte {start + length} of {storage.length}", storage.offset)
    layout = storage.layout
    offset = storage.offset + (start if length else 0)
    if layout is Layout.CHUNKED:
        # No single place inside of a compressed storage.
        offset, length = storage.offset, storage.stored
    elif not view.contiguous or view.lazy:
        layout = Layout.STRIDED
    elif size == 1:
        layout = Layout.RAW
    return Tensor(
        name=capped(name),
        dtype=view.storage.dtype,
        shape=view.shape,
        offset=offset,
        length=length,
        layout=layout,
    )


def rebuilding(value: Value) -> tuple[str, tuple[Value, ...]] | None:
    """Name and arguments of the function that rebuilds a tensor, out of its wrappings."""
    for _ in range(_WRAPPING_COUNT):
        if not isinstance(value, Call) or not isinstance(value.function, Global):
            return None
        function, args = value.function, value.args
        if not function.module.startswith("torch") or not isinstance(args, tuple):
            return None
        if function.qualname in _REBUILT or function.qualname in _ELSEWHERE:
            return function.qualname, args
        if function.qualname in _PARAMETERS and args:
            value = args[0]
        elif function.qualname == "_rebuild_from_type_v2" and len(args) > 2:
            value = Call(args[0], args[2], value.offset)
        else:
            return None
    return None


def _view(function: str, args: tuple[Value, ...]) -> View:
    if function in _ELSEWHERE:
        raise unsupported(f"{function}: its bytes are not in a storage of the file")
    if len(args) < 4 or not isinstance(args[0], Persistent):
        raise malformed(f"{function} without a storage")
    storage = storage_id(args[0].id)
    # The third version brings a type of its own, for types that have no storage class.
    if function == "_rebuild_tensor_v3":
        storage = _retyped(storage, args[6] if len(args) > 6 else None)
    offset, shape, stride = args[1], _sizes(args[2]), _sizes(args[3])
    if not is_natural(offset) or not is_shape(shape) or not is_shape(stride) or len(shape) != len(stride):
        raise malformed(f"{function} without a possible shape")
    flags = args[6] if function == "_rebuild_tensor_v2" and len(args) > 6 else None
    lazy = isinstance(flags, Mapping) and True in flags.flat[:_FLAG_COUNT]
    return View(storage=storage, offset=offset, shape=shape, stride=stride, lazy=lazy)


def storage_id(value: Value) -> StorageId:
    """The parts of a persistent id. Raises malformed or unsupported."""
    parts = value if isinstance(value, tuple) else ()
    if len(parts) < 5 or parts[0] != "storage" or not isinstance(parts[1], Global):
        raise malformed("a persistent id that names no storage")
    (dtype, size), key, count = element(parts[1]), parts[2], parts[4]
    if not isinstance(key, str | int) or not is_natural(count):
        raise malformed("a storage without key or size")
    view = parts[5] if len(parts) > 5 else None
    shift = view[1] if isinstance(view, tuple) and len(view) == 3 else 0
    if not is_natural(shift):
        raise malformed("a view that starts nowhere")
    return StorageId(key=str(key), dtype=dtype, size=size, count=count, shift=shift)


def element(storage: Global) -> tuple[str, int]:
    """Type and bytes of the elements of a storage class. Raises unsupported."""
    name = storage.qualname.rpartition(".")[2]
    if name not in _STORAGES:
        raise unsupported(f"storage of class {capped(name, 40)!r}")
    return _STORAGES[name]


def _retyped(storage: StorageId, dtype: Value) -> StorageId:
    if not isinstance(dtype, Global) or dtype.qualname not in _DTYPES:
        raise unsupported("a tensor of unknown type")
    spelling, size = _DTYPES[dtype.qualname]
    return StorageId(
        key=storage.key,
        dtype=spelling,
        size=size,
        count=storage.count * storage.size // size,
        shift=storage.shift,
    )


def _sizes(value: Value) -> Value:
    """Sizes or strides as a tuple, out of a torch.Size or a list, which older files have."""
    if isinstance(value, Call) and isinstance(value.args, tuple) and len(value.args) == 1:
        value = value.args[0]
    return tuple(value.items[: TENSOR_RANK + 1]) if isinstance(value, Sequence) else value


def storage_ids(root: Value) -> Iterator[StorageId]:
    """Every storage that is reached from `root`; ids that name something else are left out."""
    for _, value in leaves(root, lambda value: isinstance(value, Persistent)):
        if isinstance(value, Persistent):
            try:
                yield storage_id(value.id)
            except UnreadableError:
                continue
