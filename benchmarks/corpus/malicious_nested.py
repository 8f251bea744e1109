"""Pickles inside other things: literals, compressed streams, NumPy and joblib files, wrong file names."""

from __future__ import annotations

import base64
import bz2
import gzip
import lzma
import pickle as op
import struct
import zlib

from corpus.assembler import (
    Code,
    call,
    group,
    header,
    name,
    number,
    payload,
    push,
    shell,
    stream,
    text,
)
from corpus.containers import simple_zip
from corpus.writer import Corpus, Generator

ALIGNMENT = 16  # of the arrays of joblib
DISGUISES = (
    "model.safetensors", "model.onnx", "model.gguf", "weights.h5", "model.keras", "config.json", "notes.txt",
    "pytorch_model.bin", "README.md", "weights", "data.npy", "data.npz", "saved_model.pb", "model.tflite",
    "picture.png", "data.csv", "table.parquet", "model.zip", "weights.7z", "archive.tar", "config.yaml",
    "tokenizer.model", "a.gz", ".hidden",
)  # fmt: skip


def literals() -> dict[str, bytes]:
    """A pickle that holds the bytes of another one, in several wrappings."""
    inner = payload()
    deflated, encoded = zlib.compress(inner), base64.b64encode(inner)
    archive = simple_zip({"data.pkl": inner})
    nested = inner
    for _ in range(3):
        nested = stream(push({"state": nested}), 4)
    return {
        "bytes": stream(push({"weights": inner}), 4),
        "bytes_protocol_0": stream(push({"weights": payload(0)}), 4),
        "bytearray": stream(op.BYTEARRAY8 + struct.pack("<Q", len(inner)) + inner, 5),
        "binstring": stream(op.BINSTRING + struct.pack("<i", len(inner)) + inner, 2),
        "latin1": stream(call("_codecs", "encode", (inner.decode("latin1"), "latin1")), 2),
        "base64_text": stream(push({"weights": encoded.decode()}), 4),
        "base64_bytes": stream(push({"weights": encoded}), 4),
        "base64_urlsafe": stream(push({"weights": base64.urlsafe_b64encode(payload(4)).decode()}), 4),
        "zlib": stream(push({"weights": deflated}), 4),
        "gzip": stream(push({"weights": gzip.compress(inner, mtime=0)}), 4),
        "bz2": stream(push({"weights": bz2.compress(inner)}), 4),
        "xz": stream(push({"weights": lzma.compress(inner)}), 4),
        "zip": stream(push({"weights": archive}), 4),
        "three_deep": nested,
        "load_from_bytes": stream(call("torch.storage", "_load_from_bytes", (inner,), 4), 4),
        "load_from_bytes_zip": stream(call("torch.storage", "_load_from_bytes", (archive,), 4), 4),
        "load_from_bytes_twice": stream(
            call("torch.storage", "_load_from_bytes", (stream(call("torch.storage", "_load_from_bytes", (inner,))),), 4), 4
        ),
        "loads_of_zlib": stream(call("pickle", "loads", (call("zlib", "decompress", (deflated,)),), 4), 4),
        "loads_of_base64": stream(call("pickle", "loads", (call("base64", "b64decode", (encoded,)),), 4), 4),
    }  # fmt: skip


def compressed() -> dict[str, bytes]:
    inner = payload(3)
    found = {
        "gzip.pkl.gz": gzip.compress(inner, mtime=0),
        "gzip_two_members.pkl.gz": gzip.compress(stream(push({"a": 1}), 3), mtime=0)
        + gzip.compress(inner, mtime=0),
        "gzip_of_gzip.gz": gzip.compress(gzip.compress(inner, mtime=0), mtime=0),
        "gzip_truncated.pkl.gz": gzip.compress(inner + bytes(1000), mtime=0)[:-12],
        "gzip_wrong_crc.pkl.gz": gzip.compress(inner, mtime=0)[:-8] + bytes(8),
        "gzip_without_suffix.bin": gzip.compress(inner, mtime=0),
        "zlib.pkl.z": zlib.compress(inner),
        "zlib_stored.joblib": zlib.compress(inner, 0),
        "zlib_fast.joblib": zlib.compress(inner, 1),
        "bz2.pkl.bz2": bz2.compress(inner),
        "xz.pkl.xz": lzma.compress(inner),
        "lzma.pkl.lzma": lzma.compress(inner, lzma.FORMAT_ALONE),
        "bz2_as_joblib.joblib": bz2.compress(inner),
        "xz_as_pkl.pkl": lzma.compress(inner),
        "zlib_as_txt.txt": zlib.compress(inner),
    }
    found["lz4.joblib"] = lz4_frame(inner)
    # zstd frame of one raw block: magic, descriptor with a window and no size, block of type 0
    found["zstd.pkl.zst"] = b"\x28\xb5\x2f\xfd\x00\x58" + struct.pack("<I", len(inner) << 3 | 1)[:3] + inner
    return found


def lz4_frame(inner: bytes) -> bytes:
    """One stored block: what lz4 writes for bytes that do not shrink; the check byte is xxHash32 of 60 70."""
    return b"\x04\x22\x4d\x18\x60\x70\x73" + struct.pack("<I", len(inner) | 1 << 31) + inner + bytes(4)


def npy(descr: str, body: bytes, version: int = 1) -> bytes:
    text_of = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}".encode()
    size = struct.pack("<H" if version == 1 else "<I", len(text_of) + 1)
    return b"\x93NUMPY" + bytes([version, 0]) + size + text_of + b"\n" + body


def numpy_files() -> dict[str, bytes]:
    inner = payload(3)
    object_array = npy("'|O'", inner)
    hidden = npy("'<f8'", struct.pack("<d", 1.0) + inner)
    return {
        "object.npy": object_array,
        "object_little_endian.npy": npy("'<O8'", inner),
        "object_plain.npy": npy("'O'", inner),
        "object_in_record.npy": npy("[('a', '<f4'), ('b', '|O')]", inner),
        "object_in_subarray.npy": npy("[('a', [('b', '|O', (2,))])]", inner),
        "object_version_2.npy": npy("'|O'", inner, 2),
        "object_version_3.npy": npy("'|O'", inner, 3),
        "expression_in_header.npy": npy("__import__('os').system('echo inert')", inner),
        "behind_numbers.npy": hidden,
        "object.npz": simple_zip({"a.npy": npy("'<f8'", bytes(8)), "b.npy": object_array}),
        "object_little_endian.npz": simple_zip({"a.npy": npy("'<O8'", inner)}),
        "object_deflated.npz": simple_zip({"a.npy": object_array}, deflated=True),
        "pickle_as_member.npz": simple_zip({"a.npy": npy("'<f8'", bytes(8)), "b.pkl": inner}),
        "pickle_named_npy.npz": simple_zip({"a.npy": inner}),
        "behind_numbers.npz": simple_zip({"a.npy": hidden}),
    }


def dtype(code: str) -> Code:
    """A NumPy dtype, as NumPy pickles it."""
    made = call("numpy", "dtype", (code, False, True))
    order, flags = ("|", 63) if code == "O8" else ("<", 0)  # 63: holds references to objects
    return Code(made + group((3, order, None, None, None, -1, -1, flags)) + op.BUILD)


def joblib_array(code: str, elements: int) -> bytes:
    """The wrapper that joblib writes in front of the bytes of an array."""
    wrapper = name("joblib.numpy_pickle", "NumpyArrayWrapper") + op.EMPTY_TUPLE + op.NEWOBJ
    state = push(
        {
            "subclass": name("numpy", "ndarray"),
            "shape": (elements,),
            "order": "C",
            "dtype": dtype(code),
            "allow_mmap": code != "O8",
            "numpy_array_alignment_bytes": number(ALIGNMENT),
        }
    )
    return wrapper + state + op.BUILD


def padded(before: bytes, array: bytes, data: bytes) -> bytes:
    """`data` aligned behind the wrapper: one byte says how much padding follows."""
    start = len(before) + len(array)
    padding = ALIGNMENT - (start + 1) % ALIGNMENT
    return before + array + bytes([padding]) + b"\xff" * padding + data


def joblib_files() -> dict[str, bytes]:
    start, data = header(2) + op.EMPTY_LIST, struct.pack("<4d", 1, 2, 3, 4)
    sized = joblib_array("f8", 4)
    after = padded(start, sized, data) + op.APPEND + shell() + op.APPEND + op.STOP
    before = padded(start + shell() + op.APPEND, sized, data) + op.APPEND + op.STOP
    twice = (
        padded(padded(start, sized, data) + op.APPEND, sized, data)
        + op.APPEND
        + shell()
        + op.APPEND
        + op.STOP
    )
    data_of_payload = (payload() + bytes(32))[:32]
    objects = start + joblib_array("O8", 1) + payload(3)
    return {
        "after_array.joblib": after,
        "before_array.joblib": before,
        "after_two_arrays.joblib": twice,
        "object_array.joblib": objects + op.APPEND + op.STOP,
        "in_data_of_array.joblib": padded(start, sized, data_of_payload) + op.APPEND + op.STOP + payload(),
        "after_array.pkl": after,
        "after_array_zlib.joblib": zlib.compress(after),
        "after_array_gzip.joblib.gz": gzip.compress(after, mtime=0),
        "after_array_bz2.joblib.bz2": bz2.compress(after),
        "after_array_xz.joblib.xz": lzma.compress(after),
        "claims_a_huge_array.joblib": padded(start, joblib_array("f8", 1 << 30), data) + shell() + op.STOP,
        "old_zfile.joblib": b"ZF" + f"{len(payload()):<#19x}".encode() + zlib.compress(payload()),
        "ndarray_wrapper.pkl": stream(
            Code(name("joblib.numpy_pickle_compat", "NDArrayWrapper") + op.EMPTY_TUPLE + op.NEWOBJ
                 + push({"filename": "../../../etc/passwd", "subclass": name("numpy", "ndarray")}) + op.BUILD), 2
        ),
        "plain.joblib": payload(3),
        "memmap.joblib": stream(call("numpy", "memmap", ("../../etc/passwd",)), 2),
        "object_array_reconstruct.pkl": stream(
            Code(call("numpy.core.multiarray", "_reconstruct", (name("numpy", "ndarray"), (0,), b"b"))
                 + group((1, (1,), dtype("O8"), False, [shell()])) + op.BUILD), 2
        ),
    }  # fmt: skip


def write(corpus: Corpus) -> None:
    for title, data in literals().items():
        corpus.malicious("nested pickle", f"{title}.pkl", data)
    classes = {"compressed pickle": compressed, "numpy file": numpy_files, "joblib file": joblib_files}
    for kind, make in classes.items():
        for file_name, data in make().items():
            corpus.malicious(kind, file_name, data)


def write_disguises(corpus: Corpus) -> None:
    for n, file_name in enumerate(DISGUISES):
        corpus.malicious("wrong file name", f"{n:02}/{file_name}", payload(n % 6))
    # Bytes that two formats share: BINFLOAT swallows the rest of the magic number.
    float_head = b"GGUF" + struct.pack("<IB", 3, 0) + op.POP
    corpus.malicious("wrong file name", "polyglot/model.gguf", float_head + shell() + op.STOP)
    corpus.malicious("wrong file name", "polyglot_zip/model.pt", b"PK\x03\x04\n" + op.POP + shell() + op.STOP)
    page = text("<html><body>a page</body></html>") + op.POP + shell() + op.STOP
    corpus.malicious("wrong file name", "page/index.html", page)
    corpus.malicious("wrong file name", "blob/model.bin", payload() + bytes(4096))


GENERATORS: tuple[Generator, ...] = (write, write_disguises)
