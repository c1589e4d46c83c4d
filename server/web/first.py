"""The first picture of a visitor's ticket, inside the page itself.

A phone that is asked for its number in a full hall has a slow network: each trip there and back that the page does not
need is a part of a second. So the page brings its picture along, as `/live` would send it, in a block that no browser
takes for a script (the Content-Security-Policy allows none inside a page), and the label in plain HTML, which is seen
before the page's script has even arrived.
"""

from html import escape

import msgspec
from flask import request

from server.domain.state import HallState
from server.domain.terms import HallId, TicketStatus, Track
from server.ledger.base import LedgerDown
from server.projections.common import instant
from server.projections.ticket import TicketPicture
from server.projections.ticket import ticket as ticket_page
from server.web.site import here

NOW: dict[str, dict[TicketStatus, str]] = {
    "zh": {TicketStatus.WAITING: "前面 {ahead} 人", TicketStatus.CALLED: "请到 {window} 号窗口"},
    "en": {TicketStatus.WAITING: "{ahead} people ahead", TicketStatus.CALLED: "Please go to window {window}"},
}
"""What is most worth knowing, in the words of the page itself."""
ROOM = '<div id="app"></div>'
"""Where a built page has room for it."""


def with_first_picture(page: str, hall: HallId, track: Track) -> str:
    """Give a page with the picture of a ticket in it; as it was where there is no such ticket today."""
    site = here()
    known = site.halls.get(hall)
    if known is None:
        return page
    now_ms, waits = known.now_ms(), site.waits_of(hall)

    def look(state: HallState, seq: int) -> tuple[TicketPicture, int, str] | None:
        if track not in state.tracks:
            return None
        outlook = waits.at(state, seq, state.last_ms)
        found = ticket_page(state, track, now_ms=now_ms, drill=site.drill, waits=outlook)
        return None if found is None else (found, seq, instant(state.plan, now_ms))

    try:
        seen = known.read(look)
    except LedgerDown:  # the page itself says what it cannot know now
        return page
    if seen is None:
        return page
    picture, seq, at = seen
    block = msgspec.json.encode({"seq": seq, "at": at, "data": picture}).decode()
    for bad, good in (("<", "\\u003c"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029")):
        block = block.replace(bad, good)
    asked = request.args.get("lang", "")  # as on the page itself: what the phone's own language is, is no wish
    tongue = asked if asked in NOW and asked in picture.languages else "zh"
    name = picture.hall_name.get(tongue, picture.hall_name["zh"])
    now = NOW[tongue].get(TicketStatus(picture.status), "").format(ahead=picture.ahead, window=picture.window)
    number = f"<h1>{escape(picture.label)}<b>{escape(now)}</b></h1>"
    words = f'<main class="first" data-first><p>{escape(name)}</p>{number}</main>'
    return page.replace(
        ROOM, f'<div id="app">{words}</div>\n    <script type="application/json" id="first">{block}</script>', 1
    )
