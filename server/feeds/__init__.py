"""Followers of a hall's ledger, each at its own pace: screens (only the newest picture matters) and devices (jobs).

A follower that falls over starts again at its cursor; none of them writes events.

Reading order: `hall_view` (what a follower needs of a hall), `screens`, `journal` (what became of jobs), `devices`.
"""
