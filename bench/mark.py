"""The pure mark over a large vault: what is unreferenced, in seconds and bytes of memory.

`python -m bench.mark` measures a vault of 1,000,000 packs and 30 snapshots in processes of their own: the peak of one's
memory is all that it ever held, the interpreter and the catalogue itself among it.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.domain.catalogue import Catalogue, Shelf, listed, packs_of, unreferenced, used_shelves
from shared.domain.ids import ENTROPY_BYTES, AccountId, DeviceId, SessionId
from shared.format.names import IndexName, PackName
from shared.format.refs import IndexRef, PackRef, Refs, encode, needed_indexes, needed_packs
from shared.storage import catalogues

ROOT = Path(__file__).resolve().parents[1]
START = datetime(2026, 1, 1, tzinfo=UTC)
PACKS, SNAPSHOTS = 1_000_000, 30
LOST_A_NIGHT = 0.01
"""Of a session's packs, with each later snapshot."""
FIRST_SHARE = 0.71
"""Of all packs, by the first backup; the rest is spread over the others."""


@dataclass(frozen=True, slots=True)
class Mark:
    case: str
    packs: int
    snapshots: int
    dead_packs: int
    seconds: dict[str, float]
    """By step."""
    peak_mb: float
    command: str


@dataclass(frozen=True, slots=True)
class Vault:
    """What the processes share, as files."""

    folder: Path

    @property
    def catalogue(self) -> Path:
        return self.folder / "catalogue"

    @property
    def refs(self) -> Path:
        """Of the newest snapshot."""
        return self.folder / "refs"

    @property
    def listing(self) -> Path:
        """The newest session's packs, a line each."""
        return self.folder / "listing"


def measure(packs: int = PACKS, snapshots: int = SNAPSHOTS) -> list[Mark]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        marks = list[Mark]()
        for case in ("catalogue ready", "one new snapshot learned"):
            _run(name, "--make", case, packs, snapshots)
            told = json.loads(_run(name, "--mark", case, packs, snapshots))
            marks.append(Mark(case, packs, snapshots, command="python -m bench.mark", **told))
        return marks


def _run(folder: str, what: str, case: str, packs: int, snapshots: int) -> str:
    command = [sys.executable, "-m", "bench.mark", what, folder, "--case", case]
    return subprocess.run(
        [*command, "--packs", str(packs), "--snapshots", str(snapshots)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def make(vault: Vault, packs: int, snapshots: int, *, know_the_newest: bool) -> None:
    """A vault whose first session has most packs; each snapshot needs its own and what is left of older ones."""
    chance = random.Random(7)
    later = int(packs * (1 - FIRST_SHARE)) // (snapshots - 1)
    sizes = [packs - later * (snapshots - 1), *[later] * (snapshots - 1)]
    whole, before, living = Catalogue(), Catalogue(), dict[SessionId, bytearray]()
    for night, count in enumerate(sizes):
        session = SessionId.make(START + timedelta(days=night), chance.randbytes(ENTROPY_BYTES))
        new = sorted(PackName(session, chance.randbytes(32).hex()) for _ in range(count))
        for older in living.values():
            for _ in range(int(len(older) * 8 * LOST_A_NIGHT)):
                older[chance.randrange(len(older))] &= ~(1 << chance.randrange(8))
        living[session] = bytearray(((1 << count) - 1).to_bytes(count // 8 + 1, "little"))
        before, whole = whole, listed(whole, session, ((name, 32 << 20) for name in new))
        use = {older: int.from_bytes(bits, "little") for older, bits in living.items()}
        whole = replace(whole, uses={**whole.uses, session: use})
    newest = max(whole.uses)
    packs_needed = sorted(PackRef(*pack) for pack in packs_of(whole, whole.uses[newest]))
    vault.refs.write_bytes(_refs(newest, packs_needed))
    vault.listing.write_text(
        "".join(f"{name} {size}\n" for name, size in packs_of(whole, {newest: whole.uses[newest][newest]}))
    )
    vault.catalogue.write_bytes(catalogues.encode(whole if know_the_newest else before))


def mark(vault: Vault) -> dict[str, object]:
    watch = Watch()
    catalogue = catalogues.decode(vault.catalogue.read_bytes())
    watch.lap("read the catalogue")
    newest = SessionId(vault.listing.read_text()[:26])
    if newest not in catalogue.uses:
        catalogue = listed(catalogue, newest, _listing(vault))
        watch.lap("list the new packs")
        refs = vault.refs.read_bytes()
        packs = ((session, Shelf(ids, sizes)) for session, ids, sizes in needed_packs(refs))
        catalogue = used_shelves(catalogue, newest, packs, needed_indexes(refs))
        watch.lap("learn the new refs")
    kept = sorted(catalogue.uses)[1:]  # the oldest one was removed
    dead = unreferenced(catalogue, kept, catalogue.shelves)
    named = [str(pack) for pack, _ in packs_of(catalogue, dead)]
    watch.lap("mark")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {"dead_packs": len(named), "seconds": watch.laps, "peak_mb": round(peak_mb, 1)}


class Watch:
    """CPU seconds of this process from one lap to the next."""

    def __init__(self) -> None:
        self.laps = dict[str, float]()
        self._at = time.process_time()

    def lap(self, name: str) -> None:
        now = time.process_time()
        self.laps[name], self._at = round(now - self._at, 3), now


def _refs(session: SessionId, packs: list[PackRef]) -> bytes:
    index = IndexRef(IndexName(session, 0), 100)
    refs = Refs(AccountId("0" * 26), session, DeviceId("0" * 26), "0" * 64, 100, (index,), tuple(packs))
    return encode(refs, Ed25519PrivateKey.generate().sign)


def _listing(vault: Vault) -> Iterator[tuple[PackName, int]]:
    with vault.listing.open() as lines:
        for line in lines:
            name, _, size = line.partition(" ")
            yield PackName.parse(name), int(size)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--mark", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--case", default="", help=argparse.SUPPRESS)
    parser.add_argument("--packs", type=int, default=PACKS)
    parser.add_argument("--snapshots", type=int, default=SNAPSHOTS)
    told = parser.parse_args()
    if told.make:
        make(Vault(told.make), told.packs, told.snapshots, know_the_newest=told.case == "catalogue ready")
    elif told.mark:
        sys.stdout.write(json.dumps(mark(Vault(told.mark))))
    else:
        sys.stdout.write(json.dumps([asdict(each) for each in measure(told.packs, told.snapshots)], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
