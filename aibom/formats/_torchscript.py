"""What the source in a TorchScript archive would do besides computing.

The language is written by `torch/csrc/jit/serialization/python_print.cpp` and read by
`import_source.cpp`: `torch.x` is the operator `aten::x`, `ops.n.x` is `n::x`, and classes of C++ are
`__torch__.torch.classes.n.X`. Texts and comments are told as `torch/csrc/jit/frontend/lexer.h` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason
from aibom.domain.facts import Defect
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.readers.hazards import Hazards

SOURCE_BYTES: Final = 16 * MIB  # of one member; the code of large models has less than 2
LIBRARY_COUNT: Final = 100  # operators of other libraries: they must not crowd out those that do harm
JUDGED_COUNT: Final = 10_000  # different operators of which it is remembered that they were judged

_NAME_BYTES: Final = 256
_GAP = rb"(?:[\s\\]|#[^\n]*)*+"  # what may stand between two parts of a name
_TOKENS: Final = re.compile(
    rb"[\s(),=:]++"  # nothing to see: only for speed
    # Texts, each of them possessive: one without an end must not be looked through twice.
    rb'|"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|(?P<open1>))'
    rb"|'''(?:[^'\\]|\\.|'(?!''))*+(?:'''|(?P<open2>))"
    rb'|"(?:[^"\\\n]|\\.)*+(?:"|(?P<open3>))'
    rb"|'(?:[^'\\\n]|\\.)*+(?:'|(?P<open4>))"
    rb"|\#[^\n]*"
    rb"|__torch__\.torch\.classes\.(?P<classes>\w+)(?:\.(?P<class>\w+))?"
    rb"|(?<![\w.])(?:"
    rb"(?P<root>(?:torchGAP\.GAP)?ops|torch)(?!\w)(?:GAP\.GAP(?P<first>\w+)(?:GAP\.GAP(?P<second>\w+))?|(?!GAP:))"
    rb"|import(?!\w)GAP(?P<module>[\w.]+)"
    rb"|(?P<remote>rpc_(?:async|sync|remote))(?!\w)"
    rb")"
    rb"|\^(?P<callback>\w+)".replace(b"GAP", _GAP),
    re.DOTALL,
)

_FILES: Final = {
    "aten::save": "writes a file",
    "aten::from_file": "maps a file into memory",
    "debugprims::load_tensor": "reads a file",
    "image::read_file": "reads a file",
    "image::write_file": "writes a file",
    "torchaudio::sox_io_get_info": "reads a file",
    "torchaudio::sox_io_load_audio_file": "reads a file",
    "torchaudio::sox_io_save_audio_file": "writes a file",
    "torchaudio::sox_effects_apply_effects_file": "reads a file",
    "video_reader::probe_video_from_file": "reads a file",
    "video_reader::read_video_from_file": "reads a file",
    "prim::PythonOp": "calls a Python function of the process",
    "prim::IgnoredPythonOp": "calls a Python function of the process",
    "prim::rpc_async": "runs a function on another machine",
    "prim::rpc_sync": "runs a function on another machine",
    "prim::rpc_remote": "runs a function on another machine",
}
# Registered by PyTorch 2.13 itself, or by its own domain libraries.
_NAMESPACES: Final = frozenset(
    (
        "_c10d_functional", "_c10d_functional_autograd", "_dtensor", "_native", "_quantized", "_test", "aten",
        "c10d", "cudnn", "debug_mode_ops", "debugprims", "export", "image", "inductor", "inductor_prims",
        "metal", "metal_prepack", "mkl", "mkldnn", "mkldnn_prepacked", "onednn", "onnx", "prepacked", "prim",
        "prims", "profiler", "quantization", "quantized", "rngprims", "sparse", "static_runtime", "symm_mem",
        "tensorexpr", "torchaudio", "torchtext", "torchvision", "video_reader", "vulkan", "vulkan_prepack",
    )
)  # fmt: skip
_CLASSES: Final = frozenset(
    (
        "_nnapi", "c10d", "dist_c10d", "dist_rpc", "metal", "mkldnn", "onednn", "profiler", "quantized",
        "rnn", "sparse", "torchaudio", "torchtext", "torchvision", "vulkan", "xnnpack",
    )
)  # fmt: skip


class _Use(NamedTuple):
    kind: HazardKind
    found: str
    message: str
    confidence: Confidence


def examine_script(name: str, source: bytes, hazards: Hazards) -> tuple[Defect, ...]:
    """Adds what the source in the member `name` would do; says when not all of it was looked at.

    The offsets of hazards count in the member.
    """
    judged: set[bytes] = set()  # most operators are used many times
    libraries, wrong = 0, []
    for match in _TOKENS.finditer(source[:SOURCE_BYTES]):
        if match.lastgroup is None or match.group() in judged:
            continue
        if match.lastgroup.startswith("open"):
            wrong = ["a text without an end, the code can be told in part only"]
            continue
        if len(judged) < JUDGED_COUNT:
            judged.add(match.group()[:_NAME_BYTES])
        for use in _uses(match):
            libraries += use.kind is HazardKind.CUSTOM_OPERATOR
            if use.kind is not HazardKind.CUSTOM_OPERATOR or libraries <= LIBRARY_COUNT:
                message = f"the code in {name[-80:]} {use.message}"
                hazards.add(use.kind, use.found, message, match.start(), use.confidence)
    defects = [Defect(reason=Reason.MALFORMED, message=f"{name[-80:]}: {text}") for text in wrong]
    return (*defects, *_limits(name, len(source), libraries))


def _limits(name: str, size: int, libraries: int) -> Iterator[Defect]:
    if size > SOURCE_BYTES:
        message = f"{name[-80:]}: {size} bytes of code, at most {SOURCE_BYTES} are read"
        yield Defect(reason=Reason.LIMIT, message=message)
    if libraries > LIBRARY_COUNT:
        message = f"{name[-80:]}: more than {LIBRARY_COUNT} uses of other libraries, the rest is not listed"
        yield Defect(reason=Reason.LIMIT, message=message)


def _uses(match: re.Match[bytes]) -> Iterator[_Use]:
    found = {key: value.decode("ascii", "replace") for key, value in match.groupdict(b"").items()}
    if found["root"] == "torch" and found["first"]:
        yield from _operator("aten", found["first"])
    elif found["root"] and found["second"]:
        yield from _operator(found["first"], found["second"])
    elif found["root"]:
        # No writer does that; what is taken from the value later cannot be followed here.
        message = f"takes {match.group().decode('ascii', 'replace')[:80]} as a value"
        yield _Use(HazardKind.GRAPH_OPERATION, found["root"], message, Confidence.MEDIUM)
    elif found["remote"]:
        yield from _operator("prim", found["remote"])
    elif found["callback"]:
        message = f"calls the Python function {found['callback'][:80]} of the process"
        yield _Use(HazardKind.GRAPH_OPERATION, f"^{found['callback']}", message, Confidence.HIGH)
    elif found["classes"] and found["classes"] not in _CLASSES:
        name = f"{found['classes']}.{found['class']}"
        message = f"needs the class {name[:120]} of a library outside of PyTorch"
        yield _Use(HazardKind.CUSTOM_OPERATOR, name, message, Confidence.HIGH)
    elif found["module"] and found["module"].split(".")[0] != "__torch__":
        message = f"imports {found['module'][:80]}, which is no part of the archive"
        yield _Use(HazardKind.MODULE_REFERENCE, found["module"], message, Confidence.MEDIUM)


def _operator(namespace: str, name: str) -> Iterator[_Use]:
    found = f"{namespace}::{name}"
    if found in _FILES:
        message = f"uses the operator {found}, which {_FILES[found]}"
        yield _Use(HazardKind.GRAPH_OPERATION, found, message, Confidence.HIGH)
    elif namespace not in _NAMESPACES:
        message = f"needs the operator {found[:120]} of a library outside of PyTorch"
        yield _Use(HazardKind.CUSTOM_OPERATOR, found, message, Confidence.HIGH)
