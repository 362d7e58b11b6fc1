"""Whether the machine runs on its battery, as far as the platform tells."""

from contextlib import suppress
from pathlib import Path

SUPPLIES = Path("/sys/class/power_supply")


def on_battery(supplies: Path = SUPPLIES) -> bool:
    """True when a battery discharges and no other supply is on; false where nothing is known (not Linux)."""
    known = [(_said(each / "type"), each) for each in supplies.iterdir()] if supplies.is_dir() else []
    outside = any(kind != "Battery" and _said(each / "online") == "1" for kind, each in known)
    return not outside and any(kind == "Battery" and _said(each / "status") == "Discharging" for kind, each in known)


def _said(file: Path) -> str:
    with suppress(OSError):
        return file.read_text().strip()
    return ""
