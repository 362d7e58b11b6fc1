"""Every request with a body: a good one, and for each field the values that it must refuse."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHA = "0" * 64
PUBLIC_KEY = base64.b64encode(bytes(range(32))).decode()

NO_NAMES: Sequence[Any] = [
    7,
    True,
    None,
    [],
    {},
    "",
    "   ",
    "x" * 121,
    "a\u0000b",
    "a\nb",
    "a\u007fb",
    "\u0000",
    "a\tb\r",
]
NO_COUNTS: Sequence[Any] = [-1, 1.5, "many", "12", " 5 ", True, None, [], {}, 2**63, -(2**63), 10**40, 1e300]
NO_SHAS: Sequence[Any] = ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, SHA + "\n", None, 7, [SHA]]
NO_LOGINS: Sequence[Any] = [
    "",
    "a",
    "x" * 101,
    "a b",
    "\u00fcml@x.y",
    "a\nb",
    "a\u0000b",
    "-ab",
    "ab-",
    "a/b",
    None,
    7,
    [],
]
NO_KEYS: Sequence[Any] = [
    "",
    "AAAA",
    "!!!!",
    "A" * 43,
    f"{PUBLIC_KEY}AAAA",
    "\u00e4" * 44,
    None,
    7,
    "-----BEGIN PUBLIC KEY-----",
]
NO_IDS: Sequence[Any] = [
    "",
    "nonsense",
    "0" * 25,
    "0" * 27,
    "8" + "0" * 25,
    "0" * 25 + "u",
    "0" * 25 + "A",
    "0" * 26 + "\n",
    7,
    [],
]


@dataclass(frozen=True, slots=True)
class Form:
    """A request with a good body, and values that each of its fields must refuse; `who` sends it."""

    who: str
    path: str
    body: Mapping[str, Any]
    refuses: Mapping[str, Sequence[Any]]
    optional: frozenset[str] = frozenset()
    method: str = "POST"


ROLES: Sequence[Any] = ["owner", "operator", "", "ADMIN", None, 7]
STATISTICS = {"files": 1}
FORMS = {
    "customer": Form("operator", "/customers", {"name": "N"}, {"name": NO_NAMES}),
    "account": Form("operator", "/customers/{customer}/accounts", {"name": "N"}, {"name": NO_NAMES}),
    "user": Form(
        "operator",
        "/customers/{customer}/users",
        {"name": "N", "login": "abc", "role": "member"},
        {"name": NO_NAMES, "login": NO_LOGINS, "role": ROLES},
        frozenset({"role"}),
    ),
    "device": Form(
        "admin",
        "/accounts/{account}/devices",
        {"name": "N", "platform": "P", "public_key": PUBLIC_KEY},
        {"name": NO_NAMES, "platform": NO_NAMES, "public_key": NO_KEYS},
    ),
    "session": Form("device", "/accounts/{account}/sessions", {}, {}),
    "renewal": Form(
        "device",
        "/accounts/{account}/sessions/{session}/renew",
        {"done_bytes": 1, "total_bytes": 2},
        {"done_bytes": NO_COUNTS, "total_bytes": NO_COUNTS},
        frozenset({"done_bytes", "total_bytes"}),
    ),
    "commit": Form(
        "device",
        "/accounts/{account}/sessions/{session}/commit",
        {"refs_sha256": SHA, "statistics": STATISTICS},
        {"refs_sha256": NO_SHAS, "statistics": [None, 7, [], "x"]},
        frozenset({"statistics"}),
    ),
    "restore": Form(
        "admin", "/accounts/{account}/restores", {"snapshot": None}, {"snapshot": NO_IDS}, frozenset({"snapshot"})
    ),
    "slot": Form(
        "admin",
        "/accounts/{account}/slots/recovery",
        {"sealed": "AAAA"},
        {"sealed": ["", "AAA", "!!!!", "A" * 5468, None, 7, ["AAAA"]]},
        method="PUT",
    ),
}
