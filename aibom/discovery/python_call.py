"""One call in Python code, as a loader sees it: full name, arguments, and what they stand for."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Final

from aibom.discovery.found import Found
from aibom.discovery.python_scope import Place, Value
from aibom.discovery.python_values import Values
from aibom.discovery.targets import Target, hub
from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.reference import Flag


@dataclass(frozen=True)
class Call:
    """A call by its full name. Positions count from 0; `*` and `**` of what is known are unfolded."""

    full_name: str  # with `()` behind what is called, and the dots of a relative import
    node: ast.Call
    at: Place
    values: Values
    found: Found
    loaders: Loaders

    @property
    def name(self) -> str:
        """The full name as it is shown."""
        return self.full_name.replace("()", "").lstrip(".")

    @cached_property
    def _positional(self) -> list[Value]:
        """The arguments by position, as far as it is known how many there are."""
        given: list[Value] = []
        for arg in self.node.args:
            if not isinstance(arg, ast.Starred):
                given.append(Value(arg, self.at))
                continue
            unfolded = self.values.members(Value(arg.value, self.at))
            if not unfolded:
                break
            given += unfolded
        return given

    @cached_property
    def _named(self) -> dict[str, Value]:
        given: dict[str, Value] = {}
        for keyword in self.node.keywords:
            value = Value(keyword.value, self.at)
            given |= {keyword.arg: value} if keyword.arg is not None else self.values.mapping(value)
        return given

    def argument(self, position: int | None, *keywords: str) -> Value | None:
        """What stands at a position or under one of the keywords; None when it is not given."""
        if position is not None and position < len(self._positional):
            return self._positional[position]
        return next((self._named[name] for name in keywords if name in self._named), None)

    def texts(self, position: int | None, *keywords: str) -> tuple[str, ...]:
        """Every text that the argument can be; empty when it is absent or unknown."""
        return self.values.texts(self.argument(position, *keywords))

    def text(self, position: int | None, *keywords: str) -> str | None:
        """The text, when there is exactly one."""
        options = self.texts(position, *keywords)
        return options[0] if len(options) == 1 else None

    def truth(self, position: int | None, *keywords: str) -> bool | None:
        """True or False when the argument is just that; None when it is absent or unknown."""
        return self.values.truth(self.argument(position, *keywords))

    def absent(self, position: int | None, *keywords: str) -> bool:
        """True when the argument is not given, or is `None`."""
        found = self.values.values(self.argument(position, *keywords))
        return all(isinstance(each.node, ast.Constant) and each.node.value is None for each in found)

    def built(self, position: int | None, *keywords: str) -> bool:
        """True when the argument is an object that another call made, and no text."""
        value = self.argument(position, *keywords)
        return value is not None and self.values.built(value)

    def loaded(self, position: int | None, *keywords: str) -> bool:
        """True when the argument comes from a call that is a reference of its own."""
        made = self.values.values(self.argument(position, *keywords))
        calls = [(each.node, each.at) for each in made if isinstance(each.node, ast.Call)]
        return any(self.loaders.find(self.values.names(node.func, at)) for node, at in calls)

    def every(self, position: int | None, *keywords: str) -> tuple[str, ...]:
        """The texts of an argument that is one text, a list of them, or a dict of either."""
        value = self.argument(position, *keywords)
        if value is None:
            return ()
        given = [value, *self.values.members(value)]
        for each in self.values.mapping(value).values():
            given += [each, *self.values.members(each)]
        keys = set(self.values.mapping(value))
        texts = dict.fromkeys(text for each in given for text in self.values.texts(each))
        return tuple(text for text in texts if text not in keys)

    def owners(self) -> list[Call]:
        """The calls that made the object whose method is called: `OpenAI(...)` of `client.chat.create`."""
        node: ast.expr = self.node.func
        found: list[Call] = []
        while isinstance(node, ast.Attribute) and not found:
            node = node.value
            found = [
                replace(self, node=made, at=at)
                for made, at in self.values.values(Value(node, self.at))
                if isinstance(made, ast.Call)
            ]
        return found

    def refer(
        self,
        kind: ComponentKind,
        targets: Iterable[Target],
        *,
        flags: Iterable[Flag] = (),
        confidence: Confidence = Confidence.HIGH,
        where: Value | None = None,
    ) -> None:
        """Reports what the call loads; no target at all is a reference that is not resolved.

        `where` is an item of a long argument, whose own line says more than that of the call.
        """
        node: ast.expr = self.node
        if where is not None and isinstance(where.node, ast.expr) and where.at.module is self.at.module:
            node = where.node
        line, column, more = node.lineno, node.col_offset + 1, frozenset(flags)
        known = [target for target in targets if target.ref is not None]
        for target in known:
            self.found.add(
                kind, target.ref, self.name, line, column, flags=target.flags | more, confidence=confidence
            )
        if not known:
            self.found.add(kind, None, self.name, line, column, flags=more, confidence=confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """A function that loads something.

    In the pattern `*` stands for any parts of a name, none of them as well between two dots, and
    within a part for any letters. `guess`: the name tells little, what is known better goes first.
    """

    pattern: str
    refer: Callable[[Call], None]
    guess: bool = False


class Loaders:
    """Finds the loader of a full name: one whose pattern is the name, else the first one that fits."""

    def __init__(self, loaders: Iterable[Loader]) -> None:
        self._exact: dict[str, Loader] = {}
        self._fitting: dict[str, list[Loader]] = {}
        for loader in loaders:
            last = loader.pattern.rpartition(".")[2]
            if "*" not in loader.pattern:
                self._exact.setdefault(loader.pattern, loader)
            else:
                key = "*" if "*" in last else last
                self._fitting.setdefault(key, []).append(loader)
        self.lasts: Final = {name.rpartition(".")[2] for name in self._exact} | {*self._fitting}
        # Modules any of whose functions can be one, and the libraries that they belong to.
        patterns = [loader.pattern.split(".") for loader in self._fitting.get("*", ())]
        self.modules: Final = {parts[-2] for parts in patterns}
        self.roots: Final = {parts[0] for parts in patterns}

    def find(self, names: Iterable[str]) -> tuple[str, Loader] | None:
        """The first of the names that a loader has; those that only guess come last."""
        found = [(name, loader) for name in names if (loader := self._find(name)) is not None]
        return min(found, key=lambda pair: pair[1].guess, default=None)

    def _find(self, name: str) -> Loader | None:
        exact = self._exact.get(name)
        if exact is not None:
            return exact
        last = name.rpartition(".")[2]
        fitting = (*self._fitting.get(last, ()), *self._fitting.get("*", ()))
        return next((loader for loader in fitting if _expression(loader.pattern).match(name)), None)


@cache  # of hundreds of patterns, a few are ever asked for
def _expression(pattern: str) -> re.Pattern[str]:
    parts = pattern.split(".")
    expression = ""
    for number, part in enumerate(parts):
        dot = r"\." if number else ""
        if part != "*":
            expression += dot + re.escape(part).replace(r"\*", "[^.]*")
        else:
            expression += f"{dot}.+" if number in (0, len(parts) - 1) else r"(?:\..+)?"
    return re.compile(expression + r"\Z")


# Whatever is named like these is a tokenizer or another preprocessor, not weights.
_TOKENIZERS: Final = ("Tokenizer", "TokenizerFast", "Processor", "FeatureExtractor", "ImageProcessorFast")


def kind_of_class(call: Call) -> ComponentKind:
    """What a class with a method `from_pretrained` stands for, by its name."""
    owner = f".{call.name}".split(".")[-2]
    if "Peft" in owner or "Lora" in owner:
        return ComponentKind.ADAPTER
    return ComponentKind.TOKENIZER if owner.endswith(_TOKENIZERS) else ComponentKind.MODEL


# Arguments with an id of their own, beside that of the model.
_PREPROCESSORS: Final = ("tokenizer", "tokenizer_name", "image_processor", "feature_extractor", "processor")


def preprocessors(call: Call) -> None:
    """Tokenizers and processors that the call names beside its model."""
    commit = next((text for name in _REVISIONS if (text := call.text(None, name)) is not None), None)
    for name in _PREPROCESSORS:
        texts = call.texts(None, name)
        if texts:
            call.refer(ComponentKind.TOKENIZER, [hub(text, commit) for text in texts])


_REVISIONS: Final = ("tokenizer_revision", "revision")

# Arguments that frameworks pass on to the library that loads.
_PASSED_ON: Final = ("model_kwargs", "model_init_kwargs")


def _passed_on(call: Call, keyword: str) -> Value | None:
    found = [call.argument(None, name) for name in _PASSED_ON]
    mappings = [call.values.mapping(each) for each in found if each is not None]
    return next((mapping[keyword] for mapping in mappings if keyword in mapping), None)


def remote_code(call: Call) -> set[Flag]:
    """Whether the call lets the loader run code of the repository."""
    told = call.truth(None, "trust_remote_code") or call.values.truth(_passed_on(call, "trust_remote_code"))
    return {Flag.REMOTE_CODE} if told else set()


def revision_of(call: Call, position: int | None = None, keyword: str = "revision") -> str | None:
    """The revision that the call asks for, when there is exactly one."""
    options = call.texts(position, keyword, "model_revision") or call.values.texts(_passed_on(call, keyword))
    return options[0] if len(options) == 1 else None


def from_hub(
    pattern: str,
    *keywords: str,
    kind: ComponentKind | None = ComponentKind.MODEL,
    position: int | None = 0,
    scheme: str = "hf",
    optional: bool = False,
    spelled: Callable[[str], str] = str,
) -> Loader:
    """A loader whose argument is an id on the Hugging Face Hub or a path.

    `kind`: None when the name of the class tells it.
    `optional`: without the argument the call loads nothing that is worth a word.
    `spelled`: what the library makes of the id before it asks for it.
    """

    def refer(call: Call) -> None:
        if (optional and call.absent(position, *keywords)) or call.loaded(position, *keywords):
            return
        commit = revision_of(call)
        texts = [spelled(text) for text in call.texts(position, *keywords)]
        targets = [hub(text, commit, scheme=scheme) for text in texts]
        call.refer(kind or kind_of_class(call), targets, flags=remote_code(call))
        preprocessors(call)

    return Loader(pattern=pattern, refer=refer)
