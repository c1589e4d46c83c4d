"""The ESC/POS ticket printer: one ticket, one write, and `printed` only when the printer said so after the cut.

One job: ask how it is (DLE EOT 1, 2, 4 and, on an error, 3); refuse at once when it cannot print, nothing was begun;
write the ticket with the barrier GS r 1 behind the cut; wait for the barrier, asking meanwhile why it does not come.

    no connection                      LineDown, before anything was begun: the agent tries again until the job expires
    paper out, cover, cutter, error    failed, with the code; also when it happens while the ticket is printed, and
                                       then what is on the paper is cut off before the next
    silent printer                     the ticket is sent, the connection closed, and `unknown`: nobody can say
    automatic status only          faults are heard as they come; a ticket during which none came is `unknown`
    connection lost in the ticket      unknown; before the next ticket the half one is ended and cut off (`mend`)
    barrier answered                   printed; near end of paper is a fault of the printer, not of the ticket

Facts behind it: python-escpos reads an unanswered paper query as "adequate"; after the printer's FIN the first write
succeeds and is lost; boards on port 9100 drop idle connections, and take one client only, so the connection is kept and
asked every few seconds.
"""

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Literal, TypeVar, assert_never

from drivers.driver import Wiring
from drivers.faults import Fault, FaultCode, Health, HealthStatus, LineDown, Paper
from drivers.jobs import Announce, Job, PrintNotice, PrintTicket, Result, ResultStatus, Say
from drivers.printer import notice
from drivers.printer.escpos import ASB_ON, CUT, INIT, MAX_BAND_ROWS, RASTER, drawn, encode
from drivers.printer.fonts import find_faces
from drivers.printer.profiles import Profile, profiles
from drivers.printer.roll import Roll
from drivers.printer.status import (
    ASK_NAMES,
    NAMES,
    RECOVER,
    PrinterStatus,
    StatusReader,
    barrier_paper,
    query,
    with_answer,
)
from drivers.printer.ticket import lay_out
from drivers.transport import Line, open_line, parse_url

SILENT_AGAIN_S = 30.0
"""How long a printer that did not answer is not asked again: each ticket would wait for its silence."""
PADDING = 512
"""Zero bytes that end any command of a torn native ticket; printers ignore them between commands."""
ANSWER_S = 0.6
"""How long a real-time answer may take; a busy network board needs some 100 ms."""
PRINT_S = 12.0
"""How long paper, cutter and barrier may take after the last byte was sent."""
ASK_WHY_EVERY_S = 1.0
UNASKED_S = 3.0
"""How long after a ticket a printer that is never asked may still say that something went wrong with it."""
WRITE_S = 5.0
LOGO_S = 2.0
"""A logo that would take longer on the line is left out."""
MAX_ROLL_M, MAX_ROLL_TICKETS = 500, 10_000
RECOVER_EVERY_S = 10.0
ECHOES = 2
"""Who said so often how it is when it was told to is silent when it does not; others speak at changes only."""
_STALE_READS = 64

AnyPaper = TypeVar("AnyPaper", PrintTicket, PrintNotice)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscposOptions:
    """Options of a printer in DEVICES.toml. What is not given is as the profile says."""

    profile: str = "generic-80"
    charset: Literal["gb2312", "gbk", "gb18030", "none"] | None = None
    max_scale: int | None = None
    qr: Literal["native", "raster"] | None = None
    cut: Literal["partial", "full", "none"] | None = None
    answers: bool | None = None
    automatic: bool | None = None
    font: str = ""
    beep: Literal["none", "buzzer", "drawer"] | None = None
    roll_m: float | None = None
    roll_tickets: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no printer has. Raises ValueError, "option: sentence"."""
        if self.profile not in profiles():
            raise ValueError(f"profile: {self.profile!r} is not known; known are {', '.join(sorted(profiles()))}")
        for option, least, most in (("roll_m", 1, MAX_ROLL_M), ("roll_tickets", 10, MAX_ROLL_TICKETS)):
            value = getattr(self, option)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{option}: must be {least}..{most}, not {value}")
        if self.roll_m is not None and self.roll_tickets is not None:
            raise ValueError("roll_m: give roll_m or roll_tickets, not both")
        if self.max_scale is not None and not 1 <= self.max_scale <= 8:
            raise ValueError(f"max_scale: must be 1..8, not {self.max_scale}")
        try:
            find_faces(self.font)
        except ValueError as error:
            raise ValueError(f"font: {error}") from error

    def resolved(self) -> Profile:
        """Give the profile with this printer's own options laid over it."""
        base = profiles()[self.profile]
        return Profile(
            name=base.name,
            width_dots=base.width_dots,
            charset=base.charset if self.charset is None else self.charset,
            max_scale=base.max_scale if self.max_scale is None else self.max_scale,
            qr=base.qr if self.qr is None else self.qr,
            cut=base.cut if self.cut is None else self.cut,
            answers=base.answers if self.answers is None else self.answers,
            automatic=base.automatic if self.automatic is None else self.automatic,
            beep=base.beep if self.beep is None else self.beep,
            named=base.named,
        )


class ThermalPrinter:
    """One printer behind one line; a JobDriver. `clock` is the monotonic clock in seconds."""

    def __init__(
        self,
        wiring: Wiring[EscposOptions],
        *,
        open_line: Callable[[str], Line] = open_line,
        clock: Callable[[], float] = time.monotonic,
        print_s: float = PRINT_S,
    ) -> None:
        """Keep the wiring; the line is opened when it is needed."""
        self._url = wiring.url
        parsed = parse_url(wiring.url)
        self._byte_s = parsed.byte_s
        profile = wiring.options.resolved()
        self._profile = replace(profile, answers=False, automatic=False) if parsed.scheme == "cups" else profile
        self._faces = find_faces(wiring.options.font)
        self._roll: Roll | None = None
        if wiring.options.roll_m is not None or wiring.options.roll_tickets is not None:
            self._roll = Roll(
                wiring.data_dir, wiring.device, roll_m=wiring.options.roll_m, roll_tickets=wiring.options.roll_tickets
            )
        self._was_out = False
        self._open_line = open_line
        self._clock = clock
        self._print_s = print_s
        self._line: Line | None = None
        self._heard = _Heard()
        self._recovered_s: float | None = None
        self._told_s: float | None = None  # when it was last told to say by itself how it is
        self._silent_until_s = 0.0
        self._before = mend(b"", self._profile) if wiring.interrupted else b""

    def do(self, job: Job, started: Callable[[], None]) -> Result:
        """Print one ticket or notice. Raises LineDown before `started()`: nothing was printed."""
        match job:
            case PrintTicket():
                items = lay_out(self._fast(job), self._profile)
            case PrintNotice():
                items = notice.lay_out(self._fast(job), self._profile)
            case Say() | Announce():
                return Result(status=ResultStatus.FAILED, detail="a printer prints tickets and notices only")
            case _:
                assert_never(job)
        data = encode(items, self._profile, self._faces)
        status = self._ask_fresh()
        fault = status.fault() if status is not None else None
        if fault is not None:
            return _failed(fault)
        started()
        try:
            result = self._print(data, answers=status is not None or self._profile.automatic)
        except LineDown as down:
            self._line = None
            if down.untouched:
                return _failed(Fault(code=FaultCode.LINE_DOWN, detail=down.why))
            self._before = mend(data, self._profile)
            return self._why_lost(down)
        # what it forgets of a ticket that stuck is on the paper all the same, and would be the head of the next
        self._before = mend(data, self._profile) if result.status is ResultStatus.FAILED else b""
        if self._roll is not None:
            self._roll.count(items)
        return result

    def _fast(self, job: AnyPaper) -> AnyPaper:
        """Leave out a logo that would keep the visitor waiting: on a slow serial line it takes longer than the rest."""
        if job.logo and self._byte_s * len(drawn(job.logo, self._profile.width_dots)) > LOGO_S:
            return replace(job, logo=b"")
        return job

    def check(self) -> Health:
        """Ask the printer how it is. Raises LineDown."""
        health = self._health()
        if self._roll is None:
            return health
        self._roll.look()
        if self._was_out and health.paper in {Paper.OK, Paper.NEAR_END}:
            self._roll.is_new()
        if health.paper in {Paper.OK, Paper.NEAR_END, Paper.OUT}:
            self._was_out = health.paper is Paper.OUT
        warning = self._roll.warning()
        if not warning or health.paper not in {Paper.OK, Paper.UNKNOWN}:
            return health
        near = Fault(code=FaultCode.PAPER_NEAR_END, detail=f"{warning} by count; after changing the roll: jiaohao roll")
        status = HealthStatus.DEGRADED if health.status is HealthStatus.OK else health.status
        return replace(health, status=status, faults=(*health.faults, near), paper=Paper.NEAR_END)

    def _health(self) -> Health:
        status = self._ask_fresh()
        if status is not None:
            if status.cutter or (status.recoverable and not status.cover_open):
                self._recover()
            health = status.health()
            return replace(health, firmware=self._name()) if not health.faults else health
        if not self._profile.answers and not self._profile.automatic:
            return Health(paper=Paper.UNKNOWN)
        silent = Fault(code=FaultCode.NO_ANSWER, detail="the printer does not answer; tickets are not confirmed")
        return Health(status=HealthStatus.DEGRADED, faults=(silent,), paper=Paper.UNKNOWN)

    def close(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _ask_fresh(self) -> PrinterStatus | None:
        """Ask over the open line, or over a new one when that was dropped while idle. None: it says nothing."""
        if self._line is not None:
            try:
                return self._ask()
            except LineDown:
                self._line = None
        self._line = self._open_line(self._url)
        self._heard = _Heard()
        try:
            return self._ask()
        except LineDown:
            self._line = None
            raise

    def _ask(self) -> PrinterStatus | None:
        """Ask everything that matters. None when it does not answer, or the profile says that it would not."""
        line = self._open()
        for _ in range(_STALE_READS):  # answers to older questions: else they would be taken for those to the next
            if not (stale := line.read(0)):
                break
            self._heard.feed(stale)
        if self._profile.automatic:
            return self._unasked()
        self._heard.forget()
        if not self._profile.answers or self._clock() < self._silent_until_s:
            return None
        status = self._questions()
        if status is None:
            self._silent_until_s = self._clock() + SILENT_AGAIN_S
        return status

    def _unasked(self) -> PrinterStatus | None:
        """Give what it said last by itself; told to do so (GS a) it says it at once.

        GS a waits in its buffer while it cannot print, so it is told rarely then; and told it is, for one that was
        switched off meanwhile has forgotten that it should say anything.
        """
        known, now_s = self._heard.asb, self._clock()
        if known is not None and known.fault() is not None and self._told_s is not None:
            if now_s - self._told_s < RECOVER_EVERY_S:
                return known
        elif known is None and now_s < self._silent_until_s:
            return None
        self._heard.forget()
        self._told_s = now_s
        self._open().write(self._before + ASB_ON, WRITE_S + 1.5 * len(self._before) * self._byte_s)
        self._before = b""  # else what is torn would take GS a for its own
        if self._listen(lambda: self._heard.asb is not None):
            self._heard.echoes += 1
        elif known is not None and (known.fault() is not None or self._heard.echoes < ECHOES):
            self._heard.asb = known
        else:
            self._silent_until_s = self._clock() + SILENT_AGAIN_S
        return self._heard.asb

    def _questions(self) -> PrinterStatus | None:
        """Ask paper, off line, its cause, and the error. Cheap boards know only some of these questions."""
        status = PrinterStatus()
        answered = False
        for n in (4, 1, 2, 3):
            if (n == 2 and not answered) or (n == 3 and not (status.error or status.offline)):
                continue
            answer = self._answer_to(n)
            if answer is not None:
                answered = True
                status = with_answer(status, n, answer)
        return status if answered else None

    def _answer_to(self, n: int) -> int | None:
        self._open().write(query(n), WRITE_S)
        return self._heard.realtime.popleft() if self._listen(lambda: bool(self._heard.realtime)) else None

    def _listen(self, heard: Callable[[], bool]) -> bool:
        """Read until it was heard, as long as an answer may take."""
        line, until = self._open(), self._clock() + ANSWER_S + 4 * self._byte_s
        late = False
        while not heard() and not late:
            left_s = until - self._clock()
            late = left_s <= 0  # and one last look: on a busy machine the answer was there before we were
            self._heard.feed(line.read(max(0.0, left_s)))
        return heard()

    def _print(self, data: bytes, *, answers: bool) -> Result:
        line = self._open()
        on_the_wire_s = (len(self._before) + len(data)) * self._byte_s
        junk = self._heard.junk
        line.write(self._before + data, WRITE_S + 1.5 * on_the_wire_s)
        if not answers:
            self.close()  # boards that print what came when the connection ends; nothing else will come over it
            return Result(
                status=ResultStatus.UNKNOWN, detail=f"{FaultCode.NO_ANSWER}: sent; this printer does not answer"
            )
        automatic = self._profile.automatic
        until = self._clock() + (UNASKED_S if automatic else self._print_s) + 1.5 * on_the_wire_s
        ask_why_s = inf if automatic else self._clock() + ASK_WHY_EVERY_S + on_the_wire_s
        late = False
        while not late:
            late = self._clock() >= until  # and one last look, as above
            self._heard.feed(line.read(max(0.0, min(until, ask_why_s) - self._clock())))
            fault = self._heard.asb.fault() if self._heard.asb is not None else None
            if not self._heard.barriers and fault is None and not late and self._clock() >= ask_why_s:
                status = self._questions()  # the barrier may come in between: it is heard all the same
                fault = status.fault() if status is not None else None
                ask_why_s = self._clock() + ASK_WHY_EVERY_S
            if self._heard.barriers and not automatic:
                if self._heard.junk > junk:
                    return Result(status=ResultStatus.UNKNOWN, detail=f"{FaultCode.BAD_ANSWER}: noise on the line")
                paper = barrier_paper(self._heard.barriers[0])
                return Result(status=ResultStatus.PRINTED, detail="" if paper is Paper.OK else f"paper {paper}")
            if fault is not None and automatic:
                return _failed(fault)  # and it is listened to: it says by itself when all is well again
            if fault is not None:
                self.close()  # what it keeps in its buffer and its late answers belong to this ticket only
                return _failed(fault)
        if automatic:
            return Result(status=ResultStatus.UNKNOWN, detail="sent; this printer tells faults only, and told none")
        self.close()  # a barrier that comes yet must not confirm the next ticket
        return Result(
            status=ResultStatus.UNKNOWN, detail=f"{FaultCode.NO_ANSWER}: sent; the printer did not confirm it"
        )

    def _why_lost(self, down: LineDown) -> Result:
        """Look once whether the printer says why it took no more bytes."""
        try:
            status = self._ask_fresh()
        except LineDown:
            status = None
        fault = status.fault() if status is not None else None
        if fault is not None:
            return _failed(fault)
        return Result(
            status=ResultStatus.UNKNOWN, detail=f"{FaultCode.LINE_DOWN}: {down.why} while the ticket was printed"
        )

    def _name(self) -> str | None:
        """Give model and firmware of a printer that tells them; it is asked once on each connection."""
        if self._profile.named and self._heard.names is None:
            self._heard.names = []
            self._heard.await_names(NAMES)
            self._open().write(ASK_NAMES, WRITE_S)
            self._listen(lambda: len(self._heard.names or ()) >= NAMES)
            self._heard.await_names(0)
        return " ".join(name for name in self._heard.names or () if name) or None

    def _recover(self) -> None:
        """Tell the printer to go on after an error; it stays in it when the cause is still there."""
        now_s = self._clock()
        if self._recovered_s is None or now_s - self._recovered_s >= RECOVER_EVERY_S:
            self._recovered_s = now_s
            self._open().write(RECOVER, WRITE_S)

    def _open(self) -> Line:
        if self._line is None:
            raise AssertionError("asked before _ask_fresh")
        return self._line


def mend(torn: bytes, profile: Profile) -> bytes:
    """Give what goes before the next ticket when this one may have reached the printer in part.

    The printer may still wait for the rest of a picture or a QR symbol, and would take the next ticket for it: enough
    zeros end that. Then the half ticket is cut off, so that nobody gets two numbers on one piece of paper. Of a ticket
    that a killed process left behind nothing is known (`torn` is empty): it may wait for the largest picture.
    """
    bands = (
        int.from_bytes(torn[at + 4 : at + 6], "little") * int.from_bytes(torn[at + 6 : at + 8], "little")
        for at in (match.start() for match in re.finditer(re.escape(RASTER), torn))
    )
    longest = max(bands, default=0) if torn else profile.width_dots // 8 * MAX_BAND_ROWS
    return bytes(max(PADDING, longest)) + INIT + CUT


class _Heard:
    """What came over one connection and was not looked at yet, bounded."""

    def __init__(self) -> None:
        self._reader = StatusReader()
        self.realtime: deque[int] = deque(maxlen=16)
        self.barriers: deque[int] = deque(maxlen=16)
        self.asb: PrinterStatus | None = None
        self.names: list[str] | None = None  # None: not asked yet
        self.echoes = 0  # automatic status that came when the printer was told to say it

    @property
    def junk(self) -> int:
        return self._reader.junk

    def feed(self, data: bytes) -> None:
        answers = self._reader.feed(data)
        self.realtime.extend(answers.realtime)
        self.barriers.extend(answers.barriers)
        self.asb = answers.asb or self.asb
        if self.names is not None:
            self.names += answers.names

    def await_names(self, count: int) -> None:
        self._reader.await_names(count)

    def forget(self) -> None:
        self.realtime.clear()
        self.barriers.clear()
        self.asb = None


def _failed(fault: Fault) -> Result:
    return Result(status=ResultStatus.FAILED, detail=f"{fault.code}: {fault.detail}")
