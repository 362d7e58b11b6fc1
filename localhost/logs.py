"""Log lines to standard error: JSON, one object a line, or readable. Neither holds bodies, inputs or outputs."""

import json
import logging
import sys
from typing import Any, override

from localhost import clock
from localhost.worker import current_invocation

QUIET = ("azure", "azure_functions_runtime", "durabletask", "grpc", "urllib3", "uvicorn")


def configure(*, as_json: bool, level: str) -> None:
    """Sends all logging of this process to standard error; libraries speak from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if as_json else _Readable())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What was logged with the line, and the invocation in whose course it was."""
    fields: dict[str, Any] = dict(getattr(record, "fields", {}))
    invocation = current_invocation.get()
    return {"invocation_id": invocation, **fields} if invocation else fields


def _stack(record: logging.LogRecord) -> str:
    failed = getattr(record, "stack", None)
    if failed is not None:
        return failed.stack
    return logging.Formatter().formatException(record.exc_info) if record.exc_info else ""


class _Json(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": clock.now().isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        stack = _stack(record)
        return json.dumps({**line, "stack": stack} if stack else line, default=str)


class _Readable(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        when = f"{clock.now():%H:%M:%S.%f}"[:-3]
        stack = _stack(record)
        line = f"{when} {record.levelname[0]} {record.name.removeprefix('localhost.')}: {record.getMessage()}"
        return f"{line}\n{stack.rstrip()}" if stack else line
