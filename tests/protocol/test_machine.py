"""Many agents, sweeps and people at once, in any order, stopped anywhere: nothing that is promised is ever lost."""

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, Verbosity, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.protocol.exploration import Move, Scope, of_agent, of_sweeps
from tests.protocol.model import Protocol, fault, replaced
from tests.protocol.passing import after_quiet_nights, later, litter, sweep, swept
from tests.protocol.values import Agent, Phase, Safeguard, World, Write, begun

AGENTS = 8
SWEEPS = 3
HOURS = (1, 5, 25, 25)
MOVES_OF_A_BACKUP = 8
OFTEN = [
    "an agent comes",
    "an agent acts",
    "an agent acts",
    "a sweep acts",
    "a sweep runs and stops",
    "a whole sweep",
    "time passes",
]
SOMETIMES = ["renewal", "release"]
SELDOM = ["abandonment", "block", "crash", "hold", "taking back", "another policy"]
EVENTS = [*OFTEN * 4, *SOMETIMES * 2, *SELDOM]
pick = st.integers(0, 2**16)
"""Stands for one of what there is, modulo how many there are."""

SETTINGS = settings(
    max_examples=200, stateful_step_count=100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class Vault(RuleBasedStateMachine):
    protocol = Protocol(contents=3)

    def __init__(self) -> None:
        super().__init__()
        self.scope = Scope(self.protocol, split=True, patient=True)
        self.world = begun(backups=0, workers=SWEEPS, contents=3)
        self.held = set[int]()
        self.keep_last = 1

    @rule(what=st.sampled_from(EVENTS), one=pick, which=pick)
    def something_happens(self, what: str, one: int, which: int) -> None:
        """One rule for all: of many, Hypothesis leaves out half in each run, and then too little happens at all."""
        protocol, agent, snapshot = self.protocol, self._one_of_the_busy(one), one % len(self.world.snapshots)
        match what:
            case "an agent comes":
                self.world = with_another(self.world) if len(self.world.agents) <= AGENTS else self.world
            case "an agent acts":
                for _ in range(1 + (one >> 8) % MOVES_OF_A_BACKUP):
                    self._move(of_agent(self.scope, self.world, agent), which)
            case "renewal":
                self._send(protocol.renewing(self.world, agent))
            case "abandonment":
                self._send(protocol.abandoning(self.world, agent))
            case "block":
                self._send(protocol.fencing(self.world, agent, by_force=True))
            case "crash":
                self.world = self.world._replace(agents=replaced(self.world.agents, agent, Agent(Phase.OVER)))
            case "hold":
                self.held |= {snapshot} if self._send(protocol.holding(self.world, snapshot)) else set()
            case "release":
                self._send(protocol.releasing(self.world, snapshot))
                self.held.discard(snapshot)
            case "taking back":
                self._send(protocol.taking_back(self.world, snapshot))
            case "another policy":
                self.keep_last = 1 + which % 3
            case "a sweep acts":
                for _ in range(1 + (one >> 8) % len(self.world.workers)):
                    self._move(of_sweeps(self.scope, self.world), which)
            case "a sweep runs and stops":
                self._expire()
                on_its_way = list(sweep(protocol, self.world))
                self.world = on_its_way[which % len(on_its_way)]
            case "a whole sweep":
                self._expire()
                self.world = swept(protocol, self.world)
            case _:
                self.world = later(self.world, HOURS[which % len(HOURS)])

    @invariant()
    def every_snapshot_has_all_its_packs(self) -> None:
        assert fault(self.world) is None

    @invariant()
    def what_is_held_stays(self) -> None:
        for number in self.held:
            snapshot = self.world.snapshots[number]
            assert snapshot is not None
            assert snapshot.expired is None

    def teardown(self) -> None:
        """However it came to this: three quiet nights, and nothing is left but what somebody keeps."""
        quiet = after_quiet_nights(self.protocol, self.world)
        assert fault(quiet) is None
        assert list(litter(quiet)) == []
        assert all(quiet.snapshots[number] for number in self.held)

    def _one_of_the_busy(self, one: int) -> int:
        """Number 0 if there is none: it was over before the story began."""
        busy = [n for n, agent in enumerate(self.world.agents) if agent.phase is not Phase.OVER]
        return busy[one % len(busy)] if busy else 0

    def _expire(self) -> None:
        for number in [n for n, row in enumerate(self.world.snapshots) if row][: -self.keep_last]:
            self._send(self.protocol.expiry(self.world, number))

    def _move(self, moves: Iterable[tuple[Move, World]], which: int) -> None:
        if possible := list(moves):
            _, self.world = possible[which % len(possible)]

    def _send(self, write: Write | None) -> bool:
        done = write and self.protocol.written(self.world, write)
        self.world = done or self.world
        return done is not None


def with_another(world: World) -> World:
    """With one more agent, which has not begun."""
    return world._replace(
        sessions=(*world.sessions, None), snapshots=(*world.snapshots, None), agents=(*world.agents, Agent())
    )


class HeedlessAgents(Vault):
    protocol = Protocol(contents=3, heedless=True)


class WithoutFenceAndCheck(Vault):
    protocol = Protocol(frozenset({Safeguard.FENCE, Safeguard.CHECK}), contents=3)

    def teardown(self) -> None:
        """Its litter is not what is looked for."""


class WithoutResurrectionAndSecondMark(WithoutFenceAndCheck):
    protocol = Protocol(frozenset({Safeguard.RESURRECTION, Safeguard.SECOND_MARK}), contents=3, heedless=True)


@pytest.mark.parametrize("vault", [Vault, HeedlessAgents])
def test_nothing_kept_is_lost_nothing_held_goes_and_quiet_nights_clear_the_rest(vault: type[Vault]) -> None:
    run_state_machine_as_test(vault, settings=SETTINGS)


@pytest.mark.parametrize("vault", [WithoutFenceAndCheck, WithoutResurrectionAndSecondMark])
def test_the_machine_finds_what_is_there_to_be_found(vault: type[Vault]) -> None:
    """The same machine on protocols that are known to be broken."""
    search = settings(
        SETTINGS, max_examples=1000, derandomize=True, database=None, phases=[Stage.generate], verbosity=Verbosity.quiet
    )
    with pytest.raises(AssertionError, match="is kept"):
        run_state_machine_as_test(vault, settings=search)
