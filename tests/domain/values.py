"""Hypothesis strategies for the domain's values."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from shared.domain.ids import (
    ENTROPY_BYTES,
    AccountId,
    CertificateId,
    CodeId,
    CustomerId,
    DeviceId,
    DrillId,
    FamilyId,
    HoldId,
    Id,
    IncidentId,
    IndexName,
    PackName,
    RestoreId,
    SessionId,
    UserId,
)

EARLIEST = datetime(2020, 1, 1)  # noqa: DTZ001 -- Hypothesis wants the bounds without a zone
LATEST = datetime(2200, 1, 1)  # noqa: DTZ001

moments = st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC))
entropies = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)
sizes = st.integers(0, 2**40)


def ids[I: Id](kind: type[I]) -> st.SearchStrategy[I]:
    return st.builds(kind.make, moments, entropies)


sessions = ids(SessionId)
accounts = ids(AccountId)
devices = ids(DeviceId)
pack_ids = st.binary(min_size=32, max_size=32).map(bytes.hex)
packs = st.builds(PackName, sessions, pack_ids)
indexes = st.builds(IndexName, sessions, st.integers(0, 10**6))

st.register_type_strategy(datetime, moments)
for kind in (
    *(AccountId, CertificateId, CodeId, CustomerId, DeviceId, FamilyId),
    *(HoldId, IncidentId, RestoreId, SessionId, UserId),
):
    st.register_type_strategy(kind, ids(kind))
st.register_type_strategy(DrillId, ids(DrillId))
