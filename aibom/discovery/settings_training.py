"""Training and merging: axolotl, torchtune, Hydra, mergekit; their keys mean this only there.

Sources: the configuration references of axolotl, torchtune, Hydra (`_target_`), and mergekit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aibom.discovery.marked import Node
from aibom.discovery.settings_keys import normalised, remote_code, revision, texts
from aibom.discovery.settings_values import Settings, guarded, loaded
from aibom.discovery.targets import local
from aibom.domain.component import ComponentKind

_MODEL: Final = ComponentKind.MODEL
_ADAPTER: Final = ComponentKind.ADAPTER
_DATASET: Final = ComponentKind.DATASET
_TOKENIZER: Final = ComponentKind.TOKENIZER
_BUILDERS: Final = ("json", "csv", "parquet", "text", "arrow", "webdataset", "imagefolder", "audiofolder")
# Of these axolotl needs at least two.
_AXOLOTL: Final = frozenset((
    "sequence_len", "micro_batch_size", "val_set_size", "sample_packing", "base_model_config",
    "lora_target_linear", "lora_r", "adapter", "load_in_4bit", "load_in_8bit", "flash_attention",
    "gradient_accumulation_steps", "num_epochs", "output_dir", "datasets", "rl", "pretraining_dataset",
    "revision_of_model", "chat_template", "dataset_prepared_path", "lora_model_dir",
))  # fmt: skip
_MERGES: Final = ("merge_method", "slices", "experts")
_PREPROCESSORS: Final = ("Tokenizer", "TokenizerFast", "Processor", "FeatureExtractor")


def training(settings: Settings) -> None:
    """What the whole document is decides what its keys mean."""
    members = settings.root.members
    if "base_model" in members and len(_AXOLOTL & members.keys()) >= 2:
        _axolotl(settings, members)
    if not members.keys().isdisjoint(_MERGES):
        _mergekit(settings)


def _axolotl(settings: Settings, members: dict[str, Node]) -> None:
    kinds = {
        "base_model": _MODEL, "base_model_config": _MODEL, "tokenizer_config": _TOKENIZER,
        "processor_config": _TOKENIZER, "lora_model_dir": _ADAPTER,
    }  # fmt: skip
    for key, kind in kinds.items():
        text = settings.text(members.get(key))
        if text is not None:
            flags = remote_code(members, kind)
            settings.refer(
                kind, loaded(text, revision(members, kind, key)), f"axolotl.{key}", members[key], flags=flags
            )
    for key in ("datasets", "test_datasets", "pretraining_dataset"):
        for entry in texts(members[key]) if key in members else ():
            _axolotl_dataset(settings, entry, f"axolotl.{key}")


def _axolotl_dataset(settings: Settings, entry: Node, loader: str) -> None:
    place = entry.get("path") or entry
    text = settings.text(place)
    if text in _BUILDERS:
        _files(settings, entry, loader)
    elif text is not None:
        remote = remote_code(entry.members, _MODEL)
        target = loaded(text, revision(entry.members, _DATASET), "hf-dataset")
        settings.refer(_DATASET, target, loader, place, flags=remote)


def _files(settings: Settings, entry: Node, loader: str) -> None:
    """The files that a packaged builder of `datasets` reads."""
    for node in texts(entry.get("data_files") or Node(None, 1, 1)):
        text = settings.text(node)
        if text is not None:
            settings.refer(_DATASET, loaded(text, None, "hf-dataset"), loader, node)


def component(settings: Settings, mapping: Node) -> None:
    """torchtune's `_component_` and Hydra's `_target_`: a mapping that says what it is the arguments of."""
    tuned = mapping.text("_component_")
    if tuned is not None and tuned.startswith("torchtune."):
        _torchtune(settings, mapping, tuned)
    called = mapping.text("_target_")
    if called is not None:
        _called(settings, mapping, called.strip())


def _torchtune(settings: Settings, mapping: Node, name: str) -> None:
    source = mapping.get("source")
    text = settings.text(source)
    if text in _BUILDERS:
        _files(settings, mapping, name)
    elif source is not None and text is not None:
        settings.refer(_DATASET, loaded(text, None, "hf-dataset"), name, source)
    for key, kind in (("checkpoint_dir", _MODEL), ("adapter_checkpoint", _ADAPTER), ("path", _TOKENIZER)):
        node = mapping.get(key)
        path = settings.text(node)
        if node is not None and path is not None and (kind is not _TOKENIZER or "tokenizer" in name):
            settings.refer(kind, guarded(lambda path=path: local(path)), name, node)  # type: ignore[misc]


def _argument(mapping: Node, *names: str) -> Node | None:
    """The first of the arguments by name, else the first by position."""
    return next(
        (mapping.members[name] for name in names if name in mapping.members), mapping.get("_args_", 0)
    )


def _called(settings: Settings, mapping: Node, name: str) -> None:
    owner, _, function = name.rpartition(".")
    found: tuple[ComponentKind, str, Node | None] | None = None
    if function == "from_pretrained":
        kind = _TOKENIZER if owner.endswith(_PREPROCESSORS) else _ADAPTER if "Peft" in owner else _MODEL
        found = (
            kind,
            "hf",
            _argument(mapping, "pretrained_model_name_or_path", "model_name_or_path", "model_id", "name"),
        )
    elif name in ("datasets.load_dataset", "datasets.load.load_dataset"):
        found = _DATASET, "hf-dataset", _argument(mapping, "path")
    elif function in ("SentenceTransformer", "CrossEncoder") and owner.startswith("sentence_transformers"):
        found = _MODEL, "hf", _argument(mapping, "model_name_or_path", "model_name")
    elif name in ("transformers.pipeline", "transformers.pipelines.pipeline"):
        found = _MODEL, "hf", mapping.get("model")
    elif name in ("timm.create_model", "timm.models.create_model"):
        _timm(settings, mapping, name)
    if found is None or found[2] is None:
        return
    kind, scheme, node = found
    text = settings.text(node)
    if text in _BUILDERS and kind is _DATASET:
        _files(settings, mapping, name)
    elif text is not None and node is not None:
        members = normalised(mapping)
        settings.refer(
            kind, loaded(text, revision(members, kind), scheme), name, node, flags=remote_code(members, kind)
        )


def _timm(settings: Settings, mapping: Node, name: str) -> None:
    node = _argument(mapping, "model_name")
    text = settings.text(node)
    trained = mapping.get("pretrained")
    if node is None or text is None:
        return
    on_hub = text.startswith(("hf-hub:", "hf_hub:"))
    if on_hub or (trained is not None and trained.value is True):
        # Pretrained weights of timm are repositories of its organisation.
        settings.refer(_MODEL, loaded(text.partition(":")[2] if on_hub else f"timm/{text}"), name, node)


def _mergekit(settings: Settings) -> None:
    for path, node in settings.root.walk():
        key = path[-1] if path else ""
        if key not in (
            "model",
            "base_model",
            "source_model",
            "lora",
            "filter_wrapper",
            "path",
        ) or settings.told(node):
            continue
        if node.is_mapping or (key == "path" and path[-2:-1] != ("model",)):
            continue
        text = settings.text(node)
        if text is None:
            continue
        holder = settings.root.get(*path[:-1])
        given = revision(holder.members, _MODEL) if holder is not None else None
        for kind, name in _parts(text, key):
            settings.refer(kind, loaded(name, given), f"mergekit.{key}", node)


def _parts(text: str, key: str | int) -> Iterator[tuple[ComponentKind, str]]:
    """`org/model[@revision]+org/adapter`."""
    first, _, adapter = text.partition("+")
    yield (_ADAPTER if key == "lora" else _MODEL), first
    if re.fullmatch(r"\S+", adapter):
        yield _ADAPTER, adapter
