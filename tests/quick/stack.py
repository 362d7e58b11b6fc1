"""The whole service on this machine, with passwords and keys that are quickly made."""

from pathlib import Path
from typing import override

from demo.stack import Stack
from tests.quick.services import QuickServices

LOUD = ("sweep_every_night", "reconcile_every_week", "scrub_every_month")


class QuickStack(Stack):
    app = Path(__file__).parent / "app"

    @property
    @override
    def services(self) -> QuickServices:
        return QuickServices(self.settings)


class QuietStack(QuickStack):
    """No sweeps and no looks into storage: for who moves the clock by years, through hundreds of nights."""

    @override
    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), **{f"AzureWebJobs__{name}__Disabled": "true" for name in LOUD}}
