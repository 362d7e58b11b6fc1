"""`make serve`: keeps the service up on this machine and says how to log in."""

import signal
import sys
import threading
from types import FrameType

from demo.stack import OPERATOR, REPOSITORY, Stack, StackError
from localhost.azurite import AzuriteError

PORT = 7071
STATE = REPOSITORY / ".state" / "serve"


def main() -> int:
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    try:
        with Stack.start(STATE, port=PORT) as stack:
            print(_welcome(stack), flush=True)
            stop.wait()
            print("stopping", flush=True)
    except (StackError, AzuriteError) as fault:
        print(f"{fault}\nIs `make serve` running already?", file=sys.stderr)
        return 1
    return 0


def _welcome(stack: Stack) -> str:
    return f"""\
Hort is up.        {stack.url}
OpenAPI document   {stack.url}/api/v1/openapi.json
Operator           {OPERATOR}
Password           {stack.operator_password()}
Log                {stack.log}

The first customer:
  .venv/bin/python -m operator_cli add-customer "Example GmbH" --user "Anna Berg" --login anna@example.com \\
      --service {stack.url} --operator {OPERATOR}
and on Anna's device:
  .venv/bin/python -m agent register --service {stack.url} --login anna@example.com
which asks for Anna's first password and for one of her own.

Ctrl-C stops it; the state stays in {STATE}."""


if __name__ == "__main__":
    sys.exit(main())
