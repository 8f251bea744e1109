"""Which attributes a template reads, and which other templates: the way out of a sandbox.

Every known escape walks from some object over names with two underscores to a module. A name
counts wherever it stands: behind a dot, in brackets, as the argument of a filter, in pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from jinja2 import nodes

from aibom.domain.confidence import Confidence
from aibom.domain.hazard import HazardKind
from aibom.formats._template_tree import Tree, passed
from aibom.readers.hazards import Hazards

# Attributes of frames, generators, coroutines and functions that lead to a namespace.
ESCAPES: Final = frozenset({
    "f_globals", "f_locals", "f_builtins", "f_back", "f_code", "gi_frame", "gi_code", "gi_yieldfrom",
    "cr_frame", "cr_code", "cr_await", "ag_frame", "ag_code", "ag_await", "tb_frame", "tb_next",
    "func_globals", "func_code", "func_closure", "im_func", "im_class", "mro",
})  # fmt: skip
# As a text these give the intention away wherever they stand; other texts with underscores do not.
KNOWN: Final = frozenset(
    f"__{name}__"
    for name in (
        "class", "base", "bases", "mro", "subclasses", "globals", "builtins", "import", "init", "new",
        "code", "closure", "dict", "getattribute", "getattr", "setattr", "call", "self", "func",
        "loader", "spec", "reduce", "reduce_ex", "module", "wrapped", "traceback", "context", "cause",
    )
)  # fmt: skip
_INTERNAL = re.compile(r"__\w*|_[A-Z]\w*__\w+")  # the second: a private attribute of Jinja's classes
_INTERNAL_KEY = re.compile(r"__[a-z]+(?:_[a-z]+)*__|_[A-Z]\w*__\w+")
_IN_FORMAT = re.compile(r"[.\[](__\w+)")  # "{0.__class__}"

_BY_NAME = frozenset({"attr", "selectattr", "rejectattr", "groupby"})
_BUILDING = frozenset({"join", "format", "replace", "reverse"})


def examine(tree: Tree, hazards: Hazards, offset: int | None) -> None:
    """Adds a hazard for each unsafe name, once, and for each read of another template."""
    for node in tree.ordered:
        for name in _names(tree, node):
            message = f"the chat template reads {name} in line {node.lineno}"
            hazards.add(HazardKind.UNSAFE_TEMPLATE, name, message, offset)
        what = _unresolved(tree, node)
        if what:
            message = (
                f"the chat template reads an attribute in line {node.lineno} whose name it puts together"
            )
            hazards.add(HazardKind.UNSAFE_TEMPLATE, what, message, offset, Confidence.MEDIUM)
        # They come from the host's own folder of templates, which the model has no business with.
        if isinstance(node, nodes.Include | nodes.Import | nodes.FromImport | nodes.Extends):
            found = "extends" if isinstance(node, nodes.Extends) else type(node).__name__.lower()
            found = "import" if isinstance(node, nodes.FromImport) else found
            message = f"the chat template reads another template in line {node.lineno}"
            hazards.add(HazardKind.UNSAFE_TEMPLATE, found, message, offset, Confidence.MEDIUM)


def _names(tree: Tree, node: nodes.Node) -> Iterator[str]:
    """The unsafe names that one node reads, or holds as a text."""
    if isinstance(node, nodes.Getattr):
        yield from _unsafe((node.attr,), _INTERNAL)
    elif isinstance(node, nodes.Keyword):
        yield from _unsafe((node.key,), _INTERNAL, frozenset())
    elif isinstance(node, nodes.Getitem):
        yield from _unsafe(tree.texts(node.arg), _INTERNAL_KEY)
    elif isinstance(node, nodes.Filter):
        yield from _attributes(tree, node)
    elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        patterns = tree.texts(node.node.node) if node.node.attr in ("format", "format_map") else ()
        yield from (name for pattern in patterns for name in _IN_FORMAT.findall(pattern))
    if isinstance(node, nodes.Expr) and not isinstance(node, nodes.TemplateData | nodes.Name):
        yield from (text for text in tree.texts(node) if text in KNOWN)


def _unsafe(
    found: Iterable[str], pattern: re.Pattern[str], escapes: frozenset[str] = ESCAPES
) -> Iterator[str]:
    return (name for name in found if pattern.fullmatch(name) or name in escapes)


def _attributes(tree: Tree, node: nodes.Filter) -> Iterator[str]:
    """The unsafe parts of dotted names that a filter gets, as in map(attribute="a.__class__")."""
    pattern = _INTERNAL if node.name == "attr" else _INTERNAL_KEY
    escapes = ESCAPES if node.name in _BY_NAME or node.name == "map" else frozenset[str]()
    for text in (text for argument in passed(node) for text in tree.texts(argument)):
        yield from _unsafe(re.split(r"[.,]", text), pattern, escapes)


def _unresolved(tree: Tree, node: nodes.Node) -> str:
    """What reads an attribute by a name that only the running template knows; empty if nothing."""
    if isinstance(node, nodes.Filter):
        unknown = any(not tree.options(each) for each in _naming(tree, node))
        return f"|{node.name}" if unknown else ""
    if isinstance(node, nodes.Getitem) and not tree.options(node.arg) and _is_built(tree, node.arg):
        return "[...]"
    return ""


def _naming(tree: Tree, node: nodes.Filter) -> list[nodes.Expr]:
    """The arguments of a filter that name an attribute."""
    if node.name in _BY_NAME:
        arguments = [*passed(node), node.dyn_args, node.dyn_kwargs]
        return [each for each in arguments if each is not None][:1]
    if node.name != "map":
        return []
    by_filter = node.args[1:2] if "attr" in tree.texts(next(iter(node.args), None)) else []
    return [*by_filter, *(keyword.value for keyword in node.kwargs if keyword.key == "attribute")]


def _is_built(tree: Tree, key: nodes.Node) -> bool:
    """True for a text put together of parts that could become a name with underscores around it."""
    if isinstance(key, nodes.Filter):
        return key.name in _BUILDING
    if isinstance(key, nodes.Call):
        return isinstance(key.node, nodes.Getattr) and key.node.attr in _BUILDING
    if isinstance(key, nodes.Mod):
        return bool(tree.texts(key.left))
    if isinstance(key, nodes.Concat):
        return _can_be_internal(tree.texts(key.nodes[0]), tree.texts(key.nodes[-1]))
    if isinstance(key, nodes.Add):  # of numbers, unless one side is a text
        first, last = tree.texts(key.left), tree.texts(key.right)
        return bool(first or last) and _can_be_internal(first, last)
    return False


def _can_be_internal(first: tuple[str, ...], last: tuple[str, ...]) -> bool:
    """True unless the first or last part is known and has no underscore at its end."""
    starts = not first or any(text.startswith("_") or not text for text in first)
    stops = not last or any(text.endswith("_") or not text for text in last)
    return starts and stops
