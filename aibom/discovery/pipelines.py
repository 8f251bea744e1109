"""References in pipelines and jobs: scripts, images and variables of their steps.

Sources: the syntax references of GitHub Actions, GitLab CI, Azure Pipelines, CircleCI, Cloud Build,
Bitbucket Pipelines, Travis, Buildkite, Woodpecker, CodeBuild, Task, SkyPilot and dstack. They differ
in where steps stand and agree in what a step looks like, so one walk serves them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from aibom.discovery.commands import Commands
from aibom.discovery.containers import commands_of, image_of, pairs, split, word, words
from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.loops import Loops, looped
from aibom.discovery.marked import Node, documents
from aibom.discovery.matrices import Combination, columns, identifier, matrix, passed
from aibom.discovery.servers import tool_of
from aibom.discovery.shell_words import Word
from aibom.domain.limits import CONFIGURATION_BYTES

_SCRIPTS: Final = (
    "before_install", "install", "before_script", "setup", "run", "script", "bash", "command", "commands",
    "cmd", "cmds", "inlineScript", "after_script",
)  # fmt: skip
_VARIABLES: Final = ("env", "envs", "environment", "variables", "vars", "substitutions", "with")
_IMAGES: Final = ("image", "container", "services", "uses", "args")
_OWN: Final = frozenset((*_VARIABLES, "default"))
_STEP: Final = frozenset((*_SCRIPTS, *_VARIABLES, *_IMAGES))
_DEFAULTS: Final = ("inputs", "parameters")

_PATH = re.compile(
    r"(?:.*/)?(?:\.github/(?:workflows|actions)/.+|\.(?:circleci|buildkite|woodpecker)/[^/]+|"
    r"(?:[^/]*[.-])?(?:gitlab-ci|azure-pipelines?|bitbucket-pipelines|cloudbuild|buildspec|woodpecker|drone|travis|"
    r"taskfile|dstack|sky)(?:[.-][^/]*)?|action)\.ya?ml",
    re.IGNORECASE,
)
_HINT = re.compile(
    rb"hf |hugging|hf\.co|ollama|vllm|model|clone|s3://|gs://|mlflow|kaggle|spacy|sglang|llama|wandb|"
    rb"python|download|dataset|text-|triton|gpt|claude|gemini|install|uvx? |npx |poetry|curl|wget|gsutil",
    re.IGNORECASE,
)
_JOB = re.compile(rb"^(?:run|setup|commands)[ \t]*:", re.MULTILINE)
_RESOURCES = re.compile(rb"^(?:resources|type)[ \t]*:", re.MULTILINE)

_EXPRESSION = re.compile(
    r"\$\{\{\s{0,20}+(?:(?:(env|inputs|matrix|parameters|variables|github\.event\.inputs)\.)?([\w.-]{1,100}+)\s{0,20}+)?"
    r"(?:\|\|\s{0,20}+'([^'\n]{0,300}+)'\s{0,20}+)?[^}\n]{0,300}+\}\}"
)
_PARAMETER = re.compile(r"<<\s{0,20}(?:pipeline\.)?(parameters|matrix)\.([\w.-]{1,100})\s{0,20}>>")
_TO_ENVIRONMENT = re.compile(
    r"^[ \t]*echo[ \t]+[\"']?([A-Za-z_]\w*)=([^\"'\n>]{0,300})[\"']?[ \t]*>>[ \t]*[\"']?"
    r"\$\{?(?:GITHUB_ENV|BASH_ENV)\b",
    re.MULTILINE,
)
_EACH = re.compile(
    r"\$\{\{\s{0,20}each\s{1,20}(\w{1,100})\s{1,20}in\s{1,20}parameters\.(\w{1,100})\s{0,20}\}\}"
)
_TASK = re.compile(r"\{\{\s{0,20}\.(\w{1,100})\s{0,20}\}\}")
_AZURE = re.compile(r"\$\(([A-Za-z_][\w.-]*)\)")


def discover(text: Text, found: Found) -> None:
    """Every step of the pipeline. Raises `UnreadableError`."""
    for root in documents(text.data, kind="yaml"):
        walk = _Walk(commands_of(text, found), passed(root))
        walk.visit(root, _Scope(dict(_defaults(root))))


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is known below a place: variables, and what the variables of a matrix are in turn."""

    variables: dict[str, str]
    loops: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def knowing(self, variables: dict[str, str]) -> _Scope:
        return _Scope(self.variables | variables, self.loops)

    def each(self, group: str, combinations: list[Combination]) -> _Scope:
        """What is known where variables have each combination of values in turn."""
        if not combinations:
            return self
        values = columns(combinations, self.variables)
        loops = {f"{group}:{name}": texts for name, texts in values.items()}
        return _Scope(
            self.variables | {name: looped(f"{group}:{name}") for name in values}, self.loops | loops
        )


def _defaults(root: Node) -> Iterator[tuple[str, str]]:
    """What the inputs of a pipeline are when nobody says otherwise."""
    for path, node in root.walk():
        key = path[-1] if path else ""
        if key not in _DEFAULTS:
            continue
        for name, member in node.members.items():
            default = member.text("default")
            if default is not None:
                yield f"{key}_{identifier(name)}", default
        for name, one in pairs(node).items() if node.items else ():
            yield f"{key}_{identifier(name)}", one.text
        for item in node.items:
            several = [text.text for each in (item.get("default") or item).items if (text := word(each))]
            if several:
                yield f"{key}_{identifier(item.text('name') or '')}", " ".join(several)


class _Walk:
    """Walks a document from the outside in."""

    def __init__(self, commands: Commands, given: dict[str, list[Combination]]) -> None:
        self._outer = commands
        self._given = given

    def visit(self, node: Node, scope: _Scope, key: str = "") -> _Scope:
        """Looks at a value and all below it; returns what is known below it."""
        for item in node.items:
            self.visit(item, scope, key)
        if not node.is_mapping:
            return scope
        since = len(self._outer.found.references)
        inner = scope.each("matrix", matrix(node))
        step = _Step(node, key, self._commands(inner), inner) if node.members.keys() & _STEP else None
        if step is not None:
            inner = step.run()
            scope.variables.update(step.written)
        if "steps" in node.members:
            inner = inner.knowing({})  # what a step writes is for the steps behind it alone
        if "default" in node.members:
            inner = self.visit(node.members["default"], inner)  # of all jobs of GitLab
        for name, member in node.members.items():
            if name not in _OWN:
                given = self._given.get(name, []) if key in ("jobs", "commands") else []
                self.visit(member, _repeated(name, inner.each("given", given)), name)
        if step is not None:
            step.tell(since)
        return inner

    def _commands(self, scope: _Scope) -> Commands:
        outer = self._outer
        loops = Loops(dict(scope.loops), outer.loops.spent)
        return Commands(outer.found, dict(scope.variables), source=outer.source, loops=loops)


def _repeated(name: str, scope: _Scope) -> _Scope:
    """`${{ each model in parameters.models }}` of Azure: the values of a list that is known."""
    match = _EACH.fullmatch(name)
    if match is None:
        return scope
    values = scope.variables.get(f"parameters_{match[2]}", "").split()
    return scope.each(f"each_{match[1]}", [{match[1]: one} for one in values])


class _Step:
    """Images, variables and scripts of one mapping."""

    def __init__(self, node: Node, key: str, commands: Commands, scope: _Scope) -> None:
        self._node = node
        self._commands = commands
        self._scope = scope
        self._images = [
            one._replace(text=commands.expand(_filled(one.text, scope))) for one in _images(node, key)
        ]
        self._given: dict[str, dict[str, Word]] = {}
        self._server = False
        self.written: dict[str, str] = {}  # for the steps behind it

    def run(self) -> _Scope:
        """Tells images and commands; returns what is known below the mapping."""
        node, commands = self._node, self._commands
        program: tuple[str, ...] | None = None
        for image in self._images:
            program = commands.image("image", image) or program
        self._server = program is not None
        self._variables()
        commands.variables.update(self._scope.variables)
        started = self._started()
        for name in _SCRIPTS if node.members.keys() & set(_SCRIPTS) else ():
            for text in _texts(node.get(name)) if name != "command" or not started else ():
                self._script(text, node.text("shell") or "")
        tool = next((tool for one in self._images if (tool := tool_of(one.text))), ())
        commands.started(started, program or tool, dict(commands.variables))
        return _Scope(commands.variables, commands.loops.values)

    def tell(self, since: int) -> None:
        """Tells the variables that no command has told since."""
        for key, given in self._given.items():
            self._commands.told(key, given, server=self._server, since=since)

    def _variables(self) -> None:
        for key in sorted(self._node.members.keys() & set(_VARIABLES)):
            given = {
                identifier(name): one._replace(text=self._commands.expand(_filled(one.text, self._scope)))
                for name, one in (*pairs(self._node.get(key)).items(), *_build_arguments(self._node, key))
            }
            self._given[key] = given
            if key != "with":
                self._scope = self._scope.knowing({name: one.text for name, one in given.items()})

    def _started(self) -> list[Word]:
        """The command of a container as words, where it is no script."""
        node = self._node
        command = node.get("command")
        listed = bool(self._images) and command is not None and bool(command.items)
        if not listed and "args" not in node.members:
            if node.text("with", "args") is None or not self._images:
                return []
            node = node.members["with"]  # of an action that is an image
        parts = (node.get("entrypoint"), command if listed else None, node.get("args"))
        given = [one._replace(text=_filled(one.text, self._scope)) for part in parts for one in words(part)]
        return given if len(given) != 1 else split(given[0], self._commands.variables)

    def _script(self, text: Word, shell: str) -> None:
        script = _filled(text.text, self._scope)
        if shell.startswith("python"):
            self._commands.python(script, text.line)
        elif script.startswith("#!"):
            self._commands.program(script, text.line)
        else:
            self._commands.script(script, text.line, text.span)
        for name, value in _TO_ENVIRONMENT.findall(script):
            self.written[name] = self._commands.expand(value)


def _build_arguments(node: Node, key: str) -> Iterator[tuple[str, Word]]:
    """`build-args: |` of the action that builds images: a line for each variable."""
    given = node.get(key, "build-args")
    one = word(given) if given is not None else None
    for number, line in enumerate(one.text.split("\n") if one is not None else ()):
        name, found, value = line.strip().partition("=")
        if one is not None and found:
            yield name, Word(value, one.line + number)


def _images(node: Node, room: str) -> Iterator[Word]:
    """Images of a job, of its services, and of steps that are images."""
    for key in ("image", "container"):
        one = image_of(node.get(key))
        if one is not None:
            yield one
    services = node.get("services")
    for item in services.items if services is not None else ():
        one = image_of(item) if not item.is_mapping or "name" in item.members else None
        if one is not None:
            yield one
    for key in ("uses", "name"):
        used = node.get(key)
        if used is not None and isinstance(used.value, str):
            docker = used.value.startswith("docker://")
            if docker or (key == "name" and ("args" in node.members or room == "services")):
                offset = len("docker://") if docker else 0
                yield Word(used.value[offset:], used.line, used.column + offset)


def _texts(node: Node | None) -> Iterator[Word]:
    """A script as one text or as a list of texts, lists in lists included."""
    if node is None:
        return
    for item in node.items:
        yield from _texts(item)
    one = word(node) if isinstance(node.value, str) else None
    if one is not None:
        yield one


def _filled(text: str, scope: _Scope) -> str:
    """The text with the expressions of the pipeline as variables of a shell."""
    text = _EXPRESSION.sub(_expression, text)
    text = _PARAMETER.sub(lambda match: f"${{{match[1]}_{identifier(match[2])}}}", text)
    text = _TASK.sub(r"${\1}", text)
    return _AZURE.sub(
        lambda match: f"${{{identifier(match[1])}}}" if identifier(match[1]) in scope.variables else match[0],
        text,
    )


def _expression(match: re.Match[str]) -> str:
    room, name, default = match[1] or "", identifier(match[2] or "_"), match[3]
    spelled = name if room in ("env", "variables", "") else f"{room.rpartition('.')[2]}_{name}"
    return f"${{{spelled}:-{default}}}" if default else f"${{{spelled}}}"


DISCOVERER = Discoverer(
    name="pipelines",
    title="Pipelines of continuous integration",
    wants=lambda path: _PATH.fullmatch(path) is not None,
    discover=discover,
    hint=lambda data: _HINT.search(data) is not None,
)

JOBS = Discoverer(
    name="jobs",
    title="Jobs of SkyPilot and dstack",
    wants=lambda path: path.endswith((".yaml", ".yml")) and _PATH.fullmatch(path) is None,
    discover=discover,
    hint=lambda data: _JOB.search(data) is not None and _RESOURCES.search(data) is not None,
    data_bytes=CONFIGURATION_BYTES,
)
