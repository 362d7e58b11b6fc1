import time
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Malformed
from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.format import refs
from shared.format.errors import BadSignature
from shared.format.names import IndexName, PackName
from shared.format.refs import IndexRef, PackRef, Refs
from tests.format.damage import bits, flipped, torn

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))

sessions = st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=25, max_size=25).map(lambda text: SessionId("0" + text))
sizes = st.integers(min_value=0, max_value=1 << 40)
index_refs = st.builds(IndexRef, st.builds(IndexName, sessions, st.integers(0, 10**6)), sizes)
pack_refs = st.builds(PackRef, st.builds(PackName, sessions, st.binary(min_size=32, max_size=32).map(bytes.hex)), sizes)


def unique_by_name[T: (IndexRef, PackRef)](values: list[T]) -> tuple[T, ...]:
    return tuple(sorted({value.name: value for value in values}.values()))


all_refs = st.builds(
    Refs,
    account=sessions.map(AccountId),
    session=sessions,
    device=sessions.map(DeviceId),
    head_sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
    head_size_bytes=sizes,
    indexes=st.lists(index_refs, max_size=5).map(unique_by_name),
    packs=st.lists(pack_refs, max_size=20).map(unique_by_name),
)

SESSION = SessionId("01kdvdna000000000000000001")
SAMPLE = Refs(
    AccountId("01kdvdna000000000000000000"),
    SESSION,
    DeviceId("01kdvdna000000000000000002"),
    "ab" * 32,
    4096,
    (IndexRef(IndexName(SESSION, 2), 10), IndexRef(IndexName(SESSION, 10), 11)),
    (PackRef(PackName(SESSION, "0" * 64), 1), PackRef(PackName(SESSION, "f" * 64), 2)),
)


def signed(text: bytes) -> bytes:
    """A text with a good signature, whatever it says."""
    good = refs.encode(SAMPLE, lambda _: KEY.sign(text))
    return text + good[good.index(b"signature ") :]


def body() -> bytes:
    good = refs.encode(SAMPLE, KEY.sign)
    return good[: good.index(b"signature ")]


@given(all_refs)
def test_what_was_encoded_is_decoded(value: Refs) -> None:
    assert refs.decode(refs.encode(value, KEY.sign), KEY.public_key()) == value


def test_the_text_is_the_documented_one() -> None:
    assert body().decode().splitlines() == [
        "hort refs 1",
        "account 01kdvdna000000000000000000",
        "session 01kdvdna000000000000000001",
        "device 01kdvdna000000000000000002",
        f"head {'ab' * 32} 4096",
        "index 01kdvdna000000000000000001/2 10",
        "index 01kdvdna000000000000000001/10 11",
        f"pack 01kdvdna000000000000000001/{'0' * 64} 1",
        f"pack 01kdvdna000000000000000001/{'f' * 64} 2",
    ]


@given(bits)
def test_a_flipped_bit_never_passes(bit: int) -> None:
    with pytest.raises((Malformed, BadSignature)):
        refs.decode(flipped(refs.encode(SAMPLE, KEY.sign), bit), KEY.public_key())


def test_torn_text_never_passes() -> None:
    for data in torn(refs.encode(SAMPLE, KEY.sign)):
        with pytest.raises((Malformed, BadSignature)):
            refs.decode(data, KEY.public_key())


def test_another_devices_signature_is_refused() -> None:
    with pytest.raises(BadSignature):
        refs.decode(refs.encode(SAMPLE, OTHER.sign), KEY.public_key())


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (b"hort refs 1", b"hort refs 2", 1),
        (b"account 01", b"account 8!", 2),
        (b"session 01kdvdna", b"sessio  01kdvdna", 3),
        (b"device 01", b"device  01", 4),
        (b" 4096", b" 04096", 5),
        (b" 4096", b" -4096", 5),
        (b"head ab", b"head AB", 5),
        (b"/2 10", b"/10 10", 7),
        (b"/2 10", b"/11 10", 7),
        (b"/2 10\n", b"/2 10 \n", 6),
        (b"0 1\n", b"0 1\r\n", 8),
        (b"f 2\n", b"f 2\n\n", 10),
        (b"f 2\n", b"f 2\npack\n", 10),
        (b"f 2\n", b"f 2\nindex 01kdvdna000000000000000001/99 1\n", 10),
        (b"f" * 64 + b" 2", b"0" * 64 + b" 2", 9),
        (b" 1\npack", b" 99999999999999999999\npack", 8),
        (b"hort refs 1", b"\xff\xfe", 1),
        (b"account 01", b"account \xff1", 2),
    ],
)
def test_a_signed_text_that_is_not_canonical_is_refused_with_its_line(old: bytes, new: bytes, line: int) -> None:
    text = body().replace(old, new, 1)
    assert text != body()
    with pytest.raises(Malformed, match=f"line {line}: "):
        refs.decode(signed(text), KEY.public_key())


@pytest.mark.parametrize(
    "end", [b"", b"signature \n", b"signature QUJD\n", b"signature !!!!\n", b"signature " + b"A" * 87 + b"B\n"]
)
def test_a_signature_line_that_is_none_is_refused(end: bytes) -> None:
    with pytest.raises(Malformed):
        refs.decode(body() + end, KEY.public_key())


@given(all_refs, st.lists(pack_refs, max_size=5), st.data())
def test_refs_mention_exactly_the_packs_that_decoding_finds(
    value: Refs, strangers: list[PackRef], data: st.DataObject
) -> None:
    """The second mark reads less than the commit did, and must see no less."""
    some = data.draw(st.lists(st.sampled_from(value.packs))) if value.packs else []
    asked = {str(pack.name).encode() for pack in (*strangers, *some)}
    named = {str(pack.name).encode() for pack in value.packs}
    assert refs.mentions(refs.encode(value, KEY.sign), asked) == asked & named


def test_a_pack_is_mentioned_also_in_refs_that_nobody_could_decode() -> None:
    """Where the two disagree the pack stays: half a text still speaks for it."""
    name = str(SAMPLE.packs[0].name).encode()
    assert refs.mentions(b"torn\npack " + name + b" 1\npack 01", {name}) == {name}
    assert refs.mentions(b"index " + name, {name}) == set()


def test_a_hundred_thousand_packs_are_read_in_well_under_a_second() -> None:
    packs = tuple(PackRef(PackName(SESSION, f"{n:064x}"), 32 << 20) for n in range(100_000))
    data = refs.encode(replace(SAMPLE, packs=packs), KEY.sign)
    clock = time.process_time()
    assert refs.decode(data, KEY.public_key()).packs == packs
    assert time.process_time() - clock < 1


@given(all_refs)
def test_who_trusts_the_commit_reads_the_same_needs_without_their_names(value: Refs) -> None:
    data = refs.encode(value, KEY.sign)
    found = [
        PackRef(PackName(session, ids[32 * n : 32 * n + 32].hex()), size)
        for session, ids, sizes in refs.needed_packs(data)
        for n, size in enumerate(sizes)
    ]
    assert tuple(found) == value.packs
    assert refs.needed_indexes(data) == {index.name.session for index in value.indexes}


def test_a_pack_that_cannot_be_read_is_no_pack_that_nobody_needs() -> None:
    data = refs.encode(SAMPLE, KEY.sign).replace(b"f" * 64, b"g" * 64)
    with pytest.raises(Malformed, match="not every line"):
        list(refs.needed_packs(data))
