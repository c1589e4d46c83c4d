"""What an ESC/POS printer says: answers to DLE EOT, automatic status, the barrier behind a ticket. Pure.

    DLE EOT n   10 04 n    one byte, pattern 0xx1xx10 (mask 93, value 12); real time, also when off line
      1 printer: 08 off line, 20 waiting for recovery, 40 feed button
      2 off line: 04 cover open, 08 fed by the button, 20 stopped by paper end, 40 error
      3 error: 04 recoverable, 08 cutter, 20 unrecoverable, 40 clears itself (head hot)
      4 paper: 0C near end, 60 absent
    GS r 1      1d 72 01   one byte, bits 4 and 7 zero: 03 near end, 0C absent; queued behind the data: the barrier
    ASB         four bytes, bits 4 and 7 of bytes 2..4 zero
      first     0xx1xx00 (mask 93, value 10): 08 off line, 20 cover, 40 feed button
      second    04 recoverable, 08 cutter, 20 unrecoverable, 40 clears itself
      third     03 near end, 0C absent

    GS I n      1d 49 n    5F, text, NUL: 43 model, 41 firmware; queued. Its text may look like anything, so it is
                           heard only while it is awaited

The other three kinds differ in fixed bits, so they may share one stream. Some printers send automatic status although
it was turned off.

Source: Epson ESC/POS command reference, DLE EOT, GS r, GS a, GS I
(https://download4.epson.biz/sec_pubs/pos/reference_en/escpos/).
"""

from dataclasses import dataclass, replace

from drivers.faults import Fault, FaultCode, Health, HealthStatus, Paper

RECOVER = b"\x10\x05\x02"
"""DLE ENQ 2: recover from an error whose cause was removed, forgetting what was half printed."""

ASK_NAMES = b"\x1dI\x43\x1dI\x41"
"""GS I: the model, then its firmware."""
NAMES = 2
MAX_NAME = 80

_NAME = 0x5F
_XON_XOFF = frozenset({0x11, 0x13})


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterStatus:
    """What the printer said; what it did not say is as if all were well, except for paper."""

    offline: bool = False
    cover_open: bool = False
    paper: Paper = Paper.UNKNOWN
    error: bool = False
    cutter: bool = False
    broken: bool = False
    head_hot: bool = False
    recoverable: bool = False

    def fault(self) -> Fault | None:
        """Give what keeps it from printing, the most useful reason first, or None."""
        for wrong, code, detail in (
            (self.cover_open, FaultCode.COVER_OPEN, "the cover is open"),
            (self.paper is Paper.OUT, FaultCode.PAPER_OUT, "no paper in the printer"),
            (self.cutter, FaultCode.CUTTER, "the cutter is blocked: open the cover, remove the paper, close it"),
            (self.broken, FaultCode.BROKEN, "an error that cannot be cleared: switch the printer off and on"),
            (self.head_hot, FaultCode.HEAD_HOT, "the print head is too hot, it will go on by itself"),
            (self.recoverable or self.error, FaultCode.BROKEN, "the printer reports an error"),
            (self.offline, FaultCode.OFFLINE, "the printer is off line"),
        ):
            if wrong:
                return Fault(code=code, detail=detail)
        return None

    def health(self) -> Health:
        """Give it as the register shows it."""
        fault = self.fault()
        if fault is not None:
            return Health(status=HealthStatus.DOWN, faults=(fault,), paper=self.paper)
        if self.paper is Paper.NEAR_END:
            near = Fault(code=FaultCode.PAPER_NEAR_END, detail="the paper roll is near its end")
            return Health(status=HealthStatus.DEGRADED, faults=(near,), paper=self.paper)
        return Health(paper=self.paper)


def query(n: int) -> bytes:
    """Give DLE EOT n."""
    return b"\x10\x04" + bytes([n])


def with_answer(status: PrinterStatus, n: int, byte: int) -> PrinterStatus:
    """Give the status with the answer to DLE EOT n taken in."""
    match n:
        case 1:
            return replace(status, offline=bool(byte & 0x08))
        case 2:
            seen = replace(status, cover_open=bool(byte & 0x04), error=bool(byte & 0x40))
            return replace(seen, paper=Paper.OUT) if byte & 0x20 else seen
        case 3:
            return replace(
                status,
                recoverable=bool(byte & 0x04),
                cutter=bool(byte & 0x08),
                broken=bool(byte & 0x20),
                head_hot=bool(byte & 0x40),
            )
        case 4:
            if status.paper is Paper.OUT:
                return status
            return replace(status, paper=_paper(out=byte & 0x60, near=byte & 0x0C))
        case _:
            raise AssertionError(f"DLE EOT {n} is not used here")


def from_asb(four: bytes) -> PrinterStatus:
    """Give the status that four bytes of automatic status say."""
    return PrinterStatus(
        offline=bool(four[0] & 0x08),
        cover_open=bool(four[0] & 0x20),
        recoverable=bool(four[1] & 0x04),
        cutter=bool(four[1] & 0x08),
        broken=bool(four[1] & 0x20),
        head_hot=bool(four[1] & 0x40),
        paper=_paper(out=four[2] & 0x0C, near=four[2] & 0x03),
    )


def barrier_paper(byte: int) -> Paper:
    """Give the paper as the answer to GS r 1 says it."""
    return _paper(out=byte & 0x0C, near=byte & 0x03)


def _paper(*, out: int, near: int) -> Paper:
    return Paper.OUT if out else Paper.NEAR_END if near else Paper.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a piece of the stream held, in order; `asb` is the last automatic status."""

    realtime: tuple[int, ...] = ()
    barriers: tuple[int, ...] = ()
    asb: PrinterStatus | None = None
    names: tuple[str, ...] = ()


class StatusReader:
    """Sorts the bytes a printer sends, at any cut.

    Never raises; keeps at most three bytes of an unfinished status, or MAX_NAME of a name that is awaited.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self._part = b""
        self._names_left = 0
        self.junk = 0

    def await_names(self, count: int) -> None:
        """Take the next answers for names; with 0 none is awaited any more, and half a name is dropped."""
        self._names_left = count
        if self._part[:1] == bytes([_NAME]):
            self._part = b""

    def feed(self, data: bytes) -> Answers:
        """Take bytes and give what they say. Bytes that mean nothing are counted in `junk`."""
        realtime: list[int] = []
        barriers: list[int] = []
        names: list[str] = []
        asb: PrinterStatus | None = None
        stream, self._part = self._part + data, b""
        at = 0
        while at < len(stream):
            byte = stream[at]
            if byte == _NAME and self._names_left:
                end = stream.find(0, at)
                if end < 0 and len(stream) - at <= MAX_NAME:
                    self._part = stream[at:]
                    break
                self._names_left = 0 if end < 0 else self._names_left - 1
                names += [] if end < 0 else [stream[at + 1 : end][:MAX_NAME].decode("ascii", "replace").strip()]
                at = max(at, end)
            elif byte & 0x93 == 0x12:
                realtime.append(byte)
            elif byte & 0x93 == 0x10:
                rest = stream[at + 1 : at + 4]
                if any(each & 0x90 for each in rest):  # noise: else one wrong byte would eat three good ones
                    self.junk += 1
                elif len(rest) < 3:
                    self._part = stream[at:]
                    break
                else:
                    asb = from_asb(stream[at : at + 4])
                    at += 3
            elif byte & 0xF0 == 0:  # the manual fixes bits 4 and 7 only; no known printer sets 5 or 6, noise does
                barriers.append(byte)
            elif byte not in _XON_XOFF:
                self.junk += 1
            at += 1
        return Answers(realtime=tuple(realtime), barriers=tuple(barriers), asb=asb, names=tuple(names))
