"""Function keys: who may call what. Without a key file nothing is asked for, as with `func start`."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from localhost.messages import Request

WEBHOOK_LEVEL, ADMIN_LEVEL, FUNCTION_LEVEL, OPEN_LEVEL = "system", "admin", "function", "anonymous"


class BadKeysError(ValueError):
    """The key file is not what it should be."""


@dataclass(frozen=True, slots=True)
class Keys:
    """`master` opens everything, `default` every function, `functions` one each, `system` the durable webhooks."""

    master: str = ""
    default: str = ""
    system: str = ""
    functions: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def enforced(self) -> bool:
        return bool(self.master)

    def allow(self, request: Request, level: str, function: str = "") -> bool:
        """Whether the key in `x-functions-key` or `code` is good for this level."""
        level = level.lower()
        if not self.enforced or level == OPEN_LEVEL:
            return True
        good = [self.master]
        if level == FUNCTION_LEVEL:
            good += [self.default, self.functions.get(function, "")]
        if level == WEBHOOK_LEVEL:
            good += [self.system]
        given = (request.headers.get("x-functions-key") or request.query().get("code", "")).encode()
        return any([key and hmac.compare_digest(key.encode(), given) for key in good])  # noqa: C419 - constant time


NO_KEYS = Keys()


def read_keys(path: Path | None) -> Keys:
    """Reads `{"master": ..., "default": ..., "system": ..., "functions": {...}}`. Raises BadKeysError."""
    if path is None:
        return NO_KEYS
    try:
        content = cast(dict[str, Any], json.loads(path.read_text()))
        keys = Keys(**content)
    except (OSError, ValueError, TypeError) as error:
        raise BadKeysError(f"cannot read the keys in {path}: {error}") from error
    if not keys.master:
        raise BadKeysError(f"{path} names no master key")
    return keys
