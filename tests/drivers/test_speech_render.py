"""Rendering ahead: a number is there before it is called, a child that dies or hangs costs nothing but that piece."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from array import array
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from click.testing import CliRunner

from drivers.agent import Agent
from drivers.devices_file import read_devices
from drivers.jobs import Upcoming
from drivers.journal import Journal
from drivers.speech import kokoro, render, sound
from drivers.speech.clips import BadPack, ClipsEngine, read_pack, write_manifest
from drivers.speech.engine import NoVoice
from drivers.speech.phrases import Line, call
from drivers.speech.prompts import file_of
from drivers.speech.render import RenderedVoice, Renderer
from drivers.speech.signs import of_unit
from server.main import main
from tests.patience import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHILD = """
import json, pathlib, sys, time, wave
log = pathlib.Path(sys.argv[0]).with_name("asked")
for line in sys.stdin:
    wanted = json.loads(line)
    with log.open("a") as asked:
        asked.write(wanted["signs"] + "\\n")
    answer = {}
    BEHAVIOUR
    with wave.open(wanted["out"], "wb") as out:
        out.setparams((1, 2, 24000, 0, "NONE", ""))
        out.writeframes(b"".join(v.to_bytes(2, "little", signed=True) for v in [9000, -9000] * 6000))
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A child that hums for half a second whatever it is told, and writes down what that was."""
    script = tmp_path / "child.py"
    monkeypatch.setattr(render, "_CHILD", script)
    behave(script, "pass")
    return script


def behave(script: Path, behaviour: str) -> None:
    script.write_text(CHILD.replace("BEHAVIOUR", behaviour))


def asked(script: Path) -> list[str]:
    log = script.with_name("asked")
    return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def voice(tmp_path: Path) -> RenderedVoice:
    file = tmp_path / "zf_test.bin"
    file.write_bytes(bytes(kokoro.VOICE_BYTES))
    return RenderedVoice(file=file, sha256=hashlib.sha256(file.read_bytes()).hexdigest())


@pytest.fixture
def renderer(child: Path, tmp_path: Path) -> Iterator[Renderer]:
    made = Renderer(tmp_path / "kept")
    yield made
    made.close()


def test_what_is_wanted_is_rendered_once_and_kept(
    child: Path, voice: RenderedVoice, renderer: Renderer, tmp_path: Path
) -> None:
    for _ in range(3):  # at every ticket all labels come again
        renderer.want(voice, ["i→.", "ɚ↘."])
    until(lambda: renderer.get(voice, "i→.") is not None, "the first is there")
    until(lambda: renderer.get(voice, "ɚ↘.") is not None, "the second is there")
    again = Renderer(tmp_path / "kept")
    again.want(voice, ["i→.", "ɚ↘."])
    assert again.get(voice, "i→.") is not None
    again.close()
    assert sorted(asked(child)) == sorted(["i→.", "ɚ↘."])


def test_what_is_called_now_comes_before_what_may_come(child: Path, voice: RenderedVoice, renderer: Renderer) -> None:
    behave(child, "time.sleep(0.2)")
    renderer.want(voice, [f"{'a' * place}." for place in range(1, 6)])
    assert renderer.get(voice, "i→.") is None
    until(lambda: renderer.get(voice, "i→.") is not None, "it was rendered")
    assert asked(child).index("i→.") <= 2


def test_another_voice_or_speed_is_kept_apart(child: Path, voice: RenderedVoice, renderer: Renderer) -> None:
    renderer.say(voice, "i→.")
    slower = RenderedVoice(file=voice.file, sha256=voice.sha256, speed=0.8)
    renderer.say(slower, "i→.")
    assert asked(child) == ["i→.", "i→."]


def test_a_child_that_hangs_is_killed_and_the_next_one_works(
    child: Path, voice: RenderedVoice, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "TIMEOUT_S", 1.0)
    monkeypatch.setattr(render, "AGAIN_S", 0.0)
    behave(child, "time.sleep(600)")
    with pytest.raises(NoVoice, match="hung"):
        renderer.say(voice, "i→.", PATIENCE_S)
    assert "hung" in renderer.trouble
    monkeypatch.setattr(render, "TIMEOUT_S", PATIENCE_S)
    behave(child, "pass")
    assert renderer.say(voice, "i→.", PATIENCE_S)
    assert renderer.trouble == ""


@pytest.mark.parametrize(
    "behaviour",
    ["sys.exit(3)", "import os; os.kill(os.getpid(), 9)", 'print("noise", flush=True)', "print(7, flush=True)"],
)
def test_a_child_that_dies_gives_up_what_is_wanted_and_is_not_started_at_every_ticket(
    child: Path, voice: RenderedVoice, renderer: Renderer, behaviour: str
) -> None:
    behave(child, behaviour)
    with pytest.raises(NoVoice, match="rendering process"):
        renderer.say(voice, "i→.", PATIENCE_S)
    for _ in range(5):
        renderer.want(voice, ["a.", "b."])
    with pytest.raises(NoVoice, match="rendering process"):
        renderer.say(voice, "i→.", PATIENCE_S)
    assert len(asked(child)) == 1


def test_one_piece_that_cannot_be_said_does_not_stop_the_others(
    child: Path, voice: RenderedVoice, renderer: Renderer
) -> None:
    behave(child, 'answer = {"error": "no", "fatal": False} if wanted["signs"] == "x." else {}')
    renderer.want(voice, ["x.", "i→."])
    until(lambda: renderer.get(voice, "i→.") is not None, "the other is there")


def test_without_the_packages_it_says_what_to_install(child: Path, voice: RenderedVoice, renderer: Renderer) -> None:
    missing = dict.fromkeys(["onnxruntime", *kokoro.MODEL_PARTS])  # None: as if it were not installed
    child.write_text(
        f"import runpy, sys\nsys.modules.update({missing})\nrunpy.run_path({kokoro.__file__!r}, run_name='__main__')\n"
    )
    with pytest.raises(NoVoice, match=r"pip install 'jiaohao\[voice\]'"):
        renderer.say(voice, "i→.", PATIENCE_S)


def test_a_voice_file_that_changed_is_not_used(child: Path, voice: RenderedVoice, renderer: Renderer) -> None:
    voice.file.write_bytes(b"\1" * kokoro.VOICE_BYTES)
    with pytest.raises(NoVoice, match="not the voice of the manifest"):
        renderer.say(voice, "i→.", PATIENCE_S)
    assert asked(child) == []


def test_all_loudspeakers_of_an_agent_share_one_renderer(tmp_path: Path) -> None:
    one = render.renderer_of(tmp_path)
    assert render.renderer_of(tmp_path) is one
    assert render.renderer_of(tmp_path / "other") is not one
    one.close()
    assert render.renderer_of(tmp_path) is not one, "an agent that was started again renders again"


def test_closing_ends_a_child_in_the_middle(child: Path, voice: RenderedVoice, renderer: Renderer) -> None:
    behave(child, "time.sleep(600)")
    renderer.want(voice, ["i→."])
    until(lambda: asked(child), "it renders")
    begun_s = time.monotonic()
    renderer.close()
    assert time.monotonic() - begun_s < PATIENCE_S
    assert renderer.get(voice, "i→.") is None


# ------------------------------------------------------------------------------------------------------------ packs


@pytest.fixture
def pack(voice: RenderedVoice, tmp_path: Path) -> Path:
    """A folder that was built: only 请 and window 3 are in it."""
    folder = tmp_path / "pack"
    folder.mkdir()
    for unit in ("please", "window-3"):
        (folder / f"{unit}.wav").write_bytes(sound.write_wav(sound.chime()))
    inside = RenderedVoice(file=folder / voice.file.name, sha256=voice.sha256)
    inside.file.write_bytes(voice.file.read_bytes())
    write_manifest(folder, "zh", voice=inside)
    return folder


def test_a_call_is_rendered_when_its_ticket_is_issued_and_there_when_it_is_called(
    child: Path, pack: Path, renderer: Renderer
) -> None:
    clips = ClipsEngine([str(pack)], renderer)
    line = call("A012", "3", ("zh",))[0]
    clips.prepare(Upcoming(labels=("A012", "B007"), windows=("3", "东")))
    until(lambda: len(asked(child)) == 2, "both tickets are rendered")
    until(lambda: clips.speak(line), "it can be said")
    assert asked(child) == [of_unit("ticket-A012", "zh"), of_unit("ticket-B007", "zh")]
    heard = clips.speak(line)
    assert sound.seconds(heard) == pytest.approx(0.9 + 0.5 + 0.25, abs=0.3)


def test_a_call_that_was_not_foreseen_goes_to_the_next_voice_and_is_rendered_for_the_next_time(
    child: Path, pack: Path, renderer: Renderer
) -> None:
    clips = ClipsEngine([str(pack)], renderer)
    line = call("A012", "3", ("zh",))[0]
    with pytest.raises(NoVoice, match="letter-A"):
        clips.speak(line)
    until(lambda: asked(child), "it is rendered")

    def said() -> bool:
        try:
            return bool(clips.speak(line))
        except NoVoice:
            return False

    until(said, "it can be said now")


def test_what_people_recorded_is_not_rendered(child: Path, pack: Path, renderer: Renderer, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for unit in ("letter-A", "number-012"):
        (own / f"{unit}.wav").write_bytes(sound.write_wav(sound.chime()))
    write_manifest(own, "zh")
    clips = ClipsEngine([str(own), str(pack)], renderer)
    clips.prepare(Upcoming(labels=("A012", "A013"), windows=("3",)))
    until(lambda: asked(child), "the other ticket is rendered")
    renderer.close()
    assert asked(child) == [of_unit("ticket-A013", "zh")]


@pytest.mark.parametrize("missing", ["", "please", "letter-A", "number-012"])
def test_a_call_whose_parts_are_all_recorded_starts_no_renderer(
    child: Path, pack: Path, voice: RenderedVoice, renderer: Renderer, missing: str
) -> None:
    for unit in ("letter-A", "number-012"):
        (pack / f"{unit}.wav").write_bytes(sound.write_wav(sound.chime()))
    if missing:
        (pack / f"{missing}.wav").unlink()
    write_manifest(pack, "zh")
    clips, line = ClipsEngine([str(pack)], renderer), call("A012", "3", ("zh",))[0]
    ticket = [of_unit("ticket-A012", "zh")] if missing else []
    clips.prepare(Upcoming(labels=("A012",), windows=("3",)))
    until(lambda: len(asked(child)) == len(ticket), "what is prepared is being rendered")
    renderer.say(voice, "i→.", PATIENCE_S)
    assert clips.speak(line)
    renderer.want(voice, ["ɚ↘."])
    until(lambda: "ɚ↘." in asked(child), "what the call wanted went first")
    assert asked(child) == [*ticket, "i→.", "ɚ↘."]


def test_a_ticket_recorded_in_one_goes_before_its_letter_and_number(tmp_path: Path) -> None:
    lengths = {"please": 0.2, "letter-A": 0.2, "number-012": 0.2, "ticket-A012": 1.0, "window-3": 0.2}
    for unit, length_s in lengths.items():
        hum = array("h", [9000, -9000] * round(length_s * sound.RATE_HZ / 2))
        (tmp_path / f"{unit}.wav").write_bytes(sound.write_wav(hum))
    write_manifest(tmp_path, "zh")
    line = call("A012", "3", ("zh",))[0]
    assert sound.seconds(ClipsEngine([str(tmp_path)]).speak(line)) == pytest.approx(1.2 + 0.25, abs=0.01)
    (tmp_path / "ticket-A012.wav").unlink()
    write_manifest(tmp_path, "zh")
    assert sound.seconds(ClipsEngine([str(tmp_path)]).speak(line)) == pytest.approx(0.8 + 0.1 + 0.15 + 0.25, abs=0.01)


def test_free_text_is_rendered_and_what_cannot_be_read_is_not_said_by_halves(
    child: Path, pack: Path, renderer: Renderer
) -> None:
    clips = ClipsEngine([str(pack)], renderer)
    assert clips.speak(Line(language="zh", sentence="请从东侧出口离开。"))
    with pytest.raises(NoVoice):
        clips.speak(Line(language="zh", sentence="请从💥离开。"))
    with pytest.raises(NoVoice):
        clips.speak(Line(language="en", sentence="Leave by the east exit."))


def test_the_register_shows_that_nothing_is_rendered(child: Path, pack: Path, renderer: Renderer) -> None:
    clips = ClipsEngine([str(pack)], renderer)
    clips.check("zh")
    behave(child, 'print(json.dumps({"error": "onnxruntime is not installed", "fatal": True}), flush=True); continue')
    with pytest.raises(NoVoice):
        clips.speak(Line(language="zh", sentence="请稍候。"))
    with pytest.raises(NoVoice, match="not rendered: onnxruntime is not installed"):
        clips.check("zh")


@pytest.mark.parametrize("rendered", [{}, {"voice": "../x.bin", "sha256": "0", "speed": 1.0, "yao": False}, "zf", 1])
def test_a_wrong_voice_in_the_manifest_is_told(pack: Path, rendered: object) -> None:
    manifest = json.loads((pack / "manifest.json").read_text())
    (pack / "manifest.json").write_text(json.dumps(manifest | {"rendered": rendered}))
    with pytest.raises(BadPack, match="jiaohao voice build"):
        read_pack(pack)


# ------------------------------------------------------------------------------------------------ jiaohao voice build


def build(voice: RenderedVoice, into: Path, *more: str) -> tuple[int, str]:
    words = ["--lang", "en", "voice", "build", "demo", "--voice", str(voice.file), "--into", str(into), *more]
    told = CliRunner().invoke(main, words)
    return told.exit_code, told.output


def test_build_renders_what_is_missing_and_goes_on_after_a_failure(
    child: Path, voice: RenderedVoice, tmp_path: Path
) -> None:
    into = tmp_path / "built"
    behave(child, "if len(log.read_text().splitlines()) == 3: sys.exit(1)")
    status, output = build(voice, into)
    assert status == 2
    assert "cannot be rendered" in output
    behave(child, "pass")
    status, output = build(voice, into, "--numbers", "2")
    assert status == 0, output
    pack = read_pack(into)
    assert pack.voice is not None
    assert {"window-1", "ticket-A001", "ticket-A002"} <= set(pack.clips)
    assert len(asked(child)) == len(pack.clips) + 1  # the one that failed was asked twice
    assert not list(into.glob("*.part"))
    checked = CliRunner().invoke(main, ["voice", "check", str(into), "--hall", "demo", "--numbers", "2"])
    assert checked.exit_code == 0, checked.output
    checked = CliRunner().invoke(main, ["voice", "check", str(into), "--hall", "demo"])
    assert checked.exit_code == 0, "numbers that are rendered when they are issued are not missing"
    before = len(asked(child))
    assert build(voice, into, "--numbers", "2")[0] == 0
    assert len(asked(child)) == before


def test_build_refuses_what_is_no_voice_and_a_folder_of_people(
    child: Path, voice: RenderedVoice, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "please.wav").write_bytes(sound.write_wav(sound.chime()))
    write_manifest(own, "zh")
    status, output = build(voice, own)
    assert (status, "recordings" in output) == (2, True)
    assert read_pack(own).voice is None
    voice.file.write_bytes(b"too short")
    assert build(voice, tmp_path / "new")[0] == 2
    named = RenderedVoice(file=tmp_path / "zf_xiaoxiao.bin", sha256="")
    named.file.write_bytes(bytes(kokoro.VOICE_BYTES))
    assert "damaged" in build(named, tmp_path / "new")[1]
    assert asked(child) == []


def test_the_words_of_kiosks_are_rendered_once_and_recordings_stay(
    child: Path, voice: RenderedVoice, tmp_path: Path
) -> None:
    command = ["--lang", "en", "voice", "prompts", "demo", "--voice", str(voice.file), "--numbers", "2"]
    command += ["--data", str(tmp_path / "data")]
    folder = tmp_path / "data" / "prompts" / "demo" / "zh"
    folder.mkdir(parents=True)
    own = sound.write_wav(sound.chime())
    (folder / file_of("请取走小票。")).write_bytes(own)
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    clips = json.loads((folder / "manifest.json").read_text())["clips"]
    assert {"A", "002号", "前面等候 60 人。", "社会保险。", "请取走小票。"} <= set(clips)
    assert (folder / clips["请取走小票。"]).read_bytes() == own
    assert len(asked(child)) == len(clips) - 1
    rendered = sound.read_wav((folder / clips["002号"]).read_bytes()).samples
    assert sound.loudness(rendered) == pytest.approx(sound.SPEECH_LOUDNESS, rel=0.1)
    assert CliRunner().invoke(main, command).exit_code == 0
    assert len(asked(child)) == len(clips) - 1, "what is there is not rendered again"
    missing = CliRunner().invoke(main, [*command[:4], "demo", "--numbers", "3", *command[-2:], "--format", "json"])
    assert missing.exit_code == 1
    assert '"零零三号"' in missing.output
    assert CliRunner().invoke(main, [*command, "--language", "en"]).exit_code == 2


# --------------------------------------------------------------------------------------------------- the whole agent


class Server(Protocol):
    """What this test uses of the pretend server of conftest.py."""

    url: str
    pictures: dict[str, dict[str, Any]]

    def send_job(self, device: str, job: dict[str, Any]) -> Any: ...


def test_the_hall_tells_the_agent_of_a_ticket_and_its_call_is_said_in_the_rendered_voice(
    fake_server: Server, child: Path, pack: Path, tmp_path: Path
) -> None:
    upcoming = {"hall": "demo", "labels": ["A012"], "windows": ["3"]}
    fake_server.pictures["voice"] = {"hall": "demo", "topic": "voice", "seq": 1, "data": upcoming}
    file = read_devices(
        f'schema = 1\nhall = "demo"\n[[device]]\nid = "speaker-1"\ndriver = "speech"\n'
        f'url = "file://{tmp_path}/out"\noptions = {{ clips = ["{pack}"], readings = 1 }}\n'
    )
    journal = Journal(tmp_path / "jobs.sqlite", datetime.now(UTC))
    agent = Agent(file, fake_server.url, "secret-token", tmp_path, journal)
    hook = threading.excepthook
    thread = threading.Thread(target=agent.run, daemon=True)
    thread.start()
    try:
        rendered = tmp_path / "speech" / "rendered"
        until(lambda: len(list(rendered.glob("*.wav"))) == 1, "the ticket is rendered")
        call_of = {"ticket": "20261121-A012", "label": "A012", "window": "3", "window_name": {"zh": "3号窗口"}}
        data = {**call_of, "zone": "general", "languages": ["zh"], "call_count": 1}
        expires = (datetime.now(UTC) + timedelta(seconds=600)).isoformat()
        answer = fake_server.send_job(
            "speaker-1", {"id": "1.0", "seq": 1, "kind": "say", "data": data, "expires_at": expires}
        )
        assert answer["result"] == {"status": "said", "detail": ""}
        (heard,) = (tmp_path / "out").iterdir()
        assert sound.seconds(sound.read_wav(heard.read_bytes()).samples) > 3.0
    finally:
        agent.stop()
        thread.join(PATIENCE_S)
        journal.close()
        threading.excepthook = hook
    assert not thread.is_alive()
