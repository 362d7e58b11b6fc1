"""The service as the command line reaches it; loaded only by commands that need it."""

from collections.abc import Generator
from contextlib import contextmanager

from tzlocal import get_localzone

from agent.certificates import thumbprint
from agent.cli.device import Device
from agent.config import NotRegistered
from agent.credentials import DeviceKey
from agent.engine.orders import utc_now
from agent.meter import Meter, Reading
from agent.pace import Pace
from agent.patience import Patience
from agent.person import Person
from agent.plans.bandwidth import Limits
from agent.service import Service
from agent.service_vault import ServiceVault
from agent.transport import Transport
from shared.api.backups import RenewSession


def key_of(device: Device) -> DeviceKey:
    """Raises `NotRegistered` when this device only knows a vault in a folder."""
    if device.certificate is None:
        raise NotRegistered
    who = device.registration
    return DeviceKey(who.account, who.device, device.key, thumbprint(device.certificate))


def service_of(device: Device, transport: Transport) -> Service:
    """Raises `NotRegistered` when this device only knows a vault in a folder."""
    if device.registration.service is None:
        raise NotRegistered
    return Service(device.registration.service, key_of(device), transport)


def service_as(device: Device, login: str, password: str) -> Person:
    """The same service, as a user: for what a device alone must not do. Raises `NotRegistered`."""
    if device.registration.service is None:
        raise NotRegistered
    return Person(device.registration.service, login, password, Transport(Patience()))


@contextmanager
def service_vault(device: Device, meter: Meter, limits: Limits) -> Generator[ServiceVault]:
    """A session that is open when the block ends stays so: the next run goes on with it."""
    pace = Pace(lambda: limits.at(utc_now().astimezone(get_localzone()).time())) if limits.windows else None
    transport = Transport(Patience(), pace=pace)
    vault = ServiceVault(service_of(device, transport), transport, key_of(device), lambda: told(meter.read()))
    try:
        yield vault
    finally:
        vault.close()
        transport.close()


def told(now: Reading) -> RenewSession:
    """How far a run is, for the service's eyes: a total of 0 is not known."""
    total_bytes = max(now.total_bytes, now.logical_bytes) if now.total_bytes else 0
    return RenewSession(done_bytes=now.logical_bytes, total_bytes=total_bytes)
