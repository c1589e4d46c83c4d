"""Call pads and rating pads on the clerk's desk.

Reading order
    ff68.py     the frames of the "FF 68" family (pure)
    pad.py      the state driver: keys -> window commands, pictures -> the pad's display
    hid_pad.py  a USB numeric keypad as a call pad
"""
