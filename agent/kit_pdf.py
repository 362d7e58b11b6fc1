"""The recovery kit as one page to print: the key in large groups, and as a QR code for a camera.

The text of the kit lies inside the file as an attachment, uncompressed: so `hort` reads the PDF as it reads the text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched

import segno
from fpdf import FPDF
from fpdf.enums import XPos, YPos

_MARGIN, _WIDTH = 22.0, 166.0
_INK, _GREY, _RULE, _PAPER = (25, 28, 36), (110, 114, 122), (200, 203, 208), (244, 245, 247)
_GROUPS_A_ROW = 5
_QR_SIDE = 36.0
_NOTE_LINES = 3


@dataclass(frozen=True, slots=True)
class Page:
    """All that stands on it."""

    text: str = field(repr=False)
    """The kit as text, which is attached."""
    made_at: datetime
    promise: str
    warnings: Sequence[str]
    facts: Sequence[tuple[str, str]]
    """What it is for, as label and value."""
    groups: Sequence[str] = field(repr=False)
    reading: str
    """How the groups are read."""
    commands: Sequence[str]
    last_word: str


def kit_pdf(page: Page) -> bytes:
    """One A4 page. Letters that the printer's own fonts lack show as `?`; the attachment has them."""
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_margins(_MARGIN, _MARGIN)
    pdf.c_margin = 0
    pdf.set_creation_date(page.made_at)
    pdf.set_title("Hort recovery kit")
    pdf.embed_file(
        bytes=page.text.encode(), basename="recovery-kit.txt", modification_date=page.made_at, compress=False
    )
    pdf.add_page()
    _head(pdf, page)
    _facts(pdf, page.facts)
    _key(pdf, page)
    _use(pdf, page)
    _note(pdf)
    return bytes(pdf.output())


def _head(pdf: FPDF, page: Page) -> None:
    _font(pdf, "Helvetica", 9, _GREY)
    _line(pdf, 5, "H O R T")
    _font(pdf, "Helvetica", 28, _INK, bold=True)
    _line(pdf, 14, "Recovery kit")
    pdf.ln(2)
    _font(pdf, "Helvetica", 11.5, _INK)
    _paragraph(pdf, 6, page.promise)
    pdf.ln(2)
    _font(pdf, "Helvetica", 10, _INK)
    for warning in page.warnings:
        pdf.set_x(_MARGIN)
        pdf.cell(5, 5.2, "-")
        pdf.multi_cell(_WIDTH - 5, 5.2, _printable(warning), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pdf.ln(0.8)


def _facts(pdf: FPDF, facts: Sequence[tuple[str, str]]) -> None:
    _rule(pdf, 4)
    for label, value in facts:
        _font(pdf, "Helvetica", 9.5, _GREY)
        pdf.cell(30, 6.4, _printable(label))
        _font(pdf, "Courier", 10.5, _INK)
        _paragraph(pdf, 6.4, value)
    _rule(pdf, 2)


def _key(pdf: FPDF, page: Page) -> None:
    _heading(pdf, "Recovery key")
    top, height = pdf.get_y(), _QR_SIDE + 14
    pdf.set_fill_color(*_PAPER)
    pdf.rect(_MARGIN, top, _WIDTH, height, style="F", round_corners=True, corner_radius=2.5)
    rows = list(batched(enumerate(page.groups, 1), _GROUPS_A_ROW, strict=False))
    pitch = (height - 6) / len(rows)
    for at, row in enumerate(rows):
        _groups(pdf, row, top + 4 + at * pitch)
    _qr(pdf, "-".join(page.groups), _MARGIN + _WIDTH - _QR_SIDE - 7, top + 7)
    pdf.set_xy(_MARGIN, top + height + 2)
    _font(pdf, "Helvetica", 8.5, _GREY)
    _paragraph(pdf, 4.2, page.reading)


def _groups(pdf: FPDF, row: Sequence[tuple[int, str]], top: float) -> None:
    for at, (number, group) in enumerate(row):
        left = _MARGIN + 6 + at * 22.6
        pdf.set_xy(left, top)
        _font(pdf, "Helvetica", 7, _GREY)
        pdf.cell(20, 4, str(number))
        pdf.set_xy(left, top + 4)
        _font(pdf, "Courier", 15, _INK, bold=True)
        pdf.cell(20, 7, group)


def _use(pdf: FPDF, page: Page) -> None:
    pdf.ln(3)
    _heading(pdf, "On the new device")
    _font(pdf, "Courier", 9.5, _INK)
    for command in page.commands:
        _paragraph(pdf, 5.6, command)
    pdf.ln(1)
    _font(pdf, "Helvetica", 9, _GREY)
    _paragraph(pdf, 4.6, page.last_word)


def _note(pdf: FPDF) -> None:
    pdf.ln(4)
    _heading(pdf, "Your own note")
    for _ in range(_NOTE_LINES):
        pdf.ln(5)
        _rule(pdf, 2)


def _qr(pdf: FPDF, code: str, left: float, top: float) -> None:
    """In vectors, so that it prints sharp; on white, with the quiet zone of ISO/IEC 18004 around it."""
    matrix = [bytes(row) for row in segno.make(code, error="m", micro=False).matrix]
    module = _QR_SIDE / len(matrix)
    quiet = 4 * module
    pdf.set_fill_color(255, 255, 255)
    pdf.rect(left - quiet, top - quiet, _QR_SIDE + 2 * quiet, _QR_SIDE + 2 * quiet, style="F")
    pdf.set_fill_color(*_INK)
    for y, row in enumerate(matrix):
        for x, length in _dark_runs(row):
            pdf.rect(left + x * module, top + y * module, length * module, module, style="F")


def _dark_runs(row: bytes) -> Iterator[tuple[int, int]]:
    """Start and length: neighbours in one rectangle leave no hairline between them."""
    start = 0
    for end in range(1, len(row) + 1):
        if end == len(row) or row[end] != row[start]:
            if row[start]:
                yield start, end - start
            start = end


def _heading(pdf: FPDF, text: str) -> None:
    pdf.ln(3)
    _font(pdf, "Helvetica", 12, _INK, bold=True)
    _line(pdf, 8, text)


def _rule(pdf: FPDF, space: float) -> None:
    pdf.ln(space)
    pdf.set_draw_color(*_RULE)
    pdf.line(_MARGIN, pdf.get_y(), _MARGIN + _WIDTH, pdf.get_y())
    pdf.ln(space)


def _line(pdf: FPDF, height: float, text: str) -> None:
    pdf.cell(_WIDTH, height, _printable(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _paragraph(pdf: FPDF, height: float, text: str) -> None:
    pdf.multi_cell(0, height, _printable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _font(pdf: FPDF, family: str, size: float, colour: tuple[int, int, int], *, bold: bool = False) -> None:
    pdf.set_font(family, "B" if bold else "", size)
    pdf.set_text_color(*colour)


def _printable(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")
