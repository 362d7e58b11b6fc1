"""What a policy keeps, and why: properties over many vaults, and the odd days of the calendar."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.presets import PRESETS
from shared.domain.retention import (
    Policies,
    Policy,
    RestorePoint,
    Verdict,
    is_shortening,
    judge,
    time_zones,
)
from tests.domain import points
from tests.domain.points import ACTIVE, COUNTS, LAPTOP, NOTHING, NOW, SERVER, at, judged, kept, left, point, swept

DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
grown = st.tuples(st.sampled_from(["keep_within", *COUNTS]), st.integers(1, 5))


def berlin(*args: int, fold: int = 0) -> datetime:
    return datetime(*args, tzinfo=BERLIN, fold=fold).astimezone(UTC)  # pyright: ignore[reportArgumentType] -- numbers of a date


def longer(policy: Policy, change: tuple[str, int]) -> Policy:
    name, more = change
    step = timedelta(days=more) if name == "keep_within" else more
    return replace(policy, **{name: getattr(policy, name) + step})


@given(points.points(), points.policies, grown)
def test_a_longer_policy_keeps_all_that_the_shorter_one_keeps(
    found: list[RestorePoint], policy: Policy, change: tuple[str, int]
) -> None:
    more = longer(policy, change)
    assert kept(judged(found, policy)) <= kept(judged(found, more))
    assert not is_shortening(Policies(policy), Policies(more))
    assert is_shortening(Policies(more), Policies(policy))


@given(st.lists(st.integers(1, 900), max_size=25), points.policies, grown)
def test_a_longer_policy_never_costs_a_snapshot_in_a_whole_life_of_sweeps(
    pauses: list[int], policy: Policy, change: tuple[str, int]
) -> None:
    vaults: list[list[RestorePoint]] = [[], []]
    now = NOW
    for number, hours in enumerate(pauses, start=1):
        now += timedelta(hours=hours)
        for vault, rules in zip(vaults, (policy, longer(policy, change)), strict=True):
            vault.append(point(number, now))
            vault[:] = left(vault, judge(vault, Policies(rules), now, {LAPTOP}))
    short, long = ({one.id for one in vault} for vault in vaults)
    assert short <= long


@given(points.points(), points.whole_policies, st.permutations(range(40)))
def test_the_order_of_the_list_does_not_matter(found: list[RestorePoint], policies: Policies, order: list[int]) -> None:
    shuffled = [found[n] for n in order if n < len(found)]
    assert judge(found, policies, NOW, ACTIVE) == judge(shuffled, policies, NOW, ACTIVE)


@given(points.points(), points.whole_policies)
def test_every_snapshot_is_judged_once_with_reasons_newest_first(found: list[RestorePoint], policies: Policies) -> None:
    judgements = judge(found, policies, NOW, ACTIVE)
    newest_first = sorted(found, key=lambda one: (one.committed_at, one.id), reverse=True)
    assert [judgement.id for judgement in judgements] == [one.id for one in newest_first]
    assert all(judgement.reasons and all(judgement.reasons) for judgement in judgements)


@given(points.points(), points.whole_policies)
def test_what_is_left_loses_nothing_when_judged_again(found: list[RestorePoint], policies: Policies) -> None:
    first = judge(found, policies, NOW, ACTIVE)
    removed, marked = left(found, first), swept(found, first, NOW)
    assert kept(judge(removed, policies, NOW, ACTIVE)) == kept(first)
    assert kept(judge(marked, policies, NOW, ACTIVE)) == kept(first)


@given(points.points(), points.whole_policies)
def test_a_held_or_pinned_snapshot_is_never_expired(found: list[RestorePoint], policies: Policies) -> None:
    judgements = {judgement.id: judgement for judgement in judge(found, policies, NOW, frozenset())}
    for one in found:
        if one.held:
            assert "held: a court asks" in judgements[one.id].reasons
        if one.held or one.pinned:
            assert judgements[one.id].verdict is Verdict.KEEP


@given(points.points(marked=False), points.whole_policies, st.integers(0, 39))
def test_a_hold_changes_nothing_for_the_other_snapshots(
    found: list[RestorePoint], policies: Policies, which: int
) -> None:
    held = [replace(one, held=("a court asks",)) if n == which else one for n, one in enumerate(found)]
    before, after = judge(found, policies, NOW, ACTIVE), judge(held, policies, NOW, ACTIVE)
    assert all(a == b for a, b in zip(before, after, strict=True) if a.id not in {h.id for h in held if h.held})


@given(points.points(), points.whole_policies)
def test_the_newest_of_an_active_device_and_set_stays(found: list[RestorePoint], policies: Policies) -> None:
    stays = kept(judge(found, policies, NOW, {LAPTOP}))
    for backup_set in ("", "mail"):
        group = [one for one in found if (one.device, one.backup_set) == (LAPTOP, backup_set) and not one.expired_at]
        if group:
            assert max(group, key=lambda one: (one.committed_at, one.id)).id in stays


@given(points.points(), points.policies)
def test_nothing_younger_than_the_floor_is_expired(found: list[RestorePoint], policy: Policy) -> None:
    stays = kept(judged(found, policy))
    young = {one.id for one in found if NOW - one.committed_at < policy.keep_within and not one.expired_at}
    assert young <= stays


@given(points.points(), points.whole_policies, st.integers(1, 10**6))
def test_what_was_committed_later_displaces_nothing(
    found: list[RestorePoint], policies: Policies, seconds: int
) -> None:
    forged = point(10**6, NOW + timedelta(seconds=seconds))
    before = judge(found, policies, NOW, ACTIVE)
    first, *rest = judge([*found, forged], policies, NOW, ACTIVE)
    assert rest == before
    assert (first.id, first.verdict) == (forged.id, Verdict.KEEP)


@given(points.points(), points.policies)
def test_an_expired_snapshot_takes_no_place(found: list[RestorePoint], policy: Policy) -> None:
    there = [one for one in found if one.expired_at is None]
    assert kept(judged(there, policy)) == kept(j for j in judged(found, policy) if j.id in {one.id for one in there})


@given(points.points(marked=False), points.policies, points.policies)
def test_a_set_with_a_policy_of_its_own_goes_by_that_alone(
    found: list[RestorePoint], policy: Policy, own: Policy
) -> None:
    judgements = judged(found, Policies(policy, {"mail": own}))
    for backup_set, rules in (("", policy), ("mail", own)):
        group = [one for one in found if one.backup_set == backup_set]
        assert [j for j in judgements if j.id in {one.id for one in group}] == judged(group, rules)


def test_the_place_of_an_expired_snapshot_goes_to_the_next() -> None:
    old, gone = point(1, NOW - 2 * DAY), replace(point(2, NOW - DAY), expired_at=NOW)
    assert kept(judged([old, gone], replace(NOTHING, last=1))) == {old.id}
    assert kept(judge([old, gone], Policies(NOTHING), NOW, ACTIVE)) == {old.id}


def test_what_is_expired_and_held_stays() -> None:
    both = replace(point(1, NOW - 99 * DAY), expired_at=NOW, held=("file 7",))
    (judgement,) = judged([both], NOTHING)
    assert (judgement.verdict, judgement.reasons) == (Verdict.KEEP, ("held: file 7",))


def test_an_expired_snapshot_tells_since_when() -> None:
    gone = replace(point(1, NOW - DAY), expired_at=NOW)
    assert reasons([gone], Policy()) == [("expired since 2026-11-21 03:00 UTC",)]


def test_devices_do_not_take_each_others_places() -> None:
    mine, theirs = point(1, NOW - 40 * DAY), replace(point(2, NOW - 39 * DAY), device=SERVER)
    assert kept(judged([mine, theirs], replace(NOTHING, last=1))) == {mine.id, theirs.id}


def test_the_newest_of_a_device_that_is_not_active_goes_when_its_time_is_over() -> None:
    gone, there = point(1, NOW - 40 * DAY), replace(point(2, NOW - 40 * DAY), device=SERVER)
    assert kept(judge([gone, there], Policies(), NOW, {SERVER})) == {there.id}


def test_of_two_at_the_same_time_the_greater_identity_is_the_newer() -> None:
    first, second = at(NOW - DAY, NOW - DAY)
    assert kept(judged([first, second], replace(NOTHING, last=1))) == {second.id}


def test_the_floor_ends_to_the_second() -> None:
    two_weeks = timedelta(days=14)
    over, under = at(NOW - two_weeks, NOW - two_weeks + timedelta(seconds=1))
    assert kept(judged([over, under], Policy())) == {under.id}


def reasons(found: list[RestorePoint], policy: Policy, now: datetime = NOW) -> list[tuple[str, ...]]:
    """Newest first."""
    return [judgement.reasons for judgement in judged(found, policy, now)]


def test_reasons_are_words() -> None:
    found = at(*(NOW - n * DAY for n in (0, 1, 1, 2, 3, 20)))
    policy = Policy(keep_within=2 * DAY, last=1, daily=3)
    assert reasons(found, policy) == [
        ("within 2 days", "last 1 of 1", "daily 1 of 3: 2026-11-21"),
        ("within 2 days", "daily 2 of 3: 2026-11-20"),
        ("within 2 days",),
        ("daily 3 of 3: 2026-11-19",),
        ("older than 2 days", "last: 1 newer ones are kept", "daily: 3 newer ones are kept"),
        ("older than 2 days", "last: 1 newer ones are kept", "daily: 3 newer ones are kept"),
    ]


def test_an_expiry_names_the_bucket_where_a_newer_one_stands() -> None:
    found = at(*(NOW - timedelta(hours=n) for n in (0, 1, 2)))
    assert reasons(found, replace(NOTHING, keep_within=timedelta(minutes=90), daily=2)) == [
        ("within 1 hours", "daily 1 of 2: 2026-11-21"),
        ("within 1 hours",),
        ("daily 2 of 2: the oldest there is",),
    ]
    assert (
        reasons(found, replace(NOTHING, monthly=1))[1:] == [("older than 0 days", "monthly: 1 newer ones are kept")] * 2
    )


def test_marks_and_the_minimum_are_told_first() -> None:
    found = [replace(point(1, NOW - 99 * DAY), held=("file 7 O 12/26",), pinned=True)]
    (judgement,) = judge(found, Policies(), NOW, {LAPTOP})
    assert judgement.reasons == ("held: file 7 O 12/26", "pinned", "newest of device")


def test_a_day_of_23_hours_and_one_of_25_are_each_one_day() -> None:
    spring = at(
        berlin(2026, 3, 28, 23, 59), berlin(2026, 3, 29, 0, 1), berlin(2026, 3, 29, 23, 59), berlin(2026, 3, 30)
    )
    autumn = at(berlin(2026, 10, 24, 23, 59), berlin(2026, 10, 25), berlin(2026, 10, 25, 23, 59), berlin(2026, 10, 26))
    assert spring[2].committed_at - spring[1].committed_at == timedelta(hours=22, minutes=58)
    assert autumn[2].committed_at - autumn[1].committed_at == timedelta(hours=24, minutes=59)
    for found in (spring, autumn):
        assert kept(judged(found, replace(NOTHING, daily=3))) == {found[n].id for n in (0, 2, 3)}


def test_the_hour_that_comes_twice_is_two_times_of_one_day() -> None:
    first, second = at(berlin(2026, 10, 25, 2, 30), berlin(2026, 10, 25, 2, 30, fold=1))
    assert second.committed_at - first.committed_at == timedelta(hours=1)
    assert kept(judged([first, second], replace(NOTHING, daily=1))) == {second.id}


def test_the_day_ends_where_the_policy_lives() -> None:
    evening, night = at(datetime(2026, 11, 1, 22, 30, tzinfo=UTC), datetime(2026, 11, 1, 23, 30, tzinfo=UTC))
    far = at(datetime(2020, 1, 1, tzinfo=UTC))[0]
    far = replace(far, id=point(3, far.committed_at).id)
    both = {evening.id, night.id}
    assert both <= kept(judged([evening, night, far], replace(NOTHING, monthly=2, daily=2)))
    assert evening.id not in kept(judged([evening, night, far], replace(NOTHING, daily=2, time_zone="UTC")))


def test_the_leap_day_is_a_day_and_belongs_to_february() -> None:
    found = at(*(berlin(2024, month, day, 12) for month, day in ((2, 28), (2, 29), (3, 1))))
    assert reasons(found, replace(NOTHING, daily=3, monthly=2)) == [
        ("daily 1 of 3: 2024-03-01", "monthly 1 of 2: 2024-03"),
        ("daily 2 of 3: 2024-02-29", "monthly 2 of 2: 2024-02"),
        ("daily 3 of 3: 2024-02-28",),
    ]


@pytest.mark.parametrize(
    ("day", "week"),
    [
        ((2020, 12, 31), "2020-W53"),
        ((2021, 1, 3), "2020-W53"),
        ((2021, 1, 4), "2021-W01"),
        ((2024, 12, 29), "2024-W52"),
        ((2024, 12, 30), "2025-W01"),
        ((2025, 1, 1), "2025-W01"),
    ],
)
def test_weeks_across_the_new_year_are_the_weeks_of_iso_8601(day: tuple[int, int, int], week: str) -> None:
    assert reasons(at(berlin(*day, 12)), replace(NOTHING, weekly=1)) == [(f"weekly 1 of 1: {week}",)]


@pytest.mark.parametrize(("month", "quarter"), [(1, 1), (3, 1), (4, 2), (6, 2), (7, 3), (9, 3), (10, 4), (12, 4)])
def test_quarters_have_three_months(month: int, quarter: int) -> None:
    found = at(berlin(2025, month, 15, 12))
    assert reasons(found, replace(NOTHING, quarterly=1)) == [(f"quarterly 1 of 1: 2025-Q{quarter}",)]


def test_another_zone_is_a_shortening_only_where_days_are_counted() -> None:
    moved = replace(Policy(), time_zone="UTC")
    assert not is_shortening(Policies(Policy()), Policies(moved))
    assert is_shortening(Policies(replace(Policy(), yearly=1)), Policies(replace(moved, yearly=1)))


def test_a_set_may_lose_by_what_it_gets_and_by_what_is_taken_from_it() -> None:
    rich, poor = Policies(Policy(), {"mail": Policy(last=9)}), Policies(Policy())
    assert is_shortening(rich, poor)
    assert not is_shortening(poor, rich)
    assert is_shortening(Policies(Policy(last=2)), Policies(Policy(last=2), {"mail": Policy()}))


def test_zones_are_names_that_every_machine_knows() -> None:
    assert {"Europe/Berlin", "UTC", "America/New_York"} <= time_zones()
    assert not {"localtime", "Factory", "Europe", "../etc/passwd", ""} & time_zones()


@pytest.mark.parametrize(
    ("preset", "promised"),
    [("netgo-gfs-12m", 365), ("netgo-gfs-5y", 5 * 365)],
)
def test_a_years_last_snapshot_is_kept_as_long_as_the_contract_says(preset: str, promised: int) -> None:
    alive = _lives(PRESETS[preset])
    assert alive["yearly"] >= timedelta(days=promised)


@pytest.mark.parametrize("preset", ["netgo-gfs-12m", "netgo-gfs-5y"])
def test_a_months_last_snapshot_is_kept_for_twelve_months(preset: str) -> None:
    assert _lives(PRESETS[preset])["monthly"] >= timedelta(days=365)


def test_a_quarters_last_snapshot_is_kept_for_five_years() -> None:
    assert _lives(PRESETS["netgo-gfs-5y"])["quarterly"] >= timedelta(days=5 * 365)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_keeps_everything_for_fourteen_days(preset: str) -> None:
    assert PRESETS[preset].keep_within == timedelta(days=14)


def _lives(policy: Policy) -> dict[str, timedelta]:
    """How long the last snapshots of the periods lived at least, of a device that backs up each night at midnight."""
    start = datetime(2015, 1, 1, 23, tzinfo=UTC)
    vault: list[RestorePoint] = []
    shortest = {name: timedelta(days=9999) for name in ("monthly", "quarterly", "yearly")}
    for day in range(4400):
        now = start + day * DAY
        vault.append(point(day, now))
        if now.astimezone(BERLIN).day > 1:
            continue  # periods end here: nothing else can lose its place
        stays = left(vault, judge(vault, Policies(policy), now, {LAPTOP}))
        for one in (one for one in vault if one not in stays):
            for name in _ends(one.committed_at):
                shortest[name] = min(shortest[name], now - one.committed_at)
        vault = stays
    return shortest


def _ends(committed_at: datetime) -> list[str]:
    """Of which periods this nightly snapshot is the last."""
    today, tomorrow = (time.astimezone(BERLIN) for time in (committed_at, committed_at + DAY))
    month = [
        ("monthly", today.month != tomorrow.month),
        ("quarterly", today.month != tomorrow.month and today.month % 3 == 0),
    ]
    return [name for name, ends in (*month, ("yearly", today.year != tomorrow.year)) if ends]
