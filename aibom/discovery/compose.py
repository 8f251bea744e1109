"""References in Compose files: images of model servers, their commands, and models as elements.

Source: the Compose Specification (services, models, provider).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aibom.discovery.command import Referred
from aibom.discovery.commands import Commands
from aibom.discovery.containers import commands_of, image_of, pairs, split, word, words
from aibom.discovery.fetchers import artifact
from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.marked import Node, documents
from aibom.discovery.servers import tool_of
from aibom.discovery.shell_words import Word
from aibom.domain.component import ComponentKind

_NAME = re.compile(r"(?:.*[.-])?(?:docker-|podman-)?compose(?:[.-][\w.-]*)?\.ya?ml\Z", re.IGNORECASE)
_HINT = re.compile(rb"^[ \t\"']*(?:services|models|include)[\"']?[ \t]*:", re.MULTILINE)
_ENV_BYTES: Final = 65_536
_DOLLAR: Final = "\ue003"  # of private use: a dollar sign that is text
_SHELL = re.compile(r"-[a-z]*c")


def discover(text: Text, found: Found) -> None:
    """Every service and model of the file. Raises `UnreadableError`."""
    commands = commands_of(text, found)
    commands.variables.update(_project(text))
    for root in documents(text.data, kind="yaml"):
        for service in _members(root, "services"):
            _service(service, commands)
        for model in _members(root, "models"):
            if (node := model.get("model")) is not None:
                _model("models model", node, commands)


def _members(root: Node, key: str) -> list[Node]:
    node = root.get(key)
    return list(node.members.values()) if node is not None else []


def _service(service: Node, commands: Commands) -> None:
    since = len(commands.found.references)
    image = image_of(service.get("image"))
    image = _filled(image, commands) if image is not None else None
    program = commands.image("image", image)
    variables = _variables(service.get("environment"), commands)
    known = {name: one.text for name, one in variables.items()}
    tool = tool_of(image.text) if image is not None else ()
    commands.started(_started(service, commands), program or tool, known)
    for hook in (*_items(service, "post_start"), *_items(service, "pre_start")):
        commands.started(_words(hook.get("command"), commands), (), known)
    commands.told("environment", variables, server=program is not None, since=since)
    arguments = _variables(service.get("build", "args"), commands)
    commands.told("build args", arguments, server=False, since=since)
    model = service.get("provider", "options", "model")
    if service.text("provider", "type") == "model" and model is not None:
        _model("provider model", model, commands)


def _items(service: Node, key: str) -> list[Node]:
    node = service.get(key)
    return node.items if node is not None else []


def _variables(node: Node | None, commands: Commands) -> dict[str, Word]:
    return {name: _filled(one, commands) for name, one in pairs(node).items()}


def _project(text: Text) -> Iterator[tuple[str, str]]:
    """The variables of the `.env` file beside the project."""
    data = text.beside(f"{text.folder}/.env" if text.folder else ".env") or b""
    for line in data[:_ENV_BYTES].decode("utf-8", "replace").split("\n"):
        name, found, value = line.strip().removeprefix("export ").partition("=")
        if found and name.isidentifier():
            yield name, value.strip().strip("'\"")


def _filled(one: Word, commands: Commands) -> Word:
    """The word with what Compose fills in: variables and their defaults, and `$` for `$$`."""
    parts = (commands.expand(part) for part in one.text.split("$$"))
    return one._replace(text="$".join(parts))


def _words(node: Node | None, commands: Commands) -> list[Word]:
    """A command as words; one that is a single text is split as a shell would."""
    given = [_filled(one, commands) for one in words(node)]
    if node is None or node.items or not given:
        return given
    # A variable of the container is left to the shell in it.
    parts = split(given[0]._replace(text=given[0].text.replace("$", _DOLLAR)), {})
    return [one._replace(text=one.text.replace(_DOLLAR, "$")) for one in parts]


def _started(service: Node, commands: Commands) -> list[Word]:
    """Entrypoint and command. What follows `sh -c` is one text, even where it is not written as a list."""
    entrypoint = _words(service.get("entrypoint"), commands)
    command = service.get("command")
    if entrypoint and _SHELL.fullmatch(entrypoint[-1].text) and command is not None and not command.items:
        return entrypoint + [_filled(one, commands) for one in words(command)]
    return entrypoint + _words(command, commands)


def _model(loader: str, node: Node, commands: Commands) -> None:
    """A model that Docker Model Runner pulls."""
    name = word(node)
    if name is not None:
        name = _filled(name, commands)
        commands.refer([Referred(loader, ComponentKind.MODEL, artifact(name.text))], (name,))


DISCOVERER = Discoverer(
    name="compose",
    title="Compose files",
    wants=lambda path: _NAME.fullmatch(path.rpartition("/")[2]) is not None,
    discover=discover,
    hint=lambda data: _HINT.search(data) is not None,
)
