"""What an HTTP function returned, as a reply."""

from datetime import UTC, datetime
from email.utils import format_datetime

from localhost.messages import Reply
from localhost.worker import Message

NOT_OURS = {"content-length", "transfer-encoding"}  # the server frames the body


def reply_of(returned: Message | None) -> Reply:
    """A response object, a plain string (200), or nothing (204)."""
    if returned is None:
        return Reply(204)
    if returned.http is None:
        return Reply(200, [("content-type", "text/plain; charset=utf-8")], _bytes(returned))
    http = returned.http
    headers = [(name, value) for name, value in http.headers.items() if name.lower() not in NOT_OURS]
    sent: list[Message] = http.cookies or []
    cookies = [("set-cookie", _cookie(cookie)) for cookie in sent]
    return Reply(int(http.status_code), [*headers, *cookies], _bytes(http.body))


def _bytes(data: Message | None) -> bytes:
    if data is None:
        return b""
    return data.bytes if data.bytes is not None else (data.string or data.json or "").encode()


def _cookie(cookie: Message) -> str:
    parts = [f"{cookie.name}={cookie.value}"]
    for name, wrapped in (("Domain", cookie.domain), ("Path", cookie.path)):
        if wrapped is not None and wrapped.value:
            parts.append(f"{name}={wrapped.value}")
    if cookie.expires is not None:
        parts.append(
            "Expires=" + format_datetime(datetime.fromtimestamp(cookie.expires.value.seconds, UTC), usegmt=True)
        )
    if cookie.max_age is not None:
        parts.append(f"Max-Age={int(cookie.max_age.value)}")
    parts += [flag for flag, on in (("Secure", cookie.secure), ("HttpOnly", cookie.http_only)) if on and on.value]
    same_site = {1: "Lax", 2: "Strict", 3: "None"}.get(cookie.same_site)
    return "; ".join([*parts, f"SameSite={same_site}"] if same_site else parts)
