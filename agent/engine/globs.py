"""Which entries a backup takes: globs, read like `.gitignore` without its exceptions.

A pattern without a slash (`*.tmp`, `node_modules`) fits a name at any depth. A pattern with a slash fits the whole
path from the root on (`/home/*/.cache`; the leading slash may be missing). `**` stands for any number of folders,
`*` and `?` never for a slash. A slash at the end fits folders only. What fits counts with all that lies in it.
"""

import glob
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

type _Matcher = re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Rules:
    """`include` limits what is taken, where there is any; `exclude` wins over it."""

    include: _Matcher
    exclude: _Matcher
    exclude_folders: _Matcher

    @classmethod
    def of(cls, include: Iterable[str], exclude: Iterable[str]) -> Self:
        exclude = tuple(exclude)
        everything = [pattern for pattern in exclude if not pattern.endswith("/")]
        folders = [pattern for pattern in exclude if pattern.endswith("/")]
        return cls(_matcher(include, below=True), _matcher(everything), _matcher(folders))

    def leaves_out(self, path: bytes, folder: bool) -> str | None:
        """Why this entry is not taken; None when it is. Folders are walked even where no include fits them."""
        if self.include is None and self.exclude is None and self.exclude_folders is None:
            return None
        text = os.fsdecode(path)
        if self.exclude and self.exclude.match(text):
            return "excluded"
        if folder:
            return "excluded" if self.exclude_folders and self.exclude_folders.match(text) else None
        return "not included" if self.include and not self.include.match(text) else None


def _matcher(patterns: Iterable[str], below: bool = False) -> _Matcher:
    tail = "(?:/.*)?" if below else ""
    parts = [f"(?:{_translate(pattern)}{tail})" for pattern in patterns]
    return re.compile(f"(?:{'|'.join(parts)})\\Z", re.DOTALL) if parts else None


def _translate(pattern: str) -> str:
    """A regular expression without its end mark, so that more may follow."""
    bare = pattern.rstrip("/")
    rooted = bare.lstrip("/") if "/" in bare else f"**/{bare}"
    return glob.translate(rooted, recursive=True, include_hidden=True, seps="/").removesuffix(r"\Z").removesuffix(r"\z")
