"""How much of a paper roll is left, counted: for printers that cannot see their paper, and those that see it late.

The count is a file of the agent (`rolls/DEVICE.json` in its folder), so it outlives restarts. It begins anew when the
printer says that paper is there again after it was out, and when somebody says that the roll is new: `jiaohao roll
DEVICE` leaves a mark beside it that the running agent finds at its next look.
"""

import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from drivers.printer.escpos import MAX_PICTURE_DOTS, Feed, Item, Picture, Qr, TextLine, qr_modules
from drivers.printer.fonts import CELL_HEIGHT

DOTS_PER_MM = 8
NEAR_END_SHARE = 0.1
"""Less than this of a roll is left: time to have a new one at hand."""
CUTTER_MM = 18
"""Paper between head and cutter or tear bar: fed with every ticket."""
_LINE_GAP_DOTS = 6
_FOLDER = "rolls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What was printed of a roll."""

    mm: float = 0.0
    papers: int = 0


class Roll:
    """The roll in one printer, of `roll_m` metres or `roll_tickets` papers; one owner thread."""

    def __init__(self, folder: Path, device: str, *, roll_m: float | None, roll_tickets: int | None) -> None:
        """Read how much was used; a file that cannot be read counts as a new roll."""
        self._file, self._mark = _files(folder, device)
        self._roll_m, self._roll_tickets = roll_m, roll_tickets
        self._used = Used()
        try:
            self._used = Used(**json.loads(self._file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            self._keep()

    def count(self, items: Sequence[Item]) -> None:
        """Add one paper."""
        self._used = Used(mm=self._used.mm + paper_mm(items), papers=self._used.papers + 1)
        self._keep()

    def is_new(self) -> None:
        """Begin anew."""
        self._used = Used()
        self._keep()

    def look(self) -> None:
        """Begin anew when somebody said so."""
        if self._mark.exists():
            self._mark.unlink(missing_ok=True)
            self.is_new()

    def warning(self) -> str:
        """Say what is left when it is little, else nothing."""
        if self._roll_tickets is not None:
            left = self._roll_tickets - self._used.papers
            return f"about {max(0, left)} tickets left" if left <= self._roll_tickets * NEAR_END_SHARE else ""
        if self._roll_m is not None:
            left_m = self._roll_m - self._used.mm / 1000
            return f"about {max(0, math.floor(left_m))} m left" if left_m <= self._roll_m * NEAR_END_SHARE else ""
        return ""

    def _keep(self) -> None:
        """Write it down; a disk that is full costs the count, not the ticket."""
        part = self._file.with_suffix(".part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps({"mm": round(self._used.mm, 1), "papers": self._used.papers}), "utf-8")
            part.replace(self._file)
        except OSError:
            return


def put_new_roll(folder: Path, device: str) -> list[str] | None:
    """Mark the roll of a printer as new, or give the printers whose paper is counted there when it is none of them.

    Raises OSError when the mark cannot be left.
    """
    known = {each.stem for each in (folder / _FOLDER).glob("*.json")}
    if device not in known:
        return sorted(known)
    _files(folder, device)[1].touch()
    return None


def paper_mm(items: Sequence[Item]) -> float:
    """Give the length of a paper, with what is fed to the cutter."""
    return sum(map(_dots, items)) / DOTS_PER_MM + CUTTER_MM


def _dots(item: Item) -> int:
    match item:
        case TextLine(height=height):
            return height * CELL_HEIGHT + _LINE_GAP_DOTS
        case Feed(dots=dots):
            return dots
        case Qr(payload=payload, module_dots=module_dots):
            return qr_modules(payload) * module_dots
        case Picture(png=png):
            return min(MAX_PICTURE_DOTS, _height(png))


def _height(png: bytes) -> int:
    try:
        with Image.open(io.BytesIO(png)) as picture:
            return picture.height
    except (OSError, ValueError):
        return 0


def _files(folder: Path, device: str) -> tuple[Path, Path]:
    """Give count and mark of a device; the ids of devices are fit for file names."""
    return folder / _FOLDER / f"{device}.json", folder / _FOLDER / f"{device}.new"
