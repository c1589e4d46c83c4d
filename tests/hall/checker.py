"""How threads and workers tell what they were answered, for `tests/checker`: by keys alone, without times."""

from collections.abc import Iterable
from dataclasses import dataclass

from server.ledger.base import Commit
from tests.checker.history import End, History, Op
from tests.checker.judge import judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a client was told: `result` is the ticket or what was called, None is a refusal."""

    key: str
    result: str | None


def result_of(commit: Commit) -> str:
    """Give what a commit's answer says, in short."""
    last = commit.events[-1]
    return f"{type(last).__name__} {getattr(last, 'ticket', '')}"


def faults(commits: Iterable[Commit], answers: Iterable[Answer]) -> list[str]:
    """Give every broken rule, in words; empty is good. L6 is left out: who got no answer is not among them."""
    history = History(ops=[_op(answer) for answer in answers])
    return [str(finding) for finding in judge(list(commits), history) if finding.rule != "L6"]


def _op(answer: Answer) -> Op:
    if answer.result is None:
        return Op(key=answer.key, end=End.FAIL)
    event, _, ticket = answer.result.partition(" ")
    return Op(key=answer.key, end=End.OK, told={"event": event, **({"ticket": ticket} if ticket else {})})
