"""Packages of npm that load weights: from the Hugging Face Hub, from files, from catalogues of their own.

Sources: the documentation of transformers.js, huggingface.js, ONNX Runtime, TensorFlow.js, node-llama-cpp,
WebLLM and Ollama.
"""

from __future__ import annotations

from typing import Final

from aibom.discovery.javascript_call import Call
from aibom.discovery.javascript_loader import Loader, at, key, loader, simple
from aibom.discovery.loaders.registries import ollama
from aibom.discovery.loaders.torch import file_or_address
from aibom.discovery.targets import Target, address, hub, local, named
from aibom.domain.component import ComponentKind
from aibom.domain.reference import Flag

_MODEL: Final = ComponentKind.MODEL
_UNPINNED: Final = frozenset({Flag.UNPINNED})
# Whatever is named like these is a tokenizer or another preprocessor, not weights.
_TOKENIZERS: Final = ("Tokenizer", "TokenizerFast", "Processor", "FeatureExtractor")


def _pretrained(call: Call) -> None:
    tokenizer = call.path.split(".")[-2].endswith(_TOKENIZERS)
    commit = call.option(1, "revision").text
    targets = [hub(text, commit) for text in call.argument(0).texts]
    call.refer(ComponentKind.TOKENIZER if tokenizer else _MODEL, targets)


def _pipeline(call: Call) -> None:
    model, commit = call.argument(1), call.option(2, "revision").text
    # Without a model the library picks one for the task, and another one in its next version.
    flags = () if model.given else _UNPINNED
    call.refer(_MODEL, [hub(text, commit) for text in model.texts], flags)


_REPOSITORIES: Final = {
    "dataset": (ComponentKind.DATASET, "hf-dataset"), "datasets": (ComponentKind.DATASET, "hf-dataset"),
    "space": (ComponentKind.CODE, "hf-space"), "spaces": (ComponentKind.CODE, "hf-space"),
}  # fmt: skip


def _download(call: Call) -> None:
    """`repo` is `[datasets/]org/name` or `{type, name}`."""
    commit, file = call.option(0, "revision").text, call.option(0, "path").text
    names = call.option(0, "repo").texts or call.owner(0, "repo", "name").texts
    said = call.owner(0, "repo", "type").text or ""
    if not names:
        call.refer(_REPOSITORIES.get(said, (_MODEL, "hf"))[0], [])
    for name in names:
        head, _, rest = name.partition("/")
        kind, scheme = _REPOSITORIES.get(head if "/" in rest else said, (_MODEL, "hf"))
        text = rest if head in ("datasets", "spaces", "models") and "/" in rest else name
        call.refer(kind, [hub(text, commit, scheme=scheme, subpath=file)])


def _inferred(text: str) -> Target:
    """A model on the Hub, with the provider that runs it behind a colon."""
    return hub(text if "://" in text else text.partition(":")[0])


_TRANSFORMERS: Final = (
    loader(r"pipeline", _pipeline),
    loader(r"\w+\.from_pretrained", _pretrained),
)
_INFERENCE: Final = (
    simple(r"(?:InferenceClient|HfInference)\(\)\.endpoint", at(0), address),
    simple(
        r"(?:(?:InferenceClient|HfInference)\(\)\.)?(?!endpoint)[a-z]\w+", key(), _inferred, optional=True
    ),
)


def _file(text: str) -> Target:
    """A path or address as browsers and Node write them."""
    if text.startswith(("file://", "localstorage://", "indexeddb://")):
        return local(text.removeprefix("file://"))
    return file_or_address(text)


def _fetched(text: str) -> Target:
    """What node-llama-cpp fetches: `hf:owner/name[/file][:quantisation]`, an address or a path."""
    if not text.startswith("hf:"):
        return address(text) if "://" in text else local(text)
    owner, _, rest = text.removeprefix("hf:").partition("/")
    name, _, file = rest.partition("/")
    return hub(f"{owner}/{name.partition(':')[0]}", subpath=file.partition("#")[0] or None)


def _catalogued(text: str) -> Target:
    return Target(ref=named("web-llm", text).ref, flags=_UNPINNED)


_ONNX: Final = (simple(r"InferenceSession\.create", at(0), _file, _MODEL, objects=True),)
_TENSORFLOW: Final = (
    simple(
        r"loadGraphModel(?:Sync)?|loadLayersModel|loadTFLiteModel|node\.loadSavedModel",
        at(0), _file, _MODEL, objects=True,
    ),
)  # fmt: skip
_LLAMA: Final = (
    simple(r"getLlama\(\)\.loadModel|LlamaModel", key("modelPath"), local, _MODEL, objects=True),
    simple(r"resolveModelFile", at(0), _fetched, _MODEL),
    simple(r"createModelDownloader", key("modelUri", "modelUrl"), _fetched, _MODEL),
)
_WEBLLM: Final = (
    simple(
        r"Create(?:ServiceWorker)?MLCEngine|(?:ServiceWorker)?MLCEngine\(\)\.reload",
        at(0),
        _catalogued,
        _MODEL,
    ),
    simple(r"CreateWebWorkerMLCEngine", at(1), _catalogued, _MODEL),
)
_OLLAMA: Final = (
    simple(r"(?:(?:Ollama)?\(\)\.)?(?:chat|generate|embed|embeddings|pull|show)", key(), ollama, _MODEL),
    simple(r"(?:(?:Ollama)?\(\)\.)?create", key("from"), ollama, _MODEL, optional=True),
)

PACKAGES: Final[dict[str, tuple[Loader, ...]]] = {
    "@huggingface/transformers": _TRANSFORMERS,
    "@xenova/transformers": _TRANSFORMERS,
    "kokoro-js": _TRANSFORMERS,
    "@huggingface/inference": _INFERENCE,
    "@huggingface/hub": (loader(r"downloadFile(?:ToCacheDir)?|snapshotDownload", _download),),
    "onnxruntime-node": _ONNX,
    "onnxruntime-web": _ONNX,
    "onnxruntime-react-native": _ONNX,
    "onnxruntime-common": _ONNX,
    "@tensorflow/tfjs": _TENSORFLOW,
    "@tensorflow/tfjs-node": _TENSORFLOW,
    "@tensorflow/tfjs-node-gpu": _TENSORFLOW,
    "@tensorflow/tfjs-core": _TENSORFLOW,
    "@tensorflow/tfjs-layers": _TENSORFLOW,
    "@tensorflow/tfjs-converter": _TENSORFLOW,
    "@tensorflow/tfjs-tflite": _TENSORFLOW,
    "@tensorflow/tfjs-react-native": _TENSORFLOW,
    "node-llama-cpp": _LLAMA,
    "@mlc-ai/web-llm": _WEBLLM,
    "ollama": _OLLAMA,
}
