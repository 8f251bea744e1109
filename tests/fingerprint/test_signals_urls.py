"""Addresses of media, and digests beside them."""

from __future__ import annotations

import hashlib

import pytest

from aibom.domain.dataset_signals import Signal
from aibom.fingerprint.signals_urls import Addresses

URLS = [f"https://host{n}.org/{n}.jpg?w=1" for n in range(20)]
PAGES = [f"https://host{n}.org/page/{n}" for n in range(20)]
SHA256 = [hashlib.sha256(url.encode()).hexdigest() for url in URLS]


def found(size: int = 20, **columns: list[str]) -> list[Signal]:
    taken = Addresses()
    for at in range(0, 20, size):
        parts = [(name, texts[at : at + size]) for name, texts in columns.items()]
        taken.add(parts, at, min(size, 20 - at))
    return list(taken.signals(20))


def test_addresses_of_media_without_digests_are_counted() -> None:
    (signal,) = found(URL=URLS, TEXT=["a dog"] * 20)
    assert (signal.column, signal.count, signal.looked, signal.examples) == ("URL", 20, 20, (0, 1, 2, 3, 4))


def test_batches_change_nothing() -> None:
    mixed = [url if at % 3 else "" for at, url in enumerate(URLS)]
    columns = {"URL": mixed, "TEXT": ["a dog"] * 20, "sha256": [*SHA256[:9], *[""] * 11]}
    assert found(20, **columns) == found(1, **columns) == found(7, **columns)


def test_only_rows_without_a_digest_count() -> None:
    (signal,) = found(URL=URLS, sha256=[*SHA256[:15], "", "x", "0" * 63, "none", "deadbeef"])
    assert (signal.count, signal.looked, signal.examples) == (5, 20, (15, 16, 17, 18, 19))


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("sha256", "a" * 64),
        ("md5", "A" * 32),
        ("image_hash", "sha256:" + "0" * 64),
        ("checksum", "sha256-" + "A" * 43 + "="),
        ("SHA512", "f" * 128),
    ],
)
def test_digests_have_the_right_length_in_a_column_that_is_named_so(name: str, digest: str) -> None:
    (signal,) = found(image_url=URLS, **{name: [digest] * 20})
    assert (signal.column, signal.count) == ("image_url", 0)


@pytest.mark.parametrize(
    ("name", "value"), [("id", "a" * 32), ("phash", "-123456789"), ("sha256", "a" * 60), ("md5", "g" * 32)]
)
def test_what_is_no_digest(name: str, value: str) -> None:
    (signal,) = found(image_url=URLS, **{name: [value] * 20})
    assert signal.count == 20


@pytest.mark.parametrize(
    ("name", "urls", "text", "is_media"),
    [
        ("url", PAGES, "short", True),  # nothing else is there to learn from
        ("url", PAGES, "long " * 50, False),  # the page is in the row
        ("url", URLS, "long " * 50, True),
        ("video", PAGES, "long " * 50, True),
        ("text", [*URLS[:5], *["words"] * 15], "short", False),  # links within comments
    ],
)
def test_which_columns_are_of_media(name: str, urls: list[str], text: str, *, is_media: bool) -> None:
    (signal,) = found(**{name: urls, "body": [text] * 20})
    assert (signal.column == name) is is_media
    assert bool(signal.count) is is_media


@pytest.mark.parametrize("text", ["ftp://a/b.jpg", "http://", "see https://a.org/b.jpg", "http://a b.jpg"])
def test_other_text_is_no_address(text: str) -> None:
    (signal,) = found(image_url=[text] * 20)
    assert signal.count == 0
