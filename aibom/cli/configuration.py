"""`--config FILE`: defaults for flags from a TOML file that the user names; never found by itself."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

import click

_MAX_BYTES = 1 << 20


def load(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """A click callback: makes the file's values the defaults of the command's other flags."""
    if value is None:
        return None
    try:
        data = value.read_bytes()
    except OSError as error:
        raise click.BadParameter(f"cannot read {str(value)!r}: {error.strerror}", ctx, param) from error
    if len(data) > _MAX_BYTES:
        raise click.BadParameter(f"{str(value)!r} is larger than {_MAX_BYTES} bytes", ctx, param)
    try:
        document = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{str(value)!r} is not TOML: {error}", ctx, param) from error
    ctx.default_map = {**(ctx.default_map or {}), **_defaults(ctx, document, value)}
    return value


def _defaults(ctx: click.Context, document: dict[str, Any], path: Path) -> dict[str, Any]:
    by_flag = {_flag(param): param for param in ctx.command.params if isinstance(param, click.Option)}
    by_flag.pop("config")
    found = {}
    for key, value in document.items():
        if key not in by_flag:
            near = difflib.get_close_matches(key, by_flag, n=1)
            hint = f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(by_flag))}"
            raise click.UsageError(f"{path}: unknown key {key!r}{hint}")
        found[by_flag[key].name or ""] = value
    return found


def _flag(option: click.Option) -> str:
    return max(option.opts, key=len).lstrip("-")
