"""What is backed up: three inputs built from a seed, and the edits of the days that follow."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

FILES_A_FOLDER = 100
LARGEST_FILE_BYTES = 2 << 20
PAGE_BYTES = 8192
RUN_PAGES = 16
_LETTERS = b"etaoinshrdlucmfwypvbgkjqxz"
_WORDS = 4096
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Case:
    """An input: `build(root)` makes it, `edit(root, day)` changes 1 % of it, `one` is a file in it."""

    name: str
    build: Callable[[Path], None]
    edit: Callable[[Path, int], None]
    one: str


def cases(scale: float) -> list[Case]:
    """Of full size at `scale` 1: 100,000 files, 2 GiB, 1 GiB."""
    files, pages, noise_bytes = int(100_000 * scale), int((2 << 30) * scale) // PAGE_BYTES, int((1 << 30) * scale)
    return [
        Case("tree", partial(build_tree, files=files), edit_tree, _name(files // 2)),
        Case("image", partial(build_image, pages=pages), edit_image, "database"),
        Case("noise", partial(build_noise, size_bytes=noise_bytes), edit_noise, "noise-0"),
    ]


def build_tree(root: Path, files: int) -> None:
    """Sizes are lognormal around 4 KiB; three of four files are text, one is as if compressed; 3 % are copies."""
    chance = random.Random(1)
    words = _words(chance)
    for n in range(files):
        path = root / _name(n)
        path.parent.mkdir(parents=True, exist_ok=True)
        if n and chance.random() < 0.03:
            path.write_bytes((root / _name(chance.randrange(n))).read_bytes())
        else:
            path.write_bytes(_content(chance, words, min(int(chance.lognormvariate(8.3, 1.5)), LARGEST_FILE_BYTES)))


def edit_tree(root: Path, day: int, share: float = 0.01) -> None:
    """One file of a hundred gets a line in its middle."""
    chance = random.Random(1000 + day)
    files = sum(1 for _ in root.glob("*/*/*"))
    for n in chance.sample(range(files), max(1, int(files * share))):
        path = root / _name(n)
        data = path.read_bytes()
        path.write_bytes(b"".join((data[: len(data) // 2], b"edited on day %d\n" % day, data[len(data) // 2 :])))


def build_image(root: Path, pages: int) -> None:
    """One file of 8 KiB pages, as a database has: a header, rows of text, room that is zero."""
    chance = random.Random(2)
    words = _words(chance)
    root.mkdir(parents=True, exist_ok=True)
    with (root / "database").open("wb") as file:
        for number in range(pages):
            file.write(_page(chance, words, number, 0))


def edit_image(root: Path, day: int) -> None:
    """1 % of the pages, in runs of sixteen: what a day changes in a database lies together."""
    chance = random.Random(2000 + day)
    words = _words(chance)
    path = root / "database"
    pages = path.stat().st_size // PAGE_BYTES
    with path.open("r+b") as file:
        for start in chance.sample(range(max(pages - RUN_PAGES, 1)), max(1, pages // 100 // RUN_PAGES)):
            file.seek(start * PAGE_BYTES)
            file.writelines(_page(chance, words, number, day) for number in range(start, start + RUN_PAGES))


def build_noise(root: Path, size_bytes: int) -> None:
    """Four files that no compression makes smaller."""
    chance = random.Random(3)
    root.mkdir(parents=True, exist_ok=True)
    for n in range(4):
        with (root / f"noise-{n}").open("wb") as file:
            for _ in range(size_bytes // 4 // _BLOCK_BYTES):
                file.write(chance.randbytes(_BLOCK_BYTES))


def edit_noise(root: Path, day: int) -> None:
    """1 % of the bytes, in pieces of 256 KiB."""
    chance = random.Random(3000 + day)
    piece_bytes = 256 << 10
    for path in sorted(root.iterdir()):
        size_bytes = path.stat().st_size
        with path.open("r+b") as file:
            for _ in range(max(1, size_bytes // 100 // piece_bytes)):
                file.seek(chance.randrange(max(size_bytes - piece_bytes, 1)))
                file.write(chance.randbytes(piece_bytes))


def settle() -> None:
    """Nothing of what was built waits for the disk while others are measured."""
    os.sync()


def _name(n: int) -> str:
    folder = n // FILES_A_FOLDER
    return f"area-{folder // 20:03}/folder-{folder:05}/file-{n:07}.txt"


def _content(chance: random.Random, words: list[bytes], size_bytes: int) -> bytes:
    return chance.randbytes(size_bytes) if chance.random() < 0.25 else _text(chance, words, size_bytes)


def _words(chance: random.Random) -> list[bytes]:
    weights = [1 / rank for rank in range(1, len(_LETTERS) + 1)]
    return [bytes(chance.choices(_LETTERS, weights, k=chance.randint(2, 10))) + b" " for _ in range(_WORDS)]


def _text(chance: random.Random, words: list[bytes], size_bytes: int) -> bytes:
    """Each file has 256 words of its own; some come more often."""
    own = [words[min(int(chance.paretovariate(0.6)) - 1, _WORDS - 1)] for _ in range(256)]
    return b"".join(map(own.__getitem__, chance.randbytes(size_bytes // 4 + 1)))[:size_bytes]


def _page(chance: random.Random, words: list[bytes], number: int, day: int) -> bytes:
    rows = _text(chance, words, chance.randrange(PAGE_BYTES // 4, PAGE_BYTES // 4 * 3))
    keys = chance.randbytes(PAGE_BYTES // 6)
    return b"".join((b"page %12d version %6d " % (number, day), keys, rows)).ljust(PAGE_BYTES, b"\0")
