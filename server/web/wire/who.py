"""Signing in, and who that is."""

from typing import Annotated, Literal

from pydantic import Field

from server.people import PASSWORD_LENGTH_MAX
from server.web.wire.words import ID_LENGTH_MAX, Answer, Body, DeviceRole, Id, PersonRole, Text


class Login(Body):
    """A person signs in; a clerk at a window."""

    work_id: Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX)]
    password: Annotated[str, Field(min_length=1, max_length=PASSWORD_LENGTH_MAX)]
    window: Id | None = None
    hall: Id | None = None


class HallName(Answer):
    """A hall by name, for the sign-in page."""

    hall: str
    name: Text


class Me(Answer):
    """Who the server takes the sender for, and the token that commands need in `X-CSRF-Token`."""

    kind: Literal["person", "device", "nobody"]
    work_id: str | None = None
    name: str | None = None
    role: PersonRole | DeviceRole | None = None
    hall: str | None = None
    window: str | None = None
    device: str | None = None
    csrf: str
    languages: list[str]
    drill: bool
    dev: bool
    halls: list[HallName]


class SignedOut(Answer):
    """Nobody is signed in any more."""

    kind: Literal["nobody"]


class Enrol(Body):
    """A one-time code from `jiaohao device enrol`."""

    code: Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX)]


class Enrolled(Answer):
    """The device's own token; a browser also gets it as a cookie."""

    device: str
    role: DeviceRole
    hall: str | None
    window: str | None
    token: str
