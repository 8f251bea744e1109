"""What the command of a server runs: a package of npm or PyPI, an image, or something on this machine.

Sources: the command line references of npm, Yarn, pnpm, Bun, uv, pipx, Docker, Deno and Go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aibom.discovery.marked import UNKNOWN
from aibom.discovery.ml_packages import normal
from aibom.discovery.targets import NOTHING, Target, image, pinned
from aibom.domain.ref import Ref, is_commit
from aibom.domain.reference import Flag

WORD_COUNT: Final = 200
_WORD_CHARS: Final = 4_000
_NAME_CHARS: Final = 500
_NPM = re.compile(r"((?:@[\w.~-]+/)?[\w.~-]+)(?:@([^@\s/]+))?\Z", re.ASCII)
_NPM_EXACT = re.compile(r"v?\d+\.\d+\.\d+(?:[-+][\w.+-]+)?\Z", re.ASCII)
_PYPI = re.compile(
    r"([A-Za-z0-9][\w.-]*)(?:\[[\w,. -]*\])?\s*(?:(===?|@)\s*([^\s,;@]+)|[<>=!~].*)?\Z", re.ASCII
)
_PYPI_EXACT = re.compile(r"v?\d+(?:\.\d+)*(?:[-._+]?[A-Za-z]+[\w.+-]*)?\Z", re.ASCII)
_GIT = re.compile(
    r"(?:git\+)?(https?://[\w.-]+/[\w./~-]+?)(?:\.git)?(?:[@#]([\w./-]+))?(?:#[\w=&./-]*)?\Z", re.ASCII
)
_GITHUB = re.compile(r"(?:github:)?([\w.-]+/[\w.-]+)(?:#([\w./-]+))?\Z", re.ASCII)
_UNKNOWN = re.compile(r"\$|\{\{|<")
_BRIDGES: Final = ("mcp-remote", "mcp-proxy", "supergateway", "@smithery/cli")
# Options of the runners that take a value; every other one stands alone.
_VALUES: Final = frozenset((
    "-p", "--package", "--with", "--python", "--from", "--index", "--index-url", "--extra-index-url",
    "--directory",
    "--project", "-C", "--registry", "--prefix", "--pip-args", "--spec", "--env-file", "--refresh-package",
))  # fmt: skip
_DOCKER_SWITCHES: Final = frozenset((
    "-i", "-t", "-it", "-ti", "-d", "--rm", "--init", "--interactive", "--tty", "--privileged", "--read-only",
    "--detach", "-P", "--no-healthcheck", "-q", "--quiet", "--sig-proxy", "-itd", "--oom-kill-disable",
))  # fmt: skip
_SCRIPT = re.compile(r"\.(?:py|[cm]?js|[cm]?ts|tsx|sh|rb|jar|dll|exe|php|pyz)\Z|[/\\]")
_SHELLS: Final = (
    "cmd",
    "cmd.exe",
    "bash",
    "sh",
    "zsh",
    "powershell",
    "powershell.exe",
    "pwsh",
    "wsl",
    "wsl.exe",
)
_SWITCHES: Final = frozenset(
    ("c", "k", "-c", "-lc", "-ec", "-ic", "-i", "-l", "-e", "-command", "-noprofile", "--login")
)
_WRAPPERS: Final = ("env", "sudo", "nohup", "exec", "command", "cross-env")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is run, and the position of the word that names it. A bridge connects to an address."""

    target: Target
    at: int = 0
    bridge: bool = False


_NOTHING: Final = Run(target=NOTHING)


def started(words: Sequence[str]) -> Run:
    """What a command runs. Its target is empty when that is not known before it runs."""
    words = [word if len(word) <= _WORD_CHARS else UNKNOWN for word in words[:WORD_COUNT]]
    at = 0
    while at < len(words) and _is_wrapper(words, at):
        at += 1
    if at == len(words):
        return _NOTHING
    if at and " " in words[at]:
        return _shell(words[at], at)
    program = words[at].replace("\\", "/").rpartition("/")[2].lower()
    program = re.sub(r"\.(?:exe|cmd|bat|ps1)\Z", "", program)
    runner = _RUNNERS.get(program) or (_python if re.fullmatch(r"(?:python|pypy)[\d.]*", program) else None)
    if runner is None:
        return Run(target=_file(words[at]), at=at)
    run = runner(words[at + 1 :])
    return Run(target=run.target, at=at + 1 + run.at if run.target.ref is not None else at, bridge=run.bridge)


def _is_wrapper(words: list[str], at: int) -> bool:
    """True for `env A=b`, `cmd /c`, `bash -lc`: what really runs stands behind."""
    name = words[at].replace("\\", "/").lower().rpartition("/")[2] or words[at]
    if name in _WRAPPERS or (
        at > 0 and (name in _SWITCHES or re.match(r"[A-Za-z_]\w*=", words[at]) is not None)
    ):
        return True
    return name in _SHELLS and at + 1 < len(words) and words[at + 1].lower().lstrip("/") in _SWITCHES


def _shell(script: str, at: int) -> Run:
    """One command inside the text of a shell: the last one, behind those that prepare it."""
    last = re.split(r"&&|;|\|\|", script)[-1].split()
    if not last or " " in last[0]:
        return _NOTHING
    run = started(last)
    return Run(target=run.target, at=at, bridge=run.bridge)


def _file(text: str) -> Target:
    if len(text) > _NAME_CHARS:
        return NOTHING
    if _unknown(text):
        # `${workspaceFolder}/server.py` is still a path.
        text = text.replace(UNKNOWN, "?")
        if not _SCRIPT.search(text):
            return NOTHING
    return _made(lambda: Ref(scheme="file", location=text), frozenset({Flag.LOCAL_PATH}))


def _unknown(text: str) -> bool:
    return UNKNOWN in text or _UNKNOWN.search(text) is not None


def _made(make: Callable[[], Ref], flags: frozenset[Flag]) -> Target:
    try:
        return Target(ref=make(), flags=flags)
    except ValueError:
        return NOTHING


def npm(text: str) -> Target:
    """`[@scope/]name[@version]` of npm, or a repository."""
    match = _NPM.match(text) if len(text) <= _NAME_CHARS else None
    if match is None:
        return _git(text)
    name, version = match.groups()
    flags = set() if version and _NPM_EXACT.match(version) else {Flag.UNPINNED}
    if version and not re.search(r"\d", version):
        flags.add(Flag.FLOATING_TAG)
    return _made(lambda: Ref(scheme="npm", location=name, revision=version), frozenset(flags))


def pypi(text: str) -> Target:
    """`name[extra]==version`, `name@version` as uv takes it, or a repository."""
    match = _PYPI.match(text) if len(text) <= _NAME_CHARS else None
    if match is None:
        return _git(text.partition(" @ ")[2] or text)
    name, _, version = match.groups()
    exact = version is not None and _PYPI_EXACT.match(version) is not None and version != "latest"
    flags = set() if exact else {Flag.UNPINNED}
    if version == "latest":
        flags.add(Flag.FLOATING_TAG)
    return _made(lambda: Ref(scheme="pypi", location=normal(name), revision=version), frozenset(flags))


def _git(text: str) -> Target:
    match = _GIT.match(text)
    if match is None and _GITHUB.match(text) and not text.startswith((".", "/")):
        short = _GITHUB.match(text)
        url, commit = (f"https://github.com/{short[1]}", short[2]) if short else ("", None)
    elif match is not None:
        url, commit = match[1], match[2]
    else:
        return _file(text) if _SCRIPT.search(text) and not _unknown(text) and "://" not in text else NOTHING
    flags = frozenset() if is_commit(commit) else frozenset({Flag.UNPINNED})
    if url.startswith("http://"):
        flags |= {Flag.HTTP}
    return _made(lambda: pinned("git", url, commit), flags)


def _plain(words: Sequence[str], skip: int = 0) -> tuple[str, int] | None:
    """The first word that is no option and no value of one, and its position."""
    takes = False
    for number, word in enumerate(words):
        if takes:
            takes = False
        elif word.startswith("-") and len(word) > 1:
            takes = "=" not in word and word in _VALUES
        elif skip:
            skip -= 1
        else:
            return word, number
    return None


def _option(words: Sequence[str], *names: str) -> tuple[str, int] | None:
    for number, word in enumerate(words):
        name, found, value = word.partition("=")
        if name in names and found:
            return value, number
        if name in names and number + 1 < len(words):
            return words[number + 1], number + 1
    return None


def _package(read: Callable[[str], Target], *options: str, skip: int = 0) -> Callable[[Sequence[str]], Run]:
    def run(words: Sequence[str]) -> Run:
        named = _option(words, *options) if options else None
        named = named or _plain(words, skip)
        if named is None or _unknown(named[0]):
            return _NOTHING
        target = read(named[0])
        name = target.ref.location if target.ref is not None else ""
        return Run(target=target, at=named[1], bridge=name in _BRIDGES)

    return run


_NPX: Final = _package(npm, "-p", "--package")
_UVX: Final = _package(pypi, "--from", "--spec")


def _subcommand(
    *paths: tuple[tuple[str, ...], Callable[[Sequence[str]], Run]],
) -> Callable[[Sequence[str]], Run]:
    """A runner that is told by the first words of a program."""

    def run(words: Sequence[str]) -> Run:
        for path, runner in paths:
            if tuple(words[: len(path)]) == path:
                inner = runner(words[len(path) :])
                return Run(target=inner.target, at=inner.at + len(path), bridge=inner.bridge)
        return _script(words)

    return run


def _script(words: Sequence[str]) -> Run:
    """The first word that is a file."""
    for number, word in enumerate(words):
        if not word.startswith("-") and _SCRIPT.search(word):
            return Run(target=_file(word), at=number)
    return _NOTHING


def _uv_run(words: Sequence[str]) -> Run:
    """`uv run [--with package] program`: a file, a module, or a program of the packages beside it."""
    with_package = _option(words, "--with")
    if with_package is not None and not _unknown(with_package[0]):
        return Run(target=pypi(with_package[0]), at=with_package[1])
    first = _plain(words)
    if first is None:
        return _NOTHING
    word, at = first
    if re.fullmatch(r"python[\d.]*", word):
        inner = _python(words[at + 1 :])
        return Run(target=inner.target, at=inner.at + at + 1)
    file = _SCRIPT.search(word)
    directory = _option(words, "--directory", "--project")
    if not file and directory is not None:
        return Run(target=_file(directory[0]), at=directory[1])
    return Run(target=_file(word), at=at)


def _python(words: Sequence[str]) -> Run:
    module = _option(words, "-m")
    if module is not None and not _unknown(module[0]):
        return Run(target=pypi(module[0].partition(".")[0]), at=module[1])
    return _script(words)


def _docker(words: Sequence[str]) -> Run:
    if words[:1] not in (["run"], ["create"]) and words[:2] != ["container", "run"]:
        return _NOTHING
    takes = False
    for number, word in enumerate(words):
        if takes:
            takes = False
        elif word.startswith("-"):
            takes = "=" not in word and word not in _DOCKER_SWITCHES
        elif word not in ("run", "create", "container"):
            return Run(target=image(word) if not _unknown(word) else NOTHING, at=number)
    return _NOTHING


def _go(words: Sequence[str]) -> Run:
    named = _plain(words, skip=1) if words[:1] == ["run"] else None
    if named is None or "@" not in named[0]:
        return _script(words)
    name, _, version = named[0].partition("@")
    flags = frozenset() if re.match(r"v\d+\.\d+\.\d+", version) else frozenset({Flag.UNPINNED})
    if version == "latest":
        flags |= {Flag.FLOATING_TAG}
    return Run(
        target=_made(lambda: Ref(scheme="golang", location=name, revision=version), flags), at=named[1]
    )


def _deno(words: Sequence[str]) -> Run:
    named = next(((word, at) for at, word in enumerate(words) if word.startswith(("npm:", "jsr:"))), None)
    if named is None:
        return _script(words)
    scheme, _, rest = named[0].partition(":")
    target = npm(rest.lstrip("/"))
    if scheme == "jsr" and target.ref is not None:
        ref = target.ref
        target = Target(
            ref=Ref(scheme="jsr", location=ref.location, revision=ref.revision), flags=target.flags
        )
    return Run(target=target, at=named[1])


_RUNNERS: Final[dict[str, Callable[[Sequence[str]], Run]]] = {
    "npx": _NPX,
    "bunx": _NPX,
    "pnpx": _NPX,
    "npm": _subcommand((("exec",), _NPX), (("x",), _NPX)),
    "pnpm": _subcommand((("dlx",), _NPX), (("exec",), _NPX)),
    "yarn": _subcommand((("dlx",), _NPX)),
    "bun": _subcommand((("x",), _NPX)),
    "uvx": _UVX,
    "uv": _subcommand((("tool", "run"), _UVX), (("run",), _uv_run), (("x",), _UVX)),
    "pipx": _subcommand((("run",), _UVX)),
    "docker": _docker,
    "podman": _docker,
    "nerdctl": _docker,
    "node": _script,
    "nodejs": _script,
    "tsx": _script,
    "ts-node": _script,
    "java": _script,
    "dotnet": _script,
    "ruby": _script,
    "php": _script,
    "bash": _script,
    "sh": _script,
    "poetry": _script,
    "deno": _deno,
    "go": _go,
}
