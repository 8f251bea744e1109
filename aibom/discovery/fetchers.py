"""Programs that fetch models and data.

Sources: the command line references of huggingface_hub, Ollama, git, curl, wget, the AWS and
Google Cloud clients, MLflow, ModelScope, Kaggle, Weights & Biases, spaCy, torchtune and LitGPT.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aibom.discovery.command import Command, Refer, Referred, model_option, unpinned
from aibom.discovery.loaders.hosted import hosted
from aibom.discovery.loaders.registries import mlflow, ollama
from aibom.discovery.targets import NOTHING, Target, address, hub, image, named
from aibom.domain.component import ComponentKind
from aibom.domain.ref import PinnedRef, Ref
from aibom.readers.marks import UNKNOWN

_MODEL: Final = ComponentKind.MODEL
_DATASET: Final = ComponentKind.DATASET
_KINDS: Final = {"dataset": (_DATASET, "hf-dataset"), "space": (ComponentKind.CODE, "hf-space")}
_WEIGHTS = re.compile(
    r"\.(?:safetensors|gguf|ggml|bin|pt|pth|ckpt|onnx|h5|hdf5|keras|tflite|pkl|pickle|joblib|npz|model|mar|nemo|"
    r"engine|task|mlmodel|llamafile)\Z",
    re.IGNORECASE,
)
_DATA = re.compile(r"\.(?:parquet|arrow|jsonl|csv|tsv|tfrecord)(?:\.(?:gz|zst|bz2))?\Z", re.IGNORECASE)
_HUB = re.compile(
    r"(?:git@|ssh://git@)?(?:https?://)?(?:[^@/\s]*@)?(?:www\.)?(?:hf\.co|huggingface\.co)[:/](\S+)",
    re.IGNORECASE,
)
_ON_HUB = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/\S+/(?:resolve|raw)/", re.IGNORECASE)
_ON_HUB_NAMES: Final = ("hf.co/", "huggingface.co/")
_INFERENCE = re.compile(
    r"https://(?:api-inference\.huggingface\.co|router\.huggingface\.co/[\w-]+)/(?:models|pipeline/[\w-]+)/"
    r"([\w.-]+(?:/[\w.-]+)?)"
)
_HOSTS: Final = {
    "api.openai.com": "openai", "api.anthropic.com": "anthropic", "api.mistral.ai": "mistral",
    "generativelanguage.googleapis.com": "google", "api.cohere.ai": "cohere", "api.cohere.com": "cohere",
    "api.groq.com": "groq", "api.together.xyz": "together", "api.fireworks.ai": "fireworks",
    "api.deepseek.com": "deepseek", "api.x.ai": "xai", "api.perplexity.ai": "perplexity",
    "openrouter.ai": "openrouter",
}  # fmt: skip
_COPYING: Final = frozenset(("cp", "sync", "copy", "copyto", "rsync", "mv", "get"))
_STORES: Final = ("s3://", "gs://", "az://", "abfs://", "abfss://", "https://")
_MODEL_WORD = re.compile(
    r"(?:\A|[/._-])(?:models?|checkpoints?|ckpts?|weights|loras?|adapters?)(?=[/._-]|\Z)", re.IGNORECASE
)
_DATA_WORD = re.compile(r"(?:\A|[/._-])(?:datasets?|corpus|corpora)(?=[/._-]|\Z)", re.IGNORECASE)
_OTHER_FILE = re.compile(
    r"\.(?:sh|py|log|md|html?|png|jpe?g|svg|whl|deb|rpm|jar|sql|ya?ml|toml|lock|pem|key|env|cfg|ini|ipynb|pdf|"
    r"js|css|tf|tfstate)\Z", re.IGNORECASE
)  # fmt: skip
_ARCHIVE = re.compile(
    r"/(?:(?:[\w.]+[_-])*(?:weights|checkpoints?|ckpts?|pretrained)(?:[._-][\w.-]+)?|[\w.-]*[_-]models?)"
    r"\.(?:zip|tar|tgz|tar\.(?:gz|bz2|xz|zst)|7z)\Z", re.IGNORECASE
)  # fmt: skip
_GIT_SWITCHES: Final = frozenset(("-q", "--quiet", "-f", "--force", "--detach", "-d", "--hard", "--no-guess"))
_NAME = re.compile(r"[\w.-]+(?::\d+)?(?:/[\w.-]+)*(?::[\w.-]+)?(?:@[\w:]+)?\Z", re.ASCII)  # of an image
_REQUEST = re.compile(r"https?://([\w.-]+)(:11434)?/(?:api/|v\d)")
_OF_OLLAMA = re.compile(r"/api/(?:pull|generate|chat|embed|embeddings)\b")
_ASKED = (
    r"\b%s\\?[\"']?\s*:\s*\\?[\"']([^\"'\\\s]{1,200})\\?[\"']"  # a member of JSON, quoted for a shell or not
)
_MODEL_ASKED = re.compile(_ASKED % "model")
_NAME_ASKED = re.compile(_ASKED % "(?:model|name)")
_IN_PATH = re.compile(r"/models/([\w.-]+):\w+")


def kind_of_file(place: str) -> ComponentKind | None:
    """Whether an address or a path ends like a file of weights or of data."""
    path = re.split(r"[?#]", place, maxsplit=1)[0]
    return _MODEL if _WEIGHTS.search(path) else _DATASET if _DATA.search(path) else None


def fetched(place: str) -> tuple[ComponentKind, Target] | None:
    """What an address is of; None when it is no address of weights, data or a file of the Hub."""
    if "://" not in place:
        return None
    kind = kind_of_file(place)
    if kind is None and not _ON_HUB.match(place):
        return None
    target = address(place)
    if target.ref is not None and target.ref.scheme == "hf-dataset":
        kind = _DATASET
    elif target.ref is not None and target.ref.scheme == "hf-space":
        kind = ComponentKind.CODE
    return kind or _MODEL, target


def _hf(command: Command) -> Iterator[Referred]:
    rest = command.plain()
    if rest[:1] != ["download"] or len(rest) < 2:
        return
    kind, scheme = _KINDS.get(command.option("--repo-type") or "", (_MODEL, "hf"))
    file = rest[2] if len(rest) == 3 else None
    target = hub(rest[1], command.option("--revision"), scheme=scheme, subpath=file)
    yield Referred(f"{command.program} download", kind, target)


def pulled(name: str) -> Target:
    """A model as Ollama takes it; of `hf.co/org/name:Q8_0` the quantisation is what is asked for."""
    if not name.startswith(_ON_HUB_NAMES):
        return ollama(name)
    repository, _, quantisation = name.partition("/")[2].partition(":")
    return hub(repository, quantisation or None)


def _ollama(command: Command) -> Iterator[Referred]:
    for verb in ("pull", "run"):
        name = command.after(verb)
        if name:
            yield Referred(f"ollama {verb}", _MODEL, pulled(name))


def _git(command: Command) -> Iterator[Referred]:
    """`git clone` and `git submodule add` of a repository on the Hub."""
    if not {"clone", "submodule"} & set(command.words):
        return
    for word in command.words:
        match = _HUB.match(word)
        if match is None:
            continue
        found = address(f"https://huggingface.co/{match[1].removesuffix('.git')}")
        branch = command.option("-b", "--branch")
        if found.ref is not None and branch:
            found = hub(found.ref.location, branch, scheme=found.ref.scheme)
        scheme = found.ref.scheme if found.ref is not None else "hf"
        kind = {"hf-dataset": _DATASET, "hf-space": ComponentKind.CODE}.get(scheme, _MODEL)
        yield Referred("git clone", kind, found)


def checked_out(command: Command) -> str | None:
    """The revision of `git checkout`, `git switch` and `git reset --hard`."""
    plain = command.plain(_GIT_SWITCHES)
    if len(plain) < 2 or plain[0] not in ("checkout", "switch", "reset") or UNKNOWN in plain[1]:
        return None
    return plain[1] if plain[0] != "reset" or "--hard" in command.words else None


def cloned_at(referred: Referred, revision: str | None) -> Referred:
    """A clone of which a revision is checked out afterwards."""
    ref = referred.target.ref
    if revision is None or ref is None:
        return referred
    return referred._replace(target=hub(ref.location, revision, scheme=ref.scheme))


def _fetch(command: Command) -> Iterator[Referred]:
    """`curl` and `wget` of files, and requests to the interfaces of providers."""
    output = command.option("-o", "--output", "-O", "--output-document", "--out") or ""
    for word in command.words:
        place = word.removeprefix("--url=")
        if not place.startswith(("http://", "https://", "ftp://")):
            continue
        found = fetched(place)
        kind = kind_of_file(output)
        if found is not None:
            yield Referred(command.program, *found)
        elif kind is not None or _ARCHIVE.search(place.partition("?")[0]):
            yield Referred(command.program, kind or _MODEL, address(place))
        else:
            yield from _request(command, place)


def _request(command: Command, place: str) -> Iterator[Referred]:
    inference = _INFERENCE.match(place)
    if inference is not None:
        # The path of a chat is behind the name of the model.
        name = re.sub(r"/v1\Z", "", inference[1])
        yield Referred(command.program, ComponentKind.SERVICE, hub(name))
    match = _REQUEST.match(place)
    if match is None:
        return
    data = " ".join(command.options("-d", "--data", "--data-raw", "--data-binary", "--json", "--post-data"))
    if match[2] or _OF_OLLAMA.search(place):
        asked = _NAME_ASKED.search(data)
        if asked is not None:
            yield Referred(f"{command.program} ollama", _MODEL, pulled(asked[1]))
    elif match[1] in _HOSTS:
        asked = _IN_PATH.search(place) or _MODEL_ASKED.search(data)
        if asked is not None:
            yield Referred(command.program, ComponentKind.SERVICE, hosted(_HOSTS[match[1]], asked[1]))
    elif match[1] == "router.huggingface.co":
        asked = _MODEL_ASKED.search(data)
        if asked is not None:
            # Behind a colon stands who shall answer.
            yield Referred(command.program, ComponentKind.SERVICE, hub(asked[1].partition(":")[0]))


def _copy(command: Command) -> Iterator[Referred]:
    """Files and folders of weights and data from stores: `aws s3 cp`, `gsutil cp`, `rclone copy`."""
    verbs = [number for number, word in enumerate(command.words) if word in _COPYING]
    rest = command.words[verbs[0] + 1 :] if verbs else ()
    # The source comes first; what is copied to a store is no reference.
    places = [word for word in rest if not word.startswith("-") and ("/" in word or "." in word)]
    source, target = (*places[:2], "", "")[:2]
    if source.startswith(_STORES):
        kind = kind_of_file(source) or _kind_of_place(source) or _kind_of_place(target)
        if kind is not None and not (_OTHER_FILE.search(source) or target.startswith(_STORES)):
            yield Referred(f"{command.program} {command.words[verbs[0]]}", kind, address(source))


def _kind_of_place(place: str) -> ComponentKind | None:
    """What the words in a path say that is there."""
    return _MODEL if _MODEL_WORD.search(place) else _DATASET if _DATA_WORD.search(place) else None


def _mlflow(command: Command) -> Iterator[Referred]:
    uri = command.option("-m", "--model-uri", "--artifact-uri", "-u")
    if uri and {"models", "artifacts", "deployments", "sagemaker"} & set(command.words):
        yield Referred(f"mlflow {command.words[0]}", _MODEL, mlflow(uri))


def _modelscope(command: Command) -> Iterator[Referred]:
    if "download" not in command.words:
        return
    given = {
        _MODEL: command.option("--model") or command.after("download"),
        _DATASET: command.option("--dataset"),
    }
    for kind, name in given.items():
        if name and "/" in name:
            target = unpinned(named("modelscope", name, command.option("--revision")))
            yield Referred("modelscope download", kind, target)


def _kaggle(command: Command) -> Iterator[Referred]:
    rest = command.plain()
    for section, kind in (("datasets", _DATASET), ("models", _MODEL), ("competitions", _DATASET)):
        if rest[:1] == [section] and "download" in rest:
            slug = command.option("-d", "--dataset") or (rest[-1] if rest[-1] != "download" else None)
            if slug:
                yield Referred(f"kaggle {section} download", kind, unpinned(named("kaggle", slug)))


def _wandb(command: Command) -> Iterator[Referred]:
    name = command.after("artifact", "get")
    if name is None:
        return
    name, _, version = name.partition(":")
    kind = _DATASET if command.option("--type") == "dataset" else _MODEL
    if re.fullmatch(r"v\d+", version) and name:
        target = Target(ref=PinnedRef(scheme="wandb", location=name, revision=version))
    else:
        target = unpinned(named("wandb", name, version or None))
    yield Referred("wandb artifact get", kind, target)


def spacy(command: Command) -> Iterator[Referred]:
    """`spacy download name`; a name with its version, and `--direct`, does not move."""
    name = command.after("download")
    if name:
        base, found, version = re.sub(r"-(\d+\.\d+\.\d+)\Z", r"@\1", name).partition("@")
        target = named("spacy", base, version) if found else unpinned(named("spacy", name))
        yield Referred("spacy download", _MODEL, target)


def _docker_model(command: Command) -> Iterator[Referred]:
    """`docker model pull|run`: models of Docker Hub, and of the Hub by `hf.co/`."""
    for verb in ("pull", "run"):
        name = command.after("model", verb)
        if name:
            yield Referred(f"docker model {verb}", _MODEL, artifact(name))


def artifact(name: str) -> Target:
    """A model in a registry of images, or on the Hub by `hf.co/`."""
    if name.startswith(_ON_HUB_NAMES):
        return pulled(name)
    found = image(name) if _NAME.match(name) else NOTHING
    ref = found.ref
    if ref is None:
        return NOTHING
    if isinstance(ref, PinnedRef):
        return Target(ref=PinnedRef(scheme="oci", location=ref.location, revision=ref.revision))
    return Target(ref=Ref(scheme="oci", location=ref.location, revision=ref.revision), flags=found.flags)


def _pip(command: Command) -> Iterator[Referred]:
    """Models that are installed as packages from the Hub."""
    for word in command.words:
        place = word.partition("@")[2].strip() if "@ http" in word or "@http" in word else word
        if _ON_HUB.match(place):
            yield Referred("pip install", _MODEL, address(place))


def _dvc(command: Command) -> Iterator[Referred]:
    """`dvc import-url` and `dvc get-url` of a store."""
    place = command.after("import-url") or command.after("get-url") or ""
    kind = kind_of_file(place) or _kind_of_place(place)
    if "://" in place and kind is not None:
        yield Referred(f"dvc {command.words[0]}", kind, address(place))


def _kit(command: Command) -> Iterator[Referred]:
    """`kit pull|unpack`: a ModelKit of a registry."""
    for verb in ("pull", "unpack"):
        name = command.after(verb)
        if name and "/" in name:
            yield Referred(f"kit {verb}", _MODEL, artifact(name))


FETCHERS: Final[dict[str, Refer]] = {
    "hf": _hf, "huggingface-cli": _hf, "ollama": _ollama, "git": _git, "git-lfs": _git,
    "curl": _fetch, "wget": _fetch, "wget2": _fetch, "aria2c": _fetch, "axel": _fetch, "http": _fetch,
    "aws": _copy, "gsutil": _copy, "gcloud": _copy, "rclone": _copy, "s5cmd": _copy, "azcopy": _copy,
    "mlflow": _mlflow, "modelscope": _modelscope, "kaggle": _kaggle, "wandb": _wandb, "spacy": spacy,
    "docker": _docker_model, "podman": _docker_model, "pip": _pip, "pip3": _pip,
    "dvc": _dvc, "kit": _kit,
    "tune": model_option("tune download", plain=("download",)),
    "litgpt": model_option("litgpt download", plain=("download",)),
}  # fmt: skip
