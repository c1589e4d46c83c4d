"""The owner threads: one per port, and nobody else touches that port.

`JobOwner` owns a printer or a loudspeaker: takes orders one after the other, does each at most once, and asks the
device how it is in between. `StateOwner` owns a line with strips and keypads: keeps the newest picture of each window,
repaints after every reconnect, and turns keys into presses. Both try again for ever with capped pauses, and log a loss
once and a return once.
"""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from drivers.driver import HoldsLine, JobDriver, Prepares, SeesServices, StateDriver
from drivers.faults import Backoff, FaultCode, Health, LineDown, Paper, down
from drivers.jobs import (
    Input,
    JobOrder,
    PrintNotice,
    PrintTicket,
    Result,
    ResultStatus,
    Say,
    Upcoming,
    WindowPicture,
    place_of,
)
from drivers.journal import Journal
from drivers.transport import Line, open_line, parse_url

log = logging.getLogger(__name__)

CHECK_EVERY_S: Final = 3.0
MAX_ORDERS: Final = 200
MAX_PRESSES: Final = 32
PRESS_FRESH_S: Final = 10.0
READ_S: Final = 0.05
"""How long the owner of a line waits for bytes before it looks for new pictures."""
WRITE_S: Final = 1.0
RETRY_FIRST_S, RETRY_MOST_S = 0.2, 1.0
STEADY_S: Final = 0.5
"""How long a line that was lost must hold to be back: one that comes and goes is lost, once."""


class Stopped(Exception):
    """The agent is stopping; the job was not begun and may be sent again."""


class _TooLate(Exception):
    """The job came to nothing because its time was over when it would have begun."""


class Report(Protocol):
    """Where an owner says how a device is; called at every change at least, and cheap when nothing changed."""

    def __call__(self, device: str, health: Health, /) -> None:
        """Take the newest health."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An order in the queue, when it is too late (monotonic), and who waits for its result."""

    order: JobOrder
    until_s: float
    future: "Future[Result]"


class JobOwner:
    """The owner of one printer or loudspeaker."""

    def __init__(
        self,
        device: str,
        driver: JobDriver,
        journal: Journal,
        report: Report,
        *,
        is_printer: bool,
        check_every_s: float = CHECK_EVERY_S,
    ) -> None:
        """Keep the driver; `start()` begins."""
        self._device = device
        self._driver = driver
        self._journal = journal
        self._report = report
        self._paper = Paper.UNKNOWN if is_printer else None
        self._check_every_s = check_every_s
        self._orders: queue.Queue[_Waiting] = queue.Queue(MAX_ORDERS)
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], _Waiting] = {}
        self._stopping = threading.Event()
        self._pause = Backoff(first_s=RETRY_FIRST_S, most_s=RETRY_MOST_S)
        self._lost = False
        self._thread = threading.Thread(target=self._run, name=f"owner {device}", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more jobs; the one being done is finished when that is soon."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    @property
    def prepares(self) -> bool:
        """Say whether the device wants to know what may come."""
        return isinstance(self._driver, Prepares) and self._driver.prepares

    def prepare(self, upcoming: Upcoming) -> None:
        """Tell the device what may come; in the thread of the caller, beside the jobs."""
        if isinstance(self._driver, Prepares):
            self._driver.prepare(upcoming)

    def do(self, order: JobOrder) -> Result:
        """Do a job once and give its result, from the journal when it was done before. Blocks; raises Stopped."""
        key = (order.id, order.about)
        with self._lock:
            known = self._waiting.get(key)
            if known is None:
                earlier = self._journal.answer(order)
                if earlier is not None:
                    return earlier
                now_s = time.monotonic()
                known = _Waiting(order, now_s + order.lives_s(datetime.now(UTC)), Future())
                try:
                    self._orders.put_nowait(known)
                except queue.Full:
                    return Result(status=ResultStatus.FAILED, detail="too many jobs are waiting for this device")
                self._waiting[key] = known
        while True:
            try:
                return known.future.result(timeout=0.5)
            except TimeoutError:
                if self._stopping.is_set() and not known.future.done():
                    raise Stopped from None

    def _run(self) -> None:
        current: _Waiting | None = None
        wait_s = 0.0
        while not self._stopping.is_set():
            current = current or self._next(wait_s)
            wait_s = self._check_every_s
            if current is not None and time.monotonic() >= current.until_s:
                self._answer(current, _too_late(current.order, self._lost))
                current, wait_s = None, 0.0
                continue
            if current is not None and self._is_replaced(current.order):
                self._answer(current, Result(status=ResultStatus.DROPPED, detail="called again meanwhile"))
                current, wait_s = None, 0.0
                continue
            try:
                if current is not None:
                    result = self._do(current)
                    self._answer(current, result)
                    current = None
                    if result.status in {ResultStatus.PRINTED, ResultStatus.SAID} and not self._lost:
                        continue
                self._report(self._device, self._driver.check())
                self._returned()
            except LineDown as error:
                self._went(error)
                pause_s = self._pause.next_s()
                if current is None:
                    wait_s = pause_s
                else:
                    self._stopping.wait(pause_s)
        self._driver.close()

    def _is_replaced(self, order: JobOrder) -> bool:
        """Say whether a later call of the same ticket waits: only that one is spoken."""
        if not isinstance(order.job, Say):
            return False
        call = order.job
        with self._lock:
            later = [waiting.order.job for waiting in self._waiting.values()]
        return any(
            isinstance(job, Say) and job.ticket == call.ticket and job.call_count > call.call_count for job in later
        )

    def _next(self, wait_s: float) -> _Waiting | None:
        until_s = time.monotonic() + wait_s
        while not self._stopping.is_set():
            try:
                return self._orders.get(timeout=max(0.0, min(0.2, until_s - time.monotonic())))
            except queue.Empty:
                if time.monotonic() >= until_s:
                    return None
        return None

    def _do(self, waiting: _Waiting) -> Result:
        """Do the job; a bug in the driver is answered as failed, then it stops the process like every bug.

        A driver may take its time before it begins (a voice that makes its sentence first): too late is too late.
        """
        order = waiting.order

        def started() -> None:
            if time.monotonic() >= waiting.until_s:
                raise _TooLate
            self._journal.start(order, datetime.now(UTC))

        if (earlier := self._journal.answer(order)) is not None:
            return earlier  # another printer stood in for this one meanwhile
        try:
            return self._driver.do(order.job, started)
        except _TooLate:
            return replace(_too_late(order, lost=False), detail="too_late: it was not ready in time")
        except LineDown:
            if self._journal.answer(order) is None:
                raise
            raise AssertionError("a driver raised LineDown after started()") from None
        except BaseException:
            # written down before it stops us: else the same job would stop us again after the restart
            bug = Result(status=ResultStatus.FAILED, detail="a bug in the driver; the agent's log has it")
            self._journal.finish(order, bug, datetime.now(UTC))
            raise

    def _answer(self, waiting: _Waiting, result: Result) -> None:
        order = waiting.order
        self._journal.finish(order, result, datetime.now(UTC))
        level = logging.INFO if result.status in {ResultStatus.PRINTED, ResultStatus.SAID} else logging.WARNING
        log.log(level, "%s: job %s (%s): %s %s", self._device, order.id, order.about, result.status, result.detail)
        with self._lock:
            self._waiting.pop((order.id, order.about), None)
        waiting.future.set_result(result)

    def _went(self, error: LineDown) -> None:
        if not self._lost:
            log.warning("%s: lost: %s", self._device, error)
        self._lost = True
        self._report(self._device, down(FaultCode.LINE_DOWN, error.why, paper=self._paper))

    def _returned(self) -> None:
        if self._lost:
            log.info("%s: back", self._device)
        self._lost = False
        self._pause.reset()


def _too_late(order: JobOrder, lost: bool) -> Result:
    why = f"{FaultCode.LINE_DOWN}: the device could not be reached in time" if lost else "too_late: others went first"
    status = ResultStatus.EXPIRED if isinstance(order.job, PrintTicket | PrintNotice) else ResultStatus.DROPPED
    return Result(status=status, detail=why)


class Pressed(Protocol):
    """Who takes presses to the hall. Gives the refusal's code, or None when it was done. May block for some seconds."""

    def __call__(self, press: Input, /) -> str | None:
        """Take one press, card or scan."""
        ...


class StateOwner:
    """The owner of one line with strips and keypads."""

    def __init__(
        self,
        url: str,
        drivers: Mapping[str, StateDriver],
        windows: Mapping[str, Sequence[str]],
        pressed: Pressed,
        report: Report,
        *,
        open_line: Callable[[str], Line] = open_line,
    ) -> None:
        """Keep the drivers of the line by device, and the windows each of them serves; `start()` begins."""
        self._url = url
        self._drivers = drivers
        self._turns = deque(drivers)  # who may speak first
        self._lost = False
        self._windows = windows
        self._pressed = pressed
        self._report = report
        self._open_line = open_line
        self._lock = threading.Lock()
        self._pictures: dict[str, WindowPicture] = {}
        self._services: frozenset[str] | None = None  # those that give numbers, when that changed
        self._refusals: deque[tuple[str, str, str]] = deque(maxlen=MAX_PRESSES)  # device, place, code
        self._presses: queue.Queue[tuple[float, str, Input]] = queue.Queue(MAX_PRESSES)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"owner {url}", daemon=True)
        self._presser = threading.Thread(target=self._press, name=f"presses {url}", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()
        self._presser.start()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    def show(self, picture: WindowPicture) -> None:
        """Take the newest picture of a window; an older one that was not shown yet is forgotten."""
        with self._lock:
            self._pictures[picture.window] = picture

    def see_services(self, open_now: frozenset[str]) -> None:
        """Take which services give numbers now, for the lamps of panels."""
        with self._lock:
            self._services = open_now

    def _run(self) -> None:
        pause = Backoff(first_s=RETRY_FIRST_S, most_s=RETRY_MOST_S)
        while not self._stopping.is_set():
            try:
                line = self._open_line(self._url)
            except LineDown as error:
                self._went(error)
                self._stopping.wait(pause.next_s())
                continue
            opened_s = time.monotonic()
            for driver in self._drivers.values():
                driver.line_up(opened_s)
            try:
                self._serve(line, opened_s)
            except LineDown as error:
                if not self._lost:
                    pause.reset()
                self._went(error)
                self._stopping.wait(pause.next_s())
            finally:
                line.close()

    def _serve(self, line: Line, opened_s: float) -> None:
        """Move bytes until the line goes or the agent stops."""
        while not self._stopping.is_set():
            if self._lost and time.monotonic() - opened_s > STEADY_S:
                self._lost = False
                log.info("%s: back", self._url)
            self._hand_over()
            self._speak(line)
            data = line.read(READ_S)
            now_s = time.monotonic()
            for device, driver in self._drivers.items():
                if data:
                    for press in driver.feed(data, now_s):
                        self._take(device, press)
                if not self._lost:
                    self._report(device, driver.health(now_s))

    def _speak(self, line: Line) -> None:
        """Write what is due, each driver in turn; while one awaits an answer the others on its line are quiet."""
        for device in tuple(self._turns):
            driver, now_s = self._drivers[device], time.monotonic()
            others = (other for other in self._drivers.values() if other is not driver)
            if any(isinstance(other, HoldsLine) and other.holds_line(now_s) for other in others):
                continue
            frame = driver.due(now_s)
            if frame:
                line.write(frame, WRITE_S + 2 * len(frame) * parse_url(self._url).byte_s)
                self._turns.remove(device)
                self._turns.append(device)

    def _hand_over(self) -> None:
        """Give the drivers what came from the server since."""
        with self._lock:
            pictures, self._pictures = self._pictures, {}
            refusals, self._refusals = self._refusals, deque(maxlen=MAX_PRESSES)
            services, self._services = self._services, None
        for device, driver in self._drivers.items():
            for window in self._windows[device]:
                if window in pictures:
                    driver.show(pictures[window])
            if services is not None and isinstance(driver, SeesServices):
                driver.see_services(services)
        for device, place, code in refusals:
            self._drivers[device].refused(place, code)

    def _take(self, device: str, press: Input) -> None:
        try:
            self._presses.put_nowait((time.monotonic(), device, press))
        except queue.Full:
            self._refuse(device, press, "too_many")

    def _press(self) -> None:
        """Take presses to the hall, one after the other, while the line goes on."""
        while not self._stopping.is_set():
            try:
                at_s, device, press = self._presses.get(timeout=0.5)
            except queue.Empty:
                continue
            fresh = time.monotonic() - at_s < PRESS_FRESH_S  # else somebody would be called by a key nobody remembers
            code = self._pressed(press) if fresh else "too_late"
            if code is not None:
                self._refuse(device, press, code)

    def _refuse(self, device: str, press: Input, code: str) -> None:
        with self._lock:
            self._refusals.append((device, place_of(press), code))

    def _went(self, error: LineDown) -> None:
        if not self._lost:
            log.warning("%s: lost: %s", self._url, error.why)
        self._lost = True
        for device in self._drivers:
            self._report(device, down(FaultCode.LINE_DOWN, error.why))
