"""Models and adapters, folder by folder, with what hangs under them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aibom.domain.component import Claim, Component, ComponentKind, ModelDigest, Relation, RelationKind
from aibom.domain.errors import Reason
from aibom.domain.facts import FileKind
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.inventory.ancestry import relations_of
from aibom.inventory.attachments import code, tokenizer
from aibom.inventory.claims import claims_of
from aibom.inventory.folders import Folder, Place, folders
from aibom.inventory.naming import component_id, identity
from aibom.inventory.shards import WeightGroup, is_training_state, weight_groups

Digester = Callable[[Iterable[File]], ModelDigest]

# Files that say by themselves "here is a model", even when its weights are elsewhere.
_MARKERS = ("transformers-config", "adapter-config", "shard-index", "mlmodel", "modelfile")
_SUPPORT = (FileKind.CONFIG, FileKind.INDEX, FileKind.CARD)
# Of several containers of the same weights, the first of these speaks for the model.
_PREFERRED = (
    "safetensors",
    "gguf",
    "torch-zip",
    "torchscript",
    "torch-legacy",
    "torch-tar",
    "keras",
    "hdf5",
    "onnx",
)


def models(place: Place, digest: Digester) -> tuple[list[Component], list[Gap]]:
    """All models, adapters, tokenizers and remote code, and a gap for each missing shard."""
    groups = _groups(place)
    guests = _guests(place, groups)
    found: list[Component] = []
    gaps: list[Gap] = []
    for path, members in groups.items():
        site = _Site(place, place.folders[path], members, guests.get(path, ()))
        found += site.components(digest)
        gaps += (_missing(shard, group) for group in members for shard in group.missing)
    return found, gaps


def _missing(path: str, group: WeightGroup) -> Gap:
    beside = group.files[0].path if group.files else "the index"
    detail = f"a shard that {beside} belongs with is not there"
    return Gap(path=path, stage=Stage.ASSEMBLE, reason=Reason.MISSING, detail=detail)


def _groups(place: Place) -> dict[str, list[WeightGroup]]:
    """The weight groups of every folder that holds a model."""
    found = {}
    for folder in folders(place):
        if any(above.of_format("mlmodel") for above in place.above(folder.path)):
            continue  # an MLflow model owns everything below it
        described = bool(folder.of_format(*_MARKERS)) or is_model_card(folder)
        groups = weight_groups(folder, _weights(folder, place), described=described)
        if groups or described:
            found[folder.path] = groups or [
                WeightGroup(stem="", adapter=_is_adapter(folder), files=(), missing=())
            ]
    return found


def _weights(folder: Folder, place: Place) -> list[File]:
    weights = list(folder.of_kind(FileKind.WEIGHTS))
    if folder.of_format("mlmodel"):
        prefix = f"{folder.path}/" if folder.path else ""
        inside = (place.folders[path] for path in sorted(place.folders) if path.startswith(prefix))
        weights += (f for below in inside if below is not folder for f in below.of_kind(FileKind.WEIGHTS))
    return weights


def _is_adapter(folder: Folder) -> bool:
    return bool(folder.of_format("adapter-config")) and not folder.of_format("transformers-config")


def is_model_card(folder: Folder) -> bool:
    """True when a card in the folder describes a model."""
    return any(("card", "model") in file.facts.metadata for file in folder.of_format("card") if file.facts)


def _guests(place: Place, groups: dict[str, list[WeightGroup]]) -> dict[str, tuple[File, ...]]:
    """Configuration and tokenizer files from subfolders without a model of their own."""
    found: dict[str, list[File]] = defaultdict(list)
    for folder in folders(place):
        if folder.path not in groups:
            owner = next((above.path for above in place.above(folder.path) if above.path in groups), None)
            if owner is not None:
                found[owner] += folder.of_kind(FileKind.CONFIG, FileKind.INDEX, FileKind.TOKENIZER)
    return {path: tuple(files) for path, files in found.items()}


@dataclass(frozen=True, slots=True)
class _Site:
    """One folder with models in it."""

    place: Place
    folder: Folder
    groups: list[WeightGroup]
    guests: tuple[File, ...]

    def components(self, digest: Digester) -> list[Component]:
        support = self._support()
        owner = self._owner()
        attached = [
            *tokenizer(self._tokenizer_files(), self._title(support)),
            *code(self.folder, self._title(support)),
        ]
        uses = tuple(
            Relation(kind=RelationKind.USES, target_id=part.id, detail=part.kind) for part in attached
        )
        built = [
            self._component(group, support, support if group is owner else (), uses, digest)
            for group in self.groups
        ]
        return built + attached

    def _support(self) -> tuple[File, ...]:
        here = [file for file in self.folder.of_kind(*_SUPPORT) if ("card", "dataset") not in _metadata(file)]
        here += (file for file in self.folder.files if is_training_state(file.path))
        return (*here, *(file for file in self.guests if file.facts and file.facts.kind in _SUPPORT))

    def _tokenizer_files(self) -> list[File]:
        guests = [file for file in self.guests if file.facts and file.facts.kind is FileKind.TOKENIZER]
        return [*self.folder.of_kind(FileKind.TOKENIZER), *guests]

    def _owner(self) -> WeightGroup | None:
        """Whose component the shared files are in; nobody's when several models share them."""
        main = [group for group in self.groups if not group.stem and not group.adapter]
        return main[0] if main else (self.groups[0] if len(self.groups) == 1 else None)

    def _title(self, support: tuple[File, ...]) -> str:
        return identity(self.folder.path, "", claims_of(support), self.place).name

    def _component(
        self,
        group: WeightGroup,
        described_by: tuple[File, ...],
        owned: tuple[File, ...],
        uses: tuple[Relation, ...],
        digest: Digester,
    ) -> Component:
        claims = self._claims(group, described_by)
        named = identity(self.folder.path, _stem(group), claims, self.place, subpath=_subpath(group))
        speaker = _speaker(group.files)
        result = digest(speaker)
        files = sorted((*group.files, *owned), key=lambda file: file.path)
        kind = ComponentKind.ADAPTER if group.adapter else ComponentKind.MODEL
        return Component(
            id=component_id(kind, named.name, files, f"{self.folder.path}/{group.stem}"),
            kind=kind,
            name=named.name,
            basis=named.basis,
            version=named.version,
            ref=named.ref,
            files=tuple(file.path for file in files),
            claims=claims,
            relations=relations_of(claims, named.ref) + uses,
            complete=bool(group.files) and not group.missing and self._is_whole(files),
            model_digest=None if group.missing else result.named,
            model_digest_anonymous=None if group.missing else result.anonymous,
            model_digest_absent="shards are missing" if group.missing else result.absent,
            tensor_count=sum(len(file.facts.tensors) for file in speaker if file.facts),
            parameter_count=_parameters(speaker),
            dtypes=_dtypes(speaker),
        )

    def _claims(self, group: WeightGroup, described_by: tuple[File, ...]) -> tuple[Claim, ...]:
        claims = claims_of((*group.files, *described_by, *self._tokenizer_files()))
        if any(file.facts and file.facts.kind is FileKind.CARD for file in described_by):
            return claims
        for above in self.place.above(self.folder.path):
            cards = [
                file for file in above.of_kind(FileKind.CARD) if ("card", "dataset") not in _metadata(file)
            ]
            if cards:
                return claims + claims_of(cards, inherited=True)
        return claims

    def _is_whole(self, files: Iterable[File]) -> bool:
        gaps = self.place.gap_paths
        return self.folder.path not in self.place.lost and not any(file.path in gaps for file in files)


def _metadata(file: File) -> tuple[tuple[str, str], ...]:
    return file.facts.metadata if file.facts else ()


def _stem(group: WeightGroup) -> str:
    """The name of a model that is one file among others: that of the file."""
    if not group.stem or not group.files:
        return group.stem
    known = group.files[0].path.rpartition("/")[2]
    return known.rpartition(".")[0] if group.stem == known and "." in known else group.stem


def _subpath(group: WeightGroup) -> str | None:
    single = len(group.files) == 1 and group.stem
    return group.files[0].path.rpartition("/")[2] if single else None


def _speaker(files: tuple[File, ...]) -> list[File]:
    """The files of the container that speaks for the model."""
    formats = sorted({file.facts.format for file in files if file.facts and not file.facts.unread}, key=_rank)
    best = formats[0] if formats else None
    # External data belongs to the ONNX file that describes it.
    return [file for file in files if file.format == best or (best == "onnx" and file.format == "onnx-data")]


def _rank(name: str) -> tuple[int, str]:
    return (_PREFERRED.index(name) if name in _PREFERRED else len(_PREFERRED)), name


def _parameters(files: list[File]) -> int | None:
    tensors = [tensor for file in files if file.facts for tensor in file.facts.tensors]
    return sum(tensor.elements for tensor in tensors) if tensors else None


def _dtypes(files: list[File]) -> tuple[str, ...]:
    return tuple(sorted({tensor.dtype for file in files if file.facts for tensor in file.facts.tensors}))
