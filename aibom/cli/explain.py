"""`aibom explain`: what a rule or a section of a policy looks for, why, an example, and what to do."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.domain.rule_text import RuleText
from aibom.policy.rules import REQUIREMENTS, RULES

_WIDTH: Final = 78
_INDENT: Final = "  "
_SECTIONS: Final = "Sections of a policy, in force where it has them:"
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_FENCE = re.compile(r"^```\w*\n", re.MULTILINE)
_ITEM = re.compile(r"^- ", re.MULTILINE)
_CELLS = re.compile(r"(?<!\\)\|")


@click.command("explain")
@click.argument("rule", required=False)
def command(rule: str | None) -> int:
    """Say what RULE looks for, why it matters and what to do; without RULE, list all rules.

    RULE is also the name of a section of a policy, such as `formats`.
    """
    if rule is None:
        click.echo("\n".join([*_listed(RULES), "", _SECTIONS, "", *_listed(REQUIREMENTS)]))
        return ExitCode.PASSED
    found = next((each for each in (*RULES, *REQUIREMENTS) if each.id == rule), None)
    if found is None:
        raise click.UsageError(f"no rule {rule!r}; `aibom explain` lists them")
    click.echo("\n\n".join(_parts(_page(found))))
    return ExitCode.PASSED


def _listed(rules: Sequence[RuleText]) -> Iterator[str]:
    width = max(len(each.id) for each in (*RULES, *REQUIREMENTS))
    return (f"{each.id:{width}}  {each.severity.label:8}  {each.title}" for each in rules)


def _page(rule: RuleText) -> str:
    """The page of the documentation: from inside the installed package, or from a checkout."""
    package = Path(__file__).parent.parent
    for place in (package / "rule_pages", package.parent / "docs" / "rules"):
        file = place / f"{rule.id}.md"
        if file.is_file():
            return file.read_text("utf-8")
    raise Failure(f"the page of {rule.id} is not installed", ExitCode.INTERNAL)


def _parts(page: str) -> Iterator[str]:
    """Headings, code as it is, and everything else wrapped; no markup."""
    for place, piece in enumerate(_FENCE.split(page)):
        if place % 2:  # between an opening and a closing fence
            yield textwrap.indent(piece.rstrip("\n"), _INDENT * 2)
        else:
            yield from (_told(block.strip("\n")) for block in piece.split("\n\n") if block.strip())


def _told(block: str) -> str:
    if block.startswith("- "):
        return "\n".join(_wrapped(item, first="- ", more="  ") for item in _ITEM.split(block)[1:])
    if block.startswith("|"):  # the first two lines are the heading of the table
        return "\n".join(map(_row, block.splitlines()[2:]))
    if block.startswith("#"):
        return textwrap.fill(_plain(block.lstrip("# ")), _WIDTH, subsequent_indent=_INDENT)
    return _wrapped(block)


def _row(line: str) -> str:
    """One setting, and what it is for below it."""
    name, *texts = (cell.replace("\\|", "|") for cell in _CELLS.split(line.strip("|")))
    return f"{_INDENT}{_plain(name)}\n{_wrapped(' '.join(texts), first='    ', more='    ')}"


def _wrapped(text: str, *, first: str = "", more: str = "") -> str:
    return textwrap.fill(
        _plain(text), _WIDTH, initial_indent=_INDENT + first, subsequent_indent=_INDENT + more,
        break_on_hyphens=False,
    )  # fmt: skip


def _plain(text: str) -> str:
    return " ".join(_LINK.sub(r"\1", text).replace("`", "").split())
