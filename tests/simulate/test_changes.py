"""What is tried: the small language of changes, each mistake told, and what a variant does to plan and rota."""

from pathlib import Path

import pytest

from config import load_hall, shipped
from server.domain.terms import CallingRule, HallPlan, WindowNo
from server.plan import plan_of
from server.simulate.changes import ChangeError, manned, planned, read, targets_of, windows_of
from server.simulate.visits import MIN

WHOLE = ((540 * MIN, 720 * MIN), (780 * MIN, 1020 * MIN))


@pytest.fixture(scope="module")
def plan() -> HallPlan:
    return plan_of(load_hall(shipped()["qiaocheng"]))


def test_skills_come_and_go(plan: HallPlan) -> None:
    (tried,) = read(["7..8+=household, 1-=culture, 20=legal-aid"], plan)
    after = planned(plan, tried).window
    for no in ("7", "8"):
        assert after[WindowNo(no)].serves == plan.window[WindowNo(no)].serves
        assert after[WindowNo(no)].relief == (*plan.window[WindowNo(no)].relief, "household")
    assert "culture" not in after[WindowNo("1")].relief
    assert (after[WindowNo("20")].serves, after[WindowNo("20")].relief) == (("legal-aid",), ())
    assert after[WindowNo("9")] == plan.window[WindowNo("9")]


def test_a_zone_stands_for_its_services_and_names_do_as_well_as_ids(plan: HallPlan) -> None:
    (by_id,) = read(["11+=construction"], plan)
    (by_name,) = read(["11 += 工程建设项目专区"], plan)
    assert by_id.changes == by_name.changes
    assert len(by_id.changes[0].services) == 4
    (one,) = read(["11+=construction-2"], plan)
    assert one.changes[0].services == ("construction-2",)


def test_windows_close_and_open_at_times(plan: HallPlan) -> None:
    (tried,) = read(["close 7 11:00-14:00, close 8, open 9 17:00-18:00, new 30=household"], plan)
    shifts = {WindowNo(no): WHOLE for no in ("7", "8", "9")}
    found = manned(tried, shifts, {WindowNo("30"): WHOLE})
    assert found[WindowNo("7")] == ((540 * MIN, 660 * MIN), (840 * MIN, 1020 * MIN))
    assert WindowNo("8") not in found
    assert found[WindowNo("9")] == ((540 * MIN, 720 * MIN), (780 * MIN, 1080 * MIN))
    assert found[WindowNo("30")] == WHOLE
    assert planned(plan, tried).window[WindowNo("30")].serves == ("household",)


def test_a_policy_is_the_rule_of_the_plan(plan: HallPlan) -> None:
    (tried,) = read(["policy home_first"], plan)
    assert planned(plan, tried).rule is CallingRule.HOME_FIRST


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("helpers: 5+=household", "helpers"),
        ("帮户籍：5+=household，关闭 7 12:00-13:00", "帮户籍"),
        ("plan 2: 5+=household", "plan 2"),
        ("close 7 12:00-13:00", "close 7 12:00-13:00"),
    ],
)
def test_a_variant_has_a_name(plan: HallPlan, text: str, name: str) -> None:
    (tried,) = read([text], plan)
    assert tried.name == name
    assert tried.changes


def test_variants_may_stand_in_a_file(plan: HallPlan, tmp_path: Path) -> None:
    file = tmp_path / "tries.txt"
    file.write_text("# for spring\none: 5+=household\n\n6+=household  # and 6\n", encoding="utf-8")
    assert [it.name for it in read([str(file)], plan)] == ["one", "6+=household"]
    with pytest.raises(ChangeError):
        read([str(tmp_path / "missing.txt")], plan)


def test_every_mistake_is_told_at_once_in_both_languages(plan: HallPlan) -> None:
    texts = [
        "5+=houshold, 99+=household, close 7 14:00-12:00",
        "policy fastest",
        "sing a song",
        "8..7+=household",
        "new 3=household",
        "",
    ]
    with pytest.raises(ChangeError) as error:
        read(texts, plan)
    told = [each.sentence("en") for each in error.value.problems]
    assert len(told) == 8
    assert any("Did you mean household?" in line for line in told)
    assert all(each.zh != each.en for each in error.value.problems)


def test_nobody_may_be_left_without_a_window(plan: HallPlan) -> None:
    with pytest.raises(ChangeError) as error:
        read(["1..6-=culture, 27=household"], plan)
    assert "culture" in str(error.value)


def test_lists_of_windows_and_targets(plan: HallPlan) -> None:
    assert windows_of("1..3, 7", plan, "--windows") == ("1", "2", "3", "7")
    assert len(windows_of("", plan, "--windows")) == 29
    assert [zone for zone, _ in targets_of("", plan, "--for")] == [
        "general", "construction", "household", "business", "culture", "legal-aid", "farm-machinery",
    ]  # fmt: skip
    assert targets_of("pickup，household", plan, "--for") == ((None, ("pickup",)), ("household", ("household",)))
    with pytest.raises(ChangeError) as error:
        targets_of("nothing, nowhere", plan, "--for")
    assert len(error.value.problems) == 2
