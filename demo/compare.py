"""Compares two trees: every name, kind, byte, mode, owner, time, attribute, symlink and hard link."""

import os
import stat
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Difference:
    """`path` is relative to both trees, printable; `what` is such as `mode`, the others what it is here and there."""

    path: str
    what: str
    source: str
    restored: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what} is {self.restored}, not {self.source}"


@dataclass(frozen=True, slots=True)
class _Tree:
    root: bytes
    entries: dict[bytes, os.stat_result]
    links: dict[tuple[int, int], list[bytes]]
    """The names of each file that has several, in order; keyed by device and inode."""

    def full(self, path: bytes) -> bytes:
        return os.path.join(self.root, path)  # noqa: PTH118 -- pathlib has no bytes

    def linked(self, path: bytes) -> list[bytes]:
        entry = self.entries[path]
        return self.links.get((entry.st_dev, entry.st_ino), [path])


type _Aspect = Callable[[_Tree, bytes], object]


def compare(source: Path, restored: Path) -> list[Difference]:
    """Everything in which `restored` differs from `source`, by path; both are folders. Symlinks are never followed."""
    one, other = _read(source), _read(restored)
    found: list[Difference] = []
    for path in sorted(one.entries.keys() | other.entries.keys()):
        found += _compare_entry(one, other, path)
    return found


def _compare_entry(one: _Tree, other: _Tree, path: bytes) -> Iterator[Difference]:
    kinds = _kind(one, path), _kind(other, path)
    if kinds[0] != kinds[1]:
        yield Difference(_shown(path), "kind", *kinds)
        return
    for what, aspect in _aspects(one.entries[path].st_mode):
        here, there = aspect(one, path), aspect(other, path)
        if here != there:
            yield Difference(_shown(path), what, str(here), str(there))
    if stat.S_ISREG(one.entries[path].st_mode):
        yield from _compare_content(one, other, path)


def _compare_content(one: _Tree, other: _Tree, path: bytes) -> Iterator[Difference]:
    with open(one.full(path), "rb") as here, open(other.full(path), "rb") as there:  # noqa: PTH123 -- bytes again
        offset = 0
        while True:
            left, right = here.read(_READ_BYTES), there.read(_READ_BYTES)
            if left != right:
                at = _first_difference(left, right)
                yield Difference(_shown(path), f"byte {offset + at}", _byte(left, at), _byte(right, at))
                return
            if not left:
                return
            offset += len(left)


def _aspects(mode: int) -> Iterator[tuple[str, _Aspect]]:
    yield "owner", lambda tree, path: (tree.entries[path].st_uid, tree.entries[path].st_gid)
    yield "mtime_ns", lambda tree, path: tree.entries[path].st_mtime_ns
    yield "attributes", _attributes
    if stat.S_ISLNK(mode):
        yield "target", lambda tree, path: os.readlink(tree.full(path))  # noqa: PTH115 -- bytes again
    else:
        yield "mode", lambda tree, path: oct(stat.S_IMODE(tree.entries[path].st_mode))
    if not stat.S_ISDIR(mode):
        yield "names", lambda tree, path: [_shown(name) for name in tree.linked(path)]
    if stat.S_ISREG(mode):
        yield "size", lambda tree, path: tree.entries[path].st_size
    if stat.S_ISBLK(mode) or stat.S_ISCHR(mode):
        yield "device", lambda tree, path: tree.entries[path].st_rdev


def _attributes(tree: _Tree, path: bytes) -> dict[str, bytes]:
    """The user's own; the system's, such as SELinux labels, belong to the machine."""
    if sys.platform != "linux":
        return {}
    full = tree.full(path)
    names = [name for name in os.listxattr(full, follow_symlinks=False) if name.startswith("user.")]
    return {name: os.getxattr(full, name, follow_symlinks=False) for name in sorted(names)}


def _kind(tree: _Tree, path: bytes) -> str:
    return _KINDS.get(stat.S_IFMT(tree.entries[path].st_mode), "unknown") if path in tree.entries else "missing"


def _read(root: Path) -> _Tree:
    tree = _Tree(os.fsencode(root), {}, {})
    names: defaultdict[tuple[int, int], list[bytes]] = defaultdict(list)
    for path, entry in _walk(tree.root, b""):
        tree.entries[path] = entry
        if entry.st_nlink > 1 and not stat.S_ISDIR(entry.st_mode):
            names[entry.st_dev, entry.st_ino].append(path)
    tree.links.update({inode: sorted(paths) for inode, paths in names.items()})
    return tree


def _walk(root: bytes, below: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    yield below, os.lstat(os.path.join(root, below))  # noqa: PTH118
    waiting = [below]
    while waiting:
        folder = waiting.pop()
        with os.scandir(os.path.join(root, folder)) as entries:  # noqa: PTH118
            for entry in entries:
                path = os.path.join(folder, entry.name)  # noqa: PTH118
                yield path, entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace") or "."


def _first_difference(left: bytes, right: bytes) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(left), len(right)))


def _byte(block: bytes, at: int) -> str:
    return f"{block[at]:#04x}" if at < len(block) else "the end"


_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}
