"""What stands on a ticket (号票) and how large, for paper of 58 and 80 mm. Pure.

Made for a reader of seventy without glasses: the number is as large as the paper allows, what to do next is six
millimetres high, and nothing that matters is smaller than three. The first language of the hall leads, the second
follows in small print. Every line is as large as it fits: first at double size, then double height, and only then
broken. The stops of a joint matter (一事联办) are a list to tick off: one number, several windows.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from drivers.jobs import PrintTicket, Stop, Text, in_language
from drivers.printer.escpos import Feed, Item, Picture, Qr, TextLine, columns_of, qr_module_dots, sanitise
from drivers.printer.profiles import Profile
from drivers.waits import told_minutes

MAX_WINDOWS_SHOWN = 8
MAX_ADVICE_LINES = 4
MAX_NAME_LINES = 3
MAX_STOP_LINES = 2
QR_SHARE_OF_WIDTH = 0.5
"""The symbol takes at most this much of the paper's width: some 20 mm on 58 mm paper, 33 mm on 80 mm."""
_BIGGEST = 8
_SIZES = ((2, 2), (1, 2), (1, 1))
_SMALL = ((1, 1),)
_AIR_DOTS = 8

_ZH: Mapping[str, str] = MappingProxyType(
    {
        "drill": "演练 此票无效",
        "reprint": "补打",
        "offline": "离线号 按取号时间排队",
        "priority": "优先：{name}",
        "ahead": "前面等候 {n} 人",
        "nobody": "前面无人等候",
        "wait_one": "约等 {a} 分钟",
        "wait": "约等 {a}-{b} 分钟",
        "wait_within": "约等 {b} 分钟以内",
        "wait_long": "约等 {a} 分钟以上",
        "wait_unknown": "等候时间暂无法预计",
        "windows": "办理窗口 {w}",
        "place": "{floor} {zone}",
        "scan": "扫码看排队进度",
        "taken": "取号时间 {at}",
        "keep": "请留意叫号 过号请找导办台",
        "stops": "一号联办 共 {n} 项",
        "stops_how": "一个号办完全部，请依次办理",
        "lead": "首办窗口 {w}",
        "department": "部门：{name}",
        "takes_in_only": "窗口只收件，不当场办结",
        "cross_province": "跨省通办",
        "in_province": "省内通办",
        "one_thing": "一件事",
        "fee": "收费",
        "pickup": "取件",
        "consult": "咨询",
        "complaint": "投诉",
    }
)
_EN: Mapping[str, str] = MappingProxyType(
    {
        "drill": "DRILL - not a real ticket",
        "reprint": "REPRINT",
        "offline": "Offline number: you keep your place",
        "priority": "Priority: {name}",
        "ahead": "{n} ahead of you",
        "nobody": "Nobody ahead of you",
        "wait_one": "About {a} min wait",
        "wait": "About {a}-{b} min wait",
        "wait_within": "Within {b} min",
        "wait_long": "More than {a} min wait",
        "wait_unknown": "Wait not known yet",
        "windows": "At window {w}",
        "place": "{floor}, {zone}",
        "scan": "Scan to follow your turn",
        "taken": "Issued {at}",
        "keep": "Missed your call? Ask the desk.",
        "stops": "{n} stops, one number",
        "stops_how": "Keep this number for all of them",
        "lead": "First contact: window {w}",
        "department": "Department: {name}",
        "takes_in_only": "Papers are taken in, decided later",
        "cross_province": "Cross-province",
        "in_province": "In-province",
        "one_thing": "One visit",
        "fee": "Fees",
        "pickup": "Collection",
        "consult": "Enquiry",
        "complaint": "Complaint",
    }
)
_PHRASES: Mapping[str, Mapping[str, str]] = MappingProxyType({"zh": _ZH, "en": _EN})
_MARKS = ("cross_province", "in_province", "one_thing", "fee", "pickup", "consult", "complaint")
"""Flags and kinds of a service that are worth a word on paper, in this order."""
_BOX, _TICKED = "□", "√"


FIELDS = (
    "logo", "hall", "service", "priority", "number", "windows", "place", "waiting", "stops", "qr", "notice", "advice",
    "taken",
)  # fmt: skip
"""What stands on a ticket, top to bottom, where the hall does not say otherwise."""
_HEAD, _MATTER, _WAITING, _FOOT = range(4)
_PART: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(FIELDS[:2], _HEAD)
    | dict.fromkeys(FIELDS[2:7], _MATTER)
    | dict.fromkeys(FIELDS[7:10], _WAITING)
    | dict.fromkeys(FIELDS[10:], _FOOT)
)
"""Fields of different parts have a line between them."""


def lay_out(job: PrintTicket, profile: Profile) -> list[Item]:
    """Give the lines of the ticket, top to bottom, each fitting the paper.

    A field that the hall names and this agent does not know is left out; the marks of a drill and a reprint never are.
    """
    page = Page(profile, job.languages)
    if job.drill:
        page.phrase("drill", bold=True)
    part: int | None = None
    for field in job.fields or FIELDS:
        before = len(page.items)
        match field:
            case "logo":
                page.picture(job.logo)
            case "hall":
                page.names(job.hall_name, bold=True)
                if job.tenant is not None:
                    page.names(job.tenant, sizes=_SIZES)
            case "service":
                _service(page, job)
            case "priority":
                if job.priority_name is not None:
                    page.phrase("priority", bold=True, names={"name": job.priority_name})
            case "number":
                page.feed(_AIR_DOTS)
                page.number(job.label)
                page.feed(_AIR_DOTS)
                if job.reprint:
                    page.phrase("reprint", bold=True, together=True)
                if job.offline:
                    page.phrase("offline", bold=True)
            case "windows":
                _windows(page, job)
            case "place":
                _place(page, job)
            case "waiting":
                if not job.offline:
                    page.phrase("ahead" if job.ahead else "nobody", bold=True, n=job.ahead)
                    _forecast(page, job)
            case "stops":
                _stops(page, job)
            case "qr":
                _qr(page, job)
            case "notice" | "advice":
                _running_text(page, job, field)
            case "taken":
                page.phrase("taken", sizes=_SMALL, main_only=True, at=f"{job.issued_at:%Y-%m-%d %H:%M}")
            case _:
                continue
        if len(page.items) == before:
            continue
        if part not in (None, _PART[field]):
            page.rule(at=before)
        part = _PART[field]
    return page.items


def _service(page: "Page", job: PrintTicket) -> None:
    page.names(job.service, sizes=_SIZES)
    page.marks([mark for mark in _MARKS if mark in job.flags or mark == job.kind], job.service)
    if job.department is not None:
        page.phrase("department", sizes=_SMALL, main_only=True, names={"name": {"zh": job.department}})
        page.feed(_AIR_DOTS)


def _windows(page: "Page", job: PrintTicket) -> None:
    if job.windows:
        shown = _window_list(job.windows)
        page.phrase("windows", bold=True, names={"w": {"zh": "、".join(shown), "en": ", ".join(shown)}})


def _qr(page: "Page", job: PrintTicket) -> None:
    if job.track_url:
        page.feed(2 * _AIR_DOTS)
        page.qr(job.track_url)
        page.feed(_AIR_DOTS)
        page.phrase("scan", sizes=_SMALL)


def _running_text(page: "Page", job: PrintTicket, field: str) -> None:
    """Add the standing notice or the advice of the hall; where it gives none, what everybody should know."""
    text = job.notice if field == "notice" else job.advice
    if text is not None:
        page.paragraph(text)
    elif field == "advice":
        page.phrase("keep", sizes=_SMALL)


def _place(page: "Page", job: PrintTicket) -> None:
    if job.floor is None:
        page.names(job.zone, sizes=_SIZES)
    else:
        page.phrase("place", names={"floor": job.floor, "zone": job.zone})
    if job.takes_in_only:
        page.phrase("takes_in_only", bold=True)


def _forecast(page: "Page", job: PrintTicket) -> None:
    told = None if job.eta_low_s is None or job.eta_high_s is None else told_minutes(job.eta_low_s, job.eta_high_s)
    if told is None:
        page.phrase("wait_unknown")
        return
    low, high = told
    if high is None:
        page.phrase("wait_long", a=low)
    elif low == high > 0:
        page.phrase("wait_one", a=high)
    elif high > 0:
        page.phrase("wait" if low else "wait_within", a=low, b=high)


def _stops(page: "Page", job: PrintTicket) -> None:
    """Add the stops of a joint matter: a box to tick, a number, what for and where; a stop that is done is ticked."""
    if not job.stops:
        return
    page.rule()
    page.phrase("stops", bold=True, n=len(job.stops))
    page.phrase("stops_how", sizes=_SMALL)
    for number, stop in enumerate(job.stops, start=1):
        page.feed(_AIR_DOTS)
        page.stop(f"{_TICKED if stop.done else _BOX} {number} ", stop)
    page.feed(_AIR_DOTS)
    if job.lead_window is not None:
        page.phrase("lead", bold=True, w=job.lead_window)


def _where(stop: Stop, language: str, name: str = "") -> str:
    """Give floor and zone of a stop in words, behind its name; what is called alike is said once."""
    parts = (name, in_language(stop.floor or {}, language), in_language(stop.zone, language))
    return (" " if language == "zh" else ", ").join(dict.fromkeys(part for part in parts if part))


def _window_list(windows: Sequence[str]) -> list[str]:
    """Give 3, 4, 5, 9 as "3-5", "9"; more than fits a line ends in an ellipsis."""
    shown: list[str] = []
    run: list[str] = []
    for window in [*windows, ""]:
        if run and window.isdigit() and run[-1].isdigit() and int(window) == int(run[-1]) + 1:
            run.append(window)
            continue
        if run:
            shown.extend([f"{run[0]}-{run[-1]}"] if len(run) > 2 else run)
        run = [window]
    return shown if len(shown) <= MAX_WINDOWS_SHOWN else [*shown[:MAX_WINDOWS_SHOWN], "…"]


class Page:
    """The lines so far, and the two languages they are written in."""

    def __init__(
        self,
        profile: Profile,
        languages: Sequence[str],
        phrases: Mapping[str, Mapping[str, str]] = _PHRASES,
    ) -> None:
        """Start with an empty sheet; `phrases` are the fixed words by language."""
        known = [language for language in languages if language in phrases] or ["zh"]
        self._profile = profile
        self._phrases = phrases
        self._main = known[0]
        self._second = known[1] if len(known) > 1 else None
        self.items: list[Item] = []

    def names(self, text: Text, *, bold: bool = False, sizes: Sequence[tuple[int, int]] = _SIZES) -> None:
        """Add a name, large in the first language and small in the second."""
        main = in_language(text, self._main)
        self._add(main, sizes, bold=bold)
        if self._second is not None and (second := in_language(text, self._second)) != main:
            self._add(second, _SMALL)
        self.feed(_AIR_DOTS)

    def phrase(
        self,
        key: str,
        *,
        bold: bool = False,
        sizes: Sequence[tuple[int, int]] = _SIZES,
        names: Mapping[str, Text] = MappingProxyType({}),
        together: bool = False,
        main_only: bool = False,
        **values: object,
    ) -> None:
        """Add a phrase in both languages, on one line when `together`."""
        written = [
            self._phrases[language][key].format(
                **values, **{name: in_language(text, language) for name, text in names.items()}
            )
            for language in (self._main, self._second)
            if language is not None
        ]
        if together:
            written = [" ".join(written)]
        self._add(written[0], sizes, bold=bold)
        if not main_only:
            for second in written[1:]:
                self._add(second, _SMALL)
        if sizes is not _SMALL:
            self.feed(_AIR_DOTS)

    def paragraph(self, text: Text) -> None:
        """Add running text in both languages, broken to the width."""
        for language in (self._main, self._second):
            if language is not None and (language == self._main or text.get(language)):
                for line in wrap(sanitise(in_language(text, language)), self._profile.columns, MAX_ADVICE_LINES):
                    self.items.append(TextLine(text=line))

    def marks(self, keys: Sequence[str], name: Text) -> None:
        """Add the marks of a service on one line, but none that its name says already."""
        written = [
            ("、" if language == "zh" else ", ").join(
                _PHRASES[language][key] for key in keys if _PHRASES[language][key] not in in_language(name, language)
            )
            for language in (self._main, self._second)
            if language is not None
        ]
        if written[0]:
            self._add(written[0], _SIZES, bold=True)
        if written[1:] and written[1]:
            self._add(written[1], _SMALL)
        if any(written):
            self.feed(_AIR_DOTS)

    def stop(self, head: str, stop: Stop) -> None:
        """Add one stop of a joint matter: its name at double height behind its head, small below it where that is."""
        indent = columns_of(head)
        width = self._profile.columns - indent
        stop_name = in_language(stop.name, self._main)
        for place, line in enumerate(wrap(sanitise(stop_name), width, MAX_STOP_LINES)):
            before = head if place == 0 else " " * indent
            self.items.append(TextLine(text=before + line, height=2, align="left", bold=True))
        told_in = [_where(stop, self._main)]
        if self._second is not None:
            second_name = in_language(stop.name, self._second)
            told_in.append(_where(stop, self._second, "" if second_name == stop_name else second_name))
        for told in dict.fromkeys(told_in):
            for line in wrap(sanitise(told), width, MAX_STOP_LINES):
                self.items.append(TextLine(text=" " * indent + line, align="left"))

    def number(self, label: str) -> None:
        """Add the label as large as the paper allows."""
        clean = sanitise(label)
        scale = max(1, min(_BIGGEST, self._profile.columns // max(1, columns_of(clean))))
        self.items.append(TextLine(text=clean, width=scale, height=scale))

    def rule(self, at: int | None = None) -> None:
        """Add a line across, or put it in at a place among the items."""
        line = TextLine(text="-" * self._profile.columns, align="left")
        self.items.insert(len(self.items) if at is None else at, line)

    def picture(self, png: bytes) -> None:
        """Add the hall's logo, if it has one."""
        if png:
            self.items += [Picture(png=png), Feed(dots=2 * _AIR_DOTS)]

    def feed(self, dots: int) -> None:
        """Add white space."""
        self.items.append(Feed(dots=dots))

    def qr(self, payload: str) -> None:
        """Add the symbol that opens the ticket on a phone."""
        clean = sanitise(payload)
        self.items.append(
            Qr(payload=clean, module_dots=qr_module_dots(clean, int(self._profile.width_dots * QR_SHARE_OF_WIDTH)))
        )

    def _add(self, text: str, sizes: Sequence[tuple[int, int]], *, bold: bool = False) -> None:
        clean = sanitise(text)
        for width, height in sizes:
            if columns_of(clean) * width <= self._profile.columns:
                self.items.append(TextLine(text=clean, width=width, height=height, bold=bold))
                return
        width, height = sizes[-2] if len(sizes) > 1 else sizes[-1]
        for line in wrap(clean, self._profile.columns // width, MAX_NAME_LINES):
            self.items.append(TextLine(text=line, width=width, height=height, bold=bold))


def wrap(text: str, columns: int, most_lines: int) -> list[str]:
    """Break a text into lines that fit; what is more than `most_lines` ends in an ellipsis.

    Of several ways that take as many lines the one that breaks after a comma, and leaves no single word at the end.
    """
    lines = _break(text, columns)
    if len(lines) <= most_lines:
        ways = (_break(text, narrower) for narrower in range(columns - 1, columns // 2, -1))
        return max((lines, *(way for way in ways if len(way) == len(lines))), key=lambda way: _beauty(way, columns))
    last = lines[most_lines - 1]
    while columns_of(last + "…") > columns:
        last = last[:-1]
    return [*lines[: most_lines - 1], last + "…"]


def _beauty(lines: Sequence[str], columns: int) -> tuple[int, bool]:
    """Say how well a text is broken: how often between parts of a sentence, and whether something stands at the end."""
    good = sum(
        line[-1].isascii() or line[-1] in _CLOSING or following[0] in _OPENING
        for line, following in pairwise(lines)
        if line and following
    )
    return good, columns_of(lines[-1]) * 4 >= columns if lines else True


def _break(text: str, columns: int) -> list[str]:
    """Break a text between words or Chinese characters; closing marks begin no line, opening ones end none."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if columns_of(line + piece.rstrip()) > columns:
            if line.strip():
                lines.append(line.strip())
            line = piece.lstrip()
            while columns_of(line.rstrip()) > columns:  # one word wider than the paper
                cut = next(end for end in range(len(line), 0, -1) if columns_of(line[:end]) <= columns)
                lines.append(line[:cut])
                line = line[cut:]
        else:
            line += piece
    return [*lines, line.strip()] if line.strip() else lines


_CLOSING = frozenset("，。、；：！？）】》”’,.;:!?)")
_OPENING = frozenset("（【《“‘(")


def _pieces(text: str) -> list[str]:
    """Give the smallest pieces a line may be broken between."""
    pieces: list[str] = []
    for character in text:
        glue = pieces and (
            character in _CLOSING
            or character == " "
            or pieces[-1][-1] in _OPENING
            or (character.isascii() and pieces[-1][-1].isascii() and pieces[-1][-1] != " ")
        )
        if glue:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces
