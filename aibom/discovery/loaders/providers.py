"""Who serves which hosted model: by the prefix, the name, or the address it is asked for at."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

# Prefixes of LiteLLM, `init_chat_model` and Pydantic AI, to the provider they stand for.
PROVIDERS: Final = {
    "openai": "openai", "anthropic": "anthropic", "gemini": "google", "vertex_ai": "google",
    "google": "google",
    "google_genai": "google", "google_vertexai": "google", "google-gla": "google", "google-vertex": "google",
    "mistral": "mistral", "mistralai": "mistral", "cohere": "cohere", "cohere_chat": "cohere",
    "bedrock": "bedrock",
    "bedrock_converse": "bedrock", "azure": "azure-openai", "azure_openai": "azure-openai",
    "azure_ai": "azure-openai",
    "groq": "groq", "together_ai": "together", "together": "together", "fireworks_ai": "fireworks",
    "fireworks": "fireworks", "deepseek": "deepseek", "xai": "xai", "perplexity": "perplexity",
    "replicate": "replicate", "openrouter": "openrouter", "text-completion-openai": "openai",
}  # fmt: skip
_FAMILIES: Final = (
    (re.compile(r"gpt-(?!oss|j-|neo)|o[1-9](?:-|\Z)|chatgpt|text-embedding-(?:3|ada)|davinci|dall-e|whisper-1|tts-1"),
     "openai"),
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"(?:models/)?(?:gemini-|(?:text|chat)-bison|embedding-001|text-embedding-00[45]|imagen-)"),
     "google"),
    (re.compile(r"(?:open-)?mi[sx]tral-|codestral|magistral|pixtral|ministral"), "mistral"),
    (re.compile(r"command(?:-|\Z)|embed-(?:english|multilingual)|rerank-"), "cohere"),
    (re.compile(r"deepseek-(?:chat|reasoner|coder\Z)"), "deepseek"),
    (re.compile(r"grok-"), "xai"),
    (re.compile(r"sonar(?:-|\Z)"), "perplexity"),
    (re.compile(r"(?:us\.|eu\.|apac\.)?(?:anthropic|amazon|meta|cohere|mistral|ai21|stability)\."),
    "bedrock"),
)  # fmt: skip
# Endings of the hosts that speak the protocol of OpenAI.
_HOSTS: Final = {
    "openai.azure.com": "azure-openai", "cognitiveservices.azure.com": "azure-openai",
    "api.openai.com": "openai",
    "api.deepseek.com": "deepseek", "openrouter.ai": "openrouter", "api.groq.com": "groq",
    "api.together.xyz": "together",
    "api.together.ai": "together", "api.fireworks.ai": "fireworks", "api.x.ai": "xai",
    "api.perplexity.ai": "perplexity",
    "api.mistral.ai": "mistral", "generativelanguage.googleapis.com": "google",
    "api.anthropic.com": "anthropic",
    "api.cohere.ai": "cohere", "api.cohere.com": "cohere",
}  # fmt: skip
_OLLAMA_PORT: Final = 11434


def provider_of(model: str) -> str | None:
    """The provider of a well-known hosted model by its name."""
    return next((provider for pattern, provider in _FAMILIES if pattern.match(model)), None)


def provider_at(address: str) -> str | None:
    """The provider that answers at an address; `ollama` at the port that it listens to."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if port == _OLLAMA_PORT:
        return "ollama"
    return next(
        (provider for ending, provider in _HOSTS.items() if host == ending or host.endswith(f".{ending}")),
        None,
    )
