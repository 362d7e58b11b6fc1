"""What `hort plan` and `hort daemon` take."""

from enum import StrEnum
from typing import Annotated

import typer

from agent.cli.options import AsJson, Limit, Vault
from agent.cli.perform import performing

plan = typer.Typer(help="Named backup sets that the daemon runs.", no_args_is_help=True, rich_markup_mode=None)
running = typer.Typer(rich_markup_mode=None)

PlanName = Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters, digits and dashes.")]


class Unit(StrEnum):
    SYSTEMD = "systemd"
    WINDOWS = "windows"


@plan.command("list")
def list_plans(as_json: AsJson = False) -> None:
    """List the plans, when each ran and when it runs next."""
    with performing(as_json=as_json) as say:
        from agent.cli.planning import list_plans

        say(list_plans())


@plan.command("show")
def show_plan(name: PlanName, as_json: AsJson = False) -> None:
    """Show one plan as it is written down."""
    with performing(as_json=as_json) as say:
        from agent.cli.planning import show_plan

        say(show_plan(name))


@plan.command("set")
def set_plan(
    name: PlanName,
    path: Annotated[list[str] | None, typer.Option(metavar="PATH", help="May be given again.")] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="LINE", help="As in a .gitignore; may be given again.")
    ] = None,
    preset: Annotated[list[str] | None, typer.Option(help="caches, temporary, builds or system.")] = None,
    schedule: Annotated[str | None, typer.Option(help="Such as `daily 22:00`, `weekly sunday 03:00`, or cron.")] = None,
    kind: Annotated[str | None, typer.Option(help="incremental, synthetic_full or active_full.")] = None,
    spread_minutes: Annotated[int | None, typer.Option(help="Begin up to so much later, each device its own.")] = None,
    limit: Limit = None,
    on_battery: Annotated[bool | None, typer.Option("--on-battery/--not-on-battery")] = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable")] = None,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Make a plan, or change what is given of one."""
    with performing(as_json=as_json) as say:
        from agent.cli.planning import set_plan

        given = {
            "paths": path,
            "exclude": exclude,
            "presets": preset,
            "schedule": schedule,
            "kind": kind,
            "spread_minutes": spread_minutes,
            "limit": limit,
            "on_battery": on_battery,
            "enabled": enabled,
            "vault": vault,
        }
        say(set_plan(name, {key: value for key, value in given.items() if value is not None}))


@plan.command("remove")
def remove_plan(name: PlanName, as_json: AsJson = False) -> None:
    """Forget a plan. Its snapshots stay."""
    with performing(as_json=as_json) as say:
        from agent.cli.planning import remove_plan

        say(remove_plan(name))


@running.command()
def daemon(
    once: Annotated[bool, typer.Option("--once", help="Run what is due now, and end.")] = False,
    print_unit: Annotated[Unit | None, typer.Option("--print-unit", help="Print what starts it, and end.")] = None,
) -> None:
    """Run the plans when they are due, for as long as the machine runs."""
    with performing(as_json=False) as say:
        from agent.cli import daemon

        if print_unit is not None:
            say(daemon.unit(print_unit.value))
        else:
            say(daemon.serve(once=once))
