"""All that can happen in a small world: every interleaving, breadth first, until nothing new comes."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import NamedTuple

from shared.domain.sessions import SessionState
from tests.protocol.model import OPEN, Protocol, fault, replaced
from tests.protocol.passing import later
from tests.protocol.values import (
    GRACE_HOURS,
    Agent,
    Change,
    Heap,
    Phase,
    Row,
    Safeguard,
    Session,
    Worker,
    World,
    Write,
    begun,
    bits,
)


class Move(NamedTuple):
    what: str
    step: str = ""
    """Where a request's read and write are two moves: which of them."""
    n: int = 0
    """Of agent, session and snapshot."""
    packs: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """How small the small world is."""

    protocol: Protocol = field(default_factory=Protocol)
    backups: int = 2
    workers: int = 2
    hangs: bool = True
    """Whether a request may hang for a day, and then be carried out."""
    split: bool = False
    """Whether each request's read and write are two moves. With the ETag in, only those are that look at storage:
    of the others nothing that was read can have changed when the write is accepted."""
    patient: bool = False
    """Whether sessions are fenced and snapshots removed in their time only, or whenever it could hurt."""

    @property
    def splits_all(self) -> bool:
        return self.split or Safeguard.ETAG in self.protocol.without

    def begun(self) -> World:
        return begun(self.backups, self.workers, self.protocol.contents)


@dataclass(frozen=True, slots=True)
class Found:
    worlds: Collection[World]
    moves: frozenset[tuple[str, str]]
    """Which kinds of them there were."""
    fault: str | None = None
    trace: tuple[Move, ...] = ()
    """What led to the fault, by as few moves as possible."""


def explore(scope: Scope, at_most: int = 10_000_000) -> Found:
    """Raises `RuntimeError` when there are more states than `at_most`: then nothing is proved."""
    first = canonical(scope, scope.begun())
    came: dict[World, tuple[World, Move] | None] = {first: None}
    layer, kinds = [first], set[tuple[str, str]]()
    while layer:
        following: list[World] = []
        for world in layer:
            for move, raw in moves(scope, world):
                kinds.add((move.what, move.step))
                reached = canonical(scope, raw)
                if reached in came:
                    continue
                came[reached] = world, move
                if broken := fault(reached):
                    return Found(came.keys(), frozenset(kinds), broken, _trace(came, reached))
                following.append(reached)
        if len(came) > at_most:
            raise RuntimeError(f"more than {at_most} states")
        layer = following
    return Found(came.keys(), frozenset(kinds))


def _trace(came: dict[World, tuple[World, Move] | None], world: World) -> tuple[Move, ...]:
    trace = list[Move]()
    while step := came[world]:
        world, move = step
        trace.append(move)
    return tuple(reversed(trace))


# --- what can happen next ---


def moves(scope: Scope, world: World) -> Iterator[tuple[Move, World]]:
    for n in range(1, len(world.agents)):
        yield from of_agent(scope, world, n)
    yield from of_sweeps(scope, world)
    yield from _days(scope, world)


def of_sweeps(scope: Scope, world: World) -> Iterator[tuple[Move, World]]:
    for n, worker in enumerate(world.workers):
        yield from _of_worker(scope, world, n, worker)
    for write in filter(None, _requests(scope, world)):
        if scope.splits_all:
            yield from _handed(world, Worker(write=write))
        else:
            yield _written(scope, world, write)
    for worker in filter(None, _deletions(scope, world)):
        yield from _handed(world, worker)


def of_agent(scope: Scope, world: World, n: int) -> Iterator[tuple[Move, World]]:
    protocol, agent = scope.protocol, world.agents[n]
    if agent.write:
        yield _written(scope, _with_agent(world, n, agent._replace(write=None)), agent.write)
        return
    if write := protocol.opening(world, n):
        if scope.splits_all:
            yield Move("open", "read", n), _with_agent(world, n, agent._replace(write=write))
        else:
            yield _written(scope, world, write)
    for chosen in protocol.choices(world, n):
        yield Move("choose", n=n, packs=chosen.needs), _with_agent(world, n, chosen)
    for sent in protocol.uploads(world, n):
        uploaded = _with_agent(world, n, agent._replace(sent=agent.sent | sent))
        yield Move("upload", n=n, packs=sent), uploaded._replace(storage=world.storage | sent)
    match protocol.commit(world, n):
        case None:
            pass
        case Agent() as refused:
            yield Move("commit", "refused", n), _with_agent(world, n, refused)
        case write:
            yield Move("commit", "read", n), _with_agent(world, n, agent._replace(write=write))


def _of_worker(scope: Scope, world: World, n: int, worker: Worker) -> Iterator[tuple[Move, World]]:
    if worker == Worker():
        return
    yield Move("stop"), _with_worker(world, n, Worker())
    for number in bits(worker.hand):
        gone = 1 << number
        left = _with_worker(world, n, worker._replace(hand=worker.hand & ~gone))
        yield Move("delete", packs=gone), left._replace(storage=world.storage & ~gone)
    if worker.write and not worker.hand:
        yield _written(scope, _with_worker(world, n, Worker()), worker.write)


def _requests(scope: Scope, world: World) -> Iterator[Write | None]:
    protocol = scope.protocol
    for n in range(len(world.sessions)):
        yield protocol.fencing(world, n, by_force=not scope.patient)
        yield protocol.removal(world, n, at_once=not scope.patient)
        yield protocol.dropping(world, n)
    yield protocol.condemning(world)
    yield protocol.dooming(world)


def _deletions(scope: Scope, world: World) -> Iterator[Worker | None]:
    yield scope.protocol.deletion(world)
    for n in range(len(world.sessions)):
        yield scope.protocol.clearing(world, n)


def _handed(world: World, worker: Worker) -> Iterator[tuple[Move, World]]:
    """To an activity that is idle, if there is one."""
    assert worker.write, "whatever a sweep does, it ends with a write"
    if Worker() in world.workers:
        move = Move(worker.write.what, "read", worker.write.subject)
        yield move, _with_worker(world, world.workers.index(Worker()), worker)


def _written(scope: Scope, world: World, write: Write) -> tuple[Move, World]:
    done = scope.protocol.written(world, write)
    step = "" if write.what != "commit" and not scope.splits_all else "written" if done else "lost"
    return Move(write.what, step, write.subject), done or world


def _with_agent(world: World, n: int, agent: Agent) -> World:
    return world._replace(agents=replaced(world.agents, n, agent))


def _with_worker(world: World, n: int, worker: Worker) -> World:
    return world._replace(workers=replaced(world.workers, n, worker))


# --- time ---


def _days(scope: Scope, world: World) -> Iterator[tuple[Move, World]]:
    """A day passes: some of the sessions that run were renewed all along, the leases of the others ran out."""
    if not scope.hangs and (any(a.write for a in world.agents) or any(w != Worker() for w in world.workers)):
        return
    alive = [n for n, session in enumerate(world.sessions) if session and session.state is OPEN and session.lease > 0]
    older = later(world, GRACE_HOURS)
    for renewed in chain.from_iterable(combinations(alive, size) for size in range(len(alive) + 1)):
        sessions = older.sessions
        for n in renewed:
            sessions = replaced(sessions, n, world.sessions[n])
        yield Move("day", n=len(renewed)), older._replace(sessions=sessions)


# --- worlds that no move can tell apart are one ---


def canonical(scope: Scope, world: World) -> World:
    agents = tuple(_settled(scope, agent, world.sessions[n]) for n, agent in enumerate(world.agents))
    workers = tuple(sorted((_without_stale(scope, worker) for worker in world.workers), key=_order))
    sessions = tuple(session and _plain(session) for session in world.sessions)
    ranks = _ranks(world.row, sessions, agents, workers)
    return World(
        world.storage,
        _ranked_row(world.row, ranks),
        tuple(session and _ranked(session, ranks) for session in sessions),
        world.snapshots,
        tuple(a._replace(write=_ranked_write(a.write, ranks)) if a.write else a for a in agents),
        tuple(w._replace(write=_ranked_write(w.write, ranks)) if w.write else w for w in workers),
    )


def _settled(scope: Scope, agent: Agent, session: Session | None) -> Agent:
    """An agent whose session is over, and its grant with it, can do nothing any more."""
    if session is None and agent.phase is not Phase.ASLEEP:
        return Agent(Phase.OVER)
    if session and session.state is not OPEN and (session.lease <= 0 or session.state is SessionState.COMMITTED):
        return Agent(Phase.OVER)
    if agent.write and not agent.write.fresh and Safeguard.ETAG not in scope.protocol.without:
        return agent._replace(write=None)
    return agent


def _without_stale(scope: Scope, worker: Worker) -> Worker:
    """A write that is sure to be refused may as well be forgotten; what it still deletes is deleted."""
    if worker.write and not worker.write.fresh and Safeguard.ETAG not in scope.protocol.without:
        return worker._replace(write=None)
    return worker


def _order(worker: Worker) -> tuple[int, str]:
    return worker.hand, repr(worker.write) if worker.write else ""


def _plain(session: Session) -> Session:
    """Without what no rule asks any more."""
    if session.state is OPEN:
        return session if session.lease else session._replace(renewable=0)
    lease = 0 if session.state is SessionState.COMMITTED else session.lease
    return session._replace(epoch=0, lease=lease, renewable=0)


type Ranks = dict[int, int]


def _ranks(row: Row, sessions: tuple[Session | None, ...], agents: Iterable[Agent], workers: Iterable[Worker]) -> Ranks:
    """Rules compare epochs and ask no more of them: their order is all that counts."""
    epochs = set[int]()
    _note(epochs, row, sessions)
    for actor in chain(agents, workers):
        if write := actor.write:
            change = write.session
            _note(epochs, write.row, (change.old, change.new) if change else ())
    return {epoch: rank for rank, epoch in enumerate(sorted(epochs))}


def _note(epochs: set[int], row: Row, sessions: Iterable[Session | None]) -> None:
    epochs.add(row.epoch)
    epochs.update(heap.epoch for heap in row.condemned)
    epochs.update(session.epoch for session in sessions if session and session.state is OPEN)


def _ranked_row(row: Row, ranks: Ranks) -> Row:
    heaps = tuple(Heap(heap.packs, ranks[heap.epoch], heap.at) for heap in row.condemned)
    return Row(ranks[row.epoch], heaps, row.deleting, row.deleted)


def _ranked(session: Session, ranks: Ranks) -> Session:
    return session._replace(epoch=ranks[session.epoch]) if session.state is OPEN else session


def _ranked_write(write: Write, ranks: Ranks) -> Write:
    change = write.session
    if change:
        old, new = (session and _ranked(_plain(session), ranks) for session in (change.old, change.new))
        change = Change(change.number, old, new)
    return write._replace(row=_ranked_row(write.row, ranks), session=change)
