"""Sets of packs that a sweep has condemned or is deleting: immutable blobs that the vault's state points to."""

# pyright: reportUnknownMemberType=false
import hashlib
from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContainerClient

from shared.domain.ids import AccountId, PackName

CONTAINER = "hort-gc"
"""The service's own: no agent ever gets a SAS for it."""


@dataclass(frozen=True, slots=True)
class PackSets:
    container: ContainerClient

    def read(self, account: AccountId, name: str | None) -> frozenset[PackName]:
        if name is None:
            return frozenset()
        text = self.container.download_blob(f"{account}/{name}").readall().decode()
        return frozenset(PackName.parse(line) for line in text.splitlines())

    def write(self, account: AccountId, packs: Set[PackName]) -> str:
        """Keep a set for ever under the hash of what it holds, and tell that name."""
        body = "".join(f"{pack}\n" for pack in sorted(packs)).encode()
        name = hashlib.sha256(body).hexdigest()
        with suppress(ResourceExistsError):  # the same name is the same set
            self.container.upload_blob(f"{account}/{name}", body, overwrite=False)
        return name
