"""Retention: the policy of an account, what it says of each snapshot, holds, pins, and expired snapshots taken back."""

from collections.abc import Iterable
from http import HTTPStatus

from shared.api import backups
from shared.api import retention as api
from shared.domain.audit import Deed
from shared.domain.errors import Malformed
from shared.domain.ids import AccountId, HoldId, SessionId
from shared.domain.policy_changes import PendingChange, Retention
from shared.domain.presets import PRESETS
from shared.domain.retention import Policies, Policy, Verdict
from shared.operations import customers, marking, retention
from shared.operations.marking import Marked
from shared.operations.retention import ChangePolicy, Explained
from triggers.access import Who
from triggers.backups import shown
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint


def get_retention(call: Call[NoBody]) -> api.Retention:
    """The account's policy, and the shortening that waits."""
    return _retention(retention.read(call.services, call.account.id))


def put_retention(call: Call[api.PutRetention]) -> api.Retention:
    """Another policy: what keeps more acts at once, what might keep less wants `confirm` and waits for 24 hours."""
    account, seen, wanted = call.account.id, call.header("If-Match"), _policies(call.body)
    if wanted is None:
        raise Malformed("policy", "say either `policy` or `preset`")
    if seen is None:
        raise Malformed("If-Match", "say which policy this one replaces")
    order = ChangePolicy(account, wanted, call.user.id, seen, call.body.confirm)
    return _retention(retention.change(call.services, order))


def call_off_shortening(call: Call[NoBody]) -> api.Retention:
    """The change that waits never acts."""
    return _retention(retention.call_off(call.services, call.account.id))


def simulate_retention(call: Call[api.Simulate]) -> api.Simulation:
    """What a policy would keep and expire of the snapshots there are, now or later; nothing is done."""
    at, found = retention.simulate(call.services, call.account.id, _policies(call.body), call.body.at)
    verdicts = [each.judgement.verdict for each in found]
    return api.Simulation(
        at=at,
        kept=verdicts.count(Verdict.KEEP),
        expired=verdicts.count(Verdict.EXPIRE),
        judgements=[_judgement(each) for each in found],
    )


def explain_snapshot(call: Call[NoBody]) -> api.Explanation:
    """Why a snapshot stays, or what lets it go."""
    explained = retention.explain(call.services, call.account.id, call.id(SessionId))
    return api.Explanation(judgement=_judgement(explained), snapshot=shown(explained.snapshot))


def place_hold(call: Call[api.PlaceHold]) -> backups.Hold:
    """The snapshot stays until the hold is released, whatever the policy says."""
    order, hold = _kept(call), call.new(HoldId)
    held = marking.hold(call.services, order, hold, call.body.reason, call.user)
    return backups.Hold.model_validate(next(each for each in held.holds if each.id == hold), from_attributes=True)


def release_hold(call: Call[NoBody]) -> backups.Snapshot:
    """From here on the hold keeps nothing. What the provider placed, only the provider releases."""
    return shown(marking.release(call.services, _kept(call), call.id(HoldId), call.user))


def pin_snapshot(call: Call[NoBody]) -> backups.Snapshot:
    """The snapshot stays until it is unpinned."""
    return shown(marking.pin(call.services, Marked(call.account.id, call.id(SessionId))))


def unpin_snapshot(call: Call[NoBody]) -> backups.Snapshot:
    """From here on the policy alone decides over the snapshot."""
    return shown(marking.unpin(call.services, Marked(call.account.id, call.id(SessionId))))


def take_snapshot_back(call: Call[NoBody]) -> backups.Snapshot:
    """An expired snapshot is there again, and pinned: otherwise the next sweep would expire it again."""
    return shown(marking.take_back(call.services, Marked(call.account.id, call.id(SessionId))))


def _kept(call: Call[api.PlaceHold] | Call[NoBody]) -> Marked:
    """The snapshot of a customer's account, for the customer, and for the provider on the customer's word (G6)."""
    account = customers.get_account(call.services, call.customer, call.id(AccountId))
    if call.who.customer is None and not call.header("Hort-Instruction"):
        raise Malformed("Hort-Instruction", "say on whose instruction")
    return Marked(account.id, call.id(SessionId))


def _policies(body: api.Policies) -> Policies | None:
    """`None`: the body names none."""
    if body.policy is not None and body.preset is not None:
        raise Malformed("policy", "say either `policy` or `preset`")
    sets = {name: policy.meant() for name, policy in body.sets.items()}
    if body.policy is not None:
        return Policies(body.policy.meant(), sets)
    if body.preset is not None:
        return Policies(PRESETS[body.preset], sets)
    if sets:
        raise Malformed("policy", "say `policy` or `preset` as well")
    return None


def _retention(found: Retention) -> api.Retention:
    return api.Retention(
        etag=retention.etag(found),
        account=found.account,
        policy=api.Policy.of(found.policies.account),
        sets=_sets(found.policies.sets.items()),
        changed_at=found.changed_at,
        changed_by=found.changed_by,
        pending=found.pending and _pending(found.pending),
    )


def _pending(change: PendingChange) -> api.PendingRetention:
    return api.PendingRetention(
        policy=api.Policy.of(change.policies.account),
        sets=_sets(change.policies.sets.items()),
        by=change.by,
        asked_at=change.asked_at,
        in_force_at=change.in_force_at,
    )


def _sets(policies: Iterable[tuple[str, Policy]]) -> dict[str, api.Policy]:
    return {name: api.Policy.of(policy) for name, policy in policies}


def _judgement(each: Explained) -> api.Judgement:
    judgement = each.judgement
    return api.Judgement(snapshot=judgement.id, verdict=judgement.verdict, reasons=list(judgement.reasons))


_RETENTION = "/accounts/{account}/retention"
_SNAPSHOT = "/accounts/{account}/snapshots/{session}"
_HOLDS = "/customers/{customer}/accounts/{account}/snapshots/{session}/holds"

ENDPOINTS = (
    Endpoint("GET", _RETENTION, get_retention, Who.OWNER, NoBody, api.Retention),
    Endpoint(
        "PUT", _RETENTION, put_retention, Who.ADMIN, api.PutRetention, api.Retention, audited=Deed.CHANGE_RETENTION
    ),
    Endpoint(
        "DELETE",
        f"{_RETENTION}/pending",
        call_off_shortening,
        Who.ADMIN,
        NoBody,
        api.Retention,
        audited=Deed.CALL_OFF_RETENTION,
    ),
    Endpoint("POST", f"{_RETENTION}/simulate", simulate_retention, Who.USER, api.Simulate, api.Simulation),
    Endpoint("GET", f"{_SNAPSHOT}/retention", explain_snapshot, Who.OWNER, NoBody, api.Explanation),
    Endpoint(
        "POST",
        _HOLDS,
        place_hold,
        Who.KEEPER,
        api.PlaceHold,
        backups.Hold,
        status=HTTPStatus.CREATED,
        creates=True,
        audited=Deed.PLACE_HOLD,
    ),
    Endpoint(
        "DELETE",
        f"{_HOLDS}/{{hold}}",
        release_hold,
        Who.KEEPER,
        NoBody,
        backups.Snapshot,
        audited=Deed.RELEASE_HOLD,
    ),
    Endpoint("POST", f"{_SNAPSHOT}/pin", pin_snapshot, Who.USER, NoBody, backups.Snapshot, audited=Deed.PIN_SNAPSHOT),
    Endpoint(
        "POST", f"{_SNAPSHOT}/unpin", unpin_snapshot, Who.ADMIN, NoBody, backups.Snapshot, audited=Deed.UNPIN_SNAPSHOT
    ),
    Endpoint(
        "POST",
        f"{_SNAPSHOT}/take-back",
        take_snapshot_back,
        Who.USER,
        NoBody,
        backups.Snapshot,
        audited=Deed.TAKE_SNAPSHOT_BACK,
    ),
)
