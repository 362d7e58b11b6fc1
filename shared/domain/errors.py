"""What can go wrong, in the domain's own words; `triggers/problems.py` knows what HTTP calls it."""


class HortError(Exception):
    """Something the caller can understand and act on; `str()` is a sentence for people."""


class Malformed(HortError):
    """A value that cannot be what it should be."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class NotFound(HortError):
    """There is no such thing for this caller: another tenant's things do not exist either."""


class Conflict(HortError):
    """The thing is in a state that does not allow this."""


class Forbidden(HortError):
    """The caller is known, and may not."""


class NotAuthenticated(HortError):
    """The caller could not prove who it is."""
