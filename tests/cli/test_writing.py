"""Results in files: whole or not there, whoever else writes at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aibom.cli.writing import to_file


def test_threads_that_write_long_names_which_begin_alike_do_not_mix_them(tmp_path: Path) -> None:
    paths = [tmp_path / f"{'x' * 120}-{number}.cdx.json" for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda path: to_file(path, path.name.encode() * 1_000), paths))
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert all(path.read_bytes() == path.name.encode() * 1_000 for path in paths)
