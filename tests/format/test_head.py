from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import DeviceId, SessionId
from shared.format import head, names, tables, wire
from shared.format.errors import Damaged
from shared.format.head import Head, HeadStatistics
from shared.format.keys import VaultKeys
from shared.format.names import IndexName
from shared.format.seal import Sealed, seal
from shared.format.tables import PageRow
from tests.format.damage import bits, flipped, torn

SESSION = SessionId("01kdvdna000000000000000001")
HEAD = Head(
    session=SESSION,
    device=DeviceId("01kdvdna000000000000000002"),
    host="böx",
    paths=(b"home/a", b"home/\xff"),
    started=datetime(2026, 3, 1, 12, tzinfo=UTC),
    ended=datetime(2026, 3, 1, 13, tzinfo=UTC),
    statistics=HeadStatistics(files=3, directories=2, logical_bytes=10**15, new_bytes=1, skipped=1),
    skipped=(("home/x", "Permission denied"),),
    indexes=(IndexName(SESSION, 0), IndexName(SESSION, 1)),
    depth=0,
    pages=(PageRow(b"home/a", bytes(32)), PageRow(b"home/b", b"\1" * 32)),
)


def test_a_head_gives_back_what_it_was_made_of(keys: VaultKeys) -> None:
    assert head.decode(keys, SESSION, head.encode(keys, HEAD, bytes(12))) == HEAD


@given(bit=bits)
def test_a_flipped_bit_is_damage(keys: VaultKeys, bit: int) -> None:
    with pytest.raises(Damaged):
        head.decode(keys, SESSION, flipped(head.encode(keys, HEAD, bytes(12)), bit))


def test_a_torn_head_is_damage(keys: VaultKeys) -> None:
    for sealed in torn(head.encode(keys, HEAD, bytes(12))):
        with pytest.raises(Damaged):
            head.decode(keys, SESSION, sealed)


def test_a_head_of_a_later_version_is_named_as_such(keys: VaultKeys) -> None:
    sealed = bytearray(head.encode(keys, HEAD, bytes(12)))
    sealed[5] = 2
    with pytest.raises(Damaged, match="version"):
        head.decode(keys, SESSION, bytes(sealed))


def test_nobody_can_hand_out_one_snapshot_for_another(keys: VaultKeys, other_keys: VaultKeys) -> None:
    sealed = head.encode(keys, HEAD, bytes(12))
    with pytest.raises(Damaged):
        head.decode(keys, SessionId("01kdvdna000000000000000009"), sealed)
    with pytest.raises(Damaged):
        head.decode(other_keys, SESSION, sealed)


def test_only_a_bounded_number_of_skipped_paths_is_kept(keys: VaultKeys) -> None:
    many = replace(HEAD, skipped=(("p", "r"),) * 5_000)
    assert len(head.decode(keys, SESSION, head.encode(keys, many, bytes(12))).skipped) == head.MAX_SKIPPED


@pytest.mark.parametrize("body", [[], {}, {"session": SESSION}, 7, b"x"])
def test_a_head_that_lacks_fields_is_damage(keys: VaultKeys, body: object) -> None:
    sealed = seal(keys.metadata, Sealed.HEAD, keys.account, names.head(SESSION), wire.pack(body), bytes(12))
    with pytest.raises(Damaged):
        head.decode(keys, SESSION, sealed)


@given(st.integers(0, 5_000))
def test_a_long_table_of_pages_is_split_and_nothing_is_lost(count: int) -> None:
    rows = [PageRow(b"%06d" % n, n.to_bytes(32, "little")) for n in range(count)]
    parts = list(tables.split(rows))
    assert [row for part in parts for row in part] == rows
    assert all(len(part) <= tables.MAX_TABLE_ROWS for part in parts)
    assert all(tables.decode(tables.encode(part), "table") == tuple(part) for part in parts)
