"""What a kiosk says: its words with the hall's names put in, and how a voice is told to say them."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from drivers.speech import sound
from drivers.speech.prompts import file_of, signs_of, texts, to_record, write_manifest

if TYPE_CHECKING:
    from pathlib import Path

VALUES = {"n": ["0", "1"], "letter": ["A"], "number": ["012"], "service": ["户籍"], "zone": [], "priority": ["70 岁？"]}


def test_every_value_is_put_in() -> None:
    assert texts(["您好。", "前面等候 {n} 人。", "{zone}", "您好。"], VALUES) == [
        "您好。",
        "前面等候 0 人。",
        "前面等候 1 人。",
    ]


@pytest.mark.parametrize("template", ["{n} {letter}", "{name}"])
def test_a_hole_that_nothing_fills_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="at most one of"):
        texts([template], VALUES)


def test_the_kiosks_own_words_can_be_made_and_said() -> None:
    words = json.loads((resources.files("kiosk") / "prompts.json").read_text(encoding="utf-8"))
    assert words["zh"].keys() == words["en"].keys()
    assert texts(words["en"].values(), VALUES)
    for text in texts(words["zh"].values(), VALUES):
        assert signs_of(text)


def test_a_number_is_read_as_on_the_ticket() -> None:
    assert signs_of("012号") == "li↗ŋ i→ ɚ↘ xau↘."
    assert to_record("012号") == "零一二号"
    assert to_record("前面等候 12 人。") == "前面等候 12 人。"
    assert "ʂɨ↗ɚ↘" in signs_of("前面等候 12 人。")


def test_what_lies_there_and_can_be_heard_is_described(tmp_path: Path) -> None:
    (tmp_path / file_of("好")).write_bytes(sound.write_wav(sound.chime()))
    (tmp_path / file_of("空")).write_bytes(sound.write_wav(sound.silence(1.0)))
    there, wrong = write_manifest(tmp_path, "zh", ["好", "空", "无"])
    assert (there, len(wrong)) == (1, 1)
    assert file_of("空") in wrong[0].en
    assert json.loads((tmp_path / "manifest.json").read_text())["clips"] == {"好": file_of("好")}
