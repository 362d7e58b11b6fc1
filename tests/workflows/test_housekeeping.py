"""The nightly round: window after window until everything was seen, with a short history however long it takes."""

from datetime import UTC, datetime

import pytest

from orchestrators.housekeeping import STEPS_A_RUN, keep_house
from shared.contracts import housekeeping as contract
from shared.contracts.housekeeping import Ended, HouseKept, KeepHouse, Place, Sweep, Swept
from tests.workflows.driver import Answer, Play

NIGHT = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize("windows", [1, 2, STEPS_A_RUN, STEPS_A_RUN + 1, 3 * STEPS_A_RUN])
def test_a_round_goes_on_from_place_to_place_until_the_last(windows: int) -> None:
    seen: list[Place] = []

    def sweep(order: Sweep) -> Swept:
        seen.append(order.place)
        last = len(seen) == windows
        return Swept(2, None if last else Place(Ended.CODES, str(len(seen))))

    play = Play(contract.keep_house, keep_house, {contract.sweep.name: Answer(contract.sweep, sweep)}, NIGHT)
    play.start(KeepHouse())
    play.settle()
    assert play.reply == HouseKept(2 * windows)
    assert seen == [Place(Ended.TALLIES), *(Place(Ended.CODES, str(n)) for n in range(1, windows))]
    assert play.runs == 1 + (windows - 1) // STEPS_A_RUN
