"""A local Azure Functions host for Python: one process, durable state in SQLite, a clock that tests can move."""

from localhost.host import HostOptions, LocalHost

__all__ = ["HostOptions", "LocalHost"]
