"""Programs and images that serve models.

Sources: the command line and container references of vLLM, Text Generation Inference, Text
Embeddings Inference, SGLang, llama.cpp, LMDeploy, TensorRT-LLM, Triton, OpenVINO Model Server,
TensorFlow Serving, TorchServe, KServe, MLflow, Infinity, LiteLLM and lm-evaluation-harness.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aibom.discovery.command import NO_FLAGS, Command, Refer, Referred, model_option, unpinned
from aibom.discovery.environment import model_named
from aibom.discovery.fetchers import spacy
from aibom.discovery.loaders.registries import routed
from aibom.discovery.targets import Target, address, hub, image, local, named
from aibom.domain.component import ComponentKind
from aibom.domain.reference import Flag

_MODEL: Final = ComponentKind.MODEL
_STORE = re.compile(r"(?:s3|gs|hf|oci|abfss?|az|models|runs):/")


def _vllm(command: Command) -> Iterator[Referred]:
    yield from model_option("vllm serve", "--model", "--model-path", plain=("serve",))(command)
    revision = command.option("--tokenizer-revision")
    for name, kind in (("--tokenizer", ComponentKind.TOKENIZER), ("--speculative-model", _MODEL)):
        value = command.option(name)
        if value and value != "auto":
            target = hub(value, revision if kind is not _MODEL else None)
            flags = command.remote if kind is not _MODEL else NO_FLAGS
            yield Referred(f"vllm {name}", kind, target, flags)
    for number, word in enumerate(command.words):
        if word == "--lora-modules":
            yield from _adapters(command.words[number + 1 :])


def _adapters(words: tuple[str, ...]) -> Iterator[Referred]:
    """`name=org/adapter name=/path ...` up to the next option."""
    for word in words:
        name, found, place = word.partition("=")
        if not found or name.startswith("-"):
            return
        yield Referred("vllm --lora-modules", ComponentKind.ADAPTER, hub(place))


def _llama_cpp(command: Command) -> Iterator[Referred]:
    repository = command.option("-hf", "-hfr", "--hf-repo", "--hf_model_repo_id")
    if repository:
        name, _, quantisation = repository.partition(":")
        file = command.option("-hff", "--hf-file")
        yield Referred(f"{command.program} -hf", _MODEL, hub(name, quantisation or None, subpath=file))
    path = command.option("-m", "--model")
    if path and not repository:  # else it is where the file of the repository goes
        yield Referred(f"{command.program} -m", _MODEL, local(path))
    place = command.option("-mu", "--model-url")
    if place:
        yield Referred(f"{command.program} -mu", _MODEL, address(place))
    for adapter in command.options("--lora"):
        yield Referred(f"{command.program} --lora", ComponentKind.ADAPTER, local(adapter))


def _of_folder(loader: str, *names: str) -> Refer:
    """A server of the models in a folder or store."""

    def refer(command: Command) -> Iterator[Referred]:
        for value in command.options(*names):
            yield Referred(loader, _MODEL, address(value) if _STORE.match(value) else local(value))

    return refer


def _evaluation(command: Command) -> Iterator[Referred]:
    """`lm_eval --model_args pretrained=org/name,revision=...,peft=...`."""
    pairs = [pair.partition("=") for pair in (command.option("--model_args", "-a") or "").split(",")]
    given = {key.strip(): value for key, _, value in pairs if value}
    flags = (
        frozenset({Flag.REMOTE_CODE})
        if given.get("trust_remote_code", "") in ("True", "true", "1")
        else NO_FLAGS
    )
    names = (("pretrained", _MODEL), ("peft", ComponentKind.ADAPTER), ("tokenizer", ComponentKind.TOKENIZER))
    for name, kind in names:
        if name in given:
            yield Referred("lm_eval --model_args", kind, hub(given[name], given.get("revision")), flags)


def _routed(command: Command) -> Iterator[Referred]:
    name = command.option("--model", "-m")
    if name:
        yield Referred(f"{command.program} --model", *routed(name))


def _yolo(command: Command) -> Iterator[Referred]:
    """`yolo train model=yolov8n.pt`: a name that is no path is fetched."""
    for word in command.words:
        name = word.removeprefix("model=")
        if name != word and name:
            target = local(name) if "/" in name else unpinned(named("ultralytics", name))
            yield Referred("yolo model", _MODEL, target)


def _whisper(command: Command) -> Iterator[Referred]:
    """`whisper audio.mp3 --model large-v3`: one of the models of the package."""
    name = command.option("--model")
    if name:
        yield Referred("whisper --model", _MODEL, unpinned(named("openai-whisper", name)))


def _asked(command: Command) -> Iterator[Referred]:
    """`llm -m model`: hosted, when its name says by whom."""
    found = model_named(command.option("-m", "--model") or "")
    if found is not None:
        yield Referred(f"{command.program} -m", *found)


_TGI: Final = model_option("text-generation-launcher", "--model-id")
_TEI: Final = model_option("text-embeddings-router", "--model-id")
_SGLANG: Final = model_option("sglang.launch_server", "--model-path", "--model")
_TRITON: Final = _of_folder("tritonserver", "--model-repository", "--model-store")
_KSERVE: Final = model_option("huggingfaceserver", "--model_id", "--model-id")
_INFINITY: Final = model_option("infinity_emb", "--model-id", "--model-name-or-path")

SERVERS: Final[dict[str, Refer]] = {
    "vllm": _vllm, "aphrodite": _vllm,
    "text-generation-launcher": _TGI, "text-embeddings-router": _TEI,
    "text-generation-server": model_option("text-generation-server", plain=("download-weights",)),
    "sglang": _SGLANG, "infinity_emb": _INFINITY, "huggingfaceserver": _KSERVE,
    "lmdeploy": model_option("lmdeploy serve", "--model", plain=("serve", "api_server")),
    "trtllm-serve": model_option("trtllm-serve", "--model", "--model_path", plain=()),
    "llama-server": _llama_cpp, "llama-cli": _llama_cpp, "llama-run": _llama_cpp, "llamafile": _llama_cpp,
    "llama-embedding": _llama_cpp, "llama-bench": _llama_cpp, "llama-mtmd-cli": _llama_cpp,
    "tritonserver": _TRITON,
    "tensorflow_model_server": _of_folder("tensorflow_model_server", "--model_base_path"),
    "torchserve": _of_folder("torchserve", "--model-store"),
    "ovms": _of_folder("ovms", "--model_path"),
    "whisper": _whisper, "llm": _asked, "aichat": _asked,
    "lorax-launcher": model_option("lorax-launcher", "--model-id"),
    "transformers": model_option("transformers", "--model", "--model_name_or_path", plain=("download",)),
    "transformers-cli": model_option("transformers-cli", "--model", plain=("download",)),
    "autotrain": model_option("autotrain", "--model"),
    "lm_eval": _evaluation, "lm-eval": _evaluation, "litellm": _routed, "yolo": _yolo,
    "optimum-cli": model_option("optimum-cli export", "--model", "-m"),
    **{
        f"mlx_lm.{verb}": model_option(f"mlx_lm.{verb}", "--model", "--hf-path")
        for verb in ("server", "generate", "chat", "lora", "fuse", "convert", "evaluate")
    },
    "ct2-transformers-converter": model_option("ct2-transformers-converter", "--model"),
}  # fmt: skip

# Modules that `python -m` runs; the first that begins the name.
MODULES: Final[tuple[tuple[str, Refer], ...]] = (
    ("vllm.entrypoints", _vllm), ("sglang", _SGLANG), ("huggingfaceserver", _KSERVE), ("spacy", spacy),
    ("llama_cpp.server", _llama_cpp), ("lm_eval", _evaluation), ("lmdeploy", SERVERS["lmdeploy"]),
    ("mlx_lm", model_option("mlx_lm", "--model", "--hf-path")), ("tensorrt_llm", SERVERS["trtllm-serve"]),
    ("aphrodite", _vllm), ("fastchat.serve", model_option("fastchat.serve", "--model-path")),
)  # fmt: skip

# The end of an image's name, and the program that its container runs ("" when it is told which).
_IMAGES: Final[tuple[tuple[str, str], ...]] = (
    (
        r"vllm-openai(?:-rocm)?|vllm(?:-(?:cpu|tpu|gpu|rocm|xpu|hpu|gaudi|neuron|dev)[\w-]*)?",
        "vllm serve",
    ),
    (r"text-generation-inference|tgi-gaudi|huggingface-pytorch-tgi-inference", "text-generation-launcher"),
    (r"text-embeddings-inference|huggingface-pytorch-tei-inference|tei-gaudi", "text-embeddings-router"),
    (r"ollama/ollama|ollama", "ollama"),
    (r"llama\.cpp", "llama-server"),
    (r"tritonserver(?:-\w+)*", ""),
    (r"(?:lmsysorg|ghcr\.io/[\w-]+)/sglang", ""),
    (r"michaelf34/infinity", "infinity_emb"),
    (r"(?:kserve/)?huggingfaceserver", "huggingfaceserver"),
    (r"(?:berriai/)?litellm(?:-database|-non_root|-proxy)?", "litellm"),
    (r"openmmlab/lmdeploy|lmdeploy", ""),
    (r"tensorrt[_-]llm(?:/release)?", ""),
    (r"tensorflow/serving(?:-gpu)?", "tensorflow_model_server"),
    (r"pytorch/torchserve(?:-\w+)*|torchserve-kfs", "torchserve"),
    (r"openvino/model_server", "ovms"),
    (r"mlserver|kserve/(?:sklearn|xgb|lgb|pmml|paddle)server", ""),
    (r"localai/localai|quay\.io/go-skynet/local-ai|local-ai", ""),
    (r"xprobe/xinference|xinference", ""),
    (r"rayproject/ray-(?:llm|ml)|anyscale/ray-llm", ""),
    (
        r"predibase/lorax|aphrodite-engine|djl-serving|djl-inference|faster-whisper-server|speaches|open-webui",
        "",
    ),
    (
        r"tabbyml/tabby|koboldcpp|text-generation-webui|huggingface-(?:pytorch|tensorflow)-(?:inference|training)",
        "",
    ),
    (r"huggingface/transformers-[\w-]+|seldonio/(?:mlserver|huggingfaceserver)|llama-stack[\w-]*|llm-d", ""),
)
# The end of the name of an image of one program, and that program.
_TOOLS: Final = (
    (re.compile(r"(?:.*/)?amazon/aws-cli|(?:.*/)?aws-cli/aws-cli"), "aws"),
    (re.compile(r"(?:.*/)?(?:curlimages/curl|cloud-builders/curl|alpine/curl)"), "curl"),
    (re.compile(r"(?:.*/)?(?:alpine/git|bitnami/git|cloud-builders/git)"), "git"),
    (re.compile(r"(?:.*/)?(?:cloud-builders/)?gsutil"), "gsutil"),
    (re.compile(r"(?:.*/)?cloud-builders/gcloud"), "gcloud"),
    (re.compile(r"(?:.*/)?(?:cloud-builders/wget)"), "wget"),
    (re.compile(r"(?:.*/)?rclone/rclone"), "rclone"),
    (re.compile(r"(?:.*/)?peakcom/s5cmd"), "s5cmd"),
    (re.compile(r"(?:.*/)?cloud-builders/docker"), "docker"),
)
_SERVER_IMAGES: Final = tuple((re.compile(rf"(?:.*/)?(?:{name})\Z"), program) for name, program in _IMAGES)
_IMAGE = re.compile(r"[\w./-]+(?::\d+/[\w./-]+)?(?::[\w.\0-]+)?(?:@[\w:\0]+)?\Z", re.ASCII)  # NUL: not known


def server_image(text: str) -> tuple[Target, tuple[str, ...]] | None:
    """The image with the program of its container, when it is one of a known model server."""
    target = image(text) if len(text) <= 512 and _IMAGE.match(text) else None
    if target is None or target.ref is None:
        return None
    name = target.ref.location
    if name.startswith("nvcr.io/nim/"):
        return target, ()
    for pattern, program in _SERVER_IMAGES:
        if pattern.match(name):
            return target, tuple(program.split())
    return None


def tool_of(text: str) -> tuple[str, ...]:
    """The program of an image that is made for one program alone; () for every other one."""
    target = image(text) if len(text) <= 512 and _IMAGE.match(text) else None
    name = target.ref.location if target is not None and target.ref is not None else ""
    return next(((program,) for pattern, program in _TOOLS if pattern.fullmatch(name)), ())
