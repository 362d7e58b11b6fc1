"""One place through which every function runs: it measures, logs and counts."""

import logging
import time
import uuid

from localhost.worker import Function, FunctionFailedError, Message, Worker

log = logging.getLogger("localhost.invocation")


class Invoker:
    """Runs functions and logs each call's id, name, duration and outcome; never what went in or came out."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def invoke(self, function: Function, data: Message) -> Message | None:
        """Raises FunctionFailedError; the failure is logged here with its stack."""
        invocation_id = str(uuid.uuid4())
        began = time.perf_counter()
        try:
            result = await self._worker.invoke(function, data, invocation_id)
        except FunctionFailedError as error:
            _note(function, invocation_id, began, "failed", error)
            raise
        _note(function, invocation_id, began, "ok")
        return result


def _note(
    function: Function, invocation_id: str, began: float, outcome: str, error: FunctionFailedError | None = None
) -> None:
    level = logging.ERROR if error else logging.INFO
    if not log.isEnabledFor(level):
        return
    milliseconds = round((time.perf_counter() - began) * 1000, 1)
    fields = {
        "function": function.name,
        "invocation_id": invocation_id,
        "duration_ms": milliseconds,
        "outcome": outcome,
    }
    log.log(level, "%s %s in %s ms", function.name, outcome, milliseconds, extra={"fields": fields, "stack": error})
