"""References in Jenkinsfiles: the scripts of `sh` steps, images of agents, variables.

Source: the pipeline syntax reference of Jenkins. A Jenkinsfile is a program in Groovy; only its steps
are looked for, so that what it computes is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aibom.discovery.commands import Commands
from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.names import is_named
from aibom.discovery.shell_words import Word
from aibom.domain.errors import Reason, over_limit
from aibom.domain.limits import MIB
from aibom.readers.marks import Cursor

JENKINSFILE_BYTES: Final = 1 * MIB
STEP_COUNT: Final = 5_000
_LONG: Final = r"'''(?:[^'\\]|\\.|'(?!''))*+'''|" + r'"""(?:[^"\\]|\\.|"(?!""))*+"""'
_SHORT: Final = r"'(?:[^'\\\n]|\\.)*+'|" + r'"(?:[^"\\\n]|\\.)*+"'
_TEXT: Final = f"{_LONG}|{_SHORT}"
_LABELLED: Final = rf"(?:label[ \t]*:[ \t]*(?:{_TEXT})[ \t]*,[ \t]*)?"
# Comments come first, so that what stands in them is passed over.
_TOKEN = re.compile(
    r"//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/|"
    rf"\b(?P<step>sh|bat)\b[ \t]*\(?[ \t]*\[?{_LABELLED}(?:script[ \t]*:[ \t]*)?(?P<script>{_TEXT})|"
    rf"\b(?P<image>image|docker\.image)\b[ \t]*\(?[ \t]*(?P<called>{_TEXT})|"
    rf"\bname[ \t]*:[ \t]*(?P<parameter>{_TEXT})[ \t]*,\s*defaultValue[ \t]*:[ \t]*(?P<default>{_TEXT})|"
    rf"\bname[ \t]*:[ \t]*(?P<choice>{_TEXT})[ \t]*,\s*choices[ \t]*:[ \t]*\[(?P<choices>[^\]]{{1,500}})\]|"
    rf"\bfor[ \t]*\([ \t]*(?:\w+[ \t]+)?(?P<each>\w+)[ \t]+in[ \t]+\[(?P<values>[^\]]{{1,500}})\]|"
    rf"\bwithEnv[ \t]*\(\[(?P<given>[^\]]{{1,500}})\]|"
    rf"\b(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*(?P<value>{_TEXT})|(?:{_TEXT})",
    re.DOTALL,
)
_LITERALS: Final = ("script", "called", "value", "default", "choices", "values", "given")
_TEXTS = re.compile(_TEXT)
_INTERPOLATED = re.compile(r"\$\{(?:env|params)\.(\w+)\}|\$(?:env|params)\.(\w+)")
_HINT = re.compile(rb"\bsh\b|\bimage\b")


def discover(text: Text, found: Found) -> None:
    """Every step of the file. Raises limit when it is too large."""
    if len(text.data) > JENKINSFILE_BYTES:
        raise over_limit(f"{len(text.data)} bytes of Jenkinsfile, more than {JENKINSFILE_BYTES}")
    decoded = text.data.decode("utf-8", "replace")
    commands = Commands(found, {}, source=decoded.split("\n"))
    variables: dict[str, Word] = {}
    for count, (match, one) in enumerate(_steps(decoded)):
        if count == STEP_COUNT:
            found.defect(Reason.LIMIT, f"more than {STEP_COUNT} steps and variables")
            break
        if match["step"]:
            commands.script(one.text, one.line)
        elif match["image"]:
            commands.image("image", one)
        elif match["name"]:
            commands.assign(match["name"], one.text)
            if match["name"].isupper():
                variables[match["name"]] = one
        else:
            _set(match, commands)
    commands.told("environment", variables, server=False, since=0)


def _set(match: re.Match[str], commands: Commands) -> None:
    """Parameters with a default or with choices, `for (name in [...])`, and `withEnv(['NAME=value'])`."""
    if match["parameter"]:
        commands.assign(_unquoted(match["parameter"]), _unquoted(match["default"]))
    elif match["choice"] or match["each"]:
        texts = _TEXTS.findall(match["choices"] or match["values"])
        name = match["each"] or _unquoted(match["choice"])
        if name.isidentifier():
            commands.loop(name, [_unquoted(text) for text in texts])
    for text in _TEXTS.findall(match["given"] or ""):
        name, found, value = _unquoted(text).partition("=")
        if found:
            commands.assign(name, commands.expand(value))


def _steps(text: str) -> Iterator[tuple[re.Match[str], Word]]:
    """Steps, images and variables, each with its text."""
    cursor = Cursor(text)
    for match in _TOKEN.finditer(text):
        literal = next((match[name] for name in _LITERALS if match[name] is not None), None)
        if literal is not None:
            yield match, Word(_unquoted(literal), *cursor.at(match.end() - len(literal)))


def _unquoted(literal: str) -> str:
    quote = 3 if literal[:3] in ("'''", '"""') else 1
    text = re.sub(r"\\([\"'$\\])", r"\1", literal[quote:-quote])
    return _INTERPOLATED.sub(lambda match: f"${{{match[1] or match[2]}}}", text)


DISCOVERER = Discoverer(
    name="jenkins",
    title="Jenkinsfiles",
    wants=lambda path: is_named(path, "jenkinsfile", "jenkins"),
    discover=discover,
    hint=lambda data: _HINT.search(data) is not None,
)
