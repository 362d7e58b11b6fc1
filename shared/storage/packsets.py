"""Sets of packs that a sweep has condemned or is deleting: immutable blobs that the vault's state points to."""

# pyright: reportUnknownMemberType=false
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from shared.domain.ids import AccountId, PackName
from shared.storage.tables import Changed

CONTAINER = "hort-gc"
"""The service's own: no agent ever gets a SAS for it."""


@dataclass(frozen=True, slots=True)
class PackSets:
    """Each pack comes with its size in bytes."""

    container: ContainerClient

    def read(self, account: AccountId, name: str | None) -> dict[PackName, int]:
        if name is None:
            return {}
        try:
            text = self.container.download_blob(f"{account}/{name}").readall().decode()
        except ResourceNotFoundError:
            # Only what no state names any more is forgotten: whoever read the name must read the state again.
            raise Changed(f"the set {name} is gone") from None
        return dict(_pack(line) for line in text.splitlines())

    def read_all(self, account: AccountId, names: Iterable[str | None]) -> dict[PackName, int]:
        """Their union."""
        return {pack: size for name in names for pack, size in self.read(account, name).items()}

    def write(self, account: AccountId, packs: Mapping[PackName, int]) -> str:
        """Keep a set under the hash of what it holds, and tell that name."""
        body = "".join(f"{pack} {size}\n" for pack, size in sorted(packs.items())).encode()
        name = hashlib.sha256(body).hexdigest()
        # The same name is the same set; written again it is young again, and `forget_old` lets it be.
        self.container.upload_blob(f"{account}/{name}", body, overwrite=True)
        return name


def _pack(line: str) -> tuple[PackName, int]:
    name, _, size = line.partition(" ")
    return PackName.parse(name), int(size)
