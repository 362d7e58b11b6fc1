"""Removes what has ended: rows that would be refused anyway, or that nobody asks for any more."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from shared.contracts.housekeeping import Ended, Place, Sweep, Swept
from shared.domain.families import is_too_old
from shared.domain.housekeeping import CLOCKS_DIFFER, CODES_KEPT, KEYS_KEPT
from shared.domain.lockout import is_forgotten
from shared.services import Services
from shared.storage.tables import Table

WINDOW = 500
WINDOWS = 10
"""A call of the activity looks at 5,000 rows at most: the workflow notes the place after each."""

type Window = Callable[[Services, str | None], Swept]


def sweep(services: Services, order: Sweep) -> Swept:
    """From this place on, so many windows. Safe to repeat: what is gone is gone, and what has not ended stays."""
    place, removed = order.place, 0
    for _ in range(WINDOWS):
        swept = _WINDOWS[place.kind](services, place.cursor)
        removed += swept.removed
        if swept.place is None:
            return Swept(removed, None)
        place = swept.place
    return Swept(removed, place)


def _each[T](kind: Ended, table: Callable[[Services], Table[T]], has_ended: Callable[[T, datetime], bool]) -> Window:
    def window(services: Services, cursor: str | None) -> Swept:
        # An hour late: what one instance still takes as good, another with a faster clock must not remove.
        now = services.now() - CLOCKS_DIFFER
        here = table(services)
        rows = here.scan(_key(cursor), WINDOW)
        # As it was read: a row that somebody has written since has a new life.
        removed = sum(here.remove_unchanged(row) for row in rows if has_ended(row.value, now))
        if len(rows) < WINDOW:
            return Swept(removed, _after(kind))
        return Swept(removed, Place(kind, json.dumps(here.mapper.key(rows[-1].value))))

    return window


def _key(cursor: str | None) -> tuple[str, str] | None:
    """The row that a window ended with."""
    if cursor is None:
        return None
    partition, row = json.loads(cursor)
    return partition, row


def _after(kind: Ended) -> Place | None:
    kinds = list(Ended)
    here = kinds.index(kind)
    return Place(kinds[here + 1]) if here + 1 < len(kinds) else None


def _past(end: datetime, now: datetime, kept: timedelta = timedelta()) -> bool:
    return now >= end + kept


_WINDOWS: Mapping[Ended, Window] = {
    Ended.TALLIES: _each(Ended.TALLIES, lambda s: s.tallies, is_forgotten),
    Ended.FAMILIES: _each(Ended.FAMILIES, lambda s: s.families, is_too_old),
    Ended.CODES: _each(Ended.CODES, lambda s: s.codes, lambda code, now: _past(code.expires_at, now, CODES_KEPT)),
    Ended.CODE_NAMES: _each(
        Ended.CODE_NAMES, lambda s: s.code_names, lambda name, now: _past(name.expires_at, now, CODES_KEPT)
    ),
    Ended.ASSERTIONS: _each(Ended.ASSERTIONS, lambda s: s.assertions, lambda used, now: _past(used.expires_at, now)),
    Ended.RESERVATIONS: _each(
        Ended.RESERVATIONS, lambda s: s.reservations, lambda kept, now: _past(kept.made_at, now, KEYS_KEPT)
    ),
    Ended.REVOCATIONS: _each(Ended.REVOCATIONS, lambda s: s.revocations, lambda gone, now: _past(gone.not_after, now)),
}
