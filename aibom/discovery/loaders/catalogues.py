"""Libraries that load models by names in catalogues of their own.

Sources: the documentation of Keras Applications, KerasHub, TensorFlow Hub, kagglehub, Whisper,
faster-whisper, Ultralytics, spaCy, Flair, Gensim, Stanza, CLIP, OpenCLIP, FastEmbed and FlagEmbedding.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.discovery.loaders.torch import file_or_address
from aibom.discovery.python_call import Call, Loader, from_hub, revision_of
from aibom.discovery.targets import Target, address, fixed, hub, is_path, local, moving, named
from aibom.domain.component import ComponentKind

_MODEL: Final = ComponentKind.MODEL
# Weights that the library fetches when there is no such file.
_SPACY_VERSION = re.compile(r"([a-z]{2,3}_\w+)-(\d+\.\d+\.\w+)\Z")
_ULTRALYTICS = re.compile(r"(?:yolo|rtdetr|sam|fastsam|mobile_sam)[\w.-]*\Z", re.IGNORECASE)


def from_catalogue(
    pattern: str, scheme: str, *keywords: str, optional: bool = False, on_hub: bool = False
) -> Loader:
    """A loader whose first argument is a path or a name in the library's own catalogue.

    `on_hub`: names with an organisation are repositories of the Hugging Face Hub.
    """

    def refer(call: Call) -> None:
        if not (optional and call.absent(0, *keywords)) and not call.built(0, *keywords):
            commit = revision_of(call) if on_hub else None
            call.refer(
                _MODEL, [_named(scheme, text, commit, on_hub=on_hub) for text in call.texts(0, *keywords)]
            )

    return Loader(pattern=pattern, refer=refer)


def _named(scheme: str, text: str, commit: str | None, *, on_hub: bool) -> Target:
    if "://" in text:
        return address(text)
    if on_hub and "/" in text:
        return hub(text, commit)
    if "/" in text or is_path(text):
        return local(text)
    return moving(scheme, text)


def _spacy(call: Call) -> None:
    """`spacy.load(name)`, `spacy.cli.download("name-version")`."""
    texts = call.texts(0, *_SPACY_NAMES)
    named = [text for text in texts if not text.startswith("blank:")]  # made here, of nothing
    if (named or not texts) and not call.built(0, *_SPACY_NAMES):
        call.refer(_MODEL, [_spacy_package(text) for text in named])


_SPACY_NAMES: Final = ("name", "model")


def _spacy_package(text: str) -> Target:
    package = _SPACY_VERSION.match(text)
    if package is not None:
        return fixed("spacy", package[1], package[2])
    return local(text) if "/" in text or is_path(text) else moving("spacy", text)


def _spacy_module(call: Call) -> None:
    """`en_core_web_sm.load()`: models of spaCy are packages with a function of that name."""
    call.refer(_MODEL, [moving("spacy", call.name.removesuffix(".load"))])


def _ultralytics(call: Call) -> None:
    """`YOLO("yolov8n.pt")`; a `.yaml` is a model without weights."""
    if call.absent(0, "model"):
        return
    texts = call.texts(0, "model")
    targets = [_yolo(text) for text in texts if not text.endswith((".yaml", ".yml"))]
    if (targets or not texts) and not call.loaded(0, "model"):
        call.refer(_MODEL, targets)


def _yolo(text: str) -> Target:
    if _ULTRALYTICS.match(text):
        return moving("ultralytics", text)
    return file_or_address(text)


def _application(call: Call) -> None:
    """`keras.applications.ResNet50(weights="imagenet")`; without `weights` that is the default."""
    builder = call.name.rpartition(".")[2]
    if not builder[:1].isupper():
        return
    given, options = call.argument(1, "weights"), call.texts(1, "weights")
    if given is None or "imagenet" in options:
        call.refer(_MODEL, [moving("keras", builder)])
    elif options:
        call.refer(_MODEL, [file_or_address(text) for text in options])


def _tf_hub(call: Call) -> None:
    if not call.built(0, "handle"):
        call.refer(_MODEL, [file_or_address(text) for text in call.texts(0, "handle")])


def _kaggle_model(call: Call) -> None:
    """`kagglehub.model_download("owner/model/framework/variation[/version]")`."""
    call.refer(_MODEL, [_kaggle_version(text) for text in call.texts(0, "handle")])


def _kaggle_version(text: str) -> Target:
    parts = text.split("/")
    if len(parts) == 5 and parts[-1].isdigit():
        return named("kaggle", "/".join(parts[:-1]), parts[-1])
    return moving("kaggle", text)


def _kaggle_dataset(call: Call) -> None:
    """`kagglehub.dataset_download("owner/dataset[/versions/1]")`."""
    position = 1 if call.name.endswith(("load_dataset", "dataset_load")) else 0
    targets = []
    for text in call.texts(position, "handle"):
        name, versioned, version = text.partition("/versions/")
        targets.append(named("kaggle", name, version) if versioned else moving("kaggle", name))
    call.refer(ComponentKind.DATASET, targets)


def _clip(call: Call) -> None:
    """`clip.load("ViT-B/32")`: a slash belongs to the name."""
    texts = call.texts(0, "name")
    call.refer(_MODEL, [local(text) if is_path(text) else moving("openai-clip", text) for text in texts])


def _open_clip(call: Call) -> None:
    """`create_model_and_transforms(name, pretrained=tag)`; `hf-hub:` names a repository."""
    names, tag = call.texts(0, "model_name"), call.text(1, "pretrained")
    if any(name.startswith("hf-hub:") for name in names):
        call.refer(_MODEL, [hub(name.removeprefix("hf-hub:")) for name in names])
    elif not call.absent(1, "pretrained"):
        call.refer(_MODEL, [named("open-clip", name, tag) for name in names])


_SPACY_PACKAGES: Final = ("*_core_web_*", "*_core_news_*", "*_core_sci_*", "*_dep_news_*", "*_ent_wiki_*")
_KERAS: Final = ("keras", "tensorflow.keras", "tf_keras", "tensorflow.compat.v1.keras")
_FLAIR: Final = ("WordEmbeddings", "FlairEmbeddings", "BytePairEmbeddings")
_TRANSFORMER: Final = (
    "TransformerWordEmbeddings",
    "TransformerDocumentEmbeddings",
    "SentenceTransformerDocumentEmbeddings",
)
_FLAG: Final = ("FlagModel", "BGEM3FlagModel", "FlagReranker", "FlagLLMModel", "FlagLLMReranker",
                "LayerWiseFlagLLMReranker", "FlagAutoModel.from_finetuned",
                "FlagAutoReranker.from_finetuned")  # fmt: skip

LOADERS: Final[tuple[Loader, ...]] = (
    *(Loader(pattern=f"{root}.applications.*", refer=_application) for root in _KERAS),
    from_catalogue("keras_hub.*.from_preset", "keras-hub", "preset"),
    from_catalogue("keras_nlp.*.from_preset", "keras-hub", "preset"),
    *(Loader(pattern=f"tensorflow_hub.{name}", refer=_tf_hub) for name in ("load", "KerasLayer", "resolve",
      "Module")),
    Loader(pattern="kagglehub.model_download", refer=_kaggle_model),
    *(Loader(pattern=f"kagglehub.{name}", refer=_kaggle_dataset) for name in (
        "dataset_download", "load_dataset", "dataset_load")),
    from_catalogue("whisper.load_model", "openai-whisper", "name"),
    from_catalogue("whisperx.load_model", "faster-whisper", "whisper_arch", on_hub=True),
    from_catalogue("faster_whisper.*.WhisperModel", "faster-whisper", "model_size_or_path", on_hub=True),
    *(Loader(pattern=f"ultralytics.*.{name}", refer=_ultralytics) for name in (
        "YOLO", "SAM", "RTDETR", "FastSAM", "YOLOWorld", "NAS")),
    *(Loader(pattern=name, refer=_spacy) for name in (
        "spacy.load", "spacy.cli.*.download", "spacy.util.load_model")),
    *(Loader(pattern=f"{name}.load", refer=_spacy_module) for name in _SPACY_PACKAGES),
    *(from_catalogue(f"flair.{name}.load", "flair", "model_path", on_hub=True) for name in ("models.*",
      "nn.*.Classifier")),
    *(from_catalogue(f"flair.embeddings.*.{name}", "flair", "embeddings", "model", "language")
      for name in _FLAIR),
    *(from_hub(f"flair.embeddings.*.{name}", "model") for name in _TRANSFORMER),
    from_catalogue("gensim.downloader.load", "gensim", "name"),
    from_catalogue("stanza.*.Pipeline", "stanza", "lang"),
    Loader(pattern="clip.load", refer=_clip),
    Loader(pattern="open_clip.*.create_model_and_transforms", refer=_open_clip),
    Loader(pattern="open_clip.*.create_model_from_pretrained", refer=_open_clip),
    Loader(pattern="open_clip.*.create_model", refer=_open_clip),
    from_hub("fastembed.*.TextEmbedding", "model_name", optional=True),
    from_hub("fastembed.*.SparseTextEmbedding", "model_name", optional=True),
    *(from_hub(f"FlagEmbedding.*.{name}", "model_name_or_path", "model_name") for name in _FLAG),
)  # fmt: skip

ROOTS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("keras", "tensorflow", "tf_keras"), ("keras.applications", "applications import",
        "import applications")
    ),
    "flair": (".load(", "Embeddings"), "spacy": ("spacy.load(", "spacy import load", "import spacy as",
    "load_model",
    "download"),
    "stanza": ("Pipeline",), "gensim": ("downloader",), "clip": ("load",), "open_clip": ("create_model",),
    "ultralytics": ("YOLO", "SAM", "RTDETR"),
    **dict.fromkeys(
        ("tensorflow_hub", "kagglehub", "whisper", "whisperx", "faster_whisper", "keras_hub", "keras_nlp",
        "fastembed",
         "FlagEmbedding"), (),
    ),
}  # fmt: skip
