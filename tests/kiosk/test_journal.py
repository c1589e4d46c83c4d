"""The kiosk's journal: a number is given once, whatever happens, and the same press gets the same number."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.journal import KEPT, Block, Journal, JournalBroken, NoNumberLeft

DAY, ENDS_MS = "2026-03-02", 10_000_000_000_000


def block(first: int = 901, last: int = 903, prefix: str = "A", **more: object) -> Block:
    fields = {"lease": f"{prefix}{first}", "day": DAY, "prefix": prefix, "first": first, "last": last, "next": first}
    return Block(**{"ends_ms": ENDS_MS, **fields, **more})  # type: ignore[arg-type]  # what a test says


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.sqlite")
    yield made
    made.close()


def give(journal: Journal, key: str, prefix: str = "A", now_ms: int = 5) -> int:
    return journal.give(prefix, key=key, body={"service": "tax"}, track=f"t-{key}", now_ms=now_ms).number


def test_numbers_go_up_and_end_with_the_block(journal: Journal) -> None:
    journal.lease(block())
    assert [give(journal, key) for key in "abc"] == [901, 902, 903]
    with pytest.raises(NoNumberLeft):
        give(journal, "d")
    journal.lease(block(931, 932))
    assert [give(journal, key) for key in "de"] == [931, 932]


def test_the_same_press_gets_the_same_number(journal: Journal) -> None:
    journal.lease(block())
    assert [give(journal, key) for key in ("a", "b", "a", "b")] == [901, 902, 901, 902]
    assert journal.left("A", 5) == 1


def test_a_block_that_is_over_gives_nothing(journal: Journal) -> None:
    journal.lease(block(ends_ms=100))
    assert give(journal, "a", now_ms=99) == 901
    with pytest.raises(NoNumberLeft):
        give(journal, "b", now_ms=100)


def test_a_block_that_is_known_stays_as_it_is(journal: Journal) -> None:
    journal.lease(block())
    give(journal, "a")
    journal.lease(block())
    assert give(journal, "b") == 902


def test_what_was_given_is_told_in_order_and_kept_a_week(journal: Journal) -> None:
    journal.lease(block())
    for key in "abc":
        give(journal, key, now_ms=5)
    first, second, third = journal.untold()
    assert [it.label for it in (first, second, third)] == ["A901", "A902", "A903"]
    assert first.ticket == "20260302-A901"
    journal.note_told(first, KEPT)
    journal.note_told(second, "offline_given")
    assert journal.untold() == [third]
    assert [it.label for it in journal.refused()] == ["A902"]
    journal.forget_old(8 * 24 * 3600 * 1000)
    assert journal.untold() == [third]
    assert journal.of_key("a") is None


def test_a_journal_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no journal" * 1000)
    with pytest.raises(JournalBroken):
        Journal(tmp_path / "journal.sqlite")


GIVER = """
import sys
from pathlib import Path
from kiosk.journal import Journal
journal, turn = Journal(Path(sys.argv[1])), sys.argv[2]
for count in range(10_000):
    given = journal.give("A", key=f"{turn}-{count}", body={"service": "tax"}, track=f"{turn}-{count}", now_ms=5)
    sys.stdout.write(f"{given.label}\\n")  # the paper
    sys.stdout.flush()
"""


@pytest.mark.parametrize("kills", [10, pytest.param(50, marks=pytest.mark.faults)])
def test_killed_at_any_instant_no_number_comes_out_twice(tmp_path: Path, root: Path, kills: int) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    journal.lease(block(1, 99_999))
    journal.close()
    papers: list[str] = []
    for turn in range(kills):
        with subprocess.Popen(
            [sys.executable, "-c", GIVER, str(path), str(turn)], cwd=root, stdout=subprocess.PIPE, text=True
        ) as giver:
            assert giver.stdout is not None
            papers += [giver.stdout.readline().strip() for _ in range(turn + 1)]
            giver.send_signal(signal.SIGKILL)
            papers += giver.stdout.read().split()
    papers = [paper for paper in papers if len(paper) >= 4]
    assert len(papers) == len(set(papers)) >= kills
    journal = Journal(path)
    known = {it.label for it in journal.untold()}
    journal.close()
    assert set(papers) <= known
    numbers = sorted(int(label[1:]) for label in known)
    assert numbers == list(range(1, len(numbers) + 1))
