"""Every request with a body: a good one, and for each field the values that it must refuse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.certificates import csr

SHA = "0" * 64
CSR = csr()

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
NO_REQUESTS: Sequence[Any] = [
    "",
    "AAAA",
    CSR[:100],
    CSR.replace("CERTIFICATE REQUEST", "CERTIFICATE"),
    f"{CSR}\u00e4",
    CSR * 20,
    "\u0000",
    None,
    7,
    [],
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


NO_PERSONS: Sequence[Any] = [
    *NO_NAMES,
    "Nora",
    "N. Nord",
    "Praktikant",
    "Lager Nord",
    "Service-Team Bern",
    "Nora Nord 2",
]
NO_PASSWORDS: Sequence[Any] = ["", "short", "passwort1234", "aaaaaaaaaaaaaaaa", "x" * 1001, None, 7, True, [], {}]
ROLES: Sequence[Any] = ["owner", "operator", "billing", "auditor", "", "ADMIN", None, 7]
STATISTICS = {"files": 1}
NO_SETS: Sequence[Any] = ["Mail", "-mail", "a b", "x" * 41, "m\u00e4il", "mail\n", None, 7, []]
NO_POLICIES: Sequence[Any] = [7, True, "netik-14d", []]
POLICY: Mapping[str, Any] = {"policy": None, "preset": "netik-14d", "sets": {}}
NO_POLICY: Mapping[str, Sequence[Any]] = {
    "policy": NO_POLICIES,
    "preset": ["gold", "", 7, [], {}],
    "sets": [None, 7, [], "mail"],
}
DRILL: Mapping[str, Any] = {
    "snapshot": "0" * 26,
    "passed": True,
    "files": 3,
    "logical_bytes": 3000,
    "read_bytes": 2000,
    "seconds": 1.5,
    "troubles": 0,
}
FORMS = {
    "customer": Form("operator", "/customers", {"name": "N"}, {"name": NO_NAMES}),
    "account": Form("operator", "/customers/{customer}/accounts", {"name": "N"}, {"name": NO_NAMES}),
    "user": Form(
        "operator",
        "/customers/{customer}/users",
        {"name": "Nora Nord", "login": "abc", "role": "member"},
        {"name": NO_PERSONS, "login": NO_LOGINS, "role": ROLES},
        frozenset({"role"}),
    ),
    "password": Form(
        "admin",
        "/password",
        {"old_password": "a password that is wrong", "new_password": "a password that is good"},
        {"old_password": ["", "x" * 1001, None, 7, []], "new_password": NO_PASSWORDS},
    ),
    "user's change": Form(
        "operator",
        "/customers/{customer}/users/{user}",
        {"name": "Nora Nord", "role": "member"},
        {"name": [bad for bad in NO_PERSONS if bad is not None], "role": [bad for bad in ROLES if bad is not None]},
        frozenset({"name", "role"}),
        method="PATCH",
    ),
    "log-out": Form(
        "admin",
        "/log-out",
        {"refresh_token": SHA, "everywhere": False},
        {"refresh_token": ["", "x" * 201, 7, []], "everywhere": ["yes", 1, None, []]},
        frozenset({"refresh_token", "everywhere"}),
    ),
    "device": Form(
        "admin",
        "/accounts/{account}/devices",
        {"name": "N", "platform": "P", "csr": CSR},
        {"name": NO_NAMES, "platform": NO_NAMES, "csr": NO_REQUESTS},
    ),
    "enrolment": Form(
        "nobody",
        "/enrolments",
        {"name": "N", "platform": "P", "csr": CSR, "code": "aaaaa-aaaaa-aaaaa-aaaaa"},
        {"name": NO_NAMES, "platform": NO_NAMES, "csr": NO_REQUESTS, "code": ["", "x" * 101, None, 7, []]},
    ),
    "certificate": Form(
        "device", "/accounts/{account}/devices/{own_device}/certificates", {"csr": CSR}, {"csr": NO_REQUESTS}
    ),
    "lock": Form(
        "admin",
        "/customers/{customer}/accounts/{account}/lock",
        {"note": "N"},
        {"note": ["x" * 1001, None, 7, [], {}]},
        frozenset({"note"}),
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
        {"refs_sha256": SHA, "statistics": STATISTICS, "backup_set": "mail"},
        {"refs_sha256": NO_SHAS, "statistics": [None, 7, [], "x"], "backup_set": NO_SETS},
        frozenset({"statistics", "backup_set"}),
    ),
    "retention": Form(
        "admin",
        "/accounts/{account}/retention",
        {**POLICY, "confirm": None},
        {**NO_POLICY, "confirm": NO_IDS},
        frozenset({*POLICY, "confirm"}),
        method="PUT",
    ),
    "simulation": Form(
        "admin",
        "/accounts/{account}/retention/simulate",
        {**POLICY, "at": None},
        {**NO_POLICY, "at": ["", "tomorrow", "2026-11-21", "2026-11-21T00:00:00", []]},
        frozenset({*POLICY, "at"}),
    ),
    "hold": Form(
        "admin",
        "/customers/{customer}/accounts/{account}/snapshots/{session}/holds",
        {"reason": "N"},
        {"reason": NO_NAMES},
    ),
    "restore": Form(
        "admin", "/accounts/{account}/restores", {"snapshot": None}, {"snapshot": NO_IDS}, frozenset({"snapshot"})
    ),
    "drill": Form(
        "device",
        "/accounts/{account}/drills",
        DRILL,
        {
            "snapshot": NO_IDS,
            "passed": ["perhaps", None, 7, []],
            "files": NO_COUNTS,
            "logical_bytes": NO_COUNTS,
            "read_bytes": NO_COUNTS,
            "seconds": [-1, "long", None, []],
            "troubles": NO_COUNTS,
        },
        frozenset({"troubles"}),
    ),
    "kit-test": Form(
        "device",
        "/accounts/{account}/devices/{device}/kit-test",
        {"recovery_etag": SHA},
        {"recovery_etag": ["", "x" * 201, None, 7, [SHA]]},
    ),
    "slot": Form(
        "admin",
        "/accounts/{account}/slots/recovery",
        {"sealed": "AAAA"},
        {"sealed": ["", "AAA", "!!!!", "A" * 5468, None, 7, ["AAAA"]]},
        method="PUT",
    ),
}
