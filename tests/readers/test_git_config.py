"""git configuration: the same values as the real program reads, and nothing is followed."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.readers.git_config import CONFIG_BYTES, Config, parse

REAL = b"""\
[core]
\trepositoryformatversion = 0
\tbare = false ; of course
[remote "origin"]
\turl = https://example.org/x.git
\tfetch = +refs/heads/*:refs/remotes/origin/*
\tfetch = +refs/tags/*:refs/tags/*
"""


def by_git(path: Path) -> Config | None:
    """What `git config --list` says, None when it refuses the file."""
    alone = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    words = ["git", "config", "--null", "--no-includes", "--file", path.name, "--list"]
    done = subprocess.run(words, cwd=path.parent, env=alone, capture_output=True, check=False)
    if done.returncode:
        return None
    found: dict[str, list[str]] = {}
    for item in done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        key, given, value = item.partition("\n")
        found.setdefault(key, []).append(value if given else "true")
    return {key: tuple(values) for key, values in found.items()}


def blanks(config: Config) -> Config:
    """Up to version 2.44 git makes a tab inside of a value a blank."""
    return {key: tuple(value.replace("\t", " ") for value in values) for key, values in config.items()}


def test_a_real_configuration_is_read() -> None:
    found = parse(REAL)
    assert found["core.bare"] == ("false",)
    assert found["remote.origin.url"] == ("https://example.org/x.git",)
    assert len(found["remote.origin.fetch"]) == 2


@pytest.mark.skipif(shutil.which("git") is None, reason="the oracle is the real git program")
def test_every_spelling_that_git_accepts_has_the_same_values(tmp_path: Path) -> None:
    spellings = [
        b'[a]\nb = "x # y" z ; c', b"[A.B]\nKey", b'[a "B.c"]\nx=1\nx = 2', b'[a "q\\"r\\\\s"]\nx = 1',
        b"[a] b = 1\n[c]d=2", b"\xef\xbb\xbf[a]\r\nb = c \r\n", b"[a]\nb = one \\\n  two\n",
        b'[a]\nb = \\t\\n\\\\\\"',
        b"[a]\n# x \\\nb = 1", b'[a]\nb =\nc = ""\n', b"[a]\nb = '  x  '  ", b"[include]\npath = other\n",
        b"[a]\nb = \xff\xfe", b'[a]\nb = "x\\\ny"',
    ]  # fmt: skip
    chance = random.Random(3)
    pieces = [
        b"[a]",
        b'[a "b"]',
        b"\n",
        b"\n",
        b"k",
        b"K-2",
        b" = ",
        b"=",
        b'"',
        b"\\",
        b"\\n",
        b"#",
        b" ",
        b"\t",
        b"v",
        b";",
    ]
    spellings += [b"[s]\nk = " + b"".join(chance.choices(pieces, k=10)) for _ in range(150)]
    path, accepted = tmp_path / "config", 0
    for text in spellings:
        path.write_bytes(text)
        expected = by_git(path)
        if expected is not None:
            accepted += 1
            assert blanks(parse(text)) == blanks(expected), text
    assert accepted > 60


@given(st.text('[]ab \t\n="\\#;.-1', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text.encode())
    except UnreadableError as error:
        assert error.reason is Reason.MALFORMED  # noqa: PT017 - most texts are no error at all


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"key = value", Reason.MALFORMED, "line 1"),
        (b"[a]\nb = 1\n= 2", Reason.MALFORMED, "line 3"),
        (b"[a", Reason.MALFORMED, "line 1"),
        (b'[a "b]\nx = 1', Reason.MALFORMED, "line 1"),
        (b"#" * (CONFIG_BYTES + 1), Reason.LIMIT, "at most"),
    ],
)
def test_hostile_configurations_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        parse(data)
    assert caught.value.reason is reason
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"[a]\nb = " + b"\\" * 500_000, b"\n" * CONFIG_BYTES, b'[a "' + b"\\" * 500_000]
)
def test_long_runs_do_not_take_long(data: bytes) -> None:
    try:
        assert len(parse(data)) <= 1
    except UnreadableError as error:
        assert error.reason is Reason.MALFORMED  # noqa: PT017 - either way it must come back
