"""Rules about posts and priorities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from config.problems import Finding, TablePath, quoted
from config.rules.draft import Draft, is_staffed, word, words

RESERVED_PRIORITIES: Final = ("ordinary",)
APPOINTMENT: Final = "appointment"


def priorities_free(draft: Draft) -> Iterator[Finding]:
    """A priority does not take the name of tickets without one."""
    for path, row in draft.rows("priority"):
        if (identifier := word(row, "id")) in RESERVED_PRIORITIES:
            yield Finding(
                path=(*path, "id"),
                code="reserved_priority",
                zh=f"{identifier} 是普通号的代号，不能用作优先代号。",
                en=f"{identifier} is what tickets without priority are called; take another id.",
                lone=True,
            )


def appointments_not_asked(draft: Draft) -> Iterator[Finding]:
    """An appointment is checked in, so no kiosk asks for it."""
    for path, row in draft.rows("priority"):
        if word(row, "id") == APPOINTMENT and "question" in row:
            yield Finding(
                path=(*path, "question"),
                code="appointment_asked",
                zh="预约优先由签到给予，取号机不询问，请删去 question。",
                en="An appointment is checked in, the kiosk does not ask for it: leave out question.",
                lone=True,
            )


def posts_have_windows(draft: Draft) -> Iterator[Finding]:
    """A clerk has windows, a guide has none."""
    for path, row in draft.rows("clerk"):
        guide = row.get("role") == "guide"
        windows = row.get("windows", [])
        if not isinstance(windows, list) or guide != bool(windows):
            continue
        yield Finding(
            path=(*path, "windows"),
            code="guide_with_window" if guide else "clerk_without_window",
            zh="引导台导办员不坐窗口，请删去 windows。" if guide else '请写明可登录的窗口：windows = ["1"]。',
            en="A guide sits at no window: leave out windows." if guide else 'Name the windows: windows = ["1"].',
            lone=True,
        )


def posts_are_staffed(draft: Draft) -> Iterator[Finding]:
    """Nobody has a post at a window to which nobody is sent."""
    windows = draft.ids("window")
    for path, row in draft.rows("clerk"):
        for index, no in words(row, "windows"):
            if not is_staffed(windows.get(no, {})):
                yield Finding(
                    path=(*path, "windows", index),
                    code="clerk_at_unstaffed",
                    zh=f"窗口 {quoted(no)} 未派驻人员（staffed = false），不能有岗位。",
                    en=f"Nobody is sent to window {quoted(no)} (staffed = false): it has no posts.",
                )


def one_chief_each(draft: Draft) -> Iterator[Finding]:
    """Each department has one chief representative, who names it."""
    chiefs: dict[str, TablePath] = {}
    for path, row in draft.rows("clerk"):
        if row.get("chief") is not True:
            continue
        if (department := word(row, "department")) is None:
            yield Finding(
                path=(*path, "chief"),
                code="chief_of_nothing",
                zh="请写明首席代表所代表的部门：department。",
                en="Name the department that the chief representative signs for: department.",
            )
        elif first := chiefs.get(department):
            yield Finding(
                path=(*path, "chief"),
                code="two_chiefs",
                zh=f"{department} 的首席代表在第 {draft.line((*first, 'chief'))} 行已经有了，每个部门一名。",
                en=f"{quoted(department)} has its chief representative on line {draft.line((*first, 'chief'))} already;"
                " each department has one.",
                lone=True,
            )
        else:
            chiefs[department] = path
