"""Model registries and experiment trackers, and names that say their provider.

Sources: the documentation of MLflow (model URIs), Weights & Biases (artifact names), ModelScope,
Ollama (model names) and LiteLLM (providers).
"""

from __future__ import annotations

import re
from typing import Final

from aibom.discovery.loaders.hosted import hosted, ollama
from aibom.discovery.loaders.providers import PROVIDERS, provider_of
from aibom.discovery.python_call import Call, Loader, from_hub
from aibom.discovery.targets import NOTHING, Target, address, fixed, hub, local, moving
from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence

__all__ = ["LOADERS", "ROOTS", "mlflow", "ollama", "provider_of", "routed"]

_MODEL: Final = ComponentKind.MODEL
_RUN = re.compile(r"runs:/([0-9a-f]{32})/(.+)\Z")
_VERSION = re.compile(r"v\d+\Z")


def mlflow(text: str) -> Target:
    """`models:/name/version`, `models:/name@alias`, `runs:/id/path`, or an address or path."""
    if text.startswith("models:/"):
        return _registered(text.removeprefix("models:/").strip("/"))
    run = _RUN.match(text)
    if run:
        return fixed("mlflow", run[2], run[1])
    return address(text) if "://" in text else local(text)


def _registered(text: str) -> Target:
    name, _, version = text.partition("/")
    name, _, alias = name.partition("@")
    if not name:
        return NOTHING
    if version.isdigit():
        return fixed("mlflow", name, version)
    return moving("mlflow", name, alias or version or None, floating=True)


def _mlflow(call: Call) -> None:
    position = 1 if call.name.endswith("spark_udf") else 0
    if not call.built(position, "model_uri"):
        call.refer(_MODEL, [mlflow(text) for text in call.texts(position, "model_uri", "artifact_uri")])


def _wandb(call: Call) -> None:
    """`[entity/project/]name:version`; `v3` never moves, an alias does."""
    if call.built(0, *_WANDB_NAMES):
        return  # an artifact that was made here
    kind = ComponentKind.DATASET if call.text(1, "type") == "dataset" else _MODEL
    call.refer(kind, [_artifact(text) for text in call.texts(0, *_WANDB_NAMES)])


_WANDB_NAMES: Final = ("artifact_or_name", "name", "path")


def _guessed_artifact(call: Call) -> None:
    texts = [text for text in call.texts(0, *_WANDB_NAMES) if ":" in text]
    if texts:
        kind = ComponentKind.DATASET if call.text(1, "type") == "dataset" else _MODEL
        call.refer(kind, [_artifact(text) for text in texts], confidence=Confidence.MEDIUM)


def _artifact(text: str) -> Target:
    name, _, version = text.partition(":")
    if not name:
        return NOTHING
    if _VERSION.match(version):
        return fixed("wandb", name, version)
    return moving("wandb", name, version or None, floating=bool(version))


def _ollama(call: Call) -> None:
    if not call.absent(0, "model"):
        call.refer(_MODEL, [ollama(text) for text in call.texts(0, "model")])


def routed(text: str, separator: str = "/") -> tuple[ComponentKind, Target]:
    """What a router is given: `provider/model`, or a bare name whose family tells the provider."""
    prefix, found, rest = text.partition(separator)
    if found and prefix in ("ollama", "ollama_chat"):
        return _MODEL, ollama(rest)
    if found and prefix in ("huggingface", "hosted_vllm", "vllm"):
        return ComponentKind.SERVICE, hub(rest)
    if found and prefix in PROVIDERS:
        return ComponentKind.SERVICE, hosted(PROVIDERS[prefix], rest)
    return ComponentKind.SERVICE, hosted(provider_of(text) or "litellm", text)


_MODELSCOPE: Final = ("model_id", "pretrained_model_name_or_path", "model", "model_dir", "model_name_or_path")

LOADERS: Final[tuple[Loader, ...]] = (
    Loader(pattern="mlflow.*.load_model", refer=_mlflow),
    Loader(pattern="mlflow.artifacts.download_artifacts", refer=_mlflow),
    Loader(pattern="mlflow.pyfunc.spark_udf", refer=_mlflow),
    Loader(pattern="mlflow.register_model", refer=_mlflow),
    Loader(pattern="wandb.*.use_artifact", refer=_wandb),
    Loader(pattern="wandb.*.use_model", refer=_wandb),
    Loader(pattern="wandb.*.Api().artifact", refer=_wandb),
    Loader(pattern="*.use_artifact", refer=_guessed_artifact, guess=True),
    from_hub("modelscope.*.pipeline", "model", position=1, scheme="modelscope", optional=True),
    from_hub("modelscope.*.from_pretrained", *_MODELSCOPE, scheme="modelscope", kind=None),
    from_hub("modelscope.*.snapshot_download", *_MODELSCOPE, scheme="modelscope"),
    from_hub("modelscope.*.model_file_download", *_MODELSCOPE, scheme="modelscope"),
    from_hub("modelscope.*.dataset_snapshot_download", "dataset_id", scheme="modelscope",
    kind=ComponentKind.DATASET),
    from_hub("modelscope.*.MsDataset.load", "dataset_name", scheme="modelscope", kind=ComponentKind.DATASET),
    *(Loader(pattern=f"ollama.{client}{verb}", refer=_ollama)
      for client in ("", "Client().", "AsyncClient().")
      for verb in ("chat", "generate", "embed", "embeddings", "pull", "show")),
)  # fmt: skip

ROOTS: Final[dict[str, tuple[str, ...]]] = {
    "mlflow": ("load_model", "download_artifacts", "spark_udf", "register_model"),
    "wandb": ("use_artifact", "use_model", "artifact("), "modelscope": (), "ollama": (),
}  # fmt: skip
