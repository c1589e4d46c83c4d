"""Where keys stand: with comments, lists over lines, inline tables, dotted and quoted keys, all kinds of strings."""

from __future__ import annotations

import tomllib

from config.positions import Spot, locate, spot_of
from config.problems import TablePath

TEXT = """\
# [no] = "header"
top = 1  # "
[hall]   # [comment]
name = { zh = "a # ] }", en = 'b' }
address.zh = "x"
address . "en" = '''
[not.a.header]
''''
a."b.c" = 1979-05-27 07:32:00
notice = \"\"\"
k = "\\""
[[no]]
""\"\"\"
[[service]]
serves = [  # first
   "x", # "y",
   [1, {a = 1, b = [2]}],

   'z',
]
[service.sub]
k = ""
[[service]]
[[service.row]]
z = [[], {}]
[[service.row]]
z = 2
"""


def test_every_key_and_element_has_its_place() -> None:
    tomllib.loads(TEXT)
    places = {
        ("top",): (2, 1),
        ("hall",): (3, 1),
        ("hall", "name"): (4, 1),
        ("hall", "name", "zh"): (4, 10),
        ("hall", "name", "en"): (4, 26),
        ("hall", "address"): (5, 1),
        ("hall", "address", "zh"): (5, 9),
        ("hall", "address", "en"): (6, 11),
        ("hall", "a"): (9, 1),
        ("hall", "a", "b.c"): (9, 3),
        ("hall", "notice"): (10, 1),
        ("service",): (14, 1),
        ("service", 0): (14, 1),
        ("service", 0, "serves"): (15, 1),
        ("service", 0, "serves", 0): (16, 4),
        ("service", 0, "serves", 1): (17, 4),
        ("service", 0, "serves", 1, 0): (17, 5),
        ("service", 0, "serves", 1, 1): (17, 8),
        ("service", 0, "serves", 1, 1, "a"): (17, 9),
        ("service", 0, "serves", 1, 1, "b"): (17, 16),
        ("service", 0, "serves", 1, 1, "b", 0): (17, 21),
        ("service", 0, "serves", 2): (19, 4),
        ("service", 0, "sub"): (21, 1),
        ("service", 0, "sub", "k"): (22, 1),
        ("service", 1): (23, 1),
        ("service", 1, "row"): (24, 1),
        ("service", 1, "row", 0): (24, 1),
        ("service", 1, "row", 0, "z"): (25, 1),
        ("service", 1, "row", 0, "z", 0): (25, 6),
        ("service", 1, "row", 0, "z", 1): (25, 10),
        ("service", 1, "row", 1): (26, 1),
        ("service", 1, "row", 1, "z"): (27, 1),
    }
    assert locate(TEXT) == {path: Spot(*place) for path, place in places.items()}


def test_no_value_of_the_parsed_document_is_without_a_place() -> None:
    spots = locate(TEXT)
    assert {path for path in paths_of(tomllib.loads(TEXT)) if path not in spots} == set()


def test_what_is_missing_stands_at_the_nearest_thing_around_it() -> None:
    spots = locate(TEXT)
    assert spot_of(spots, ("service", 1, "prefix")) == Spot(23, 1)
    assert spot_of(spots, ("nothing", "at", "all")) == Spot(0, 0)


def paths_of(value: object, path: TablePath = ()) -> set[TablePath]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= paths_of(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found |= paths_of(inner, (*path, index))
    return found
