"""Time that passes, and nights in which nothing else happens."""

from collections.abc import Generator, Iterator

from shared.domain.sessions import SessionState
from tests.protocol.model import Protocol, named
from tests.protocol.values import GRACE_HOURS, Change, Phase, Row, Session, Snapshot, Worker, World, Write, bits, own

NIGHTS = 3
"""So many until what nobody needs is gone: one to condemn, one to delete, and one more for what ended in between."""


def later(world: World, hours: int) -> World:
    """Nothing but the clock has moved. What has been over for long stays as old as it can be told to be."""
    return World(
        world.storage,
        _row(world.row, hours),
        tuple(session and _session(session, hours) for session in world.sessions),
        tuple(snapshot and _snapshot(snapshot, hours) for snapshot in world.snapshots),
        tuple(agent._replace(write=agent.write and _write(agent.write, hours)) for agent in world.agents),
        tuple(worker._replace(write=worker.write and _write(worker.write, hours)) for worker in world.workers),
    )


def after_quiet_nights(protocol: Protocol, world: World) -> World:
    """Everybody is silent for ever, whatever was in hand is lost, and sweeps run to their end."""
    agents = tuple(agent._replace(write=None, phase=Phase.OVER) for agent in world.agents)
    world = world._replace(agents=agents, workers=(Worker(),))
    for _ in range(NIGHTS):
        world = swept(protocol, later(world, GRACE_HOURS))
    return world


def swept(protocol: Protocol, world: World) -> World:
    """One whole sweep, and nothing beside it."""
    *_, last = sweep(protocol, world)
    return last


def sweep(protocol: Protocol, world: World) -> Iterator[World]:
    """The worlds on a sweep's way, in its order: it may be stopped after any of them."""
    everyone = range(len(world.sessions))
    yield world
    for n in everyone:
        yield (world := _done(protocol, world, protocol.fencing(world, n)))
    for n in everyone:
        yield (world := _done(protocol, world, protocol.removal(world, n)))
    world = yield from _deleted(protocol, world, protocol.deletion(world))
    yield (world := _done(protocol, world, protocol.dooming(world)))
    world = yield from _deleted(protocol, world, protocol.deletion(world))
    yield (world := _done(protocol, world, protocol.condemning(world)))
    for n in everyone:
        world = yield from _deleted(protocol, world, protocol.clearing(world, n))
    for n in everyone:
        yield (world := _done(protocol, world, protocol.dropping(world, n)))


def litter(world: World) -> Iterator[str]:
    """What quiet nights should not have left behind."""
    needed = 0
    for snapshot in world.snapshots:
        needed |= snapshot.needs if snapshot else 0
    for n, session in enumerate(world.sessions):
        if unneeded := world.storage & own(n) & ~needed:
            yield named(unneeded)
        if session and not world.snapshots[n] and not needed & own(n):
            yield f"the row of session {n}, which is {session.state}"
    if world.row.condemned or world.row.deleting:
        yield "sets of packs that are still on their way out"


def _done(protocol: Protocol, world: World, write: Write | None) -> World:
    return (write and protocol.written(world, write)) or world


def _deleted(protocol: Protocol, world: World, worker: Worker | None) -> Generator[World, None, World]:
    if worker is None:
        return world
    for number in bits(worker.hand):
        yield (world := world._replace(storage=world.storage & ~(1 << number)))
    yield (world := _done(protocol, world, worker.write))
    return world


def _row(row: Row, hours: int) -> Row:
    return row._replace(condemned=tuple(heap._replace(at=_aged(heap.at, hours)) for heap in row.condemned))


def _session(session: Session, hours: int) -> Session:
    return session._replace(
        lease=max(0, session.lease - hours),
        renewable=max(0, session.renewable - hours),
        ended=0 if session.state is SessionState.OPEN else _aged(session.ended, hours),
    )


def _snapshot(snapshot: Snapshot, hours: int) -> Snapshot:
    return snapshot if snapshot.expired is None else snapshot._replace(expired=_aged(snapshot.expired, hours))


def _write(write: Write, hours: int) -> Write:
    session, snapshot = write.session, write.snapshot
    if session:
        old, new = (each and _session(each, hours) for each in (session.old, session.new))
        session = Change(session.number, old, new)
    if snapshot:
        before, after = (each and _snapshot(each, hours) for each in (snapshot.old, snapshot.new))
        snapshot = Change(snapshot.number, before, after)
    return write._replace(row=_row(write.row, hours), session=session, snapshot=snapshot)


def _aged(at: int, hours: int) -> int:
    return max(at - hours, -GRACE_HOURS)
