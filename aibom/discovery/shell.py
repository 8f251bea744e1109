"""References in shell scripts, makefiles and the like: commands that fetch or serve models.

Sources: the GNU make manual ("Makefile Contents", "Using Variables"), the manual of just, and
systemd.service(5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from aibom.discovery.commands import Commands
from aibom.discovery.environment import environment
from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.names import is_named
from aibom.domain.errors import Reason, over_limit
from aibom.domain.limits import MIB

SCRIPT_BYTES: Final = 1 * MIB
PROGRAM_BYTES: Final = 64 * 1024  # of a script without an ending: most files without one are data
_RECIPE_COUNT: Final = 50_000  # lines of a makefile that are commands
_FIRST_LINE_BYTES: Final = 200
_TEXTS: Final = frozenset(("LICENSE", "README", "CHANGELOG", "NOTICE", "AUTHORS", "VERSION", "MLproject"))
_SUFFIXES: Final = (".sh", ".bash", ".zsh", ".ksh", ".command", ".slurm", ".sbatch", ".pbs")
_HINT = re.compile(
    rb"hf |hugging|hf\.co|ollama|vllm|model|clone|curl|wget|s3://|gs://|mlflow|kaggle|spacy|sglang|llama|"
    rb"wandb|lm[_-]eval|litellm|python|download|docker|podman|dataset|install|uvx? |npx |poetry|whisper|"
    rb"gcloud|dvc",
    re.IGNORECASE,
)

_MAKE_ASSIGNMENT = re.compile(r"(?:export\s+|override\s+)*([A-Za-z_][\w.-]*)\s*(?:::?|\?|\+)?=\s*(.*)")
_MAKE_VARIABLE = re.compile(r"\$\((\w+)\)")
_RECIPE = re.compile(r"\t[ \t]*[@+-]*[ \t]*")
_JUST_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][\w-]*)\s*:=\s*(.*)")
_JUST_DEFAULT = re.compile(r"([A-Za-z_][\w-]*)=(\"[^\"]*\"|'[^']*'|[A-Za-z_][\w-]*)")
_JUST_VARIABLE = re.compile(r"\{\{\s*([\w-]+)\s*\}\}")
_TEXT = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_ENVIRONMENT = re.compile(r"Environment=[ \t]*(.*)")
_SERVICE = re.compile(r"(?:ExecStart(?:Pre|Post)?|[\w-]+:)\s*=?[ \t]*[-@:+!]*(.*)")


def discover(text: Text, found: Found) -> None:
    """Every command of the file that is known."""
    if len(text.data) > SCRIPT_BYTES:
        raise over_limit(f"{len(text.data)} bytes of script, more than {SCRIPT_BYTES}")
    decoded = text.data.decode("utf-8", "replace")
    commands = Commands(found, {})
    recipes = _recipes_of(text.name)
    if recipes is None:
        commands.script(decoded)
        _exported(commands)
        return
    for count, (line, recipe) in enumerate(recipes(decoded, commands)):
        if count == _RECIPE_COUNT:
            found.defect(Reason.LIMIT, f"more than {_RECIPE_COUNT} recipes")
            return
        commands.script(recipe, line)


def _exported(commands: Commands) -> None:
    """What is exported and named by no command of the script itself is for the programs that it starts."""
    named = {reference.target for reference in commands.found.references}
    texts = {name: word.text for name, word in commands.exported.items()}
    for name, referred in environment(texts):
        if referred.target.ref not in named:
            commands.refer([referred._replace(loader=f"export {name}")], (commands.exported[name],))


def script(text: str, first: int, commands: Commands) -> None:
    """The commands of a script whose first line is line `first` of the file."""
    commands.script(text, first)


Recipes = Callable[[str, Commands], Iterator[tuple[int, str]]]


def _recipes_of(name: str) -> Recipes | None:
    """How the commands of a file stand between other things; None when there is nothing else."""
    lower = name.lower()
    if is_named(lower, "makefile", "gnumakefile") or lower.endswith((".mk", ".mak")):
        return _make
    if is_named(lower, "justfile") or lower.endswith(".just"):
        return _just
    return _service if lower == "procfile" or lower.endswith(".service") else None


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines with those joined that a `\\` continues, and the number of the first."""
    start, parts = 1, []
    for number, line in enumerate(text.split("\n"), 1):
        parts.append(line)
        if not line.endswith("\\"):
            yield start, "\n".join(parts)
            start, parts = number + 1, []
    if parts:
        yield start, "\n".join(parts)


def _blanked(pattern: re.Pattern[str], line: str) -> str:
    """The line with blanks for what the pattern matches at its beginning, so that columns stay."""
    match = pattern.match(line)
    return " " * match.end() + line[match.end() :] if match else line


def _make(text: str, commands: Commands) -> Iterator[tuple[int, str]]:
    """Recipes begin with a tab. `$(NAME)` is a variable, `$$` what the shell sees as `$`."""
    for number, line in _logical(text.replace("\r\n", "\n")):
        if line.startswith("\t"):
            recipe = _MAKE_VARIABLE.sub(r"${\1}", _blanked(_RECIPE, line))
            yield number, recipe.replace("$$", "$")
        elif (match := _MAKE_ASSIGNMENT.match(line)) is not None:
            value = match[2].partition(" #")[0].replace("\\\n", " ").strip()
            commands.assign(match[1], commands.expand(_MAKE_VARIABLE.sub(r"${\1}", value)))


def _just(text: str, commands: Commands) -> Iterator[tuple[int, str]]:
    """Recipes are indented. `{{name}}` is a variable or a parameter, which can have a default."""
    for number, line in _logical(text.replace("\r\n", "\n")):
        if line.startswith((" ", "\t")):
            yield number, _JUST_VARIABLE.sub(r"${\1}", _blanked(re.compile(r"[ \t]+[@-]*"), line))
        elif (match := _JUST_ASSIGNMENT.match(line)) is not None:
            # The default of `env("NAME", "default")` is its last text.
            texts = _TEXT.findall(match[2])
            commands.assign(match[1], "".join(texts[-1]) if texts else "")
        elif not line.startswith("#"):
            for name, value in _JUST_DEFAULT.findall(line.partition(":")[0]):
                quoted = value[0] in "\"'"
                commands.assign(name, value[1:-1] if quoted else commands.variables.get(value, ""))


def _service(text: str, commands: Commands) -> Iterator[tuple[int, str]]:
    """`ExecStart=command` and `Environment=NAME=value` of a unit, `name: command` of a Procfile."""
    for number, line in _logical(text.replace("\r\n", "\n")):
        variables = _ENVIRONMENT.match(line)
        match = _SERVICE.match(line)
        if variables is not None:
            commands.script(" " * variables.start(1) + variables[1], number)
        elif match is not None:
            yield number, " " * match.start(1) + match[1]


def _is_script(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name.endswith(_SUFFIXES) or _recipes_of(name) is not None


def _has_no_ending(path: str) -> bool:
    name = path.rpartition("/")[2]
    return bool(name) and "." not in name.lstrip(".") and not _is_script(path) and name not in _TEXTS


def discover_program(text: Text, found: Found) -> None:
    """Every command of a program whose first line says its language."""
    Commands(found, {}).program(text.data.decode("utf-8", "replace"), 1)


def _is_program(data: bytes) -> bool:
    first = data[:_FIRST_LINE_BYTES].partition(b"\n")[0]
    return first.startswith(b"#!") and _HINT.search(data) is not None


DISCOVERER = Discoverer(
    name="shell",
    title="Shell scripts and makefiles",
    wants=_is_script,
    discover=discover,
    hint=lambda data: _HINT.search(data) is not None,
)

PROGRAMS = Discoverer(
    name="programs",
    title="Scripts without an ending",
    wants=_has_no_ending,
    discover=discover_program,
    hint=_is_program,
    data_bytes=PROGRAM_BYTES,
)
