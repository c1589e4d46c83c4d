"""Calls in Chinese (普通话).

"请 A，零一二 号，到 三号 窗口 办理。" is the call of A012 to window 3.

Ticket numbers are read digit by digit with their zeros, as they are printed, 1 as 一 or as 幺 (`one`); window numbers
are read as numbers. The commas keep the letter and the digits apart: without them listeners (and speech engines) run
them together.
"""

_DIGITS = "零一二三四五六七八九"
ONE, YAO = "一", "幺"


def call(label: str, window: str, one: str = ONE) -> str:
    """Give the sentence that calls ticket `label` ("A012") to the window with this painted number ("3")."""
    return f"请 {ticket(label, one)} 号，到 {window_name(window)} 窗口 办理。"


def ticket(label: str, one: str = ONE) -> str:
    """Give a label as it is read: letters by their names, then the digits one by one ("A，零一二", "A，零幺二")."""
    letters = " ".join(character for character in label if character.isalpha())
    digits = "".join(_DIGITS[int(character)] for character in label if character.isascii() and character.isdigit())
    digits = digits.replace(ONE, one)
    return "，".join(part for part in (letters, digits) if part)


def window_name(window: str) -> str:
    """Give a window number as it is read: "12" 十二号, "A3" A 三号."""
    if window.isascii() and window.isdigit() and int(window) < 10_000:
        return f"{number(int(window))}号"
    return f"{ticket(window).replace('，', ' ')}号"


def number(value: int) -> str:
    """Give 0..9999 in words, as windows and rooms are read: 十二, 二十, 一百零一, 二百一十."""
    if value < 10:
        return _DIGITS[value]
    if value < 20:
        return "十" + (_DIGITS[value % 10] if value % 10 else "")
    words, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            words += ("零" if zero and words else "") + _DIGITS[digit] + name
            zero = False
        else:
            zero = True
    return words
