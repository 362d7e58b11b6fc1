"""Which entries a backup or a restore takes: globs, read like `.gitignore` without its exceptions.

A pattern without a slash (`*.tmp`, `node_modules`) fits a name at any depth. A pattern with a slash fits the whole
path from the root on (`/home/*/.cache`; the leading slash may be missing). `**` stands for any number of folders,
`*` and `?` never for a slash. A slash at the end fits folders only. What fits counts with all that lies in it.
"""

import glob
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from pathspec import GitIgnoreSpec

from shared.domain.errors import Malformed

type _Matcher = re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Rules:
    """`include` limits what is taken, where there is any; `exclude` wins over it."""

    include: _Matcher
    exclude: _Matcher
    exclude_folders: _Matcher
    ignore: GitIgnoreSpec | None = None

    @classmethod
    def of(cls, include: Iterable[str], exclude: Iterable[str], ignore: Sequence[str] = ()) -> Self:
        """`ignore` are lines as in a `.gitignore` that lies in `/`. Raises `Malformed` when one cannot be."""
        exclude = tuple(exclude)
        everything = [pattern for pattern in exclude if not pattern.endswith("/")]
        folders = [pattern for pattern in exclude if pattern.endswith("/")]
        return cls(_matcher(include, below=True), _matcher(everything), _matcher(folders), _ignore(ignore))

    def leaves_out(self, path: bytes, folder: bool) -> str | None:
        """Why this entry is not taken; None when it is. Folders are walked even where no include fits them."""
        if self.include is None and self.exclude is None and self.exclude_folders is None and self.ignore is None:
            return None
        text = os.fsdecode(path)
        if self.ignore is not None and path and self.ignore.match_file(f"{text}/" if folder else text):
            return "ignored"
        if self.exclude and self.exclude.match(text):
            return "excluded"
        if folder:
            return "excluded" if self.exclude_folders and self.exclude_folders.match(text) else None
        return "not included" if self.include and not self.include.match(text) else None

    def asks_for(self, path: bytes) -> bool:
        """Whether an entry is taken for itself, and not for what lies in it."""
        return self.include is None or self.include.match(os.fsdecode(path)) is not None


def _ignore(lines: Sequence[str]) -> GitIgnoreSpec | None:
    try:
        return GitIgnoreSpec.from_lines(lines) if lines else None
    except ValueError as error:
        raise Malformed("exclude", str(error)) from None


def _matcher(patterns: Iterable[str], below: bool = False) -> _Matcher:
    tail = "(?:/.*)?" if below else ""
    parts = [f"(?:{_translate(pattern)}{tail})" for pattern in patterns]
    return re.compile(f"(?:{'|'.join(parts)})\\Z", re.DOTALL) if parts else None


def _translate(pattern: str) -> str:
    """A regular expression without its end mark, so that more may follow."""
    bare = pattern.rstrip("/")
    rooted = bare.lstrip("/") if "/" in bare else f"**/{bare}"
    return glob.translate(rooted, recursive=True, include_hidden=True, seps="/").removesuffix(r"\Z").removesuffix(r"\z")
