from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import UnreadableError
from aibom.sources.http_quota import WAIT_SECONDS, Patience, Quota, Trouble, asked_wait, exhausted


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ('"api";r=0;t=123', 123),
        ('"api"; r=0; t=123', 123),
        ('"api";t=123;r=0', 123),
        ('"api";r=1;t=123', 0),
        ('"api";r=00;t=123', 0),
        ('"api";r=0', 0),
        ('"api";r=0;t=-5', 0),
        ('"api";r=0;t=1.5', 0),
        ('"a";r=5;t=9, "b";r=0;t=7, "c";r=0;t=3', 7),
        ('"api";r=0;t=9;pk=:x:', 9),
    ],
)
def test_a_quota_is_exhausted_when_nothing_remains(header: str, seconds: int) -> None:
    assert exhausted(header) == seconds


@given(st.text(), st.text(), st.text())
def test_any_header_is_a_wait_or_none(retry: str, limit: str, date: str) -> None:
    wait = asked_wait({"retry-after": retry, "ratelimit": limit, "date": date})
    assert wait is None or wait >= 0


def test_retry_after_wins_over_the_quota() -> None:
    assert asked_wait({"retry-after": "0", "ratelimit": '"a";r=0;t=9'}) == 0
    assert asked_wait({"retry-after": "soon", "ratelimit": '"a";r=0;t=9'}) == 9
    assert asked_wait({}) is None


def test_a_longer_wait_is_never_shortened() -> None:
    host = Quota(lambda _: None, lambda: 100.0).host("a")
    host.hold("", 50)
    host.hold("", 5)
    assert host.left("") == 50
    assert host.left("api") < 0


def test_the_waits_of_one_exchange_have_one_bound() -> None:
    clock = [0.0]

    def pause(seconds: float) -> None:
        clock[0] += seconds

    quota = Quota(pause, lambda: clock[0])
    host, patience = quota.host("a"), Patience(quota)
    host.hold("", WAIT_SECONDS - 1)
    patience.before(host, "")
    host.hold("", 2)
    with pytest.raises(UnreadableError, match="a: the host wants to be asked again later than we wait"):
        patience.before(host, "")
    assert clock[0] == WAIT_SECONDS - 1


def test_two_exchanges_have_attempts_of_their_own() -> None:
    quota = Quota(lambda _: None, lambda: 0.0)
    trouble = Trouble(quota.host("a"), "broke")
    for patience in (Patience(quota), Patience(quota)):
        for _ in range(4):
            patience.after(trouble)
        with pytest.raises(UnreadableError, match="a: broke"):
            patience.after(trouble)


def test_only_hosts_that_were_asked_are_counted() -> None:
    quota = Quota(lambda _: None, lambda: 0.0)
    quota.host("a").count(requests=1)
    quota.host("a").count(received=7)
    quota.host("b")
    assert quota.counts() == {"a": (1, 7)}
