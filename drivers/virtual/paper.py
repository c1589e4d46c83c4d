"""The paper of a virtual printer: ESC/POS bytes -> lines, a picture, and what a phone reads from the QR symbol.

`PaperReader` understands the commands that ticket printers are driven with, not only those our driver sends, and steps
over the arguments of the others by their length. Text is Latin (half a cell) until FS & or a byte >= 81, then GB18030,
as Chinese models do.

Source: Epson ESC/POS command reference (https://download4.epson.biz/sec_pubs/pos/reference_en/escpos/).
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import segno
from PIL import Image, ImageDraw

from drivers.printer.fonts import CELL_HEIGHT, CELL_WIDTH, columns_of, draw_line, find_faces

MAX_PAPER_DOTS = 6000
"""75 cm: a stream of noise does not become a picture without end."""
_MARGIN = 24
_LINE_GAP = 6
_CUTTER_FEED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedTicket:
    """One piece of paper. `label` is the text of the largest line; `lines` leave out what was drawn and not written."""

    number: int
    at: datetime
    lines: tuple[str, ...]
    label: str | None
    qr: str | None
    png: bytes
    size: int  # bytes that came for it

    @property
    def text(self) -> str:
        """Give all lines as one text."""
        return "\n".join(self.lines)


@dataclass(slots=True)
class _Style:
    """How the next character is printed."""

    width: int = 1
    height: int = 1
    align: int = 0
    bold: bool = False
    inverse: bool = False


class PaperReader:
    """Bytes in, pieces of paper out. Never raises.

    `on_query` is called for each GS r in its place among the data, `on_asb` for each GS a, `on_name` for each GS I.
    """

    def __init__(
        self,
        width_dots: int,
        on_query: Callable[[int], None],
        on_asb: Callable[[], None] = lambda: None,
        on_name: Callable[[int], None] = lambda n: None,  # noqa: ARG005
        *,
        draws: bool = True,
    ) -> None:
        """Start with an empty sheet of this width; without `draws` the tickets have no picture."""
        self._draws = draws
        self.width_dots = width_dots
        self.asb = False
        self._on_query, self._on_asb, self._on_name = on_query, on_asb, on_name
        self._rest = b""
        self._qr_data = b""
        self._qr_module = 3
        self._printed = 0
        self._size = 0
        self._style = _Style()
        self._start_sheet()

    def feed(self, data: bytes, at: datetime) -> list[PrintedTicket]:
        """Take bytes at any cut and give the tickets they finish."""
        tickets: list[PrintedTicket] = []
        self._size += len(data)
        stream = self._rest + data
        while stream:
            used, cut = self._step(stream)
            if used == 0:
                break
            stream = stream[used:]
            if cut and self._dirty:
                self._size -= len(stream)
                tickets.append(self._take(at))
                self._size = len(stream)
        self._rest = stream
        return tickets

    def clear(self) -> None:
        """Forget what was not printed yet (DLE ENQ 2, power off); what is on the paper stays on it."""
        self._rest = b""
        self._written = bytearray()
        self._style = _Style()

    def _start_sheet(self) -> None:
        self._written = bytearray()
        self._runs: list[tuple[str, _Style]] = []
        self._rows: list[Image.Image] = []
        self._height = 0
        self._lines: list[tuple[str, int]] = []
        self._qr: str | None = None
        self._dirty = False
        self._size = 0

    def _step(self, stream: bytes) -> tuple[int, bool]:
        """Do the first thing in the stream; give the bytes it took (0: more are needed) and whether it was a cut."""
        first = stream[0]
        if first in _LEADS:
            return self._command(stream)
        if first == 0x0A:
            self._end_line()
        elif first == 0x0C:
            self._end_line()
            return 1, True
        elif first >= 0x20:
            self._written.append(first)
            self._flush_partial()
        return 1, False

    def _command(self, stream: bytes) -> tuple[int, bool]:
        if len(stream) < 2:
            return 0, False
        name = stream[:2]
        if name in (b"\x1d(", b"\x1c(", b"\x1b("):
            length = 5 + int.from_bytes(stream[3:5], "little")
            if len(stream) < 5 or len(stream) < length:
                return 0, False
            if stream[:3] == b"\x1d(k":
                self._symbol(stream[5:length])
            return length, False
        if name == b"\x1dv":
            return self._raster(stream)
        if name == b"\x1dV":
            return self._cut(stream)
        if name == b"\x1b*":
            if len(stream) < 5:
                return 0, False
            length = 5 + int.from_bytes(stream[3:5], "little") * (3 if stream[2] in (32, 33) else 1)
            return (length if len(stream) >= length else 0), False
        if name == b"\x1bD":
            end = stream.find(b"\x00")
            return end + 1, False
        length = 2 + _ARGUMENTS.get(name, 0)
        if len(stream) < length:
            return 0, False
        self._simple(name, stream[2:length])
        return length, False

    def _simple(self, name: bytes, arguments: bytes) -> None:
        n = arguments[0] if arguments else 0
        if name in _STYLE:
            self._end_run()
        match name:
            case b"\x1b@":
                self._style = _Style()
                self.asb = False
            case b"\x1d!":
                self._style.width, self._style.height = (n >> 4 & 7) + 1, (n & 7) + 1
            case b"\x1b!":
                self._style.width, self._style.height = (2 if n & 0x20 else 1), (2 if n & 0x10 else 1)
                self._style.bold = bool(n & 0x08)
            case b"\x1ba":
                self._style.align = n & 3
            case b"\x1bE":
                self._style.bold = bool(n & 1)
            case b"\x1dB":
                self._style.inverse = bool(n & 1)
            case b"\x1dr":
                self._on_query(n)
            case b"\x1dI":
                self._on_name(n)
            case b"\x1da":
                self.asb = n != 0
                self._on_asb()
            case b"\x1bd":
                self._end_line(always=False)
                self._blank(n * (CELL_HEIGHT + _LINE_GAP))
            case b"\x1bJ":
                self._end_line(always=False)
                self._blank(n)
            case _:
                return

    def _symbol(self, body: bytes) -> None:
        """GS ( k for QR: body is cn fn and its data."""
        if body[:1] != b"1":
            return
        function, data = body[1:2], body[2:]
        if function == b"C" and data:
            self._qr_module = max(1, min(16, data[0]))
        elif function == b"P":
            self._qr_data = data[1:]
        elif function == b"Q" and self._qr_data:
            self._qr, self._dirty = self._qr_data.decode("utf-8", "replace"), True
            if not self._draws:
                return
            code = segno.make_qr(self._qr_data, error="m", boost_error=False)
            rows = [bytes(row) for row in code.matrix]
            quiet = 4
            picture = Image.new("L", (len(rows) + 2 * quiet, len(rows) + 2 * quiet), 255)
            for y, row in enumerate(rows):
                for x, module in enumerate(row):
                    if module:
                        picture.putpixel((x + quiet, y + quiet), 0)
            side = picture.width * self._qr_module
            self._end_line(always=False)
            self._row(picture.resize((side, side), Image.Resampling.NEAREST))

    def _raster(self, stream: bytes) -> tuple[int, bool]:
        if len(stream) < 8:
            return 0, False
        across, rows = int.from_bytes(stream[4:6], "little"), int.from_bytes(stream[6:8], "little")
        length = 8 + across * rows
        if len(stream) < length:
            return 0, False
        if across and rows:
            picture = Image.frombytes("1", (across * 8, rows), bytes(255 - byte for byte in stream[8:length]))
            self._end_line(always=False)
            self._row(picture.convert("L"), gap=0)
        return length, False

    def _cut(self, stream: bytes) -> tuple[int, bool]:
        if len(stream) < 3:
            return 0, False
        feeds = stream[2] in (65, 66, 97, 98, 103, 104)
        if feeds and len(stream) < 4:
            return 0, False
        self._end_line(always=False)
        return (4 if feeds else 3), True

    def _end_run(self) -> None:
        """Keep what was written so far in the style it was written in."""
        if self._written:
            text = bytes(self._written).decode("gb18030", "replace")
            style = self._style
            self._runs.append((text, _Style(style.width, style.height, style.align, style.bold, style.inverse)))
            self._written = bytearray()

    def _flush_partial(self) -> None:
        """End the line where the paper ends, as printers do."""
        if len(self._written) > 4 * self.width_dots // CELL_WIDTH:
            self._end_line()

    def _end_line(self, *, always: bool = True) -> None:
        self._end_run()
        runs, self._runs = self._runs, []
        if not runs:
            if always:
                self._blank(CELL_HEIGHT + _LINE_GAP)
            return
        for line in _fold(runs, self.width_dots):
            text = "".join(text for text, _ in line)
            self._lines.append((text, max(style.width * style.height for _, style in line)))
            self._dirty = True
            if self._draws:
                self._row(_draw(line))

    def _blank(self, dots: int) -> None:
        if dots > 0 and self._height < MAX_PAPER_DOTS:
            self._rows.append(Image.new("L", (self.width_dots, dots), 255))
            self._height += dots

    def _row(self, picture: Image.Image, gap: int = _LINE_GAP) -> None:
        if self._height >= MAX_PAPER_DOTS:
            return
        align = self._style.align
        room = self.width_dots - picture.width
        row = Image.new("L", (self.width_dots, picture.height + gap), 255)
        row.paste(picture, (max(0, room // 2 if align == 1 else room if align == 2 else 0), 0))
        self._rows.append(row)
        self._height += row.height
        self._dirty = True

    def _take(self, at: datetime) -> PrintedTicket:
        self._printed += 1
        largest = max((size for _, size in self._lines), default=0)
        label = next((text.strip() for text, size in self._lines if size == largest and size > 1), None)
        ticket = PrintedTicket(
            number=self._printed,
            at=at,
            lines=tuple(text for text, _ in self._lines),
            label=label,
            qr=self._qr,
            png=_png(self._rows, self.width_dots) if self._draws else b"",
            size=self._size,
        )
        self._start_sheet()
        return ticket


_LEADS = frozenset({0x10, 0x1B, 0x1C, 0x1D})
_STYLE = frozenset({b"\x1b@", b"\x1d!", b"\x1b!", b"\x1ba", b"\x1bE", b"\x1dB"})
_ARGUMENTS: Mapping[bytes, int] = {  # commands of fixed length -> how many bytes follow the name
    **dict.fromkeys((b"\x1b!", b"\x1b ", b"\x1b-", b"\x1b3", b"\x1bE", b"\x1bG", b"\x1bJ", b"\x1bM", b"\x1bR"), 1),
    **dict.fromkeys((b"\x1bV", b"\x1ba", b"\x1bd", b"\x1bt", b"\x1b{", b"\x1b=", b"\x1bv", b"\x1bT", b"\x1bU"), 1),
    **dict.fromkeys((b"\x1d!", b"\x1dB", b"\x1dH", b"\x1dI", b"\x1da", b"\x1db", b"\x1df", b"\x1dh", b"\x1dr"), 1),
    **dict.fromkeys((b"\x1dw", b"\x1c!", b"\x1c-", b"\x1cW"), 1),
    **dict.fromkeys((b"\x1b$", b"\x1b\\", b"\x1bB", b"\x1bc", b"\x1dL", b"\x1dW", b"\x1dP", b"\x1cS"), 2),
    b"\x1bp": 3,
    b"\x1bv": 0,
    b"\x10\x04": 1,
    b"\x10\x05": 1,
    b"\x10\x14": 3,
}


def _fold(runs: Sequence[tuple[str, _Style]], width_dots: int) -> list[list[tuple[str, _Style]]]:
    """Break a line at the paper's edge, character by character, as printers do."""
    lines: list[list[tuple[str, _Style]]] = [[]]
    left = width_dots
    for text, style in runs:
        start = 0
        for index, character in enumerate(text):
            wide = columns_of(character) * CELL_WIDTH * style.width
            if wide > left:
                if text[start:index]:
                    lines[-1].append((text[start:index], style))
                lines.append([])
                start, left = index, width_dots
            left -= wide
        if text[start:]:
            lines[-1].append((text[start:], style))
    return [line for line in lines if line]


def _draw(line: Sequence[tuple[str, _Style]]) -> Image.Image:
    faces = find_faces()
    pictures = []
    for text, style in line:
        picture = draw_line(text, width=style.width, height=style.height, bold=style.bold, faces=faces)
        pictures.append(Image.eval(picture, lambda value: 255 - value) if style.inverse else picture)
    whole = Image.new("L", (sum(each.width for each in pictures), max(each.height for each in pictures)), 255)
    left = 0
    for picture in pictures:
        whole.paste(picture, (left, whole.height - picture.height))
        left += picture.width
    return whole


def _png(rows: Sequence[Image.Image], width_dots: int) -> bytes:
    """Give the sheet with margins, a hint of thermal paper, and the teeth of the cutter at its end."""
    height = _MARGIN + sum(row.height for row in rows) + _CUTTER_FEED
    paper = Image.new("L", (width_dots + 2 * _MARGIN, height), 255)
    top = _MARGIN
    for row in rows:
        paper.paste(row, (_MARGIN, top))
        top += row.height
    pen = ImageDraw.Draw(paper)
    for left in range(0, paper.width, 12):
        pen.polygon([(left, height), (left + 6, height - 5), (left + 12, height)], fill=225)
    out = io.BytesIO()
    paper.save(out, "PNG", optimize=True)
    return out.getvalue()
