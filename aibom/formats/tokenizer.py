"""The files of a tokenizer: vocabulary, configuration, chat templates.

Formats: huggingface/tokenizers `Tokenizer.from_file` (tokenizer.json), huggingface/transformers
`tokenization_utils_base` (tokenizer_config.json, vocabulary files, chat templates),
google/sentencepiece `sentencepiece_model.proto`. No template is ever rendered: its digest is told,
and what its syntax tree says that it would do.
"""

from __future__ import annotations

import re
from typing import Final, TypeGuard

from aibom.domain.errors import over_limit
from aibom.domain.facts import Attribute, Facts, FileKind
from aibom.domain.limits import DOCUMENT_BYTES, KIB, MIB
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._document import (
    Collector,
    decoded,
    details,
    opens_with,
    parsed_object,
    place,
    plain,
    reserved,
    whole,
)
from aibom.formats._template import TEMPLATE_BYTES, state_template, state_templates
from aibom.readers import json, json_members, protobuf
from aibom.readers.json_members import Member
from aibom.readers.ranges import Cursor

TOKENIZER_BYTES: Final = 40 * MIB
SMALL_VALUE_BYTES: Final = 64 * KIB
PIECE_COUNT: Final = 400_000  # of a SentencePiece model; the largest has 300,000

_BLOCK_BYTES = 1 * MIB
_JSON_VOCABULARIES = ("vocab.json", "added_tokens.json", "special_tokens_map.json")
_TEXT_VOCABULARIES = ("vocab.txt", "merges.txt")
# tiktoken: a token in base64 and its rank per line, also under Llama 3's name tokenizer.model.
_RANKED = re.compile(rb"[A-Za-z0-9+/]{1,400}={0,2} [0-9]{1,9}\r?\n")
_SENTENCEPIECE = (".spm", "tokenizer.model", "spiece.model", "sentencepiece.model", "bpe.model")


def _facts(name: str, found: Collector) -> Facts:
    return found.facts(name, FileKind.TOKENIZER)


def recognise_config(probe: Probe) -> Match:
    """A JSON object under transformers' name."""
    return reserved(probe, "tokenizer_config.json")


def read_config(probe: Probe) -> Facts:
    """Class, maximal length, chat templates and remote code. Raises `UnreadableError`."""
    document = parsed_object(probe)
    found = Collector()
    found.one(Attribute.TOKENIZER_CLASS, document, "tokenizer_class")
    found.settings(document, ("model_max_length",))
    state_templates(found, document)
    found.auto_map(document)
    return _facts("tokenizer-config", found)


def recognise_template(probe: Probe) -> Match:
    """A template by its name, or any Jinja file that goes through messages."""
    if probe.name.lower() in ("chat_template.json", "chat_template.jinja"):
        return Match.CONTENT if probe.named(".jinja") or opens_with(probe, b"{") else Match.NAME
    is_chat = b"messages" in probe.head and b"{%" in probe.head
    return Match.CONTENT if probe.named(".jinja", ".jinja2") and is_chat else Match.NO


def read_template(probe: Probe) -> Facts:
    """The digest of a template in a file of its own. Raises `UnreadableError`."""
    found = Collector()
    if probe.named(".json"):
        state_templates(found, parsed_object(probe))
    else:
        name = probe.name.rpartition(".")[0]
        template = decoded(whole(probe, TEMPLATE_BYTES))
        state_template(found, template, "", "default" if name == "chat_template" else name)
    return _facts("chat-template", found)


def recognise_tokenizer(probe: Probe) -> Match:
    """A JSON object under the name of the tokenizers library."""
    return reserved(probe, "tokenizer.json")


def read_tokenizer(probe: Probe) -> Facts:
    """Kinds of the pipeline's parts and size of the vocabulary. Raises `UnreadableError`."""
    data = whole(probe, TOKENIZER_BYTES)
    root = json_members.index(data)
    found = Collector()
    for part in ("model", "normalizer", "pre_tokenizer"):
        kind = _kind(data, root.get(part))
        if kind:
            extra = details(name=f"{part}.type")
            found.add(Attribute.HYPERPARAMETER, kind, place(part, "type"), extra)
    model = root.get("model")
    parts = json_members.index(data, model.start) if _is_object(model, data) else {}
    vocabulary = parts.get("vocab")
    if _nested(vocabulary, data):
        size = json_members.count(data, vocabulary.start)
        found.add(Attribute.VOCABULARY_SIZE, str(size), place("model", "vocab"))
    else:
        found.reject("the tokenizer has no vocabulary")
    added = root.get("added_tokens")
    if _nested(added, data):
        extra = details(name="added_tokens")
        size = json_members.count(data, added.start)
        found.add(Attribute.HYPERPARAMETER, str(size), place("added_tokens"), extra)
    return _facts("tokenizer", found)


def _nested(member: Member | None, data: bytes) -> TypeGuard[Member]:
    return member is not None and data[member.start] in b"[{"


def _is_object(member: Member | None, data: bytes) -> TypeGuard[Member]:
    return member is not None and data[member.start] == ord("{")


def _kind(data: bytes, member: Member | None) -> str | None:
    """The `type` of one part; the rest of it can hold megabytes and stays unread."""
    if not _is_object(member, data):
        return None
    kind = json_members.index(data, member.start).get("type")
    if kind is None or kind.end - kind.start > SMALL_VALUE_BYTES:
        return None
    return plain(json.parse(data[kind.start : kind.end], offset=kind.start))


def recognise_sentencepiece(probe: Probe) -> Match:
    """A protobuf message under a usual name: its first field is a length-delimited piece."""
    if not probe.named(*_SENTENCEPIECE):
        return Match.NO
    return Match.CONTENT if probe.head.startswith(b"\x0a") else Match.NO


def read_sentencepiece(probe: Probe) -> Facts:
    """The number of pieces, which are the message's field 1. Raises `UnreadableError`."""
    walker = protobuf.Walker(Cursor(probe.reader), fields=PIECE_COUNT)
    pieces = sum(1 for field in walker.fields(0, probe.size) if field.number == 1)
    found = Collector()
    found.add(Attribute.VOCABULARY_SIZE, str(pieces), "")
    return _facts("sentencepiece", found)


def recognise_vocabulary(probe: Probe) -> Match:
    """JSON or text under a usual name, or lines of tokens and ranks."""
    name = probe.name.lower()
    if name in _JSON_VOCABULARIES:
        return Match.CONTENT if opens_with(probe, b"{") else Match.NO
    if name in _TEXT_VOCABULARIES:
        return Match.NO if b"\0" in probe.head else Match.NAME
    if probe.named(".tiktoken", "tokenizer.model") and _RANKED.match(probe.head):
        return Match.CONTENT
    return Match.NO


def read_vocabulary(probe: Probe) -> Facts:
    """How many tokens, or merges, there are. Raises `UnreadableError`."""
    found = Collector()
    name = probe.name.lower()
    if name == "special_tokens_map.json":
        parsed_object(probe)  # nothing to tell, but a broken one is not "read"
    elif name == "added_tokens.json":
        size = json_members.count(whole(probe, DOCUMENT_BYTES))
        found.add(Attribute.HYPERPARAMETER, str(size), "", details(name="added_tokens"))
    elif name == "vocab.json":
        size = json_members.count(whole(probe, DOCUMENT_BYTES))
        found.add(Attribute.VOCABULARY_SIZE, str(size), "")
    elif name == "merges.txt":
        size = _lines(probe) - probe.head.startswith(b"#version")
        found.add(Attribute.HYPERPARAMETER, str(size), "", details(name="merges"))
    else:
        found.add(Attribute.VOCABULARY_SIZE, str(_lines(probe)), "")
    return _facts("vocab", found)


def _lines(probe: Probe) -> int:
    """The number of lines, the last one with or without its line break."""
    if probe.size > DOCUMENT_BYTES:
        raise over_limit(f"vocabulary of {probe.size} bytes, at most {DOCUMENT_BYTES} are read")
    if probe.size == 0:
        return 0
    breaks = 0
    for offset in range(0, probe.size, _BLOCK_BYTES):
        length = min(_BLOCK_BYTES, probe.size - offset)
        breaks += probe.reader.read_at(offset, length).count(b"\n")
    return breaks + (probe.reader.read_at(probe.size - 1, 1) != b"\n")


TOKENIZER_CONFIG = Format(
    name="tokenizer-config",
    title="Tokenizer configuration",
    kind=FileKind.TOKENIZER,
    suffixes=("tokenizer_config.json",),
    recognise=recognise_config,
    read=read_config,
    media_type="application/json",
)
TOKENIZER = Format(
    name="tokenizer",
    title="Tokenizer of the tokenizers library",
    kind=FileKind.TOKENIZER,
    suffixes=("tokenizer.json",),
    recognise=recognise_tokenizer,
    read=read_tokenizer,
    media_type="application/json",
)
SENTENCEPIECE = Format(
    name="sentencepiece",
    title="SentencePiece model",
    kind=FileKind.TOKENIZER,
    suffixes=_SENTENCEPIECE,
    recognise=recognise_sentencepiece,
    read=read_sentencepiece,
)
VOCABULARY = Format(
    name="vocab",
    title="Vocabulary, merges or added tokens",
    kind=FileKind.TOKENIZER,
    suffixes=(*_JSON_VOCABULARIES, *_TEXT_VOCABULARIES, ".tiktoken"),
    recognise=recognise_vocabulary,
    read=read_vocabulary,
    media_type="text/plain",
)
CHAT_TEMPLATE = Format(
    name="chat-template",
    title="Chat template",
    kind=FileKind.TOKENIZER,
    suffixes=("chat_template.jinja", "chat_template.json"),
    recognise=recognise_template,
    read=read_template,
    media_type="text/plain",
)
