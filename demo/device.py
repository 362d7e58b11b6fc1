"""A device of a customer's: its own home, and the agent's command line on it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

REPOSITORY = Path(__file__).parents[1]


class AgentError(Exception):
    """The agent ended with another exit code than 0; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Device:
    home: Path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "agent", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "HORT_HOME": str(self.home)}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `hort` as a person would, whatever it ends with."""
        return subprocess.run(
            self.command(*arguments),
            cwd=REPOSITORY,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts `hort` and leaves it running: for those who mean to kill it."""
        quiet = subprocess.DEVNULL
        return subprocess.Popen(
            self.command(*arguments), cwd=REPOSITORY, env=self.environment, stdin=quiet, stdout=quiet, stderr=quiet
        )

    def hort(self, *arguments: str) -> str:
        """What `hort ... --json` prints. Raises `AgentError`."""
        ran = self.run(*arguments, "--json")
        if ran.returncode != 0:
            raise AgentError(f"hort {arguments[0]} ended with {ran.returncode}: {ran.stdout}{ran.stderr}")
        return ran.stdout

    def ask[T](self, kind: type[T], *arguments: str) -> T:
        """The same, read as `kind`."""
        return TypeAdapter(kind).validate_json(self.hort(*arguments))
