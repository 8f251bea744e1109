"""References in Python code, from the syntax tree: nothing is imported, nothing is executed."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.python_call import Call, Loaders
from aibom.discovery.python_collect import collect
from aibom.discovery.python_containers import last_name
from aibom.discovery.python_loaders import LOADERS, ROOTS, TELLTALES
from aibom.discovery.python_parse import head, no_collection, parse
from aibom.discovery.python_scope import Import, Module, Place, Site, Value
from aibom.discovery.python_siblings import Siblings
from aibom.discovery.python_values import Values
from aibom.domain.errors import Reason, over_limit

__all__ = ["DISCOVERER", "discover", "hint", "parse", "references_in"]

_LOADERS: Final = Loaders(LOADERS)
# Never looked for beside a file.
_LIBRARIES: Final = frozenset(root.decode() for root in ROOTS) | sys.stdlib_module_names
# Functions that call another function with the arguments that stand behind it, and where it stands.
_CALLERS: Final = {"partial": 0, "to_thread": 0, "run_sync": 0, "run_in_executor": 1, "submit": 0}
# Keywords under which most loaders are told what to load.
_NAMES: Final = frozenset(
    ("model", "model_id", "model_name", "model_name_or_path", "name", "path", "pretrained_model_name_or_path",
     "repo_id")
)  # fmt: skip
_LINE_BYTES: Final = 512  # of an import, in the first look at a file
_IMPORT = re.compile(rb"import[ \t(]")
_STATEMENT = re.compile(rb"(?:\xef\xbb\xbf)?[ \t]*(?:[^#\n>]*;[ \t]*)?(?:from|import)[ \t]")
_FROM = re.compile(rb"[^\n]*?\bfrom[ \t]+([\w.]+)[ \t]+import")
_SHARED: Final = frozenset((b".", b"..", b"google", b"google.cloud", b"sklearn", b"sklearn.externals"))
_PROSE = re.compile(rb"[ \t]*(?:>>>|#|\.\.\. |[-*|] )|[^\n]*`|[ \t]*(?:async )?def \Z")
_HUB_CALL = re.compile(rb"\.from_pretrained\(\s*f?[\"'][\w.-]+/[\w.-]+[\"']")
_WORD = re.compile(rb"[A-Za-z_]\w*")
_SUITE: Final = b"langchain_"  # of libraries whose names start alike


def hint(data: bytes) -> bool:
    """True when the file imports a library that loads models, and has a word that it needs for that."""
    roots: set[bytes] = set()
    for match in _IMPORT.finditer(data):
        start = _line_start(data, match.start())
        if start is not None and _STATEMENT.match(data, start, match.end()):
            source = _FROM.match(data, start, match.end())
            # What is taken from a module is a module itself only in packages that several share.
            if source is not None and source[1] not in _SHARED:
                roots.update(_WORD.findall(source[1]))
                continue
            end = data.find(b"\n", match.end(), match.end() + _LINE_BYTES)
            roots.update(_WORD.findall(data, start, end if end > 0 else match.end() + _LINE_BYTES))
    words = {*TELLTALES}
    for root in roots:
        needed = ROOTS.get(_SUITE if root.startswith(_SUITE) else root)
        if needed == ():
            return True
        words.update(needed or ())
    places = (_places(word, data) for word in words)
    return _in_code(chain.from_iterable(places), data) or _in_code(_hub_calls(data), data)


def _places(word: bytes, data: bytes) -> Iterator[int]:
    at = data.find(word)
    while at >= 0:
        yield at
        at = data.find(word, at + len(word))


def _hub_calls(data: bytes) -> Iterator[int]:
    """Ids of the Hub in calls of classes that no import of the file tells of."""
    return (match.start() for match in _HUB_CALL.finditer(data))


def _in_code(places: Iterable[int], data: bytes) -> bool:
    """True when one of the places is in no comment, example or definition."""
    for at in places:
        start = _line_start(data, at)
        if start is None or _PROSE.match(data, start, at) is None:
            return True
    return False


def _line_start(data: bytes, at: int) -> int | None:
    """Where the line begins; None when that is far away: lines of code are short."""
    before = max(0, at - _LINE_BYTES)
    newline = data.rfind(b"\n", before, at)
    return newline + 1 if newline >= 0 else None if before else 0


def discover(text: Text, found: Found) -> None:
    """Every loader call of the file. Raises `UnreadableError` for what is no Python 3."""
    part = head(text.data)
    if not part:
        raise over_limit(f"{len(text.data)} bytes of code that cannot be cut into smaller parts")
    if len(part) < len(text.data):
        found.defect(Reason.LIMIT, f"only the first {len(part)} bytes of code are looked at", len(part))
    with no_collection():
        references_in(parse(part), text, found)


def references_in(tree: ast.Module, text: Text, found: Found) -> None:
    """Every loader call of a parsed program."""
    module = collect(tree)
    module.beside = Siblings(text, _LIBRARIES).module
    values = Values()
    aliases = _aliases(module)
    prepared = any(last_name(site.node.func) == "partial" for site in module.calls)
    for site in module.calls:
        if found.full:
            break
        node = _called(site.node)
        if node is not None and _promising(node.func, module, aliases):
            at = _place(site, module)
            _refer(_prepared(node, at, values) if prepared else node, at, values, found)
    if values.follow.exhausted or not module.complete:
        found.defect(Reason.LIMIT, "more names and calls than are followed in one file")
    module.dissolve()


def _promising(func: ast.expr, module: Module, aliases: frozenset[str]) -> bool:
    """A cheap look at what is called: most calls are of builtins and of methods of other names."""
    if isinstance(func, ast.Name):
        return func.id in module.bound or bool(module.stars)
    if last_name(func) in _LOADERS.lasts:
        return True
    while aliases and isinstance(func, ast.Attribute):
        func = func.value
        if last_name(func) in aliases:
            return True
    return False


def _aliases(module: Module) -> frozenset[str]:
    """Names for modules any of whose functions can be a loader; none when there is no such library."""
    if _LOADERS.roots.isdisjoint(module.roots):
        return frozenset()
    imported = (
        name
        for scope in module.scopes.values()
        for name, bindings in scope.names.items()
        if any(
            isinstance(one.value, Import) and not _LOADERS.modules.isdisjoint(one.value.name.split("."))
            for one in bindings
        )
    )
    return frozenset(imported) | _LOADERS.modules


def _place(site: Site, module: Module) -> Place:
    return Place(module, site.scope, site.order, site.conditions)


def _called(node: ast.Call) -> ast.Call | None:
    """The call that `functools.partial(function, argument)` and the like prepare; else the call itself.

    None for a `partial` that says nothing of what is loaded: whoever calls it does.
    """
    at = _CALLERS.get(last_name(node.func), len(node.args))
    if at >= len(node.args) or not isinstance(node.args[at], ast.Name | ast.Attribute):
        return node
    if at + 1 == len(node.args) and _NAMES.isdisjoint(keyword.arg for keyword in node.keywords):
        return None
    return ast.copy_location(ast.Call(node.args[at], node.args[at + 1 :], node.keywords), node)


def _prepared(node: ast.Call, at: Place, values: Values) -> ast.Call:
    """A call of what `functools.partial` made, as a call of the function itself."""
    for made, _ in values.values(Value(node.func, at)) if isinstance(node.func, ast.Name) else ():
        if isinstance(made, ast.Call) and last_name(made.func) == "partial" and made.args:
            args, keywords = [*made.args[1:], *node.args], [*made.keywords, *node.keywords]
            return ast.copy_location(ast.Call(made.args[0], args, keywords), node)
    return node


def _refer(node: ast.Call, at: Place, values: Values, found: Found) -> None:
    fitting = _LOADERS.find(values.names(node.func, at))
    if fitting is not None and fitting[1].guess:
        fitting = _LOADERS.find(values.names(node.func, at, beside=True)) or fitting
    if fitting is not None:
        name, loader = fitting
        loader.refer(Call(name, node, at, values, found, _LOADERS))


DISCOVERER = Discoverer(
    name="python",
    title="Python code",
    wants=lambda path: path.endswith((".py", ".pyi", ".pyw")),
    discover=discover,
    hint=hint,
)
