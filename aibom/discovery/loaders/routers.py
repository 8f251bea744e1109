"""Frameworks that pass the name of a model on to a provider or to a library.

Sources: the documentation of LiteLLM, LangChain, LlamaIndex, DSPy, Pydantic AI, CrewAI, smolagents,
Haystack, AutoGen, Semantic Kernel and Instructor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from aibom.discovery.loaders.hosted import at_address, hosted
from aibom.discovery.loaders.hub import sentence_transformer
from aibom.discovery.loaders.providers import PROVIDERS
from aibom.discovery.loaders.registries import ollama, routed
from aibom.discovery.python_call import Call, Loader, from_hub, preprocessors, remote_code, revision_of
from aibom.discovery.targets import NOTHING, Target, hub, local
from aibom.domain.component import ComponentKind
from aibom.domain.reference import Flag

_MODEL: Final = ComponentKind.MODEL
_SERVICE: Final = ComponentKind.SERVICE
_EMBEDS = re.compile(r"Embedd|SentenceTransformer")  # classes that pass on to Sentence Transformers
_ADDRESSES: Final = ("base_url", "api_base", "openai_api_base")
_Found = Sequence[tuple[ComponentKind, Target]]


def _refer(call: Call, found: _Found) -> None:
    for kind in dict.fromkeys(kind for kind, _ in found):
        call.refer(kind, [target for each, target in found if each == kind])
    if not found:
        call.refer(_SERVICE, [])


def router(
    pattern: str, *keywords: str, position: int | None = 0, separator: str = "/", optional: bool = False
) -> Loader:
    """A call that passes a model name on to the provider that its prefix says."""
    names = keywords or ("model",)

    def refer(call: Call) -> None:
        if (optional and call.absent(position, *names)) or call.built(position, *names):
            return
        provider = PROVIDERS.get(call.text(None, "model_provider", "custom_llm_provider", "provider") or "")
        texts = call.texts(position, *names)
        if provider is not None:
            call.refer(_SERVICE, [hosted(provider, text) for text in texts])
        else:
            _refer(call, [routed(text, separator) for text in texts])

    return Loader(pattern=pattern, refer=refer)


def _router(call: Call) -> None:
    """`litellm.Router(model_list=[{"litellm_params": {"model": ...}}])`."""
    entries = call.values.members(call.argument(0, "model_list"))
    if not entries and not call.absent(0, "model_list"):
        call.refer(_SERVICE, [])
    for entry in entries:
        parameters = call.values.mapping(entry).get("litellm_params")
        model = call.values.mapping(parameters).get("model") if parameters is not None else None
        for kind, target in [routed(text) for text in call.values.texts(model)] or [_UNKNOWN]:
            call.refer(kind, [target], where=model)


_UNKNOWN: Final = (_SERVICE, NOTHING)


def _aliased(call: Call) -> None:
    """`Router(...).completion(model=alias)`: the aliases are those of its `model_list`."""


def _unpickled_store(call: Call) -> None:
    """`FAISS.load_local(folder, embeddings, allow_dangerous_deserialization=True)`."""
    careless = call.truth(None, "allow_dangerous_deserialization") is True
    targets = [local(text) for text in call.texts(0, "folder_path")]
    call.refer(ComponentKind.DATASET, targets, flags={Flag.UNSAFE_LOAD} if careless else ())


def wrapper(patterns: Iterable[str], provider: str, *keywords: str, position: int | None) -> list[Loader]:
    """A class that stands for a provider. Its own default model moves with its version: not told."""

    def refer(call: Call) -> None:
        if call.absent(position, *keywords) or call.built(position, *keywords):
            return
        found = [_wrapped(call, provider, text) for text in call.texts(position, *keywords)]
        flags = remote_code(call)
        preprocessors(call)
        for kind in dict.fromkeys([kind for kind, _ in found] or [_kind(provider)]):
            call.refer(kind, [target for each, target in found if each == kind], flags=flags)

    return [Loader(pattern=pattern, refer=refer) for pattern in patterns]


def _kind(provider: str) -> ComponentKind:
    return _MODEL if provider in ("hf", "ollama", "file") else _SERVICE


def _wrapped(call: Call, provider: str, text: str) -> tuple[ComponentKind, Target]:
    kind = _kind(provider)
    if provider == "hf" and _EMBEDS.search(call.name):
        return kind, hub(sentence_transformer(text), revision_of(call))
    if provider in ("hf", "hf-inference"):
        return kind, hub(text, revision_of(call))
    if provider == "ollama":
        return kind, ollama(text)
    if provider == "file":
        return kind, local(text)
    address = next((each for name in _ADDRESSES if (each := call.text(None, name))), None)
    return at_address(address, text) if address and provider == "openai" else (kind, hosted(provider, text))


_NAMES: Final = (
    "model",
    "model_name",
    "model_id",
    "deployment_name",
    "azure_deployment",
    "ai_model_id",
    "deployment",
)
_KEYWORDS: Final = {
    "hf": ("repo_id", "model_name", "model_id", "model", "model_path", "model_name_or_path"),
    "hf-inference": ("repo_id", "model_name", "model_id", "model"),
    "file": ("model_path", "model"),
}
# Class name -> provider; the modules they are imported from change with every release.
_LANGCHAIN: Final = {
    "ChatOpenAI": "openai", "OpenAI": "openai", "OpenAIEmbeddings": "openai",
    "AzureChatOpenAI": "azure-openai",
    "AzureOpenAIEmbeddings": "azure-openai", "AzureOpenAI": "azure-openai", "ChatAnthropic": "anthropic",
    "ChatGoogleGenerativeAI": "google", "GoogleGenerativeAI": "google",
    "GoogleGenerativeAIEmbeddings": "google",
    "ChatVertexAI": "google", "VertexAI": "google", "VertexAIEmbeddings": "google",
    "ChatMistralAI": "mistral",
    "MistralAIEmbeddings": "mistral", "ChatCohere": "cohere", "Cohere": "cohere",
    "CohereEmbeddings": "cohere",
    "CohereRerank": "cohere", "ChatBedrock": "bedrock", "BedrockChat": "bedrock",
    "ChatBedrockConverse": "bedrock",
    "BedrockEmbeddings": "bedrock", "BedrockLLM": "bedrock", "Bedrock": "bedrock", "ChatGroq": "groq",
    "ChatTogether": "together", "TogetherEmbeddings": "together", "ChatFireworks": "fireworks",
    "FireworksEmbeddings": "fireworks", "ChatDeepSeek": "deepseek", "ChatXAI": "xai",
    "ChatPerplexity": "perplexity",
    "Replicate": "replicate", "ChatOllama": "ollama", "OllamaLLM": "ollama", "Ollama": "ollama",
    "OllamaEmbeddings": "ollama", "HuggingFaceEndpoint": "hf-inference", "HuggingFaceHub": "hf-inference",
    "HuggingFaceEndpointEmbeddings": "hf-inference", "HuggingFaceInferenceAPIEmbeddings": "hf-inference",
    "HuggingFaceEmbeddings": "hf", "HuggingFaceBgeEmbeddings": "hf", "HuggingFaceInstructEmbeddings": "hf",
    "SentenceTransformerEmbeddings": "hf", "HuggingFaceCrossEncoder": "hf", "CTransformers": "hf",
    "VLLM": "hf",
    "LlamaCpp": "file", "ChatLlamaCpp": "file", "LlamaCppEmbeddings": "file", "GPT4All": "file",
}  # fmt: skip
_LLAMA_INDEX: Final = {
    "OpenAI": "openai", "OpenAILike": "openai", "OpenAIEmbedding": "openai", "AzureOpenAI": "azure-openai",
    "AzureOpenAIEmbedding": "azure-openai", "Anthropic": "anthropic", "Gemini": "google",
    "GeminiEmbedding": "google",
    "GoogleGenAI": "google", "GoogleGenAIEmbedding": "google", "Vertex": "google", "MistralAI": "mistral",
    "MistralAIEmbedding": "mistral", "Cohere": "cohere", "CohereEmbedding": "cohere",
    "CohereRerank": "cohere",
    "Bedrock": "bedrock", "BedrockConverse": "bedrock", "BedrockEmbedding": "bedrock", "Groq": "groq",
    "TogetherLLM": "together", "Fireworks": "fireworks", "DeepSeek": "deepseek", "Perplexity": "perplexity",
    "OpenRouter": "openrouter", "Replicate": "replicate", "Ollama": "ollama", "OllamaEmbedding": "ollama",
    "HuggingFaceEmbedding": "hf", "HuggingFaceLLM": "hf", "HuggingFaceInferenceAPI": "hf-inference",
    "SentenceTransformerRerank": "hf", "FlagEmbeddingReranker": "hf", "Vllm": "hf", "LlamaCPP": "file",
}  # fmt: skip
_PYDANTIC: Final = {
    "OpenAIModel": "openai", "OpenAIChatModel": "openai", "OpenAIResponsesModel": "openai",
    "AnthropicModel": "anthropic",
    "GeminiModel": "google", "GoogleModel": "google", "MistralModel": "mistral", "CohereModel": "cohere",
    "GroqModel": "groq", "BedrockConverseModel": "bedrock",
}  # fmt: skip
_OTHERS: Final = {
    "haystack.*.OpenAIGenerator": "openai", "haystack.*.OpenAIChatGenerator": "openai",
    "haystack.*.OpenAITextEmbedder": "openai", "haystack.*.OpenAIDocumentEmbedder": "openai",
    "haystack.*.SentenceTransformersTextEmbedder": "hf",
    "haystack.*.SentenceTransformersDocumentEmbedder": "hf",
    "haystack.*.TransformersSimilarityRanker": "hf", "haystack.*.HuggingFaceLocalGenerator": "hf",
    "haystack.*.HuggingFaceLocalChatGenerator": "hf",
    "haystack_integrations.*.AnthropicChatGenerator": "anthropic",
    "haystack_integrations.*.OllamaChatGenerator": "ollama",
    "haystack_integrations.*.OllamaGenerator": "ollama",
    "autogen_ext.*.OpenAIChatCompletionClient": "openai",
    "autogen_ext.*.AnthropicChatCompletionClient": "anthropic",
    "autogen_ext.*.AzureOpenAIChatCompletionClient": "azure-openai",
    "autogen_ext.*.OllamaChatCompletionClient": "ollama",
    "semantic_kernel.*.OpenAIChatCompletion": "openai",
    "semantic_kernel.*.AzureChatCompletion": "azure-openai",
    "smolagents.*.TransformersModel": "hf", "smolagents.*.InferenceClientModel": "hf-inference",
    "smolagents.*.HfApiModel": "hf-inference", "smolagents.*.OpenAIServerModel": "openai",
    "smolagents.*.OpenAIModel": "openai", "bertopic.*.OpenAI": "openai", "dspy.*.OpenAI": "openai",
    "chromadb.*.SentenceTransformerEmbeddingFunction": "hf", "chromadb.*.OpenAIEmbeddingFunction": "openai",
    "pydantic_ai.*.OllamaModel": "ollama",
}  # fmt: skip


def _wrappers() -> Iterable[Loader]:
    tables = (
        (("langchain*.*",), _LANGCHAIN, None),
        (("llama_index.*",), _LLAMA_INDEX, 0),
        (("pydantic_ai.models.*",), _PYDANTIC, 0),
        (("",), _OTHERS, None),
    )
    for packages, table, position in tables:
        for name, provider in table.items():
            patterns = [f"{package}.{name}".lstrip(".") for package in packages]
            yield from wrapper(patterns, provider, *_KEYWORDS.get(provider, _NAMES), position=position)


def _resolved(call: Call) -> None:
    """`resolve_embed_model("local:org/name")`."""
    texts = [
        text.removeprefix("local:") for text in call.texts(0, "embed_model") if text.startswith("local:")
    ]
    if texts:
        call.refer(_MODEL, [hub(text) for text in texts])


LOADERS: Final[tuple[Loader, ...]] = (
    *(Loader(pattern=f"litellm.*.Router().{name}", refer=_aliased) for name in (
        "completion", "acompletion", "embedding", "aembedding", "text_completion", "atext_completion")),
    *(router(f"litellm.*.{name}") for name in (
        "completion", "acompletion", "embedding", "aembedding", "text_completion", "atext_completion",
        "responses",
        "aresponses", "batch_completion", "transcription", "speech", "rerank")),
    router("litellm.*.image_generation", position=1, optional=True),
    Loader(pattern="litellm.*.Router", refer=_router),
    Loader(pattern="langchain*.*.FAISS.load_local", refer=_unpickled_store),
    router("langchain*.*.ChatLiteLLM", position=None, optional=True),
    router("dspy.*.LM"),
    router("dspy.*.Embedder", optional=True),
    router("pydantic_ai.*.Agent", separator=":", optional=True),
    router("langchain*.*.init_chat_model", separator=":", optional=True),
    router("langchain*.*.init_embeddings", separator=":"),
    router("langchain*.agents.*.create_agent", separator=":"),
    router("langgraph.*.create_react_agent", separator=":"),
    router("crewai.*.LLM"),
    router("crewai.*.Agent", "llm", position=None, optional=True),
    router("smolagents.*.LiteLLMModel", "model_id", optional=True),
    router("instructor.*.from_provider"),
    router("agents.Agent", position=None, optional=True),
    router("google.adk.*.Agent", position=None, optional=True),
    router("google.adk.*.LlmAgent", position=None, optional=True),
    *_wrappers(),
    from_hub("langchain*.*.HuggingFacePipeline.from_model_id", "model_id"),
    Loader(pattern="llama_index.*.resolve_embed_model", refer=_resolved),
)  # fmt: skip

ROOTS: Final[dict[str, tuple[str, ...]]] = dict.fromkeys(
    ("litellm", "dspy", "pydantic_ai", "langchain", "langchain_", "llama_index", "langgraph", "crewai",
    "smolagents",
     "instructor", "haystack", "haystack_integrations", "autogen_ext", "semantic_kernel", "chromadb",
     "bertopic", "adk"), (),
) | {"agents": ("Agent(",)}  # fmt: skip
