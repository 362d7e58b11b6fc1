"""What a workflow tells of itself while it runs."""

from shared.durable import wire
from shared.durable.calls import Context


def report[S](ctx: Context, status: S, kind: type[S]) -> None:
    """Set the custom status; `Engine.status` reads it as the same type."""
    ctx.set_custom_status(wire.encode(status, kind))
