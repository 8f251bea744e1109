"""Instructions, prompts, skills and agents that assistants read, and the models that they ask for.

Sources: agents.md, and the documentation of Claude Code, GitHub Copilot, Cursor, Gemini CLI,
Prompty and Dotprompt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.loaders.hosted import hosted
from aibom.discovery.loaders.registries import provider_of
from aibom.discovery.marked import UNKNOWN, Node, documents
from aibom.discovery.settings_values import Named, guarded, route, service, spelled, unknown_service
from aibom.discovery.targets import NOTHING, Target
from aibom.domain.component import ComponentKind
from aibom.domain.errors import UnreadableError
from aibom.domain.limits import KIB
from aibom.domain.ref import Ref

FRONTMATTER_BYTES: Final = 64 * KIB
MODEL_COUNT: Final = 20  # of one file
_MODEL_CHARS: Final = 200

_LOADERS: Final = (
    ("skill", re.compile(r"(?:\A|/)SKILL\.md\Z")),
    ("agent", re.compile(
        r"(?:\A|/)(?:AGENTS?(?:\.override)?|CLAUDE(?:\.local)?|GEMINI|WARP|QWEN|CRUSH)\.md\Z|"
        r"(?:\A|/)\.(?:cursorrules|windsurfrules|clinerules|goosehints|roorules)\Z|"
        r"(?:\A|/)\.(?:cursor|windsurf|clinerules|roo|continue)/(?:rules/)?(?:[^/]+/)*[^/]+\.mdc\Z|"
        r"(?:\A|/)\.(?:windsurf|roo|continue)/rules/(?:[^/]+/)*[^/]+\.md\Z|(?:\A|/)\.clinerules/[^/]+\.md\Z|"
        r"(?:\A|/)\.github/copilot-instructions\.md\Z|\.instructions\.md\Z|\.chatmode\.md\Z|\.agent\.md\Z|"
        r"(?:\A|/)\.(?:claude|cursor|gemini|opencode|github)/agents?/(?:[^/]+/)*[^/]+\.md\Z")),
    ("prompt", re.compile(
        r"\.prompt\.md\Z|\.prompty\Z|\.prompt\Z|"
        r"(?:\A|/)\.(?:claude|cursor|opencode)/commands?/(?:[^/]+/)*[^/]+\.md\Z|(?:\A|/)\.codex/prompts/[^/]+\.md\Z")),
)  # fmt: skip
_FENCE = re.compile(
    rb"\A(?:\xef\xbb\xbf)?---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE
)
_LINE = re.compile(r"^([ \t]*+model:[ \t]++)[\"']?([^\s\"'#][^\r\n\"'#]*)", re.MULTILINE)
_ASKED: Final = re.compile(r"\s*\((?:copilot|preview|customendpoint|azure)\)\s*\Z", re.IGNORECASE)
_NONE: Final = ("inherit", "auto", "default", "none", "")
_CLAUDE: Final = ("opus", "sonnet", "haiku", "opusplan", "fable")
_PROMPTY: Final = {"azure_openai": "azure", "azure": "azure", "openai": "openai", "azure_serverless": "azure"}


def _loader(path: str) -> str | None:
    return next((name for name, pattern in _LOADERS if pattern.search(path)), None)


def discover(text: Text, found: Found) -> None:
    """The file itself, and each model that its front matter names."""
    loader = _loader(text.path)
    front = _FENCE.match(text.data[:FRONTMATTER_BYTES])
    if loader is None or (text.name.endswith(".prompt") and front is None):
        return
    target = guarded(lambda: Target(ref=Ref(scheme="file", location=text.path)))
    if target.ref is not None:
        found.add(ComponentKind.CODE, target.ref, loader, 1, 1)
    if front is not None:
        for (kind, model), node in _models(front[1]):
            flags = model.flags if model.ref is not None else frozenset()
            found.add(kind, model.ref, f"{loader} model", node.line, node.column, flags=flags)


def _models(front: bytes) -> Iterator[tuple[Named, Node]]:
    for node, provider in _asked(_document(front))[:MODEL_COUNT]:
        if not isinstance(node.value, str) or len(node.value) > _MODEL_CHARS:
            continue
        text = _ASKED.sub("", node.value.strip())
        if text.lower() not in _NONE:
            yield _named(text, provider), node


def _document(front: bytes) -> Node | None:
    """The front matter. What people write there is often no YAML: then its `model:` lines alone count."""
    text = f"\n{front.decode('utf-8', 'replace')}"  # in place of the line of the fence
    try:
        return next(iter(documents(text.encode(), kind="yaml")), None)
    except UnreadableError:
        found = _LINE.search(text)
        if found is None:
            return None
        line = text.count("\n", 0, found.start(2)) + 1
        return Node({"model": Node(found[2].strip(), line, len(found[1]) + 1)}, line, 1)


def _asked(root: Node | None) -> list[tuple[Node, str | None]]:
    """The values that name a model, each with its provider when that is said apart (Prompty)."""
    model = root.get("model") if root is not None else None
    if model is None:
        return []
    if not model.is_mapping:
        return [(node, None) for node in model.items or (model,)]
    given = model.get("configuration") or model.get("connection") or model
    provider = _PROMPTY.get(given.text("type") or given.text("provider") or "")
    holders = ((given, "azure_deployment"), (given, "name"), (given, "model"), (model, "id"), (model, "name"))
    for holder, key in holders:
        node = holder.get(key)
        if node is not None:
            return [(node, "azure" if key == "azure_deployment" else provider)]
    return []


def _named(text: str, provider: str | None) -> Named:
    if UNKNOWN in text or text.startswith("${"):
        return ComponentKind.SERVICE, NOTHING
    if provider is not None:
        return route(provider, text)
    if text.lower() in _CLAUDE:
        return ComponentKind.SERVICE, hosted("anthropic", text.lower())
    # `Claude Sonnet 4` and `GPT-4o` are how editors show `claude-sonnet-4` and `gpt-4o`.
    plain = text if "/" in text else re.sub(r"\s+", "-", text).lower()
    before, found, name = plain.partition("/")
    family = provider_of(name) if found and spelled(before) is None else None
    if family is not None:
        return ComponentKind.SERVICE, guarded(lambda: hosted(family, name))
    return service(plain) or unknown_service(plain)


DISCOVERER = Discoverer(
    name="agents",
    title="Prompts, skills and agent instructions",
    wants=lambda path: _loader(path) is not None,
    discover=discover,
)
