"""LED strips over the windows.

Reading order
    words.py   what a strip says about its window (pure; the same for every maker)
    onbon.py   the frames of Onbon BX-5K cards (pure)
    strip.py   the state driver: newest picture in, frames out, acknowledgements awaited
"""
