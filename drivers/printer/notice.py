"""What stands on the slip that says once and completely which papers are missing (一次告知单), for 58 and 80 mm. Pure.

The visitor ticks the papers off at home, so each has a box and a number and is printed at double height; nothing of
what the clerk wrote is cut off, however long. The legal ground is 行政许可法 art. 32: all that is missing, at once.
"""

from collections.abc import Mapping
from types import MappingProxyType

from drivers.jobs import PrintNotice
from drivers.printer.escpos import Item, TextLine, columns_of, sanitise
from drivers.printer.profiles import Profile
from drivers.printer.ticket import Page, wrap

NOTE_LINES_MAX = 16
"""The hall lets a note have 200 characters: 13 lines on the narrowest paper."""
_ITEM_LINES_MAX = 4
"""60 columns are three lines of the narrowest paper; words may be long."""
_LABEL_SCALE = 4
_SMALL = ((1, 1),)

_ZH: Mapping[str, str] = MappingProxyType(
    {
        "title": "一次告知单",
        "drill": "演练 此单无效",
        "department": "部门：{name}",
        "missing": "还需补正以下 {n} 项材料",
        "away": "今天回来可直接到原位置",
        "away_how": "备齐后在取号机、导办台或手机上按“我回来了”，不用重新取号。",
        "later": "材料备齐后再来办理。",
        "scan": "扫码查看本单",
        "given": "告知时间 {at}",
    }
)
_EN: Mapping[str, str] = MappingProxyType(
    {
        "title": "Papers still missing",
        "drill": "DRILL - not a real notice",
        "department": "Department: {name}",
        "missing": "{n} item(s) still needed",
        "away": "Back today? You keep your place.",
        "away_how": 'Press "I am back" at a kiosk, at the desk or on your phone. You need no new number.',
        "later": "Please come again with the papers.",
        "scan": "Scan to see this list",
        "given": "Given {at}",
    }
)
_PHRASES: Mapping[str, Mapping[str, str]] = MappingProxyType({"zh": _ZH, "en": _EN})


def lay_out(job: PrintNotice, profile: Profile) -> list[Item]:
    """Give the lines of the slip, top to bottom, each fitting the paper."""
    page = Page(profile, job.languages, _PHRASES)
    page.picture(job.logo)
    page.names(job.hall_name, bold=True)
    if job.drill:
        page.phrase("drill", bold=True)
    page.rule()
    page.phrase("title", bold=True)
    label = sanitise(job.label)
    scale = max(1, min(_LABEL_SCALE, profile.columns // max(1, columns_of(label))))
    page.items.append(TextLine(text=label, width=scale, height=scale))
    page.feed(8)
    page.names(job.service)
    page.names(job.window_name)
    if job.department is not None:
        page.phrase("department", sizes=_SMALL, main_only=True, names={"name": {"zh": job.department}})
    page.rule()
    page.phrase("missing", bold=True, n=len(job.items))
    for number, item in enumerate(job.items, start=1):
        _item(page, profile, f"□{number:>2} ", item)
    if job.note:
        page.feed(8)
        for line in wrap(sanitise(job.note), profile.columns, NOTE_LINES_MAX):
            page.items.append(TextLine(text=line, align="left"))
    page.rule()
    if job.away:
        page.phrase("away", bold=True)
        page.paragraph({language: words["away_how"] for language, words in _PHRASES.items()})
    else:
        page.phrase("later", bold=True)
    if job.track_url:
        page.feed(16)
        page.qr(job.track_url)
        page.feed(8)
        page.phrase("scan", sizes=_SMALL)
    page.rule()
    page.phrase("given", sizes=_SMALL, main_only=True, at=f"{job.given_at:%Y-%m-%d %H:%M}")
    return page.items


def _item(page: Page, profile: Profile, head: str, item: str) -> None:
    """Add one missing paper at double height, its further lines indented below the first."""
    indent = columns_of(head)
    page.feed(8)
    for place, line in enumerate(wrap(sanitise(item), profile.columns - indent, _ITEM_LINES_MAX)):
        before = head if place == 0 else " " * indent
        page.items.append(TextLine(text=before + line, height=2, align="left"))
