"""The state driver of an identity card reader: asks for a card all the time, reads it, keeps three words of it.

    FIND until a card lies there -> SELECT -> READ -> CardShown -> FIND ...

A card that was read is not found again until it was lifted; readers that find it all the same are held to that by its
hash. No card is read before the server has told the hall's key: a number that cannot be hashed must not be read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from drivers.faults import Fault, FaultCode, Health, HealthStatus, down
from drivers.idcard import cards, sam
from drivers.idcard.sam import Ask, Status
from drivers.jobs import CardShown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from drivers.driver import Wiring
    from drivers.jobs import WindowPicture

FIND_EVERY_S = 0.3
ANSWER_S = 0.6
READ_S = 2.5
"""What the module itself needs: it talks to the card's chip for about a second."""
IDENTITY_EVERY_S = 60.0
SILENT_AFTER = 3
AGAIN_S = 3.0
"""A card of the same visitor that was found without a pause of this length was never lifted."""
_WIRE_SLACK = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderOptions:
    """Driver "sam-v" has no options."""


@dataclass(slots=True)
class CardReader:
    """One reader. See `drivers.driver.StateDriver` and `HoldsLine`."""

    device: str
    secret: Callable[[], bytes | None]
    now: Callable[[], datetime]
    byte_s: float = 0.0
    _decoder: sam.Decoder = field(init=False, default_factory=sam.Decoder)
    _asked: Ask | None = field(init=False, default=None)
    _wanted: Ask = field(init=False, default=Ask.IDENTITY)
    _until_s: float = field(init=False, default=0.0)
    _next_s: float = field(init=False, default=0.0)
    _misses: int = field(init=False, default=0)
    _noise: bool = field(init=False, default=False)
    _broken: int = field(init=False, default=0)
    _identity: str | None = field(init=False, default=None)
    _identity_s: float = field(init=False, default=0.0)
    _lies: str = field(init=False, default="", repr=False)  # hash of the card that lies there
    _seen_s: float = field(init=False, default=0.0)

    def line_up(self, now_s: float) -> None:
        """Note that the port was opened: the reader is asked anew who it is, and nothing lies on it."""
        self._decoder.forget()
        self._asked, self._wanted = None, Ask.IDENTITY
        self._next_s, self._identity_s = now_s, now_s
        self._misses, self._noise, self._broken, self._lies = 0, False, 0, ""

    def show(self, picture: WindowPicture) -> None:
        """Keep nothing: a reader shows nothing."""

    def due(self, now_s: float) -> bytes:
        """Give the next question."""
        if self._asked is not None:
            if now_s < self._until_s:
                return b""
            self._misses += 1
            self._noise = self._noise or self._decoder.kept_bytes > 0 or self._decoder.rejected > 0
            self._again(now_s)
        if now_s < self._next_s:
            return b""
        if self._wanted is Ask.FIND and now_s - self._identity_s > IDENTITY_EVERY_S:
            self._wanted = Ask.IDENTITY  # a reader that was exchanged has another number
        if self._wanted is not Ask.IDENTITY and self.secret() is None:
            return b""
        self._decoder.forget()
        self._decoder.rejected = 0
        self._asked = self._wanted
        frame = self._asked.frame
        wire_s = (len(frame) + (sam.READ_BYTES if self._asked is Ask.READ else 32)) * self.byte_s * _WIRE_SLACK
        self._until_s = now_s + (READ_S if self._asked is Ask.READ else ANSWER_S) + wire_s
        return frame

    def feed(self, data: bytes, now_s: float) -> Sequence[CardShown]:
        """Give the card that was read, once each time it is laid there."""
        shown: list[CardShown] = []
        for answer in self._decoder.feed(data):
            if self._asked is not None:
                asked, self._asked = self._asked, None
                self._misses, self._noise = 0, False
                card = self._understand(asked, answer, now_s)
                shown += [] if card is None else [card]
            sam.wipe(answer.data)
        return shown

    def refused(self, place: str, code: str) -> None:  # noqa: ARG002
        """Forget the card: the visitor lays it there again."""
        self._lies = ""

    def holds_line(self, now_s: float) -> bool:
        """Say whether an answer is awaited."""
        return self._asked is not None and now_s < self._until_s

    def health(self, now_s: float) -> Health:  # noqa: ARG002
        """Say whether the reader answers and may read, and whether the server has told the key."""
        if self._misses >= SILENT_AFTER:
            if self._noise:
                return down(FaultCode.BAD_ANSWER, "what came is no answer of a card reader: look at the baud rate")
            return down(FaultCode.NO_ANSWER, "the card reader does not answer")
        if self._broken:
            return down(FaultCode.BROKEN, f"the card reader reports {self._broken:#04x}: its module must be exchanged")
        if self.secret() is None:
            waits = Fault(code=FaultCode.REFUSED, detail="no card is read until the server has told the hall's key")
            return Health(status=HealthStatus.DEGRADED, faults=(waits,), firmware=self._identity)
        return Health(firmware=self._identity)

    def _understand(self, asked: Ask, answer: sam.Answer, now_s: float) -> CardShown | None:
        self._broken = answer.status if answer.status in {Status.SELF_TEST, Status.NOT_AUTHORISED} else 0
        if self._broken:
            self._again(now_s)
            return None
        match asked:
            case Ask.IDENTITY:
                self._identity, self._identity_s = sam.identity_of(answer.data) or self._identity, now_s
                self._then(Ask.FIND, now_s)
            case Ask.FIND if answer.status == Status.FOUND:
                self._then(Ask.SELECT, now_s)
            case Ask.SELECT if answer.status == Status.OK:
                self._then(Ask.READ, now_s)
            case Ask.READ if answer.status == Status.OK:
                card = self._read(answer.data, now_s)
                self._again(now_s)
                return card
            case Ask.FIND | Ask.SELECT | Ask.READ:
                self._again(now_s)
            case _:
                assert_never(asked)
        return None

    def _read(self, data: bytearray, now_s: float) -> CardShown | None:
        text, key = sam.text_of(data), self.secret()
        if text is None or key is None:
            return None
        kept = cards.keep(text, key=key, today=self.now().date())
        sam.wipe(text)
        if kept is None:
            return None
        lay_there = kept.visitor == self._lies and now_s - self._seen_s < AGAIN_S
        self._lies, self._seen_s = kept.visitor, now_s
        if lay_there:
            return None
        return CardShown(
            device=self.device, document=kept.document, visitor=kept.visitor, age_from=kept.age_from, name=kept.name
        )

    def _then(self, ask: Ask, now_s: float) -> None:
        self._wanted, self._next_s = ask, now_s

    def _again(self, now_s: float) -> None:
        """Begin anew in a moment."""
        self._asked = None
        self._wanted = Ask.IDENTITY if self._misses or self._broken else Ask.FIND
        self._next_s = now_s + FIND_EVERY_S
        self._decoder.forget()


def make(wiring: Wiring[ReaderOptions]) -> CardReader:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    return CardReader(wiring.device, wiring.secret, wiring.now, wiring.byte_s)
