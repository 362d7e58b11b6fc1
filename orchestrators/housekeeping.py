"""Goes through all that may have ended, until everything was seen."""

from shared.contracts.housekeeping import HouseKept, KeepHouse, Sweep, sweep
from shared.contracts.housekeeping import keep_house as keep_house_call
from shared.durable.calls import Context, Workflow

STEPS_A_RUN = 50
"""Every step costs a replay of all before it; after so many the round goes on with a short history."""


def keep_house(ctx: Context, so_far: KeepHouse) -> Workflow[HouseKept | None]:
    for _ in range(STEPS_A_RUN):
        swept = yield from sweep(ctx, Sweep(so_far.place))
        removed = so_far.removed + swept.removed
        if swept.place is None:
            return HouseKept(removed)
        so_far = KeepHouse(swept.place, removed)
    keep_house_call.again(ctx, so_far)
    return None
