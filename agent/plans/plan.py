"""A plan: a named backup set, as people write it down in TOML."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from agent.plans.bandwidth import Limits
from agent.plans.presets import LINES, Preset
from agent.plans.schedule import Schedule
from shared.domain.errors import Malformed

PlanName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
"""Files the snapshots at the service, which sees it: it should tell nothing."""


class Kind(StrEnum):
    INCREMENTAL = "incremental"
    SYNTHETIC_FULL = "synthetic_full"
    ACTIVE_FULL = "active_full"


def _absolute(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise ValueError("must be a path from the root on")
    return path


def _schedule(text: str) -> str:
    try:
        Schedule.parse(text)
    except Malformed as no:
        raise ValueError(no.reason) from None
    return text


def _limit(text: str) -> str:
    try:
        Limits.parse([text])
    except Malformed as no:
        raise ValueError(no.reason) from None
    return text


class Plan(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    paths: tuple[Annotated[str, AfterValidator(_absolute)], ...] = Field(min_length=1)
    exclude: tuple[str, ...] = ()
    """Lines as in a `.gitignore` that lies in `/`."""
    presets: tuple[Preset, ...] = ()
    schedule: Annotated[str, AfterValidator(_schedule)]
    kind: Kind = Kind.INCREMENTAL
    spread_minutes: int = Field(default=60, ge=0, le=24 * 60)
    """Begins up to so much later than the schedule says, each device at a moment of its own."""
    one_file_system: bool = False
    threads: int = Field(default=2, ge=1, le=64)
    limit: tuple[Annotated[str, AfterValidator(_limit)], ...] = ()
    """How fast to send, such as `08:00-18:00 500 KiB`; the first that covers the moment counts."""
    on_battery: bool = True
    """Whether it also begins while the machine runs on its battery."""
    enabled: bool = True
    vault: str = ""
    """`file:///path` for a vault in a folder; none is the service."""

    @property
    def ignore(self) -> tuple[str, ...]:
        """The presets first, so that a plan's own lines can take something back."""
        return (*(line for preset in self.presets for line in LINES[preset]), *self.exclude)

    @property
    def spread(self) -> timedelta:
        return timedelta(minutes=self.spread_minutes)


class Plans(BaseModel):
    """All plans of a device, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    plan: Mapping[PlanName, Plan] = {}

    def changed(self, name: str, plan: Plan | None) -> "Plans":
        """With one of them replaced, added or, for None, removed. Raises `Malformed`."""
        others = {each: kept for each, kept in self.plan.items() if each != name}
        return validated({"plan": others if plan is None else others | {name: plan}})


def parse(text: str) -> Plans:
    """Raises `Malformed` with what is wrong and where."""
    try:
        return validated(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise Malformed("plans", str(error)) from None


def validated(value: Mapping[str, Any]) -> Plans:
    """Raises `Malformed`."""
    try:
        return Plans.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Malformed(where, first["msg"].removeprefix("Value error, ")) from None


def write(plans: Plans) -> str:
    """What `parse` reads; only what is not the default, so that it stays readable."""
    return "\n".join(_lines(plans)) + "\n"


def _lines(plans: Plans) -> Iterator[str]:
    yield "# The plans of this device: `hort plan set` writes them, and so may you."
    yield "format = 1"
    for name, plan in plans.plan.items():
        yield f"\n[plan.{name}]"
        for key, value in plan.model_dump(mode="json", exclude_defaults=True).items():
            # JSON's texts, lists and numbers are TOML's, but for one character.
            yield f"{key} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f")
