"""The report adds up what the deletion log says."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.deletions import Deletion, Kind, SweepReport, totalled
from shared.domain.ids import AccountId

ACCOUNT, NOW = AccountId.of_number(1), datetime(2026, 11, 21, tzinfo=UTC)


def entry(kind: Kind, objects: int = 1, stored_bytes: int = 0) -> Deletion:
    return Deletion(ACCOUNT, NOW, kind, "name", objects, stored_bytes, "reason")


entries = st.builds(entry, st.sampled_from(Kind), st.integers(0, 1000), st.integers(0, 2**40))


@given(st.lists(entries, max_size=20))
def test_a_report_counts_packs_and_garbage_as_freed_and_snapshots_as_removed(log: list[Deletion]) -> None:
    report = totalled(ACCOUNT, NOW, iter(log))
    gone = [each for each in log if each.kind in {Kind.PACKS, Kind.GARBAGE}]
    assert report.deleted_packs == sum(each.objects for each in gone)
    assert report.freed_bytes == sum(each.stored_bytes for each in gone)
    assert report.removed == [each.kind for each in log].count(Kind.SNAPSHOT)


def test_strays_and_indexes_are_not_the_sweep_s_packs() -> None:
    """A stray was found by an inspection and has its own figures; an index is meta data."""
    assert totalled(ACCOUNT, NOW, [entry(Kind.STRAY, 9, 99), entry(Kind.SESSION, 1, 99)]) == SweepReport(ACCOUNT, NOW)


def test_a_quiet_night_is_a_report_of_zeros() -> None:
    assert totalled(ACCOUNT, NOW, []) == SweepReport(ACCOUNT, NOW)
