"""What kiosks say: the clips that the manifest of the hall's folder lists, strictly those."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.web.stage import HALL, OTHER, Stage

PROMPTS = f"/halls/{HALL}/prompts"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts" / HALL / "zh"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def hall(make_stage: Callable[..., Stage], tmp_path: Path) -> Stage:
    return make_stage(prompts=tmp_path / "prompts")


def describe(folder: Path, clips: object) -> None:
    (folder / "manifest.json").write_text(json.dumps({"schema": 1, "language": "zh", "clips": clips}))


def test_a_kiosk_gets_what_is_said_and_the_clip(hall: Stage, folder: Path) -> None:
    kiosk = hall.anybody("kiosk")
    assert kiosk.get(PROMPTS).json == {"clips": []}
    (folder / "1.wav").write_bytes(b"a clip")
    describe(folder, {"请取走小票。": "1.wav", "没有了": "2.wav"})
    (clip,) = kiosk.get(PROMPTS).json["clips"]  # type: ignore[index]
    assert (clip["text"], clip["name"]) == ("请取走小票。", "1.wav")
    answer = kiosk.get(f"{PROMPTS}/zh/1.wav")
    assert (answer.status_code, answer.data, answer.content_type) == (200, b"a clip", "audio/wav")
    assert "no-store" not in answer.headers["Cache-Control"]
    answer.close()
    (folder / "1.wav").write_bytes(b"another clip")
    assert kiosk.get(PROMPTS).json["clips"][0]["version"] != clip["version"]  # type: ignore[index]
    assert kiosk.get(f"{PROMPTS}?language=en").json == {"clips": []}
    assert kiosk.get(f"{PROMPTS}?language=fr").status_code == 422


def test_nothing_else_of_the_disk_can_be_had(hall: Stage, folder: Path, tmp_path: Path) -> None:
    kiosk = hall.anybody("kiosk")
    for name in ("1.wav", "unlisted.wav"):
        (folder / name).write_bytes(b"a clip")
    (tmp_path / "prompts" / "secret.wav").write_bytes(b"not of this hall")
    describe(folder, {"a": "1.wav", "b": "../../secret.wav", "c": str(tmp_path / "prompts" / "secret.wav"), "d": 5})
    assert [it["text"] for it in kiosk.get(PROMPTS).json["clips"]] == ["a"]  # type: ignore[index]
    for name in ("unlisted.wav", "secret.wav", "manifest.json", "..%2F..%2Fsecret.wav", "%2e%2e%2fsecret.wav", ".."):
        assert kiosk.get(f"{PROMPTS}/zh/{name}").status_code in (308, 404), name
    assert kiosk.get(f"/halls/{OTHER}/prompts").status_code == 403
    assert hall.nobody().get(PROMPTS).status_code == 401


@pytest.mark.parametrize("manifest", ["", "[]", '{"clips": 3}', '{"clips": {"a": ["1.wav"]}}'])
def test_a_manifest_that_cannot_be_read_is_no_clips(hall: Stage, folder: Path, manifest: str) -> None:
    (folder / "1.wav").write_bytes(b"a clip")
    (folder / "manifest.json").write_text(manifest)
    assert hall.anybody("kiosk").get(PROMPTS).json == {"clips": []}
