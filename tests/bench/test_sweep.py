"""The measurements of the sweep, tried out on little: they measure what they say."""

import pytest

from bench import mark, nightly, pruning
from bench.nightly import Night
from bench.pruning import Plan

PLAN = Plan(files=50, snapshots=3, keep=1, others=False)


@pytest.fixture(scope="module")
def nights() -> list[Night]:
    return nightly.measure(accounts=12)


def test_an_account_where_nothing_changed_costs_a_query_and_its_share_of_the_listing(nights: list[Night]) -> None:
    quiet, _ = nights
    assert (quiet.swept, set(quiet.operations)) == (0, {"table read"})
    assert quiet.operations_an_account < 6


def test_a_busy_night_expires_condemns_and_deletes_in_every_account(nights: list[Night]) -> None:
    _, busy = nights
    assert busy.swept == busy.accounts
    assert busy.operations["blob batch of deletions"] == 3, "head and refs, packs, and the index of a session"
    assert busy.eur_a_month_for_100_000 > 0


def test_the_cost_grows_with_every_kind_of_operation() -> None:
    assert nightly.cost({"table read": 1})[0] < nightly.cost({"table read": 1, "blob list": 1})[0]


def test_learning_a_snapshot_finds_the_same_packs_dead() -> None:
    ready, learned = mark.measure(packs=2_000, snapshots=4)
    assert 0 < ready.dead_packs == learned.dead_packs
    assert "learn the new refs" in learned.seconds


def test_our_sweep_frees_what_no_kept_snapshot_needs() -> None:
    known, seen = (each for each in pruning.measure(PLAN) if each.tool == "hort")
    assert known.freed_bytes == seen.freed_bytes > 0
    assert known.cpu_seconds > seen.cpu_seconds
