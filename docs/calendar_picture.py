"""Draws docs/retention.svg from the rules themselves: `python -m docs.calendar_picture`."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from shared.domain.ids import DeviceId, SessionId
from shared.domain.presets import PRESETS
from shared.domain.retention import Judgement, Policies, RestorePoint, Verdict, judge

PICTURE = Path(__file__).parent / "retention.svg"
PRESET = "netgo-gfs-12m"
FIRST_NIGHT, LAST_NIGHT = date(2024, 6, 1), date(2026, 11, 21)
FIRST_MONTH = (2025, 10)

# A snapshot has the colour of the floor, or else of the rule that keeps it longest.
COLOURS = {"within": "#7cb86a", "yearly": "#d9822b", "monthly": "#8f5bb5", "weekly": "#3f7fbf", "daily": "#2f9e8f"}
GONE = "#e6e6e6"
CELL, GAP, LEFT, TOP = 16, 3, 70, 56


def life() -> Mapping[date, Judgement]:
    """A device backs up every midnight and every night is swept: what is there in the end, by its day."""
    device, zone = DeviceId.of_number(1), ZoneInfo("Europe/Berlin")
    vault: list[RestorePoint] = []
    judgements: list[Judgement] = []
    for day in _nights():
        now = datetime(day.year, day.month, day.day, 0, 5, tzinfo=zone)
        vault.append(RestorePoint(SessionId.of_number(day.toordinal()), device, "", now))
        judgements = judge(vault, Policies(PRESETS[PRESET]), now, {device})
        kept = {judgement.id for judgement in judgements if judgement.verdict is Verdict.KEEP}
        vault = [point for point in vault if point.id in kept]
    days = {point.id: point.committed_at.date() for point in vault}
    return {days[judgement.id]: judgement for judgement in judgements if judgement.id in days}


def draw() -> str:
    kept = life()
    months = list(_months())
    width, height = LEFT + 31 * (CELL + GAP) + 10, TOP + len(months) * (CELL + GAP) + 40
    rows = [line for row, month in enumerate(months) for line in _row(row, month, kept)]
    title = f"{PRESET}: a backup every midnight; what is there on {LAST_NIGHT}"
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
            f'<rect width="{width}" height="{height}" fill="white"/>',
            f'<text x="10" y="20" font-size="14">{title}</text>',
            *(_text(LEFT + (day - 1) * (CELL + GAP) + 3, TOP - 8, str(day)) for day in (1, 8, 15, 22, 29)),
            *rows,
            *_legend(height - 18),
            "</svg>\n",
        ]
    )


def _row(row: int, month: tuple[int, int], kept: Mapping[date, Judgement]) -> Iterator[str]:
    y = TOP + row * (CELL + GAP)
    yield _text(10, y + 12, f"{month[0]}-{month[1]:02}")
    for number in range(1, monthrange(*month)[1] + 1):
        day = date(*month, number)
        if day <= LAST_NIGHT:
            told = kept.get(day)
            words = "; ".join(told.reasons) if told else "gone"
            box = f'x="{LEFT + (number - 1) * (CELL + GAP)}" y="{y}" width="{CELL}" height="{CELL}" rx="2"'
            yield f'<rect {box} fill="{_colour(told)}"><title>{day}: {words}</title></rect>'


def _legend(y: int) -> Iterator[str]:
    for number, (name, colour) in enumerate({**COLOURS, "gone": GONE}.items()):
        x = LEFT + number * 95
        yield f'<rect x="{x}" y="{y - 11}" width="{CELL}" height="{CELL}" rx="2" fill="{colour}"/>'
        yield _text(x + CELL + 5, y + 2, "14 days" if name == "within" else name)


def _colour(told: Judgement | None) -> str:
    if told is None:
        return GONE
    return next(colour for rule, colour in COLOURS.items() if any(reason.startswith(rule) for reason in told.reasons))


def _text(x: int, y: int, words: str) -> str:
    return f'<text x="{x}" y="{y}">{words}</text>'


def _nights() -> Iterator[date]:
    return (FIRST_NIGHT + timedelta(days=n) for n in range((LAST_NIGHT - FIRST_NIGHT).days + 1))


def _months() -> Iterator[tuple[int, int]]:
    year, month = FIRST_MONTH
    while (year, month) <= (LAST_NIGHT.year, LAST_NIGHT.month):
        yield year, month
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


if __name__ == "__main__":
    PICTURE.write_text(draw())
