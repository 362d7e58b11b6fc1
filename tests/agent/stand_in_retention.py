"""What the stand-in knows of retention: one policy, and marks on its snapshots."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.api.retention import Policy
from shared.domain.ids import HoldId
from tests.agent.stand_in import Reply, Request, StandIn, as_json, problem

ETAG = '"of the policy that was seen"'


def expire(state: StandIn, snapshot: str) -> datetime:
    """As a sweep does it; tells until when it can be taken back."""
    now = datetime.now(UTC)
    _find(state, snapshot).update(expired_at=now.isoformat(), take_back_until=(now + timedelta(days=1)).isoformat())
    return now + timedelta(days=1)


def answer(state: StandIn, request: Request, parts: list[str], body: dict[str, Any]) -> Reply:
    match request.method, parts:
        case "GET", ["retention"]:
            return as_json(200, _retention(state))
        case "PUT", ["retention"]:
            return _put(state, request, body)
        case "DELETE", ["retention", "pending"]:
            return problem(409, "conflict", "no change waits")
        case "POST", ["retention", "simulate"]:
            return as_json(200, _simulation(state, body))
        case "GET", ["snapshots", snapshot]:
            return as_json(200, _find(state, snapshot))
        case "GET", ["snapshots", snapshot, "retention"]:
            told = {"snapshot": snapshot, "verdict": "keep", "reasons": ["newest of device", "within 14 days"]}
            return as_json(200, {"snapshot": _find(state, snapshot), "judgement": told})
        case "POST", ["snapshots", snapshot, mark]:
            return _mark(_find(state, snapshot), mark)
        case _:
            return problem(404, "not-found", request.path)


def holds(state: StandIn, method: str, path: str, body: dict[str, Any]) -> Reply:
    """Below `/customers/<customer>/accounts/<account>/snapshots/<snapshot>/holds`."""
    _, _, _, _, _, _, snapshot, _, *rest = path.split("/")
    found = _find(state, snapshot)
    if method == "POST":
        hold = {"id": HoldId.of_number(len(found.get("holds", [])) + 1), "by": "0" * 26, "by_provider": False, **body}
        hold["placed_at"] = datetime.now(UTC).isoformat()
        found["holds"] = [*found.get("holds", []), hold]
        return as_json(201, hold)
    found["holds"] = [hold for hold in found["holds"] if hold["id"] not in rest]
    return as_json(200, found)


def _find(state: StandIn, snapshot: str) -> dict[str, Any]:
    return next(each for each in state.snapshots if each["id"] == snapshot)


def _retention(state: StandIn) -> dict[str, Any]:
    known = {name: Policy(**policy).model_dump() for name, policy in state.policies["sets"].items()}
    policy = Policy(**state.policies["policy"]).model_dump()
    return {"etag": ETAG, "account": state.account, "policy": policy, "sets": known}


def _put(state: StandIn, request: Request, body: dict[str, Any]) -> Reply:
    if request.headers["If-Match"] != ETAG:
        return problem(412, "precondition-failed", "another policy is in force")
    wanted = body["policy"] or {"daily": 15, "monthly": 13}
    if wanted.get("keep_within_days", 14) < 14 and body["confirm"] != state.account:
        return problem(409, "confirmation-needed", "snapshots might be kept less long: confirm with the account's id")
    state.policies = {"policy": wanted, "sets": body["sets"]}
    return as_json(200, _retention(state))


def _simulation(state: StandIn, body: dict[str, Any]) -> dict[str, Any]:
    """The last one stays."""
    *old, new = [each["id"] for each in state.snapshots]
    judged = [(new, "keep", ["newest of device"]), *((each, "expire", ["older than 0 days"]) for each in old)]
    return {
        "at": body["at"] or datetime.now(UTC).isoformat(),
        "kept": 1,
        "expired": len(old),
        "judgements": [{"snapshot": name, "verdict": said, "reasons": why} for name, said, why in judged],
    }


def _mark(snapshot: dict[str, Any], mark: str) -> Reply:
    if mark == "pin" and snapshot.get("expired_at"):
        return problem(409, "snapshot-expired", "the snapshot is expired; it can be taken back")
    snapshot.update(expired_at=None, take_back_until=None, pinned=mark != "unpin")
    return as_json(200, snapshot)
