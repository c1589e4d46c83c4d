"""The rules of a hall, pure: no clock, no chance, no files, no network.

Reading order: `terms` (the words), `commands` and `events` (what is asked, what happened), `refusals` (how the hall
says no), `lifecycle` (the table of legal moves), `state` (events folded), `routing` (who is next), `forecast` (how long
it takes), `calendar` (when it is open), `admission` (whether a number is given), `decide` (a
command becomes events or a refusal).
"""
