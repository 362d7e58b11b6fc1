"""The recovery kit: one sheet, as text or PDF, that opens an account's vault on a new device."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill
from typing import Self

from agent import private_files
from shared.domain.errors import HortError, Malformed
from shared.domain.ids import AccountId
from shared.format.errors import WrongRecoveryKey
from shared.format.recovery import kit_code, parse_kit_code

_GROUPS_A_LINE = 5
_LARGEST_BYTES = 100_000
_FIELD = re.compile(r"^(Service|Account|Fingerprint):\s*(\S+)\s*$", re.MULTILINE)
_KEY_LINE = re.compile(r"^\s*Groups?\s+[\d -]+:\s*(.+)$", re.MULTILINE | re.IGNORECASE)

_PROMISE = "With this sheet you read your backups on a new device, when the old one is lost."
_WARNINGS = (
    "Print it, or write it down, and keep it away from the device that it protects.",
    "Whoever holds it, and may sign in, can read all backups of this account.",
    "There is no other copy: if every device and this sheet are lost, the data is lost for ever.",
    "The provider cannot read your data, and cannot make this key again.",
)
_READING = "13 groups; the last character of each checks its group; O is 0, I and L are 1."
_QR_READING = "The QR code holds the same 13 groups."
_COMPARE = "Compare the fingerprint with what `hort status` shows: the same means the same key."
_NOTE = "Your own note:  " + "_" * 60

_SHEET = """\
HORT RECOVERY KIT
=================

{promise}

{warnings}

{facts}

Recovery key ({reading}):

{key}

How to use it, on the new device:

{commands}

{compare}

{note}
"""


class KitInTheWay(HortError):
    """We never write a kit over a file that may be worth something."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already: move it away, or choose another file with --kit")


@dataclass(frozen=True, slots=True)
class Making:
    """When, and on which device."""

    at: datetime
    device: str


@dataclass(frozen=True, slots=True)
class RecoveryKit:
    """Whoever holds it can read everything in the account's vault."""

    account: AccountId
    recovery_key: bytes = field(repr=False)
    fingerprint: str
    """Of the keys that it opens."""
    service: str | None
    """None for a vault that only lies in a folder."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """A kit as `sheet` or `page` writes it, spaces apart. Raises `Malformed`, naming a group copied wrong."""
        fields = dict[str, str](_FIELD.findall(text))
        lines: list[str] = _KEY_LINE.findall(text)
        if not lines or "Account" not in fields:
            raise Malformed("kit", "this file is no recovery kit: it needs the account and the groups of the key")
        service = fields.get("Service", "-")
        return cls(
            account=AccountId.parse(fields["Account"]),
            recovery_key=parse_kit_code("".join(lines)),
            fingerprint=fields.get("Fingerprint", ""),
            service=None if service == "-" else service,
        )

    def sheet(self, made: Making) -> str:
        """As text."""
        return _SHEET.format(
            promise=_PROMISE,
            warnings="\n".join(_bullet(warning) for warning in _WARNINGS),
            facts="\n".join(f"{label + ':':<13} {value}" for label, value in self._facts(made)),
            reading=_READING.removesuffix("."),
            key="\n".join(_key_lines(self.recovery_key)),
            commands="\n".join(f"  {command}" for command in self._commands()),
            compare=_COMPARE,
            note=_NOTE,
        )

    def page(self, made: Making) -> bytes:
        """As PDF, with the text inside."""
        from agent.kit_pdf import Page, kit_pdf  # slow to load, and few ask for it

        page = Page(
            text=self.sheet(made),
            made_at=made.at,
            promise=_PROMISE,
            warnings=_WARNINGS,
            facts=self._facts(made),
            groups=kit_code(self.recovery_key).split("-"),
            reading=f"{_READING} {_QR_READING}",
            commands=self._commands(),
            last_word=_COMPARE.replace("`", ""),
        )
        return kit_pdf(page)

    def _facts(self, made: Making) -> list[tuple[str, str]]:
        return [
            ("Service", self.service or "-"),
            ("Account", self.account),
            ("Fingerprint", self.fingerprint),
            ("Made", f'{made.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC on "{made.device}"'),
        ]

    def _commands(self) -> list[str]:
        where = f"--service {self.service} --login NAME" if self.service else "--vault file:///FOLDER"
        return [f"hort recover {where} --kit THIS-FILE", "hort restore latest --target FOLDER"]

    def key_for(self, account: AccountId) -> bytes:
        """Raises `WrongRecoveryKey` when the kit is another account's."""
        if self.account != account:
            raise WrongRecoveryKey(f"this kit is for account {self.account}, not for {account}")
        return self.recovery_key


def read_kit(path: Path) -> RecoveryKit:
    """Raises `Malformed` and `OSError`. The file's mode is not looked at: it may come from a stick or a scanner."""
    if path.stat().st_size > _LARGEST_BYTES:
        raise Malformed("kit", f"{path} is far too large to be a recovery kit")
    return RecoveryKit.parse(path.read_text("utf-8", "replace"))


def write_kit(path: Path, kit: RecoveryKit, made: Making) -> None:
    """As PDF when the name ends so, else as text. Raises `KitInTheWay` rather than touch a file that is there."""
    content = kit.page(made) if path.suffix.lower() == ".pdf" else kit.sheet(made).encode()
    try:
        private_files.create(path, content)
    except FileExistsError:
        raise KitInTheWay(path) from None


def _bullet(text: str) -> str:
    return fill(text, 84, initial_indent="  * ", subsequent_indent="    ")


def _key_lines(recovery_key: bytes) -> list[str]:
    groups = kit_code(recovery_key).split("-")
    lines = {at + 1: groups[at : at + _GROUPS_A_LINE] for at in range(0, len(groups), _GROUPS_A_LINE)}
    return [f"  Groups {first:2}-{first + len(line) - 1:<2}:  {'-'.join(line)}" for first, line in lines.items()]
