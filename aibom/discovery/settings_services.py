"""Routers, evaluations, pipelines, assistants and servers: configurations that say which model answers.

Sources: the configuration references of LiteLLM, promptfoo, Haystack, LocalAI, vLLM, Continue,
aider, CrewAI, LangGraph, mem0 and NeMo Guardrails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aibom.discovery.loaders.hosted import hosted
from aibom.discovery.marked import UNKNOWN, Node
from aibom.discovery.settings_keys import remote_code, revision, texts
from aibom.discovery.settings_values import (
    Named,
    Settings,
    is_plainly_hub,
    loaded,
    repository,
    route,
    service,
    spelled,
    unknown_service,
)  # fmt: skip
from aibom.discovery.targets import NOTHING
from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence

_MODEL: Final = ComponentKind.MODEL
_SERVICE: Final = ComponentKind.SERVICE
# Words between provider and model in the ids of promptfoo.
_MODES: Final = frozenset((
    "chat", "completion", "completions", "embedding", "embeddings", "responses", "realtime",
    "assistant", "image", "moderation", "messages", "converse", "live", "transcription", "speech",
    "video",
))  # fmt: skip
_PROVIDER_KEYS: Final = (
    "provider", "llm_provider", "model_provider", "custom_llm_provider", "api_type", "provider_name",
    "engine", "embedding_provider",
)  # fmt: skip
# Beside a model's name these can mean nothing else than a language model.
_DECISIVE: Final = frozenset((
    "api_base", "api_key", "messages", "max_tokens", "max_completion_tokens", "max_output_tokens",
    "max_new_tokens", "system_prompt", "top_p", "context_length", "context_window", "api_key_env",
    "api_key_name", "openai_api_key", "azure_endpoint", "api_version", "base_url", "frequency_penalty",
    "presence_penalty", "reasoning_effort", "response_format", "tool_choice", "stop_sequences",
))  # fmt: skip
_SUPPORTING: Final = frozenset((
    "temperature", "dtype", "quantization", "trust_remote_code", "tokenizer", "backend", "prompt",
    "instructions", "system", "tools", "seed", "api_url", "endpoint", "roles", "top_k", "device",
    "max_length", "batch_size", "dimensions", "embedding_dim",
))  # fmt: skip
_SERVING: Final = frozenset((
    "tensor_parallel_size", "gpu_memory_utilization", "max_model_len", "served_model_name",
    "max_num_seqs", "enforce_eager", "pipeline_parallel_size", "max_num_batched_tokens",
    "enable_prefix_caching", "swap_space",
))  # fmt: skip
# Recorded answers, and rows of a database.
_RECORDS: Final = frozenset(
    ("choices", "usage", "pk", "fields", "finish_reason", "completion_tokens", "stop_reason")
)
_ALIASES: Final = {
    **dict.fromkeys(("sonnet", "opus", "haiku"), "anthropic"),
    **dict.fromkeys(("4", "4o", "4-turbo", "35turbo", "35-turbo", "3"), "openai"),
    **dict.fromkeys(("gemini", "flash", "flash-lite", "gemini-2.5-pro", "gemini-exp"), "google"),
    **dict.fromkeys(("deepseek", "r1"), "deepseek"),
    **dict.fromkeys(("grok3",), "xai"),
}
_HAYSTACK: Final = (
    ("OpenAI", "openai"), ("Azure", "azure"), ("Anthropic", "anthropic"), ("Cohere", "cohere"),
    ("Mistral", "mistral"), ("Ollama", "ollama"), ("Google", "gemini"), ("Gemini", "gemini"),
    ("VertexAI", "vertex_ai"), ("AmazonBedrock", "bedrock"), ("HuggingFaceLocal", "vllm"),
    ("SentenceTransformers", "vllm"), ("Transformers", "vllm"), ("ExtractiveReader", "vllm"),
    ("HuggingFaceTEI", "huggingface"),
)  # fmt: skip


def services(settings: Settings, name: str) -> None:
    """What the whole document is, or the name of its file, decides what its values mean."""
    members = settings.root.members
    for entry in members["model_list"].items if "model_list" in members else ():
        _litellm(settings, entry)
    if name.startswith("promptfoo") or (
        members.keys() & {"providers", "targets"} and members.keys() & {"prompts", "tests"}
    ):
        _promptfoo(settings)
    if name.startswith(".aider.conf."):
        for key in ("model", "weak-model", "editor-model"):
            _aider(settings, members.get(key), key)
    embed = settings.root.get("store", "index", "embed") if name == "langgraph.json" else None
    found = service(settings.text(embed) or "")
    if embed is not None and found is not None:
        settings.refer(*found, "langgraph.embed", embed)


def _litellm(settings: Settings, entry: Node) -> None:
    settings.ignore(entry.get("model_name"))  # what the callers of the proxy say
    settings.ignore(entry.get("model_info", "base_model"))  # for its price
    node = entry.get("litellm_params", "model")
    text = settings.text(node)
    if node is None or text is None:
        return
    settings.refer(*_prefixed(text), "litellm.model", node)


def _prefixed(text: str) -> Named:
    """A name as LiteLLM takes it: what stands in front of the first slash is always a provider."""
    prefix, _, rest = text.partition("/")
    known = spelled(prefix) if rest else None
    if UNKNOWN in text:
        return _SERVICE, NOTHING
    return route(known, rest) if known is not None else service(text) or unknown_service(text)


def _aider(settings: Settings, node: Node | None, key: str) -> None:
    text = settings.text(node)
    if node is None or text is None or UNKNOWN in text:
        return
    provider = _ALIASES.get(text)
    found = (_SERVICE, hosted(provider, text)) if provider else _prefixed(text)
    settings.refer(*found, f"aider.{key}", node)


def _promptfoo(settings: Settings) -> None:
    for key in ("providers", "targets"):
        for entry in texts(settings.root.members.get(key) or Node(None, 1, 1)):
            _promptfoo_provider(settings, entry)
    for path, node in settings.root.walk():
        if path and path[-1] == "provider":
            _promptfoo_provider(settings, node)


def _promptfoo_provider(settings: Settings, entry: Node) -> None:
    """`openai:gpt-4o`, `{id: openai:gpt-4o}` or `{openai:gpt-4o: {config: ...}}`."""
    node, text = entry, settings.text(entry)
    if entry.is_mapping:
        node = entry.get("id") or entry
        text = settings.text(entry.get("id"))
        if text is None and len(entry.members) == 1:
            text = next(iter(entry.members))
    found = _promptfoo_id(text) if text is not None and not settings.told(node) else None
    if found is not None:
        settings.refer(*found, "promptfoo.provider", node)


def _promptfoo_id(text: str) -> Named | None:
    provider, _, rest = text.partition(":")
    known = spelled(provider)
    if known is None or UNKNOWN in text:
        return None
    mode, found, model = rest.partition(":")
    if provider == "huggingface" or (mode in _MODES and (found or not model)):
        rest = model
    return route(known, rest) if rest and not rest.startswith("//") else None


def mapping(settings: Settings, node: Node, members: dict[str, Node]) -> None:
    """A mapping at any depth that says itself what its `model` is."""
    _haystack(settings, node)
    _nested(settings, node)
    _provided(settings, members)
    if "model" in members and members.keys().isdisjoint(_RECORDS):
        for each in texts(members["model"]):
            _model(settings, members, each)
    for key in ("models", "model_names", "model_ids", "allowed_models"):
        for each in members[key].items if key in members else ():
            _listed(settings, key, each)


def _listed(settings: Settings, key: str, node: Node) -> None:
    """One of a list of names, which nothing but its shape tells."""
    text = settings.text(node)
    found = (
        _meant(text, None, serving=False, sure=False)
        if text is not None and not settings.told(node)
        else None
    )
    if found is not None:
        settings.refer(*found, key, node, confidence=Confidence.MEDIUM)


def _haystack(settings: Settings, node: Node) -> None:
    name = (node.text("type") or "").rpartition(".")[2]
    given = node.get("init_parameters")
    if given is None or not name:
        return
    provider = next((provider for prefix, provider in _HAYSTACK if name.startswith(prefix)), None)
    if name.startswith("HuggingFaceAPI"):
        given, provider = given.get("api_params") or given, "huggingface"
    for key in ("azure_deployment", "model", "model_name_or_path", "model_name"):
        text = settings.text(given.get(key))
        if text is not None and provider is not None:
            settings.refer(*route(provider, text), f"haystack.{name}", given.members[key])
            return


def _nested(settings: Settings, node: Node) -> None:
    """`{provider: openai, config: {model: gpt-4o}}` and `{backend: x, parameters: {model: file}}`."""
    provider = spelled(node.text("provider") or "")
    inner = node.get("config", "model")
    text = settings.text(inner)
    if provider is not None and inner is not None and text is not None:
        settings.refer(*_routed(provider, text), "provider.config.model", inner)
    inner = node.get("parameters", "model")
    text = settings.text(inner)
    local = not node.members.keys().isdisjoint(("backend", "context_size", "template", "f16", "mmap"))
    if local and inner is not None and text is not None and re.search(r"[/.]", text):
        settings.refer(_MODEL, loaded(text), "parameters.model", inner)


def _provided(settings: Settings, members: dict[str, Node]) -> None:
    provider = next(_providers(settings, members), None)
    if provider is None:
        return
    for key in (
        "model",
        "model_name",
        "model_id",
        "deployment",
        "deployment_name",
        "azure_deployment",
        "embedding_model",
    ):
        node = members.get(key)
        text = settings.text(node)
        if node is not None and text is not None and " " not in text and not settings.told(node):
            named = _routed(provider, text, revision(members, _MODEL, key))
            settings.refer(*named, key, node, confidence=Confidence.MEDIUM)


def _providers(settings: Settings, members: dict[str, Node]) -> Iterator[str]:
    for key in _PROVIDER_KEYS:
        known = spelled(settings.text(members.get(key)) or "")
        if known is not None:
            yield known


def _routed(provider: str, text: str, commit: str | None = None) -> Named:
    """A name of the Hub at a server that only talks like its provider is that of weights."""
    if UNKNOWN in text:
        return _SERVICE, NOTHING
    if provider in ("openai", "huggingface"):
        on_hub = repository(text, commit)
        if on_hub is not None:
            return _MODEL, on_hub
    own = text.partition("/")
    return route(provider, own[2] if own[1] and own[0] == provider else text)


def _model(settings: Settings, members: dict[str, Node], node: Node) -> None:
    text = settings.text(node)
    if text is None or settings.told(node) or " " in text:
        return
    serving = not members.keys().isdisjoint(_SERVING)
    decisive = serving or not members.keys().isdisjoint(_DECISIVE)
    if UNKNOWN in text:
        found: Named | None = (_MODEL if serving else _SERVICE, NOTHING) if decisive else None
    else:
        sure = decisive or not members.keys().isdisjoint(_SUPPORTING)
        found = _meant(text, revision(members, _MODEL), serving=serving, sure=sure)
        if found is None and decisive:
            found = unknown_service(text)
    if found is not None:
        settings.refer(
            *found, "model", node, flags=remote_code(members, found[0]), confidence=Confidence.MEDIUM
        )


def _meant(text: str, commit: str | None, *, serving: bool, sure: bool) -> Named | None:
    """What `model` means by its shape; `sure` says that it is the name of a model at all."""
    if serving:
        return _MODEL, loaded(text, commit)
    found = service(text)
    if found is not None:
        return found if sure or re.search(r"\d|latest|/", text) else None
    on_hub = repository(text, commit)
    if on_hub is not None and (sure or is_plainly_hub(text) or "://" in text):
        return _MODEL, on_hub
    return None


def crew(settings: Settings, members: dict[str, Node]) -> None:
    """`llm` of an agent that has a role, whatever its name looks like."""
    node = members.get("llm")
    text = settings.text(node)
    if (
        node is not None
        and text is not None
        and "role" in members
        and not settings.told(node)
        and " " not in text
    ):
        settings.refer(*_prefixed(text), "crewai.llm", node)
