"""A row in the table of what the API can do, and how Azure Functions learns of it."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from shared.api.base import Reply, Request
from shared.domain.audit import Deed
from triggers.access import Who
from triggers.call import Call

JSON_LINES = "application/x-ndjson"


@dataclass(frozen=True)
class Endpoint[B: Request, R: Reply]:
    """A row in the table of what the API can do; the OpenAPI document is made of the same rows."""

    method: str
    path: str
    """Below `/api/v1`, such as `/accounts/{account}/sessions`."""
    handler: Callable[[Call[B]], R]
    """Its docstring is the summary."""
    who: Who
    body: type[B]
    reply: type[R]
    status: HTTPStatus = HTTPStatus.OK
    creates: bool = False
    """Takes an Idempotency-Key."""
    form: bool = False
    """The body is a form, not JSON."""
    pages: bool = False
    """Takes `after` and `limit`."""
    lines: type[Reply] | None = None
    """The page's items, of this kind, go as JSON lines, and the cursor in `Link` (RFC 8288)."""
    filters: tuple[str, ...] = ()
    """Names of query parameters that narrow the list."""
    workflows: bool = False
    """Starts workflows or speaks to them."""
    guesses: bool = False
    """Takes a password: after too many wrong ones it answers 429."""
    cached_seconds: int = 0
    """For how long whoever asked may go by the answer."""
    audited: Deed | None = None
    """The privileged act that this is: each call by a known caller is kept in the audit log, also a refused one."""

    @property
    def name(self) -> str:
        return self.handler.__name__
