import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.format import content, items, wire
from shared.format.content import Segment
from shared.format.errors import Damaged
from shared.format.items import Item, ItemKind, order
from shared.format.keys import VaultKeys

names = st.binary(min_size=1, max_size=6).map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"_"))
paths = st.lists(names, min_size=1, max_size=4).map(b"/".join)
rows = st.lists(st.binary(min_size=32, max_size=32), max_size=3).map(
    lambda ids: b"".join(content.encode_row(i, 1, 2) for i in ids)
)
nothing_nul = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)
some_items = st.builds(
    Item,
    path=paths,
    kind=st.sampled_from(ItemKind),
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 2**32 - 1),
    gid=st.integers(0, 2**32 - 1),
    user=nothing_nul,
    group=nothing_nul,
    mtime_ns=st.integers(-(2**62), 2**62),
    size=st.integers(0, 2**62),
    xattrs=st.lists(st.tuples(names, st.binary(max_size=8)), max_size=2).map(tuple),
    target=paths,
    device=st.integers(0, 2**63),
    depth=st.sampled_from([0, 1]),
    content=rows,
    content_hash=st.binary(max_size=16),
)


@given(st.lists(some_items, max_size=5))
def test_a_page_gives_its_items_back(held: list[Item]) -> None:
    assert items.decode_page(b"".join(items.encode(item) for item in held), "page") == held


@given(st.binary(max_size=200))
def test_noise_is_damage_and_nothing_else(data: bytes) -> None:
    if data:  # an empty page is a page
        with pytest.raises(Damaged, match="page is damaged"):
            items.decode_page(data, "page")


@given(st.lists(some_items, min_size=1, max_size=2), st.integers(1, 50))
def test_a_torn_page_is_damage(held: list[Item], short: int) -> None:
    page = b"".join(items.encode(item) for item in held)
    with pytest.raises(Damaged):
        items.decode_page(page[: -min(short, len(items.encode(held[-1])) - 1)], "page")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": 99},
        {"size": -1},
        {"path": "text"},
        {"depth": 2},
        {"content": b"x"},
        {"xattrs": [[b"only name"]]},
        {"mode": None},
        {"uid": 1 << 32},
        {"gid": -1},
        {"size": 1 << 63},
        {"device": -1},
        {"user": "a\0b"},
        {"target": b"a\0b"},
        {"xattrs": [[b"user.\0", b""]]},
    ],
)
def test_an_item_with_a_field_that_cannot_be_is_damage(change: dict[str, object]) -> None:
    good = Item(b"a", ItemKind.FILE, 0o644, 0, 0, "", "", 0, 0)
    with pytest.raises(Damaged):
        items.decode_page(wire.pack(good._replace(**change)), "page")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "bomb", [b"\x91" * 100_000, b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff"]
)
def test_msgpack_that_promises_too_much_is_damage(bomb: bytes) -> None:
    with pytest.raises(Damaged):
        items.decode_page(bomb, "page")


def test_extension_types_mean_nothing_here() -> None:
    with pytest.raises(Damaged):
        items.decode_page(b"\xd4\x05x", "page")


@given(st.lists(paths, max_size=20, unique=True))
def test_a_folder_stands_before_what_is_in_it_and_nothing_stands_between(found: list[bytes]) -> None:
    found.sort(key=order)
    for folder in found:
        inside = [n for n, path in enumerate(found) if path.startswith(folder + b"/")]
        start = found.index(folder)
        assert inside == list(range(start + 1, start + 1 + len(inside)))


def test_pages_are_cut_by_the_paths_so_one_more_entry_renews_one_page(keys: VaultKeys) -> None:
    def cuts(some: list[bytes]) -> list[bytes]:
        ends: list[bytes] = []
        held = 0
        for path in some:
            held += 1
            if items.ends_page(keys, path, held, held * 100):
                ends.append(path)
                held = 0
        return ends

    files = [b"folder/%06d" % n for n in range(0, 40_000, 2)]
    before, after = cuts(files), cuts(sorted([*files, b"folder/000777"]))
    assert 10 < len(before) < 80
    assert len(set(before) ^ set(after)) <= 4


@given(
    st.lists(
        st.tuples(st.binary(min_size=32, max_size=32), st.integers(0, 2**32 - 1), st.integers(0, 2**63)), max_size=5
    )
)
def test_content_rows_give_their_segments_back(segments: list[tuple[bytes, int, int]]) -> None:
    packed = b"".join(content.encode_row(*segment) for segment in segments) + content.encode_hole(5)
    known = [Segment(None if chunk == bytes(32) else chunk, at, length) for chunk, at, length in segments]
    assert list(content.decode_rows(packed)) == [*known, Segment(None, 0, 5)]
    assert list(content.chunk_ids(packed)) == [segment.chunk for segment in known if segment.chunk]


def test_a_long_list_is_cut_by_its_chunks_so_an_edit_renews_one_piece(keys: VaultKeys) -> None:
    def ids(n: int) -> bytes:
        return content.encode_row(items.content_hash(keys, b"%d" % n) * 2, 0, 1 << 20)

    before = list(content.split_list(b"".join(ids(n) for n in range(20_000))))
    after = list(content.split_list(b"".join(ids(n) for n in range(20_000) if n != 7_777)))
    assert len(before) > 5
    assert len(set(before) ^ set(after)) <= 4
