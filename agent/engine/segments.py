"""The index segments of the vault, fetched once and kept as they lie there: sealed."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.vault import Reader, VaultObjectMissing
from shared.format import indexes
from shared.format.errors import Damaged
from shared.format.indexes import IndexSegment
from shared.format.keys import VaultKeys
from shared.format.names import IndexName


@dataclass(frozen=True, slots=True)
class Segments:
    opened: tuple[IndexSegment, ...]
    sizes_bytes: Mapping[IndexName, int]
    """Of the sealed objects."""


def load(names: Sequence[IndexName], reader: Reader, keys: VaultKeys, folder: Path) -> Segments:
    """A segment that is gone or damaged is passed over: its chunks count as absent, and are stored again."""
    folder.mkdir(exist_ok=True, mode=0o700)
    _forget_others(folder, names)
    opened: list[IndexSegment] = []
    sizes: dict[IndexName, int] = {}
    for name in names:
        with contextlib.suppress(Damaged, VaultObjectMissing):
            segment, sizes[name] = _load(name, reader, keys, folder)
            opened.append(segment)
    return Segments(tuple(opened), sizes)


def _load(name: IndexName, reader: Reader, keys: VaultKeys, folder: Path) -> tuple[IndexSegment, int]:
    kept = folder / _file_name(name)
    with contextlib.suppress(FileNotFoundError, Damaged):
        sealed = kept.read_bytes()
        return indexes.decode(keys, name, sealed), len(sealed)
    sealed = reader.meta(str(name))
    segment = indexes.decode(keys, name, sealed)
    kept.with_suffix(".new").write_bytes(sealed)
    kept.with_suffix(".new").replace(kept)
    return segment, len(sealed)


def _forget_others(folder: Path, names: Sequence[IndexName]) -> None:
    live = {_file_name(name) for name in names}
    for kept in folder.iterdir():
        if kept.name not in live:
            kept.unlink()


def _file_name(name: IndexName) -> str:
    return f"{name.session}-{name.number}"
