"""References in JavaScript and TypeScript, from the concrete syntax tree: nothing is executed."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.javascript_call import call_of
from aibom.discovery.javascript_loaders import IMPORT, find
from aibom.discovery.javascript_members import Origin
from aibom.discovery.javascript_names import Module, Scope
from aibom.discovery.javascript_scope import collect
from aibom.discovery.javascript_tree import language_of, parse
from aibom.discovery.javascript_values import Values
from aibom.domain.errors import Reason, UnreadableError

if TYPE_CHECKING:
    from tree_sitter import Node

_CODE: Final = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx")
_PARTS: Final = (".vue", ".svelte", ".html")  # code stands in `<script>` only
_DECLARATIONS: Final = (".d.ts", ".d.mts", ".d.cts")  # types, no calls
_ENDINGS: Final = ("", ".ts", ".js", ".tsx", ".jsx", ".mjs", ".mts", ".cjs", ".cts", "/index.ts", "/index.js")
_SIBLING_COUNT: Final = 16  # files beside one that are read for their constants
_SIBLING_BYTES: Final = 256 * 1024
_SCRIPT = re.compile(rb"<script\b[^>]{0,500}>", re.IGNORECASE)


def hint(data: bytes) -> bool:
    """True when the file imports a package whose calls are known."""
    return IMPORT.search(data) is not None


def discover(text: Text, found: Found) -> None:
    """Every known call of the file. Raises limit for code that is too large or too deep."""
    module = _module(text.path, text.data)
    siblings = _Siblings(text)
    values = Values(module, siblings.module)
    for node, scope in module.calls:
        if values.left <= 0:
            found.defect(Reason.LIMIT, "names that stand for too many others")
            break
        callee = node.child_by_field_name("function") or node.child_by_field_name("constructor")
        if callee is None:
            continue
        for value in values.of(callee, scope):
            if _refer(values.origin(value), node, scope, values, found):
                break
    if module.cut:
        found.defect(Reason.LIMIT, module.cut)


def _refer(origin: Origin | None, node: Node, scope: Scope, values: Values, found: Found) -> bool:
    call = call_of(origin, node, scope, values, found) if origin is not None else None
    loader = find(call.package, call.path) if call is not None else None
    if call is not None and loader is not None:
        loader.refer(call)
    return loader is not None


def _module(path: str, data: bytes) -> Module:
    code = _scripts(data) if path.endswith(_PARTS) else data
    return collect(parse(code, language_of(path)), path)


def _scripts(data: bytes) -> bytes:
    """The code of a document with blanks for everything else, so that places stay."""
    kept, end = [], 0
    for match in _SCRIPT.finditer(data):
        if match.start() < end:
            continue
        stop = data.find(b"</script", match.end())
        stop = stop if stop >= 0 else len(data)
        kept += [_blank(data[end : match.end()]), data[match.end() : stop]]
        end = stop
    return b"".join(kept)


def _blank(data: bytes) -> bytes:
    return re.sub(rb"[^\n]", b" ", data)


class _Siblings:
    """Files beside this one, for the constants that it imports from them."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._known: dict[str, Module | None] = {}

    def module(self, path: str, source: str) -> Module | None:
        """The file that the file at `path` calls `source`; None when it is not there or not readable."""
        for stem in _stems(path, source):
            for ending in _ENDINGS:
                module = self._read(stem + ending)
                if module is not None:
                    return module
        return None

    def _read(self, path: str) -> Module | None:
        if path in self._known:
            return self._known[path]
        if (
            not path.endswith(_CODE)
            or sum(each is not None for each in self._known.values()) >= _SIBLING_COUNT
        ):
            return None
        data = self._text.data if path == self._text.path else self._text.beside(path)
        self._known[path] = _sibling(path, data)
        return self._known[path]


def _sibling(path: str, data: bytes | None) -> Module | None:
    if data is None or len(data) > _SIBLING_BYTES:
        return None
    try:
        return _module(path, data)
    except UnreadableError:
        return None


def _stems(path: str, source: str) -> list[str]:
    """Where a module may lie, without its ending; `@/` and `~/` stand for a folder above."""
    folder = posixpath.dirname(path)
    if source.startswith("."):
        bases = [folder]
    else:
        source = source.partition("/")[2]
        folders = folder.split("/") if folder else []
        above = ["/".join(folders[:count]) for count in range(len(folders), -1, -1)][:6]
        bases = [each for base in above for each in (base, posixpath.join(base, "src"))]
    stems = [posixpath.normpath(posixpath.join(base, source)) for base in bases]
    # A module of TypeScript is imported by the name that it is compiled to.
    plain = [re.sub(r"\.[cm]?jsx?\Z", "", stem) for stem in stems]
    return [stem for stem in dict.fromkeys((*stems, *plain)) if not stem.startswith("..")]


DISCOVERER: Final = Discoverer(
    name="javascript",
    title="JavaScript and TypeScript",
    wants=lambda path: path.endswith((*_CODE, *_PARTS)) and not path.endswith(_DECLARATIONS),
    discover=discover,
    hint=hint,
)
