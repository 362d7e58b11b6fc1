"""Timer functions that write down when they ran."""

import json
import os
from datetime import datetime
from importlib import import_module
from pathlib import Path

import azure.functions as func

app = func.FunctionApp()


def now() -> datetime:
    module, name = os.environ["LOCALHOST_NOW"].split(":")
    return getattr(import_module(module), name)()


def note(name: str, timer: func.TimerRequest) -> None:
    with Path(os.environ["TALLY_DIR"], name).open("a") as tally:
        tally.write(json.dumps({"at": now().isoformat(), "past_due": timer.past_due}) + "\n")


@app.timer_trigger(schedule="0 0 3 * * *", arg_name="timer")
def nightly(timer: func.TimerRequest) -> None:
    note("nightly", timer)


@app.timer_trigger(schedule="%HOURLY%", arg_name="timer")
def hourly(timer: func.TimerRequest) -> None:
    note("hourly", timer)


@app.timer_trigger(schedule="00:30:00", arg_name="timer")
async def half_hourly(timer: func.TimerRequest) -> None:
    note("half_hourly", timer)


@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer", run_on_startup=True)
def on_startup(timer: func.TimerRequest) -> None:
    note("on_startup", timer)


@app.timer_trigger(schedule="* * * * * *", arg_name="timer")
def switched_off(timer: func.TimerRequest) -> None:
    note("switched_off", timer)


@app.timer_trigger(schedule="0 0 4 * * *", arg_name="timer")
def fails(timer: func.TimerRequest) -> None:
    note("fails", timer)
    raise RuntimeError("tried")
