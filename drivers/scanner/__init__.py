"""Scanners of tickets' and appointments' QR codes.

Reading order
    lines.py    codes out of bytes and out of keys (pure)
    scanner.py  the state driver of both kinds
"""
