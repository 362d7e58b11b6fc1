"""Accounts with one of everything in them, and the callers who live there."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.service.client import Client
from tests.service.people import Customer, Device, Service, register
from tests.service.vault import Backup, begin

SEALED = "AAAA"
RECOVERY_ETAG = f'"{hashlib.sha256(base64.b64decode(SEALED)).hexdigest()}"'


@dataclass(frozen=True, slots=True)
class Place:
    """An account: a device with a snapshot and an open session, another device still seeding, a restore, a slot."""

    customer: Customer
    admin: Client
    device: Device
    client: Client
    snapshot: str
    refs_sha256: str
    open: Backup
    pack: str
    seeding: Device
    restore: str
    user: str
    held: str = "0" * 26
    """A hold on the snapshot."""

    @property
    def account(self) -> str:
        return self.device.account

    def parts(self) -> Mapping[str, str]:
        """What the parameters of a route are here; a session is the open one."""
        return {
            "customer": self.customer.id,
            "account": self.account,
            "device": self.seeding.id,
            "own_device": self.device.id,
            "session": self.open.id,
            "pack": self.pack,
            "restore": self.restore,
            "slot": "passphrase",
            "snapshot": self.snapshot,
            "user": self.user,
            "hold": self.held,
        }

    def hold(self, reason: str) -> str:
        """On the snapshot, by the customer."""
        path = f"/customers/{self.customer.id}/accounts/{self.account}/snapshots/{self.snapshot}/holds"
        return self.admin.post(path, {"reason": reason}).made()["id"]

    def seen(self) -> Mapping[str, Any]:
        """All that the API shows of this account."""
        below = f"/accounts/{self.account}"
        paths = ["devices", "snapshots", "slots", "retention", f"devices/{self.seeding.id}/seeding"]
        seen = {path: self.admin.get(f"{below}/{path}").made(200) for path in paths}
        return {**seen, "session": self.client.get(self.open.path).made(200)}


def settle(service: Service, customer: Customer, admin: Client) -> Place:
    """A new account of the customer, with one of everything."""
    account = customer.account()
    device, seeding = register(service, admin, account), register(service, admin, account)
    client = device.log_in()
    done = begin(device, client)
    refs_sha256 = done.prepare([done.put_pack(secrets.token_bytes(100))])
    done.commit(refs_sha256).made(200)
    opened = begin(device, client)
    begin(seeding)
    restore = admin.post(f"/accounts/{account}/restores", {}).made()["id"]
    for slot in ("passphrase", "recovery"):
        admin.put(f"/accounts/{account}/slots/{slot}", {"sealed": SEALED}, {"If-None-Match": "*"}).made(200)
    pack = opened.put_pack(secrets.token_bytes(100)).name.pack_id
    place = Place(
        customer,
        admin,
        device,
        client,
        done.id,
        refs_sha256,
        opened,
        pack,
        seeding,
        restore,
        customer.newcomer("member").id,
    )
    return replace(place, held=place.hold("a court asks"))
