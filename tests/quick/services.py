"""Passwords and account keys that are quickly made, for tests whose promise is another one.

The shipped ones, at their full price, are met in tests/identity, tests/keys and tests/scenarios/test_nothing_leaks.py.
"""

from functools import cached_property

from argon2.profiles import CHEAPEST

from shared.identity.passwords import Passwords
from shared.keys.local import LocalKeys
from shared.services import Services

KEY_BITS = 1024
"""Enough for RSA-OAEP-256 around a data key, and made in a twentieth of the time."""


class QuickServices(Services):
    @cached_property
    def passwords(self) -> Passwords:
        return Passwords(CHEAPEST, self.settings.password_hashes_at_once)

    @cached_property
    def account_keys(self) -> LocalKeys:
        assert self.settings.key_dir is not None, "tests have no Key Vault"
        return LocalKeys(self.settings.key_dir, KEY_BITS)
