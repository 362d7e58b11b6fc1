"""Who may be a user, and with which password: named natural persons only (G9), and nothing that is guessed first."""

import re
from collections.abc import Set
from dataclasses import dataclass

_ROLES_ROOMS_AND_FIRMS = """
abteilung account admin administrator ag aushilfe azubi backup betrieb billing buchhaltung buero büro chef demo dienst
edv empfang gbr gmbh group gruppe guest helpdesk hotline inc info intern it kasse kg konto lager limited ltd mail
mitarbeiter nobody noreply nutzer office ohg operator praktikant praktikantin reception rezeption sekretariat service
shared staff support system team technik temp test tester trainee ug user verwaltung vertrieb warehouse werkstatt
zentrale
"""
_TRIED_FIRST = """
123456789012 1234567890123 12345678901234 123456789123 1q2w3e4r5t6y 1qaz2wsx3edc abcdefghijkl administrator
changeme1234 correcthorsebatterystaple iloveyou1234 letmein12345 password1234 password12345 password123456
passwort1234 passwort12345 passwort123456 qwertyuiop12 qwertyuiop123 qwertzuiop12 qwertzuiop123 sommer202526
unbelievable welcome12345 willkommen12 willkommen123 willkommen2026 trustno1trustno1
"""

REFUSED_WORDS = frozenset(_ROLES_ROOMS_AND_FIRMS.split())
"""In German and English: names that more than one person could stand behind."""
COMMON_PASSWORDS = frozenset(_TRIED_FIRST.split())
MIN_PASSWORD = 12
MIN_DIFFERENT = 5
HASHES_AT_ONCE = 8
"""Of 64 MiB each: half a GiB, where Azure gives an instance two."""

_WORDS = re.compile(r"[^\W\d_]+")
_FIRST_WITHOUT_SPACES = "\u2e80"
"""From here on a single character is a whole name, as in Chinese."""


@dataclass(frozen=True, slots=True)
class Fit:
    """It can be taken."""


@dataclass(frozen=True, slots=True)
class Unfit:
    reason: str


type Verdict = Fit | Unfit


def check_person_name(name: str, refused: Set[str] = REFUSED_WORDS) -> Verdict:
    """Whether `name` can be one person's: given and family name, none of the words in `refused` (G9)."""
    words = [word.casefold() for word in _WORDS.findall(name)]
    known = next((word for word in words if word in refused), None)
    if known is not None:
        return Unfit(f"users are named persons, and {known!r} is not a person's name")
    if any(character.isdigit() for character in name):
        return Unfit("a person's name has no digits")
    if sum(_is_whole_name(part) for part in name.split()) < 2:
        return Unfit("users are named persons: given name and family name, both written out")
    return Fit()


def check_password(password: str, login: str) -> Verdict:
    """Whether a user may choose this password: long rather than strange (NIST SP 800-63B §3.1.1)."""
    folded = password.casefold()
    if len(password) < MIN_PASSWORD:
        return Unfit(f"has at least {MIN_PASSWORD} characters")
    if folded in {login.casefold(), login.casefold().partition("@")[0]}:
        return Unfit("is not the login name")
    if folded in COMMON_PASSWORDS or len(set(folded)) < MIN_DIFFERENT:
        return Unfit("is one of those that are tried first")
    return Fit()


def _is_whole_name(part: str) -> bool:
    """No initial: two letters, or one of a script in which one is enough."""
    letters = "".join(_WORDS.findall(part))
    return len(letters) >= 2 or letters >= _FIRST_WITHOUT_SPACES
