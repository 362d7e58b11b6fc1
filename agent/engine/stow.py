"""From plaintexts to packs in the vault: workers name, seal and pack; a few uploaders send; who is too fast waits."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Self

from agent.engine.journal import BegunPack, Journal, Member, begun
from agent.engine.known import Known
from agent.engine.orders import Progress
from agent.vault import Vault
from shared.domain.errors import HortError
from shared.domain.ids import SessionId
from shared.format import packs
from shared.format.chunks import NONCE_BYTES, ChunkKind, chunk_id, seal_chunk
from shared.format.keys import VaultKeys
from shared.format.records import ChunkRecord

UPLOADERS = 2
"""Packs under way at once, each in memory whole."""

MOST_MEMBERS = 65_536
"""Small files in one pack, some 200 bytes each until it is sent: tiny files fill a pack with few bytes."""


class UploadFailed(HortError):
    """A pack could not be stored, or not be written down in the journal."""


type Plain = bytes | memoryview


class Small(NamedTuple):
    """A small file within the one plaintext of its job."""

    digest: bytes
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Job:
    """Plaintexts to store, some 4 MiB together: handing over costs more than a small piece is worth.

    `done` gets their chunk ids, in order, on the thread that submits.
    """

    kind: ChunkKind
    plains: Sequence[Plain]
    done: Callable[[list[bytes]], None]
    small: Sequence[Small] = ()


@dataclass(slots=True)
class Box:
    """A pack that is being filled."""

    records: list[ChunkRecord] = field(default_factory=list[ChunkRecord])
    chunks: list[bytes] = field(default_factory=list[bytes])
    members: list[Member] = field(default_factory=list[Member])
    size_bytes: int = 0

    def is_full(self, target_bytes: int) -> bool:
        return self.size_bytes >= target_bytes or len(self.members) >= MOST_MEMBERS

    def add(self, kind: ChunkKind, name: bytes, sealed: bytes, raw_length: int) -> None:
        self.records.append(ChunkRecord(name, kind, self.size_bytes, len(sealed), raw_length))
        self.chunks.append(sealed)
        self.size_bytes += len(sealed)


@dataclass(frozen=True, slots=True)
class StowSettings:
    session: SessionId
    threads: int
    pack_target_bytes: int
    entropy: Callable[[int], bytes]


class Stow:
    """Stores chunks that the vault does not have. One thread submits; memory is bounded by jobs and packs in flight."""

    def __init__(
        self, settings: StowSettings, vault: Vault, keys: VaultKeys, known: Known, journal: Journal, progress: Progress
    ) -> None:
        self._settings, self._vault, self._keys = settings, vault, keys
        self._known, self._journal, self._progress = known, journal, progress
        self._workers = ThreadPoolExecutor(settings.threads, "seal")
        self._uploaders = ThreadPoolExecutor(UPLOADERS, "upload")
        self._jobs: deque[tuple[Future[list[bytes]], Job]] = deque()
        self._most_jobs = settings.threads + 2
        self._room = threading.Semaphore(UPLOADERS)
        self._lock = threading.Lock()
        self._packing = threading.Lock()
        self._boxes = {True: Box(), False: Box()}
        self._failure: BaseException | None = None
        self.new_bytes = 0
        self.sent_bytes = 0
        self.packs: list[BegunPack] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        """What is being sent is sent to its end; what waits is not, when the run was broken off."""
        self._failure = self._failure or error
        self._workers.shutdown(cancel_futures=True)
        self._uploaders.shutdown(cancel_futures=True)

    def submit(self, job: Job) -> None:
        """Waits while too much is under way. Raises what an earlier upload raised."""
        while len(self._jobs) >= self._most_jobs:
            self._collect()
        self._jobs.append((self._workers.submit(self._work, job), job))

    def store(self, kind: ChunkKind, plain: bytes) -> bytes:
        """Stores one piece at once; for the few and small. The chunk's id."""
        return self._work(Job(kind, (plain,), lambda _: None))[0]

    def drain(self) -> None:
        """Until every job is done and its `done` was called."""
        while self._jobs:
            self._collect()

    def finish(self) -> None:
        """Sends the packs that are not full, and waits for all."""
        self.drain()
        for box in self._boxes.values():
            if box.records:
                self._ship(box)
        self._boxes = {True: Box(), False: Box()}
        self._uploaders.shutdown(wait=True)
        self._raise_failure()

    def _collect(self) -> None:
        future, job = self._jobs.popleft()
        names = future.result()
        self._raise_failure()
        job.done(names)

    def _raise_failure(self) -> None:
        """An `OSError` gets another name, so that nobody takes it for trouble with the file that is being read."""
        if isinstance(self._failure, OSError):
            raise UploadFailed(f"storing a pack failed: {self._failure}") from self._failure
        if self._failure is not None:
            raise self._failure

    def _work(self, job: Job) -> list[bytes]:
        names: list[bytes] = []
        for plain in job.plains:
            name = chunk_id(self._keys, job.kind, plain)
            names.append(name)
            if self._known.claim(name):
                nonce = self._settings.entropy(NONCE_BYTES)
                self._pack(job, name, seal_chunk(self._keys, job.kind, name, plain, nonce), len(plain))
        return names

    def _pack(self, job: Job, name: bytes, sealed: bytes, raw_length: int) -> None:
        """Data and metadata go to different packs: they are read, and die, at different times."""
        # A full box waits for its uploader under the lock, so that nobody fills another one meanwhile: that is what
        # bounds the memory. Uploaders never take this lock.
        with self._packing:
            box = self._boxes[job.kind is ChunkKind.DATA]
            box.add(job.kind, name, sealed, raw_length)
            box.members.extend(Member(digest, name, offset, length) for digest, offset, length in job.small)
            self.new_bytes += raw_length if job.kind is ChunkKind.DATA else 0
            if box.is_full(self._settings.pack_target_bytes):
                self._ship(box)
                self._boxes[job.kind is ChunkKind.DATA] = Box()

    def _ship(self, box: Box) -> None:
        self._room.acquire()
        self._uploaders.submit(self._upload, box)

    def _upload(self, box: Box) -> None:
        try:
            if self._failure is None:
                self._send(box)
        except BaseException as error:  # raised again on the thread that waits for the upload
            self._failure = error
        finally:
            self._room.release()

    def _send(self, box: Box) -> None:
        settings = self._settings
        pack = packs.build(self._keys, settings.session, box.records, box.chunks, settings.entropy)
        record = begun(pack, box.members)
        # Journal before upload: a pack that is in the vault is always known to the next run.
        with self._lock:
            self._journal.begin(record)
        self._vault.put_pack(pack.name, pack.parts)
        self._known.place(record)
        with self._lock:
            self.packs.append(record._replace(members=()))  # they are in the journal, and many
            self.sent_bytes += pack.size_bytes
        self._progress.sent(pack.size_bytes)
