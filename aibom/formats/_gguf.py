"""What the numbers and keys of a GGUF file mean: tensor types, file types, standardised keys.

Source: github.com/ggml-org/ggml, docs/gguf.md ("Standardized key-value pairs") and the enums
`ggml_type` (ggml.h) and `llama_ftype` (llama.h).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from aibom.domain.facts import Attribute, Statement

# Type number: name, elements per block, bytes per block. Absent numbers were removed or never given.
TYPES: Final = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292), 16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1), 25: ("I16", 1, 2),
    26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18), 42: ("Q2_0", 64, 18),
}  # fmt: skip

# `general.file_type`: the type of most tensors, as the mixture is called in file names.
FILE_TYPES: Final = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 4: "Q4_1_SOME_F16", 5: "Q4_2", 6: "Q4_3", 7: "Q8_0",
    8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S",
    15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S",
    22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 33: "Q4_0_4_4", 34: "Q4_0_4_8",
    35: "Q4_0_8_8", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4_MOE", 39: "NVFP4", 40: "Q1_0",
}  # fmt: skip

_ATTRIBUTES: Final = {
    "general.architecture": Attribute.MODEL_TYPE,
    "general.name": Attribute.NAME,
    "general.version": Attribute.VERSION,
    "general.description": Attribute.DESCRIPTION,
    "general.author": Attribute.AUTHOR,
    "general.organization": Attribute.ORGANISATION,
    "general.license": Attribute.LICENCE,
    "general.license.name": Attribute.LICENCE_NAME,
    "general.license.link": Attribute.LICENCE_LINK,
    "general.url": Attribute.SOURCE_URL,
    "general.repo_url": Attribute.SOURCE_URL,
    "general.doi": Attribute.CITATION,
    "general.languages": Attribute.LANGUAGE,
    "general.tags": Attribute.TAG,
    "general.datasets": Attribute.DATASET,
    "adapter.type": Attribute.TUNING_METHOD,
    "tokenizer.ggml.model": Attribute.TOKENIZER_CLASS,
}
# The same attribute, said of something narrower; the detail says of what.
_QUALIFIED: Final = {
    "general.basename": (Attribute.MODEL_TYPE, ("part", "basename")),
    "general.source.url": (Attribute.SOURCE_URL, ("of", "source")),
    "general.source.repo_url": (Attribute.SOURCE_URL, ("of", "source")),
    "general.source.doi": (Attribute.CITATION, ("of", "source")),
    "general.quantization_version": (Attribute.HYPERPARAMETER, ("name", "quantization_version")),
    "adapter.lora.alpha": (Attribute.HYPERPARAMETER, ("name", "adapter.lora.alpha")),
}
# What identifies a parent, best first: a place says which model it is, a title does not.
_PARENT_FIELDS: Final = (
    "repo_url", "url", "name", "doi", "uuid", "author", "version", "organization", "description",
)  # fmt: skip
_PARENT = re.compile(rf"(general\.(base_model|dataset)\.[0-9]{{1,6}})\.({'|'.join(_PARENT_FIELDS)})\Z")
_PARENT_ATTRIBUTES: Final = {"base_model": Attribute.BASE_MODEL, "dataset": Attribute.DATASET}


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One metadata value, cut to what facts may carry."""

    text: str  # as shown
    number: int | None = None  # of an integer
    items: tuple[str, ...] | None = None  # of an array: its first elements
    count: int = 0  # of an array: all its elements
    sha256: str = ""  # of a chat template: over all its bytes


def is_chat_template(key: str) -> bool:
    """True for the default template and for each named one, not for the list of their names."""
    return key == "tokenizer.chat_template" or key.startswith("tokenizer.chat_template.")


def statements(pairs: Mapping[str, Value]) -> Iterator[Statement]:
    """What the standardised keys state, the plain ones first."""
    for key, attribute in _ATTRIBUTES.items():
        yield from _plain(pairs, key, attribute)
    for key, (attribute, detail) in _QUALIFIED.items():
        yield from _plain(pairs, key, attribute, detail)
    yield from _quantisation(pairs)
    yield from _parents(pairs)
    yield from _vocabulary(pairs)
    yield from _hyperparameters(pairs)


def _plain(
    pairs: Mapping[str, Value], key: str, attribute: Attribute, *details: tuple[str, str]
) -> Iterator[Statement]:
    if value := pairs.get(key):
        for text in value.items if value.items is not None else (value.text,):
            if text:
                yield Statement(attribute=attribute, value=text, pointer=key, details=details)


def _quantisation(pairs: Mapping[str, Value]) -> Iterator[Statement]:
    key = "general.file_type"
    if (value := pairs.get(key)) and value.number is not None:
        name = FILE_TYPES.get(value.number, f"file type {value.number}")
        yield Statement(attribute=Attribute.QUANTISATION, value=name, pointer=key)


def _parents(pairs: Mapping[str, Value]) -> Iterator[Statement]:
    """Base models and datasets: one statement per id, the other fields as its details."""
    groups: dict[str, dict[str, str]] = {}
    for key, value in pairs.items():
        if (match := _PARENT.match(key)) and value.text:
            groups.setdefault(match[1], {})[match[3]] = value.text
    for pointer, fields in groups.items():
        attribute = _PARENT_ATTRIBUTES[pointer.split(".")[1]]
        best = next(fields[name] for name in _PARENT_FIELDS if name in fields)
        yield Statement(attribute=attribute, value=best, pointer=pointer, details=tuple(fields.items()))


def _vocabulary(pairs: Mapping[str, Value]) -> Iterator[Statement]:
    key = "tokenizer.ggml.tokens"
    if (value := pairs.get(key)) and value.items is not None:
        yield Statement(attribute=Attribute.VOCABULARY_SIZE, value=str(value.count), pointer=key)
    for key, value in sorted(pairs.items(), key=itemgetter(0)):  # the default template before the named ones
        if is_chat_template(key) and value.sha256:
            name = key.removeprefix("tokenizer.chat_template").removeprefix(".")
            yield Statement(
                attribute=Attribute.CHAT_TEMPLATE_SHA256,
                value=value.sha256,
                pointer=key,
                details=(("name", name),) if name else (),
            )


def _hyperparameters(pairs: Mapping[str, Value]) -> Iterator[Statement]:
    architecture = pairs.get("general.architecture")
    prefix = f"{architecture.text}." if architecture and architecture.text else "\0"
    for key, value in pairs.items():
        name = key.removeprefix(prefix)
        if name == key or not value.text:
            continue
        if name == "vocab_size":
            yield Statement(attribute=Attribute.VOCABULARY_SIZE, value=value.text, pointer=key)
        else:
            yield Statement(
                attribute=Attribute.HYPERPARAMETER, value=value.text, pointer=key, details=(("name", name),)
            )
