"""What a pipeline prints is searched for commands by its runner; nothing that was scanned may be one.

GitHub Actions obeys a line that starts with `::name ...::`, and `##[name ...]` wherever it stands; Azure
Pipelines obeys `##vso[...]` and TeamCity `##teamcity[...]`, wherever they stand.
"""

from __future__ import annotations


def inert_line(line: str) -> str:
    """The line of a text for people, in which such a command is spelled with an escape."""
    line = line.replace("##", "#\\x23")
    rest = line.lstrip()
    if not rest.startswith("::"):
        return line
    return f"{line[: len(line) - len(rest)]}\\x3a{rest[1:]}"


def inert_json(document: bytes) -> bytes:
    """The same JSON value: two number signs stand in strings only, and no line starts with a colon."""
    return document.replace(b"##", b"#\\u0023")


def inert_xml(document: bytes) -> bytes:
    """The same XML document, if it has no comment, no CDATA and no processing instruction."""
    return document.replace(b"##", b"#&#35;")
