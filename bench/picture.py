"""Pictures of results, as SVG: plain enough to be made here, and shown by any browser and any repository's page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#2563eb", "#d97706", "#64748b", "#be123c")
_BAR, _GAP, _LEFT, _WIDTH, _TOP = 14, 12, 180, 670, 40


@dataclass(frozen=True, slots=True)
class Bar:
    group: str
    name: str
    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Curve:
    name: str
    values: Sequence[float]


def bars(title: str, all_of_them: Sequence[Bar]) -> str:
    """Bars side by side, group by group; each group is drawn to its own scale, for only neighbours compare."""
    names = list(dict.fromkeys(bar.name for bar in all_of_them))
    lines, at = [_text(8, 22, title, "bold 15px"), *_legend(names, _LEFT + 190)], _TOP
    for group in dict.fromkeys(bar.group for bar in all_of_them):
        members = [bar for bar in all_of_them if bar.group == group]
        longest = max(bar.value for bar in members) or 1.0
        lines.append(_text(8, at + 11, group))
        for bar in members:
            width = bar.value / longest * (_WIDTH - _LEFT)
            colour = COLOURS[names.index(bar.name) % len(COLOURS)]
            lines.append(f'<rect x="{_LEFT}" y="{at}" width="{width:.1f}" height="{_BAR - 2}" fill="{colour}"/>')
            lines.append(_text(_LEFT + width + 6, at + 10, bar.label, "11px"))
            at += _BAR
        at += _GAP
    return _svg(_WIDTH + 160, at, lines)


def curves(title: str, panels: Mapping[str, Sequence[Curve]]) -> str:
    """One panel a name, below each other; all curves of a panel share its scale, which begins at 0."""
    lines, at = [_text(8, 22, title, "bold 15px")], _TOP
    for panel, members in panels.items():
        lines += _panel(panel, members, at)
        at += 220
    return _svg(_WIDTH + 160, at, lines)


def _panel(panel: str, members: Sequence[Curve], at: int) -> Iterable[str]:
    height, highest = 160, max(max(curve.values) for curve in members) * 1.1 or 1.0
    yield _text(8, at + 12, panel, "bold 12px")
    yield from _legend([curve.name for curve in members], _LEFT + 310, at + 12)
    for share in (0.0, 0.5, 1.0):
        y = at + 25 + height * (1 - share)
        yield f'<line x1="60" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#cbd5e1"/>'
        yield _text(8, y + 4, f"{highest * share:.2f}", "11px")
    for n, curve in enumerate(members):
        step = (_WIDTH - 60) / max(len(curve.values) - 1, 1)
        points = " ".join(
            f"{60 + step * day:.1f},{at + 25 + height * (1 - value / highest):.1f}"
            for day, value in enumerate(curve.values)
        )
        yield f'<polyline points="{points}" fill="none" stroke="{COLOURS[n % len(COLOURS)]}" stroke-width="2"/>'


def _legend(names: Sequence[str], x: int, y: int = 22) -> Iterable[str]:
    for n, name in enumerate(names):
        yield f'<rect x="{x + 150 * n}" y="{y - 9}" width="10" height="10" fill="{COLOURS[n % len(COLOURS)]}"/>'
        yield _text(x + 150 * n + 14, y, name)


def _text(x: float, y: float, text: str, font: str = "12px") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" style="font:{font} sans-serif" fill="#0f172a">{escape(text)}</text>'


def _svg(width: int, height: int, lines: Iterable[str]) -> str:
    box = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    ground = f'<rect width="{width}" height="{height}" fill="white"/>'
    return "\n".join((f'<svg xmlns="http://www.w3.org/2000/svg" {box}>', ground, *lines, "</svg>", ""))
