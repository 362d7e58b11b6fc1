"""Everything that can happen in a small world, with all safeguards and with some of them taken out."""

from pathlib import Path

import pytest

from tests.protocol.exploration import Found, Scope, explore
from tests.protocol.layers import ONE_AGENT, TWO_AGENTS, layer, missing, with_protocol
from tests.protocol.model import Protocol
from tests.protocol.passing import after_quiet_nights, litter
from tests.protocol.values import Safeguard, Worker, World
from tests.protocol.words import told

DOCS = Path(__file__).parents[2] / "docs" / "sweep-proof.md"


@pytest.fixture(scope="module")
def everything() -> Found:
    return explore(TWO_AGENTS)


def test_two_agents_two_sweeps_and_three_packs_never_lose_what_is_kept(everything: Found) -> None:
    assert everything.fault is None
    assert f"{len(everything.worlds):,} states" in DOCS.read_text()


def test_everything_that_is_meant_to_happen_did_happen(everything: Found) -> None:
    """A search that never gets anywhere finds no fault either."""
    acts = {"open", "choose", "upload", "fence", "remove", "condemn", "doom", "delete", "drop", "stop", "day"}
    assert acts <= {what for what, _ in everything.moves}
    assert {("commit", "read"), ("commit", "written")} <= everything.moves
    assert {(what, step) for what in ("record", "clear") for step in ("read", "")} <= everything.moves
    assert any(resurrects(world) for world in everything.worlds)


def test_an_agent_that_listens_never_has_to_send_a_pack_twice(everything: Found) -> None:
    """What epochs and fences are for; one that does not listen is refused."""
    heedless = explore(with_protocol(ONE_AGENT, Protocol(heedless=True)))
    assert ("commit", "refused") not in everything.moves
    assert ("commit", "refused") in heedless.moves


def resurrects(world: World) -> bool:
    """A commit that is judged, and takes a pack out of what was condemned."""
    writes = (agent.write for agent in world.agents if agent.write and agent.write.what == "commit")
    return any(world.row.all_condemned & ~write.row.all_condemned for write in writes)


def test_from_wherever_one_stops_quiet_nights_clear_all_that_nobody_needs(everything: Found) -> None:
    protocol = TWO_AGENTS.protocol
    for world in list(everything.worlds)[::10]:
        assert list(litter(after_quiet_nights(protocol, world))) == []


def test_what_is_kept_is_not_even_condemned() -> None:
    """The second mark would spare it: so only this tells a first mark that is wrong."""
    found = explore(Scope(Protocol(contents=2), backups=1, workers=2))
    for world in found.worlds:
        assert not any(snapshot.needs & world.row.all_condemned for snapshot in world.snapshots if snapshot)


def test_a_read_and_its_write_may_be_taken_as_one_move_while_the_etag_is_in() -> None:
    together = explore(ONE_AGENT)
    split = explore(Scope(backups=1, workers=2, split=True))
    assert split.fault is None
    assert settled(split) == settled(together)


def settled(found: Found) -> set[World]:
    """Those worlds in which no request is under way."""
    return {w for w in found.worlds if w.workers == (Worker(),) * 2 and not any(agent.write for agent in w.agents)}


def test_the_table_of_layers_in_the_docs_is_what_the_search_finds() -> None:
    lines = [str(layer(ONE_AGENT, without)) for without in missing()]
    documented = [line for line in DOCS.read_text().splitlines() if line.endswith(("holds |", "moves |"))]
    assert documented == lines


def test_the_stories_in_the_docs_are_the_shortest_ways_into_ruin() -> None:
    for protocol in (
        Protocol(frozenset({Safeguard.RESURRECTION, Safeguard.SECOND_MARK})),
        Protocol(frozenset({Safeguard.FENCE, Safeguard.CHECK})),
        Protocol(frozenset({Safeguard.CHECK}), heedless=True),
        Protocol(frozenset({Safeguard.ETAG})),
    ):
        assert told(explore(with_protocol(ONE_AGENT, protocol))) in DOCS.read_text()


def test_without_the_etag_only_haste_saves() -> None:
    protocol = Protocol(frozenset({Safeguard.ETAG}))
    assert explore(Scope(protocol, backups=1, workers=2, hangs=False)).fault is None
    assert explore(Scope(protocol, backups=1, workers=2)).fault
