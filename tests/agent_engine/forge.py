"""A snapshot as a writer with the keys and bad intentions would make it."""

import os

from agent.engine import closing
from agent.engine.closing import Close
from agent.engine.journal import begun
from shared.domain.commits import Statistics
from shared.domain.ids import SessionId
from shared.format import items, packs
from shared.format.chunks import ChunkKind, chunk_id, seal_chunk
from shared.format.head import Head, HeadStatistics
from shared.format.items import Item
from shared.format.records import ChunkRecord
from shared.format.tables import PageRow
from tests.agent_engine.house import DEVICE, KEYS, House


def forged_snapshot(house: House, page: list[Item]) -> SessionId:
    """Committed, with one page that holds just these items, in this order."""
    vault = house.vault()
    opened = vault.open_session(None)
    plain = b"".join(items.encode(item) for item in page)
    name = chunk_id(KEYS, ChunkKind.ITEMS, plain)
    sealed = seal_chunk(KEYS, ChunkKind.ITEMS, name, plain, bytes(12))
    record = ChunkRecord(name, ChunkKind.ITEMS, 0, len(sealed), len(plain))
    pack = packs.build(KEYS, opened.session, [record], [sealed], os.urandom)
    vault.put_pack(pack.name, pack.parts)
    now = vault.now()
    head = Head(
        opened.session, DEVICE, "forge", (), now, now, HeadStatistics(0, 0, 0, 0, 0), (), (), 0, (PageRow(b"", name),)
    )
    mine = begun(pack, ())
    close = Close(head, [mine.ref], (), [mine], Statistics(), os.urandom)
    closing.write(closing.prepare(close, vault, KEYS), vault, opened.session)
    return opened.session
