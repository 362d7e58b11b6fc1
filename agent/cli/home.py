"""The home that a command works with, and what it asks of its user."""

import getpass
import platform
import sys
from pathlib import Path

from agent.config import Environment, Home
from shared.domain.errors import HortError, Malformed


class CannotAsk(HortError):
    """Something is missing, and nobody sits at the terminal to say it."""


def find_home() -> Home:
    home = Home.find(Environment.read())
    home.make()
    return home


def host_name() -> str:
    return platform.node() or "unnamed"


def password(file: Path | None, login: str) -> str:
    """From the file's first line, from HORT_PASSWORD, or from the terminal."""
    if file is not None:
        lines = file.read_text("utf-8").splitlines()
        if not lines or not lines[0]:
            raise Malformed("password-file", f"{file} holds no password")
        return lines[0]
    return Environment.read().password or ask_secret(f"Password of {login}: ", "--password-file or HORT_PASSWORD")


def ask_secret(prompt: str, otherwise: str) -> str:
    """Raises `CannotAsk` with the way to say it `otherwise`."""
    if not sys.stdin.isatty():
        raise CannotAsk(f"there is nobody to ask: give {otherwise}")
    return getpass.getpass(prompt)
