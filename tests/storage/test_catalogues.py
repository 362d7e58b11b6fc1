"""A catalogue comes back as it was, or not at all; and nothing that somebody may still point to is forgotten."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from azure.storage.blob import BlobProperties, ContainerClient
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.catalogue import PACK_ID_BYTES, Catalogue, Shelf
from shared.domain.ids import AccountId, PackName, SessionId
from shared.services import Services
from shared.storage import catalogues
from shared.storage.catalogues import FORGET_AFTER, decode, encode
from shared.storage.tables import Changed
from tests.domain import values

SESSION, SNAPSHOT = (SessionId.of_number(n) for n in (1, 2))
SAMPLE = Catalogue({SESSION: Shelf(bytes(range(64)), (2**40, 1))}, {SNAPSHOT: {SESSION: 3, SNAPSHOT: 0}})
NOW = datetime(2026, 11, 21, tzinfo=UTC)
shelves = st.lists(st.integers(0, 2**62), max_size=5).flatmap(
    lambda sizes: st.builds(
        Shelf,
        st.binary(min_size=PACK_ID_BYTES * len(sizes), max_size=PACK_ID_BYTES * len(sizes)),
        st.just(tuple(sizes)),
    )
)
uses = st.dictionaries(values.sessions, st.integers(0, 2**70), max_size=4)
all_catalogues = st.builds(
    Catalogue, st.dictionaries(values.sessions, shelves, max_size=4), st.dictionaries(values.sessions, uses, max_size=4)
)


@dataclass(slots=True)
class Listing:
    """A container whose blobs are as old as a test wants."""

    blobs: dict[str, datetime]
    deleted: list[str] = field(default_factory=list[str])

    def list_blobs(self, *, name_starts_with: str) -> list[BlobProperties]:
        del name_starts_with
        return [BlobProperties(name=name, **{"Last-Modified": at}) for name, at in self.blobs.items()]

    def delete_blob(self, name: str, **_conditions: object) -> None:
        self.deleted.append(name)


@pytest.fixture
def account(services: Services) -> AccountId:
    return services.new(AccountId)


@given(all_catalogues)
def test_what_was_encoded_is_decoded(catalogue: Catalogue) -> None:
    assert decode(encode(catalogue)) == catalogue


def test_a_catalogue_that_was_cut_off_is_refused() -> None:
    whole = encode(SAMPLE)
    for length in range(len(whole)):
        with pytest.raises(ValueError, match=r"cut off|Expecting|Unterminated|Invalid"):
            decode(whole[:length])


def test_a_catalogue_comes_back_as_it_was_written(services: Services, account: AccountId) -> None:
    name = services.catalogues.write(account, SAMPLE)
    assert services.catalogues.read(account, name) == SAMPLE
    assert services.catalogues.write(account, SAMPLE) == name


def test_what_is_not_there_is_made_anew(services: Services, account: AccountId) -> None:
    name = services.catalogues.write(account, SAMPLE)
    assert services.catalogues.read(account, None) is None
    assert services.catalogues.read(account, "catalogue-0") is None
    assert services.catalogues.read(services.new(AccountId), name) is None, "another account's"


def test_a_damaged_catalogue_is_made_anew(services: Services, account: AccountId) -> None:
    """Wherever it is damaged: a bit that changed in the numbers would still be a catalogue."""
    name, whole = services.catalogues.write(account, SAMPLE), encode(SAMPLE)
    blob = services.catalogues.container.get_blob_client(f"{account}/{name}")
    title_bytes = whole.index(b"\n")
    for at in (0, title_bytes, title_bytes + 1, len(whole) - 1):
        blob.upload_blob(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], overwrite=True)
        assert services.catalogues.read(account, name) is None, f"byte {at}"


def test_a_catalogue_of_another_version_is_made_anew(
    services: Services, account: AccountId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogues, "VERSION", 2)
    name = services.catalogues.write(account, SAMPLE)
    monkeypatch.undo()
    assert services.catalogues.read(account, name) is None


def test_young_blobs_are_kept_whoever_may_speak_of_them(services: Services, account: AccountId) -> None:
    name = services.catalogues.write(account, SAMPLE)
    services.catalogues.forget_old(account, keep=set())
    assert services.catalogues.read(account, name) == SAMPLE


def test_old_blobs_go_but_those_that_the_state_names(
    services: Services, account: AccountId, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, old = services.catalogues.write(account, SAMPLE), services.catalogues.write(account, Catalogue())
    doom = services.pack_sets.write(account, {PackName(SESSION, "0" * 64): 1})
    old_doom = services.pack_sets.write(account, {})
    other = services.new(AccountId)
    theirs = services.catalogues.write(other, SAMPLE)
    monkeypatch.setattr(catalogues, "FORGET_AFTER", timedelta(seconds=-1))  # all of them are old
    services.catalogues.forget_old(account, keep={kept, doom})
    assert services.catalogues.read(account, kept) == SAMPLE
    assert services.catalogues.read(account, old) is None
    assert len(services.pack_sets.read(account, doom)) == 1
    with pytest.raises(Changed):
        services.pack_sets.read(account, old_doom)
    assert services.catalogues.read(other, theirs) == SAMPLE


def test_age_is_told_by_the_storage_s_own_clock() -> None:
    """Ours may be wrong by days: the youngest blob says what time it is."""
    older = NOW - FORGET_AFTER - timedelta(seconds=1)
    container = Listing({"a/young": NOW, "a/edge": NOW - FORGET_AFTER, "a/old": older})
    catalogues.Catalogues(cast(ContainerClient, container)).forget_old(AccountId("a"), keep=set())
    assert container.deleted == ["a/old"]


def test_a_blob_that_was_written_again_after_it_was_listed_stays(
    services: Services, account: AccountId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same packs are condemned once more: their set has the old name, and the state points to it again."""
    name = services.pack_sets.write(account, {})
    container, listed = services.catalogues.container, services.catalogues.container.list_blobs

    def and_then_written_again(**arguments: Any) -> list[Any]:
        found = list(listed(**arguments))
        services.pack_sets.write(account, {})
        return found

    monkeypatch.setattr(catalogues, "FORGET_AFTER", timedelta(seconds=-1))
    monkeypatch.setattr(container, "list_blobs", and_then_written_again)
    services.catalogues.forget_old(account, keep=set())
    assert services.pack_sets.read(account, name) == {}
