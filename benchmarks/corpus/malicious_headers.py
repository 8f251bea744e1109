"""safetensors and GGUF files whose headers mean different things to different readers, or carry more than weights."""

from __future__ import annotations

import json
import struct

from corpus import templates
from corpus.assembler import payload
from corpus.containers import simple_zip
from corpus.malicious_torch import INFECTED, as_zip
from corpus.writer import Corpus, Generator

FLOATS = struct.pack("<4f", 1, 2, 3, 4)
STRING, ARRAY, UINT32 = 8, 9, 4  # value types of GGUF
ALIGNMENT = 32


def safetensors(header: object, data: bytes = FLOATS, *, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def floats(start: int, end: int, count: int | None = None) -> dict[str, object]:
    return {
        "dtype": "F32",
        "shape": [(end - start) // 4 if count is None else count],
        "data_offsets": [start, end],
    }


def safetensors_files() -> dict[str, bytes]:
    clean = safetensors({"w": floats(0, 16)})
    entry = json.dumps(floats(0, 16)).encode()
    other = json.dumps(floats(0, 8)).encode()
    headers: dict[str, object] = {
        "overlap": {"a": floats(0, 12), "b": floats(4, 16)},
        "same_bytes": {"a": floats(0, 16), "b": floats(0, 16)},
        "hole": {"a": floats(0, 4), "b": floats(12, 16)},
        "hole_in_front": {"a": floats(8, 16)},
        "beyond_end": {"a": floats(0, 1600)},
        "huge_offsets": {"a": floats(0, 1 << 62)},
        "negative": {"a": floats(-16, 16)},
        "reversed": {"a": {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}},
        "shape_differs": {"a": floats(0, 16, 400)},
        "shape_overflows": {"a": {"dtype": "F32", "shape": [1 << 62, 1 << 62], "data_offsets": [0, 16]}},
        "unknown_dtype": {"a": {"dtype": "OBJECT", "shape": [4], "data_offsets": [0, 16]}},
        "metadata_not_text": {"__metadata__": {"loader": ["os", "system"]}, "a": floats(0, 16)},
        "float_offsets": {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0.0, 16.0]}},
        "list": [floats(0, 16)],
        "duplicate_keys": b'{"w":' + entry + b',"w":' + other + b"}",
        "duplicate_metadata": b'{"__metadata__":{"a":"1"},"__metadata__":{"a":"2"},"w":' + entry + b"}",
        "duplicate_inner_key": b'{"w":' + entry[:-1] + b',"dtype":"F64"}}',
        "not_json": b"{'w': " + b"}" * 20,
        "comment": b'/* inert */{"w":' + entry + b"}",
        "code_behind_header": json.dumps({"w": floats(0, 16)}).encode()
        + b"\nimport os; os.system('echo inert')",
        "deep": b'{"w":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    }
    found = {title: safetensors(header) for title, header in headers.items()}
    found |= {
        "trailing": clean + b"trailing bytes, which are no tensor",
        "trailing_zeros": clean + bytes(4096),
        "trailing_pickle": clean + payload(),
        "zip_behind": clean + as_zip(INFECTED),
        "small_zip_behind": clean + simple_zip({"run.py": b"import os"}),
        "tar_behind": clean + b"run.py".ljust(100, b"\0") + bytes(157) + b"ustar\x0000" + bytes(500),
        "program_behind": clean + b"\x7fELF\2\1\1" + bytes(200),
        "zip_as_tensor": zip_as_tensor(),
        "huge_header": safetensors({"w": floats(0, 16)}, length=1 << 60),
        "header_length_2g": safetensors({"w": floats(0, 16)}, length=(1 << 31) - 1),
        "header_too_short": safetensors({"w": floats(0, 16)}, length=10),
        "zero_header": bytes(8) + FLOATS,
        "truncated": clean[:-8],
    }
    return found


def zip_as_tensor() -> bytes:
    """The bytes of the one tensor are a zip file: readers that start at the end of a file see that one."""
    archive = as_zip(INFECTED)
    return safetensors(
        {"w": {"dtype": "U8", "shape": [len(archive)], "data_offsets": [0, len(archive)]}}, archive
    )


def gguf_text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key: str, value: str | int) -> bytes:
    if isinstance(value, int):
        return gguf_text(key) + struct.pack("<II", UINT32, value)
    return gguf_text(key) + struct.pack("<I", STRING) + gguf_text(value)


def gguf_tensor(name: str, shape: tuple[int, ...] = (4,), kind: int = 0, offset: int = 0) -> bytes:
    return gguf_text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def gguf(
    pairs: tuple[bytes, ...] = (),
    tensors: tuple[bytes, ...] = (gguf_tensor("w"),),
    data: bytes = FLOATS,
    padding: bytes = b"",
    **claimed: int,
) -> bytes:
    """A GGUF file; `tensor_count`, `pair_count` and `version` are claims, `alignment` is that of the data."""
    pairs = (pair("general.architecture", "llama"), *pairs)
    counts = claimed.get("tensor_count", len(tensors)), claimed.get("pair_count", len(pairs))
    head = (
        b"GGUF"
        + struct.pack("<IQQ", claimed.get("version", 3), *counts)
        + b"".join(pairs)
        + b"".join(tensors)
    )
    room = -len(head) % claimed.get("alignment", ALIGNMENT)
    return head + padding.ljust(room, b"\0") + data + bytes(-len(data) % ALIGNMENT)


def gguf_files() -> dict[str, bytes]:
    template = "tokenizer.chat_template"
    chosen = (
        "mro",
        "cycler_globals",
        "attr_escaped",
        "attr_joined",
        "behind_ordinary_text",
        "format_method",
        "include",
    )
    found = {f"template_{t}": gguf((pair(template, templates.UNSAFE[t]),)) for t in chosen}
    found |= {f"endless_{t}": gguf((pair(template, templates.ENDLESS[t]),)) for t in ("range", "repeat")}
    nested = gguf_text("deep") + struct.pack("<I", ARRAY) + struct.pack("<IQ", ARRAY, 1) * 5_000
    huge = 1 << 60
    found |= {
        "named_template": gguf((pair(f"{template}.tool_use", templates.UNSAFE["lipsum_globals"]),)),
        "tensor_beyond_end": gguf(tensors=(gguf_tensor("w", (4000,)),)),
        "offset_beyond_end": gguf(tensors=(gguf_tensor("w", offset=1 << 40),)),
        "offset_overflows": gguf(tensors=(gguf_tensor("w", offset=(1 << 64) - 32),)),
        "overlap": gguf(tensors=(gguf_tensor("a"), gguf_tensor("b"))),
        "unaligned": gguf(tensors=(gguf_tensor("w", (1,), 0, 5),)),
        "duplicate_tensor": gguf(tensors=(gguf_tensor("w"), gguf_tensor("w", offset=32)), data=bytes(64)),
        "duplicate_key": gguf((pair("general.architecture", "other"),)),
        "tensor_count_huge": gguf(tensor_count=huge),
        "pair_count_huge": gguf(pair_count=huge),
        "pair_count_too_small": gguf((pair("a", "b"), pair("c", "d")), pair_count=1),
        "version_99": gguf(version=99),
        "alignment_zero": gguf((pair("general.alignment", 0),)),
        "alignment_odd": gguf((pair("general.alignment", 7),)),
        "dimensions_huge": gguf(tensors=(gguf_tensor("w", (huge, huge)),)),
        "rank_huge": gguf(tensors=(gguf_text("w") + struct.pack("<I", 1 << 31),)),
        "unknown_type": gguf(tensors=(gguf_tensor("w", kind=9999),)),
        "text_length_huge": gguf((gguf_text("k") + struct.pack("<IQ", STRING, huge),)),
        "array_length_huge": gguf((gguf_text("k") + struct.pack("<IIQ", ARRAY, UINT32, huge),)),
        "nested_arrays": gguf((nested,)),
        "zip_behind": gguf() + as_zip(INFECTED),
        "pickle_behind": gguf() + payload(),
        "pickle_in_padding": gguf((pair("general.alignment", 4096),), padding=payload(), alignment=4096),
        "trailing": gguf() + b"trailing bytes, which are no tensor " * 8,
        "truncated": gguf()[:-20],
    }
    return found


def write(corpus: Corpus) -> None:
    for title, data in safetensors_files().items():
        corpus.malicious("safetensors", f"{title}.safetensors", data)
    for title, data in gguf_files().items():
        corpus.malicious("gguf", f"{title}.gguf", data)


GENERATORS: tuple[Generator, ...] = (write,)
