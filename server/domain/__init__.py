"""The rules of a hall, pure: no clock, no chance, no files, no network.

Reading order: `terms` (the words), `commands` and `events` (what is asked, what happened), `refusals` (how the hall
says no), `lifecycle` (the table of legal moves), `state` (events folded), `calendar` (when it is open), `workload`
(minutes to clear a zone) and `routing` (who is next). For the forecast: `learning` (how long visits take, who works how
fast), `habits` (when people come and windows are staffed), `chances` (tables of what may happen), `forward` (one play
of the hall), `lookahead` (a few plays), `calibration` (how wrong that was lately), `forecast` (what is told). Then
`balance` (hot and cold, what would help) and `rebalance` (doing it); `admission` (whether a number is given), `issue`
(giving it); the areas `appointments`, `away`, `cases`, `rolls`, `staff`, `announcements`; `decide` (a command becomes
events or a refusal) and `evolve` (events become the state).
"""
