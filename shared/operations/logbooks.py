"""What sweeps and looks into storage wrote down of an account, in pages."""

import re
from dataclasses import dataclass

from shared.domain.deletions import Deletion, SweepReport
from shared.domain.errors import Malformed
from shared.domain.ids import AccountId
from shared.domain.inspections import Inspection
from shared.services import Services
from shared.storage.tables import Table

_LATEST_FIRST = re.compile(r"[0-9]{18}(-[a-z]+)?")
_OLDEST_FIRST = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[a-z]+-[0-9a-z]+")


@dataclass(frozen=True, slots=True)
class Window:
    account: AccountId
    after: str
    """The cursor that the window before gave; `""`: from the start."""
    limit: int


@dataclass(frozen=True, slots=True)
class Entries[T]:
    items: list[T]
    next: str | None
    """A cursor; `None`: there are no more."""


def sweep_reports(services: Services, window: Window) -> Entries[SweepReport]:
    """The latest first. Raises `Malformed` for what is no cursor of this list."""
    return _read(services.sweeps, window, _LATEST_FIRST)


def inspections(services: Services, window: Window) -> Entries[Inspection]:
    """The latest first. Raises `Malformed` for what is no cursor of this list."""
    return _read(services.inspections, window, _LATEST_FIRST)


def deletions(services: Services, window: Window) -> Entries[Deletion]:
    """The oldest first. Raises `Malformed` for what is no cursor of this list."""
    return _read(services.deletions, window, _OLDEST_FIRST)


def latest_report(services: Services, account: AccountId) -> SweepReport | None:
    return next(iter(services.sweeps.page(account, limit=1)), None)


def _read[T](table: Table[T], window: Window, cursor: re.Pattern[str]) -> Entries[T]:
    """A cursor is the key of the last row that the reader has."""
    if window.after and not cursor.fullmatch(window.after):
        raise Malformed("after", "is not a cursor of this list")
    found = table.page(window.account, after=window.after, limit=window.limit)
    return Entries(found, table.mapper.key(found[-1])[1] if len(found) == window.limit else None)
