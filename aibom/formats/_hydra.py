"""Hydra configurations (NeMo's `model_config.yaml`): which Python objects they make their loader call.

Sources: hydra.cc, "Instantiating objects with Hydra" (`_target_`); NVIDIA NeMo,
`core/classes/common.py` (`target`, and the `_target_` of every part).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.errors import UnreadableError
from aibom.domain.facts import Defect
from aibom.domain.hazard import HazardKind
from aibom.readers import yaml
from aibom.readers.hazards import Hazards
from aibom.readers.json import Json

_PATH = re.compile(r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)+\Z")
# PyYAML's own way to name an object; no safe loader follows it.
_TAG = re.compile(rb"(?:!!|tag:yaml\.org,2002:)(python/[A-Za-z/_]{1,40}:?[\w.]{0,200})")
# Libraries whose objects such configurations are made of.
_LIBRARIES: Final = frozenset((
    "apex", "datasets", "diffusers", "einops", "hydra", "ldm", "lhotse", "lightning", "lightning_fabric",
    "megatron", "monai", "nemo", "nemo_run", "nemo_text_processing", "numpy", "omegaconf", "open_clip",
    "peft", "pytorch_lightning", "sentencepiece", "sgm", "speechbrain", "timm", "tokenizers", "torch",
    "torchaudio", "torchmetrics", "torchvision", "transformer_engine", "transformers",
))  # fmt: skip
# Python's own modules: at the front of a path, or reached through a library that imports them.
_MODULES: Final = frozenset((
    "os", "posix", "nt", "sys", "subprocess", "builtins", "importlib", "runpy", "pty", "shutil", "socket",
    "ctypes", "pickle", "cloudpickle", "dill", "joblib", "marshal", "codeop", "webbrowser", "urllib",
    "requests", "tempfile", "pathlib", "multiprocessing", "asyncio", "pdb", "timeit", "cProfile", "pydoc",
    "zipimport", "__builtins__", "__globals__", "__import__", "__loader__", "__subclasses__", "__class__",
))  # fmt: skip
# Functions of the libraries themselves that load code or unpickle.
_GADGETS: Final = frozenset((
    "hydra.utils.call", "hydra.utils.get_class", "hydra.utils.get_method", "hydra.utils.get_object",
    "hydra.utils.get_static_method", "hydra.utils.instantiate", "numpy.load", "numpy.fromfile",
    "numpy.memmap", "numpy.save", "numpy.savez", "numpy.testing.measure", "numpy.testing.rundocs",
    "torch.classes.load_library", "torch.compile", "torch.hub.load", "torch.hub.load_state_dict_from_url",
    "torch.hub.download_url_to_file", "torch.jit.load", "torch.load", "torch.ops.load_library", "torch.save",
    "torch.package.PackageImporter", "torch.serialization.load", "torch.utils.cpp_extension.load",
    "torch.utils.cpp_extension.load_inline", "torch.utils.model_zoo.load_url",
    "transformers.utils.import_utils.direct_transformers_import",
    "transformers.dynamic_module_utils.get_class_from_dynamic_module",
))  # fmt: skip


def yaml_targets(data: bytes) -> tuple[str, ...]:
    """The paths of all targets, in order of the document. Raises `UnreadableError`."""
    return tuple(dict.fromkeys(_targets(yaml.parse(data, aliases=True))))


def examine_hydra(data: bytes, hazards: Hazards) -> tuple[Defect, ...]:
    """Adds a hazard for each target that is no part of a model, and for tags that name objects.

    HIGH where the target runs code or unpickles, MEDIUM where its library is not known. Returns why
    the document could not be read, if so. Raises nothing.
    """
    for match in _TAG.finditer(data):
        tag = match[1].decode("utf-8", "replace")
        message = f"the tag {tag!r} makes an unsafe loader of YAML import an object"
        hazards.add(HazardKind.MODULE_REFERENCE, tag, message, match.start())
    try:
        targets = yaml_targets(data)
    except UnreadableError as error:
        return (Defect(reason=error.reason, message=error.message, offset=error.offset),)
    for target in targets:
        _judge(target, hazards)
    return ()


def _judge(target: str, hazards: Hazards) -> None:
    parts = target.split(".")
    if target in _GADGETS or not _MODULES.isdisjoint(parts):
        message = f"the configuration has {target[:120]!r} called, which can run anything"
        hazards.add(HazardKind.MODULE_REFERENCE, target, message)
    elif parts[0] not in _LIBRARIES:
        message = f"the configuration has {target[:120]!r} called, of a library that is not known"
        hazards.add(HazardKind.MODULE_REFERENCE, target, message, confidence=Confidence.MEDIUM)


def _targets(document: Json) -> Iterator[str]:
    """What Hydra instantiates wherever it stands, and what NeMo and latent diffusion call `target`.

    A value that was repeated by an alias is looked at once.
    """
    waiting, seen = [document], set[int]()
    while waiting:
        value = waiting.pop()
        if not isinstance(value, (dict, list)) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            target, other = value.get("_target_"), value.get("target")
            if isinstance(target, str):
                yield target
            if isinstance(other, str) and _PATH.match(other):
                yield other
        waiting.extend(reversed(value.values() if isinstance(value, dict) else value))
