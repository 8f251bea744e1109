"""Models that run at somebody else's: the client libraries of their providers.

Sources: the API references of OpenAI, Anthropic, Google, Mistral, Cohere, Groq, Together, Fireworks,
Replicate, AWS Bedrock and Azure, and their Python libraries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from aibom.discovery.loaders.providers import provider_at, provider_of
from aibom.discovery.python_call import Call, Loader
from aibom.discovery.targets import Target, fixed, hub, moving, named
from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence

_SERVICE: Final = ComponentKind.SERVICE
# A date, a build or a snapshot in the name: that model does not move.
_DATED = re.compile(r"\d{4}-?\d{2}-?\d{2}|-\d{3,4}(?:-preview)?\Z|v\d+:\d+\Z|@\d{8}\Z")
_REPLICATE = re.compile(r"([\w.-]+/[\w.-]+):([0-9a-f]{64})\Z")
_AZURE = re.compile(r"Azure|ChatCompletionsClient")
_ADDRESSES: Final = ("base_url", "api_base", "azure_endpoint", "endpoint")


def hosted(provider: str, model: str) -> Target:
    """A model of a provider by its name; one without a date or build in it moves."""
    make = named if _DATED.search(model) else moving
    return make(provider, model.removeprefix("models/") if provider == "google" else model)


def ollama(text: str) -> Target:
    """`[namespace/]name[:tag]`; every tag of the library can move, `latest` is meant to."""
    if text.startswith(("hf.co/", "huggingface.co/")):
        return hub(text.rpartition(":")[0] or text)
    name, _, tag = text.partition(":")
    return moving("ollama", name, tag or None, floating=tag in ("", "latest"))


def service(
    pattern: str,
    provider: str,
    *keywords: str,
    position: int | None = None,
    optional: bool = False,
    guess: bool = False,
) -> Loader:
    """A call that names a model of a provider. `optional`: without it a default is used.

    `guess`: who made the client is not known; the name of the model tells the provider.
    """
    names = keywords or ("model",)

    def refer(call: Call) -> None:
        if (optional or guess) and call.absent(position, *names):
            return
        confidence = Confidence.MEDIUM if guess else Confidence.HIGH
        found = [_model(call, provider, text, guess=guess) for text in call.texts(position, *names)]
        for kind in dict.fromkeys([each for each, _ in found] or [_SERVICE]):
            call.refer(kind, [target for each, target in found if each == kind], confidence=confidence)

    return Loader(pattern=pattern, refer=refer, guess=guess)


def _model(call: Call, provider: str, text: str, *, guess: bool) -> tuple[ComponentKind, Target]:
    """What is asked for: of a provider, or of whoever speaks its protocol at another address."""
    if _AZURE.search(call.name):
        return _SERVICE, hosted("azure-openai", text)
    if guess:
        return _SERVICE, hosted(provider_of(text) or provider, text)
    addresses = (
        [call.text(None, name) for call in call.owners() for name in _ADDRESSES]
        if provider == "openai"
        else []
    )
    address = next((each for each in addresses if each), None)
    if address is None:
        return _SERVICE, hosted(provider, text)
    return at_address(address, text)


def at_address(address: str, text: str) -> tuple[ComponentKind, Target]:
    """A model at an address that speaks the protocol of OpenAI; unknown ones serve open models as a rule."""
    found = provider_at(address)
    if found == "ollama":
        return ComponentKind.MODEL, ollama(text)
    if found is None and "/" in text:
        return _SERVICE, hub(text)
    return _SERVICE, hosted(found or provider_of(text) or "openai", text)


def _replicate(call: Call) -> None:
    """`replicate.run("owner/model:version")`."""
    targets = []
    for text in call.texts(0, "ref", "model"):
        version = _REPLICATE.match(text)
        targets.append(fixed("replicate", version[1], version[2]) if version else hosted("replicate", text))
    call.refer(_SERVICE, targets)


def _inference(call: Call) -> None:
    """`InferenceClient(model)` of huggingface_hub, and its calls that name a model of their own."""
    position = 0 if call.name.endswith("Client") else None
    if not call.absent(position, "model"):
        call.refer(_SERVICE, [hub(text) for text in call.texts(position, "model")])


def _many(
    clients: Iterable[str], calls: Iterable[str], provider: str, *keywords: str, optional: bool = False
) -> list[Loader]:
    return [
        service(f"{client}.{call}", provider, *keywords, optional=optional)
        for client in clients
        for call in calls
    ]


_CHAT: Final = (
    "chat.completions.create",
    "completions.create",
    "embeddings.create",
    "audio.transcriptions.create",
)
_OPENAI: Final = (
    "chat.completions.create", "chat.completions.parse", "chat.completions.stream",
    "beta.chat.completions.parse",
    "beta.chat.completions.stream", "completions.create", "responses.create", "responses.parse",
    "responses.stream",
    "embeddings.create", "audio.speech.create", "audio.speech.create()", "audio.transcriptions.create",
    "audio.translations.create", "fine_tuning.jobs.create", "beta.assistants.create", "realtime.connect",
    "beta.realtime.connect",
)  # fmt: skip
# Calls that choose a model themselves when they are not told.
_OPENAI_OPTIONAL: Final = (
    "images.generate", "images.edit", "images.create_variation", "moderations.create",
    "beta.threads.runs.create",
    "beta.threads.create_and_run",
)  # fmt: skip
_OPENAI_CLIENTS: Final = (
    *(f"openai.*.{name}()" for name in ("OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI", "Client",
      "AsyncClient")),
    *(f"langfuse.openai.{name}()" for name in ("OpenAI", "AsyncOpenAI")),
    "openai",
)  # fmt: skip
_LEGACY: Final = ("ChatCompletion", "Completion", "Embedding", "Edit")
_MESSAGES: Final = (
    "messages.create", "messages.stream", "messages.count_tokens", "messages.parse", "beta.messages.create",
    "beta.messages.stream", "completions.create",
)  # fmt: skip
_GOOGLE: Final = (
    "models.generate_content", "models.generate_content_stream", "models.embed_content",
    "models.generate_images",
    "models.generate_videos", "models.count_tokens", "chats.create", "live.connect",
)  # fmt: skip
_MISTRAL: Final = (
    "chat.complete", "chat.stream", "chat.complete_async", "chat.stream_async", "chat.parse",
    "embeddings.create",
    "fim.complete", "ocr.process", "chat", "chat_stream", "embeddings",
)  # fmt: skip
_COHERE: Final = (
    "chat",
    "chat_stream",
    "embed",
    "generate",
    "rerank",
    "classify",
    "summarize",
    "v2.chat",
    "v2.embed",
    "v2.rerank",
)
_BEDROCK: Final = ("invoke_model", "invoke_model_with_response_stream", "converse", "converse_stream")
_INFERENCE: Final = (
    "chat_completion", "chat.completions.create", "text_generation", "feature_extraction", "text_to_image",
    "summarization",
    "translation", "question_answering", "text_classification", "token_classification",
    "zero_shot_classification",
    "automatic_speech_recognition", "text_to_speech", "image_classification", "image_to_text",
    "image_to_image",
    "object_detection", "sentence_similarity", "fill_mask", "text_to_video", "visual_question_answering",
)  # fmt: skip

LOADERS: Final[tuple[Loader, ...]] = (
    *_many(_OPENAI_CLIENTS, _OPENAI, "openai"),
    *_many(_OPENAI_CLIENTS, _OPENAI_OPTIONAL, "openai", optional=True),
    *_many((f"openai.{name}" for name in _LEGACY), ("create", "acreate"), "openai", "model", "engine",
    "deployment_id"),
    *_many(("openai.Image",), ("create", "acreate"), "openai", optional=True),
    *_many((f"anthropic.*.{name}()" for name in ("Anthropic", "AsyncAnthropic", "Client", "AsyncClient")),
    _MESSAGES, "anthropic"),
    *_many((f"anthropic.*.{name}()" for name in ("AnthropicBedrock", "AsyncAnthropicBedrock")), _MESSAGES,
    "bedrock"),
    *_many((f"anthropic.*.{name}()" for name in ("AnthropicVertex", "AsyncAnthropicVertex")), _MESSAGES,
    "google"),
    *_many((f"mistralai.*.{name}()" for name in ("Mistral", "MistralClient", "MistralAsyncClient")),
    _MISTRAL, "mistral"),
    *_many((f"cohere.*.{name}()" for name in ("Client", "ClientV2", "AsyncClient", "AsyncClientV2")),
    _COHERE, "cohere", optional=True),
    *_many(("groq.*.Groq()", "groq.*.AsyncGroq()"), _CHAT, "groq"),
    *_many(("together.*.Together()", "together.*.AsyncTogether()"), _CHAT, "together"),
    *_many(("fireworks.*.Fireworks()", "fireworks.*.AsyncFireworks()"), ("chat.completions.create",
    "completions.create"), "fireworks"),
    *_many(("google.genai.*.Client()",), _GOOGLE, "google"),
    service("google.generativeai.*.GenerativeModel", "google", "model_name", position=0, optional=True),
    service("google.generativeai.*.embed_content", "google", position=0),
    service("vertexai.*.GenerativeModel", "google", "model_name", position=0),
    service("vertexai.*.from_pretrained", "google", "model_name", position=0),
    *_many(("boto3.*.client()", "aioboto3.*.client()"), _BEDROCK, "bedrock",
    "modelId"),
    *(Loader(pattern=f"huggingface_hub.*.{client}", refer=_inference) for client in ("InferenceClient",
      "AsyncInferenceClient")),
    *(Loader(pattern=f"huggingface_hub.*.{client}().{call}", refer=_inference)
      for client in ("InferenceClient", "AsyncInferenceClient") for call in _INFERENCE),
    service("azure.ai.inference.*.ChatCompletionsClient", "azure-openai", optional=True),
    service("azure.ai.inference.*.ChatCompletionsClient().complete", "azure-openai", optional=True),
    *(Loader(pattern=f"replicate.{name}", refer=_replicate) for name in (
        "run", "async_run", "stream", "Client().run", "Client().stream", "Client().async_run")),
    *(service(f"*.{call}", "openai", guess=True) for call in (
        "chat.completions.create", "chat.completions.parse", "responses.create", "embeddings.create")),
    service("*.messages.create", "anthropic", guess=True),
    service("*.messages.stream", "anthropic", guess=True),
    service("*.models.generate_content", "google", guess=True),
    *(service(f"*.{call}", "bedrock", "modelId", guess=True) for call in _BEDROCK),
)  # fmt: skip

ROOTS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("openai", "anthropic", "mistralai", "cohere", "groq", "together", "fireworks", "genai",
        "generativeai", "vertexai",
         "replicate"), ()),
    "boto3": ("invoke_model", "converse"), "aioboto3": ("invoke_model", "converse"),
    "azure": ("ChatCompletionsClient",), "langfuse": ("openai",),
    "huggingface_hub": ("InferenceClient",),
}  # fmt: skip
