"""Policies by name: what netIK and netgo promise, in numbers (N3, N4, G2, G4)."""

from datetime import timedelta
from types import MappingProxyType

from shared.domain.retention import Policy

_FLOOR = timedelta(days=14)

# A count takes in the running period: 13 months are this one and the twelve before it, so the last
# snapshot of a month stays for at least 12 months, whatever its day. The same holds for 21 quarters and 5 years.
PRESETS = MappingProxyType(
    {
        "netik-14d": Policy(keep_within=_FLOOR),
        "netgo-gfs-12m": Policy(keep_within=_FLOOR, daily=15, weekly=6, monthly=13, yearly=2),
        "netgo-gfs-5y": Policy(keep_within=_FLOOR, daily=15, weekly=6, monthly=13, quarterly=21, yearly=6),
    }
)
"""All of them keep everything for 14 days (N3); six weeks bridge the gap between days and months."""
