"""Packages of npm that talk to models which run at somebody else's.

Sources: the client libraries of OpenAI, Anthropic, Google, Mistral, Cohere, Groq, Together, AWS Bedrock,
Azure and Replicate.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.discovery.javascript_call import Call
from aibom.discovery.javascript_loader import Loader, at, client, compatible, key, loader, of, simple
from aibom.discovery.loaders.hosted import hosted
from aibom.discovery.targets import Target, named
from aibom.domain.component import ComponentKind
from aibom.domain.ref import PinnedRef
from aibom.domain.reference import Flag

_VERSION = re.compile(r"([^:]+):([0-9a-f]{64})\Z")
_UNPINNED: Final = frozenset({Flag.UNPINNED})
_OPENAI_CALLS: Final = (
    r"(?:beta\.)?chat\.completions\.(?:create|parse|stream|runTools)|completions\.create|embeddings\.create"
    r"|responses\.(?:create|parse|stream)|images\.(?:generate|edit)|audio\.speech\.create|videos\.create"
    r"|audio\.(?:transcriptions|translations)\.create|fine_?[tT]uning\.jobs\.create|beta\.assistants\.create"
)


def _deployment(call: Call) -> None:
    """A client for one deployment. Whether there is one is not certain before it is a text."""
    if names := call.option(0, "deployment").texts:
        call.refer(ComponentKind.SERVICE, [hosted("azure-openai", text) for text in names])


_OPENAI: Final = (
    # Deployments of Azure have names of their own, behind which any model can be.
    simple(rf"AzureOpenAI\(\)\.(?:{_OPENAI_CALLS})", key(), of("azure-openai")),
    compatible(rf"(?:OpenAI)?\(\)\.(?:{_OPENAI_CALLS})", key()),
    client("openai", "OpenAI", r"moderations\.create|beta\.threads\.runs\.\w+|realtime\.\w+", optional=True),
    simple(r"OpenAIApi\(\)\.create(?!Moderation)\w+", key(), of("openai"), optional=True),
    loader("AzureOpenAI", _deployment),
)
_CHAT: Final = r"chat\.completions\.create|completions\.create|embeddings\.create|images\.(?:create|generate)"
_AUDIO: Final = r"audio\.(?:transcriptions|translations|speech)\.create"
_MESSAGES: Final = r"(?:beta\.)?messages\.(?:create|stream|parse|countTokens|toolRunner)|completions\.create"
_ANTHROPIC: Final = (client("anthropic", r"Anthropic(?:Vertex)?", _MESSAGES),)
_GENAI: Final = (
    client("google", "GoogleGenAI", r"models\.(?!list)\w+|chats\.create|live\.connect|caches\.create"),
)
_GENERATIVE: Final = simple(
    r"(?:GoogleGenerativeAI|VertexAI)?\(\)\.(?:preview\.)?getGenerativeModel", key(), of("google")
)
_MISTRAL: Final = client(
    "mistral", "Mistral|MistralClient",
    r"chat(?:\.\w+|Stream)?|embeddings(?:\.create)?|fim\.\w+|ocr\.process|classifiers\.\w+|audio\.transcriptions\.\w+",
)  # fmt: skip
_COHERE: Final = client(
    "cohere", r"CohereClient(?:V2)?|CohereV2",
    r"(?:v2\.)?(?:chat|chatStream|embed|generate|generateStream|rerank|classify|summarize)", optional=True,
)  # fmt: skip
_BEDROCK: Final = simple(
    r"(?:InvokeModel\w*|Converse(?:Stream)?|StartAsyncInvoke)Command"
    r"|BedrockRuntime\(\)\.(?:invokeModel\w*|converse(?:Stream)?)",
    key("modelId"), of("bedrock"),
)  # fmt: skip


def _replicate(text: str) -> Target:
    """`owner/name[:version]`; a version is a digest."""
    version = _VERSION.match(text)
    if version:
        return Target(ref=PinnedRef(scheme="replicate", location=version[1], revision=version[2]))
    return Target(ref=named("replicate", text).ref, flags=_UNPINNED)


_REPLICATE: Final = (
    simple(r"(?:Replicate)?\(\)\.(?:run|stream)", at(0), _replicate),
    simple(r"(?:Replicate)?\(\)\.predictions\.create", key("model", "version"), _replicate, optional=True),
)

PACKAGES: Final[dict[str, tuple[Loader, ...]]] = {
    "openai": _OPENAI,
    "@azure/openai": (simple(r"OpenAIClient\(\)\.(?:get|stream)\w+", at(0), of("azure-openai")),),
    "@anthropic-ai/sdk": _ANTHROPIC,
    "@anthropic-ai/vertex-sdk": _ANTHROPIC,
    "@anthropic-ai/bedrock-sdk": (client("bedrock", "AnthropicBedrock", _MESSAGES),),
    "@google/genai": _GENAI,
    "@google/generative-ai": (_GENERATIVE,),
    "@google-cloud/vertexai": (_GENERATIVE,),
    "@mistralai/mistralai": (_MISTRAL,),
    "cohere-ai": (_COHERE,),
    "groq-sdk": (client("groq", "Groq", f"{_CHAT}|{_AUDIO}"),),
    "together-ai": (client("together", "Together", f"{_CHAT}|{_AUDIO}"),),
    "@aws-sdk/client-bedrock-runtime": (_BEDROCK,),
    "replicate": _REPLICATE,
}
