"""`aibom explain`: what a rule looks for, why, an example, false alarms, and what to do."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.policy.rule import Rule
from aibom.policy.rules import RULES, by_id

_WIDTH: Final = 78
_INDENT: Final = "  "
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_FENCE = re.compile(r"^```\w*\n", re.MULTILINE)


@click.command("explain")
@click.argument("rule", required=False)
def command(rule: str | None) -> int:
    """Say what RULE looks for, why it matters and what to do; without RULE, list all rules."""
    if rule is None:
        width = max(len(each.id) for each in RULES)
        for each in RULES:
            click.echo(f"{each.id:{width}}  {each.severity.label:8}  {each.title}")
        return ExitCode.PASSED
    found = by_id(rule)
    if found is None:
        raise click.UsageError(f"no rule {rule!r}; `aibom explain` lists them")
    click.echo("\n\n".join(_parts(_page(found))))
    return ExitCode.PASSED


def _page(rule: Rule) -> str:
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
            yield from (_wrapped(block) for block in piece.split("\n\n") if block.strip())


def _wrapped(block: str) -> str:
    plain = " ".join(_LINK.sub(r"\1", block).replace("`", "").split())
    if plain.startswith("#"):
        return textwrap.fill(plain.lstrip("# "), _WIDTH, subsequent_indent=_INDENT)
    return textwrap.fill(
        plain, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False
    )
