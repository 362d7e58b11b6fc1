"""Which safeguards can be missing: each is taken out alone and in pairs, and all that can happen then is tried."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from tests.protocol.exploration import Found, Scope, explore
from tests.protocol.model import Protocol
from tests.protocol.values import Safeguard, Without

ONE_AGENT = Scope(backups=1, workers=2)
TWO_AGENTS = Scope(backups=2, workers=2)


@dataclass(frozen=True, slots=True)
class Layer:
    """What came out when these safeguards were missing."""

    without: Without
    honest: Found
    heedless: Found

    @property
    def name(self) -> str:
        return " + ".join(safeguard for safeguard in Safeguard if safeguard in self.without) or "nothing"

    def __str__(self) -> str:
        return f"| {self.name} | {_verdict(self.honest)} | {_verdict(self.heedless)} |"


def missing() -> Iterator[Without]:
    """Nothing, each safeguard alone, and each pair."""
    for size in range(3):
        yield from map(frozenset, combinations(Safeguard, size))


def layer(scope: Scope, without: Without) -> Layer:
    found = (explore(with_protocol(scope, Protocol(without, heedless=heedless))) for heedless in (False, True))
    return Layer(without, *found)


def with_protocol(scope: Scope, protocol: Protocol) -> Scope:
    return Scope(protocol, scope.backups, scope.workers, scope.hangs, scope.split, scope.patient)


def _verdict(found: Found) -> str:
    return f"breaks in {len(found.trace)} moves" if found.fault else "holds"
