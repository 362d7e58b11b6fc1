"""Ninety days of a device with and without renewal: `python -m bench.renewal` writes `bench/results/renewal.json`.

Real backups of a tree of small files into a folder. After each, snapshots older than 14 days expire by the pure rule of
the sweep: what no kept snapshot refers to is gone. Live is what the kept snapshots need, sealed: of a chunk that
holds many files, the share of those that a kept snapshot still has.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import override

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.engine.backup import backup
from agent.engine.orders import BackupOrder, Silence
from agent.engine.snapshot import Snapshot
from agent.folder_vault import FolderReader, FolderVault
from agent.vault import OpenSession
from bench import picture
from bench.inputs import build_tree
from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.format import content, names, refs
from shared.format.keys import VaultKeys
from shared.format.refs import Refs

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results" / "renewal.json"
PICTURE = ROOT / "docs" / "renewal.svg"
DAYS, KEPT_DAYS, FILES = 90, 14, 4000
PACK_BYTES = 1 << 20
"""As many packs for this tree as a tree of 100,000 files has at 32 MiB."""
LIMIT, NEVER = 1.25, float("inf")
ACCOUNT, DEVICE = AccountId("01kdvdna000000000000000000"), DeviceId("01kdvdna000000000000000002")
KEYS = VaultKeys.derive(bytes(32), ACCOUNT)


@dataclass(frozen=True, slots=True)
class Habit:
    """Which files are edited on a day: `hot` of all edits hit the same tenth of the files."""

    name: str
    hot: float


HABITS = (Habit("anywhere", 0.1), Habit("mostly the same tenth", 0.9))


@dataclass(slots=True)
class Life:
    """What was measured of one device, a value a day; bytes."""

    edited_share: float
    habit: str
    renewal: bool
    stored: list[int] = field(default_factory=list[int])
    live: list[int] = field(default_factory=list[int])
    sent: list[int] = field(default_factory=list[int])


class SweptVault(FolderVault):
    """A folder whose snapshots expire."""

    @override
    def open_session(self, resume: SessionId | None) -> OpenSession:
        """The indexes that kept snapshots refer to are alive, whoever wrote them."""
        opened = FolderVault.open_session(self, resume)
        live = {index.name for info in self.snapshots() for index in self._kept(info.session).indexes}
        return OpenSession(opened.session, tuple(sorted(live)), resumed=opened.resumed)

    def expire(self) -> None:
        for info in self.snapshots()[:-KEPT_DAYS]:
            (self.root / "committed" / info.session).unlink()
        kept = {str(pack.name) for info in self.snapshots() for pack in self._kept(info.session).packs}
        for path in (self.root / "d").glob("*/*"):
            if str(path.relative_to(self.root / "d")) not in kept:
                path.unlink()

    def stored_bytes(self) -> int:
        return sum(path.stat().st_size for path in (self.root / "d").glob("*/*"))

    def _kept(self, session: SessionId) -> Refs:
        return refs.decode_unverified(FolderReader(self.root).meta(names.refs(session)))


type _Pieces = dict[bytes, set[tuple[int, int]]]
"""Offsets and lengths that are needed of each chunk."""


class _Needs:
    """What the kept snapshots need, by chunk, and what each chunk takes sealed."""

    def __init__(self) -> None:
        self._days: deque[_Pieces] = deque(maxlen=KEPT_DAYS)
        self._sizes: dict[bytes, tuple[int, int]] = {}

    def live_bytes(self, snapshot: Snapshot) -> int:
        """With `snapshot`, the newest."""
        self._days.append(self._pieces(snapshot))
        needed: _Pieces = {}
        for day in self._days:
            for chunk, pieces in day.items():
                needed.setdefault(chunk, set()).update(pieces)
        return int(sum(self._sealed(chunk, sum(length for _, length in all_)) for chunk, all_ in needed.items()))

    def _sealed(self, chunk: bytes, raw_bytes: int) -> float:
        sealed, whole = self._sizes[chunk]
        return sealed * min(raw_bytes / whole, 1.0)

    def _pieces(self, snapshot: Snapshot) -> _Pieces:
        needed: _Pieces = {}
        for page in snapshot.pages():
            self._learn(snapshot, page.row.chunk)
            needed[page.row.chunk] = {(0, self._sizes[page.row.chunk][1])}
            for item in page.items:
                for chunk, offset, length in content.decode_rows(item.content):
                    if chunk is not None:
                        self._learn(snapshot, chunk)
                        needed.setdefault(chunk, set()).add((offset, length))
        return needed

    def _learn(self, snapshot: Snapshot, chunk: bytes) -> None:
        if chunk not in self._sizes:
            place = snapshot.locations.at(chunk)
            assert place is not None, "a snapshot can be read"
            self._sizes[chunk] = place.record.length, place.record.raw_length


def live(work: Path, life: Life, habit: Habit, days: int, files: int) -> None:
    """One device's days, written into `life`."""
    source, chance = work / "source", random.Random(7)
    build_tree(source, files)
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    vault, needs = SweptVault.open(work / "vault", ACCOUNT, DEVICE, key), _Needs()
    order = partial(BackupOrder, (source,), work / "cache", "device", pack_target_bytes=PACK_BYTES)
    paths = sorted(source.glob("*/*/*"))
    for day in range(days):
        if day:
            _edit(paths, chance, habit, int(files * life.edited_share), day)
        report = backup(order(renewal_limit=LIMIT if life.renewal else NEVER), vault, KEYS, Silence())
        vault.expire()
        life.live.append(needs.live_bytes(Snapshot.open(vault.restore_reader(None), KEYS, report.session)))
        life.stored.append(vault.stored_bytes())
        life.sent.append(report.sent_bytes)


def _edit(paths: Sequence[Path], chance: random.Random, habit: Habit, number: int, day: int) -> None:
    tenth = len(paths) // 10
    for _ in range(number):
        hot = chance.random() < habit.hot
        path = paths[chance.randrange(tenth) if hot else chance.randrange(len(paths))]
        data = path.read_bytes()
        path.write_bytes(b"".join((data[: len(data) // 2], b"day %d" % day, data[len(data) // 2 :])))
        os.utime(path, ns=(day, day))


def summary(lives: Sequence[Life]) -> list[dict[str, object]]:
    """What became of each device with renewal, beside its twin without."""
    twins = {(life.edited_share, life.habit): life for life in lives if not life.renewal}
    found: list[dict[str, object]] = []
    for life in lives:
        ratios = [stored / needed for stored, needed in zip(life.stored, life.live, strict=True)]
        twin = twins[life.edited_share, life.habit]
        found.append(
            {
                **asdict(life),
                "stored_to_live": [round(ratio, 3) for ratio in ratios],
                "worst_stored_to_live": round(max(ratios), 3),
                "mean_stored_to_live_after_day_30": round(statistics.fmean(ratios[30:] or ratios), 3),
                "upload_to_upload_without_renewal": round(sum(life.sent) / sum(twin.sent), 3),
            }
        )
    return found


def main(arguments: Sequence[str] = ()) -> int:
    wish = _parser().parse_args(arguments)
    lives: list[Life] = []
    for share in (0.01, 0.03):
        for habit in HABITS:
            for renewal in (False, True):
                life = Life(share, habit.name, renewal)
                with tempfile.TemporaryDirectory(prefix="hort-renewal-", dir=wish.work) as work:
                    live(Path(work), life, habit, wish.days, wish.files)
                lives.append(life)
                ratio = life.stored[-1] / life.live[-1]
                sys.stdout.write(f"{share:.0%} {habit.name}, renewal {renewal}: {ratio:.2f}, sent {sum(life.sent)}\n")
                sys.stdout.flush()
    wish.output.write_text(json.dumps(summary(lives), indent=1) + "\n")
    wish.picture.write_text(_picture(lives))
    return 0


def _picture(lives: Sequence[Life]) -> str:
    panels: dict[str, list[picture.Curve]] = {}
    for life in lives:
        kind, name = f"{life.edited_share:.0%} a day, {life.habit}", "with renewal" if life.renewal else "without"
        ratios = [stored / needed for stored, needed in zip(life.stored, life.live, strict=True)]
        panels.setdefault(f"{kind}: stored to live", []).append(picture.Curve(name, ratios))
        sent = [sum(life.sent[: day + 1]) / life.sent[0] for day in range(len(life.sent))]
        panels.setdefault(f"{kind}: sent so far, in first backups", []).append(picture.Curve(name, sent))
    return picture.curves("Renewal over the days, 14 days kept", panels)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.renewal", description=__doc__)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--work", type=Path, default=None)
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
