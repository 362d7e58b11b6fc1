"""What hardly anybody wants in a backup, as lines of a `.gitignore`."""

from collections.abc import Mapping
from enum import StrEnum


class Preset(StrEnum):
    CACHES = "caches"
    TEMPORARY = "temporary"
    BUILDS = "builds"
    SYSTEM = "system"


LINES: Mapping[Preset, tuple[str, ...]] = {
    Preset.CACHES: (
        ".cache/", "Caches/", "Cache/", "CachedData/", "Code Cache/", "GPUCache/", "__pycache__/", ".npm/_cacache/",
        ".cargo/registry/cache/", ".gradle/caches/", ".thumbnails/", "/var/cache/",
    ),
    Preset.TEMPORARY: (
        "*.tmp", "*.temp", "*.swp", "*~", "~$*", ".~lock.*#", "*.part", "*.crdownload", ".Trash/", ".Trash-*/",
        ".local/share/Trash/", "Thumbs.db", ".DS_Store", "/tmp/", "/var/tmp/",  # noqa: S108 - these are left out, not used
    ),
    Preset.BUILDS: (
        "node_modules/", ".venv/", ".tox/", ".mypy_cache/", ".ruff_cache/", ".pytest_cache/", "target/debug/",
        "target/release/", "*.o", "*.pyc",
    ),
    Preset.SYSTEM: ("/proc/", "/sys/", "/dev/", "/run/", "/swapfile", "/swap.img", "lost+found/"),
}  # fmt: skip
