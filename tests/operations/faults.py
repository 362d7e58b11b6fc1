"""Services whose calls to storage can be cut off: before storage hears them, or before we hear its answer."""

# pyright: reportUnknownMemberType=false
import itertools
import secrets
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from http import HTTPStatus
from typing import Any, cast, override

from azure.core.pipeline.transport._requests_basic import RequestsTransport
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from shared.domain.ids import ENTROPY_BYTES, Id
from shared.settings import Settings
from tests.quick.services import QuickServices


class Crash(Exception):
    """The process ended here; nothing after it was run."""


class Moment(StrEnum):
    BEFORE = "before storage heard of it"
    AFTER = "after storage did it"
    GATEWAY = "after storage did it, and a gateway says 503, so the SDK asks again by itself"


@dataclass(slots=True)
class Fuse:
    """Counts the calls and blows at one of them, once."""

    calls: int = 0
    at: int | None = None
    moment: Moment = Moment.BEFORE

    def set(self, at: int | None, moment: Moment = Moment.BEFORE) -> None:
        self.calls, self.at, self.moment = 0, at, moment

    def blows(self, moment: Moment) -> bool:
        if self.calls != self.at or moment is not self.moment:
            return False
        self.at = None
        return True


class _Wire(RequestsTransport):
    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    @override
    def send(self, request: Any, **kwargs: Any) -> Any:
        # To cut a read after its answer is to cut it before: storage is the same. Writes are worth both.
        if self._fuse.moment is Moment.BEFORE or request.method not in ("GET", "HEAD"):
            self._fuse.calls += 1
        if self._fuse.blows(Moment.BEFORE):
            raise Crash(Moment.BEFORE)
        answer = cast("Any", super()).send(request, **kwargs)
        if self._fuse.blows(Moment.AFTER):
            raise Crash(Moment.AFTER)
        if self._fuse.blows(Moment.GATEWAY):
            answer.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return answer


class FaultyServices(QuickServices):
    """The service's own clients with a fuse in each call."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.fuse = Fuse()
        self._made = itertools.count()

    @override
    def new[I: Id](self, kind: type[I]) -> I:
        """Identities that sort as they were made, so that two worlds read alike."""
        return kind.make(self.now(), next(self._made).to_bytes(2) + secrets.token_bytes(ENTROPY_BYTES - 2))

    @cached_property
    @override
    def _tables(self) -> TableServiceClient:
        storage = self.settings.storage.get_secret_value()
        return TableServiceClient.from_connection_string(storage, transport=_Wire(self.fuse))

    @cached_property
    @override
    def _blobs(self) -> BlobServiceClient:
        storage = self.settings.storage.get_secret_value()
        return BlobServiceClient.from_connection_string(storage, transport=_Wire(self.fuse))
