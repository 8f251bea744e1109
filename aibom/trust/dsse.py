"""What a DSSE signature covers: the pre-authentication encoding of a payload and its type.

Format: github.com/secure-systems-lab/dsse, protocol.md (v1).
"""

from __future__ import annotations

from typing import Final

INTOTO_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT: Final = "https://in-toto.io/Statement/v1"  # `_type` of a payload of that type


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed. `payload` is what the envelope decodes to, never a re-serialisation of it.

    Lengths are in bytes of UTF-8, so that no type and payload can be read as another pair.
    """
    encoded = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(encoded), encoded, len(payload), payload)


def old_pae(payload_type: str, payload: bytes) -> bytes:
    """What model-transparency v0.2.0 signed by mistake: another mark, and Python's notation of the bytes.

    Only to read signatures with the predicate of that version (`oms.OLD_PREDICATE`), which were
    made with ECDSA over SHA-256 whatever the curve. Nothing is signed this way any more.
    """
    return f"DSSEV1 {len(payload_type)} {payload_type} {len(payload)} {payload!r}".encode()
