"""How an import is told in a finding."""

from __future__ import annotations

from aibom.domain.facts import Import, Use

_VERBS = {
    Use.REFERENCE: "names",
    Use.CONSTRUCT: "makes an instance of",
    Use.CALL: "calls",
}


def described(item: Import) -> str:
    """`the pickle calls posix.system('echo hi')`, as far as the arguments are known."""
    arguments = item.arguments if item.use is not Use.REFERENCE else ""
    return f"the pickle {_VERBS[item.use]} {item.name}{arguments}"
