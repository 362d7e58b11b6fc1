"""What a device with the keys could seal, by mistake or on purpose: readers answer with the object's name, always."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Malformed
from shared.domain.ids import SessionId
from shared.format import head, indexes, items, names, refs, tables, wire
from shared.format.chunks import ChunkKind, chunk_id, open_chunk
from shared.format.errors import BadSignature, Damaged
from shared.format.items import Item, ItemKind
from shared.format.keys import VaultKeys
from shared.format.names import IndexName, PackName
from shared.format.packs import build, read_directory
from shared.format.records import ChunkRecord
from shared.format.refs import PackRef
from shared.format.seal import Sealed, seal
from shared.format.tables import PageRow
from tests.format.damage import bits, flipped

SESSION = SessionId("01kdvdna000000000000000001")
NAME = IndexName(SESSION, 3)
RECORDS = [ChunkRecord(bytes([n]) * 32, ChunkKind.DATA, 100 * n, 100, 90) for n in range(5)]
ITEM = Item(b"a/b", ItemKind.FILE, 0o644, 1, 1, "u", "g", 5, 9, ((b"user.x", b"1"),), b"", 0, 0, bytes(44), b"h" * 16)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text(max_size=9) | st.binary(max_size=45),
    lambda inner: st.lists(inner, max_size=16) | st.dictionaries(st.text(max_size=12), inner, max_size=6),
    max_leaves=25,
)
bodies = values.map(wire.pack) | st.binary(max_size=300)


@st.composite
def altered(draw: st.DrawFn, body: bytes) -> bytes:
    """`body` with bits turned over, a piece cut out, or a piece of noise put in."""
    for _ in range(draw(st.integers(1, 4))):
        if body:
            body = flipped(body, draw(bits))
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, len(body))) if draw(st.booleans()) else start
    return b"".join((body[:start], draw(st.binary(max_size=20)), body[end:]))


def _refusal(read: Callable[[], object]) -> Damaged | Malformed | BadSignature | None:
    """Why it cannot be read; anything else that is raised is a fault of the reader."""
    try:
        read()
    except (Damaged, Malformed, BadSignature) as refusal:
        return refusal
    return None


def _ends_well(read: Callable[[], object], name: str) -> None:
    """It is read, or it is damage that is named."""
    damage = _refusal(read)
    assert damage is None or (isinstance(damage, Damaged) and name in damage.name and damage.reason)


def _index_body() -> bytes:
    pack = PackRef(PackName(SESSION, "ab" * 32), 10_000)
    rows = b"".join(record.row() + bytes(4) for record in RECORDS)
    table = str(SESSION).encode() + bytes.fromhex(pack.name.pack_id) + pack.size_bytes.to_bytes(8)
    return b"".join(((1).to_bytes(4), len(RECORDS).to_bytes(4), table, rows))


@given(body=bodies | altered(_index_body()))
def test_any_sealed_index_is_read_or_is_damage(keys: VaultKeys, body: bytes) -> None:
    sealed = seal(keys.index, Sealed.INDEX, keys.account, str(NAME), body, bytes(12))
    _ends_well(lambda: list(indexes.decode(keys, NAME, sealed).located()), str(NAME))


@given(body=bodies)
def test_any_sealed_head_is_read_or_is_damage(keys: VaultKeys, body: bytes) -> None:
    sealed = seal(keys.metadata, Sealed.HEAD, keys.account, names.head(SESSION), body, bytes(12))
    _ends_well(lambda: head.decode(keys, SESSION, sealed), names.head(SESSION))


@given(body=bodies | altered(tables.encode([PageRow(b"a", bytes(32)), PageRow(b"b", bytes(32))])))
def test_any_table_of_pages_is_read_or_is_damage(body: bytes) -> None:
    _ends_well(lambda: tables.decode(body, "a table"), "a table")


@given(body=bodies | altered(items.encode(ITEM) * 3))
def test_any_page_of_items_is_read_or_is_damage(body: bytes) -> None:
    _ends_well(lambda: items.decode_page(body, "a page"), "a page")


@given(data=st.data())
def test_any_pack_is_read_or_is_damage(keys: VaultKeys, data: st.DataObject) -> None:
    pack = build(keys, SESSION, RECORDS, [bytes(100)] * len(RECORDS), lambda n: bytes(n))
    body = data.draw(altered(b"".join(pack.parts)))
    _ends_well(lambda: read_directory(keys, pack.name, body), str(pack.name))


@given(sealed=st.binary(max_size=200), raw=st.integers(0, 1 << 33))
def test_no_chunk_opens_to_something_else(keys: VaultKeys, sealed: bytes, raw: int) -> None:
    name = chunk_id(keys, ChunkKind.DATA, b"what was stored")
    damage = _refusal(lambda: open_chunk(keys, ChunkKind.DATA, name, sealed, raw))
    assert isinstance(damage, Damaged)
    assert name.hex()[:16] in damage.name


@given(text=st.binary(max_size=400) | altered(b"hort refs 1\naccount 01kdvdna000000000000000000\nsession " + b"0" * 26))
def test_any_text_of_refs_is_read_or_refused(text: bytes) -> None:
    refusal = _refusal(lambda: refs.decode_unverified(text))
    assert refusal is None or str(refusal)
