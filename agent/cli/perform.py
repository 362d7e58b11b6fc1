"""Runs a command's work and turns whatever comes of it into output and an exit code."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

import typer

from agent.cli.exits import Exit, exit_for
from agent.cli.output import Outcome, show, show_fault
from shared.domain.errors import HortError

_INTERRUPTED = "interrupted; a backup goes on where it stopped when you run it again"


class Say(Protocol):
    def __call__[T](self, outcome: Outcome[T]) -> None: ...


@contextmanager
def performing(*, as_json: bool, program: str = "hort") -> Generator[Say]:
    """Runs the block, which says its outcome, and always ends in `typer.Exit`. `program` names itself in errors.

    An error that nobody expected goes through as it is, and shows where it happened.
    """
    code = Exit.FAILED

    def say[T](outcome: Outcome[T]) -> None:
        nonlocal code
        show(outcome, as_json=as_json)
        sys.stdout.flush()
        code = outcome.exit

    try:
        yield say
    except BrokenPipeError:
        _silence_stdout()
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
        show_fault(_INTERRUPTED, code, as_json=as_json, program=program)
    except (HortError, OSError) as fault:
        code = exit_for(fault)
        show_fault(_sentence(fault), code, as_json=as_json, program=program)
    raise typer.Exit(code)


def _silence_stdout() -> None:
    """Whoever read our output has enough of it, such as `head`; Python must not complain about it again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _sentence(fault: HortError | OSError) -> str:
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.filename}: {fault.strerror}" if fault.filename else fault.strerror
    return str(fault)
