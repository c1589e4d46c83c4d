"""Pictures of a hall: pure functions of the state that give what a screen shows, and the jobs that devices get.

Every picture is a frozen dataclass whose fields are the wire's. Instants are RFC 3339 with the hall's own offset, so a
picture changes only when something happened, never because time passed. Lists are bounded: a screen has a size.

Reading order: `common` (instants, waiting counts), `board`, `window`, `manager`, `ticket`, then `jobs`.
"""
