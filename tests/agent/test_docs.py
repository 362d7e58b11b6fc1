"""What the documents say to type is a command that there is, with the options that they name."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from typer.main import get_command

from agent.cli.app import app as hort
from operator_cli.__main__ import app as hortctl
from tests.agent.command_line import REPOSITORY

PROGRAMS = {"hort": get_command(hort), "hortctl": get_command(hortctl), "python -m operator_cli": get_command(hortctl)}
DOCUMENTS = [
    REPOSITORY / "README.md",
    *sorted(path for path in (REPOSITORY / "docs").glob("*.md") if path.name != "format.md"),
]
"""In the format's document `hort …` is what keys are derived for and signed with."""
_TYPED = re.compile(r"(?:^|`)(hortctl|hort|python -m operator_cli) ([a-z][^`\n#;]*)", re.MULTILINE)


def typed(document: Path) -> Iterator[tuple[str, str]]:
    yield from _TYPED.findall(document.read_text())


def options_of(program: str, words: list[str]) -> set[str]:
    """Of the command that the words name. Raises `KeyError` when there is none."""
    command: Any = PROGRAMS[program]
    for word in words:
        if not hasattr(command, "commands"):
            break
        command = cast("dict[str, Any]", command.commands)[word]
    return {name for option in command.params for name in option.opts} | {"--help"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_documents_is_there(document: Path) -> None:
    for program, line in typed(document):
        words = line.replace("[", " ").replace("]", " ").split()
        known = options_of(program, words)
        asked = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert asked <= known, f"{program} {line}"


def test_the_documents_are_read_at_all() -> None:
    assert len([each for document in DOCUMENTS for each in typed(document)]) > 40
