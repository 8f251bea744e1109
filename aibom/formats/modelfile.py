"""Modelfile: how Ollama builds a model from weights, a template and a system prompt.

Format: ollama/ollama docs/modelfile.md and `parser.ParseFile`. Template and system prompt are
digested, never rendered and never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from aibom.domain.errors import malformed, truncated
from aibom.domain.facts import Attribute, Capability, Facts, FileKind
from aibom.domain.limits import MIB
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.formats._document import Collector, decoded, details, text_digest, whole

MODELFILE_BYTES: Final = 1 * MIB

_FROM = re.compile(rb"(?:\A|[\r\n])[ \t]*+from[ \t]++[^\s]", re.IGNORECASE)
_BREAK = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[ \t]*([A-Za-z]+)[ \t]+(.*)\Z", re.DOTALL)
_QUOTES = ('"""', '"')
# Ollama asks the file system; without it, this is what a path looks like.
_LOCAL = re.compile(r"[./~\\]|[A-Za-z]:[\\/]|.*\.(?:gguf|safetensors|bin)\Z", re.IGNORECASE | re.DOTALL)
_KNOWN = frozenset({
    "from", "adapter", "template", "system", "parameter", "license", "message", "draft", "renderer",
    "parser", "requires",
})  # fmt: skip


class Instruction(NamedTuple):
    """One instruction; `subject` is the parameter's name or the message's role."""

    name: str  # in lower case
    subject: str
    argument: str  # without its quotes
    line: int


_PROGRAMS: Final = (".py", ".pyi", ".go", ".rs", ".js", ".ts", ".rb", ".java", ".md", ".html")


def recognise(probe: Probe) -> Match:
    """A usual name and a FROM instruction at the beginning of a line."""
    name = probe.name.lower()
    named = name == "modelfile" or name.startswith("modelfile.") or name.endswith(".modelfile")
    # Programs that read such files are called like one, and `from` begins their lines as well.
    if not named or name.endswith(_PROGRAMS):
        return Match.NO
    if _FROM.search(probe.head):
        return Match.CONTENT
    # FROM can stand behind a long comment or template.
    return Match.NAME if probe.size > len(probe.head) else Match.NO


def read(probe: Probe) -> Facts:
    """The statements of all instructions. Raises `UnreadableError`."""
    found = Collector()
    text = decoded(whole(probe, MODELFILE_BYTES))
    names = [_state(found, instruction) for instruction in _instructions(found, text)]
    if "from" not in names:
        raise malformed("the Modelfile has no FROM")
    return found.facts(
        FORMAT.name,
        FileKind.CONFIG,
        metadata=(("messages", str(names.count("message"))),),
    )


def _instructions(found: Collector, text: str) -> Iterator[Instruction]:
    lines = enumerate(_BREAK.split(text), start=1)
    for number, line in lines:
        if not line.strip() or line.lstrip(" \t").startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None or match[1].lower() not in _KNOWN:
            found.reject(f"line {number} is no instruction of a Modelfile: {line.strip()[:40]!r}")
            continue
        name, subject, value = match[1].lower(), "", match[2]
        if name in ("parameter", "message"):
            subject, _, value = value.replace("\t", " ", 1).partition(" ")
        yield Instruction(name, subject, _argument(value.lstrip(" \t"), number, lines), number)


def _argument(value: str, number: int, lines: Iterator[tuple[int, str]]) -> str:
    """The value without its quotes, over as many lines as they need to close."""
    quote = next((quote for quote in _QUOTES if value.startswith(quote)), "")
    if not quote:
        return value.strip()
    pieces = [value[len(quote) :]]
    # Only the end of a line closes a quote: what stands in between may hold quotes itself.
    while not pieces[-1].rstrip().endswith(quote):
        following = next(lines, None)
        if following is None:
            raise truncated(f"the quote that opens in line {number} is never closed")
        pieces.append(following[1])
    pieces[-1] = pieces[-1].rstrip()[: -len(quote)]
    return "\n".join(pieces)


def _state(found: Collector, instruction: Instruction) -> str:
    name, subject, value, line = instruction
    at = f"L{line}"
    if name == "from" and not _LOCAL.match(value):
        found.add(Attribute.BASE_MODEL, value, at, (("relation", "from"),))
    elif name in ("from", "adapter", "draft"):
        found.add(Attribute.DATA_FILE, value, at, (("role", name),))
    elif name == "parameter":
        found.add(Attribute.HYPERPARAMETER, value, at, details(name=subject))
    elif name == "requires":
        found.add(Attribute.RUNTIME_DEPENDENCY, f"ollama>={value}", at)
    elif name == "license":
        title, _, rest = value.strip().partition("\n")
        attribute = Attribute.LICENCE_NAME if rest else Attribute.LICENCE
        found.add(attribute, capped(title.strip(), 256), at)
    elif name in ("template", "system"):
        is_template = name == "template"
        digest = Attribute.CHAT_TEMPLATE_SHA256 if is_template else Attribute.SYSTEM_PROMPT_SHA256
        found.add(digest, text_digest(value), at)
        if is_template:
            found.capabilities.add(Capability.CHAT_TEMPLATE)
    return name


FORMAT = Format(
    name="modelfile",
    title="Ollama Modelfile",
    kind=FileKind.CONFIG,
    suffixes=("modelfile",),
    recognise=recognise,
    read=read,
    media_type="text/plain",
)
