"""The words of the HTTP interface: every body and every answer of `/api/v1` as a type.

OpenAPI is drawn from these, the pages' typed client from OpenAPI. Instants are RFC 3339 with the hall's offset,
durations end in `_s`, ids are strings. Bodies are closed: an unknown field is an error that names it. Answers are open:
fields may be added, never renamed.

One file for each subject; everybody reads `wire.X`.
"""

from server.web.wire.appointments import *  # noqa: F403
from server.web.wire.cases import *  # noqa: F403
from server.web.wire.days import *  # noqa: F403
from server.web.wire.devices import *  # noqa: F403
from server.web.wire.inputs import *  # noqa: F403
from server.web.wire.paths import *  # noqa: F403
from server.web.wire.structure import *  # noqa: F403
from server.web.wire.tickets import *  # noqa: F403
from server.web.wire.who import *  # noqa: F403
from server.web.wire.windows import *  # noqa: F403
from server.web.wire.words import *  # noqa: F403
