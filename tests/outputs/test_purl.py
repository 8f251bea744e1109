"""Package URLs: what is wrong with one, with packageurl-python as the independent voice."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from aibom.outputs.purl import is_moving, problem


@pytest.mark.parametrize(
    "purl",
    [
        "pkg:pypi/aibom@1.0",
        "pkg:npm/%40scope/name@1.0",
        "pkg:huggingface/org/name@0123456789abcdef0123456789abcdef01234567#a/b.gguf",
        "pkg:huggingface/org/data?repo_type=dataset",
        "pkg:oci/image@sha256%3Aabc?repository_url=ghcr.io/acme",
    ],
)
def test_package_urls(purl: str) -> None:
    assert problem(purl) is None


@pytest.mark.parametrize(
    ("purl", "words"),
    [
        ("", "form"),
        ("aibom", "form"),
        ("pkg:pypi", "form"),
        ("pkg:pypi/a b", "printable"),
        ("pkg:pypi/\u00e9", "printable"),
        ("pkg:huggingface/gpt2", "namespace"),
        ("pkg:pypi/@1", "name"),
    ],
)
def test_what_is_no_package_url(purl: str, words: str) -> None:
    assert words in (problem(purl) or "")


@given(st.text("ab:/@?#%=&.+-~_2 ", max_size=15))
def test_nothing_else_is_accepted_than_what_the_library_accepts(tail: str) -> None:
    purl = f"pkg:generic/{tail}"
    if problem(purl) is None:
        assert PackageURL.from_string(purl).name
    else:
        with contextlib.suppress(ValueError):
            assert " " in purl or tail == "" or not PackageURL.from_string(purl)


@pytest.mark.parametrize(
    ("version", "moves"), [("main", True), ("refs/heads/Main", True), ("v1.0", False), ("", False)]
)
def test_moving_versions(version: str, moves: bool) -> None:
    assert is_moving(version) is moves
