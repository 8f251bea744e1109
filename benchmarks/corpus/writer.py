"""Where the files of the corpus go, and what is expected of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

MANIFEST = "manifest.json"
SEED = 20_260_101


class Label(StrEnum):
    MALICIOUS = "malicious"  # must not be called safe
    BENIGN = "benign"  # must not be called dangerous, and seldom unknown
    NEUTRAL = "neutral"  # belongs to a case of several files; another one carries the expectation


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the manifest. The path is relative to the folder of the files."""

    path: str
    label: Label
    kind: str


@dataclass(slots=True)
class Corpus:
    """Files under `folder`, in one folder for each label and class."""

    folder: Path
    items: dict[str, Item] = field(default_factory=dict)

    def malicious(self, kind: str, name: str, data: bytes) -> None:
        self._place(Label.MALICIOUS, Label.MALICIOUS, kind, name).write_bytes(data)

    def beside(self, kind: str, name: str, data: bytes) -> None:
        """A file that a malicious one of the same folder needs to make sense."""
        self._place(Label.NEUTRAL, Label.MALICIOUS, kind, name).write_bytes(data)

    def benign(self, kind: str, name: str) -> Path:
        """The place for a file that a library writes."""
        return self._place(Label.BENIGN, Label.BENIGN, kind, name)

    def write_manifest(self, path: Path) -> None:
        items = [asdict(item) for _, item in sorted(self.items.items())]
        path.write_text(json.dumps(items, indent=1) + "\n")

    def _place(self, label: Label, group: Label, kind: str, name: str) -> Path:
        kind = f"{group}/{kind.replace(' ', '-')}"
        path = f"{kind}/{name}"
        if path in self.items:
            raise FileExistsError(f"two files of the corpus are called {path}")
        self.items[path] = Item(path=path, label=label, kind=kind)
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        return place


Generator = Callable[[Corpus], None]


def read_manifest(path: Path) -> list[Item]:
    return [Item(**{**item, "label": Label(item["label"])}) for item in json.loads(path.read_text())]
