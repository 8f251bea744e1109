"""The syntax tree of a template, within bounds, with what its expressions can be.

Only parsed: nothing is compiled, and what Jinja itself would fold or render is not asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension
from jinja2.parser import Parser

from aibom.domain.errors import malformed, over_limit
from aibom.formats._constants import OPTION_COUNT, Options, elements
from aibom.formats._template_values import fold

# A token costs about 700 bytes as nodes; real templates have up to 6,000.
TOKEN_COUNT: Final = 20_000
BRACKET_DEPTH: Final = 32  # 13 frames of Jinja's parser each
BLOCK_DEPTH: Final = 32
_ROUND_COUNT: Final = 4  # of passing constants on from variable to variable

# Not `set`, which mostly stands alone.
_BLOCKS = frozenset({"for", "if", "macro", "call", "filter", "with", "block", "generation"})


class _Generation(Extension):
    """`{% generation %}`, with which transformers marks what the assistant says."""

    tags = {"generation"}  # noqa: RUF012 - declared so by Jinja

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


@dataclass(slots=True)
class Tree:
    """Every node, children before parents and in the order of the text, and what it can be."""

    ordered: tuple[nodes.Node, ...]
    bound: dict[str, Options] = field(default_factory=dict)
    _options: dict[int, Options] = field(default_factory=dict)

    @property
    def root(self) -> nodes.Node:
        return self.ordered[-1]

    def options(self, node: nodes.Node | None) -> Options:
        """The constants that an expression can be; empty when it is unknown."""
        return self._options.get(id(node), ())

    def texts(self, node: nodes.Node | None) -> tuple[str, ...]:
        return tuple(option for option in self.options(node) if isinstance(option, str))

    def evaluate(self) -> None:
        """Passes constants on through assignments, loops and calls of macros."""
        bindings = tuple(_bindings(self.ordered))
        for _ in range(_ROUND_COUNT):
            for node in self.ordered:
                self._options[id(node)] = fold(node, self.options, self.bound)
            known = sum(map(len, self.bound.values()))
            for key, value, is_element in bindings:
                found = elements(self.options(value)) if is_element else self.options(value)
                self.bound[key] = tuple(dict.fromkeys((*self.bound.get(key, ()), *found)))[:OPTION_COUNT]
            if sum(map(len, self.bound.values())) == known:
                return


def parsed(text: str, limit: int) -> Tree:
    """The tree of a template; raises malformed when it does not parse, limit when it is too large."""
    if len(text) > limit:
        raise over_limit(f"{len(text)} characters, at most {limit} are read")
    extensions = ("jinja2.ext.loopcontrols", "jinja2.ext.do", _Generation)
    # Nothing is rendered, so that nothing is there to be escaped.
    environment = Environment(extensions=extensions, trim_blocks=True, lstrip_blocks=True)  # noqa: S701
    try:
        _check_bounds(environment, text)
        root = Parser(environment, text).parse()
    except TemplateError as error:
        raise malformed(f"line {getattr(error, 'lineno', 0)}: {error.message}"[:300]) from None
    except RecursionError:
        raise over_limit("an expression is nested too deeply") from None
    except ValueError:  # an integer of more digits than Python reads
        raise malformed("a number is too large") from None
    tree = Tree(tuple(walk(root)))
    tree.evaluate()
    return tree


def _check_bounds(environment: Environment, text: str) -> None:
    """Counts before the parser builds or recurses; a token stream is made piece by piece."""
    brackets = blocks = count = 0
    previous = ""
    for _, kind, value in environment.lexer.tokeniter(text, None):
        count += kind != "whitespace"
        if kind == "operator":
            brackets += (value in "([{") - (value in ")]}")
        if previous == "block_begin" and kind == "name":
            blocks += (value in _BLOCKS) - (value.startswith("end") and value[3:] in _BLOCKS)
        if kind != "whitespace":
            previous = kind
        if count > TOKEN_COUNT:
            raise over_limit(f"more than {TOKEN_COUNT} tokens")
        if brackets > BRACKET_DEPTH or blocks > BLOCK_DEPTH:
            raise over_limit("brackets or blocks are nested too deeply")


def walk(root: nodes.Node) -> list[nodes.Node]:
    """The node and all below it, children before parents, in the order of the text.

    Without recursion: a chain of operators is as deep as it is long.
    """
    found: list[nodes.Node] = []
    todo = [root]
    while todo:
        node = todo.pop()
        found.append(node)
        todo.extend(node.iter_child_nodes())
    found.reverse()
    return found


def _bindings(all_nodes: tuple[nodes.Node, ...]) -> Iterator[tuple[str, nodes.Node, bool]]:
    """What gives a value to a name: key, expression, and whether the name gets its elements."""
    macros = {node.name: node for node in all_nodes if isinstance(node, nodes.Macro)}
    for node in all_nodes:
        if isinstance(node, nodes.Assign):
            yield from _assigned(node.target, node.node)
        elif isinstance(node, nodes.With):
            for target, value in zip(node.targets, node.values, strict=False):
                yield from _assigned(target, value)
        elif isinstance(node, nodes.AssignBlock):
            yield from _assigned(node.target, node)
        elif isinstance(node, nodes.For) and isinstance(node.target, nodes.Name):
            yield node.target.name, node.iter, True
        elif isinstance(node, nodes.Macro):
            yield f"{node.name}()", node, False
            names = node.args[len(node.args) - len(node.defaults) :]
            for name, default in zip(names, node.defaults, strict=False):
                yield name.name, default, False
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            macro = macros.get(node.node.name)
            yield from _parameters(macro, node) if macro else ()


def _assigned(target: nodes.Node, value: nodes.Node) -> Iterator[tuple[str, nodes.Node, bool]]:
    key = key_of(target)
    if key:
        yield key, value, False
    if isinstance(target, nodes.Tuple) and isinstance(value, nodes.Tuple | nodes.List):
        for part, item in zip(target.items, value.items, strict=False):
            if key_of(part):
                yield key_of(part), item, False
    if isinstance(value, nodes.Call) and key:  # namespace(name=value)
        for keyword in value.kwargs:
            yield f"{key}.{keyword.key}", keyword.value, False


def _parameters(macro: nodes.Macro, call: nodes.Call) -> Iterator[tuple[str, nodes.Node, bool]]:
    for name, value in zip(macro.args, call.args, strict=False):
        yield name.name, value, False
    for keyword in call.kwargs:
        yield keyword.key, keyword.value, False


def key_of(target: nodes.Node) -> str:
    """The variable, or attribute of a namespace, that an expression names; empty for others."""
    if isinstance(target, nodes.Name):
        return target.name
    if isinstance(target, nodes.NSRef):
        return f"{target.name}.{target.attr}"
    if isinstance(target, nodes.Getattr) and isinstance(target.node, nodes.Name):
        return f"{target.node.name}.{target.attr}"
    return ""


def passed(node: nodes.Call | nodes.Filter) -> list[nodes.Expr]:
    """The arguments of a call, by place and by name."""
    return [*node.args, *(keyword.value for keyword in node.kwargs)]
