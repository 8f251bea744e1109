"""A small model folder, hands that sign it, and a `Source` that counts and cheats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aibom.domain.check import Outcome
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap
from aibom.domain.protocols import ByteReader, Source
from aibom.domain.signing import Expected, ExpectedKey
from aibom.domain.verification import FileState, Verification
from aibom.trust.signers import KeySigner
from aibom.workflows.sign import HeldKey, ModelRequest, sign_any_file, sign_bom, sign_model
from aibom.workflows.verify import VerifyRequest, verify
from tests.trust.certificates import ec_key, public_pem

KEY = ec_key()
EXPECTED = ExpectedKey(public_key=public_pem(KEY))
HAND = HeldKey(signer=KeySigner(key=KEY))
STRANGER = HeldKey(signer=KeySigner(key=ec_key()))
FILES = {"config.json": b'{"model_type": "bert"}', "weights.bin": b"w" * 100, "sub/vocab.txt": b"a\nb\n"}
V, C, M, E, G, U = (
    FileState.VERIFIED, FileState.CHANGED, FileState.MISSING, FileState.EXTRA, FileState.IGNORED,
    FileState.UNREADABLE,
)  # fmt: skip


def folder_of(place: Path, files: dict[str, bytes] = FILES) -> Path:
    for path, data in files.items():
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return place


def signed(target: Path, hand: HeldKey = HAND, to: Path | None = None, **more: object) -> Path:
    """Signs the model, by default into `model.sig`."""
    done = sign_model(ModelRequest(target=str(target), **more), hand)  # type: ignore[arg-type]
    out = to or (target / "model.sig" if target.is_dir() else target.with_name(f"{target.name}.sig"))
    out.write_bytes(done.bundle)
    return out


def signed_file(target: Path, hand: HeldKey = HAND) -> Path:
    out = target.with_name(f"{target.name}.sigstore.json")
    out.write_bytes(sign_any_file(str(target), hand).bundle)
    return out


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def listing(files: dict[str, bytes], **changes: object) -> dict[str, object]:
    """A CycloneDX document about the files."""
    components = [
        {"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": sha256(data)}]}
        for name, data in files.items()
    ]
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components} | changes


def with_bom(place: Path, document: object | None = None, name: str = "m.cdx.json") -> Path:
    path = place / name
    path.write_text(json.dumps(listing(FILES) if document is None else document))
    return path


def signed_bom(path: Path, hand: HeldKey = HAND) -> Path:
    out = path.with_name(f"{path.name}.sigstore.json")
    out.write_bytes(sign_bom(str(path), hand).bundle)
    return out


def verified(target: Path, expected: Expected | None = EXPECTED, **more: object) -> Verification:
    return verify(VerifyRequest(target=str(target), expected=expected, **more))  # type: ignore[arg-type]


def states(found: Verification, name: str = "model.sig") -> dict[str, FileState]:
    """The state of each file by one statement."""
    [statement] = [each for each in found.statements if each.name == name]
    assert len({file.path for file in statement.files}) == len(statement.files)
    return {file.path: file.state for file in statement.files}


def outcomes(found: Verification) -> dict[str, Outcome]:
    return {statement.name: statement.check.outcome for statement in found.statements}


def detail(found: Verification, name: str = "model.sig") -> str:
    return next(each.check.detail for each in found.statements if each.name == name)


class Watched:
    """A source that counts the bytes that are read of each file, and can do something before a read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.target = source.target
        self.read: dict[str, int] = {}
        self.opened: list[str] = []
        self.before: Callable[[str], None] = lambda path: None
        self.lost: dict[str, Reason] = {}

    @property
    def excluded(self) -> int:
        return self._source.excluded

    def entries(self) -> Iterator[Entry | Gap]:
        return self._source.entries()

    @contextmanager
    def open(self, entry: Entry) -> Iterator[ByteReader]:
        self.before(entry.path)
        self.opened.append(entry.path)
        if entry.path in self.lost:
            raise UnreadableError(self.lost[entry.path], "cannot be opened: permission denied")
        with self._source.open(entry) as reader:
            yield _Counted(reader, self.read, entry.path)


class _Counted:
    def __init__(self, reader: ByteReader, read: dict[str, int], path: str) -> None:
        self._reader, self._read, self._path = reader, read, path
        self.size = reader.size
        read.setdefault(path, 0)

    def read_at(self, offset: int, length: int) -> bytes:
        data = self._reader.read_at(offset, length)
        self._read[self._path] += len(data)
        return data

    def read_into(self, offset: int, buffer: memoryview) -> int:
        count = self._reader.read_into(offset, buffer)
        self._read[self._path] += count
        return count


def watch(monkeypatch: pytest.MonkeyPatch, module: object) -> list[Watched]:
    """Every source that a workflow resolves from now on, in order."""
    made: list[Watched] = []
    resolve = module.resolve  # type: ignore[attr-defined]

    def watched(target: str, *rest: object, **more: object) -> Watched:
        made.append(Watched(resolve(target, *rest, **more)))
        return made[-1]

    monkeypatch.setattr(module, "resolve", watched)
    return made
