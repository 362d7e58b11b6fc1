"""What happens to a folder between two backups: some files change, appear, vanish and move."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

EVERY = 100
"""One file of a hundred is edited: about 1 %."""


@dataclass(frozen=True, slots=True)
class Edited:
    changed: int
    added: int
    removed: int
    moved: int


def add_oddities(root: Path) -> None:
    """The kinds of entries that backups get wrong."""
    odd = root / "hort-demo-oddities"
    (odd / "empty-folder").mkdir(parents=True)
    (odd / "empty-file").touch()
    (odd / "symlink").symlink_to("no/such/target")
    (odd / "one-name").write_text("two names, one file\n")
    (odd / "other-name").hardlink_to(odd / "one-name")
    with (odd / "sparse").open("wb") as sparse:
        sparse.truncate(64 << 20)
        sparse.seek(32 << 20)
        sparse.write(b"an island in a sea of nothing")
    (odd / "read-only").write_text("mode 0444\n")
    (odd / "read-only").chmod(0o444)
    with open(os.path.join(os.fsencode(odd), b"not-utf8-\xff"), "wb") as file:  # noqa: PTH118, PTH123 -- a name in bytes
        file.write(b"names are bytes\n")


def edit(root: Path) -> Edited:
    """Edits about 1 % of the files, the same ones every time."""
    files = sorted(path for path in root.rglob("*") if _may_be_edited(path))
    changed = files[::EVERY]
    for path in changed:
        with path.open("a") as file:
            file.write("\n# edited between two backups\n")
    removed, moved = files[1], files[2]
    removed.unlink()
    moved.rename(moved.with_name(moved.name + ".moved"))
    (root / "hort-demo-new-file.txt").write_text("was not here before\n")
    return Edited(changed=len(changed), added=1, removed=1, moved=1)


def _may_be_edited(path: Path) -> bool:
    """A file that its owner may write to. Names that are not text stay as they are: messages like to read them."""
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and bool(status.st_mode & stat.S_IWUSR) and path.name.isprintable()
