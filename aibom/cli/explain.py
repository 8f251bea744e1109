"""`aibom explain`: what a rule looks for, why, and what to do."""

from __future__ import annotations

import textwrap

import click

from aibom.cli.exit_codes import ExitCode
from aibom.policy import RULES
from aibom.policy.rule import Rule
from aibom.policy.rules import by_id


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
    click.echo(_text(found))
    return ExitCode.PASSED


def _text(rule: Rule) -> str:
    parts = [f"{rule.id}: {rule.title}", f"Severity: {rule.severity.label}"]
    parts += textwrap.wrap(f"Why: {rule.why}", 78) + textwrap.wrap(f"What to do: {rule.remedy}", 78)
    return "\n".join(parts)
