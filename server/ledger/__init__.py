"""The ledger: every commit of a hall, in order, for ever. The one truth that everything else follows.

Reading order: `base` (what is promised), `codec` (stored names, hash chain), `memory`, `sqlite`.
"""
