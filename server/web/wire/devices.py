"""The register of devices."""

from typing import Annotated, Literal

from pydantic import Field

from server.web.wire.words import (
    ID_LENGTH_MAX,
    REASON_LENGTH_MAX,
    REGISTER_LIST_MAX,
    Answer,
    Body,
    DeviceKind,
    DeviceRole,
    Health,
    Id,
    Instant,
    Paper,
    Text,
)


class DeviceFault(Body):
    """What is wrong with a device, since when."""

    code: Annotated[str, Field(max_length=ID_LENGTH_MAX)]
    detail: Annotated[str, Field(max_length=REASON_LENGTH_MAX)] = ""
    since: Annotated[str | None, Field(max_length=ID_LENGTH_MAX)] = None


class RegisterDevice(Body):
    """A device as its agent sees it now; the whole row each time."""

    kind: DeviceKind
    driver: Annotated[str, Field(max_length=ID_LENGTH_MAX)] = ""
    url: Annotated[str, Field(max_length=300)] = ""
    windows: Annotated[list[Id], Field(max_length=REGISTER_LIST_MAX)] = []
    zones: Annotated[list[Id], Field(max_length=REGISTER_LIST_MAX)] = []
    kiosks: Annotated[list[Id], Field(max_length=REGISTER_LIST_MAX)] = []
    host: Annotated[str | None, Field(max_length=255)] = None
    ip: Annotated[str | None, Field(max_length=64)] = None
    mac: Annotated[str | None, Field(max_length=64)] = None
    agent: Annotated[str | None, Field(max_length=ID_LENGTH_MAX)] = None
    health: Health = "ok"
    faults: Annotated[list[DeviceFault], Field(max_length=REGISTER_LIST_MAX)] = []
    paper: Paper | None = None
    firmware: Annotated[str | None, Field(max_length=300)] = None


class Registered(Answer):
    """The row is kept; `seq` is the hall's newest commit."""

    device: str
    hall: str
    seq: int


class DeviceRow(Answer):
    """A registered device, or an enrolled kiosk, display or integration (then `kind` is its role)."""

    device: str
    hall: str | None
    kind: DeviceKind | DeviceRole
    role: DeviceRole
    driver: str
    url: str
    windows: list[str]
    zones: list[str]
    kiosks: list[str]
    host: str | None
    ip: str | None
    mac: str | None
    agent: str | None
    health: Health
    faults: list[DeviceFault]
    paper: Paper | None
    firmware: str | None = None
    last_seen: Instant | None


class DevicesQuery(Body):
    """A kiosk of no certain hall names the one it shows."""

    hall: Id | None = None


class OtherKiosk(Answer):
    """Another kiosk of the hall, by its name there."""

    kiosk: str
    name: Text
    floor: str | None


class KioskPrinter(Answer):
    """Whether the asking kiosk can print; when it cannot, `other` is the nearest kiosk that can.

    `none`: no printer is registered for it; `down`: there is one and it does not work.
    """

    status: Literal["ok", "near_end", "out", "down", "none"]
    other: OtherKiosk | None = None


class Devices(Answer):
    """The register. `printer` is told to a kiosk only."""

    devices: list[DeviceRow]
    printer: KioskPrinter | None = None
