"""remote-code-enabled: a loader is told to run code of the repository."""

from __future__ import annotations

from aibom.domain.confidence import Confidence
from aibom.domain.finding import Severity
from aibom.domain.ref import is_commit
from aibom.domain.reference import Flag, Reference
from aibom.policy.reference_rule import Told, name_of, reference_rule


def _tell(reference: Reference) -> Told | None:
    if Flag.REMOTE_CODE not in reference.flags:
        return None
    here = Flag.LOCAL_PATH in reference.flags
    return Told(
        message=f"{name_of(reference)} may run code that comes with it",
        remedy=_remedy(reference, here=here),
        confidence=Confidence.MEDIUM if here else Confidence.HIGH,
    )


def _remedy(reference: Reference, *, here: bool) -> str:
    target = reference.target
    if target is not None and is_commit(target.revision):
        return "read the code of that commit, or do without it"
    if reference.loader.startswith("torch.hub."):
        # It has no switch: running code of the repository is what it is for.
        return 'name the commit, "owner/name:<40 hex digits>", and read its hubconf.py'
    if here:
        return "read the Python files of that folder, and leave the switch off where there are none"
    return ""


RULE = reference_rule(
    "remote-code-enabled",
    title="A loader is told to run code of the repository",
    severity=Severity.MEDIUM,
    why=(
        "trust_remote_code=True and torch.hub.load import Python files of the repository with the rights "
        "of the program. Whoever can change the repository can run code there."
    ),
    remedy=(
        "leave the switch off where the library can do without; else pin the revision to a commit, "
        "and read the code of that commit"
    ),
    tell=_tell,
    atlas=("AML.T0011.001", "AML.T0010.003"),
    cwe=(829, 94),
)
