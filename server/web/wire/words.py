"""What all bodies and answers are made of: ids, days, instants, names, and the two kinds of message."""

import unicodedata
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, WithJsonSchema
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

ID_LENGTH_MAX = 64
REASON_LENGTH_MAX = 200
VISITOR_REF_LENGTH_MAX = 128
CLIENT_LENGTH_MAX = 60
NOTE_LENGTH_MAX = 500
CASES_MAX = 1000
DAY, MONTH = r"^\d{4}-\d{2}-\d{2}$", r"^\d{4}-\d{2}$"
REGISTER_LIST_MAX = 200
NOTICE_ITEMS_MAX = 50  # the hall itself refuses more than fit on a slip, in words that say so
COMMITS_MAX = 1000
TICKETS_MAX = 5000
APPOINTMENTS_MAX = 5000
IMPORT_MAX = 500
SLOT_DAYS_MAX = 31


def printable(text: str) -> str:
    """Let a text pass that can be printed: no control characters."""
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text):
        raise PydanticCustomError("control_character", "must not contain control characters")
    return text


def _in_calendar(text: str) -> str:
    """Let a day or month pass that the calendar has: a filter by another one would find nothing and say nothing."""
    try:
        date.fromisoformat(f"{text}-01"[:10])
    except ValueError:
        raise PydanticCustomError("not_in_calendar", "is not in the calendar", {"day": text}) from None
    return text


Id = Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX), AfterValidator(printable)]
Day = Annotated[str, Field(pattern=DAY), AfterValidator(_in_calendar)]
Month = Annotated[str, Field(pattern=MONTH), AfterValidator(_in_calendar)]
Words = Annotated[str, Field(max_length=REASON_LENGTH_MAX), AfterValidator(printable)]
Note = Annotated[str, Field(max_length=NOTE_LENGTH_MAX), AfterValidator(printable)]
CaseNumber = Annotated[str, Field(max_length=ID_LENGTH_MAX, pattern=r"\S"), AfterValidator(printable)]
Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Text = TypeAliasType(
    "Text",
    Annotated[
        dict[str, str],
        WithJsonSchema(
            {
                "type": "object",
                "description": "A name in several languages; Chinese is always there.",
                "properties": {"zh": {"type": "string"}},
                "required": ["zh"],
                "additionalProperties": {"type": "string"},
            }
        ),
    ],
)

PersonPause = Literal["lunch", "document", "meeting", "toilet", "fault", "other"]  # left_alone is the clock's alone
PersonRole = Literal["clerk", "guide", "manager", "admin", "auditor"]
DeviceRole = Literal["kiosk", "devices", "display", "integration"]
DeviceKind = Literal["printer", "strip", "keypad", "speaker", "rating", "panel", "idcard", "scanner"]
Health = Literal["ok", "down", "degraded"]
Paper = Literal["ok", "near_end", "out", "unknown"]
PAPER: TypeAdapter[Paper] = TypeAdapter(Paper)


class Body(BaseModel):
    """What a client sends: closed, so that a misspelt field is not silently lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """What the server says."""

    model_config = ConfigDict(frozen=True)


class Problem(Answer):
    """An error (RFC 9457). `code` is stable, `detail` is a sentence in the reader's language."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    opens_at: Annotated[Instant | None, Field(description="When numbers are given again, where that is known.")] = None


class Eta(Answer):
    """Expected wait from now: half of the visitors wait at most `p50_s`, four of five at most `p80_s`.

    Four of five also wait between `low_s` and `high_s`: say that to people. None anywhere instead of this: unknown,
    because no window at work serves.
    """

    p50_s: int
    p80_s: int
    low_s: int
    high_s: int
