"""How the functions of a package are told apart, and what their calls name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aibom.discovery.javascript_call import Argument, Call
from aibom.discovery.loaders.hosted import at_address, hosted
from aibom.discovery.targets import NOTHING, Target
from aibom.domain.component import ComponentKind

_SERVICE: Final = ComponentKind.SERVICE
Make = Callable[[str], Target]
Take = Callable[[Call], Argument]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """A function of a package that loads something: a regular expression for its path, and what it does."""

    pattern: re.Pattern[str]
    refer: Callable[[Call], None]


def loader(pattern: str, refer: Callable[[Call], None]) -> Loader:
    """`refer` for every path that the regular expression describes in full."""
    return Loader(pattern=re.compile(rf"(?:{pattern})\Z"), refer=refer)


def simple(
    pattern: str,
    take: Take,
    make: Make,
    kind: ComponentKind = _SERVICE,
    *,
    optional: bool = False,
    objects: bool = False,
) -> Loader:
    """A call with one name in it.

    `optional`: without the name nothing is told. `objects`: what another call made is told there.
    """

    def refer(call: Call) -> None:
        argument = take(call)
        if objects and argument.made and not argument.texts:
            return
        if argument.given or argument.unknown or not optional:
            call.refer(kind, [make(text) for text in argument.texts])

    return loader(pattern, refer)


def at(position: int) -> Take:
    """The argument at a position."""
    return lambda call: call.argument(position)


def key(*names: str, position: int = 0) -> Take:
    """A member of the object at a position; `model` when it is not named."""
    return lambda call: call.option(position, *(names or ("model",)))


def of(provider: str) -> Make:
    """A model of a provider by its name."""
    return lambda text: hosted(provider, text)


def compatible(pattern: str, take: Take) -> Loader:
    """A call in the protocol of OpenAI; who answers depends on the address that the client was made with."""

    def refer(call: Call) -> None:
        address = call.maker("baseURL")
        found = [
            at_address(address, text) if address else (_SERVICE, hosted("openai", text))
            for text in take(call).texts
        ]
        for kind, target in found or [(_SERVICE, NOTHING)]:
            call.refer(kind, [target])

    return loader(pattern, refer)


def client(provider: str, classes: str, calls: str, *names: str, optional: bool = False) -> Loader:
    """`new Client().calls({model})`; the class may be the default export."""
    return simple(rf"(?:{classes})?\(\)\.(?:{calls})", key(*names), of(provider), optional=optional)
