"""Every trouble a printer can have, at every byte of a ticket: nothing printed twice, nothing claimed that is not so.

Driver and virtual printer talk through memory under a clock of their own, so that thousands of tickets take seconds.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.driver import Wiring
from drivers.faults import HealthStatus, LineDown
from drivers.jobs import PrintNotice, PrintTicket, Result, ResultStatus
from drivers.printer import notice
from drivers.printer.escpos import encode
from drivers.printer.fonts import find_faces
from drivers.printer.profiles import profiles
from drivers.printer.thermal import EscposOptions, ThermalPrinter
from drivers.printer.ticket import lay_out
from drivers.virtual.line import Cut
from drivers.virtual.printer import Trouble, VirtualPrinter
from tests.drivers.test_printer_thermal import JOB

SHORT = replace(JOB, fields=("number", "service", "qr"), track_url="http://h/t/x")
DRAWN = replace(JOB, hall_name={"zh": "㛃山政务大厅"}, service={"zh": "𬭎业务"})
BEHIND_THE_CUT = 3
REPAIRS_MAX = 6
"""So often the agent looks at a repaired printer before the next ticket must come out; some 20 s."""


class Memory:
    """A line without sockets: both ends in one object, and the moment at which something goes wrong."""

    url = "tcp://memory:9100"

    def __init__(self, on_bytes: Callable[[bytes], None]) -> None:
        self.now_s = 0.0
        self.at: int | None = None  # bytes until `fault`
        self.fault: Callable[[], object] = lambda: None
        self._on_bytes = on_bytes
        self._inbox = bytearray()
        self._plugged = self._reading = True
        self._connection = 0

    def open(self, url: str) -> "AgentEnd":
        if not self._plugged:
            raise LineDown(url, "no connection")
        self._connection += 1
        self._inbox.clear()
        return AgentEnd(self, self._connection)

    def take(self, connection: int, data: bytes, timeout_s: float) -> None:
        rest = data
        while rest:
            if self.at == 0:
                self.at = None
                self.fault()
            if connection != self._connection or not self._plugged:
                raise LineDown(self.url, "the connection is gone")
            if not self._reading:
                self.now_s += timeout_s
                raise LineDown(self.url, "took no more bytes")
            piece = rest if self.at is None else rest[: self.at]
            rest = rest[len(piece) :]
            self.at = None if self.at is None else self.at - len(piece)
            self._on_bytes(piece)

    def give(self, connection: int, timeout_s: float) -> bytes:
        if connection != self._connection or not self._plugged:
            raise LineDown(self.url, "the connection is gone")
        data = bytes(self._inbox)
        self._inbox.clear()
        if not data:
            self.now_s += timeout_s
        return data

    # the printer's end

    def send(self, data: bytes) -> None:
        self._inbox += data

    def cut(self, how: Cut) -> None:
        self._connection += 1
        self._plugged = self._plugged and how != "unplug"

    def cut_after(self, count: int, how: Cut) -> None:
        self.at, self.fault = count, lambda: self.cut(how)

    def unplug(self) -> None:
        self.cut("unplug")

    def replug(self) -> None:
        self._plugged = True

    def stop_reading(self, stopped: bool = True) -> None:
        self._reading = not stopped

    def slow(self, bytes_per_s: float | None) -> None: ...

    def close(self) -> None: ...


class AgentEnd:
    """One connection to it."""

    url = Memory.url

    def __init__(self, memory: Memory, connection: int) -> None:
        self._memory, self._connection = memory, connection

    def write(self, data: bytes, timeout_s: float) -> None:
        self._memory.take(self._connection, data, timeout_s)

    def read(self, timeout_s: float) -> bytes:
        return self._memory.give(self._connection, timeout_s)

    def close(self) -> None:
        self._connection = -1


class Rig:
    """A printer, its driver, and what stands on the papers that came out."""

    def __init__(self, *, automatic: bool = False, **options: object) -> None:
        made: list[Memory] = []

        def line(place: str, on_bytes: Callable[[bytes], None]) -> Memory:
            made.append(Memory(on_bytes))
            return made[0]

        self.printer = VirtualPrinter("memory", line=line, draws=False, automatic=automatic)  # type: ignore[arg-type]
        (self.line,) = made
        wiring = Wiring(device="p", url=Memory.url, options=EscposOptions(automatic=automatic, **options))  # type: ignore[arg-type]
        self.driver = ThermalPrinter(wiring, open_line=self.line.open, clock=lambda: self.line.now_s)
        self.begun = 0

    def print(self, job: PrintTicket) -> Result | None:
        """Give the result, or None when nothing was begun."""
        self.begun = 0
        try:
            return self.driver.do(job, self._begins)
        except LineDown:
            assert self.begun == 0
            return None

    def _begins(self) -> None:
        self.begun += 1

    def papers(self, label: str) -> int:
        return sum(label in ticket.text for ticket in self.printer.tickets)


def begin(rig: Rig, trouble: Trouble | str) -> None:
    rig.printer.switch_off_and_on() if trouble == "reset" else rig.printer.suffer(Trouble(trouble))


def repair(rig: Rig, trouble: Trouble | str) -> None:
    """Put it right as people do: paper in, cover closed, jam removed, cable in; what does not read is switched off."""
    if trouble != "reset":
        rig.printer.suffer(Trouble(trouble), False)
    if trouble == Trouble.STOP_READING:
        rig.printer.switch_off_and_on()


def length(job: PrintTicket) -> int:
    """Give the bytes of a ticket and of the questions before it."""
    rig = Rig()
    result = rig.print(job)
    assert result is not None
    assert result.status is ResultStatus.PRINTED
    return len(rig.printer.taken)


TROUBLES = [*(trouble for trouble in Trouble if trouble is not Trouble.SLOW), "reset"]
STOPS = {Trouble.PAPER_OUT, Trouble.COVER_OPEN, Trouble.CUTTER_JAM}


def sweep(job: PrintTicket, trouble: Trouble | str, places: range) -> Iterator[str]:
    for place in places:
        rig = Rig()
        rig.line.at = place
        rig.line.fault = lambda rig=rig: begin(rig, trouble)  # type: ignore[misc]  # bound in this round
        result = rig.print(job)
        before = rig.papers("A012")
        status = None if result is None else result.status
        yield f"{status}"
        if status is ResultStatus.PRINTED:
            assert before == 1, (trouble, place)
        elif status is None:
            assert before == 0, (trouble, place)
        elif rig.begun == 0:
            assert (status, before) == (ResultStatus.FAILED, 0), (trouble, place)
        elif status is ResultStatus.FAILED:
            assert trouble in STOPS, (trouble, place, result)
            # between the cut and the question behind it the ticket is out and nobody can know: a reprint has its mark
            assert before == 0 or places.stop - place <= BEHIND_THE_CUT, (trouble, place, "failed, and it came out")
        repair(rig, trouble)
        for number in range(13, 13 + REPAIRS_MAX):
            rig.line.now_s += 10
            try:
                rig.driver.check()
            except LineDown:
                continue
            again = rig.print(replace(job, label=f"A0{number}"))
            if again is not None and again.status is ResultStatus.PRINTED:
                break
        else:
            pytest.fail(f"{trouble} at byte {place}: nothing came out any more")
        assert rig.papers(f"A0{number}") == 1, (trouble, place)
        assert all(rig.papers(f"A0{other}") <= 1 for other in range(12, number)), (trouble, place)
        mixed = [ticket.text for ticket in rig.printer.tickets if ticket.text.count("A0") > 1]
        assert not mixed, (trouble, place, "two numbers on one piece of paper")


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_no_trouble_at_any_byte_of_a_ticket_prints_twice_or_claims_what_is_not_so(trouble: Trouble | str) -> None:
    seen = set(sweep(SHORT, trouble, range(length(SHORT))))
    if trouble in STOPS:
        assert str(ResultStatus.FAILED) in seen
    if trouble == Trouble.PAPER_NEAR_END:
        assert seen == {str(ResultStatus.PRINTED)}
    if trouble in {Trouble.SILENT, Trouble.STOP_READING, Trouble.UNPLUGGED, "reset"}:
        assert str(ResultStatus.UNKNOWN) in seen


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_a_printer_that_only_tells_faults_is_never_said_to_have_printed(trouble: Trouble | str) -> None:
    """Wherever the trouble begins: no ticket twice, none called printed, and what failed did not come out."""
    whole = Rig(automatic=True)
    whole.print(SHORT)
    for place in range(0, len(whole.printer.taken), 3):
        rig = Rig(automatic=True)
        rig.line.at, rig.line.fault = place, lambda rig=rig: begin(rig, trouble)  # type: ignore[misc]  # bound here
        result = rig.print(SHORT)
        status, before = None if result is None else result.status, rig.papers("A012")
        assert status in {None, ResultStatus.UNKNOWN, ResultStatus.FAILED}, (trouble, place)
        if status is None or rig.begun == 0:
            assert before == 0, (trouble, place)
        elif status is ResultStatus.FAILED:
            assert trouble in STOPS, (trouble, place, result)
            assert before == 0, (trouble, place, "failed, and it came out")
        repair(rig, trouble)
        if trouble == Trouble.CUTTER_JAM:
            rig.printer.switch_off_and_on()  # before it was told to, it could not say that it waits to be freed
        for number in range(13, 13 + REPAIRS_MAX):
            rig.line.now_s += 10
            try:
                well = rig.driver.check().status is not HealthStatus.DOWN
            except LineDown:
                continue
            if well and rig.print(replace(SHORT, label=f"A0{number}")) and rig.papers(f"A0{number}"):
                break
        else:
            pytest.fail(f"{trouble} at byte {place}: nothing came out any more")
        assert all(rig.papers(f"A0{other}") <= 1 for other in range(12, number + 1)), (trouble, place)
        mixed = [ticket.text for ticket in rig.printer.tickets if ticket.text.count("A0") > 1]
        assert not mixed, (trouble, place, "two numbers on one piece of paper")


@pytest.mark.faults
@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_nor_at_any_byte_of_a_long_ticket_with_pictures(trouble: Trouble | str) -> None:
    assert list(sweep(DRAWN, trouble, range(length(DRAWN))))


SCRAPS = (
    st.text(max_size=40)
    | st.sampled_from(["\x1b@", "\x1dV\x00", "\x10\x04\x01", "\x1cp\x01\x00", "\x00\x1b", "\x9b2J"])
    | st.sampled_from(["\u2028", "\r\n", "\u202e", "号", "㛃"])
)
NAMES = st.lists(SCRAPS, max_size=4).map("".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NAMES, NAMES, NAMES, NAMES, st.sampled_from(sorted(profiles())))
def test_whatever_the_names_a_ticket_holds_only_the_commands_of_tickets(
    hall: str, service: str, advice: str, label: str, model: str
) -> None:
    """The bytes are read back command by command; text between them has no control byte."""
    profile = profiles()[model]
    text = {"zh": service, "en": advice}
    job = replace(
        JOB, hall_name={"zh": hall}, service=text, advice={"zh": advice}, notice=text, label=label, windows=(service,),
        track_url=f"http://h/{label}", priority_name=text, tenant=text, department=hall, languages=("zh", "en"),
    )  # fmt: skip
    assert_only_ticket_commands(encode(lay_out(job, profile), profile, find_faces()))
    slip = PrintNotice(
        hall_name={"zh": hall}, ticket=label, label=label, service=text, department=advice, window=service,
        window_name=text, items=(service, advice, hall), note=advice, away=True, given_at=JOB.issued_at,
        track_url=None, languages=("zh",), drill=False,
    )  # fmt: skip
    assert_only_ticket_commands(encode(notice.lay_out(slip, profile), profile, find_faces()))


def assert_only_ticket_commands(data: bytes) -> None:
    at = 0
    while at < len(data):
        rest = data[at:]
        if rest[:1] == b"\n" or (rest[0] >= 0x20 and rest[0] != 0x7F):
            at += 1 if rest[0] < 0x81 else 4 if 0x30 <= rest[1] <= 0x39 else 2
        elif rest[:3] == b"\x1d(k":
            at += 5 + int.from_bytes(rest[3:5], "little")
        elif rest[:4] == b"\x1dv0\x00":
            at += 8 + int.from_bytes(rest[4:6], "little") * int.from_bytes(rest[6:8], "little")
        else:
            length = next((len(one) + more for one, more in TICKET_COMMANDS if rest.startswith(one)), 0)
            assert length, (at, rest[:8])
            at += length
    assert at == len(data)


TICKET_COMMANDS = (
    (b"\x1b@", 0), (b"\x1da\x00", 0), (b"\x1da\x0e", 0), (b"\x1c&", 0), (b"\x1ba", 1), (b"\x1bE", 1), (b"\x1d!", 1),
    (b"\x1bJ", 1),
    (b"\x1dVB\x00", 0), (b"\x1dVA\x00", 0), (b"\x1bd\x05", 0), (b"\x1dr\x01", 0),
)  # fmt: skip
