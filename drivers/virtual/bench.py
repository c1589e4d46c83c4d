"""The bench: every pretend device of a hall in one process, and the devices page that shows and presses them.

    python -m drivers.virtual.bench --spec BENCH.json

BENCH.json: {"hall": "qiaocheng", "windows": ["1", "2"], "zones": ["general"], "data_dir": "var/bench"} and, if wanted,
"printers" (1), "languages" (["zh"]), "strips" (["onbon-bx5"]; drivers of strips, among which the windows are dealt, by
turns on TCP and a pty), "pads" ("pty" or "tcp"), "host" ("127.0.0.1") and "port" (0 picks one). With "kiosk" a card
reader and a scanner stand at that kiosk, and with "services" ({"tax": "办税"}) a panel with a button for each.

Prints one line `bench on http://HOST:PORT` when everything is open and DEVICES.toml for the agent lies in data_dir.
Ends on SIGTERM, and by itself when the process that started it is gone.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import signal
import sys
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter, ValidationError
from werkzeug.serving import WSGIRequestHandler, make_server

from drivers.virtual.bench_web import make_app
from drivers.virtual.cards import SAMPLES, sample, size
from drivers.virtual.idcard import CardReaderTwin
from drivers.virtual.keypad import PadLine
from drivers.virtual.panel import PanelTwin, PretendButton
from drivers.virtual.printer import Trouble, VirtualPrinter
from drivers.virtual.scanner import ScannerTwin
from drivers.virtual.speaker import Loudspeaker
from drivers.virtual.strip import StripLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.virtual.paper import PrintedTicket

MAX_WINDOWS = 200
"""Addresses of one RS-485 line."""
MAX_PRINTERS = 8
MAX_BUTTONS = 16
_LOOK_FOR_PARENT_S = 0.5

Device: TypeAlias = VirtualPrinter | StripLine | PadLine | Loudspeaker | PanelTwin | CardReaderTwin | ScannerTwin


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What stands on the bench."""

    hall: str
    windows: tuple[str, ...]
    zones: tuple[str, ...]
    data_dir: Path
    printers: int = 1
    languages: tuple[str, ...] = ("zh",)
    strips: tuple[str, ...] = ("onbon-bx5",)
    pads: Literal["pty", "tcp"] = "pty"
    kiosk: str = ""
    services: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    host: str = "127.0.0.1"
    port: int = 0

    __pydantic_config__ = ConfigDict(extra="forbid")

    def __post_init__(self) -> None:
        """Refuse what cannot be built. Raises ValueError."""
        if not self.windows or len(self.windows) > MAX_WINDOWS or len(set(self.windows)) != len(self.windows):
            raise ValueError(f"windows: 1 to {MAX_WINDOWS} different window numbers are needed")
        if not 1 <= self.printers <= MAX_PRINTERS:
            raise ValueError(f"printers: 1 to {MAX_PRINTERS} are possible, not {self.printers}")
        if not self.strips or not set(self.strips) <= set(SAMPLES):
            raise ValueError(f"strips: drivers of strips are needed: {', '.join(SAMPLES)}")
        if len(self.strips) > len(self.windows):
            raise ValueError(f"strips: {len(self.strips)} lines cannot share {len(self.windows)} windows")
        if len(self.services) > MAX_BUTTONS or (self.services and not self.kiosk):
            raise ValueError(f"services: at most {MAX_BUTTONS}, and the kiosk they are pressed at")
        if self.pads not in {"pty", "tcp"}:
            raise ValueError(f'pads: "pty" or "tcp" is possible, not {self.pads!r}')
        if self.host != "localhost" and not ipaddress.IPv4Address(self.host).is_loopback:
            raise ValueError(f"host: the bench has no login and is for this machine only, not {self.host!r}")


class Bench:
    """All devices, open. Every method may be called from any thread."""

    def __init__(self, spec: Spec) -> None:
        """Open every device and write DEVICES.toml."""
        self.spec = spec
        self.run = uuid.uuid4().hex[:8]
        self._changed = threading.Condition()
        self._version = 1
        self._closed = False
        spec.data_dir.mkdir(parents=True, exist_ok=True)
        addresses = dict(enumerate(spec.windows, start=1))
        host = "127.0.0.1" if spec.host == "localhost" else spec.host
        printers = {
            f"printer-{number}": VirtualPrinter(f"tcp://{host}:0", on_ticket=self._ticket)
            for number in range(1, spec.printers + 1)
        }
        pads = f"tcp://{host}:0" if spec.pads == "tcp" else f"pty://{(spec.data_dir / 'pads').absolute()}"
        self.devices: Mapping[str, Device] = {
            **printers,
            **self._strips(host),
            "pads": PadLine(pads, addresses, self.note_change),
            "speaker-1": Loudspeaker(host, zones=spec.zones, on_change=self.note_change),
            **self._inputs(),
        }
        self.devices_file = spec.data_dir / "DEVICES.toml"
        half_done = self.devices_file.with_suffix(".part")
        half_done.write_text(devices_toml(spec, {name: device.url for name, device in self.devices.items()}), "utf-8")
        half_done.replace(self.devices_file)

    def _strips(self, host: str) -> dict[str, StripLine]:
        """Open one line of strips per driver, each with its share of the windows."""
        lines = {}
        for place, (name, driver, windows) in enumerate(strip_lines(self.spec)):
            _, options = sample(driver, _languages(self.spec))
            on_pty = f"pty://{(self.spec.data_dir / name).absolute()}"
            width_px, height_px = size(options)
            lines[name] = StripLine(
                on_pty if place % 2 else f"tcp://{host}:0",
                windows,
                self.note_change,
                width_px=width_px,
                height_px=height_px,
                driver=driver,
                options=options,
            )
        return lines

    def _inputs(self) -> dict[str, PanelTwin | CardReaderTwin | ScannerTwin]:
        """Open what stands at the kiosk, if there is one."""
        kiosk, place = self.spec.kiosk, f"pty://{self.spec.data_dir.absolute()}"
        if not kiosk:
            return {}
        found: dict[str, PanelTwin | CardReaderTwin | ScannerTwin] = {
            "reader-1": CardReaderTwin(f"{place}/reader", kiosk, self.note_change),
            "scanner-1": ScannerTwin(f"{place}/scanner", kiosk, self.note_change),
        }
        if self.spec.services:
            buttons = [PretendButton(service=service, name=name) for service, name in self.spec.services.items()]
            found["panel-1"] = PanelTwin(f"{place}/panel", buttons, kiosk, self.note_change)
        return found

    def note_change(self) -> None:
        """Wake whoever watches the state."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def state(self, after: int | None = None, timeout_s: float = 0.0) -> dict[str, object]:
        """Give the whole bench for the devices page; with `after`, wait for a newer version or the time-out."""
        with self._changed:
            if after is not None:
                self._changed.wait_for(lambda: self._closed or self._version > after, timeout_s)
            version = self._version
        devices = [{"id": name, **self._device_state(device)} for name, device in self.devices.items()]
        return {"version": version, "run": self.run, "hall": self.spec.hall, "devices": devices}

    def set_fault(self, name: str, fault: str, *, on: bool) -> None:
        """Begin or end a fault of a device. Raises KeyError for an unknown device, ValueError for an unknown fault."""
        device = self.devices[name]
        if isinstance(device, VirtualPrinter):
            device.suffer(Trouble(fault), on)
            self.note_change()
        else:
            device.misbehave(fault if on else None)

    def cycle_power(self, name: str) -> None:
        """Switch a printer or a line of strips off and on. Raises KeyError for any other device."""
        device = self.devices[name]
        if isinstance(device, VirtualPrinter):
            device.switch_off_and_on()
            self.note_change()
        elif isinstance(device, StripLine):
            device.lose_power()
        else:
            raise KeyError(name)

    def close(self) -> None:
        """Put every device away."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for device in self.devices.values():
            device.close()

    def _ticket(self, _: PrintedTicket) -> None:
        self.note_change()

    @staticmethod
    def _device_state(device: Device) -> dict[str, object]:
        if isinstance(device, VirtualPrinter):
            papers = [
                {
                    "number": ticket.number,
                    "at": ticket.at.isoformat(timespec="seconds"),
                    "label": ticket.label,
                    "text": ticket.text,
                    "qr": ticket.qr,
                }
                for ticket in reversed(device.tickets)
            ]
            return {
                "kind": "printer",
                "url": device.url,
                "faults": [str(trouble) for trouble in Trouble],
                "active": sorted(str(trouble) for trouble in device.troubles),
                "printed": device.printed,
                "papers": papers,
            }
        state = device.state()
        fault = state.pop("fault")
        return {**state, "active": [fault] if fault else []}


def bench(
    hall: str,
    windows: list[str],
    zones: list[str],
    *,
    printers: int = 1,
    languages: list[str] | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    data_dir: Path,
) -> Bench:
    """Open the devices in this process, for tests. Raises ValueError for what cannot be built."""
    return Bench(
        Spec(
            hall=hall,
            windows=tuple(windows),
            zones=tuple(zones),
            printers=printers,
            languages=tuple(languages or ["zh"]),
            host=host,
            port=port,
            data_dir=data_dir,
        )
    )


def read_spec(text: str) -> Spec:
    """Read BENCH.json. Raises ValueError with one sentence per thing that is wrong."""
    try:
        return TypeAdapter(Spec).validate_json(text)
    except ValidationError as error:
        problems = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
        raise ValueError("; ".join(problem.removeprefix(": ") for problem in problems)) from error


def strip_lines(spec: Spec) -> list[tuple[str, str, dict[int, str]]]:
    """Give name, driver and address -> window of every line of strips; neighbours hang on the same line."""
    lines = []
    for place, driver in enumerate(spec.strips):
        first, end = (len(spec.windows) * at // len(spec.strips) for at in (place, place + 1))
        name = "strips" if place == 0 else f"strips-{place + 1}"
        lines.append((name, driver, dict(enumerate(spec.windows[first:end], start=1))))
    return lines


def devices_toml(spec: Spec, urls: Mapping[str, str]) -> str:
    """Give the devices file of the agent for this bench."""
    tables: dict[str, tuple[str, list[str]]] = {
        f"printer-{number}": ("escpos", []) for number in range(1, spec.printers + 1)
    }
    for name, driver, windows in strip_lines(spec):
        options = sample(driver, _languages(spec))[0]
        tables[name] = (driver, [f"windows = {_windows(windows)}", f"options = {{ {options} }}"])
    tables["pads"] = ("ff68", [f"windows = {_windows(dict(enumerate(spec.windows, start=1)))}"])
    zones = [f"zones = {_list(list(spec.zones))}"] if spec.zones else []
    tables["speaker-1"] = (
        "speech",
        [*zones, "options = { espeak_mandarin = true }"],
    )  # nobody listens to a pretend hall
    stands = f"kiosks = {_list([spec.kiosk])}"
    if spec.kiosk:
        tables["reader-1"], tables["scanner-1"] = ("sam-v", [stands]), ("scanner", [stands])
    if spec.services:
        rows = ", ".join(
            f"{{ key = {at}, service = {_quoted(service)}, lamp = {at} }}" for at, service in enumerate(spec.services)
        )
        options = f"options = {{ buttons = [{rows}], buzzer = {len(spec.services)} }}"
        tables["panel-1"] = ("modbus-panel", [stands, options])
    lines = ["# Written by the bench of pretend devices at each start.", "schema = 1", f"hall = {_quoted(spec.hall)}"]
    for name, (driver, more) in tables.items():
        # pseudo terminals know no parity, and an Alpha sign must be told which one
        settings = "?bits=8&parity=none" if driver == "alpha" and urls[name].startswith("serial:") else ""
        settings = "?baud=115200" if driver == "sam-v" else settings
        lines += [
            "",
            "[[device]]",
            f"id = {_quoted(name)}",
            f"driver = {_quoted(driver)}",
            f"url = {_quoted(urls[name] + settings)}",
        ]
        lines += more
    return "\n".join(lines) + "\n"


def serve(spec: Spec, ready: Callable[[str], None], stop: threading.Event) -> None:
    """Open the bench and its page, tell `ready` the address, and go on until `stop`."""
    parent = os.getppid()  # before anybody knows that we are ready and may leave
    devices = Bench(spec)
    try:
        server = make_server(spec.host, spec.port, make_app(devices), threaded=True, request_handler=_Quiet)
        thread = threading.Thread(target=server.serve_forever, name="bench page", daemon=True)
        thread.start()
        ready(f"http://{spec.host}:{server.server_port}")
        while not stop.wait(_LOOK_FOR_PARENT_S) and os.getppid() == parent:
            pass
        server.shutdown()
        server.server_close()
        thread.join(1)
    finally:
        devices.close()


def main(arguments: list[str] | None = None) -> int:
    """Run the bench as its own process. Give the exit status: 0, or 2 for a bad description."""
    parser = argparse.ArgumentParser(prog="python -m drivers.virtual.bench", description="Pretend devices of a hall.")
    parser.add_argument("--spec", type=Path, required=True, help="BENCH.json, see the module's documentation")
    try:
        spec = read_spec(parser.parse_args(arguments).spec.read_text("utf-8"))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        serve(spec, _say_ready, stop)
    except OSError as error:
        sys.stderr.write(f"bench: {spec.host}:{spec.port}: {error.strerror or error}\n")
        return 2
    return 0


class _Quiet(WSGIRequestHandler):
    """No line per request: the page asks all the time."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def _say_ready(address: str) -> None:
    sys.stdout.write(f"bench on {address}\n")
    sys.stdout.flush()


def _quoted(text: str) -> str:
    """Give a TOML basic string; JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)


def _languages(spec: Spec) -> list[str]:
    return [language for language in spec.languages if language in {"zh", "en"}] or ["zh"]


def _windows(windows: Mapping[int, str]) -> str:
    return f"{{ {', '.join(f'{address} = {_quoted(window)}' for address, window in windows.items())} }}"


def _list(texts: list[str]) -> str:
    return f"[{', '.join(_quoted(text) for text in texts)}]"


if __name__ == "__main__":
    raise SystemExit(main())
