"""What tests of the command line share."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.agent.stand_in import LOGIN, PASSWORD, StandIn

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        return json.loads(self.out)


type Hort = Callable[..., Said]


def signing_in(stand_in: StandIn, tmp_path: Path) -> list[str]:
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    return ["--service", stand_in.url, "--login", LOGIN, "--password-file", str(password)]


def kit_of(folder: Path) -> Path:
    [kit] = folder.glob("hort-recovery-kit-*.txt")
    return kit
