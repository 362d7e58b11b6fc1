"""What a sweep remembers of an account, brought up to date from the vault itself."""

from shared.domain import catalogue as catalogues
from shared.domain.catalogue import Catalogue, Shelf
from shared.domain.errors import HortError
from shared.domain.ids import AccountId, SessionId
from shared.format import names
from shared.format.refs import MAX_BYTES, needed_indexes, needed_packs
from shared.services import Services
from shared.storage.vaults import Rows


class RefsLost(HortError):
    """The refs of a kept snapshot are not there: nobody can tell any more what may go."""


def up_to_date(services: Services, rows: Rows) -> Catalogue:
    """What is remembered, and what has come or gone since: one listing and one refs a new snapshot.

    Raises `RefsLost`.
    """
    account = rows.state.value.account
    known = services.catalogues.read(account, rows.state.value.catalogue) or Catalogue()
    catalogue = catalogues.without(known, known.shelves.keys() - rows.committed, known.uses.keys() - rows.kept)
    for session in sorted(rows.committed - catalogue.shelves.keys()):
        catalogue = catalogues.listed(catalogue, session, services.vault_blobs.packs_of(account, session))
    for snapshot in sorted(rows.kept - catalogue.uses.keys()):
        # The commit has checked the signature, and what it checked nobody can overwrite.
        refs = refs_of(services, account, snapshot)
        packs = ((session, Shelf(ids, sizes)) for session, ids, sizes in needed_packs(refs))
        catalogue = catalogues.used_shelves(catalogue, snapshot, packs, needed_indexes(refs))
    return catalogue


def refs_of(services: Services, account: AccountId, snapshot: SessionId) -> bytes:
    data = services.vault_blobs.meta(account, names.refs(snapshot), at_most_bytes=MAX_BYTES)
    if data is None:
        raise RefsLost(f"the refs of snapshot {snapshot} are lost: nothing is marked until they are back")
    return data
