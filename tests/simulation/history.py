"""Has a world judged: `tests/checker` on what people saw in it, and that everything works again once all is mended."""

from server.domain import events as e
from tests.checker.judge import judge as judge_history
from tests.checker.judge import state_hash
from tests.simulation.world import DELAY_MAX_MS, World


def judge(world: World) -> list[str]:
    """Give every broken rule, in words; empty is good."""
    commits, history = world.commits, world.history
    found: list[str] = []
    for screen in world.screens:
        history.showing[screen.name] = (screen.topic, screen.data)
    for server in world.alive() if world.shared else [world.leader]:
        seq, hash_ = server.hall.read(lambda state, seq: (seq, state_hash(state)))
        history.states.append((f"server {server.name}", seq, hash_))
        if seq != len(commits):
            found.append(f"L8 server {server.name} stands at {seq} of {len(commits)}")
    last = [it for commit in commits for it in commit.events if isinstance(it, e.TicketIssued) and it.track == "last"]
    if not last or last[-1].ticket not in {paper.ticket for paper in history.papers}:
        found.append("T5 all is mended and the next ticket does not come out")
    return [*map(str, judge_history(commits, history, around_s=2 * DELAY_MAX_MS / 1000)), *found]
