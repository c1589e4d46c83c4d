"""Calls in English.

"Ticket A, zero one two, please proceed to window 3." is the call of A012 to window 3.

Ticket numbers are read digit by digit with their zeros, as they are printed; window numbers are read as numbers.
"""

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def call(label: str, window: str) -> str:
    """Give the sentence that calls ticket `label` ("A012") to the window with this painted number ("3")."""
    return f"Ticket {ticket(label)}, please proceed to window {window_name(window)}."


def ticket(label: str) -> str:
    """Give a label as it is read: letters, then the digits one by one ("A, zero one two")."""
    letters = " ".join(character for character in label if character.isalpha())
    digits = " ".join(_DIGITS[int(character)] for character in label if character.isascii() and character.isdigit())
    return ", ".join(part for part in (letters, digits) if part)


def window_name(window: str) -> str:
    """Give a window number as it is read: a plain number as a number, anything else letter by letter."""
    return window if window.isascii() and window.isdigit() else ticket(window).replace(",", "")
