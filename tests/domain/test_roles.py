"""Changes of role."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain.ids import CustomerId, UserId
from shared.domain.roles import is_administrator, takes_an_administrator_away, with_role
from shared.domain.tenancy import Role, User, UserState

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ADMIN = User(UserId("1" * 26), CustomerId("2" * 26), "Anna Muster", "anna", Role.ADMIN, "", NOW)


def test_another_role_is_another_epoch_and_the_same_role_none() -> None:
    """Tokens carry the role: one that says `admin` must not outlive the role."""
    member = with_role(ADMIN, Role.MEMBER)
    assert (member.role, member.epoch) == (Role.MEMBER, ADMIN.epoch + 1)
    assert with_role(member, Role.MEMBER) == member


@pytest.mark.parametrize(
    ("new", "taken"),
    [
        (ADMIN, False),
        (replace(ADMIN, name="Anna Meister"), False),
        (with_role(ADMIN, Role.MEMBER), True),
        (replace(ADMIN, state=UserState.DISABLED), True),
    ],
)
def test_an_administrator_is_gone_with_the_role_or_when_disabled(new: User, taken: bool) -> None:
    assert takes_an_administrator_away(ADMIN, new) is taken
    assert not takes_an_administrator_away(with_role(ADMIN, Role.MEMBER), new)
    assert is_administrator(new) is not taken
