"""The matrices of pipelines: which values their variables have together.

Sources: the syntax references of GitHub Actions (`strategy.matrix`), GitLab (`parallel:matrix`),
Azure Pipelines (`strategy.matrix`) and CircleCI (`matrix.parameters`).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from typing import Final

from aibom.discovery.containers import pairs, word
from aibom.discovery.marked import Node
from aibom.readers.marks import UNKNOWN

COMBINATION_COUNT: Final = 256  # jobs of a matrix of GitHub
_AXIS_COUNT: Final = 20
_VALUE_COUNT: Final = 50  # of one variable
_NESTED: Final = 50  # members of a value that is a mapping
_FROM_JSON = re.compile(r"\$\{\{\s{0,20}fromJSON\('([^'\n]{1,2000})'\)\s{0,20}\}\}", re.IGNORECASE)

Combination = dict[str, str]
Columns = dict[str, tuple[str, ...]]


def identifier(name: str) -> str:
    """The name of a variable of a shell for one of a pipeline."""
    return re.sub(r"\W", "_", name)


def columns(combinations: list[Combination], otherwise: Mapping[str, str]) -> Columns:
    """The values of each variable in the same order for all of them; where one has none, its other value."""
    combinations = combinations[:COMBINATION_COUNT]
    names = dict.fromkeys(name for one in combinations for name in one)
    return {
        name: tuple(one.get(name, otherwise.get(name, UNKNOWN)) for one in combinations) for name in names
    }


def matrix(node: Node) -> list[Combination]:
    """`strategy: {matrix: ...}` or `parallel: {matrix: ...}` of a job."""
    given = node.get("strategy", "matrix")
    if given is None:
        several = node.get("parallel", "matrix")
        return [one for item in (several.items if several is not None else ()) for one in product(item, "")]
    members = given.members
    if any(member.is_mapping for member in members.values()):
        return [{name: one.text for name, one in pairs(member).items()} for member in members.values()]
    base = product(given, "matrix_", ("include", "exclude"))
    excluded = [_values(item, "matrix_") for item in _items(given, "exclude")]
    kept = [one for one in base if not any(entry and entry.items() <= one.items() for entry in excluded)]
    return _included(kept, [_values(item, "matrix_") for item in _items(given, "include")])


def _items(node: Node, key: str) -> list[Node]:
    inner = node.get(key)
    return inner.items if inner is not None else []


def _included(base: list[Combination], entries: list[Combination]) -> list[Combination]:
    """An entry goes with what it changes no value of, else it is a combination of its own."""
    found = [dict(one) for one in base]
    for entry in entries[:COMBINATION_COUNT]:
        fitting = [number for number, one in enumerate(base) if _fits(entry, one)]
        for number in fitting:
            found[number] |= entry
        if not fitting:
            found.append(entry)
    return found[:COMBINATION_COUNT]


def _fits(entry: Combination, one: Mapping[str, str]) -> bool:
    return all(one.get(name, value) == value for name, value in entry.items())


def product(node: Node, prefix: str, without: tuple[str, ...] = ()) -> list[Combination]:
    """Every combination of the values of a mapping, as far as they are counted."""
    axes = [
        [one for value in values[:_VALUE_COUNT] if (one := _value(f"{prefix}{identifier(name)}", value))]
        for name, member in node.members.items()
        if name not in without and (values := member.items or _from_json(member))
    ]
    together = itertools.islice(itertools.product(*axes[:_AXIS_COUNT]), COMBINATION_COUNT) if axes else ()
    return [{name: text for one in each for name, text in one.items()} for each in together]


def _from_json(node: Node) -> list[Node]:
    """The values of `${{ fromJSON('["a", "b"]') }}`; a value on its own is itself."""
    match = _FROM_JSON.fullmatch(node.value.strip()) if isinstance(node.value, str) else None
    if match is None:
        return [node] if node.value is not None else []
    try:
        values = json.loads(match[1])
    except (ValueError, RecursionError):
        return []
    return [Node(value, node.line, node.column) for value in values if isinstance(value, str)]


def _values(node: Node, prefix: str) -> Combination:
    found: Combination = {}
    for name, member in list(node.members.items())[:_NESTED]:
        found |= _value(f"{prefix}{identifier(name)}", member)
    return found


def _value(name: str, node: Node) -> Combination:
    """A value, or each member of one that is a mapping."""
    one = word(node)
    if one is not None:
        return {name: one.text}
    inner = list(node.members.items())[:_NESTED]
    return {f"{name}_{identifier(key)}": one.text for key, value in inner if (one := word(value)) is not None}


def passed(root: Node) -> dict[str, list[Combination]]:
    """What a pipeline of CircleCI gives to its jobs and commands by name: parameters and matrices."""
    names = {
        name for key in ("jobs", "commands") if (table := root.get(key)) is not None for name in table.members
    }
    found: dict[str, list[Combination]] = {}
    for _, node in root.walk() if names else ():
        for item in node.items:
            for name, given in list(item.members.items())[:1]:
                several = given.get("matrix", "parameters")
                if name in names and given.is_mapping:
                    prefix = "parameters_"
                    combined = product(several, prefix) if several is not None else [_values(given, prefix)]
                    found.setdefault(name, []).extend(one for one in combined if one)
    return found
