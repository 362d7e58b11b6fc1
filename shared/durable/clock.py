"""The replay-safe clock of a workflow."""

from datetime import UTC, datetime

from shared.durable.calls import Context


def now(ctx: Context) -> datetime:
    """Aware UTC: the SDK hands out naive values."""
    return ctx.current_utc_datetime.replace(tzinfo=UTC)
