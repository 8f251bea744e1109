"""What a value of a configuration names, and the references of one document.

A name is told by its shape alone: a repository of the Hub, a model of a known provider, an address.
A key that can only hold such a name also takes paths and names without an organisation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from aibom.discovery.found import Found
from aibom.discovery.loaders.hosted import hosted
from aibom.discovery.loaders.registries import mlflow, ollama, provider_of, routed
from aibom.discovery.marked import UNKNOWN, Node
from aibom.discovery.targets import NOTHING, Target, address, hub, local
from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.reference import Flag
from aibom.domain.text import visible

NAME_CHARS: Final = 500  # what is longer names nothing
_STEPS: Final = 4  # of variables that stand for variables

# `${a.b}` of OmegaConf and DVC, `${oc.env:NAME,default}`, `${NAME:-default}`.
_VARIABLE = re.compile(
    r"\$\{(?:(?:oc\.)?env:\s*+\w+\s*+(?:,([^{}]*+))?|(\w+):-([^{}]*+)|([\w.-]++)|[^{}]*+)\}"
)
_TEMPLATE = re.compile(r"\{\{|\{%|\A\$\w+\Z|\Aos\.environ/|\A\?\?\?\Z|\$\{|\$\(")
_SPACE = re.compile(r"\s")
_FOLDERS: Final = frozenset((
    "model", "models", "model_zoo", "modelzoo", "weights", "checkpoint", "checkpoints", "ckpt", "ckpts",
    "output", "outputs", "out", "run", "runs", "result", "results", "exp", "exps", "experiment",
    "experiments", "log", "logs", "data", "dataset", "datasets", "raw", "processed", "train",
    "training", "test", "tests", "eval", "val", "validation", "save", "saves", "saved", "saved_models",
    "artifact", "artifacts", "asset", "assets", "cache", "tmp", "temp", "src", "source", "lib",
    "pretrained", "pretrained_models", "pretrained_weights", "resources", "config", "configs", "conf",
    "local", "mnt", "home", "root", "workspace", "build", "dist", "bin", "app", "apps", "api",
    "storage", "examples", "path", "lora", "loras", "adapters", "merged", "finetuned", "fine-tuned",
    "store",
))  # fmt: skip
_OTHER_MODELS = re.compile(r"gpt-(?:oss|neo|j|sw3)\b|gemma")
_SIZE = re.compile(r"\d[bB]\b")
_OLLAMA = re.compile(r"[a-z][\w.-]*:(?:latest|\d+(?:[.x]\d+)?[bm](?:-[\w.-]+)?)\Z")
_PLAIN_HUB = re.compile(
    r"(?:(?<![a-z0-9])\d+(?:[.x]\d+)*[bm](?![a-z0-9])|instruct|gguf|gptq|awq|bert|llama|mi[sx]tral|qwen|gemma|phi-\d|"
    r"falcon|flan-t5|whisper-|stable-diffusion|minilm|bge-|e5-|gpt-oss|gpt2|gpt-neo|deepseek|deberta|smollm|"
    r"clip-vit|dino|vit-|blip|bart-|pegasus|electra|opt-\d|bloom|pythia|xlm-|wavlm|hubert|resnet|swin|uncased|"
    r"-(?:tiny|small|base|medium|large)(?![a-z])|wav2vec|starcoder|\bt5-|zephyr|mpnet)", re.IGNORECASE
)  # fmt: skip
_WEIGHTS = re.compile(
    r"\.(?:safetensors|gguf|bin|pt|pth|ckpt|onnx|h5|keras|tflite|pkl|joblib|npz|parquet|arrow|jsonl)(?:[?#].*)?\Z",
    re.IGNORECASE,
)
_STORES: Final = ("s3://", "gs://", "abfs://", "abfss://", "hf://", "models:/", "runs:/", "huggingface://")
# Spellings of providers, to those of the router.
_SPELLINGS: Final = {
    "azureopenai": "azure", "azure-openai": "azure", "azure_openai": "azure", "google-ai": "gemini",
    "googleai": "gemini", "google_ai": "gemini", "google-genai": "gemini", "vertex": "vertex_ai",
    "vertexai": "vertex_ai", "vertex-ai": "vertex_ai", "palm": "gemini", "aws-bedrock": "bedrock",
    "amazon-bedrock": "bedrock", "aws_bedrock": "bedrock", "amazon_bedrock": "bedrock",
    "togetherai": "together", "together-ai": "together", "fireworks-ai": "fireworks", "x-ai": "xai",
    "hugging_face": "huggingface", "huggingface-api": "huggingface", "huggingface-tgi": "huggingface",
    "hf": "huggingface", "claude": "anthropic", "mistral-ai": "mistral", "perplexityai": "perplexity",
    "perplexity-ai": "perplexity",
}  # fmt: skip
# Of these LiteLLM and the Hub both have names: the model decides.
_SHARED: Final = ("openai", "google", "mistralai", "perplexity-ai")

Named = tuple[ComponentKind, Target]


@dataclass(slots=True)
class Settings:
    """Collects the references of one document; what one reader told, the next one passes over."""

    found: Found
    root: Node
    _told: set[tuple[int, int]] = field(default_factory=set)

    def text(self, node: Node | None) -> str | None:
        """The value of a short text, variables filled in; what is not known of it is `UNKNOWN`."""
        if node is None or not isinstance(node.value, str):
            return None
        text = node.value.strip()
        for _ in range(_STEPS):
            if "${" not in text or len(text) > NAME_CHARS:
                break
            text = _VARIABLE.sub(self._variable, text)
        if not text or len(text) > NAME_CHARS or "\n" in text:
            return None
        return UNKNOWN if _TEMPLATE.search(text) else text

    def _variable(self, match: re.Match[str]) -> str:
        default, name, fallback, path = match.groups()
        if default is not None or name is not None:
            return (default if default is not None else fallback).strip().strip("'\"")
        node = self.root.get(*path.split(".")) if path else None
        return str(node.value) if node is not None and isinstance(node.value, (str, int)) else UNKNOWN

    def told(self, node: Node) -> bool:
        """True when the value was told before, or is known to name nothing."""
        return (node.line, node.column) in self._told

    def ignore(self, node: Node | None) -> None:
        """Says that a value names nothing, whatever its shape."""
        if node is not None:
            self._told.add((node.line, node.column))

    def refer(
        self,
        kind: ComponentKind,
        target: Target,
        loader: str,
        node: Node,
        *,
        flags: Iterable[Flag] = (),
        confidence: Confidence = Confidence.HIGH,
    ) -> None:
        """One reference at the place of a value, which may name several things."""
        self.ignore(node)
        ref = target.ref
        unknown = ref is None or UNKNOWN in f"{ref.location}{ref.revision or ''}"
        self.found.add(
            kind,
            None if unknown else ref,
            visible(loader),
            node.text_line,
            node.column,
            flags=frozenset(flags) if unknown else frozenset(flags) | target.flags,
            confidence=confidence,
        )


def normal(key: str) -> str:
    """The key as programs compare it that take `--a-b`, `a_b` and `aB` for the same."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).replace("-", "_").lower() if len(key) < 80 else key


def guarded(make: Callable[[], Target]) -> Target:
    """The target, or nothing when the text only looks like an address (`http://[`)."""
    try:
        return make()
    except ValueError:
        return NOTHING


def _store(text: str) -> Target:
    if text.startswith("huggingface://"):
        return address(f"hf://{text.removeprefix('huggingface://')}")
    return mlflow(text) if text.startswith(("models:/", "runs:/")) else address(text)


def loaded(text: str, revision: str | None = None, scheme: str = "hf") -> Target:
    """What a key names that can only name a repository, a path or an address."""
    if UNKNOWN in text or _SPACE.search(text):
        return NOTHING
    if text.startswith(_STORES):
        return guarded(lambda: _store(text))
    if text.partition("/")[0].lower() in _FOLDERS and "/" in text and "://" not in text:
        return guarded(lambda: local(text))
    return guarded(lambda: hub(text, revision, scheme=scheme))


def repository(text: str, revision: str | None = None, scheme: str = "hf") -> Target | None:
    """A repository of the Hub or a file in a store, when the text has no other meaning."""
    if UNKNOWN in text or _SPACE.search(text):
        return None
    if "://" in text or text.startswith("models:/"):
        known = text.startswith(_STORES) or _WEIGHTS.search(text) or "//huggingface.co/" in text
        found = guarded(lambda: _store(text)) if known else NOTHING
        return found if found.ref is not None else None
    found = loaded(text, revision, scheme)
    if found.ref is None or found.ref.scheme != scheme or "/" not in found.ref.location:
        return None
    return found


def is_plainly_hub(text: str) -> bool:
    """True for `org/name` whose name says that it is a model: its size, its family, its quantisation."""
    return bool(_PLAIN_HUB.search(text.partition("/")[2]))


def service(text: str) -> Named | None:
    """A model of a known provider by its prefix (`azure/`, `openai:`) or its family, or one of Ollama."""
    if UNKNOWN in text or "://" in text or _SPACE.search(text):
        return None
    if _OLLAMA.match(text):
        return ComponentKind.MODEL, ollama(text)
    for separator in ("/", ":"):
        prefix, found, rest = text.partition(separator)
        known = spelled(prefix) if found and rest else None
        if known is not None:
            on_hub = prefix in _SHARED and (_family(rest) is None or _SIZE.search(rest))
            return None if separator == "/" and on_hub else route(known, rest)
    provider = _family(text)
    return (ComponentKind.SERVICE, guarded(lambda: hosted(provider, text))) if provider else None


def _family(text: str) -> str | None:
    return None if "/" in text or _OTHER_MODELS.match(text) else provider_of(text)


def spelled(provider: str) -> str | None:
    """The provider as the router spells it; None when it knows none of that name."""
    name = _SPELLINGS.get(provider.lower(), provider.lower())
    if name in ("ollama", "ollama_chat", "huggingface", "vllm", "hosted_vllm"):
        return name
    target = routed(f"{name}/x")[1].ref if re.fullmatch(r"[a-z_]+(?:-[a-z]+)?", name) else None
    return name if target is not None and target.scheme != "litellm" else None


def route(provider: str, model: str) -> Named:
    """The model at a provider that `spelled` knows."""
    if provider in ("huggingface", "vllm", "hosted_vllm"):
        kind = ComponentKind.SERVICE if provider == "huggingface" else ComponentKind.MODEL
        return kind, loaded(model)
    try:
        return routed(f"{provider}/{model}")
    except ValueError:
        return ComponentKind.SERVICE, NOTHING


def unknown_service(model: str) -> Named:
    """A model behind an interface whose provider is not known."""
    return ComponentKind.SERVICE, guarded(lambda: hosted("litellm", model))
