"""What becomes of one entry of a restore, judged by what has its name now."""

import os
import stat
from enum import StrEnum
from typing import NamedTuple

from agent.engine.attributes import owner
from agent.engine.describe import KINDS
from agent.overwrite import Overwrite
from shared.format.items import Item, ItemKind


class Act(StrEnum):
    CREATE = "create"
    REPLACE = "replace"
    LEAVE = "unchanged"
    """It is there as the snapshot has it."""
    KEEP = "keep"
    """Something else is there, and the rule protects it."""


class Verdict(NamedTuple):
    act: Act
    reason: str


NEW = Verdict(Act.CREATE, "it is not there")


def judge(rule: Overwrite, item: Item, there: os.stat_result | None) -> Verdict:
    """`there` is what has the item's name now, no link followed."""
    if there is None:
        return NEW
    if item.kind is ItemKind.DIRECTORY and stat.S_ISDIR(there.st_mode):
        return _folder(rule, item, there)
    if rule is Overwrite.NEVER:
        return Verdict(Act.KEEP, "it exists")
    if stat.S_ISDIR(there.st_mode):
        return Verdict(Act.KEEP, "a folder is in its place")
    if rule is Overwrite.ALWAYS:
        return Verdict(Act.REPLACE, "it exists")
    return _by_difference(rule, item, there, _difference(item, there))


def judge_link(rule: Overwrite, item: Item, there: os.stat_result | None, file: os.stat_result | None) -> Verdict:
    """Of another name of `file`, as that is when it was restored; None when it is still to be made."""
    if there is not None and file is not None and os.path.samestat(there, file):
        return Verdict(Act.LEAVE, "it is the same file")
    if there is None or rule in (Overwrite.NEVER, Overwrite.ALWAYS) or stat.S_ISDIR(there.st_mode):
        return judge(rule, item, there)
    return _by_difference(rule, item, there, "it is another file")


def _folder(rule: Overwrite, item: Item, there: os.stat_result) -> Verdict:
    difference = _difference(item, there) if rule.resets_folders else ""
    return Verdict(Act.REPLACE, difference) if difference else Verdict(Act.LEAVE, "the folder is there")


def _by_difference(rule: Overwrite, item: Item, there: os.stat_result, difference: str) -> Verdict:
    if not difference:
        return Verdict(Act.LEAVE, "it has not changed")
    if rule is Overwrite.IF_NEWER and there.st_mtime_ns >= item.mtime_ns:
        return Verdict(Act.KEEP, "what is there is not older")
    return Verdict(Act.REPLACE, difference)


def _difference(item: Item, there: os.stat_result) -> str:
    """What the system says of both and does not agree in; empty when there is nothing."""
    if KINDS.get(stat.S_IFMT(there.st_mode)) is not item.kind:
        return "it is of another kind"
    size = {ItemKind.FILE: item.size, ItemKind.SYMLINK: len(item.target)}.get(item.kind, there.st_size)
    if there.st_size != size:
        return "its size differs"
    if there.st_mtime_ns != item.mtime_ns:
        return "its time differs"
    if item.kind is not ItemKind.SYMLINK and stat.S_IMODE(there.st_mode) != item.mode:
        return "its mode differs"
    if os.geteuid() == 0 and (there.st_uid, there.st_gid) != owner(item):
        return "its owner differs"
    return ""
