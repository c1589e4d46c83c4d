"""Panels with one hardware button per service: a kiosk that needs no screen.

Reading order
    options.py   which button is which service
    buttons.py   presses, bounces, lamps, the answer to a refusal (pure)
    wired.py     panels that are a keyboard, or hang on pins
    modbus.py    panels behind a Modbus module
"""
