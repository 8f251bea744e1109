"""The signature of HDF5, apart from the reader, which is only loaded when a file has it.

Format: HDF5 File Format Specification 3.0, section II.A.
"""

from __future__ import annotations

from typing import Final

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
USER_BLOCK_BYTES: Final = 512  # the signature may stand at 0, 512, 1024, 2048 ...


def is_hdf5(head: bytes) -> bool:
    """True when the signature stands in the first bytes, at 0 or behind a user block."""
    places = (0, *(USER_BLOCK_BYTES << power for power in range(3)))
    return any(head.startswith(SIGNATURE, place) for place in places)
