"""Pretend devices that ship with the product: they speak the real bytes over a real socket or pseudo terminal.

`line.py` is the device's end of a line and its misbehaviour; every other file is one device.
All can be told to misbehave.
"""
