"""The access token: asked for when there is none that serves, kept in memory only, shared by all threads."""

import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode

from agent.credentials import Credential
from agent.engine.orders import utc_now
from agent.replies import parse, refusal
from agent.transport import Answer, Call, Transport
from shared.api.identity import Token

_MARGIN_SECONDS = 30.0
_TOLERATED = timedelta(seconds=30)


def make_nonce() -> str:
    return secrets.token_urlsafe(16)


class Tokens:
    """One caller's access tokens."""

    def __init__(self, url: str, credential: Credential, transport: Transport, nonce: Callable[[], str]) -> None:
        self._url = url
        self._credential = credential
        self._transport = transport
        self._nonce = nonce
        self._lock = threading.Lock()
        self._ahead = timedelta()
        """How far the service's clock is ahead of ours, as far as we have had to ask."""
        self._token = ""
        self._until = 0.0  # on the monotonic clock: a wall clock that is set must not spoil it

    def valid(self, refused: str = "") -> str:
        """A token that should serve: a new one if the service just `refused` the one we have."""
        with self._lock:
            if self._token == refused or time.monotonic() >= self._until:
                asked_at = time.monotonic()
                token = self._ask()
                self._token = token.access_token
                self._until = asked_at + token.expires_in - _MARGIN_SECONDS
            return self._token

    def _ask(self) -> Token:
        """Raises `NotAuthorised` when the service does not know us by this credential."""
        answer = self._transport.send_anew(self._call)
        if answer.status in {400, 401} and self._credential.tells_time and self._go_by_the_services_clock(answer):
            answer = self._transport.send_anew(self._call)
        if answer.status >= 300:
            raise refusal(answer, self._url)
        return parse(answer, Token, self._url)

    def _call(self) -> Call:
        # Each try a new assertion: the service takes one once, and the answer to it may have been lost.
        request = self._credential.ask(self._url, utc_now() + self._ahead, self._nonce())
        form = urlencode(request.model_dump(mode="json", exclude_none=True)).encode()
        return Call("POST", self._url, {"Content-Type": "application/x-www-form-urlencoded"}, (form,))

    def _go_by_the_services_clock(self, answer: Answer) -> bool:
        """Whether ours was so far off that it may have spoilt the assertion: a wrong clock must stop no backup."""
        told = answer.headers.get("Hort-Time")
        if told is None:
            return False
        before, self._ahead = self._ahead, datetime.fromisoformat(told) - utc_now()
        return abs(self._ahead - before) > _TOLERATED
