"""aibom: what an AI artefact is, whether it is what it claims to be, and who vouches for it.

The names of `__all__` are the stable Python interface (docs/python.md). Each is imported when it is
asked for; their types stand in `__init__.pyi`.
"""

from __future__ import annotations

__version__ = "0.1.0"

_HOMES = {
    "scan": "aibom.api.scan",
    "sign": "aibom.api.sign",
    "verify": "aibom.api.verify",
    "verified": "aibom.api.opening",
    "open_verified": "aibom.api.opening",
    "Outcome": "aibom.domain.check",
    "Report": "aibom.domain.report",
    "Signed": "aibom.workflows.sign",
    "UnreadableError": "aibom.domain.errors",
    "Verification": "aibom.domain.verification",
    "VerificationError": "aibom.api.errors",
    "VerifiedFile": "aibom.api.copying",
    "VerifiedModel": "aibom.api.opening",
}
__all__ = [
    "Outcome",
    "Report",
    "Signed",
    "UnreadableError",
    "Verification",
    "VerificationError",
    "VerifiedFile",
    "VerifiedModel",
    "__version__",
    "open_verified",
    "scan",
    "sign",
    "verified",
    "verify",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - `import aibom` imports nothing

    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
