"""Does the vault still hold what its snapshots promise? Structure always; every byte when asked."""

import math
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.engine.fetch import locate
from agent.engine.orders import CheckOrder, CheckReport, Progress, Trouble, hurt, shown
from agent.engine.snapshot import Page, Snapshot
from agent.vault import Reader, SnapshotInfo, Vault, VaultObjectMissing
from shared.domain.errors import Malformed, NotFound
from shared.format import content, names, refs
from shared.format.chunks import open_chunk
from shared.format.errors import Damaged
from shared.format.indexes import Located
from shared.format.items import Item, ItemKind
from shared.format.keys import VaultKeys
from shared.format.names import PackName
from shared.format.packs import read_directory, sha256_hex
from shared.format.records import ChunkRecord
from shared.format.refs import PackRef, Refs


def check(order: CheckOrder, vault: Vault, keys: VaultKeys, progress: Progress) -> CheckReport:
    """Checks one snapshot, or all. Raises `NotFound` for a snapshot that does not exist, and what the vault raises."""
    clock = time.perf_counter()
    infos = [info for info in vault.snapshots() if order.session in (None, info.session)]
    if order.session is not None and not infos:
        raise NotFound(f"there is no snapshot {order.session}")
    run = _Check(vault.restore_reader(order.session), keys, progress)
    for info in infos:
        run.snapshot(info)
    run.packs(order)
    return CheckReport(
        snapshots=len(infos),
        entries=run.entries,
        packs=len(run.sizes),
        chunks=sum(len(chunks) for chunks in run.wanted.values()),
        read_bytes=run.read_bytes,
        seconds=time.perf_counter() - clock,
        damaged=tuple(run.damaged),
    )


class _Looked(NamedTuple):
    """What was found out about one pack."""

    read_bytes: int
    troubles: list[Trouble]


@dataclass(slots=True)
class _Check:
    """Collects, over all snapshots, which packs must be there and what they must hold."""

    reader: Reader
    keys: VaultKeys
    progress: Progress
    entries: int = 0
    read_bytes: int = 0
    damaged: list[Trouble] = field(default_factory=list[Trouble])
    sizes: dict[PackName, int] = field(default_factory=dict[PackName, int])
    wanted: dict[PackName, set[ChunkRecord]] = field(default_factory=dict[PackName, set[ChunkRecord]])

    def snapshot(self, info: SnapshotInfo) -> None:
        """Its refs, its head, every page, and that every chunk lies in a pack that the refs keep alive."""
        try:
            text = self._refs(info)
            snapshot = Snapshot.open(self.reader, self.keys, info.session)
        except (Damaged, Malformed, VaultObjectMissing) as error:
            self._hurt(names.refs(info.session), str(error))
            return
        self.damaged.extend(snapshot.troubles)
        self._kept_indexes(snapshot, text)
        kept = frozenset(text.packs)
        self._table(snapshot, kept)
        for page in snapshot.pages():
            self._page(snapshot, page, kept)

    def packs(self, order: CheckOrder) -> None:
        """Every pack that was named: its size, or all of it."""
        read = self._sample(order) if order.read_data else frozenset[PackName]()

        def look(pack: PackName) -> _Looked:
            return self._read_pack(pack) if pack in read else self._size_pack(pack)

        with ThreadPoolExecutor(order.threads, "check") as pool:
            for read_bytes, troubles in pool.map(look, self.sizes):
                self.read_bytes += read_bytes
                self.damaged.extend(troubles)

    def _sample(self, order: CheckOrder) -> frozenset[PackName]:
        packs = list(self.sizes)
        number = min(math.ceil(len(packs) * order.read_share), len(packs))
        return frozenset(packs[n] for n in order.choose(number, len(packs)))

    def _refs(self, info: SnapshotInfo) -> Refs:
        """The clear list, compared with the sealed head that it announces."""
        name = names.refs(info.session)
        text = refs.decode_unverified(self.reader.meta(name))
        if (text.account, text.session, text.device) != (self.keys.account, info.session, info.device):
            raise Damaged(name, "it is another account's, session's or device's")
        head = self.reader.meta(names.head(info.session))
        if sha256_hex([head]) != text.head_sha256 or len(head) != text.head_size_bytes:
            raise Damaged(names.head(info.session), "it is not the head that the refs announce")
        return text

    def _kept_indexes(self, snapshot: Snapshot, text: Refs) -> None:
        kept = {ref.name for ref in text.indexes}
        for name in snapshot.head.indexes:
            if name not in kept:
                self._hurt(str(name), "the refs do not keep it alive")

    def _table(self, snapshot: Snapshot, kept: frozenset[PackRef]) -> None:
        for row in snapshot.head.pages:
            self._chunk(snapshot, row.chunk, "table of pages", kept)

    def _page(self, snapshot: Snapshot, page: Page, kept: frozenset[PackRef]) -> None:
        if page.trouble is not None:
            self.damaged.append(page.trouble)
        else:
            self._chunk(snapshot, page.row.chunk, "page of items", kept)
        for item in page.items:
            self.entries += 1
            self.progress.advance(1, item.size, item.path)
            if item.kind is ItemKind.FILE:
                self._file(snapshot, item, kept)

    def _file(self, snapshot: Snapshot, item: Item, kept: frozenset[PackRef]) -> None:
        try:
            chunks = {segment.chunk for segment in snapshot.segments(item)}
        except Damaged as damage:
            self.damaged.append(hurt(item.path, damage))
            return
        lists = content.chunk_ids(item.content) if item.depth else ()
        for chunk in (*chunks, *lists):
            if chunk is not None:
                self._chunk(snapshot, chunk, shown(item.path), kept)

    def _chunk(self, snapshot: Snapshot, chunk: bytes, of: str, kept: frozenset[PackRef]) -> None:
        place = locate(snapshot.locations, chunk)
        if isinstance(place, Damaged):
            self._hurt(of, str(place))
            return
        _, pack = snapshot.locations.needs(chunk)
        if pack not in kept:
            self._hurt(of, f"the refs do not keep d/{pack.name} alive")
        self._want(place, pack)

    def _want(self, place: Located, pack: PackRef) -> None:
        self.sizes.setdefault(pack.name, pack.size_bytes)
        self.wanted.setdefault(pack.name, set()).add(place.record)

    def _size_pack(self, pack: PackName) -> _Looked:
        expected = self.sizes[pack]
        try:
            there = self.reader.pack_size_bytes(pack)
        except VaultObjectMissing:
            return _Looked(0, [Trouble(f"d/{pack}", "it is not in the vault")])
        if there != expected:
            return _Looked(0, [Trouble(f"d/{pack}", f"{there} bytes where {expected} are recorded")])
        return _Looked(0, [])

    def _read_pack(self, pack: PackName) -> _Looked:
        looked = self._size_pack(pack)
        if looked.troubles:
            return looked
        body = self.reader.pack_range(pack, 0, self.sizes[pack])
        self.progress.sent(len(body))
        return _Looked(len(body), list(self._contents(pack, body)))

    def _contents(self, pack: PackName, body: bytes) -> Iterator[Trouble]:
        if sha256_hex([body]) != pack.pack_id:
            yield Trouble(f"d/{pack}", "its bytes are not those it is named after")
        try:
            directory = read_directory(self.keys, pack, body)
        except Damaged as damage:
            yield Trouble(damage.name, damage.reason)
            directory = ()
        if directory and not self.wanted[pack] <= set(directory):
            yield Trouble(f"d/{pack}", "its directory does not list what the index says")
        yield from self._open_all(pack, body, {*directory, *self.wanted[pack]})

    def _open_all(self, pack: PackName, body: bytes, records: Iterable[ChunkRecord]) -> Iterator[Trouble]:
        view = memoryview(body)
        for record in records:
            try:
                open_chunk(self.keys, record.kind, record.id, view[record.offset : record.end], record.raw_length)
            except Damaged as damage:
                yield Trouble(f"d/{pack}", str(damage))

    def _hurt(self, what: str, why: str) -> None:
        self.damaged.append(Trouble(what, why))
