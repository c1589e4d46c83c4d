"""The ticket server: gives out numbers, says who is next, and tells every screen and device.

Reading order: `domain` (the rules), `ledger` (what is kept), `hall` (the one writer), `projections` and `feeds` (what
follows), `web` (the doors), `serve` and `main` (putting it together).
"""
