"""The models of the HTTP API: what agents and clients send, and what they get."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints


class Request(BaseModel):
    """A body somebody sends us: a field we do not know is an error, not a wish."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Reply(BaseModel):
    """A body we send: readers ignore fields that a newer service added."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Tagged(Reply):
    """A reply whose `etag` is also the `ETag` header: what `If-Match` wants back."""

    etag: str


class Problem(Reply):
    """RFC 9457: what went wrong, for programs by `type` and for people by `detail`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    field: str | None = None
    """The field of the request that is at fault, where one is."""
    packs: list[str] | None = None
    """With `packs-missing`: the packs to send again, as `<session>/<pack-id>`."""
    retry_after_seconds: int | None = None
    """How long to wait, where that is known; also in `Retry-After`."""


class Page[T](Reply):
    """One page of a list; `next` is the cursor to ask on with, absent on the last page."""

    items: list[T]
    next: str | None = None


_UNSEEN = r"\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
"""Control characters, separators, and marks that turn or hide text: a name that shows as another one deceives."""

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=rf"^[^{_UNSEEN}]+$")
]
Login = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9.@_+-]{1,98}[A-Za-z0-9]$")]
Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
Bytes = Annotated[int, Field(ge=0, le=2**63 - 1)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A number: JSON has no infinity, so what was stored of one could never be read again."""
Instant = AwareDatetime
