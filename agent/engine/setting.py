"""What stays the same during a backup, however many attempts it takes."""

from dataclasses import dataclass

from agent.engine.desk import Desk
from agent.engine.globs import Rules
from agent.engine.orders import BackupOrder, Progress
from agent.engine.walk import Skip, Walk
from agent.vault import Vault
from shared.format.keys import VaultKeys


@dataclass(frozen=True, slots=True)
class Setting:
    order: BackupOrder
    roots: tuple[bytes, ...]
    vault: Vault
    keys: VaultKeys
    desk: Desk
    progress: Progress

    def walk(self, skip: Skip) -> Walk:
        """Over what the order names, without the agent's own folder, which changes all the time."""
        rules = Rules.of(self.order.include, self.order.exclude, self.order.ignore)
        own = self.desk.folder.stat()
        return Walk(rules, self.order.one_file_system, skip, frozenset({(own.st_dev, own.st_ino)}))
