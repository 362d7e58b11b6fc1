"""The known-file attack: a provider that knows two files looks at all it has, and cannot tell which one was stored."""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pytest
from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.engine.backup import backup
from agent.engine.cutting import cut
from agent.engine.orders import BackupOrder, Silence
from agent.folder_vault import FolderVault
from shared.format.keys import VaultKeys
from tests.agent_engine.house import ACCOUNT, DEVICE

SIZE_BYTES = 9_000_000
CUSTOMERS = [bytes([n]) * 32 for n in range(1, 5)]
FILES = [random.Random(n).randbytes(SIZE_BYTES) for n in (1, 2)]


@dataclass(frozen=True)
class Seen:
    """All that the provider has after a backup: names and bytes."""

    objects: dict[str, bytes]

    @property
    def sizes(self) -> Counter[tuple[str, int]]:
        """The fingerprint by which a deduplicated file could be known: how many objects of which size."""
        return Counter((name.split("/")[0], len(body)) for name, body in self.objects.items())


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Sequence[Seen]]:
    """By file and customer."""
    return [[_store(tmp_path_factory.mktemp("home"), file, master) for master in CUSTOMERS] for file in FILES]


def _store(root: Path, data: bytes, master: bytes) -> Seen:
    (root / "source").mkdir()
    (root / "source" / "film").write_bytes(data)
    vault = FolderVault.open(root / "vault", ACCOUNT, DEVICE, Ed25519PrivateKey.from_private_bytes(master))
    order = BackupOrder((root / "source",), root / "cache", "host", pack_target_bytes=1 << 20)
    backup(order, vault, VaultKeys.derive(master, ACCOUNT), Silence())
    files = [path for part in ("d", "m") for path in (root / "vault" / part).rglob("*") if path.is_file()]
    return Seen({str(path.relative_to(root / "vault")): path.read_bytes() for path in files})


def _cuts(key: bytes, data: bytes) -> set[int]:
    return set(list(accumulate(len(piece) for piece in cut(key, memoryview(data))))[:-1])


def _right_guesses(victims: Sequence[Sequence[Seen]], trained: Callable[[int], Sequence[Sequence[Seen]]]) -> int:
    """How often the file whose training looks most like what was stored is the one that was."""
    right = 0
    for file, of_file in enumerate(victims):
        for customer, stored in enumerate(of_file):
            fits = [sum((stored.sizes & each.sizes).total() for each in known) for known in trained(customer)]
            right += fits[file] > fits[1 - file]
    return right


def test_the_sizes_do_not_tell_which_of_two_files_it_is(seen: Sequence[Sequence[Seen]]) -> None:
    """The attacker backs both files up under keys of its own. Small packs, so that cuts show as much as they can."""
    cases = len(FILES) * len(CUSTOMERS)

    def others(customer: int) -> Sequence[Sequence[Seen]]:
        return [[each for n, each in enumerate(of_file) if n != customer] for of_file in seen]

    assert _right_guesses(seen, others) <= cases / 2 + 1
    # The same attack finds every file where cuts have no secret: with the customer's key it does.
    assert _right_guesses(seen, lambda customer: [[of_file[customer]] for of_file in seen]) == cases


def test_two_customers_cut_a_file_at_other_places() -> None:
    cuts = [_cuts(VaultKeys.derive(master, ACCOUNT).chunker, FILES[0]) for master in CUSTOMERS]
    assert all(len(places) > 3 for places in cuts)
    assert not any(one & other for n, one in enumerate(cuts) for other in cuts[n + 1 :])


def test_nothing_of_the_file_stands_in_what_is_stored(seen: Sequence[Sequence[Seen]]) -> None:
    for data, of_file in zip(FILES, seen, strict=True):
        known = {hashlib.sha256(data).hexdigest(), hashlib.sha1(data).hexdigest(), blake3(data).hexdigest()}
        for stored in of_file:
            assert not any(digest in name for digest in known for name in stored.objects)
            for body in stored.objects.values():
                assert not any(data[at : at + 16] in body for at in range(0, SIZE_BYTES, SIZE_BYTES // 9))


def test_two_customers_with_the_same_file_share_nothing(seen: Sequence[Sequence[Seen]]) -> None:
    for one, other in zip(seen[0][:-1], seen[0][1:], strict=True):
        assert not set(one.objects.values()) & set(other.objects.values())


def test_the_bytes_of_a_pack_look_like_noise_whatever_is_in_it(seen: Sequence[Sequence[Seen]]) -> None:
    """Chi-squared over byte values: 255 degrees of freedom, so a mean of 255 and a deviation of 23."""
    for of_file in seen:
        for name, body in of_file[0].objects.items():
            if name.startswith("d/") and len(body) > 100_000:
                expected = len(body) / 256
                counts = Counter(body)
                assert sum((counts[value] - expected) ** 2 / expected for value in range(256)) < 400
