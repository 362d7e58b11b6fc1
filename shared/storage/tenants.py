"""Customers, their accounts and devices."""

from shared.domain.tenancy import Account, Customer, Device
from shared.storage.mapping import Mapper

CUSTOMERS_PARTITION = "customers"

CUSTOMERS = Mapper("customers", Customer, key=lambda customer: (CUSTOMERS_PARTITION, customer.id))
ACCOUNTS = Mapper("accounts", Account, key=lambda account: (account.customer, account.id))
DEVICES = Mapper("devices", Device, key=lambda device: (device.account, device.id))
