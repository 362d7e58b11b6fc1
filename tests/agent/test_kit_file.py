"""The recovery kit as a file: text or PDF, and either is read back."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.kit import KitInTheWay, Making, RecoveryKit, read_kit, write_kit
from shared.domain.ids import AccountId
from shared.format.recovery import kit_code

KIT = RecoveryKit(AccountId("1" * 26), bytes(range(32)), "73S5-D9NG-SWW3-QD3A", "https://backup.example.com")
MADE = Making(datetime(2026, 11, 21, 12, tzinfo=UTC), "Büro 東京")


@pytest.mark.parametrize("name", ["kit.txt", "kit.pdf", "kit.PDF", "kit"])
def test_a_kit_is_read_back_as_it_was_written(tmp_path: Path, name: str) -> None:
    write_kit(tmp_path / name, KIT, MADE)
    assert read_kit(tmp_path / name) == KIT
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_the_ending_chooses_the_form(tmp_path: Path) -> None:
    for name, start in (("kit.txt", b"HORT"), ("kit.pdf", b"%PDF-"), ("kit", b"HORT")):
        write_kit(tmp_path / name, KIT, MADE)
        assert (tmp_path / name).read_bytes().startswith(start)


def test_a_pdf_never_takes_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "kit.pdf").write_text("my notes")
    with pytest.raises(KitInTheWay):
        write_kit(tmp_path / "kit.pdf", KIT, MADE)
    assert (tmp_path / "kit.pdf").read_text() == "my notes"


def test_the_same_kit_makes_the_same_page() -> None:
    assert KIT.page(MADE) == KIT.page(MADE)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils to read the page as people do")
def test_the_printed_page_shows_all_of_it_on_one_sheet(tmp_path: Path) -> None:
    write_kit(tmp_path / "kit.pdf", KIT, MADE)
    ran = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "kit.pdf", "-"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.count("\f") == 1
    for part in (*kit_code(KIT.recovery_key).split("-"), KIT.account, KIT.fingerprint, "Büro ??", "Your own note"):
        assert part in ran.stdout
    assert "https://backup.example.com" in ran.stdout


def test_a_long_address_and_name_stay_on_the_page(tmp_path: Path) -> None:
    long = RecoveryKit(KIT.account, KIT.recovery_key, KIT.fingerprint, f"https://{'backup.' * 20}example.com")
    write_kit(tmp_path / "kit.pdf", long, Making(MADE.at, "x" * 120))
    assert read_kit(tmp_path / "kit.pdf") == long
    assert (tmp_path / "kit.pdf").read_bytes().count(b"/Type /Page\n") == 1


def test_the_text_has_room_for_a_note() -> None:
    assert "Your own note:  ______" in KIT.sheet(MADE)
