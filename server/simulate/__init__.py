"""What would be: `jiaohao simulate` and `jiaohao plan` play days on the hall's own rules behind a virtual clock.

Reading order: `visits` (a day before it is played: who comes, with what work; who sits where), `shifts` (the rota out
of the hall file), `described` and `draw` (days that are described), `past` (days out of a ledger), `changes` (what is
tried: policies, windows, skills), `play` (a day happens: `decide` and `evolve` of the server), `measure` and `compare`
(what came of it, with how sure one may be), `run` (many days on all processors), `show` and `charts`; `training`
searches which windows to train for what, with `fluid` to look ahead quickly.
"""
