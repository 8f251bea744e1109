"""What changed between two reports: of scans, of bills of materials, or one of each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from aibom.domain.component import Component, ComponentKind, IdentityBasis
from aibom.domain.difference import Change, ChangeClass, Difference, Missed
from aibom.domain.errors import Reason
from aibom.domain.facts import FileKind
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.domain.report import Report
from aibom.inventory import pairing, verdicts_difference
from aibom.inventory.claims_difference import claim_changes
from aibom.inventory.pairing import Pair, Side, own_name, same_bytes
from aibom.inventory.weights_difference import (
    Examine,
    held,
    is_explained,
    is_read,
    surplus_changes,
    tensor_changes,
)

# What differs in a document, key by key; None when that cannot be told.
Keys: TypeAlias = Callable[[File, File], "list[Change] | None"]

_CLASSES: Final = {
    FileKind.WEIGHTS: ChangeClass.WEIGHTS,
    FileKind.DATA: ChangeClass.DATASET,
    FileKind.CONFIG: ChangeClass.CONFIGURATION,
    FileKind.INDEX: ChangeClass.CONFIGURATION,
    FileKind.TOKENIZER: ChangeClass.TOKENIZER,
}
_OF_COMPONENT: Final = {
    ComponentKind.MODEL: ChangeClass.WEIGHTS,
    ComponentKind.ADAPTER: ChangeClass.WEIGHTS,
    ComponentKind.DATASET: ChangeClass.DATASET,
    ComponentKind.TOKENIZER: ChangeClass.TOKENIZER,
}
_ATTACHED: Final = (ComponentKind.TOKENIZER, ComponentKind.CODE)
# Nothing is lost with these: the bytes were digested, and the digests are compared.
_HARMLESS: Final = (Reason.NOT_READ, Reason.UNRECOGNISED)
_FINDINGS_LEFT_OUT: Final = "findings: a bill of materials and a folder do not show the same to a policy"
_SPOKEN: Final = (ChangeClass.LICENCE, ChangeClass.BASE_MODEL, ChangeClass.CHAT_TEMPLATE)
_REMOVED: Final = "file removed"
_ADDED: Final = "file added"
_SHORT: Final = 12


def difference(old: Side, new: Side, examine: Examine, keys: Keys) -> Difference:
    """Every difference, in the order of `Change.order`. `examine` and `keys` look into the bytes."""
    found = _Comparison(old, new, examine, keys)
    changes = sorted(set(found.changes()), key=lambda change: change.order)
    mixed = old.listed is not new.listed
    return Difference(
        old=old.name,
        new=new.name,
        tool=new.report.tool,
        changes=tuple(_once(changes)),
        missed=tuple(found.missed()),
        notes=(_FINDINGS_LEFT_OUT,) if mixed else (),
    )


def _once(changes: Iterable[Change]) -> Iterator[Change]:
    """What a model and its tokenizer ("model tokenizer") say alike is told of the model."""
    seen: dict[tuple[str, ...], str] = {}
    for change in changes:
        first = seen.setdefault((change.kind, change.old, change.new, change.detail), change.subject)
        if change.kind not in _SPOKEN or not change.subject.startswith(f"{first} "):
            yield change


class _Comparison:
    """One comparison; components and files are paired once."""

    def __init__(self, old: Side, new: Side, examine: Examine, keys: Keys) -> None:
        self.old, self.new = old, new
        self._examine, self._keys = examine, keys
        self._components = pairing.components(old.report, new.report)
        self._files = pairing.files(old.report, new.report, self._components.both)
        self._kinds = _kinds(old.report) | _kinds(new.report)
        self._told: set[tuple[ChangeClass, str]] = set()  # classes that keys of a file have told
        self._unlike: list[tuple[File, File]] = []  # no digest of one algorithm on both sides

    def changes(self) -> Iterator[Change]:
        yield from self._inventory()
        yield from self._contents()  # first: what the keys of a file tell needs no second telling
        for pair in self._components.both:
            yield from self._component(pair)
        yield from self._places()
        moved = {pair.old.path: pair.new.path for pair in self._files.both}
        yield from verdicts_difference.changes(self.old, self.new, moved)

    def missed(self) -> Iterator[Missed]:
        """What could not be read and is not known to be the same on both sides."""
        compared = {
            path
            for pair in self._files.both
            if same_bytes(pair.old, pair.new) or (is_explained(pair.old) and is_explained(pair.new))
            for path in (pair.old.path, pair.new.path)
        }
        for side, report in (("old", self.old.report), ("new", self.new.report)):
            for gap in report.gaps:
                if gap.path not in compared and gap.reason not in _HARMLESS:
                    yield Missed(side=side, gap=gap)
        for _, new in self._unlike:
            detail = "the sides state no digest of the same algorithm"
            gap = Gap(path=new.path, stage=Stage.DIGEST, reason=Reason.UNSUPPORTED, detail=detail)
            yield Missed(side="new", gap=gap)

    def _inventory(self) -> Iterator[Change]:
        for component in self._components.removed:
            yield Change(kind=ChangeClass.COMPONENT_REMOVED, subject=component.name, old=_what(component))
        for component in self._components.added:
            yield Change(kind=ChangeClass.COMPONENT_ADDED, subject=component.name, new=_what(component))

    def _component(self, pair: Pair[Component]) -> Iterator[Change]:
        old, new = pair.old, pair.new
        if self._is_renamed(pair):
            yield _change(ChangeClass.COMPONENT_RENAMED, new.name, old.name, new.name, str(new.kind))
        versions = [each.version or (each.ref.revision if each.ref else None) or "" for each in (old, new)]
        if versions[0] != versions[1] and (all(versions) or self._alike):
            yield Change(kind=ChangeClass.REVISION, subject=new.name, old=versions[0], new=versions[1])
        scanned = not self.old.listed and not self.new.listed
        for change, sources in claim_changes(new.name, old, new, keys_told=scanned, both_told=self._alike):
            if not sources or not {(change.kind, source) for source in sources} <= self._told:
                yield change

    @property
    def _alike(self) -> bool:
        return self.old.listed is self.new.listed

    def _own_names(self, pair: Pair[Component]) -> tuple[str, str]:
        return own_name(pair.old, self.old.report), own_name(pair.new, self.new.report)

    def _is_renamed(self, pair: Pair[Component]) -> bool:
        before, after = self._own_names(pair)
        if pair.new.kind in _ATTACHED and pair.old.basis is pair.new.basis is IdentityBasis.INFERRED:
            # Called after its model: the first words of the name are not its own.
            before, after = before.rpartition(" ")[2], after.rpartition(" ")[2]
        return before.lower() != after.lower()

    def _places(self) -> Iterator[Change]:
        """The commit of a checkout."""
        revisions = [_commit(side.report) for side in (self.old, self.new)]
        if all(revisions) and revisions[0] != revisions[1]:
            yield Change(kind=ChangeClass.REVISION, subject=self.new.name, old=revisions[0], new=revisions[1])

    def _contents(self) -> Iterator[Change]:
        gone = _paths(self._components.removed), _paths(self._components.added)
        carried = self._carried()
        for pair in self._files.both:
            if same_bytes(pair.old, pair.new):
                if pair.old.path != pair.new.path and _move(pair) not in carried:
                    yield _change(ChangeClass.FILE, pair.new.path, pair.old.path, pair.new.path, "moved")
            else:
                yield from self._changed(pair)
        numbers = pairing.numbers(self._components.both)
        loose = [file for file in self._files.removed if file.path not in gone[0]]
        come = [file for file in self._files.added if file.path not in gone[1]]
        shards = _by_number(filter(is_read, loose), numbers[0]), _by_number(filter(is_read, come), numbers[1])
        both = shards[0].keys() & shards[1].keys()
        for number in sorted(both):
            yield from self._resharded(shards[0][number], shards[1][number])
        pooled = {file.path for side in shards for number in both for file in side[number]}
        yield from self._alone([each for each in loose if each.path not in pooled], _REMOVED)
        yield from self._alone([each for each in come if each.path not in pooled], _ADDED)

    def _alone(self, files: Iterable[File], detail: str) -> Iterator[Change]:
        for file in files:
            old, new = (_digest(file), "") if detail == _REMOVED else ("", _digest(file))
            yield _change(self._class(file), file.path, old, new, detail)

    def _carried(self) -> set[tuple[str, ...]]:
        """The moves of folders that the new names of components tell already."""
        renamed = [pair for pair in self._components.both if len(set(self._own_names(pair))) == 2]
        before, after = _paths(pair.old for pair in renamed), _paths(pair.new for pair in renamed)
        return {
            _move(pair) for pair in self._files.both if pair.old.path in before and pair.new.path in after
        }

    def _changed(self, pair: Pair[File]) -> Iterator[Change]:
        old, new = pair.old, pair.new
        if same_bytes(old, new) is None:
            self._unlike.append((old, new))
            return
        if is_read(old) and is_read(new):
            yield from self._weights(old, new)
            return
        told = self._keys(old, new)
        if told is None:
            kind = self._class(new)
            before, after = next(pairing.common(old, new))
            detail = self._bytes_detail(old, new, kind)
            yield _change(kind, new.path, before.value[:_SHORT], after.value[:_SHORT], detail)
        else:
            self._told |= {(change.kind, path) for change in told for path in (old.path, new.path)}
            yield from told

    def _weights(self, old: File, new: File) -> Iterator[Change]:
        found = list(tensor_changes(new.path, held([old]), held([new]), self._examine))
        surplus = list(surplus_changes(new.path, old, new))
        yield from found
        yield from surplus
        if not found and not surplus:
            yield _change(ChangeClass.WEIGHTS, new.path, "", "", "metadata or padding; the tensors are equal")

    def _resharded(self, old: list[File], new: list[File]) -> Iterator[Change]:
        """Weight files of one component without a partner: the same tensors may stand in other files now."""
        subject = ", ".join(file.path for file in new[:2]) + (" ..." if len(new) > 2 else "")
        changes = list(tensor_changes(subject, held(old), held(new), self._examine))
        yield from changes
        same = "" if changes else "; the tensors are equal"
        before, after = (f"{len(files):,} file{'s' * (len(files) != 1)}" for files in (old, new))
        yield _change(ChangeClass.WEIGHTS, subject, before, after, f"tensors stand in other files{same}")

    def _class(self, file: File) -> ChangeClass:
        if file.facts is not None:
            return _CLASSES.get(file.facts.kind, ChangeClass.FILE)
        return self._kinds.get(file.path, ChangeClass.FILE)

    def _bytes_detail(self, old: File, file: File, kind: ChangeClass) -> str:
        """All that digests of whole files can tell."""
        rows = [each.facts.rows if each.facts else None for each in (old, file)]
        if kind is ChangeClass.DATASET and rows[0] is not None and rows[1] is not None:
            return f"other bytes, {rows[0]:,} rows to {rows[1]:,}"
        if kind is not ChangeClass.WEIGHTS or not (self.old.listed or self.new.listed):
            return "other bytes"
        for pair in self._components.both:
            if file.path in pair.new.files and pair.old.model_digest and pair.new.model_digest:
                if pair.old.model_digest == pair.new.model_digest:
                    return "metadata or container only: the model digest is the same"
                return "other bytes; a bill of materials does not tell which tensors"
        return "other bytes; a bill of materials does not tell which"


def _by_number(files: Iterable[File], numbers: Mapping[str, int]) -> dict[int, list[File]]:
    """The files by the number of the pair of components that they belong to."""
    found: dict[int, list[File]] = {}
    for file in files:
        if file.path in numbers:
            found.setdefault(numbers[file.path], []).append(file)
    return found


def _commit(report: Report) -> str:
    if not report.targets:
        return ""
    target = report.targets[0]
    return (target.ref.revision if target.ref else None) or dict(target.attributes).get("commit", "")


def _kinds(report: Report) -> dict[str, ChangeClass]:
    """What the bytes of a component are, for files of which nothing else is known."""
    return {
        path: _OF_COMPONENT.get(component.kind, ChangeClass.FILE)
        for component in report.components
        for path in component.files
    }


def _move(pair: Pair[File]) -> tuple[str, ...]:
    """From which folder to which; with both names when the file itself has another one."""
    old, new = pair.old.path.rpartition("/"), pair.new.path.rpartition("/")
    return (old[0], new[0]) if old[2] == new[2] else (*old, *new)


def _paths(components: Iterable[Component]) -> set[str]:
    return {path for component in components for path in component.files}


def _what(component: Component) -> str:
    return " ".join(filter(None, (component.kind, component.version)))


def _change(kind: ChangeClass, subject: str, old: str, new: str, detail: str) -> Change:
    return Change(kind=kind, subject=subject, old=old, new=new, detail=detail)


def _digest(file: File) -> str:
    found = file.digest("sha256") or file.digests[0]
    return found.value[:_SHORT]
