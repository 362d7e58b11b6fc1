"""A throw-away repository of the real restic, asked what it would forget."""

import json
import os
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

type Rules = dict[str, int]
"""The policy's counts by rule, and `within_hours`."""


@dataclass(frozen=True, slots=True)
class Case:
    rules: Rules
    kept: dict[str, tuple[datetime, ...]]
    """By host."""


@dataclass(frozen=True, slots=True)
class Example:
    """One repository: its snapshots by host, in a time zone, and what restic keeps of them by each policy."""

    time_zone: str
    snapshots: dict[str, tuple[datetime, ...]]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    restic: str
    """What `restic version` says."""
    examples: tuple[Example, ...]


RECORDINGS = TypeAdapter(Recording)
RECORDED = Path(__file__).parent / "recorded.json"


@dataclass(frozen=True, slots=True)
class Restic:
    """restic reads and writes wall-clock times in the zone that `TZ` names."""

    folder: Path
    time_zone: str

    def init(self) -> None:
        (self.folder / "source").mkdir()
        (self.folder / "source" / "file").write_text("the same in every backup")
        self._run("init")

    def backup(self, host: str, at: datetime) -> None:
        wall = f"{at.astimezone(ZoneInfo(self.time_zone)):%Y-%m-%d %H:%M:%S}"
        self._run("backup", str(self.folder / "source"), "--host", host, "--time", wall)

    def snapshots(self) -> dict[str, tuple[datetime, ...]]:
        """By host, newest first: as restic has understood the times."""
        found: dict[str, list[datetime]] = {}
        for snapshot in self._run("snapshots"):
            found.setdefault(snapshot["hostname"], []).append(_time(snapshot))
        return {host: tuple(sorted(times, reverse=True)) for host, times in found.items()}

    def kept(self, rules: Rules) -> dict[str, tuple[datetime, ...]]:
        """By host, newest first: what `restic forget` would keep."""
        counts = [f"--keep-{name}={count}" for name, count in rules.items() if name != "within_hours" and count]
        within = [f"--keep-within={rules['within_hours']}h"] if rules.get("within_hours") else []
        groups = self._run("forget", "--dry-run", "--no-lock", *counts, *within)
        return {group["host"]: tuple(sorted(map(_time, group["keep"] or ()), reverse=True)) for group in groups}

    def _run(self, *command: str) -> Any:
        environment = {**os.environ, "TZ": self.time_zone, "RESTIC_PASSWORD": "throw-away"}
        call = ["restic", "--repo", str(self.folder / "repository"), "--no-cache", "--json", *command]
        done = subprocess.run(call, env=environment, capture_output=True, check=True, text=True)
        return json.loads(done.stdout) if command[0] in {"snapshots", "forget"} else None


def version() -> str:
    return subprocess.run(["restic", "version"], capture_output=True, check=True, text=True).stdout.strip()


def _time(snapshot: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(snapshot["time"])
