"""The sweep protocol without its I/O: what each actor reads and makes up its mind on, and what its write then does.

A plan is a read: it sees one moment of the world and returns the transaction that follows from it. `written` is the
write: it happens later, and finds out whether the state's row is still as it was read.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from shared.domain.sessions import SessionState
from tests.protocol import rules
from tests.protocol.values import (
    CONTENTS,
    GRACE_HOURS,
    NOTHING,
    Agent,
    Change,
    Phase,
    Row,
    Safeguard,
    Session,
    Snapshot,
    Without,
    Worker,
    World,
    Write,
    bits,
    own,
    pack,
)

OPEN, COMMITTED = SessionState.OPEN, SessionState.COMMITTED


@dataclass(frozen=True, slots=True)
class Protocol:
    without: Without = NOTHING
    contents: int = 1
    """Each backup stores so many, from packs that are there or in packs of its own."""
    heedless: bool = False
    """Agents count on any pack they ever heard of, whatever the opening said, and on another's that may never be
    committed. No safety may rest on what runs on a customer's machine."""

    # --- an agent ---

    def opening(self, world: World, n: int) -> Write | None:
        if world.agents[n].phase is not Phase.ASLEEP or world.sessions[n]:
            return None
        fresh = rules.opened(world.row.epoch)
        return Write("open", world.row, session=Change(n, None, fresh), shuns=world.row.out)

    def choices(self, world: World, n: int) -> Iterator[Agent]:
        """Where to take each content from: any index that is alive now, never a pack the opening warned of."""
        agent = world.agents[n]
        if agent.phase is not Phase.TOLD:
            return
        indexed = _union(session.indexed for session in _committed(world).values()) & ~agent.shuns
        if self.heedless:
            indexed = world.storage | world.row.out
        for chosen in product(*(self._sources(indexed, n, content) for content in range(self.contents))):
            yield Agent(Phase.READY, needs=sum(chosen))

    def uploads(self, world: World, n: int) -> Iterator[int]:
        """Packs that the agent can send now: its grant lives as long as its lease."""
        agent, session = world.agents[n], world.sessions[n]
        if agent.phase is Phase.READY and agent.write is None and session and session.lease > 0:
            for number in bits(agent.needs & own(n) & ~agent.sent):
                yield 1 << number

    def commit(self, world: World, n: int) -> Write | Agent | None:
        """The transaction; or the agent that was refused, and will send what it was told is missing; or nothing."""
        agent, session = world.agents[n], world.sessions[n]
        if agent.phase is not Phase.READY or agent.needs & own(n) & ~agent.sent or not self._may_commit(session):
            return None
        accepted, packs = self._judge(world, n)
        if not accepted:
            return self._refused(n, agent, packs)
        row = world.row if Safeguard.RESURRECTION in self.without else _spared(world.row, packs)
        done = rules.ended(session, COMMITTED)._replace(indexed=agent.sent)
        return Write("commit", row, Change(n, session, done), Change(n, None, Snapshot(agent.needs)))

    def _sources(self, indexed: int, n: int, content: int) -> list[int]:
        packs = (1 << number for number in bits(indexed) if number % CONTENTS == content)
        return [pack(n, content), *packs]

    def _may_commit(self, session: Session | None) -> bool:
        if session is None or session.state is not OPEN:
            return False
        return Safeguard.FENCE in self.without or rules.as_of_now(session).state is OPEN

    def _judge(self, world: World, n: int) -> tuple[bool, int]:
        needs, row = world.agents[n].needs, world.row
        condemned = row.all_condemned & needs
        if Safeguard.CHECK in self.without:
            return True, condemned
        committed = sum(1 << number for number in _committed(world))
        gone = (row.deleting | row.deleted) & needs
        return rules.committable(n, needs, world.storage & needs, committed, condemned, gone)

    def _refused(self, n: int, agent: Agent, missing: int) -> Agent:
        if missing & own(n):
            return Agent(Phase.OVER)  # what it sent itself is gone: it begins again, in another session
        anew = _union(pack(n, number % CONTENTS) for number in bits(missing))
        return agent._replace(needs=agent.needs & ~missing | anew)

    # --- a session's life, a snapshot's way out ---

    def renewing(self, world: World, n: int) -> Write | None:
        session = world.sessions[n]
        if session is None or rules.as_of_now(session).state is not OPEN:
            return None
        return Write("renew", world.row, Change(n, session, rules.renewed(session)))

    def abandoning(self, world: World, n: int) -> Write | None:
        session = world.sessions[n]
        if session is None or session.state is not OPEN:
            return None
        return Write("abandon", world.row, Change(n, session, rules.ended(session, SessionState.ABANDONED)))

    def fencing(self, world: World, n: int, *, by_force: bool = False) -> Write | None:
        """When its lease ran out; by force when its device is blocked."""
        session = world.sessions[n]
        if Safeguard.FENCE in self.without or session is None or session.state is not OPEN:
            return None
        late = rules.as_of_now(session)
        if late.state is OPEN and not by_force:
            return None
        return Write("fence", world.row, Change(n, session, rules.ended(session, SessionState.FENCED)))

    def expiry(self, world: World, n: int) -> Write | None:
        old = world.snapshots[n]
        if old is None or old.held or old.expired is not None:
            return None
        return Write("expire", world.row, snapshot=Change(n, old, old._replace(expired=0)))

    def taking_back(self, world: World, n: int) -> Write | None:
        return self._marking(world, n, rules.taken_back)

    def holding(self, world: World, n: int) -> Write | None:
        return self._marking(world, n, rules.held)

    def releasing(self, world: World, n: int) -> Write | None:
        old = world.snapshots[n]
        if old is None or not old.held:
            return None
        return Write("release", world.row, snapshot=Change(n, old, old._replace(held=False)))

    def _marking(self, world: World, n: int, mark: Callable[[Snapshot], Snapshot | None]) -> Write | None:
        old = world.snapshots[n]
        new = old and mark(old)
        return new and Write("mark", world.row, snapshot=Change(n, old, new))

    def removal(self, world: World, n: int, *, at_once: bool = False) -> Write | None:
        """Of a snapshot. An expired one counts as kept, so for the packs `at_once` is the hardest case."""
        old = world.snapshots[n]
        if old is None or old.held:
            return None
        if not at_once and (old.expired is None or old.expired > -GRACE_HOURS):
            return None
        return Write("remove", world.row, snapshot=Change(n, old, None))

    # --- a sweep ---

    def condemning(self, world: World) -> Write | None:
        row = world.row
        packs = _marked(world) & ~row.out
        return Write("condemn", rules.condemned(row, packs)) if packs else None

    def dooming(self, world: World) -> Write | None:
        row, sessions, grace = world.row, self._as_seen(world), Safeguard.GRACE not in self.without
        ripe = tuple(heap for heap in row.condemned if rules.is_ripe(heap, sessions, grace=grace))
        if row.deleting or not ripe:
            return None
        packs = _union(heap.packs for heap in ripe)
        if Safeguard.SECOND_MARK not in self.without:
            packs &= ~_union(rules.mentioned(n, snapshot.needs, packs) for n, snapshot in _kept(world))
        return Write("doom", rules.doomed(row, ripe, packs))

    def deletion(self, world: World) -> Worker | None:
        row = world.row
        if not row.deleting:
            return None
        return Worker(row.deleting & world.storage, Write("record", rules.deleted(row)))

    def clearing(self, world: World, n: int) -> Worker | None:
        """Of a session that can never be committed."""
        session = world.sessions[n]
        if session is None or not rules.is_garbage(session):
            return None
        return Worker(own(n) & world.storage, Write("clear", world.row, Change(n, session, None)))

    def dropping(self, world: World, n: int) -> Write | None:
        """Of a committed session that nobody needs any more, with its index."""
        session = world.sessions[n]
        if session is None or session.state is not COMMITTED or world.snapshots[n]:
            return None
        left = session.indexed & ~world.row.deleted
        if left or any(snapshot and snapshot.needs & own(n) for snapshot in world.snapshots):
            return None
        return Write("drop", world.row._replace(deleted=world.row.deleted & ~own(n)), Change(n, session, None))

    def _as_seen(self, world: World) -> tuple[Session | None, ...]:
        """Where nobody writes fences, a sweep can only believe that a lease that ran out was the end."""
        if Safeguard.FENCE not in self.without:
            return world.sessions
        return tuple(session and rules.as_of_now(session) for session in world.sessions)

    # --- the write ---

    def written(self, world: World, write: Write) -> World | None:
        """The world after the transaction; `None`: refused, nothing was written, and the actor starts over."""
        if not write.fresh and Safeguard.ETAG not in self.without:
            return None
        sessions, snapshots, agents = world.sessions, world.snapshots, world.agents
        if change := write.session:
            if sessions[change.number] != change.old:
                return None
            sessions = replaced(sessions, change.number, change.new)
            agents = replaced(agents, change.number, _after(write, agents[change.number]))
        if gone := write.snapshot:
            if snapshots[gone.number] != gone.old:
                return None
            snapshots = replaced(snapshots, gone.number, gone.new)
        changed = world._replace(row=write.row, sessions=sessions, snapshots=snapshots, agents=agents)
        return _all_stale(changed)


def _after(write: Write, agent: Agent) -> Agent:
    if write.what == "open":
        return Agent(Phase.TOLD, shuns=write.shuns)
    return Agent(Phase.OVER) if write.what == "commit" else agent


def _all_stale(world: World) -> World:
    agents = tuple(a if a.write is None else a._replace(write=a.write._replace(fresh=False)) for a in world.agents)
    workers = tuple(w if w.write is None else w._replace(write=w.write._replace(fresh=False)) for w in world.workers)
    return world._replace(agents=agents, workers=workers)


def _committed(world: World) -> dict[int, Session]:
    return {n: session for n, session in enumerate(world.sessions) if session and session.state is COMMITTED}


def _union(sets: Iterable[int]) -> int:
    packs = 0
    for each in sets:
        packs |= each
    return packs


def _kept(world: World) -> list[tuple[int, Snapshot]]:
    return [(n, snapshot) for n, snapshot in enumerate(world.snapshots) if snapshot]


def _marked(world: World) -> int:
    kept = tuple((n, snapshot.needs) for n, snapshot in _kept(world))
    return rules.marked(kept, tuple((n, session.indexed) for n, session in _committed(world).items()))


def _spared(row: Row, packs: int) -> Row:
    heaps = (heap._replace(packs=heap.packs & ~packs) for heap in row.condemned)
    return row._replace(condemned=tuple(heap for heap in heaps if heap.packs))


def replaced[T](row: tuple[T, ...], number: int, value: T) -> tuple[T, ...]:
    return (*row[:number], value, *row[number + 1 :])


# --- what must hold ---


def fault(world: World) -> str | None:
    """The promise that this world breaks, in words."""
    on_the_way_out = world.row.deleting | world.row.deleted
    for n, snapshot in _kept(world):
        if lost := snapshot.needs & ~world.storage:
            return f"snapshot {n} is kept, and {named(lost)} is gone"
        if doomed := snapshot.needs & on_the_way_out:
            return f"snapshot {n} is kept, and {named(doomed)} is being deleted"
        if lonely := [m for m in range(len(world.sessions)) if snapshot.needs & own(m) and not world.sessions[m]]:
            return f"snapshot {n} is kept, and the index of session {lonely[0]} is gone"
    return None


def named(packs: int) -> str:
    """`pack 0a`: what session 0 stored for content a."""
    names = [f"{number // CONTENTS}{'abcd'[number % CONTENTS]}" for number in bits(packs)]
    return ("pack " if len(names) == 1 else "packs ") + ", ".join(names)
