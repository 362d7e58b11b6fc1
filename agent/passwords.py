"""The user's password becomes another: a first one opens nothing else (N11)."""

from collections.abc import Callable

from agent.replies import NotAuthorised
from agent.service import Service
from shared.api.identity import ChangePassword

MUST_CHANGE = "password-change-required"


def change_password(service_with: Callable[[str], Service], old: str, new: str) -> Service:
    """The service, as the user with the `new` password. Safe to repeat: the new one may be the right one already.

    Raises `NotAuthorised` when neither opens anything, `Refused` when the service does not take the new one.
    """
    try:
        service_with(old).change_password(ChangePassword(old_password=old, new_password=new))
    except NotAuthorised as no:
        # The answer to the first try may have been lost, and the change with it only for us.
        return _known_already(service_with(new), no)
    return service_with(new)


def _known_already(service: Service, no: NotAuthorised) -> Service:
    try:
        service.sign_in()
    except NotAuthorised:
        raise no from None
    return service
