"""Where the nodes of a graph stand: groups on shelves, each from left to right by what comes of what.

The same nodes and arrows give the same drawing. All lengths are pixels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

NODE_WIDTH: Final = 204
NODE_HEIGHT: Final = 48
_COLUMN: Final = NODE_WIDTH + 116  # room for the words on an arrow
GAP: Final = 16
_ROW: Final = NODE_HEIGHT + GAP
_DOWN: Final = 3 * _ROW
_WIDTH: Final = 1_300  # of a shelf with several groups
_GROUP_GAP: Final = 24
_MARGIN: Final = 12
_GRID_COLUMNS: Final = 4  # of nodes that nothing is known to be related to
_GRID_COLUMN: Final = NODE_WIDTH + 24
_SWEEPS: Final = 4
_BENDS: Final = 1_000_000  # bends are numbered from here on, after all nodes

Arrow = tuple[int, int]  # from what it was made from, to what was made
Point = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The upper left corner of each node, where each arrow passes other nodes, and the size of the whole."""

    corners: tuple[Point, ...]
    bends: tuple[tuple[Point, ...], ...]  # by arrow: the gap in each column between its ends
    width: int
    height: int


def draw(count: int, arrows: Sequence[Arrow]) -> Drawing:
    """The places of `count` nodes. Arrows may form cycles; what cannot be in order is drawn backwards."""
    found = groups(count, arrows)
    corners: dict[int, Point] = {}
    chains: list[tuple[int, ...]] = [()] * len(arrows)
    left, top, bottom = _MARGIN, _MARGIN, _MARGIN
    for members in (group for group in found if len(group) > 1):
        layers = _layers(members, arrows)
        columns = _columns(layers, _split(layers, arrows, chains))
        width = len(columns) * _COLUMN
        if left > _MARGIN and left + width > _WIDTH:  # a new shelf
            left, top = _MARGIN, bottom
        corners |= _placed(columns, left, top, count)
        bottom = max(bottom, top + max(_heights(columns, count)) + _GROUP_GAP)
        left += width
    for place, node in enumerate(group[0] for group in found if len(group) == 1):
        y, x = divmod(place, _GRID_COLUMNS)
        corners[node] = (_MARGIN + x * _GRID_COLUMN, bottom + y * _ROW)
    return Drawing(
        corners=tuple(corners[node] for node in range(count)),
        bends=tuple(tuple(corners[bend] for bend in chain) for chain in chains),
        width=max((x for x, _ in corners.values()), default=0) + NODE_WIDTH + _MARGIN,
        height=max((y for _, y in corners.values()), default=0) + NODE_HEIGHT + _MARGIN,
    )


def _placed(columns: Sequence[Sequence[int]], left: int, top: int, count: int) -> dict[int, Point]:
    """One group: short columns stand in the middle of tall ones, but never far down."""
    heights = _heights(columns, count)
    found: dict[int, Point] = {}
    for x, column in enumerate(columns):
        y = top + min((max(heights) - heights[x]) // 2, _DOWN)
        for node in column:
            found[node] = (left + x * _COLUMN, y)
            y += _height(node, count)
    return found


def _heights(columns: Sequence[Sequence[int]], count: int) -> list[int]:
    return [sum(_height(node, count) for node in column) for column in columns]


def _height(node: int, count: int) -> int:
    """A bend of an arrow, which is numbered after all nodes, needs no more than the gap."""
    return _ROW if node < count else GAP


def groups(count: int, arrows: Iterable[Arrow]) -> list[list[int]]:
    """The nodes that hang together, largest group first, each group from its first node outwards."""
    near: dict[int, list[int]] = defaultdict(list)
    for source, target in arrows:
        near[source].append(target)
        near[target].append(source)
    seen: set[int] = set()
    found: list[list[int]] = []
    for start in range(count):
        if start in seen:
            continue
        seen.add(start)
        group = [start]
        for node in group:  # grows while it is walked
            fresh = [each for each in dict.fromkeys(near[node]) if each not in seen]
            seen.update(fresh)
            group += fresh
        found.append(group)
    return sorted(found, key=len, reverse=True)


def _layers(members: Sequence[int], arrows: Sequence[Arrow]) -> dict[int, int]:
    """How many steps each node is behind the first ones; in a cycle its first node begins."""
    before, after = _neighbours(arrows)
    layers = dict.fromkeys(sorted(members), 0)
    waiting = {node: len(before[node]) for node in layers}
    left = dict(layers)
    while left:
        node = next((each for each in left if not waiting[each]), next(iter(left)))
        del left[node]
        for target in after[node]:
            waiting[target] -= 1
            if target in left:
                layers[target] = max(layers[target], layers[node] + 1)
    for node in layers:  # a first node stands right before what was made of it
        if not before[node]:
            layers[node] = min(layers[each] for each in after[node]) - 1
    return layers


def _split(layers: dict[int, int], arrows: Sequence[Arrow], chains: list[tuple[int, ...]]) -> list[Arrow]:
    """The arrows as links from one layer to the next, by way of bends that are added to the layers."""
    links: list[Arrow] = []
    for place, (source, target) in enumerate(arrows):
        if source not in layers:
            continue
        first = _BENDS + sum(map(len, chains))
        between = range(layers[source] + 1, layers[target])
        chains[place] = tuple(range(first, first + len(between)))
        layers |= zip(chains[place], between, strict=True)
        links += pairwise((source, *chains[place], target))
    return links


def _columns(layers: Mapping[int, int], links: Sequence[Arrow]) -> list[list[int]]:
    """The layers from left to right, each in an order that keeps arrows short and seldom crossing."""
    before, after = _neighbours(links)
    found: dict[int, list[int]] = defaultdict(list)
    for node, layer in layers.items():
        found[layer].append(node)
    columns = [found[layer] for layer in sorted(found)]
    for sweep in range(_SWEEPS):
        near = after if sweep % 2 else before
        for column in reversed(columns) if sweep % 2 else columns:
            rows = {node: y / len(each) for each in columns for y, node in enumerate(each)}
            _straighten(column, near, rows)
    return columns


def _straighten(column: list[int], near: Mapping[int, Sequence[int]], rows: Mapping[int, float]) -> None:
    """Each node as far down as its neighbours are on average; a node without any stays."""

    def middle(node: int) -> float:
        places = [rows[each] for each in near[node]]
        return sum(places) / len(places) if places else rows[node]

    column.sort(key=lambda node: (middle(node), rows[node]))


def _neighbours(arrows: Iterable[Arrow]) -> tuple[Mapping[int, list[int]], Mapping[int, list[int]]]:
    """What is right before each node, and what right after it."""
    before: dict[int, list[int]] = defaultdict(list)
    after: dict[int, list[int]] = defaultdict(list)
    for source, target in arrows:
        before[target].append(source)
        after[source].append(target)
    return before, after
