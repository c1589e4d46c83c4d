"""Every way a hall file can be wrong: the code, the line, and what was probably meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from config import HallFileError, Problem, check, check_report, find, load_hall, shipped
from config.text import BROKEN_LINES_MAX, FILE_BYTES_MAX

GOOD = """\
schema = 1
[hall]
id = "small"
name = { zh = "小厅", en = "Small hall" }
time_zone = "Asia/Shanghai"
[calendar]
hours = [
  { days = ["mon"], opens = "09:00", closes = "12:00" },
]
[[floor]]
id = "1F"
name = { zh = "一楼" }
[[zone]]
id = "general"
name = { zh = "综合", en = "General" }
floor = "1F"
[[service]]
id = "tax"
name = { zh = "税务", en = "Tax" }
zone = "general"
prefix = "A"
first = 1
[[window]]
no = "1"
zone = "general"
serves = ["tax"]
[[priority]]
id = "green_channel"
name = { zh = "绿色通道" }
question = { zh = "需要优先吗？" }
[ticket]
languages = ["zh"]
[[clerk]]
work_id = "101"
name = "1号窗口 A角"
windows = ["1"]
"""


Write: TypeAlias = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str | bytes, name: str = "hall.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return written


def line_of(text: str, needle: str) -> int:
    return next(number for number, line in enumerate(text.split("\n"), 1) if needle in line)


def test_a_good_file_has_no_problems_and_loads(write: Write) -> None:
    path = write(GOOD)
    assert check([path]) == []
    hall = load_hall(path)
    assert hall.hall.name["zh"] == "小厅"
    assert hall.windows[0].serves == ("tax",)


# what is replaced, by what, the code, the needle of the reported line, the suggestion
CASES = [
    ("schema = 1", "schema = 2", "unknown_schema", "schema", None),
    ("schema = 1", 'schema = "1"', "unknown_schema", "schema", "1"),
    ("schema = 1\n", "", "missing_table", None, None),
    ('id = "small"', 'id = "Small Hall"', "bad_form", "Small Hall", '"small-hall"'),
    ('id = "small"\n', "", "missing_key", "[hall]", None),
    ('time_zone = "Asia/Shanghai"', 'time_zone = "Asia/Shangai"', "unknown_time_zone", "Shangai", '"Asia/Shanghai"'),
    ('time_zone = "Asia/Shanghai"', 'time_zone = "Asia/Beijing"', "unknown_time_zone", "Beijing", '"Asia/Shanghai"'),
    ('time_zone = "Asia/Shanghai"', 'timezone = "Asia/Shanghai"', "unknown_key", "timezone", "time_zone"),
    ('time_zone = "Asia/Shanghai"', 'colour = "red"', "unknown_key", "colour", None),
    ('time_zone = "Asia/Shanghai"', 'prefix = "A"', "unknown_key", "prefix", None),
    ('time_zone = "Asia/Shanghai"', 'day_starts = "6:00"', "not_a_time", "day_starts", '"06:00"'),
    ('time_zone = "Asia/Shanghai"', 'day_starts = "24:00"', "not_a_time", "day_starts", None),
    ('time_zone = "Asia/Shanghai"', "day_starts = 6", "not_a_time", "day_starts", None),
    ('time_zone = "Asia/Shanghai"', "day_starts = 06:00:30", "not_a_minute", "day_starts", None),
    ('time_zone = "Asia/Shanghai"', 'languages = ["zh", "fr"]', "not_among", "languages", None),
    ('time_zone = "Asia/Shanghai"', 'languages = ["en"]', "chinese_missing", "languages", None),
    ('time_zone = "Asia/Shanghai"', 'languages = ["zh", "en", "zh"]', "language_twice", "languages", None),
    ('time_zone = "Asia/Shanghai"', 'languages = "zh"', "not_a_list", "languages", '["zh"]'),
    ('time_zone = "Asia/Shanghai"', 'public_url = "hall.example.cn"', "not_an_address", "public_url", None),
    ('time_zone = "Asia/Shanghai"', 'public_url = "https://h:x/"', "not_an_address", "public_url", None),
    (
        'name = { zh = "小厅", en = "Small hall" }',
        'name = "小厅"',
        "not_a_text_table",
        "小厅",
        'name = { zh = "小厅" }',
    ),
    ('name = { zh = "小厅", en = "Small hall" }', 'name = { en = "Small" }', "chinese_missing", "Small", None),
    ('name = { zh = "小厅", en = "Small hall" }', 'name = { zh = "" }', "empty_text", 'zh = ""', None),
    ('name = { zh = "小厅", en = "Small hall" }', 'name = { zh = "小\\n厅" }', "control_character", "小\\n厅", None),
    ('name = { zh = "小厅", en = "Small hall" }', f'name = {{ zh = "{"厅" * 25}" }}', "too_wide", "厅厅", None),
    ('name = { zh = "小厅", en = "Small hall" }', 'name = { zh = "厅", cn = "厅" }', "unknown_language", "cn", "zh"),
    ('name = { zh = "小厅", en = "Small hall" }', 'name = { zh = "厅", eng = "H" }', "unknown_language", "eng", "en"),
    ('name = { zh = "小厅", en = "Small hall" }', "name = { zh = 3 }", "not_text", "zh = 3", '"3"'),
    ("[calendar]", "[calender]", "unknown_key", "[calender]", "calendar"),
    ('days = ["mon"]', 'days = ["周一"]', "not_among", "周一", '"mon"'),
    ('days = ["mon"]', 'days = ["Monday"]', "not_among", "Monday", '"mon"'),
    ('days = ["mon"]', "days = []", "empty_list", "days", None),
    ('days = ["mon"]', 'days = ["mon", "mon"]', "hours_overlap", "days", None),
    ('opens = "09:00"', 'opens = "12:30"', "hours_out_of_order", "opens", None),
    ('opens = "09:00"', 'opens = "05:00"', "hours_cross_day", "opens", None),
    ('opens = "09:00"', 'opens = "9：00"', "not_a_time", "opens", '"09:00"'),
    ("[[floor]]", "[[flor]]", "unknown_key", "[[flor]]", "floor"),
    ("[[zone]]", "[zone]", "single_table", "[zone]", "[[zone]]"),
    ("[ticket]", "[[ticket]]", "repeated_table", "[[ticket]]", "[ticket]"),
    ('floor = "1F"', 'floor = "1f"', "unknown_floor", '"1f"', '"1F"'),
    ('floor = "1F"', 'floor = "一楼"', "unknown_floor", "一楼", '"1F"'),
    ('zone = "general"\nprefix', 'zone = "generl"\nprefix', "unknown_zone", "generl", '"general"'),
    ('zone = "general"\nserves', 'zone = "综合"\nserves', "unknown_zone", 'zone = "综合"', '"general"'),
    ('serves = ["tax"]', 'serves = ["tex"]', "unknown_service", "tex", '"tax"'),
    ('serves = ["tax"]', 'serves = ["tax", "税务"]', "unknown_service", "serves", '"tax"'),
    ('serves = ["tax"]', 'serves = ["tax"]\nrelief = ["tx"]', "unknown_service", "relief", '"tax"'),
    ('serves = ["tax"]', 'serves = ["tax"]\nrelief = ["tax"]', "service_twice", "relief", None),
    ('serves = ["tax"]', 'serves = ["tax", "tax"]', "service_twice", "serves", None),
    ('serves = ["tax"]', 'serves = "tax"', "not_a_list", "serves", '["tax"]'),
    ('serves = ["tax"]', "serves = []", "empty_list", "serves", None),
    ('serves = ["tax"]', "serves = []", "service_unserved", 'id = "tax"', None),
    ('serves = ["tax"]', 'relief = ["tax"]', "service_unserved", 'id = "tax"', None),
    ('no = "1"', "no = 1", "not_text", "no = 1", '"1"'),
    ('no = "1"', 'no = "一号"', "bad_form", "一号", None),
    ('no = "1"', 'no = "1"\nfloor = "2F"', "unknown_floor", "2F", None),
    ('prefix = "A"', 'prefix = "a"', "bad_form", "prefix", '"A"'),
    ('prefix = "A"', 'prefix = "ABC"', "bad_form", "prefix", None),
    ('prefix = "A"', 'prefix = "I"', "ambiguous_prefix", "prefix", '"A"'),
    ('prefix = "A"', 'prefix = "AO"', "ambiguous_prefix", "prefix", '"A"'),
    ('prefix = "A"', 'prefix = "Q"', "ambiguous_prefix", "prefix", '"A"'),
    ("first = 1", "first = 0", "out_of_range", "first", None),
    ("first = 1", "last = 10000", "out_of_range", "last", None),
    ("first = 1", 'first = "1"', "not_a_number", "first", "1"),
    ("first = 1", "first = 1.5", "not_a_number", "first", None),
    ("first = 1", "first = true", "not_a_number", "first", None),
    ("first = 1", "first = 5\nlast = 4", "numbers_out_of_order", "first", None),
    ("first = 1", "minutes_typical = 0", "out_of_range", "minutes_typical", None),
    ("first = 1", "minutes_typical = nan", "not_a_number", "minutes_typical", None),
    ("first = 1", "target_wait_min = 481", "out_of_range", "target_wait_min", None),
    ("first = 1", 'department = ""', "empty_text", "department", None),
    ("first = 1", f'department = "{"局" * 41}"', "too_long", "department", None),
    ('id = "green_channel"', 'id = "ordinary"', "reserved_priority", "ordinary", None),
    ('id = "green_channel"', 'id = "green_channel"\nslope = 0.5', "out_of_range", "slope", None),
    ('languages = ["zh"]', 'languages = ["zh"]\nallow_ambiguous_prefixes = "true"', "not_yes_or_no", "allow", "true"),
    ('work_id = "101"', 'work_id = "1 01"', "bad_form", "1 01", '"1-01"'),
    ('windows = ["1"]', 'windows = ["11"]', "unknown_window", "11", '"1"'),
    ('windows = ["1"]\n', "", "clerk_without_window", "[[clerk]]", None),
    ('windows = ["1"]', 'windows = ["1"]\nrole = "guide"', "guide_with_window", "windows", None),
    ('windows = ["1"]', 'windows = ["1"]\nrole = "releif"', "not_among", "role", '"relief"'),
    # calendar and quotas
    ('days = ["mon"]', 'days = ["mon", "market"]', "market_days_missing", "hours = [", None),
    ('days = ["mon"]', 'days = ["monday"]', "not_among", "monday", '"mon"'),
    ("]\n[[floor]]", ']\nmarket_days = ["sat"]\n[[floor]]', "market_hours_missing", "market_days", None),
    ("]\n[[floor]]", ']\nmarket_days = ["every 0 days from 2026-01-03"]\n[[floor]]', "not_a_market_day", "every", None),
    ("]\n[[floor]]", ']\nmarket_days = ["2003-06-31"]\n[[floor]]', "not_a_market_day", "2003", None),
    ("]\n[[floor]]", ']\nextra_closed = ["2003-06-31"]\n[[floor]]', "not_a_date", "2003", None),
    ("]\n[[floor]]", "]\nextra_closed = [2003-06-31]\n[[floor]]", "toml_syntax", "2003", None),
    ("]\n[[floor]]", ']\nextra_open = ["2026/5/1"]\n[[floor]]', "not_a_date", "2026/5/1", '"2026-05-01"'),
    ("]\n[[floor]]", "]\nextra_open = [2026-05-01T08:00:00]\n[[floor]]", "not_a_date", "2026", None),
    ("]\n[[floor]]", "]\nextra_open = [20260501]\n[[floor]]", "not_a_date", "2026", None),
    (
        "]\n[[floor]]",
        ']\nextra_open = ["2026-05-01"]\nextra_closed = [2026-05-01]\n[[floor]]',
        "day_twice",
        "extra_closed",
        None,
    ),
    ("]\n[[floor]]", ']\nlast_ticket = "serve"\n[[floor]]', "not_a_last_ticket", "last_ticket", None),
    ("]\n[[floor]]", "]\nlast_ticket = -1\n[[floor]]", "not_a_last_ticket", "last_ticket", None),
    ("]\n[[floor]]", "]\nlast_ticket = true\n[[floor]]", "not_a_last_ticket", "last_ticket", None),
    ("]\n[[floor]]", ']\nholidays = "us"\n[[floor]]', "not_among", "holidays", None),
    ("]\n[[floor]]", ']\noutside_hours = "refused"\n[[floor]]', "not_among", "outside", '"refuse"'),
    ('closes = "12:00" }', 'closes = "12:00", zones = ["generl"] }', "unknown_zone", "generl", '"general"'),
    ('closes = "12:00" }', 'closes = "12:00", services = ["tex"] }', "unknown_service", "tex", '"tax"'),
    ('floor = "1F"', 'opens = "09:00"', "half_hours", 'opens = "09:00"\n[[service', None),
    ('floor = "1F"', 'opens = "19:00"\ncloses = "09:00"', "hours_out_of_order", 'closes = "09:00"', None),
    (
        'floor = "1F"',
        'always_open = true\nopens = "09:00"\ncloses = "10:00"',
        "hours_twice",
        'opens = "09:00"\nc',
        None,
    ),
    ('floor = "1F"', 'trial_from = "2026-05-01"\ntrial_to = 2026-04-30', "trial_out_of_order", "trial_to", None),
    (
        'floor = "1F"',
        """hours = [
          { days = ["mon"], opens = "09:00", closes = "10:00" },
          { days = ["mon"], opens = "09:30", closes = "11:00" }]""",
        "hours_overlap",
        "09:30",
        None,
    ),
    (
        'serves = ["tax"]',
        'serves = ["tax"]\ntides = [{ from = "11:00", to = "09:00", serves = ["tax"] }]',
        "tide_out_of_order",
        "tides",
        None,
    ),
    (
        'serves = ["tax"]',
        'serves = ["tax"]\ntides = [{ from = "09:00", to = "10:00", serves = ["taxi"] }]',
        "unknown_service",
        "tides",
        '"tax"',
    ),
    (
        'serves = ["tax"]',
        'serves = ["tax"]\ntides = [{ from = "09:00", to = "10:00", serves = [] }]',
        "tide_serves_nothing",
        "tides",
        None,
    ),
    (
        'serves = ["tax"]',
        (
            'serves = ["tax"]\ntides = [{ from = "09:00", to = "10:00", serves = ["tax"] }, '
            '{ from = "09:30", to = "11:00", serves = ["tax"] }]'
        ),
        "tides_overlap",
        "tides",
        None,
    ),
    ("first = 1", "day_quota = 0", "out_of_range", "day_quota", None),
    ("first = 1", 'slot_quota = [{ from = "8:00", to = "09:00", quota = 1 }]', "not_a_time", "slot", '"08:00"'),
    ("first = 1", 'slot_quota = [{ from = "10:00", to = "09:00", quota = 1 }]', "slot_out_of_order", "slot", None),
    ("first = 1", 'slot_quota = [{ from = "08:00", to = "09:30", quota = 1 }]', "slot_outside_hours", "slot", None),
    (
        "first = 1",
        'slot_quota = [{ from = "09:00", to = "10:00", quota = 1 }, { from = "09:59", to = "11:00", quota = 1 }]',
        "slots_overlap",
        "slot",
        None,
    ),
    # what a hall is besides: tenants, kinds, marks, legs, unstaffed windows, kiosks, rules
    ('floor = "1F"', 'tenant = "city"', "unknown_tenant", "city", None),
    ("first = 1", 'tenant = "city"', "unknown_tenant", "city", None),
    ('floor = "1F"', 'kind = "selfservice"', "not_among", "kind", '"self_service"'),
    ('floor = "1F"', 'kind = "guide"', "service_in_quiet_zone", 'zone = "general"\nprefix', None),
    ('floor = "1F"', 'kind = "guide"', "window_in_quiet_zone", 'zone = "general"\nserves', None),
    ("first = 1", 'kind = "pick-up"', "not_among", "kind", '"pickup"'),
    ("first = 1", 'flags = ["crossprovince"]', "not_among", "flags", '"cross_province"'),
    ("first = 1", 'matter_code = "一"', "bad_form", "matter_code", None),
    ("first = 1", "appointments = 0", "out_of_range", "appointments", None),
    ("first = 1", "asks_case = true", "case_of_kind", "asks_case", None),
    ("first = 1", 'guide = { phone = "问引导台" }', "bad_form", "phone", None),
    ("first = 1", 'guide = { fees = { zh = "免费" } }', "unknown_key", "fees", "fee"),
    ("first = 1", "guide = { materials = [" + '{ zh = "证" }, ' * 13 + "] }", "too_many", "materials", None),
    ("first = 1", 'guide = { materials = [{ en = "Card" }] }', "chinese_missing", "materials", None),
    ("first = 1", 'guide = { materials = [{ zh = "身份证", cn = "卡" }] }', "unknown_language", "cn", "zh"),
    ("first = 1", 'legs = ["tax", "tex"]', "unknown_service", "legs", '"tax"'),
    ("first = 1", 'legs = ["tax"]', "one_leg", "legs", None),
    ("first = 1", 'legs = ["tax", "tax"]', "named_twice", "legs", None),
    ("first = 1", 'legs = ["a", "b", "c", "d", "e", "f", "g", "h", "tax"]', "too_many_legs", "legs", None),
    ("first = 1", 'legs = ["land", "tax"]', "first_leg_elsewhere", "legs", 'legs = ["tax", "land"]'),
    ("first = 1", 'kind = "pickup"\nlegs = ["tax", "land"]', "legs_of_kind", "legs", None),
    ('serves = ["tax"]', "staffed = false", "service_unserved", 'id = "tax"', None),
    ('serves = ["tax"]', 'serves = ["tax"]\nstaffed = false', "service_unserved", 'id = "tax"', None),
    ('serves = ["tax"]', 'serves = ["tax"]\nstaffed = false', "zone_without_window", 'id = "general"', None),
    ('serves = ["tax"]', 'serves = ["tax"]\nstaffed = false', "clerk_at_unstaffed", 'windows = ["1"]', None),
    ('serves = ["tax"]', 'serves = ["tax"]\nstaffed = "false"', "not_yes_or_no", "staffed", "false"),
    ('serves = ["tax"]\n', "", "missing_key", "[[window]]", None),
    ('windows = ["1"]', 'windows = ["1"]\nemployment = "civil-servant"', "not_among", "employment", '"civil_servant"'),
    ('windows = ["1"]', 'windows = ["1"]\nemployment = "公益岗"', "not_among", "employment", '"public_welfare"'),
    ("first = 1", 'flags = ["跨省通办"]', "not_among", "flags", '"cross_province"'),
    ('windows = ["1"]', 'windows = ["1"]\nchief = true', "chief_of_nothing", "chief", None),
    ('windows = ["1"]', 'windows = ["1"]\ndepartment = ""', "empty_text", "department", None),
    ('id = "green_channel"', 'id = "appointment"', "appointment_asked", "question", None),
    ("[ticket]", '[[kiosk]]\nid = "k 1"\nname = { zh = "一" }\n[ticket]', "bad_form", "k 1", '"k-1"'),
    ("[ticket]", '[[kiosk]]\nid = "k"\nname = { zh = "一" }\nfloor = "2F"\n[ticket]', "unknown_floor", "2F", None),
    (
        "[ticket]",
        '[[kiosk]]\nid = "k"\nname = { zh = "一" }\nzones = ["generl"]\n[ticket]',
        "unknown_zone",
        "generl",
        '"general"',
    ),
    (
        "[ticket]",
        '[[kiosk]]\nid = "k"\nname = { zh = "一" }\nzones = ["general", "general"]\n[ticket]',
        "named_twice",
        "zones = ",
        None,
    ),
    ("[ticket]", "[appointments]\nslot_min = 4\n[ticket]", "out_of_range", "slot_min", None),
    ("[ticket]", "[fairness]\nratio = -1\n[ticket]", "out_of_range", "ratio", None),
    ("[ticket]", "[fairness]\noldest_first = 30\n[ticket]", "unknown_key", "oldest", "oldest_first_after_min"),
    ("[ticket]", "[staff]\nleft_alone_min = 241\n[ticket]", "out_of_range", "left_alone", None),
    ("[ticket]", "[rating]\nbad_grade = 5\n[ticket]", "out_of_range", "bad_grade", None),
    ("[ticket]", '[agency]\npartners = ["Small"]\n[ticket]', "bad_form", "partners", '"small"'),
    ("[ticket]", '[agency]\npartners = ["small"]\n[ticket]', "partner_is_self", "partners", None),
    ("[ticket]", '[agency]\npartners = ["a", "a"]\n[ticket]', "named_twice", "partners", None),
    # lines that are not TOML
    ('no = "1"', 'no = "1', "toml_syntax", 'no = "1', None),
    ('no = "1"', 'no "1"', "toml_syntax", 'no "1"', None),
    ('no = "1"', "no = 一", "toml_syntax", "no = 一", None),
    ('no = "1"', 'no = "1"\nno = "2"', "toml_syntax", 'no = "2"', None),
    ('no = "1"', "no = “1”", "full_width", "no = “1”", 'no = "1"'),
    ('no = "1"', 'no ＝ "1"', "full_width", "＝", 'no = "1"'),
    ('serves = ["tax"]', 'serves = ["tax"，"x"]', "full_width", "，", 'serves = ["tax","x"]'),
    ('serves = ["tax"]', 'serves = 【"tax"】', "full_width", "【", 'serves = ["tax"]'),
    ("first = 1", "first = １", "full_width", "１", "first = 1"),
    ("[[window]]", "[[window]", "toml_syntax", "[[window]", None),
    ("[ticket]", "[hall]", "toml_syntax", "[hall]", None),
]


@pytest.mark.parametrize(("old", "new", "code", "needle", "suggestion"), CASES)
def test_a_mistake_is_named_with_its_line_and_what_was_meant(
    write: Write, old: str, new: str, code: str, needle: str | None, suggestion: str | None
) -> None:
    assert GOOD.count(old) == 1, "the case must change exactly one place"
    text = GOOD.replace(old, new)
    problems = check([write(text)])
    problem = next((each for each in problems if each.code == code), None)
    assert problem is not None, problems
    assert problem.suggestion == suggestion
    if needle is None:
        assert problem.line == 0
    else:
        at = GOOD.index(old) if needle in new else text.index(needle)
        assert problem.line == text[: text.index(needle, at)].count("\n") + 1
        assert problem.column >= 1
    assert problem.zh.endswith("。")
    assert problem.en.endswith(".")
    assert not any("一" <= char <= "鿿" for char in problem.en.split('"')[0]), "English stays English"


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ('[[floor]]\nid = "1F"\nname = { zh = "一楼" }\n', "duplicate_id"),
        ('[[zone]]\nid = "general"\nname = { zh = "综" }\n', "duplicate_id"),
        ('[[window]]\nno = "1"\nzone = "general"\nserves = ["tax"]\n', "duplicate_id"),
        ('[[clerk]]\nwork_id = "101"\nname = "x"\nwindows = ["1"]\n', "duplicate_id"),
        ('[[priority]]\nid = "green_channel"\nname = { zh = "绿" }\nquestion = { zh = "？" }\n', "duplicate_id"),
        ('[[service]]\nid = "tax"\nname = { zh = "税" }\nzone = "general"\nprefix = "B"\n', "duplicate_id"),
        ('[[zone]]\nid = "empty"\nname = { zh = "空" }\n', "zone_without_window"),
        ('[[service]]\nid = "lone"\nname = { zh = "单" }\nzone = "general"\nprefix = "B"\n', "service_unserved"),
        (
            '[[service]]\nid = "b"\nname = { zh = "乙" }\nzone = "general"\nprefix = "A"\nfirst = 500\n',
            "series_range_differs",
        ),
        ('[[service]]\nid = "b"\nname = { zh = "乙" }\nzone = "other"\nprefix = "A"\n', "series_of_two_zones"),
    ],
)
def test_what_does_not_fit_together_is_named_at_the_later_table(write: Write, table: str, code: str) -> None:
    first_line = GOOD.count("\n") + 1
    found = [each for each in check([write(GOOD + table)]) if each.code == code]
    assert len(found) == 1
    assert first_line <= found[0].line <= first_line + table.count("\n")


def test_a_full_calendar_is_read(write: Write) -> None:
    calendar = """\
  { days = ["market"], opens = "08:00", closes = "16:00" },
  { days = ["mon"], opens = "11:00", closes = "13:00", zones = ["general"], services = ["tax"] },
]
outside_hours = "issue"
last_ticket = 30
holidays = "cn"
extra_open = ["2026-05-02", 2026-05-03]
extra_closed = [2026-07-01]
market_days = ["sat", "2026-01-03", "every 5 days from 2026-01-03"]
"""
    text = GOOD.replace("]\n[[floor]]", calendar + "[[floor]]").replace(
        "first = 1", 'day_quota = 90\nslot_quota = [{ from = "11:30", to = "12:30", quota = 0 }]'
    )
    text = text.replace('floor = "1F"', "trial_from = 2026-01-01")
    assert check([write(text)]) == []
    hall = load_hall(write(text))
    assert [f"{day}" for day in hall.calendar.extra_open] == ["2026-05-02", "2026-05-03"]
    assert hall.services[0].slot_quota[0].starts.hour == 11


def test_holidays_without_hours_mean_nothing(write: Write) -> None:
    text = GOOD.replace('hours = [\n  { days = ["mon"], opens = "09:00", closes = "12:00" },\n]', 'holidays = "cn"')
    assert [each.code for each in check([write(text)])] == ["calendar_without_hours"]


def test_what_visitors_book_by_themselves_can_be_booked(write: Write) -> None:
    text = GOOD + '\n[appointments]\nonline = "phone_number"\n'
    (problem,) = check([write(text)])
    assert (problem.code, problem.line) == ("online_without_bookable", line_of(text, "online"))
    assert check([write(text.replace("first = 1", "appointments = 2"))]) == []


def test_without_hours_nothing_can_be_booked(write: Write) -> None:
    hours = 'hours = [\n  { days = ["mon"], opens = "09:00", closes = "12:00" },\n]\n'
    text = GOOD.replace("first = 1", "appointments = 2")
    assert check([write(text)]) == []
    (problem,) = check([write(text.replace(hours, ""))])
    assert (problem.code, problem.line) == ("bookable_without_hours", line_of(text, "appointments") - 3)
    for zone in ('opens = "09:00"\ncloses = "10:00"', "always_open = true"):
        assert check([write(text.replace(hours, "").replace('floor = "1F"', zone))]) == []


def test_a_self_service_area_and_an_empty_window_need_nothing(write: Write) -> None:
    more = """\
[[tenant]]
id = "city"
name = { zh = "市中心" }
[[zone]]
id = "machines"
name = { zh = "自助区" }
kind = "self_service"
about = { zh = "税务、社保" }
tenant = "city"
always_open = true
[[window]]
no = "2"
zone = "general"
staffed = false
decides = false
[[kiosk]]
id = "大门-1"
name = { zh = "大门" }
zones = ["machines", "general"]
day_quota = 500
"""
    assert check([write(GOOD + more)]) == []
    hall = load_hall(write(GOOD + more))
    assert (hall.windows[1].serves, hall.windows[1].staffed) == ((), False)
    only_machines = (GOOD + more).replace('zones = ["machines", "general"]', 'zones = ["machines"]')
    assert [each.code for each in check([write(only_machines)])] == ["kiosk_without_service"]


def test_a_department_has_one_chief_representative(write: Write) -> None:
    chief = 'department = "税务"\nchief = true\n'
    text = GOOD + chief + '[[clerk]]\nwork_id = "102"\nname = "B角"\nwindows = ["1"]\n' + chief
    (problem,) = check([write(text)])
    assert (problem.code, problem.line) == ("two_chiefs", text.rstrip("\n").count("\n") + 1)
    assert f"line {line_of(text, 'chief')}" in problem.en


def test_a_priority_without_a_question_is_fine(write: Write) -> None:
    assert check([write(GOOD.replace('question = { zh = "需要优先吗？" }\n', ""))]) == []


def test_services_of_one_zone_may_share_a_series(write: Write) -> None:
    twin = '[[service]]\nid = "b"\nname = { zh = "乙" }\nzone = "general"\nprefix = "A"\n'
    assert check([write(GOOD.replace('serves = ["tax"]', 'serves = ["tax", "b"]') + twin)]) == []


def test_an_unclear_letter_is_allowed_when_the_file_says_so(write: Write) -> None:
    text = GOOD.replace('prefix = "A"', 'prefix = "O"').replace("[ticket]", "[ticket]\nallow_ambiguous_prefixes = true")
    assert check([write(text)]) == []


def test_all_mistakes_are_told_at_once_from_top_to_bottom(write: Write) -> None:
    text = GOOD
    for old, new in [
        ('id = "small"', 'id = "S M"'),
        ('days = ["mon"]', 'days = ["tuesday"]'),
        ('prefix = "A"', 'prefix = "Q"'),
        ('serves = ["tax"]', 'serves = ["tex"]\nrelif = []'),
        ('windows = ["1"]', 'windows = ["1"]\nrole = "chief"'),
    ]:
        text = text.replace(old, new)
    problems = check([write(text)])
    assert [each.code for each in problems] == [
        "bad_form",
        "not_among",
        "service_unserved",
        "ambiguous_prefix",
        "unknown_service",
        "unknown_key",
        "not_among",
    ]
    assert [each.line for each in problems] == sorted(each.line for each in problems)


def test_a_broken_line_does_not_hide_other_mistakes_nor_invent_any(write: Write) -> None:
    text = GOOD.replace('prefix = "A"', "prefix = A").replace("first = 1", "first = 0").replace('no = "1"', "no = ‘1’")
    assert [each.code for each in check([write(text)])] == ["toml_syntax", "out_of_range", "full_width"]
    text = GOOD.replace('serves = ["tax"]', 'serves = 【"tax"】')
    assert [each.code for each in check([write(text)])] == ["full_width"]


def test_what_is_no_toml_is_said_in_words(write: Write) -> None:
    (problem,) = check([write(GOOD.replace('no = "1"', 'no = "1"\nno = "2"'))])
    assert problem.en == "Not valid TOML: this key is written in this table already (Cannot overwrite a value)."
    assert problem.zh == "这个键在本表中已经写过（Cannot overwrite a value）。"
    (problem,) = check([write(GOOD.replace("first = 1", "first = １   # the first"))])
    assert problem.suggestion == "first = 1"


def test_a_list_that_does_not_end_names_the_line_where_it_begins(write: Write) -> None:
    (problem,) = check([write(GOOD.replace('serves = ["tax"]', 'serves = ["tax"'))])
    assert problem.line == line_of(GOOD, "[[priority]]")
    assert f"begun on line {line_of(GOOD, 'serves =')}" in problem.en


def test_a_text_that_is_no_toml_at_all_ends_in_few_lines(write: Write) -> None:
    assert 1 <= len(check([write("\n".join(f"第{number}行 = 没有引号" for number in range(200)))])) <= BROKEN_LINES_MAX


@pytest.mark.parametrize(
    ("raw", "code", "line"),
    [
        (b"", "file_empty", 0),
        (b"# nothing\n\n", "file_empty", 0),
        (b"\xef\xbb\xbf", "file_empty", 0),
        (GOOD.encode("gbk"), "not_utf8", 4),
        (GOOD.encode("utf-16"), "not_utf8", 1),
        (b"schema = 1\n\xff\xfe", "not_utf8", 2),
        (b"x" * (FILE_BYTES_MAX + 1), "file_too_large", 0),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "too_deep", 0),
        (b'hall = "small"\n[[device]]\nid = "printer-1"\n', "not_a_hall_file", 0),
        (b"schema = 1\x00\n", "toml_syntax", 1),
        (b"schema = " + b"1" * 5000 + b"\n", "toml_syntax", 1),
    ],
)
def test_a_file_that_cannot_be_read_as_a_hall_says_why(write: Write, raw: bytes, code: str, line: int) -> None:
    problems = check([write(raw)])
    assert (problems[0].code, problems[0].line) == (code, line)


def test_a_wrong_encoding_is_told_by_its_name_in_notepad(write: Write) -> None:
    assert "GBK" in check([write(GOOD.encode("gbk"))])[0].zh
    assert "UTF-16" in check([write(GOOD.encode("utf-16"))])[0].zh


@pytest.mark.parametrize("text", ["\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD.replace("\n", "\r\n")])
def test_a_byte_order_mark_and_windows_line_ends_are_fine(write: Write, text: str) -> None:
    assert check([write(text)]) == []


def test_lines_and_columns_are_right_with_windows_line_ends(write: Write) -> None:
    (problem,) = check([write(GOOD.replace('floor = "1F"', "flor = 1").replace("\n", "\r\n"))])
    assert (problem.line, problem.column) == (line_of(GOOD, "floor = "), 1)


def test_a_missing_file_and_a_folder_name_what_is_there(write: Write, tmp_path: Path) -> None:
    path = write(GOOD, "qiaocheng.toml")
    (missing,) = check([tmp_path / "qiaochen.toml"])
    assert (missing.code, missing.suggestion) == ("file_missing", str(path))
    (folder,) = check([tmp_path])
    assert (folder.code, folder.suggestion) == ("folder", str(path))
    (nowhere,) = check([tmp_path / "no" / "such.toml"])
    assert (nowhere.code, nowhere.suggestion) == ("file_missing", None)
    assert check(["a\0b"])[0].code == "file_unreadable"


def test_two_files_of_one_hall_are_refused_but_one_file_named_twice_is_not(write: Write) -> None:
    one, two = write(GOOD, "one.toml"), write(GOOD, "two.toml")
    assert check([one, one]) == []
    (problem,) = check([one, two])
    assert (problem.code, problem.file, problem.line) == ("duplicate_hall", str(two), 3)


def test_load_refuses_with_every_problem(write: Write) -> None:
    with pytest.raises(HallFileError) as refused:
        load_hall(write(GOOD.replace('prefix = "A"', 'prefix = "I"').replace("first = 1", "first = 0")))
    assert [each.code for each in refused.value.problems] == ["ambiguous_prefix", "out_of_range"]
    assert "misread" in str(refused.value)


def test_the_report_has_one_line_per_problem_and_a_sum() -> None:
    problem = Problem(
        file="hall.toml", line=3, column=5, path="hall.id", code="x", zh="不对。", en="Wrong.", suggestion='"a"'
    )
    assert check_report([problem], "zh") == 'hall.toml:3:5: 不对。是不是想写 "a"？\n共 1 处问题。'
    assert check_report([problem], "en") == 'hall.toml:3:5: Wrong. Did you mean "a"?\n1 problem found.'
    assert check_report([], "zh", files=2) == "已检查 2 个文件，没有发现问题。"
    assert check_report([], "en", files=1) == "1 file checked, no problems."


def test_find_prefers_a_path_and_knows_the_shipped_names(write: Write) -> None:
    assert find("demo") == shipped()["demo"]
    assert find("nowhere") == Path("nowhere")
    path = write(GOOD, "mine.toml")
    assert find(path) == path
