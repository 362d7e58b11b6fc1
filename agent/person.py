"""The service as a person knows it: what a device alone must not do."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from agent.credentials import Password
from agent.replies import parse
from agent.service import Service
from agent.tokens import make_nonce
from agent.transport import Answer, Transport
from shared.api.tenancy import Account, AccountLock, Device, EnrolmentCode, KnownCode, LockAccount
from shared.domain.ids import AccountId, CustomerId, DeviceId


class Person(Service):
    """One person's session, of the customer's or the provider's; the service says what each may."""

    def __init__(
        self, base: str, login: str, password: str, transport: Transport, instruction: str | None = None
    ) -> None:
        """`instruction`: the customer's, that a provider's act rests on; goes into the audit log (G6)."""
        super().__init__(base, Password(login, password), transport)
        self._instruction = {} if instruction is None else {"Hort-Instruction": instruction}

    def devices(self, account: AccountId) -> Iterator[Device]:
        return self._pages(f"/accounts/{account}/devices", Device)

    def revoke_device(self, account: AccountId, device: DeviceId) -> Device:
        return parse(self._post(f"/accounts/{account}/devices/{device}/revoke", None, make_nonce()), Device, self._api)

    def make_code(self, account: AccountId) -> EnrolmentCode:
        answer = self._post(f"/accounts/{account}/enrolment-codes", None, make_nonce())
        return parse(answer, EnrolmentCode, self._api)

    def codes(self, account: AccountId) -> Iterator[KnownCode]:
        return self._pages(f"/accounts/{account}/enrolment-codes", KnownCode)

    def lock(self, customer: CustomerId, account: AccountId, note: str) -> AccountLock:
        path = f"/customers/{customer}/accounts/{account}/lock"
        return self._create(path, LockAccount(note=note), AccountLock, make_nonce())

    def unlock(self, account: AccountId) -> Account:
        return parse(self._post(f"/accounts/{account}/unlock", None, make_nonce()), Account, self._api)

    def remove_passphrase(self, account: AccountId) -> None:
        self._call("DELETE", f"/accounts/{account}/slots/passphrase", None, {})

    def _call(self, method: str, path: str, body: BaseModel | None, headers: Mapping[str, str]) -> Answer:
        return super()._call(method, path, body, {**headers, **self._instruction})
