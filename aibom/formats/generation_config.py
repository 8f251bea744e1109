"""generation_config.json of transformers: how the model samples unless the caller says otherwise.

Format: huggingface/transformers `generation.configuration_utils.GenerationConfig`.
"""

from __future__ import annotations

from typing import Final

from aibom.domain.facts import Facts, FileKind
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._document import Collector, parsed_object, reserved

HYPERPARAMETERS: Final = (
    "do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p", "num_beams", "max_length",
    "max_new_tokens", "min_length", "repetition_penalty", "presence_penalty", "no_repeat_ngram_size",
    "length_penalty", "bos_token_id", "eos_token_id", "pad_token_id",
)  # fmt: skip


def recognise(probe: Probe) -> Match:
    """A JSON object under transformers' name."""
    return reserved(probe, "generation_config.json")


def read(probe: Probe) -> Facts:
    """The sampling defaults. Raises `UnreadableError`."""
    document = parsed_object(probe)
    found = Collector()
    found.settings(document, HYPERPARAMETERS)
    found.auto_map(document)
    found.requirement("transformers", document, "transformers_version")
    return found.facts(FORMAT.name, FileKind.CONFIG)


FORMAT = Format(
    name="generation-config",
    title="Generation configuration",
    kind=FileKind.CONFIG,
    suffixes=("generation_config.json",),
    recognise=recognise,
    read=read,
    media_type="application/json",
)
