"""Which Python files of a scan the configurations of its models name. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, Statement
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.domain.text import capped, visible

GAP_COUNT: Final = 200  # for all configurations; more say nothing new

# "module.Class"; transformers takes folders in front of the module, with a slash.
_NAME = re.compile(r"(?:\w[\w.-]*/)*\w[\w-]*(?:\.\w[\w-]*)+\Z")
_LEAVES = re.compile(r"^[/\\]|^[A-Za-z]:|\.\.")
# Classes of installed packages stand in the same places as those of the repository.
_INSTALLED: Final = frozenset({"module", "component", "base_model_class"})


def named_code(files: Iterable[File], paths: Collection[str]) -> tuple[frozenset[str], tuple[Gap, ...]]:
    """The listed Python files that belong to named modules, and a gap for each that is missing.

    A module may import every other file beside and below it, so all of those belong to it: that a
    relative import hides in a string or a loop must not leave a file out. `paths` are all entries
    of the scan, of which files within excluded folders are none.
    """
    sources = frozenset(path for path in paths if path.endswith(".py"))
    folders: set[str] = set()
    gaps: list[Gap] = []
    for file in files:
        for statement in file.facts.statements if file.facts else ():
            if statement.attribute is not Attribute.REMOTE_CODE or "--" in statement.value:
                continue  # "owner/name--module.Class" is code of another repository
            folder, gap = _located(file.path, statement, sources)
            if folder is not None:
                folders.add(folder)
            elif gap is not None and len(gaps) < GAP_COUNT:
                gaps.append(gap)
    found = frozenset(path for path in sources if any(each in folders for each in _ancestors(path)))
    return found, tuple(dict.fromkeys(gaps))


def _located(config: str, statement: Statement, sources: frozenset[str]) -> tuple[str | None, Gap | None]:
    """The folder of the named module, or why there is none."""
    shown = visible(capped(statement.value, 200))
    if _LEAVES.search(statement.value):
        detail = f"names code outside of the model: {shown}"
        return None, Gap(path=config, stage=Stage.READ, reason=Reason.OUTSIDE_TARGET, detail=detail)
    if not _NAME.match(statement.value):
        detail = f"names code that is no module and class: {shown}"
        return None, Gap(path=config, stage=Stage.READ, reason=Reason.MALFORMED, detail=detail)
    for path in _candidates(config, statement):
        if path in sources:
            return path.rpartition("/")[0], None
    if statement.detail("auto_class") in _INSTALLED:
        return None, None
    detail = f"names code that is not there: {shown}"
    return None, Gap(path=config, stage=Stage.READ, reason=Reason.MISSING, detail=detail)


def _candidates(config: str, statement: Statement) -> Iterator[str]:
    """Where the module of "package.module.Class" can be, relative to the scanned place."""
    module = statement.value.rpartition(".")[0].replace(".", "/")
    folder = config.rpartition("/")[0]
    for part in (statement.detail("folder"), None):
        place = "/".join(each for each in (folder, part, module) if each)
        yield f"{place}.py"
        yield f"{place}/__init__.py"


def _ancestors(path: str) -> Iterator[str]:
    """The folders that a file lies in, nearest first; the scanned place itself is empty."""
    while path:
        path = path.rpartition("/")[0]
        yield path
