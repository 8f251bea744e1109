"""adapter_config.json of PEFT: which base model an adapter belongs to, and how it was tuned.

Format: huggingface/peft `config.PeftConfigMixin` and the tuners' `config.py`.
"""

from __future__ import annotations

from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.facts import Attribute, Facts, FileKind
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._document import Collector, details, parsed_object, place, plain, reserved
from aibom.readers.json import Json

HYPERPARAMETERS: Final = (
    "r", "lora_alpha", "lora_dropout", "bias", "target_modules", "exclude_modules", "modules_to_save",
    "target_parameters", "layers_to_transform", "fan_in_fan_out", "init_lora_weights", "use_rslora",
    "use_dora", "inference_mode", "num_virtual_tokens", "token_dim", "prompt_tuning_init",
)  # fmt: skip
# A class that was defined where the adapter was saved has no module to import.
_LIBRARIES: Final = frozenset({
    "__main__", "transformers", "diffusers", "sentence_transformers", "torch", "torchvision", "timm",
})  # fmt: skip


def recognise(probe: Probe) -> Match:
    """A JSON object under the name that PEFT reserves."""
    return reserved(probe, "adapter_config.json")


def read(probe: Probe) -> Facts:
    """The statements of the configuration. Raises `UnreadableError`."""
    document = parsed_object(probe)
    found = Collector()
    base = details(relation="adapter", revision=document.get("revision"))
    found.one(Attribute.BASE_MODEL, document, "base_model_name_or_path", details=base)
    _state_tuning(found, document)
    mapping = found.object(document, "auto_mapping")
    if mapping:
        # PEFT imports this module of the installed packages to find the class.
        extra = details(relation="base", module=mapping.get("parent_library"))
        found.one(Attribute.ARCHITECTURE, mapping, "base_model_class", place("auto_mapping"), extra)
        _state_module(found, mapping)
    found.auto_map(document)
    found.settings(document, HYPERPARAMETERS)
    return found.facts(FORMAT.name, FileKind.CONFIG)


def _state_module(found: Collector, mapping: dict[str, Json]) -> None:
    """PEFT imports the module that held the base model's class, whatever it is."""
    module, class_name = plain(mapping.get("parent_library")), plain(mapping.get("base_model_class"))
    if module and class_name and module.partition(".")[0] not in _LIBRARIES:
        extra = details(auto_class="base_model_class")
        found.code(f"{module}.{class_name}", place("auto_mapping"), extra, Confidence.MEDIUM)


def _state_tuning(found: Collector, document: dict[str, Json]) -> None:
    method = plain(document.get("peft_type"))
    if method:
        found.add(Attribute.TUNING_METHOD, method.lower(), place("peft_type"))
    found.one(Attribute.TASK, document, "task_type")
    found.requirement("peft", document, "peft_version")


FORMAT = Format(
    name="adapter-config",
    title="PEFT adapter configuration",
    kind=FileKind.CONFIG,
    suffixes=("adapter_config.json",),
    recognise=recognise,
    read=read,
    media_type="application/json",
)
