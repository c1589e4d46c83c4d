"""The agent beside the machines of one hall: `jiaohao devices DEVICES.toml --server URL`.

Puts the pieces together: reads the devices file, makes the drivers, gives each port its owner thread, keeps the
register rows on the server true, hands jobs and window pictures to the owners, and takes presses to the hall.

    job        Live -> Agent.job -> JobOwner.do -> journal, driver -> ack
    picture    Live -> Agent.picture -> StateOwner.show -> driver.show, driver.due -> bytes on the line
    press      bytes on the line -> driver.feed -> StateOwner -> Agent._pressed -> POST windows/NO/..., devices/ID/...
    lamps      HallNews asks which services give numbers -> StateOwner.see_services -> lamps of button panels
    health     owner -> Agent.report -> PUT devices/ID, only when it changed
"""

import logging
import signal
import socket
import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit

from drivers.devices_file import BadDevicesFile, Device, DevicesFile, load_devices
from drivers.door import LocalDoor
from drivers.driver import StateDriver, Wiring
from drivers.faults import Backoff, FaultCode, Health, down
from drivers.hall_news import HallNews
from drivers.jobs import (
    BadWire,
    CardShown,
    Input,
    Press,
    Rating,
    Result,
    ResultStatus,
    Scan,
    TakeNumber,
    place_of,
    read_order,
    read_upcoming,
    read_window,
)
from drivers.journal import Journal
from drivers.owners import JobOwner, Pressed, StateOwner, Stopped
from drivers.registry import JobEntry, StateEntry
from drivers.server_link import Http, Live, LiveAddress, ServerAway, ServerRefused
from drivers.transport import parse_url

log = logging.getLogger(__name__)

EXIT_OK, EXIT_TROUBLE, EXIT_BAD_INPUT = 0, 1, 2
PRESS_FOR_S = 8.0
"""How long a press is tried again when the server does not answer; older ones nobody remembers."""
REGISTER_EVERY_S = 60.0
"""How often a row is put again although nothing changed, so that the register's last-seen means something."""
STOP_S = 2.5
STOP_SIGNALS = ("SIGTERM", "SIGINT", "SIGBREAK")
"""What ends the agent; SIGBREAK (Ctrl+Break, the end of a service) is what Windows has for SIGTERM."""
LOCK = "lock.sqlite"
"""Held by the agent of a folder as long as it runs."""
FIRMWARE_MOST = 300
"""Characters the register takes."""
DOOR = "print.sock"
"""The file of the local door, in the agent's folder."""


def run(devices_path: Path, server_url: str, token: str, data_dir: Path) -> int:
    """Run the agent until SIGTERM or SIGINT. Gives the exit status: 0 stopped, 1 trouble, 2 bad file, token or hall.

    Files go to `data_dir`/devices; a second agent on the same folder is refused.
    """
    _log_to_stderr()
    try:
        file = load_devices(devices_path)
    except BadDevicesFile as error:
        return _say(str(error), EXIT_BAD_INPUT)
    if not _is_address(server_url):
        return _say(f"the server's address must look like http://127.0.0.1:8080, not {server_url!r}", EXIT_BAD_INPUT)
    folder = data_dir / "devices"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None)) as lock:
            lock.execute("begin exclusive")  # SQLite locks files on every system, and our end lets go of them
            journal = Journal(folder / "jobs.sqlite", datetime.now(UTC))
            try:
                return Agent(file, server_url, token, folder, journal).run()
            finally:
                journal.close()
    except (OSError, sqlite3.Error) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            return _say(f"another devices agent is using {folder}; give this one its own --data folder", EXIT_BAD_INPUT)
        return _say(f"{folder} cannot be used: {error}", EXIT_TROUBLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A health and, for each of its faults, since when."""

    health: Health
    since: Mapping[str, str]


class Agent:
    """All owners and the connection to the server; the Follower of Live."""

    def __init__(self, file: DevicesFile, server_url: str, token: str, folder: Path, journal: Journal) -> None:
        """Make drivers and owners; nothing is opened yet."""
        self._file = file
        self._server_url = server_url
        self._token = token
        self._stopping = threading.Event()
        self._signalled = False
        self._exit = EXIT_OK
        self._register = Register(file, server_url, token, self._refused_at_start)
        self._job_owners: dict[str, JobOwner] = {}
        self._state_owners: dict[str, list[StateOwner]] = {}  # by window
        self._owners: list[JobOwner | StateOwner] = []
        self._news = HallNews(
            Http(server_url, token, file.hall),
            readers=[device.id for device in file.devices if device.entry.kind == "idcard"],
            panels=[device.id for device in file.devices if device.entry.kind == "panel"],
        )
        self._make_owners(folder, journal)
        topics = [f"device:{device}" for device in self._job_owners]
        topics += [f"window:{window}" for window in self._state_owners]
        topics += ["voice"] if any(owner.prepares for owner in self._job_owners.values()) else []
        address = LiveAddress(server_url=server_url, token=token, hall=file.hall, topics=tuple(topics))
        self._live = Live(address, self)
        self._door = self._local_door(folder)

    def run(self) -> int:
        """Work until a signal comes; give the exit status."""
        if threading.current_thread() is threading.main_thread():
            for name in STOP_SIGNALS:
                if (number := getattr(signal, name, None)) is not None:
                    signal.signal(number, self._on_signal)
        threading.excepthook = self._bug
        for owner in self._owners:
            owner.start()
        self._register.start()
        self._live.start()
        if self._door is not None:
            self._door.start()
        self._news.start()
        log.info("devices agent of hall %s: %d devices", self._file.hall, len(self._file.devices))
        while not self._signalled and not self._stopping.wait(0.2):
            pass
        self._stopping.set()
        self._live.stop()  # first: no ack may leave for a job that is being given up
        if self._door is not None:
            self._door.stop()
        self._register.stop()
        self._news.stop()
        for owner in self._owners:
            owner.stop()
        until_s = time.monotonic() + STOP_S
        for owner in self._owners:
            owner.join(max(0.0, until_s - time.monotonic()))
        return self._exit

    def stop(self) -> None:
        """End `run` from another thread."""
        self._stopping.set()

    def _on_signal(self, *_: object) -> None:
        self._signalled = True  # and no lock: the main thread may be holding it right now

    def joining(self) -> None:
        """Put every row before anything is watched: the server routes jobs by them."""
        self._register.put_all()

    def picture(self, topic: str, data: object) -> None:
        """Give a window's picture to the lines that show it, and what may be called to those who prepare it."""
        try:
            if topic == "voice":
                upcoming = read_upcoming(data)
                for preparing in self._job_owners.values():
                    preparing.prepare(upcoming)
                return
            picture = read_window(data)
        except BadWire as error:
            log.warning("%s: %s", topic, error)
            return
        for owner in self._state_owners.get(picture.window, ()):
            owner.show(picture)

    def job(self, device: str, wire: object) -> dict[str, object]:
        """Do a job and give its ack."""
        job_id = wire.get("id") if isinstance(wire, dict) else None
        try:
            result = self._owner_of(device).do(read_order(device, wire))
        except BadWire as error:
            log.warning("job %s: %s", job_id, error)
            result = Result(status=ResultStatus.FAILED, detail=str(error))
        except Stopped:
            return {}  # the connection is closed already; nobody reads this
        return {"id": job_id, "result": {"status": str(result.status), "detail": result.detail}}

    def print_here(self, device: str | None, kiosk: str, job: object) -> dict[str, object] | None:
        """Do a print job of a program of this machine; without a device on the printer beside that kiosk."""
        printers = [it for it in self._file.devices if it.entry.kind == "printer" and device in (None, it.id)]
        beside = [it for it in printers if kiosk in it.kiosks] or [it for it in printers if not it.kiosks]
        found = next(iter(beside if device is None else printers), None)
        return None if found is None else self.job(found.id, job)

    def printers_here(self) -> list[dict[str, object]]:
        """Give the printers of this agent, as they are now."""
        return [
            {"device": it.id, "kiosks": list(it.kiosks), **self._register.seen(it.id)}
            for it in self._file.devices
            if it.entry.kind == "printer"
        ]

    def _local_door(self, folder: Path) -> LocalDoor | None:
        """Give the door for a kiosk of this machine; without a printer there is none, and none is no reason to stop."""
        if not any(it.entry.kind == "printer" for it in self._file.devices):
            return None
        try:
            return LocalDoor(folder / DOOR, self)
        except OSError as error:
            log.warning("no local door at %s: a kiosk of this machine cannot print by itself: %s", folder / DOOR, error)
            return None

    def _owner_of(self, device: str) -> JobOwner:
        if device not in self._job_owners:
            raise BadWire(f"device {device!r} is not one of this agent's printers and loudspeakers")
        return self._job_owners[device]

    def _make_owners(self, folder: Path, journal: Journal) -> None:
        interrupted = journal.take_interrupted()
        lines: dict[str, dict[str, StateDriver]] = {}
        windows: dict[str, tuple[str, ...]] = {}
        for device in self._file.devices:
            wiring = Wiring(
                device=device.id,
                url=device.url,
                options=device.options,
                windows=device.windows,
                data_dir=folder,
                interrupted=device.id in interrupted,
                byte_s=_byte_s(device.url),
                kiosk=next(iter(device.kiosks), ""),
                secret=self._news.card_key,
            )
            match device.entry:
                case JobEntry() as entry:
                    is_printer = entry.kind == "printer"
                    owner = JobOwner(
                        device.id, entry.make(wiring), journal, self._register.report, is_printer=is_printer
                    )
                    self._job_owners[device.id] = owner
                    self._owners.append(owner)
                case StateEntry() as entry:
                    lines.setdefault(device.url, {})[device.id] = entry.make(wiring)
                    windows[device.id] = tuple(dict.fromkeys(device.windows.values()))
        for url, drivers in lines.items():
            line_owner = StateOwner(url, drivers, windows, self._pressed_by(), self._register.report)
            self._owners.append(line_owner)
            self._news.tell(line_owner.see_services)
            for window in {window for device in drivers for window in windows[device]}:
                self._state_owners.setdefault(window, []).append(line_owner)

    def _pressed_by(self) -> Pressed:
        """Give the way of one line's presses to the hall, with an HTTP client of its own."""
        http = Http(self._server_url, self._token, self._file.hall)

        def pressed(press: Input) -> str | None:
            key = uuid.uuid4().hex  # one press, one key: sent again it is still the same press
            until_s = time.monotonic() + PRESS_FOR_S
            pause = Backoff(first_s=0.2, most_s=1.0)
            what = f"{type(press).__name__.lower()} at {place_of(press)}"  # and nothing of a card or a code
            while True:
                try:
                    _send(http, press, key)
                except ServerRefused as refused:
                    log.info("%s refused: %s", what, refused.code or refused.status)
                    return refused.code or str(refused.status)
                except ServerAway as away:
                    if time.monotonic() > until_s or self._stopping.wait(pause.next_s()):
                        log.warning("%s given up: %s", what, away)
                        return "server_away"
                else:
                    return None

        return pressed

    def _refused_at_start(self, device: str, refused: ServerRefused) -> None:
        """End with one line: with this token or hall the agent will never be let in."""
        what = {
            401: "the server does not know this token; make one with `jiaohao device enrol NAME --role devices`",
            403: f"this token may not register devices of hall {self._file.hall!r}; it must be of role devices",
            404: f"the server has no hall {self._file.hall!r}; see `hall` in the devices file",
        }.get(refused.status, f"the server refuses device {device!r}")
        self._exit = _say(f"{what} ({refused})", EXIT_BAD_INPUT)
        self._stopping.set()

    def _bug(self, args: "threading.ExceptHookArgs") -> None:
        """Stop the process on a bug in any thread: systemd starts it again, the journal knows what was done."""
        error = args.exc_value or args.exc_type()
        log.critical("bug in thread %s", args.thread.name if args.thread else "?", exc_info=error)
        self._exit = EXIT_TROUBLE
        self._stopping.set()


def _send(http: Http, press: Input, key: str) -> None:
    match press:
        case Press():
            http.press(press.window, press.command, press.body, key)
        case Rating():
            http.press(press.window, "rate", {"grade": press.grade}, key)
        case TakeNumber():
            wish = {"service": press.service} | ({} if press.priority is None else {"priority": press.priority})
            http.present(press.device, "number", wish, key)
        case CardShown():
            card = {"document": press.document, "visitor": press.visitor, "age_from": press.age_from}
            http.present(press.device, "card", {**card, "name": press.name}, key)
        case Scan():
            http.present(press.device, "scan", {"code": press.code}, key)
        case _:
            assert_never(press)


class Register:
    """The rows of this agent's devices on the server, put at every connect and whenever something changed."""

    def __init__(
        self, file: DevicesFile, server_url: str, token: str, refused_at_start: Callable[[str, ServerRefused], None]
    ) -> None:
        """Begin with every device as not heard of yet."""
        self._http = Http(server_url, token, file.hall)
        self._http_lock = threading.Lock()
        self._fixed = {device.id: _fixed_fields(device, server_url) for device in file.devices}
        self._refused_at_start = refused_at_start
        self._changed = threading.Condition()
        self._seen: dict[str, _Seen] = {}
        self._dirty: set[str] = set()
        self._accepted_once = False
        self._linked = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="register", daemon=True)

    def start(self) -> None:
        """Begin to put what changed."""
        self._thread.start()

    def stop(self) -> None:
        """End soon."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def report(self, device: str, health: Health) -> None:
        """Take the newest health of a device."""
        with self._changed:
            before = self._seen.get(device)
            if before is not None and before.health == health:
                return
            now = datetime.now().astimezone().isoformat(timespec="seconds")
            old = before.since if before is not None else {}
            since = {str(fault.code): old.get(str(fault.code), now) for fault in health.faults}
            self._seen[device] = _Seen(health=health, since=since)
            self._dirty.add(device)
            self._changed.notify_all()
        if before is None or _codes(before.health) != _codes(health):
            level = logging.INFO if not health.faults else logging.WARNING
            log.log(level, "%s: %s %s", device, health.status, " ".join(str(fault.code) for fault in health.faults))

    def seen(self, device: str) -> dict[str, object]:
        """Give the newest health and paper of a device, in the words of its row."""
        with self._changed:
            health = (self._seen.get(device) or _NOT_SEEN).health
        return {"health": str(health.status), "paper": None if health.paper is None else str(health.paper)}

    def put_all(self) -> None:
        """Put every row now. Raises ServerAway, ServerRefused."""
        for device in self._fixed:
            self._put(device)
        with self._changed:
            self._linked = True
            self._changed.notify_all()

    def _run(self) -> None:
        pause = Backoff(first_s=0.5, most_s=5.0)
        while True:
            with self._changed:
                due = self._changed.wait_for(lambda: self._stopping or (self._linked and self._dirty), REGISTER_EVERY_S)
                if self._stopping:
                    return
                if not self._linked:
                    continue
                devices = set(self._dirty) if due else set(self._fixed)
                self._dirty -= devices
            try:
                for device in sorted(devices):
                    self._put(device)
                pause.reset()
            except (ServerAway, ServerRefused) as error:
                log.debug("register: %s", error)  # Live says when the server is away and when it is back
                with self._changed:
                    self._dirty |= devices
                    self._changed.wait_for(lambda: self._stopping, pause.next_s())

    def _put(self, device: str) -> None:
        with self._changed:
            seen = self._seen.get(device) or _NOT_SEEN
        row = dict(self._fixed[device])
        row["health"] = str(seen.health.status)
        row["faults"] = [
            {"code": str(fault.code), "detail": fault.detail, "since": seen.since.get(str(fault.code))}
            for fault in seen.health.faults
        ]
        row["paper"] = None if seen.health.paper is None else str(seen.health.paper)
        row["firmware"] = seen.health.firmware and seen.health.firmware[:FIRMWARE_MOST]
        try:
            with self._http_lock:
                self._http.put_device(device, row)
        except ServerRefused as refused:
            if not self._accepted_once:
                self._refused_at_start(device, refused)
            raise
        self._accepted_once = True


_NOT_SEEN = _Seen(health=down(FaultCode.LINE_DOWN, "not reached yet"), since={})


def _codes(health: Health) -> tuple[object, ...]:
    return (health.status, *(fault.code for fault in health.faults))


def _fixed_fields(device: Device, server_url: str) -> dict[str, object]:
    """Give the fields of a register row that do not change while the agent runs."""
    return {
        "kind": device.entry.kind,
        "driver": device.driver,
        "url": device.url,
        "windows": list(dict.fromkeys(device.windows.values())),
        "zones": list(device.zones),
        "kiosks": list(device.kiosks),
        "host": socket.gethostname(),
        "ip": _own_ip(server_url),
        "mac": _own_mac(),
        "agent": f"jiaohao {_own_version()}",
    }


def _byte_s(url: str) -> float:
    """Give how long a byte is on its way on this port; 0 for what is no line (sound cards, folders)."""
    return parse_url(url).byte_s if url.startswith(("tcp:", "serial:")) else 0.0


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets or a port that cannot be
        return False


def _own_ip(server_url: str) -> str | None:
    """Give the address this machine has towards the server; nothing is sent to find out."""
    parts = urlsplit(server_url)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((parts.hostname or "", parts.port or 80))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def _own_mac() -> str | None:
    node = uuid.getnode()
    if node >> 40 & 1:  # made up by uuid because no card could be read
        return None
    return ":".join(f"{node >> shift & 0xFF:02x}" for shift in range(40, -1, -8))


def _own_version() -> str:
    try:
        return version("jiaohao")
    except PackageNotFoundError:
        return "from source"


def _log_to_stderr() -> None:
    """Log to stderr unless the program around us does it already."""
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)


def _say(line: str, status: int) -> int:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
    return status
