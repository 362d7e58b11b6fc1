"""Where a device keeps its plans, and what it knows of their runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from agent import private_files
from agent.config import Home
from agent.plans import plan as plans
from agent.plans.due import Runs
from agent.plans.plan import Plan, Plans
from shared.domain.errors import Malformed, NotFound

_RUNS = TypeAdapter(dict[str, Runs])


@dataclass(frozen=True, slots=True)
class Shelf:
    home: Home

    def plans(self) -> Plans:
        """Raises `Malformed` with what is wrong, and where."""
        try:
            text = self.home.plans.read_text("utf-8")
        except FileNotFoundError:
            return Plans()
        except UnicodeDecodeError:
            raise Malformed("plans", f"{self.home.plans} is not UTF-8 text") from None
        return plans.parse(text)

    def plan(self, name: str) -> Plan:
        """Raises `NotFound`."""
        found = self.plans().plan.get(name)
        if found is None:
            raise NotFound(f"there is no plan {name!r}; see `hort plan list`")
        return found

    def write(self, changed: Plans) -> None:
        private_files.write(self.home.plans, plans.write(changed).encode())

    def runs(self) -> Mapping[str, Runs]:
        """What cannot be read counts as never run: a backup too many does no harm."""
        try:
            return _RUNS.validate_json(private_files.read(self.home.plan_runs) or b"{}")
        except ValidationError:
            return {}

    def record(self, name: str, runs: Runs) -> None:
        private_files.write(self.home.plan_runs, _RUNS.dump_json({**self.runs(), name: runs}))
