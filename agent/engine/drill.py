"""A drill: some files, chosen by chance, are restored to a place of their own and compared; the time is measured."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.engine.orders import Progress, RestoreOrder, Trouble
from agent.engine.restore import restore
from agent.engine.snapshot import Snapshot
from agent.vault import Reader
from shared.domain.ids import SessionId
from shared.format.items import Item, ItemKind
from shared.format.keys import VaultKeys


@dataclass(frozen=True, slots=True)
class DrillOrder:
    session: SessionId
    target: Path
    """An empty folder; whoever made it clears it away."""
    files: int
    """How many, at most."""
    most_bytes: int
    chance: random.Random
    threads: int = 2


@dataclass(frozen=True, slots=True)
class DrillReport:
    session: SessionId
    files: int
    """That were restored, and found to be the snapshot's byte for byte."""
    logical_bytes: int
    read_bytes: int
    seconds: float
    """From the first question to the last byte on the disk and compared."""
    troubles: tuple[Trouble, ...]

    @property
    def passed(self) -> bool:
        return not self.troubles


def drill(order: DrillOrder, reader: Reader, keys: VaultKeys, progress: Progress) -> DrillReport:
    """Raises like `restore`. A snapshot without files passes with none."""
    snapshot = Snapshot.open(reader, keys, order.session)
    damaged: list[Trouble] = list(snapshot.troubles)
    chosen = list(_within(order.most_bytes, _sample(_files(snapshot, damaged), order)))
    if not chosen:
        return DrillReport(order.session, 0, 0, 0, 0.0, tuple(damaged))
    wish = RestoreOrder(
        order.session, order.target, tuple(item.path for item in chosen), verify=True, threads=order.threads
    )
    done = restore(wish, reader, keys, progress)
    troubles = (*damaged, *done.skipped, *done.damaged, *done.differing)
    return DrillReport(
        order.session,
        done.verified or 0,
        done.logical_bytes,
        done.read_bytes,
        done.seconds,
        tuple(dict.fromkeys(troubles)),
    )


def _files(snapshot: Snapshot, damaged: list[Trouble]) -> Iterator[Item]:
    for page in snapshot.pages():
        if page.trouble is not None:
            damaged.append(page.trouble)
        yield from (item for item in page.items if item.kind is ItemKind.FILE)


def _sample(items: Iterable[Item], order: DrillOrder) -> list[Item]:
    """Each file with the same chance, in one pass (reservoir sampling, algorithm R); in random order."""
    kept: list[Item] = []
    for number, item in enumerate(items):
        if number < order.files:
            kept.append(item)
        elif (place := order.chance.randrange(number + 1)) < order.files:
            kept[place] = item
    order.chance.shuffle(kept)
    return kept


def _within(most_bytes: int, items: Iterable[Item]) -> Iterator[Item]:
    """As many as fit; a file that is too large alone is left out."""
    for item in items:
        if item.size <= most_bytes:
            most_bytes -= item.size
            yield item
