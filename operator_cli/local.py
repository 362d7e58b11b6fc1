"""The service's own settings, for whoever holds them."""

from shared.services import Services
from shared.settings import Settings


def services() -> Services:
    return Services(Settings())  # pyright: ignore[reportCallIssue] -- the environment fills it
