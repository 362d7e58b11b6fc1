"""Changes of role, and that a customer is never without an administrator."""

from dataclasses import replace

from shared.domain.tenancy import Role, User, UserState


def with_role(user: User, role: Role) -> User:
    """Another epoch with another role: tokens carry the role they were issued for."""
    return user if user.role is role else replace(user, role=role, epoch=user.epoch + 1)


def is_administrator(user: User) -> bool:
    """One who can act: a disabled one keeps the role, and helps nobody."""
    return user.role is Role.ADMIN and user.state is UserState.ACTIVE


def takes_an_administrator_away(old: User, new: User) -> bool:
    return is_administrator(old) and not is_administrator(new)
