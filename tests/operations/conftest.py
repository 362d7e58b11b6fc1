"""A world of its own for each test."""

import pytest

from shared.services import Services
from tests.operations.world import World, make


@pytest.fixture
def world(services: Services) -> World:
    return make(services)
