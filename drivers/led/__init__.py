"""LED strips over the windows.

Reading order
    words.py    what a strip says about its window, in longer and shorter forms (pure; the same for every maker)
    text.py     what a character set can spell, and how wide it is
    layout.py   which form stands still, or what runs
    strip.py    the state driver of every maker: newest picture in, frames out, answers awaited, repaint; `Dialect`
    options.py  options of every strip; brightness and clock by time of day

    One dialect per file, frames and options with it:
    onbon.py         Onbon BX-5K, BX-5MK, BX-6K          alpha.py         Alpha, BetaBrite (Chinese by dots.py)
    onbon6.py        Onbon BX-6E, BX-6Q (experimental)   register_map.py  Modbus slaves by a map of registers
    cpower.py        C-Power                             template.py      frames written down (pattern.py)
"""
