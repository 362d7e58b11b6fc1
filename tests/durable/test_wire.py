"""What crosses the wire is plain JSON, and comes back as it was."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, cast

import pytest
from azure.functions._durable_functions import df_dumps, df_loads
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts import seeding as contract
from shared.domain.ids import AccountId, Id, PackName
from shared.domain.seeding import Progress
from shared.durable import wire
from shared.durable.calls import ActivityCall, WorkflowCall
from shared.durable.events import Event
from tests.domain import values


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Leaf:
    at: datetime
    colour: Colour
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    id: AccountId
    leaves: tuple[Leaf, ...]
    packs: frozenset[PackName] = frozenset()
    by_name: dict[str, Leaf] = field(default_factory=dict[str, Leaf])
    lasts: timedelta | None = None
    progress: Progress = Progress()


leaves = st.builds(Leaf, values.moments, st.sampled_from(Colour), st.none() | st.text())
trees = st.builds(
    Tree,
    values.accounts,
    st.lists(leaves).map(tuple),
    st.frozensets(values.packs, max_size=3),
    st.dictionaries(st.text(), leaves, max_size=3),
    st.none() | st.timedeltas(timedelta(0), timedelta(days=9999)),
    st.builds(Progress, values.sizes, values.sizes),
)


def carried() -> list[type[Any]]:
    """Every type that the contracts send."""
    found: set[type[Any]] = {contract.SeedingStatus}
    for part in vars(contract).values():
        match part:
            case ActivityCall() | WorkflowCall():
                call = cast("ActivityCall[Any, Any]", part)
                found |= {call.request, call.reply}
            case Event():
                found.add(cast("Event[Any]", part).payload)
            case _:
                continue
    return sorted(found, key=lambda kind: kind.__name__)


@given(trees)
def test_every_shape_survives_the_wire(tree: Tree) -> None:
    sent = json.dumps(wire.encode(tree, Tree))
    assert wire.decode(json.loads(sent), Tree) == tree


@pytest.mark.parametrize("kind", carried(), ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_value_of_the_contracts_survives_the_sdk_s_codec(kind: type[Any], data: st.DataObject) -> None:
    value = data.draw(st.from_type(kind))
    sent = df_dumps(wire.encode(value, kind))
    assert wire.decode(df_loads(sent), kind) == value


@given(trees)
def test_no_code_is_named_on_the_wire(tree: Tree) -> None:
    bare = Tree(tree.id, tuple(Leaf(leaf.at, leaf.colour) for leaf in tree.leaves), tree.packs)
    sent = df_dumps(wire.encode(bare, Tree))
    assert not any(word in sent for word in ("tests", "Tree", "Leaf", "__module__", "__class__"))


def test_times_of_other_zones_come_back_as_the_same_instant() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=5)))
    back = wire.decode(wire.encode(Leaf(at, Colour.RED), Leaf), Leaf)
    assert back.at == at.astimezone(UTC)


def test_an_id_comes_back_as_the_kind_it_was() -> None:
    tree = Tree(AccountId.make(datetime(2026, 3, 1, tzinfo=UTC), bytes(10)), ())
    assert type(wire.decode(wire.encode(tree, Tree), Tree).id) is AccountId


def test_a_field_that_a_newer_version_added_takes_its_default() -> None:
    old: dict[str, Any] = {"id": str(AccountId.make(datetime(2026, 3, 1, tzinfo=UTC), bytes(10))), "leaves": []}
    assert wire.decode(old, Tree).progress == Progress()


@pytest.mark.parametrize("sent", [None, [], "x", {}, {"at": "yesterday", "colour": "red"}, {"at": 1, "colour": "blue"}])
def test_what_does_not_fit_is_refused_not_guessed(sent: object) -> None:
    with pytest.raises(ValidationError):
        wire.decode(sent, Leaf)


def test_a_text_that_is_no_id_is_refused() -> None:
    with pytest.raises(ValidationError):
        wire.decode("no id", Id)
