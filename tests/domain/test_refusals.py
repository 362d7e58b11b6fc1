"""Who knocks without end fills no log without end."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.refusals import worth_a_record


def test_the_first_that_counts_and_each_doubling_make_a_record() -> None:
    assert [n for n in range(1, 100) if worth_a_record(n, 5)] == [5, 10, 20, 40, 80]
    assert [n for n in range(1, 100) if worth_a_record(n, 1)] == [1, 2, 4, 8, 16, 32, 64]


@given(st.integers(1, 50), st.integers(0, 3000))
def test_records_grow_with_the_logarithm_of_the_refusals(first: int, count: int) -> None:
    made = sum(worth_a_record(n, first) for n in range(1, count + 1))
    assert made == (count // first).bit_length()
