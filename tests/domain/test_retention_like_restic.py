"""Where restic has the rule, we keep what restic keeps: its recorded answers always, its own where it is installed.

On purpose we differ in this, none of which restic can show: the newest of an active device stays, quarters are rules,
the floor counts from now (restic: from the newest snapshot), and a policy without rules keeps nothing for itself.
"""

import random
import re
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.domain.retention import Policy
from tests.domain.points import at, judged, left
from tests.domain.restic_examples.restic import RECORDED, RECORDINGS, Example, Restic, Rules, version

EXAMPLES = RECORDINGS.validate_json(RECORDED.read_bytes()).examples


def ours(times: tuple[datetime, ...], rules: Rules, time_zone: str) -> Counter[datetime]:
    """What we keep of one host's snapshots, judged when the newest was made: each time as often as it comes."""
    counts = {name: count for name, count in rules.items() if name != "within_hours"}
    policy = Policy(keep_within=timedelta(hours=rules.get("within_hours", 0)), time_zone=time_zone, **counts)
    found = at(*times)
    return Counter(one.committed_at for one in left(found, judged(found, policy, max(times))))


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.time_zone for example in EXAMPLES])
def test_we_keep_what_restic_was_recorded_to_keep(example: Example) -> None:
    assert len(example.cases) > 40
    for case in example.cases:
        for host, times in example.snapshots.items():
            kept = Counter(case.kept.get(host, ()))
            assert ours(times, case.rules, example.time_zone) == kept, (case.rules, host)


def test_the_recorded_vaults_have_what_is_odd_about_calendars() -> None:
    for example in EXAMPLES:
        times = [time for host in example.snapshots.values() for time in host]
        assert len(times) > 100
        assert len({time.utcoffset() for time in times}) > 1, "summer and winter"
        assert any((time.month, time.day) == (2, 29) for time in times)
        assert any(time.isocalendar().week == 53 for time in times)
        assert any(time.isocalendar().year != time.year for time in times)


def knows_the_oldest() -> bool:
    """Since 0.17 restic keeps the oldest snapshot as well while a rule has places left."""
    found = re.match(r"restic (\d+)\.(\d+)", version()) if shutil.which("restic") else None
    return found is not None and (int(found[1]), int(found[2])) >= (0, 17)


@pytest.mark.skipif(not knows_the_oldest(), reason="no restic from 0.17 on is here; its recorded answers are checked")
def test_we_keep_what_restic_keeps_now(tmp_path: Path) -> None:
    chance = random.Random()
    restic = Restic(tmp_path, "Europe/Berlin")
    restic.init()
    for _ in range(5):
        restic.backup("host", datetime(2026, 1, 1, tzinfo=UTC) - timedelta(minutes=chance.randrange(60 * 24 * 60)))
    (times,) = restic.snapshots().values()
    for _ in range(2):
        rules = {rule: chance.randrange(4) for rule in ("daily", "weekly", "monthly", "yearly")} | {"last": 1}
        kept = restic.kept(rules)["host"]
        assert ours(times, rules, restic.time_zone) == Counter(kept), (times, rules)
