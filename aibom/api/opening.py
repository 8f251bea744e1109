"""`aibom.verified` and `aibom.open_verified`: bytes to load, exactly those that somebody signed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn, Unpack

from aibom import __version__
from aibom.api.copying import Copying, VerifiedFile, finished, scratch
from aibom.api.errors import VerificationError
from aibom.api.expectation import Whom, somebody, trust_root
from aibom.api.vouching import Target, Voucher
from aibom.domain.check import Outcome
from aibom.domain.entry import Entry
from aibom.domain.errors import UnreadableError
from aibom.domain.signing import Manifest, Resource, Signer
from aibom.domain.target import Tool
from aibom.domain.verification import FileState, FileVerdict, Statement, Verification
from aibom.fingerprint.resources import Range, digest_ranges
from aibom.trust.model import absent, compare, place_of
from aibom.workflows.digesting import Place

_Claims = Mapping[Voucher, tuple[Resource, ...]]


class VerifiedModel:
    """A model whose signatures are verified. Its files are verified one by one, when they are opened."""

    __slots__ = ("_place", "_vouchers")

    def __init__(self, place: Place, vouchers: Iterable[Voucher]) -> None:
        """Raises `VerificationError` unless there is a signature and each is verified."""
        self._place, self._vouchers = place, tuple(vouchers)
        verification = self._verification(
            each.statement(each.judged.outcome, each.judged.detail) for each in self._vouchers
        )
        if not verification.ok:
            raise VerificationError(verification)

    @property
    def names(self) -> tuple[str, ...]:
        """The files that are signed, whether they are here or not."""
        return tuple(sorted({each.name for voucher in self._vouchers for each in voucher.resources}))

    @property
    def signers(self) -> tuple[Signer, ...]:
        """Who signed, one for each signature."""
        return tuple(each.judged.signer for each in self._vouchers if each.judged.signer is not None)

    def open(self, name: str, *, directory: str | os.PathLike[str] | None = None) -> VerifiedFile:
        """A copy of one file, in memory or in `directory`, that has the signed digests.

        `name` is the path in the model, with `/`. Raises `VerificationError` when the bytes are others,
        or the file is not signed, not there or cannot be read; OSError when the copy has no room.
        """
        claims = {each: about for each in self._vouchers if (about := each.about(name))}
        if not claims:
            self._refuse(self._vouchers, name, FileState.EXTRA, "it is not among the signed files")
        entry = self._place.entries.get(name)
        if entry is None:
            verdict = absent(name, self._place.gaps, "it was signed and is not here")
            self._refuse(claims, name, verdict.state, verdict.detail)
        try:
            return self._copied(entry, claims, directory)
        except UnreadableError as error:
            self._refuse(claims, name, FileState.UNREADABLE, str(error), error)

    def _copied(
        self, entry: Entry, claims: _Claims, directory: str | os.PathLike[str] | None
    ) -> VerifiedFile:
        ranges = [_range(each) for about in claims.values() for each in about]
        with scratch(directory) as copy:
            with self._place.source.open(entry) as reader:
                digests = dict(zip(ranges, digest_ranges(Copying(reader, copy), ranges), strict=True))
            self._compare(entry, claims, digests)
            return finished(copy)

    def _compare(self, entry: Entry, claims: _Claims, digests: Mapping[Range, str | None]) -> None:
        """Raises `VerificationError` unless every signature of the file finds its digests."""
        statements = []
        for voucher, about in claims.items():
            found = {place_of(each): digests[_range(each)] for each in about}
            (verdict,) = compare(Manifest(name="", resources=about), found, {entry.path: entry.size})
            statements.append(voucher.statement(_outcome(verdict.state), verdict.detail, verdict))
        verification = self._verification(statements, entry.size)
        if not verification.ok:
            raise VerificationError(verification)

    def _refuse(
        self,
        vouchers: Iterable[Voucher],
        name: str,
        state: FileState,
        detail: str,
        cause: Exception | None = None,
    ) -> NoReturn:
        verdict = FileVerdict(path=name, state=state, detail=detail)
        statements = [each.statement(_outcome(state), detail, verdict) for each in vouchers]
        raise VerificationError(self._verification(statements)) from cause

    def _verification(self, statements: Iterable[Statement], size: int = 0) -> Verification:
        return Verification(
            target=self._place.source.target,
            tool=Tool(name="aibom", version=__version__),
            statements=tuple(statements),
            bytes=size,
        )


def verified(
    target: str | os.PathLike[str],
    *,
    signature: str | os.PathLike[str] | None = None,
    **whom: Unpack[Whom],
) -> VerifiedModel:
    """The model folder or file, when every signature of it is verified; its files are read by `open`.

    Without `signature`, those that lie in the folder or beside the file. Raises `VerificationError`
    when one is not verified or none is there, ValueError when nobody is expected, OSError and
    `UnreadableError` when the target or a named document cannot be read.
    """
    found = _target(target, signature)
    return VerifiedModel(found.place, found.vouchers(somebody(whom), trust_root(whom)))


def open_verified(
    path: str | os.PathLike[str],
    *,
    signature: str | os.PathLike[str] | None = None,
    directory: str | os.PathLike[str] | None = None,
    **whom: Unpack[Whom],
) -> VerifiedFile:
    """One file, opened when its signature is verified and its bytes are those that were signed.

    For several files of a folder, `verified` judges the signature once. Raises as `verified` and
    `VerifiedModel.open` do, and ValueError for a folder.
    """
    if Path(path).is_dir():
        raise ValueError(f"{os.fspath(path)!r} is a folder: use verified(folder, ...).open(name)")
    found = _target(path, signature)
    model = VerifiedModel(found.place, found.vouchers(somebody(whom), trust_root(whom)))
    return model.open(found.alone or Path(path).name, directory=directory)


def _target(path: str | os.PathLike[str], signature: str | os.PathLike[str] | None) -> Target:
    return Target.at(Path(path), Path(signature) if signature is not None else None)


def _range(resource: Resource) -> Range:
    return Range(resource.algorithm, resource.start or 0, resource.end)


def _outcome(state: FileState) -> Outcome:
    if state is FileState.UNREADABLE:
        return Outcome.COULD_NOT_CHECK
    return Outcome.VERIFIED if state is FileState.VERIFIED else Outcome.CONTENT_MISMATCH
