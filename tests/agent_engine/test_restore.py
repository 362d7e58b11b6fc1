import os
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.engine import attributes, outcome, refill
from agent.engine.orders import RestoreOrder, Silence
from agent.engine.restore import restore
from agent.folder_vault import FolderReader
from agent.overwrite import Overwrite
from shared.format.items import Item, ItemKind
from shared.format.names import PackName
from tests.agent_engine.forge import forged_snapshot
from tests.agent_engine.house import KEYS, House, fill, look, reasons

noise = random.Random(7).randbytes


@pytest.fixture
def full_house(house: House) -> House:
    small = {f"folder{n % 5}/{n}": noise(2_000) for n in range(300)}
    fill(house.source, small | {"large": noise(4 << 20), "folder0/deep/er/x": b"x"})
    os.link(house.source / "folder1/1", house.source / "zlink1")
    os.link(house.source / "folder1/1", house.source / "zlink2")
    house.backup()
    return house


def back(house: House, target: str = "out") -> Path:
    return house.root / target / str(house.source).lstrip("/")


def test_only_what_was_asked_for_comes_back(full_house: House) -> None:
    inside = bytes(full_house.source)
    report = full_house.restore(
        full_house.root / "out", paths=(inside + b"/folder0/deep", inside + b"/large", inside + b"/folder0/deep/er/x")
    )
    assert (report.files, report.directories) == (2, 4)  # with the two that stand above
    assert look(back(full_house) / "folder0/deep") == look(full_house.source / "folder0/deep")
    assert sorted(each.name for each in back(full_house).iterdir()) == ["folder0", "large"]


def test_a_path_that_is_not_in_the_snapshot_is_reported(full_house: House) -> None:
    report = full_house.restore(full_house.root / "out", paths=(b"no/such", bytes(full_house.source) + b"/large"))
    assert reasons(report.skipped) == {"such": "it is not in the snapshot"}
    assert (report.files, report.complete) == (1, False)


def test_hard_links_without_their_file_come_back_as_links_of_one_file(full_house: House) -> None:
    inside = bytes(full_house.source)
    report = full_house.restore(full_house.root / "out", paths=(inside + b"/zlink1", inside + b"/zlink2"))
    assert report.complete
    first, second = (back(full_house) / name for name in ("zlink1", "zlink2"))
    assert first.read_bytes() == (full_house.source / "folder1/1").read_bytes()
    assert first.stat().st_ino == second.stat().st_ino


def test_what_exists_is_left_alone_and_reported(full_house: House) -> None:
    fill(back(full_house), {"large": b"mine", "folder1/1": b"mine too"})
    report = full_house.restore(full_house.root / "out")
    no_link = "the file that it is another name of was not restored"
    assert reasons(report.skipped) == {"1": "it exists", "large": "it exists", "zlink1": no_link, "zlink2": no_link}
    assert (back(full_house) / "large").read_bytes() == b"mine"
    assert (back(full_house) / "folder2/2").read_bytes() == (full_house.source / "folder2/2").read_bytes()


def test_a_link_is_never_made_to_a_file_that_is_not_the_snapshots(full_house: House) -> None:
    fill(back(full_house), {"folder1/1": b"somebody else's"})
    report = full_house.restore(full_house.root / "out")
    assert report.damaged == ()
    assert set(reasons(report.skipped)) == {"1", "zlink1", "zlink2"}
    assert not (back(full_house) / "zlink1").exists()


def test_a_link_is_never_made_to_what_a_damaged_page_hides(house: House) -> None:
    fill(house.source, {f"{n:05}": b"" for n in range(6_000)})
    os.link(house.source / "00000", house.source / "zlink")
    house.backup()
    (house.source / "zlink").unlink()
    hurt_pack(house, at=10)  # the first page: the folder, and the link's file
    report = house.restore(Path("/"), overwrite=Overwrite.ALWAYS)
    assert "zlink" in reasons(report.damaged)
    assert not (house.source / "zlink").exists()


def test_a_file_keeps_its_content_when_the_system_refuses_an_attribute(
    full_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(handle: int, uid: int, gid: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    def anothers(handle: int) -> tuple[int, int]:
        return -1, -1

    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr(attributes, "_owned_by", anothers)
    inside = bytes(full_house.source)
    report = full_house.restore(full_house.root / "out", paths=(inside + b"/large",))
    refused = "owner: Operation not permitted"
    assert reasons(report.skipped) == {"large": refused, "source": refused}
    assert (back(full_house) / "large").read_bytes() == (full_house.source / "large").read_bytes()


def test_a_file_that_could_not_get_its_owner_lends_nobodys_rights(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(house.source, {"program": b"run me", "tool": b"run me too"})
    for name in ("program", "tool"):
        os.chown(house.source / name, 1000, 1000)
        (house.source / name).chmod(0o6755)
    house.backup()
    assert house.restored() == look(house.source)

    def refuse(handle: int, uid: int, gid: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    house.restore(house.root / "refused")
    assert (back(house, "refused") / "program").stat().st_mode & 0o7777 == 0o755


def test_in_place_everything_is_as_it_was(full_house: House) -> None:
    before = look(full_house.source)
    fill(full_house.source, {"large": b"overwritten", "folder1/1": b"changed", "folder3/3": b""})
    (full_house.source / "folder2/2").unlink()
    (full_house.source / "folder4/4").chmod(0o777)
    report = full_house.restore(Path("/"), overwrite=Overwrite.ALWAYS)
    assert report.complete
    assert look(full_house.source) == before


def test_overwriting_replaces_links_and_never_writes_through_them(full_house: House) -> None:
    bystander = full_house.root / "bystander"
    bystander.write_bytes(b"not mine")
    fill(back(full_house), {"x": b""})
    (back(full_house) / "large").symlink_to(bystander)
    os.link(bystander, back(full_house) / "zlink1")
    (back(full_house) / "folder3").symlink_to(full_house.root)
    report = full_house.restore(full_house.root / "out", overwrite=Overwrite.ALWAYS)
    assert report.complete
    (back(full_house) / "x").unlink()
    assert {k: v for k, v in look(back(full_house)).items() if k} == {
        k: v for k, v in look(full_house.source).items() if k
    }
    assert bystander.read_bytes() == b"not mine"


def test_a_folder_in_the_place_of_a_file_is_never_replaced(full_house: House) -> None:
    fill(back(full_house), {"large/keep": b"me"})
    report = full_house.restore(full_house.root / "out", overwrite=Overwrite.ALWAYS)
    assert list(reasons(report.skipped)) == ["large"]
    assert (back(full_house) / "large/keep").read_bytes() == b"me"
    assert not list(back(full_house).glob(".hort-*"))


def test_without_leave_to_overwrite_nothing_is_made_through_a_link(full_house: House) -> None:
    elsewhere = full_house.root / "elsewhere"
    elsewhere.mkdir()
    back(full_house).mkdir(parents=True)
    (back(full_house) / "folder0").symlink_to(elsewhere)
    report = full_house.restore(full_house.root / "out")
    assert not report.complete
    assert not list(elsewhere.iterdir())


@dataclass(frozen=True)
class Hostile:
    path: bytes
    kind: ItemKind = ItemKind.FILE
    target: bytes = b""

    def item(self) -> Item:
        return Item(self.path, self.kind, 0o644, 0, 0, "", "", 0, 0, target=self.target)


@pytest.mark.parametrize(
    "hostile",
    [
        [Hostile(b"../escaped")],
        [Hostile(b"a/../../escaped")],
        [Hostile(b"/escaped")],
        [Hostile(b"a//escaped")],
        [Hostile(b"./escaped")],
        [Hostile(b"")],
        [Hostile(b"esc\0aped")],
        [Hostile(b"..", ItemKind.DIRECTORY)],
        [Hostile(b"link", ItemKind.SYMLINK, b".."), Hostile(b"link/escaped")],
        [Hostile(b"link", ItemKind.SYMLINK, b"/"), Hostile(b"link/escaped", ItemKind.DIRECTORY)],
        [Hostile(b"link", ItemKind.HARD_LINK, b"../outside")],
        [Hostile(b"link", ItemKind.HARD_LINK, b"/etc/passwd")],
        [Hostile(b"s", ItemKind.SYMLINK, b".."), Hostile(b"link", ItemKind.HARD_LINK, b"s/outside")],
        [Hostile(b"s", ItemKind.SYMLINK, b""), Hostile(b"n" * 300)],
        [Hostile(b"link", ItemKind.HARD_LINK, b"link")],
    ],
    ids=lambda hostile: " ".join(ascii(each.path) for each in hostile),
)
@pytest.mark.parametrize("overwrite", [Overwrite.NEVER, Overwrite.ALWAYS])
def test_a_hostile_snapshot_cannot_leave_the_target(house: House, hostile: list[Hostile], overwrite: Overwrite) -> None:
    good = Item(b"good", ItemKind.FILE, 0o644, 0, 0, "", "", 0, 0)
    session = forged_snapshot(house, [*(each.item() for each in hostile), good])
    (house.root / "outside").write_bytes(b"secret")
    before = sorted(house.root.iterdir())
    target = house.root / "out"
    report = house.restore(target, session, overwrite=overwrite)
    assert sorted(house.root.iterdir()) == sorted([*before, target])
    assert not report.complete
    assert (target / "good").exists()
    assert (house.root / "outside").stat().st_nlink == 1


def hurt_pack(house: House, at: int = 1000) -> Path:
    """Flips a bit in the largest pack."""
    pack = max(house.packs(), key=lambda file: file.stat().st_size)
    data = bytearray(pack.read_bytes())
    data[at] ^= 1
    pack.write_bytes(data)
    return pack


def test_a_flipped_bit_names_the_files_it_hurts_and_the_others_come_back(full_house: House) -> None:
    hurt_pack(full_house)
    report = full_house.restore(full_house.root / "out")
    damaged = set(reasons(report.damaged))
    assert damaged
    assert not report.complete
    expected, found = look(full_house.source), look(back(full_house))
    missing = {os.fsdecode(path).rsplit("/", 1)[-1] for path in expected.keys() - found.keys()}
    assert missing == damaged | ({"zlink1", "zlink2"} & missing)
    assert all(found[path].content == expected[path].content for path in found)


@pytest.mark.parametrize("harm", ["missing", "torn", "empty"])
def test_a_missing_or_torn_pack_hurts_its_own_files_only(full_house: House, harm: str) -> None:
    pack = max(full_house.packs(), key=lambda file: file.stat().st_size)
    match harm:
        case "missing":
            pack.unlink()
        case "torn":
            os.truncate(pack, pack.stat().st_size // 3)
        case _:
            os.truncate(pack, 0)
    report = full_house.restore(full_house.root / "out")
    assert report.damaged
    assert report.files > 0
    expected, found = look(full_house.source), look(back(full_house))
    assert all(found[path].content == expected[path].content for path in found)


def test_a_damaged_file_never_replaces_the_one_that_is_there(full_house: House) -> None:
    before = (full_house.source / "large").read_bytes()
    for pack in full_house.packs():
        if pack.stat().st_size > 300_000:
            pack.unlink()
    full_house.restore(Path("/"), overwrite=Overwrite.ALWAYS)
    assert (full_house.source / "large").read_bytes() == before


def test_metadata_that_is_damaged_is_named_and_the_rest_comes_back(house: House) -> None:
    for n in range(6_000):
        (house.source / f"{n:05}").symlink_to("x")
    fill(house.source, {"99999": b"content"})
    house.backup()
    hurt_pack(house, at=10)
    report = house.restore(house.root / "out")
    assert "what follows" in report.damaged[0].path
    assert 0 < report.files < 6_001


def test_a_missing_index_is_named(full_house: House) -> None:
    [index] = full_house.vault_root.glob("m/index/*/0")
    index.unlink()
    report = full_house.restore(full_house.root / "out")
    assert report.damaged[0].path.startswith("index/")


def test_neighbours_are_read_together(full_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []
    real = FolderReader.pack_range

    def counted(self: FolderReader, pack: PackName, offset: int, length_bytes: int) -> bytes:
        reads.append(length_bytes)
        return real(self, pack, offset, length_bytes)

    monkeypatch.setattr(FolderReader, "pack_range", counted)
    report = full_house.restore(full_house.root / "out")
    assert len(reads) <= len(full_house.packs()) + 1
    assert report.read_bytes <= sum(pack.stat().st_size for pack in full_house.packs())


def test_a_file_in_the_middle_of_a_pack_is_read_alone(house: House) -> None:
    fill(house.source, {f"{n}": noise(1 << 20) for n in range(8)})
    house.backup(pack_target_bytes=32 << 20)
    for n in (7, 4):
        report = house.restore(house.root / f"out{n}", paths=(bytes(house.source) + b"/%d" % n,))
        assert (report.files, report.complete) == (1, True)
        assert report.read_bytes < 2 << 20
        assert (back(house, f"out{n}") / f"{n}").read_bytes() == (house.source / f"{n}").read_bytes()


def test_small_windows_bring_back_the_same(full_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refill, "WINDOW_PIECES", 3)
    assert full_house.restored() == look(full_house.source)


def test_many_parents_do_not_use_up_the_handles(house: House) -> None:
    fill(house.source, {f"{n}/f": b"%d" % n for n in range(1_500)})
    house.backup()
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert house.restored() == look(house.source)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


@pytest.mark.parametrize("overwrite", [Overwrite.NEVER, Overwrite.ALWAYS])
def test_a_full_target_stops_the_restore_in_words_and_leaves_nothing_half_done(
    house: House, little_disk: Path, overwrite: Overwrite
) -> None:
    fill(house.source, {f"{n}": noise(900_000) for n in range(9)})
    house.backup()
    with pytest.raises(outcome.TargetFull):
        house.restore(little_disk, overwrite=overwrite)
    found = [path for path in little_disk.rglob("*") if path.is_file()]
    assert found
    assert all(path.read_bytes() == (house.source / path.name).read_bytes() for path in found)


def test_a_large_file_shows_progress_before_it_is_whole(house: House) -> None:
    fill(house.source, {"large": noise(20 << 20)})
    house.backup()
    steps: list[tuple[int, int]] = []

    class Watching(Silence):
        def advance(self, entries: int, logical_bytes: int, path: bytes) -> None:
            steps.append((entries, logical_bytes))

    vault = house.vault()
    session = vault.snapshots()[-1].session
    restore(RestoreOrder(session, house.root / "out", threads=1), vault.restore_reader(session), KEYS, Watching())
    assert len(steps) > 4
    assert max(logical_bytes for _, logical_bytes in steps) <= 4 << 20
    assert (sum(entries for entries, _ in steps), sum(each for _, each in steps)) == (2, 20 << 20)


def test_a_file_in_the_place_of_the_target_is_told(full_house: House) -> None:
    with pytest.raises(NotADirectoryError):
        full_house.restore(full_house.source / "large")


def test_progress_adds_up(full_house: House) -> None:
    class Adding(Silence):
        expected = (0, 0)
        entries = logical = sent_bytes = 0

        def expect(self, entries: int, logical_bytes: int) -> None:
            self.expected = entries, logical_bytes

        def advance(self, entries: int, logical_bytes: int, path: bytes) -> None:
            self.entries += entries
            self.logical += logical_bytes

        def sent(self, sent_bytes: int) -> None:
            self.sent_bytes += sent_bytes

    adding, vault = Adding(), full_house.vault()
    session = vault.snapshots()[-1].session
    report = restore(
        RestoreOrder(session, full_house.root / "out", threads=1), vault.restore_reader(session), KEYS, adding
    )
    assert adding.expected[0] == adding.entries == report.files + report.directories
    assert adding.sent_bytes == report.read_bytes
    assert adding.logical == report.logical_bytes
