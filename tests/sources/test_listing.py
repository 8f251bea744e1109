"""What a registry lists is bounded, in files and in bytes of names."""

from __future__ import annotations

import itertools

import pytest

from aibom.domain.errors import Reason
from aibom.domain.gap import Gap
from aibom.sources import listing
from aibom.sources.listing import Listed, Listing


@pytest.mark.parametrize(("limit", "value"), [("REMOTE_ENTRY_COUNT", 10), ("NAMES_BYTES", 50)])
def test_a_listing_without_end_is_cut_off_with_a_gap(
    limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, limit, value)
    endless = (Listed(path=f"{number:05}", size=1) for number in itertools.count())
    found = list(Listing().entries(endless))
    (gap,) = (item for item in found if isinstance(item, Gap))
    assert (gap.path, gap.reason, len(found)) == (".", Reason.LIMIT, 11)


def test_a_path_that_is_listed_twice_is_a_gap() -> None:
    (gap,) = Listing().entries([Listed(path="a", size=1), Listed(path="a", size=2)])
    assert isinstance(gap, Gap)
    assert (gap.path, gap.reason) == ("a", Reason.MALFORMED)
