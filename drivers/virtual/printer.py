"""A virtual ticket printer: ESC/POS over TCP or a pty, paper as pictures, and every trouble a printer can have.

It does what real ones do: DLE EOT is answered at once, also when it cannot print; everything else waits in its buffer
while there is no paper, the cover is open or the cutter is blocked, and so does the answer to GS r; a full buffer stops
the line. A blocked cutter stays an error until DLE ENQ 2, which also forgets what was waiting. Automatic status (GS a)
is sent at once and on each change.

Source: Epson ESC/POS command reference (https://download4.epson.biz/sec_pubs/pos/reference_en/escpos/).
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

from drivers.virtual.line import VirtualLine
from drivers.virtual.paper import PaperReader, PrintedTicket

TICKETS_KEPT = 50
BUFFER_BYTES = 4096
TAKEN_KEPT = 16_384
_SLOW_BYTES_PER_S = 300.0


class Trouble(StrEnum):
    """What a virtual printer can be told to suffer from; the value is its name on the devices page."""

    PAPER_NEAR_END = "paper_near_end"
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    CUTTER_JAM = "cutter_jam"
    SILENT = "silent"  # prints and never answers
    GARBAGE = "garbage"  # answers with noise
    SLOW = "slow"  # takes 300 bytes a second
    STOP_READING = "stop_reading"  # takes no bytes at all
    UNPLUGGED = "unplugged"


_STOPS = frozenset({Trouble.PAPER_OUT, Trouble.COVER_OPEN})
_NOISE = bytes((0x80, 0x91, 0xFF, 0xA5, 0xB1))


class VirtualPrinter:
    """A printer that prints pictures. Every method may be called from any thread."""

    def __init__(
        self,
        place: str,
        *,
        width_dots: int = 576,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_ticket: Callable[[PrintedTicket], None] = lambda _: None,
        line: Callable[[str, Callable[[bytes], None]], VirtualLine] = VirtualLine,
        draws: bool = True,
        automatic: bool = False,
        names: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        """Open at tcp://HOST:PORT or pty:///PATH; `on_ticket` is called for each cut, in the line's thread.

        `line` makes the device's end of the line; without `draws` tickets have their text and no picture; an
        `automatic` one knows no question and says by itself how it is, once it was told to. `names`: what it answers to
        GS I n; with none it does not know that question.
        """
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._now = now
        self._on_ticket = on_ticket
        self._answers = bytearray()
        self._paper = PaperReader(width_dots, self._queued_query, self._asb_again, self._tell_name, draws=draws)
        self._names = names
        self._automatic = automatic
        self._tickets: deque[PrintedTicket] = deque(maxlen=TICKETS_KEPT)
        self._printed = 0
        self._troubles: set[Trouble] = set()
        self._jammed = False  # stays after the cause is gone, until DLE ENQ
        self._realtime = b""
        self._waiting = bytearray()
        self._asb_said = b""
        self.taken: deque[int] = deque(maxlen=TAKEN_KEPT)
        """The last bytes that came, for whoever wants to see them raw."""
        self.line = line(place, self._take)

    @property
    def url(self) -> str:
        """The address for DEVICES.toml."""
        return self.line.url

    @property
    def tickets(self) -> Sequence[PrintedTicket]:
        """The last tickets, oldest first."""
        with self._lock:
            return tuple(self._tickets)

    @property
    def printed(self) -> int:
        """How many tickets were cut since it was switched on."""
        with self._lock:
            return self._printed

    @property
    def troubles(self) -> frozenset[Trouble]:
        """What it suffers from now."""
        with self._lock:
            return frozenset(self._troubles)

    def wait_for(self, count: int, timeout_s: float) -> bool:
        """Wait until this many tickets were cut."""
        with self._changed:
            return self._changed.wait_for(lambda: self._printed >= count, timeout_s)

    def suffer(self, trouble: Trouble, on: bool = True) -> None:
        """Begin or end a trouble; what was waiting for paper is printed when there is paper again."""
        with self._lock:
            self._troubles.add(trouble) if on else self._troubles.discard(trouble)
            if trouble is Trouble.CUTTER_JAM and on:
                self._jammed = True
        match trouble:
            case Trouble.SLOW:
                self.line.slow(_SLOW_BYTES_PER_S if on else None)
            case Trouble.STOP_READING:
                self.line.stop_reading(on)
            case Trouble.UNPLUGGED:
                self.line.unplug() if on else self.line.replug()
            case _:
                self._work(b"")

    def switch_off_and_on(self) -> None:
        """Reset: drop the connection and forget everything that was not printed."""
        self.line.cut("close")
        with self._lock:
            self._forget()
            self._paper.asb = False
            self._jammed = Trouble.CUTTER_JAM in self._troubles

    def close(self) -> None:
        """Put it away."""
        self.line.close()

    def _take(self, data: bytes) -> None:
        self._work(data)

    def _work(self, data: bytes) -> None:
        """Take bytes, print what can be printed, and answer."""
        with self._lock:
            self.taken.extend(data)
            self._waiting += self._real_time(data)
            self._print()
            if self._paper.asb and (status := self._asb()) != self._asb_said:
                self._asb_said = status
                self._answers += status
            if not self._paper.asb:
                self._asb_said = b""
            answers, self._answers = bytes(self._answers), bytearray()
            if Trouble.SILENT in self._troubles:
                answers = b""
            elif Trouble.GARBAGE in self._troubles and answers:
                answers = _NOISE * len(answers)
            full = len(self._waiting) > BUFFER_BYTES or Trouble.STOP_READING in self._troubles
        if answers:
            self.line.send(answers)
        self.line.stop_reading(full)

    def _print(self) -> None:
        if self._stopped():
            return
        data, self._waiting = bytes(self._waiting), bytearray()
        for ticket in self._paper.feed(data, self._now()):
            self._tickets.append(ticket)
            self._printed += 1
            self._changed.notify_all()
            self._on_ticket(ticket)

    def _real_time(self, data: bytes) -> bytes:
        """Answer DLE EOT and DLE ENQ at once, wherever they stand, and give the other bytes."""
        stream, self._realtime = self._realtime + data, b""
        rest = bytearray()
        at = 0
        while at < len(stream):
            command = stream[at : at + 3]
            if command[:1] == b"\x10" and len(command) < 3 and command[1:2] in (b"", b"\x04", b"\x05"):
                self._realtime = command  # the rest of it may come with the next bytes
                break
            if command[:2] == b"\x10\x04" and 1 <= command[2] <= 4:
                if not self._automatic:
                    self._answers.append(self._status(command[2]))
                at += 3
            elif command[:2] == b"\x10\x05" and command[2] in (1, 2):
                self._recover(command[2])
                rest.clear()
                at += 3
            else:
                rest.append(stream[at])
                at += 1
        return bytes(rest)

    def _recover(self, n: int) -> None:
        self._jammed = Trouble.CUTTER_JAM in self._troubles
        if n == 2:
            self._forget()

    def _forget(self) -> None:
        self._waiting.clear()
        self._realtime = b""
        self._paper.clear()

    def _stopped(self) -> bool:
        return self._jammed or bool(self._troubles & _STOPS)

    def _status(self, n: int) -> int:
        """Give the answer to DLE EOT n."""
        out, cover = Trouble.PAPER_OUT in self._troubles, Trouble.COVER_OPEN in self._troubles
        match n:
            case 1:
                return 0x12 | (0x08 if self._stopped() else 0)
            case 2:
                return 0x12 | (0x04 if cover else 0) | (0x20 if out else 0) | (0x40 if self._jammed else 0)
            case 3:
                return 0x12 | (0x08 if self._jammed else 0)
            case _:
                near = out or Trouble.PAPER_NEAR_END in self._troubles
                return 0x12 | (0x0C if near else 0) | (0x60 if out else 0)

    def _asb(self) -> bytes:
        out, cover = Trouble.PAPER_OUT in self._troubles, Trouble.COVER_OPEN in self._troubles
        near = out or Trouble.PAPER_NEAR_END in self._troubles
        return bytes(
            (
                0x10 | (0x08 if self._stopped() else 0) | (0x20 if cover else 0),
                0x08 if self._jammed else 0,
                (0x03 if near else 0) | (0x0C if out else 0),
                0x0F if out else 0,
            )
        )

    def _tell_name(self, n: int) -> None:
        """Answer GS I in its place among the data."""
        if n in self._names:
            self._answers += b"_" + self._names[n].encode("ascii") + b"\x00"

    def _asb_again(self) -> None:
        """Say how it is at each GS a, changed or not."""
        self._asb_said = b""

    def _queued_query(self, n: int) -> None:
        """Answer GS r in its place among the data."""
        if self._automatic:
            return
        near, out = Trouble.PAPER_NEAR_END in self._troubles, Trouble.PAPER_OUT in self._troubles
        self._answers.append(((0x03 if near or out else 0) | (0x0C if out else 0)) if n in (1, 49) else 0)
