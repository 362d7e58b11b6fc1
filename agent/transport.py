"""HTTP with patience: a call is tried until it is answered or patience is over. No URL ever shows in an error."""

import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import cast
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    HTTPError,
    IncompleteRead,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as NoAnswer

from agent import ending
from agent.pace import Pace
from agent.patience import Patience
from shared.domain.errors import HortError

# urllib3 writes URLs into its warnings, and ours carry a SAS.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

_PASSING_STATUSES = frozenset({408, 429})


class Unreachable(HortError):
    """Nobody answered, or nobody who can serve us now. `where` is a host and a port, never a whole URL."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where} cannot be reached: {reason}")
        self.where = where
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Sequence[bytes | memoryview] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes


@dataclass(slots=True)
class _Failures:
    """What has gone wrong in a row in one call."""

    count: int = 0
    since_seconds: float = 0.0
    last: str = ""


class Transport:
    """A pool of connections and the patience to use them. Safe for threads."""

    def __init__(
        self,
        patience: Patience,
        connections: int = 64,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = ending.wait,
        jitter: Callable[[], float] = random.random,
        pace: Pace | None = None,
    ) -> None:
        timeout = urllib3.Timeout(connect=patience.connect_seconds, read=patience.silence_seconds)
        self._pool = urllib3.PoolManager(maxsize=connections, retries=False, timeout=timeout)
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._pace = pace

    def send(self, call: Call, passing: Callable[[Answer], bool] | None = None) -> Answer:
        """The first answer that is not a passing fault (408, 429, 5xx, or what `passing` says besides).

        Raises `Unreachable` when patience is over. The call must bear repetition.
        """
        return self.send_anew(lambda: call, passing)

    def send_anew(self, make: Callable[[], Call], passing: Callable[[Answer], bool] | None = None) -> Answer:
        """As `send`, for calls that must not be repeated: each try is made anew."""
        failures = _Failures()
        while True:
            call = make()
            answer = self._once(call, failures)
            if answer is not None and not _is_passing(answer, passing):
                return answer
            self._wait_or_give_up(call, answer, failures)

    def close(self) -> None:
        self._pool.clear()

    def _once(self, call: Call, failures: _Failures) -> Answer | None:
        try:
            return self._exchange(call)
        except SSLError as fault:
            if "certificate" in str(fault).lower():
                raise Unreachable(_place(call.url), "its TLS certificate is not trusted") from None
            failures.last = "the TLS connection failed"
        except (HTTPError, OSError) as fault:
            failures.last = _told(fault)
        return None

    def _exchange(self, call: Call) -> Answer:
        length_bytes = sum(len(part) for part in call.body)
        headers = dict(call.headers)
        if call.method in {"PUT", "POST"}:
            headers["Content-Length"] = str(length_bytes)
        body = self._pace.slices(call.body) if self._pace and call.body else call.body
        parts = cast(Iterable[bytes] | None, body or None)  # memoryviews too: they go to the socket as they are
        reply = self._pool.request(call.method, call.url, body=parts, headers=headers, redirect=False)
        return Answer(reply.status, reply.headers, reply.data)

    def _wait_or_give_up(self, call: Call, answer: Answer | None, failures: _Failures) -> None:
        now = self._clock()
        if answer is not None:
            failures.last = f"it answers {answer.status}"
        if failures.count == 0:
            failures.since_seconds = now
        failures.count += 1
        asked = retry_after_seconds(answer.headers.get("Retry-After"), time.time()) if answer is not None else 0.0
        wait = max(asked, self._patience.wait_seconds(failures.count, self._jitter()))
        if self._patience.is_over(failures.count, now - failures.since_seconds, wait):
            raise Unreachable(_place(call.url), failures.last)
        self._sleep(wait)


def retry_after_seconds(value: str | None, now_epoch_seconds: float) -> float:
    """RFC 9110 §10.2.3: seconds or a date; what is neither counts as nothing."""
    if not value:
        return 0.0
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now_epoch_seconds)
    except ValueError:
        return 0.0


def _is_passing(answer: Answer, passing: Callable[[Answer], bool] | None) -> bool:
    if answer.status >= 500 or answer.status in _PASSING_STATUSES:
        return True
    return passing is not None and passing(answer)


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _told(fault: Exception) -> str:
    """In our words, because urllib3's carry the URL."""
    match fault:
        case NameResolutionError():  # before NewConnectionError, and that before TimeoutError: each is one of the next
            return "the name is not known"
        case NewConnectionError():
            return "no connection"
        case NoAnswer():
            return "no answer in time"
        case IncompleteRead():
            return "the answer was cut off"
        case ProtocolError():
            return "the connection broke"
        case _:
            return type(fault).__name__
