"""Which expressions of a module are dangerous, given what they are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.formats import _code_names as names
from aibom.formats._code_values import Values

LONG_LITERAL_CHARS: Final = 2_000

_NEAR_COUNT: Final = 400  # nodes of an argument that are searched

_OPENING = frozenset({
    "builtins.open", "io.open", "codecs.open", "os.open", "pathlib.Path.open", "gzip.open", "bz2.open",
})  # fmt: skip
_WRITERS = frozenset({"write_text", "write_bytes", "touch"})  # methods of pathlib
_WRITING = re.compile(r"[wax+]")
_ELSEWHERE = re.compile(r"/(?!dev/(?:null|stdout|stderr|shm/)|tmp/|proc/self/)|~|[A-Za-z]:[\\/]|\.\./")
_SECRETS = re.compile(
    r"(?:^|/)\.(?:ssh|aws|gnupg|kube|docker|netrc|pgpass|git-credentials|bash_history|zsh_history)(?:/|\Z)"
    r"|^/etc/(?:passwd|shadow|sudoers)\Z|/proc/self/environ\Z|huggingface/(?:token|stored_tokens)\Z"
    r"|Login Data\Z|wallet\.dat\Z"
)
# Attributes with which Python code walks to what it has not imported.
_INTERNALS = frozenset({"__subclasses__", "__builtins__", "__globals__", "f_globals", "f_builtins"})
_WHOLE = frozenset({"items", "values", "copy", "__iter__"})
_TRUSTING = frozenset({"trust_remote_code"})


@dataclass(frozen=True, slots=True)
class Found:
    """One observation; `is_at_once` when it happens as soon as the module is imported."""

    group: str
    what: str
    line: int
    confidence: Confidence = Confidence.HIGH
    is_at_once: bool = False


def examine(order: list[tuple[ast.AST, bool]], values: Values) -> Iterator[Found]:
    """What the module does that the code of a model has no use for, in the order of the text."""
    long_names = _long_names(values)
    environment = values.uses("os.environ")
    for node, is_at_once in order:
        line = getattr(node, "lineno", 0)
        for group, what, confidence in _found(node, values, long_names):
            # A picture is not loaded before anybody asks for it.
            sure = Confidence.HIGH if is_at_once and group == names.NETWORK else confidence
            yield Found(group, what, line, sure, is_at_once)
        if environment and _takes_whole_environment(node, values):
            yield Found(names.SECRET, "os.environ", line, Confidence.MEDIUM, is_at_once)


def in_order(tree: ast.Module) -> list[tuple[ast.AST, bool]]:
    """Every node, children before parents, and whether it runs on import.

    The body of a function or main guard does not. Without recursion, since chains can be long.
    """
    found: list[tuple[ast.AST, bool]] = []
    todo: list[tuple[ast.AST, bool]] = [(tree, True)]
    while todo:
        node, is_at_once = todo.pop()
        if isinstance(node, ast.AugAssign):  # a += b is a = a + b
            value = ast.BinOp(node.target, node.op, node.value, lineno=node.lineno)
            node = ast.Assign([node.target], value, lineno=node.lineno)
        found.append((node, is_at_once))
        later = _later(node) if is_at_once else set()
        todo.extend((child, is_at_once and child not in later) for child in ast.iter_child_nodes(node))
    found.reverse()
    return found


def _later(node: ast.AST) -> set[ast.AST]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return set(node.body)
    if isinstance(node, ast.Lambda):
        return {node.body}
    return set(node.body) if isinstance(node, ast.If) and _is_main_guard(node.test) else set()


def _is_main_guard(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or not isinstance(test.left, ast.Name):
        return False
    right = test.comparators[0]
    is_main = isinstance(right, ast.Constant) and right.value == "__main__"
    return test.left.id == "__name__" and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq) and is_main


def _long_names(values: Values) -> set[str]:
    """Variables that hold a literal of thousands of characters."""
    assigned = (node for node in values.ordered if isinstance(node, ast.Assign) and _is_long(node.value))
    return {target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)}


def _is_long(node: ast.AST) -> bool:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    return is_text and len(node.value) > LONG_LITERAL_CHARS  # type: ignore[attr-defined]


Each = tuple[str, str, Confidence]


def _found(node: ast.AST, values: Values, long_names: set[str]) -> Iterator[Each]:
    if values.paths(node) and not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
        yield from _named(node, values)
    if isinstance(node, ast.Call):
        yield from _opened(node, values)
        yield from _loaded(node, values)
        yield from _unresolved(node, values)
        yield from _hidden(node, values, long_names)
    elif isinstance(node, ast.Attribute) and node.attr in _INTERNALS:
        yield names.DYNAMIC, node.attr, Confidence.MEDIUM


def _named(node: ast.AST, values: Values) -> Iterator[Each]:
    """A name of the tables, wherever it is used: a function that is passed on is called elsewhere."""
    for path in values.paths(node):
        known = names.known(path)
        if known is None:
            continue
        group, confidence = known
        root, _, name = path.rpartition(".")
        if root == "builtins" and name in values.redefined:
            confidence = Confidence.MEDIUM  # perhaps not Python's own
        yield group, path, confidence


def _opened(node: ast.Call, values: Values) -> Iterator[Each]:
    """Files outside of the model that are written, or that hold credentials."""
    is_open = any(path in _OPENING for path in values.paths(node.func))
    own = node.func.value if isinstance(node.func, ast.Attribute) and not is_open else None
    if _writes(node, values, is_open):
        if _at_home(own or next(iter(node.args), None), values):
            yield names.FILE, "pathlib.Path.home", Confidence.HIGH
        for text in values.texts(own or next(iter(node.args), None)):
            if _ELSEWHERE.match(text):
                yield names.FILE, text[:80], Confidence.HIGH
    for text in (text for each in (own, *node.args) for text in values.texts(each)):
        if _SECRETS.search(text):
            yield names.SECRET, text[:80], Confidence.HIGH


def _at_home(place: ast.expr | None, values: Values) -> bool:
    """True for a path below the folder of the user."""
    calls = (each for each in ast.walk(place) if isinstance(each, ast.Call)) if place is not None else ()
    return any("pathlib.Path.home" in values.paths(each.func) for each in calls)


def _writes(node: ast.Call, values: Values, is_open: bool) -> bool:
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if method in _WRITERS and not is_open:
        return True
    modes = (text for each in _modes(node, is_open) for text in values.texts(each))
    return (is_open or method == "open") and any(map(_WRITING.search, modes))


def _modes(node: ast.Call, is_open: bool) -> list[ast.expr]:
    by_place = node.args[1:2] if is_open else node.args[:1]
    return [*by_place, *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]


def _flag(node: ast.Call, name: str) -> object:
    """The constant given for a keyword, None when there is none."""
    for keyword in node.keywords:
        if keyword.arg == name:
            return keyword.value.value if isinstance(keyword.value, ast.Constant) else "unknown"
    return None


def _loaded(node: ast.Call, values: Values) -> Iterator[Each]:
    """Loaders that unpickle or run code depending on an argument."""
    for path in values.paths(node.func):
        if path == "torch.load" and _flag(node, "weights_only") is not True:
            yield names.UNPICKLING, "torch.load without weights_only", Confidence.MEDIUM
        elif path == "numpy.load" and _flag(node, "allow_pickle") is True:
            yield names.UNPICKLING, "numpy.load with allow_pickle", Confidence.MEDIUM
        elif path in ("yaml.load", "yaml.load_all") and not _is_safe_yaml(node, values):
            yield names.UNPICKLING, path, Confidence.MEDIUM
    if _flag(node, "trust_remote_code") is True:
        yield names.DYNAMIC, "trust_remote_code=True", Confidence.MEDIUM


def _is_safe_yaml(node: ast.Call, values: Values) -> bool:
    loaders = (*node.args[1:], *(keyword.value for keyword in node.keywords))
    return any("Safe" in path or "BaseLoader" in path for each in loaders for path in values.paths(each))


def _unresolved(node: ast.Call, values: Values) -> Iterator[Each]:
    """Names of modules and of their members that only the running code knows."""
    unknown = [not values.options(each) for each in node.args]
    for path in values.paths(node.func):
        if path == "builtins.__import__" and unknown[:1] == [True]:
            yield names.DYNAMIC, "__import__ of a computed name", Confidence.HIGH
        elif path == "importlib.import_module" and unknown[:1] == [True]:
            yield names.DYNAMIC, "import_module of a computed name", Confidence.MEDIUM
        elif path == "builtins.getattr" and unknown[1:2] == [True]:
            owner = _one_of(node.args[0], values, names.GUARDED)
            if owner:
                yield names.DYNAMIC, f"getattr({owner}, ...)", Confidence.HIGH


def _hidden(node: ast.Call, values: Values, long_names: set[str]) -> Iterator[Each]:
    """Code and data that are decoded when they run, and names that are put together."""
    decoder, runner = _one_of(node.func, values, names.DECODERS), _one_of(node.func, values, names.RUNNERS)
    if decoder and any(_holds_long(each, long_names) for each in node.args):
        yield names.OBFUSCATION, f"{decoder} of a long literal", Confidence.MEDIUM
    for inner in (inner for each in node.args for inner in _near(each)) if runner else ():
        used = _one_of(inner, values, names.DECODERS)
        if used and isinstance(inner, ast.Attribute | ast.Name):
            yield names.OBFUSCATION, f"{runner} of {used}", Confidence.HIGH


def _one_of(node: ast.AST, values: Values, known: frozenset[str]) -> str | None:
    return next((path for path in values.paths(node) if path in known), None)


def _near(argument: ast.expr) -> Iterator[ast.AST]:
    # Calls within calls would otherwise be gone through once for each level.
    return islice(ast.walk(argument), _NEAR_COUNT)


def _holds_long(argument: ast.expr, long_names: set[str]) -> bool:
    return any(
        _is_long(node) or (isinstance(node, ast.Name) and node.id in long_names) for node in _near(argument)
    )


def _takes_whole_environment(node: ast.AST, values: Values) -> bool:
    """True for a use of all variables at once: one by its name is ordinary."""
    parts: list[ast.expr | None] = []
    if isinstance(node, ast.Attribute):
        parts = [node.value] if node.attr in _WHOLE else []
    elif isinstance(node, ast.Call):
        parts = [*node.args, *(keyword.value for keyword in node.keywords)]
    elif isinstance(node, ast.For | ast.comprehension):
        parts = [node.iter]
    elif isinstance(node, ast.Starred | ast.FormattedValue):
        parts = [node.value]
    elif isinstance(node, ast.Dict):
        parts = [value for key, value in zip(node.keys, node.values, strict=True) if key is None]
    return any("os.environ" in values.paths(part) for part in parts)
