"""How two hall files differ, in words by table and key."""

from pathlib import Path

import pytest

from config import load_hall, shipped
from config.compare import Change, Difference, differences
from config.loader import read_hall

DEMO = shipped()["demo"]
TEXT = DEMO.read_text(encoding="utf-8")


def changed(before: str, after: str) -> list[Difference]:
    """Give what a change of the demo hall's text means."""
    assert before in TEXT
    reading = read_hall(TEXT.replace(before, after, 1), DEMO)
    assert reading.hall is not None, reading.problems
    return differences(load_hall(DEMO), reading.hall)


@pytest.mark.parametrize("name", shipped())
def test_a_hall_does_not_differ_from_itself(name: str) -> None:
    file = shipped()[name]
    reading = read_hall(file.read_text(encoding="utf-8"), file)
    assert reading.hall is not None
    assert differences(load_hall(file), reading.hall) == []


def test_defaults_and_comments_are_no_difference() -> None:
    assert changed("[ticket]\n", "# a word\n[staff]\nleft_alone_min = 0\n[ticket]\n") == []


def test_a_changed_key_is_said_with_both_values_and_its_meaning() -> None:
    (one,) = changed("target_wait_min = 15", "target_wait_min = 25")
    assert (one.section, one.row, one.key, one.before, one.after) == (
        "[[service]]",
        "general",
        "target_wait_min",
        "15",
        "25",
    )
    assert one.means["zh"]
    assert one.sentence("zh") == "[[service]] general（综合业务）：target_wait_min 15 → 25"
    assert one.sentence("en") == "[[service]] general (General): target_wait_min 15 -> 25"


def test_rows_come_and_go_by_their_id() -> None:
    was, now = load_hall(DEMO), load_hall(DEMO)
    fewer = now.model_copy(update={"clerks": now.clerks[1:]})
    (gone,) = differences(was, fewer)
    assert (gone.change, gone.section, gone.row) == (Change.REMOVED, "[[clerk]]", was.clerks[0].work_id)
    (back,) = differences(fewer, was)
    assert back.change is Change.ADDED
    turned = now.model_copy(update={"zones": now.zones[::-1]})
    (order,) = differences(was, turned)
    assert order.change is Change.ORDER
    assert all(order.sentence(lang) for lang in ("zh", "en"))


def test_of_a_long_list_only_what_differs_is_shown() -> None:
    was = load_hall(DEMO)
    hours = was.calendar.hours
    longer = was.model_copy(update={"calendar": was.calendar.model_copy(update={"hours": (*hours, hours[0])})})
    assert differences(was, was) == []
    more = hours[0].model_copy(update={"closes": hours[0].opens.replace(minute=59)})
    other = was.model_copy(update={"calendar": was.calendar.model_copy(update={"hours": (*hours, more)})})
    (one,) = differences(was, other)
    assert one.before == "[]"
    assert ":59" in one.after
    turned = was.model_copy(update={"calendar": was.calendar.model_copy(update={"hours": (*hours[1:], hours[0])})})
    for same in (longer, turned):
        (one,) = differences(was, same)
        assert one.key == "hours"
        assert min(len(one.before), len(one.after)) > len("[]"), "no item is new, none is gone: both are shown"


def test_a_text_from_elsewhere_reads_no_pictures_outside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "hall").mkdir()
    (tmp_path / "secret.png").write_bytes(b"x")
    text = TEXT.replace("[ticket]", '[ticket]\nlogo = "../secret.png"', 1)
    assert "[ticket]" in text
    (problem,) = read_hall(text, tmp_path / "hall" / "hall.toml").problems
    assert problem.code == "logo"
    assert "There is no" in problem.en
