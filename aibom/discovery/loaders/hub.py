"""Libraries that load from the Hugging Face Hub by repository id.

Sources: the documentation of transformers, huggingface_hub, datasets, sentence-transformers,
diffusers and peft.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.discovery.loaders.torch import file_or_address
from aibom.discovery.python_call import (
    Call,
    Loader,
    from_hub,
    kind_of_class,
    preprocessors,
    remote_code,
    revision_of,
)
from aibom.discovery.targets import PathText, Target, hub, is_path, local
from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.ref import Ref
from aibom.domain.reference import Flag

_ID: Final = (
    "pretrained_model_name_or_path",
    "model_name_or_path",
    "model_id",
    "model_name",
    "repo_id",
    "model",
    "name",
)
_REPO_KINDS: Final = {
    "dataset": (ComponentKind.DATASET, "hf-dataset"),
    "space": (ComponentKind.CODE, "hf-space"),
}


def _pretrained(call: Call) -> None:
    if call.loaded(0, *_ID):
        return
    commit = revision_of(call)
    targets = [hub(text, commit) for text in call.texts(0, *_ID)]
    call.refer(kind_of_class(call), targets, flags=remote_code(call))


def _any_pretrained(call: Call) -> None:
    """`from_pretrained` of a class that is not known: what it is given has to look like an id.

    A class that is imported from a library is believed more than a variable or a class of the code.
    """
    commit = revision_of(call)
    targets = [hub(text, commit) for text in call.texts(0, *_ID)]
    if not _imported(call.full_name):
        targets = [target for target in targets if target.ref is not None and _on_hub(target.ref)]
        if not targets:
            return
    if not call.loaded(0, *_ID):
        call.refer(kind_of_class(call), targets, flags=remote_code(call), confidence=Confidence.MEDIUM)


def _nothing(call: Call) -> None:
    """A function that is named like a loader and is none."""


def _on_hub(ref: Ref) -> bool:
    return ref.scheme == "hf" and "/" in ref.location


def _imported(name: str) -> bool:
    made = "(" in name or "[" in name
    return not made and name.count(".") > 1 and name.partition(".")[0] not in ("", "self", "cls")


def _adapter(call: Call) -> None:
    """`PeftModel.from_pretrained(model, model_id)`."""
    commit = revision_of(call)
    call.refer(ComponentKind.ADAPTER, [hub(text, commit) for text in call.texts(1, "model_id")])


def _added(call: Call) -> None:
    """`pipe.load_lora_weights(id_or_path)`; what was loaded elsewhere is told there."""
    if not call.built(0, *_ID):
        commit = revision_of(call)
        call.refer(ComponentKind.ADAPTER, [hub(text, commit) for text in call.texts(0, *_ADAPTER_ID)])


_ADAPTER_ID: Final = (
    "pretrained_model_name_or_path_or_dict",
    "pretrained_model_name_or_path",
    "peft_model_id",
)


def _guessed(call: Call) -> None:
    targets = [hub(text, revision_of(call)) for text in call.texts(0, *_ADAPTER_ID)]
    known = [target for target in targets if target.ref is not None and _on_hub(target.ref)]
    if known:
        call.refer(ComponentKind.ADAPTER, known, confidence=Confidence.MEDIUM)


def _single_file(call: Call) -> None:
    keywords = ("pretrained_model_link_or_path", "pretrained_model_link_or_path_or_dict")
    if not call.loaded(0, *keywords):
        call.refer(ComponentKind.MODEL, [hub(text) for text in call.texts(0, *keywords)])


def _pipeline(call: Call) -> None:
    """`pipeline(task, model)`; an object was loaded by a call of its own."""
    if call.absent(1, "model"):
        # The library picks a default for the task, and another one in its next version.
        call.refer(ComponentKind.MODEL, [], flags={Flag.UNPINNED})
    elif not call.built(1, "model"):
        commit = revision_of(call)
        targets = [hub(text, commit) for text in call.texts(1, "model")]
        call.refer(ComponentKind.MODEL, targets, flags=remote_code(call))
    preprocessors(call)


def _download(call: Call) -> None:
    """`hf_hub_download(repo_id, filename, ...)`, `snapshot_download(repo_id, ...)`."""
    kind, scheme = _REPO_KINDS.get(call.text(None, "repo_type") or "", (ComponentKind.MODEL, "hf"))
    commit = revision_of(call)
    targets = [
        hub(text, commit, scheme=scheme, subpath=_file(call)) for text in call.texts(0, "repo_id", *_ID)
    ]
    call.refer(kind, targets)


def _file(call: Call) -> str | None:
    if call.name.endswith("snapshot_download"):
        return None
    folder, file = call.text(None, "subfolder"), call.text(1, "filename")
    return f"{folder}/{file}" if folder and file else file


def _clone(call: Call) -> None:
    """`Repository(local_dir, clone_from=...)`."""
    if not call.absent(1, "clone_from"):
        call.refer(
            ComponentKind.MODEL, [hub(text, revision_of(call)) for text in call.texts(1, "clone_from")]
        )


def _address(call: Call) -> None:
    """`cached_download(url)`."""
    call.refer(
        ComponentKind.MODEL, [file_or_address(text) for text in call.texts(0, "url", "checkpoint_file")]
    )


# Builders that read the files of `data_files`, whatever is in them.
_BUILDERS: Final = frozenset(
    ("csv", "json", "parquet", "text", "arrow", "imagefolder", "audiofolder", "videofolder", "webdataset",
    "pandas", "xml",
     "sql", "spark", "generator", "pdffolder", "cache")
)  # fmt: skip


def _dataset(call: Call) -> None:
    """`load_dataset(path, ...)`."""
    names = call.texts(0, "path")
    if any(name in _BUILDERS for name in names):
        files = call.every(None, "data_files") or call.every(None, "data_dir")
        call.refer(ComponentKind.DATASET, [_data(file) for file in files])
    else:
        commit = revision_of(call)
        targets = [hub(name, commit, scheme="hf-dataset") for name in names]
        call.refer(ComponentKind.DATASET, targets, flags=remote_code(call))


def _data(text: str) -> Target:
    return hub(text, scheme="hf-dataset") if "://" in text else local(text)


def _from_disk(call: Call) -> None:
    call.refer(
        ComponentKind.DATASET, [_data(text) for text in call.texts(0, "dataset_path", "dataset_dict_path")]
    )


def _from_files(call: Call) -> None:
    """`Dataset.from_json(files)`; tables of pandas are no files."""
    if not call.built(0, "path_or_paths"):
        call.refer(ComponentKind.DATASET, [_data(text) for text in call.every(0, "path_or_paths")])


# Ids without an organisation that Sentence Transformers takes as they are.
_BASIC = re.compile(
    r"(?:albert|bert|camembert|ctrl|distilbert|distilgpt2|distilroberta|gpt2|openai-gpt|roberta|t5|transfo-xl|xlm|"
    r"xlnet|dpr|facebook|google|mt5|mpnet-base)(?:-|\Z)"
)


def sentence_transformer(text: str) -> str:
    """The id that Sentence Transformers asks for: bare names are of its own organisation."""
    bare = "/" not in text and "\\" not in text and not isinstance(text, PathText) and not is_path(text)
    return f"sentence-transformers/{text}" if bare and not _BASIC.match(text) else text


def _table(call: Call) -> None:
    """`pandas.read_parquet("hf://datasets/org/name/file")`; other tables are no business of ours."""
    targets = [hub(text) for text in call.texts(0, "path", "source", "io") if text.startswith("hf://")]
    if targets:
        call.refer(ComponentKind.DATASET, targets)


_DATASETS: Final = (
    "load_dataset",
    "load_dataset_builder",
    "get_dataset_config_names",
    "get_dataset_split_names",
)
# Libraries whose classes load from the Hub with `from_pretrained`.
_LIBRARIES: Final = (
    "transformers", "diffusers", "peft", "tokenizers", "optimum", "trl", "unsloth", "auto_gptq", "gptqmodel",
    "awq",
    "setfit", "gliner", "span_marker", "adapters", "petals", "ctransformers",
    "intel_extension_for_transformers",
    "sentence_transformers", "open_flamingo", "controlnet_aux", "parler_tts", "model2vec", "pyannote.audio",
)  # fmt: skip

LOADERS: Final[tuple[Loader, ...]] = (
    *(Loader(pattern=f"peft.*.{name}.from_pretrained", refer=_adapter) for name in (
        "PeftModel", "PeftModelFor*", "PeftMixedModel")),
    *(Loader(pattern=f"{library}.*.from_pretrained", refer=_pretrained) for library in _LIBRARIES),
    Loader(pattern="huggingface_hub.*.from_pretrained", refer=_pretrained),
    # Embeddings are made from a tensor.
    Loader(pattern="torch.nn.*.from_pretrained", refer=_nothing),
    Loader(pattern="*.from_pretrained", refer=_any_pretrained, guess=True),
    Loader(pattern="huggingface_hub.*.from_pretrained_keras", refer=_pretrained),
    Loader(pattern="huggingface_hub.*.from_pretrained_fastai", refer=_pretrained),
    Loader(pattern="diffusers.*.from_single_file", refer=_single_file),
    *(Loader(pattern=f"{library}.*.{name}", refer=_added)
      for library in ("diffusers", "transformers", "peft")
      for name in ("load_lora_weights", "load_textual_inversion", "load_ip_adapter", "load_adapter")),
    Loader(pattern="*.load_lora_weights", refer=_guessed, guess=True),
    Loader(pattern="transformers.*.pipeline", refer=_pipeline),
    Loader(pattern="optimum.*.pipeline", refer=_pipeline),
    *(Loader(pattern=f"huggingface_hub.*.{name}", refer=_download) for name in (
        "hf_hub_download", "snapshot_download", "hf_hub_url", "try_to_load_from_cache")),
    Loader(pattern="transformers.*.cached_file", refer=_download),
    Loader(pattern="huggingface_hub.*.Repository", refer=_clone),
    Loader(pattern="huggingface_hub.*.cached_download", refer=_address),
    Loader(pattern="huggingface_hub.*.load_state_dict_from_file", refer=_address),
    *(Loader(pattern=f"{function}_{kind}", refer=_table)
      for function in ("pandas.read", "polars.read", "polars.scan", "dask.dataframe.read")
      for kind in ("parquet", "csv", "json", "ndjson", "ipc")),
    *(Loader(pattern=f"datasets.*.{name}", refer=_dataset) for name in _DATASETS),
    Loader(pattern="datasets.*.load_from_disk", refer=_from_disk),
    *(Loader(pattern=f"datasets.*.Dataset.from_{kind}", refer=_from_files) for kind in ("json", "csv",
      "parquet", "text")),
    from_hub("sentence_transformers.*.SentenceTransformer", "model_name_or_path", optional=True,
             spelled=sentence_transformer),
    from_hub("sentence_transformers.*.CrossEncoder", "model_name", "model_name_or_path"),
    from_hub("sentence_transformers.*.SparseEncoder", "model_name_or_path", optional=True),
    from_hub("sentence_transformers.*.models.*.Transformer", "model_name_or_path"),
)  # fmt: skip

_PRETRAINED: Final = (".from_pretrained",)

ROOTS: Final[dict[str, tuple[str, ...]]] = {
    "transformers": (*_PRETRAINED, "pipeline(", "import pipeline", "cached_file", "load_adapter"),
    "huggingface_hub": (
        *_PRETRAINED, "hub_download", "snapshot_download", "cached_download", "hf_hub_url", "from_cache",
        "Repository",
        "load_state_dict_from", "from_pretrained_",
    ),
    **dict.fromkeys(("pandas", "polars", "dask"), ("hf://",)),
    "datasets": ("load_dataset", "load_from_disk", "get_dataset_", ".from_json(", ".from_csv(",
    ".from_parquet(", ".from_text("),
    "sentence_transformers": (
        *_PRETRAINED, "Transformer(", "CrossEncoder(", "SparseEncoder(", "Transformer as",
        "Encoder as",
    ),
    "peft": (*_PRETRAINED, "load_adapter"),
    "diffusers": (*_PRETRAINED, "from_single_file", "load_lora", "load_textual", "load_ip"),
    "optimum": (*_PRETRAINED, "pipeline(", "import pipeline"),
    **dict.fromkeys(
        ("tokenizers", "trl", "unsloth", "auto_gptq", "gptqmodel", "awq", "setfit", "gliner", "span_marker",
        "adapters",
         "petals", "ctransformers", "intel_extension_for_transformers", "open_flamingo", "controlnet_aux",
         "parler_tts", "model2vec", "pyannote"),
        _PRETRAINED,
    ),
}  # fmt: skip
