"""Ticket printers that speak ESC/POS.

Reading order: `ticket.py` (what stands on a ticket, as lines), `notice.py` (the slip with missing papers), `escpos.py`
(lines -> bytes), `fonts.py` (pictures of lines that the printer has no characters for), `profiles.py` with
`profiles.toml` (what differs from model to model), `status.py` (what the printer says back), `thermal.py` (the driver:
one ticket, one write, and printed only when the printer said so).
"""
