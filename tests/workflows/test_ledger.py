"""The ledger of a run over many targets: what is done stays done, and nobody works twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from aibom.domain.fleet import Line, State
from aibom.workflows.ledger import ATTEMPT_COUNT, Ledger, LedgerError


def opened(folder: Path, options: str = "o") -> Ledger:
    return Ledger(folder / "ledger.sqlite", options)


def done(target: str) -> Line:
    return Line(target=target, state=State.DONE, file=f"{target}.json", sha256="0" * 64, verdict="passed")


def test_targets_are_done_in_the_order_in_which_they_came_and_once(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.add(["b", "a", "b"])
        ledger.add(["a", "c"])
        assert ledger.left() == ["b", "a", "c"]
        ledger.finish(done("a"))
        assert ledger.left() == ["b", "c"]


def test_what_is_done_is_known_to_the_next_run(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.add(["a", "b"])
        ledger.listed("hf://org/*")
        ledger.finish(done("a"))
    with opened(tmp_path) as ledger:
        assert ledger.is_listed("hf://org/*")
        assert not ledger.is_listed("hf://other/*")
        assert ledger.left() == ["b"]
        assert [(line.target, line.state, line.attempts) for line in ledger.lines()] == [
            ("a", State.DONE, 1),
            ("b", State.WAITING, 0),
        ]


def test_a_target_that_failed_is_tried_again_but_not_for_ever(tmp_path: Path) -> None:
    for _ in range(ATTEMPT_COUNT):
        with opened(tmp_path) as ledger:
            ledger.add(["a"])
            assert ledger.left() == ["a"]
            ledger.finish(Line(target="a", state=State.FAILED, detail="io-error: not reached"))
    with opened(tmp_path) as ledger:
        assert ledger.left() == []
        (line,) = ledger.lines()
        assert (line.state, line.detail, line.attempts) == (
            State.FAILED, "io-error: not reached", ATTEMPT_COUNT,
        )  # fmt: skip


def test_a_run_with_other_options_does_not_mix_with_it(tmp_path: Path) -> None:
    opened(tmp_path, "full").close()
    with pytest.raises(LedgerError, match="a run with other options"):
        opened(tmp_path, "headers")
    opened(tmp_path, "full").close()


def test_two_runs_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(LedgerError, match="another run works in this folder"):
        opened(tmp_path)
    opened(tmp_path).close()


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be looked at" * 40, b"SQLite format 3\0"]
)
def test_a_file_that_is_no_ledger_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(content)
    with pytest.raises(LedgerError, match="remove it to begin anew"):
        opened(tmp_path)


def test_a_folder_that_cannot_hold_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="the folder cannot be written"):
        Ledger(tmp_path / "none/ledger.sqlite", "o")


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.add(["a"])
        assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("ledger.sqlite*[!k]")} == {0}


def test_a_target_that_is_no_text_is_refused_and_nothing_is_half_written(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger, pytest.raises(LedgerError, match="surrogates not allowed"):
        ledger.add(["a", "caf\udce9"])
    with opened(tmp_path) as ledger:
        assert ledger.left() == []
