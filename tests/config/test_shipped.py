"""The shipped halls: clean, in both languages, and true to what the notice says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel

from config import check, load_hall, reference, schema, shipped
from config.schema import HallFile


def test_the_shipped_files_have_no_problems() -> None:
    assert {"demo", "qiaocheng"} <= set(shipped())
    assert check(shipped().values()) == []


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_name_is_there_in_every_language_of_the_hall(name: str) -> None:
    hall = load_hall(shipped()[name])
    texts = list(texts_of(hall))
    assert texts
    assert [text for text in texts if set(text) != set(hall.hall.languages)] == []


def test_qiaocheng_has_the_desks_of_the_notice() -> None:
    hall = load_hall(shipped()["qiaocheng"])
    assert [window.no for window in hall.windows] == [str(number) for number in range(1, 30)]
    desks = Counter(window.zone for window in hall.windows)
    assert [desks[zone.id] for zone in hall.zones if zone.kind == "queue"] == [6, 4, 6, 10, 1, 1, 1]
    assert len(hall.floors) == 1
    assert {service.prefix for service in hall.services} == set("ABCDFGMT")
    assert sum(service.prefix == "B" for service in hall.services) == 4, "four stages of a construction project"


def test_qiaocheng_relieves_its_single_desks_from_the_general_zone() -> None:
    hall = load_hall(shipped()["qiaocheng"])
    desks = Counter(window.zone for window in hall.windows)
    single = {service.id for service in hall.services if desks[service.zone] == 1}
    assert len(single) == 3
    for window in hall.windows:
        assert set(window.relief) == (single if window.zone == "general" else set())


def test_qiaocheng_has_a_guide_desk_that_is_no_window() -> None:
    hall = load_hall(shipped()["qiaocheng"])
    assert [zone.name["zh"] for zone in hall.zones if zone.kind == "guide"] == ["引导台"]
    assert [clerk.windows for clerk in hall.clerks if clerk.role == "guide"] == [()]
    assert {no for clerk in hall.clerks for no in clerk.windows} == {window.no for window in hall.windows}


def test_the_demo_hall_is_small_and_shows_everything_once() -> None:
    hall = load_hall(shipped()["demo"])
    assert (len(hall.floors), len(hall.zones), len(hall.windows), len(hall.services)) == (2, 3, 6, 5)
    assert [priority.id for priority in hall.priorities] == ["green_channel"]
    assert {clerk.role for clerk in hall.clerks} == {"primary", "relief", "guide"}


@pytest.mark.parametrize("path", shipped().values(), ids=lambda path: path.stem)
def test_a_shipped_file_holds_no_secret_and_no_phone_number(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"password|token|secret|@|\d{7,}", text, re.IGNORECASE)


def test_the_settings_table_in_the_docs_is_drawn_from_the_schema() -> None:
    text = reference.PAGE.read_text(encoding="utf-8")
    assert reference.page(text) == text, "run: python -m config.reference"


def test_the_docs_name_the_widths_of_the_schema() -> None:
    text = reference.PAGE.read_text(encoding="utf-8")
    assert f"Names have at most {schema.NAME_COLUMNS} columns" in text
    assert f"questions {schema.SENTENCE_COLUMNS}" in text


def texts_of(value: object) -> Iterator[Mapping[str, str]]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from texts_of(getattr(value, name))
    elif isinstance(value, tuple):
        for each in value:
            yield from texts_of(each)
    elif isinstance(value, Mapping):
        yield value


def test_the_models_cannot_be_changed() -> None:
    hall = load_hall(shipped()["demo"])
    with pytest.raises(ValueError, match="frozen"):
        hall.hall.id = "other"  # type: ignore[misc]  # that is the point
    assert isinstance(hall, HallFile)
