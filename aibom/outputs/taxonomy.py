"""The official property names of CycloneDX for AI (cyclonedx-property-taxonomy, `cdx/ai-ml.md`)."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "cdx:ai-ml:"
UNDEFINED: Final = "_undefined:"  # placeholder for an arbitrary name

HYPERPARAMETERS: Final = frozenset({
    "activation_dropout", "context_length", "d_model", "hidden_act", "hidden_size", "intermediate_size",
    "layer_norm_epsilon", "layer_norm_type", "max_position_embeddings", "num_attention_heads",
    "num_hidden_layers", "num_key_value_heads", "num_layers", "quantization", "tokenizer_class",
    "vocab_size",
})  # fmt: skip

_TOKENIZER_HYPERPARAMETERS: Final = frozenset({
    "bos_token", "chat_template", "eos_token", "errors", "pad_token", "padding_side", "tokenizer_class",
    "unk_token", "vocab_size",
})  # fmt: skip

# Where the taxonomy's own tables and examples disagree, both spellings are accepted.
_SINGLE: Final = frozenset({
    "model:language", "model:languages", "model:modality", "model:parameter:count",
    "model:parameter:tune_method", "model:parameter:tune_methods", "model:parameter:tuning_method",
    "model:template:chat", "model:template:prompt", "model:tokenizer",
})  # fmt: skip

_GROUPS: Final = {
    "model:hyperparameter:": HYPERPARAMETERS,
    "tokenizer:hyperparameter:": _TOKENIZER_HYPERPARAMETERS,
    "model:parameter:": frozenset[str](),
}


def is_official(name: str) -> bool:
    """True unless the name stands under `cdx:ai-ml:` without being in the taxonomy."""
    if not name.startswith(PREFIX):
        return True
    rest = name.removeprefix(PREFIX)
    if rest in _SINGLE:
        return True
    for group, names in _GROUPS.items():
        tail = rest.removeprefix(group)
        if tail != rest and (tail in names or tail.removeprefix(UNDEFINED) not in ("", tail)):
            return True
    return False


def hyperparameter(name: str) -> str:
    """The full property name of a model's hyperparameter."""
    return f"{PREFIX}model:hyperparameter:{name if name in HYPERPARAMETERS else UNDEFINED + name}"
