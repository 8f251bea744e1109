"""DVC and MLproject: files that pin data, and commands that they run.

Sources: the DVC documentation (`.dvc` files, `dvc.yaml`), and the MLflow documentation (MLproject).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aibom.discovery.commands import Commands
from aibom.discovery.found import Found, Text
from aibom.discovery.loops import Loops, looped
from aibom.discovery.marked import Node, documents, kind_of
from aibom.discovery.matrices import Combination, columns, identifier, product
from aibom.discovery.settings_keys import texts
from aibom.discovery.settings_values import Settings, guarded
from aibom.discovery.shell_words import Word
from aibom.discovery.targets import Target, address, local, pinned
from aibom.domain.component import ComponentKind
from aibom.domain.errors import UnreadableError
from aibom.domain.ref import PinnedRef, Ref, is_commit
from aibom.domain.reference import Flag

_PARAMETER_BYTES: Final = 262_144  # of `params.yaml`
_LOCAL: Final = frozenset({Flag.LOCAL_PATH})
_UNPINNED: Final = frozenset({Flag.UNPINNED})
_MODELS = re.compile(
    r"\.(?:safetensors|gguf|bin|pt|pth|ckpt|onnx|h5|hdf5|keras|tflite|pkl|pickle|joblib|npz|pb|model)\Z|"
    r"(?:\A|[/_.-])(?:models?|weights|checkpoints?)(?:[/_.-]|\Z)", re.IGNORECASE
)  # fmt: skip
_HASHES: Final = ("md5", "checksum", "etag", "sha256")
_GIT_SSH = re.compile(r"(?:ssh://)?git@([\w.-]+)[:/]")
_PARAMETER = re.compile(r"\$\{([\w.]+)\}")
_BRACES = re.compile(r"(?<!\$)\{(\w+)\}")
_NOTHING: Final = Node(None, 1, 1)


def pointers(settings: Settings) -> None:
    """A `.dvc` file: what it pins (`outs`), or where that was imported from (`deps`)."""
    deps = (settings.root.get("deps") or _NOTHING).items
    for dep in deps:
        _dep(settings, dep)
    for out in (settings.root.get("outs") or _NOTHING).items if not deps else ():
        _out(settings, out)


def _kind(path: str) -> ComponentKind:
    return ComponentKind.MODEL if _MODELS.search(path) else ComponentKind.DATASET


def _out(settings: Settings, out: Node) -> None:
    node = out.get("path")
    path = settings.text(node)
    if node is None or path is None:
        return
    hashed = next((str(out.members[key].value) for key in _HASHES if key in out.members), None)
    flags = _LOCAL if hashed else _LOCAL | _UNPINNED
    target = guarded(lambda: Target(ref=_file(path, hashed), flags=flags))
    settings.refer(_kind(path), target, "dvc.outs", node)


def _file(path: str, hashed: str | None) -> Ref:
    if hashed:
        return PinnedRef(scheme="file", location=path, revision=hashed)
    return Ref(scheme="file", location=path)


def _dep(settings: Settings, dep: Node) -> None:
    node = dep.get("path")
    path = settings.text(node)
    if node is None or path is None:
        return
    url = settings.text(dep.get("repo", "url"))
    if url is not None:
        commit = dep.text("repo", "rev_lock") or dep.text("repo", "rev")
        settings.refer(_kind(path), _repository(url, commit, path), "dvc.deps", node)
    elif "://" in path:
        settings.refer(_kind(path), guarded(lambda: address(path)), "dvc.deps", node)


def _repository(url: str, commit: str | None, path: str) -> Target:
    plain = _GIT_SSH.sub(r"https://\1/", url).removesuffix(".git")
    plain = re.sub(r"(?<=//)[^/@]*@", "", plain)
    flags = frozenset() if is_commit(commit) else _UNPINNED
    if plain.startswith("http://"):
        flags |= {Flag.HTTP}
    return guarded(lambda: Target(ref=pinned("git", plain, commit, path), flags=flags))


def data_files(settings: Settings) -> None:
    """`dataset_info.json` of LLaMA-Factory: data sets in files beside it and in stores."""
    for entry in settings.root.members.values():
        if "builder_name" in entry.members or "features" in entry.members:
            continue  # that of the library `datasets`
        for key in ("file_name", "cloud_file_name", "script_url"):
            node = entry.get(key)
            text = settings.text(node)
            if node is not None and text is not None:
                target = guarded(lambda text=text: address(text) if "://" in text else local(text))  # type: ignore[misc]
                settings.refer(ComponentKind.DATASET, target, key, node)


def stages(root: Node, found: Found, text: Text) -> None:
    """`dvc.yaml`: the commands of its stages, with the parameters that it and `params.yaml` give."""
    given: dict[str, str] = dict(_parameters("params.yaml", text))
    for entry in (root.get("vars") or _NOTHING).items:
        if isinstance(entry.value, str) and entry.value.endswith((".yaml", ".yml", ".json", ".toml")):
            given |= dict(_parameters(entry.value, text))
        given |= dict(_flat(entry))
    for stage in (root.get("stages") or _NOTHING).members.values():
        names, combinations = dict(given), _each(stage)
        loops = Loops()
        for name, values in columns(combinations, given).items():
            loops.values[f"item:{name}"] = values
            names[name] = looped(f"item:{name}")
        commands = [one for path in (("cmd",), ("do", "cmd")) if (one := stage.get(*path)) is not None]
        for node in (node for one in commands for node in texts(one)):
            if isinstance(node.value, str):
                script = _PARAMETER.sub(_without_dots, node.value)
                Commands(found, dict(names), prefix="dvc: ", loops=loops).script(script, node.text_line)


def _without_dots(match: re.Match[str]) -> str:
    """The variable as a shell can spell it."""
    return f"${{{identifier(match[1])}}}"


def _parameters(name: str, text: Text) -> Iterator[tuple[str, str]]:
    """The values of a file beside the pipeline."""
    kind = kind_of(name)
    data = text.beside(f"{text.folder}/{name}" if text.folder else name)
    if data is None or kind is None or len(data) > _PARAMETER_BYTES:
        return
    try:
        for root in documents(data, kind=kind):
            yield from _flat(root)
    except UnreadableError:
        return  # a file of its own, with defects of its own


def _flat(root: Node) -> Iterator[tuple[str, str]]:
    """Every value below a mapping: `${train.model}` is the member of a member."""
    for path, node in root.walk():
        text = _plain(node)
        if path and text is not None:
            yield "_".join(identifier(str(step)) for step in path), text


def _each(stage: Node) -> list[Combination]:
    """`foreach` and `matrix` of a stage: the values of `${item}`."""
    several = stage.get("foreach") or _NOTHING
    keyed = several.members.items() if several.is_mapping else enumerate(several.items)
    found = []
    for key, node in keyed:
        item = _plain(node)
        found.append({"key": str(key), **({"item": item} if item is not None else {})})
        found[-1] |= {f"item_{name}": text for name, text in _flat(node)}
    return found or product(stage.get("matrix") or _NOTHING, "item_")


def project(root: Node, found: Found) -> None:
    """MLproject: the commands of its entry points, with the defaults of their parameters."""
    for entry in (root.get("entry_points") or _NOTHING).members.values():
        node = entry.get("command")
        given: dict[str, Word] = {}
        for name, parameter in (entry.get("parameters") or _NOTHING).members.items():
            default = parameter.get("default") or _NOTHING
            text = _plain(default)
            if text is not None:
                given[name] = Word(text, default.line, default.column)
        commands = Commands(found, {name: one.text for name, one in given.items()}, prefix="MLproject: ")
        since = len(found.references)
        if node is not None and isinstance(node.value, str):
            commands.script(_BRACES.sub(r"${\1}", node.value), node.text_line)
        commands.told("parameters", given, server=False, since=since)


def _plain(node: Node) -> str | None:
    return str(node.value) if isinstance(node.value, (str, int, float)) else None
