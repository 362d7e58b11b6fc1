"""Entries leave in the order in which they were found, though their contents become ready in any order."""

from collections import deque
from dataclasses import dataclass, field

from agent.engine.contents import Draft
from agent.engine.memory import Memo, MemoryWriter
from agent.engine.pages import PageWriter
from agent.engine.renewal import WHOLE
from agent.engine.stow import Stow
from shared.format import content
from shared.format.chunks import ChunkKind
from shared.format.items import Item, encode

MOST_WAITING = 32_768
"""Entries that may wait for one bundle, some 1 KB each; then the bundle is sent as it is."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """An entry whose content is under way; `remember` is false for what the next run must look at again anyway."""

    item: Item
    stamp: bytes
    draft: Draft = field(default_factory=Draft)
    remember: bool = True


class Outflow:
    """Pages, memory and the chunks in use, fed in order."""

    def __init__(self, stow: Stow, pages: PageWriter, memory: MemoryWriter) -> None:
        self._stow, self._pages, self._memory = stow, pages, memory
        self._queue: deque[Memo | Drafted] = deque()
        self.used: dict[bytes, int] = {}
        """Bytes of plaintext that are needed, by chunk id; more than there are where files share them."""

    def push(self, entry: Memo | Drafted) -> None:
        self._queue.append(entry)
        self.settle()

    def settle(self) -> None:
        """Lets go what is ready."""
        queue = self._queue
        while queue:
            match queue[0]:
                case Memo() as memo:
                    self._emit(memo, remember=True)
                case Drafted(draft=Draft(waiting=0)) as drafted:
                    self._emit(self._finished(drafted), drafted.remember)
                case _:
                    return
            queue.popleft()

    def wait(self) -> None:
        """Until all that was handed to the workers is done."""
        self._stow.drain()
        self.settle()

    @property
    def crowded(self) -> bool:
        return len(self._queue) >= MOST_WAITING

    def _emit(self, memo: Memo, remember: bool) -> None:
        used = self.used
        for chunk, length in content.needs(memo.rows):
            used[chunk] = used.get(chunk, 0) + length
        if memo.lists:
            used.update(dict.fromkeys(content.chunk_ids(memo.lists), WHOLE))
        self._pages.add(memo.path, memo.item)
        if remember:
            self._memory.add(memo)

    def _finished(self, drafted: Drafted) -> Memo:
        draft = drafted.draft
        rows = b"".join(draft.rows)
        lists = self._lists(rows) if len(rows) > content.MAX_INLINE_ROWS * content.ROW_BYTES else b""
        depth, inline = (1, lists) if lists else (0, rows)
        item = drafted.item._replace(size=draft.size, depth=depth, content=inline, content_hash=draft.digest)
        return Memo(item.path, drafted.stamp, encode(item), rows, lists, draft.digest)

    def _lists(self, rows: bytes) -> bytes:
        """A long content list in chunks of its own, and the rows that refer to them."""
        return b"".join(self._list(piece) for piece in content.split_list(rows))

    def _list(self, piece: bytes) -> bytes:
        return content.encode_row(self._stow.store(ChunkKind.LIST, piece), 0, content.length_bytes(piece))
