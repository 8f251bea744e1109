"""Dependencies of Python programs: what pip, uv, Poetry, PDM, Pipenv, Hatch and conda read and write.

Sources: PEP 440, 508, 621, 735 and 751, pip's requirements file format, the lock files of uv, Poetry
and PDM, the formats of Pipfile and of conda environments, conda's match specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from aibom.discovery.dependency import Dependency, document, lines
from aibom.discovery.found import Text
from aibom.discovery.marked import Node
from aibom.discovery.ml_packages import is_python, spacy_model
from aibom.domain.ref import is_commit

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_REQUIREMENT_CHARS: Final = 2_000  # of one requirement; hashes stand behind it
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
_OPTION = re.compile(r"\s+(?:--|#)")
_GIT = re.compile(
    r"(?:-e\s+|--editable[= ]\s*)?git\+((?:https?|ssh)://[^\s@#]+|ssh://git@[^\s@#]+)(?:@([^\s#]+))?(?:#\S*)?\Z"
)
_ARCHIVE = re.compile(r"(?:https?|file)://\S*?([^/\s#?]+\.(?:whl|tar\.gz|zip))(?:[#?]\S*)?\Z")
_EXACT = re.compile(r"={0,3}\s*(\d[\w.!+-]*)\Z")
_SECTION = re.compile(r"\[([^\]]+)\]")
_PACKAGE = re.compile(r"\[\[packages?\]\]\s*\Z")
_MEMBER = re.compile(r"(name|version)\s*=\s*\"([^\"]+)\"\s*\Z")
_CONDA = re.compile(r"(?:[\w./-]+::)?([A-Za-z_][\w.-]*)\s*(?:\[[^\]]*\])?\s*(.*)\Z", re.DOTALL)
_CONDA_EXACT = re.compile(r"={0,2}\s*v?(\d[\w.!+]*)(?:\s*=\s*[\w.*]+|\s+[\w.*]+)?\Z")


def requirement(text: str, line: int) -> Dependency | None:
    """One requirement as pip reads it; options and paths give nothing."""
    plain = _OPTION.split(text[:_REQUIREMENT_CHARS].strip(), maxsplit=1)[0].rstrip("\\ ")
    git = _GIT.match(plain)
    if git is not None:
        return _repository(git[1], git[2], line)
    if not plain or plain[0] in "#-./":
        return None
    archive = _ARCHIVE.match(plain)
    if archive is not None:
        return _archive(archive[1], line)
    name = _NAME.match(plain)
    if name is None or not (is_python(name[0]) or spacy_model(name[0])):
        return None  # most lines: parsing one takes 40 microseconds
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - 20 ms

    try:
        parsed = Requirement(plain)
    except InvalidRequirement:
        return None
    return _parsed(parsed, line)


def _parsed(parsed: Requirement, line: int) -> Dependency:
    git = _GIT.match(parsed.url or "")
    if git is not None:
        return _repository(git[1], git[2], line)
    archive = _ARCHIVE.match(parsed.url or "")
    found = _archive(archive[1], line) if archive is not None else None
    exact = [
        spec.version
        for spec in parsed.specifier
        if spec.operator in ("==", "===") and "*" not in spec.version
    ]
    return found or Dependency("pypi", parsed.name, exact[0] if exact else None, line)


def _repository(address: str, revision: str | None, line: int) -> Dependency:
    place = address.removesuffix("/").removesuffix(".git")
    commit = revision if is_commit(revision) else None
    return Dependency("git", place.rpartition("/")[2], commit or revision, line, place)


def _archive(name: str, line: int) -> Dependency | None:
    """The package and version that the name of a wheel or source archive says."""
    from packaging import utils  # noqa: PLC0415 - 20 ms

    name = unquote(name)  # the `+` of a local version
    parse = utils.parse_wheel_filename if name.endswith(".whl") else utils.parse_sdist_filename
    try:
        project, version = parse(name)[:2]
    except (utils.InvalidWheelFilename, utils.InvalidSdistFilename):
        return None
    return Dependency("pypi", project, str(version), line)


def _each(items: Iterable[tuple[int, str]]) -> Iterator[Dependency]:
    for line, text in items:
        found = requirement(text, line)
        if found is not None:
            yield found


def requirements(text: Text) -> Iterator[Dependency]:
    """A requirements or constraints file; files that it includes are read by themselves."""
    yield from _each(lines(text))


def setup_cfg(text: Text) -> Iterator[Dependency]:
    """`install_requires` and `extras_require` of setuptools."""
    section, key = "", ""
    for number, line in lines(text):
        heading = _SECTION.match(line)
        if heading is not None:
            section, key = heading[1].strip(), ""
        elif line[:1].isalpha():
            key, _, line = (part.strip() for part in line.partition("="))  # noqa: PLW2901 - the rest of it
        if section == "options.extras_require" or (section == "options" and key.endswith("_requires")):
            yield from _each([(number, line.strip())])


# TOML


def _texts(node: Node | None) -> Iterator[tuple[int, str]]:
    for item in node.items if node is not None else ():
        if isinstance(item.value, str):
            yield item.line, item.value


def _values(node: Node | None) -> Iterator[Node]:
    yield from node.members.values() if node is not None else ()


def pyproject(text: Text) -> Iterator[Dependency]:
    """PEP 621 and 735, the tables of Poetry, and the development groups of uv, PDM and Hatch."""
    root = document(text, "toml")
    lists = [
        root.get("project", "dependencies"),
        root.get("build-system", "requires"),
        root.get("tool", "uv", "dev-dependencies"),
        *_values(root.get("project", "optional-dependencies")),
        *_values(root.get("dependency-groups")),
        *_values(root.get("tool", "pdm", "dev-dependencies")),
        *(one.get("dependencies") for one in _values(root.get("tool", "hatch", "envs"))),
        *(one.get("extra-dependencies") for one in _values(root.get("tool", "hatch", "envs"))),
    ]  # fmt: skip
    for each in lists:
        yield from _each(_texts(each))
    poetry = root.get("tool", "poetry") or Node({}, 1, 1)
    tables = [poetry.get("dependencies"), poetry.get("dev-dependencies")]
    tables += [group.get("dependencies") for group in _values(poetry.get("group"))]
    for table in [*tables, root.get("tool", "pixi", "pypi-dependencies")]:
        yield from _table(table)


def _table(table: Node | None) -> Iterator[Dependency]:
    """Names and versions, as Poetry and Pipenv write them: a bare version is that version."""
    for name, node in table.members.items() if table is not None else ():
        repository = node.text("git")
        if repository is not None:
            yield _repository(repository, node.text("rev") or node.text("ref") or node.text("tag"), node.line)
            continue
        version = node.value if isinstance(node.value, str) else node.text("version")
        exact = _EXACT.match(version) if version is not None else None
        yield Dependency("pypi", name, exact[1] if exact else None, node.line)


def pipfile(text: Text) -> Iterator[Dependency]:
    """`packages` and `dev-packages`."""
    root = document(text, "toml")
    for section in ("packages", "dev-packages"):
        yield from _table(root.get(section))


def pipfile_lock(text: Text) -> Iterator[Dependency]:
    """`default` and `develop`."""
    root = document(text, "json")
    for section in ("default", "develop"):
        yield from _table(root.get(section))


def toml_lock(text: Text) -> Iterator[Dependency]:
    """`[[package]]` tables of uv, Poetry and PDM, `[[packages]]` of pylock.toml.

    Read by their lines: a lock file can have a million values, of which these are two in a hundred.
    """
    members: dict[str, tuple[str, int]] | None = None
    for number, line in lines(text):
        if line.startswith("["):
            members = {} if _PACKAGE.match(line) else None
        member = _MEMBER.match(line) if members is not None else None
        if members is None or member is None:
            continue
        members[member[1]] = (member[2], number)
        if len(members) == 2:
            name, at = members["name"]
            yield Dependency("pypi", name, members["version"][0], at)
            members = None


# Conda


def conda(text: Text) -> Iterator[Dependency]:
    """`dependencies` of an environment with its `pip` list, `requirements` of a recipe."""
    root = document(text, "yaml")
    pending = [node for node in (root.get("dependencies"), root.get("requirements")) if node is not None]
    while pending:
        node = pending.pop(0)
        if isinstance(node.value, str):
            yield from specification(node.value, node.line)
        pip = node.get("pip")
        yield from _each(_texts(pip))
        pending += [*node.items, *(inner for key, inner in node.members.items() if key != "pip")]


def specification(text: str, line: int) -> Iterator[Dependency]:
    """One specification of a package as conda matches it: `channel::name=1.2=build`."""
    match = _CONDA.match(text.partition(" #")[0].strip())
    if match is not None:
        exact = _CONDA_EXACT.match(match[2].strip())
        yield Dependency("conda", match[1], exact[1] if exact and "*" not in exact[1] else None, line)
