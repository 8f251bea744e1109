"""Small values for tests: a file, its facts, a statement, in one line each."""

from __future__ import annotations

import hashlib

from aibom.domain.component import ModelDigest
from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.facts import Attribute, Facts, FileKind, Statement, Tensor
from aibom.domain.file import File
from aibom.domain.gap import Gap
from aibom.domain.report import Coverage, PolicyUse, Report
from aibom.domain.target import Target, Tool

TARGET = Target(name="place")


def sha256(text: str, grade: Grade = Grade.COMPUTED) -> Digest:
    return Digest(
        algorithm="sha256",
        value=hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest(),
        grade=grade,
    )


def says(attribute: Attribute, value: str, **details: str) -> Statement:
    return Statement(attribute=attribute, value=value, details=tuple(details.items()))


def tensor(name: str, *shape: int) -> Tensor:
    return Tensor(name=name, dtype="F32", shape=shape or (1,), offset=0, length=4)


def file(
    path: str,
    format_name: str | None = None,
    kind: FileKind = FileKind.CONFIG,
    *statements: Statement,
    **facts: object,
) -> File:
    """A file whose SHA-256 is that of its path; without a format it has no facts."""
    told = None
    if format_name is not None:
        told = Facts(format=format_name, kind=kind, statements=statements, **facts)  # type: ignore[arg-type]
    digests = tuple(hashlib.sha256(t.name.encode()).digest() for t in told.tensors) if told else ()
    return File(entry=Entry(path=path, size=10), digests=(sha256(path),), facts=told, tensor_digests=digests)


def weights(path: str, format_name: str = "safetensors", *statements: Statement, **facts: object) -> File:
    facts.setdefault("tensors", (tensor("w", 2, 3),))
    return file(path, format_name, FileKind.WEIGHTS, *statements, **facts)


def card(path: str, about: str, *statements: Statement) -> File:
    return file(path, "card", FileKind.CARD, *statements, metadata=(("card", about),))


def no_digest(files: object) -> ModelDigest:
    return ModelDigest(absent="not asked")


def report(**parts: object) -> Report:
    """A report with everything that is not given empty, and coverage that adds up."""
    files: tuple[File, ...] = parts.setdefault("files", ())  # type: ignore[assignment]
    gaps: tuple[Gap, ...] = parts.setdefault("gaps", ())  # type: ignore[assignment]
    listed = len({f.path for f in files} | {g.path for g in gaps})
    parts.setdefault("coverage", Coverage.of(files, gaps, listed, 0))
    parts.setdefault("targets", (TARGET,))
    parts.setdefault("components", ())
    tool, policy = Tool(name="aibom", version="1.2.3"), PolicyUse(name="baseline", sha256="c" * 64)
    return Report(tool=tool, policy=policy, **parts)  # type: ignore[arg-type]
