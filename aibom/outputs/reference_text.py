"""Phrases about references that several outputs share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from aibom.domain.ref import Ref, is_commit
from aibom.domain.reference import Flag, Reference
from aibom.domain.text import visible
from aibom.outputs.quantities import plural

_SHORT_CHARS = 12  # of a commit or digest, for people


def written(ref: Ref | None) -> str:
    """`scheme:location@revision#subpath`, `?` for what could not be resolved."""
    return "?" if ref is None else visible(_written(ref, ref.revision))


def shortened(ref: Ref | None) -> str:
    """The same with the commit or digest cut, for a table."""
    if ref is None:
        return "?"
    revision = ref.revision
    if revision is not None and is_commit(revision):
        revision = revision[:_SHORT_CHARS]
    elif revision is not None and revision.startswith("sha256:"):
        revision = revision[: len("sha256:") + _SHORT_CHARS]
    return visible(_written(ref, revision))


def _written(ref: Ref, revision: str | None) -> str:
    place = ref.location if ref.scheme in ("http", "https") else f"{ref.scheme}:{ref.location}"
    return "".join((place, f"@{revision}" if revision else "", f"#{ref.subpath}" if ref.subpath else ""))


def counts(references: Sequence[Reference]) -> str:
    """`12 references in 3 files: 7 models, 5 libraries`; empty when there are none."""
    if not references:
        return ""
    files = plural(len({one.location.path for one in references}), "file")
    kinds = Counter(one.kind.value for one in references)
    told = ", ".join(_kinds(count, kind) for kind, count in kinds.most_common())
    return f"{plural(len(references), 'reference')} in {files}: {told}"


def _kinds(count: int, kind: str) -> str:
    if kind == "code":
        return f"{count:,} code"
    return f"{count:,} libraries" if kind == "library" and count != 1 else plural(count, kind)


def flags(references: Iterable[Reference]) -> str:
    """`4 unpinned, 1 remote-code`; empty when nothing is flagged."""
    found = Counter(flag for one in references for flag in one.flags)
    return ", ".join(f"{found[flag]:,} {flag}" for flag in Flag if found[flag])
