"""The home that a command works with, and what it asks of its user."""

import getpass
import platform
import sys
from pathlib import Path

from agent.config import Environment, Home
from shared.domain.errors import HortError, Malformed

_LONGEST_NAME = 120


class CannotAsk(HortError):
    """Something is missing, and nobody sits at the terminal to say it."""


def find_home() -> Home:
    home = Home.find(Environment.read())
    home.make()
    return home


def see_home() -> Home:
    """For a command that only looks: the home may be read-only, or not be there."""
    return Home.find(Environment.read())


def host_name() -> str:
    return platform.node() or "unnamed"


def password(file: Path | None, login: str) -> str:
    """From the file's first line, from HORT_PASSWORD, or from the terminal."""
    if file is not None:
        return _first_line(file)
    return Environment.read().password or ask_secret(f"Password of {login}: ", "--password-file or HORT_PASSWORD")


def new_password(file: Path | None) -> str:
    """From the file's first line, or twice from the terminal. Raises `Malformed` when the two differ."""
    return _chosen(file, "new-password", "New password (12 characters or more): ")


def passphrase(file: Path | None) -> str:
    """From the file's first line, or from the terminal."""
    return _first_line(file) if file is not None else ask_secret("Passphrase: ", "--passphrase-file")


def new_passphrase(file: Path | None) -> str:
    """From the file's first line, or twice from the terminal. Raises `Malformed` when the two differ."""
    return _chosen(file, "passphrase", "New passphrase (four uncommon words or more): ")


def _chosen(file: Path | None, what: str, prompt: str) -> str:
    if file is not None:
        return _first_line(file)
    chosen = ask_secret(prompt, f"--{what}-file")
    if ask_secret("The same again: ", f"--{what}-file") != chosen:
        raise Malformed(what, "the two are not the same")
    return chosen


def _first_line(file: Path) -> str:
    line = file.read_bytes().partition(b"\n")[0].rstrip(b"\r")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("file", f"{file} is not UTF-8 text") from None
    if not text:
        raise Malformed("file", f"the first line of {file} is empty")
    return text


def device_name(wanted: str | None) -> str:
    """What this device is called; its host name unless told otherwise. Raises `Malformed`."""
    name = (wanted or platform.node() or "unnamed").strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise Malformed("name", f"a device's name has 1 to {_LONGEST_NAME} printable characters")
    return name


def ask_secret(prompt: str, otherwise: str) -> str:
    """Raises `CannotAsk` with the way to say it `otherwise`."""
    if not sys.stdin.isatty():
        raise CannotAsk(f"there is nobody to ask: give {otherwise}")
    return getpass.getpass(prompt)
