"""PyTorch, torchvision and timm.

Sources: the documentation of `torch.hub`, `torch.load` (weights_only is the default since 2.6, so
that a call which does not say is not called unsafe), `torch.jit.load`, torchvision.models and timm.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.discovery.python_call import Call, Loader
from aibom.discovery.targets import NOTHING, Target, address, hub, local, moving, named, pinned
from aibom.domain.component import ComponentKind
from aibom.domain.ref import is_commit
from aibom.domain.reference import Flag

_GITHUB = re.compile(r"[\w.-]+/[\w.-]+\Z")
_MODEL: Final = ComponentKind.MODEL
_UNPINNED: Final = frozenset({Flag.UNPINNED})
_FILE: Final = ("f", "url", "filename", "path", "file_or_buffer")


def file_or_address(text: str) -> Target:
    """What a loader of files is given: a path beside the program, or an address."""
    return address(text) if "://" in text else local(text)


def _repository(text: str, model: str | None) -> Target:
    """`owner/name[:branch or tag or commit]` on GitHub, as `torch.hub` writes it."""
    name, _, revision = text.partition(":")
    if not _GITHUB.match(name):
        return NOTHING
    flags = frozenset() if is_commit(revision) else _UNPINNED
    return Target(ref=pinned("git", f"https://github.com/{name}", revision or None, model), flags=flags)


def _hub_load(call: Call) -> None:
    """`torch.hub.load(repo, model)` runs `hubconf.py` of the repository."""
    texts, model = call.texts(0, "repo_or_dir", "github"), call.text(1, "model")
    if call.text(None, "source") == "local":
        call.refer(_MODEL, [local(text) for text in texts])
    else:
        call.refer(_MODEL, [_repository(text, model) for text in texts], flags={Flag.REMOTE_CODE})


def _load(call: Call) -> None:
    """`torch.load(f, weights_only=...)`; a buffer, or what was downloaded, is told where it was made."""
    careless = call.truth(None, "weights_only") is False
    texts = call.texts(0, "f") or call.values.opened(call.argument(0, "f"))
    if texts or careless or not call.built(0, "f"):
        flags = {Flag.UNSAFE_LOAD} if careless else ()
        call.refer(_MODEL, [file_or_address(text) for text in texts], flags=flags)


def _file(call: Call) -> None:
    texts = call.texts(0, *_FILE) or call.values.opened(call.argument(0, *_FILE))
    if texts or not call.built(0, *_FILE):
        call.refer(_MODEL, [file_or_address(text) for text in texts])


def _vision(call: Call) -> None:
    """`torchvision.models.resnet50(weights=ResNet50_Weights.IMAGENET1K_V2)`, `pretrained=True` of old.

    Without either, or when they can be `None`, nothing is loaded as far as one can tell.
    """
    builder = call.name.rpartition(".")[2]
    versions = [*_members(call, "weights"), *call.texts(None, "weights")]
    if not builder[:1].islower() or not (versions or call.truth(0, "pretrained")):
        return
    call.refer(_MODEL, [_weights(builder, version) for version in versions or ["DEFAULT"]])


def _weights(builder: str, version: str) -> Target:
    """Every member of a weights enumeration stays what it is, but `DEFAULT` moves to the best one."""
    member = version.rpartition(".")[2]
    if member == "DEFAULT":
        return moving("torchvision", builder)
    return named("torchvision", builder, member)


def _members(call: Call, keyword: str) -> list[str]:
    """The members of weights enumerations that the argument can be."""
    values = call.values.values(call.argument(None, keyword))
    names = [name for each in values for name in call.values.names_of(each)]
    return [name for name in names if "_Weights." in name]


def _state_dict(call: Call) -> None:
    """`ResNet50_Weights.IMAGENET1K_V2.get_state_dict()`."""
    weights, member = call.name.split(".")[-3:-1]
    if weights.endswith("_Weights"):
        call.refer(_MODEL, [_weights(weights.removesuffix("_Weights").lower(), member)])


def _get_model(call: Call) -> None:
    versions = [*_members(call, "weights"), *call.texts(None, "weights")]
    if versions:
        targets = [_weights(text, version) for text in call.texts(0, "name") for version in versions]
        call.refer(_MODEL, targets)


def _timm(call: Call) -> None:
    """`timm.create_model(name, pretrained=True)`; `hf-hub:` names a repository."""
    names = call.texts(0, "model_name")
    loads = call.truth(1, "pretrained") or any(_on_hub(name) for name in names)
    if loads:
        call.refer(_MODEL, [_timm_name(name) for name in names])
    elif not call.absent(None, "checkpoint_path"):
        call.refer(_MODEL, [file_or_address(text) for text in call.texts(None, "checkpoint_path")])


def _on_hub(name: str) -> bool:
    return name.startswith(("hf-hub:", "hf_hub:"))


def _timm_name(name: str) -> Target:
    # Pretrained weights of timm are repositories of its organisation.
    return hub(name.partition(":")[2] if _on_hub(name) else f"timm/{name}")


LOADERS: Final[tuple[Loader, ...]] = (
    Loader(pattern="torch.hub.load", refer=_hub_load),
    Loader(pattern="torch.hub.load_state_dict_from_url", refer=_file),
    Loader(pattern="torch.hub.download_url_to_file", refer=_file),
    Loader(pattern="torch.utils.model_zoo.load_url", refer=_file),
    Loader(pattern="torch.load", refer=_load),
    Loader(pattern="torch.serialization.load", refer=_load),
    Loader(pattern="torch.jit.load", refer=_file),
    Loader(pattern="torch.export.load", refer=_file),
    Loader(pattern="torch.package.PackageImporter", refer=_file),
    Loader(pattern="torchvision.models.get_model", refer=_get_model),
    Loader(pattern="torchvision.models.*.get_state_dict", refer=_state_dict),
    Loader(pattern="torchvision.models.*", refer=_vision),
    Loader(pattern="timm.create_model", refer=_timm),
    Loader(pattern="timm.models.*.create_model", refer=_timm),
)

ROOTS: Final[dict[str, tuple[str, ...]]] = {
    "torch": (
        "torch.load(", "hub.load", "jit.load(", "export.load(", "serialization.load(", "torch import load",
        "import torch as",
        "load_url", "load_state_dict_from_url", "download_url_to_file", "PackageImporter",
    ),
    "torchvision": ("weights", "Weights", "pretrained"),
    "timm": ("create_model",),
}  # fmt: skip
