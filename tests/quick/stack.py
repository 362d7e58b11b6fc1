"""The whole service on this machine, with passwords and keys that are quickly made."""

from pathlib import Path
from typing import override

from demo.stack import Stack
from tests.quick.services import QuickServices


class QuickStack(Stack):
    app = Path(__file__).parent / "app"

    @property
    @override
    def services(self) -> QuickServices:
        return QuickServices(self.settings)
