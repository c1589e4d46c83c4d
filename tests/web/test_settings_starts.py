"""Which settings count at a start, where files of the same meaning, new programs and pictures come in."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from config import shipped
from server.domain import commands as c
from server.domain.terms import CLOCK, PlanSource
from server.hall import Hall
from server.ledger.memory import MemoryLedger
from server.settings import Seed, begin, read, seed_of, unlike
from tests.web.stage import Clock

TEXT = shipped()["demo"].read_text(encoding="utf-8")
LONGER = TEXT.replace("target_wait_min = 15", "target_wait_min = 25", 1)


def seed(path: Path, text: str) -> Seed:
    """Give what a file says that has this text now."""
    path.write_text(text, encoding="utf-8")
    return seed_of(path)


def started(ledger: MemoryLedger, file: Seed) -> Hall:
    """Give a hall that runs with what counts."""
    hall = Hall(file.plan.hall, ledger, clock=Clock())
    begin(hall, file)
    return hall


def applied(ledger: MemoryLedger, path: Path, digest: str = "") -> None:
    """Apply the longer text on the page; `digest`: of the plan that an older program made of it."""
    hall = started(ledger, seed(path, TEXT))
    plan = seed(path, LONGER).plan
    plan = replace(plan, digest=digest or plan.digest)
    hall.handle(c.PlanHall(plan=plan, text=LONGER, source=PlanSource.PAGE, by="boss", after=1), actor=CLOCK)


def source(hall: Hall) -> PlanSource | None:
    """Give where the running settings come from."""
    return hall.read(lambda state, _: state.edition.source if state.edition else None)


@pytest.mark.parametrize("digest", ["", "older"])
def test_a_file_that_means_what_runs_counts_again(tmp_path: Path, digest: str) -> None:
    path, ledger = tmp_path / "hall.toml", MemoryLedger()
    applied(ledger, path, digest)
    same = "# in other words\n" + LONGER
    hall = started(ledger, seed(path, same))
    assert source(hall) is PlanSource.FILE
    assert hall.read(lambda state, _: state.text) == same
    assert started(ledger, seed(path, TEXT)).plan.services[0].target_wait_min == 15


def test_who_applied_what_stands_is_named_after_a_new_program_made_its_plan_anew(tmp_path: Path) -> None:
    path, ledger = tmp_path / "hall.toml", MemoryLedger()
    applied(ledger, path, "older")
    file = seed(path, TEXT)
    hall = started(ledger, file)
    newest = hall.read(lambda state, _: state.edition)
    assert newest is not None
    assert (newest.version, newest.source, newest.by) == (3, PlanSource.PAGE, "")
    said = hall.read(lambda state, _: unlike(state, file))
    assert said is not None
    assert "boss applied version 2 " in said[1]


def test_the_picture_beside_the_file_is_looked_at_each_time(tmp_path: Path) -> None:
    text = TEXT.replace("[ticket]", '[ticket]\nlogo = "logo.png"', 1)
    beside = tmp_path / "hall.toml"
    assert read(text, beside).hall is None
    Image.new("1", (64, 64)).save(tmp_path / "logo.png")
    assert read(text, beside).hall is not None
    assert read(TEXT, beside) is read(TEXT, beside), "what needs no picture is read once"
