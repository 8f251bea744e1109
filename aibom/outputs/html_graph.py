"""The components as a graph: what was made from what, and what the code refers to.

At most `NODES` nodes are drawn, those that belong together first, and `SENTENCES` arrows are told in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aibom.domain.component import Component, ComponentKind, Relation, RelationKind
from aibom.domain.finding import Severity
from aibom.domain.ref import Ref
from aibom.domain.reference import Reference
from aibom.domain.report import Report
from aibom.domain.text import capped, visible
from aibom.outputs.html_layout import GAP, NODE_HEIGHT, NODE_WIDTH, Point, draw, groups
from aibom.outputs.html_subjects import Subjects
from aibom.outputs.quantities import plural

NODES: Final = 60
SENTENCES: Final = 300
_LABEL_CHARS: Final = 22
_WORD_CHARS: Final = 16
_HEAD: Final = 7  # pixels that the head of an arrow takes
_BEND: Final = 40

_WORDS: Final = {
    RelationKind.ANCESTOR: "base",
    RelationKind.TRAINED_ON: "trained on",
    RelationKind.USES: "uses",
}
_TOLD: Final = {
    RelationKind.ANCESTOR: "was made from",
    RelationKind.TRAINED_ON: "was trained on",
    RelationKind.USES: "uses",
}

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A component, a place outside of the scan, or a file that refers to one."""

    name: str
    kind: str
    outside: bool = False
    anchor: str = ""  # of its row on the page
    worst: Severity | None = None
    findings: int = 0

    @property
    def label(self) -> str:
        """The name, short enough for its box: the end tells similar names apart."""
        name = visible(self.name) or "(unnamed)"
        half = _LABEL_CHARS // 2
        return name if len(name) <= _LABEL_CHARS else f"{name[: half - 1]}…{name[-half:]}"

    @property
    def alternative(self) -> str:
        """What the box says, for those who do not see it."""
        parts = [f"{self.kind} {capped(visible(self.name), 120)}"]
        parts += ["outside of what was scanned"] if self.outside else []
        if self.worst is not None:
            parts.append(f"{plural(self.findings, 'finding')}, the worst {self.worst.label}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """From what something was made from to what was made."""

    source: int
    target: int
    word: str
    style: str  # ancestor, trained-on, uses, refers
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A node in its place."""

    node: Node
    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An arrow in its place, as the data of an SVG path, with the middle for its word."""

    arrow: Arrow
    path: str
    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """What is drawn, what is told in words, and how much of both is left out."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: int
    height: int
    hidden_nodes: int
    sentences: tuple[str, ...]
    hidden_sentences: int


def graph(report: Report, subjects: Subjects) -> Graph:
    """The graph of a report, the same for the same report."""
    found = _Collected(report, subjects)
    nodes, arrows = list(found.nodes.values()), list(found.arrows.values())
    pairs = [(arrow.source, arrow.target) for arrow in arrows]
    chosen = [node for group in groups(len(nodes), pairs) for node in group][:NODES]
    places = {node: place for place, node in enumerate(sorted(chosen))}
    shown = [arrow for arrow in arrows if arrow.source in places and arrow.target in places]
    drawing = draw(len(places), [(places[arrow.source], places[arrow.target]) for arrow in shown])
    leaving = Counter(arrow.source for arrow in shown)
    coming = Counter(arrow.target for arrow in shown)
    corners = {node: drawing.corners[place] for node, place in places.items()}
    return Graph(
        boxes=tuple(Box(node=nodes[node], x=x, y=y) for node, (x, y) in corners.items()),
        lines=tuple(
            _line(
                arrow,
                (corners[arrow.source], *bends, corners[arrow.target]),
                late=leaving[arrow.source] > coming[arrow.target],
            )
            for arrow, bends in zip(shown, drawing.bends, strict=True)
        ),
        width=drawing.width,
        height=drawing.height,
        hidden_nodes=len(nodes) - len(places),
        sentences=tuple(arrow.sentence for arrow in arrows[:SENTENCES]),
        hidden_sentences=max(0, len(arrows) - SENTENCES),
    )


def _line(arrow: Arrow, points: Sequence[Point], *, late: bool) -> Line:
    """Curves from the right side of the first box, through the gaps on the way, to the left side of the last.

    The word stands near the beginning, or near the end when `late`: where fewer arrows meet.
    """
    half = NODE_HEIGHT // 2
    x, y = points[0][0] + NODE_WIDTH, points[0][1] + half
    path, words = f"M{x} {y}", []
    for left, top in points[1:-1]:
        path += _curve(x, y, left, top + GAP // 2) + f"H{left + NODE_WIDTH}"
        words.append(_third(x, y, left, top + GAP // 2, late=late))
        x, y = left + NODE_WIDTH, top + GAP // 2
    end_x, end_y = points[-1][0] - _HEAD, points[-1][1] + half
    words.append(_third(x, y, end_x, end_y, late=late))
    word_x, word_y = words[-1 if late else 0]
    return Line(arrow=arrow, path=path + _curve(x, y, end_x, end_y), x=word_x, y=word_y)


def _curve(x: int, y: int, end_x: int, end_y: int) -> str:
    bend = max(_BEND, (end_x - x) // 2)
    return f"C{x + bend} {y} {end_x - bend} {end_y} {end_x} {end_y}"


def _third(x: int, y: int, end_x: int, end_y: int, *, late: bool) -> Point:
    """About a third or two thirds of the way along a curve."""
    thirds, part = (2, 20) if late else (1, 7)
    return x + (end_x - x) * thirds // 3, y + (end_y - y) * part // 27


class _Collected:
    """All nodes and arrows, each once, in the order of the report."""

    def __init__(self, report: Report, subjects: Subjects) -> None:
        self._subjects = subjects
        self._numbers: dict[Key, int] = {}
        self.nodes: dict[int, Node] = {}
        self.arrows: dict[Key, Arrow] = {}
        self._places: dict[Key, Key] = {}  # of components, by where they come from
        for component in report.components:
            self._add(("component", component.id), self._component(component))
            if component.ref is not None:
                self._places.setdefault(_place(component.ref), ("component", component.id))
        for component in report.components:
            for relation in component.relations:
                self._relate(component, relation)
        for reference in report.references:
            self._refer(reference)

    def _add(self, key: Key, node: Node) -> int:
        number = self._numbers.setdefault(key, len(self._numbers))
        self.nodes.setdefault(number, node)
        return number

    def _component(self, component: Component) -> Node:
        counts = self._subjects.severities(component)
        return Node(
            name=component.name,
            kind=component.kind,
            anchor=self._subjects.anchors[component.id],
            worst=next(iter(counts), None),
            findings=sum(counts.values()),
        )

    def _outside(self, ref: Ref, kind: str) -> int:
        key = self._places.get(_place(ref))
        if key is None and ref.scheme == "file":
            owner = self._subjects.owner(ref.location)
            key = ("component", owner.id) if owner else None
        if key is not None:
            return self._numbers[key]
        return self._add(_place(ref), Node(name=ref.location, kind=kind, outside=True))

    def _relate(self, component: Component, relation: Relation) -> None:
        own = self._numbers["component", component.id]
        if relation.target is not None:
            kind = "dataset" if relation.kind is RelationKind.TRAINED_ON else "model"
            kind = "code" if relation.detail == "remote-code" else kind
            other = self._outside(relation.target, kind)
        else:
            other = self._inside(relation.target_id or "")
        # What a relation is about is often told by the kind of the other end already.
        detail = "" if relation.detail == self.nodes[other].kind else relation.detail or ""
        word = detail if relation.kind is RelationKind.ANCESTOR else ""
        parts = [component.name, _TOLD[relation.kind], self.nodes[other].name]
        parts += [f"({detail})"] if detail else []
        parts += [f"as {relation.source} says, not verified"] if relation.source else []
        self._connect(other, own, word or _WORDS[relation.kind], relation.kind, " ".join(parts))

    def _inside(self, identifier: str) -> int:
        """A component of the report; one that is named and not there shows as a place outside."""
        key = ("component", identifier)
        if key in self._numbers:
            return self._numbers[key]
        return self._add(key, Node(name=identifier, kind="component", outside=True))

    def _refer(self, reference: Reference) -> None:
        if reference.target is None or reference.kind is ComponentKind.LIBRARY:
            return  # libraries would hide the rest; they are in the table
        path = reference.location.path
        owner = self._subjects.owner(path)
        if owner is None:
            user = self._add(("file", path), Node(name=path, kind="file"))
        else:
            user = self._numbers["component", owner.id]
        target = self._outside(reference.target, reference.kind)
        line = f" in line {reference.location.line}" if reference.location.line is not None else ""
        sentence = f"{path} refers to {self.nodes[target].name}{line}"
        self._connect(target, user, "", "refers", sentence)

    def _connect(self, source: int, target: int, word: str, style: str, sentence: str) -> None:
        short = visible(word)[:_WORD_CHARS]
        arrow = Arrow(source=source, target=target, word=short, style=style, sentence=sentence)
        between = any((str(source), str(target), kind) in self.arrows for kind in ("ancestor", "trained-on"))
        if source != target and not (style in ("uses", "refers") and between):
            self.arrows.setdefault((str(source), str(target), style), arrow)


def _place(ref: Ref) -> Key:
    return "place", ref.scheme, ref.location.lower()


def legend(found: Graph) -> Iterator[tuple[str, str]]:
    """The styles of arrows that are drawn, in a fixed order, with what they mean."""
    drawn = {line.arrow.style for line in found.lines}
    words = {"ancestor": "made from", "trained-on": "trained on", "uses": "uses", "refers": "referred to by"}
    return ((style, word) for style, word in words.items() if style in drawn)
