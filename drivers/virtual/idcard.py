"""A pretend identity card reader: people of paper are laid on it from the devices page, and it speaks SAM_V.

Its people do not exist: names of the textbook kind, numbers of a district that is never given out, right check digits.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.idcard import cards, sam
from drivers.idcard.sam import HEAD, Ask, Status
from drivers.virtual.line import VirtualLine

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = ("unplug", "silent", "garbage", "slow", "torn", "refuse")
"""The line vanishes; nothing is answered; noise around each answer; answers drip; half an answer; not authorised."""

SLOW_PIECES = 8
SLOW_S = 0.05
_PLACE = {"": "990101", "J": "810000", "Y": "911199"}
_TEXT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is on a pretend card. `kind`: none for a citizen, J, Y or I as `drivers.idcard.cards` says."""

    name: str
    number: str
    born: str
    kind: str = ""
    other: str = ""


PEOPLE = (
    ("张三", "19500307", ""),
    ("李四", "19900515", ""),
    ("王小明", "20150820", ""),
    ("陈大文", "19621101", "J"),
    ("史密斯", "19810803", "Y"),
)


def people() -> tuple[Person, ...]:
    """Give the people of the devices page."""
    made = []
    for place, (name, born, kind) in enumerate(PEOPLE):
        first17 = f"{_PLACE[kind]}{born}{place + 1:03d}"
        made.append(Person(name=name, born=born, kind=kind, number=first17 + cards.check_digit(first17)))
    return tuple(made)


def text_of(person: Person) -> bytes:
    """Give the 256 bytes on the chip of this person's card, by its layout."""
    if person.kind == "I":
        fields = [(person.other, 120), ("1", 2), (person.number, 30), ("CHE", 6), (person.name, 30)]
        fields += [("20200101", 16), ("20300101", 16), (person.born, 16), ("01", 4), ("1500", 8), ("I", 2), ("", 6)]
    else:
        fields = [(person.name, 30), ("1", 2), ("01", 4), (person.born, 16), (person.other or "某路1号", 70)]
        fields += [(person.number, 36), ("某局", 30), ("20200101", 16), ("20300101", 16), ("", 28), (person.kind, 2)]
        fields += [("", 6)]
    text = b"".join(words.ljust(size // 2).encode("utf-16-le") for words, size in fields)
    assert len(text) == _TEXT
    return text


class CardReaderTwin:
    """One reader."""

    def __init__(self, place: str, kiosk: str = "", on_change: Callable[[], None] = lambda: None) -> None:
        """Open the line; no card lies there."""
        self._on_change = on_change
        self._lock = threading.Lock()
        self._heard = b""
        self._chance = random.Random(1)  # noqa: S311 - noise, no secret
        self._lies: Person | None = None
        self._read = False
        self.kiosk = kiosk
        self.reads = 0
        self.fault: str | None = None
        self.line = VirtualLine(place, self._hear)

    @property
    def url(self) -> str:
        """The address for DEVICES.toml."""
        return self.line.url

    def lay(self, person: Person | None) -> None:
        """Lay a card on the reader, or lift it with None."""
        with self._lock:
            self._lies, self._read = person, False
        self._on_change()

    def press(self, key: str) -> None:
        """Lay the card of a person of the devices page by place in the list, or "lift" it. Raises KeyError."""
        known = {str(place): person for place, person in enumerate(people())}
        self.lay(None if key == "lift" else known[key])

    def misbehave(self, fault: str | None) -> None:
        """Begin one of FAULTS, or end it with None. Raises ValueError for another word."""
        self.line.suffer(fault, FAULTS)
        with self._lock:
            self.fault = fault
        self._on_change()

    def state(self) -> dict[str, object]:
        """Give the reader for the devices page."""
        with self._lock:
            known = people()
            lies = known.index(self._lies) if self._lies in known else None
            names = [{"name": person.name, "born": person.born[:4], "document": person.kind} for person in known]
            return {
                "kind": "idcard",
                "url": self.url,
                "fault": self.fault,
                "faults": list(FAULTS),
                "kiosk": self.kiosk,
                "people": names,
                "lies": lies,
                "reads": self.reads,
            }

    def close(self) -> None:
        """Put the reader away."""
        self.line.close()

    def _hear(self, data: bytes) -> None:
        """Answer every whole question."""
        with self._lock:
            self._heard = (self._heard + data)[-64:]
            replies = []
            while (at := self._heard.find(HEAD)) >= 0 and len(self._heard) >= at + 10:
                body, self._heard = self._heard[at + 7 : at + 9], self._heard[at + 10 :]
                replies.append(self._reply(body))
            fault = self.fault
        for reply in replies:
            self._send(reply, fault)
        if replies:
            self._on_change()

    def _reply(self, body: bytes) -> bytes:
        if self.fault == "refuse":
            return sam.encode(bytes([0, 0, Status.NOT_AUTHORISED]))
        match next((ask for ask in Ask if ask.value == body), None):
            case Ask.IDENTITY:
                return sam.encode(bytes([0, 0, Status.OK]) + bytes.fromhex("05000100cb4032013930000001000000"))
            case Ask.FIND if self._lies is not None and not self._read:
                return sam.encode(bytes([0, 0, Status.FOUND]) + bytes(4))
            case Ask.SELECT if self._lies is not None:
                return sam.encode(bytes([0, 0, Status.OK]) + bytes(8))
            case Ask.READ if self._lies is not None:
                self._read = True
                self.reads += 1
                photo = self._chance.randbytes(1024)
                return sam.encode(bytes([0, 0, Status.OK]) + b"\x01\x00\x04\x00" + text_of(self._lies) + photo)
            case Ask.FIND | Ask.SELECT:
                return sam.encode(bytes([0, 0, Status.NOT_FOUND]))
            case Ask.READ:
                return sam.encode(bytes([0, 0, Status.READ_FAILED]))
            case _:
                return sam.encode(bytes([0, 0, 0x21]))

    def _send(self, reply: bytes, fault: str | None) -> None:
        match fault:
            case "silent" | "unplug":
                return
            case "garbage":
                self.line.send(self._chance.randbytes(9) + reply[:-1] + bytes([reply[-1] ^ 0x55]))
            case "torn":
                self.line.send(reply[: len(reply) // 2])
            case "slow":
                step = -(-len(reply) // SLOW_PIECES)
                for at in range(0, len(reply), step):
                    self.line.send(reply[at : at + step])
                    threading.Event().wait(SLOW_S)
            case _:
                self.line.send(reply)
