"""Keys that mean the same in so many configurations that the program does not matter.

Sources: the argument classes of transformers, TRL, PEFT, LLaMA-Factory, diffusers and axolotl, and
the engine arguments of vLLM and Text Generation Inference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aibom.discovery.environment import is_canonical
from aibom.discovery.marked import Node
from aibom.discovery.settings_values import (
    Settings,
    guarded,
    is_plainly_hub,
    loaded,
    normal,
    repository,
    service,
)  # fmt: skip
from aibom.discovery.targets import Target, named
from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.reference import Flag

_MODEL: Final = ComponentKind.MODEL
_ADAPTER: Final = ComponentKind.ADAPTER
_DATASET: Final = ComponentKind.DATASET
_TOKENIZER: Final = ComponentKind.TOKENIZER


@dataclass(frozen=True, slots=True)
class _Key:
    kind: ComponentKind
    certain: bool = False  # holds a name of the Hub or a path, whatever it looks like


_KEYS: Final[dict[str, _Key]] = {
    **dict.fromkeys(
        ("model_name_or_path", "pretrained_model_name_or_path", "base_model_name_or_path", "hf_model_id",
         "hf_model_name", "hf_model_name_or_path", "huggingface_model_id", "ref_model_name_or_path",
         "reward_model_name_or_path", "teacher_model_name_or_path", "student_model_name_or_path",
         "sft_model_path", "reward_model_path", "controlnet_model_name_or_path",
         "pretrained_vae_model_name_or_path", "text_encoder_name_or_path", "encoder_name_or_path",
         "draft_model_name_or_path"),
        _Key(_MODEL, certain=True)),
    **dict.fromkeys(
        ("base_model", "base_model_id", "base_model_name", "base_model_path", "model_id", "model_name",
         "model_path", "model_uri", "model_url", "model_repo", "model_repo_id", "hf_model", "hf_repo",
         "hf_repo_id", "hf_path", "huggingface_model", "huggingface_repo", "huggingface_id", "repo_id",
         "pretrained_model", "pretrained_model_name", "pretrained_model_path", "pretrained",
         "embedding_model", "embedding_model_name", "embedding_model_id", "embeddings_model", "embed_model",
         "embedder_model", "embedding_model_name_or_path", "reranker_model", "reranker_model_name",
         "rerank_model", "rerank_model_name", "reranker", "cross_encoder", "draft_model",
         "speculative_model", "assistant_model", "reward_model", "ref_model", "reference_model",
         "teacher_model", "student_model", "policy_model", "critic_model", "actor_model", "judge_model",
         "judge_model_name", "eval_model", "evaluator_model", "llm_model", "llm_model_name", "llm_name",
         "chat_model", "chat_model_name", "completion_model", "vision_model", "vision_model_id",
         "text_model", "whisper_model", "default_model", "small_model", "fallback_model", "source_model",
         "sentence_transformer", "vlm_model", "generation_model", "generator_model", "summarization_model",
         "model_name_or_id", "vae", "vae_model", "text_encoder", "unet", "controlnet", "controlnet_model",
         "clip_model", "modelname", "modelid", "served_model", "llm", "function_calling_llm", "manager_llm",
         "planning_llm"),
        _Key(_MODEL)),
    **dict.fromkeys(
        ("adapter_name_or_path", "lora_model_dir", "lora_name_or_path", "lora_model_name_or_path",
         "peft_model_name_or_path", "peft_model_id"),
        _Key(_ADAPTER, certain=True)),
    **dict.fromkeys(
        ("adapter_model", "adapter_id", "adapter_model_id", "lora_repo", "lora_repo_id", "lora_model",
         "lora_path", "adapter_path", "lora_id", "lora_model_id"),
        _Key(_ADAPTER)),
    **dict.fromkeys(
        ("tokenizer_name_or_path", "processor_name_or_path", "image_processor_name_or_path",
         "feature_extractor_name_or_path", "pretrained_tokenizer_name_or_path"),
        _Key(_TOKENIZER, certain=True)),
    **dict.fromkeys(
        ("tokenizer_name", "tokenizer_id", "tokenizer", "tokenizer_config", "processor_config",
         "processor_name", "tokenizer_path", "processor_id", "image_processor_name",
         "feature_extractor_name", "tokenizer_repo_id", "hf_tokenizer"),
        _Key(_TOKENIZER)),
    **dict.fromkeys(
        ("dataset_name", "dataset_name_or_path", "dataset_id", "dataset_repo_id", "dataset_repo",
         "dataset_path", "hf_dataset", "hf_dataset_id", "hf_dataset_name", "hf_hub_url", "train_dataset",
         "train_dataset_name", "eval_dataset", "eval_dataset_name", "test_dataset", "calibration_dataset",
         "train_dataset_path", "eval_dataset_path", "preference_dataset", "preference_dataset_name",
         "datasetname"),
        _Key(_DATASET)),
}  # fmt: skip
_REVISIONS: Final = {
    _MODEL: ("model_revision", "revision_of_model", "revision", "hf_revision", "commit_hash"),
    _ADAPTER: ("adapter_revision", "lora_revision", "peft_revision"),
    _TOKENIZER: ("tokenizer_revision", "revision", "model_revision", "revision_of_model"),
    _DATASET: ("dataset_revision", "hf_dataset_revision", "revision"),
}
# Whose revision a plain `revision` is, when several things are named.
_MAIN: Final = frozenset((
    "model", "model_name_or_path", "pretrained_model_name_or_path", "base_model_name_or_path",
    "base_model", "model_id", "model_name", "hf_model_id", "pretrained_model", "repo_id",
))  # fmt: skip
_NAME_ENDING = re.compile(r"(?:_name_or_path|_name|_id|_path|_repo_id|_repo)\Z")
# Beside one of these a bare name is an id of the Hub too.
_TRAINING: Final = frozenset((
    "learning_rate", "num_train_epochs", "per_device_train_batch_size", "gradient_accumulation_steps",
    "max_seq_length", "lora_r", "lora_alpha", "model_name_or_path", "finetuning_type",
    "micro_batch_size", "num_epochs", "max_steps", "dataset_config", "dataset_config_name",
    "dataset_train_split", "dataset_split", "dataset_text_field", "dataset_revision", "batch_size",
    "epochs",
))  # fmt: skip
_PREPROCESSING = re.compile(r"(?:Tokenizer|TokenizerFast|Processor|FeatureExtractor)\.from_pretrained\Z")
_BORROWED = re.compile(r"\$\{([\w.-]{1,200})\}\Z")
# Members of a mapping that is about a data set of the Hub.
_ABOUT_DATA: Final = frozenset((
    "split", "splits", "subset", "config", "config_name", "hub", "revision", "streaming", "text_field",
    "text_column", "column", "columns", "num_samples", "max_samples", "shuffle",
))  # fmt: skip
_PRETRAINED = re.compile(r"(?:\A|,)(pretrained|peft|tokenizer)=([^,\s]++)")
_REVISION = re.compile(r"(?:\A|,)revision=([^,\s]++)")


def revision(members: dict[str, Node], kind: ComponentKind, name: str = "") -> str | None:
    """The revision that a mapping gives for what its key `name` holds."""
    own = f"{_NAME_ENDING.sub('', name)}_revision"
    general = _REVISIONS[kind]
    if kind is _TOKENIZER and _has_other_model(members, name):
        general = general[:1]
    if name and name not in _MAIN and kind is not _TOKENIZER and not _MAIN.isdisjoint(members):
        general = tuple(key for key in general if kind is not _MODEL and key != "revision")
    for key in (own, *general):
        node = members.get(key)
        if node is not None and isinstance(node.value, (str, int)) and not isinstance(node.value, bool):
            return str(node.value)
    return None


def _has_other_model(members: dict[str, Node], name: str) -> bool:
    """True when the revision of a model beside a tokenizer is one of another repository."""
    own = members.get(name)
    models = [members[key].value for key in sorted(_MAIN & members.keys())]
    return bool(models) and (own is None or own.value not in models)


def remote_code(members: dict[str, Node], kind: ComponentKind) -> frozenset[Flag]:
    """The flag, when the mapping lets repositories bring code along."""
    node = members.get("trust_remote_code")
    told = node is not None and node.value in (True, "yes", "on", "True")
    return frozenset({Flag.REMOTE_CODE}) if told and kind in (_MODEL, _TOKENIZER) else frozenset()


def normalised(mapping: Node) -> dict[str, Node]:
    """The members of a mapping by `normal` keys; the first of two that are the same."""
    found: dict[str, Node] = {}
    for key, node in mapping.members.items():
        found.setdefault(normal(key), node)
    return found


def texts(node: Node) -> Iterator[Node]:
    """The value, or each value of a list."""
    yield from node.items or (node,)


def constants(settings: Settings) -> None:
    """`pretrained_model_name_or_path: ${backbone}` loads what `backbone` says: that is told once."""
    for path, node in settings.root.walk():
        match = _BORROWED.match(node.value.strip()) if isinstance(node.value, str) else None
        borrower = _KEYS.get(normal(str(path[-1]))) if path and match is not None else None
        if match is None or borrower is None:
            continue
        steps = match[1].split(".")
        lender = _KEYS.get(normal(steps[-1]))
        holder = settings.root.get(*path[:-1])
        called = holder.text("_target_") if holder is not None else None
        other = called is not None and _PREPROCESSING.search(called) is not None
        if lender is not None and lender.kind is borrower.kind and not other:
            settings.ignore(settings.root.get(*steps))


def keys(settings: Settings, members: dict[str, Node]) -> None:
    """Every well-known key of a mapping."""
    for name, value in members.items():
        known = _KEYS.get(name)
        if known is not None:
            for node in texts(value):
                _known(settings, members, name, known, node)
    _datasets(settings, members)
    _arguments(settings, members)


def _known(settings: Settings, members: dict[str, Node], name: str, key: _Key, node: Node) -> None:
    text = settings.text(node)
    if text is None or settings.told(node) or " " in text.replace(", ", ","):
        return  # prose
    for part in text.split(",") if "," in text and "://" not in text else (text,):
        kind, target = _named(part.strip(), members, name, key)
        if target is not None:
            confidence = Confidence.HIGH if key.certain else Confidence.MEDIUM
            settings.refer(kind, target, name, node, flags=remote_code(members, kind), confidence=confidence)


def _named(text: str, members: dict[str, Node], name: str, key: _Key) -> tuple[ComponentKind, Target | None]:
    scheme = "hf-dataset" if key.kind is _DATASET else "hf"
    commit = revision(members, key.kind, name)
    if key.kind is _MODEL:
        other = service(text)
        if other is not None and not (key.certain and "/" in text):
            return other
    if key.certain or _is_bare(text, members, name, key):
        return key.kind, loaded(text, commit, scheme)
    if "_target_" in members and key.kind is _MODEL and "://" not in text and not is_plainly_hub(text):
        return key.kind, None  # an argument of a class that nobody knows
    return key.kind, repository(text, commit, scheme)


def _is_bare(text: str, members: dict[str, Node], name: str, key: _Key) -> bool:
    """True for an id without an organisation, in a mapping that trains."""
    if _TRAINING.isdisjoint(members):
        return False
    if key.kind is _DATASET:
        return (
            name in ("dataset_name", "dataset_id", "hf_dataset")
            and re.fullmatch(r"[\w.-]+", text) is not None
        )
    return is_canonical(text)


def _datasets(settings: Settings, members: dict[str, Node]) -> None:
    """`dataset: org/name`, `datasets: [{path: org/name}]` and `dataset_mixer: {org/name: 0.5}`."""
    single = members.get("dataset")
    if single is not None and not _TRAINING.isdisjoint(members):
        for node in texts(single):
            _dataset(settings, node, "dataset", revision(members, _DATASET, "dataset"))
    for name in ("dataset", "train_dataset", "eval_dataset", "test_dataset", "calibration_dataset"):
        described = members.get(name)
        if described is not None and not _ABOUT_DATA.isdisjoint(described.members):
            _described(settings, described, name)
    for name in ("datasets", "train_datasets", "eval_datasets", "test_datasets", "dataset_list"):
        many = members.get(name)
        for entry in many.items if many is not None else ():
            _described(settings, entry, name)
    mixture = members.get("dataset_mixer")
    for name, share in mixture.members.items() if mixture is not None else ():
        target = repository(name, None, "hf-dataset")
        if target is not None:
            settings.refer(_DATASET, target, "dataset_mixer", share)


def _described(settings: Settings, entry: Node, name: str) -> None:
    """A name, or a mapping with the name and more."""
    inner = entry.members
    keys = ("path", "repo_id", "hf_id", "hub_id", "id", "name")
    place = next((inner[key] for key in keys if key in inner), entry)
    _dataset(settings, place, f"{name}.path" if inner else name, revision(inner, _DATASET))


def _dataset(settings: Settings, node: Node, loader: str, commit: str | None) -> None:
    if settings.told(node):
        return
    for part in (settings.text(node) or "").split(","):
        target = repository(part.strip(), commit, "hf-dataset") if part.strip() else None
        if target is not None:
            settings.refer(_DATASET, target, loader, node, confidence=Confidence.MEDIUM)


def _arguments(settings: Settings, members: dict[str, Node]) -> None:
    """`model_args: pretrained=org/name,revision=...` of the LM evaluation harness, and the like."""
    node = members.get("model_args")
    text = settings.text(node)
    if node is not None and text is not None and not settings.told(node):
        commit = _REVISION.search(text)
        for match in _PRETRAINED.finditer(text):
            kind = {"peft": _ADAPTER, "tokenizer": _TOKENIZER}.get(match[1], _MODEL)
            remote = kind is _MODEL and "trust_remote_code=True" in text
            target = loaded(match[2], commit[1] if commit and kind is _MODEL else None)
            settings.refer(kind, target, "model_args", node, flags=(Flag.REMOTE_CODE,) if remote else ())
    hub_url = members.get("ms_hub_url")
    name = settings.text(hub_url)
    if hub_url is not None and name is not None and "/" in name:
        target = guarded(lambda: Target(ref=named("modelscope", name).ref, flags=frozenset({Flag.UNPINNED})))
        settings.refer(_DATASET, target, "ms_hub_url", hub_url)
