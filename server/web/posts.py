"""One clerk works at one window at a time, over all halls of this server.

Each hall sees to it among its own windows; here the other halls are asked. What they say is what their ledgers say, so
closing the window frees the clerk at once, and there is nothing beside them that could be left behind.
"""

from server.domain.refusals import CLERK_IN_HALL, Code, Refusal
from server.domain.state import HallState
from server.domain.terms import HallId, WindowNo, WorkId
from server.web.site import Site


def check_free(site: Site, clerk: WorkId, hall: HallId) -> None:
    """Let a clerk begin work in a hall who works at no window of another one.

    Raises:
        Refusal: the clerk does; it names hall and window.
    """
    for other in site.halls.values():
        if other.id == hall:
            continue

        def where(state: HallState, _: int) -> WindowNo | None:
            return next((no for no, window in state.windows.items() if window.clerk == clerk), None)

        window = other.read(where)
        if window is not None:
            name = other.plan.name
            raise Refusal(
                Code.CLERK_ELSEWHERE,
                CLERK_IN_HALL,
                facts={"hall": other.id, "window": window},
                clerk=clerk,
                window=window,
                hall=(name["zh"], name.get("en", name["zh"])),
            )
