"""The whole scan over real folders: everything listed is accounted for."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from aibom.domain.check import Outcome
from aibom.domain.component import ComponentKind
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Stage
from aibom.domain.limits import CHUNK_BYTES
from aibom.domain.report import Report
from aibom.policy import parse_policy
from aibom.readers.ranges import Memory
from aibom.workflows import look
from aibom.workflows.look import Lookout
from aibom.workflows.progress import Silent
from aibom.workflows.scan import ScanRequest, scan
from tests.hostile import FIXTURES

POLICY = parse_policy(b"version: 1\nname: n\nrules: {unindexed-bytes: medium}\n")


def run(*targets: Path, **more: object) -> Report:
    more.setdefault("jobs", 2)
    return scan(ScanRequest(targets=tuple(map(str, targets)), policy=POLICY, **more))  # type: ignore[arg-type]


def model(path: Path, *, seed: int = 0, size: int = 4) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(seed)
    save_file({"w": chance.standard_normal(size).astype(np.float32)}, path)


def everything(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() or p.is_symlink())


@pytest.mark.parametrize("folder", sorted(p.name for p in FIXTURES.iterdir() if p.is_dir()))
def test_every_listed_entry_is_a_file_or_a_gap_in_every_fixture(folder: str) -> None:
    place = FIXTURES / folder
    report = run(place)
    found = {file.path for file in report.files} | {
        gap.path for gap in report.gaps if gap.stage != "assemble"
    }
    assert found >= set(everything(place))
    coverage = report.coverage
    assert coverage.listed == len(everything(place)) == coverage.read + coverage.partial + coverage.unread
    assert coverage.bytes == sum(file.entry.size for file in report.files)


def test_no_reader_of_ours_crashes_on_any_fixture() -> None:
    assert [gap for gap in run(FIXTURES).gaps if gap.reason is Reason.INTERNAL] == []


def test_the_digests_are_those_of_the_bytes() -> None:
    for file in run(FIXTURES / "quickstart").files:
        if file.format != "lfs-pointer":
            assert (
                file.sha256 == hashlib.sha256((FIXTURES / "quickstart" / file.path).read_bytes()).hexdigest()
            )


def test_a_pickle_named_safetensors_is_found_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(
        b"\x80\x04\x95\x0a\0\0\0\0\0\0\0\x8c\x02os\x94\x8c\x04exit\x94\x93."
    )
    report = run(tmp_path)
    assert report.files[0].format == "pickle"
    assert {"format-mismatch", "dangerous-import"} <= {f.rule for f in report.findings}


def test_an_lfs_pointer_is_a_claim_and_a_gap_and_never_the_digest_of_the_weights() -> None:
    report = run(FIXTURES / "quickstart")
    (pointer,) = [file for file in report.files if file.format == "lfs-pointer"]
    assert pointer.sha256 is None
    assert pointer.digest("sha256") is not None
    assert [g.reason for g in report.gaps if g.path == pointer.path] == [Reason.LFS_POINTER]
    assert [c.outcome for c in report.checks if c.subject == pointer.path] == [Outcome.COULD_NOT_CHECK]


def test_an_lfs_pointer_with_extensions_claims_the_content_and_not_the_stored_bytes(tmp_path: Path) -> None:
    oids = ["sha256:" + digit * 64 for digit in "ab"]
    lines = [
        "version https://git-lfs.github.com/spec/v1",
        f"ext-0-pack {oids[0]}",
        f"oid {oids[1]}",
        "size 9",
        "",
    ]
    (tmp_path / "m.safetensors").write_text("\n".join(lines))
    (pointer,) = run(tmp_path).files
    assert [d.value for d in pointer.digests] == ["a" * 64]


def test_a_fine_tune_is_named_after_itself_with_the_base_as_a_claimed_ancestor() -> None:
    report = run(FIXTURES / "quickstart")
    (triage,) = [c for c in report.components if "models/ticket-triage/config.json" in c.files]
    assert triage.name != "bert-base-uncased"
    assert "bert-base" not in triage.name
    ancestors = [r.target.location for r in triage.relations if r.kind == "ancestor" and r.target]
    assert ancestors == ["google-bert/bert-base-uncased"]


def test_a_cached_digest_is_marked_and_equal(tmp_path: Path) -> None:
    place, cache = tmp_path / "place", tmp_path / "cache" / "d.sqlite"
    model(place / "m.safetensors", size=200_000)
    old = 10**9
    os.utime(place / "m.safetensors", (old, old))
    _settle()
    first, second = run(place, cache=cache), run(place, cache=cache)
    assert [d.cached for d in first.files[0].digests] == [False]
    assert [d.cached for d in second.files[0].digests] == [True]
    assert first.files[0].sha256 == second.files[0].sha256
    assert first.files[0].tensor_digests == second.files[0].tensor_digests
    assert first.components[0].model_digest == second.components[0].model_digest


def test_a_gap_is_told_again_by_a_run_that_has_the_digests(tmp_path: Path) -> None:
    place, cache = tmp_path / "place", tmp_path / "cache" / "d.sqlite"
    place.mkdir()
    (place / "model.pth").write_bytes(b"neither this nor that " * 50)
    (place / "cut.safetensors").write_bytes(b"\x50\0\0\0\0\0\0\0{}")
    (place / "model.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(64))
    _settle()
    first, second = run(place, cache=cache), run(place, cache=cache)
    assert len(first.gaps) == 3
    assert second.gaps == first.gaps
    assert second.coverage == first.coverage


def test_the_same_bytes_under_another_name_are_recognised_anew(tmp_path: Path) -> None:
    place, cache = tmp_path / "place", tmp_path / "cache" / "d.sqlite"
    place.mkdir()
    (place / "notes.txt").write_bytes(b"a,b\n1,2\n")
    (place / "link.csv").symlink_to("notes.txt")
    (place / "hard.gguf").hardlink_to(place / "notes.txt")
    _settle()
    first, second = run(place, cache=cache), run(place, cache=cache)
    assert {f.path: f.format for f in second.files} == {
        "hard.gguf": "gguf",
        "link.csv": "csv",
        "notes.txt": None,
    }
    assert [g.path for g in second.gaps] == [g.path for g in first.gaps] == ["hard.gguf"]


def test_a_changed_file_is_digested_again_even_with_its_old_size_and_mtime(tmp_path: Path) -> None:
    place, cache = tmp_path / "place", tmp_path / "cache" / "d.sqlite"
    model(place / "m.safetensors", seed=1)
    status = (place / "m.safetensors").stat()
    _settle()
    first = run(place, cache=cache)
    model(place / "m.safetensors", seed=2)
    os.utime(place / "m.safetensors", ns=(status.st_atime_ns, status.st_mtime_ns))
    second = run(place, cache=cache)
    assert first.files[0].sha256 != second.files[0].sha256


def test_reread_ignores_what_the_cache_knows(tmp_path: Path) -> None:
    place, cache = tmp_path / "place", tmp_path / "cache" / "d.sqlite"
    model(place / "m.safetensors")
    _settle()
    run(place, cache=cache)
    assert [d.cached for d in run(place, cache=cache, reread=True).files[0].digests] == [False]


def test_a_cache_inside_the_target_is_not_used(tmp_path: Path) -> None:
    model(tmp_path / "m.safetensors")
    hints: list[str] = []

    class Told(Silent):
        def hint(self, message: str) -> None:
            hints.append(message)

    request = ScanRequest(targets=(str(tmp_path),), policy=POLICY, cache=tmp_path / "c" / "d.sqlite")
    report = scan(request, Told())
    assert [file.path for file in report.files] == ["m.safetensors"]
    assert hints == ["the digest cache lies inside the target and is not used"]


def _settle() -> None:
    """Waits until files are old enough to be cached."""
    threading.Event().wait(0.15)


def test_several_targets_keep_their_paths_apart(tmp_path: Path) -> None:
    model(tmp_path / "x" / "same" / "m.safetensors", seed=1)
    model(tmp_path / "y" / "same" / "m.safetensors", seed=2)
    report = run(tmp_path / "x" / "same", tmp_path / "y" / "same")
    assert [file.path for file in report.files] == ["same-2/m.safetensors", "same/m.safetensors"]
    assert [target.name for target in report.targets] == ["same", "same-2"]


def test_one_thread_and_many_give_the_same_report(tmp_path: Path) -> None:
    assert run(FIXTURES, jobs=1) == run(FIXTURES, jobs=8)


def test_a_large_file_with_a_companion_thread_has_the_same_digests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(tmp_path / "m.safetensors", size=3_000_000)
    alone = run(tmp_path, jobs=1)
    monkeypatch.setattr("aibom.workflows.survey.LARGE_FILE_BYTES", CHUNK_BYTES)
    assert run(tmp_path, jobs=2).files == alone.files


def test_external_data_of_onnx_is_digested_by_tensor_and_belongs_to_the_model() -> None:
    report = run(FIXTURES / "onnx")
    data = [file for file in report.files if file.format == "onnx-data"]
    assert data
    for file in data:
        assert all(file.tensor_digests)
        (owner,) = [c for c in report.components if file.path in c.files]
        assert any(path.endswith(".onnx") for path in owner.files)


def test_missing_external_data_is_a_gap_and_a_finding(tmp_path: Path) -> None:
    for path in (FIXTURES / "onnx").glob("*.onnx"):
        shutil.copy(path, tmp_path)
    report = run(tmp_path)
    assert Reason.MISSING in {gap.reason for gap in report.gaps}
    assert "missing-part" in {finding.rule for finding in report.findings}


def test_a_target_that_does_not_exist_is_an_error_that_names_it() -> None:
    with pytest.raises(UnreadableError, match="no such file or folder: 'no/such'"):
        run(Path("no/such"))


def test_a_crash_of_a_reader_is_a_gap_and_the_scan_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(tmp_path / "m.safetensors")
    (tmp_path / "notes.txt").write_text("hello")

    def broken(probe: object) -> None:
        raise ZeroDivisionError("oops")

    found = look.identify

    def identify(probe: look.Probe) -> object:
        fmt, match = found(probe)
        if fmt is None:
            return fmt, match
        return type(fmt)(
            name=fmt.name,
            title=fmt.title,
            kind=fmt.kind,
            suffixes=fmt.suffixes,
            recognise=fmt.recognise,
            read=broken,
        ), match

    monkeypatch.setattr(look, "identify", identify)
    report = run(tmp_path)
    (gap,) = report.gaps
    assert (gap.path, gap.reason) == ("m.safetensors", Reason.INTERNAL)
    assert "ZeroDivisionError: oops" in gap.detail
    assert report.files[0].sha256 is not None
    assert len(report.files) == 2


def test_a_component_is_there_even_when_its_header_is_broken(tmp_path: Path) -> None:
    model(tmp_path / "m.safetensors", size=1000)
    whole = (tmp_path / "m.safetensors").read_bytes()
    (tmp_path / "m.safetensors").write_bytes(whole[:-10])
    report = run(tmp_path)
    (component,) = report.components
    assert (component.kind, component.complete, component.model_digest) == (ComponentKind.MODEL, False, None)
    assert (Stage.READ, Reason.TRUNCATED) in [(g.stage, g.reason) for g in report.gaps]


class FakeSource:
    """A source whose one file can be anything; written for these tests."""

    def __init__(self, reader: Memory | UnreadableError) -> None:
        self.reader = reader

    @contextmanager
    def open(self, entry: Entry) -> Iterator[Memory]:
        if isinstance(self.reader, UnreadableError):
            raise self.reader
        yield self.reader


class Shrunk(Memory):
    def read_into(self, offset: int, buffer: memoryview) -> int:
        return 0


def test_an_entry_that_vanished_is_a_gap_at_opening() -> None:
    error = UnreadableError(Reason.VANISHED, "gone")
    looked = Lookout(source=FakeSource(error)).look(Entry(path="a", size=1), None)  # type: ignore[arg-type]
    assert looked.file is None
    assert [(g.stage, g.reason) for g in looked.gaps] == [(Stage.OPEN, Reason.VANISHED)]


def test_an_entry_that_shrinks_while_it_is_read_is_a_gap_at_digesting() -> None:
    source = FakeSource(Shrunk(bytes(CHUNK_BYTES)))
    looked = Lookout(source=source).look(Entry(path="a", size=CHUNK_BYTES), None)  # type: ignore[arg-type]
    assert looked.file is None
    assert [g.stage for g in looked.gaps] == [Stage.DIGEST]


def test_giving_up_stops_the_other_threads(tmp_path: Path) -> None:
    for number in range(4):
        model(tmp_path / f"{number}.safetensors", size=2_000_000)

    class Impatient(Silent):
        def advanced(self, count: int) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(ScanRequest(targets=(str(tmp_path),), policy=POLICY, jobs=2), Impatient())
