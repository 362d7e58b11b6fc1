from datetime import time

import pytest

from agent.ending import Ending
from agent.pace import SLICE_BYTES, Pace
from agent.plans.bandwidth import Limits
from shared.domain.errors import Malformed


@pytest.mark.parametrize(
    ("texts", "now", "rate"),
    [
        ((), time(12), None),
        (("2 MiB",), time(12), 2 << 20),
        (("1.5mib",), time(0), 3 << 19),
        (("08:00-18:00 500 KiB",), time(8), 500 << 10),
        (("08:00-18:00 500 KiB",), time(18), None),
        (("22:00-06:00 none", "1 MiB"), time(23, 59), None),
        (("22:00-06:00 none", "1 MiB"), time(5, 59), None),
        (("22:00-06:00 none", "1 MiB"), time(6), 1 << 20),
        (("00:00-24:00 1 MiB",), time(6), Malformed),
        (("0 MiB",), time(6), Malformed),
        (("fast",), time(6), Malformed),
        (("2 MB",), time(6), Malformed),
    ],
)
def test_a_limit_by_the_time_of_day(texts: tuple[str, ...], now: time, rate: int | type[Malformed] | None) -> None:
    if rate is Malformed:
        with pytest.raises(Malformed, match="limit"):
            Limits.parse(texts)
    else:
        assert Limits.parse(texts).at(now) == rate


class Watch:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_what_is_sent_keeps_the_pace_and_is_the_same() -> None:
    watch = Watch()
    pace = Pace(lambda: 1 << 20, lambda: watch.now, watch.sleep)
    body = [bytes([n]) * 300_000 for n in range(10)] + [memoryview(b"end"), b""]
    sent = list(pace.slices(body))
    assert b"".join(sent) == b"".join(body)
    assert max(map(len, sent)) <= SLICE_BYTES
    assert watch.now == pytest.approx(3_000_003 / (1 << 20), abs=SLICE_BYTES / (1 << 20))


def test_a_limit_that_ends_meanwhile_is_over_at_once() -> None:
    watch = Watch()
    pace = Pace(lambda: 1 << 20 if watch.now < 1 else None, lambda: watch.now, watch.sleep)
    assert sum(map(len, pace.slices([bytes(100_000)] * 100))) == 10_000_000
    assert 1 <= watch.now < 1.2


def test_who_waits_for_its_turn_is_ended_at_once() -> None:
    def ended(seconds: float) -> None:
        raise Ending("the run was asked to end")

    pace = Pace(lambda: 1, lambda: 0.0, ended)
    with pytest.raises(Ending):
        list(pace.slices([bytes(SLICE_BYTES * 2)]))
