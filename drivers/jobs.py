"""What the hall asks of a device and what the device answers. Pure: wire shapes in, frozen data out, no I/O.

Jobs come as Socket.IO events `job {id, seq, kind, data, expires_at}`, window pictures as `picture {topic: "window:NO",
data}`. Unknown fields are ignored (the server may be newer), missing ones raise `BadWire` with the path of the field.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias, assert_never, cast

Text: TypeAlias = Mapping[str, str]
"""A name in languages: {"zh": "税务", "en": "Tax"}; zh is always there."""


class BadWire(ValueError):
    """Something from the server has not the agreed shape; the message names the field."""


class ResultStatus(StrEnum):
    """How a job ended. Only `printed` and `said` mean that the device itself said so."""

    PRINTED = "printed"
    SAID = "said"
    UNKNOWN = "unknown"  # it was begun and nobody can know how it ended: never begun again
    FAILED = "failed"  # it did not happen; the detail says why
    EXPIRED = "expired"  # too late for a ticket
    DROPPED = "dropped"  # too late, or replaced, for a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The answer to a job; `detail` starts with the fault code, if any: "paper_out: no paper in the printer"."""

    status: ResultStatus
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One stop of a joint matter (一事联办)."""

    name: Text
    zone: Text
    floor: Text | None
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintTicket:
    """Print one ticket (号票) for a visitor.

    `stops` of a joint matter in order, `lead_window` the one of first contact (首办); `flags` and `kind` are marks of
    the service; `tenant` the unit of a shared hall; `takes_in_only`: nothing is decided at the windows (只收不办);
    `fields`: what is printed, in order (empty: everything as usual); `logo`: a PNG of one bit (empty: none).
    """

    hall_name: Text
    ticket: str
    label: str
    service: Text
    zone: Text
    floor: Text | None
    windows: tuple[str, ...]
    ahead: int
    eta_low_s: float | None
    eta_high_s: float | None
    issued_at: datetime
    priority: str | None
    priority_name: Text | None
    track_url: str | None
    languages: tuple[str, ...]
    advice: Text | None
    notice: Text | None
    reprint: bool
    drill: bool
    stops: tuple[Stop, ...] = ()
    lead_window: str | None = None
    kind: str = "ordinary"
    flags: tuple[str, ...] = ()
    tenant: Text | None = None
    department: str | None = None
    takes_in_only: bool = False
    fields: tuple[str, ...] = ()
    logo: bytes = b""
    offline: bool = False  # given by the kiosk without the server: nobody knows who waits


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintNotice:
    """Print a slip with the papers that are missing (一次告知单). `away`: the visitor fetches them and comes back."""

    hall_name: Text
    ticket: str
    label: str
    service: Text
    department: str | None
    window: str
    window_name: Text
    items: tuple[str, ...]
    note: str
    away: bool
    given_at: datetime
    track_url: str | None
    languages: tuple[str, ...]
    drill: bool
    logo: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Call a ticket to a window by voice, once per language; with `yao` its 1 is read 幺."""

    ticket: str
    label: str
    window: str
    window_name: Text
    zone: str
    languages: tuple[str, ...]
    call_count: int
    yao: bool = False
    behind: int = 0  # calls that wait behind it for the same loudspeaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Tell everybody something by voice, once per language; an emergency is read more often."""

    text: Text
    languages: tuple[str, ...]
    emergency: bool


Job: TypeAlias = PrintTicket | PrintNotice | Say | Announce


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """One job as the server sent it: the same `id` always means the same job.

    `sent_at` is the hall's own time when it was sent (a drill's clock shows another day), None where it is not told.
    """

    id: str
    device: str
    job: Job
    expires_at: datetime
    sent_at: datetime | None = None

    @property
    def about(self) -> str:
        """Give what the job is about: were the server's ledger replaced, its ids would begin anew."""
        match self.job:
            case PrintTicket() as paper:
                copy = "reprint" if paper.reprint else "original"
                return f"print {paper.ticket} {paper.issued_at.isoformat()} {copy}"
            case PrintNotice() as notice:
                return f"notice {notice.ticket} {notice.given_at.isoformat()}"
            case Say() as call:
                return f"say {call.ticket} {call.window} {call.call_count}"
            case Announce() as told:
                return f"announce {sorted(told.text.items())}"
            case _:
                assert_never(self.job)

    def lives_s(self, now: datetime) -> float:
        """Give the seconds until it is too late, by the hall's clock, or by ours (`now`) where that is not told."""
        return (self.expires_at - (self.sent_at or now)).total_seconds()


class WindowStatus(StrEnum):
    """What a window is doing."""

    CLOSED = "closed"
    OPEN = "open"
    CALLING = "calling"
    SERVING = "serving"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPicture:
    """The newest state of one window. `ticket` and the fields after it are of the current ticket."""

    window: str
    name: Text
    status: WindowStatus
    pause_reason: str | None
    waiting: int
    ticket: str | None
    label: str | None
    service: Text | None
    ticket_status: str | None
    call_count: int
    held: tuple[str, ...] = ()  # labels held by this window, oldest first
    missed: tuple[str, ...] = ()  # labels missed here that may come back
    staffed: bool = True  # else nobody is ever sent there (未派驻)
    languages: tuple[str, ...] = ()  # of the hall; an older server does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """What loudspeakers may have to call soon: the labels that are still in the queue, and the windows of the hall."""

    labels: tuple[str, ...]
    windows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A key press that means a window command: `POST windows/{window}/{command}` with `body`.

    For instance command "call-next" with body {"finish": True}.
    """

    window: str
    command: str
    body: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """A visitor pressed a grade (1..5) on the rating pad of a window; it belongs to the ticket served there last."""

    window: str
    grade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeNumber:
    """A visitor pressed the button of a service on a panel: `POST devices/{device}/number`. `key` is the button."""

    device: str
    key: str
    service: str
    priority: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardShown:
    """A visitor laid an identity card on a reader: all that leaves the reader's driver, `POST devices/{device}/card`.

    `visitor` is a keyed hash of the number (hex), `age_from` the first year of the age band, `name` is masked (张*).
    None of it is shown by repr(): it must not reach a log.
    """

    device: str
    document: str
    visitor: str = field(repr=False)
    age_from: int = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A code was held before a scanner: `POST devices/{device}/scan`. A code may be as good as a ticket: not shown."""

    device: str
    code: str = field(repr=False)


Input: TypeAlias = Press | Rating | TakeNumber | CardShown | Scan
"""What people do at the machines of a hall."""


def place_of(what: Input) -> str:
    """Give where it was done, as `StateDriver.refused` names it: a window, a button, or the device itself."""
    match what:
        case Press() | Rating():
            return what.window
        case TakeNumber():
            return what.key
        case CardShown() | Scan():
            return what.device
        case _:
            assert_never(what)


def in_language(text: Text, language: str) -> str:
    """Give the text in this language, or in Chinese where it is not translated."""
    return text.get(language) or text.get("zh", "")


def read_order(device: str, wire: object) -> JobOrder:
    """Read a `job` event. Raises BadWire."""
    top = _Fields(wire, "job")
    data = _Fields(top.need("data"), "job.data")
    kind = top.text("kind")
    match kind:
        case "print_ticket":
            job: Job = _read_print(data)
        case "print_notice":
            job = _read_notice(data)
        case "say":
            job = _read_say(data, behind=top.whole("behind") if top.get("behind") else 0)
        case "announce":
            job = Announce(
                text=data.names("text"),
                languages=data.texts("languages") or ("zh",),
                emergency=data.get("emergency") is True,
            )
        case _:
            raise BadWire(f"job.kind: {kind!r} is not known to this agent")
    return JobOrder(
        id=top.text("id"),
        device=device,
        job=job,
        expires_at=top.instant("expires_at"),
        sent_at=top.instant("at") if top.get("at") else None,
    )


def read_window(wire: object) -> WindowPicture:
    """Read the data of a `window:NO` picture. Raises BadWire."""
    top = _Fields(wire, "window")
    status = top.text("status")
    if status not in set(WindowStatus):
        raise BadWire(f"window.status: {status!r} is not known to this agent")
    current = top.get("current")
    now = None if current is None else _Fields(current, "window.current")
    return WindowPicture(
        window=top.text("window"),
        name=top.names("name"),
        status=WindowStatus(status),
        pause_reason=top.text_or_none("pause_reason"),
        waiting=top.whole("waiting"),
        ticket=now.text("ticket") if now else None,
        label=now.text("label") if now else None,
        service=now.names_or_none("service") if now else None,
        ticket_status=now.text_or_none("status") if now else None,
        call_count=now.whole("call_count") if now else 0,
        held=top.labels("held"),
        missed=top.labels("missed", only="reinstatable"),
        staffed=top.get("staffed") is not False,
        languages=top.texts("languages") if top.get("languages") else (),
    )


def read_upcoming(wire: object) -> Upcoming:
    """Read the data of a `voice` picture. Raises BadWire."""
    top = _Fields(wire, "voice")
    return Upcoming(labels=top.texts("labels"), windows=top.texts("windows"))


def _read_print(data: "_Fields") -> PrintTicket:
    eta = data.get("eta")
    forecast = None if eta is None else _Fields(eta, "job.data.eta")
    return PrintTicket(
        hall_name=data.names("hall_name"),
        ticket=data.text("ticket"),
        label=data.text("label"),
        service=data.names("service"),
        zone=data.names("zone"),
        floor=data.names_or_none("floor"),
        windows=data.texts("windows"),
        ahead=data.whole("ahead"),
        eta_low_s=forecast.number("low_s") if forecast else None,
        eta_high_s=forecast.number("high_s") if forecast else None,
        issued_at=data.instant("issued_at"),
        priority=data.text_or_none("priority"),
        priority_name=data.names_or_none("priority_name"),
        track_url=data.text_or_none("track_url"),
        languages=data.texts("languages") or ("zh",),
        advice=data.names_or_none("advice"),
        notice=data.names_or_none("notice"),
        reprint=data.get("reprint") is True,
        drill=data.get("drill") is True,
        stops=tuple(_read_stop(leg) for leg in data.rows("legs")),
        lead_window=data.text_or_none("lead_window"),
        kind=data.text_or_none("kind") or "ordinary",
        flags=data.texts("flags") if data.get("flags") else (),
        tenant=data.names_or_none("tenant"),
        department=data.text_or_none("department"),
        takes_in_only=data.get("takes_in_only") is True,
        fields=data.texts("fields") if data.get("fields") else (),
        logo=data.picture("logo"),
        offline=data.get("offline") is True,
    )


def _read_stop(leg: "_Fields") -> Stop:
    return Stop(
        name=leg.names("name"),
        zone=leg.names("zone_name"),
        floor=leg.names_or_none("floor"),
        done=leg.text("status") == "done",
    )


def _read_notice(data: "_Fields") -> PrintNotice:
    return PrintNotice(
        hall_name=data.names("hall_name"),
        ticket=data.text("ticket"),
        label=data.text("label"),
        service=data.names("service"),
        department=data.text_or_none("department"),
        window=data.text("window"),
        window_name=data.names("window_name"),
        items=data.texts("items"),
        note=data.text_or_none("note") or "",
        away=data.get("away") is True,
        given_at=data.instant("given_at"),
        track_url=data.text_or_none("track_url"),
        languages=data.texts("languages") or ("zh",),
        drill=data.get("drill") is True,
        logo=data.picture("logo"),
    )


def _read_say(data: "_Fields", *, behind: int) -> Say:
    return Say(
        ticket=data.text("ticket"),
        label=data.text("label"),
        window=data.text("window"),
        window_name=data.names("window_name"),
        zone=data.text("zone"),
        languages=data.texts("languages") or ("zh",),
        call_count=data.whole("call_count"),
        yao=data.get("yao") is True,
        behind=behind,
    )


class _Fields:
    """The fields of one JSON object, each read with its type or refused by its path."""

    def __init__(self, wire: object, path: str) -> None:
        if not isinstance(wire, dict):
            raise BadWire(f"{path}: an object was expected, not {type(wire).__name__}")
        self._wire = cast("dict[str, object]", wire)
        self._path = path

    def get(self, key: str) -> object:
        return self._wire.get(key)

    def need(self, key: str) -> object:
        if key not in self._wire:
            raise BadWire(f"{self._path}.{key}: is missing")
        return self._wire[key]

    def text(self, key: str) -> str:
        value = self.need(key)
        if not isinstance(value, str):
            raise BadWire(f"{self._path}.{key}: text was expected, not {value!r}")
        return value

    def text_or_none(self, key: str) -> str | None:
        return None if self.get(key) is None else self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.need(key)
        if not isinstance(value, list):
            raise BadWire(f"{self._path}.{key}: a list of texts was expected, not {value!r}")
        return tuple(str(each) for each in value)

    def rows(self, key: str) -> list["_Fields"]:
        """Give the objects of a list; a missing list is empty."""
        value = self.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise BadWire(f"{self._path}.{key}: a list was expected, not {value!r}")
        return [_Fields(row, f"{self._path}.{key}[{place}]") for place, row in enumerate(value)]

    def labels(self, key: str, only: str | None = None) -> tuple[str, ...]:
        """Give the `label` of each object of a list that has the flag `only`; a missing list is empty."""
        value = self.get(key)
        if not isinstance(value, list):
            return ()
        rows = [cast("dict[str, object]", row) for row in value if isinstance(row, dict)]
        return tuple(str(row["label"]) for row in rows if "label" in row and (only is None or row.get(only) is True))

    def names(self, key: str) -> Text:
        value = self.need(key)
        if isinstance(value, str):
            return MappingProxyType({"zh": value})
        if not isinstance(value, dict):
            raise BadWire(f"{self._path}.{key}: a text in languages was expected, not {value!r}")
        return MappingProxyType({str(language): str(text) for language, text in value.items() if text})

    def names_or_none(self, key: str) -> Text | None:
        return None if self.get(key) is None else self.names(key)

    def picture(self, key: str) -> bytes:
        """Give the bytes of a picture in base64; a missing one is empty."""
        try:
            return base64.b64decode(self.text_or_none(key) or "", validate=True)
        except ValueError as error:
            raise BadWire(f"{self._path}.{key}: base64 was expected") from error

    def whole(self, key: str) -> int:
        value = self.need(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadWire(f"{self._path}.{key}: a whole number was expected, not {value!r}")
        return value

    def number(self, key: str) -> float:
        value = self.need(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise BadWire(f"{self._path}.{key}: a number was expected, not {value!r}")
        return float(value)

    def instant(self, key: str) -> datetime:
        value = self.text(key)
        try:
            at = datetime.fromisoformat(value)
        except ValueError as error:
            raise BadWire(f"{self._path}.{key}: {value!r} is not an RFC 3339 time") from error
        if at.tzinfo is None:
            raise BadWire(f"{self._path}.{key}: {value!r} has no offset")
        return at
