"""The shipped app, put together with services whose passwords and keys are quickly made."""

import runpy
from pathlib import Path
from unittest.mock import patch

import shared.services
from tests.quick.services import QuickServices

ROOT = Path(__file__).resolve().parents[3]

with patch.object(shared.services, "Services", QuickServices):
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]
