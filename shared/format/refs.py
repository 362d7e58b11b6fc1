"""What a snapshot needs, in clear text for those who hold no key: the service, the sweep, an auditor."""

import base64
import binascii
import re
from array import array
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.domain.errors import Malformed
from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.format.errors import BadSignature
from shared.format.names import IndexName, PackName

MAX_BYTES = 256 << 20
"""About two million packs: 64 TiB in packs of 32 MiB."""

SIGNATURE_BYTES = 64

_TITLE = b"hort refs 1"
_SIGNED_BY = b"signature "
_PACK_WORD = b"pack "
_PACK_NAME_CHARACTERS = 26 + 1 + 64
_ID = rb"[0-7][0-9a-hjkmnp-tv-z]{25}"
_NUMBER = rb"0|[1-9][0-9]{0,14}"
_HEAD = re.compile(rb"head ([0-9a-f]{64}) (" + _NUMBER + rb")\Z")
_INDEX = re.compile(rb"index (" + _ID + rb")/(" + _NUMBER + rb") (" + _NUMBER + rb")\Z")
_PACK = re.compile(rb"pack (" + _ID + rb")/([0-9a-f]{64}) (" + _NUMBER + rb")\Z")
_INDEX_LINE = re.compile(rb"^index (" + _ID + rb")/", re.MULTILINE)
_GROUPS = re.Match[bytes].groups
_PACK_LINE = re.compile(rb"^pack (" + _ID + rb")/([0-9a-f]{64}) (" + _NUMBER + rb")$", re.MULTILINE)


class IndexRef(NamedTuple):
    name: IndexName
    size_bytes: int


class PackRef(NamedTuple):
    name: PackName
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Refs:
    """All that must stay in the vault for this snapshot to be restorable; both tuples sorted, each name once."""

    account: AccountId
    session: SessionId
    device: DeviceId
    head_sha256: str
    head_size_bytes: int
    indexes: tuple[IndexRef, ...]
    packs: tuple[PackRef, ...]


def encode(refs: Refs, sign: Callable[[bytes], bytes]) -> bytes:
    """The one canonical text of `refs`, closed by the device's Ed25519 signature over all bytes before its line."""
    text = "".join(f"{line}\n" for line in _lines(refs)).encode()
    return text + _SIGNED_BY + base64.b64encode(sign(text)) + b"\n"


def decode(data: bytes, verify_key: Ed25519PublicKey) -> Refs:
    """Reads refs that the holder of `verify_key` signed. Raises `Malformed` naming the line, or `BadSignature`."""
    text, signature = _split(data)
    try:
        verify_key.verify(signature, text)
    except InvalidSignature:
        raise BadSignature("refs: the signature is not the device's, or the text was changed") from None
    return _parse(text)


def decode_unverified(data: bytes) -> Refs:
    """Reads refs without asking who signed them: for holders of the master key, who trust the sealed head instead."""
    return _parse(_split(data)[0])


def mentions(data: bytes, packs: Set[bytes]) -> Set[bytes]:
    """Which of these packs (names, as ASCII) some refs speak of; reads nothing else and believes nobody's summary."""
    named = slice(len(_PACK_WORD), len(_PACK_WORD) + _PACK_NAME_CHARACTERS)
    return packs & {line[named] for line in data.split(b"\n") if line.startswith(_PACK_WORD)}


def needed_packs(data: bytes) -> Iterator[tuple[SessionId, bytes, tuple[int, ...]]]:
    """By session the packs that refs name, 32 bytes each, and their sizes: for who trusts the commit that checked them.

    Raises `Malformed` when a pack's line cannot be read: a sweep must not take for unneeded what nobody read.
    """
    count = 0
    for raw, rows in groupby(map(_GROUPS, _PACK_LINE.finditer(data)), key=itemgetter(0)):
        ids, sizes = bytearray(), array("Q")
        for _, pack_id, size in rows:
            ids += binascii.unhexlify(pack_id)
            sizes.append(int(size))
        count += len(sizes)
        yield SessionId(raw.decode()), bytes(ids), tuple(sizes)
    if count != data.count(b"\n" + _PACK_WORD):
        raise Malformed("refs", "not every line of a pack can be read")


def needed_indexes(data: bytes) -> frozenset[SessionId]:
    """The sessions whose indexes they name; likewise."""
    return frozenset(SessionId(row[1].decode()) for row in _INDEX_LINE.finditer(data))


def _lines(refs: Refs) -> Iterator[str]:
    yield _TITLE.decode()
    yield f"account {refs.account}"
    yield f"session {refs.session}"
    yield f"device {refs.device}"
    yield f"head {refs.head_sha256} {refs.head_size_bytes}"
    yield from (f"index {name.session}/{name.number} {size}" for name, size in refs.indexes)
    yield from (f"pack {name} {size}" for name, size in refs.packs)


def _split(data: bytes) -> tuple[bytes, bytes]:
    """The signed text and its signature, with the shape of the last line checked."""
    if len(data) > MAX_BYTES:
        raise Malformed("refs", f"{len(data)} bytes are more than {MAX_BYTES}")
    cut = data.rfind(b"\n", 0, -1) + 1
    if not data.startswith(_SIGNED_BY, cut) or not data.endswith(b"\n"):
        raise Malformed("refs", "the last line is not a signature")
    try:
        signature = base64.b64decode(data[cut + len(_SIGNED_BY) : -1], validate=True)
    except binascii.Error:
        raise Malformed("refs", "the signature is not base 64") from None
    if len(signature) != SIGNATURE_BYTES or base64.b64encode(signature) != data[cut + len(_SIGNED_BY) : -1]:
        raise Malformed("refs", f"the signature is not {SIGNATURE_BYTES} bytes in canonical base 64")
    return data[:cut], signature


class _Text:
    """The lines of a text, read once from the top; errors carry the number of the line."""

    def __init__(self, text: bytes) -> None:
        self._lines = text.split(b"\n")
        self._at = 0
        self._sessions: dict[bytes, SessionId] = {}

    def wrong(self, why: str) -> Malformed:
        return Malformed("refs", f"line {self._at}: {why}")

    def peek(self) -> bytes:
        return self._lines[self._at] if self._at < len(self._lines) else b""

    def at_end(self) -> bool:
        return self.next() == b"" and self._at == len(self._lines)

    def next(self) -> bytes:
        line = self.peek()
        self._at += 1
        return line

    def word[T](self, key: bytes, parse: Callable[[str], T]) -> T:
        line = self.next()
        if not line.startswith(key + b" "):
            raise self.wrong(f"{line[:60]!r} is not `{key.decode()} ...`")
        try:
            return parse(line[len(key) + 1 :].decode("ascii", "replace"))
        except Malformed as error:
            raise self.wrong(error.reason) from None

    def session(self, raw: bytes) -> SessionId:
        """Equal names share one string: a hundred thousand packs come from a few sessions."""
        return self._sessions.get(raw) or self._sessions.setdefault(raw, SessionId(raw.decode()))

    def rows(self, key: bytes, pattern: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
        while self.peek().startswith(key):
            line = self.next()
            match = pattern.match(line)
            if not match:
                raise self.wrong(f"{line[:120]!r} is not a line of this kind")
            yield match


def _parse(raw: bytes) -> Refs:
    text = _Text(raw)
    if text.next() != _TITLE:
        raise text.wrong(f"is not `{_TITLE.decode()}`")
    account = text.word(b"account", AccountId.parse)
    session = text.word(b"session", SessionId.parse)
    device = text.word(b"device", DeviceId.parse)
    head = _HEAD.match(text.next())
    if not head:
        raise text.wrong("is not `head <64 hex digits> <size>`")
    indexes = tuple(_indexes(text))
    packs = tuple(_packs(text))
    if not text.at_end():
        raise text.wrong("is neither an index nor a pack, or stands in the wrong place")
    return Refs(account, session, device, head[1].decode(), int(head[2]), indexes, packs)


def _indexes(text: _Text) -> Iterator[IndexRef]:
    last: IndexName | None = None
    for row in text.rows(b"index ", _INDEX):
        name = IndexName(text.session(row[1]), int(row[2]))
        if last is not None and name <= last:
            raise text.wrong("is out of order, or there twice")
        yield IndexRef(name, int(row[3]))
        last = name


def _packs(text: _Text) -> Iterator[PackRef]:
    last = ("", "")
    for row in text.rows(b"pack ", _PACK):
        name = PackName(text.session(row[1]), row[2].decode())
        if name <= last:
            raise text.wrong("is out of order, or there twice")
        yield PackRef(name, int(row[3]))
        last = name
