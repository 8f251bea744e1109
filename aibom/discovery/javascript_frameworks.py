"""Packages of npm that pass model names on: Vercel AI SDK, LangChain.js, LlamaIndex.TS, agents.

Sources: the documentation of these projects.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.discovery.javascript_call import Argument, Call
from aibom.discovery.javascript_loader import Loader, Take, at, compatible, key, loader, of, simple
from aibom.discovery.loaders.registries import ollama, routed
from aibom.discovery.targets import hub, local
from aibom.domain.component import ComponentKind

_MODEL: Final = ComponentKind.MODEL
_SERVICE: Final = ComponentKind.SERVICE


def _router(pattern: str, take: Take, separator: str, *, optional: bool = False) -> Loader:
    """A name with the provider in front of it."""

    def refer(call: Call) -> None:
        argument = take(call)
        for text in argument.texts:
            said = call.option(1, "modelProvider").text
            kind, target = routed(f"{said}{separator}{text}" if said else text, separator)
            call.refer(kind, [target])
        # A model that is no text is an object that was made by a call of its own.
        certain = (argument.given and not argument.made) or not (argument.given or optional)
        if not argument.texts and certain:
            call.refer(_SERVICE, [])

    return loader(pattern, refer)


# Vercel AI SDK: package of a provider -> provider

_PROVIDERS: Final = {
    "google-vertex": "google", "togetherai": "together", "amazon-bedrock": "bedrock", "azure": "azure-openai",
}  # fmt: skip
_MODELS: Final = (
    r"(?:\.(?:chat|chatModel|completion|completionModel|responses|languageModel|messages|embedding|embeddingModel"
    r"|textEmbedding|textEmbeddingModel|image|imageModel|transcription|transcriptionModel|speech|speechModel"
    r"|reranking|rerankingModel|video|videoModel))?"
)


def _factory(name: str) -> str:
    """`openai`, `createOpenAI()`: packages of the same scope have many functions of other kinds."""
    names = f"(?i:{name.replace('-', '')}|{name.rpartition('-')[2]})"
    return rf"(?:create{names}\w*\(\)|{names}){_MODELS}"


_GATEWAY: Final = _router(rf"(?:createGateway\(\)|gateway){_MODELS}", at(0), "/")
_AI: Final = (
    _router(
        r"(?:experimental_)?(?:generate(?:Text|Object|Image|Speech|Video)|stream(?:Text|Object)|embed|embedMany"
        r"|transcribe|rerank)|(?:Experimental_|ToolLoop)?Agent",
        key(), "/",
    ),
    _GATEWAY,
    _router(r"(?:experimental_)?createProviderRegistry\(\)\.\w+", at(0), ":"),
)  # fmt: skip


def provider_package(name: str) -> tuple[Loader, ...]:
    """The functions of `@ai-sdk/name`."""
    if name == "gateway":
        return (_GATEWAY,)
    if name in ("openai", "openai-compatible"):
        return (compatible(_factory(name), at(0)),)
    return (simple(_factory(name), at(0), of(_PROVIDERS.get(name, name))),)


# Classes of LangChain.js and LlamaIndex.TS -> provider

_NAMES: Final = ("model", "modelName", "modelId", "azureOpenAIApiDeploymentName", "deployment")
_LANGCHAIN: Final = {
    "ChatOpenAI|OpenAI|OpenAIEmbeddings|OpenAIChat": "openai",
    "AzureChatOpenAI|AzureOpenAI|AzureOpenAIEmbeddings": "azure-openai",
    "ChatAnthropic|Anthropic": "anthropic",
    "ChatGoogle|ChatGoogleGenerativeAI|GoogleGenerativeAIEmbeddings|(?:Chat)?VertexAI|VertexAIEmbeddings"
    "|Gemini|GeminiEmbedding|GoogleGenAI": "google",
    "(?:Chat)?MistralAI|MistralAIEmbeddings?": "mistral",
    "(?:Chat)?Cohere|CohereEmbeddings|CohereRerank": "cohere",
    "BedrockChat|Bedrock|ChatBedrockConverse|BedrockEmbeddings": "bedrock",
    "ChatGroq|Groq": "groq",
    "ChatTogetherAI|TogetherAI|TogetherAIEmbeddings|TogetherLLM|TogetherEmbedding": "together",
    "(?:Chat)?Fireworks|FireworksEmbeddings|FireworksLLM|FireworksEmbedding": "fireworks",
    "ChatDeepSeek|DeepSeekLLM": "deepseek",
    "ChatXAI": "xai",
    "(?:Chat)?Perplexity": "perplexity",
    "ChatOpenRouter": "openrouter",
    "Replicate": "replicate",
}
_CLASSES: Final = (
    simple(r"(?:Chat)?Ollama|OllamaEmbeddings?", key(*_NAMES), ollama, _MODEL, optional=True),
    simple(
        r"HuggingFaceTransformersEmbeddings|HuggingFaceEmbedding|HuggingFaceLLM",
        key("model", "modelName", "modelType"), hub, _MODEL, optional=True,
    ),
    simple(r"HuggingFaceInference(?:Embeddings)?", key("model", "modelName"), hub, optional=True),
    # Some of these are made by a function that waits for the weights.
    simple(r"(?:(?:Chat)?LlamaCpp|LlamaCppEmbeddings)(?:\.initialize)?", key("modelPath"), local, _MODEL),
)  # fmt: skip


def _named(call: Call) -> Argument:
    """`new ChatOpenAI({model})`, `new ChatOpenAI("name")`."""
    first = call.argument(0)
    return first if first.texts else call.option(0, *_NAMES)


_WRAPPERS: Final = (
    *_CLASSES,
    *(simple(classes, _named, of(provider), optional=True) for classes, provider in _LANGCHAIN.items()),
)
_LANGCHAIN_LOADERS: Final = (
    *_WRAPPERS,
    _router(r"initChatModel", at(0), ":"),
    _router(r"createAgent", key(), ":"),
)
_LLAMAINDEX: Final = (
    *_WRAPPERS,
    simple("ollama", key(), ollama, _MODEL, optional=True),
    *(
        simple(name, key(), of(provider), optional=True)
        for name, provider in (
            ("openai", "openai"), ("anthropic", "anthropic"), ("gemini", "google"), ("groq", "groq"),
            ("mistral", "mistral"), ("bedrock", "bedrock"), ("deepseek", "deepseek"),
        )
    ),
)  # fmt: skip
_OLLAMA_PROVIDER: Final = (simple(_factory("ollama"), at(0), ollama, _MODEL),)

PACKAGES: Final[dict[str, tuple[Loader, ...]]] = {
    "ai": _AI,
    "langchain": _LANGCHAIN_LOADERS,
    "llamaindex": _LLAMAINDEX,
    "ollama-ai-provider": _OLLAMA_PROVIDER,
    "ollama-ai-provider-v2": _OLLAMA_PROVIDER,
    "ai-sdk-ollama": _OLLAMA_PROVIDER,
    "@openrouter/ai-sdk-provider": (simple(_factory("openrouter"), at(0), of("openrouter")),),
    "@openai/agents": (simple("Agent", key(), of("openai"), optional=True),),
    "@mastra/core": (_router("Agent", key(), "/", optional=True),),
}
_SCOPE = re.compile(r"@(ai-sdk|langchain|llamaindex)/(.+)\Z")


def loaders_of(package: str) -> tuple[Loader, ...]:
    """The loaders of a package that is one of a family."""
    match = _SCOPE.match(package)
    if match is None:
        return PACKAGES.get(package, ())
    if match[1] == "ai-sdk":
        return provider_package(match[2])
    return _LANGCHAIN_LOADERS if match[1] == "langchain" else _LLAMAINDEX
