"""The error of whoever asked for verified bytes and cannot have them."""

from __future__ import annotations

from aibom.domain.verification import FileState, Verification

_GOOD = (FileState.VERIFIED, FileState.IGNORED)


class VerificationError(Exception):
    """Something is not verified. `verification` has everything that is known about it."""

    def __init__(self, verification: Verification) -> None:
        super().__init__(verification)
        self.verification = verification

    def __str__(self) -> str:
        found = self.verification
        for statement in found.statements:
            if statement.check.outcome is found.outcome:
                file = next((each for each in statement.files if each.state not in _GOOD), None)
                name, detail = (
                    (file.path, file.detail) if file else (found.target.name, statement.check.detail)
                )
                return f"{name}: {found.outcome}: {detail} ({statement.name})"
        return f"{found.target.name}: {found.outcome}: no signature is there; sign it, or name signature="
