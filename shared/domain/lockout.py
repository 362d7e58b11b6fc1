"""How long to wait after wrong passwords: each try beyond the free ones doubles the pause (N16)."""

import ipaddress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.errors import HortError

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=15)
"""Whoever fails on purpose to keep the user out can do so for this long, and has to go on doing it."""
FORGOTTEN_AFTER = timedelta(days=1)
FREE_FOR_USER = 5
FREE_FOR_ADDRESS = 20
"""More than for a user: a whole office may share an address."""

_STEEPEST = 20
_NETWORK = 64


class LockedOut(HortError):
    """Too many wrong passwords; the right one is not heard either before `wait` is over."""

    def __init__(self, wait: timedelta) -> None:
        self.seconds = max(1, -(-wait // timedelta(seconds=1)))
        super().__init__(f"too many wrong passwords: wait {self.seconds} seconds")


@dataclass(frozen=True, slots=True)
class Tally:
    """The tries of one user name or one address that were not known to be right."""

    subject: str
    failures: int
    last_at: datetime


def pause(failures: int, free: int) -> timedelta:
    """After so many failures in a row, of which `free` cost nothing."""
    if failures < free:
        return timedelta()
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures - free, _STEEPEST))


def tried(tally: Tally, free: int, now: datetime) -> Tally:
    """The tally with one more try, counted as a failure until it proves right. Raises `LockedOut`."""
    current = _remembered(tally, now)
    wait = current.last_at + pause(current.failures, free) - now
    if current.failures and wait > timedelta():
        raise LockedOut(wait)
    return Tally(tally.subject, current.failures + 1, now)


def counted(tally: Tally, now: datetime) -> Tally:
    """The tally with one failure more, of somebody who is not made to wait."""
    return Tally(tally.subject, _remembered(tally, now).failures + 1, now)


def is_forgotten(tally: Tally, now: datetime) -> bool:
    return now - tally.last_at >= FORGOTTEN_AFTER


def forgiven(tally: Tally) -> Tally:
    """One try less: it was right."""
    return replace(tally, failures=max(0, tally.failures - 1))


def cleared(tally: Tally) -> Tally:
    return replace(tally, failures=0)


def _remembered(tally: Tally, now: datetime) -> Tally:
    return Tally(tally.subject, 0, now) if is_forgotten(tally, now) else tally


def origin(address: str) -> str:
    """Where a request comes from, as far as one person can choose it: an IPv4 address, or an IPv6 network of 64 bits.

    Front ends write a port behind the address, as in `192.0.2.1:50123` or `[2001:db8::1]:50123`.
    """
    bare = address.partition("]")[0].removeprefix("[") if address.startswith("[") else address
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return address
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, _NETWORK), strict=False))
