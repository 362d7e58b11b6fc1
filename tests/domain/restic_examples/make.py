"""Records what restic forgets: `python -m tests.domain.restic_examples.make` (needs restic; some minutes)."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.domain.restic_examples.restic import RECORDED, RECORDINGS, Case, Example, Recording, Restic, Rules, version

RULES = ("last", "daily", "weekly", "monthly", "yearly")
NEWEST = datetime(2026, 11, 10, 23, 30, tzinfo=UTC)  # past: restic measures from no snapshot of the future
TURNS = (
    *(datetime(2026, 10, 24, 20) + timedelta(hours=n, minutes=5) for n in range(0, 30, 3)),  # noqa: DTZ001 -- 25 hours
    *(datetime(2026, 3, 28, 20) + timedelta(hours=n, minutes=5) for n in range(0, 30, 3)),  # noqa: DTZ001 -- 23 hours
    *(datetime(2024, 2, 28, 11) + timedelta(hours=13 * n) for n in range(5)),  # noqa: DTZ001 -- a leap day
    *(datetime(2020, 12, 30, 11) + timedelta(hours=13 * n) for n in range(10)),  # noqa: DTZ001 -- week 53
    *(datetime(2024, 12, 28, 11) + timedelta(hours=17 * n) for n in range(10)),  # noqa: DTZ001 -- week 1 in December
)


def times(chance: random.Random) -> Iterator[datetime]:
    """Some a day at first, then ever fewer, over nine years; and all that is odd about calendars."""
    yield NEWEST
    yield from (turn.replace(tzinfo=UTC) for turn in TURNS)
    yield from (NEWEST - timedelta(minutes=chance.randrange(20 * 24 * 60)) for _ in range(25))
    yield from (NEWEST - timedelta(minutes=chance.randrange(400 * 24 * 60)) for _ in range(25))
    yield from (NEWEST - timedelta(minutes=chance.randrange(9 * 365 * 24 * 60)) for _ in range(25))


def policies(chance: random.Random) -> Iterator[Rules]:
    """Each rule alone and overlong, what we sell, and a mixture."""
    for rule in RULES:
        yield from ({rule: count} for count in (1, 2, 7, 30, 500))
    yield from ({"within_hours": hours} for hours in (1, 24, 336, 8760))
    yield {"within_hours": 336, "daily": 15, "weekly": 6, "monthly": 13, "yearly": 2}
    for _ in range(20):
        chosen = {rule: chance.randrange(12) for rule in RULES if chance.random() < 0.6}
        yield {"last": 1, **chosen, "within_hours": chance.choice([0, 48, 336])}


def record(time_zone: str, seed: int) -> Example:
    chance = random.Random(seed)
    with TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        restic = Restic(Path(folder), time_zone)
        restic.init()
        taken = sorted(times(chance))
        hosts = ["often" if chance.random() < 0.8 else "seldom" for _ in taken]
        list(pool.map(restic.backup, hosts, taken))
        asked = tuple(policies(chance))
        cases = tuple(map(Case, asked, pool.map(restic.kept, asked)))
        return Example(time_zone, restic.snapshots(), cases)


if __name__ == "__main__":
    examples = tuple(record(zone, seed) for seed, zone in enumerate(("Europe/Berlin", "America/New_York")))
    RECORDED.write_bytes(RECORDINGS.dump_json(Recording(version(), examples)))
