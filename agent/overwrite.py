"""What a restore may do to names that are taken. Loaded with the command line, so it knows nothing else."""

from enum import StrEnum


class Overwrite(StrEnum):
    NEVER = "never"
    """What exists is left alone."""
    IF_NEWER = "if-newer"
    """Replaced when the snapshot's is newer."""
    CHANGED = "changed"
    """Replaced when size, time, mode or owner are not the snapshot's."""
    ALWAYS = "always"

    @property
    def replaces(self) -> bool:
        return self is not Overwrite.NEVER

    @property
    def resets_folders(self) -> bool:
        """Whether folders that are there get the snapshot's attributes."""
        return self in (Overwrite.CHANGED, Overwrite.ALWAYS)
