"""Element types of tensors, in safetensors' spelling, with their size."""

from __future__ import annotations

from typing import Final

# Bits per element. C128 is NumPy's and torch's; the rest is safetensors' list.
BITS: Final = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8,
    "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "F64": 64, "I64": 64, "U64": 64, "C128": 128,
}  # fmt: skip


def byte_length(dtype: str, elements: int) -> int | None:
    """How many bytes the elements take, or None for a type this table does not know."""
    bits = BITS.get(dtype)
    return None if bits is None else (bits * elements + 7) // 8
