"""What the demo does to a folder between two backups."""

from pathlib import Path

from demo.edits import add_oddities, edit


def test_a_file_that_may_not_be_written_is_left_alone(tmp_path: Path) -> None:
    add_oddities(tmp_path)
    (tmp_path / "a-read-only").write_text("mine")  # the first by name, so the first to be edited
    (tmp_path / "a-read-only").chmod(0o444)
    edited = edit(tmp_path)
    assert (edited.changed, edited.added, edited.removed, edited.moved) == (1, 1, 1, 1)
    assert (tmp_path / "a-read-only").read_text() == "mine"
