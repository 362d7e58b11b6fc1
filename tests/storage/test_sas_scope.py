"""Whatever the holder of a SAS tries, in whatever order: a table written by hand says what storage lets them do."""

import itertools
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import urllib3
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from localhost.azurite import Azurite
from shared.domain.grants import Purpose
from shared.domain.ids import AccountId, CustomerId
from shared.domain.tenancy import Account
from shared.format.names import meta_container, packs_container
from shared.services import Services
from tests.conftest import settings_for

HTTP = urllib3.PoolManager(retries=False)
NUMBERS = itertools.count()
KEPT = b"sealed long ago"

TABLE = """
act                  | upload packs | upload meta | restore packs | restore meta
read                 | no           | yes         | yes           | yes
read a range         | no           | yes         | yes           | yes
ask for the size     | no           | yes         | yes           | yes
read metadata        | no           | yes         | yes           | yes
create               | yes          | yes         | no            | no
overwrite            | no           | no          | no            | no
overwrite if there   | no           | no          | no            | no
delete               | no           | no          | no            | no
put block            | no           | no          | no            | no
put block list       | no           | no          | no            | no
set metadata         | no           | no          | no            | no
set properties       | no           | no          | no            | no
change tier          | no           | no          | no            | no
copy to a new name   | yes          | yes         | no            | no
snapshot             | yes          | yes         | no            | no
copy over            | no           | no          | no            | no
lease                | no           | no          | no            | no
set tags             | no           | no          | no            | no
list                 | no           | no          | no            | no
read the container   | no           | no          | no            | no
delete the container | no           | no          | no            | no
set policies         | no           | no          | no            | no
"""
"""Azure's `c` lets its holder take snapshots too: they hold the bytes that are there already, under the same grants.
Who deletes such a blob has to delete its snapshots with it."""


class Use(NamedTuple):
    """One request below a container: method, blob, query, body, headers."""

    method: str
    blob: str = ""
    query: str = ""
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


_BLOCK_BLOB = (("x-ms-blob-type", "BlockBlob"),)
_COPY = (("x-ms-copy-source", "{source}"),)

ACTS: dict[str, Callable[[], Use]] = {
    "read": lambda: Use("GET", "there"),
    "read a range": lambda: Use("GET", "there", headers=(("x-ms-range", "bytes=0-3"),)),
    "ask for the size": lambda: Use("HEAD", "there"),
    "read metadata": lambda: Use("GET", "there", "comp=metadata"),
    "create": lambda: Use("PUT", f"new-{next(NUMBERS)}", body=b"new", headers=_BLOCK_BLOB),
    "overwrite": lambda: Use("PUT", "there", body=b"forged", headers=_BLOCK_BLOB),
    "overwrite if there": lambda: Use("PUT", "there", body=b"forged", headers=(*_BLOCK_BLOB, ("If-Match", "*"))),
    "delete": lambda: Use("DELETE", "there"),
    "put block": lambda: Use("PUT", "there", "comp=block&blockid=AAAA", b"forged"),
    "put block list": lambda: Use("PUT", "there", "comp=blocklist", b"<BlockList><Latest>AAAA</Latest></BlockList>"),
    "set metadata": lambda: Use("PUT", "there", "comp=metadata", headers=(("x-ms-meta-a", "b"),)),
    "set properties": lambda: Use("PUT", "there", "comp=properties", headers=(("x-ms-blob-content-type", "a/b"),)),
    "change tier": lambda: Use("PUT", "there", "comp=tier", headers=(("x-ms-access-tier", "Archive"),)),
    "copy to a new name": lambda: Use("PUT", f"new-{next(NUMBERS)}", headers=_COPY),
    "snapshot": lambda: Use("PUT", "there", "comp=snapshot"),
    "copy over": lambda: Use("PUT", "there", headers=_COPY),
    "lease": lambda: Use(
        "PUT", "there", "comp=lease", headers=(("x-ms-lease-action", "acquire"), ("x-ms-lease-duration", "-1"))
    ),
    "set tags": lambda: Use("PUT", "there", "comp=tags", b"<Tags><TagSet></TagSet></Tags>"),
    "list": lambda: Use("GET", query="restype=container&comp=list"),
    "read the container": lambda: Use("GET", query="restype=container"),
    "delete the container": lambda: Use("DELETE", query="restype=container"),
    "set policies": lambda: Use("PUT", query="restype=container&comp=acl", body=b""),
}


class Grant(NamedTuple):
    purpose: Purpose
    kind: str
    """`packs` or `meta`."""


GRANTS = [Grant(purpose, kind) for purpose in Purpose for kind in ("packs", "meta")]


def rows() -> Iterator[tuple[str, dict[Grant, bool]]]:
    for line in TABLE.strip().splitlines()[1:]:
        act, *cells = (cell.strip() for cell in line.split("|"))
        yield act, {grant: cell == "yes" for grant, cell in zip(GRANTS, cells, strict=True)}


ALLOWED = dict(rows())


def container(account: AccountId, kind: str) -> str:
    return packs_container(account) if kind == "packs" else meta_container(account)


@dataclass(frozen=True)
class World:
    """Two accounts, each with a blob `there` in both containers."""

    urls: dict[Grant, str]
    """Leave to use the first account's containers."""
    places: dict[str, str]
    """The containers by the words of the test, such as `foreign packs`."""
    readers: dict[str, str]
    """A good leave to read each of them, to look what has become of it."""

    def ask(self, grant: Grant, place: str, use: Use) -> int:
        url = urlsplit(self.urls[grant])
        account = url.path.rpartition("/")[0]
        meta = urlsplit(self.urls[Grant(Purpose.RESTORE, "meta")])
        source = f"{url.scheme}://{url.netloc}{meta.path}/there?{meta.query}"
        headers = {name: value.replace("{source}", source) for name, value in use.headers}
        path = f"{account}/{self.places[place]}" + (f"/{use.blob}" if use.blob else "")
        target = f"{url.scheme}://{url.netloc}{path}?{url.query}" + (f"&{use.query}" if use.query else "")
        return send(use.method, target, use.body, headers)

    def is_as_it_was(self) -> bool:
        return all(_is_untouched(url) for url in self.readers.values())


def send(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> int:
    return HTTP.request(method, url, body=body, headers={"x-ms-version": "2024-11-04", **(headers or {})}).status


def below(url: str, blob: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}/{blob}?{parts.query}"


def _is_untouched(url: str) -> bool:
    found = HTTP.request("GET", below(url, "there"), headers={"x-ms-version": "2024-11-04"})
    marked = [name for name in found.headers if name.lower().startswith("x-ms-meta-")]
    return found.data == KEPT and not marked and found.headers["x-ms-lease-state"] == "available"


@pytest.fixture(scope="module")
def world(azurite: Azurite) -> World:
    services = Services(settings_for(azurite.connection_string, lambda: datetime.now(UTC)))
    urls: dict[str, dict[Grant, str]] = {}
    places: dict[str, str] = {}
    for whose in ("own", "foreign"):
        account = Account(services.new(AccountId), services.new(CustomerId), "files", services.now(), 0)
        services.vault_blobs.create_containers(account.id)
        services.signer.enforce(account, services.now())
        until = services.now() + timedelta(hours=1)
        signed = {purpose: services.signer.grant(account, purpose, until) for purpose in Purpose}
        urls[whose] = {each: getattr(signed[each.purpose], f"{each.kind}_url") for each in GRANTS}
        places |= {f"{whose} {kind}": container(account.id, kind) for kind in ("packs", "meta")}
        for kind in ("packs", "meta"):
            url = below(urls[whose][Grant(Purpose.UPLOAD, kind)], "there")
            assert send("PUT", url, KEPT, dict(_BLOCK_BLOB)) == 201
    readers = {place: urls[place.split()[0]][Grant(Purpose.RESTORE, place.split()[1])] for place in places}
    return World(urls["own"], places, readers)


class Step(NamedTuple):
    grant: Grant
    act: str
    place: str


PLACES = ["own packs", "own meta", "foreign packs", "foreign meta"]
STEPS = st.sampled_from(GRANTS).flatmap(
    lambda grant: st.builds(
        Step,
        st.just(grant),
        st.sampled_from(sorted(ACTS)),
        st.just(f"own {grant.kind}") | st.sampled_from(PLACES),
    )
)


def test_the_table_knows_every_act() -> None:
    assert ALLOWED.keys() == ACTS.keys()


@given(st.lists(STEPS, min_size=1, max_size=8))
@settings(max_examples=80)
def test_no_act_in_any_order_goes_beyond_the_table(world: World, steps: list[Step]) -> None:
    for step in steps:
        allowed = ALLOWED[step.act][step.grant] and step.place == f"own {step.grant.kind}"
        status = world.ask(step.grant, step.place, ACTS[step.act]())
        assert (status < 300) == allowed, (step, status)
        assert allowed or 400 <= status < 500, (step, status)
    assert world.is_as_it_was()


@pytest.mark.parametrize("act", ACTS)
def test_every_act_with_every_grant_on_its_own_container(world: World, act: str) -> None:
    """The whole table once, so that no row of it rests on chance."""
    answers = {grant: world.ask(grant, f"own {grant.kind}", ACTS[act]()) < 300 for grant in GRANTS}
    assert answers == ALLOWED[act]


PRINTABLE = st.text(string.ascii_letters + string.digits + "-_:=/+.", min_size=1, max_size=12)


@st.composite
def tampered(draw: st.DrawFn, query: str) -> str:
    """The query of a SAS with one of its parameters changed, cut, dropped, or one more that would have a say."""
    pairs = parse_qsl(query, strict_parsing=True)
    how = draw(st.sampled_from(["character", "value", "cut", "drop", "more"]))
    if how == "more":
        more = [("sp", "racwdl"), ("sip", "0.0.0.0-255.255.255.255"), ("st", "2020-01-01T00:00:00Z"), ("spr", "http")]
        return urlencode([*pairs, draw(st.sampled_from(more))])
    at = draw(st.integers(0, len(pairs) - 1))
    name, value = pairs[at]
    if how == "drop":
        return urlencode(pairs[:at] + pairs[at + 1 :])
    if how == "cut":
        forged = value[: draw(st.integers(0, len(value) - 1))]
    elif how == "value":
        forged = draw(PRINTABLE | st.sampled_from([other for _, other in pairs]))
    else:
        place = draw(st.integers(0, len(value) - 1))
        forged = value[:place] + draw(st.sampled_from(string.ascii_letters + string.digits)) + value[place + 1 :]
    assume(forged != value)
    return urlencode([*pairs[:at], (name, forged), *pairs[at + 1 :]])


@given(st.data(), st.sampled_from(GRANTS))
@settings(max_examples=150)
def test_a_grant_with_any_parameter_tampered_with_is_dead(world: World, data: st.DataObject, grant: Grant) -> None:
    url = urlsplit(world.urls[grant])
    forged = url._replace(query=data.draw(tampered(url.query))).geturl()
    read = send("GET", below(forged, "there"))
    create = send("PUT", below(forged, f"new-{next(NUMBERS)}"), b"new", dict(_BLOCK_BLOB))
    assert all(400 <= status < 500 for status in (read, create)), (read, create)
