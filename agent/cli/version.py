"""`hort version`."""

from dataclasses import dataclass

from agent import VERSION
from agent.cli.output import Outcome


@dataclass(frozen=True, slots=True)
class Version:
    version: str


def version() -> Outcome[Version]:
    return Outcome(Version(VERSION), lambda said: [f"hort {said.version}"])
