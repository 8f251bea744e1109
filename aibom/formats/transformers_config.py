"""config.json of transformers and diffusers: architecture, sizes, quantisation, remote code.

Format: huggingface/transformers `configuration_utils.PretrainedConfig`, huggingface/diffusers
`configuration_utils.ConfigMixin` and `pipelines.pipeline_utils` (model_index.json).
"""

from __future__ import annotations

from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.facts import Attribute, Capability, Facts, FileKind
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._document import Collector, details, parsed_object, place, plain, reserved
from aibom.formats._template import state_templates
from aibom.readers import json
from aibom.readers.json import Json

HYPERPARAMETERS: Final = (
    "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
    "intermediate_size", "vocab_size", "max_position_embeddings", "rope_theta", "sliding_window",
    "tie_word_embeddings", "hidden_act", "num_experts", "num_local_experts", "n_routed_experts",
    "num_experts_per_tok", "moe_intermediate_size", "n_embd", "n_layer", "n_head", "n_positions",
    "d_model", "num_layers", "image_size", "patch_size",
)  # fmt: skip

_NAMES = (
    "config.json", "model_index.json", "preprocessor_config.json", "processor_config.json",
    "video_preprocessor_config.json", "scheduler_config.json",
)  # fmt: skip
# One of these tells such a file from any other config.json.
_MARKS = (
    "model_type", "architectures", "_class_name", "auto_map", "_name_or_path", "custom_pipelines",
    "chat_template", "processor_class", "image_processor_type", "trust_remote_code",
)  # fmt: skip
# Where the parts of a pipeline come from: diffusers takes any other name for a file of the
# repository, or else for an installed package. The rest are its own pipelines that define parts.
_LIBRARIES: Final = frozenset({
    "diffusers", "transformers", "flax", "peft", "onnxruntime.training", "sentence_transformers", "optimum",
    "ace_step", "alt_diffusion", "audioldm2", "bria", "chroma", "cogvideo", "cosmos", "deepfloyd_if",
    "flux", "flux2", "hidream_image", "hunyuan_video", "kandinsky", "kandinsky2_2", "kandinsky3",
    "kandinsky5", "kolors", "latent_diffusion", "ltx", "ltx2", "lumina", "lumina2", "marigold", "mochi",
    "musicldm", "omnigen", "paint_by_example", "pixart_alpha", "qwenimage", "sana", "shap_e",
    "semantic_stable_diffusion", "spectrogram_diffusion", "stable_audio", "stable_cascade",
    "stable_diffusion", "stable_diffusion_3", "stable_diffusion_safe", "stable_diffusion_xl",
    "stable_video_diffusion", "unclip", "unidiffuser", "versatile_diffusion", "visualcloze", "vq_diffusion",
    "wan", "wuerstchen",
})  # fmt: skip


def recognise(probe: Probe) -> Match:
    """A JSON object under one of the names that the libraries reserve."""
    return reserved(probe, *_NAMES)


def read(probe: Probe) -> Facts:
    """The statements of the configuration; none for a config.json of something else.

    Raises `UnreadableError`.
    """
    document = parsed_object(probe)
    if not any(mark in document for mark in _MARKS):
        return Facts(format=JSON_CONFIG.name, kind=FileKind.CONFIG)
    found = Collector()
    _state_identity(found, document)
    found.auto_map(document)
    state_templates(found, document)
    _state_pipelines(found, document)
    _state_quantisation(found, found.object(document, "quantization_config"))
    found.settings(document, HYPERPARAMETERS)
    text_config = document.get("text_config")
    if isinstance(text_config, dict):  # "text_config": "org/name" is a reference in old CLIP files
        found.settings(text_config, HYPERPARAMETERS, place("text_config"))
    if "_diffusers_version" in document:
        _state_components(found, document)
    return found.facts(FORMAT.name, FileKind.CONFIG)


def _state_identity(found: Collector, document: dict[str, Json]) -> None:
    found.each(Attribute.ARCHITECTURE, document, "architectures")
    found.one(Attribute.MODEL_TYPE, document, "model_type")
    found.one(Attribute.DTYPE, document, "dtype" if "dtype" in document else "torch_dtype")
    # Where the weights were loaded from when this was saved: often the base model, often a folder.
    relation = (("relation", "name_or_path"),)
    found.one(Attribute.BASE_MODEL, document, "_name_or_path", details=relation)
    found.requirement("transformers", document, "transformers_version")
    found.requirement("diffusers", document, "_diffusers_version")


def _state_pipelines(found: Collector, document: dict[str, Json]) -> None:
    """Classes of the repository itself that are no part of `auto_map`.

    transformers: `custom_pipelines` maps a task to its implementation. diffusers: `_class_name`
    of a custom pipeline is a list, the module and the class.
    """
    for task, pipeline in found.object(document, "custom_pipelines").items():
        extra = details(auto_class="pipeline", task=task)
        at = place("custom_pipelines", task)
        implementation = json.members(pipeline).get("impl")
        if isinstance(implementation, str):
            found.code(implementation, at + place("impl"), extra)
        elif implementation is not None:
            found.mistyped(at + place("impl"), implementation, "a text")
        found.capabilities.add(Capability.REMOTE_CODE)
    class_name = document.get("_class_name")
    if isinstance(class_name, list):
        name = ".".join(json.strings(class_name))
        found.code(name, place("_class_name"), details(auto_class="DiffusionPipeline"))
    else:
        found.one(Attribute.ARCHITECTURE, document, "_class_name")


def _state_quantisation(found: Collector, config: dict[str, Json]) -> None:
    if not config:
        return
    at = place("quantization_config")
    bits = config.get("bits")
    for flag, width in (("load_in_8bit", 8), ("load_in_4bit", 4)):
        bits = width if config.get(flag) is True else bits
    loaded = config.get("load_in_8bit") is True or config.get("load_in_4bit") is True
    # transformers itself takes a missing method with one of the two flags for bitsandbytes.
    method = plain(config.get("quant_method")) or ("bitsandbytes" if loaded else "unknown")
    kind = config.get("bnb_4bit_quant_type") or config.get("format") or config.get("fmt")
    extra = details(bits=bits, group_size=config.get("group_size"), type=kind)
    found.add(Attribute.QUANTISATION, method, at, extra)


def _state_components(found: Collector, document: dict[str, Json]) -> None:
    """The parts of a diffusers pipeline: name to library and class, null for a part left out."""
    for name, value in document.items():
        if name.startswith("_") or not isinstance(value, list) or len(value) != 2:
            continue
        library, class_name = plain(value[0]), plain(value[1])
        if library and class_name:
            extra = details(component=name, library=library)
            found.add(Attribute.ARCHITECTURE, class_name, place(name, 1), extra)
            if library.partition(".")[0] not in _LIBRARIES and library not in _LIBRARIES:
                where = details(auto_class="component", folder=name)
                found.code(f"{library}.{class_name}", place(name), where, Confidence.MEDIUM)


def _never(_: Probe) -> Match:
    return Match.NO


FORMAT = Format(
    name="transformers-config",
    title="transformers or diffusers configuration",
    kind=FileKind.CONFIG,
    suffixes=_NAMES,
    recognise=recognise,
    read=read,
    media_type="application/json",
)

# What `read` answers for a config.json of anything else; never recognised by itself.
JSON_CONFIG = Format(
    name="json-config",
    title="JSON configuration of something else",
    kind=FileKind.CONFIG,
    suffixes=("config.json",),
    recognise=_never,
    read=read,
    media_type="application/json",
)
