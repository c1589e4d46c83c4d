"""`jiaohao voice`: the script of a hall, the manifest of a folder, and what is missing in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

from config import find
from drivers.speech import sound
from drivers.speech.clips import ClipsEngine
from drivers.speech.phrases import call
from server.main import main

if TYPE_CHECKING:
    from pathlib import Path


def run(*words: str, lang: str = "en") -> tuple[int, str]:
    told = CliRunner().invoke(main, ["--lang", lang, "voice", *words])
    return told.exit_code, told.output


def script(language: str = "zh") -> dict[str, str]:
    status, output = run("list", "qiaocheng", "--numbers", "12", "--language", language, "--format", "json")
    assert status == 0
    return {row["file"]: row["say"] for row in json.loads(output)}


def test_the_script_names_every_unit_and_what_to_say() -> None:
    zh, en = script(), script("en")
    assert zh["please.wav"] == "请"
    assert (zh["number-012.wav"], zh["window-3.wav"], zh["letter-A.wav"]) == ("零一二号", "到三号窗口办理", "A")
    assert (en["number-012.wav"], en["window-3.wav"]) == ("zero one two", "please proceed to window 3")
    assert "number-013.wav" not in zh
    assert zh.keys() == en.keys() == script("ii").keys()


def test_a_hall_that_says_yao_records_it(tmp_path: Path) -> None:
    file = tmp_path / "hall.toml"
    file.write_text(find("demo").read_text(encoding="utf-8") + "\n[speech]\nyao = true\n", encoding="utf-8")
    assert "零幺二号" in run("list", str(file), "--numbers", "12")[1]


def test_a_hall_that_recorded_its_script_can_say_every_call(tmp_path: Path) -> None:
    for name in script():
        (tmp_path / name).write_bytes(sound.write_wav(sound.chime()))
    assert run("check", str(tmp_path))[0] == 2  # nothing describes them yet
    assert run("pack", str(tmp_path), "--language", "zh")[0] == 0
    status, output = run("check", str(tmp_path), "--hall", "qiaocheng", "--numbers", "12")
    assert (status, output.splitlines()[-1]) == (0, f"{tmp_path}: zh, {len(script())} recordings, 0 to put right")
    voice = ClipsEngine([str(tmp_path)])
    for label, window in (("A001", "1"), ("M012", "3")):
        assert voice.speak(call(label, window, ("zh",))[0])


def test_what_is_missing_or_wrong_is_named_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "please.wav").write_bytes(sound.write_wav(sound.chime()))
    (tmp_path / "nummer-1.wav").write_bytes(sound.write_wav(sound.chime()))
    status, output = run("pack", str(tmp_path), "--language", "zh")
    assert status == 1
    assert "✗ nummer-1.wav: no unit has this name" in output
    (tmp_path / "please.wav").write_bytes(sound.write_wav(sound.silence(1.0)))
    for lang, words in (("en", "please.wav is not the file"), ("zh", "please.wav 与清单不符")):
        status, output = run("check", str(tmp_path), "--hall", "qiaocheng", "--numbers", "1", lang=lang)
        assert status == 1
        assert words in output
        assert "letter-A" in output
    status, output = run("check", str(tmp_path), "--format", "json")
    assert [set(row) for row in json.loads(output)] == [{"zh", "en"}]
    assert status == 1


def test_bad_arguments_are_bad_input(tmp_path: Path) -> None:
    for words in (
        ("pack", str(tmp_path), "--language", "Mandarin, please"),
        ("pack", str(tmp_path), "--language", "zh", "--order", "please,window"),
        ("pack", str(tmp_path / "nowhere"), "--language", "zh"),
        ("list", "nowhere.toml"),
        ("check", str(tmp_path), "--hall", "nowhere.toml"),
    ):
        assert run(*words)[0] == 2, words
