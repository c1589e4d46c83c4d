"""A hall-day as text that an operator can read, played on the real rules under a virtual clock.

    hall qiaocheng
    day 2026-03-02
    09:00 kiosk takes household -> C001 ahead 0
    09:01 window 11 opens
    09:02 window 11 calls -> C001 waited 2 min
    waiting household = 0

A line is something that happens, with what is expected after `->`, or a question with its answer after `=`; the page is
docs/scenarios.md. Reading order: `language` (every sentence), `words` (a line becomes a sentence), `script` (a file
becomes steps), `stage` (steps happen).
"""

from server.scenario.script import Scenario, ScenarioError, Step, read
from server.scenario.stage import Happened, play, report

__all__ = ["Happened", "Scenario", "ScenarioError", "Step", "play", "read", "report"]
