"""What `host.json`, `local.settings.json` and the environment say."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

THREADS_SETTING, THREADS_DEFAULT = "PYTHON_THREADPOOL_THREAD_COUNT", "16"
_REFERENCE = re.compile(r"%([\w.:-]+)%")


class BadSettingsError(ValueError):
    """A settings file or value cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """The parts of host.json that this host honours."""

    route_prefix: str
    hub_name: str
    max_activities: int
    max_orchestrations: int
    allow_replacing_running: bool


def read_host_settings(app_dir: Path) -> HostSettings:
    """Raises BadSettingsError."""
    extensions = _read_json(app_dir / "host.json").get("extensions", {})
    durable = extensions.get("durableTask", {})
    return HostSettings(
        route_prefix=extensions.get("http", {}).get("routePrefix", "api").strip("/"),
        hub_name=durable.get("hubName", "TestHubName"),
        max_activities=int(durable.get("maxConcurrentActivityFunctions", 32)),
        max_orchestrations=int(durable.get("maxConcurrentOrchestratorFunctions", 32)),
        allow_replacing_running=durable.get("overridableExistingInstanceStates", "") == "AnyState",
    )


def load_environment(app_dir: Path) -> None:
    """Sets what `local.settings.json` says, where the environment does not say otherwise. Raises BadSettingsError."""
    path = app_dir / "local.settings.json"
    values: dict[str, object] = _read_json(path).get("Values", {}) if path.exists() else {}
    for name, value in values.items():
        os.environ.setdefault(name, str(value))
    os.environ.setdefault(THREADS_SETTING, THREADS_DEFAULT)


def set_setting(name: str, value: str) -> None:
    """Tells the app something; what it was told before is replaced."""
    os.environ[name] = value


def set_default(name: str, value: str) -> None:
    os.environ.setdefault(name, value)


def time_zone() -> str:
    """The zone of NCRONTAB schedules."""
    return os.environ.get("WEBSITE_TIME_ZONE", "UTC")


def resolve(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Replaces `%NAME%` by the setting of that name. Raises BadSettingsError if there is none."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in environment:
            raise BadSettingsError(f"the app setting '{found[1]}' is not set")
        return environment[found[1]]

    return _REFERENCE.sub(value, text)


def is_disabled(function: str, environment: Mapping[str, str] = os.environ) -> bool:
    """`AzureWebJobs.<name>.Disabled` (with `__` or `_` for the dots where a shell allows none) is true or 1."""
    names = [f"AzureWebJobs{dot}{function}{dot}Disabled" for dot in (".", "__", "_")]
    return any(environment.get(name, "").lower() in {"1", "true"} for name in names)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadSettingsError(f"cannot read {path.name}: {error}") from error
    if not isinstance(content, dict):
        raise BadSettingsError(f"{path.name} is not a JSON object")
    return cast(dict[str, Any], content)
