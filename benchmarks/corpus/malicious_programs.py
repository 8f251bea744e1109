"""Programs that are named like weights, and containers whose members name code."""

from __future__ import annotations

import json
import struct

from corpus.assembler import COMMAND, payload, shell, stream
from corpus.containers import simple_tar, simple_zip
from corpus.malicious_headers import gguf
from corpus.malicious_nested import npy
from corpus.malicious_torch import INFECTED, as_zip
from corpus.writer import Corpus, Generator

ELF = b"\x7fELF\2\1\1\0" + bytes(8) + struct.pack("<HHI", 2, 62, 1) + bytes(100)
PE = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", 0x8664) + bytes(100)
MACH_O = struct.pack("<IIII", 0xFEEDFACF, 0x01000007, 3, 2) + bytes(100)
FAT_MACH_O = struct.pack(">II", 0xCAFEBABE, 2) + bytes(100)
JAVA_CLASS = struct.pack(">IHH", 0xCAFEBABE, 0, 61) + bytes(100)
SCRIPT = b"#!/bin/sh\necho inert\n"
PYTHON_CACHE = b"\xa7\r\r\n" + bytes(12) + b"\xe3inert"
WASM = b"\0asm\1\0\0\0" + bytes(32)
LLAMAFILE = b"MZqFpD='\n\n" + bytes(54) + b"\x7fELF" + bytes(200)


def programs() -> dict[str, bytes]:
    return {
        "elf/model.bin": ELF,
        "elf/pytorch_model.bin": ELF + bytes(1000),
        "elf/weights.safetensors": ELF,
        "shared_library/adapter_model.bin": ELF.replace(struct.pack("<HH", 2, 62), struct.pack("<HH", 3, 62)),
        "pe/model.onnx": PE,
        "pe/weights.pt": PE,
        "mach_o/model.gguf": MACH_O,
        "mach_o/fat.h5": FAT_MACH_O,
        "java/model.pkl": JAVA_CLASS,
        "shell/weights": SCRIPT,
        "shell/model.ckpt": SCRIPT,
        "shell/model.safetensors": b"#!/usr/bin/env python3\nimport os\n",
        "python_cache/weights.bin": PYTHON_CACHE,
        "wasm/model.bin": WASM,
        "llamafile/model.llamafile": LLAMAFILE + simple_zip({"model.gguf": gguf()}),
        "llamafile/model.gguf": LLAMAFILE + bytes(100),
        "elf_then_zip/model.pt": ELF + as_zip(INFECTED),
    }


def skops_node(module: str, qualname: str, loader: str, content: object) -> dict[str, object]:
    return {
        "__module__": module,
        "__class__": qualname,
        "__loader__": loader,
        "content": content,
        "__id__": 1,
    }


def skops(schema: dict[str, object], more: dict[str, bytes] | None = None) -> bytes:
    text = json.dumps({**schema, "protocol": 2, "_skops_version": "0.16.0"}).encode()
    return simple_zip({"schema.json": text, **(more or {})}, deflated=True)


def skops_files() -> dict[str, bytes]:
    system = skops_node("os", "system", "FunctionNode", {"module_path": "os", "function": "system"})
    args = skops_node(
        "builtins",
        "tuple",
        "TupleNode",
        [{"__loader__": "JsonNode", "content": f'"{COMMAND}"', "__module__": "builtins", "__class__": "str"}],
    )
    reduce = skops_node("posix", "system", "ReduceNode", None) | {"args": args, "constructor": system}
    kernel = {
        "__module__": "sklearn.base",
        "__class__": "BaseEstimator",
        "__loader__": "ObjectNode",
        "content": system,
    }
    array = {
        "__module__": "numpy",
        "__class__": "ndarray",
        "__loader__": "NdArrayNode",
        "type": "numpy",
        "file": "a.npy",
    }
    method = skops_node("builtins", "eval", "MethodNode", {"func": "__call__", "obj": system})
    return {
        "function.skops": skops(system),
        "type.skops": skops(skops_node("subprocess", "Popen", "TypeNode", {"module_path": "subprocess"})),
        "reduce.skops": skops(reduce),
        "object.skops": skops(skops_node("subprocess", "Popen", "ObjectNode", args)),
        "nested.skops": skops(kernel),
        "method.skops": skops(method),
        "operator.skops": skops(skops_node("operator", "methodcaller", "OperatorFuncNode", args)),
        "partial.skops": skops(skops_node("functools", "partial", "PartialNode", {"func": system})),
        "object_array.skops": skops(array, {"a.npy": npy("'|O'", payload(3))}),
        "pickle_member.skops": skops(array, {"extra.pkl": payload(3)}),
    }


def nemo_files() -> dict[str, bytes]:
    config = f"target: os.system\nmodel:\n  _target_: os.system\n  command: {COMMAND}\n".encode()
    nested = b"model:\n  encoder:\n    optim:\n      _target_: subprocess.Popen\n      args: [echo, inert]\n"
    plain = b"target: nemo.collections.asr.models.EncDecCTCModel\n"
    return {
        "target.nemo": simple_tar({"model_config.yaml": config, "model_weights.ckpt": as_zip()}),
        "nested_target.nemo": simple_tar({"./model_config.yaml": nested, "./model_weights.ckpt": as_zip()}),
        "weights.nemo": simple_tar({"model_config.yaml": plain, "model_weights.ckpt": as_zip(INFECTED)}),
        "pickle.nemo": simple_tar({"model_config.yaml": plain, "tokenizer.pkl": payload()}),
        "slip.nemo": simple_tar({"model_config.yaml": plain, "../../inert": b"words"}),
    }


def packages() -> dict[str, bytes]:
    """Other archives of models: their code or their pickles count like those of any file."""
    manifest = b'{"model": {"handler": "handler.py", "serializedFile": "model.pt"}}'
    handler = b"import os\n\n\ndef handle(data, context):\n    os.system('echo inert')\n"
    return {
        "handler.mar": simple_zip(
            {"MAR-INF/MANIFEST.json": manifest, "handler.py": handler, "model.pt": as_zip()}
        ),
        "pickle.mar": simple_zip({"MAR-INF/MANIFEST.json": manifest, "model.pt": as_zip(INFECTED)}),
        "torch_package.pt": simple_zip(
            {
                "p/.data/extern_modules": b"os\n",
                "p/model/model.pkl": stream(shell(4), 4),
                "p/net.py": handler,
                "p/version": b"6\n",
            }
        ),
        "wheel.whl": simple_zip(
            {"inert/__init__.py": b"import os\nos.system('echo inert')\n", "inert/a.pkl": payload()}
        ),
    }


CLASSES = {"program": programs, "skops": skops_files, "nemo": nemo_files, "model package": packages}


def write(corpus: Corpus) -> None:
    for kind, make in CLASSES.items():
        for file_name, data in make().items():
            corpus.malicious(kind, file_name, data)


GENERATORS: tuple[Generator, ...] = (write,)
